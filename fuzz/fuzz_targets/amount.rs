//! An amount that is read prints in one canonical way, which is read as the same amount.
#![no_main]

use bolt12::Amount;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match text.parse::<Amount>() {
    Ok(amount) => assert_eq!(amount.to_string().parse(), Ok(amount)),
    Err(error) => assert!(error.position().is_none_or(|position| position <= text.len())),
});
