//! [`PaymentUri`]: what a pasted text asks for.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bitcoin::Address;

use super::{
    AddressText, Bolt11Text, Instruction, ProofOfPayment, Unreadable, UriError, UriErrorKind, parse,
};
use crate::amount::Msat;
use crate::any_message::AnyMessage;
use crate::field::UntrustedText;
use crate::{Offer, draft};

/// What a pasted text asks for: one or more instructions, and what they share.
///
/// [`PaymentUri::parse`] reads it. Messages convert into it: a message alone is a `lightning:` link.
/// [`PaymentUri::builder`] makes a `bitcoin:` link. It displays as the text that it was read from,
/// without what people and programs put around it, and `{:#}` is that text in upper case, for QR
/// codes, where all of it means the same in upper case ([R-U-10](crate::requirements#r-u-10)).
///
/// ```
/// use bolt12::Offer;
/// use bolt12::uri::PaymentUri;
/// let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
/// let offer: Offer = text.parse()?;
/// let link = PaymentUri::builder().offer(&offer).amount("0.001btc".parse()?).build()?;
/// assert_eq!(link.to_string(), format!("bitcoin:?amount=0.001&lno={text}"));
/// assert_eq!(format!("{link:#}"), format!("BITCOIN:?AMOUNT=0.001&LNO={}", text.to_uppercase()));
/// assert_eq!(PaymentUri::parse(&link.to_string())?, link);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PaymentUri {
    pub(super) form: UriForm,
    pub(super) instructions: Vec<Instruction>,
    pub(super) amount: Option<Msat>,
    pub(super) label: Option<String>,
    pub(super) message: Option<String>,
    pub(super) proof_of_payment: Option<ProofOfPayment>,
    /// Keys and values as written; `None` without a `=`.
    pub(super) ignored: Vec<(String, Option<String>)>,
}

/// How a text names its instructions.
///
/// Deliberately exhaustive: these are the forms that people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UriForm {
    /// The instruction alone: `lno1…`, `name@domain`.
    Bare,
    /// `lightning:` and one instruction.
    Lightning,
    /// `bitcoin:`, an address or none, and parameters: BIP 321.
    Bitcoin,
}

impl PaymentUri {
    /// Reads a text as it was pasted or scanned. The [module](super) lists what is read.
    ///
    /// # Errors
    ///
    /// [`UriError`], with the place in `text`. What is wrong with one offer or invoice among the
    /// parameters of a `bitcoin:` link is no error of the link: that instruction is
    /// [`Instruction::Unreadable`].
    pub fn parse(text: &str) -> Result<Self, UriError> {
        parse::parse(text)
    }

    /// Begins a `bitcoin:` link.
    pub const fn builder() -> PaymentUriBuilder {
        PaymentUriBuilder { uri: Self::empty(UriForm::Bitcoin), error: None }
    }

    pub(super) const fn empty(form: UriForm) -> Self {
        Self {
            form,
            instructions: Vec::new(),
            amount: None,
            label: None,
            message: None,
            proof_of_payment: None,
            ignored: Vec::new(),
        }
    }

    pub(super) fn alone(form: UriForm, instruction: Instruction) -> Self {
        Self { instructions: alloc::vec![instruction], ..Self::empty(form) }
    }

    /// How the text names its instructions.
    pub const fn form(&self) -> UriForm {
        self.form
    }

    /// The same instruction alone, without a scheme: the shortest text, for a QR code. A link with
    /// several instructions, or with parameters, stays as it is.
    #[must_use]
    pub fn shortest(&self) -> Self {
        let mut shortest = self.clone();
        if self.instructions.len() == 1
            && self.amount.is_none()
            && self.label.is_none()
            && self.message.is_none()
            && self.proof_of_payment.is_none()
            && self.ignored.is_empty()
            && !matches!(self.instructions.first(), Some(Instruction::Other(_) | Instruction::Unreadable(_)))
        {
            shortest.form = UriForm::Bare;
        }
        shortest
    }

