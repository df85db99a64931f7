//! The conversations, with either side at either end, over random messages.

use std::time::Duration;

use bitcoin::Network;
use bitcoin::constants::ChainHash;
use bolt12::field::{BlindedPathBuf, PayInfo};
use bolt12::message::{
    InvoiceContext, InvoiceRequestBuilder, OfferBuilder, OfferContext, PayeeAuthentication, RequestContext,
};
use bolt12::{Invoice, InvoiceError, InvoiceRequest, Msat, Offer, PayerKeys};
use core::num::NonZeroU64;
use lightning::ln::msgs::DecodeError;
use lightning::offers::invoice::Bolt12Invoice;
use lightning::offers::offer::Quantity;
use lightning::util::ser::{Readable, Writeable};
use proptest::prelude::*;
use secp256k1::SECP256K1;

use crate::ldk;
use testkit::records::{ISSUER, PAYER, key, path, point};

/// A random offer, and how to ask for it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) amount: Option<u64>,
    pub(crate) description: Option<String>,
    issuer: Option<String>,
    metadata: Option<Vec<u8>>,
    expiry: Option<u64>,
    pub(crate) quantity_max: Option<u64>,
    quantity: u64,
    pub(crate) chain: ChainHash,
    paths: Vec<(u8, u8)>,
    extra: u64,
    pub(crate) note: Option<String>,
    pub(crate) seed: [u8; 16],
}

pub(crate) fn plans() -> impl Strategy<Value = Plan> {
    let chain = prop_oneof![Just(ChainHash::BITCOIN), Just(ChainHash::SIGNET), Just(ChainHash::TESTNET3)];
    let offer = (
        prop::option::of(1u64..=1_000_000_000_000),
        prop::option::of("\\PC{0,40}"),
        prop::option::of("[a-z]{1,10}@example\\.com"),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
        prop::option::of(100_000_000_000..u64::MAX),
        prop::option::of(0u64..100),
    );
    let request = (
        1u64..1000,
        chain,
        prop::collection::vec((0x60u8..0x70, 1u8..4), 0..4),
        1u64..1_000_000,
        prop::option::of("\\PC{0,60}"),
        any::<[u8; 16]>(),
    );
    (offer, request).prop_map(
        |(
            (amount, description, issuer, metadata, expiry, quantity_max),
            (quantity, chain, paths, extra, note, seed),
        )| {
            let description = description.or(amount.map(|_| "a thing".to_owned()));
            let quantity = match quantity_max {
                Some(0) | None => quantity,
                Some(max) => quantity % max + 1,
            };
            Plan {
                amount,
                description,
                issuer,
                metadata,
                expiry,
                quantity_max,
                quantity,
                chain,
                paths,
                extra,
                note,
                seed,
            }
        },
    )
}

impl Plan {
    fn our_offer(&self) -> Offer {
        let paths: Vec<BlindedPathBuf> = self
            .paths
            .iter()
            .map(|(end, hops)| BlindedPathBuf::try_from(&path(*end, *hops)[..]).unwrap())
            .collect();
        let mut builder: OfferBuilder<'_> = Offer::builder().issuer_id(point(ISSUER)).chain(self.chain);
        if let Some(amount) = self.amount {
            builder = builder.amount(Msat::new(amount).unwrap());
        }
        if let Some(description) = &self.description {
            builder = builder.description(description);
        }
        if let Some(issuer) = &self.issuer {
            builder = builder.issuer(issuer);
        }
        if let Some(metadata) = &self.metadata {
            builder = builder.metadata(metadata);
        }
        if let Some(expiry) = self.expiry {
            builder = builder.absolute_expiry(expiry);
        }
        builder = match self.quantity_max {
            None => builder,
            Some(0) => builder.quantity_unlimited(),
            Some(max) => builder.quantity_max(max),
        };
        builder = paths.iter().fold(builder, |builder, path| builder.path(path.path()));
        builder.build().unwrap()
    }

