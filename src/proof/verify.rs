//! What a proof shows to a verifier that knows more than the proof: an offer, or a note of its own.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::ops::Deref;

use super::{PayerProof, types};
use crate::Offer;
use crate::field::Field;
use crate::message::types as message;
use crate::message::{PayeeAuthentication, VerifyError};
use crate::tlv::Record;

impl PayerProof {
    /// Checks that the proof is of a payment to the issuer of `offer`, which the verifier knows from
    /// elsewhere:
    ///
    /// - the signer of the invoice is the offer's issuer, or, where the offer has no issuer id, the
    ///   last blinded node of one of its paths;
    /// - every field of an offer that the proof shows is that of `offer`, byte for byte.
    ///
    /// An issuer can have many offers. Where the proof shows every record of this one,
    /// [`VerifiedProof::shows_whole_offer`], the payment was for this offer. Otherwise it was for an
    /// offer of the same issuer that differs from this one at most in what is hidden.
    ///
    /// ```
    /// # use bolt12::{Offer, PayerProof};
    /// # fn accept(text: &str, offer: &Offer) -> Result<(), Box<dyn std::error::Error>> {
    /// let proof: PayerProof = text.parse()?;
    /// let proof = proof.verify_for_offer(offer)?;
    /// proof.verify_note("order 1234, please")?;
    /// println!("{} paid {:?}", proof.invreq_payer_id(), proof.invoice_amount());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`VerifyError::OtherNode`], [`VerifyError::Differs`].
    pub fn verify_for_offer<'a>(&'a self, offer: &Offer) -> Result<VerifiedProof<'a>, VerifyError> {
        let found = self.invoice_node_id();
        let field = message::INVOICE_NODE_ID;
        let authentication = match offer.offer_issuer_id() {
            Some(issuer_id) if issuer_id == found => PayeeAuthentication::Issuer,
            Some(_) => {
                return Err(VerifyError::OtherNode {
                    field,
                    found,
                    expected: "the offer_issuer_id of the offer",
                });
            }
            None if offer.offer_view().has_path_to(found) => PayeeAuthentication::PathEnd,
            None => {
                return Err(VerifyError::OtherNode {
                    field,
                    found,
                    expected: "the end of a path of the offer",
                });
            }
        };
        let mut shown = 0usize;
        for record in self.shown_records().filter(|record| message::is_offer_type(record.number())) {
            if !has_record(offer, &record) {
                let field = message::field(record.number());
                return Err(VerifyError::Differs { field, original: "offer" });
            }
            shown = shown.saturating_add(1);
        }
        let shows_whole_offer = shown == offer.stream().records().count();
        Ok(VerifiedProof { proof: self, authentication, shows_whole_offer })
    }

    /// Checks that the proof has the note `expected`, byte for byte: a text that the verifier chose
    /// for this proof. A proof that was made for someone else has another note, or none.
    ///
    /// # Errors
    ///
    /// [`NoteError`].
    pub fn verify_note(&self, expected: &str) -> Result<(), NoteError> {
        match self.proof_note() {
            Some(found) if found.as_str() == expected => Ok(()),
            Some(found) => {
                Err(NoteError::Differs { found: found.as_str().to_owned(), expected: expected.to_owned() })
            }
            None => Err(NoteError::Missing { expected: expected.to_owned() }),
        }
    }
}

fn has_record(offer: &Offer, record: &Record<'_>) -> bool {
    offer.stream().find(record.number()).is_some_and(|ours| ours.raw() == record.raw())
}

/// A proof of a payment to the issuer of an offer that is known from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct VerifiedProof<'a> {
    proof: &'a PayerProof,
    authentication: PayeeAuthentication,
    shows_whole_offer: bool,
}

impl<'a> VerifiedProof<'a> {
    /// The proof.
    pub const fn proof(&self) -> &'a PayerProof {
        self.proof
    }

    /// How the signer of the invoice is known to be the payee: as the issuer, or as the end of a
    /// path. Never [`PayeeAuthentication::Unknown`].
    pub const fn authentication(&self) -> PayeeAuthentication {
        self.authentication
    }

    /// Whether the proof shows every record of the offer, so that the payment was for this offer and
    /// for no other of the same issuer.
    pub const fn shows_whole_offer(&self) -> bool {
        self.shows_whole_offer
    }
}

impl Deref for VerifiedProof<'_> {
    type Target = PayerProof;

    fn deref(&self) -> &PayerProof {
        self.proof
    }
}

/// Why a proof does not have the note that the verifier chose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// The proof has no note.
    #[error("{}: missing: expected {expected:?}", Self::FIELD)]
    Missing {
        /// The note of the verifier.
        expected: String,
    },
    /// The proof has another note.
    #[error("{}: {found:?}: expected {expected:?}", Self::FIELD)]
    Differs {
        /// The note of the proof. Its author is the payer.
        found: String,
        /// The note of the verifier.
        expected: String,
    },
}

impl NoteError {
    const FIELD: Field = types::PROOF_NOTE;
}
