//! The examples, run as a stranger would: `offerout`, `listoffers`, `disableoffer`.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::vectors;

/// Runs an example, which cargo has built with the tests.
pub(crate) fn example(name: &str, arguments: &[impl AsRef<OsStr>]) -> Output {
    let output = command(name).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{name}: {error}; build it with cargo build --examples"))
}

/// The command of an example.
pub(crate) fn command(name: &str) -> Command {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(name);
    Command::new(&path)
}

/// The JSON of a success: exit status 0 and nothing on stdout but one JSON value.
pub(crate) fn success(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The code and message of a failure: exit status 1 and nothing on stdout but that.
pub(crate) fn failure(output: &Output) -> (i64, String) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 2);
    (json["code"].as_i64().unwrap(), json["message"].as_str().unwrap().to_owned())
}

struct Data {
    directory: TempDir,
}

impl Data {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Output {
        let mut all: Vec<&OsStr> = vec!["--data".as_ref(), self.path().as_ref()];
        all.extend(arguments.iter().map(OsStr::new));
        example(name, &all)
    }
}

#[test]
fn the_main_job_makes_one_offer_that_can_be_listed_found_and_disabled() {
    let data = Data::new();
    let job = ["100000sat", "withdrawal from ATM", "", "till 7"];
    let first = success(&data.run("offerout", &job));
    let offer_id = first["offer_id"].as_str().unwrap();
    assert_eq!(offer_id.len(), 64);
    let members =
        json!({ "active": true, "single_use": true, "used": false, "created": true, "label": "till 7" });
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(&first[name], value, "{name}");
    }
    assert_eq!(first.as_object().unwrap().len(), 8);
    for name in ["bolt12", "bolt12_unsigned"] {
        let offer: bolt12::draft::Offer = first[name].as_str().unwrap().parse().unwrap();
        assert_eq!(offer.offer_id().to_string(), offer_id);
        assert_eq!(offer.signature().is_some(), name == "bolt12");
        assert_eq!((offer.amount(), offer.issuer()), (Some(100_000_000), None));
    }

    let again = success(&data.run("offerout", &job));
    assert_eq!(again["created"], false);
    assert_eq!((&again["offer_id"], &again["bolt12"]), (&first["offer_id"], &first["bolt12"]));

    let list = success(&data.run("listoffers", &[]));
    let mut listed = first.clone();
    listed.as_object_mut().unwrap().remove("created");
    assert_eq!(list, json!({ "offers": [listed] }));
    assert_eq!(success(&data.run("listoffers", &[offer_id])), list);
    assert_eq!(success(&data.run("listoffers", &[&"00".repeat(32)])), json!({ "offers": [] }));

    listed["active"] = json!(false);
    assert_eq!(success(&data.run("disableoffer", &[offer_id])), listed);
    assert_eq!(success(&data.run("listoffers", &["--active-only"])), json!({ "offers": [] }));
    let exists = format!("offer {offer_id} already exists, but isn't active");
    assert_eq!(failure(&data.run("offerout", &job)), (1000, exists));
    assert_eq!(
        failure(&data.run("disableoffer", &[offer_id])),
        (1001, format!("offer {offer_id} is not active"))
    );
    let unknown = "ab".repeat(32);
    assert_eq!(failure(&data.run("disableoffer", &[&unknown])), (-1, format!("unknown offer {unknown}")));
}

