//! A link that is read is printed and read as the same; an error points into the text as it was pasted.
#![no_main]

use bolt12::message::OfferContext;
use bolt12::uri::{PaymentUri, UriError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let points = |error: &UriError| {
        let range = error.text_range(text);
        assert!(range.start <= range.end && range.end <= text.chars().count());
        assert!(!error.code().is_empty());
    };
    match PaymentUri::parse(text) {
        Ok(uri) => {
            let printed = uri.to_string();
            let again = PaymentUri::parse(&printed).expect("what is printed is read");
            assert_eq!(again.to_string(), printed);
            let upper = PaymentUri::parse(&format!("{uri:#}")).expect("in upper case too");
            assert_eq!(
                (upper.amount(), upper.label(), upper.message()),
                (uri.amount(), uri.label(), uri.message())
            );
            uri.unreadable().for_each(|one| points(one.error()));
            let _ = uri.choose_offer(&OfferContext::new(1_760_000_000));
        }
        Err(error) => points(&error),
    }
});
