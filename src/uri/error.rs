//! [`UriError`]: why a text is nothing that a payment can be made from.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::ops::Range;

use super::MAX_TEXT_LEN;
use super::paste::Pasted;
use crate::codec::ParseError;
use crate::field::NameError;

/// Why a text is nothing that a payment can be made from, or why one instruction in it cannot be
/// read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UriError {
    pub(super) kind: UriErrorKind,
    /// Bytes of the pasted text after it was cleaned.
    pub(super) place: Range<usize>,
}

impl UriError {
    /// The rule that is broken.
    pub const fn kind(&self) -> &UriErrorKind {
        &self.kind
    }

    /// A short name of the kind for programs, in kebab case. It never changes.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The characters of `text` that are at fault, counted from 0 as they were pasted: the first
    /// one, and the one after the last. `text` is the one that was read.
    ///
    /// ```
    /// use bolt12::uri::PaymentUri;
    /// let text = "  bitcoin:?lno=lno1pgqbs";
    /// let uri = PaymentUri::parse(text)?;
    /// let error = uri.unreadable().next().unwrap().error();
    /// assert_eq!(error.to_string(), "lno: unexpected 'b' at byte 7: expected a character of the bech32 alphabet");
    /// assert_eq!(error.text_range(text), 22..23);
    /// # Ok::<(), bolt12::uri::UriError>(())
    /// ```
    pub fn text_range(&self, text: &str) -> Range<usize> {
        let pasted = Pasted::new(text);
        let (UriErrorKind::Message { error, .. }, Some(value)) =
            (&self.kind, pasted.text().get(self.place.clone()))
        else {
            return pasted.characters(&self.place);
        };
        let range = error.text_range(value);
        let byte = |index: usize| value.char_indices().nth(index).map_or(value.len(), |(at, _)| at);
        let start = self.place.start.saturating_add(byte(range.start));
        let end = self.place.start.saturating_add(byte(range.end));
        pasted.characters(&(start..end))
    }

