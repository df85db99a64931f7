//! Shows what BOLT 12 strings say: offers, invoice requests, invoices and payer proofs, of merged BOLT 12 and of the 2021 draft.
//!
//! ```text
//! cargo run --example decode -- [--dialect bolt12|draft|any] [--json] [--] STRING…
//! ```
//!
//! Without a STRING it reads them from standard input, one per line; an empty line is an empty string. For each it writes one JSON object on one line, in
//! order: `{"valid": true, "type": "bolt12 offer", …}` with every field under its specification name, or
//! `{"valid": false, "error": {"message": …, "field": …, "type": …, …}}`, with the error's `code`, `text_range` (characters as pasted)
//! and `stream_offset` (byte of the TLV stream). On a terminal it writes a table
//! for people instead, unless `--json` asks for JSON. It exits with 0 when all strings are valid, and 1 otherwise.

#![allow(clippy::print_stderr, reason = "printing is what an example is for")]

mod common;

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use bolt12::field::UntrustedText;
use bolt12::text::Marked;
use bolt12::view::{ErrorView, View};
use bolt12::{AnyMessage, Dialect, ParseError};
use clap::{Parser, ValueEnum};
use common::arguments::Stop;
use serde::Serialize;
use serde_json::Value;

/// Shows what BOLT 12 strings say.
#[derive(Debug, Parser)]
#[command(name = "decode")]
pub struct Arguments {
    /// The dialect to read: merged BOLT 12, the 2021 draft, or the one that the message's types show.
    #[arg(long, value_enum, default_value = "any")]
    dialect: DialectName,
    /// Write JSON even on a terminal.
    #[arg(long)]
    json: bool,
    /// What to decode; standard input, one string per line, when none is given.
    #[arg(value_name = "STRING")]
    strings: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DialectName {
    Bolt12,
    Draft,
    Any,
}

fn main() -> ExitCode {
    let arguments: Arguments = match common::arguments::parse() {
        Ok(arguments) => arguments,
        Err(Stop::Shown(code)) => return code,
        Err(Stop::Wrong(message)) => {
            eprintln!("error: {message}");
            return ExitCode::FAILURE;
        }
    };
    let is_table = !arguments.json && io::stdout().is_terminal();
    match run(&arguments, io::stdin().lock(), io::stdout().lock(), is_table) {
        Ok(true) => ExitCode::SUCCESS,
        // The reader of our output is gone, or the one of our input is broken: nothing is left to report to.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Decodes everything and returns whether all of it was valid.
///
/// # Errors
/// When `input` cannot be read or `output` not be written.
pub fn run(
    arguments: &Arguments,
    mut input: impl BufRead,
    mut output: impl Write,
    is_table: bool,
) -> io::Result<bool> {
    let mut all_valid = true;
    let mut show = |text: Result<&str, &LineTooLong>| -> io::Result<()> {
        let answer = match text {
            Ok(text) => AnyMessage::parse(text, arguments.dialect.into())
                .map_err(|error| Fault::Parse { error, text: text.to_owned() }),
            Err(LineTooLong) => Err(Fault::LineTooLong),
        };
        let answer = Answer(answer);
        all_valid &= answer.is_valid();
        if is_table { answer.write_table(&mut output) } else { answer.write_line(&mut output) }
    };
    if arguments.strings.is_empty() {
        while let Some(line) = next_line(&mut input)? {
            // What is not UTF-8 is no BOLT 12 string either; the answer says at which byte.
            let text = line.map(|line| String::from_utf8_lossy(&line).into_owned());
            show(text.as_deref().map(|text| text.strip_suffix('\r').unwrap_or(text)))?;
        }
    } else {
        for text in &arguments.strings {
            show(Ok(&text.to_string_lossy()))?;
        }
    }
    output.flush()?;
    Ok(all_valid)
}

/// Bytes of a line that are kept: several times what the longest message takes, breaks included.
const MAX_LINE: usize = 1 << 20;

/// A line of more than [`MAX_LINE`] bytes, read to its end and forgotten.
struct LineTooLong;

/// The next line without its end, if there is one.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Result<Vec<u8>, LineTooLong>>> {
    let mut line = Vec::new();
    let limit = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(1);
    if input.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.ends_with(b"\n") {
        line.pop();
    } else if line.len() > MAX_LINE {
        input.skip_until(b'\n')?;
        return Ok(Some(Err(LineTooLong)));
    }
    Ok(Some(Ok(line)))
}

/// What is said of one string.
struct Answer(Result<AnyMessage, Fault>);

/// Why a string is no message.
enum Fault {
    Parse { error: ParseError, text: String },
    LineTooLong,
}

impl Answer {
    const fn is_valid(&self) -> bool {
        self.0.is_ok()
    }

    fn write_line(&self, mut output: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut output, &self.json())?;
        writeln!(output)
    }

    /// One field a line, indented by one step for each level, strangers' texts shown safely.
    fn write_table(&self, mut output: impl Write) -> io::Result<()> {
        match &self.0 {
            Ok(message) => write_value(&mut output, &serde_json::to_value(View::new(message))?, 0)?,
            Err(Fault::Parse { error, text }) => {
                writeln!(output, "not valid: {error}\n{}", Marked::new(text, error.text_range(text)))?;
            }
            Err(Fault::LineTooLong) => writeln!(output, "not valid: {LINE_TOO_LONG}")?,
        }
        writeln!(output)
    }

    fn json(&self) -> Json<'_> {
        let error = |error| Json { valid: false, error: Some(error), view: None };
        match &self.0 {
            Ok(message) => Json { valid: true, error: None, view: Some(View::new(message)) },
            Err(Fault::Parse { error: parse, text }) => error(FaultView::Parse(ErrorView::new(parse, text))),
            Err(Fault::LineTooLong) => error(FaultView::Line { message: LINE_TOO_LONG }),
        }
    }
}

const LINE_TOO_LONG: &str = "a line of more than 1048576 bytes, which no message needs";

#[derive(Serialize)]
struct Json<'a> {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<FaultView<'a>>,
    #[serde(flatten)]
    view: Option<View<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum FaultView<'a> {
    Parse(ErrorView<'a>),
    Line { message: &'static str },
}

fn write_value(output: &mut impl Write, value: &Value, depth: usize) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    let width = 28usize.saturating_sub(indent.len());
    let mut entry = |name: &str, value: &Value| match value {
        Value::Object(_) | Value::Array(_) => {
            writeln!(output, "{indent}{name}")?;
            write_value(output, value, depth.saturating_add(1))
        }
        Value::String(text) => writeln!(output, "{indent}{name:width$} {}", UntrustedText::new(text)),
        other => writeln!(output, "{indent}{name:width$} {other}"),
    };
    match value {
        Value::Object(map) => map.iter().try_for_each(|(name, value)| entry(name, value)),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(index, value)| entry(&index.to_string(), value))
        }
        other => entry("", other),
    }
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::Bolt12 => Self::Bolt12,
            DialectName::Draft => Self::Draft,
            DialectName::Any => Self::Any,
        }
    }
}
