//! What identifies and what proves a payment: [`PaymentHash`], [`Preimage`], [`PaymentProof`].
//!
//! A payee chooses a preimage, puts its SHA-256 into the invoice as `payment_hash`, and reveals the
//! preimage only by taking the payment. So the preimage is the one proof of payment that no error
//! code, time-out or lost answer can imitate. [`PaymentProof`] is that fact as a type.

use core::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::hex::{byte_array, display_hex};

/// The `payment_hash` of an invoice: SHA-256 of a preimage that the payee keeps until it is paid.
///
/// A node's callback names a payment by it alone, so the ledger finds a payout by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentHash([u8; 32]);

byte_array!(PaymentHash, 32, "a payment_hash");
display_hex!(PaymentHash);

/// The secret of a payment, 32 bytes, as a node reports it. Not yet matched with any payment.
///
/// It is a receipt for its holder, so `Debug` does not print it and there is no `Display`. To show
/// or keep it, ask for the text: `format!("{preimage:x}")`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Preimage([u8; 32]);

impl Preimage {
    /// The only `payment_hash` that this preimage proves: its SHA-256.
    #[must_use]
    pub fn payment_hash(&self) -> PaymentHash {
        PaymentHash(Sha256::digest(self.0).into())
    }
}

byte_array!(Preimage, 32, "a preimage");

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preimage([REDACTED])")
    }
}

/// A preimage and the payment that it proves: SHA256(preimage) = payment_hash was checked.
///
/// ```
/// use bolt12::{PaymentProof, Preimage};
///
/// let preimage = Preimage::from_byte_array([7; 32]);
/// let hash = preimage.payment_hash();
/// assert_eq!(PaymentProof::new(hash, preimage).unwrap().payment_hash(), hash);
/// assert!(PaymentProof::new(hash, Preimage::from_byte_array([8; 32])).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PaymentProof {
    payment_hash: PaymentHash,
    preimage: Preimage,
}

/// The preimage does not prove this payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("the SHA-256 of the preimage is {found}: expected the payment_hash {expected}")]
#[non_exhaustive]
pub struct WrongPreimage {
    /// The `payment_hash` of the payment.
    pub expected: PaymentHash,
    /// The `payment_hash` that the preimage proves.
    pub found: PaymentHash,
}

impl PaymentProof {
    /// Checks that `preimage` proves the payment of `payment_hash`.
    ///
    /// # Errors
    ///
    /// [`WrongPreimage`] when its SHA-256 is another.
    pub fn new(payment_hash: PaymentHash, preimage: Preimage) -> Result<Self, WrongPreimage> {
        let found = preimage.payment_hash();
        if found != payment_hash {
            return Err(WrongPreimage { expected: payment_hash, found });
        }
        Ok(Self { payment_hash, preimage })
    }

    /// A pair whose match was checked before.
    pub(crate) const fn from_validated(payment_hash: PaymentHash, preimage: Preimage) -> Self {
        Self { payment_hash, preimage }
    }

    /// The `payment_hash` of the payment.
    #[must_use]
    pub const fn payment_hash(&self) -> PaymentHash {
        self.payment_hash
    }

    /// What proves it.
    #[must_use]
    pub const fn preimage(&self) -> Preimage {
        self.preimage
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn only_the_fitting_preimage_proves() {
        let preimage = Preimage::from_byte_array([0; 32]);
        // SHA-256 of 32 zero bytes.
        let hash = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925".parse().unwrap();
        assert_eq!(preimage.payment_hash(), hash);
        assert_eq!(PaymentProof::new(hash, preimage).unwrap().preimage(), preimage);

        let other = PaymentHash::from_byte_array([0; 32]);
        assert_eq!(
            PaymentProof::new(other, preimage).unwrap_err().to_string(),
            format!("the SHA-256 of the preimage is {hash}: expected the payment_hash {other}"),
        );
    }

    #[test]
    fn a_preimage_prints_only_when_asked_for() {
        let preimage = Preimage::from_byte_array([0xab; 32]);
        let proof = PaymentProof::new(preimage.payment_hash(), preimage).unwrap();
        assert!(!format!("{preimage:?} {proof:?}").contains("ab".repeat(4).as_str()));
        assert!(!format!("{preimage:?} {proof:?}").contains("171, 171"));
        assert_eq!(format!("{preimage:x}").parse(), Ok(preimage));
    }
}
