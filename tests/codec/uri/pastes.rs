//! Texts as chats, mails, sites and QR codes make them.

use bolt12::uri::{PaymentUri, UriForm};
use serde::Deserialize;
use testkit::vectors;

#[derive(Deserialize)]
struct File {
    official: usize,
    own: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    source: String,
    text: String,
    valid: bool,
    form: Option<String>,
    #[serde(default)]
    instructions: Vec<(String, String)>,
    amount: Option<u64>,
    label: Option<String>,
    message: Option<String>,
    code: Option<String>,
    range: Option<(usize, usize)>,
}

#[test]
fn every_paste_is_read_or_refused_with_its_code_and_place() {
    let file: File = vectors("bip321/pastes.json");
    assert_eq!((file.official, file.own, file.cases.len()), (12, 36, 48));
    for case in file.cases {
        let source = &case.source;
        let uri = match (PaymentUri::parse(&case.text), case.valid) {
            (Ok(uri), true) => uri,
            (Err(error), false) => {
                assert_eq!(Some(error.code()), case.code.as_deref(), "{source}: {error}");
                if let Some((start, end)) = case.range {
                    assert_eq!(error.text_range(&case.text), start..end, "{source}: {error}");
                }
                continue;
            }
            (parsed, _) => panic!("{source}: {parsed:?}"),
        };
        let form = match uri.form() {
            UriForm::Bare => "bare",
            UriForm::Lightning => "lightning",
            UriForm::Bitcoin => "bitcoin",
        };
        assert_eq!(Some(form), case.form.as_deref(), "{source}");
        let instructions: Vec<_> =
            uri.instructions().map(|one| (one.type_name().to_owned(), one.to_string())).collect();
        assert_eq!(instructions, case.instructions, "{source}");
        assert_eq!(uri.amount().map(u64::from), case.amount, "{source}");
        assert_eq!(uri.label().map(|label| label.as_str().to_owned()), case.label, "{source}");
        assert_eq!(uri.message().map(|text| text.as_str().to_owned()), case.message, "{source}");
        // Printed and read again it is the same, in both cases of letters.
        assert_eq!(PaymentUri::parse(&uri.to_string()).as_ref(), Ok(&uri), "{source}");
        if uri.unreadable().next().is_none() {
            let upper = PaymentUri::parse(&format!("{uri:#}")).unwrap();
            assert_eq!(upper.to_string().to_lowercase(), uri.to_string().to_lowercase(), "{source}");
        }
    }
}
