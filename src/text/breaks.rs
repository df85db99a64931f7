//! `+` breaks and white space, where they may stand and where not.

use super::TextError;

/// What follows the `+` at byte `at` of `text` and its white space. There must be a character on
/// both sides.
pub(super) fn after_break(text: &str, at: usize) -> Result<&[u8], TextError> {
    let (before, after) = text.as_bytes().split_at_checked(at).unwrap_or_default();
    let after = after.get(1..).unwrap_or_default();
    let spaces = after.iter().take_while(|byte| is_space(**byte)).count();
    let after = after.get(spaces..).unwrap_or_default();
    let outer = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b'+' || is_space(*byte));
    if outer(before.last()) || outer(after.first()) {
        return Err(TextError::StrayPlus { position: at });
    }
    Ok(after)
}

/// The error for a character that cannot stand at byte `at`.
pub(super) fn stray(text: &str, at: usize) -> TextError {
    let found = text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(char::REPLACEMENT_CHARACTER);
    if found.is_ascii_whitespace() || found == VERTICAL_TAB {
        TextError::Whitespace { position: at }
    } else {
        TextError::InvalidCharacter { found, position: at }
    }
}

pub(super) const VERTICAL_TAB: char = '\u{b}';

/// ASCII white space as C's `isspace` has it: what follows a `+`.
pub(super) const fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
