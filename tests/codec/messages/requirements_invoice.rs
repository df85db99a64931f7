//! R-I: invoices, read. What writers must not write is in `tests/writer_rules`.

use bitcoin::Network;
use bitcoin::constants::ChainHash;
use bolt12::field::{BlindedPathBuf, PayInfo};
use bolt12::message::{Arrival, InvoiceBuilder, InvoiceContext, MultiPart, PayeeAuthentication};
use bolt12::{Invoice, InvoiceRequest, Msat, PayerKeys};

use testkit::records::*;

const CREATED: u64 = 1_700_000_000;

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn a_path() -> BlindedPathBuf {
    BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap()
}

fn respond<'a>(request: &'a InvoiceRequest, path: &'a BlindedPathBuf) -> InvoiceBuilder<'a> {
    request.respond([0x33; 32].into(), CREATED).path(path.path(), PayInfo::default())
}

fn signed(builder: &InvoiceBuilder<'_>) -> Result<Invoice, String> {
    builder.sign(&key(ISSUER)).map_err(|error| error.to_string())
}

/// What verifying says of an invoice for a request, both as records.
fn verified(
    invoice: &Records,
    asked: &Records,
    context: InvoiceContext,
) -> Result<PayeeAuthentication, String> {
    let request = parse_request(asked).unwrap();
    let invoice = parse_invoice(invoice).unwrap();
    let verified = invoice.verify_for(&request, &context).map_err(|error| error.to_string())?;
    assert_eq!(*verified, invoice);
    Ok(verified.authentication())
}

fn now() -> InvoiceContext {
    InvoiceContext::new(CREATED)
}

#[test]
fn r_i_7_and_r_i_32_parts_are_forbidden_allowed_or_required() {
    let (request, path) = (parse_request(&request()).unwrap(), a_path());
    for (multi_part, features) in [
        (MultiPart::Forbidden, None),
        (MultiPart::Allowed, Some(&[2, 0, 0][..])),
        (MultiPart::Required, Some(&[1, 0, 0])),
    ] {
        let invoice = signed(&respond(&request, &path).multi_part(multi_part)).unwrap();
        assert_eq!(invoice.stream().find(174).map(|record| record.value()), features);
        assert_eq!(invoice.to_string().parse::<Invoice>().unwrap().multi_part(), multi_part);
    }
    let two =
        invoice().with(160, [testkit::records::path(0x32, 1), testkit::records::path(0x31, 1)].concat());
    let two = parse_invoice(&two.with(162, [payinfo(&[]), payinfo(&[])].concat())).unwrap();
    let ends: Vec<_> = two.usable_paths().map(|(path, _)| path.last_node_id().unwrap()).collect();
    assert_eq!(ends, [point(0x32), point(0x31)], "the preferred path comes first");
}

#[test]
fn r_i_20_what_has_to_be_there_is() {
    for (number, name) in [
        (164, "invoice_created_at (type 164)"),
        (168, "invoice_payment_hash (type 168)"),
        (170, "invoice_amount (type 170)"),
        (176, "invoice_node_id (type 176)"),
    ] {
        assert_eq!(parse_invoice(&invoice().without(number)).unwrap_err(), format!("{name}: missing"));
    }
    let unsigned = Invoice::try_from(invoice().bytes()).unwrap_err();
    assert_eq!(unsigned.to_string(), "signature (type 240): missing");
    // What it repeats has to be a request (R-Q-20).
    assert_eq!(parse_invoice(&invoice().without(0)).unwrap_err(), "invreq_metadata (type 0): missing");
    assert_eq!(parse_invoice(&invoice().without(88)).unwrap_err(), "invreq_payer_id (type 88): missing");
}

#[test]
fn an_invoice_keeps_the_ranges_of_types() {
    for number in [1001, 999_999_999, 4_000_000_001] {
        let error = parse_invoice(&invoice().with(number, b"x")).unwrap_err();
        assert!(error.ends_with("outside the types of an invoice"), "{error}");
    }
    assert!(parse_invoice(&invoice().with(161, []).with(239, b"x").with(3_999_999_999, b"x")).is_ok());
    assert!(parse_invoice(&invoice().with(178, [])).unwrap_err().ends_with("unknown even type"));
}

#[test]
fn r_i_21_the_chain_is_ours() {
    let signet = ChainHash::SIGNET.to_bytes();
    let asked = request().with(80, signet);
    let error = verified(&invoice_for(asked.clone()), &asked, now()).unwrap_err();
    assert_eq!(error, "invreq_chain (type 80): signet, expected bitcoin");
    assert_eq!(
        verified(&invoice_for(asked.clone()), &asked, now().on(ChainHash::SIGNET)),
        Ok(PayeeAuthentication::Issuer)
    );
}

