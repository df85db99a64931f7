//! The withdrawal to watch, `examples/atm.rs`, and `examples/sendinvoice.rs`, run as a script would run them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use bolt12::InvoiceRequest;
use bolt12::draft::{Invoice, Offer};
use bolt12::message::InvoiceContext;
use bolt12::payout::{Ledger, PaymentHash, PayoutId, Preimage, RedbStore, Status};
use serde_json::Value;
use tempfile::TempDir;

/// The examples and a data directory for them.
struct Shop {
    data: TempDir,
}

impl Shop {
    fn new() -> Self {
        Self { data: TempDir::new().unwrap() }
    }

    fn run(&self, example: &str, arguments: &[&str]) -> Output {
        let mut path: PathBuf = std::env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push("examples");
        path.push(example);
        let data = ["--data", self.data.path().to_str().unwrap()];
        Command::new(path).args(data).args(arguments).output().unwrap()
    }

    /// The steps of a withdrawal, and whether the program ended well.
    fn atm(&self, arguments: &[&str]) -> (Vec<Value>, bool) {
        let output = self.run("atm", &[&["--json"], arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let steps = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (steps, output.status.success())
    }

    /// How many payments the stand-in node made.
    fn payments(&self) -> usize {
        let record = fs::read_to_string(self.data.path().join("stand-in-node")).unwrap_or_default();
        record.lines().filter(|line| line.starts_with("paid ")).count()
    }
}

/// Step, whether it went well, and the state of the payout.
fn outline(steps: &[Value]) -> Vec<(&str, bool, &str)> {
    for step in steps {
        assert_eq!(
            step.get("message").is_some(),
            step["ok"] == false,
            "a message exactly where it is refused"
        );
    }
    steps
        .iter()
        .map(|step| {
            let state = step["state"].as_str().unwrap();
            (step["step"].as_str().unwrap(), step["ok"].as_bool().unwrap(), state)
        })
        .collect()
}

const BEGINNING: [(&str, bool, &str); 3] =
    [("payout", true, "active"), ("invoice", true, "active"), ("claim", true, "claimed")];

#[test]
fn a_withdrawal_succeeds_once_in_the_draft_dialect() {
    let shop = Shop::new();
    let (steps, ended_well) = shop.atm(&["--dialect", "draft"]);
    assert!(ended_well);
    assert_eq!(outline(&steps[..3]), BEGINNING);
    assert_eq!(
        outline(&steps[3..]),
        [
            ("pay", true, "used"),
            ("receipt", true, "used"),
            ("replay", false, "used"),
            ("second_invoice", false, "used"),
            ("recover", true, "used"),
        ],
    );
    let text = |step: usize, name: &str| steps[step][name].as_str().unwrap().to_owned();
    let offer: Offer = text(0, "bolt12").parse().unwrap();
    assert_eq!(offer.unsigned().to_string(), text(0, "bolt12_unsigned"));
    let invoice: Invoice = text(1, "bolt12").parse().unwrap();
    assert_eq!(invoice.offer_id(), Some(offer.offer_id()));
    assert_ne!(offer.node_id(), Some(invoice.node_id()), "the payee has a key of its own");
    assert_eq!(steps[2]["amount_msat"], 100_000_000);
    let hash = receipt_hash(&steps);
    let paid = format!("already paid: by payment {hash}");
    assert_eq!((text(5, "message"), text(6, "message")), (paid.clone(), paid));
    assert_eq!(text(5, "payee_message"), "offer already paid");
    assert_eq!(shop.payments(), 1);

    // Each run is a withdrawal of its own.
    let (steps, _) = shop.atm(&["0.00000001btc"]);
    assert_eq!((steps.len(), steps[4]["amount_msat"].as_u64()), (8, Some(1_000)));
    assert_eq!(shop.payments(), 2);
}

#[test]
fn a_withdrawal_succeeds_once_in_the_merged_dialect() {
    let shop = Shop::new();
    let (steps, ended_well) = shop.atm(&[]);
    assert!(ended_well);
    let expected = [
        ("pay", true, "used"),
        ("receipt", true, "used"),
        ("replay", false, "used"),
        ("second_invoice", false, "used"),
        ("recover", true, "used"),
    ];
    assert_eq!((outline(&steps[..3]), outline(&steps[3..])), (BEGINNING.to_vec(), expected.to_vec()));
    let text = |step: usize, name: &str| steps[step][name].as_str().unwrap().to_owned();
    let request: InvoiceRequest = text(0, "bolt12").parse().unwrap();
    let signed: InvoiceRequest = text(0, "bolt12_signed").parse().unwrap();
    assert_eq!((signed.unsigned().unwrap(), signed.invreq_id()), (request.clone(), request.invreq_id()));
    assert_eq!(request.invreq_id().to_string(), text(0, "invreq_id"));
    let invoice: bolt12::Invoice = text(1, "bolt12").parse().unwrap();
    assert!(invoice.verify_for(&request, &InvoiceContext::new(invoice.invoice_created_at())).is_ok());
    assert_eq!(steps[2]["amount_msat"], 100_000_000);
    let paid = format!("already paid: by payment {}", receipt_hash(&steps));
    assert_eq!((text(5, "message"), text(6, "message")), (paid.clone(), paid));
    assert_eq!(text(5, "payee_message"), "invoice request already paid");
    assert_eq!(shop.payments(), 1);
}

/// The hash of the preimage on the receipt, which is that of the customer's invoice.
fn receipt_hash(steps: &[Value]) -> PaymentHash {
    let preimage: Preimage = steps[4]["preimage"].as_str().unwrap().parse().unwrap();
    assert_eq!(preimage.payment_hash().to_string(), steps[1]["payment_hash"].as_str().unwrap());
    preimage.payment_hash()
}

#[test]
fn a_payment_that_fails_leaves_the_payout_for_another_invoice() {
    for dialect in ["merged", "draft"] {
        failing_payment(dialect);
    }
}

fn failing_payment(dialect: &str) {
    let shop = Shop::new();
    let (steps, ended_well) = shop.atm(&["--payer", "fail", "--dialect", dialect]);
    assert!(ended_well);
    assert_eq!(
        outline(&steps[3..]),
        [
            ("pay", false, "active"),
            ("replay", false, "active"),
            ("second_invoice", true, "used"),
            ("receipt", true, "used"),
            ("recover", true, "used"),
        ],
    );
    assert_eq!(steps[3]["message"], "no route to the payee; another invoice may try");
    assert_eq!(steps[4]["payee_message"], "the payment of this invoice failed: send a new invoice");
    assert_eq!(shop.payments(), 1);
}

#[test]
fn a_payment_that_stalls_is_in_flight_until_the_node_knows() {
    let shop = Shop::new();
    let (steps, ended_well) = shop.atm(&["--payer", "stall"]);
    assert!(ended_well);
    assert_eq!(
        outline(&steps[3..]),
        [
            ("pay", false, "claimed"),
            ("replay", false, "claimed"),
            ("second_invoice", false, "claimed"),
            ("recover", true, "used"),
            ("receipt", true, "used"),
        ],
    );
    assert_eq!(steps[3]["message"], "the node does not know yet how this payment ends");
    assert_eq!(steps[5]["payee_message"], "another invoice for this invoice request is being paid");
    assert_eq!(shop.payments(), 1);
}

#[test]
fn what_was_killed_is_recovered_and_paid_once() {
    // The step after which it dies, what the next run finds, and how many payments there were when it died.
    let recovered = [
        ("recover", true, "used"),
        ("receipt", true, "used"),
        ("replay", false, "used"),
        ("second_invoice", false, "used"),
    ];
    let ways = [(["--kill-after", "claim"], 3, 0), (["--payer", "die"], 3, 1)];
    let dialects = [("merged", "invreq_id"), ("draft", "offer_id")];
    for ((arguments, lines, payments), (dialect, id)) in
        ways.into_iter().flat_map(|way| dialects.map(|dialect| (way, dialect)))
    {
        let shop = Shop::new();
        let (steps, ended_well) = shop.atm(&[&arguments[..], &["--dialect", dialect]].concat());
        assert!(!ended_well);
        assert_eq!((steps.len(), shop.payments()), (lines, payments));
        assert_eq!(outline(&steps), BEGINNING);
        let id: PayoutId = steps[0][id].as_str().unwrap().parse().unwrap();
        {
            let ledger =
                Ledger::new(RedbStore::open_or_create(shop.data.path().join("ledger.redb")).unwrap().store);
            assert_eq!(ledger.get(id).unwrap().unwrap().status(), Status::Claimed);
        }
        let (steps, ended_well) = shop.atm(&[]);
        assert!(ended_well);
        assert_eq!(outline(&steps), recovered);
        assert_eq!(shop.payments(), 1);
        // Nothing is left: the next run is a new withdrawal.
        assert_eq!(outline(&shop.atm(&[]).0[..3]), BEGINNING);
    }
}

#[test]
fn what_was_killed_elsewhere_leaves_nothing_in_flight() {
    for (step, payments) in
        [("payout", 0), ("invoice", 0), ("pay", 1), ("receipt", 1), ("replay", 1), ("recover", 1)]
    {
        let shop = Shop::new();
        let (steps, ended_well) = shop.atm(&["--kill-after", step]);
        assert!(!ended_well, "{step}");
        assert_eq!((outline(&steps).last().unwrap().0, shop.payments()), (step, payments));
        let (steps, ended_well) = shop.atm(&[]);
        assert!(ended_well);
        assert_eq!((outline(&steps)[..3].to_vec(), shop.payments()), (BEGINNING.to_vec(), payments + 1));
    }
}

#[test]
fn people_read_plain_text_and_mistakes_are_reported() {
    let shop = Shop::new();
    let output = shop.run("atm", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && !text.contains('{'));
    for line in [
        "claim          ok  reserved for this invoice, on the disk",
        "replay         no  already paid: by payment",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let (steps, ended_well) = shop.atm(&["any"]);
    assert!(!ended_well);
    assert_eq!(steps[0]["message"], "amount: the ATM has counted the notes, any is not an amount");
    assert!(!shop.atm(&["1satoshi"]).1);
    let (steps, ended_well) = shop.atm(&["--dialect", "bolt11"]);
    assert!(!ended_well);
    assert_eq!(
        steps[0]["message"],
        "invalid value 'bolt11' for '--dialect <DIALECT>' [possible values: merged, draft]"
    );
}

#[test]
fn the_payee_answers_alone() {
    let shop = Shop::new();
    let made: Value = serde_json::from_slice(&shop.run("offerout", &["any", "a gift"]).stdout).unwrap();
    let offer = made["bolt12_unsigned"].as_str().unwrap();
    let output = shop.run("sendinvoice", &[offer, "my gift", "1500", "", ""]);
    assert!(output.status.success());
    let sent: Value = serde_json::from_slice(&output.stdout).unwrap();
    let invoice: Invoice = sent["bolt12"].as_str().unwrap().parse().unwrap();
    assert_eq!(sent["payment_hash"].as_str().unwrap().len(), 64);
    assert_eq!(
        (sent["label"].as_str(), sent["amount_msat"].as_u64(), sent["status"].as_str()),
        (Some("my gift"), Some(1_500), Some("unpaid")),
    );
    assert_eq!(
        (sent["description"].as_str(), sent["expires_at"].as_u64()),
        (Some("a gift"), invoice.expires_at())
    );
    assert_eq!(invoice.relative_expiry(), 90);

    let reply = |arguments: &[&str]| {
        let output = shop.run("sendinvoice", arguments);
        assert_eq!(output.status.code(), Some(1));
        let failure: Value = serde_json::from_slice(&output.stdout).unwrap();
        (failure["code"].as_i64().unwrap(), failure["message"].as_str().unwrap().to_owned())
    };
    assert_eq!(reply(&[offer, "x"]), (-1, "amount (type 8): missing".to_owned()));
    assert_eq!(reply(&[offer, "x", "any"]), (-1, "msatoshi: any is not an amount".to_owned()));
    let number = "timeout: \"-1\" is not a number, or too large".to_owned();
    assert_eq!(reply(&[offer, "x", "1", "-1"]), (-1, number));
    let prefix = "offer: prefix lni (invoice) where lno (offer) is expected".to_owned();
    assert_eq!(reply(&["lni1pg", "x"]), (-1, prefix));
}
