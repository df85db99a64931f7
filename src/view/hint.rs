//! What probably happened to a text that cannot be read. Nothing is corrected: people decide.

use crate::codec::ParseError;
use crate::field::{FieldErrorKind, ProofErrorKind};
use crate::text::TextError;
use crate::tlv::{StreamErrorKind, ValueErrorKind};
use crate::uri::{UriError, UriErrorKind};

/// What probably happened to a text with this error, where experience shows one cause.
pub(super) fn of_uri(error: &UriError) -> Option<&'static str> {
    match error.kind() {
        UriErrorKind::Message { error, .. } => of_message(error),
        UriErrorKind::Name(_) => {
            Some("a name has no blanks, and a name that is not ASCII is written in punycode (xn--…)")
        }
        UriErrorKind::Scheme { .. } => Some("this is the address of a page, not what the page shows to pay"),
        UriErrorKind::WrongPlace { .. } => Some("the program that made the link put it under the wrong key"),
        UriErrorKind::NoInstruction | UriErrorKind::NoValue { .. } => {
            Some("the link was cut off, or the program that made it had nothing to pay to")
        }
        UriErrorKind::Amount => Some("a comma or a currency sign in the amount"),
        UriErrorKind::Percent { .. } => Some("the link was cut off, or a '%' in it was not written as %25"),
        _ => None,
    }
}

/// The same for the text of a message.
pub(super) fn of_message(error: &ParseError) -> Option<&'static str> {
    match error {
        ParseError::Text(error) => of_text(error),
        ParseError::Stream(error) => Some(match error.kind() {
            StreamErrorKind::Truncated { .. } => {
                "the end of the text is missing, or characters are missing before it"
            }
            _ => "characters before this place were lost, added or changed",
        }),
        ParseError::Field(error) => of_field(error.kind()),
        ParseError::Empty | ParseError::TooLong { .. } => None,
    }
}

fn of_text(error: &TextError) -> Option<&'static str> {
    Some(match error {
        TextError::InvalidCharacter { found: 'b' | 'B', .. } => {
            "bech32 has no b: perhaps a 6 or an 8 that was read wrongly"
        }
        TextError::InvalidCharacter { found: 'i' | 'I', .. } => {
            "bech32 has no i: perhaps an l or a j that was read wrongly"
        }
        TextError::InvalidCharacter { found: 'o' | 'O', .. } => {
            "bech32 has no o: perhaps a 0 that was read wrongly"
        }
        TextError::InvalidCharacter { found: '1', .. } => {
            "bech32 has no 1 after the prefix: perhaps an l that was read wrongly, or two texts joined"
        }
        TextError::InvalidCharacter { found: '…' | '.', .. } => {
            "a program has shortened the text: copy it from its source"
        }
        TextError::InvalidCharacter { .. } => {
            "a character that does not belong to the text was copied with it, or replaced one of it"
        }
        TextError::Whitespace { .. } => {
            "other text was copied with it, or a program has broken it into parts"
        }
        TextError::UnknownPrefix { .. } => "other text stands before it, or it is no text of BOLT 12",
        TextError::StrayPlus { .. } => "a part of the text after or before the '+' is missing",
        TextError::MixedCase { .. } => {
            "a program has changed a letter to upper case, or the parts are from two texts"
        }
        TextError::PaddingTooLong { .. } | TextError::PaddingNotZero { .. } => {
            "characters at the end were lost, added or changed"
        }
        TextError::NoSeparator => "the beginning of the text is missing, or it is no text of BOLT 12",
        _ => return None,
    })
}

fn of_field(kind: &FieldErrorKind) -> Option<&'static str> {
    Some(match kind {
        FieldErrorKind::BadSignature { .. } => {
            "a character was changed, or a field was changed after it was signed"
        }
        FieldErrorKind::UnknownEven | FieldErrorKind::UnknownFeature { .. } => {
            "a newer version of the specification wrote it, or characters were changed"
        }
        FieldErrorKind::Proof(ProofErrorKind::Preimage { .. }) => {
            "the proof is for another invoice, or characters were changed"
        }
        FieldErrorKind::Value(ValueErrorKind::NotAPoint | ValueErrorKind::NotUtf8) => {
            "characters were changed: BOLT 12 has no checksum that would have shown it earlier"
        }
        _ => return None,
    })
}
