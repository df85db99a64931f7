//! Points that the documents leave open: each decision with a test that fails without it.

use bitcoin::Network;
use bolt12::draft;
use bolt12::field::{BlindedPathBuf, FallbackAddress, PayInfo};
use bolt12::merkle::{LnAll, LnNonce, root};
use bolt12::message::{InvoiceContext, OfferContext, PayeeAuthentication};
use bolt12::payout::{Ledger, MemoryStore, Terms};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::{Stream, Writer, tu64_bytes};
use bolt12::{Amount, AnyMessage, Invoice, InvoiceRequest, Msat, Offer};
use secp256k1::{Keypair, SECP256K1, SecretKey};

const NOW: u64 = 1_700_000_000;

fn key(byte: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap())
}

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

/// Records in the order of their types.
fn stream(records: &[(u64, &[u8])]) -> Vec<u8> {
    let mut records = records.to_vec();
    records.sort_by_key(|(number, _)| *number);
    let mut writer = Writer::new();
    records.iter().for_each(|(number, value)| writer.record(*number, value));
    writer.into_bytes()
}

/// A draft offer of 100 msat an item that pays out, with any further records.
fn draft_offer(more: &[(u64, &[u8])]) -> Result<draft::Offer, String> {
    let node_id = key(7).x_only_public_key().0.serialize();
    let records = [&[(8, &[100][..]), (10, b"x"), (30, &node_id[..]), (54, b"")][..], more].concat();
    draft::Offer::try_from(stream(&records)).map_err(|error| error.to_string())
}

/// A draft invoice for `offer` by the node `payee`, with any further records, which the signature covers.
fn draft_invoice(offer: &draft::Offer, payee: &Keypair, more: &[(u64, &[u8])]) -> Vec<u8> {
    let (node_id, id) = (payee.x_only_public_key().0.serialize(), offer.offer_id().to_byte_array());
    let created = tu64_bytes(NOW);
    let mut records =
        vec![(4, &id[..]), (10, b"x"), (30, &node_id), (40, &created), (42, &[9; 32]), (54, b"")];
    records.extend(more);
    let unsigned = stream(&records);
    let sighash = SignatureField::INVOICE.sighash(root::<LnAll>(Stream::new(&unsigned).unwrap()));
    let signature = payee.sign(&sighash).unwrap();
    records.push((240, signature.as_ref()));
    stream(&records)
}

/// A merged offer with any further records.
fn offer(more: &[(u64, &[u8])]) -> Result<Offer, String> {
    let issuer_id = key(9).public_key().serialize();
    Offer::try_from(stream(&[&[(22, &issuer_id[..])][..], more].concat())).map_err(|error| error.to_string())
}

/// An invoice for a request without an offer of 1000 msat, issued and signed by `payee`.
fn invoice_by(payee: &Keypair) -> (InvoiceRequest, Invoice) {
    let request = InvoiceRequest::without_offer("x", msat(1000)).sign(&key(5), &[1; 16]).unwrap();
    let point = key(6).public_key();
    let path = BlindedPathBuf {
        first_node: bolt12::field::FirstNode::NodeId(point),
        path_key: point,
        hops: vec![(point, vec![1])],
    };
    let info = PayInfo { htlc_maximum_msat: 1_000_000, ..PayInfo::default() };
    let invoice = request.respond([9; 32].into(), NOW).path(path.path(), info).sign(payee).unwrap();
    (request, invoice)
}

#[test]
fn an_invoice_issued_by_the_payers_own_node_is_left_to_the_node() {
    // The issuer of the offer, node 7, receives an invoice that it made itself.
    let offer = draft_offer(&[]).unwrap();
    let invoice = draft::Invoice::try_from(draft_invoice(&offer, &key(7), &[(8, &[100])])).unwrap();
    assert_eq!(Some(invoice.node_id()), offer.node_id());
    assert!(offer.check_invoice(&invoice, &draft::RedeemContext::new(NOW)).is_ok());
    let ledger = Ledger::new(MemoryStore::new());
    assert!(ledger.create(&Terms::draft(offer).unwrap(), NOW).unwrap().is_new());
    assert!(ledger.claim(&invoice, NOW).is_ok());
    // The same in merged BOLT 12: the payer's key, 5, signs the invoice.
    let (request, invoice) = invoice_by(&key(5));
    assert_eq!(invoice.invoice_node_id(), request.invreq_payer_id());
    let verified = invoice.verify_for(&request, &InvoiceContext::new(NOW)).unwrap();
    assert_eq!(verified.authentication(), PayeeAuthentication::Unknown);
}

