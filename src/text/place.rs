//! Where an error is in a text, in characters as they were pasted.

use core::fmt::{self, Write};
use core::ops::Range;

use super::breaks::is_space;
use super::prefix::read_prefix;
use super::{ForeignText, TextError};
use crate::field::is_unsafe;

impl TextError {
    /// A short name of the kind for programs, in kebab case. It never changes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSeparator => "no-separator",
            Self::OtherMessage { .. } => "other-message",
            Self::Foreign { kind: ForeignText::Bolt11Invoice(_), .. } => "bolt11-invoice",
            Self::Foreign { kind: ForeignText::Lnurl, .. } => "lnurl",
            Self::Foreign { kind: ForeignText::Address(_), .. } => "bitcoin-address",
            Self::UnknownPrefix { .. } => "unknown-prefix",
            Self::InvalidCharacter { .. } => "invalid-character",
            Self::Whitespace { .. } => "white-space",
            Self::StrayPlus { .. } => "stray-plus",
            Self::MixedCase { .. } => "mixed-case",
            Self::PaddingTooLong { .. } => "padding-too-long",
            Self::PaddingNotZero { .. } => "padding-not-zero",
            Self::TooLong { .. } => "message-too-long",
        }
    }

    /// The characters of `text` that are at fault, counted from 0 as they stand, breaks and prefix
    /// included: the first one, and the one after the last.
    ///
    /// `text` is the one that was read. The range is the whole text where no part of it is at
    /// fault, the prefix where the prefix is, and the last character for padding.
    ///
    /// ```
    /// use bolt12::text::{Prefix, decode};
    /// let text = "lno1pg+\n qbs";
    /// let error = decode(text, Prefix::Offer).unwrap_err();
    /// assert_eq!(error.text_range(text), 10..11);
    /// ```
    pub fn text_range(&self, text: &str) -> Range<usize> {
        match self {
            Self::InvalidCharacter { position, .. }
            | Self::Whitespace { position }
            | Self::StrayPlus { position }
            | Self::MixedCase { position, .. } => {
                let start = characters_before(text, *position);
                start..start.saturating_add(1)
            }
            Self::OtherMessage { .. } | Self::Foreign { .. } | Self::UnknownPrefix { .. } => prefix(text),
            Self::PaddingTooLong { .. } | Self::PaddingNotZero { .. } => {
                let end = whole(text).end;
                end.saturating_sub(1)..end
            }
            Self::NoSeparator | Self::TooLong { .. } => whole(text),
        }
    }
}

/// Every character of `text`.
pub(crate) fn whole(text: &str) -> Range<usize> {
    0..text.chars().count()
}

/// The number of characters before byte `position` of `text`.
pub(crate) fn characters_before(text: &str, position: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < position).count()
}

/// The prefix of `text` with its separator; the whole text where there is none.
fn prefix(text: &str) -> Range<usize> {
    match text.find('1') {
        Some(separator) => 0..characters_before(text, separator.saturating_add(1)),
        None => whole(text),
    }
}

/// The characters of `text` that spell the bytes `bytes` of its stream, from the first that has a
/// bit of them to the last. The whole text where there are none.
pub(crate) fn range_of_bytes(text: &str, bytes: &Range<usize>) -> Range<usize> {
    let Ok((_, data_at)) = read_prefix(text) else { return whole(text) };
    let first = bytes.start.saturating_mul(8) / 5;
    // An empty range marks the character at which something is missing.
    let last = bytes.end.max(bytes.start.saturating_add(1)).saturating_mul(8).div_ceil(5).saturating_sub(1);
    let is_data = |character: char| character != '+' && !u8::try_from(character).is_ok_and(is_space);
    let data =
        text.char_indices().enumerate().filter(|(_, (at, character))| *at >= data_at && is_data(*character));
    let mut range = None;
    for (index, (place, _)) in data.enumerate().skip(first) {
        if index > last {
            break;
        }
        let start = range.map_or(place, |range: Range<usize>| range.start);
        range = Some(start..place.saturating_add(1));
    }
    // Past the last character: what is missing would follow it.
    range.unwrap_or_else(|| {
        let end = whole(text).end;
        end.saturating_sub(1)..end
    })
}

/// A text with `^^^^` under a place in it, for a terminal with a font of fixed width.
///
/// Lines have at most 72 characters. Of a long text only the lines around the place are shown, with
/// `…` where others were left out. Characters that could forge a line or a reading direction are
/// displayed as U+FFFD, white space as a blank.
///
/// ```
/// use bolt12::text::{Marked, Prefix, decode};
/// let text = "lno1pgqbs";
/// let error = decode(text, Prefix::Offer).unwrap_err();
/// assert_eq!(Marked::new(text, error.text_range(text)).to_string(), "lno1pgqbs\n       ^\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Marked<'a> {
    text: &'a str,
    place: Range<usize>,
}

impl<'a> Marked<'a> {
    /// Marks the characters `place` of `text`, counted from 0.
    pub const fn new(text: &'a str, place: Range<usize>) -> Self {
        Self { text, place }
    }

    /// The lines to show, by number: those with the beginning of the place, and one on each side.
    fn shown(&self) -> Range<usize> {
        let line = self.place.start / LINE;
        line.saturating_sub(1)..line.saturating_add(MAX_LINES)
    }
}

impl fmt::Display for Marked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown();
        if shown.start > 0 {
            writeln!(f, "…")?;
        }
        let mut characters = self.text.chars().skip(shown.start.saturating_mul(LINE)).peekable();
        for line in shown {
            if characters.peek().is_none() {
                return Ok(());
            }
            for character in characters.by_ref().take(LINE) {
                f.write_char(match character {
                    _ if character.is_whitespace() => ' ',
                    _ if is_unsafe(character) => char::REPLACEMENT_CHARACTER,
                    _ => character,
                })?;
            }
            f.write_char('\n')?;
            self.mark(f, line.saturating_mul(LINE))?;
        }
        if characters.peek().is_some() { writeln!(f, "…") } else { Ok(()) }
    }
}

impl Marked<'_> {
    /// Writes the marks under the line that begins at character `start`, if it has any.
    fn mark(&self, f: &mut fmt::Formatter<'_>, start: usize) -> fmt::Result {
        let from = self.place.start.saturating_sub(start);
        let to = self.place.end.saturating_sub(start).min(LINE);
        if from >= to {
            return Ok(());
        }
        writeln!(f, "{:from$}{:^<count$}", "", "", count = to.saturating_sub(from))
    }
}

/// Characters of a line.
const LINE: usize = 72;

/// Lines after the one before the place.
const MAX_LINES: usize = 4;
