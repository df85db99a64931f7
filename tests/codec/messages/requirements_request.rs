//! R-Q: invoice requests, read. What writers must not write is in `tests/writer_rules`.

use bitcoin::constants::ChainHash;
use bolt12::field::{Bip353Name, BlindedPathBuf};
use bolt12::message::types::INVREQ_AMOUNT;
use bolt12::message::{Arrival, Destination, InvoiceRequestBuilder, RequestContext, VerifyError};
use bolt12::{InvoiceError, InvoiceRequest, Msat, Offer};

use testkit::records::*;

const METADATA: [u8; 16] = [0x5a; 16];

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn an_offer() -> Offer {
    parse_offer(&offer()).unwrap()
}

fn signed(builder: &InvoiceRequestBuilder<'_>) -> Result<InvoiceRequest, String> {
    builder.sign(&key(PAYER), &METADATA).map_err(|error| error.to_string())
}

fn verified(records: &Records, context: RequestContext) -> Result<(), String> {
    let request = parse_request(records).unwrap();
    request.verify_for(&an_offer(), &context).map(drop).map_err(|error| error.to_string())
}

#[test]
fn r_q_20_payer_id_and_metadata_are_there() {
    assert_eq!(parse_unsigned(&request().without(0)).unwrap_err(), "invreq_metadata (type 0): missing");
    assert_eq!(parse_unsigned(&request().without(88)).unwrap_err(), "invreq_payer_id (type 88): missing");
}

#[test]
fn r_q_21_types_outside_the_ranges_are_refused() {
    for number in [160, 161, 239, 1001, 999_999_999, 3_000_000_001] {
        let error = parse_request(&request().with(number, b"x")).unwrap_err();
        assert!(error.ends_with("outside the types of an invoice request"), "{error}");
    }
    assert!(parse_request(&request().with(159, b"x").with(2_999_999_999, b"x")).is_ok());
}

#[test]
fn r_q_22_unknown_even_features_are_refused_by_number() {
    let error = parse_request(&request().with(84, [0x40])).unwrap_err();
    assert!(error.contains("invreq_features (type 84)") && error.ends_with("unknown even feature bit 6"));
    assert_eq!(parse_request(&request().with(84, [0, 0x80])).unwrap().invreq_features().to_string(), "7");
}

#[test]
fn r_q_23_the_signature_is_the_payers() {
    assert_eq!(parse_unsigned(&request()).unwrap_err(), "signature (type 240): missing");
    let by_other = request().signed(bolt12::sign::SignatureField::INVOICE_REQUEST, &key(PAYER + 1));
    let error = InvoiceRequest::try_from(by_other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "signature (type 240) at byte 102: not a valid signature by invreq_payer_id (type 88)"
    );
    // Without an offer it may be absent, but not wrong.
    assert_eq!(parse_unsigned(&refund()).unwrap().signature(), None);
    assert!(parse_request(&refund()).unwrap().signature().is_some());
    let by_other = refund().signed(bolt12::sign::SignatureField::INVOICE_REQUEST, &key(PAYER + 1));
    assert!(InvoiceRequest::try_from(by_other).unwrap_err().to_string().contains("not a valid signature"));
}

#[test]
fn r_q_24_every_path_has_a_hop() {
    let error = parse_unsigned(&refund().with(90, path(0x31, 0))).unwrap_err();
    assert!(error.contains("invreq_paths (type 90)") && error.ends_with("a blinded path with zero hops"));
    let error = parse_unsigned(&refund().with(90, [])).unwrap_err();
    assert!(error.contains("invreq_paths (type 90)") && error.ends_with("an empty list"));
}

#[test]
fn r_q_25_an_earlier_invoice_is_for_the_same_request_to_an_issuer_id() {
    let now = RequestContext::new(0);
    let first = parse_request(&request()).unwrap();
    let again = parse_request(&request()).unwrap();
    let other = parse_request(&request().with(0, [1; 16])).unwrap();
    let offer = an_offer();
    assert!(again.verify_for(&offer, &now).unwrap().may_resend(&first));
    assert!(!other.verify_for(&offer, &now).unwrap().may_resend(&first));
    let by_path = testkit::records::offer().without(22).with(16, path(0x31, 1));
    let request = by_path.clone().with(0, METADATA).with(88, point(PAYER).serialize());
    let request = parse_request(&request).unwrap();
    let offer = parse_offer(&by_path).unwrap();
    assert!(!request.verify_for(&offer, &now).unwrap().may_resend(&request));
}

