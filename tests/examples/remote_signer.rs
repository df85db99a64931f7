//! The example `remote_signer`: a key in another process, which signs what a person has agreed to.

use std::io::Write;
use std::process::{Output, Stdio};

use bolt12::InvoiceRequest;

use super::offers::{command, failure, success};

/// Runs the example with these answers to the screens of the device.
fn run(arguments: &[&str], answers: &str) -> Output {
    let mut command = command("remote_signer");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A device that refuses early reads no further.
    let _ = child.stdin.take().unwrap().write_all(answers.as_bytes());
    child.wait_with_output().unwrap()
}

/// What the device showed: the lines between the bars, without them.
fn screens(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |").map(str::trim));
    lines.map(str::to_owned).collect()
}

const OFFER: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";

#[test]
fn a_request_is_signed_after_every_screen_was_agreed_to() {
    let output = run(&["--note", "two cups", OFFER, "1234567msat"], &"y\n".repeat(6));
    let shown = success(&output);
    let request: InvoiceRequest = shown["request"].as_str().unwrap().parse().unwrap();
    assert_eq!(request.invreq_amount().unwrap().get(), 1_234_567);
    assert_eq!(request.invreq_payer_note().unwrap(), "two cups");
    assert_eq!(request.offer().unwrap().to_string(), OFFER);
    assert_eq!(shown["payer_id"], request.invreq_payer_id().to_string());
    assert_ne!(shown["process_of_the_key"], shown["process_of_the_host"]);
    let screens = screens(&output);
    assert_eq!(screens[..4], ["You pay", "1 234.567 sat", "To", "unknown payee"]);
    assert_eq!(screens[screens.len() - 4..], ["Your note", "\"two cups\"", "Expires", "never"]);
}

#[test]
fn nothing_is_signed_unless_every_screen_was_agreed_to() {
    for agreed in 0..5 {
        let output = run(&[OFFER], &"y\n".repeat(agreed));
        let refused = failure(&output);
        assert_eq!(refused, (-1, "the signer refused: the device refused: denied at the device".to_owned()));
    }
    // Control.
    assert!(run(&[OFFER], &"y\n".repeat(5)).status.success());
}

#[test]
fn the_key_of_a_file_stays_in_the_process_of_the_device() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    std::fs::write(&file, "07".repeat(32)).unwrap();
    let file = file.to_str().unwrap();
    let shown = success(&run(&["--key-file", file], &"y\n".repeat(5)));
    let key = testkit::records::point(7).to_string();
    assert_eq!(shown["payer_id"], key);

    let output = run(&["--key-file", "/nowhere/key"], "");
    assert_eq!(failure(&output), (-1, "the device did not start: see stderr".to_owned()));
    assert!(String::from_utf8(output.stderr).unwrap().contains("key file /nowhere/key: "));
}
