//! R-I-1 to R-I-10: what an invoice's writer must not write.

use bitcoin::constants::ChainHash;
use bitcoin::{Address, Network};
use bolt12::field::{BlindedPathBuf, Features, PayInfo};
use bolt12::message::{InvoiceBuilder, MultiPart};
use bolt12::{Invoice, InvoiceRequest, Msat};

use testkit::records::*;

const CREATED: u64 = 1_700_000_000;

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn a_path() -> BlindedPathBuf {
    BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap()
}

fn a_request() -> InvoiceRequest {
    parse_request(&request()).unwrap()
}

fn respond<'a>(request: &'a InvoiceRequest, path: &'a BlindedPathBuf) -> InvoiceBuilder<'a> {
    request.respond([0x33; 32].into(), CREATED).path(path.path(), PayInfo::default())
}

fn refused(builder: &InvoiceBuilder<'_>) -> String {
    builder.sign(&key(ISSUER)).unwrap_err().to_string()
}

/// Signs the invoice, which this crate reads back.
fn written(builder: &InvoiceBuilder<'_>) -> Invoice {
    let invoice = builder.sign(&key(ISSUER)).unwrap();
    assert_eq!(invoice.to_string().parse::<Invoice>().unwrap(), invoice);
    invoice
}

fn value(invoice: &Invoice, number: u64) -> Option<Vec<u8>> {
    invoice.stream().find(number).map(|record| record.value().to_vec())
}

#[test]
fn r_i_1_the_creation_in_unix_seconds() {
    let (request, path) = (a_request(), a_path());
    let invoice = written(&respond(&request, &path));
    assert_eq!(value(&invoice, 164), Some(1_700_000_000u32.to_be_bytes().to_vec()));
    // Control: the time is the caller's.
    let other = written(&request.respond([0x33; 32].into(), 7).path(path.path(), PayInfo::default()));
    assert_eq!(value(&other, 164), Some(vec![7]));
}

#[test]
fn r_i_2_and_i13_the_amount_is_the_one_that_is_due() {
    let path = a_path();
    let asked = parse_request(&request().int(82, 1500)).unwrap();
    for (request, due) in [(&a_request(), 1000), (&asked, 1500)] {
        for other in [due - 1, due + 1] {
            assert_eq!(
                refused(&respond(request, &path).amount(msat(other))),
                format!("invoice_amount (type 170): {other} msat, expected {due} msat")
            );
        }
        // Control.
        assert_eq!(written(&respond(request, &path)).invoice_amount(), msat(due));
        assert_eq!(written(&respond(request, &path).amount(msat(due))).invoice_amount(), msat(due));
    }
    let usd = parse_request(&request().with(6, b"USD")).unwrap();
    assert_eq!(refused(&respond(&usd, &path)), "invoice_amount (type 170): missing");
    assert_eq!(
        refused(&respond(&usd, &path).amount(msat(0))),
        "invoice_amount (type 170): zero: expected a positive number"
    );
    // Control: the payee converts a price in a currency.
    assert_eq!(written(&respond(&usd, &path).amount(msat(9))).invoice_amount(), msat(9));
}

#[test]
fn r_i_3_every_record_of_the_request_but_signatures_is_copied() {
    let request = request().with(33, b"x").with(159, b"y").with(241, b"s").with(2_000_000_001, b"z");
    let request = parse_request(&request).unwrap();
    let path = a_path();
    let invoice = written(&respond(&request, &path).record(3_000_000_001, b"own"));
    let copied: Vec<_> = invoice
        .stream()
        .records()
        .filter(|record| record.number() < 160 || (1001..3_000_000_000).contains(&record.number()))
        .map(|record| record.raw().to_vec())
        .collect();
    let asked = request.stream().records().filter(|record| !(240..=1000).contains(&record.number()));
    assert_eq!(copied, asked.map(|record| record.raw().to_vec()).collect::<Vec<_>>());
    assert_eq!(invoice.invreq_id(), request.invreq_id());
    for number in [33, 161, 241, 1001, 2_000_000_001, 4_000_000_001] {
        let error = refused(&respond(&request, &path).record(number, b"own"));
        assert!(error.ends_with("outside the types of an invoice's own"), "{error}");
    }
    // Control: the odd types of the experimental range.
    for number in [3_000_000_001, 3_999_999_999] {
        assert_eq!(
            value(&written(&respond(&request, &path).record(number, b"own")), number),
            Some(b"own".to_vec())
        );
    }
}

