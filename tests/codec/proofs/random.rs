//! Any choice of fields on any invoice, and any damage to a proof.

use bolt12::{Invoice, PayerProof};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use testkit::records::{PAYER, Records, key, path, payinfo};

use super::{naive_proof, paid_invoice, parse, preimage, read_invoice, records_of, signed};

/// Values that are long and random, so that they occur nowhere by chance.
fn secret() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 12..40)
}

fn secret_text() -> impl Strategy<Value = Vec<u8>> {
    "[a-zA-Z0-9 ]{12,40}".prop_map(String::into_bytes)
}

/// An invoice with any optional fields and any unknown odd records.
fn invoices() -> impl Strategy<Value = Records> {
    let texts = (secret_text(), proptest::option::of(secret_text()), proptest::option::of(secret_text()));
    let odd = prop_oneof![
        (12..40u64).prop_map(|half| 2 * half + 1),
        (46..80u64).prop_map(|half| 2 * half + 1),
        (89..120u64).prop_map(|half| 2 * half + 1),
        (500_000_000..500_000_010u64).prop_map(|half| 2 * half + 1),
        (1_000_000_000..1_000_000_010u64).prop_map(|half| 2 * half + 1),
        (1_500_000_000..1_500_000_010u64).prop_map(|half| 2 * half + 1),
    ];
    let unknown = btree_map(odd, secret(), 0..12);
    let flags = any::<[bool; 5]>();
    (texts, unknown, secret(), flags).prop_map(|((description, issuer, note), unknown, metadata, flags)| {
        let mut records = paid_invoice().with(0, metadata).with(10, description);
        for (number, value) in [(18, issuer), (89, note)] {
            if let Some(value) = value {
                records = records.with(number, value);
            }
        }
        if flags[0] {
            records = records.int(14, 1_800_000_000);
        }
        if flags[1] {
            records = records.with(16, path(0x32, 2));
        }
        if flags[2] {
            records = records.int(82, 1000);
        }
        if flags[3] {
            records = records.with(174, [2, 0, 0]);
        }
        if flags[4] {
            let two = [path(0x31, 1), path(0x33, 3)].concat();
            records = records.with(160, two).with(162, [payinfo(&[]), payinfo(&[])].concat());
        }
        unknown.into_iter().fold(records, |records, (number, value)| records.with(number, value))
    })
}

/// A choice of fields: for each record in turn whether it is shown.
fn choices() -> impl Strategy<Value = Vec<bool>> {
    vec(any::<bool>(), 40)
}

fn is_shown(invoice: &Records, choice: &[bool]) -> impl Fn(u64) -> bool {
    let chosen: Vec<u64> =
        invoice.0.iter().zip(choice).filter(|(_, chosen)| **chosen).map(|((number, _), _)| *number).collect();
    move |number| number != 0 && (chosen.contains(&number) || [88, 168, 174, 176].contains(&number))
}

