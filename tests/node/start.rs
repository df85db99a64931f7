//! What a program asks the node at its start.

use bitcoin::constants::ChainHash;
use bolt12::node::Cln;
use bolt12::node::cln::{ClnError, NodeInfo};
use serde_json::{Value, json};
use testkit::cln::{Answer, FakeCln};
use testkit::vectors;

/// The recorded `getinfo`, with another version.
fn info(version: &str) -> Value {
    let file: Value = vectors("bolt12/cln_live.json");
    let mut info = file["rpc_manual"][0]["answer"]["result"].clone();
    info["version"] = version.into();
    info
}

fn ready(version: &str, autoclean: &Answer) -> Result<NodeInfo, ClnError> {
    let (info, autoclean) = (info(version), autoclean.clone());
    let node = FakeCln::start(move |method, _| match method {
        "getinfo" => Answer::Result(info.clone()),
        "autoclean-status" => autoclean.clone(),
        _ => panic!("{method}"),
    });
    Cln::new(node.socket()).ready(300)
}

/// What `autoclean-status` returns.
fn autoclean(succeeded: &Value, failed: &Value) -> Answer {
    Answer::Result(json!({ "autoclean": { "succeededpays": succeeded, "failedpays": failed } }))
}

#[test]
fn a_node_is_ready_that_keeps_its_payments() {
    let off = json!({ "enabled": false, "cleaned": 7 });
    let late = json!({ "enabled": true, "age": 301, "cleaned": 0 });
    for status in
        [autoclean(&off, &off), autoclean(&late, &late), Answer::Error(-32601, "Unknown command".into())]
    {
        let info = ready("v26.06.6", &status).unwrap();
        assert_eq!(info.id.to_string(), "031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f");
        assert_eq!(info.chain, Some(ChainHash::REGTEST));
        assert_eq!(info.version, "v26.06.6");
    }
}

#[test]
fn a_node_is_refused_that_deletes_payments_before_recovery_is_done_with_them() {
    let off = json!({ "enabled": false, "cleaned": 7 });
    let early = json!({ "enabled": true, "age": 300, "cleaned": 0 });
    assert_eq!(
        ready("v26.06.6", &autoclean(&early, &off)).unwrap_err().to_string(),
        "the node deletes succeeded payments after 300 seconds, expected more than 300 \
         (autoclean-succeededpays-age)"
    );
    assert_eq!(
        ready("v26.06.6", &autoclean(&off, &json!({ "enabled": true }))).unwrap_err().to_string(),
        "the node deletes failed payments after 0 seconds, expected more than 300 (autoclean-failedpays-age)"
    );
    let refused = ready("v26.06.6", &Answer::Error(-1, "no".into())).unwrap_err();
    assert_eq!(refused.to_string(), "autoclean-status: error -1: no");
}

#[test]
fn a_node_without_xpay_is_refused() {
    let off = json!({ "enabled": false, "cleaned": 7 });
    let status = autoclean(&off, &off);
    for old in ["v24.08.2", "v23.11", "0.12.1", "24.8"] {
        assert_eq!(
            ready(old, &status).unwrap_err().to_string(),
            format!("the node has version {old}, expected v24.11 or newer")
        );
    }
    for new in ["v24.11", "v25.02.1", "v26.06.6-23-gabcdef", "a build of my own"] {
        assert_eq!(ready(new, &status).unwrap().version, new);
    }
}

#[test]
fn an_answer_without_the_key_of_the_node_is_not_understood() {
    let node = FakeCln::start(|_, _| Answer::Result(json!({ "id": "02", "version": "v26.06" })));
    let error = Cln::new(node.socket()).info().unwrap_err();
    assert_eq!(error.to_string(), "getinfo: the answer is not understood: no id");
}
