//! The fields that a payer proof shows, signed or not.

use bitcoin::constants::ChainHash;
use secp256k1::{PublicKey, schnorr};

use super::check;
use super::read::ProofFields;
use crate::amount::Msat;
use crate::codec::{chain_hashes, value_of};
use crate::field::{
    Bip353Name, BlindedPaths, Currency, FallbackAddress, Features, PathList, PayInfo, UntrustedText,
};
use crate::merkle::MerkleRoot;
use crate::message::{OfferView, PayeeAuthentication};
use crate::payment::{PaymentHash, PaymentProof, Preimage};
use crate::tlv::{Reader, Record, Span, Stream};

/// The fields of a proof with the bytes that they lie in.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProofView<'a> {
    bytes: &'a [u8],
    fields: &'a ProofFields,
}

impl<'a> ProofView<'a> {
    pub(super) const fn new(bytes: &'a [u8], fields: &'a ProofFields) -> Self {
        Self { bytes, fields }
    }

    pub(super) fn offer(self) -> OfferView<'a> {
        OfferView::new(self.bytes, &self.fields.shown.request.offer)
    }

    fn stream(self) -> Stream<'a> {
        Stream::from_validated(self.bytes)
    }

    pub(super) fn invreq_payer_id(self) -> PublicKey {
        self.fields.payer_id
    }

    pub(super) fn invoice_payment_hash(self) -> PaymentHash {
        self.fields.payment_hash
    }

    pub(super) fn invoice_node_id(self) -> PublicKey {
        self.fields.node_id
    }

    pub(super) fn preimage(self) -> Preimage {
        self.fields.own.preimage
    }

    pub(super) fn payment(self) -> PaymentProof {
        PaymentProof::from_validated(self.fields.payment_hash, self.fields.own.preimage)
    }

    pub(super) fn proof_note(self) -> Option<UntrustedText<'a>> {
        self.fields.own.note.map(|span| UntrustedText::new(span.text(self.bytes)))
    }

    pub(super) fn signature(self) -> schnorr::Signature {
        self.fields.own.signature
    }

    pub(super) fn invoice_merkle_root(self) -> MerkleRoot {
        self.fields.invoice_root
    }

    pub(super) fn shown_records(self) -> impl Iterator<Item = Record<'a>> + Clone {
        check::shown(self.stream())
    }

    pub(super) fn hidden_count(self) -> usize {
        let markers = check::Markers::new(self.stream(), self.fields.own.omitted_tlvs).filter(Result::is_ok);
        // The first record of an invoice has no marker.
        markers.count().saturating_add(1)
    }

    pub(super) fn payee_authentication(self) -> PayeeAuthentication {
        if self.offer_issuer_id().is_some() {
            // Parsing has compared the two.
            PayeeAuthentication::Issuer
        } else if self.offer().has_path_to(self.invoice_node_id()) {
            PayeeAuthentication::PathEnd
        } else {
            PayeeAuthentication::Unknown
        }
    }

    pub(super) fn offer_chains(self) -> Option<impl Iterator<Item = ChainHash>> {
        let chains = self.fields.shown.request.offer.chains?;
        Some(chain_hashes(chains.slice(self.bytes)))
    }

    pub(super) fn offer_metadata(self) -> Option<&'a [u8]> {
        self.offer().metadata()
    }

    pub(super) fn offer_currency(self) -> Option<Currency> {
        self.offer().currency()
    }

    pub(super) fn offer_amount(self) -> Option<u64> {
        self.offer().amount()
    }

    pub(super) fn offer_description(self) -> Option<UntrustedText<'a>> {
        self.offer().description()
    }

    pub(super) fn offer_features(self) -> Option<Features<'a>> {
        self.features(self.fields.shown.request.offer.features)
    }

    pub(super) fn offer_absolute_expiry(self) -> Option<u64> {
        self.offer().absolute_expiry()
    }

    pub(super) fn offer_paths(self) -> BlindedPaths<'a> {
        self.offer().paths()
    }

    pub(super) fn offer_issuer(self) -> Option<UntrustedText<'a>> {
        self.offer().issuer()
    }

    pub(super) fn offer_quantity_max(self) -> Option<u64> {
        self.offer().quantity_max()
    }

    pub(super) fn offer_issuer_id(self) -> Option<PublicKey> {
        self.offer().issuer_id()
    }

    pub(super) fn invreq_chain(self) -> Option<ChainHash> {
        self.fields.shown.request.optional.chain
    }

    pub(super) fn invreq_amount(self) -> Option<Msat> {
        self.fields.shown.request.optional.amount
    }

    pub(super) fn invreq_features(self) -> Option<Features<'a>> {
        self.features(self.fields.shown.request.optional.features)
    }

    pub(super) fn invreq_quantity(self) -> Option<u64> {
        self.fields.shown.request.optional.quantity
    }

    pub(super) fn invreq_payer_note(self) -> Option<UntrustedText<'a>> {
        let note = self.fields.shown.request.optional.payer_note?;
        Some(UntrustedText::new(note.text(self.bytes)))
    }

    pub(super) fn invreq_paths(self) -> BlindedPaths<'a> {
        self.paths(self.fields.shown.request.optional.paths.as_ref())
    }

    pub(super) fn invreq_bip_353_name(self) -> Option<Bip353Name<'a>> {
        let value = self.fields.shown.request.optional.bip_353_name?.slice(self.bytes);
        Bip353Name::read(&mut Reader::new(value)).ok()
    }

    pub(super) fn invoice_paths(self) -> BlindedPaths<'a> {
        self.paths(self.fields.shown.paths.as_ref())
    }

    pub(super) fn invoice_blindedpay(self) -> impl Iterator<Item = PayInfo<'a>> + Clone {
        self.fields.shown.blindedpay.into_iter().flat_map(|list| list.view(self.bytes))
    }

    pub(super) fn invoice_created_at(self) -> Option<u64> {
        self.fields.shown.created_at
    }

    pub(super) fn invoice_relative_expiry(self) -> Option<u32> {
        self.fields.shown.optional.relative_expiry
    }

    pub(super) fn invoice_amount(self) -> Option<Msat> {
        self.fields.shown.amount
    }

    pub(super) fn invoice_fallbacks(self) -> impl Iterator<Item = FallbackAddress<'a>> {
        self.fields.shown.optional.fallbacks.into_iter().flat_map(|list| list.view(self.bytes))
    }

    pub(super) fn invoice_features(self) -> Option<Features<'a>> {
        self.features(self.fields.shown.optional.features)
    }

    fn features(self, span: Option<Span>) -> Option<Features<'a>> {
        span.map(|span| Features::new(value_of(Some(span), self.bytes)))
    }

    fn paths(self, list: Option<&'a PathList>) -> BlindedPaths<'a> {
        list.map(|list| list.view(self.bytes)).unwrap_or_default()
    }
}

