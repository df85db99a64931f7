//! What a payment over a blinded path costs: `blinded_payinfo` of BOLT 12, one for each path of an
//! invoice.

use alloc::vec::Vec;

use super::{Features, FieldErrorKind};
use crate::tlv::{Reader, Record, Span, ValueError};

/// Fees and limits of a blinded path as a whole. Amounts are in msat.
///
/// The writer of an invoice may put any numbers here, so all arithmetic is checked. By default a path
/// is free and has no limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PayInfo<'a> {
    /// The fixed part of the fee.
    pub fee_base_msat: u32,
    /// The part of the fee that grows with the amount, in millionths of it.
    pub fee_proportional_millionths: u32,
    /// Blocks to add to the expiry of the payment, the recipient's own included.
    pub cltv_expiry_delta: u16,
    /// The least amount that can be delivered in one part.
    pub htlc_minimum_msat: u64,
    /// The largest amount that can be delivered in one part.
    pub htlc_maximum_msat: u64,
    /// The features that the path needs.
    pub features: Features<'a>,
}

impl<'a> PayInfo<'a> {
    /// The feature bits of a path that BOLT 12 assigns: none.
    pub const KNOWN_FEATURES: &'static [usize] = &[];

    /// The fee for delivering `amount_msat`, as BOLT 7 has it: the base, and the proportional part
    /// rounded down.
    ///
    /// `None` when it does not fit 64 bits.
    ///
    /// ```
    /// use bolt12::field::PayInfo;
    /// let path = PayInfo {
    ///     fee_base_msat: 100,
    ///     fee_proportional_millionths: 500,
    ///     ..PayInfo::default()
    /// };
    /// assert_eq!(path.fee(1_000_000), Some(600));
    /// let path = PayInfo { fee_proportional_millionths: u32::MAX, ..path };
    /// assert_eq!(path.fee(u64::MAX), None);
    /// ```
    pub fn fee(&self, amount_msat: u64) -> Option<u64> {
        let proportional = u128::from(amount_msat).checked_mul(self.fee_proportional_millionths.into())?;
        u64::try_from(proportional / MILLION).ok()?.checked_add(self.fee_base_msat.into())
    }

    /// What has to enter the path so that `amount_msat` is delivered. `None` when it does not fit
    /// 64 bits.
    pub fn amount_to_send(&self, amount_msat: u64) -> Option<u64> {
        amount_msat.checked_add(self.fee(amount_msat)?)
    }

    /// Whether `amount_msat` can be delivered in one part.
    pub const fn accepts(&self, amount_msat: u64) -> bool {
        self.htlc_minimum_msat <= amount_msat && amount_msat <= self.htlc_maximum_msat
    }

    /// Whether there is an amount above zero that can be delivered in one part. The builder of an
    /// invoice refuses a path without one.
    pub const fn accepts_any(&self) -> bool {
        self.htlc_maximum_msat > 0 && self.htlc_minimum_msat <= self.htlc_maximum_msat
    }

    /// Whether the path needs no feature that this crate does not know. Others cannot be used (BOLT
    /// 12, [R-I-26](crate::requirements#r-i-26)).
    pub fn is_usable(&self) -> bool {
        self.features.unknown_even(Self::KNOWN_FEATURES).is_none()
    }

