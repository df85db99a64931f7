//! Invoices of the 2021 draft compared with the answers of Core Lightning.
//!
//! For each case of `draft/invoices.json`, the test creates a payout from the offer, brings it into the state of the
//! case, and claims the invoice at the second of the case. [`STRICTER`] lists the differences from v0.10.2, with the
//! reason. The invoices of `draft/decode.json` are compared with v0.11.2: see [`DECODED_OTHERWISE`].

use bitcoin::hex::{DisplayHex, FromHex};
use bolt12::Msat;
use bolt12::command::{SendInvoiceParams, sendinvoice};
use bolt12::draft::{Invoice, InvoiceRequest, Offer, RedeemContext};
use bolt12::merkle::{LnAll, root};
use bolt12::payout::store::PageSize;
use bolt12::payout::{HistoryEntry, Ledger, MemoryStore, PaymentHash, Payout, PayoutId, Preimage, Terms};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::{Stream, Writer};
use secp256k1::{Keypair, SECP256K1, SecretKey};
use serde_json::Value;

/// Every case that we refuse, with the exact sentence.
const REFUSED: &[(&str, &str)] = &[
    ("010", "the amount is not payable: expected a positive amount in msat"),
    ("023", "amount: 999999msat, expected 1000000msat"),
    ("024", "offer expired at 1643389427 (now 1643389427)"),
    ("025", "offer expired at 1635783307 (now 1635783308)"),
    ("026", "disabled: this payout accepts no invoice"),
    ("027", "unknown payout"),
    ("028", "the offer does not pay out: it has no send_invoice"),
    ("029", "signature (type 240) at byte 265: not a valid signature by node_id (type 30)"),
    ("030", "signature (type 240): missing"),
    ("031", "node_id (type 30): missing"),
    ("032", "unknown payout"),
    ("033", "description: another text: expected that of the offer"),
    ("034", "amount: 2999msat, expected 3000msat"),
    ("035", "amount: missing"),
    ("036", "quantity: 1: expected none"),
    ("037", "refund_for: present: expected none"),
    ("038", "refund_for: missing: expected 5f0a00b11e9986f5be9699830ab2dafec2f75346217bade16bb0129f07d8f1d0"),
    ("039", "refund_signature: missing"),
    ("040", "refund_signature: invalid: expected one by the payer of the refunded invoice"),
    ("041", "chain: testnet, expected regtest"),
    ("042", "chain: bitcoin, expected regtest"),
    ("044", "payment_hash: missing"),
    ("045", "created_at: missing"),
    ("047", "invoice expired at 1641961693 (now 1641961694)"),
    ("049", "invoice expired at 1635212964 (now 1635212965)"),
    ("050", "recurrence_counter: present: expected none"),
    ("052", "type 58 at byte 250: unknown even type"),
    ("053", "at byte 237: type 240 cut off after 59 bytes: expected 64"),
    ("054", "at byte 0: type 4 cut off after 0 bytes: expected 32"),
    ("055", "node_id (type 30): missing"),
];

/// The cases that v0.10.2 pays and we refuse, and why.
const STRICTER: &[(&str, &str)] = &[
    ("010", "the manual page wants a positive amount: an offer of zero is no promise"),
    ("039", "the manual page promises that a refund needs a refund_signature, no release looked at it"),
    ("040", "as 039: a refund_signature has to be one by the payer of the refunded invoice"),
];

