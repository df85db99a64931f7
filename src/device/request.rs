//! The signing request: what a host sends to a device.

use alloc::vec::Vec;

use bitcoin::bip32::{ChildNumber, DerivationPath, Fingerprint, KeySource};
use bitcoin::constants::ChainHash;
use secp256k1::XOnlyPublicKey;

use super::bip353_proof::{Bip353Proof, ProofError};
use super::id::SigningRequestId;
use super::types;
use crate::codec::ParseError;
use crate::draft;
use crate::field::{Field, FieldError, FieldErrorKind, ShownChain};
use crate::message::{Offer, UnsignedInvoice, UnsignedInvoiceRequest};
use crate::proof::UnsignedPayerProof;
use crate::sign::{Sighash, UnsignedMessage};
use crate::tlv::{Record, Span, Stream, StreamError, Writer};

/// A message to sign, with all that a device needs to show it and to find the key.
///
/// [`SigningRequest::builder`] makes one on the host. The device reads the bytes with
/// [`SigningRequest::read`], which validates the message, and reviews it with
/// [`SigningRequest::review`]. The hash to sign is not among the bytes: the device computes it.
#[derive(Clone, Debug)]
pub struct SigningRequest {
    bytes: Vec<u8>,
    message: SignableMessage,
    chain: ChainHash,
    key_origin: Option<KeySource>,
    bip_353_proof: Option<Span>,
}

/// The messages that can be signed through the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignableMessage {
    /// A request for an invoice: the signer pays.
    InvoiceRequest(UnsignedInvoiceRequest),
    /// An invoice: the signer receives.
    Invoice(UnsignedInvoice),
    /// A payer proof: the signer shows that it paid.
    PayerProof(UnsignedPayerProof),
    /// An offer of the 2021 draft, unsigned: the signer pays if it is one that pays out.
    DraftOffer(draft::Offer),
    /// An invoice of the 2021 draft: the signer receives.
    DraftInvoice(draft::UnsignedInvoice),
}

impl SignableMessage {
    /// Reads the message of this `kind`; `None` for a kind that is not known.
    fn read(kind: u8, bytes: &[u8]) -> Option<Result<Self, ParseError>> {
        let bytes = bytes.to_vec();
        Some(match kind {
            INVOICE_REQUEST => UnsignedInvoiceRequest::try_from(bytes).map(Self::InvoiceRequest),
            INVOICE => UnsignedInvoice::try_from(bytes).map(Self::Invoice),
            PAYER_PROOF => UnsignedPayerProof::try_from(bytes).map(Self::PayerProof),
            DRAFT_OFFER => read_draft_offer(bytes).map(Self::DraftOffer),
            DRAFT_INVOICE => draft::UnsignedInvoice::try_from(bytes).map(Self::DraftInvoice),
            _ => return None,
        })
    }

    /// The hash to sign, computed from the records of the message.
    pub fn sighash(&self) -> Sighash {
        self.unsigned_message().sighash()
    }

    /// The key that has to sign, x-only: `invreq_payer_id` of a request and of a proof,
    /// `invoice_node_id` of an invoice, `node_id` in the draft. `None` for an offer of the draft
    /// without a node_id, which cannot be signed.
    pub fn signing_key(&self) -> Option<XOnlyPublicKey> {
        let key = match self {
            Self::InvoiceRequest(request) => request.invreq_payer_id(),
            Self::Invoice(invoice) => invoice.invoice_node_id(),
            Self::PayerProof(proof) => proof.invreq_payer_id(),
            Self::DraftOffer(offer) => return offer.node_id(),
            Self::DraftInvoice(invoice) => return Some(invoice.node_id()),
        };
        Some(key.x_only_public_key().0)
    }

    /// Whether the message is for `chain`: an offer of the draft can be for several. A proof that
    /// shows no chain does not say.
    pub fn is_for(&self, chain: ChainHash) -> bool {
        match self {
            Self::InvoiceRequest(request) => request.invreq_chain() == chain,
            Self::Invoice(invoice) => invoice.invreq_chain() == chain,
            Self::PayerProof(proof) => proof.invreq_chain().is_none_or(|shown| shown == chain),
            Self::DraftOffer(offer) => offer.supports_chain(chain),
            Self::DraftInvoice(invoice) => invoice.chain() == Some(chain),
        }
    }

    /// The offer that the message repeats whole; `None` for a message without an offer, a proof,
    /// and the draft.
    pub fn offer(&self) -> Option<Offer> {
        match self {
            Self::InvoiceRequest(request) => request.offer(),
            Self::Invoice(invoice) => invoice.offer(),
            Self::PayerProof(_) | Self::DraftOffer(_) | Self::DraftInvoice(_) => None,
        }
    }