#[test]
fn r_i_4_the_preimage_pays() {
    let (request, path) = (a_request(), a_path());
    let hash = bitcoin::hashes::sha256::Hash::const_hash(&[9; 32]);
    let hash: &[u8; 32] = bitcoin::hashes::Hash::as_byte_array(&hash);
    let invoice = written(&request.respond((*hash).into(), 1).path(path.path(), PayInfo::default()));
    assert_eq!(value(&invoice, 168), Some(hash.to_vec()));
    assert!(!invoice.is_paid_by(&[8; 32].into()));
    // Control.
    assert!(invoice.is_paid_by(&[9; 32].into()));
}

#[test]
fn r_i_5_and_s5_the_issuer_signs_or_the_end_of_the_path() {
    let path = a_path();
    let by_id = a_request();
    let error = respond(&by_id, &path).sign(&key(0x66)).unwrap_err().to_string();
    assert!(error.starts_with("the signer's key is"), "{error}");
    let by_path = request().without(22).with(16, testkit::records::path(0x31, 2));
    let by_path = parse_request(&by_path).unwrap();
    let error = respond(&by_path, &path).sign(&key(0x66)).unwrap_err().to_string();
    assert!(error.starts_with("invoice_node_id (type 176)"), "{error}");
    assert!(error.ends_with("not the last blinded node id of a path in offer_paths (type 16)"), "{error}");
    // Control.
    assert_eq!(written(&respond(&by_id, &path)).invoice_node_id(), point(ISSUER));
    let invoice = respond(&by_path, &path).sign(&key(0x31)).unwrap();
    assert_eq!(invoice.invoice_node_id(), point(0x31));
    let refund = parse_unsigned(&refund()).unwrap();
    assert_eq!(respond(&refund, &path).sign(&key(0x66)).unwrap().invoice_node_id(), point(0x66));
}

#[test]
fn r_i_6_exactly_one_signature() {
    let path = a_path();
    // A signature that the request has in addition to its own is not copied.
    let request = parse_request(&request().with(241, [1; 64])).unwrap();
    let invoice = written(&respond(&request, &path));
    let signatures = invoice.stream().records().filter(|record| (240..=1000).contains(&record.number()));
    assert_eq!(signatures.map(|record| record.number()).collect::<Vec<_>>(), [240]);
    // Control: it verifies.
    let (node_id, _) = invoice.invoice_node_id().x_only_public_key();
    assert!(invoice.sighash().is_signed_by(&invoice.signature(), &node_id));
}

#[test]
fn r_i_7_parts_are_forbidden_allowed_or_required() {
    let (request, path) = (a_request(), a_path());
    // Control: no bit where there is only one part.
    for (multi_part, features) in [
        (MultiPart::Forbidden, None),
        (MultiPart::Allowed, Some(vec![2, 0, 0])),
        (MultiPart::Required, Some(vec![1, 0, 0])),
    ] {
        let invoice = written(&respond(&request, &path).multi_part(multi_part));
        assert_eq!(value(&invoice, 174), features);
        assert_eq!(invoice.multi_part(), multi_part);
    }
}

#[test]
fn r_i_8_the_usual_expiry_is_not_written() {
    let (request, path) = (a_request(), a_path());
    let usual = written(&respond(&request, &path).relative_expiry(7200));
    assert_eq!((value(&usual, 166), usual.invoice_relative_expiry()), (None, 7200));
    // Control.
    let short = written(&respond(&request, &path).relative_expiry(60));
    assert_eq!((value(&short, 166), short.expires_at()), (Some(vec![60]), CREATED + 60));
}

fn address(text: &str) -> Address {
    text.parse::<Address<_>>().unwrap().assume_checked()
}

#[test]
fn r_i_9_fallbacks_are_addresses() {
    let (request, path) = (a_request(), a_path());
    let old = address("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa");
    assert_eq!(
        refused(&respond(&request, &path).fallback(&old)),
        "invoice_fallbacks (type 172): an address without a witness program: expected a segwit address"
    );
    let anchor = address("bc1pfeessrawgf");
    assert_eq!(
        refused(&respond(&request, &path).fallback(&anchor)),
        "invoice_fallbacks (type 172): witness version 1 with a program of 2 bytes: expected an address"
    );
    // Control: by preference.
    let segwit = address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    let taproot = address("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0");
    let invoice = written(&respond(&request, &path).fallback(&taproot).fallback(&segwit));
    assert_eq!(invoice.fallback_addresses().collect::<Vec<_>>(), [taproot, segwit]);
    assert_eq!(value(&written(&respond(&request, &path)), 172), None);
}