#[test]
fn all_cases_are_answered_as_core_lightning_did_or_for_a_reason() {
    let cases = cases("invoices.json", include_str!("../vectors/draft/invoices.json"));
    assert_eq!(cases.len(), 57);
    let mut refused = Vec::new();
    let mut stricter = Vec::new();
    for case in &cases {
        let name = text(&case["id"]).trim_start_matches("draftinv-pub-");
        let paid_by_cln = case["expect"]["handle_invoice"] == "pay" && case["expect"]["pay_checks"] == "pass";
        assert_eq!(case["expect"]["would_attempt_payment"], paid_by_cln, "{name}");
        match present(case) {
            Ok(()) => assert!(paid_by_cln, "{name} is paid by us alone"),
            Err(message) => {
                refused.push((name, message));
                stricter.extend(paid_by_cln.then_some(name));
            }
        }
    }
    let refused: Vec<_> = refused.iter().map(|(name, message)| (*name, message.as_str())).collect();
    assert_eq!(refused, REFUSED);
    assert_eq!(stricter, STRICTER.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

/// Plays a case and returns what is paid, or why not. A refusal leaves the ledger as it was.
fn present(case: &Value) -> Result<(), String> {
    let offer: Offer = parsed(&case["offer"]["bolt12"]);
    let ledger = Ledger::new(MemoryStore::new());
    let mut terms = Terms::draft(offer.clone()).map_err(|error| error.to_string())?;
    if let Some(key) = case["refund"]["payer_key"].as_str() {
        terms = terms.with_refund_key(key.parse().unwrap());
    }
    let state = &case["offer_state_before"];
    if state["known"] == true {
        assert!(ledger.create(&terms, 1).unwrap().is_new());
        if state["active"] == false {
            ledger.disable(terms.id(), 2).unwrap();
        }
    }
    let before = everything(&ledger, terms.id());
    let claimed = claim(&ledger, case);
    if let Ok(hash) = claimed {
        let payout = ledger.get(terms.id()).unwrap().unwrap();
        assert_eq!(payout.state().pending(), Some(hash));
        assert_eq!(ledger.by_payment_hash(hash).unwrap(), Some(payout));
    } else {
        assert_eq!(everything(&ledger, terms.id()), before, "a refusal changes nothing");
    }
    claimed.map(|_| ())
}

fn claim(ledger: &Ledger<MemoryStore>, case: &Value) -> Result<PaymentHash, String> {
    let received: Result<Invoice, _> = text(&case["invoice"]["bolt12"]).parse();
    let invoice = received.map_err(|error| error.to_string())?;
    assert_eq!(invoice.to_string(), text(&case["invoice"]["bolt12"]));
    assert_eq!(invoice.as_bytes().to_lower_hex_string(), text(&case["invoice"]["tlv"]));
    if let Some(root) = case["invoice"]["merkle_root"].as_str() {
        assert_eq!(invoice.merkle_root().to_string(), root);
        assert_eq!(
            invoice.sighash().to_byte_array().to_lower_hex_string(),
            text(&case["invoice"]["sighash"])
        );
    }
    let claim = ledger.claim(&invoice, number(&case["received_now"])).map_err(|error| error.to_string())?;
    assert_eq!(Some(claim.amount().get()), invoice.amount());
    assert_eq!(Some(claim.payment_hash()), invoice.payment_hash());
    assert_eq!(claim.invoice(), invoice.as_bytes());
    Ok(claim.payment_hash())
}

/// All that a ledger of one payout can show.
fn everything(
    ledger: &Ledger<MemoryStore>,
    id: PayoutId,
) -> (Option<Payout>, Vec<HistoryEntry>, Vec<Payout>) {
    let in_flight = ledger.in_flight(None, PageSize::MAX).unwrap().payouts;
    let in_flight = in_flight.into_iter().map(Result::unwrap).collect();
    (ledger.get(id).unwrap(), ledger.history(id, 0, PageSize::MAX).unwrap(), in_flight)
}

#[test]
fn the_check_alone_refuses_an_offer_that_does_not_pay_out_or_pays_nothing() {
    // No ledger promises these (above), but the check must not rely on that.
    let cases = cases("invoices.json", include_str!("../vectors/draft/invoices.json"));
    for (name, message) in [
        ("010", "amount: 0msat, expected 0msat"),
        ("028", "the offer pays no invoice: expected an offer with send_invoice"),
    ] {
        let case = cases.iter().find(|case| text(&case["id"]).ends_with(name)).unwrap();
        let offer: Offer = parsed(&case["offer"]["bolt12"]);
        let invoice: Invoice = parsed(&case["invoice"]["bolt12"]);
        let context = RedeemContext::new(number(&case["received_now"]));
        assert_eq!(offer.check_invoice(&invoice, &context).unwrap_err().to_string(), message);
    }
}

/// v0.10.2 wrote the obsolete chains (2) next to chain (3), which we read and never write. Its signatures were made
/// without auxiliary randomness, ours with 32 zero bytes; both verify, as parsing shows.
const WRITTEN_OTHERWISE: [u64; 3] = [2, 52, 240];

#[test]
fn the_payee_answers_with_the_same_records() {
    let (mut answered, mut same_root) = (0, 0);
    for case in cases("invoices.json", include_str!("../vectors/draft/invoices.json")) {
        let offer: Offer = parsed(&case["offer"]["bolt12"]);
        let key = keypair(&case["invoice_node"]["secret_key"]);
        let payer =
            case["refund"]["payer_secret_key"].as_str().map(|_| keypair(&case["refund"]["payer_secret_key"]));
        let hash = preimage(&case["preimage"]).payment_hash();
        let features = Vec::from_hex("8000024200").unwrap();
        let params = SendInvoiceParams {
            amount: case["sendinvoice_params"]["msatoshi"].as_str().map(msat),
            timeout: case["sendinvoice_params"]["timeout"].as_u64().unwrap_or(90).try_into().unwrap(),
            features: Some(&features),
            ..SendInvoiceParams::new("recv", hash)
        };
        let now = number(&case["created_now"]);
        let mut builder = offer
            .respond(hash, key.x_only_public_key().0)
            .features(&features)
            .created_at(now)
            .relative_expiry(params.timeout);
        if let Some(amount) = params.amount {
            builder = builder.amount(amount);
        }
        let ours = match &payer {
            Some(payer) => builder.sign_refund(&key, payer),
            None => builder.sign(&key),
        };
        let Some(theirs) = case["sendinvoice_invoice"].as_str() else {
            assert_eq!(
                text(&case["sendinvoice_error"]["message"]),
                "Offer wants an invoice_request, not invoice"
            );
            assert_eq!(ours.unwrap_err().to_string(), "send_invoice (type 54): missing");
            continue;
        };
        if text(&case["id"]).ends_with("-010") {
            // An offer of zero, which we do not redeem (STRICTER): no invoice is written for it either.
            let zero = "amount (type 8): zero: expected a positive number";
            assert_eq!(ours.unwrap_err().to_string(), zero);
            let refused = sendinvoice(&offer, &key, None, &params, now).unwrap_err();
            assert_eq!(refused.to_string(), zero);
            continue;
        }
        let (ours, theirs) = (ours.unwrap(), theirs.parse::<Invoice>().unwrap());
        assert_eq!(comparable(&ours), comparable(&theirs), "{}", case["id"]);
        if payer.is_none() && theirs.stream().find(2).is_none() {
            assert_eq!(ours.merkle_root(), theirs.merkle_root());
            assert_eq!(ours.sighash(), theirs.sighash());
            same_root += 1;
        }
        let refund_payer = payer.as_ref().map(|payer| -> &dyn Signer { payer });
        let sent = sendinvoice(&offer, &key, refund_payer, &params, now).unwrap();
        assert_eq!(sent.bolt12, ours.to_string());
        assert_eq!(Some(sent.amount_msat), theirs.amount());
        assert_eq!(Some(sent.expires_at), theirs.expires_at());
        answered += 1;
    }
    assert_eq!((answered, same_root), (55, 13));
}

fn comparable(invoice: &Invoice) -> Vec<(u64, Vec<u8>)> {
    let records = invoice.stream().records().map(|record| (record.number(), record.value().to_vec()));
    let mut records: Vec<_> = records.collect();
    if let Some((_, chains)) = records.iter().find(|(number, _)| *number == 2) {
        assert_eq!(records.iter().find(|(number, _)| *number == 3).map(|(_, chain)| chain), Some(chains));
    }
    records.retain(|(number, _)| !WRITTEN_OTHERWISE.contains(number));
    records
}

#[test]
fn refunds_are_signed_by_the_payer_of_the_refunded_invoice() {
    let mut refunds = 0;
    for case in cases("invoices.json", include_str!("../vectors/draft/invoices.json")) {
        let refund = &case["refund"];
        if refund["refund_signature"].is_null() {
            continue;
        }
        let invoice: Invoice = parsed(&case["invoice"]["bolt12"]);
        let sighash = invoice.refund_sighash();
        assert_eq!(sighash.merkle_root().to_string(), text(&refund["refund_signature_merkle_root"]));
        assert_eq!(sighash.to_byte_array().to_lower_hex_string(), text(&refund["refund_signature_sighash"]));
        let signature = invoice.refund_signature().unwrap();
        assert_eq!(signature.to_string(), text(&refund["refund_signature"]));

        let original: Invoice = parsed(&refund["original_invoice"]);
        assert_eq!(original.payment_hash(), invoice.refund_for());
        let payer_key = original.payer_key().unwrap();
        assert_eq!(payer_key.to_string(), text(&refund["payer_key"]));
        assert!(sighash.is_signed_by(&signature, &payer_key));
        // In the refund itself, payer_key is the key of the new payer, so its signature shows nothing.
        assert!(!sighash.is_signed_by(&signature, &invoice.payer_key().unwrap()));
        refunds += 1;
    }
    assert_eq!(refunds, 5);
}

/// The cases in which our answer differs from that of v0.11.2: our answer, and the reason.
const DECODED_OTHERWISE: &[(&str, bool, &str)] = &[
    ("056", false, "a character of nothing but padding: one message has one text"),
    ("062", false, "padding that is not zero: one message has one text"),
    ("125", true, "the obsolete chains (2) of v0.10 is read, never written"),
    ("126", true, "as 125, with chain (3), as v0.10.2 sends it"),
];

/// The sentence for each invoice of `decode.json` that we refuse.
const NOT_DECODED: &[(&str, &str)] = &[
    ("034", "'q' at byte 4: expected the case of the letters before it"),
    ("035", "'Y' at byte 227: expected the case of the letters before it"),
    ("036", "prefix lno (offer): expected lni (invoice)"),
    ("037", "prefix lnr (invoice request): expected lni (invoice)"),
    ("038", "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1"),
    ("039", "node_id (type 30): missing"),
    ("040", "unexpected 'b' at byte 30: expected a character of the bech32 alphabet"),
    ("041", "unexpected 'i' at byte 33: expected a character of the bech32 alphabet"),
    ("042", "unexpected '1' at byte 37: expected a character of the bech32 alphabet"),
    ("043", "unexpected 'é' at byte 40: expected a character of the bech32 alphabet"),
    ("044", "white space at byte 40: expected a '+' before it"),
    ("045", "white space at byte 40: expected a '+' before it"),
    ("046", "white space at byte 0: expected a '+' before it"),
    ("049", "white space at byte 40: expected a '+' before it"),
    ("050", "'+' at byte 0: expected a character on each side"),
    ("051", "'+' at byte 425: expected a character on each side"),
    ("052", "'+' at byte 425: expected a character on each side"),
    ("055", "4 bits of padding at the end: expected zeros"),
    ("056", "6 bits of padding at the end: expected at most 4"),
    ("057", "at byte 263: type 0 after type 240: expected ascending types"),
    ("058", "at byte 263: type 0 after type 240: expected ascending types"),
    ("059", "7 bits of padding at the end: expected at most 4"),
    ("060", "unknown prefix \"lightning:lni\": expected lni"),
    ("062", "2 bits of padding at the end: expected zeros"),
    ("113", "signature (type 240): missing"),
    ("114", "node_id (type 30): missing"),
    ("115", "node_id (type 30): missing"),
    ("116", "signature (type 240) at byte 187: not a valid signature by node_id (type 30)"),
    ("117", "signature (type 240) at byte 173: not a valid signature by node_id (type 30)"),
    ("118", "signature (type 240) at byte 176: not a valid signature by node_id (type 30)"),
    ("120", "description (type 10) at byte 42: not UTF-8"),
    ("121", "payment_hash (type 42) at byte 143: cut off after 31 bytes: expected 32"),
    (
        "122",
        "created_at (type 40) at byte 127: an integer with a leading zero byte: expected its shortest form",
    ),
    ("123", "relative_expiry (type 44) at byte 176: an integer of 5 bytes: expected at most 4"),
    ("124", "chain (type 3) at byte 2: cut off after 31 bytes: expected 32"),
    ("128", "send_invoice (type 54) at byte 179: 1 byte too many"),
    ("129", "refund_signature (type 52) at byte 176: cut off after 63 bytes: expected 64"),
    ("130", "payer_key (type 38) at byte 119: not a point on secp256k1"),
    ("131", "features (type 12) at byte 79: unknown even feature bit 102"),
    ("132", "signature (type 240) at byte 67: not a valid signature by node_id (type 30)"),
];

#[test]
fn invoices_are_decoded_as_v0_11_2_did_or_for_a_reason() {
    let cases = cases("decode.json", include_str!("../vectors/draft/decode.json"));
    assert_eq!(cases.len(), 133);
    let (mut decoded, mut refused, mut otherwise) = (0, Vec::new(), Vec::new());
    for case in cases.iter().filter(|case| case["kind"] == "invoice") {
        let name = text(&case["id"]).trim_start_matches("decode-pub-");
        let invoice = text(&case["string"]).parse::<Invoice>();
        if case["cln_v0_11_2"]["accept"] != invoice.is_ok() {
            otherwise.push((name, invoice.is_ok()));
        }
        match invoice {
            Ok(invoice) => {
                decoded += 1;
                let theirs = &case["cln_v0_10_2"]["merkle_root"];
                assert_eq!(invoice.merkle_root().to_string(), text(theirs), "{name}");
                // All those that decode are one invoice's own bytes: text and bytes lead to each other.
                assert_eq!(invoice.to_string().parse(), Ok(invoice.clone()));
                assert_eq!(Invoice::try_from(invoice.as_bytes().to_vec()), Ok(invoice));
            }
            Err(error) => refused.push((name, error.to_string())),
        }
    }
    let refused: Vec<_> = refused.iter().map(|(name, message)| (*name, message.as_str())).collect();
    assert_eq!(refused, NOT_DECODED);
    assert_eq!(otherwise, DECODED_OTHERWISE.iter().map(|(name, ours, _)| (*name, *ours)).collect::<Vec<_>>());
    assert_eq!((decoded, refused.len()), (11, 40));
}

#[test]
fn an_invoice_request_is_signed_under_either_historic_name() {
    let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[5; 32]).unwrap());
    let other = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[6; 32]).unwrap());
    let request = |name: &'static str, signer: &Keypair| {
        let mut writer = Writer::new();
        writer.record(4, &[9; 32]);
        writer.tu64(8, 1_500);
        writer.tu64(32, 2);
        writer.record(38, &key.x_only_public_key().0.serialize());
        writer.record(39, "thanks".as_bytes());
        writer.record(50, &[1, 2, 3]);
        let root = root::<LnAll>(writer.stream());
        let sighash = SignatureField::new("invoice_request", name).sighash(root);
        let signature = signer.sign(&sighash).unwrap();
        writer.record(240, signature.as_ref());
        InvoiceRequest::try_from(writer.into_bytes())
    };
    for name in ["signature", "payer_signature"] {
        let read = request(name, &key).unwrap();
        assert_eq!(read.offer_id().unwrap().to_byte_array(), [9; 32]);
        assert_eq!((read.amount(), read.quantity()), (Some(1_500), Some(2)));
        assert_eq!(read.payer_note().unwrap(), "thanks");
        assert_eq!(read.payer_info(), Some(&[1, 2, 3][..]));
        assert_eq!(read.to_string().parse(), Ok(read.clone()));
        assert!(read.to_string().starts_with("lnr1"));
        assert!(request(name, &other).is_err());
    }
    assert_eq!(
        request("signed", &key).unwrap_err().to_string(),
        "signature (type 240) at byte 90: not a valid signature by payer_key (type 38)",
    );
}

