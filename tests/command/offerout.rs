//! The documented calls against what Core Lightning answered: all of `offerout.json` and `offerout_errors.json`.

use bitcoin::Network;
use bitcoin::constants::ChainHash;
use bolt12::command::{
    CommandError, OfferOut, OfferOutParams, SendInvoiceParams, disableoffer, listoffers, offerout,
    sendinvoice,
};
use bolt12::payout::{Ledger, MemoryStore, Preimage};
use bolt12::{Amount, Msat, OfferId, draft};
use secp256k1::{Keypair, SECP256K1};
use serde_json::{Value, json};
use testkit::vectors;

/// Cases of `offerout.json` that we refuse, and why. In all others every byte is the same.
const REFUSED: [(&str, &str); 31] = [
    ("002", "a unit CLN matched by its beginning: 501msatoshi"),
    ("004", "zero is not positive"),
    ("006", "a unit CLN matched by its beginning: 918satoshis"),
    ("009", "text after the unit: 3btc please"),
    ("013", "more than 21 000 000 BTC"),
    ("014", "zero is not positive"),
    ("016", "zero is not positive"),
    ("018", "a unit CLN matched by its beginning: 182satoshis"),
    ("023", "more than 21 000 000 BTC"),
    ("025", "zero is not positive"),
    ("026", "more than 21 000 000 BTC"),
    ("027", "more than 21 000 000 BTC"),
    ("029", "a unit CLN matched by its beginning: 95sats"),
    ("030", "a point without decimal places: 7.btc"),
    ("035", "more than 21 000 000 BTC"),
    ("037", "zero is not positive"),
    ("043", "zero is not positive"),
    ("047", "a unit CLN matched by its beginning: 500msatoshi"),
    ("050", "more than 21 000 000 BTC"),
    ("052", "a point without decimal places: 1.btc"),
    ("056", "more than 21 000 000 BTC"),
    ("058", "zero is not positive"),
    ("059", "zero is not positive"),
    ("062", "zero is not positive"),
    ("070", "zero is not positive"),
    ("071", "a unit CLN matched by its beginning: 846msatoshi"),
    ("072", "a unit CLN matched by its beginning: 734msatoshi"),
    ("073", "more than 21 000 000 BTC"),
    ("074", "zero is not positive"),
    ("076", "zero is not positive"),
    ("077", "more than 21 000 000 BTC"),
];

/// Before every expiry of the vectors but those of 0.
const NOW: u64 = 0;

#[test]
fn every_offer_is_byte_for_byte_core_lightnings() {
    let file: Value = vectors("draft/offerout.json");
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 78);
    let mut refused = Vec::new();
    for case in cases {
        let id = case["id"].as_str().unwrap().trim_start_matches("offerout-pub-");
        let ledger = Ledger::new(MemoryStore::new());
        match run(&ledger, case, NOW) {
            Ok(result) => {
                assert_eq!(result.offer_id.to_string(), case["offer_id"].as_str().unwrap(), "{id}");
                assert_eq!(result.bolt12, case["bolt12_aux_zero"].as_str().unwrap(), "{id}");
                assert_eq!(result.bolt12_unsigned, case["bolt12_unsigned"].as_str().unwrap(), "{id}");
                assert_eq!(result.label.as_deref(), case["label"].as_str(), "{id}");
                let mut json = serde_json::to_value(&result).unwrap();
                let members = json.as_object_mut().unwrap();
                for variable in ["offer_id", "bolt12", "bolt12_unsigned"] {
                    assert!(members.remove(variable).is_some(), "{id}");
                }
                assert_eq!(json, case["rpc_result"], "{id}");
            }
            Err(error) => {
                assert_eq!(error.code(), -1, "{id}");
                assert_eq!(
                    listoffers(&ledger, None, false, NOW).unwrap().offers,
                    [],
                    "{id}: nothing is created"
                );
                refused.push(id.to_owned());
            }
        }
    }
    let expected: Vec<&str> = REFUSED.iter().map(|(id, _)| *id).collect();
    assert_eq!(refused, expected);
}

fn run(ledger: &Ledger<MemoryStore>, case: &Value, now: u64) -> Result<OfferOut, CommandError> {
    let key = Keypair::from_seckey_str(SECP256K1, case["node_secret_key"].as_str().unwrap()).unwrap();
    let amount = match &case["amount"] {
        Value::String(text) => text.parse::<Amount>()?,
        number => number.to_string().parse()?,
    };
    let refund_for = case["refund_for_invoice"].as_str().map(str::parse::<draft::Invoice>).transpose();
    let refund_for = refund_for.map_err(CommandError::RefundFor)?;
    let params = OfferOutParams {
        issuer: case["issuer"].as_str(),
        label: case["label"].as_str(),
        absolute_expiry: case["absolute_expiry"].as_str().map(|text| text.parse().unwrap()),
        refund_for: refund_for.as_ref(),
        chain: chain(case),
        ..OfferOutParams::new(amount, case["description"].as_str().unwrap())
    };
    offerout(ledger, &key, &params, now)
}

