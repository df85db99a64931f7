//! A text that is too long costs its reader nothing: allocations are counted.

use allocation_counter::{AllocationInfo, measure};
use bolt12::draft::Offer;
use bolt12::text::{Prefix, TextError, decode};

/// Ten million characters after a prefix.
const HUGE: usize = 10_000_000;

fn cost_of(text: &str, refused: &dyn Fn(&TextError) -> bool) -> AllocationInfo {
    measure(|| assert!(refused(&decode(text, Prefix::Offer).unwrap_err())))
}

#[test]
fn a_huge_message_is_refused_before_anything_is_allocated() {
    let length = HUGE * 5 / 8;
    let too_long = |error: &TextError| *error == TextError::TooLong { length };
    let huge = format!("lno1{}", "q".repeat(HUGE));
    let cost = cost_of(&huge, &too_long);
    assert_eq!((cost.count_total, cost.bytes_total), (0, 0), "{cost:?}");

    // Breaks do not hide its length, and bytes that are no text of ours are not worth more.
    let broken = format!("lno1{}q", "q+ ".repeat(HUGE - 1));
    assert_eq!(cost_of(&broken, &too_long).bytes_total, 0);
    assert_eq!(cost_of(&format!("LNO1{}", "!".repeat(HUGE)), &too_long).bytes_total, 0);
}

#[test]
fn a_prefix_without_end_costs_a_few_bytes() {
    for text in ["l".repeat(HUGE), format!("{}1qq", "l".repeat(HUGE)), format!("l+{}no1qq", " ".repeat(HUGE))]
    {
        let cost = measure(|| drop(decode(&text, Prefix::Offer)));
        assert!(cost.bytes_max <= 64, "{cost:?}");
    }
}

#[test]
fn white_space_is_not_room_for_bytes() {
    let text = format!("lno1p+{}gqhs", " ".repeat(HUGE));
    let cost = measure(|| assert_eq!(decode(&text, Prefix::Offer).unwrap(), [0x0a, 0x01, 0x78]));
    assert_eq!((cost.count_total, cost.bytes_total), (1, 4), "{cost:?}");
}

#[test]
fn a_huge_offer_is_refused_in_bytes_too() {
    let mut bytes = vec![0xfd, 0xff, 0xff, 0xfe, 0x00, 0x98, 0x96, 0x80];
    bytes.resize(HUGE, 0);
    let cost = measure(|| {
        let error = Offer::try_from(bytes).unwrap_err();
        assert_eq!(error, bolt12::ParseError::TooLong { length: HUGE });
    });
    assert_eq!(cost.bytes_total, 0, "{cost:?}");
}

/// What a length field promises is not allocated either.
#[test]
fn a_promise_is_not_room_for_bytes() {
    let bytes = [0x0a, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'x'].to_vec();
    let cost = measure(|| drop(Offer::try_from(bytes).unwrap_err()));
    assert_eq!(cost.bytes_total, 0, "{cost:?}");
}
