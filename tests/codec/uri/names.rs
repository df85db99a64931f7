//! Names of BIP 353: the text, the name in DNS, the TXT records, the proofs in a PSBT.

use bolt12::field::Bip353Name;
use bolt12::uri::{DnssecProof, Instruction, PaymentUri, TxtError, UnverifiedName};
use serde::Deserialize;
use testkit::{hex, vectors};

use super::OFFER;

#[derive(Deserialize)]
struct File {
    dns_name_of_example: String,
    resolution: Vec<Resolution>,
    names: Vec<Name>,
    psbt_dnssec_proofs: Vec<Proof>,
}

#[derive(Deserialize)]
struct Resolution {
    name: String,
    records: Vec<Vec<String>>,
    verdict: String,
    uri: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    text: String,
    user: Option<String>,
    domain: Option<String>,
    verdict: String,
}

#[derive(Deserialize)]
struct Proof {
    name: String,
    addresses: Vec<String>,
    offer: Option<String>,
    note: String,
    psbt_value_hex: String,
}

fn file() -> File {
    let file: File = vectors("bip353/records.json");
    assert_eq!((file.resolution.len(), file.names.len(), file.psbt_dnssec_proofs.len()), (11, 13, 5));
    file
}

fn matt() -> Bip353Name<'static> {
    Bip353Name::new("₿matt@mattcorallo.com").unwrap()
}

#[test]
fn every_name_is_read_or_refused() {
    let file = file();
    assert_eq!(matt().dns_name(), file.dns_name_of_example);
    for case in file.names {
        let parsed = Bip353Name::new(&case.text);
        assert_eq!(parsed.is_ok(), case.verdict == "valid", "{}", case.text);
        if let Ok(name) = parsed {
            assert_eq!(
                (Some(name.name()), Some(name.domain())),
                (case.user.as_deref(), case.domain.as_deref())
            );
        }
        // A text with an @ is a name; without one it is none of anything.
        let pasted = PaymentUri::parse(&case.text);
        assert_eq!(pasted.is_ok(), parsed.is_ok(), "{}", case.text);
        if let Ok(uri) = pasted {
            let Some(Instruction::Name(name)) = uri.instructions().next() else { panic!("{}", case.text) };
            assert_eq!(name.name(), parsed.unwrap());
        }
    }
}

#[test]
fn every_set_of_records_resolves_or_is_refused_with_its_reason() {
    let mut reasons = [
        "several TXT records that begin with bitcoin: expected exactly one",
        "no TXT record that begins with bitcoin: expected exactly one",
        "no TXT record that begins with bitcoin: expected exactly one",
        "unreadable: lno: at byte 0: type 22 cut off after 8 bytes: expected 33",
        "a character-string of 326 bytes: expected at most 255",
        "no TXT record that begins with bitcoin: expected exactly one",
    ]
    .into_iter();
    for case in file().resolution {
        let answer = UnverifiedName::from_txt_records(matt(), &case.records);
        if case.verdict == "valid" {
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!(answer.name(), matt());
            assert_eq!(
                *answer.uri(),
                PaymentUri::parse(case.uri.as_ref().unwrap()).unwrap(),
                "{}",
                case.name
            );
            assert_eq!(answer.uri().offers().count(), 1, "{}", case.name);
            continue;
        }
        let reason = match answer {
            Err(error) => error.to_string(),
            Ok(answer) => format!("unreadable: {}", answer.uri().unreadable().next().unwrap().error()),
        };
        assert_eq!(Some(reason.as_str()), reasons.next(), "{}", case.name);
    }
    assert_eq!(reasons.next(), None);
}