    /// The instructions, in their order. There is at least one. The sender's order is no order of
    /// preference ([R-U-4](crate::requirements#r-u-4)).
    pub fn instructions(&self) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter()
    }

    /// The offers of merged BOLT 12 among the instructions.
    /// [`choose_offer`](Self::choose_offer) returns one that can be paid.
    pub fn offers(&self) -> impl Iterator<Item = &Offer> {
        self.instructions.iter().filter_map(|instruction| match instruction {
            Instruction::Message(message) => message.as_offer(),
            _ => None,
        })
    }

    /// The instructions that cannot be read.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.instructions.iter().filter_map(|instruction| match instruction {
            Instruction::Unreadable(unreadable) => Some(unreadable),
            _ => None,
        })
    }

    /// The amount to pay to an instruction that has none of its own
    /// ([R-U-6](crate::requirements#r-u-6)).
    pub const fn amount(&self) -> Option<Msat> {
        self.amount
    }

    /// `label`: a name of the payee.
    pub fn label(&self) -> Option<UntrustedText<'_>> {
        self.label.as_deref().map(UntrustedText::new)
    }

    /// `message`: the purpose of the payment.
    pub fn message(&self) -> Option<UntrustedText<'_>> {
        self.message.as_deref().map(UntrustedText::new)
    }

    /// `pop`: where to report the payment.
    pub const fn proof_of_payment(&self) -> Option<&ProofOfPayment> {
        self.proof_of_payment.as_ref()
    }

    /// Parameters that BIP 321 does not know and the sender does not require, as written. They mean
    /// nothing to this reader ([R-U-5](crate::requirements#r-u-5)).
    pub fn ignored(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.ignored.iter().map(|(key, value)| (key.as_str(), value.as_deref()))
    }
}

impl core::str::FromStr for PaymentUri {
    type Err = UriError;

    /// As [`PaymentUri::parse`].
    ///
    /// # Errors
    ///
    /// [`UriError`].
    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl From<AnyMessage> for PaymentUri {
    /// A `lightning:` link: BIP 321 has no place for messages other than offers.
    fn from(message: AnyMessage) -> Self {
        Self::alone(UriForm::Lightning, Instruction::Message(Box::new(message)))
    }
}

/// Makes a `bitcoin:` link. Made by [`PaymentUri::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PaymentUriBuilder {
    uri: PaymentUri,
    error: Option<UriErrorKind>,
}

impl PaymentUriBuilder {
    /// Adds an offer, under `lno`.
    pub fn offer(self, offer: &Offer) -> Self {
        self.with(Ok(Instruction::Message(Box::new(AnyMessage::Offer(offer.clone())))))
    }

    /// Adds an offer of the 2021 draft, under `lno`.
    pub fn draft_offer(self, offer: &draft::Offer) -> Self {
        self.with(Ok(Instruction::Message(Box::new(AnyMessage::DraftOffer(offer.clone())))))
    }

    /// Adds a BOLT 11 invoice, under `lightning`.
    pub fn bolt11(self, text: &str) -> Self {
        self.with(Bolt11Text::new(text).map(Instruction::Bolt11))
    }

    /// Adds an address. It becomes the first instruction where it has to: only the place after
    /// `bitcoin:` holds an address in base 58, or of regtest, and it holds one.
    pub fn address(mut self, address: &Address) -> Self {
        let text = alloc::format!("{address}");
        match AddressText::new(&text).map(Instruction::Address) {
            Ok(address) if address.key().is_none() => {
                let is_taken =
                    self.uri.instructions.first().is_some_and(|first| {
                        matches!(first, Instruction::Address(_)) && first.key().is_none()
                    });
                if is_taken {
                    self.error = self.error.or(Some(UriErrorKind::Repeated { key: "address" }));
                } else {
                    self.uri.instructions.insert(0, address);
                }
                self
            }
            address => self.with(address),
        }
    }

    /// The amount to pay to instructions that have none of their own.
    pub fn amount(mut self, amount: Msat) -> Self {
        if amount == Msat::ZERO {
            self.error = self.error.or(Some(UriErrorKind::ZeroAmount));
        }
        self.uri.amount = Some(amount);
        self
    }

    /// A name of the payee.
    pub fn label(mut self, label: &str) -> Self {
        self.uri.label = Some(label.into());
        self
    }

    /// The purpose of the payment.
    pub fn message(mut self, message: &str) -> Self {
        self.uri.message = Some(message.into());
        self
    }

    /// The link.
    ///
    /// # Errors
    ///
    /// [`UriErrorKind::NoInstruction`], [`UriErrorKind::NotBolt11`], [`UriErrorKind::Repeated`] for
    /// a second address in base 58, [`UriErrorKind::ZeroAmount`].
    pub fn build(self) -> Result<PaymentUri, UriErrorKind> {
        match self.error {
            Some(error) => Err(error),
            None if self.uri.instructions.is_empty() => Err(UriErrorKind::NoInstruction),
            None => Ok(self.uri),
        }
    }

    fn with(mut self, instruction: Result<Instruction, UriErrorKind>) -> Self {
        match instruction {
            Ok(instruction) => self.uri.instructions.push(instruction),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }
}
