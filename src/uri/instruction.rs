//! [`Instruction`]: one way to pay, or one message, of those that a text names.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use bitcoin::Address;
use bitcoin::address::{NetworkUnchecked, ParseError};

use super::{UriError, UriErrorKind};
use crate::any_message::AnyMessage;
use crate::field::Bip353Name;
use crate::text::{Prefix, TextChain};

/// One way to pay, or one message, of those that a text names.
///
/// Displays as the text that names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Instruction {
    /// A message of BOLT 12. In a `bitcoin:` link it is an offer.
    Message(Box<AnyMessage>),
    /// A BOLT 11 invoice, named and not read.
    Bolt11(Bolt11Text),
    /// An address on chain, named and not read.
    Address(AddressText),
    /// A name of BIP 353, whose instructions are in DNS.
    Name(NameText),
    /// An instruction of another kind: a silent payment address (`sp`) or what `pay` names.
    Other(OtherInstruction),
    /// An instruction that cannot be read. The others of the text can be used.
    Unreadable(Unreadable),
}

impl Instruction {
    /// The key of the instruction in a `bitcoin:` link; `None` for what such a link cannot hold.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Message(message) if message.prefix() == Prefix::Offer => Some("lno"),
            Self::Message(_) | Self::Name(_) => None,
            Self::Bolt11(_) => Some("lightning"),
            Self::Address(address) => address.key(),
            Self::Other(other) => Some(other.key),
            Self::Unreadable(unreadable) => Some(unreadable.key),
        }
    }

    /// What the instruction is called: `bolt12 offer`, `bolt11 invoice`, `address`, `name`,
    /// `silent payment address`, `unreadable` …
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Message(message) => message.type_name(),
            Self::Bolt11(_) => "bolt11 invoice",
            Self::Address(_) => "address",
            Self::Name(_) => "name",
            Self::Other(other) => other.type_name(),
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl fmt::Display for Instruction {
    /// The text of the instruction; `{:#}` is a message in upper case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(message) => message.fmt(f),
            Self::Bolt11(invoice) => f.write_str(invoice.as_str()),
            Self::Address(address) => f.write_str(address.as_str()),
            Self::Name(name) => name.fmt(f),
            Self::Other(other) => f.write_str(&other.text),
            Self::Unreadable(unreadable) => f.write_str(&unreadable.text),
        }
    }
}

/// The text of a BOLT 11 invoice. Only its beginning was checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bolt11Text {
    text: String,
    chain: TextChain,
}

impl Bolt11Text {
    /// Takes a text that begins like a BOLT 11 invoice and has letters and digits only.
    ///
    /// # Errors
    ///
    /// [`UriErrorKind::NotBolt11`].
    pub fn new(text: &str) -> Result<Self, UriErrorKind> {
        let chain = if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            BOLT11.iter().find(|(start, _)| {
                let rest = strip_prefix(text, start);
                rest.is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
            })
        } else {
            None
        };
        let (_, chain) = chain.ok_or(UriErrorKind::NotBolt11)?;
        Ok(Self { text: text.into(), chain: *chain })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The chain that the beginning of the text names.
    pub const fn chain(&self) -> TextChain {
        self.chain
    }
}

/// The text of an address. Only its beginning and its characters were checked, not its checksum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AddressText {
    text: String,
    chain: TextChain,
    is_bech32: bool,
}

impl AddressText {
    /// Takes a text that begins like an address of a known network and has at most 90 letters and
    /// digits ([R-U-2](crate::requirements#r-u-2)).
    ///
    /// # Errors
    ///
    /// [`UriErrorKind::NotAnAddress`].
    pub fn new(text: &str) -> Result<Self, UriErrorKind> {
        let is_text = text.len() <= MAX_ADDRESS && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let bech32 = BECH32.iter().find(|(start, _)| strip_prefix(text, start).is_some());
        let base58 = || match text.bytes().next() {
            Some(b'1' | b'3') => Some(TextChain::Bitcoin),
            Some(b'2' | b'm' | b'n') => Some(TextChain::Testnet),
            _ => None,
        };
        let chain = bech32.map(|(_, chain)| *chain).or_else(base58).filter(|_| is_text);
        let chain = chain.ok_or(UriErrorKind::NotAnAddress)?;
        Ok(Self { text: text.into(), chain, is_bech32: bech32.is_some() })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The chain that the beginning of the text names. Addresses of testnet and signet look the
    /// same.
    pub const fn chain(&self) -> TextChain {
        self.chain
    }

    /// Reads the address, its checksum included.
    ///
    /// # Errors
    ///
    /// [`ParseError`], of the crate [`bitcoin`].
    pub fn read(&self) -> Result<Address<NetworkUnchecked>, ParseError> {
        self.text.parse()
    }

    /// Whether the text means the same in upper case.
    pub(super) const fn is_bech32(&self) -> bool {
        self.is_bech32
    }

    fn key(&self) -> Option<&'static str> {
        match self.chain {
            TextChain::Bitcoin if self.is_bech32 => Some("bc"),
            TextChain::Testnet if self.is_bech32 => Some("tb"),
            _ => None,
        }
    }
}

/// A name of BIP 353 that owns its text. Displays as `name@domain`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NameText {
    name: String,
    domain: String,
}

impl NameText {
    /// The name.
    pub fn name(&self) -> Bip353Name<'_> {
        Bip353Name::from_validated(&self.name, &self.domain)
    }
}

impl From<Bip353Name<'_>> for NameText {
    fn from(name: Bip353Name<'_>) -> Self {
        Self { name: name.name().into(), domain: name.domain().into() }
    }
}

impl fmt::Display for NameText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// An instruction that this crate names and does not read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherInstruction {
    pub(super) key: &'static str,
    pub(super) text: String,
}

impl OtherInstruction {
    /// Its key: `sp` or `pay`.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// Its value, as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    const fn type_name(&self) -> &'static str {
        match self.key.as_bytes() {
            b"sp" => "silent payment address",
            _ => "private payment",
        }
    }
}

/// An instruction that cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unreadable {
    pub(super) key: &'static str,
    pub(super) text: String,
    pub(super) error: UriError,
}

impl Unreadable {
    /// Its key: `lno` or `lightning`.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// Its value, as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Why it cannot be read.
    pub const fn error(&self) -> &UriError {
        &self.error
    }
}

/// `text` after `start`, compared without case.
pub(super) fn strip_prefix<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (found, rest) = text.split_at_checked(start.len())?;
    found.eq_ignore_ascii_case(start).then_some(rest)
}

/// How BOLT 11 invoices begin. After it there is an amount or the separator, so a digit.
const BOLT11: [(&str, TextChain); 5] = [
    ("lnbc", TextChain::Bitcoin),
    ("lntbs", TextChain::Signet),
    ("lntb", TextChain::Testnet),
    ("lnbcrt", TextChain::Regtest),
    ("lnsb", TextChain::Simnet),
];

/// How addresses in bech32 begin.
const BECH32: [(&str, TextChain); 3] =
    [("bcrt1", TextChain::Regtest), ("bc1", TextChain::Bitcoin), ("tb1", TextChain::Testnet)];

/// Characters of the longest address in bech32.
const MAX_ADDRESS: usize = 90;
