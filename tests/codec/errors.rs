//! No error says in its own sentence what its `source()` says again.

use bolt12::command::CommandError;
use bolt12::field::FieldErrorKind;
use bolt12::payout::store::Label;
use bolt12::sign::SignerError;
use bolt12::tlv::bigsize::BigSizeError;
use bolt12::tlv::{StreamErrorKind, ValueErrorKind};
use bolt12::{Amount, BuildError, Invoice, InvoiceRequest, Msat, Offer, ParseError, PayerProof};
use testkit::errors::sentences;

#[test]
fn a_parse_error_is_reported_in_one_sentence() {
    let offers = [
        "",
        "lno1",
        "lno1b",
        "lno1é",
        "lnr1pg",
        "lnbc1pvjluez",
        "lno1+",
        "LNO1pg",
        "lno1q",
        "lno1qq",
        "lno1qqq",
        "lno1pqpq",
        "lno1pg",
        "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksesa",
    ];
    for text in offers {
        let Err(error) = text.parse::<Offer>() else { continue };
        assert_eq!(sentences(&error), [error.to_string()], "{text}");
    }
    // One byte of each record's head, missing or too large.
    for bytes in [
        &[][..],
        &[0xfd],
        &[0xfd, 0, 1, 0],
        &[22, 0xfd],
        &[22, 0xfd, 0, 1],
        &[22, 33],
        &[22, 1, 2],
        &[1, 0, 0, 0],
    ] {
        let errors: [Option<ParseError>; 4] = [
            Offer::try_from(bytes.to_vec()).err(),
            InvoiceRequest::try_from(bytes.to_vec()).err(),
            Invoice::try_from(bytes.to_vec()).err(),
            PayerProof::try_from(bytes.to_vec()).err(),
        ];
        for error in errors.into_iter().flatten() {
            assert_eq!(sentences(&error), [error.to_string()], "{bytes:?}");
        }
    }
}

#[test]
fn the_parts_of_a_parse_error_are_reported_in_one_sentence() {
    let big: BigSizeError = bolt12::tlv::bigsize::read(&[0xfd, 1]).unwrap_err();
    let value = ValueErrorKind::BigSize(big);
    let errors: [&(dyn std::error::Error + 'static); 4] = [
        &StreamErrorKind::Type(big),
        &StreamErrorKind::Length { number: 22, error: big },
        &FieldErrorKind::Value(value.clone()),
        &value,
    ];
    for error in errors {
        assert_eq!(sentences(error), [error.to_string()]);
    }
}

#[test]
fn a_call_that_fails_is_reported_in_one_sentence() {
    let parse = "lno1".parse::<Offer>().unwrap_err();
    let build = BuildError::from(parse.clone());
    let refused = BuildError::from(SignerError::refused("the button was not pressed"));
    let amount = "1.5sat".parse::<Amount>().unwrap_err();
    let errors: [&(dyn std::error::Error + 'static); 9] = [
        &amount,
        &Msat::new(u64::MAX).unwrap_err(),
        &build,
        &refused,
        &CommandError::Amount(amount.clone()),
        &CommandError::RefundFor(parse),
        &CommandError::Label(Label::new("x".repeat(1025)).unwrap_err()),
        &CommandError::Build(build.clone()),
        &CommandError::Build(refused.clone()),
    ];
    for error in errors {
        assert_eq!(sentences(error), [error.to_string()]);
    }
}
