//! Values that become their text form in every serde format.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::amount::Amount;
use crate::merkle::OfferId;
use crate::message::InvreqId;
use crate::payout::{PaymentHash, PayoutId, Status};

/// Implements both ways for types whose `Display` is read back by `FromStr`.
macro_rules! as_text {
    ($($type:ty: $expected:literal),+ $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text { expected: $expected, value: PhantomData })
            }
        }
    )+};
}

as_text! {
    Amount: "an amount such as 1500msat, or any",
    InvreqId: "an invreq_id, 64 hexadecimal characters",
    OfferId: "an offer_id, 64 hexadecimal characters",
    PaymentHash: "a payment_hash, 64 hexadecimal characters",
    PayoutId: "a payout's id, 64 hexadecimal characters",
    Status: "a payout's status",
}

struct Text<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