    pub(crate) fn ldk_offer(&self) -> lightning::offers::offer::Offer {
        let network = Network::from_chain_hash(self.chain).unwrap();
        let mut builder = lightning::offers::offer::OfferBuilder::new(point(ISSUER)).chain(network);
        if let Some(amount) = self.amount {
            builder = builder.amount_msats(amount);
        }
        if let Some(description) = &self.description {
            builder = builder.description(description.clone());
        }
        if let Some(issuer) = &self.issuer {
            builder = builder.issuer(issuer.clone());
        }
        if let Some(metadata) = &self.metadata {
            builder = builder.metadata(metadata.clone()).unwrap();
        }
        if let Some(expiry) = self.expiry {
            builder = builder.absolute_expiry(Duration::from_secs(expiry));
        }
        builder = match self.quantity_max {
            None => builder,
            Some(max) => builder
                .supported_quantity(NonZeroU64::new(max).map_or(Quantity::Unbounded, Quantity::Bounded)),
        };
        builder = self
            .paths
            .iter()
            .fold(builder, |builder, (end, hops)| builder.path(ldk::message_path(*end, *hops)));
        builder.build().unwrap()
    }

    pub(crate) fn quantity(&self) -> Option<u64> {
        self.quantity_max.map(|_| self.quantity)
    }

    /// What is paid where the payer names it: always without a price, and above the price for odd seeds.
    pub(crate) fn asked(&self) -> Option<u64> {
        match self.amount {
            None => Some(self.extra),
            Some(amount) if self.seed[0] % 2 == 1 => Some(amount * self.quantity().unwrap_or(1) + self.extra),
            Some(_) => None,
        }
    }

    pub(crate) fn due(&self) -> u64 {
        let price = || self.amount.unwrap_or_default() * self.quantity().unwrap_or(1);
        self.asked().unwrap_or_else(price)
    }

    fn our_request(&self, keys: &PayerKeys, offer: &Offer) -> InvoiceRequest {
        let context = OfferContext::new(ldk::CREATED).on(self.chain);
        let checked = offer.check(&context).unwrap();
        keys.sign(&self.asked_of(checked.request_invoice()), &self.seed).unwrap()
    }

    /// What is asked of the payee, in a request for its offer.
    pub(crate) fn asked_of<'a>(
        &'a self,
        mut builder: InvoiceRequestBuilder<'a>,
    ) -> InvoiceRequestBuilder<'a> {
        if let Some(amount) = self.asked() {
            builder = builder.amount(Msat::new(amount).unwrap());
        }
        if let Some(quantity) = self.quantity() {
            builder = builder.quantity(quantity);
        }
        match &self.note {
            Some(note) => builder.payer_note(note),
            None => builder,
        }
    }
}