    /// The last second (unix) at which the message is of use; `None` for one that does not expire.
    pub fn last_second(&self) -> Option<u64> {
        match self {
            Self::InvoiceRequest(request) => request.offer_absolute_expiry(),
            Self::Invoice(invoice) => Some(invoice.expires_at()),
            Self::PayerProof(_) => None,
            // The draft counts the second of the expiry as expired.
            Self::DraftOffer(offer) => offer.expires_at().map(|expiry| expiry.saturating_sub(1)),
            Self::DraftInvoice(invoice) => invoice.expires_at(),
        }
    }

    /// The message as a [`Signer`](crate::sign::Signer) receives it.
    pub(super) fn unsigned_message(&self) -> UnsignedMessage<'_> {
        match self {
            Self::InvoiceRequest(request) => request.unsigned_message(),
            Self::Invoice(invoice) => invoice.unsigned_message(),
            Self::PayerProof(proof) => proof.unsigned_message(),
            Self::DraftOffer(offer) => offer.unsigned_message(),
            Self::DraftInvoice(invoice) => invoice.unsigned_message(),
        }
    }
}

impl SigningRequest {
    /// The version of the exchange that this crate reads and writes.
    pub const VERSION: u8 = 1;

    /// Bytes of the longest request: two bytes can count them. The message, the offer and the proof
    /// share them. A device that has less memory refuses a request by its length, before it
    /// receives it.
    pub const MAX_LEN: usize = 65_535;

    /// The steps of the longest derivation path.
    pub const MAX_STEPS: usize = 10;

    /// Begins the request to sign `message`, on bitcoin unless set.
    pub const fn builder<'a>(message: UnsignedMessage<'a>) -> SigningRequestBuilder<'a> {
        SigningRequestBuilder {
            message,
            chain: ChainHash::BITCOIN,
            key_origin: None,
            offer: None,
            bip_353_proof: None,
        }
    }

    /// Reads a request that arrived, and validates the message in it as its own type does.
    ///
    /// # Errors
    ///
    /// [`SigningRequestError`]: the length, the framing, the version, a field, the message, or a
    /// field that contradicts the message.
    pub fn read(bytes: impl Into<Vec<u8>>) -> Result<Self, SigningRequestError> {
        Self::read_bytes(bytes.into())
    }

    fn read_bytes(bytes: Vec<u8>) -> Result<Self, SigningRequestError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(SigningRequestError::TooLong { length: bytes.len() });
        }
        let fields = Fields::read(Stream::new(&bytes)?)?;
        let message = SignableMessage::read(fields.kind, fields.message)
            .ok_or(SigningRequestError::Kind { found: fields.kind })?
            .map_err(SigningRequestError::Message)?;
        if !message.is_for(fields.chain) {
            return Err(SigningRequestError::Chain { found: fields.chain });
        }
        if let Some(offer) = fields.offer {
            let offer = Offer::try_from(offer.to_vec()).map_err(SigningRequestError::Offer)?;
            if message.offer().as_ref() != Some(&offer) {
                return Err(SigningRequestError::OtherOffer);
            }
        }
        if let Some(record) = fields.bip_353_proof {
            let proof = Bip353Proof::new(record.value()).map_err(SigningRequestError::Proof)?;
            let stated = match &message {
                SignableMessage::InvoiceRequest(request) if request.has_offer() => {
                    request.invreq_bip_353_name()
                }
                _ => return Err(SigningRequestError::NoPayee),
            };
            if stated.is_some_and(|stated| stated != proof.name()) {
                return Err(SigningRequestError::OtherName);
            }
        }
        let (chain, key_origin) = (fields.chain, fields.key_origin);
        let bip_353_proof = fields.bip_353_proof.map(|record| Span::from_value(&record));
        Ok(Self { message, chain, key_origin, bip_353_proof, bytes })
    }

    /// The message to sign.
    pub const fn message(&self) -> &SignableMessage {
        &self.message
    }

    /// The chain, which is the message's, or one of them.
    pub const fn chain(&self) -> ChainHash {
        self.chain
    }

    /// Where the key that signs comes from: the fingerprint of the master key and the derivation
    /// path, as the host states them. `None` when the device has one key, or derives it from the
    /// message as [`PayerKeys`](crate::PayerKeys) do.
    pub const fn key_origin(&self) -> Option<&KeySource> {
        self.key_origin.as_ref()
    }

    /// The BIP 353 name by which the host found the offer, with its proof, unverified.
    pub fn bip_353_proof(&self) -> Option<Bip353Proof<'_>> {
        Bip353Proof::new(self.bip_353_proof?.slice(&self.bytes)).ok()
    }

    /// The id of the request, which the answer repeats.
    pub fn id(&self) -> SigningRequestId {
        SigningRequestId::from_request_bytes(&self.bytes)
    }

    /// The bytes of the request, as received or built.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Collects a [`SigningRequest`]. [`SigningRequest::builder`] begins it.
