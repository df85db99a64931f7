//! Strings that running nodes exchanged (Core Lightning v26.06.6, LDK 0.2.7), with the verdict of both sides.

use std::collections::BTreeSet;

use bitcoin::constants::ChainHash;
use bitcoin::hashes::{Hash, sha256};
use bolt12::message::{InvoiceContext, OfferContext, PayeeAuthentication, VerifyError};
use bolt12::{AnyMessage, Dialect, Invoice, InvoiceRequest, Offer, PayerKeys};
use serde_json::Value;

use testkit::{hex, vectors};

/// A second at which the nodes talked.
const NOW: u64 = 1_795_572_000;

/// The strings that are in the file without a verdict and are refused here, by their beginning, and why: an invoice for
/// another amount than the request's, which Core Lightning was asked to make, and an offer of a recurrence that has
/// to be understood.
const REFUSED: &[(&str, &str)] = &[
    (
        "lni1qqg8getjd4ejqvpsxqcrqvpsxq",
        "invoice_amount (type 170) at byte 359: 50000 msat where 90000 msat are due",
    ),
    ("lno1qgsqvgnwgcg35z6ee2h3yczrad", "type 1000000024 at byte 78: unknown even type"),
];

fn gather(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if ["lno1", "lnr1", "lni1"].iter().any(|start| text.starts_with(start)) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(members) => members.values().for_each(|member| gather(member, found)),
        _ => {}
    }
}

#[test]
fn every_judged_string_has_the_verdict_of_the_file() {
    let file: Value = vectors("bolt12/cln_live.json");
    let mut verdicts = [0; 4];
    for case in file["decode"].as_array().unwrap() {
        let text = case["string"].as_str().unwrap();
        let parsed = AnyMessage::parse(text, Dialect::Any);
        let (ours, theirs) = (parsed.is_ok(), case["cln_valid"] == true);
        assert_eq!(ours, case["crate_valid"] == true, "{text}");
        assert_eq!(parsed, AnyMessage::parse(text, Dialect::Bolt12), "{text}");
        match parsed {
            Ok(message) => {
                // Of a text that it does not take apart, Core Lightning says nothing.
                let theirs = case["cln"]["type"].as_str();
                assert!(theirs.is_none_or(|theirs| theirs == message.type_name()), "{text}");
                assert_eq!(message.to_string(), text);
            }
            // The field and the byte; the rest of the sentence may change.
            Err(error) => {
                let place = |error: &str| error.split(": ").next().map(str::to_owned);
                assert_eq!(place(&error.to_string()), place(case["crate_error"].as_str().unwrap()), "{text}");
            }
        }
        verdicts[usize::from(ours) * 2 + usize::from(theirs)] += 1;
    }
    // Refused by both, by us alone, by Core Lightning alone, by none.
    assert_eq!(verdicts, [0, 20, 4, 31]);
}

#[test]
fn every_other_string_is_read() {
    let file: Value = vectors("bolt12/cln_live.json");
    let mut strings = BTreeSet::new();
    gather(&file, &mut strings);
    for case in file["decode"].as_array().unwrap() {
        strings.remove(case["string"].as_str().unwrap());
    }
    let mut refused = Vec::new();
    for text in &strings {
        match AnyMessage::parse(text, Dialect::Any) {
            Ok(message) => assert_eq!(message.to_string(), *text),
            Err(error) => refused.push((text.get(..30).unwrap().to_owned(), error.to_string())),
        }
    }
    let refused: Vec<_> = refused.iter().map(|(text, error)| (&text[..], &error[..])).collect();
    assert_eq!(refused, REFUSED);
    assert_eq!(strings.len(), 59);
}

/// Verifies an invoice by the payer's keys, or where those made no such request by the request that it repeats.
fn verify(invoice: &Invoice, context: &InvoiceContext) -> Result<PayeeAuthentication, String> {
    let keys = PayerKeys::new([9; 32]);
    let verified = match invoice.verify_own(&keys, context) {
        Err(VerifyError::NotOurs { .. }) => {
            let mut writer = bolt12::tlv::Writer::new();
            writer.copy(invoice.stream().records().filter(|record| record.number() < 160));
            let request = InvoiceRequest::try_from(writer.into_bytes()).unwrap();
            invoice.verify_for(&request, context).map(|verified| verified.authentication())
        }
        verified => verified.map(|verified| verified.authentication()),
    };
    verified.map_err(|error| error.to_string())
}

