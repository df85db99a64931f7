//! 49 strings that Core Lightning, eclair and lightning-kmp have published.

use bolt12::merkle::{LnNonce, root};
use bolt12::tlv::Stream;
use bolt12::{Invoice, InvoiceRequest, Offer};

use testkit::{hex, vectors};

/// Strings that are refused though nothing is signed or the signature holds, by their place in the file and with the
/// requirement that refuses them.
const REFUSED: &[(usize, &str, &str)] =
    &[(43, "R-O-27, R-T-8", "offer_currency (type 6) at byte 2: not UTF-8")];

#[test]
fn all_49_parse_unless_their_signature_or_a_requirement_says_otherwise() {
    let file: serde_json::Value = vectors("bolt12/interop_messages.json");
    let cases = file["cases"].as_array().unwrap();
    let mut signed = 0;
    for (index, case) in cases.iter().enumerate() {
        let text = case["string"].as_str().unwrap();
        let bytes = hex(case["tlv_hex"].as_str().unwrap());
        let parsed = match case["kind"].as_str().unwrap() {
            "offer" => text.parse::<Offer>().map(|message| message.as_bytes().to_vec()),
            "invoice_request" => text.parse::<InvoiceRequest>().map(|message| {
                assert!(message.signature().is_some());
                message.as_bytes().to_vec()
            }),
            "invoice" => text.parse::<Invoice>().map(|message| message.as_bytes().to_vec()),
            kind => panic!("{kind}"),
        };
        let merkle_root = root::<LnNonce>(Stream::new(&bytes).unwrap()).to_string();
        assert_eq!(merkle_root, case["merkle_root"].as_str().unwrap(), "{index}");
        let refused = REFUSED.iter().find(|(place, _, _)| *place == index);
        match (parsed, case["signature_valid"].as_bool(), refused) {
            (Err(error), _, Some((_, _, reason))) => assert_eq!(error.to_string(), *reason, "{index}"),
            (Ok(parsed), valid, None) if valid != Some(false) => {
                assert_eq!(parsed, bytes, "{index}");
                signed += usize::from(valid == Some(true));
            }
            (Err(error), Some(false), None) => {
                let error = error.to_string();
                assert!(error.contains("not a valid signature by invoice_node_id"), "{index}: {error}");
            }
            (parsed, valid, _) => panic!("{index}: {parsed:?} where the signature is {valid:?}"),
        }
    }
    assert_eq!((cases.len(), signed), (49, 25));
}