#[test]
fn r_i_22_and_i12_unknown_even_features_are_refused_by_number() {
    let error = parse_invoice(&invoice().with(174, [1, 0])).unwrap_err();
    assert!(error.contains("invoice_features (type 174)") && error.ends_with("unknown even feature bit 8"));
    assert!(parse_invoice(&invoice().with(174, [3, 2, 0])).is_ok());
}

#[test]
fn r_i_23_and_s24_expired_after_its_last_second() {
    let at = |seconds| verified(&invoice(), &request(), InvoiceContext::new(seconds));
    assert!(at(CREATED + 7200).is_ok());
    assert_eq!(
        at(CREATED + 7201).unwrap_err(),
        "invoice_created_at (type 164): expired at 1700007200 (now 1700007201)"
    );
    let forever = parse_invoice(&invoice().int(164, u64::MAX).int(166, u32::MAX.into())).unwrap();
    assert_eq!(forever.expires_at(), u64::MAX);
    assert!(!forever.is_expired(u64::MAX));
    let none = parse_invoice(&invoice().int(166, 0)).unwrap();
    assert!(!none.is_expired(CREATED) && none.is_expired(CREATED + 1));
}

#[test]
fn r_i_24_paths_are_there_with_hops() {
    assert_eq!(parse_invoice(&invoice().without(160)).unwrap_err(), "invoice_paths (type 160): missing");
    let error = parse_invoice(&invoice().with(160, [])).unwrap_err();
    assert!(error.starts_with("invoice_paths (type 160)") && error.ends_with("an empty list"), "{error}");
    let error = parse_invoice(&invoice().with(160, path(0x31, 0))).unwrap_err();
    assert!(error.ends_with("a blinded path with zero hops"), "{error}");
}

#[test]
fn r_i_25_every_path_has_its_costs() {
    assert_eq!(parse_invoice(&invoice().without(162)).unwrap_err(), "invoice_blindedpay (type 162): missing");
    for count in [0, 2] {
        let error = parse_invoice(&invoice().with(162, payinfo(&[]).repeat(count))).unwrap_err();
        let expected = format!("{count} items, expected 1 as in invoice_paths (type 160)");
        assert!(error.ends_with(&expected), "{error}");
    }
    let error = parse_invoice(&invoice().with(162, [payinfo(&[]), vec![0]].concat())).unwrap_err();
    assert!(error.ends_with("cut off: 4 bytes are needed, 1 are left"), "{error}");
}

#[test]
fn r_i_26_paths_that_need_unknown_features_are_not_used() {
    let paths = [path(0x31, 1), path(0x32, 1)].concat();
    let infos = |first: &[u8], second: &[u8]| [payinfo(first), payinfo(second)].concat();
    let one = invoice().with(160, &paths).with(162, infos(&[0x10], &[0x20]));
    let usable: Vec<_> = parse_invoice(&one)
        .unwrap()
        .usable_paths()
        .map(|(path, info)| (path.last_node_id().unwrap(), info.features.to_string()))
        .collect();
    assert_eq!(usable, [(point(0x32), "5".to_owned())]);
    let none = invoice().with(160, &paths).with(162, infos(&[0x10], &[0x40]));
    let error = parse_invoice(&none).unwrap_err();
    assert!(error.ends_with("every path needs an unknown feature, the first bit 4"), "{error}");
}

#[test]
fn r_i_27_the_request_is_repeated_unchanged() {
    assert_eq!(verified(&invoice(), &request(), now()), Ok(PayeeAuthentication::Issuer));
    for (changed, field) in [
        (invoice_for(request().int(82, 1000)), "invreq_amount (type 82)"),
        (invoice_for(request().with(0, [1; 16])), "invreq_metadata (type 0)"),
        (invoice_for(request().with(89, b"hi")), "invreq_payer_note (type 89)"),
        (invoice_for(request().with(2_000_000_001, b"x")), "type 2000000001"),
        (invoice_for(request().with(10, b"tea")), "offer_description (type 10)"),
    ] {
        let error = verified(&changed, &request(), now()).unwrap_err();
        assert_eq!(error, format!("{field}: differs from the invoice request: expected the same record"));
    }
    let more = request().with(2_000_000_001, b"x");
    let error = verified(&invoice(), &more, now()).unwrap_err();
    assert_eq!(error, "type 2000000001: differs from the invoice request: expected the same record");
    // The invoice's own records are its own.
    let own = invoice().with(161, []).with(3_000_000_001, b"x");
    assert_eq!(verified(&own, &request(), now()), Ok(PayeeAuthentication::Issuer));
}

