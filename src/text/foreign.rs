//! Texts that are no BOLT 12 message and are often pasted where one is expected. They are recognised by their prefix,
//! so that an error says what they are.

use core::fmt;

use bitcoin::address::NetworkUnchecked;
use bitcoin::{Address, Network};

/// What a text is that is no BOLT 12 message.
///
/// Displays as `a BOLT 11 invoice for testnet`, `an LNURL`, `a bitcoin address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignText {
    /// A BOLT 11 invoice: `lnbc…`, `lntb…`, `lntbs…`, `lnbcrt…`, `lnsb…`.
    Bolt11Invoice(TextChain),
    /// An LNURL: `lnurl1…`.
    Lnurl,
    /// An address on chain: `bc1…`, `tb1…`, `bcrt1…`, or in base 58.
    Address(TextChain),
}

/// The chain that a text is for, as far as its prefix shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextChain {
    /// Bitcoin itself.
    Bitcoin,
    /// The public test chains. Addresses of signet look the same.
    Testnet,
    /// Signet.
    Signet,
    /// A test chain of the developer's own.
    Regtest,
    /// The simulated chain of btcd.
    Simnet,
}

impl ForeignText {
    /// Recognises a text by its prefix, in lower case: what stands before its first `1`.
    pub(super) fn from_prefix(prefix: &str) -> Option<Self> {
        match prefix {
            "lnurl" => return Some(Self::Lnurl),
            "bc" => return Some(Self::Address(TextChain::Bitcoin)),
            "tb" => return Some(Self::Address(TextChain::Testnet)),
            "bcrt" => return Some(Self::Address(TextChain::Regtest)),
            _ => {}
        }
        let invoice = BOLT11.into_iter().find(|(start, _)| {
            // After the currency there is an amount, which begins with a digit, or nothing.
            let amount = prefix.strip_prefix(start);
            amount.is_some_and(|amount| amount.is_empty() || amount.starts_with(|c: char| c.is_ascii_digit()))
        });
        invoice.map(|(_, chain)| Self::Bolt11Invoice(chain))
    }

    /// Recognises an address in base 58, which has no prefix but a checksum.
    pub(super) fn from_base58(text: &str) -> Option<Self> {
        if text.len() > MAX_BASE58_ADDRESS {
            return None;
        }
        let address = text.parse::<Address<NetworkUnchecked>>().ok()?;
        let is_bitcoin = address.is_valid_for_network(Network::Bitcoin);
        Some(Self::Address(if is_bitcoin { TextChain::Bitcoin } else { TextChain::Testnet }))
    }
}

impl fmt::Display for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bolt11Invoice(chain) => write!(f, "a BOLT 11 invoice for {chain}"),
            Self::Lnurl => f.write_str("an LNURL"),
            Self::Address(TextChain::Testnet) => f.write_str("a testnet or signet address"),
            Self::Address(chain) => write!(f, "a {chain} address"),
        }
    }
}

impl fmt::Display for TextChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bitcoin => "bitcoin",
            Self::Testnet => "testnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
            Self::Simnet => "simnet",
        })
    }
}

/// How the prefixes of BOLT 11 begin.
const BOLT11: [(&str, TextChain); 5] = [
    ("lnbc", TextChain::Bitcoin),
    ("lntb", TextChain::Testnet),
    ("lntbs", TextChain::Signet),
    ("lnbcrt", TextChain::Regtest),
    ("lnsb", TextChain::Simnet),
];

/// Characters of the longest address in base 58.
const MAX_BASE58_ADDRESS: usize = 36;