fn chain(case: &Value) -> ChainHash {
    ChainHash::using_genesis_block_const(match case["chain"].as_str().unwrap() {
        "bitcoin" => Network::Bitcoin,
        "testnet" => Network::Testnet,
        "signet" => Network::Signet,
        "regtest" => Network::Regtest,
        other => panic!("chain {other}"),
    })
}

/// Calls that cannot be written in our interface: its types are what CLN's checks are.
const NOT_EXPRESSIBLE: [(&str, &str); 11] = [
    ("008", "amount is an argument of OfferOutParams::new"),
    ("009", "description is an argument of OfferOutParams::new"),
    ("010", "both are arguments of OfferOutParams::new"),
    ("011", "both are arguments of OfferOutParams::new"),
    ("012", "an Amount is never null"),
    ("013", "a &str is never null"),
    ("014", "a &str is never a boolean"),
    ("015", "a &str has no escapes; the six characters backslash, u, 0041 are a text like any other"),
    ("016", "there is no such field"),
    ("017", "a field is given once"),
    ("025", "parameters are a struct"),
];

/// What we answer where CLN answers -32602 ("invalid parameters"), a code of its JSON interface; ours is the
/// documented catch-all, -1.
const PARAMETER_ERRORS: [(&str, &str); 15] = [
    ("001", "amount: unexpected 'l' at character 0: expected a digit or 'any'"),
    (
        "002",
        "amount: unexpected 'e' at character 1: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    ("003", "amount: unexpected 't' at character 0: expected a digit or 'any'"),
    ("004", "amount: unexpected 'n' at character 0: expected a digit or 'any'"),
    ("005", "amount: unexpected '{' at character 0: expected a digit or 'any'"),
    ("006", "amount: unexpected 'A' at character 0: expected a digit or 'any'"),
    (
        "007",
        "amount: unexpected 'U' at character 2: expected a digit, '.', or one of the units msat, sat, btc in lower case",
    ),
    ("018", "absolute_expiry is a u64"),
    ("019", "absolute_expiry is a u64"),
    ("020", "refund_for: no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1"),
    ("021", "refund_for: unknown prefix \"35ba\": expected lni"),
    ("022", "refund_for: signature (type 240): missing"),
    ("023", "refund_for: the invoice is for bitcoin, expected testnet"),
    ("024", "refund_for: prefix lno (offer) where lni (invoice) is expected"),
    ("026", "vendor, the old name of issuer, is no field"),
];

#[test]
fn every_parameter_error_is_one_here_too() {
    let cases = error_cases();
    let key = |case: &Value| {
        Keypair::from_seckey_str(SECP256K1, case["node_secret_key"].as_str().unwrap()).unwrap()
    };
    for case in &cases[..26] {
        let id = case["id"].as_str().unwrap().trim_start_matches("offererr-pub-");
        assert_eq!((case["ok"].as_bool(), case["code"].as_i64()), (Some(false), Some(-32602)), "{id}");
        if NOT_EXPRESSIBLE.iter().any(|(known, _)| *known == id) {
            continue;
        }
        let (_, expected) =
            PARAMETER_ERRORS.iter().find(|(known, _)| *known == id).unwrap_or_else(|| panic!("{id}"));
        // The raw tokens matter: 1e3 is a token that JSON readers would turn into a number.
        let params = case["rpc_params_json"].as_str().unwrap();
        let token = |name: &str| {
            let (_, rest) = params.split_once(&format!("\"{name}\":"))?;
            let token = match rest.strip_prefix('"') {
                Some(text) => text.split('"').next(),
                None if rest.starts_with("{}") => Some("{}"),
                None => rest.split([',', '}']).next(),
            };
            token.map(str::to_owned)
        };
        let ledger = Ledger::new(MemoryStore::new());
        let answer = (|| {
            let amount: Amount = token("amount").unwrap().parse()?;
            let refund_for =
                token("refund_for").map(|text| text.parse()).transpose().map_err(CommandError::RefundFor)?;
            let params = OfferOutParams {
                refund_for: refund_for.as_ref(),
                chain: chain(case),
                ..OfferOutParams::new(amount, "d")
            };
            offerout(&ledger, &key(case), &params, NOW)
        })();
        match answer {
            Err(error) => {
                assert_eq!(error.code(), -1, "{id}");
                assert_eq!(error.to_string(), *expected, "{id}");
            }
            // What is wrong with these has no place in the parameters.
            Ok(_) => assert!(["018", "019", "026"].contains(&id), "{id}"),
        }
    }
}

#[test]
fn every_answer_by_state_is_core_lightnings() {
    let cases = error_cases();
    let key = Keypair::from_seckey_str(SECP256K1, cases[26]["node_secret_key"].as_str().unwrap()).unwrap();
    let ledger = Ledger::new(MemoryStore::new());
    for case in &cases[26..] {
        let id = case["id"].as_str().unwrap().trim_start_matches("offererr-pub-");
        let params: Value = serde_json::from_str(case["rpc_params_json"].as_str().unwrap()).unwrap();
        let text = |name: &str| params[name].as_str();
        if id == "036" {
            pay_the_offer_of_two_sat(&ledger, &key, chain(case));
        }
        let offer_id = text("offer_id").map(|id| id.parse::<OfferId>().unwrap());
        let answer = match case["method"].as_str().unwrap() {
            "offerout" => {
                let params = OfferOutParams {
                    label: text("label"),
                    chain: chain(case),
                    ..OfferOutParams::new(
                        text("amount").unwrap().parse().unwrap(),
                        text("description").unwrap(),
                    )
                };
                offerout(&ledger, &key, &params, NOW).map(|result| json!(result))
            }
            "listoffers" => {
                listoffers(&ledger, offer_id, params["active_only"].as_bool().unwrap_or_default(), NOW)
                    .map(|list| json!(list))
            }
            "disableoffer" => disableoffer(&ledger, offer_id.unwrap(), NOW).map(|offer| json!(offer)),
            other => panic!("{other}"),
        };
        match answer {
            Ok(answer) => {
                assert_eq!(without_signatures(answer), without_signatures(case["result"].clone()), "{id}")
            }
            Err(error) => assert_eq!(Some(i64::from(error.code())), case["code"].as_i64(), "{id}: {error}"),
        }
    }
}

/// The vector's signatures are those of v0.10, with another nonce than ours; `offerout.json` has both.
fn without_signatures(mut answer: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("bolt12");
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut answer);
    answer
}

