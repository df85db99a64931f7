//! Payouts: obligations to pay once, and the ledger that pays each at most once.
//!
//! A desk shows a message, the customer's wallet answers with an invoice, and the ledger checks the
//! invoice and has your node pay it:
//!
//! ```
//! # #[cfg(feature = "std")] {
//! use bolt12::draft::Invoice;
//! use bolt12::payout::{ClaimError, Ledger, Payer, PaymentResult, Store};
//! use bolt12::sign::Signer;
//! use bolt12::{Amount, CommandError, OfferOutParams, offerout};
//!
//! /// The text to show, `lno1…`. The ticket makes it this customer's.
//! fn show<S: Store>(
//!     ledger: &Ledger<S>, key: &dyn Signer, amount: Amount, ticket: &str, now: u64,
//! ) -> Result<String, CommandError> {
//!     let params = OfferOutParams::new(amount, ticket);
//!     Ok(offerout(ledger, key, &params, now)?.bolt12.clone())
//! }
//!
//! /// Pays the invoice that answers a shown offer, and returns what to display.
//! fn pay<S: Store>(
//!     ledger: &Ledger<S>, node: &dyn Payer, invoice: &Invoice, now: u64,
//! ) -> Result<String, ClaimError> {
//!     Ok(match ledger.pay_once(invoice, node, || now)? {
//!         PaymentResult::Paid { preimage, .. } => format!("paid: {preimage:x}"),
//!         PaymentResult::Failed { reason } => format!("failed, try again: {reason}"),
//!         PaymentResult::InFlight { .. } => "not known yet".to_owned(),
//!         PaymentResult::NeverBegun { .. } => "call the operator".to_owned(),
//!     })
//! }
//! # }
//! ```
//!
//! | to … | read |
//! |---|---|
//! | run one payout from the offer to the proof | [`guides::desk`](crate::guides::desk) |
//! | connect your node | [`Payer`]: its contract, and what each node forgets |
//! | pay out from an async program | [`service`](crate::service) (feature `tokio`), and [`guides::async_code`](crate::guides::async_code) |
//! | keep payouts in a database of your own | the [contract](store) of a store, and [`guides::store`](crate::guides::store): tables and the conformance suite |
//! | operate a ledger file: backup, restore, disk errors | [`redb::operations`] |
//! | pay from many machines | [`postgres`], and [`guides::machines`](crate::guides::machines) for its operators |
//! | recover after a crash | [`Ledger::recover`] |
//! | limit what goes out in an hour or a day | [`Budget`] |
//! | forget the contents of old payouts | [`Ledger::prune`] |
//!
//! # The promise
//!
//! A payout is paid **at most once**: through concurrent invoices, repeated invoices, crashes at
//! any instruction, lost answers and payers that report failure although the money went out.
//!
//! It rests on three things, each small enough to be read and checked alone:
//!
//! 1. [`state`]: a pure function decides what may happen. It grants a claim only when nothing is in
//!    flight and nothing was paid, and calls a payout used only with a [`PaymentProof`].
//! 2. [`store`]: every write is conditional and atomic, and durable before it returns. Of two
//!    claims that race, one is refused.
//! 3. The order: a claim is written **before** any money moves. So after a crash the claim is
//!    there, and the node is asked how it ended. An error is never taken for a failure.
//!
//! What the ledger cannot do is stop a node from paying one invoice twice, or from calling a
//! payment failed that then succeeds. It records both: as `late` and as overpaid
//! ([`Status::OVERPAID`]).
//! Nor can it know of payments that a node made and has forgotten: [`Payer`] lists which nodes forget,
//! and when.
//!
//! # Damage, and copies of a ledger
//!
//! | what happened | what to call |
//! |---|---|
//! | the process or the machine stopped | [`Ledger::recover`], at every start and from time to time |
//! | recovery reports a payment as never begun | look at the node's own list of payments, then [`Ledger::settle`] or [`Ledger::release`] |
//! | the disk may be damaged, or a file was copied | [`Ledger::verify`]: reads everything, changes nothing, lists what is not as it was written |
//! | the row of a payout is damaged | [`Ledger::rebuild`]: writes it anew from its history, if the history is whole |
//! | the ledger was restored from an older copy | before any claim, [`Ledger::adopt`] every payment that the node made since the copy; then [`Ledger::recover`] |
//!
//! Every row carries a checksum over its id, version, status, label and body, and each event of a
//! history holds the hash of the event before it. So a flipped bit is an error and never another
//! answer, and a history that lost an event is noticed.
//!
//! # The parts
//!
//! | module | what it is |
//! |---|---|
//! | [`state`] | what may happen to a payout: table, diagram, [`step`](state::step) |
//! | [`store`] | the [`Store`] trait and its contract |
//! | [`store::MemoryStore`] | a store for tests (needs `std`) |
//! | [`redb`] | [`RedbStore`], one durable file (feature `redb`) |
//! | [`postgres`] | [`PostgresStore`], a database for many machines (feature `postgres`) |
//! | [`conformance`] | the suite that tests a store (feature `conformance`) |
//! | [`simulation`](crate::simulation) | the simulator that tests ledger, store and payer (feature `simulation`) |

