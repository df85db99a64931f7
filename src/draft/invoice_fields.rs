//! The fields of the draft's invoice, signed or not.

use alloc::vec::Vec;

use secp256k1::{XOnlyPublicKey, schnorr};

use super::types::invoice as types;
use super::{fallback, read};
use crate::codec::{ParseError, read_chains, read_records, without};
use crate::field::{FallbackList, FieldError, PathList, UntrustedText};
use crate::merkle::{LnAll, root};
use crate::payment::PaymentHash;
use crate::sign::{Sighash, SignatureField};
use crate::tlv::{Points, Reader, Record, Span, Stream, ValueError};

/// `blindedpay`: fees and limits of one blinded path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlindedPay {
    /// Fee for each payment, in msat.
    pub fee_base_msat: u32,
    /// Fee in millionths of the amount.
    pub fee_proportional_millionths: u32,
    /// Blocks added along the path.
    pub cltv_expiry_delta: u16,
    /// Feature bits of the path.
    pub features: Vec<u8>,
}

/// The hash that `refund_signature` covers, in an invoice with or without its signatures.
pub(super) fn refund_sighash(stream: Stream<'_>) -> Sighash {
    let covered = without(stream, types::REFUND_SIGNATURE);
    SignatureField::INVOICE_REFUND.sighash(root::<LnAll>(Stream::from_validated(&covered)))
}

/// The fields of an invoice, texts and lists by their place in its bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) chains: Option<Span>,
    pub(super) chain: Option<[u8; 32]>,
    pub(super) offer_id: Option<[u8; 32]>,
    pub(super) amount: Option<u64>,
    pub(super) description: Option<Span>,
    pub(super) features: Option<Span>,
    pub(super) paths: Option<PathList>,
    pub(super) blindedpay: Vec<BlindedPay>,
    pub(super) blinded_capacities: Option<Span>,
    pub(super) issuer: Option<Span>,
    pub(super) node_id: Option<XOnlyPublicKey>,
    pub(super) quantity: Option<u64>,
    pub(super) refund_for: Option<PaymentHash>,
    pub(super) recurrence_counter: Option<u32>,
    pub(super) payer_key: Option<XOnlyPublicKey>,
    pub(super) payer_note: Option<Span>,
    pub(super) created_at: Option<u64>,
    pub(super) payment_hash: Option<PaymentHash>,
    pub(super) relative_expiry: Option<u32>,
    pub(super) cltv: Option<u32>,
    pub(super) fallbacks: Option<FallbackList>,
    pub(super) payer_info: Option<Span>,
    pub(super) refund_signature: Option<schnorr::Signature>,
    pub(super) send_invoice: bool,
    pub(super) replace_invoice: Option<PaymentHash>,
    pub(super) recurrence_basetime: Option<u64>,
    pub(super) recurrence_start: Option<u32>,
    pub(super) signature: Option<schnorr::Signature>,
}

impl Fields {
    /// Reads framing and fields; rules and signatures are left to the caller.
    pub(super) fn read(bytes: &[u8], points: &mut Points<'_, XOnlyPublicKey>) -> Result<Self, ParseError> {
        let mut fields = Self::default();
        read_records(bytes, |record| fields.read_record(record, points))?;
        Ok(fields)
    }