#[test]
fn unknown_odd_records_in_draft_invoices_are_hashed_as_they_came() {
    let offer = draft_offer(&[]).unwrap();
    let bytes = draft_invoice(&offer, &key(9), &[(8, &[100]), (101, b"odd")]);
    let invoice = draft::Invoice::try_from(bytes.clone()).unwrap();
    assert_eq!(invoice.unknown_records().map(|record| record.number()).collect::<Vec<_>>(), [101]);
    assert!(offer.check_invoice(&invoice, &draft::RedeemContext::new(NOW)).is_ok());
    assert_eq!(invoice.as_bytes(), bytes);
    // With a signature over all but the unknown record, which is what Core Lightning verifies, it is refused.
    let without = draft::Invoice::try_from(draft_invoice(&offer, &key(9), &[(8, &[100])])).unwrap();
    let mut writer = Writer::new();
    writer.copy(invoice.stream().records().filter(|record| record.number() != 240));
    writer.record(240, without.signature().as_ref());
    assert!(
        draft::Invoice::try_from(writer.into_bytes())
            .unwrap_err()
            .to_string()
            .ends_with("not a valid signature by node_id (type 30)")
    );
}

#[test]
fn types_of_an_invoice_outside_its_ranges_are_refused() {
    let (_, invoice) = invoice_by(&key(9));
    for (number, expected) in [
        (1001, Some("type 1001 at byte 340: outside the types of an invoice")),
        (999_999_999, Some("type 999999999 at byte 340: outside the types of an invoice")),
        (4_000_000_001, Some("type 4000000001 at byte 340: outside the types of an invoice")),
        (239, None),
        (241, None),
        (1_000_000_001, None),
        (3_999_999_999, None),
    ] {
        let mut records: Vec<(u64, Vec<u8>)> =
            invoice.stream().records().map(|record| (record.number(), record.value().to_vec())).collect();
        records.retain(|(other, _)| *other != 240);
        records.push((number, b"x".to_vec()));
        let borrowed: Vec<(u64, &[u8])> =
            records.iter().map(|(number, value)| (*number, &value[..])).collect();
        let bytes = stream(&borrowed);
        let sighash = SignatureField::INVOICE.sighash(root::<LnNonce>(Stream::new(&bytes).unwrap()));
        let signature = key(9).sign(&sighash).unwrap();
        let signed = stream(&[&borrowed[..], &[(240, signature.as_ref())]].concat());
        let error = Invoice::try_from(signed).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), expected);
    }
}

#[test]
fn a_currency_is_three_ascii_capitals() {
    let with = |currency: &[u8]| offer(&[(6, currency), (8, &[5]), (10, b"x")]);
    for currency in ["USD", "XAU", "BTC", "ZZZ"] {
        assert_eq!(with(currency.as_bytes()).unwrap().offer_currency().unwrap().as_str(), currency);
    }
    for currency in ["usd", "US", "EURO", "U2D", "", "ÄÖ", "US "] {
        assert_eq!(
            with(currency.as_bytes()).unwrap_err(),
            "offer_currency (type 6) at byte 2: not a currency code of three upper-case letters",
            "{currency:?}"
        );
    }
}

#[test]
fn a_draft_payout_pays_amount_times_quantity_at_most_the_limit() {
    let offer = draft_offer(&[(22, &[2]), (24, &[5])]).unwrap();
    assert_eq!(offer.msat_amount(), Some(Amount::Msat(msat(100))));
    let invoice_for = |quantity: u8, amount: u64| {
        let amount = tu64_bytes(amount);
        let bytes = draft_invoice(&offer, &key(9), &[(8, &amount), (32, &[quantity])]);
        draft::Invoice::try_from(bytes).unwrap()
    };
    let context = |limit: Option<Msat>| {
        let context = draft::RedeemContext::new(NOW);
        limit.map_or(context, |limit| context.limit(limit))
    };
    let check = |invoice: &draft::Invoice, limit| {
        let checked = offer.check_invoice(invoice, &context(limit));
        checked.map(|checked| checked.amount().get()).map_err(|error| error.to_string())
    };
    for (quantity, amount, limit, expected) in [
        (3, 300, None, Ok(300)),
        (5, 500, None, Ok(500)),
        (3, 300, Some(msat(300)), Ok(300)),
        (3, 100, None, Err("amount: 100msat, expected 300msat")),
        (4, 400, Some(msat(399)), Err("amount: larger than the payer pays for this offer")),
        (6, 600, None, Err("quantity: 6, expected 2 to 5")),
    ] {
        assert_eq!(
            check(&invoice_for(quantity, amount), limit),
            expected.map_err(str::to_owned),
            "{quantity} {limit:?}"
        );
    }
    // The ledger pays the same.
    let ledger = Ledger::new(MemoryStore::new());
    let terms = Terms::draft(offer.clone()).unwrap().with_limit(msat(350));
    assert!(ledger.create(&terms, NOW).unwrap().is_new());
    let error = ledger.claim(&invoice_for(4, 400), NOW).unwrap_err();
    assert_eq!(
        error.payee_message(&invoice_for(4, 400)),
        "amount: larger than the payer pays for this offer"
    );
    assert!(ledger.claim(&invoice_for(3, 300), NOW).is_ok());
}