fn pay_the_offer_of_two_sat(ledger: &Ledger<MemoryStore>, key: &Keypair, chain: ChainHash) {
    let params = OfferOutParams { chain, ..OfferOutParams::new("2sat".parse().unwrap(), "used") };
    let offer: draft::Offer = offerout(ledger, key, &params, NOW).unwrap().bolt12_unsigned.parse().unwrap();
    let preimage = Preimage::from_byte_array([1; 32]);
    let params = SendInvoiceParams::new("payee's", preimage.payment_hash());
    let answer = sendinvoice(&offer, key, None, &params, NOW).unwrap();
    let invoice: draft::Invoice = answer.bolt12.parse().unwrap();
    let claim = ledger.claim(&invoice, NOW).unwrap();
    let _ = ledger.settle(claim.payment_hash(), preimage, NOW).unwrap();
}

fn error_cases() -> Vec<Value> {
    let file: Value = vectors("draft/offerout_errors.json");
    let cases = file["cases"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 38);
    cases
}

#[test]
fn an_offer_with_another_limit_is_not_given_back() {
    let ledger = Ledger::new(MemoryStore::new());
    let key = Keypair::from_seckey_slice(SECP256K1, &[7; 32]).unwrap();
    let unlimited = OfferOutParams::new(Amount::Any, "any amount");
    let limited = OfferOutParams { limit: Some(Msat::new(1_000).unwrap()), ..unlimited.clone() };
    let id = offerout(&ledger, &key, &unlimited, NOW).unwrap().offer_id;
    let error = offerout(&ledger, &key, &limited, NOW).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        (1000, format!("offer {id} already exists, with no limit"))
    );

    let ledger = Ledger::new(MemoryStore::new());
    assert!(offerout(&ledger, &key, &limited, NOW).unwrap().created);
    assert!(!offerout(&ledger, &key, &limited, NOW).unwrap().created);
    let error = offerout(&ledger, &key, &unlimited, NOW).unwrap_err();
    assert_eq!(error.to_string(), format!("offer {id} already exists, with a limit of 1000msat"));
}

#[test]
fn the_payees_label_has_the_bound_of_every_label() {
    let key = Keypair::from_seckey_str(SECP256K1, &"07".repeat(32)).unwrap();
    let ledger = Ledger::new(MemoryStore::new());
    let params = OfferOutParams::new("1sat".parse().unwrap(), "d");
    let offer: draft::Offer = offerout(&ledger, &key, &params, NOW).unwrap().bolt12.parse().unwrap();
    let hash = Preimage::from_byte_array([1; 32]).payment_hash();
    let answer = |length| {
        let label = "x".repeat(length);
        sendinvoice(&offer, &key, None, &SendInvoiceParams::new(&label, hash), NOW)
            .map(|sent| sent.label.len())
    };
    assert_eq!(answer(1024), Ok(1024));
    let error = answer(1025).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        (-1, "label: 1025 bytes, expected at most 1024".to_owned())
    );
}
