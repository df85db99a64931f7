//! BOLT 12 without a Lightning node: a codec that is exact to the byte, and a ledger that pays a
//! payout at most once.
//!
//! An offer that pays out, "send me an invoice, I pay you", is one call (lightning-offerout(7)):
//!
//! ```
//! # #[cfg(feature = "std")] {
//! use bolt12::payout::{Ledger, MemoryStore};
//! use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
//! use bolt12::{OfferOutParams, offerout};
//!
//! let secret = SecretKey::from_slice(&[7; 32])?;
//! let node_key = Keypair::from_secret_key(SECP256K1, &secret);
//! let ledger = Ledger::new(MemoryStore::new());
//! let params = OfferOutParams::new("100000sat".parse()?, "withdrawal from ATM");
//! let result = offerout(&ledger, &node_key, &params, 1_700_000_000)?;
//! assert!(result.created && result.bolt12.starts_with("lno1"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to go
//!
//! | guide | for a program that |
//! |---|---|
//! | [wallet](guides::wallet) | pays offers, and is paid by payouts |
//! | [desk](guides::desk) | pays out: an ATM, an exchange, a refund desk |
//! | [async code](guides::async_code) | pays out from an async program, such as a web service |
//! | [store](guides::store) | keeps its payouts in a database of its own |
//! | [which_node](guides::which_node) | has a node, or has yet to choose one |
//! | [machines](guides::machines) | pays from several machines on one PostgreSQL database |
//! | [signer](guides::signer) | has its keys elsewhere: in a device, a service, a node |
//!
//! | module | what it is for |
//! |---|---|
//! | [`message`] | messages of merged BOLT 12, re-exported here: [`Offer`], [`InvoiceRequest`], [`Invoice`] … |
//! | [`draft`] | messages of the 2021 dialect in which `offerout` was documented |
//! | [`proof`] | payer proofs: [`PayerProof`] |
//! | [`device`] | a device that shows a message before it signs it |
//! | [`payout`] | the ledger, its state machine, its stores |
//! | [`command`] | the documented calls, re-exported here (needs `std`) |
//! | [`uri`] | what people paste: `lightning:` and `bitcoin:` links, names of BIP 353 |
//! | [`service`] | the ledger in async programs |
//! | [`view`], [`bulk`] | a message for people and as JSON; many messages at once |
//! | [`blinding`] | blinded paths: making them, and opening a hop |
//! | [`node`] | payers for living nodes (feature `cln`) |
//! | [`simulation`] | a store or a payer of your own under every fault, from one seed |
//! | [`amount`], [`text`], [`payment`], [`tlv`], [`field`], [`merkle`], [`sign`] | the layers below |
//! | [`requirements`] | every requirement that the docs cite by number, with its source |
//!
//! # Words
//!
//! | word | meaning |
//! |---|---|
//! | TLV stream, record | the bytes of a message: records of type, length and value, in ascending order of their types |
//! | merkle root | one hash over all records of a message; it is what a signature signs, and the id of an offer |
//! | blinded path | a route to a node that does not reveal the node: each hop can read only where to go next |
//! | dialect | merged BOLT 12, or the 2021 draft of it in which `offerout` was documented |
//! | payout | one obligation to pay once, in a ledger |
//! | claim | the payout reserved for one invoice, written before any money moves |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `std` (default) | the ledger, the commands, one shared verification context |
//! | `serde` | messages, result objects and the JSON view of a message as serde values |
//! | `blinding` | making and opening blinded paths |
//! | `redb` | [`payout::RedbStore`], a durable ledger in one file (Rust 1.90) |
//! | `postgres` | [`payout::PostgresStore`], a ledger in a PostgreSQL database for many machines |
//! | `conformance` | [`payout::conformance`], the suite that tests a store |
//! | `export` | the payouts of a ledger as lines of JSON or comma-separated values |
//! | `tracing` | [`payout::TracingObserver`]: what a ledger does, in the log |
//! | `metrics` | [`payout::MetricsObserver`]: what a ledger does, as counters and histograms |
//! | `simulation` | the simulator that tests a store and a payer with one seed |
//! | `qr` | [`qr`]: QR codes of messages and links, on a terminal, as SVG, as PNG |
//! | `cln` | [`node::Cln`]: Core Lightning pays, over its Unix socket (unix only) |
//! | `rayon` | [`bulk`]: many messages at once, on all cores |
//! | `tokio` | [`service`]: the ledger in async programs |
//!
//! Without `std` the crate needs `alloc` only.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// The page links to modules of every feature, and is published with all of them.
#![cfg_attr(
    not(all(
        feature = "std",
        feature = "serde",
        feature = "blinding",
        feature = "redb",
        feature = "postgres",
        feature = "conformance",
        feature = "simulation",
        feature = "tracing",
        feature = "metrics",
        feature = "qr",
        feature = "cln",
        feature = "rayon",
        feature = "tokio"
    )),
    allow(rustdoc::broken_intra_doc_links, reason = "pages of a feature lead to those of another")
)]
#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

