//! The plugin for Core Lightning, `examples/cln_plugin`, run as the node runs it: recorded hooks on its stdin, a stand-in
//! for the node at its socket.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bitcoin::hashes::{Hash, sha256};
use bolt12::blinding::{HopData, unblind};
use bolt12::draft::Offer;
use bolt12::field::FirstNode;
use bolt12::payout::{Ledger, RedbStore, Terms};
use bolt12::tlv::{Stream, Writer};
use bolt12::{Invoice, InvoiceError, InvoiceRequest};
use secp256k1::{Keypair, SECP256K1, SecretKey};
use serde_json::{Value, json};
use testkit::cln::{Answer, FakeCln};
use testkit::{hex, vectors};

use crate::core_lightning::{World, invoice, node, node_key, now};

/// The plugin's process.
struct Plugin {
    child: Child,
    /// `None` once it was closed.
    stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    answers: BTreeMap<String, Value>,
    number: usize,
}

fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples/cln_plugin");
    path
}

impl Plugin {
    /// Starts the process, as a node of this version does.
    fn spawn(version: &str) -> Self {
        let mut command = Command::new(program());
        command.env("LIGHTNINGD_VERSION", version).env("LIGHTNINGD_PLUGIN", "1");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, mut stdout) = (child.stdin.take(), child.stdout.take().unwrap());
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            let (mut buffer, mut chunk) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = stdout.read(&mut chunk) {
                buffer.extend_from_slice(&chunk[..count]);
                // Each message is JSON and ends in an empty line, or the node ends the plugin.
                while let Some(end) = buffer.windows(2).position(|pair| pair == b"\n\n") {
                    let message = serde_json::from_slice(&buffer[..end]).unwrap();
                    buffer.drain(..end + 2);
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            }
        });
        Self { child, stdin, messages, answers: BTreeMap::new(), number: 0 }
    }

    /// Starts the process and initialises it.
    fn start(node: &FakeCln, options: &Value) -> Self {
        let mut plugin = Self::spawn("v26.06.6");
        plugin.call("getmanifest", &json!({ "allow-deprecated-apis": false }));
        let answer = plugin.call("init", &init(node.directory(), options));
        assert_eq!(answer["result"], json!({}), "{answer}");
        plugin
    }

    fn send(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().unwrap();
        write!(stdin, "{message}\n\n").unwrap();
        stdin.flush().unwrap();
    }

    /// Calls a method, and waits for the answer.
    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        let id = json!(format!("cln:{method}#{}", self.number));
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.answer(&id)
    }

    /// The result of a method.
    fn result(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.call(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// The code and the sentence of a method's error.
    fn error(&mut self, method: &str, params: &Value) -> (i64, String) {
        let answer = self.call(method, params);
        let error = answer.get("error").unwrap_or_else(|| panic!("{answer}"));
        (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
    }

    /// Waits for the answer with this id. Lines for the log are passed over.
    fn answer(&mut self, id: &Value) -> Value {
        loop {
            if let Some(answer) = self.answers.remove(&id.to_string()) {
                return answer;
            }
            let message = self.messages.recv_timeout(Duration::from_secs(60)).unwrap();
            if message.get("method").is_none() {
                self.answers.insert(message["id"].to_string(), message);
            }
        }
    }

    /// Sends a hook with an invoice in it, without waiting.
    fn hook(&mut self, number: usize, invoice: &Invoice) -> Value {
        let mut hook = hooks()[number].clone();
        self.number += 1;
        hook["id"] = json!(format!("cln:hook#{}", self.number));
        let invoice: String = invoice.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        hook["params"]["onion_message"]["invoice"] = invoice.into();
        self.send(&hook);
        hook["id"].clone()
    }

    /// The status of each payout.
    fn statuses(&mut self) -> Vec<String> {
        let listed = self.result("payouts", &json!([]));
        assert_eq!(listed["unreadable"], json!([]));
        let payouts = listed["payouts"].as_array().unwrap();
        payouts.iter().map(|payout| payout["status"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until all payouts have this status.
    fn wait_for(&mut self, status: &str) {
        let begun = Instant::now();
        loop {
            let statuses = self.statuses();
            if statuses.iter().all(|found| found == status) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{statuses:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn init(directory: &Path, options: &Value) -> Value {
    json!({
        "options": options,
        "configuration": {
            "lightning-dir": directory, "rpc-file": "lightning-rpc", "startup": true, "network": "regtest",
        },
    })
}

/// The recorded hooks.
fn hooks() -> Vec<Value> {
    let file: Value = vectors("bolt12/cln_live.json");
    let exchanges = file["plugin"]["exchanges"].as_array().unwrap();
    let hooks = exchanges.iter().map(|exchange| &exchange["json"]);
    hooks.filter(|message| message.get("method").is_some()).cloned().collect()
}

/// Waits until the world is as it should be.
fn until(world: &Mutex<World>, holds: impl Fn(&World) -> bool) {
    let begun = Instant::now();
    while !holds(&world.lock().unwrap()) {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(10));
    }
}

fn payments(world: &Mutex<World>) -> Vec<usize> {
    world.lock().unwrap().paid.values().copied().collect()
}

#[test]
fn the_manifest_takes_invoices_before_the_node_does_and_is_not_dynamic() {
    let mut plugin = Plugin::spawn("v26.06.6");
    let manifest = plugin.result("getmanifest", &json!({}));
    let file: Value = vectors("bolt12/cln_live.json");
    let recorded = &file["plugin"]["getmanifest_result"];
    for member in ["hooks", "dynamic", "nonnumericids"] {
        assert_eq!(manifest[member], recorded[member], "{member}");
    }
    let methods: Vec<_> = manifest["rpcmethods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|method| method["name"].as_str().unwrap())
        .collect();
    assert_eq!(methods, ["offerout", "payouts", "payout-disable", "payout-recover"]);
    assert!(manifest["rpcmethods"].as_array().unwrap().iter().all(|method| method["usage"].is_string()));
    assert_eq!(manifest.get("disable"), None);
    // A number as id is repeated as a number.
    plugin.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": "getmanifest", "params": {} }));
    assert_eq!(plugin.answer(&json!(7))["id"], 7);
}

#[test]
fn a_node_that_cannot_pay_disables_the_plugin_with_a_reason() {
    let mut plugin = Plugin::spawn("v24.08.2");
    let manifest = plugin.result("getmanifest", &json!({}));
    assert_eq!(manifest["disable"], "the node has version v24.08.2, expected v24.11 or newer");

    let node = FakeCln::start(|method, _| match method {
        "getinfo" => Answer::Result(json!({
            "id": node_key().public_key().to_string(), "network": "regtest", "version": "v26.06.6",
        })),
        _ => Answer::Result(json!({ "autoclean": { "succeededpays": { "enabled": true, "age": 60 } } })),
    });
    let mut plugin = Plugin::spawn("v26.06.6");
    let answer = plugin.result("init", &init(node.directory(), &json!({})));
    assert_eq!(
        answer["disable"],
        "the node deletes succeeded payments after 60 seconds, expected more than 300 \
         (autoclean-succeededpays-age)"
    );
    assert_eq!(plugin.error("payouts", &json!([])), (-1, "not initialised".to_owned()));
    let answer = plugin.result("init", &init(node.directory(), &json!({ "payouts-max-fee": "5sats" })));
    assert!(answer["disable"].as_str().unwrap().starts_with("payouts-max-fee: "), "{answer}");
}

#[test]
fn a_withdrawal_is_paid_once_and_the_second_payee_reads_why_it_was_not() {
    let world = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({ "payouts-max-fee": "7sat" }));
    let made = plugin.result("offerout", &json!(["100000sat", "withdrawal 17"]));
    assert_eq!(
        (&made["created"], &made["active"], &made["used"]),
        (&json!(true), &json!(true), &json!(false))
    );
    // The same by name returns the same request.
    let params = json!({ "description": "withdrawal 17", "amount": 100_000_000, "label": null });
    let again = plugin.result("offerout", &params);
    assert_eq!((&again["created"], &again["bolt12"]), (&json!(false), &made["bolt12"]));
    let request = made["bolt12_signed"].as_str().unwrap().to_owned();
    let read: InvoiceRequest = request.parse().unwrap();
    assert_eq!(read.invreq_payer_id(), node_key().public_key());
    assert_eq!(plugin.statuses(), ["active"]);

    let id = plugin.hook(0, &invoice(&request, 1));
    assert_eq!(plugin.answer(&id)["result"], json!({ "result": "resolve" }));
    plugin.wait_for("used");
    assert_eq!(payments(&world), [1]);
    let xpay = world.lock().unwrap().xpays[0].clone();
    assert_eq!(xpay["maxfee"], 7000);
    assert_eq!(xpay.get("localinvreqid"), None);

    // The same invoice again is left alone; another one is refused.
    let id = plugin.hook(0, &invoice(&request, 1));
    assert_eq!(plugin.answer(&id)["result"], json!({ "result": "resolve" }));
    let id = plugin.hook(1, &invoice(&request, 2));
    assert_eq!(plugin.answer(&id)["result"], json!({ "result": "resolve" }));
    until(&world, |world| !world.injected.is_empty());
    let refused = read_onion(&world.lock().unwrap(), 0, &hooks()[1]);
    assert_eq!(refused.error().unwrap().to_string(), "invoice request already paid");
    assert_eq!(payments(&world), [1]);
    assert_eq!(
        plugin.error("offerout", &json!(["100000sat", "withdrawal 17"])),
        (
            1000,
            format!(
                "invoice request {} already exists, but isn't active",
                made["invreq_id"].as_str().unwrap()
            )
        )
    );
}

/// Opens an onion as the hops of the reply path do, and returns the message for its end.
fn read_onion(world: &World, number: usize, hook: &Value) -> InvoiceError {
    let reply = &hook["params"]["onion_message"]["reply_blindedpath"];
    let onion = &world.onions[number];
    assert_eq!(onion["assocdata"], "");
    let hops = onion["hops"].as_array().unwrap();
    // The first hop is this node's own: it leads to the first node of the path.
    let records = |hop: &Value| {
        let payload = hex(hop["payload"].as_str().unwrap());
        let (length, rest) = payload.split_first().unwrap();
        assert_eq!(usize::from(*length), rest.len());
        let stream = Stream::new(rest).unwrap();
        stream.records().map(|record| (record.number(), record.value().to_vec())).collect::<BTreeMap<_, _>>()
    };
    let path_key = world.injected[number].parse().unwrap();
    let first = records(&hops[0]);
    assert_eq!(first.keys().copied().collect::<Vec<_>>(), [4]);
    let opened = unblind(&node_key().secret_key(), &path_key, &first[&4]).unwrap();
    let data = HopData::read(&opened.data).unwrap();
    assert_eq!(data.next_node_id.unwrap().to_string(), reply["first_node_id"].as_str().unwrap());
    assert_eq!(data.next_path_key_override.unwrap().to_string(), reply["first_path_key"].as_str().unwrap());
    let blinded = Keypair::from_secret_key(SECP256K1, &opened.blinded_secret).public_key();
    assert_eq!(hops[0]["pubkey"], blinded.to_string());
    // The others are those of the path.
    let theirs = reply["hops"].as_array().unwrap();
    assert_eq!(hops.len(), theirs.len() + 1);
    for (place, (ours, theirs)) in hops[1..].iter().zip(theirs).enumerate() {
        assert_eq!(ours["pubkey"], theirs["blinded_node_id"]);
        let read = records(ours);
        assert_eq!(read[&4], hex(theirs["encrypted_recipient_data"].as_str().unwrap()));
        let is_last = place + 2 == hops.len();
        assert_eq!(read.keys().copied().collect::<Vec<_>>(), if is_last { vec![4, 68] } else { vec![4] });
    }
    InvoiceError::try_from(records(hops.last().unwrap())[&68].clone()).unwrap()
}

#[test]
fn recorded_hooks_are_taken_where_the_payout_is_ours_and_passed_on_where_it_is_not() {
    let world = Arc::default();
    let node = node(&world);
    // The recorded payouts, whose invoices have expired by now.
    let ledger = Ledger::new(RedbStore::open_or_create(node.directory().join("payouts.redb")).unwrap().store);
    let hooks = hooks();
    assert_eq!(hooks.len(), 7);
    for hook in &hooks[..5] {
        let bytes = hex(hook["params"]["onion_message"]["invoice"].as_str().unwrap());
        let mut writer = Writer::new();
        writer.copy(Stream::new(&bytes).unwrap().records().filter(|record| record.number() < 160));
        let request = InvoiceRequest::try_from(writer.into_bytes()).unwrap();
        let _ = ledger.create(&Terms::invoice_request(request).unwrap(), now()).unwrap();
    }
    drop(ledger);
    let mut plugin = Plugin::start(&node, &json!({}));
    assert_eq!(plugin.statuses(), ["active"; 3]);
    for hook in &hooks {
        plugin.send(hook);
    }
    let results: Vec<Value> =
        hooks.iter().map(|hook| plugin.answer(&hook["id"])["result"]["result"].clone()).collect();
    // The third and the fourth came over a path of another program, the last two are for requests of the node itself.
    assert_eq!(results, ["resolve", "resolve", "continue", "continue", "resolve", "continue", "continue"]);
    until(&world, |world| world.injected.len() == 3);
    let world = world.lock().unwrap();
    // The refusals are sent by several threads: each goes over the path of its own hook.
    for hook in [&hooks[0], &hooks[1], &hooks[4]] {
        let end = &hook["params"]["onion_message"]["reply_blindedpath"]["hops"][0]["blinded_node_id"];
        let number = world.onions.iter().position(|onion| onion["hops"][1]["pubkey"] == *end).unwrap();
        let own = world.onions[number]["hops"][0]["pubkey"].as_str().unwrap().to_owned();
        assert_eq!(world.onions.iter().filter(|onion| onion["hops"][0]["pubkey"] == own).count(), 1);
    }
    assert!(world.paid.is_empty());
}

#[test]
fn the_recorded_refusal_has_the_hops_that_ours_has() {
    // The hops that were recorded for a hook, but for the first one, whose session was random.
    let file: Value = vectors("bolt12/cln_live.json");
    let exchanges = file["plugin"]["exchanges"].as_array().unwrap();
    let recorded: Vec<&Value> =
        exchanges.iter().filter(|exchange| exchange["what"] == "createonion").collect();
    assert_eq!(recorded.len(), 3);
    let world = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({}));
    let made = plugin.result("offerout", &json!(["100sat", "twice"]));
    let request = made["bolt12_signed"].as_str().unwrap();
    world.lock().unwrap().stalls = true;
    let first = plugin.hook(0, &invoice(request, 1));
    plugin.answer(&first);
    until(&world, |world| world.xpays.len() == 1);
    // The recorded hook 1 was refused while hook 0 was being paid. So is this one.
    let second = plugin.hook(1, &invoice(request, 2));
    plugin.answer(&second);
    until(&world, |world| world.injected.len() == 1);
    let world = world.lock().unwrap();
    let error = read_onion(&world, 0, &hooks()[1]);
    assert_eq!(error.error().unwrap().to_string(), "another invoice for this invoice request is being paid");
    let (ours, theirs) = (&world.onions[0]["hops"][1], &recorded[0]["json"]["request"]["hops"][1]);
    assert_eq!(ours["pubkey"], theirs["pubkey"]);
    // Length, and the record of the encrypted data; then type 68 with the text, which names a request now.
    let payload = |hop: &Value| hex(hop["payload"].as_str().unwrap());
    assert_eq!(payload(ours)[1..54], payload(theirs)[1..54]);
}

#[test]
fn two_hundred_hooks_at_once_lead_to_one_payment_of_each_payout() {
    let world = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({}));
    let requests: Vec<String> = (0..20)
        .map(|number| {
            let made = plugin.result("offerout", &json!(["100sat", format!("withdrawal {number}")]));
            made["bolt12_signed"].as_str().unwrap().to_owned()
        })
        .collect();
    // Ten invoices for each of twenty payouts, all mixed.
    let ids: Vec<Value> = (0..200)
        .map(|number| {
            let request = &requests[usize::try_from(number % 20).unwrap()];
            plugin.hook(usize::try_from(number % 5).unwrap(), &invoice(request, number))
        })
        .collect();
    for id in ids {
        assert_eq!(plugin.answer(&id)["result"], json!({ "result": "resolve" }));
    }
    plugin.wait_for("used");
    assert_eq!(payments(&world), [1; 20]);
    // Every other payee is refused.
    until(&world, |world| world.injected.len() == 180);
}

#[test]
fn a_plugin_that_is_killed_in_the_middle_pays_once() {
    let world: Arc<Mutex<World>> = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({}));
    let made = plugin.result("offerout", &json!(["100sat", "killed"]));
    let request = made["bolt12_signed"].as_str().unwrap().to_owned();
    // The node pays, and the plugin dies before it hears of it.
    world.lock().unwrap().stalls = true;
    let id = plugin.hook(0, &invoice(&request, 1));
    plugin.answer(&id);
    until(&world, |world| world.xpays.len() == 1);
    assert_eq!(plugin.statuses(), ["claimed"]);
    plugin.kill();
    world.lock().unwrap().stalls = false;
    let mut plugin = Plugin::start(&node, &json!({}));
    plugin.wait_for("used");
    assert_eq!((payments(&world), world.lock().unwrap().xpays.len()), (vec![1], 1));

    // It dies after the claim was made, before the node was asked to pay.
    let made = plugin.result("offerout", &json!(["100sat", "killed earlier"]));
    let request: InvoiceRequest = made["bolt12"].as_str().unwrap().parse().unwrap();
    plugin.kill();
    let ledger = Ledger::new(RedbStore::open_or_create(node.directory().join("payouts.redb")).unwrap().store);
    drop(ledger.claim(&invoice(&request.to_string(), 2), now()).unwrap());
    drop(ledger);
    let mut plugin = Plugin::start(&node, &json!({}));
    plugin.wait_for("used");
    assert_eq!((payments(&world), world.lock().unwrap().xpays.len()), (vec![1, 1], 2));
    // A node that closes stdin ends it.
    plugin.stdin = None;
    assert!(plugin.child.wait().unwrap().success());
}

#[test]
fn a_payment_that_fails_is_reported_to_the_payee_and_another_invoice_is_paid() {
    let world: Arc<Mutex<World>> = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({}));
    let made = plugin.result("offerout", &json!(["100sat", "fails first"]));
    let request = made["bolt12_signed"].as_str().unwrap().to_owned();
    world.lock().unwrap().fails = true;
    let id = plugin.hook(2, &invoice(&request, 1));
    plugin.answer(&id);
    until(&world, |world| world.injected.len() == 1);
    let error = read_onion(&world.lock().unwrap(), 0, &hooks()[2]);
    assert_eq!(error.error().unwrap().to_string(), "payment of this invoice has failed, send a new one");
    world.lock().unwrap().fails = false;
    let id = plugin.hook(2, &invoice(&request, 2));
    plugin.answer(&id);
    plugin.wait_for("used");
    assert_eq!(payments(&world), [1]);
}

#[test]
fn an_invoice_that_cannot_be_read_is_refused_where_its_request_is_ours() {
    let world: Arc<Mutex<World>> = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({}));
    let made = plugin.result("offerout", &json!(["100sat", "another amount"]));
    let request: InvoiceRequest = made["bolt12"].as_str().unwrap().parse().unwrap();
    // The request's records alone are no invoice.
    for (bytes, result) in
        [(request.as_bytes(), "resolve"), (&[0, 1, 7][..], "continue"), (&[9][..], "continue")]
    {
        let mut hook = hooks()[0].clone();
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        hook["params"]["onion_message"]["invoice"] = text.into();
        plugin.send(&hook);
        assert_eq!(plugin.answer(&hook["id"])["result"]["result"], result);
    }
    until(&world, |world| world.injected.len() == 1);
    assert_eq!(plugin.statuses(), ["active"]);
}

#[test]
fn with_the_node_lock_the_node_holds_each_request_and_pays_under_it() {
    let world: Arc<Mutex<World>> = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({ "payouts-node-lock": true }));
    let made = plugin.result("offerout", &json!(["100sat", "locked"]));
    plugin.result("offerout", &json!(["100sat", "locked"]));
    assert_eq!(world.lock().unwrap().held.len(), 1);
    let id = plugin.hook(0, &invoice(made["bolt12_signed"].as_str().unwrap(), 1));
    plugin.answer(&id);
    plugin.wait_for("used");
    assert_eq!(world.lock().unwrap().xpays[0]["localinvreqid"], made["invreq_id"]);
}

#[test]
fn wrong_parameters_have_the_documented_codes() {
    let world: Arc<Mutex<World>> = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({}));
    let bad = |sentence: &str| (-32602, sentence.to_owned());
    let mut offerout = |params: Value| plugin.error("offerout", &params);
    assert_eq!(offerout(json!([])), bad("missing required parameter: amount"));
    assert_eq!(offerout(json!(["1sat"])), bad("missing required parameter: description"));
    assert_eq!(offerout(json!({ "amuont": "1sat" })), bad("amuont: no such parameter"));
    assert_eq!(offerout(json!([1, 2, 3, 4, 5, 6, 7, 8, 9])), bad("9 parameters, expected at most 8"));
    assert_eq!(offerout(json!(["1sat", ["x"]])), bad("description: not a text"));
    assert_eq!(
        offerout(json!(["1sat", "x", null, null, "soon"])),
        bad("absolute_expiry: soon: not a whole number")
    );
    assert_eq!(
        offerout(json!(["any", "x"])),
        bad("amount: any, expected an amount: a request of merged BOLT 12 has one")
    );
    let other = json!({ "amount": "1sat", "description": "x", "dialect": "old" });
    assert_eq!(offerout(other), bad("dialect: old, expected merged or draft"));
    let refund = json!({ "amount": "1sat", "description": "x", "refund_for": "lni1" });
    assert_eq!(offerout(refund), bad("refund_for: only in dialect=draft"));
    assert_eq!(offerout(json!(["1.5sat", "x"])).0, -1);
    assert_eq!(offerout(json!(["1sat", "x", null, null, 1_000])).0, -1);
    let key = |amount: &str| json!({ "amount": amount, "description": "x", "key": "order 7" });
    let made = plugin.result("offerout", &key("1sat"));
    assert_eq!(plugin.error("offerout", &key("2sat")).0, 1050);

    let id = made["invreq_id"].as_str().unwrap().to_owned();
    assert_eq!(plugin.result("payout-disable", &json!({ "id": id }))["active"], false);
    assert_eq!(
        plugin.error("payout-disable", &json!([id])),
        (1001, format!("invoice request {id} is not active"))
    );
    let unknown = "00".repeat(32);
    assert_eq!(plugin.error("payout-disable", &json!([unknown])).0, -1);
    assert_eq!(plugin.error("payout-disable", &json!(["00"])).0, -32602);
    assert_eq!(plugin.result("payouts", &json!([id]))["payouts"][0]["status"], "disabled");
    assert_eq!(plugin.error("payouts", &json!([unknown])), (-1, format!("unknown payout {unknown}")));
    assert_eq!(plugin.result("payout-recover", &json!([])), json!({ "payments": [], "unreadable": [] }));
    assert_eq!(plugin.error("payout-recover", &json!([1])), bad("1 parameters, expected at most 0"));
    assert_eq!(plugin.error("nothing", &json!([])).0, -32601);
}

#[test]
fn the_draft_dialect_has_a_key_of_the_plugin_that_stays() {
    let world: Arc<Mutex<World>> = Arc::default();
    let node = node(&world);
    let mut plugin = Plugin::start(&node, &json!({}));
    let params = json!({ "amount": "any", "description": "draft", "dialect": "draft" });
    let made = plugin.result("offerout", &params);
    let offer: Offer = made["bolt12"].as_str().unwrap().parse().unwrap();
    let secret = sha256::Hash::hash(b"bolt12 payouts: draft").to_byte_array();
    let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&secret).unwrap());
    assert_eq!(offer.node_id(), Some(key.x_only_public_key().0));
    plugin.kill();
    let mut plugin = Plugin::start(&node, &json!({}));
    let again = plugin.result("offerout", &params);
    assert_eq!((&again["created"], &again["bolt12"]), (&json!(false), &made["bolt12"]));
    let id = made["offer_id"].as_str().unwrap().to_owned();
    assert_eq!(plugin.result("payout-disable", &json!([id]))["active"], false);
}

