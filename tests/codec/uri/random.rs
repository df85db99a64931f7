//! Random links: printed and read they are the same, and a hostile text takes time in proportion to its length.

use std::time::{Duration, Instant};

use bolt12::bitcoin::{Address, Network, WitnessProgram, WitnessVersion};
use bolt12::uri::{MAX_TEXT_LEN, PaymentUri};
use bolt12::{Msat, Offer};
use proptest::collection::vec;
use proptest::prelude::*;

use super::OFFER;

fn address(program: [u8; 32], network: Network) -> Address {
    Address::from_witness_program(WitnessProgram::new(WitnessVersion::V1, &program).unwrap(), network)
}

/// One thing that a link can hold, in the order of the calls.
#[derive(Clone, Debug)]
enum Part {
    Offer,
    Bolt11(String),
    Address([u8; 32], bool),
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        Just(Part::Offer),
        "lnbc[0-9][a-z0-9]{0,20}".prop_map(Part::Bolt11),
        (any::<[u8; 32]>(), any::<bool>())
            .prop_map(|(program, is_bitcoin)| Part::Address(program, is_bitcoin)),
    ]
}

proptest! {
    #[test]
    fn a_link_that_is_printed_is_read_as_the_same(
        parts in vec(part(), 1..6),
        amount in proptest::option::of(1..=Msat::MAX.get()),
        label in proptest::option::of(any::<String>()),
        message in proptest::option::of(any::<String>()),
    ) {
        let offer: Offer = OFFER.parse().unwrap();
        let mut link = PaymentUri::builder();
        for part in &parts {
            link = match part {
                Part::Offer => link.offer(&offer),
                Part::Bolt11(text) => link.bolt11(text),
                Part::Address(program, true) => link.address(&address(*program, Network::Bitcoin)),
                Part::Address(program, false) => link.address(&address(*program, Network::Testnet)),
            };
        }
        if let Some(amount) = amount {
            link = link.amount(Msat::new(amount).unwrap());
        }
        if let Some(label) = &label {
            link = link.label(label);
        }
        if let Some(message) = &message {
            link = link.message(message);
        }
        let link = link.build().unwrap();
        let text = link.to_string();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(&PaymentUri::parse(&text).unwrap(), &link);
        // For a QR code too, and with what people put around it.
        let upper = PaymentUri::parse(&format!("\u{feff} <{link:#}>\r\n")).unwrap();
        prop_assert_eq!(upper.to_string().to_lowercase(), text.to_lowercase());
        prop_assert_eq!((upper.label(), upper.message()), (link.label(), link.message()));
    }

    #[test]
    fn what_is_read_is_printed_and_read_as_the_same(text in "(bitcoin:|lightning:)?[lnobc1]{0,5}(\\?|&|=|lno=|req-|sp=x|%[0-9a-fA-F]{2}|[+#@₿ \n\"a-z0-9.]){0,12}") {
        if let Ok(uri) = PaymentUri::parse(&text) {
            let printed = uri.to_string();
            prop_assert_eq!(PaymentUri::parse(&printed).map(|uri| uri.to_string()), Ok(printed));
        }
    }

    #[test]
    fn no_text_panics_and_every_error_points_into_it(
        before in "[\\PC\n]{0,8}", scheme in "(bitcoin:|LIGHTNING:)?", text in "[\\PC\n]{0,40}",
    ) {
        let text = format!("{before}{scheme}{text}");
        let points = |error: &bolt12::uri::UriError| {
            let range = error.text_range(&text);
            range.start <= range.end && range.end <= text.chars().count()
        };
        match PaymentUri::parse(&text) {
            Ok(uri) => prop_assert!(uri.unreadable().all(|one| points(one.error()))),
            Err(error) => prop_assert!(points(&error), "{error}: {:?}", error.text_range(&text)),
        }
    }
}

/// Texts of the greatest length that is read, each of which a quadratic reader would take minutes for.
#[test]
fn a_hostile_text_is_read_in_time_in_proportion_to_its_length() {
    let fill = |start: &str, piece: &str| {
        let count = (MAX_TEXT_LEN - start.len()) / piece.len();
        format!("{start}{}", piece.repeat(count))
    };
    let texts = [
        fill("bitcoin:?", "lno=x&"),
        fill("bitcoin:?", "lno=lno1&"),
        fill("bitcoin:?", "a&"),
        fill("bitcoin:?sp=x&label=", "%41"),
        fill("bitcoin:?sp=x&label=", "%"),
        fill("bitcoin:", "?"),
        fill("", "\""),
        fill("", "(\"'"),
        fill("a", ")."),
        fill("l", "\n"),
        fill("l", "\n>n"),
        fill("", "q\r\n"),
        fill("", "+ "),
        fill("lno1", "q+"),
        fill("", "\u{feff}"),
        fill("", "@"),
        fill("a@", "b."),
        fill("", "lightning:"),
        fill("", "bitcoin:"),
        fill("bitcoin:?sp=x&amount=", "0"),
    ];
    for text in texts {
        let begin = Instant::now();
        if let Err(error) = PaymentUri::parse(&text) {
            error.text_range(&text);
        }
        // A quadratic reader would take minutes, also on a fast machine.
        let taken = begin.elapsed();
        assert!(
            taken < Duration::from_secs(5),
            "{taken:?} for {}…",
            &text.chars().take(20).collect::<String>()
        );
    }
}
