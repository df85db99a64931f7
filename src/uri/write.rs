//! A [`PaymentUri`] as text.

use core::fmt::{self, Write};

use super::amount::InBitcoin;
use super::percent::Escaped;
use super::{Instruction, PaymentUri, UriForm};

impl fmt::Display for PaymentUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() || !self.is_free_of_case() {
            return self.write(f);
        }
        self.write(&mut UpperCase(f))
    }
}

impl PaymentUri {
    /// Whether the text means the same in upper case.
    fn is_free_of_case(&self) -> bool {
        let lower = |text: &str| text.bytes().any(|byte| byte.is_ascii_lowercase());
        let instruction = |instruction: &Instruction| match instruction {
            Instruction::Message(_) | Instruction::Bolt11(_) | Instruction::Name(_) => true,
            Instruction::Address(address) => address.is_bech32() || !lower(address.as_str()),
            Instruction::Other(other) => !lower(other.as_str()),
            Instruction::Unreadable(unreadable) => !lower(unreadable.as_str()),
        };
        // Escapes are read in both cases.
        let texts = [self.label.as_deref(), self.message.as_deref()];
        let pop = self.proof_of_payment.as_ref().map(super::ProofOfPayment::link);
        self.instructions.iter().all(instruction)
            && !texts.into_iter().chain([pop]).flatten().any(lower)
            && !self.ignored.iter().any(|(_, value)| value.as_deref().is_some_and(lower))
    }

    fn write(&self, f: &mut impl Write) -> fmt::Result {
        f.write_str(match self.form {
            UriForm::Bare => "",
            UriForm::Lightning => "lightning:",
            UriForm::Bitcoin => "bitcoin:",
        })?;
        let mut instructions = self.instructions.as_slice();
        match (self.form, instructions) {
            (UriForm::Bitcoin, [first @ Instruction::Address(_), rest @ ..]) => {
                write!(f, "{first}")?;
                instructions = rest;
            }
            (UriForm::Bitcoin, _) => {}
            (_, _) => return instructions.iter().try_for_each(|alone| write!(f, "{alone}")),
        }
        let mut mark = Mark(true);
        if let Some(amount) = self.amount {
            write!(f, "{}amount={}", mark.next(), InBitcoin(amount))?;
        }
        for (key, text) in [("label", &self.label), ("message", &self.message)] {
            if let Some(text) = text {
                write!(f, "{}{key}={}", mark.next(), Escaped(text))?;
            }
        }
        if let Some(pop) = &self.proof_of_payment {
            let required = if pop.is_required() { "req-" } else { "" };
            write!(f, "{}{required}pop={}", mark.next(), Escaped(pop.link()))?;
        }
        for instruction in instructions {
            // An instruction without a key stands first, by the builder and by the reader.
            write!(f, "{}{}={instruction}", mark.next(), instruction.key().unwrap_or_default())?;
        }
        for (key, value) in &self.ignored {
            write!(f, "{}{key}", mark.next())?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

/// `?` before the first parameter, `&` before the others.
struct Mark(bool);

impl Mark {
    const fn next(&mut self) -> char {
        let is_first = core::mem::replace(&mut self.0, false);
        if is_first { '?' } else { '&' }
    }
}

/// Writes ASCII letters in upper case.
struct UpperCase<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for UpperCase<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| self.0.write_char(character.to_ascii_uppercase()))
    }
}
