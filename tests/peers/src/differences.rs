//! Random streams, right and wrong, before both readers: they agree, or a requirement says why not.

use bitcoin::constants::ChainHash;
use bolt12::sign::SignatureField;
use lightning::offers::invoice::Bolt12Invoice;
use lightning::offers::refund::Refund;
use lightning::offers::{invoice_request, offer};
use proptest::prelude::*;
use proptest::sample::select;

use testkit::records::*;

/// Values that a record of each type might have, the first one right.
fn values(number: u64) -> Vec<Vec<u8>> {
    let text = || vec![b"text".to_vec(), vec![], b"\xc3(".to_vec(), "\u{202e}".into()];
    let amount = || vec![vec![3, 0xe8], vec![], vec![0, 1], vec![0xff; 8], vec![1; 9], vec![3, 0xe9]];
    let features =
        || vec![vec![0x02], vec![], vec![0, 0], vec![0x80], vec![0x40], vec![1, 0, 0], vec![2, 0, 0]];
    let paths = || {
        vec![
            path(0x31, 1),
            path(0x46, 2),
            [path(0x31, 1), path(0x32, 3)].concat(),
            path(0x31, 0),
            vec![],
            vec![4; 60],
            [&[0, 0, 0, 1, 0, 0, 2, 0, 3][..], &path(0x31, 1)[33..]].concat(),
        ]
    };
    let key = |byte: u8| vec![point(byte).serialize().to_vec(), vec![2; 32], vec![4; 33], vec![2; 34]];
    match number {
        0 | 4 => vec![vec![7; 16], vec![]],
        2 => vec![ChainHash::BITCOIN.to_bytes().to_vec(), vec![], vec![9; 64], vec![9; 33]],
        6 => vec![b"USD".to_vec(), b"usd".to_vec(), b"US".to_vec(), vec![0xff; 3]],
        8 | 82 | 170 => amount(),
        10 | 18 | 89 => text(),
        12 | 84 | 174 => features(),
        14 | 164 | 166 => vec![vec![0x70, 0, 0, 0], vec![], vec![0, 1], vec![1; 5], vec![1; 9]],
        16 | 90 | 160 => paths(),
        20 | 86 => vec![vec![5], vec![], vec![1], vec![6], vec![0, 1], vec![0xff; 8]],
        22 | 176 => key(ISSUER),
        88 => key(PAYER),
        80 => {
            vec![ChainHash::BITCOIN.to_bytes().to_vec(), ChainHash::SIGNET.to_bytes().to_vec(), vec![1; 31]]
        }
        91 => vec![
            b"\x05alice\x0bexample.com".to_vec(),
            b"\x00\x01b".to_vec(),
            b"\x01 \x01b".to_vec(),
            b"\x01a\x02b".to_vec(),
            b"\x01a\x02b.".to_vec(),
            b"\x01a\x02_b".to_vec(),
        ],
        162 => vec![payinfo(&[]), payinfo(&[2]), payinfo(&[1]), payinfo(&[]).repeat(2), vec![], vec![0; 27]],
        168 => vec![vec![3; 32], vec![3; 31]],
        172 => vec![
            [&[0, 0, 20][..], &[1; 20]].concat(),
            [&[17, 0, 20][..], &[1; 20]].concat(),
            vec![0, 0, 20],
            vec![],
        ],
        _ => vec![vec![1], vec![]],
    }
}

/// A base of records, with up to three of them changed, taken out or put in.
fn streams(base: fn() -> Records, types: &'static [u64]) -> impl Strategy<Value = Records> {
    let change = select(types).prop_flat_map(|number| {
        let put = select(values(number)).prop_map(Some);
        (Just(number), prop_oneof![4 => put, 1 => Just(None)])
    });
    prop::collection::vec(change, 0..4).prop_map(move |changes| {
        changes.into_iter().fold(base(), |records, (number, value)| match value {
            Some(value) => records.with(number, value),
            None => records.without(number),
        })
    })
}

const OFFER: &[u64] = &[
    0,
    2,
    4,
    6,
    8,
    10,
    12,
    14,
    16,
    18,
    20,
    22,
    33,
    78,
    80,
    240,
    1001,
    1_000_000_001,
    1_000_000_002,
    2_000_000_001,
];
const REQUEST: &[u64] = &[
    0,
    2,
    4,
    6,
    8,
    10,
    12,
    14,
    16,
    18,
    20,
    22,
    33,
    78,
    80,
    82,
    84,
    86,
    88,
    89,
    90,
    91,
    93,
    94,
    160,
    161,
    1001,
    1_000_000_001,
    2_000_000_001,
    2_000_000_002,
    3_000_000_001,
];
const INVOICE: &[u64] = &[
    0,
    2,
    6,
    8,
    10,
    12,
    14,
    16,
    18,
    20,
    22,
    33,
    80,
    82,
    84,
    86,
    88,
    89,
    90,
    91,
    160,
    161,
    162,
    164,
    166,
    168,
    170,
    172,
    174,
    176,
    178,
    1001,
    1_000_000_001,
    2_000_000_001,
    3_000_000_001,
    3_000_000_002,
    4_000_000_001,
];

fn value(records: &Records, number: u64) -> Option<&[u8]> {
    records.0.iter().find(|(other, _)| *other == number).map(|(_, value)| &value[..])
}

fn has(records: &Records, number: u64) -> bool {
    value(records, number).is_some()
}

fn is_empty(records: &Records, number: u64) -> bool {
    value(records, number).is_some_and(<[u8]>::is_empty)
}