#[test]
fn the_payees_invoices_are_verified_at_their_time_and_paid_by_their_preimages() {
    let file: Value = vectors("bolt12/cln_live.json");
    let rows = file["payee_invoices"].as_array().unwrap();
    let context = InvoiceContext::new(NOW).on(ChainHash::REGTEST);
    let mut paid = 0;
    for row in rows {
        let Ok(invoice) = row["bolt12"].as_str().unwrap().parse::<Invoice>() else {
            // The one of `REFUSED`, which was never paid.
            assert_eq!((row["label"].as_str(), row["status"].as_str()), (Some("terms1"), Some("expired")));
            continue;
        };
        // Some of them expire after a second: each is verified at the time it was made.
        let made = InvoiceContext::new(invoice.invoice_created_at()).on(ChainHash::REGTEST);
        assert_eq!(verify(&invoice, &made), Ok(PayeeAuthentication::Unknown), "{row}");
        assert!((1_795_571_860..=1_795_572_900).contains(&invoice.invoice_created_at()), "{row}");
        let elsewhere = InvoiceContext::new(invoice.invoice_created_at());
        assert_eq!(
            verify(&invoice, &elsewhere).unwrap_err(),
            "invreq_chain (type 80): regtest, expected bitcoin"
        );
        if let Some(preimage) = row["payment_preimage"].as_str() {
            let preimage: [u8; 32] = hex(preimage).try_into().unwrap();
            assert!(invoice.is_paid_by(&preimage.into()));
            assert_eq!(
                sha256::Hash::hash(&preimage).to_byte_array(),
                invoice.invoice_payment_hash().to_byte_array()
            );
            paid += 1;
        }
    }
    assert_eq!((rows.len(), paid), (9, 7));
    let private: Invoice = file["private_payee_invoice"].as_str().unwrap().parse().unwrap();
    assert_eq!(verify(&private, &context), Ok(PayeeAuthentication::Unknown));
    // The request for this one was not captured; parsing has verified that the offer's issuer signed.
    let answer: Invoice = file["private_offer_invoice"].as_str().unwrap().parse().unwrap();
    assert_eq!(Some(answer.invoice_node_id()), answer.offer_issuer_id());
    assert!(!answer.is_expired(NOW) && answer.invreq_chain() == ChainHash::REGTEST);
}

#[test]
fn the_offers_can_be_paid_at_their_time_and_their_answers_are_verified() {
    let file: Value = vectors("bolt12/cln_live.json");
    let context = OfferContext::new(NOW).on(ChainHash::REGTEST);
    let mut refused = Vec::new();
    for row in file["offers"]["cln"].as_array().unwrap() {
        let offer = row["bolt12"].as_str().unwrap().parse::<Offer>().map_err(|error| error.to_string());
        match offer {
            Err(error) => refused.push(error),
            Ok(offer) => refused.extend(offer.check(&context).err().map(|error| error.to_string())),
        }
    }
    assert_eq!(
        refused,
        [
            "type 1000000024 at byte 78: unknown even type",
            "offer_absolute_expiry (type 14): expired at 1700000000 (now 1795572000)",
        ]
    );
    let mut answered = 0;
    for exchange in file["offers"]["our_requests"].as_array().unwrap() {
        let request: InvoiceRequest = exchange["invreq"].as_str().unwrap().parse().unwrap();
        let Some(text) = exchange["answer"]["invoice"].as_str() else { continue };
        let invoice: Invoice = text.parse().unwrap();
        let context = InvoiceContext::new(invoice.invoice_created_at()).on(ChainHash::REGTEST);
        assert_eq!(
            invoice.verify_for(&request, &context).unwrap().authentication(),
            PayeeAuthentication::Issuer
        );
        answered += 1;
    }
    assert_eq!(answered, 6);
}