#[test]
fn r_q_30_the_offer_is_ours_live_and_unchanged() {
    let now = RequestContext::new(0);
    assert_eq!(verified(&request(), now), Ok(()));
    for (changed, field) in [
        (request().int(8, 1001), "offer_amount (type 8)"),
        (request().with(10, b"tea"), "offer_description (type 10)"),
        (request().with(33, b""), "type 33"),
        (request().with(1_000_000_001, b""), "type 1000000001"),
        (request().without(8).without(10).int(82, 1000), "offer_amount (type 8)"),
    ] {
        assert_eq!(
            verified(&changed, now).unwrap_err(),
            format!("{field}: differs from the offer: expected the same record")
        );
    }
    let expiring = parse_offer(&offer().int(14, 1000)).unwrap();
    let request = parse_request(&request().int(14, 1000)).unwrap();
    assert!(request.verify_for(&expiring, &RequestContext::new(1000)).is_ok());
    assert_eq!(
        request.verify_for(&expiring, &RequestContext::new(1001)).unwrap_err().to_string(),
        "offer_absolute_expiry (type 14): expired at 1000 (now 1001)"
    );
}

#[test]
fn r_q_31_and_i22_and_s27_requests_come_the_way_the_offer_says() {
    let way = |arrival| RequestContext::new(0).arrived(arrival);
    assert_eq!(verified(&request(), way(Arrival::Direct)), Ok(()));
    assert_eq!(
        verified(&request(), way(Arrival::BlindedPath(point(0x31)))).unwrap_err(),
        format!(
            "arrived over the blinded path to {}: expected no path, since the offer has none",
            point(0x31)
        )
    );
    let records = offer().with(16, [path(0x31, 2), path(0x32, 1)].concat());
    let offer = parse_offer(&records).unwrap();
    let request = records.with(0, METADATA).with(88, point(PAYER).serialize());
    let request = parse_request(&request).unwrap();
    let verify = |arrival| request.verify_for(&offer, &way(arrival)).map(drop);
    assert_eq!(verify(Arrival::BlindedPath(point(0x31))), Ok(()));
    assert_eq!(verify(Arrival::BlindedPath(point(0x32))), Ok(()));
    // Another path of ours, one on the way of it, or none: each would reveal who the offer's issuer is.
    for arrival in [Arrival::BlindedPath(point(0x33)), Arrival::BlindedPath(point(0x45)), Arrival::Direct] {
        let expected = "a path of the offer";
        assert_eq!(verify(arrival), Err(VerifyError::Arrival { arrival, expected }));
    }
}

#[test]
fn r_q_32_and_s12_quantities_fit_the_offer() {
    let at_most = |max| request().int(20, max);
    assert_eq!(parse_request(&at_most(5)).unwrap_err(), "invreq_quantity (type 86): missing");
    assert!(parse_request(&at_most(5).int(86, 5)).is_ok());
    for quantity in [0, 6] {
        let error = parse_request(&at_most(5).int(86, quantity)).unwrap_err();
        assert!(error.ends_with(&format!("{quantity} items, expected 1 to 5")), "{error}");
    }
    let error = parse_request(&request().int(86, 1)).unwrap_err();
    assert!(error.ends_with("present without offer_quantity_max (type 20)"), "{error}");
    // Without a maximum the specification says nothing about zero.
    assert!(parse_request(&at_most(0).int(86, 0)).is_ok());
    assert!(parse_request(&at_most(0).int(86, 1_000_000)).is_ok());
}

