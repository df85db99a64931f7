//! `offerout --cln` and `atm --cln`: a node signs and pays.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::cln::FakeCln;
use testkit::ledger::{hash, preimage};

use crate::core_lightning::{World, invoice, node};

/// An example that talks to a node, line by line.
struct Talk {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Talk {
    fn start(example: &str, node: &FakeCln, data: &TempDir, arguments: &[&str]) -> Self {
        let mut path = std::env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push("examples");
        path.push(example);
        let mut command = Command::new(path);
        command.arg("--data").arg(data.path()).arg("--cln").arg(node.socket()).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Closes stdin, and returns the other lines and whether the program ended well.
    fn end(mut self) -> (Vec<Value>, bool) {
        drop(self.child.stdin.take());
        let lines = std::iter::from_fn(|| self.line()).collect();
        (lines, self.child.wait().unwrap().success())
    }
}

#[test]
fn offerout_has_the_node_sign_and_pay_one_invoice() {
    let world: Arc<Mutex<World>> = Arc::default();
    let (node, data) = (node(&world), TempDir::new().unwrap());
    let arguments = ["--key", "order 7", "100sat", "withdrawal"];
    let mut talk = Talk::start("offerout", &node, &data, &arguments);
    let made = talk.line().unwrap();
    let request = made["bolt12_signed"].as_str().unwrap().to_owned();
    assert_eq!((&made["created"], &made["used"]), (&json!(true), &json!(false)));
    // A line that is no invoice, one that fails, and one that is paid.
    talk.say("lni1");
    world.lock().unwrap().fails = true;
    // In its first second, the program cannot know whether one before it was killed while it paid.
    thread::sleep(Duration::from_millis(1100));
    talk.say(&invoice(&request, 1).to_string());
    let failed = talk.line().unwrap();
    assert_eq!(
        (&failed["status"], &failed["reason"]),
        (&json!("failed"), &json!("xpay: error 205: no route"))
    );
    world.lock().unwrap().fails = false;
    talk.say(&invoice(&request, 2).to_string());
    let paid = talk.line().unwrap();
    assert_eq!(paid["status"], "complete");
    assert_eq!(paid["payment_preimage"], format!("{:x}", preimage(2)));
    let (rest, is_success) = talk.end();
    assert_eq!((rest, is_success), (Vec::new(), true));
    assert_eq!(world.lock().unwrap().paid.get(&hash(2)), Some(&1));

    // The same order again has been paid.
    let talk = Talk::start("offerout", &node, &data, &arguments);
    assert!(!talk.end_with_text().1);
}

impl Talk {
    /// All of stdout, where it is one object over several lines.
    fn end_with_text(mut self) -> (Value, bool) {
        drop(self.child.stdin.take());
        let value = serde_json::from_reader(&mut self.stdout).unwrap();
        (value, self.child.wait().unwrap().success())
    }
}

#[test]
fn offerout_over_a_node_refuses_what_such_a_request_cannot_have() {
    let world: Arc<Mutex<World>> = Arc::default();
    let (node, data) = (node(&world), TempDir::new().unwrap());
    let failure = |arguments: &[&str]| {
        let (value, is_success) = Talk::start("offerout", &node, &data, arguments).end_with_text();
        assert!(!is_success);
        value["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        failure(&["any", "x"]),
        "amount: any, expected an amount: a request of merged BOLT 12 has one"
    );
    assert!(failure(&["--network", "regtest", "1sat", "x"]).contains("cannot be used with"));
    drop(node);
    let nowhere = self::node(&world);
    let gone = nowhere.socket();
    drop(nowhere);
    let output = Command::new(std::env::current_exe().unwrap().with_file_name("../examples/offerout"))
        .args(["--cln", gone.to_str().unwrap(), "1sat", "x"])
        .output()
        .unwrap();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(value["message"].as_str().unwrap().starts_with("cannot connect to "), "{value}");
}

#[test]
fn the_atm_pays_a_real_customer_and_refuses_the_second_invoice() {
    let world: Arc<Mutex<World>> = Arc::default();
    let (node, data) = (node(&world), TempDir::new().unwrap());
    let mut talk = Talk::start("atm", &node, &data, &["--json", "100sat"]);
    let payout = talk.line().unwrap();
    assert_eq!(payout["step"], "payout");
    let request = payout["bolt12_signed"].as_str().unwrap().to_owned();
    talk.say(&invoice(&request, 1).to_string());
    talk.say(&invoice(&request, 2).to_string());
    let (lines, is_success) = talk.end();
    assert!(is_success);
    let steps: Vec<_> =
        lines.iter().map(|line| (line["step"].as_str().unwrap(), line["ok"].as_bool().unwrap())).collect();
    assert_eq!(
        steps,
        [
            ("invoice", true),
            ("claim", true),
            ("pay", true),
            ("receipt", true),
            ("replay", false),
            ("second_invoice", false),
            ("recover", true),
        ]
    );
    assert_eq!(world.lock().unwrap().paid.values().copied().collect::<Vec<_>>(), [1]);

    // A customer without an invoice: nothing is paid.
    let talk = Talk::start("atm", &node, &data, &["--json", "100sat"]);
    let (lines, is_success) = talk.end();
    assert!(is_success && lines.len() == 1);
}