#[test]
fn an_invoice_cut_anywhere_is_refused() {
    let case = &cases("invoices.json", include_str!("../vectors/draft/invoices.json"))[16];
    let bytes = Vec::from_hex(text(&case["invoice"]["tlv"])).unwrap();
    assert!(Invoice::try_from(bytes.clone()).is_ok());
    for length in 0..bytes.len() {
        assert!(Invoice::try_from(bytes[..length].to_vec()).is_err(), "cut to {length} bytes");
    }
    // Every record takes part in the signature, so no bit can be turned either.
    for at in 0..bytes.len() {
        let mut turned = bytes.clone();
        turned[at] ^= 1;
        assert!(Invoice::try_from(turned).is_err(), "bit turned in byte {at}");
    }
    assert!(Stream::new(&bytes).is_ok());
}

fn cases(name: &str, json: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(json).unwrap();
    let cases = file["cases"].as_array().unwrap().clone();
    assert_eq!(file["count"], cases.len(), "{name} is read whole");
    cases
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn parsed<T: std::str::FromStr<Err = bolt12::ParseError>>(value: &Value) -> T {
    text(value).parse().unwrap()
}

fn keypair(secret_key: &Value) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &text(secret_key).parse().unwrap())
}

fn preimage(value: &Value) -> Preimage {
    Preimage::from_byte_array(<[u8; 32]>::from_hex(text(value)).unwrap())
}

fn msat(text: &str) -> Msat {
    Msat::new(text.trim_end_matches("msat").parse().unwrap()).unwrap()
}