#[test]
fn the_members_have_the_documented_order() {
    let data = Data::new();
    let output = data.run("offerout", &["1sat", "d", "", "till 7"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let names: Vec<&str> = text.lines().filter_map(|line| line.trim().split('"').nth(1)).collect();
    let documented =
        ["offer_id", "active", "single_use", "bolt12", "bolt12_unsigned", "used", "created", "label"];
    assert_eq!(names, documented);
}

#[test]
fn one_order_gets_one_offer() {
    let data = Data::new();
    let first = success(&data.run("offerout", &["1sat", "withdrawal of ann", "--key", "17"]));
    let again = success(&data.run("offerout", &["1sat", "withdrawal of ann", "--key", "17"]));
    assert_eq!((&again["created"], &again["bolt12"]), (&json!(false), &first["bolt12"]));
    let id = first["offer_id"].as_str().unwrap();
    let other_order =
        format!("the message for order \"18\" belongs to payout {id}, which has another order key or none");
    let differs = |order: &str, term| format!("order \"{order}\" has payout {id}, which differs in {term}");
    let newer = failure(&data.run("offerout", &["2sat", "withdrawal of ann", "--key", "17"]));
    assert_eq!(newer, (1050, differs("17", "amount (type 8)")));
    let other = failure(&data.run("offerout", &["1sat", "withdrawal of ann", "--key", "18"]));
    assert_eq!(other, (1050, other_order));
    let empty = failure(&data.run("offerout", &["1sat", "withdrawal of ben", "--key", ""]));
    assert_eq!(empty, (-1, "order key: 0 bytes, expected 1 to 255".to_string()));
}

#[test]
fn two_tickets_give_two_offers_for_one_amount() {
    let data = Data::new();
    let make = |ticket| success(&data.run("offerout", &["1sat", "withdrawal", "--ticket", ticket]));
    let (first, second) = (make("1"), make("2"));
    assert_eq!((&first["created"], &second["created"]), (&json!(true), &json!(true)));
    assert_ne!(first["offer_id"], second["offer_id"]);
    let offer: bolt12::draft::Offer = first["bolt12"].as_str().unwrap().parse().unwrap();
    assert_eq!(offer.description().unwrap().as_str(), "withdrawal, ticket 1");
    assert_eq!(make("1")["created"], false);
}

#[test]
fn optional_parameters_by_name_are_those_by_position() {
    let data = Data::new();
    let expiry = "4102444800";
    let by_position = success(&data.run("offerout", &["any", "d", "me", "l", expiry]));
    let by_name =
        ["any", "d", "--issuer", "me", "--label", "l", "--absolute-expiry", expiry, "--refund-for", ""];
    let by_name = success(&data.run("offerout", &by_name));
    assert_eq!(by_name["offer_id"], by_position["offer_id"]);
    assert_eq!(by_name["created"], false);
    let both = failure(&data.run("offerout", &["any", "d", "me", "--issuer", "you"]));
    assert_eq!(both, (-1, "issuer: given by position and by name".to_owned()));
    // An empty text by position means: not given. So it stands in the way of no name.
    let mixed = success(&data.run("offerout", &["any", "d", "", "l", expiry, "--issuer", "me"]));
    assert_eq!(mixed, by_name);
}

#[test]
fn core_lightnings_offers_come_out_of_the_command_line_too() {
    let file: Value = vectors("draft/offerout.json");
    let data = Data::new();
    let key_file = data.path().join("key");
    let mut made = 0;
    for case in file["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        // What has expired by now cannot be made by a program that knows the time.
        let live = case["absolute_expiry"].is_null() || text("absolute_expiry") == u64::MAX.to_string();
        // On the command line an empty text means: not given.
        let empty = case["issuer"] == "" || case["label"] == "";
        if !live || empty || text("amount").parse::<bolt12::Amount>().is_err() {
            continue;
        }
        fs::write(&key_file, text("node_secret_key")).unwrap();
        let key_file = key_file.to_str().unwrap();
        let result = success(&data.run(
            "offerout",
            &[
                "--network",
                text("chain"),
                "--node-key",
                key_file,
                text("amount"),
                text("description"),
                text("issuer"),
                text("label"),
                text("absolute_expiry"),
                text("refund_for_invoice"),
            ],
        ));
        assert_eq!(result["bolt12"], case["bolt12_aux_zero"], "{}", case["id"]);
        assert_eq!(result["bolt12_unsigned"], case["bolt12_unsigned"], "{}", case["id"]);
        made += 1;
    }
    assert_eq!(made, 29);
}

#[test]
fn bad_parameters_are_reported_and_nothing_is_created() {
    let data = Data::new();
    let digits = "9".repeat(10_000);
    for (arguments, message) in [
        (&["1.5sat", "d"][..], "amount: 1 decimal place after character 1: expected exactly 3 for sat"),
        (&["-1", "d"], "amount: unexpected '-' at character 0: expected a digit or 'any'"),
        (&["0", "d"], "amount: the amount is zero: expected a positive number"),
        (&[&digits, "d"], "amount: the amount has 10000 bytes: expected at most 256"),
        (&["", "d"], "amount: the amount is empty: expected a number or 'any'"),
        (&["1"], "the following required arguments were not provided: <DESCRIPTION>"),
        (
            &["1", "d", "", "", "soon"],
            "absolute_expiry: \"soon\" is not a number of seconds since 1970, at most 18446744073709551615",
        ),
        (
            &["1", "d", "", "", "+5"],
            "absolute_expiry: \"+5\" is not a number of seconds since 1970, at most 18446744073709551615",
        ),
        (&["1", "d", "", "", "", "lno1pgqhs"], "refund_for: prefix lno (offer): expected lni (invoice)"),
        (
            &["1", "d", "--network", "mars"],
            "invalid value 'mars' for '--network <NETWORK>' [possible values: bitcoin, testnet, signet, regtest]",
        ),
    ] {
        assert_eq!(failure(&data.run("offerout", arguments)), (-1, message.to_owned()));
    }
    let (code, message) = failure(&data.run("offerout", &["1", "d", "", "", "1"]));
    assert_eq!(code, -1);
    assert!(message.starts_with("absolute_expiry: expired at 1 (now 1"), "{message}");
    let (_, message) = failure(&data.run("offerout", &["1", &"d".repeat(65_536)]));
    assert!(message.ends_with("bytes: expected at most 65535"), "{message}");
    assert_eq!(success(&data.run("listoffers", &[])), json!({ "offers": [] }));
}

#[cfg(unix)]
#[test]
fn bad_bytes_on_the_command_line_are_reported() {
    use std::os::unix::ffi::OsStrExt;
    let data = Data::new();
    let arguments =
        [OsStr::new("--data"), data.path().as_os_str(), OsStr::new("1"), OsStr::from_bytes(b"\xff")];
    let expected = (-1, "invalid UTF-8 was detected in one or more arguments".to_owned());
    assert_eq!(failure(&example("offerout", &arguments)), expected);
}

#[test]
fn help_is_no_failure() {
    for name in ["offerout", "listoffers", "disableoffer"] {
        let output = example(name, &["--help"]);
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("Usage:"), "{name}");
    }
}

#[test]
fn a_data_directory_that_cannot_be_made_is_reported() {
    let data = Data::new();
    let file = data.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let inside = file.join("data");
    let (code, message) = failure(&example("offerout", &["--data", inside.to_str().unwrap(), "1", "d"]));
    assert_eq!(code, -1);
    assert!(message.starts_with(&format!("cannot make directory {}: ", inside.display())), "{message}");
}

#[test]
fn a_corrupt_ledger_is_reported_and_left_as_it_is() {
    let data = Data::new();
    let _ = success(&data.run("offerout", &["1sat", "d"]));
    let path = data.path().join("ledger.redb");
    let whole = fs::read(&path).unwrap();
    for (bytes, reason) in [
        (b"not a ledger".to_vec(), format!("{} is not a ledger: it does not begin as one", path.display())),
        (whole[..whole.len() / 2].to_vec(), format!("ledger {} is cut short: ", path.display())),
        (Vec::new(), format!("{} is not a ledger: it does not begin as one", path.display())),
    ] {
        fs::write(&path, &bytes).unwrap();
        for (name, arguments) in [("offerout", &["1sat", "d"][..]), ("listoffers", &[])] {
            let (code, message) = failure(&data.run(name, arguments));
            assert_eq!(code, -1);
            assert!(message.starts_with(&reason), "{message}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }
}

#[test]
fn a_bad_key_file_is_reported_without_showing_it() {
    let data = Data::new();
    let path = data.path().join("key");
    for (text, reason) in [
        ("abcd".to_owned(), "64 hexadecimal characters are needed, 4 are there"),
        ("a".repeat(65), "64 hexadecimal characters are needed, 65 are there"),
        ("g".repeat(64), "not the hexadecimal form of a secret key"),
        ("0".repeat(64), "not the hexadecimal form of a secret key"),
    ] {
        fs::write(&path, text).unwrap();
        let output = data.run("offerout", &["--node-key", path.to_str().unwrap(), "1", "d"]);
        assert_eq!(failure(&output), (-1, format!("key file {}: {reason}", path.display())));
    }
    let missing = data.path().join("none");
    let (_, message) = failure(&data.run("offerout", &["--node-key", missing.to_str().unwrap(), "1", "d"]));
    assert!(message.starts_with(&format!("key file {}: No such file", missing.display())), "{message}");
}

#[cfg(unix)]
#[test]
fn key_and_ledger_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let data = Data::new();
    let _ = success(&data.run("offerout", &["1sat", "d"]));
    for name in ["node-key", "ledger.redb"] {
        let mode = fs::metadata(data.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let key = fs::read_to_string(data.path().join("node-key")).unwrap();
    assert_eq!(key.trim_end().len(), 64);
}

#[test]
fn a_mistyped_option_is_no_text() {
    let data = Data::new();
    let expected =
        |option: &str| (-1, format!("unexpected argument '{option}': put -- before texts that begin so"));
    for option in ["--labell", "--absolute_expiry", "--issuerx=me"] {
        assert_eq!(failure(&data.run("offerout", &["5", option])), expected(option));
        assert_eq!(failure(&data.run("offerout", &["5", "d", option, "x"])), expected(option));
    }
    assert_eq!(success(&data.run("listoffers", &[])), json!({ "offers": [] }));
    // Behind -- everything is a text, and so is what begins with one hyphen.
    let made = success(&data.run("offerout", &["--", "5", "--labell", "-me", "-l"]));
    let offer: bolt12::draft::Offer = made["bolt12"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (offer.description().unwrap().as_str(), offer.issuer().unwrap().as_str()),
        ("--labell", "-me")
    );
    assert_eq!(made["label"], "-l");
}

#[test]
fn who_only_looks_makes_no_ledger() {
    let data = Data::new();
    let nowhere = data.path().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    assert_eq!(success(&example("listoffers", &["--data", nowhere])), json!({ "offers": [] }));
    let id = "ab".repeat(32);
    let expected = (-1, format!("unknown offer {id}"));
    assert_eq!(failure(&example("disableoffer", &["--data", nowhere, &id])), expected);
    assert!(!fs::exists(nowhere).unwrap());
}

#[test]
fn programs_that_run_at_once_take_turns() {
    let data = Data::new();
    let results: Vec<Value> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| data.run("offerout", &["1sat", "d"]))).collect();
        runs.into_iter().map(|run| success(&run.join().unwrap())).collect()
    });
    assert_eq!(results.iter().filter(|result| result["created"] == true).count(), 1);
    assert!(results.iter().all(|result| result["bolt12"] == results[0]["bolt12"]), "one key was made");
}

#[cfg(unix)]
#[test]
fn a_key_file_without_end_is_not_read_to_its_end() {
    let data = Data::new();
    let (code, message) = failure(&data.run("offerout", &["--node-key", "/dev/zero", "1", "d"]));
    assert_eq!(
        (code, message.as_str()),
        (-1, "key file /dev/zero: 64 hexadecimal characters are needed, 1024 are there")
    );
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_used_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let data = Data::new();
    let path = data.path().join("key");
    fs::write(&path, "ab".repeat(32)).unwrap();
    for (mode, warned) in [(0o640, true), (0o600, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let output = data.run("offerout", &["--node-key", path.to_str().unwrap(), "1", "d"]);
        let _ = success(&output);
        let warning = format!("warning: key file {} can be read by others", path.display());
        assert_eq!(String::from_utf8(output.stderr).unwrap().contains(&warning), warned);
    }
}
