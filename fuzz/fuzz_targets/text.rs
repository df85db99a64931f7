//! A text that is read is the only one for its bytes, but for case and breaks; an error points into the text.
#![no_main]

use bolt12::text::{Encoded, Prefix, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for prefix in Prefix::ALL {
        match decode(text, prefix) {
            Ok(bytes) => {
                let bare: String =
                    text.chars().filter(|character| !"+ \t\r\n\x0b\x0c".contains(*character)).collect();
                assert_eq!(Encoded::new(prefix, &bytes).to_string(), bare.to_lowercase());
                assert_eq!(format!("{:#}", Encoded::new(prefix, &bytes)), bare.to_uppercase());
                assert_eq!(Prefix::detect(text), Some(prefix));
            }
            Err(error) => assert!(error.position().is_none_or(|position| text.is_char_boundary(position))),
        }
    }
});