#[test]
fn r_i_28_the_issuer_signs() {
    let other = invoice().with(176, point(0x66).serialize());
    let error = parse_invoice_by(&other, &key(0x66)).unwrap_err();
    assert!(error.starts_with("invoice_node_id (type 176)"), "{error}");
    assert!(error.ends_with("differs from offer_issuer_id (type 22)"), "{error}");
}

#[test]
fn r_i_29_and_i7_with_paths_alone_the_end_of_the_used_one_signs() {
    let asked = request().without(22).with(16, [path(0x31, 2), path(0x32, 1)].concat());
    let by = |end: u8| {
        let records = invoice_for(asked.clone()).with(176, point(end).serialize());
        parse_invoice_by(&records, &key(end)).unwrap()
    };
    let request = parse_request(&asked).unwrap();
    let sent = now().sent_over_path_to(point(0x32));
    assert_eq!(by(0x32).verify_for(&request, &sent).unwrap().authentication(), PayeeAuthentication::PathEnd);
    assert_eq!(
        by(0x31).verify_for(&request, &sent).unwrap_err().to_string(),
        format!(
            "invoice_node_id (type 176): {}: expected the end of the path over which the request was sent",
            point(0x31)
        )
    );
    assert_eq!(by(0x31).verify_for(&request, &now()).unwrap().authentication(), PayeeAuthentication::PathEnd);
    let stranger = invoice_for(asked.clone()).with(176, point(0x45).serialize());
    let error = parse_invoice_by(&stranger, &key(0x45)).unwrap_err();
    assert!(error.ends_with("not the last blinded node id of a path in offer_paths (type 16)"), "{error}");
}

#[test]
fn r_i_30_without_an_offer_the_payee_is_known_from_elsewhere() {
    let request = parse_unsigned(&refund()).unwrap();
    let invoice = parse_invoice(&invoice_for(refund())).unwrap();
    assert_eq!(invoice.verify_for(&request, &now()).unwrap().authentication(), PayeeAuthentication::Unknown);
    let known = now().from_node(point(ISSUER));
    assert_eq!(
        invoice.verify_for(&request, &known).unwrap().authentication(),
        PayeeAuthentication::Confirmed
    );
    assert_eq!(
        invoice.verify_for(&request, &now().from_node(point(1))).unwrap_err().to_string(),
        format!("invoice_node_id (type 176): {}: expected the node that the payer named", point(ISSUER))
    );
    // Signed or not, it is the same request.
    let signed = request.sign(&key(PAYER)).unwrap();
    assert!(invoice.verify_for(&signed, &now()).is_ok());
}

#[test]
fn r_i_31_the_signature_is_the_node_ids() {
    let error = parse_invoice_by(&invoice(), &key(0x66)).unwrap_err();
    assert!(error.ends_with("not a valid signature by invoice_node_id (type 176)"), "{error}");
}

#[test]
fn r_i_33_and_s2_the_amount_is_what_was_asked_for() {
    let asked = request().int(82, 1500);
    let error = parse_invoice(&invoice_for(asked.clone()).int(170, 1501)).unwrap_err();
    assert!(error.ends_with("1501 msat where 1500 msat are due"), "{error}");
    assert!(verified(&invoice_for(asked.clone()).int(170, 1500), &asked, now()).is_ok());
    // No amount in the request: the price, or what the payer agrees to.
    let more = invoice().int(170, 1200);
    assert_eq!(
        verified(&more, &request(), now()).unwrap_err(),
        "invoice_amount (type 170): 1200msat, expected at most 1000msat"
    );
    assert!(verified(&more, &request(), now().agreed_to(msat(1200))).is_ok());
    assert_eq!(
        verified(&invoice().int(170, 999), &request(), now()).unwrap_err(),
        "invoice_amount (type 170): 999msat, expected at least 1000msat"
    );
    let usd = request().with(6, b"USD");
    assert_eq!(
        verified(&invoice_for(usd.clone()), &usd, now()).unwrap_err(),
        "offer_currency (type 6): the price is in a currency: expected a context with the amount in bitcoin"
    );
    assert!(verified(&invoice_for(usd.clone()), &usd, now().agreed_to(msat(1000))).is_ok());
    let error = verified(&invoice_for(usd.clone()), &usd, now().agreed_to(msat(999))).unwrap_err();
    assert_eq!(error, "invoice_amount (type 170): 1000msat, expected at most 999msat");
}