/// Why we accept a stream that LDK refuses.
fn why_we_accept(records: &Records) -> Option<&'static str> {
    let has_offer = has(records, 22) || has(records, 16);
    let in_request = has(records, 88);
    if in_request && has_offer && has(records, 90) {
        return Some("field 90 with an offer: the text does not forbid it (section 8, 4)");
    }
    if in_request && has_offer && is_empty(records, 86) && is_empty(records, 20) {
        return Some("R-Q-32: zero of an unlimited quantity is refused by writers alone");
    }
    if has(records, 170) && has(records, 8) && !has(records, 82) {
        return Some("R-I-33: without invreq_amount the caller confirms the amount");
    }
    if has(records, 91) {
        return Some(
            "R-Q-51: the characters of a name are ruled, not its labels; no rule keeps it from a request \
                     without an offer",
        );
    }
    if in_request && !has_offer {
        if !has(records, 10) {
            return Some("R-Q-7: the description is the writer's duty");
        }
        if has(records, 4) || has(records, 6) || has(records, 8) {
            return Some("R-Q-40 does not list them; R-Q-42: a price is display only");
        }
    }
    if value(records, 80).is_some_and(|chain| chain != ChainHash::BITCOIN.to_bytes())
        || value(records, 2).is_some_and(|chains| !chains.is_empty())
    {
        return Some("R-Q-2, R-Q-50: whether the chain is supported is for the caller's context");
    }
    if in_request && has(records, 6) {
        return Some(
            "R-Q-33: a price in a currency is converted by the caller; LDK 0.2 knows no currency there",
        );
    }
    None
}

/// Why we refuse a stream that LDK accepts.
pub(crate) fn why_we_refuse(error: &str) -> Option<&'static str> {
    let reasons = [
        ("unknown even feature bit", "R-O-21, R-Q-22, R-I-22"),
        ("offer_chains (type 2) at byte", "R-O-24"),
        ("an empty list", "an empty path list: the safe reading of 'one or more' (section 1.6)"),
        ("every path needs an unknown feature", "R-I-26"),
        ("is more than 21000000 BTC", "R-T-9"),
        ("zero, it must be positive", "R-O-26"),
        ("differs from offer_issuer_id", "R-I-28"),
        (
            "outside the types of an invoice",
            "section 1.3: invoices end with 3 999 999 999; LDK after 0.2 has it so too",
        ),
    ];
    reasons.into_iter().find(|(part, _)| error.contains(part)).map(|(_, reason)| reason)
}

/// Compares two verdicts.
fn judge<E: std::fmt::Debug>(
    records: &Records,
    ours: Result<Vec<u8>, String>,
    theirs: Result<(), E>,
) -> Result<(), TestCaseError> {
    let reason = match (&ours, &theirs) {
        (Ok(_), Ok(())) | (Err(_), Err(_)) => return Ok(()),
        (Ok(_), Err(_)) => why_we_accept(records),
        (Err(error), Ok(())) => why_we_refuse(error),
    };
    let verdict = ours.map(|_| ());
    prop_assert!(reason.is_some(), "{:?}: ours {:?}, LDK's {:?}", records, verdict, theirs);
    Ok(())
}

/// At least `least` cases, more where `PROPTEST_CASES` asks for them.
fn cases(least: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.max(least), failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn offers(records in streams(offer, OFFER)) {
        let bytes = records.bytes();
        let ours = bolt12::Offer::try_from(bytes.clone()).map(|offer| offer.as_bytes().to_vec());
        let theirs = offer::Offer::try_from(bytes).map(drop);
        judge(&records, ours.map_err(|error| error.to_string()), theirs)?;
    }

    #[test]
    fn requests(records in streams(request, REQUEST)) {
        let bytes = records.signed(SignatureField::INVOICE_REQUEST, &key(PAYER));
        let ours = bolt12::InvoiceRequest::try_from(bytes.clone()).map(|request| request.as_bytes().to_vec());
        let has_offer = has(&records, 22) || has(&records, 16);
        if has_offer {
            let theirs = invoice_request::InvoiceRequest::try_from(bytes).map(drop);
            judge(&records, ours.map_err(|error| error.to_string()), theirs)?;
        }
    }

    #[test]
    fn requests_without_an_offer(records in streams(refund, REQUEST)) {
        let bytes = records.bytes();
        let ours = bolt12::InvoiceRequest::try_from(bytes.clone()).map(|request| request.as_bytes().to_vec());
        let theirs = Refund::try_from(bytes).map(drop);
        judge(&records, ours.map_err(|error| error.to_string()), theirs)?;
    }

    #[test]
    fn invoices(records in streams(invoice, INVOICE)) {
        let bytes = records.signed(SignatureField::INVOICE, &key(ISSUER));
        let ours = bolt12::Invoice::try_from(bytes.clone()).map(|invoice| invoice.as_bytes().to_vec());
        judge(&records, ours.map_err(|error| error.to_string()), Bolt12Invoice::try_from(bytes).map(drop))?;
    }

    #[test]
    fn invoices_without_an_offer(records in streams(|| invoice_for(refund()), INVOICE)) {
        let bytes = records.signed(SignatureField::INVOICE, &key(ISSUER));
        let ours = bolt12::Invoice::try_from(bytes.clone()).map(|invoice| invoice.as_bytes().to_vec());
        judge(&records, ours.map_err(|error| error.to_string()), Bolt12Invoice::try_from(bytes).map(drop))?;
    }
}
