//! A signer without an operating system: it shows a BOLT 12 message and signs what it showed.
//!
//! It runs on a Cortex-M4 with 1 MB of flash and 192 kB of memory; `qemu` next to this package emulates one. The wire to the
//! host is the first serial port: the device sends its public key, 33 bytes, and then an answer for each request, each after
//! its length in two bytes. The second port is a display of 20 columns with a button: `y` goes on to the next screen, any
//! other line refuses.
//!
//! ```text
//! cargo build --release --manifest-path examples/firmware/Cargo.toml --target thumbv7em-none-eabihf
//! cargo run --example remote_signer -- --device examples/firmware/qemu
//! ```
#![no_std]
#![no_main]

extern crate alloc;

mod uart;

use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;
use core::mem::MaybeUninit;
use core::panic::PanicInfo;

use bolt12::device::{
    RecentRequests, Refusal, RefusalReason, Screen, SigningAnswer, SigningContext, SigningRequest,
    SigningRequestId,
};
use cortex_m_rt::entry;
use embedded_alloc::LlffHeap;
use secp256k1::{Keypair, Secp256k1};
use uart::Uart;

/// The key of the example. A device makes its own and keeps it where nothing else reads it.
const SECRET: [u8; 32] = [7; 32];

/// Bytes of the longest request that this device has memory for.
const MAX_REQUEST: usize = 8 * 1024;

/// Bytes that are allocated from. The rest of the memory is the stack.
const HEAP_SIZE: usize = 96 * 1024;

#[global_allocator]
static HEAP: LlffHeap = LlffHeap::empty();

#[entry]
fn main() -> ! {
    static mut MEMORY: [MaybeUninit<u8>; HEAP_SIZE] = [MaybeUninit::uninit(); HEAP_SIZE];
    // SAFETY: `main` runs once, and nothing else uses this memory.
    unsafe { HEAP.init(MEMORY.as_mut_ptr().addr(), HEAP_SIZE) }
    // SAFETY: the two ports of the board, each once.
    let (mut wire, mut console) = unsafe { (Uart::new(Uart::WIRE), Uart::new(Uart::CONSOLE)) };
    let Ok(key) = Keypair::from_seckey_slice(&Secp256k1::new(), &SECRET) else { halt() };
    let mut recent = RecentRequests::<16>::new();
    wire.send_all(&key.public_key().serialize());
    loop {
        let answer = match receive(&mut wire) {
            Ok(bytes) => answer(&bytes, &key, &mut recent, &mut console),
            Err(answer) => answer,
        };
        let bytes = answer.to_bytes();
        // An answer has at most 256 bytes.
        wire.send_all(&(bytes.len() as u16).to_be_bytes());
        wire.send_all(&bytes);
    }
}

/// The next request. One that is too long is not kept, and its id is not known.
fn receive(wire: &mut Uart) -> Result<Vec<u8>, SigningAnswer> {
    let length = usize::from(u16::from_be_bytes([wire.receive(), wire.receive()]));
    if length > MAX_REQUEST {
        for _ in 0..length {
            wire.receive();
        }
        let refusal = Refusal::new(RefusalReason::Invalid, "more than 8192 bytes");
        return Err(SigningAnswer::refused(SigningRequestId::from_byte_array([0; 32]), refusal));
    }
    let mut bytes = vec![0; length];
    bytes.iter_mut().for_each(|byte| *byte = wire.receive());
    Ok(bytes)
}

/// Shows what `bytes` ask for, and signs it if the person goes on to the end.
fn answer(bytes: &[u8], key: &Keypair, recent: &mut RecentRequests<16>, console: &mut Uart) -> SigningAnswer {
    let refuse = |refusal| SigningAnswer::refused(SigningRequestId::from_request_bytes(bytes), refusal);
    let request = match SigningRequest::read(bytes) {
        Ok(request) => request,
        Err(error) => return refuse(Refusal::from(&error)),
    };
    if request.message().signing_key() != Some(key.x_only_public_key().0) {
        return refuse(Refusal::new(RefusalReason::Key, ""));
    }
    let context = SigningContext::new().signed_before(recent.contains(&request));
    let review = match request.review(&context) {
        Ok(review) => review,
        Err(error) => return refuse(Refusal::from(&error)),
    };
    match review.confirm(|screen| ask(console, screen)) {
        Ok(confirmed) => {
            recent.insert(&request);
            confirmed.sign(key)
        }
        Err(refusal) => refuse(refusal),
    }
}

/// Shows one screen and waits for the button.
fn ask(console: &mut Uart, screen: &Screen) -> bool {
    let line = "+----------------------+";
    // The port takes every byte.
    let _ = writeln!(console, "{line}\n| {:<20} |", screen.title());
    for text in screen.lines(20) {
        let _ = writeln!(console, "| {text:<20} |");
    }
    let _ = writeln!(console, "{line}\ny to go on:");
    let mut pressed = Vec::new();
    loop {
        match console.receive() {
            b'\n' | b'\r' => return pressed == b"y",
            byte if pressed.len() < 8 => pressed.push(byte),
            _ => {}
        }
    }
}

/// A device that has met a bug shows it and stops. It signs nothing more.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    // SAFETY: nothing else runs any more.
    let mut console = unsafe { Uart::new(Uart::CONSOLE) };
    let _ = writeln!(console, "{info}");
    halt()
}

/// Waits for interrupts, of which there are none.
fn halt() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
