//! No error says in its own sentence what its `source()` says again.

use bolt12::payout::redb::OpenError;
use bolt12::payout::state::Refusal;
use bolt12::payout::{
    ClaimError, CreateError, DisableError, PaymentHash, Preimage, RebuildError, RecordingError, RedbStore,
    ReleaseError, SettleError, StoreError,
};
use testkit::errors::sentences;

const HASH: PaymentHash = PaymentHash::from_byte_array([7; 32]);

#[test]
fn an_error_of_the_ledger_is_reported_in_one_sentence() {
    let store = StoreError::failed("disk full");
    let refusal = Refusal::InFlight { hash: HASH };
    let preimage = Preimage::from_byte_array([1; 32]);
    let wrong = bolt12::PaymentProof::new(HASH, preimage).unwrap_err();
    let errors: [&(dyn std::error::Error + 'static); 10] = [
        &store,
        &StoreError::damaged("a checksum differs"),
        &refusal,
        &CreateError::Store(store.clone()),
        &ClaimError::Store(store.clone()),
        &ClaimError::Refused(refusal),
        &SettleError::WrongPreimage(wrong),
        &SettleError::Refused(refusal),
        &ReleaseError::Store(store.clone()),
        &DisableError::Refused(Refusal::AlreadyDisabled),
    ];
    for error in errors {
        assert_eq!(sentences(error), [error.to_string()]);
    }
}

#[test]
fn an_unrecorded_payment_is_reported_with_its_cause_once() {
    let store = StoreError::failed("disk full");
    assert_eq!(
        sentences(&RecordingError::Settle(SettleError::Store(store.clone()))),
        ["the node reports success, which is not recorded", &store.to_string()],
    );
    assert_eq!(
        sentences(&RecordingError::Release(ReleaseError::Store(store.clone()))),
        ["the node reports failure, which is not recorded", &store.to_string()],
    );
    assert_eq!(
        sentences(&RecordingError::Store(store.clone())),
        ["the payment was not begun: the payout cannot be read", &store.to_string()],
    );
    let damaged = RebuildError::Store(StoreError::damaged("a checksum differs"));
    assert_eq!(sentences(&damaged).len(), 1);
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