fn prove(invoice: &Invoice, is_shown: impl Fn(u64) -> bool, note: &str) -> PayerProof {
    let builder = invoice.prove_payment(preimage()).unwrap().show_required().note(note);
    let numbers = invoice.stream().records().map(|record| record.number());
    let numbers = numbers.filter(|number| *number != 240 && is_shown(*number));
    numbers.fold(builder, |builder, number| builder.show_type(number)).sign(&key(PAYER)).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

proptest! {
    /// It verifies, it is what a second implementation makes, and it has every record that was
    /// chosen, unchanged, and no other.
    #[test]
    fn any_choice_of_fields_verifies(records in invoices(), choice in choices(), note in "[a-z]{0,9}") {
        let invoice = read_invoice(&records);
        let shown = is_shown(&records, &choice);
        let proof = prove(&invoice, &shown, &note);
        prop_assert_eq!(parse(proof.as_bytes().to_vec()), Ok(proof.clone()));
        prop_assert_eq!(proof.to_string().parse(), Ok(proof.clone()));
        let naive = naive_proof(&records, &shown);
        let naive = if note.is_empty() { naive } else { naive.with(1005, &note) };
        prop_assert_eq!(proof.as_bytes(), signed(naive));
        prop_assert_eq!(proof.invoice_merkle_root(), invoice.merkle_root());
        let found: Vec<_> = proof.shown_records().map(|record| record.raw().to_vec()).collect();
        let expected: Vec<_> = invoice.stream().records()
            .filter(|record| record.number() != 240 && shown(record.number()))
            .map(|record| record.raw().to_vec())
            .collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(proof.hidden_count(), records.0.len() - expected.len());
    }

    /// Neither the value of a hidden field is in the proof, nor its type, nor its leaf, which would
    /// let a reader check a guess.
    #[test]
    fn no_hidden_value_is_revealed(records in invoices(), choice in choices()) {
        let shown = is_shown(&records, &choice);
        let invoice = read_invoice(&records);
        let proof = prove(&invoice, &shown, "");
        for record in invoice.stream().records().filter(|record| !shown(record.number()) && record.number() != 240) {
            // The issuer id, hidden, has the value of the node id, which is always shown.
            if record.value().len() >= 12 && record.number() != 22 {
                prop_assert!(!contains(proof.as_bytes(), record.value()), "type {}", record.number());
            }
            prop_assert!(!contains(proof.as_bytes(), &testkit::naive::leaf(record.raw())));
            prop_assert!(proof.stream().find(record.number()).is_none());
        }
        // The same choice on an invoice with other hidden types of the same positions has the same markers.
        let hidden: Vec<u64> = records.0.iter().map(|(number, _)| *number)
            .filter(|number| !shown(*number) && number % 2 == 1 && (25..79).contains(number)).collect();
        if let Some(number) = hidden.last().filter(|number| !records.0.iter().any(|(other, _)| *other == **number + 2) && **number < 77) {
            let value = records.0.iter().find(|(other, _)| other == number).unwrap().1.clone();
            let moved = records.clone().without(*number).with(number + 2, value);
            let other = prove(&read_invoice(&moved), &shown, "");
            prop_assert_eq!(
                proof.stream().find(1002).map(|record| record.value()),
                other.stream().find(1002).map(|record| record.value())
            );
        }
    }

    /// Any bit, wherever it is.
    #[test]
    fn any_bit_flip_fails(records in invoices(), choice in choices(), place in any::<prop::sample::Index>(), bit in 0..8u8) {
        let proof = prove(&read_invoice(&records), is_shown(&records, &choice), "challenge");
        let mut bytes = proof.as_bytes().to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        prop_assert!(parse(bytes).is_err());
    }

    /// Changed, dropped, reordered, added records. What the payer signs again, the node has not
    /// signed.
    #[test]
    fn other_records_fail(records in invoices(), choice in choices(), place in any::<prop::sample::Index>(), value in secret()) {
        let proof = prove(&read_invoice(&records), is_shown(&records, &choice), "");
        let proof = records_of(proof.as_bytes());
        let shown: Vec<u64> = proof.0.iter().map(|(number, _)| *number)
            .filter(|number| !(240..1_000_000_000).contains(number)).collect();
        let number = *place.get(&shown);
        prop_assert!(parse(signed(proof.clone().with(number, &value))).is_err(), "changed {}", number);
        prop_assert!(parse(signed(proof.clone().without(number))).is_err(), "dropped {}", number);
        let free = (25..79).chain(3_000_000_000..).find(|other| other % 2 == 1 && !records.0.iter().any(|(used, _)| used == other)).unwrap();
        prop_assert!(parse(signed(proof.clone().with(free, &value))).is_err(), "added {}", free);
        // With a hash for it, the tree is another.
        let leaf = proof.0.iter().find(|(number, _)| *number == 1004).unwrap().1.clone();
        prop_assert!(parse(signed(proof.clone().with(free, &value).with(1004, [&leaf[..], &[7; 32]].concat()))).is_err());
        // Two values exchanged, and two hashes.
        let other = shown[(shown.iter().position(|shown| *shown == number).unwrap() + 1) % shown.len()];
        let of = |number: u64| proof.0.iter().find(|(found, _)| *found == number).unwrap().1.clone();
        if of(number) != of(other) {
            let exchanged = proof.clone().with(number, of(other)).with(other, of(number));
            prop_assert!(parse(signed(exchanged)).is_err(), "exchanged {} and {}", number, other);
        }
        let swapped = [&leaf[32..64], &leaf[..32], &leaf[64..]].concat();
        prop_assert!(parse(signed(proof.with(1004, swapped))).is_err());
    }
}

/// Every bit of one proof.
#[test]
fn every_bit_flip_of_a_proof_fails() {
    let proof = prove(&read_invoice(&paid_invoice()), |number| number == 10, "note");
    for place in 0..proof.as_bytes().len() {
        for bit in 0..8 {
            let mut bytes = proof.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            assert!(parse(bytes).is_err(), "bit {bit} of byte {place}");
        }
    }
}

/// A proof that was cut off.
#[test]
fn any_prefix_of_a_proof_is_refused() {
    let proof = prove(&read_invoice(&paid_invoice()), |number| number != 0, "note");
    for length in 0..proof.as_bytes().len() {
        assert!(parse(proof.as_bytes()[..length].to_vec()).is_err(), "{length} bytes");
    }
}
