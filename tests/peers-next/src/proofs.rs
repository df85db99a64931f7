//! Payer proofs over random invoices and random choices of fields: LDK reads ours, we read LDK's, and both are the same
//! bytes.

use bolt12::sign::SignatureField;
use bolt12::{Invoice, PayerProof, Preimage};
use lightning::offers::invoice::Bolt12Invoice;
use lightning::offers::payer_proof::{PaidBolt12Invoice, PayerProof as LdkProof, UnsignedPayerProof};
use lightning::types::payment::PaymentPreimage;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use secp256k1::SECP256K1;
use testkit::records::{ISSUER, PAYER, Records, invoice, key, path, payinfo};

const PREIMAGE: [u8; 32] = [0x01; 32];

/// An invoice that both sides accept, with any optional fields and any unknown odd records.
fn invoices() -> impl Strategy<Value = Records> {
    let value = || vec(any::<u8>(), 0..50);
    let text = || proptest::option::of("[a-zA-Z0-9 ]{0,40}");
    let odd = prop_oneof![
        (12..40u64).prop_map(|half| 2 * half + 1),
        (46..80u64).prop_map(|half| 2 * half + 1),
        (89..120u64).prop_map(|half| 2 * half + 1),
        (500_000_000..500_000_010u64).prop_map(|half| 2 * half + 1),
        (1_000_000_000..1_000_000_010u64).prop_map(|half| 2 * half + 1),
        (1_500_000_000..1_500_000_010u64).prop_map(|half| 2 * half + 1),
    ];
    let unknown = btree_map(odd, value(), 0..12);
    (text(), text(), text(), unknown, value(), any::<[bool; 7]>()).prop_map(
        |(description, issuer, note, unknown, metadata, flags)| {
            let hash = Preimage::from_byte_array(PREIMAGE).payment_hash();
            let mut records = invoice().with(168, hash.as_byte_array()).with(0, metadata);
            for (number, value) in [(10, description), (18, issuer), (89, note)] {
                if let Some(value) = value {
                    records = records.with(number, value);
                }
            }
            let optional = [
                (14, vec![0x6b, 0x49, 0xd2, 0]),
                (16, path(0x32, 2)),
                (82, vec![3, 0xe8]),
                (174, vec![2, 0, 0]),
                (166, vec![2, 0x58]),
                (4, vec![9; 16]),
            ];
            for (flag, (number, value)) in flags.iter().zip(optional) {
                if *flag {
                    records = records.with(number, value);
                }
            }
            if flags[6] {
                let two = [path(0x31, 1), path(0x33, 3)].concat();
                records = records.with(160, two).with(162, [payinfo(&[]), payinfo(&[])].concat());
            }
            unknown.into_iter().fold(records, |records, (number, value)| records.with(number, value))
        },
    )
}

/// The types of an invoice that are chosen, of those that can be shown.
fn chosen(records: &Records, choice: &[bool]) -> Vec<u64> {
    let numbers = records.0.iter().map(|(number, _)| *number);
    numbers
        .zip(choice)
        .filter(|(number, is_chosen)| **is_chosen && *number != 0)
        .map(|(number, _)| number)
        .collect()
}

fn ours(bytes: &[u8], chosen: &[u64], note: &str) -> PayerProof {
    let invoice = Invoice::try_from(bytes.to_vec()).unwrap();
    let builder = invoice.prove_payment(Preimage::from_byte_array(PREIMAGE)).unwrap();
    let builder = builder.show_required().note(note);
    chosen.iter().fold(builder, |builder, number| builder.show_type(*number)).sign(&key(PAYER)).unwrap()
}

fn theirs(bytes: &[u8], chosen: &[u64], note: &str) -> LdkProof {
    let invoice = PaidBolt12Invoice::Bolt12Invoice(Bolt12Invoice::try_from(bytes.to_vec()).unwrap());
    let mut builder = invoice.prove_payer(PaymentPreimage(PREIMAGE)).unwrap();
    for number in chosen {
        builder = builder.include_type(*number).unwrap();
    }
    if !note.is_empty() {
        builder = builder.with_proof_note(note.to_owned());
    }
    let sign = |proof: &UnsignedPayerProof| {
        Ok::<_, ()>(SECP256K1.sign_schnorr_no_aux_rand(proof.as_ref().as_digest(), &key(PAYER)))
    };
    builder.build().unwrap().sign(sign).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_write_the_same_and_read_each_other(
        records in invoices(),
        choice in vec(any::<bool>(), 40),
        note in "[a-zA-Z ]{0,20}",
    ) {
        let bytes = records.signed(SignatureField::INVOICE, &key(ISSUER));
        let chosen = chosen(&records, &choice);
        let ours = ours(&bytes, &chosen, &note);
        let theirs = theirs(&bytes, &chosen, &note);
        prop_assert_eq!(ours.as_bytes(), theirs.bytes());

        let read = LdkProof::try_from(ours.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(read.payer_signing_pubkey(), ours.invreq_payer_id());
        prop_assert_eq!(read.issuer_signing_pubkey(), ours.invoice_node_id());
        prop_assert_eq!(read.payment_hash().0, ours.invoice_payment_hash().to_byte_array());
        prop_assert_eq!(read.payment_preimage().0, PREIMAGE);
        prop_assert_eq!(read.invoice_amount_msats(), ours.invoice_amount().map(u64::from));
        prop_assert_eq!(read.invoice_created_at().map(|time| time.as_secs()), ours.invoice_created_at());
        prop_assert_eq!(read.offer_description().map(|text| text.0), ours.offer_description().map(|text| text.as_str()));
        prop_assert_eq!(read.offer_issuer().map(|text| text.0), ours.offer_issuer().map(|text| text.as_str()));
        prop_assert_eq!(read.proof_note().map(|text| text.0), ours.proof_note().map(|text| text.as_str()));
        prop_assert_eq!(read.invoice_signature(), ours.signature());
        prop_assert_eq!(read.proof_signature(), ours.proof_signature());

        let text = theirs.to_string();
        prop_assert_eq!(text.parse::<PayerProof>(), Ok(ours.clone()));
        prop_assert_eq!(ours.to_string(), text);
    }

    /// A damaged proof: neither accepts it.
    #[test]
    fn neither_accepts_a_flipped_bit(
        records in invoices(),
        choice in vec(any::<bool>(), 40),
        place in any::<prop::sample::Index>(),
        bit in 0..8u8,
    ) {
        let bytes = records.signed(SignatureField::INVOICE, &key(ISSUER));
        let mut bytes = ours(&bytes, &chosen(&records, &choice), "note").as_bytes().to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        prop_assert!(PayerProof::try_from(bytes.clone()).is_err());
        prop_assert!(LdkProof::try_from(bytes).is_err());
    }
}