#[test]
fn r_i_9_a_fallback_is_an_address_of_the_requests_chain() {
    let path = a_path();
    let program = bitcoin::WitnessProgram::new(bitcoin::WitnessVersion::V0, &[0x75; 20]).unwrap();
    let on = |network: Network| Address::from_witness_program(program, network);
    let networks = [Network::Bitcoin, Network::Testnet, Network::Testnet4, Network::Signet, Network::Regtest];
    for of_request in networks {
        let chain = ChainHash::using_genesis_block_const(of_request);
        for request in [
            request().with(2, chain.to_bytes()).with(80, chain.to_bytes()),
            refund().with(80, chain.to_bytes()),
        ] {
            let request = parse_request(&request).unwrap();
            for of_address in networks {
                let builder = respond(&request, &path).fallback(&on(of_address));
                // Control: one of the request's chain is written, and read as what was given.
                if on(of_address) == on(of_request) {
                    let invoice = written(&builder);
                    assert_eq!(invoice.fallback_addresses().collect::<Vec<_>>(), [on(of_address)]);
                    continue;
                }
                assert_eq!(
                    refused(&builder),
                    format!(
                        "invoice_fallbacks (type 172): {} is an address of another network: \
                         expected one of {of_request}",
                        on(of_address)
                    )
                );
            }
        }
    }
    let bitcoin = a_request();
    let testnet = address("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx");
    assert_eq!(
        refused(&respond(&bitcoin, &path).fallback(&testnet)),
        "invoice_fallbacks (type 172): tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx is an address of another network: \
         expected one of bitcoin"
    );
    // A valid address does not allow an invalid one.
    let good = address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    assert!(respond(&bitcoin, &path).fallback(&good).fallback(&testnet).sign(&key(ISSUER)).is_err());
}

#[test]
fn r_i_9_a_chain_that_is_no_bitcoin_network_has_no_addresses() {
    let path = a_path();
    let liquid = parse_request(&request().with(2, [9; 32]).with(80, [9; 32])).unwrap();
    let good = address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    assert_eq!(
        refused(&respond(&liquid, &path).fallback(&good)),
        "invoice_fallbacks (type 172): chain \
         0909090909090909090909090909090909090909090909090909090909090909 has no known form of address: \
         expected no fallback"
    );
    // Control.
    written(&respond(&liquid, &path));
}

#[test]
fn r_i_10_and_i10_a_path_comes_with_its_costs() {
    let request = a_request();
    assert_eq!(refused(&request.respond([1; 32].into(), 1)), "invoice_paths (type 160): missing");
    let path = a_path();
    let unknown = PayInfo { features: Features::new(&[1]), ..PayInfo::default() };
    let error = refused(&request.respond([1; 32].into(), 1).path(path.path(), unknown));
    assert!(
        error.ends_with("every path needs an unknown feature (bit 0): expected one that needs none"),
        "{error}"
    );
    let mut without_hops = path.path();
    without_hops.hops.clear();
    let error = refused(&respond(&request, &path).path(without_hops, PayInfo::default()));
    assert_eq!(error, "invoice_paths (type 160): a path of 0 hops: expected 1 to 255");
    // Control: as many costs as paths, in their order.
    let costs = PayInfo { cltv_expiry_delta: 18, ..PayInfo::default() };
    let invoice = written(&respond(&request, &path).path(path.path(), costs));
    let deltas: Vec<_> = invoice.invoice_blindedpay().map(|info| info.cltv_expiry_delta).collect();
    assert_eq!(deltas, [0, 18], "the final delta is what the writer says it is");
    assert_eq!(invoice.invoice_paths().count(), 2);
    // Aggregated, it is part of the total.
    let total = PayInfo::aggregate(&[], 18, 0, 1).unwrap();
    assert_eq!(total.cltv_expiry_delta, 18);
}

/// A rule of our own: LDK and Core Lightning read such an invoice, and it cannot be paid.
#[test]
fn a_path_that_no_payment_fits_is_not_written() {
    let (request, path) = (a_request(), a_path());
    let with = |minimum, maximum| {
        request.respond([1; 32].into(), 1).path(path.path(), with_limits(minimum, maximum))
    };
    for (minimum, maximum) in [(0, 0), (1, 0), (2, 1)] {
        assert_eq!(
            refused(&with(minimum, maximum)),
            format!(
                "invoice_blindedpay (type 162): a path for payments of {minimum} to {maximum} msat: expected limits \
                 that a payment fits"
            )
        );
        // One path that fits does not excuse another.
        assert!(
            respond(&request, &path)
                .path(path.path(), with_limits(minimum, maximum))
                .sign(&key(ISSUER))
                .is_err()
        );
    }
    // Control.
    for (minimum, maximum) in [(0, 1), (1, 1), (0, u64::MAX)] {
        written(&with(minimum, maximum));
    }
    // It is a rule for writers: such an invoice of another node is read.
    let zero = [0; 28];
    assert!(parse_invoice(&invoice().with(162, zero)).is_ok());
}

fn with_limits(minimum: u64, maximum: u64) -> PayInfo<'static> {
    PayInfo { htlc_minimum_msat: minimum, htlc_maximum_msat: maximum, ..PayInfo::default() }
}
