//! `registerinvoicerequest`: a payout from a request that was signed elsewhere.

use super::steps::{Own, create};
use super::{CommandError, InvoiceRequestOut, ListedInvoiceRequest};
use crate::amount::Msat;
use crate::message::InvoiceRequest;
use crate::payout::state::RetryPolicy;
use crate::payout::store::Store;
use crate::payout::{Ledger, Term, Terms};

/// The parameters of [`registerinvoicerequest`]: the caller's own, none of them in the message.
#[derive(Clone, Copy, Debug)]
pub struct RegisterInvoiceRequestParams<'a> {
    /// An internal name.
    pub label: Option<&'a str>,
    /// The most that a payment may cost in fees, in msat, for the payer.
    pub fee_limit: Option<Msat>,
    /// The caller's own name of what is owed, as in [`InvoiceRequestParams`](super::InvoiceRequestParams::key).
    pub key: Option<&'a str>,
    /// Which invoices may be tried after one has failed for good.
    pub policy: RetryPolicy,
}

impl RegisterInvoiceRequestParams<'_> {
    /// All of them absent; any new invoice may be tried after a failure.
    pub const fn new() -> Self {
        Self { label: None, fee_limit: None, key: None, policy: RetryPolicy::AnyNewInvoice }
    }
}

impl Default for RegisterInvoiceRequestParams<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a request a payout that another signer signed, such as the payer's node, and enables it at once. The ledger
/// pays it only once. The result is that of [`invoicerequest`](super::invoicerequest()).
///
/// The message is made by [`InvoiceRequestParams::build_unsigned`](super::InvoiceRequestParams::build_unsigned). With
/// Core Lightning (feature `cln`):
///
/// ```no_run
/// # #[cfg(all(unix, feature = "cln"))] {
/// use bolt12::command::{InvoiceRequestParams, registerinvoicerequest};
/// use bolt12::node::Cln;
/// use bolt12::payout::{Ledger, MemoryStore};
/// use bolt12::Msat;
///
/// let node = Cln::new("/home/atm/.lightning/bitcoin/lightning-rpc");
/// let ledger = Ledger::new(MemoryStore::new());
/// let params = InvoiceRequestParams::new(Msat::new(100_000)?, "refund of order 7", b"order 7, refund");
/// let request = node.sign_request(&params.build_unsigned(node.info()?.id)?)?;
/// let result = registerinvoicerequest(&ledger, &request, &params.registration(), 1_700_000_000)?;
/// println!("{}", result.bolt12_signed);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`CommandError`]: a request for an offer, or one that has expired (unless it exists); code 1000 when it exists and is
/// no longer active; code 1050 when the order key has another payout.
pub fn registerinvoicerequest<S: Store>(
    ledger: &Ledger<S>,
    request: &InvoiceRequest,
    params: &RegisterInvoiceRequestParams<'_>,
    now: u64,
) -> Result<InvoiceRequestOut, CommandError> {
    let own = Own { key: params.key, label: params.label, policy: params.policy };
    let terms = Terms::invoice_request(request.clone()).map(|terms| match params.fee_limit {
        Some(fee_limit) => terms.with_fee_limit(fee_limit),
        None => terms,
    });
    let (payout, created) = create(ledger, terms, own, now)?;
    if payout.terms().fee_limit() != params.fee_limit {
        let (what, id) = ("invoice request", payout.id());
        return Err(CommandError::OtherTerms { what, id, term: Term::FeeLimit });
    }
    let request = ListedInvoiceRequest::from_payout(&payout, now)
        .ok_or(CommandError::Unknown { what: "invoice request", id: payout.id() })?;
    Ok(InvoiceRequestOut { request: ListedInvoiceRequest { active: true, ..request }, created })
}
