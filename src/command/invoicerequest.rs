//! `invoicerequest`: a payout in merged BOLT 12.

use std::ops::Deref;

use bitcoin::constants::ChainHash;
use secp256k1::PublicKey;

use super::registerinvoicerequest::{RegisterInvoiceRequestParams, registerinvoicerequest};
use super::{CommandError, ListedInvoiceRequest};
use crate::amount::Msat;
use crate::codec::BuildError;
use crate::field::BlindedPathBuf;
use crate::message::{InvoiceRequest, InvoiceRequestBuilder, UnsignedInvoiceRequest};
use crate::payout::Ledger;
use crate::payout::state::RetryPolicy;
use crate::payout::store::Store;
use crate::sign::Signer;

/// The parameters of [`invoicerequest`].
#[derive(Clone, Debug)]
pub struct InvoiceRequestParams<'a> {
    /// What is paid: exactly this amount, in msat.
    pub amount: Msat,
    /// What it is for. Public: part of the request.
    pub description: &'a str,
    /// `invreq_metadata`, which makes the request unique: 16 random bytes. The same metadata and parameters give
    /// the same request. With a [`key`](InvoiceRequestParams::key) they may be new for each call. Public.
    pub metadata: &'a [u8],
    /// The payer's name. Public.
    pub issuer: Option<&'a str>,
    /// An internal name. It is never part of the message.
    pub label: Option<&'a str>,
    /// The last unix second in which an invoice is accepted; none: valid until deactivated. On the wire. (In the 2021 draft, an
    /// offer is expired in this second already.)
    pub absolute_expiry: Option<u64>,
    /// The most that a payment may cost in fees, in msat, for the payer. The manual page has no such parameter.
    pub fee_limit: Option<Msat>,
    /// The chain on which the ledger pays.
    pub chain: ChainHash,
    /// Blinded paths to the payer, the preferred one first. On the wire. Without one the payee answers to the payer
    /// id, which then has to be the id of a node that the payee can reach. The manual page has no such parameter.
    ///
    /// [`blind`](crate::blinding::blind) makes one that ends with the payer's node. The data of its last hop depends on
    /// that node: Core Lightning needs a `path_id` of 32 bytes, and LDK reads only a path without one. See the
    /// [example](invoicerequest#paths).
    pub paths: &'a [BlindedPathBuf],
    /// The caller's own name of what is owed, such as the id of an order: 1 to 255 bytes of UTF-8, never part of the
    /// message. The ledger has at most one payout for it, for ever. The same call again returns that payout, so
    /// repeat a call whose answer was lost. A call with the same key and other parameters is
    /// an error with code 1050. The manual page has no such parameter.
    pub key: Option<&'a str>,
    /// Which invoices may be tried after one has failed for good. The manual page has no such parameter.
    pub policy: RetryPolicy,
}

impl<'a> InvoiceRequestParams<'a> {
    /// The required parameters; the others absent, the chain bitcoin.
    pub const fn new(amount: Msat, description: &'a str, metadata: &'a [u8]) -> Self {
        Self {
            amount,
            description,
            metadata,
            issuer: None,
            label: None,
            absolute_expiry: None,
            fee_limit: None,
            chain: ChainHash::BITCOIN,
            paths: &[],
            key: None,
            policy: RetryPolicy::AnyNewInvoice,
        }
    }

    /// The request for a payer id whose key is elsewhere: in a device, or in a node that signs messages itself
    /// (Core Lightning's `createinvoicerequest`). [`registerinvoicerequest`] makes the signed request a payout.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a parameter that does not fit.
    pub fn build_unsigned(&self, payer_id: PublicKey) -> Result<UnsignedInvoiceRequest, BuildError> {
        self.builder().build_unsigned(payer_id, self.metadata)
    }

    /// What of these parameters is the caller's own and not in the message, for [`registerinvoicerequest`].
    pub const fn registration(&self) -> RegisterInvoiceRequestParams<'a> {
        let Self { label, fee_limit, key, policy, .. } = *self;
        RegisterInvoiceRequestParams { label, fee_limit, key, policy }
    }

    /// The message as its builder has it, for a signer that makes the key of each request
    /// ([`PayerKeys`](crate::PayerKeys)). The [`metadata`](Self::metadata) is given to what signs it.
    pub fn builder(&self) -> InvoiceRequestBuilder<'a> {
        let mut request = InvoiceRequest::without_offer(self.description, self.amount).chain(self.chain);
        if let Some(issuer) = self.issuer {
            request = request.issuer(issuer);
        }
        if let Some(expiry) = self.absolute_expiry {
            request = request.absolute_expiry(expiry);
        }
        self.paths.iter().fold(request, |request, path| request.path(path.path()))
    }
}

