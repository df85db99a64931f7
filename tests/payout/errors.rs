//! A report of an error prints its sentence and then each cause. No sentence is printed twice: an error either
//! shows its cause in its own sentence or returns it from `source()`.

use std::error::Error;
use std::time::Duration;

use bolt12::draft::RedeemError;
use bolt12::message::VerifyError;
use bolt12::payout::redb::OpenError;
use bolt12::payout::state::Refusal;
use bolt12::payout::store::Label;
use bolt12::payout::{
    AdoptError, ClaimError, CreateError, DisableError, Finding, PaymentHash, PayoutId, Preimage,
    RebuildError, RecordingError, RedbStore, RedemptionError, ReleaseError, ReplayError, SettleError,
    StoreError, Term, TermsError, UnreadablePayout,
};
use bolt12::{PaymentProof, payment};
use testkit::errors::sentences;

const HASH: PaymentHash = PaymentHash::from_byte_array([7; 32]);

const ID: PayoutId = PayoutId::from_byte_array([9; 32]);

fn store() -> StoreError {
    StoreError::failed("disk full")
}

fn refusal() -> Refusal {
    Refusal::InFlight { hash: HASH }
}

fn wrong_preimage() -> payment::WrongPreimage {
    PaymentProof::new(HASH, Preimage::from_byte_array([1; 32])).unwrap_err()
}

/// Why an invoice of either dialect does not fit, and why neither does.
fn redemptions() -> [RedemptionError; 4] {
    [
        RedemptionError::Draft(RedeemError::AmountMissing),
        RedemptionError::Bolt12(VerifyError::Expired {
            field: bolt12::message::types::INVOICE_RELATIVE_EXPIRY,
            expiry: 5,
            now: 6,
        }),
        RedemptionError::RequestExpired { expiry: 5, now: 6 },
        RedemptionError::OtherDialect,
    ]
}

/// An error, and the exact sentences of a report of it.
type Reported = (Box<dyn Error>, Vec<String>);

/// An error that is reported in the one sentence of its cause.
fn as_its_cause(error: impl Error + 'static, cause: &dyn Error) -> Reported {
    (Box::new(error), vec![cause.to_string()])
}

#[test]
fn an_error_that_passes_a_cause_on_is_reported_in_the_sentence_of_the_cause() {
    let too_long = Label::new("x".repeat(1_025)).unwrap_err();
    let mut reported = vec![
        as_its_cause(CreateError::TooLong(too_long), &too_long),
        as_its_cause(CreateError::Store(store()), &store()),
        as_its_cause(ClaimError::Refused(refusal()), &refusal()),
        as_its_cause(ClaimError::Store(store()), &store()),
        as_its_cause(SettleError::WrongPreimage(wrong_preimage()), &wrong_preimage()),
        as_its_cause(SettleError::Refused(refusal()), &refusal()),
        as_its_cause(SettleError::Store(store()), &store()),
        as_its_cause(ReleaseError::Refused(refusal()), &refusal()),
        as_its_cause(ReleaseError::Store(store()), &store()),
        as_its_cause(DisableError::Refused(Refusal::AlreadyDisabled), &Refusal::AlreadyDisabled),
        as_its_cause(DisableError::Store(store()), &store()),
        as_its_cause(AdoptError::Refused(refusal()), &refusal()),
        as_its_cause(AdoptError::WrongPreimage(wrong_preimage()), &wrong_preimage()),
        as_its_cause(AdoptError::Store(store()), &store()),
        as_its_cause(RebuildError::Store(store()), &store()),
        as_its_cause(ReplayError::Store(store()), &store()),
    ];
    for error in redemptions() {
        reported.push(as_its_cause(ClaimError::Redemption(error.clone()), &error));
        reported.push(as_its_cause(AdoptError::Redemption(error.clone()), &error));
        match &error {
            RedemptionError::Draft(cause) => reported.push(as_its_cause(error.clone(), cause)),
            RedemptionError::Bolt12(cause) => reported.push(as_its_cause(error.clone(), cause)),
            _ => {}
        }
    }
    let unreadable = UnreadablePayout { id: Some(ID), reason: "a checksum differs".into() };
    reported.push(as_its_cause(Finding::UnreadableRow(unreadable.clone()), &unreadable));
    for (error, expected) in reported {
        assert_eq!(sentences(&*error), expected, "{error:?}");
    }
}

