//! Shows what BOLT 12 strings say: offers, invoice requests, invoices and payer proofs, of merged BOLT 12 and of the 2021 draft, and the links
//! and names that people paste.
//!
//! ```text
//! cargo run --example decode -- [--json] [--offer OFFER] [--request REQUEST] [--file PATH]… [--] [STRING]…
//! cargo run --example decode -- compare STRING STRING
//! ```
//!
//! Without a STRING and a file it reads standard input, one string per line; an empty line is an empty string, and a line that ends with
//! `+` continues on the next one. `valid` says that a string is well formed and its signature good, not that it may still be paid. `--help` lists the options and
//! the exit statuses. For people it writes a verdict, then each field with its type number, its meaning and its bytes; where the string is
//! wrong, the sentence of the error with `^^^^` under the place. With `--json`, and where the output is no terminal, it writes one JSON object
//! on one line for each string, in order: `{"valid": true, "expired": false, "type": "bolt12 offer", …}` with every field under its specification name and all
//! `records` by type number, `{"valid": true, "type": "uri", "instructions": […]}` for a link, or
//! `{"valid": false, "error": {"message": …, "code": …, "text_range": […], …}}`.

#![allow(clippy::print_stderr, reason = "printing is what an example is for")]

mod common;
#[path = "common/qr.rs"]
#[allow(dead_code, reason = "each example uses its part")]
mod qr;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bolt12::uri::{Instruction, PaymentUri, UriError, UriForm};
use bolt12::view::{Comparison, ErrorView, UriView, View, check_answer};
use bolt12::{AnyMessage, Dialect, ParseError};
use clap::{Parser, Subcommand, ValueEnum};
use common::arguments::Stop;
use common::people;
use serde::Serialize;

/// Shows what BOLT 12 strings say, and the links and names that people paste.
#[derive(Debug, Parser)]
#[command(
    name = "decode",
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 when every string is valid and answers what it should, 1 when one is not or does not, 2 when the command line is wrong or something cannot be read or written."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The dialect to read: merged BOLT 12, the 2021 draft, or the one that the message's types show.
    /// A named dialect reads messages alone, with nothing around them.
    #[arg(long, value_enum, default_value = "any")]
    dialect: DialectName,
    /// Write JSON even on a terminal.
    #[arg(long)]
    json: bool,
    /// Check each message against this offer: whether it is a request or an invoice for it, or a payer proof of it.
    #[arg(long, value_name = "OFFER")]
    offer: Option<String>,
    /// Check each invoice against this invoice request.
    #[arg(long, value_name = "REQUEST")]
    request: Option<String>,
    /// Read strings from this file, one per line.
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
    /// The time to judge expiry by, in unix seconds; the present time when absent.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Show the QR code of each string that is valid: in upper case, several codes where one is too small.
    #[arg(long)]
    qr: bool,
    /// Write the QR code of the last string that is valid into this file, as SVG or PNG by its ending. Several codes are
    /// numbered: NAME-1.svg, NAME-2.svg.
    #[arg(long, value_name = "PATH")]
    qr_file: Option<PathBuf>,
    /// What to decode. `-` is standard input, one string per line, and so is no STRING.
    #[arg(value_name = "STRING")]
    strings: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows which records of two messages differ, and which rule breaks first where one should answer the other.
    Compare {
        /// Write JSON even on a terminal.
        #[arg(long)]
        json: bool,
        /// The time to judge expiry by, in unix seconds; the present time when absent.
        #[arg(long, value_name = "SECONDS")]
        now: Option<u64>,
        /// The first message.
        a: String,
        /// The second message.
        b: String,
    },
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
            return ExitCode::from(WRONG);
        }
    };
    let for_people = io::stdout().is_terminal();
    match run(&arguments, io::stdin().lock(), io::stdout().lock(), for_people) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // The reader of our output is gone: nothing is left to report to.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(WRONG),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(WRONG)
        }
    }
}

/// The exit status for a wrong command line, and for what cannot be read or written.
const WRONG: u8 = 2;