#[test]
fn r_q_33_and_s3_the_amount_is_at_least_the_price() {
    let error = parse_request(&request().int(82, 999)).unwrap_err();
    assert!(error.contains("invreq_amount (type 82)"), "{error}");
    assert!(error.ends_with("999 msat is less than the 1000 msat that are due"), "{error}");
    let three = request().int(20, 0).int(86, 3);
    assert!(parse_request(&three.clone().int(82, 2999)).unwrap_err().ends_with("3000 msat that are due"));
    assert!(parse_request(&three.int(82, 3000)).is_ok());
    // In a currency the price has to be converted first.
    let usd = offer().with(6, b"USD");
    let request = usd.clone().with(0, METADATA).with(88, point(PAYER).serialize()).int(82, 5000);
    let (offer, request) = (parse_offer(&usd).unwrap(), parse_request(&request).unwrap());
    let verify = |context: RequestContext| request.verify_for(&offer, &context).map(drop);
    let now = RequestContext::new(0);
    assert_eq!(
        verify(now).unwrap_err().to_string(),
        "offer_currency (type 6): the price is in a currency: expected a context with the amount in bitcoin"
    );
    assert_eq!(
        verify(now.converted_price(msat(5001))).unwrap_err().to_string(),
        "invreq_amount (type 82): 5000msat, expected at least 5001msat"
    );
    assert_eq!(verify(now.converted_price(msat(5000))), Ok(()));
}

#[test]
fn r_q_34_without_a_price_there_is_an_amount() {
    assert_eq!(parse_request(&request().without(8)).unwrap_err(), "invreq_amount (type 82): missing");
    assert!(parse_request(&request().without(8).int(82, 1)).is_ok());
}

#[test]
fn i16_the_amounts_of_offer_and_request_have_their_own_names() {
    let request = parse_request(&request().int(20, 0).int(86, 3)).unwrap();
    assert_eq!(request.offer_amount(), Some(1000));
    assert_eq!(request.invreq_amount(), None);
    assert_eq!(request.amount_to_pay(), Some(msat(3000)));
    let request = parse_request(&testkit::records::request().without(8).int(82, 7)).unwrap();
    assert_eq!(request.offer_amount(), None);
    assert_eq!(request.invreq_amount(), Some(msat(7)));
    assert_eq!(request.amount_to_pay(), Some(msat(7)));
}

#[test]
fn r_q_40_without_an_offer_its_chains_features_and_quantities_are_refused() {
    for (number, name) in
        [(2, "offer_chains (type 2)"), (12, "offer_features (type 12)"), (20, "offer_quantity_max (type 20)")]
    {
        let value: &[u8] = if number == 2 { &[7; 32] } else { &[1 << 1] };
        let error = parse_unsigned(&refund().with(number, value)).unwrap_err();
        assert!(error.starts_with(name) && error.ends_with("present without offer_issuer_id (type 22)"));
    }
}

#[test]
fn r_q_41_without_an_offer_there_is_an_amount() {
    assert_eq!(parse_unsigned(&refund().without(82)).unwrap_err(), "invreq_amount (type 82): missing");
}

#[test]
fn r_q_42_without_an_offer_its_price_is_display_only() {
    let request = parse_unsigned(&refund().with(6, b"USD").int(8, 1_000_000)).unwrap();
    assert_eq!(request.amount_to_pay(), Some(msat(1000)));
    assert_eq!(request.price().unwrap().to_string(), "10000.00 USD");
}

#[test]
fn r_q_43_and_i26_invoices_go_over_the_requests_paths_or_to_the_payer() {
    let by_id = parse_unsigned(&refund()).unwrap();
    assert_eq!(by_id.destinations().collect::<Vec<_>>(), [Destination::Node(point(PAYER))]);
    let by_path = parse_unsigned(&refund().with(90, path(0x31, 1))).unwrap();
    let destinations: Vec<_> = by_path.destinations().collect();
    assert!(
        matches!(&destinations[..], [Destination::Path(path)] if path.last_node_id() == Some(point(0x31)))
    );
}

#[test]
fn field_90_with_an_offer_is_read_and_not_written() {
    let request = parse_request(&request().with(90, path(0x31, 1))).unwrap();
    assert_eq!(request.invreq_paths().count(), 1);
    let encoded = path(0x31, 1);
    let path = BlindedPathBuf::try_from(&encoded[..]).unwrap();
    let offer = an_offer();
    let with_offer = offer.request_invoice();
    assert_eq!(
        signed(&with_offer.clone().path(path.path())).unwrap_err(),
        "invreq_paths (type 90): not allowed with offer_issuer_id (type 22)"
    );
    assert!(signed(&with_offer.clone().absolute_expiry(1)).unwrap_err().starts_with("offer_absolute_expiry"));
    assert!(signed(&with_offer.issuer("x")).unwrap_err().starts_with("offer_issuer"));
}

