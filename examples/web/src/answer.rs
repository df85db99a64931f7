//! Requests and their answers.

use bolt12::AnyMessage;
use bolt12::qr::QrCodes;
use bolt12::uri::{Instruction, PaymentUri, UriForm};
use bolt12::view::{Comparison, ErrorView, Explanation, UriView, View, check_answer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A request. Times are unix seconds.
#[derive(Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
enum Request {
    /// What a pasted text says.
    Decode { text: String, now: Option<u64> },
    /// What a pasted text asks for, as a link, whatever its form.
    Uri { text: String },
    /// Where two messages differ, and whether one answers the other.
    Compare { a: String, b: String, now: u64 },
    /// Whether a message answers another.
    Verify { question: String, answer: String, now: u64 },
    /// The QR codes of a text.
    Qr { text: String },
}

/// Answers a request in JSON.
pub(crate) fn answer(request: &[u8]) -> String {
    let answer = match serde_json::from_slice(request) {
        Ok(Request::Decode { text, now }) => decode(&text, now),
        Ok(Request::Uri { text }) => match PaymentUri::parse(&text) {
            Ok(uri) => link(&uri, &text, None),
            Err(error) => refused(&ErrorView::uri(&error, &text)),
        },
        Ok(Request::Compare { a, b, now }) => match (message(&a), message(&b)) {
            (Ok(first), Ok(second)) => {
                let mut answer = value(&Comparison::new(&first, &second, now));
                put(&mut answer, "valid", true);
                put(&mut answer, "a", value(&Explanation::new(&first, Some(now))));
                put(&mut answer, "b", value(&Explanation::new(&second, Some(now))));
                answer
            }
            (Err(error), _) => of(error, "a"),
            (_, Err(error)) => of(error, "b"),
        },
        Ok(Request::Verify { question, answer, now }) => match (message(&question), message(&answer)) {
            (Ok(question), Ok(answer)) => match check_answer(&question, &answer, now) {
                Some(Ok(())) => json!({"valid": true, "answers": true}),
                Some(Err(error)) => json!({"valid": true, "answers": false, "error": error}),
                None => {
                    let error =
                        format!("a {} does not answer a {}", answer.type_name(), question.type_name());
                    json!({"valid": true, "answers": false, "error": error})
                }
            },
            (Err(error), _) => of(error, "question"),
            (_, Err(error)) => of(error, "answer"),
        },
        Ok(Request::Qr { text }) => qr(&text),
        Err(error) => json!({"valid": false, "error": {"message": error.to_string(), "code": "bad-request"}}),
    };
    answer.to_string()
}

/// The texts of the QR codes in a picture in grey: one byte a pixel, row by row. A code that cannot be read is left out.
pub(crate) fn scan(pixels: &[u8], width: usize) -> String {
    let height = pixels.len().checked_div(width).unwrap_or_default();
    let grey = |x: usize, y: usize| {
        let index = y.saturating_mul(width).saturating_add(x);
        pixels.get(index).copied().unwrap_or_default()
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let codes = image.detect_grids().into_iter().filter_map(|grid| grid.decode().ok());
    let texts: Vec<String> = codes.map(|(_, text)| text).collect();
    value(&texts).to_string()
}

/// A pasted text: a message alone with all that it says, or a link with its instructions.
fn decode(text: &str, now: Option<u64>) -> Value {
    let uri = match PaymentUri::parse(text) {
        Ok(uri) => uri,
        Err(error) => return refused(&ErrorView::uri(&error, text)),
    };
    match (uri.form(), uri.instructions().next()) {
        (UriForm::Bare, Some(Instruction::Message(message))) => {
            let mut answer = read(&uri, &View::new(message));
            put(&mut answer, "explanation", value(&Explanation::new(message, now)));
            answer
        }
        _ => link(&uri, text, now),
    }
}

/// A link with its instructions, each message of which is explained.
fn link(uri: &PaymentUri, text: &str, now: Option<u64>) -> Value {
    let view = UriView::new(uri, text);
    let mut answer = read(uri, &view);
    put(&mut answer, "verdict", view.verdict());
    for (index, instruction) in uri.instructions().enumerate() {
        let shown = answer.get_mut("instructions").and_then(|instructions| instructions.get_mut(index));
        if let (Instruction::Message(message), Some(shown)) = (instruction, shown) {
            put(shown, "explanation", value(&Explanation::new(message, now)));
        }
    }
    answer
}

/// The view of a text that was read, with its shortest form.
fn read(uri: &PaymentUri, view: &impl Serialize) -> Value {
    let mut answer = value(view);
    put(&mut answer, "valid", uri.unreadable().next().is_none());
    put(&mut answer, "text", uri.to_string());
    answer
}

fn refused(error: &ErrorView<'_>) -> Value {
    json!({"valid": false, "error": value(error)})
}

/// The error of the text under `name` in the request.
fn of(mut error: Value, name: &str) -> Value {
    put(&mut error, "of", name);
    error
}

/// The message in a pasted text.
fn message(text: &str) -> Result<AnyMessage, Value> {
    let uri = PaymentUri::parse(text).map_err(|error| refused(&ErrorView::uri(&error, text)))?;
    let found = uri.instructions().find_map(|instruction| match instruction {
        Instruction::Message(message) => Some((**message).clone()),
        _ => None,
    });
    let missing = || {
        let unreadable = uri.unreadable().next().map(|one| refused(&ErrorView::uri(one.error(), text)));
        unreadable.unwrap_or_else(|| {
            json!({"valid": false, "error": {"message": "no message of BOLT 12: expected one", "code": "no-message"}})
        })
    };
    found.ok_or_else(missing)
}

fn qr(text: &str) -> Value {
    let uri = match PaymentUri::parse(text) {
        Ok(uri) => uri,
        Err(error) => return refused(&ErrorView::uri(&error, text)),
    };
    match QrCodes::new(&uri.shortest()) {
        Ok(codes) => {
            let show = |code: &bolt12::qr::QrCode| json!({"text": code.text(), "width": code.width(), "svg": code.to_svg()});
            json!({"valid": true, "codes": codes.iter().map(show).collect::<Vec<_>>()})
        }
        Err(error) => json!({"valid": false, "error": {"message": error.to_string(), "code": "no-qr-code"}}),
    }
}

/// A view as JSON. Its keys are texts and its numbers finite, so that it always is one.
fn value(view: &impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}

/// Puts a member into an object.
fn put(object: &mut Value, name: &str, member: impl Into<Value>) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), member.into());
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use super::*;

    fn ask(request: Value) -> Value {
        serde_json::from_str(&answer(request.to_string().as_bytes())).expect("JSON")
    }

    const OFFER: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";

    #[test]
    fn each_call_has_its_answer() {
        let decoded = ask(json!({"call": "decode", "text": format!(" \"{OFFER}\"\n"), "now": 1_760_000_000}));
        assert_eq!((&decoded["valid"], &decoded["type"]), (&json!(true), &json!("bolt12 offer")));
        assert_eq!(decoded["explanation"]["fields"][0]["type"], 22);
        assert_eq!(decoded["text"], OFFER);
        let link = ask(json!({"call": "decode", "text": format!("bitcoin:?lno={OFFER}")}));
        assert_eq!(link["instructions"][0]["explanation"]["fields"][0]["name"], "offer_issuer_id");
        let wrong = ask(json!({"call": "decode", "text": "lno1pgqbs"}));
        assert_eq!(wrong["error"]["text_range"], json!([7, 8]));
        let uri = ask(json!({"call": "uri", "text": OFFER}));
        assert_eq!((&uri["type"], &uri["form"]), (&json!("uri"), &json!("bare")));
        let same = ask(json!({"call": "compare", "a": OFFER, "b": OFFER, "now": 0}));
        assert_eq!(same["differences"], json!([]));
        let wrong = ask(json!({"call": "compare", "a": OFFER, "b": "lno1", "now": 0}));
        assert_eq!((&wrong["of"], &wrong["error"]["code"]), (&json!("b"), &json!("missing-either-field")));
        let verified = ask(json!({"call": "verify", "question": OFFER, "answer": OFFER, "now": 0}));
        assert_eq!(verified["error"], "a bolt12 offer does not answer a bolt12 offer");
        let qr = ask(json!({"call": "qr", "text": OFFER}));
        assert_eq!(qr["codes"][0]["text"], OFFER.to_uppercase());
        assert_eq!(ask(json!({"call": "nothing"}))["error"]["code"], "bad-request");
        assert_eq!(ask(json!([]))["valid"], false);
    }

    #[test]
    fn a_picture_of_a_code_is_read() {
        let uri = PaymentUri::parse(OFFER).expect("an offer");
        let codes = QrCodes::new(&uri).expect("a code");
        let code = codes.iter().next().expect("one");
        let side = (code.width() + 8) * 3;
        let place = |pixel: usize| (pixel / 3).wrapping_sub(4);
        let pixels: Vec<u8> = (0..side * side)
            .map(|index| if code.is_dark(place(index % side), place(index / side)) { 20 } else { 230 })
            .collect();
        assert_eq!(scan(&pixels, side), format!("[\"{}\"]", OFFER.to_uppercase()));
        assert_eq!(scan(&[], 5), "[]");
    }
}