    /// The costs of a path from those of its relaying hops, first to last, for a recipient that
    /// needs `final_cltv_delta` blocks and takes amounts of `htlc_minimum_msat` to
    /// `htlc_maximum_msat`.
    ///
    /// Fees are folded from the last hop to the first, rounded up at each, so that no hop is ever
    /// short (BOLT 4, "Route Blinding"). Limits are those of what is delivered. `None` when a total
    /// does not fit its field.
    ///
    /// ```
    /// use bolt12::field::{PayInfo, PaymentRelay};
    /// let hop = PaymentRelay {
    ///     cltv_expiry_delta: 144,
    ///     fee_base_msat: 10,
    ///     fee_proportional_millionths: 250,
    /// };
    /// let path = PayInfo::aggregate(&[hop.into(), hop.into()], 18, 1, 1_000_000).unwrap();
    /// assert_eq!((path.fee_base_msat, path.fee_proportional_millionths), (21, 501));
    /// assert_eq!(path.cltv_expiry_delta, 306);
    /// ```
    pub fn aggregate(
        hops: &[RelayingHop],
        final_cltv_delta: u16,
        htlc_minimum_msat: u64,
        htlc_maximum_msat: u64,
    ) -> Option<PayInfo<'static>> {
        let mut base = 0u128;
        let mut proportional = 0u128;
        let mut cltv = final_cltv_delta;
        for hop in hops.iter().rev() {
            let rate = u128::from(hop.relay.fee_proportional_millionths);
            // base' = ceil((b·10⁶ + B·(10⁶ + p)) / 10⁶), prop' = ceil(((P + p)·10⁶ + P·p) / 10⁶)
            base = u128::from(hop.relay.fee_base_msat)
                .checked_mul(MILLION)?
                .checked_add(base.checked_mul(MILLION.checked_add(rate)?)?)?
                .div_ceil(MILLION);
            proportional = proportional
                .checked_add(rate)?
                .checked_mul(MILLION)?
                .checked_add(proportional.checked_mul(rate)?)?
                .div_ceil(MILLION);
            // Each step may grow past the field's 32 bits; stopping here keeps the products far below 128.
            u32::try_from(base).ok()?;
            u32::try_from(proportional).ok()?;
            cltv = cltv.checked_add(hop.relay.cltv_expiry_delta)?;
        }
        let (mut least, mut most) = (0u64, u64::MAX);
        for hop in hops {
            least = hop.relay.amount_to_forward(least.max(hop.htlc_minimum_msat));
            most = hop.relay.amount_to_forward(most.min(hop.htlc_maximum_msat));
        }
        Some(PayInfo {
            fee_base_msat: base.try_into().ok()?,
            fee_proportional_millionths: proportional.try_into().ok()?,
            cltv_expiry_delta: cltv,
            htlc_minimum_msat: least.max(htlc_minimum_msat),
            htlc_maximum_msat: most.min(htlc_maximum_msat),
            features: Features::default(),
        })
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, ValueError> {
        Ok(Self {
            fee_base_msat: reader.u32()?,
            fee_proportional_millionths: reader.u32()?,
            cltv_expiry_delta: reader.u16()?,
            htlc_minimum_msat: reader.u64()?,
            htlc_maximum_msat: reader.u64()?,
            features: {
                let length = reader.u16()?;
                Features::new(reader.take(usize::from(length))?)
            },
        })
    }

    /// Bytes of its encoding.
    pub(crate) const fn encoded_len(&self) -> usize {
        self.features.as_bytes().len().saturating_add(4 + 4 + 2 + 8 + 8 + 2)
    }

    /// Appends the encoding.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), FieldErrorKind> {
        out.extend(self.fee_base_msat.to_be_bytes());
        out.extend(self.fee_proportional_millionths.to_be_bytes());
        out.extend(self.cltv_expiry_delta.to_be_bytes());
        out.extend(self.htlc_minimum_msat.to_be_bytes());
        out.extend(self.htlc_maximum_msat.to_be_bytes());
        super::write_u16_length(self.features.as_bytes(), out)
    }
}

impl Default for PayInfo<'_> {
    /// No fees, no blocks, amounts of 0 to 2⁶⁴ − 1 msat, no features.
    fn default() -> Self {
        Self {
            fee_base_msat: 0,
            fee_proportional_millionths: 0,
            cltv_expiry_delta: 0,
            htlc_minimum_msat: 0,
            htlc_maximum_msat: u64::MAX,
            features: Features::default(),
        }
    }
}

/// What a relaying hop of a blinded path takes for itself (`payment_relay` of BOLT 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct PaymentRelay {
    /// Blocks between the incoming and the outgoing expiry.
    pub cltv_expiry_delta: u16,
    /// The part of the fee that grows with the amount, in millionths of it.
    pub fee_proportional_millionths: u32,
    /// The fixed part of the fee, msat.
    pub fee_base_msat: u32,
}

impl PaymentRelay {
    /// What leaves the hop when `amount_msat` enters it (BOLT 4, "Route Blinding"), 0 when that
    /// does not pay the base: `ceil((amount - base)·10⁶ / (10⁶ + proportional))`.
    ///
    /// Each fee that [`PayInfo::fee`] computes is exact here, for every rate.
    pub fn amount_to_forward(&self, amount_msat: u64) -> u64 {
        let after_base = amount_msat.saturating_sub(self.fee_base_msat.into());
        let divisor = MILLION.saturating_add(self.fee_proportional_millionths.into());
        let forwarded = u128::from(after_base).saturating_mul(MILLION).div_ceil(divisor);
        u64::try_from(forwarded).unwrap_or(u64::MAX)
    }
}

/// A relaying hop with the limits of what may enter it, for [`PayInfo::aggregate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelayingHop {
    /// Its fees and blocks.
    pub relay: PaymentRelay,
    /// The least amount that may enter it, msat.
    pub htlc_minimum_msat: u64,
    /// The largest amount that may enter it, msat.
    pub htlc_maximum_msat: u64,
}