#[test]
fn r_q_50_the_chain_is_ours() {
    let now = RequestContext::new(0);
    assert_eq!(
        verified(&request().with(80, ChainHash::SIGNET.to_bytes()), now).unwrap_err(),
        "invreq_chain (type 80): signet, expected bitcoin"
    );
    assert!(verified(&request().with(80, ChainHash::BITCOIN.to_bytes()), now).is_ok());
    let signet = now.on(ChainHash::SIGNET);
    let error = verified(&request().with(80, ChainHash::SIGNET.to_bytes()), signet).unwrap_err();
    assert!(error.starts_with("offer_chains (type 2)"), "{error}");
    let request = parse_unsigned(&refund().with(80, ChainHash::SIGNET.to_bytes())).unwrap();
    assert!(request.check(&now).is_err());
    assert!(request.check(&signet).is_ok());
}

#[test]
fn a_request_without_an_offer_is_checked_for_its_time() {
    let request = parse_unsigned(&refund().int(14, 1000)).unwrap();
    assert!(request.check(&RequestContext::new(1000)).is_ok());
    assert!(request.check(&RequestContext::new(1001)).unwrap_err().to_string().contains("expired at 1000"));
    let answer = parse_request(&testkit::records::request()).unwrap();
    assert_eq!(
        answer.check(&RequestContext::new(0)).unwrap_err().to_string(),
        "the invoice request is for an offer: expected one without, or a check for that offer"
    );
}

#[test]
fn r_q_51_names_are_of_names_characters() {
    let read = |value: &[u8]| parse_request(&request().with(91, value));
    assert_eq!(
        read(b"\x05alice\x0bexample.com").unwrap().invreq_bip_353_name().unwrap().to_string(),
        "alice@example.com"
    );
    let error = read(b"\x05al ce\x0bexample.com").unwrap_err();
    assert!(error.ends_with("byte 0x20 in a name: letters, digits, '-', '_' and '.' are allowed"), "{error}");
    assert!(read(b"\x05alice\x0bexample.comx").unwrap_err().ends_with("1 bytes too many"));
    assert!(read(b"\x05alice\x0cexample.com").unwrap_err().ends_with("12 bytes are needed, 11 are left"));
    // Multi-byte characters are no name's.
    assert!(read("\u{6}é".as_bytes()).is_err());
    assert!(Bip353Name::new("é@example.com").is_err());
}

#[test]
fn errors_of_this_crate_become_answers() {
    let parse_error = InvoiceRequest::try_from(request().without(8).bytes()).unwrap_err();
    assert_eq!(InvoiceError::from(&parse_error).error().unwrap(), "signature (type 240): missing");
    let wrong = VerifyError::TooLittle { field: INVREQ_AMOUNT, amount: msat(1), least: msat(2) };
    let answer = InvoiceError::from(&wrong);
    assert_eq!(answer.erroneous_field(), Some(INVREQ_AMOUNT));
    assert_eq!(InvoiceError::try_from(answer.as_bytes().to_vec()).unwrap(), answer);
    assert_eq!(
        answer.to_string(),
        "invreq_amount (type 82): 1msat, expected at least 2msat (invreq_amount (type 82))"
    );
    let read = InvoiceError::try_from(vec![5, 2, 0xc3, 0x28]).unwrap_err();
    assert_eq!(read.to_string(), "error (type 5) at byte 2: not UTF-8");
    assert_eq!(
        InvoiceError::try_from(vec![2, 0]).unwrap_err().to_string(),
        "type 2 at byte 0: unknown even type"
    );
    let odd = InvoiceError::try_from(vec![7, 1, 9]).unwrap();
    assert_eq!(odd.unknown_records().count(), 1);
    assert_eq!(odd.error(), None);
}
