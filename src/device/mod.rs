//! A signing exchange for devices: one request, one answer, and the screens between them.
//!
//! A host (a wallet, a shop, a node) asks a device that holds a key to sign an unsigned message.
//! The request has the records of the message and no hash. The device validates them, shows what
//! they say, and computes the hash from what it showed. So a host cannot show one amount and get
//! the signature of another. Neither side trusts the other: the host verifies the answer.
//!
//! | side | step | type |
//! |---|---|---|
//! | host | writes the request | [`SigningRequest::builder`], or [`RemoteSigner`] for all steps |
//! | device | reads and validates it | [`SigningRequest::read`] |
//! | device | checks its chain, the time, the name of the payee | [`SigningRequest::review`] |
//! | device | shows each screen, in order | [`Review::confirm`] |
//! | device | signs what was shown | [`Confirmed::sign`] |
//! | host | verifies the signature | [`SigningAnswer::signature_for`] |
//! | host | makes the signed message | `attach` of the unsigned message |
//!
//! All of it works without `std`, and signing needs no randomness.
//!
//! ```
//! use bolt12::device::{SigningAnswer, SigningContext, SigningRequest};
//! use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
//! use bolt12::{Msat, Offer};
//!
//! let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
//! let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
//! let offer: Offer = text.parse()?;
//!
//! // The host has the public key. In production the metadata is random.
//! let builder = offer.request_invoice().amount(Msat::from_sat(1_234)?).payer_note("two cups");
//! let unsigned = builder.build_unsigned(key.public_key(), &[1; 16])?;
//! let sent = SigningRequest::builder(unsigned.unsigned_message()).build()?;
//!
//! // The device.
//! let request = SigningRequest::read(sent.as_bytes())?;
//! let review = request.review(&SigningContext::new())?;
//! let mut display = Vec::new();
//! let confirmed = review.confirm(|screen| {
//!     display.push(screen.to_string());
//!     true // the button was pressed
//! })?;
//! let answer = confirmed.sign(&key).to_bytes();
//! assert_eq!(display[0], "You pay: 1 234 sat");
//! assert_eq!(display[1], "To: unknown payee");
//! assert_eq!(display[4], "Your note: \"two cups\"");
//! assert_eq!(display[5], "Expires: never");
//!
//! // The host again.
//! let signature = SigningAnswer::read(&answer)?.signature_for(&sent)?;
//! let signed = unsigned.attach(&signature)?;
//! assert_eq!(signed.signature(), Some(signature));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The request, byte by byte
//!
//! A TLV stream of BOLT 1: records of type, length and value, types strictly ascending, types and
//! lengths as BigSize in their shortest form. At most 65 535 bytes ([`SigningRequest::MAX_LEN`]),
//! so that two bytes count them on a wire; how a wire marks the end of a request is not part of the
//! exchange. Integers are big endian. An unknown even type is refused, an unknown odd one is not
//! read; the id of the request covers it.
//!
//! | type | field | needed | value |
//! |---|---|---|---|
//! | 0 | `version` | yes | 1 byte: 1 |
//! | 2 | `message_kind` | yes | 1 byte: 1 for an `invoice_request`, 2 for an `invoice`, 3 for a `payer_proof` of merged BOLT 12; 4 for an `offer`, 5 for an `invoice` of the 2021 draft |
//! | 4 | `message` | yes | the TLV stream of the message without the signature asked for, validated as that message is; a proof has the signature of its invoice |
//! | 6 | `chain` | yes | 32 bytes: the chain hash, the message's or one of them |
//! | 7 | `key_origin` | no | 4 bytes: the fingerprint of the master key (BIP 32); then 4 bytes for each derivation step, at most 10 steps |
//! | 9 | `offer` | no | the TLV stream of the offer, every record of which the message repeats |
//! | 11 | `bip_353_proof` | no | the value of PSBT output field 0x35: the length of the name in 1 byte, `name@domain` without ₿, the records of RFC 9102. With a request for an offer alone; where that has `invreq_bip_353_name`, it is the same name |
//!
//! # The answer, byte by byte
//!
//! A TLV stream as above, at most 256 bytes ([`SigningAnswer::MAX_LEN`]), with one of the types 4
//! and 6:
//!
//! | type | field | value |
//! |---|---|---|
//! | 0 | `version` | 1 byte: 1 |
//! | 2 | `request_id` | 32 bytes: SHA-256 over all bytes of the request |
//! | 4 | `signature` | 64 bytes: BIP 340, by the key that the message names |
//! | 6 | `refusal` | 1 byte: the code of [`RefusalReason`]; then a UTF-8 text, at most 128 bytes are written |
//!
//! # What a device shows
//!
//! [`Review::screens`] are short lines of plain text: amounts in satoshi with groups of three digits,
//! keys and hashes in groups of eight digits, times as dates in UTC. A text that a stranger wrote
//! is in double quotes and cannot leave them. A field that is absent has no screen unless a value
//! is stated below.
//!
//! | order | for an `invoice_request` | for an `invoice` |
//! |---|---|---|
//! | 1 | `Signed before`, if it was | the same |
//! | 2 | `Network`, unless it is bitcoin | the same |
//! | 3 | `You pay`: the amount; the price where it differs | `You receive`: the amount; the price where it differs |
//! | 4 | `To`: the BIP 353 name, else the issuer, else `unknown payee`; `(unverified)` unless a validator returned the offer | `From`: the payer's name, else `unknown payer` |
//! | 5 | `Issuer says`, in addition to a name; `Payee key`, or `Offer id` where the offer has only paths | |
//! | 6 | `Description`, or `none` | `Note of the payer` |
//! | 7 | `Quantity`, with the price of one item | `Description`, `Quantity` |
//! | 8 | `Your note` | `Payment hash`; `Or on-chain to` for each address |
//! | 9 | `Expires`, or `never` | `Expires` |
//! | 10 | `Not shown`: how many records the signature covers that this crate does not know | the same |
//!
//! | order | for a `payer_proof` | for an `offer` of the draft | for an `invoice` of the draft |
//! |---|---|---|---|
//! | 1, 2 | as above | as above | as above |
//! | 3 | `You prove`: that you paid, and the amount if it is shown | `You pay`, or `You ask for`: the amount; `Currency` | `You receive`: the amount |
//! | 4 | `To`, `Payee key` | `To`, if it pays out; `Refund of` | `From` |
//! | 5 | `Description`, `Note of the proof` | `Your name`, `Description` | `Your name`, `Note`, `Description` |
//! | 6 | `Discloses`: the names of the fields that the proof shows | `Quantity`, `Repeats` | `Quantity`, `Payment hash`, `Or on-chain to` |
//! | 7 | `Hides`: how many fields it hides | `Expires`, `Not shown` | `Expires`, `Not shown` |
//!
//! # What it does not protect from
//!
//! - A payee without a verified name is known by its key alone. Compare the `Payee key` with one
//!   from another source, or give the device a [`NameValidator`].
//! - A signed request pays nothing by itself. The host pays the invoice that answers it, and can
//!   pay another one; what a device signed is only what the payer asked for.
//! - The paths of an invoice are not shown, since they are encrypted. A host that puts in its own
//!   payment hash and paths gets an invoice that pays the host. A device of a payee compares the
//!   `Payment hash` with one that it derived, as [`IssuerKeys`](crate::IssuerKeys) do, or shows it.

mod answer;
mod bip353_proof;
mod id;
mod recent;
mod remote;
mod request;
mod review;
mod screens;
mod text;
pub mod types;

pub use answer::{Refusal, RefusalReason, SigningAnswer, SigningAnswerError};
pub use bip353_proof::{Bip353Proof, NameValidator, ProofError};
pub use id::SigningRequestId;
pub use recent::RecentRequests;
pub use remote::RemoteSigner;
pub use request::{SignableMessage, SigningRequest, SigningRequestBuilder, SigningRequestError};
pub use review::{Confirmed, Review, ReviewError, SigningContext};
pub use screens::Screen;
