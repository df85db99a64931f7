//! No error repeats in its sentence what its `source()` reports again.

use std::error::Error;
use std::fmt;

use bolt12::command::CommandError;
use bolt12::field::{FieldErrorKind, ProofErrorKind};
use bolt12::message::VerifyError;
use bolt12::payout::store::Label;
use bolt12::proof::PaymentError;
use bolt12::sign::SignerError;
use bolt12::tlv::bigsize::BigSizeError;
use bolt12::tlv::{Reader, StreamErrorKind, ValueError, ValueErrorKind};
use bolt12::{
    Amount, AmountError, BuildError, Invoice, InvoiceRequest, Msat, Offer, ParseError, PayerProof,
    PaymentHash, PaymentProof, Preimage,
};
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

/// One value of each public variant that has a cause, or whose sentence contains that of its cause.
#[test]
fn every_error_with_a_cause_is_reported_in_one_sentence() {
    let big: BigSizeError = bolt12::tlv::bigsize::read(&[0xfd, 1]).unwrap_err();
    let value = ValueErrorKind::BigSize(big);
    let text = "lnr1pg".parse::<Offer>().unwrap_err();
    let stream = Offer::try_from(vec![22, 2]).unwrap_err();
    let field = Offer::try_from(vec![22, 1, 2]).unwrap_err();
    assert!(matches!(
        (&text, &stream, &field),
        (ParseError::Text(_), ParseError::Stream(_), ParseError::Field(_))
    ));
    let (ParseError::Stream(framing), ParseError::Field(rule)) = (&stream, &field) else {
        panic!("matched above")
    };
    let point = Reader::new(&[0; 33]).point().unwrap_err();
    let build = BuildError::from(field.clone());
    let refused = BuildError::from(SignerError::refused("the button was not pressed"));
    let amount = "1.5sat".parse::<Amount>().unwrap_err();
    let hash = PaymentHash::from_byte_array([7; 32]);
    let preimage = PaymentProof::new(hash, Preimage::from_byte_array([1; 32])).unwrap_err();
    let errors: [&(dyn Error + 'static); 24] = [
        &StreamErrorKind::Type(big),
        &StreamErrorKind::Length { number: 22, error: big },
        framing,
        &value,
        &point,
        &ValueError::new(FieldErrorKind::Value(value.clone()), 3),
        &FieldErrorKind::Value(value.clone()),
        &FieldErrorKind::Proof(ProofErrorKind::Metadata),
        rule,
        &text,
        &stream,
        &field,
        &amount,
        &Msat::new(u64::MAX).unwrap_err(),
        &BuildError::Message(stream.clone()),
        &build,
        &refused,
        &PaymentError::Invoice(VerifyError::ForOffer),
        &PaymentError::Preimage(preimage),
        &CommandError::Amount(amount.clone()),
        &CommandError::RefundFor(text.clone()),
        &CommandError::Label(Label::new("x".repeat(1025)).unwrap_err()),
        &CommandError::Build(build.clone()),
        &CommandError::Build(refused.clone()),
    ];
    for error in errors {
        assert_eq!(sentences(error), [error.to_string()]);
    }
}

/// What the rule forbids: a sentence that contains the one of its `source()`.
#[derive(Debug)]
struct Repeating(Msat);

impl fmt::Display for Repeating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "price: {}", AmountError::TooLarge)
    }
}

impl Error for Repeating {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(if self.0 == Msat::ZERO { &AmountError::Zero } else { &AmountError::TooLarge })
    }
}

#[test]
fn an_error_with_another_sentence_than_its_cause_has_two() {
    let error = Repeating(Msat::ZERO);
    assert_eq!(sentences(&error), [error.to_string(), AmountError::Zero.to_string()]);
}

#[test]
#[should_panic(expected = "said twice")]
fn an_error_that_repeats_its_cause_is_found() {
    sentences(&Repeating(Msat::MAX));
}
