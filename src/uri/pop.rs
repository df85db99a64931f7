//! [`ProofOfPayment`]: the link that a wallet opens once it has paid.

use alloc::format;
use alloc::string::String;

use super::percent::Escaped;

/// Where to report a payment: the `pop` parameter of BIP 321.
///
/// It is the beginning of a link, to which the wallet appends how it paid and what shows it. A link
/// that would open a browser or a file is never opened ([R-U-8](crate::requirements#r-u-8)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProofOfPayment {
    pub(super) link: String,
    pub(super) required: bool,
}

/// How a payment was made, as far as BIP 321 has a name for it. It has none for BOLT 12.
///
/// Deliberately exhaustive: these are the names of BIP 321.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaidBy {
    /// To the address, by a transaction.
    OnChain,
    /// To the BOLT 11 invoice under `lightning`.
    Lightning,
}

impl ProofOfPayment {
    /// The beginning of the link, decoded.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// Whether the sender requires the link to be opened: a wallet that does not open it must not
    /// pay.
    pub const fn is_required(&self) -> bool {
        self.required
    }

    /// Whether the link is of a kind that may be opened: none that a browser, a mail program or the
    /// file system handles.
    pub fn may_be_opened(&self) -> bool {
        match self.link.split_once(':') {
            Some((scheme, _)) => {
                is_scheme(scheme) && !CLOSED.iter().any(|closed| scheme.eq_ignore_ascii_case(closed))
            }
            None => false,
        }
    }

    /// Whether the payment may be made: unless the link is required and must not be opened.
    pub fn may_pay(&self) -> bool {
        !self.required || self.may_be_opened()
    }

    /// The link to open after the payment. `information` is the raw transaction or the preimage in
    /// hexadecimal. `None` where the link must not be opened.
    ///
    /// ```
    /// use bolt12::uri::{PaidBy, PaymentUri};
    /// let uri = PaymentUri::parse("bitcoin:175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W?pop=app%3a")?;
    /// let pop = uri.proof_of_payment().unwrap();
    /// assert_eq!(pop.to_open(PaidBy::OnChain, "0200").as_deref(), Some("app:onchain=0200"));
    /// # Ok::<(), bolt12::uri::UriError>(())
    /// ```
    pub fn to_open(&self, paid_by: PaidBy, information: &str) -> Option<String> {
        let key = match paid_by {
            PaidBy::OnChain => "onchain",
            PaidBy::Lightning => "lightning",
        };
        self.may_be_opened().then(|| format!("{}{key}={}", self.link, Escaped(information)))
    }
}

/// Whether `text` is a scheme by RFC 3986. A browser would skip a blank or a line break in one.
pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Schemes of links that are never opened.
const CLOSED: [&str; 18] = [
    "http",
    "https",
    "ws",
    "wss",
    "ftp",
    "ftps",
    "file",
    "javascript",
    "vbscript",
    "data",
    "blob",
    "about",
    "view-source",
    "filesystem",
    "mailto",
    "content",
    "intent",
    "jar",
];