#[test]
fn a_node_that_is_not_public_is_reached_over_a_path_and_no_other_way() {
    let world: Arc<Mutex<World>> = Arc::default();
    let node = node(&world);
    let peer = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[2; 32]).unwrap());
    let through = peer.public_key();
    let options = json!({ "payouts-path-through": through.to_string() });
    let mut plugin = Plugin::start(&node, &options);
    let made = plugin.result("offerout", &json!(["100sat", "over a path"]));
    let again = plugin.result("offerout", &json!(["100sat", "over a path"]));
    assert_eq!((&again["created"], &again["bolt12"]), (&json!(false), &made["bolt12"]));
    let request: InvoiceRequest = made["bolt12_signed"].as_str().unwrap().parse().unwrap();
    assert_ne!(request.invreq_payer_id(), node_key().public_key());

    // The peer opens its hop, then the node.
    let path = request.invreq_paths().next().unwrap();
    assert_eq!(path.first_node, FirstNode::NodeId(through));
    let hops = &path.hops;
    let first = unblind(&peer.secret_key(), &path.path_key, hops[0].encrypted_data).unwrap();
    assert_eq!(HopData::read(&first.data).unwrap().next_node_id, Some(node_key().public_key()));
    let last = unblind(&node_key().secret_key(), &first.next_path_key, hops[1].encrypted_data).unwrap();
    let data = HopData::read(&last.data).unwrap();
    let path_id = sha256::Hash::hash(b"bolt12 payouts: path_id").to_byte_array();
    assert_eq!(data.path_id, Some(&path_id[..]));

    // An invoice that came to the node id, and one over another path, are not ours.
    let text = request.to_string();
    for number in [0, 2] {
        let id = plugin.hook(number, &invoice(&text, 1));
        assert_eq!(plugin.answer(&id)["result"], json!({ "result": "continue" }));
    }
    assert_eq!(plugin.statuses(), ["active"]);
    let mut hook = hooks()[2].clone();
    let bytes = invoice(&text, 1).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    hook["params"]["onion_message"]["invoice"] = bytes.into();
    hook["params"]["onion_message"]["pathsecret"] =
        path_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
    plugin.send(&hook);
    assert_eq!(plugin.answer(&hook["id"])["result"], json!({ "result": "resolve" }));
    plugin.wait_for("used");
    assert_eq!(payments(&world), [1]);

    let both = json!({ "payouts-path-through": through.to_string(), "payouts-node-lock": true });
    let mut plugin = Plugin::spawn("v26.06.6");
    assert_eq!(
        plugin.result("init", &init(node.directory(), &both))["disable"],
        "payouts-node-lock: not together with payouts-path-through: the node signs no such request"
    );
    let wrong = plugin.result("init", &init(node.directory(), &json!({ "payouts-path-through": "02" })));
    assert!(
        wrong["disable"].as_str().unwrap().starts_with("payouts-path-through: not a node id: "),
        "{wrong}"
    );
}
