//! Merkle roots and signatures of both dialects, against the vectors and against a second implementation.

use bolt12::OfferId;
use bolt12::merkle::{LnAll, LnNonce, root};
use bolt12::sign::{SignatureField, Signer};
use bolt12::text::{Encoded, Prefix, decode};
use bolt12::tlv::Stream;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use secp256k1::{Keypair, SECP256K1, SecretKey, schnorr};
use serde::Deserialize;

use testkit::{array, hex, naive, vectors};

#[derive(Deserialize)]
struct RootFile {
    count: usize,
    cases: Vec<RootCase>,
}

#[derive(Deserialize)]
struct RootCase {
    id: String,
    leaf_count: usize,
    tlv: String,
    /// Not given where the stream is very long.
    records: Option<Vec<RecordOfCase>>,
    merkle_root: String,
}

#[derive(Deserialize)]
struct RecordOfCase {
    #[serde(rename = "type")]
    number: String,
    length: usize,
    value: String,
}

/// The records of a vector, put together from their parts.
fn listed(records: &[RecordOfCase]) -> Vec<(u64, Vec<u8>)> {
    let listed = records.iter().map(|record| {
        let (number, value) = (record.number.parse().unwrap(), hex(&record.value));
        assert_eq!(value.len(), record.length);
        (number, naive::record(number, &value))
    });
    listed.collect()
}

/// Our root of `bytes` under each scheme.
fn our_root(bytes: &[u8], is_draft: bool) -> String {
    let stream = Stream::new(bytes).unwrap();
    if is_draft { root::<LnAll>(stream).to_string() } else { root::<LnNonce>(stream).to_string() }
}

fn check_roots(name: &str, count: usize, is_draft: bool) {
    let file: RootFile = vectors(name);
    assert_eq!((file.count, file.cases.len()), (count, count));
    assert_eq!(file.cases.iter().filter(|case| case.records.is_none()).count(), 1);
    let nonce: naive::Nonce = if is_draft { naive::ln_all } else { naive::ln_nonce };
    for case in &file.cases {
        let bytes = hex(&case.tlv);
        assert_eq!(our_root(&bytes, is_draft), case.merkle_root, "{}", case.id);

        let framed = Stream::new(&bytes).unwrap();
        let framed: Vec<_> =
            framed.records().map(|record| (record.number(), record.raw().to_vec())).collect();
        let records = case.records.as_deref().map_or_else(|| framed.clone(), listed);
        assert_eq!(
            naive::root(&records, nonce),
            array::<32>(&case.merkle_root),
            "{}: second implementation",
            case.id
        );
        assert_eq!(framed, records, "{}: framing", case.id);
        let leaves = records.iter().filter(|(number, _)| !(240..=1000).contains(number)).count();
        assert_eq!(leaves, case.leaf_count, "{}", case.id);
    }
}

#[test]
fn draft_roots() {
    check_roots("draft/merkle.json", 46, true);
}

#[test]
fn merged_roots() {
    check_roots("bolt12/merkle.json", 45, false);
}

#[derive(Deserialize)]
struct SignatureFile {
    cases: Vec<SignatureCase>,
    extra_roots: Vec<ExtraRoot>,
}

#[derive(Deserialize)]
struct SignatureCase {
    description: String,
    string: Option<String>,
    tlv_hex: String,
    first_tlv: String,
    leaves: Vec<Leaf>,
    branches: Vec<Branch>,
    merkle_root: String,
    signature_tag: Option<String>,
    signature_hash: Option<String>,
    public_key: Option<String>,
    secret_key: Option<String>,
    signature: Option<String>,
}

#[derive(Deserialize)]
struct Leaf {
    #[serde(rename = "type")]
    number: u64,
    record: String,
    leaf: String,
    nonce: String,
    pair: String,
}

#[derive(Deserialize)]
struct Branch {
    /// The first and the last leaf below it.
    leaves: [usize; 2],
    smaller: String,
    larger: String,
    hash: String,
}

#[derive(Deserialize)]
struct ExtraRoot {
    leaves: usize,
    tlv_hex: String,
    merkle_root: String,
}

#[test]
fn every_intermediate_hash_of_the_specification() {
    let file: SignatureFile = vectors("bolt12/signatures.json");
    assert_eq!(file.cases.len(), 4);
    for case in &file.cases {
        let bytes = hex(&case.tlv_hex);
        let what = &case.description;
        assert_eq!(our_root(&bytes, false), case.merkle_root, "{what}");

        let records: Vec<_> = case.leaves.iter().map(|leaf| (leaf.number, hex(&leaf.record))).collect();
        assert_eq!(records[0].1, hex(&case.first_tlv), "{what}");
        let mut pairs = Vec::new();
        for (index, leaf) in case.leaves.iter().enumerate() {
            let (hash, nonce) = (naive::leaf(&records[index].1), naive::ln_nonce(&records, index));
            assert_eq!(hash, array::<32>(&leaf.leaf), "{what}: leaf of type {}", leaf.number);
            assert_eq!(nonce, array::<32>(&leaf.nonce), "{what}: nonce of type {}", leaf.number);
            assert_eq!(
                naive::branch(hash, nonce),
                array::<32>(&leaf.pair),
                "{what}: pair of type {}",
                leaf.number
            );
            pairs.push(array::<32>(&leaf.pair));
        }
        for branch in &case.branches {
            let (smaller, larger) = (array::<32>(&branch.smaller), array::<32>(&branch.larger));
            assert!(smaller < larger, "{what}");
            assert_eq!(naive::branch(larger, smaller), array::<32>(&branch.hash), "{what}");
            let [first, last] = branch.leaves;
            assert_eq!(naive::node(&pairs[first..=last]), array::<32>(&branch.hash), "{what}");
        }
        let last = case.branches.last().map_or(pairs[0], |branch| array::<32>(&branch.hash));
        assert_eq!(last, array::<32>(&case.merkle_root), "{what}");
        assert_eq!(naive::root(&records, naive::ln_nonce), array::<32>(&case.merkle_root), "{what}");
    }
}

