//! `bolt12` for JavaScript: one function that takes a request as JSON and returns an answer as JSON.
//!
//! The page in `page/` and the package in `pkg/` call it through `pkg/index.js`. The glue is written by hand: with JSON on both
//! sides it is two exported functions and no unsafe block, and the build needs cargo alone. A generator such as wasm-bindgen
//! would bring a tool whose version has to fit that of the library, to generate code for one call.
//!
//! How a call works: JavaScript asks for a place of so many bytes ([`input`]), writes the request there, calls [`call`] with the
//! number of the request's kind, and reads the answer at [`output`].

mod answer;

use std::sync::{Mutex, PoisonError};

/// The last request and the last answer.
struct Memory {
    input: Vec<u8>,
    output: String,
}

static MEMORY: Mutex<Memory> = Mutex::new(Memory { input: Vec::new(), output: String::new() });

/// Makes a place for a request of `length` bytes, and returns its address.
#[expect(unsafe_code, reason = "the name of an export")]
#[unsafe(no_mangle)]
pub extern "C" fn input(length: usize) -> *mut u8 {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    memory.input = vec![0; length];
    memory.input.as_mut_ptr()
}

/// Answers the request at the address that [`input`] returned, and returns the number of bytes of the answer. Of a picture,
/// `width` is the number of its columns; a request in JSON has none, 0.
#[expect(unsafe_code, reason = "the name of an export")]
#[unsafe(no_mangle)]
pub extern "C" fn call(width: usize) -> usize {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let input = std::mem::take(&mut memory.input);
    memory.output = if width == 0 { answer::answer(&input) } else { answer::scan(&input, width) };
    memory.output.len()
}

/// The address of the answer, in UTF-8. It is there until the next call.
#[expect(unsafe_code, reason = "the name of an export")]
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner).output.as_ptr()
}
