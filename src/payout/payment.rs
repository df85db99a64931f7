//! What identifies and what proves a payment: [`PaymentHash`], [`Preimage`], [`PaymentProof`].
//!
//! A payee picks a preimage, puts its SHA-256 into the invoice as `payment_hash`, and reveals the
//! preimage only by taking the money. So a fitting preimage is the one proof of payment that no
//! error code, time-out or lost answer can imitate. [`PaymentProof`] is that fact as a type.

use core::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::hex::hex_text;

/// The `payment_hash` of an invoice: SHA-256 of a preimage that the payee keeps until it is paid.
///
/// It is all that a node's callback tells about a payment, so the ledger finds a payout by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentHash([u8; 32]);

impl PaymentHash {
    /// Takes the 32 bytes as they are.
    #[must_use]
    pub const fn from_byte_array(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn to_byte_array(self) -> [u8; 32] {
        self.0
    }
}

hex_text!(PaymentHash);

/// A payment's secret, 32 bytes, as a node reports it. Not yet matched with any payment.
///
/// It never prints: whoever holds it can show it as a receipt.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Preimage([u8; 32]);

impl Preimage {
    /// Takes the 32 bytes as they are.
    #[must_use]
    pub const fn from_byte_array(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn to_byte_array(self) -> [u8; 32] {
        self.0
    }

    /// The only `payment_hash` that this preimage proves: its SHA-256.
    #[must_use]
    pub fn payment_hash(&self) -> PaymentHash {
        PaymentHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Preimage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preimage([REDACTED])")
    }
}

/// A preimage together with the payment it proves: SHA256(preimage) = payment_hash was checked.
///
/// ```
/// use bolt12::payout::{PaymentProof, Preimage};
///
/// let preimage = Preimage::from_byte_array([7; 32]);
/// let hash = preimage.payment_hash();
/// assert_eq!(PaymentProof::new(hash, preimage).unwrap().payment_hash(), hash);
/// assert!(PaymentProof::new(hash, Preimage::from_byte_array([8; 32])).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PaymentProof {
    payment_hash: PaymentHash,
    preimage: Preimage,
}

/// The preimage belongs to another payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the preimage does not fit: its SHA-256 is {found}, the payment_hash is {expected}")]
#[non_exhaustive]
pub struct WrongPreimage {
    /// The `payment_hash` that was to be proved.
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

    /// The payment that is proved.
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
            format!("the preimage does not fit: its SHA-256 is {hash}, the payment_hash is {other}"),
        );
    }

    #[test]
    fn the_preimage_never_prints() {
        let preimage = Preimage::from_byte_array([0xab; 32]);
        let proof = PaymentProof::new(preimage.payment_hash(), preimage).unwrap();
        assert!(!format!("{preimage:?} {proof:?}").contains("ab".repeat(4).as_str()));
        assert!(!format!("{preimage:?} {proof:?}").contains("171, 171"));
    }
}
