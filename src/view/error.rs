//! [`ErrorView`]: why a text cannot be read, as a serde value.

use core::fmt;
use core::ops::Range;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{hint, value};
use crate::codec::ParseError;
use crate::uri::{UriError, UriErrorKind};

/// Why a text cannot be read, as a serde value.
///
/// `message` is the sentence, `code` the stable name of the error's kind. `text_range` is the first
/// character of the text that is at fault and the one after the last, from 0, counted as pasted.
/// `stream_offset` (a byte of the TLV stream, from 0), `field` and `type` are there where they
/// apply, and so is `hint`: what probably happened to the text.
#[derive(Clone, Copy, Debug)]
pub struct ErrorView<'a> {
    error: Subject<'a>,
    text: &'a str,
}

#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    Message(&'a ParseError),
    Uri(&'a UriError),
}

impl<'a> ErrorView<'a> {
    /// The view of the `error` of reading `text` as a message.
    pub const fn new(error: &'a ParseError, text: &'a str) -> Self {
        Self { error: Subject::Message(error), text }
    }

    /// The view of the `error` of reading the pasted `text`.
    pub const fn uri(error: &'a UriError, text: &'a str) -> Self {
        Self { error: Subject::Uri(error), text }
    }

    /// The characters at fault, as pasted: the first one, and the one after the last.
    pub fn text_range(&self) -> Range<usize> {
        match self.error {
            Subject::Message(error) => error.text_range(self.text),
            Subject::Uri(error) => error.text_range(self.text),
        }
    }

    /// What probably happened to the text, where experience shows one cause. Nothing is corrected.
    ///
    /// ```
    /// use bolt12::view::ErrorView;
    /// let error = "lno1pgqos".parse::<bolt12::Offer>().unwrap_err();
    /// let hint = ErrorView::new(&error, "lno1pgqos").hint();
    /// assert_eq!(hint, Some("bech32 has no o: perhaps a 0 that was read wrongly"));
    /// ```
    pub fn hint(&self) -> Option<&'static str> {
        match self.error {
            Subject::Message(error) => hint::of_message(error),
            Subject::Uri(error) => hint::of_uri(error),
        }
    }
}

impl fmt::Display for ErrorView<'_> {
    /// The sentence of the error.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            Subject::Message(error) => error.fmt(f),
            Subject::Uri(error) => error.fmt(f),
        }
    }
}

impl Serialize for ErrorView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (code, parse) = match self.error {
            Subject::Message(error) => (error.code(), Some(error)),
            Subject::Uri(error) => {
                let parse = match error.kind() {
                    UriErrorKind::Message { error, .. } => Some(&**error),
                    _ => None,
                };
                (error.code(), parse)
            }
        };
        map.serialize_entry("message", &value::Shown(self))?;
        map.serialize_entry("code", code)?;
        if let Some(name) = parse.and_then(ParseError::field).and_then(|field| field.name()) {
            map.serialize_entry("field", name)?;
        }
        let number = match parse {
            Some(ParseError::Stream(error)) => error.kind().number(),
            error => error.and_then(ParseError::field).map(|field| field.number()),
        };
        if let Some(number) = number {
            map.serialize_entry("type", &number)?;
        }
        let range = self.text_range();
        map.serialize_entry("text_range", &[range.start, range.end])?;
        if let Some(offset) = parse.and_then(ParseError::stream_offset) {
            map.serialize_entry("stream_offset", &offset)?;
        }
        if let Some(hint) = self.hint() {
            map.serialize_entry("hint", hint)?;
        }
        map.end()
    }
}
