//! [`NameValidator`]: the DNSSEC validator of a device.

use alloc::string::String;

use crate::Offer;
use crate::uri::DnssecProof;

/// A DNSSEC validator of the caller's. A function with these arguments is one.
///
/// This crate has none. It checks the form of a name and carries its proof, so a name is
/// **unverified** until a validator has returned the offer that it belongs to.
pub trait NameValidator {
    /// Validates the chain of signatures in the proof down to the root of DNS, and returns the
    /// offer in the payment instructions (`lno=`) of its name.
    ///
    /// # Errors
    ///
    /// The reason why the proof is not valid, as a short sentence.
    fn validate(&self, proof: &DnssecProof) -> Result<Offer, String>;
}

impl<F: Fn(&DnssecProof) -> Result<Offer, String>> NameValidator for F {
    fn validate(&self, proof: &DnssecProof) -> Result<Offer, String> {
        self(proof)
    }
}