/// The documented result of [`invoicerequest`]: the request as [`listinvoicerequests`](super::listinvoicerequests) shows it, and whether
/// this call created it.
///
/// It dereferences to [`ListedInvoiceRequest`], so each documented member is read directly: `result.bolt12`. The feature
/// `serde` gives the documented JSON object: all members on one level.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
pub struct InvoiceRequestOut {
    /// The request. `active` is true and `used` false. An existing request is returned even after it has expired, also
    /// with `active` true: [`listinvoicerequests`](super::listinvoicerequests) shows that it has expired.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub request: ListedInvoiceRequest,
    /// False if the request existed already.
    pub created: bool,
}

impl Deref for InvoiceRequestOut {
    type Target = ListedInvoiceRequest;

    fn deref(&self) -> &ListedInvoiceRequest {
        &self.request
    }
}

/// By hand, because the documented order has `created` before `label`.
#[cfg(feature = "serde")]
impl serde::Serialize for InvoiceRequestOut {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let members = if self.label.is_some() { 8 } else { 7 };
        let mut object = serializer.serialize_struct("InvoiceRequestOut", members)?;
        object.serialize_field("invreq_id", &self.invreq_id)?;
        object.serialize_field("active", &self.active)?;
        object.serialize_field("single_use", &self.single_use)?;
        object.serialize_field("bolt12", &self.bolt12)?;
        object.serialize_field("bolt12_signed", &self.bolt12_signed)?;
        object.serialize_field("used", &self.used)?;
        object.serialize_field("created", &self.created)?;
        if let Some(label) = &self.label {
            object.serialize_field("label", label)?;
        }
        object.end()
    }
}

/// Makes a request that says "send me an invoice, I pay you" in merged BOLT 12, and enables it at once. The ledger
/// pays it only once. The successor of [`offerout`](super::offerout); source: lightning-invoicerequest(7).
///
/// `signer` holds the payer id: the node's key, as Core Lightning does it, or one for this request alone
/// ([`PayerKeys`](crate::PayerKeys)). The result has both variants, signed and unsigned, under one id.
///
/// ```
/// use bolt12::command::{InvoiceRequestParams, invoicerequest};
/// use bolt12::payout::{Ledger, MemoryStore};
/// use bolt12::{InvoiceRequest, Msat};
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
///
/// let ledger = Ledger::new(MemoryStore::new());
/// let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// let params = InvoiceRequestParams::new(Msat::new(100_000)?, "refund of order 7", b"order 7, refund");
/// let now = 1_700_000_000;
/// let result = invoicerequest(&ledger, &key, &params, now)?;
/// assert_eq!(result.bolt12.parse::<InvoiceRequest>()?.invreq_id(), result.invreq_id);
/// // A repeated call returns the same request.
/// assert!(!invoicerequest(&ledger, &key, &params, now)?.created);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Paths
///
/// A payer whose node cannot be reached by its id has a blinded path in the request:
///
/// ```
/// # #[cfg(feature = "blinding")] {
/// use bolt12::blinding::{HopData, blind};
/// use bolt12::command::{InvoiceRequestParams, invoicerequest};
/// use bolt12::payout::{Ledger, MemoryStore};
/// use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};
/// use bolt12::{InvoiceRequest, Msat};
///
/// let key = |byte| SecretKey::from_slice(&[byte; 32]).map(|key| Keypair::from_secret_key(SECP256K1, &key));
/// // From a peer that the payee can reach to the payer's node. In production the session is random.
/// let (peer, node, session) = (key(1)?.public_key(), key(2)?.public_key(), key(3)?.secret_key());
/// let to_node = HopData { next_node_id: Some(node), ..HopData::default() };
/// // For Core Lightning, 32 bytes that its plugin recognises. For LDK: `HopData::default()`.
/// let for_node = HopData { path_id: Some(&[0x77; 32]), ..HopData::default() };
/// let path = blind(&session, &[(peer, &to_node.to_bytes()), (node, &for_node.to_bytes())])?;
///
/// let params = InvoiceRequestParams {
///     paths: &[path],
///     ..InvoiceRequestParams::new(Msat::new(100_000)?, "refund of order 7", b"order 7, refund")
/// };
/// let ledger = Ledger::new(MemoryStore::new());
/// let result = invoicerequest(&ledger, &key(7)?, &params, 1_700_000_000)?;
/// assert_eq!(result.bolt12.parse::<InvoiceRequest>()?.invreq_paths().count(), 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`CommandError`]: a parameter that does not fit, also an expiry that has passed (unless the request exists); code
/// 1000 when the request exists and is no longer active; code 1050 when the order key has another payout.
pub fn invoicerequest<S: Store>(
    ledger: &Ledger<S>,
    signer: &(impl Signer + ?Sized),
    params: &InvoiceRequestParams<'_>,
    now: u64,
) -> Result<InvoiceRequestOut, CommandError> {
    let request = params.builder().unsigned(signer.public_key(), params.metadata)?.sign(&signer)?;
    registerinvoicerequest(ledger, &request, &params.registration(), now)
}