extern crate alloc;

pub mod amount;
mod any_message;
#[cfg(feature = "blinding")]
pub mod blinding;
#[cfg(feature = "rayon")]
pub mod bulk;
mod codec;
#[cfg(feature = "std")]
pub mod command;
mod count;
pub mod device;
pub mod draft;
pub mod field;
#[cfg(feature = "std")]
pub mod guides;
mod hash;
mod hex;
pub mod merkle;
pub mod message;
#[cfg(all(unix, feature = "cln"))]
pub mod node;
pub mod payment;
pub mod payout;
pub mod proof;
#[cfg(feature = "qr")]
pub mod qr;
#[doc = include_str!("requirements.md")]
pub mod requirements {}
#[cfg(feature = "serde")]
mod serde_text;
#[cfg(feature = "tokio")]
pub mod service;
pub mod sign;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod text;
pub mod tlv;
pub mod uri;
#[cfg(feature = "serde")]
pub mod view;

/// The crate whose chain hashes, addresses and amounts appear in this interface.
pub use bitcoin;
/// The crate of many messages at once on all cores, whose thread pools decide how many cores
/// [`bulk`] uses.
#[cfg(feature = "rayon")]
pub use rayon;
/// The crate whose keys and signatures appear in this interface.
pub use secp256k1;

#[doc(inline)]
pub use amount::{Amount, AmountError, Msat};
pub use any_message::{AnyMessage, Dialect};
#[doc(inline)]
pub use codec::{BuildError, ParseError};
#[cfg(feature = "std")]
#[doc(inline)]
pub use command::{
    CommandError, InvoiceRequestOut, InvoiceRequestParams, InvoiceStatus, ListInvoiceRequests, ListOffers,
    ListedInvoiceRequest, ListedOffer, OfferOut, OfferOutParams, PayInvoice, PayInvoiceStatus,
    RegisterInvoiceRequestParams, SendInvoice, SendInvoiceParams, disableinvoicerequest, disableoffer,
    invoicerequest, listinvoicerequests, listoffers, offerout, payinvoice, registerinvoicerequest,
    sendinvoice,
};
#[doc(inline)]
pub use hex::HexError;
#[doc(inline)]
pub use merkle::OfferId;
#[doc(inline)]
pub use message::{
    Answer, ClnOfferId, Invoice, InvoiceError, InvoiceRequest, InvreqId, IssuerKeys, Offer, PayerKeys,
    UnsignedInvoice, UnsignedInvoiceRequest, VerifiedInvoice, VerifiedRequest,
};
#[doc(inline)]
pub use payment::{PaymentHash, PaymentProof, Preimage};
#[cfg(feature = "std")]
#[doc(inline)]
pub use payout::Ledger;
#[doc(inline)]
pub use proof::{PayerProof, UnsignedPayerProof};

/// The README's example, compiled and run as a test.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