impl From<PaymentRelay> for RelayingHop {
    /// A hop without limits.
    fn from(relay: PaymentRelay) -> Self {
        Self { relay, htlc_minimum_msat: 0, htlc_maximum_msat: u64::MAX }
    }
}

/// A field of payinfos inside a message, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayInfoList {
    span: Span,
}

impl PayInfoList {
    pub(crate) fn read(record: &Record<'_>) -> Result<Self, ValueError> {
        let mut reader = Reader::new(record.value());
        while !reader.is_empty() {
            PayInfo::read(&mut reader)?;
        }
        Ok(Self { span: Span::from_value(record) })
    }

    pub(crate) fn view(self, bytes: &[u8]) -> impl Iterator<Item = PayInfo<'_>> + Clone {
        let mut reader = Reader::new(self.span.slice(bytes));
        core::iter::from_fn(move || if reader.is_empty() { None } else { PayInfo::read(&mut reader).ok() })
    }
}

const MILLION: u128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: PayInfo<'_> = PayInfo {
        fee_base_msat: u32::MAX,
        fee_proportional_millionths: u32::MAX,
        cltv_expiry_delta: u16::MAX,
        htlc_minimum_msat: u64::MAX,
        htlc_maximum_msat: u64::MAX,
        features: Features::new(&[]),
    };

    #[test]
    fn s9_maximum_values_overflow_nothing() {
        assert_eq!(LARGEST.fee(0), Some(4_294_967_295));
        assert_eq!(LARGEST.fee(1_000_000), Some(8_589_934_590));
        assert_eq!(LARGEST.fee(u64::MAX), None);
        assert_eq!(LARGEST.amount_to_send(u64::MAX - 1), None);
        assert!(!LARGEST.accepts(u64::MAX - 1) && LARGEST.accepts(u64::MAX));
        let relay = PaymentRelay {
            cltv_expiry_delta: u16::MAX,
            fee_proportional_millionths: u32::MAX,
            fee_base_msat: u32::MAX,
        };
        assert_eq!(relay.amount_to_forward(u64::MAX), 4_293_967_528_776_214);
        assert!(PayInfo::aggregate(&[relay.into()], 0, 0, u64::MAX).is_some());
        assert_eq!(PayInfo::aggregate(&[relay.into()], 1, 0, u64::MAX), None, "16 bits of blocks");
        assert_eq!(
            PayInfo::aggregate(&[PaymentRelay { cltv_expiry_delta: 0, ..relay }.into(); 255], 0, 0, 1),
            None
        );
    }

    #[test]
    fn s10_no_rate_leaves_the_forwarder_short() {
        for rate in [0, 1, 999_999, 1_000_000, 2_000_001, 3_999_999, u32::MAX] {
            for base in [0, 1, 1000, u32::MAX] {
                for amount in [1, 2, 999, 1_000_001, 123_456_789, 2_100_000_000_000_000_000 / 5000] {
                    let fees = PayInfo { fee_base_msat: base, fee_proportional_millionths: rate, ..LARGEST };
                    let relay = PaymentRelay {
                        cltv_expiry_delta: 0,
                        fee_base_msat: base,
                        fee_proportional_millionths: rate,
                    };
                    let sent = fees.amount_to_send(amount).unwrap();
                    assert_eq!(relay.amount_to_forward(sent), amount, "{rate} {base} {amount}");
                }
            }
        }
    }

    #[test]
    fn totals_cover_every_hop() {
        let hop = |base, rate, delta| RelayingHop {
            relay: PaymentRelay {
                cltv_expiry_delta: delta,
                fee_base_msat: base,
                fee_proportional_millionths: rate,
            },
            htlc_minimum_msat: 1500,
            htlc_maximum_msat: 1_000_000_000,
        };
        let hops = [hop(10_000, 150, 36), hop(500, 100, 48), hop(0, 250, 144)];
        let path = PayInfo::aggregate(&hops, 18, 1000, 900_000_000).unwrap();
        assert_eq!(
            (path.fee_base_msat, path.fee_proportional_millionths, path.cltv_expiry_delta),
            (10_501, 502, 246)
        );
        assert_eq!((path.htlc_minimum_msat, path.htlc_maximum_msat), (1500, 900_000_000));
        for amount in [1500, 12_345, 100_000_000] {
            let delivered = hops
                .iter()
                .fold(path.amount_to_send(amount).unwrap(), |sent, hop| hop.relay.amount_to_forward(sent));
            // Two roundings of the rate, each by less than a millionth, and one msat a hop.
            let most = amount + 2 * amount / 1_000_000 + 3;
            assert!((amount..=most).contains(&delivered), "{amount} became {delivered}");
        }
    }
}