/// Decodes everything and returns whether all of it was valid. Without `--json` it writes for people if `for_people`.
///
/// # Errors
/// When `input` or a file cannot be read, when `output` cannot be written, and when what to compare with is no message.
pub fn run(
    arguments: &Arguments,
    mut input: impl BufRead,
    mut output: impl Write,
    for_people: bool,
) -> io::Result<bool> {
    if let Some(Command::Compare { json, now, a, b }) = &arguments.command {
        let now = now.unwrap_or_else(common::now);
        let (a, b) = (named("the first message", a)?, named("the second message", b)?);
        let comparison = Comparison::new(&a, &b, now);
        if *json || !for_people {
            write_json(&mut output, &comparison)?;
        } else {
            people::comparison(&mut output, &a, &b, &comparison, now)?;
        }
        output.flush()?;
        return Ok(comparison.answer().map_or(comparison.differences().is_empty(), |answer| answer.is_ok()));
    }
    let reading = Reading {
        dialect: arguments.dialect.into(),
        offer: arguments.offer.as_deref().map(|text| question("--offer", text)).transpose()?,
        request: arguments.request.as_deref().map(|text| question("--request", text)).transpose()?,
        now: arguments.now.unwrap_or_else(common::now),
    };
    let for_people = for_people && !arguments.json;
    let mut all_valid = true;
    let mut last = None;
    let mut show = |text: Result<&str, &LineTooLong>| -> io::Result<()> {
        let answer = match text {
            Ok(text) => reading.read(text),
            Err(LineTooLong) => Answer { text: "", read: Found::LineTooLong, checks: Vec::new() },
        };
        all_valid &= answer.is_valid();
        let uri = answer.uri().filter(|_| answer.is_valid());
        if for_people {
            answer.write_for_people(&mut output, reading.now)?;
        } else {
            write_json(&mut output, &answer.json(reading.now))?;
        }
        if let Some(uri) = uri {
            if arguments.qr {
                // JSON has no place for it.
                if for_people { qr::write(&mut output, &uri)? } else { qr::write(&mut io::stderr(), &uri)? }
            }
            last = Some(uri);
        }
        Ok(())
    };
    for path in &arguments.file {
        let file = File::open(path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
        each_line(&mut BufReader::new(file), &mut show)?;
    }
    for text in &arguments.strings {
        if text == "-" { each_line(&mut input, &mut show)? } else { show(Ok(&text.to_string_lossy()))? }
    }
    if arguments.strings.is_empty() && arguments.file.is_empty() {
        each_line(&mut input, &mut show)?;
    }
    output.flush()?;
    if let (Some(path), Some(uri)) = (&arguments.qr_file, last) {
        qr::write_files(path, &uri)?;
    }
    Ok(all_valid)
}

/// The message in a text that the command line names.
fn named(what: &str, text: &str) -> io::Result<AnyMessage> {
    let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, format!("{what}: {error}"));
    let uri = PaymentUri::parse(text).map_err(|error| invalid(error.to_string()))?;
    let message = uri.instructions().find_map(|instruction| match instruction {
        Instruction::Message(message) => Some((**message).clone()),
        _ => None,
    });
    message.ok_or_else(|| invalid("no message of BOLT 12: expected one".to_owned()))
}

