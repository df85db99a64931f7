//! `invoicerequest`: the promise of a payout in today's BOLT 12.

use std::string::String;

use bitcoin::constants::ChainHash;

use super::steps::create;
use super::{CommandError, InvoiceRequestInfo};
use crate::amount::Msat;
use crate::message::{InvoiceRequest, InvreqId};
use crate::payout::store::Store;
use crate::payout::{Ledger, Promise};
use crate::sign::Signer;

/// The parameters of [`invoicerequest`].
#[derive(Clone, Debug)]
pub struct InvoiceRequestParams<'a> {
    /// What is paid: exactly this sum.
    pub amount: Msat,
    /// What it is for. Visible to everyone who sees the request.
    pub description: &'a str,
    /// `invreq_metadata`, which makes the request unlike every other: 16 random bytes, or an idempotency key of the
    /// caller's, such as a hash of its own payout number. With the same metadata and parameters the same request comes
    /// back. Visible.
    pub metadata: &'a [u8],
    /// Who pays. Visible.
    pub issuer: Option<&'a str>,
    /// An internal name. Never on the wire.
    pub label: Option<&'a str>,
    /// The last unix second in which an invoice is taken; none: valid until deactivated. On the wire.
    pub absolute_expiry: Option<u64>,
    /// The chain on which is paid.
    pub chain: ChainHash,
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
            chain: ChainHash::BITCOIN,
        }
    }
}

/// The result of [`invoicerequest`]: the documented object, with `created` and `bolt12_signed` beside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InvoiceRequestOut {
    /// SHA-256 over the request's records: 64 hexadecimal characters.
    pub invreq_id: InvreqId,
    /// Always true. A request that existed is returned even after it has expired;
    /// [`listinvoicerequests`](super::listinvoicerequests) shows that.
    pub active: bool,
    /// Always true.
    pub single_use: bool,
    /// The request without a signature, `lnr1…`, as the specification has it, and as LDK reads it.
    pub bolt12: String,
    /// The same request with a signature by its payer id, which Core Lightning demands.
    pub bolt12_signed: String,
    /// Always false.
    pub used: bool,
    /// False if the request existed already.
    pub created: bool,
    /// The label it was created with.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none", default))]
    pub label: Option<String>,
}

/// Makes a request that says "whoever sends me an invoice for this is paid", in today's BOLT 12, and enables it at
/// once. It is paid only once. The successor of [`offerout`](super::offerout); source: lightning-invoicerequest(7).
///
/// `signer` holds the payer id: the node's key, as Core Lightning does it, or one for this request alone
/// ([`PayerKeys`](crate::PayerKeys)). Both variants are made, under one id.
///
/// ```
/// use bolt12::command::{InvoiceRequestParams, invoicerequest};
/// use bolt12::payout::{Ledger, MemoryStore};
/// use bolt12::{InvoiceRequest, Msat};
/// use secp256k1::{Keypair, SECP256K1, SecretKey};
///
/// let ledger = Ledger::new(MemoryStore::new());
/// let key = Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32])?);
/// let params = InvoiceRequestParams::new(Msat::new(100_000)?, "refund of order 7", b"order 7, refund");
/// let now = 1_700_000_000;
/// let result = invoicerequest(&ledger, &key, &params, now)?;
/// assert_eq!(result.bolt12.parse::<InvoiceRequest>()?.invreq_id(), result.invreq_id);
/// // A retried call gives back the same request.
/// assert!(!invoicerequest(&ledger, &key, &params, now)?.created);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CommandError`]: a parameter that does not fit, also an expiry that has passed (unless the request exists); code
/// 1000 when the request exists and is no longer active.
pub fn invoicerequest<S: Store>(
    ledger: &Ledger<S>,
    signer: &impl Signer,
    params: &InvoiceRequestParams<'_>,
    now: u64,
) -> Result<InvoiceRequestOut, CommandError> {
    let mut request = InvoiceRequest::without_offer(params.description, params.amount).chain(params.chain);
    if let Some(issuer) = params.issuer {
        request = request.issuer(issuer);
    }
    if let Some(expiry) = params.absolute_expiry {
        request = request.absolute_expiry(expiry);
    }
    let request = request.unsigned(signer.public_key(), params.metadata)?.sign(signer)?;
    let (payout, created) = create(ledger, Promise::invoice_request(request), params.label, now)?;
    let info = InvoiceRequestInfo::of(&payout, now)
        .ok_or_else(|| CommandError::Other("not an invoice request".into()))?;
    Ok(InvoiceRequestOut {
        invreq_id: info.invreq_id,
        active: true,
        single_use: info.single_use,
        bolt12: info.bolt12,
        bolt12_signed: info.bolt12_signed,
        used: info.used,
        created,
        label: info.label,
    })
}
