//! The text of a paste, cleaned of what chats, mails and sites put around and into it, and the way
//! back from a place in it to the characters that were pasted.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::field::is_unsafe;
use crate::text::characters_before;

/// A text and what is left of it.
pub(super) struct Pasted<'a> {
    original: &'a str,
    text: Cow<'a, str>,
    /// Runs of `text`: the byte at which each begins there, and in `original`.
    runs: Vec<(usize, usize)>,
}

impl<'a> Pasted<'a> {
    /// Cleans `original`.
    pub(super) fn new(original: &'a str) -> Self {
        let inner = without_wrapping(original);
        let start = original.len().saturating_sub(after_start(original, inner).len());
        let (text, mut runs) = without_line_breaks(inner);
        for (_, place) in &mut runs {
            *place = place.saturating_add(start);
        }
        Self { original, text, runs }
    }

    /// What is left.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The characters of the original, from 0, that are bytes `place` of the cleaned text. An empty
    /// place marks one character.
    pub(super) fn characters(&self, place: &Range<usize>) -> Range<usize> {
        let start = characters_before(self.original, self.original_byte(place.start));
        let last = place.end.max(place.start.saturating_add(1)).saturating_sub(1);
        let last = self.original_byte(last.min(self.text.len().saturating_sub(1)));
        // The character that contains that byte is the last one.
        let end = characters_before(self.original, last.saturating_add(1));
        start.min(end.saturating_sub(1))..end
    }

    fn original_byte(&self, byte: usize) -> usize {
        let run = self.runs.iter().rev().find(|(start, _)| *start <= byte);
        run.map_or(byte, |(start, original)| original.saturating_add(byte.saturating_sub(*start)))
    }
}

/// The end of `original` that begins where `inner`, a part of it, begins.
fn after_start<'a>(original: &'a str, inner: &str) -> &'a str {
    let start = inner.as_ptr().addr().saturating_sub(original.as_ptr().addr());
    original.get(start..).unwrap_or_default()
}

/// `text` without what stands around it: blanks, invisible characters, the `>` of a quotation,
/// pairs of quotes and brackets. Around anything but a `bitcoin:` link, whose label may end with them, single quotes and
/// punctuation go as well.
fn without_wrapping(mut text: &str) -> &str {
    loop {
        let trimmed = text.trim_matches(is_blank).trim_start_matches('>');
        let is_bitcoin =
            trimmed.get(..BITCOIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(BITCOIN));
        let unwrapped =
            match PAIRS.iter().find_map(|(open, close)| trimmed.strip_prefix(*open)?.strip_suffix(*close)) {
                Some(inner) => inner,
                None if is_bitcoin => trimmed,
                None => trimmed
                    .trim_start_matches(|character| PAIRS.iter().any(|(open, _)| *open == character))
                    .trim_end_matches(|character| {
                        ".,;!?".contains(character) || PAIRS.iter().any(|(_, close)| *close == character)
                    }),
            };
        if unwrapped.len() == text.len() {
            return text;
        }
        text = unwrapped;
    }
}

/// `text` without its line breaks, the blanks around them and the `>` of quotations after them, and
/// its runs.
fn without_line_breaks(text: &str) -> (Cow<'_, str>, Vec<(usize, usize)>) {
    if !text.contains(is_line_break) {
        return (Cow::Borrowed(text), alloc::vec![(0, 0)]);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut runs = Vec::new();
    let mut lines = text.split(is_line_break).peekable();
    let mut is_first = true;
    while let Some(line) = lines.next() {
        let line_start = if is_first { line } else { line.trim_start_matches(|c| is_blank(c) || c == '>') };
        let inner = if lines.peek().is_some() { line_start.trim_end_matches(is_blank) } else { line_start };
        is_first = false;
        if inner.is_empty() {
            continue;
        }
        let place = text.len().saturating_sub(after_start(text, inner).len());
        runs.push((cleaned.len(), place));
        cleaned.push_str(inner);
    }
    (Cow::Owned(cleaned), runs)
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || is_unsafe(character)
}

const fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

const BITCOIN: &str = "bitcoin:";

/// What people and programs put around a text.
const PAIRS: [(char, char); 14] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('<', '>'),
    ('“', '”'),
    ('„', '“'),
    ('‘', '’'),
    ('‚', '‘'),
    ('«', '»'),
    ('»', '«'),
    ('*', '*'),
];
