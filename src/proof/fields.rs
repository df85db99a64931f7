//! The fields of the invoice that a proof shows.

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::PayerProof;
use crate::amount::Msat;
use crate::codec::{chain_hashes, value_of};
use crate::field::{
    Bip353Name, BlindedPaths, Currency, FallbackAddress, Features, PathList, PayInfo, UntrustedText,
};
use crate::message::PayeeAuthentication;
use crate::tlv::{Reader, Span};

/// The fields of the invoice, where the proof shows them. `None` or no item means that a field is
/// hidden or absent: a proof does not show which.
impl PayerProof {
    /// How the proof itself shows that the signer of the invoice is the payee of an offer: its
    /// issuer, the end of one of its paths, or [`PayeeAuthentication::Unknown`] where the proof
    /// hides both. The offer is the one that the invoice states, which may be anyone's invention.
    /// [`PayerProof::verify_for_offer`] compares with an offer that is known from elsewhere.
    pub fn payee_authentication(&self) -> PayeeAuthentication {
        if self.offer_issuer_id().is_some() {
            // Parsing has compared the two.
            PayeeAuthentication::Issuer
        } else if self.offer_view().has_path_to(self.invoice_node_id()) {
            PayeeAuthentication::PathEnd
        } else {
            PayeeAuthentication::Unknown
        }
    }

    /// `offer_chains`: the chains on which the offer can be paid.
    pub fn offer_chains(&self) -> Option<impl Iterator<Item = ChainHash>> {
        let chains = self.shown_fields().request.offer.chains?;
        Some(chain_hashes(chains.slice(self.as_bytes())))
    }

    /// `offer_metadata`: bytes for the issuer's own use.
    pub fn offer_metadata(&self) -> Option<&[u8]> {
        self.offer_view().metadata()
    }

    /// `offer_currency`: the currency of `offer_amount`.
    pub fn offer_currency(&self) -> Option<Currency> {
        self.offer_view().currency()
    }

    /// `offer_amount`: the price of one item, as written. A proof of this crate never shows it
    /// without its currency. Another may, so it is msat only if the payer is trusted that far.
    pub fn offer_amount(&self) -> Option<u64> {
        self.offer_view().amount()
    }

    /// `offer_description`: the purpose of the payment.
    pub fn offer_description(&self) -> Option<UntrustedText<'_>> {
        self.offer_view().description()
    }

    /// `offer_features`, bits that this crate does not know included.
    pub fn offer_features(&self) -> Option<Features<'_>> {
        self.features(self.shown_fields().request.offer.features)
    }

    /// `offer_absolute_expiry`: the last second (unix) of the offer.
    pub fn offer_absolute_expiry(&self) -> Option<u64> {
        self.offer_view().absolute_expiry()
    }

    /// `offer_paths`: blinded paths to the issuer.
    pub fn offer_paths(&self) -> BlindedPaths<'_> {
        self.offer_view().paths()
    }

    /// `offer_issuer`: the name of the issuer, as the invoice states it.
    pub fn offer_issuer(&self) -> Option<UntrustedText<'_>> {
        self.offer_view().issuer()
    }

    /// `offer_quantity_max`: the largest number of items, where 0 means any number.
    pub fn offer_quantity_max(&self) -> Option<u64> {
        self.offer_view().quantity_max()
    }

    /// `offer_issuer_id`: the key of the issuer. It is the same as
    /// [`invoice_node_id`](Self::invoice_node_id): parsing refuses another.
    pub fn offer_issuer_id(&self) -> Option<PublicKey> {
        self.offer_view().issuer_id()
    }

    /// `invreq_chain`: the chain that the payment was on. An invoice for bitcoin has no such field.
    pub fn invreq_chain(&self) -> Option<ChainHash> {
        self.shown_fields().request.optional.chain
    }

    /// `invreq_amount`: the amount that the payer wanted to pay.
    pub fn invreq_amount(&self) -> Option<Msat> {
        self.shown_fields().request.optional.amount
    }

    /// `invreq_features`, bits that this crate does not know included.
    pub fn invreq_features(&self) -> Option<Features<'_>> {
        self.features(self.shown_fields().request.optional.features)
    }

    /// `invreq_quantity`: the number of items.
    pub fn invreq_quantity(&self) -> Option<u64> {
        self.shown_fields().request.optional.quantity
    }

    /// `invreq_payer_note`: a note from the payer to the payee.
    pub fn invreq_payer_note(&self) -> Option<UntrustedText<'_>> {
        let note = self.shown_fields().request.optional.payer_note?;
        Some(UntrustedText::new(note.text(self.as_bytes())))
    }

    /// `invreq_paths`: blinded paths to the payer.
    pub fn invreq_paths(&self) -> BlindedPaths<'_> {
        self.paths(self.shown_fields().request.optional.paths.as_ref())
    }

    /// `invreq_bip_353_name`: the name by which the payer found the offer, as the payer states it.
    pub fn invreq_bip_353_name(&self) -> Option<Bip353Name<'_>> {
        let value = self.shown_fields().request.optional.bip_353_name?.slice(self.as_bytes());
        Bip353Name::read(&mut Reader::new(value)).ok()
    }

    /// `invoice_paths`: blinded paths to pay over.
    pub fn invoice_paths(&self) -> BlindedPaths<'_> {
        self.paths(self.shown_fields().paths.as_ref())
    }

    /// `invoice_blindedpay`: the fees and limits of each path.
    pub fn invoice_blindedpay(&self) -> impl Iterator<Item = PayInfo<'_>> + Clone {
        self.shown_fields().blindedpay.into_iter().flat_map(|list| list.view(self.as_bytes()))
    }

    /// `invoice_created_at` in unix seconds.
    pub const fn invoice_created_at(&self) -> Option<u64> {
        self.shown_fields().created_at
    }

    /// `invoice_relative_expiry`: seconds from its creation for which the invoice could be paid. An
    /// invoice for 7200 seconds has no such field.
    pub const fn invoice_relative_expiry(&self) -> Option<u32> {
        self.shown_fields().optional.relative_expiry
    }

    /// `invoice_amount`: the amount that the invoice asked for.
    pub const fn invoice_amount(&self) -> Option<Msat> {
        self.shown_fields().amount
    }

    /// `invoice_fallbacks`: on-chain addresses as they are stated.
    pub fn invoice_fallbacks(&self) -> impl Iterator<Item = FallbackAddress<'_>> {
        self.shown_fields().optional.fallbacks.into_iter().flat_map(|list| list.view(self.as_bytes()))
    }

    /// `invoice_features`, bits that this crate does not know included.
    pub fn invoice_features(&self) -> Option<Features<'_>> {
        self.features(self.shown_fields().optional.features)
    }

    fn features(&self, span: Option<Span>) -> Option<Features<'_>> {
        span.map(|span| Features::new(value_of(Some(span), self.as_bytes())))
    }

    fn paths<'a>(&'a self, list: Option<&'a PathList>) -> BlindedPaths<'a> {
        list.map(|list| list.view(self.as_bytes())).unwrap_or_default()
    }
}