#[test]
fn the_signed_example_of_the_specification() {
    let file: SignatureFile = vectors("bolt12/signatures.json");
    let [case] = &file.cases.iter().filter(|case| case.signature.is_some()).collect::<Vec<_>>()[..] else {
        panic!("one signed case")
    };
    let bytes = hex(&case.tlv_hex);
    let string = case.string.as_ref().unwrap();
    assert_eq!(decode(string, Prefix::InvoiceRequest).unwrap(), bytes);
    assert_eq!(Encoded::new(Prefix::InvoiceRequest, &bytes).to_string(), *string);

    let merkle_root = root::<LnNonce>(Stream::new(&bytes).unwrap());
    let sighash = SignatureField::INVOICE_REQUEST.sighash(merkle_root);
    let tag = case.signature_tag.as_ref().unwrap();
    assert_eq!(tag, "lightninginvoice_requestsignature");
    let expected: [u8; 32] = array(case.signature_hash.as_ref().unwrap());
    assert_eq!(sighash.to_byte_array(), expected);
    assert_eq!(naive::tagged(tag.as_bytes(), &array::<32>(&case.merkle_root)), expected);
    assert_eq!(SignatureField::new("invoice_request", "signature").sighash(merkle_root), sighash);
    assert_eq!((sighash.message_name(), sighash.field_name()), ("invoice_request", "signature"));

    let secret = SecretKey::from_slice(&hex(case.secret_key.as_ref().unwrap())).unwrap();
    let key = Keypair::from_secret_key(SECP256K1, &secret);
    assert_eq!(Signer::public_key(&key).serialize().to_vec(), hex(case.public_key.as_ref().unwrap()));
    let signature = schnorr::Signature::from_slice(&hex(case.signature.as_ref().unwrap())).unwrap();
    let (x_only, _) = key.x_only_public_key();
    assert!(sighash.is_signed_by(&signature, &x_only));
    assert_eq!(Signer::sign(&key, &sighash), Ok(signature), "auxiliary randomness of 32 zero bytes");
}

#[test]
fn roots_of_one_to_many_leaves() {
    let file: SignatureFile = vectors("bolt12/signatures.json");
    assert_eq!(file.extra_roots.len(), 16);
    for case in &file.extra_roots {
        let bytes = hex(&case.tlv_hex);
        assert_eq!(our_root(&bytes, false), case.merkle_root, "{} leaves", case.leaves);
        assert_eq!(Stream::new(&bytes).unwrap().records().count(), case.leaves);
    }
}

/// Every field's tag, against the sentence of the specification and not the constants of the crate.
#[test]
fn tags_name_message_and_field() {
    let merkle_root = root::<LnAll>(Stream::new(&[8, 1, 7]).unwrap());
    for (field, tag) in [
        (SignatureField::OFFER, "lightningoffersignature"),
        (SignatureField::INVOICE, "lightninginvoicesignature"),
        (SignatureField::INVOICE_REFUND, "lightninginvoicerefund_signature"),
        (SignatureField::INVOICE_REQUEST, "lightninginvoice_requestsignature"),
        (SignatureField::PAYER_PROOF, "lightningpayer_proofproof_signature"),
        (SignatureField::new("payer_proof", "proof_signature"), "lightningpayer_proofproof_signature"),
    ] {
        let expected = naive::tagged(tag.as_bytes(), &merkle_root.to_byte_array());
        assert_eq!(field.sighash(merkle_root).to_byte_array(), expected, "{tag}");
    }
}

#[test]
fn ids_are_read_as_they_are_shown() {
    let text = "d361ea762ab79a95a12fca7d06b87253c335027dc1b82d30abf794d540885fe5";
    let id: OfferId = text.parse().unwrap();
    assert_eq!(id.to_string(), text);
    assert_eq!(format!("{id:?}"), format!("OfferId({text})"));
    assert_eq!(OfferId::from_byte_array(array(text)), id);
    assert_eq!(text.to_uppercase().parse(), Ok(id));
    for wrong in [
        "",
        "d361",
        text.strip_suffix('5').unwrap(),
        &format!("{text}0"),
        &text.replace('d', "g"),
        &text.replace('d', "é"),
    ] {
        assert!(wrong.parse::<OfferId>().is_err(), "{wrong}");
    }
}

/// Records of any types and values, signature types among them.
fn records() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    let number = prop_oneof![0..300u64, 230..1010u64, any::<u64>(), Just(u64::MAX)];
    btree_map(number, vec(any::<u8>(), 0..80), 0..40).prop_map(|records| {
        records.into_iter().map(|(number, value)| (number, naive::record(number, &value))).collect()
    })
}

proptest! {
    #[test]
    fn roots_agree_with_the_second_implementation(records in records()) {
        let bytes: Vec<u8> = records.iter().flat_map(|(_, raw)| raw.clone()).collect();
        let stream = Stream::new(&bytes).unwrap();
        prop_assert_eq!(root::<LnAll>(stream).to_byte_array(), naive::root(&records, naive::ln_all));
        prop_assert_eq!(root::<LnNonce>(stream).to_byte_array(), naive::root(&records, naive::ln_nonce));
    }
}