/// The message that an option names, if it is of the kind that the option is for: an answer to another kind of message would
/// say yes to another question.
fn question(option: &str, text: &str) -> io::Result<AnyMessage> {
    let message = named(option, text)?;
    let (fits, expected) = match &message {
        AnyMessage::Offer(_) | AnyMessage::DraftOffer(_) => (option == "--offer", "an invoice request"),
        AnyMessage::InvoiceRequest(_) | AnyMessage::DraftInvoiceRequest(_) => {
            (option == "--request", "an offer")
        }
        _ => (false, if option == "--offer" { "an offer" } else { "an invoice request" }),
    };
    if fits {
        return Ok(message);
    }
    let found = message.type_name();
    let error = format!("{option}: a {found}: expected {expected}");
    Err(io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// Calls `show` with each line of `input`. A line that ends with `+` continues on the next one, as in a mail.
fn each_line(
    input: &mut impl BufRead,
    show: &mut impl FnMut(Result<&str, &LineTooLong>) -> io::Result<()>,
) -> io::Result<()> {
    while let Some(mut line) = next_line(input)? {
        while let Ok(text) = &mut line
            && text.trim_ascii_end().ends_with(b"+")
            && let Some(next) = next_line(input)?
        {
            match next {
                Ok(next) if text.len().saturating_add(next.len()) <= MAX_LINE => {
                    text.push(b'\n');
                    text.extend(next);
                }
                _ => line = Err(LineTooLong),
            }
        }
        // What is not UTF-8 is no BOLT 12 string either; the answer says at which character.
        let text = line.map(|line| String::from_utf8_lossy(&line).into_owned());
        show(text.as_deref().map(|text| text.strip_suffix('\r').unwrap_or(text)))?;
    }
    Ok(())
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

/// How strings are read, and what they are checked against.
struct Reading {
    dialect: Dialect,
    offer: Option<AnyMessage>,
    request: Option<AnyMessage>,
    now: u64,
}

impl Reading {
    fn read<'a>(&self, text: &'a str) -> Answer<'a> {
        let read = match self.dialect {
            Dialect::Any => self.pasted(text),
            dialect => match AnyMessage::parse(text, dialect) {
                Ok(message) => Found::Message(Box::new(message)),
                Err(error) => Found::NotAMessage(error),
            },
        };
        let checks = match &read {
            Found::Message(message) => self.check(message),
            Found::Uri(uri) => {
                uri.instructions().find_map(message_in).map_or(Vec::new(), |one| self.check(one))
            }
            _ => Vec::new(),
        };
        Answer { text, read, checks }
    }

    fn pasted(&self, text: &str) -> Found {
        let uri = match PaymentUri::parse(text) {
            Ok(uri) => uri,
            Err(error) => return Found::NotAUri(error),
        };
        let first = uri.instructions().next().cloned();
        match (uri.form(), first) {
            (UriForm::Bare, Some(Instruction::Message(message))) => Found::Message(message),
            // A BOLT 11 invoice or an address alone is no string of BOLT 12.
            (UriForm::Bare, Some(Instruction::Bolt11(_) | Instruction::Address(_))) => {
                match AnyMessage::parse(&uri.to_string(), Dialect::Any) {
                    Ok(message) => Found::Message(Box::new(message)),
                    Err(error) => Found::NotAMessage(error),
                }
            }
            _ => Found::Uri(uri),
        }
    }

    /// Whether `message` answers what it should, for each of `--offer` and `--request`.
    fn check(&self, message: &AnyMessage) -> Vec<Check> {
        let named = [("offer", &self.offer), ("request", &self.request)];
        let checks = named.into_iter().filter_map(|(name, question)| {
            let error = match check_answer(question.as_ref()?, message, self.now) {
                Some(Ok(())) => None,
                Some(Err(error)) => Some(error),
                None => Some(format!("a {} does not answer it", message.type_name())),
            };
            // Time alone is another matter than an answer to something else.
            let is_late =
                error.is_some() && matches!(check_answer(question.as_ref()?, message, 0), Some(Ok(())));
            Some(Check { to: name, answers: error.is_none(), error, is_late })
        });
        checks.collect()
    }
}

fn message_in(instruction: &Instruction) -> Option<&AnyMessage> {
    match instruction {
        Instruction::Message(message) => Some(message),
        _ => None,
    }
}

/// What one string says.
struct Answer<'a> {
    text: &'a str,
    read: Found,
    checks: Vec<Check>,
}

/// What a string was read as.
enum Found {
    Message(Box<AnyMessage>),
    Uri(PaymentUri),
    NotAMessage(ParseError),
    NotAUri(UriError),
    LineTooLong,
}

/// Whether a message answers what it should.
#[derive(Serialize)]
struct Check {
    to: &'static str,
    answers: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// It answers, and only its time is over.
    #[serde(skip)]
    is_late: bool,
}

