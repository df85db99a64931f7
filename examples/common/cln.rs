//! `--cln SOCKET`: Core Lightning signs and pays.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use bolt12::bitcoin::constants::ChainHash;
use bolt12::node::Cln;
use bolt12::payout::{Ledger, RecoverOptions, Store};
use bolt12::secp256k1::PublicKey;
use bolt12::{Invoice, InvoiceRequestOut, InvoiceRequestParams, registerinvoicerequest};

use crate::common::{Error, now, other};

/// A node that has been asked whether it can be relied on.
pub struct Node {
    pub payer: Arc<Cln>,
    pub chain: ChainHash,
    id: PublicKey,
}

impl Node {
    /// The node with this socket.
    pub fn connect(socket: &Path) -> Result<Self, Error> {
        let payer = Arc::new(Cln::new(socket));
        let info = payer.ready(RecoverOptions::BEGIN_WITHIN).map_err(other)?;
        let chain = info.chain.ok_or_else(|| other("the chain of the node is not known"))?;
        Ok(Self { payer, chain, id: info.id })
    }

    /// Makes a payout of a request that the node signs.
    pub fn request<S: Store>(
        &self,
        ledger: &Ledger<S>,
        params: &InvoiceRequestParams<'_>,
    ) -> Result<InvoiceRequestOut, Error> {
        let unsigned = params.build_unsigned(self.id).map_err(other)?;
        let signed = self.payer.sign_request(&unsigned).map_err(other)?;
        Ok(registerinvoicerequest(ledger, &signed, &params.registration(), now())?)
    }
}

/// The next invoice on a line of its own, `lni1…`; `None` at the end. Lines without one are passed over, and reported.
pub fn read_invoice(lines: &mut impl BufRead) -> Result<Option<Invoice>, Error> {
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).map_err(|error| other(format!("stdin: {error}")))? == 0 {
            return Ok(None);
        }
        match line.trim() {
            "" => {}
            text => match text.parse() {
                Ok(invoice) => return Ok(Some(invoice)),
                Err(error) => eprintln!("not an invoice: {error}"),
            },
        }
    }
}