#[test]
fn r_i_34_faulty_fallbacks_are_skipped_and_no_reason_to_refuse() {
    let fallback = |version: u8, length: usize| {
        let mut bytes = vec![version];
        bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        bytes.extend(vec![0x11; length]);
        bytes
    };
    let value = [
        fallback(17, 20),
        fallback(0, 20),
        fallback(2, 1),
        fallback(2, 41),
        fallback(0, 21),
        fallback(1, 31),
        fallback(255, 0),
        fallback(16, 2),
        fallback(1, 32),
    ]
    .concat();
    let invoice = parse_invoice(&invoice().with(172, value)).unwrap();
    assert_eq!(invoice.invoice_fallbacks().count(), 9);
    let usable: Vec<_> = invoice
        .fallback_addresses()
        .map(|address| address.witness_program().unwrap())
        .map(|witness| (witness.version().to_num(), witness.program().len()))
        .collect();
    assert_eq!(usable, [(0, 20), (16, 2), (1, 32)]);
    let error = parse_invoice(&testkit::records::invoice().with(172, [0, 0])).unwrap_err();
    assert!(
        error.contains("invoice_fallbacks (type 172)") && error.contains("2 bytes are needed, 1 are left")
    );
    let chain = [7; 32];
    let elsewhere = request().with(80, chain);
    let elsewhere = parse_invoice(&invoice_for(elsewhere).with(172, fallback(0, 20))).unwrap();
    assert_eq!(elsewhere.fallback_addresses().count(), 0, "no network of bitcoin");
    let signet = request().with(80, ChainHash::SIGNET.to_bytes());
    let signet = parse_invoice(&invoice_for(signet).with(172, fallback(0, 20))).unwrap();
    let expected = bolt12::field::FallbackAddress { version: 0, program: &[0x11; 20] };
    assert_eq!(signet.fallback_addresses().next(), expected.to_address(Network::Signet));
}

#[test]
fn r_i_35_and_i1_invoices_come_the_way_they_were_asked_for() {
    let way = |arrival| now().arrived(arrival);
    let elsewhere = Arrival::BlindedPath(point(0x77));
    // For an offer: over the reply path.
    assert!(verified(&invoice(), &request(), way(Arrival::ReplyPath)).is_ok());
    assert_eq!(
        verified(&invoice(), &request(), way(Arrival::Direct)).unwrap_err(),
        "arrived directly: expected the reply path"
    );
    assert!(verified(&invoice(), &request(), way(elsewhere)).is_err());
    // Without an offer: over the request's paths if it has any, else over none.
    let answer = |asked: &Records, arrival| {
        let request = parse_unsigned(asked).unwrap();
        let invoice = parse_invoice(&invoice_for(asked.clone())).unwrap();
        invoice.verify_for(&request, &way(arrival)).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(answer(&refund(), Arrival::Direct), Ok(()));
    assert_eq!(
        answer(&refund(), elsewhere).unwrap_err(),
        format!(
            "arrived over the blinded path to {}: expected no path, since the request has none",
            point(0x77)
        )
    );
    assert_eq!(
        answer(&refund(), Arrival::ReplyPath).unwrap_err(),
        "arrived over the reply path: expected no path, since the request has none"
    );
    let with_paths = refund().with(90, [path(0x31, 1), path(0x32, 2)].concat());
    assert_eq!(answer(&with_paths, Arrival::BlindedPath(point(0x32))), Ok(()));
    for arrival in [Arrival::Direct, Arrival::ReplyPath, elsewhere] {
        assert!(answer(&with_paths, arrival).unwrap_err().ends_with("expected a path of the request"));
    }
}

#[test]
fn an_own_invoice_is_recognised_without_its_request() {
    let keys = PayerKeys::new([7; 32]);
    let offer = parse_offer(&offer()).unwrap();
    let request = keys.sign(&offer.request_invoice().payer_note("hi"), &[1; 16]).unwrap();
    let path = a_path();
    let invoice = signed(&respond(&request, &path)).unwrap();
    let verified = invoice.verify_own(&keys, &now()).unwrap();
    assert_eq!(verified.authentication(), PayeeAuthentication::Issuer);
    assert_eq!(keys.key_for_invoice(&invoice).unwrap().public_key(), request.invreq_payer_id());
    let not_ours = "invreq_payer_id (type 88): not derived from these keys: expected the key of a request made with them";
    let other = PayerKeys::new([8; 32]);
    assert_eq!(invoice.verify_own(&other, &now()).unwrap_err().to_string(), not_ours);
    // The same payer id with another note: not a request that we made.
    let records = invoice.stream().records().map(|record| (record.number(), record.value().to_vec()));
    let forged = Records(records.filter(|(number, _)| *number != 240).collect()).with(89, b"ho");
    let forged = parse_invoice(&forged).unwrap();
    assert_eq!(forged.verify_own(&keys, &now()).unwrap_err().to_string(), not_ours);
    let late = InvoiceContext::new(u64::MAX);
    assert!(invoice.verify_own(&keys, &late).unwrap_err().to_string().contains("expired at 1700007200"));
}