    /// Reads one record; `false` when its type is none of an invoice's.
    fn read_record(
        &mut self,
        record: &Record<'_>,
        points: &mut Points<'_, XOnlyPublicKey>,
    ) -> Result<bool, FieldError> {
        match record.number() {
            2 => self.chains = Some(read_chains(types::CHAINS, record)?),
            3 => self.chain = Some(types::CHAIN.read_array(record)?),
            4 => self.offer_id = Some(types::OFFER_ID.read_array(record)?),
            8 => self.amount = Some(types::AMOUNT.read(record, Reader::tu64)?),
            10 => self.description = Some(read::text(types::DESCRIPTION, record)?),
            12 => self.features = Some(read::features(types::FEATURES, record)?),
            16 => self.paths = Some(read::paths(types::PATHS, record)?),
            18 => self.blindedpay = types::BLINDEDPAY.read(record, |reader| reader.list(read_blindedpay))?,
            19 => self.blinded_capacities = Some(types::BLINDED_CAPACITIES.read_list(record, 8)?),
            20 => self.issuer = Some(read::text(types::ISSUER, record)?),
            30 => self.node_id = Some(types::NODE_ID.read_x_only_point(record, points)?),
            32 => self.quantity = Some(types::QUANTITY.read(record, Reader::tu64)?),
            34 => self.refund_for = Some(types::REFUND_FOR.read_array(record)?.into()),
            36 => self.recurrence_counter = Some(types::RECURRENCE_COUNTER.read(record, Reader::tu32)?),
            38 => self.payer_key = Some(types::PAYER_KEY.read_x_only_point(record, points)?),
            39 => self.payer_note = Some(read::text(types::PAYER_NOTE, record)?),
            40 => self.created_at = Some(types::CREATED_AT.read(record, Reader::tu64)?),
            42 => self.payment_hash = Some(types::PAYMENT_HASH.read_array(record)?.into()),
            44 => self.relative_expiry = Some(types::RELATIVE_EXPIRY.read(record, Reader::tu32)?),
            46 => self.cltv = Some(types::CLTV.read(record, Reader::tu32)?),
            48 => {
                self.fallbacks = Some(types::FALLBACKS.read(record, |reader| fallback::read(reader, record))?)
            }
            50 => self.payer_info = Some(Span::from_value(record)),
            52 => self.refund_signature = Some(types::REFUND_SIGNATURE.read_signature(record)?),
            54 => self.send_invoice = types::SEND_INVOICE.read_flag(record)?,
            56 => self.replace_invoice = Some(types::REPLACE_INVOICE.read_array(record)?.into()),
            64 => self.recurrence_basetime = Some(types::RECURRENCE_BASETIME.read(record, Reader::tu64)?),
            68 => self.recurrence_start = Some(types::RECURRENCE_START.read(record, Reader::tu32)?),
            240 => self.signature = Some(types::SIGNATURE.read_signature(record)?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Fields {
    pub(super) fn text<'a>(&self, bytes: &'a [u8], span: Option<Span>) -> Option<UntrustedText<'a>> {
        span.map(|span| UntrustedText::new(span.text(bytes)))
    }
}

fn read_blindedpay(reader: &mut Reader<'_>) -> Result<BlindedPay, ValueError> {
    let fee_base_msat = reader.u32()?;
    let fee_proportional_millionths = reader.u32()?;
    let cltv_expiry_delta = reader.u16()?;
    let length = reader.u16()?;
    let features = reader.take(usize::from(length))?.to_vec();
    Ok(BlindedPay { fee_base_msat, fee_proportional_millionths, cltv_expiry_delta, features })
}

/// Gives an invoice, signed or not, the accessors of its fields. The text is written once for the
/// pages of [`Invoice`](super::Invoice) and [`UnsignedInvoice`](super::UnsignedInvoice). The
/// invoice has fields `bytes`, `fields` and `node_id`.
macro_rules! invoice_accessors {
    ($invoice:ty) => {
        /// The fields of the invoice, and what follows from them.
        impl $invoice {
            /// The hash that `refund_signature` covers: over the root of all records but the two
            /// signatures.
            pub fn refund_sighash(&self) -> $crate::sign::Sighash {
                $crate::draft::invoice_fields::refund_sighash(self.stream())
            }

            /// `chain`: the chain to pay on; bitcoin when absent. The obsolete `chains` counts
            /// where it lists one chain and `chain` is absent.
            ///
            /// `None` when the obsolete `chains` lists several chains or none.
            pub fn chain(&self) -> Option<bitcoin::constants::ChainHash> {
                match (self.fields.chain, self.fields.chains) {
                    (Some(chain), _) => Some(bitcoin::constants::ChainHash::from(chain)),
                    (None, None) => Some(bitcoin::constants::ChainHash::BITCOIN),
                    (None, Some(span)) => <[u8; 32]>::try_from(span.slice(&self.bytes))
                        .ok()
                        .map(bitcoin::constants::ChainHash::from),
                }
            }

            /// `offer_id`: the offer it answers.
            pub fn offer_id(&self) -> Option<$crate::OfferId> {
                self.fields.offer_id.map($crate::OfferId::from_byte_array)
            }

            /// `amount` in msat.
            pub fn amount(&self) -> Option<u64> {
                self.fields.amount
            }

            /// `description`: the purpose of the payment.
            pub fn description(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.fields.text(&self.bytes, self.fields.description)
            }

            /// `features`.
            pub fn features(&self) -> $crate::field::Features<'_> {
                $crate::field::Features::new($crate::codec::value_of(self.fields.features, &self.bytes))
            }

            /// `paths`: blinded paths to the payee, none when absent.
            pub fn paths(&self) -> impl Iterator<Item = $crate::field::BlindedPath<'_>> {
                self.fields.paths.iter().flat_map(|paths| paths.view(&self.bytes))
            }

            /// `blindedpay`: fees and limits of the paths, in their order.
            pub fn blindedpay(&self) -> &[$crate::draft::BlindedPay] {
                &self.fields.blindedpay
            }

            /// `blinded_capacities`: the capacity of each path, in msat.
            pub fn blinded_capacities(&self) -> impl Iterator<Item = u64> {
                let capacities =
                    $crate::codec::value_of(self.fields.blinded_capacities, &self.bytes).chunks_exact(8);
                capacities.filter_map(|capacity| capacity.try_into().ok()).map(u64::from_be_bytes)
            }

            /// `issuer`: the name of the issuer.
            pub fn issuer(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.fields.text(&self.bytes, self.fields.issuer)
            }

            /// `node_id`: the x-only key of the payee, by which it is signed.
            pub fn node_id(&self) -> secp256k1::XOnlyPublicKey {
                self.node_id
            }

            /// `quantity`: the number of items.
            pub fn quantity(&self) -> Option<u64> {
                self.fields.quantity
            }

            /// `refund_for`: the payment_hash of the invoice that this one refunds.
            pub fn refund_for(&self) -> Option<$crate::PaymentHash> {
                self.fields.refund_for
            }

            /// `recurrence_counter`: which payment of a recurring offer.
            pub fn recurrence_counter(&self) -> Option<u32> {
                self.fields.recurrence_counter
            }

            /// `payer_key`: the x-only key of the payer.
            pub fn payer_key(&self) -> Option<secp256k1::XOnlyPublicKey> {
                self.fields.payer_key
            }

            /// `payer_note`: a note from the payer to the payee.
            pub fn payer_note(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.fields.text(&self.bytes, self.fields.payer_note)
            }

            /// `created_at` in unix seconds.
            pub fn created_at(&self) -> Option<u64> {
                self.fields.created_at
            }

            /// `payment_hash`: SHA-256 of the preimage that the payer gets for the payment.
            pub fn payment_hash(&self) -> Option<$crate::PaymentHash> {
                self.fields.payment_hash
            }

            /// Whether `preimage` is the proof that the invoice was paid: its SHA-256 is the
            /// payment hash.
            pub fn is_paid_by(&self, preimage: &$crate::Preimage) -> bool {
                self.fields.payment_hash == Some(preimage.payment_hash())
            }

            /// `relative_expiry`: seconds of validity after `created_at`,
            /// [`Invoice::DEFAULT_RELATIVE_EXPIRY`](crate::draft::Invoice::DEFAULT_RELATIVE_EXPIRY)
            /// when absent.
            pub fn relative_expiry(&self) -> u32 {
                self.fields.relative_expiry.unwrap_or($crate::draft::Invoice::DEFAULT_RELATIVE_EXPIRY)
            }

            /// The last second (unix) at which the invoice can be paid; `None` without
            /// `created_at`.
            pub fn expires_at(&self) -> Option<u64> {
                self.created_at()
                    .map(|created_at| created_at.saturating_add(u64::from(self.relative_expiry())))
            }

            /// Whether the invoice is expired at `now` (unix seconds): after its last second. An
            /// invoice without `created_at` is not;
            /// [`Offer::check_invoice`](crate::draft::Offer::check_invoice) refuses it.
            pub fn is_expired(&self, now: u64) -> bool {
                self.expires_at().is_some_and(|last| now > last)
            }

            /// `cltv`: blocks that the last hop needs.
            pub fn cltv(&self) -> Option<u32> {
                self.fields.cltv
            }

            /// `fallbacks`: addresses to pay instead, in order of preference.
            pub fn fallbacks(&self) -> impl Iterator<Item = $crate::field::FallbackAddress<'_>> {
                self.fields.fallbacks.into_iter().flat_map(|list| list.view(&self.bytes))
            }

            /// `payer_info`: the bytes from which the payer derived its key.
            pub fn payer_info(&self) -> Option<&[u8]> {
                self.fields.payer_info.map(|span| span.slice(&self.bytes))
            }

            /// `refund_signature` over [`refund_sighash`](Self::refund_sighash), not validated: its
            /// key is in the refunded invoice.
            pub fn refund_signature(&self) -> Option<secp256k1::schnorr::Signature> {
                self.fields.refund_signature
            }

            /// `send_invoice`: whether it answers an offer that pays out.
            pub fn send_invoice(&self) -> bool {
                self.fields.send_invoice
            }

            /// `replace_invoice`: the payment_hash of the invoice it replaces.
            pub fn replace_invoice(&self) -> Option<$crate::PaymentHash> {
                self.fields.replace_invoice
            }

            /// `recurrence_basetime`: when period 0 starts, in unix seconds.
            pub fn recurrence_basetime(&self) -> Option<u64> {
                self.fields.recurrence_basetime
            }

            /// `recurrence_start`: the first period.
            pub fn recurrence_start(&self) -> Option<u32> {
                self.fields.recurrence_start
            }
        }
    };
}

pub(super) use invoice_accessors;