    /// The byte of the TLV stream, from 0, where the error is one of a message that has a stream.
    pub const fn stream_offset(&self) -> Option<usize> {
        match &self.kind {
            UriErrorKind::Message { error, .. } => error.stream_offset(),
            _ => None,
        }
    }
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

// The sentence is that of the kind, so there is no `source()`.
impl core::error::Error for UriError {}

/// What can be wrong with a text that people pay from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UriErrorKind {
    /// There is no text, or nothing but blanks and quotes.
    #[error("an empty text: expected an offer, an invoice, a bitcoin: link or a name")]
    Empty,
    /// More than [`MAX_TEXT_LEN`] bytes.
    #[error("a text of {length} bytes: expected at most {max}", max = MAX_TEXT_LEN)]
    TooLong {
        /// Bytes of the text.
        length: usize,
    },
    /// A message that cannot be read.
    #[error("{}{error}", Named(*key))]
    Message {
        /// The key of the parameter; `None` outside a `bitcoin:` link.
        key: Option<&'static str>,
        /// What is wrong with the message.
        error: Box<ParseError>,
    },
    /// A name that is not one of BIP 353.
    #[error("{0}")]
    Name(NameError),
    /// A link of another kind.
    #[error("a link that begins with {found:?}: expected bitcoin: or lightning:")]
    Scheme {
        /// The scheme with its colon, at most 32 characters.
        found: String,
    },
    /// An instruction under the key of another kind ([R-U-11](crate::requirements#r-u-11)).
    #[error("{found} in {place}: expected it in {expected}")]
    WrongPlace {
        /// What it is.
        found: &'static str,
        /// Where it stands.
        place: &'static str,
        /// Where it belongs.
        expected: &'static str,
    },
    /// A `bitcoin:` link without an address or another instruction
    /// ([R-U-2](crate::requirements#r-u-2)).
    #[error("no payment instruction: expected an address or one of the keys lno, lightning, bc, tb, sp, pay")]
    NoInstruction,
    /// An instruction without a value.
    #[error("{key} without a value: expected one after '='")]
    NoValue {
        /// The key.
        key: &'static str,
    },
    /// A key that may occur once ([R-U-4](crate::requirements#r-u-4)).
    #[error("{key} occurs twice: expected it once")]
    Repeated {
        /// The key, without `req-`.
        key: &'static str,
    },
    /// A key that the sender requires and this reader does not know
    /// ([R-U-5](crate::requirements#r-u-5)).
    #[error(
        "{key:?} is required and unknown: expected lightning, lno, sp, pay, bc, tb, amount, label, message or pop after req-"
    )]
    UnknownRequired {
        /// The key, at most 32 characters.
        key: String,
    },
    /// A `%` without two hexadecimal digits ([R-U-7](crate::requirements#r-u-7)).
    #[error("{key}: '%' without two hexadecimal digits")]
    Percent {
        /// The key.
        key: &'static str,
    },
    /// A text that is not UTF-8 once it is decoded ([R-U-7](crate::requirements#r-u-7)).
    #[error("{key}: not UTF-8")]
    NotUtf8 {
        /// The key.
        key: &'static str,
    },
    /// An amount that is not decimal bitcoin ([R-U-6](crate::requirements#r-u-6)).
    #[error("amount: expected bitcoin in digits with at most one point, such as 0.001")]
    Amount,
    /// An amount of zero.
    #[error("amount: zero: expected a positive number, or no amount")]
    ZeroAmount,
    /// An amount with a fraction of a millisatoshi ([R-U-6](crate::requirements#r-u-6)).
    #[error("amount: a fraction of a millisatoshi: expected at most 11 decimal places")]
    AmountFraction,
    /// More than 21 000 000 BTC.
    #[error("amount: expected at most 21000000 BTC")]
    AmountTooLarge,
    /// An address of another network than that of its key ([R-U-3](crate::requirements#r-u-3)).
    #[error("{key}: expected an address that begins with {key}1")]
    OtherNetwork {
        /// The key.
        key: &'static str,
    },
    /// Something that does not look like an address ([R-U-2](crate::requirements#r-u-2)).
    #[error("not an address: expected one that begins with bc1, tb1, bcrt1, 1, 3, 2, m or n")]
    NotAnAddress,
    /// Something that does not look like a BOLT 11 invoice.
    #[error("not a BOLT 11 invoice: expected a text that begins with lnbc, lntb, lntbs, lnbcrt or lnsb")]
    NotBolt11,
    /// A `#`, which no `bitcoin:` link has unescaped.
    #[error("'#' in a bitcoin: link: expected %23")]
    Fragment,
    /// An instruction that is no payment instruction of BIP 321
    /// ([R-U-3](crate::requirements#r-u-3)).
    #[error("{found} in a bitcoin: link: expected it alone, or after lightning:")]
    NotAnInstruction {
        /// What it is.
        found: &'static str,
    },
}

impl UriErrorKind {
    /// A short name of the kind for programs, in kebab case. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty-text",
            Self::TooLong { .. } => "text-too-long",
            Self::Message { error, .. } => error.code(),
            Self::Name(_) => "bad-name",
            Self::Scheme { .. } => "other-link",
            Self::WrongPlace { .. } => "wrong-place",
            Self::NoInstruction => "no-instruction",
            Self::NoValue { .. } => "no-value",
            Self::Repeated { .. } => "repeated-key",
            Self::UnknownRequired { .. } => "unknown-required-key",
            Self::Percent { .. } => "bad-escape",
            Self::NotUtf8 { .. } => "not-utf8",
            Self::Amount => "bad-amount",
            Self::ZeroAmount => "zero-amount",
            Self::AmountFraction => "amount-fraction",
            Self::AmountTooLarge => "amount-too-large",
            Self::OtherNetwork { .. } => "other-network-address",
            Self::NotAnAddress => "not-an-address",
            Self::NotBolt11 => "not-bolt11",
            Self::Fragment => "fragment",
            Self::NotAnInstruction { .. } => "not-an-instruction",
        }
    }

    /// This error at the bytes `place` of the cleaned text.
    pub(super) const fn at(self, place: Range<usize>) -> UriError {
        UriError { kind: self, place }
    }
}

/// A key and a colon, where there is a key.
struct Named(Option<&'static str>);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(key) => write!(f, "{key}: "),
            None => Ok(()),
        }
    }
}