#[cfg(feature = "std")]
mod adopt;
#[cfg(feature = "std")]
mod any_invoice;
#[cfg(feature = "std")]
mod approve;
#[cfg(feature = "std")]
mod budget;
#[cfg(feature = "std")]
mod chain;
#[cfg(feature = "std")]
mod claim;
#[cfg(feature = "std")]
mod copy;
#[cfg(feature = "std")]
mod create;
#[cfg(feature = "std")]
mod encoding;
#[cfg(feature = "std")]
pub(crate) mod error;
#[cfg(feature = "export")]
mod export;
#[cfg(feature = "std")]
mod history;
#[cfg(feature = "std")]
mod history_encoding;
mod id;
#[cfg(feature = "std")]
mod invoice_error;
#[cfg(feature = "std")]
mod lease;
#[cfg(feature = "std")]
mod ledger;
#[cfg(feature = "std")]
mod ledger_options;
#[cfg(feature = "std")]
mod listing;
#[cfg(feature = "std")]
mod new_payout;
#[cfg(feature = "std")]
mod observer;
#[cfg(feature = "std")]
mod pay;
#[cfg(feature = "std")]
mod payer;
#[cfg(feature = "std")]
#[expect(clippy::module_inception, reason = "the file of the type `Payout`")]
mod payout;
#[cfg(feature = "std")]
mod proof;
#[cfg(feature = "std")]
mod prune;
#[cfg(feature = "std")]
mod pruned;
#[cfg(feature = "std")]
mod rebuild;
#[cfg(feature = "std")]
mod recover;
#[cfg(feature = "std")]
mod replay;
pub mod state;
mod status;
#[cfg(feature = "std")]
mod steps;
pub mod store;
#[cfg(feature = "std")]
mod summary;
#[cfg(feature = "std")]
mod terms;
#[cfg(feature = "std")]
mod terms_encoding;
#[cfg(feature = "std")]
mod verify;
#[cfg(all(feature = "std", feature = "serde"))]
mod views;

#[cfg(feature = "postgres")]
pub use self::store::PostgresStore;
#[cfg(feature = "redb")]
pub use self::store::RedbStore;
#[cfg(feature = "conformance")]
#[doc(no_inline)]
pub use self::store::conformance;
#[cfg(feature = "postgres")]
#[doc(no_inline)]
pub use self::store::postgres;
#[cfg(feature = "redb")]
#[doc(no_inline)]
pub use self::store::redb;
// Programs that use a ledger name these next to its other types. Their page is in `payment`, and one page
// is enough.
#[doc(no_inline)]
pub use crate::payment::{PaymentHash, PaymentProof, Preimage, WrongPreimage};
#[cfg(feature = "tokio")]
pub(crate) use any_invoice::OwnedInvoice;
#[cfg(feature = "std")]
pub use any_invoice::{AnyInvoice, RedemptionError};
#[cfg(feature = "std")]
pub use budget::{BadWindow, Budget, BudgetScope, BudgetUse, CountedIn, OverBudget};
#[cfg(feature = "std")]
pub use claim::Claim;
#[cfg(feature = "std")]
pub use copy::{CopyError, copy};
#[cfg(feature = "std")]
pub use create::Created;
#[cfg(feature = "std")]
pub use error::{
    AdoptError, ApproveError, ClaimError, CreateError, DisableError, NoteError, RebuildError, ReleaseError,
    RequestError, SettleError,
};
#[cfg(feature = "export")]
pub use export::{ExportError, ExportFormat, Exported};
#[cfg(feature = "std")]
pub use history::{HistoryEntry, HistoryEvent};
pub use id::{LedgerId, PayoutId, WorkerId};
#[cfg(feature = "std")]
pub use lease::Lease;
#[cfg(feature = "std")]
pub use ledger::{Ledger, Settlement};
#[cfg(feature = "std")]
pub use ledger_options::LedgerOptions;
#[cfg(feature = "std")]
pub use listing::{PayoutPage, UnreadablePayout};
#[cfg(feature = "std")]
pub use new_payout::{NewPayout, Term};
#[cfg(feature = "metrics")]
pub use observer::MetricsObserver;
#[cfg(feature = "tracing")]
pub use observer::TracingObserver;
#[cfg(feature = "std")]
pub use observer::{LedgerEvent, Observer, Refused};
#[cfg(feature = "std")]
pub use pay::{NotBegun, PaymentResult, RecordingError};
#[cfg(feature = "std")]
pub use payer::{Payer, PaymentStatus};
#[cfg(feature = "std")]
pub use payout::Payout;
#[cfg(feature = "std")]
pub use proof::{ProveError, SettledInvoice, SettledPayment};
#[cfg(feature = "std")]
pub use prune::Pruning;
#[cfg(feature = "std")]
pub use pruned::PrunedMessage;
#[cfg(feature = "tokio")]
pub(crate) use recover::{Questions, RecoveryWalk, panic_message};
#[cfg(feature = "std")]
pub use recover::{RecoverOptions, RecoveredClaim, RecoveryReport};
#[cfg(feature = "std")]
pub use replay::ReplayError;
pub use status::{Status, UnknownStatus};
#[cfg(feature = "tokio")]
pub(crate) use steps::Question;
#[cfg(any(feature = "simulation", feature = "tokio"))]
pub(crate) use steps::{Job, NextStep};
#[cfg(feature = "std")]
pub use store::MemoryStore;
pub use store::{OrderKey, Store, StoreError};
#[cfg(feature = "std")]
pub use summary::Summary;
#[cfg(feature = "std")]
pub use terms::{PayoutMessage, Terms, TermsError};
#[cfg(feature = "std")]
pub use verify::{Finding, Verification};