/// At least `least` cases, more where `PROPTEST_CASES` asks for them.
pub(crate) fn cases(least: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.max(least), failure_persistence: None, ..asked }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn our_offer_its_request_our_invoice(plan in plans()) {
        let offer = plan.our_offer();
        let theirs: lightning::offers::offer::Offer = offer.to_string().parse().unwrap();
        prop_assert_eq!(theirs.to_string(), offer.to_string());
        prop_assert_eq!(theirs.as_ref(), offer.as_bytes());
        let bytes = ldk::request(&theirs, plan.chain, plan.asked(), plan.quantity(), plan.note.as_deref());
        let request = InvoiceRequest::try_from(bytes.clone()).unwrap();
        prop_assert_eq!(request.as_bytes(), &bytes[..]);
        prop_assert_eq!(request.invreq_payer_note().map(|note| note.as_str()), plan.note.as_deref());
        let context = RequestContext::new(ldk::CREATED).on(plan.chain);
        let verified = request.verify_for(&offer, &context).unwrap();
        let encoded = path(0x51, 2);
        let path = BlindedPathBuf::try_from(&encoded[..]).unwrap();
        let invoice = verified
            .respond([0x33; 32].into(), ldk::CREATED)
            .path(path.path(), PayInfo { htlc_maximum_msat: u64::MAX, ..PayInfo::default() })
            .sign(&key(ISSUER))
            .unwrap();
        prop_assert_eq!(invoice.invoice_amount().get(), plan.due());
        let theirs = Bolt12Invoice::try_from(invoice.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(theirs.encode(), invoice.as_bytes());
        prop_assert_eq!(theirs.amount_msats(), plan.due());
        // LDK recognises the answer to its own request.
        let id = theirs.verify_using_payer_data(ldk::PAYMENT_ID, ldk::nonce(), &ldk::payer_key(), SECP256K1);
        prop_assert_eq!(id, Ok(ldk::PAYMENT_ID));
    }

    #[test]
    fn its_offer_our_request_its_invoice(plan in plans()) {
        let theirs = plan.ldk_offer();
        let offer: Offer = theirs.to_string().parse().unwrap();
        prop_assert_eq!(offer.as_bytes(), theirs.as_ref());
        let keys = PayerKeys::new([7; 32]);
        let request = plan.our_request(&keys, &offer);
        let read = lightning::offers::invoice_request::InvoiceRequest::try_from(request.as_bytes().to_vec());
        let read = read.unwrap();
        prop_assert_eq!(read.encode(), request.as_bytes());
        let bytes = ldk::respond(&read, 1 + plan.seed[1] % 3, 1 + plan.seed[2] % 3, [0x33; 32], &key(ISSUER));
        let invoice = Invoice::try_from(bytes.clone()).unwrap();
        prop_assert_eq!(invoice.as_bytes(), &bytes[..]);
        let context = InvoiceContext::new(ldk::CREATED + 3600).on(plan.chain);
        let verified = invoice.verify_for(&request, &context).unwrap();
        prop_assert_eq!(verified.invoice_amount().get(), plan.due());
        prop_assert_eq!(verified.authentication(), PayeeAuthentication::Issuer);
        prop_assert!(invoice.verify_own(&keys, &context).is_ok());
        prop_assert_eq!(invoice.to_string().parse::<Invoice>().unwrap(), invoice);
    }

    #[test]
    fn our_request_without_an_offer_its_invoice(plan in plans()) {
        let amount = Msat::new(plan.due().max(1)).unwrap();
        let paths: Vec<BlindedPathBuf> = plan
            .paths
            .iter()
            .map(|(end, hops)| BlindedPathBuf::try_from(&path(*end, *hops)[..]).unwrap())
            .collect();
        let mut builder = InvoiceRequest::without_offer(plan.description.as_deref().unwrap_or("refund"), amount)
            .chain(plan.chain);
        if let Some(expiry) = plan.expiry {
            builder = builder.absolute_expiry(expiry);
        }
        if let Some(note) = &plan.note {
            builder = builder.payer_note(note);
        }
        builder = paths.iter().fold(builder, |builder, path| builder.path(path.path()));
        let keys = PayerKeys::new([7; 32]);
        let request = keys.unsigned(&builder, &plan.seed).unwrap();
        let refund: lightning::offers::refund::Refund = request.to_string().parse().unwrap();
        prop_assert_eq!(refund.to_string(), request.to_string());
        // The signed variant is not LDK's to read: R-Q-8 against R-Q-23 (section 4.6).
        let signed = keys.sign(&builder, &plan.seed).unwrap();
        prop_assert!(signed.to_string().parse::<lightning::offers::refund::Refund>().is_err());
        prop_assert_eq!(signed.invreq_id(), request.invreq_id());
        let bytes = ldk::respond_to_refund(&refund, &key(ISSUER));
        let invoice = Invoice::try_from(bytes.clone()).unwrap();
        prop_assert_eq!(invoice.as_bytes(), &bytes[..]);
        let context = InvoiceContext::new(ldk::CREATED).on(plan.chain).from_node(point(ISSUER));
        prop_assert_eq!(invoice.verify_for(&request, &context).unwrap().authentication(), PayeeAuthentication::Confirmed);
        prop_assert_eq!(invoice.verify_for(&signed, &context).unwrap().invoice_amount(), amount);
        prop_assert!(invoice.verify_own(&keys, &context).is_ok());
        prop_assert_eq!(invoice.invreq_id(), request.invreq_id());
    }

    #[test]
    fn its_request_without_an_offer_our_invoice(plan in plans()) {
        let network = Network::from_chain_hash(plan.chain).unwrap();
        let builder = lightning::offers::refund::RefundBuilder::new(
            plan.seed.to_vec(),
            point(PAYER),
            plan.due().max(1),
        );
        let mut builder = builder.unwrap().chain(network);
        if let Some(description) = &plan.description {
            builder = builder.description(description.clone());
        }
        if let Some(issuer) = &plan.issuer {
            builder = builder.issuer(issuer.clone());
        }
        if let Some(expiry) = plan.expiry {
            builder = builder.absolute_expiry(Duration::from_secs(expiry));
        }
        if let Some(quantity) = plan.quantity() {
            builder = builder.quantity(quantity);
        }
        if let Some(note) = &plan.note {
            builder = builder.payer_note(note.clone());
        }
        let paths = plan.paths.iter();
        builder = paths.fold(builder, |builder, (end, hops)| builder.path(ldk::message_path(*end, *hops)));
        let refund = builder.build().unwrap();
        let request: InvoiceRequest = refund.to_string().parse().unwrap();
        prop_assert_eq!(request.to_string(), refund.to_string());
        let context = RequestContext::new(ldk::CREATED).on(plan.chain);
        let verified = request.check(&context).unwrap();
        let encoded = path(0x51, 3);
        let path = BlindedPathBuf::try_from(&encoded[..]).unwrap();
        let invoice = verified
            .respond([0x33; 32].into(), ldk::CREATED)
            .path(path.path(), PayInfo::default())
            .relative_expiry(60)
            .sign(&key(ISSUER))
            .unwrap();
        let theirs = Bolt12Invoice::try_from(invoice.as_bytes().to_vec()).unwrap();
        prop_assert_eq!(theirs.encode(), invoice.as_bytes());
        prop_assert_eq!(theirs.amount_msats(), plan.due().max(1));
        prop_assert_eq!(theirs.payment_hash().0, [0x33; 32]);
    }

    #[test]
    fn invoice_errors_both_ways(text in "\\PC{1,80}", with_field: bool, value in 0u64..u64::MAX) {
        let mut builder = InvoiceError::builder(&text);
        let bytes = value.to_be_bytes();
        let start = usize::try_from(value.leading_zeros() / 8).unwrap();
        if with_field {
            builder = builder
                .erroneous_field(bolt12::message::types::INVREQ_QUANTITY)
                .suggested_value(&bytes[start..]);
        }
        let ours = builder.build().unwrap();
        // Inside an onion message LDK has a length before the stream.
        let mut framed = Vec::new();
        bolt12::tlv::bigsize::write(u64::try_from(ours.as_bytes().len()).unwrap(), &mut framed);
        let prefix = framed.len();
        framed.extend(ours.as_bytes());
        let theirs: Result<lightning::offers::invoice_error::InvoiceError, DecodeError> =
            Readable::read(&mut &framed[..]);
        let theirs = theirs.unwrap();
        prop_assert_eq!(&theirs.message.0, &text);
        prop_assert_eq!(theirs.erroneous_field.is_some(), with_field);
        prop_assert_eq!(theirs.encode(), framed.clone());
        prop_assert_eq!(InvoiceError::try_from(theirs.encode()[prefix..].to_vec()).unwrap(), ours);
    }
}