#[test]
fn an_error_with_a_sentence_of_its_own_is_reported_with_its_cause_once() {
    let settle = || SettleError::WrongPreimage(wrong_preimage());
    let release = || ReleaseError::Refused(refusal());
    let reported: [(&(dyn Error + 'static), &str, String); 7] = [
        (
            &RecordingError::Settle(settle()),
            "the node reports success, which is not recorded",
            settle().to_string(),
        ),
        (
            &RecordingError::Settle(store().into()),
            "the node reports success, which is not recorded",
            store().to_string(),
        ),
        (
            &RecordingError::Release(release()),
            "the node reports failure, which is not recorded",
            release().to_string(),
        ),
        (
            &RecordingError::Release(store().into()),
            "the node reports failure, which is not recorded",
            store().to_string(),
        ),
        (
            &RecordingError::Store(store()),
            "the payment was not begun: the payout cannot be read",
            store().to_string(),
        ),
        (&RebuildError::History(ReplayError::Empty), "the history is damaged", "no events".into()),
        (
            &RebuildError::History(ReplayError::CutShort { sequence: 3 }),
            "the history is damaged",
            "the last write is cut short after event 3".into(),
        ),
    ];
    for (error, sentence, cause) in reported {
        assert_eq!(sentences(error), [sentence.to_owned(), cause], "{error:?}");
    }
}

#[test]
fn an_error_that_shows_all_it_knows_has_no_source() {
    let (by, reason) = (ID, "a checksum differs".to_owned());
    let errors: [&(dyn Error + 'static); 24] = [
        &store(),
        &StoreError::damaged("a checksum differs"),
        &CreateError::Expired { expiry: 5, now: 6 },
        &CreateError::DifferentTerms { key: "17".parse().unwrap(), id: by, term: Term::Limit },
        &Finding::OrderKey { payout: by, key: "17".parse().unwrap(), found: None },
        &ClaimError::UnknownPayout,
        &ClaimError::HashTaken { hash: HASH, by },
        &DisableError::UnknownPayout,
        &AdoptError::UnknownPayout,
        &AdoptError::HashTaken { hash: HASH, by },
        &RebuildError::UnknownPayout,
        &RebuildError::EndUnknown { history: 3, row: 4 },
        &RebuildError::HashTaken { hash: HASH, by },
        &ReplayError::Empty,
        &ReplayError::Event { sequence: 2, reason: reason.clone() },
        &RecordingError::Panicked { message: reason.clone() },
        &RecordingError::NoAnswer { limit: Duration::from_secs(1) },
        &RecordingError::NotAsked { waiting: 64 },
        &RecordingError::NoThread { reason: reason.clone() },
        &RecordingError::Closed,
        &TermsError::Amount,
        &Finding::Row { payout: by, reason: reason.clone(), rebuild: Some(reason.clone()) },
        // The reason is in the sentence, so it is no source.
        &Finding::History { payout: by, reason: ReplayError::Event { sequence: 2, reason } },
        &refusal(),
    ];
    for error in errors {
        assert_eq!(sentences(error), [error.to_string()]);
        assert!(error.source().is_none(), "{error:?}");
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_reported_in_one_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ledger");
    let missing = RedbStore::open(&path).unwrap_err();
    std::fs::write(&path, "no ledger").unwrap();
    let other = RedbStore::open(&path).unwrap_err();
    let exists = RedbStore::create(&path).unwrap_err();
    assert!(matches!(missing, OpenError::Missing { .. }));
    for error in [missing, other, exists] {
        assert_eq!(sentences(&error), [error.to_string()]);
    }
}