#[test]
fn no_draft_invoice_is_written_for_more_than_all_bitcoin() {
    let offer = draft_offer(&[(22, &[1])]).unwrap();
    let payee = key(9);
    let sign = |items| {
        let builder = offer.respond([9; 32].into(), payee.x_only_public_key().0).quantity(items);
        builder
            .created_at(NOW)
            .sign(&payee)
            .map(|invoice| invoice.amount())
            .map_err(|error| error.to_string())
    };
    let most = Msat::MAX.get();
    assert_eq!(sign(most / 100), Ok(Some(most)));
    let above = format!("amount (type 8): {} msat, expected at most 21000000 BTC", most + 100);
    assert_eq!(sign(most / 100 + 1), Err(above));
    let cut = format!("amount (type 8): {} msat, expected at most 21000000 BTC", u64::MAX);
    assert_eq!(sign(u64::MAX), Err(cut));
}

#[test]
fn a_fallback_of_version_1_with_other_than_32_bytes_is_skipped() {
    for (version, length, is_address) in [
        (1, 32, true),
        (1, 31, false),
        (1, 33, false),
        (1, 20, false),
        (1, 2, false),
        (2, 33, true),
        (0, 20, true),
    ] {
        let fallback = FallbackAddress { version, program: &[7; 40][..length] };
        assert_eq!(fallback.to_address(Network::Bitcoin).is_some(), is_address, "{version} {length}");
    }
}

#[test]
fn draft_offers_and_requests_know_the_feature_bits_of_the_nodes_that_wrote_them() {
    for bit in [8, 14, 16, 24, 38, 9, 15, 17, 25, 39, 11, 99] {
        let features = bolt12::field::Features::to_bytes(&[bit]);
        assert!(draft_offer(&[(12, &features)]).is_ok(), "{bit}");
        assert!(draft_request(&features).is_ok(), "{bit}");
    }
    for bit in [0, 10, 12, 18, 26, 36, 40, 102] {
        let features = bolt12::field::Features::to_bytes(&[bit]);
        let expected = format!("features (type 12) at byte 8: unknown even feature bit {bit}");
        assert_eq!(draft_offer(&[(12, &features)]).unwrap_err(), expected);
        let error = draft_request(&features).unwrap_err();
        assert_eq!(error, format!("features (type 12) at byte 2: unknown even feature bit {bit}"));
    }
}

/// A signed request of the draft with `features`.
fn draft_request(features: &[u8]) -> Result<draft::InvoiceRequest, String> {
    let payer_key = key(9).x_only_public_key().0.serialize();
    let records = [(12, features), (38, &payer_key)];
    let unsigned = stream(&records);
    let sighash = SignatureField::INVOICE_REQUEST.sighash(root::<LnAll>(Stream::new(&unsigned).unwrap()));
    let signature = key(9).sign(&sighash).unwrap();
    let signed = stream(&[&records[..], &[(240, signature.as_ref())]].concat());
    draft::InvoiceRequest::try_from(signed).map_err(|error| error.to_string())
}

/// Published; written by Core Lightning v0.10.1 to v0.12.1, which put the features of its node into requests.
#[test]
fn a_published_request_of_core_lightning_v0_10_is_read() {
    let text = "lnr1qsswvmtmawf77xcssjnnuh0xja0tcawzp5dpw77jlvpzkygzy6a0w9svqkqqqqjzqqjqqf3qtusq5qkk30wrjkx6ksj4z5z5esy2650r6f4uw48wnpd6mtulfkwryy8cz40kdz9ns78t6tvvww53ukzhgsq30uzq29u3m8slwfstkw6qf83s3qkyshlfxntc2qlvquhapq0f5x0lwcthg9dnrkzlpjxczgxfxdfyhelsc8s9hjdqtdgtt93a2hzlrp205hq";
    let request: draft::InvoiceRequest = text.parse().unwrap();
    assert_eq!(request.features().bits().collect::<Vec<_>>(), [9, 14, 17, 39]);
    assert_eq!(text.parse::<AnyMessage>().unwrap().type_name(), "draft invoice_request");
    // It is signed under the name that v0.10 gave the field.
    let named = SignatureField::new("invoice_request", "payer_signature").sighash(request.merkle_root());
    assert!(named.is_signed_by(&request.signature(), &request.payer_key()));
    assert!(
        !SignatureField::INVOICE_REQUEST
            .sighash(request.merkle_root())
            .is_signed_by(&request.signature(), &request.payer_key())
    );
}

#[test]
fn a_text_with_a_nul_is_read() {
    let offer = offer(&[(10, b"a\0b")]).unwrap();
    assert_eq!(offer.offer_description().unwrap().as_str(), "a\0b");
    assert!(offer.check(&OfferContext::new(NOW)).is_ok());
}
