//! From a signing request to a signature: review, confirmation, signing.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use bitcoin::constants::ChainHash;
use bitcoin::hex::DisplayHex;

use super::answer::{Refusal, RefusalReason, SigningAnswer};
use super::name_validator::NameValidator;
use super::request::{SignableMessage, SigningRequest};
use super::screens::{Name, Screen, message_screens};
use crate::field::ShownChain;
use crate::sign::{Signer, SignerError, sign};

/// The device's side of [`SigningRequest::review`]: its chain, and what else it knows.
///
/// Many devices have no clock, so the time is not an argument of `new`, as it is elsewhere.
#[derive(Clone, Copy)]
#[must_use]
pub struct SigningContext<'a> {
    chain: ChainHash,
    now: Option<u64>,
    signed_before: bool,
    validator: Option<&'a dyn NameValidator>,
}

impl<'a> SigningContext<'a> {
    /// A device on bitcoin without a clock and without a DNSSEC validator.
    pub const fn new() -> Self {
        Self { chain: ChainHash::BITCOIN, now: None, signed_before: false, validator: None }
    }

    /// The same on another chain. A device signs for one chain at a time.
    pub const fn on(self, chain: ChainHash) -> Self {
        Self { chain, ..self }
    }

    /// The time in unix seconds: an expired message is refused.
    pub const fn now(self, seconds: u64) -> Self {
        Self { now: Some(seconds), ..self }
    }

    /// Whether this request was signed before, as [`RecentRequests`](super::RecentRequests) report:
    /// then the first screen says so.
    pub const fn signed_before(self, is_known: bool) -> Self {
        Self { signed_before: is_known, ..self }
    }

    /// Validates BIP 353 names. Without it they are shown as not verified.
    pub const fn name_validator(self, validator: &'a dyn NameValidator) -> Self {
        Self { validator: Some(validator), ..self }
    }
}

impl Default for SigningContext<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SigningContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningContext")
            .field("chain", &self.chain)
            .field("now", &self.now)
            .field("signed_before", &self.signed_before)
            .field("has_validator", &self.validator.is_some())
            .finish()
    }
}

impl SigningRequest {
    /// Checks the request against what the device knows, before a person reads it.
    ///
    /// # Errors
    ///
    /// [`ReviewError`]: another chain, an expired message, or a BIP 353 proof that the validator of
    /// the context refuses or that belongs to another offer. [`Refusal`] has a conversion from it.
    pub fn review(&self, context: &SigningContext<'_>) -> Result<Review<'_>, ReviewError> {
        if self.chain() != context.chain {
            return Err(ReviewError::Chain { found: self.chain(), expected: context.chain });
        }
        if let (Some(now), Some(expiry)) = (context.now, self.message().expires_at()) {
            if self.message().is_expired(now) {
                return Err(ReviewError::Expired { expiry, now });
            }
        }
        let stated = match self.message() {
            SignableMessage::InvoiceRequest(request) => request.invreq_bip_353_name(),
            _ => None,
        };
        let name = match (self.bip_353_proof(), context.validator) {
            (Some(proof), Some(validator)) => {
                let offer = validator.validate(proof).map_err(|reason| ReviewError::Name { reason })?;
                if self.message().offer() != Some(offer) {
                    return Err(ReviewError::NameOfAnother);
                }
                Some(Name { name: proof.name(), is_verified: true })
            }
            (proof, _) => {
                proof.map(|proof| proof.name()).or(stated).map(|name| Name { name, is_verified: false })
            }
        };
        let screens = message_screens(self, name, context.signed_before);
        Ok(Review { request: self, screens })
    }
}

/// A message that a person has to agree to. Only a [`Confirmed`] one can be signed.
#[derive(Clone, Debug)]
#[must_use]
pub struct Review<'a> {
    request: &'a SigningRequest,
    screens: Vec<Screen>,
}

impl<'a> Review<'a> {
    /// What the device must show, in this order.
    pub fn screens(&self) -> &[Screen] {
        &self.screens
    }

    /// Shows each screen in order with `show`, which returns whether the person agreed to go on.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] for [`RefusalReason::Denied`], at the first screen with which the person did
    /// not agree.
    pub fn confirm(self, show: impl FnMut(&Screen) -> bool) -> Result<Confirmed<'a>, Refusal> {
        if self.screens.iter().all(show) {
            Ok(Confirmed { request: self.request })
        } else {
            Err(Refusal::new(RefusalReason::Denied, ""))
        }
    }

    /// The same for a device that shows screens from an event loop: it returns those that the
    /// person agreed to.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] for [`RefusalReason::Denied`] unless they are all screens of this review, in
    /// order.
    pub fn confirm_shown(self, shown: &[Screen]) -> Result<Confirmed<'a>, Refusal> {
        let is_same = self.screens == shown;
        self.confirm(|_| is_same)
    }
}

/// A message that a person has seen on every screen and agreed to.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Confirmed<'a> {
    request: &'a SigningRequest,
}

impl<'a> Confirmed<'a> {
    /// The request.
    pub const fn request(&self) -> &'a SigningRequest {
        self.request
    }

    /// Signs the message that was shown, with the key that it names. An error of the signer is a
    /// refusal in the answer.
    pub fn sign(self, signer: &(impl Signer + ?Sized)) -> SigningAnswer {
        let (id, message) = (self.request.id(), self.request.message());
        let Some(key) = message.signing_key() else {
            return SigningAnswer::refused(id, Refusal::new(RefusalReason::Key, "the message names no key"));
        };
        match sign(signer, &key, &message.unsigned_message()) {
            Ok(signature) => SigningAnswer::signed(id, signature),
            Err(error) => SigningAnswer::refused(id, refusal(&error)),
        }
    }
}

/// The reason why the key made no signature, short enough for an answer.
fn refusal(error: &SignerError) -> Refusal {
    match error {
        SignerError::WrongKey { signer, .. } => {
            Refusal::new(RefusalReason::Key, &format!("the device has {}", signer.as_hex()))
        }
        SignerError::Refused { reason } => Refusal::new(RefusalReason::Other(0), reason),
        SignerError::WrongSignature { .. } => Refusal::new(RefusalReason::Other(0), &error.to_string()),
    }
}

/// Why a device does not show a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// The message is for another chain than the device's.
    #[error("chain {}: expected {}, the chain of the device", ShownChain(*found), ShownChain(*expected))]
    Chain {
        /// The chain of the message.
        found: ChainHash,
        /// The chain of the device.
        expected: ChainHash,
    },
    /// The message is expired.
    #[error("expired at {expiry} (now {now})")]
    Expired {
        /// The second of its expiry, unix.
        expiry: u64,
        /// The time of the device, unix seconds.
        now: u64,
    },
    /// The BIP 353 proof is not valid.
    #[error("the name is not verified: {reason}")]
    Name {
        /// The validator's reason.
        reason: String,
    },
    /// The BIP 353 name belongs to another offer.
    #[error("the name belongs to another offer: expected the offer of the message")]
    NameOfAnother,
}