#[derive(Clone, Debug)]
#[must_use]
pub struct SigningRequestBuilder<'a> {
    message: UnsignedMessage<'a>,
    chain: ChainHash,
    key_origin: Option<KeySource>,
    offer: Option<&'a Offer>,
    bip_353_proof: Option<Bip353Proof<'a>>,
}

impl<'a> SigningRequestBuilder<'a> {
    /// The same on another chain.
    pub const fn on(mut self, chain: ChainHash) -> Self {
        self.chain = chain;
        self
    }

    /// Where the device finds the key: the fingerprint of its master key and the derivation path.
    pub fn key_origin(mut self, origin: KeySource) -> Self {
        self.key_origin = Some(origin);
        self
    }

    /// The offer that the message is for. A device that has read the offer itself compares.
    pub const fn offer(mut self, offer: &'a Offer) -> Self {
        self.offer = Some(offer);
        self
    }

    /// The BIP 353 name by which the offer was found, with its proof.
    pub const fn bip_353_proof(mut self, proof: Bip353Proof<'a>) -> Self {
        self.bip_353_proof = Some(proof);
        self
    }

    /// Writes the request.
    ///
    /// # Errors
    ///
    /// [`SigningRequestError::Unsupported`] for a signature that the exchange does not have, and as
    /// for [`SigningRequest::read`].
    pub fn build(&self) -> Result<SigningRequest, SigningRequestError> {
        // The dialects share the name of an invoice. The right kind is the one with this hash.
        let asked = self.message.sighash();
        let kinds: &[u8] = match (asked.message_name(), asked.field_name()) {
            ("invoice_request", "signature") => &[INVOICE_REQUEST],
            ("invoice", "signature") => &[INVOICE, DRAFT_INVOICE],
            ("payer_proof", "proof_signature") => &[PAYER_PROOF],
            ("offer", "signature") => &[DRAFT_OFFER],
            _ => &[],
        };
        let mut error = None;
        for kind in kinds {
            match self.build_kind(*kind) {
                Ok(request) if request.message.sighash() == asked => return Ok(request),
                Ok(_) => {}
                // The other dialect only says that the message is none of its own.
                Err(found) => match error {
                    None | Some(SigningRequestError::Message(_)) => error = Some(found),
                    Some(_) => {}
                },
            }
        }
        let (message, field) = (asked.message_name(), asked.field_name());
        Err(error.unwrap_or(SigningRequestError::Unsupported { message, field }))
    }

    fn build_kind(&self, kind: u8) -> Result<SigningRequest, SigningRequestError> {
        let mut writer = Writer::new();
        writer.record(types::VERSION.number(), &[SigningRequest::VERSION]);
        writer.record(types::MESSAGE_KIND.number(), &[kind]);
        writer.record(types::MESSAGE.number(), &self.message.to_bytes());
        writer.record(types::CHAIN.number(), &self.chain.to_bytes());
        let origin = self.key_origin.as_ref().map(write_origin);
        writer.record_if(types::KEY_ORIGIN.number(), origin.as_deref());
        writer.record_if(types::OFFER.number(), self.offer.map(Offer::as_bytes));
        writer.record_if(types::BIP_353_PROOF.number(), self.bip_353_proof.map(|proof| proof.as_bytes()));
        SigningRequest::read_bytes(writer.into_bytes())
    }
}

/// An offer that is signed already is not signed again.
fn read_draft_offer(bytes: Vec<u8>) -> Result<draft::Offer, ParseError> {
    let offer = draft::Offer::try_from(bytes)?;
    let Some(record) = offer.stream().find(draft::types::offer::SIGNATURE.number()) else {
        return Ok(offer);
    };
    let kind = FieldErrorKind::OutOfRange { message: "an unsigned offer" };
    Err(FieldError::new(draft::types::offer::SIGNATURE, Some(record.value_offset()), kind).into())
}

/// The fields of a request while its records are read.
struct Fields<'a> {
    kind: u8,
    message: &'a [u8],
    chain: ChainHash,
    key_origin: Option<KeySource>,
    offer: Option<&'a [u8]>,
    bip_353_proof: Option<Record<'a>>,
}

impl<'a> Fields<'a> {
    fn read(stream: Stream<'a>) -> Result<Self, SigningRequestError> {
        read_version(stream)?;
        refuse_unknown(stream, types::REQUEST)?;
        let origin = stream.find(types::KEY_ORIGIN.number());
        Ok(Self {
            kind: read_byte(stream, types::MESSAGE_KIND)?,
            message: required(stream, types::MESSAGE)?.value(),
            chain: types::CHAIN.read_array::<32>(&required(stream, types::CHAIN)?).map(ChainHash::from)?,
            key_origin: origin.map(|record| read_origin(&record)).transpose()?,
            offer: stream.find(types::OFFER.number()).map(|record| record.value()),
            bip_353_proof: stream.find(types::BIP_353_PROOF.number()),
        })
    }
}

