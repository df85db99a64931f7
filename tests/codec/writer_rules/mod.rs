//! What a writer must not write: at least one test for every rule for writers, with the rule's number in its name. Each
//! test has a control, which is the same call with the one thing right, and which is written.
//!
//! This crate has no writer for recurrence or payer proofs. Some rules depend on facts that only
//! the caller knows. For these, the tests show what the builder does with what it is given: R-O-8, R-O-9, R-O-11,
//! R-Q-5, R-Q-10, R-I-1, R-I-4.

mod draft;
mod invoice;
mod invoice_error;
mod nul;
mod offer;
mod request;
mod text;

/// Every rule for writers (kind W), and the tests that should name it.
const RULES: &[(&str, std::ops::RangeInclusive<u8>, &str)] = &[
    ("r_e", 1..=2, include_str!("text.rs")),
    ("r_o", 1..=12, include_str!("offer.rs")),
    ("r_q", 1..=11, include_str!("request.rs")),
    ("r_i", 1..=10, include_str!("invoice.rs")),
    ("r_x", 1..=3, include_str!("invoice_error.rs")),
];

#[test]
fn every_rule_for_writers_has_a_test_with_its_number_and_a_control() {
    let mut rules = 0;
    for (letter, numbers, tests) in RULES {
        for number in numbers.clone() {
            let start = format!("fn {letter}_{number}_");
            let mut bodies = tests.split("#[test]").filter(|body| body.trim_start().starts_with(&start));
            assert!(bodies.any(|body| body.contains("// Control")), "{letter}_{number}");
            rules += 1;
        }
    }
    assert_eq!(rules, 38);
}