/// Gives a proof the accessors of its fields. The text is written once for the pages of
/// [`PayerProof`](crate::PayerProof) and [`UnsignedPayerProof`](super::UnsignedPayerProof). The
/// proof has a field `bytes` and a field `fields`.
macro_rules! proof_accessors {
    ($proof:ty) => {
        impl $proof {
            fn view(&self) -> $crate::proof::fields::ProofView<'_> {
                $crate::proof::fields::ProofView::new(&self.bytes, &self.fields)
            }
        }

        /// The proof's own fields, and what follows from them.
        impl $proof {
            /// `invreq_payer_id`: the key that asked for the invoice, and that signed this proof.
            pub fn invreq_payer_id(&self) -> secp256k1::PublicKey {
                self.view().invreq_payer_id()
            }

            /// `invoice_payment_hash`: SHA-256 of [`preimage`](Self::preimage).
            pub fn invoice_payment_hash(&self) -> $crate::PaymentHash {
                self.view().invoice_payment_hash()
            }

            /// `invoice_node_id`: the key that signed the invoice. It is the payee's only if you
            /// know it from elsewhere, as from an offer
            /// ([`verify_for_offer`](crate::PayerProof::verify_for_offer)).
            pub fn invoice_node_id(&self) -> secp256k1::PublicKey {
                self.view().invoice_node_id()
            }

            /// `proof_preimage`: the preimage of the payment.
            pub fn preimage(&self) -> $crate::Preimage {
                self.view().preimage()
            }

            /// The payment hash with its preimage, which fit each other.
            pub fn payment(&self) -> $crate::PaymentProof {
                self.view().payment()
            }

            /// `proof_note`: a text of the payer, such as a challenge of the verifier. The proof's
            /// signature covers it. [`verify_note`](crate::PayerProof::verify_note) compares it.
            pub fn proof_note(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.view().proof_note()
            }

            /// `signature` of the invoice, by [`invoice_node_id`](Self::invoice_node_id);
            /// validated.
            pub fn signature(&self) -> secp256k1::schnorr::Signature {
                self.view().signature()
            }

            /// The merkle root of the invoice, as
            /// [`Invoice::merkle_root`](crate::Invoice::merkle_root) returns it. Two proofs with
            /// the same root are of the same invoice.
            pub fn invoice_merkle_root(&self) -> $crate::merkle::MerkleRoot {
                self.view().invoice_merkle_root()
            }

            /// The records of the invoice that the proof shows, its signature left out.
            pub fn shown_records(&self) -> impl Iterator<Item = $crate::tlv::Record<'_>> + Clone {
                self.view().shown_records()
            }

            /// The number of the invoice's records that the proof hides, signatures left out.
            pub fn hidden_count(&self) -> usize {
                self.view().hidden_count()
            }
        }

        /// The fields of the invoice, where the proof shows them. `None` or no item means that a
        /// field is hidden or absent: a proof does not show which.
        impl $proof {
            /// How the proof itself shows that the signer of the invoice is the payee of an offer:
            /// its issuer, the end of one of its paths, or
            /// [`Unknown`](crate::message::PayeeAuthentication::Unknown) where the proof hides
            /// both. The offer is the one that the invoice states, which may be anyone's invention.
            /// [`verify_for_offer`](crate::PayerProof::verify_for_offer) compares with an offer
            /// that is known from elsewhere.
            pub fn payee_authentication(&self) -> $crate::message::PayeeAuthentication {
                self.view().payee_authentication()
            }

            /// `offer_chains`: the chains on which the offer can be paid.
            pub fn offer_chains(&self) -> Option<impl Iterator<Item = bitcoin::constants::ChainHash>> {
                self.view().offer_chains()
            }

            /// `offer_metadata`: bytes for the issuer's own use.
            pub fn offer_metadata(&self) -> Option<&[u8]> {
                self.view().offer_metadata()
            }

            /// `offer_currency`: the currency of `offer_amount`.
            pub fn offer_currency(&self) -> Option<$crate::field::Currency> {
                self.view().offer_currency()
            }

            /// `offer_amount`: the price of one item, as written. A proof of this crate never shows
            /// it without its currency. Another may, so it is msat only if the payer is trusted
            /// that far.
            pub fn offer_amount(&self) -> Option<u64> {
                self.view().offer_amount()
            }

            /// `offer_description`: the purpose of the payment.
            pub fn offer_description(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.view().offer_description()
            }

            /// `offer_features`, bits that this crate does not know included.
            pub fn offer_features(&self) -> Option<$crate::field::Features<'_>> {
                self.view().offer_features()
            }

            /// `offer_absolute_expiry`: the last second (unix) of the offer.
            pub fn offer_absolute_expiry(&self) -> Option<u64> {
                self.view().offer_absolute_expiry()
            }

            /// `offer_paths`: blinded paths to the issuer.
            pub fn offer_paths(&self) -> $crate::field::BlindedPaths<'_> {
                self.view().offer_paths()
            }

            /// `offer_issuer`: the name of the issuer, as the invoice states it.
            pub fn offer_issuer(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.view().offer_issuer()
            }

            /// `offer_quantity_max`: the largest number of items, where 0 means any number.
            pub fn offer_quantity_max(&self) -> Option<u64> {
                self.view().offer_quantity_max()
            }

            /// `offer_issuer_id`: the key of the issuer. It is the same as
            /// [`invoice_node_id`](Self::invoice_node_id): parsing refuses another.
            pub fn offer_issuer_id(&self) -> Option<secp256k1::PublicKey> {
                self.view().offer_issuer_id()
            }

            /// `invreq_chain`: the chain that the payment was on. An invoice for bitcoin has no
            /// such field.
            pub fn invreq_chain(&self) -> Option<bitcoin::constants::ChainHash> {
                self.view().invreq_chain()
            }

            /// `invreq_amount`: the amount that the payer wanted to pay.
            pub fn invreq_amount(&self) -> Option<$crate::Msat> {
                self.view().invreq_amount()
            }

            /// `invreq_features`, bits that this crate does not know included.
            pub fn invreq_features(&self) -> Option<$crate::field::Features<'_>> {
                self.view().invreq_features()
            }

            /// `invreq_quantity`: the number of items.
            pub fn invreq_quantity(&self) -> Option<u64> {
                self.view().invreq_quantity()
            }

            /// `invreq_payer_note`: a note from the payer to the payee.
            pub fn invreq_payer_note(&self) -> Option<$crate::field::UntrustedText<'_>> {
                self.view().invreq_payer_note()
            }

            /// `invreq_paths`: blinded paths to the payer.
            pub fn invreq_paths(&self) -> $crate::field::BlindedPaths<'_> {
                self.view().invreq_paths()
            }

            /// `invreq_bip_353_name`: the name by which the payer found the offer, as the payer
            /// states it.
            pub fn invreq_bip_353_name(&self) -> Option<$crate::field::Bip353Name<'_>> {
                self.view().invreq_bip_353_name()
            }

            /// `invoice_paths`: blinded paths to pay over.
            pub fn invoice_paths(&self) -> $crate::field::BlindedPaths<'_> {
                self.view().invoice_paths()
            }

            /// `invoice_blindedpay`: the fees and limits of each path.
            pub fn invoice_blindedpay(&self) -> impl Iterator<Item = $crate::field::PayInfo<'_>> + Clone {
                self.view().invoice_blindedpay()
            }

            /// `invoice_created_at` in unix seconds.
            pub fn invoice_created_at(&self) -> Option<u64> {
                self.view().invoice_created_at()
            }

            /// `invoice_relative_expiry`: seconds from its creation for which the invoice could be
            /// paid. An invoice for 7200 seconds has no such field.
            pub fn invoice_relative_expiry(&self) -> Option<u32> {
                self.view().invoice_relative_expiry()
            }

            /// `invoice_amount`: the amount that the invoice asked for.
            pub fn invoice_amount(&self) -> Option<$crate::Msat> {
                self.view().invoice_amount()
            }

            /// `invoice_fallbacks`: on-chain addresses as they are stated.
            pub fn invoice_fallbacks(&self) -> impl Iterator<Item = $crate::field::FallbackAddress<'_>> {
                self.view().invoice_fallbacks()
            }

            /// `invoice_features`, bits that this crate does not know included.
            pub fn invoice_features(&self) -> Option<$crate::field::Features<'_>> {
                self.view().invoice_features()
            }
        }
    };
}

pub(super) use proof_accessors;
