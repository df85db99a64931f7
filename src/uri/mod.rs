//! What people paste, and what a wallet shows them: `lightning:` and `bitcoin:` links (BIP 321),
//! names such as `₿name@domain` and their DNS records (BIP 353).
//!
//! [`PaymentUri::parse`] takes the text of a paste field, a QR code or a link as it is:
//!
//! | text | read as |
//! |---|---|
//! | `lno1…`, `lnr1…`, `lni1…`, `lnp1…` | that message |
//! | `lightning:lno1…`, in any case, with or without `//` | that message, or a BOLT 11 invoice |
//! | `bitcoin:ADDRESS?amount=0.001&lno=lno1…` | a list of instructions, and what they share |
//! | `lnbc1…`, `bc1…`, `1…` | a BOLT 11 invoice or an address: named, not read |
//! | `₿name@domain`, `name@domain` | a name, which is looked up in DNS |
//!
//! White space, quotes, brackets and invisible characters around it are ignored, and so are the
//! line breaks that mail programs put into a long text, with the `>` of a quotation. No other
//! character is changed: a text with a wrong character is refused, with its place.
//!
//! ```
//! use bolt12::message::OfferContext;
//! use bolt12::uri::PaymentUri;
//! let pasted = " \"bitcoin:?lno=lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwm\r\n\
//!               n4p72pksese&amount=0.0001\"\n";
//! let uri = PaymentUri::parse(pasted)?;
//! let now = 1_760_000_000; // unix seconds
//! let chosen = uri.choose_offer(&OfferContext::new(now))?;
//! assert_eq!(chosen.amount().unwrap().to_string(), "10000000msat");
//! // The request is sent to one of its destinations.
//! let request = chosen.offer().request_invoice();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An instruction that cannot be read, such as an offer with a field of the future, does not spoil
//! the others: it is [`Instruction::Unreadable`], with its error.
//!
//! A name is resolved in three steps. [`Bip353Name::dns_name`](crate::field::Bip353Name::dns_name)
//! is what to look up, [`UnverifiedName::from_txt_records`] reads the answer, and
//! [`UnverifiedName::with_checked_proof`] takes the DNSSEC proof that the caller has validated. This
//! crate speaks no DNS and validates no DNSSEC.
//!
//! Rules are cited by number, such as [R-U-5](crate::requirements#r-u-5).

mod amount;
mod choose;
mod error;
mod instruction;
mod parse;
mod paste;
mod payment_uri;
mod percent;
mod pop;
mod txt;
mod write;

#[cfg(feature = "serde")]
pub(crate) use amount::InBitcoin;
pub use choose::{ChosenOffer, NoOffer, OfferRefusal};
pub use error::{UriError, UriErrorKind};
pub use instruction::{AddressText, Bolt11Text, Instruction, NameText, OtherInstruction, Unreadable};
pub use payment_uri::{PaymentUri, PaymentUriBuilder, UriForm};
pub use pop::{PaidBy, ProofOfPayment};
pub use txt::{CheckedName, DnssecProof, TxtError, UnverifiedName};

/// The longest text that is read, in bytes: 1 MiB. The longest message takes a tenth of it.
pub const MAX_TEXT_LEN: usize = 1 << 20;