#[test]
fn a_record_is_no_paste() {
    let resolve = |parts: &[&[u8]]| UnverifiedName::from_txt_records(matt(), [parts.to_vec()]);
    // What a paste may have around it, a record may not.
    let blank = format!("bitcoin:?lno={OFFER} ");
    let unreadable = resolve(&[blank.as_bytes()]).unwrap();
    assert_eq!(
        unreadable.uri().unreadable().next().unwrap().error().to_string(),
        "lno: white space at byte 60: expected a '+' before it"
    );
    assert_eq!(resolve(&[b"bitcoin:?label=\xff"]).unwrap_err(), TxtError::NotUtf8);
    assert_eq!(
        resolve(&[b"bitcoin:"]).unwrap_err().to_string(),
        "no payment instruction: expected an address or one of the keys lno, lightning, bc, tb, sp, pay"
    );
    let piece = [b'a'; 255];
    let mut long = vec![&b"bitcoin:"[..]];
    long.extend([&piece[..]; 260]);
    assert_eq!(
        resolve(&long).unwrap_err().to_string(),
        "a TXT record of more than 65535 bytes: expected at most that many"
    );
    // Strings of other records are not ours to count.
    let records = [vec![vec![b'v'; 300]], vec![format!("bitcoin:?lno={OFFER}").into_bytes()]];
    assert!(UnverifiedName::from_txt_records(matt(), records).is_ok());
}

/// The TXT records in the chain of a proof, in the form of RFC 9102: records of DNS one after the other, names
/// uncompressed. Nothing is validated.
fn txt_records(mut chain: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    while !chain.is_empty() {
        while chain[0] != 0 {
            chain = &chain[1 + usize::from(chain[0])..];
        }
        let kind = u16::from_be_bytes([chain[1], chain[2]]);
        let length = usize::from(u16::from_be_bytes([chain[9], chain[10]]));
        let mut data = &chain[11..11 + length];
        chain = &chain[11 + length..];
        if kind == 16 {
            let mut strings = Vec::new();
            while let Some((length, rest)) = data.split_first() {
                let (string, rest) = rest.split_at(usize::from(*length));
                strings.push(string.to_vec());
                data = rest;
            }
            found.push(strings);
        }
    }
    found
}

#[test]
fn the_records_in_every_proof_of_a_psbt_say_what_they_say() {
    for case in file().psbt_dnssec_proofs {
        let value = hex(&case.psbt_value_hex);
        let proof = DnssecProof::from_psbt_value(&value).unwrap();
        assert_eq!(proof.name().to_string(), case.name);
        assert_eq!(proof.to_psbt_value(), value);
        let answer = UnverifiedName::from_txt_records(proof.name(), txt_records(proof.records()));
        if case.note.contains("two records") {
            assert_eq!(answer.unwrap_err(), TxtError::SeveralRecords, "{}", case.name);
            continue;
        }
        let answer = answer.unwrap();
        let addresses: Vec<_> = answer
            .uri()
            .instructions()
            .filter(|one| matches!(one, Instruction::Address(_)))
            .map(ToString::to_string)
            .collect();
        assert_eq!(addresses, case.addresses, "{}", case.name);
        let offer = answer.uri().instructions().find(|one| one.key() == Some("lno"));
        assert_eq!(offer.map(ToString::to_string), case.offer, "{}", case.name);
        // The caller has validated it, or not: the types show which.
        let checked = answer.clone().with_checked_proof(proof.clone()).unwrap();
        assert_eq!(checked.to_string(), format!("₿{}", case.name));
        assert_eq!(checked.uri(), answer.uri());
        assert_eq!(checked.proof(), &proof);
    }
}

#[test]
fn a_proof_of_another_name_is_refused() {
    let answer = UnverifiedName::from_txt_records(matt(), [[format!("bitcoin:?lno={OFFER}")]]).unwrap();
    let proof = |name| DnssecProof::new(Bip353Name::new(name).unwrap(), vec![1]);
    assert!(answer.clone().with_checked_proof(proof("MATT@mattcorallo.COM")).is_ok());
    let error = answer.with_checked_proof(proof("matt@mattcorallo.org")).unwrap_err();
    assert_eq!(error.to_string(), "a proof of another name: expected one of the name that was looked up");
    for (value, message) in [
        (&b""[..], "a proof without DNS records: expected the name and DNS records"),
        (b"\x04a@b", "a proof without DNS records: expected the name and DNS records"),
        (b"\x03a@b", "a proof without DNS records: expected the name and DNS records"),
        (b"\x06\xe2\x82\xbfa@b", "unexpected '₿' in the name: expected letters, digits, '-', '_' and '.'"),
        (b"\x03a@\xff", "not UTF-8"),
        (b"\x01a", "no '@': expected name@domain"),
    ] {
        assert_eq!(DnssecProof::from_psbt_value(value).unwrap_err().to_string(), message);
    }
}