impl Answer<'_> {
    fn is_valid(&self) -> bool {
        let is_read = match &self.read {
            Found::Message(_) => true,
            Found::Uri(uri) => uri.instructions().all(|instruction| match instruction {
                Instruction::Unreadable(_) => false,
                Instruction::Address(address) => address.read().is_ok(),
                _ => true,
            }),
            Found::NotAMessage(_) | Found::NotAUri(_) | Found::LineTooLong => false,
        };
        is_read && self.checks.iter().all(|check| check.answers)
    }

    /// What a QR code of it holds.
    fn uri(&self) -> Option<PaymentUri> {
        match &self.read {
            Found::Message(message) => Some(PaymentUri::from((**message).clone()).shortest()),
            Found::Uri(uri) => Some(uri.clone()),
            _ => None,
        }
    }

    fn write_for_people(&self, output: &mut impl Write, now: u64) -> io::Result<()> {
        for check in &self.checks {
            match &check.error {
                None => writeln!(output, "answers the {}", check.to)?,
                Some(error) if check.is_late => {
                    writeln!(output, "answers the {}, too late: {error}", check.to)?
                }
                Some(error) => writeln!(output, "does not answer the {}: {error}", check.to)?,
            }
        }
        match &self.read {
            Found::Message(message) => people::message(output, message, now, "")?,
            Found::Uri(uri) => people::uri(output, uri, self.text, now)?,
            Found::NotAMessage(error) => {
                people::error(output, &ErrorView::new(error, self.text), self.text, "")?
            }
            Found::NotAUri(error) => people::error(output, &ErrorView::uri(error, self.text), self.text, "")?,
            Found::LineTooLong => writeln!(output, "not valid: {LINE_TOO_LONG}")?,
        }
        writeln!(output)
    }

    fn json(&self, now: u64) -> Json<'_> {
        let expired = match &self.read {
            Found::Message(message) => is_expired(message, now),
            _ => None,
        };
        let json = |view| Json {
            valid: self.is_valid(),
            expired,
            error: None,
            view: Some(view),
            checks: &self.checks,
        };
        let error =
            |error| Json { valid: false, expired, error: Some(error), view: None, checks: &self.checks };
        match &self.read {
            Found::Message(message) => json(Viewed::Message(View::new(message))),
            Found::Uri(uri) => json(Viewed::Uri(UriView::new(uri, self.text))),
            Found::NotAMessage(parse) => error(Fault::Text(ErrorView::new(parse, self.text))),
            Found::NotAUri(parse) => error(Fault::Text(ErrorView::uri(parse, self.text))),
            Found::LineTooLong => error(Fault::Line { message: LINE_TOO_LONG }),
        }
    }
}

/// Whether a message that can expire has expired at `now`.
fn is_expired(message: &AnyMessage, now: u64) -> Option<bool> {
    match message {
        AnyMessage::Offer(offer) => offer.expires_at().map(|_| offer.is_expired(now)),
        AnyMessage::InvoiceRequest(request) => request.expires_at().map(|_| request.is_expired(now)),
        AnyMessage::Invoice(invoice) => Some(invoice.is_expired(now)),
        AnyMessage::DraftOffer(offer) => offer.absolute_expiry().map(|_| offer.is_expired(now)),
        AnyMessage::DraftInvoice(invoice) => invoice.expires_at().map(|_| invoice.is_expired(now)),
        _ => None,
    }
}

const LINE_TOO_LONG: &str = "a line of more than 1048576 bytes, which no message needs";

#[derive(Serialize)]
struct Json<'a> {
    valid: bool,
    /// Whether it has expired; absent where it cannot expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault<'a>>,
    #[serde(flatten)]
    view: Option<Viewed<'a>>,
    #[serde(skip_serializing_if = "<[Check]>::is_empty")]
    checks: &'a [Check],
}

#[derive(Serialize)]
#[serde(untagged)]
enum Viewed<'a> {
    Message(View<'a>),
    Uri(UriView<'a>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fault<'a> {
    Text(ErrorView<'a>),
    Line { message: &'static str },
}

fn write_json(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    writeln!(output)
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
