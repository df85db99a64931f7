//! R-E: the text form of what is written.

use bolt12::Offer;

use testkit::records::*;

#[test]
fn r_e_1_one_case_only_and_upper_for_qr_codes() {
    let offer = Offer::builder().issuer_id(point(ISSUER)).issuer("Alice@Example.com").build().unwrap();
    let lower = offer.to_string();
    assert!(lower.starts_with("lno1") && !lower.contains(|c: char| c.is_ascii_uppercase()));
    // Control: the upper-case form is the same offer.
    let upper = format!("{offer:#}");
    assert_eq!(upper, lower.to_ascii_uppercase());
    assert_eq!(upper.parse::<Offer>().unwrap(), offer);
}

#[test]
fn r_e_2_no_break_is_written_and_a_break_may_be() {
    let description = "a".repeat(2000);
    let offer = Offer::builder().issuer_id(point(ISSUER)).description(&description).build().unwrap();
    let text = offer.to_string();
    assert!(!text.contains(['+', ' ', '\n']));
    // Control: a break put in by a person is read.
    let (head, tail) = text.split_at(100);
    assert_eq!(format!("{head}+\n {tail}").parse::<Offer>().unwrap(), offer);
}