/// Refuses another version, before anything else is read.
pub(super) fn read_version(stream: Stream<'_>) -> Result<(), SigningRequestError> {
    match read_byte(stream, types::VERSION)? {
        SigningRequest::VERSION => Ok(()),
        found => Err(SigningRequestError::Version { found }),
    }
}

/// Refuses a record of an even type that is none of `known`.
pub(super) fn refuse_unknown(stream: Stream<'_>, known: &[Field]) -> Result<(), FieldError> {
    let is_known = |record: &Record<'_>| known.iter().any(|field| field.number() == record.number());
    match stream.records().find(|record| record.number() % 2 == 0 && !is_known(record)) {
        Some(record) => {
            let field = Field::unknown(record.number());
            Err(FieldError::new(field, Some(record.offset()), FieldErrorKind::UnknownEven))
        }
        None => Ok(()),
    }
}

pub(super) fn required(stream: Stream<'_>, field: Field) -> Result<Record<'_>, FieldError> {
    stream.find(field.number()).ok_or(FieldError::missing(field))
}

fn read_byte(stream: Stream<'_>, field: Field) -> Result<u8, FieldError> {
    field.read_array::<1>(&required(stream, field)?).map(u8::from_be_bytes)
}

/// The fingerprint, and four bytes for each step.
fn write_origin((fingerprint, path): &KeySource) -> Vec<u8> {
    let steps = path.into_iter().flat_map(|step| u32::from(*step).to_be_bytes());
    fingerprint.to_bytes().into_iter().chain(steps).collect()
}

fn read_origin(record: &Record<'_>) -> Result<KeySource, SigningRequestError> {
    let (fingerprint, steps) = types::KEY_ORIGIN.read(record, |reader| {
        let fingerprint = reader.array::<4>()?;
        reader.list(|reader| reader.u32()).map(|steps| (fingerprint, steps))
    })?;
    if steps.len() > SigningRequest::MAX_STEPS {
        return Err(SigningRequestError::Steps { found: steps.len() });
    }
    let path: DerivationPath = steps.into_iter().map(ChildNumber::from).collect();
    Ok((Fingerprint::from(fingerprint), path))
}

// The kinds of messages.
const INVOICE_REQUEST: u8 = 1;
const INVOICE: u8 = 2;
const PAYER_PROOF: u8 = 3;
const DRAFT_OFFER: u8 = 4;
const DRAFT_INVOICE: u8 = 5;

/// Why bytes are no signing request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningRequestError {
    /// The request is longer than [`SigningRequest::MAX_LEN`].
    #[error("a signing request of {length} bytes: expected at most {max}", max = SigningRequest::MAX_LEN)]
    TooLong {
        /// Bytes of the request.
        length: usize,
    },
    /// The framing of the records breaks a rule of BOLT 1.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A field is missing, badly encoded, or of an unknown even type.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The request, or the answer, is of another version.
    #[error("version {found}: expected {expected}", expected = SigningRequest::VERSION)]
    Version {
        /// Its version.
        found: u8,
    },
    /// The kind of the message is not known.
    #[error("message_kind {found}: expected 1 to 5")]
    Kind {
        /// The kind.
        found: u8,
    },
    /// The exchange does not have this signature.
    #[error("{field} of {message}: expected a signature that the exchange has")]
    Unsupported {
        /// The name of the message in the specification.
        message: &'static str,
        /// The name of the field that holds the signature.
        field: &'static str,
    },
    /// The derivation path is longer than [`SigningRequest::MAX_STEPS`].
    #[error("a derivation path of {found} steps: expected at most {max}", max = SigningRequest::MAX_STEPS)]
    Steps {
        /// Its steps.
        found: usize,
    },
    /// The message is not valid.
    #[error("in the message to sign: {0}")]
    Message(ParseError),
    /// The request is for another chain than its message.
    #[error("chain {}: expected the chain of the message", ShownChain(*found))]
    Chain {
        /// The chain of the request.
        found: ChainHash,
    },
    /// The offer is not valid.
    #[error("in the offer: {0}")]
    Offer(ParseError),
    /// The message repeats another offer.
    #[error("the message is for another offer: expected the offer of the signing request")]
    OtherOffer,
    /// The BIP 353 proof is badly encoded.
    #[error("in the bip_353_proof: {0}")]
    Proof(ProofError),
    /// The message names another payee than the BIP 353 proof.
    #[error("the message has another invreq_bip_353_name: expected the name of the bip_353_proof")]
    OtherName,
    /// A BIP 353 proof comes with a message other than a request for an offer.
    #[error("a bip_353_proof with another message: expected one with a request for an offer")]
    NoPayee,
}
