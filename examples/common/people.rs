//! Messages, links and errors for people who read them on a terminal. Texts of other nodes are displayed safely.

use std::io::{self, Write};

use bolt12::AnyMessage;
use bolt12::field::UntrustedText;
use bolt12::text::Marked;
use bolt12::uri::{Instruction, PaymentUri};
use bolt12::view::{Comparison, ErrorView, ExplainedField, Explanation, UriView, View};

/// Writes a verdict, then each record, then what was computed from them.
pub fn message(output: &mut impl Write, message: &AnyMessage, now: u64, indent: &str) -> io::Result<()> {
    let explanation = Explanation::new(message, Some(now));
    writeln!(output, "{indent}{}", explanation.verdict())?;
    for field in explanation.fields() {
        let name = field.name().unwrap_or("?");
        writeln!(output, "{indent}  {:>10}  {name:<24} {}", field.number(), field.meaning())?;
        for detail in field.details() {
            writeln!(output, "{indent}{:38} {detail}", "")?;
        }
        writeln!(output, "{indent}{:38} {}", "", raw(&field))?;
    }
    let view = serde_json::to_value(View::new(message))?;
    for name in COMPUTED {
        if let Some(value) = view.get(name).and_then(|value| value.as_str()) {
            writeln!(output, "{indent}  {:>10}  {name:<24} {value}", "")?;
        }
    }
    Ok(())
}

/// What is computed from the records, under its name in the JSON view.
const COMPUTED: [&str; 7] = [
    "offer_id",
    "cln_offer_id",
    "invreq_id",
    "merkle_root",
    "signed_by",
    "invoice_merkle_root",
    "proof_signed_by",
];

/// The bytes of a field in hexadecimal, cut off where they would fill the screen.
fn raw(field: &ExplainedField<'_>) -> String {
    raw_bytes(field.value())
}

fn raw_bytes(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect::<String>();
    match bytes.len() {
        0 => "no bytes".to_owned(),
        length if length > SHOWN => format!("{shown}… ({length} bytes)"),
        _ => shown,
    }
}

/// Bytes of a field that are shown.
const SHOWN: usize = 33;

/// Writes what a link asks for, instruction by instruction.
pub fn uri(output: &mut impl Write, uri: &PaymentUri, text: &str, now: u64) -> io::Result<()> {
    writeln!(output, "{}", UriView::new(uri, text).verdict())?;
    if let Some(pop) = uri.proof_of_payment() {
        let required = if pop.is_required() { "requires" } else { "asks for" };
        let opened = if pop.may_be_opened() { "" } else { ", which is never opened" };
        writeln!(output, "{required} a report to {}{opened}", UntrustedText::new(pop.link()))?;
    }
    for (index, instruction) in uri.instructions().enumerate() {
        // The error of one that cannot be read names its key.
        let is_unreadable = matches!(instruction, Instruction::Unreadable(_));
        let key =
            instruction.key().filter(|_| !is_unreadable).map(|key| format!("{key}: ")).unwrap_or_default();
        write!(output, "{}. {key}", index.saturating_add(1))?;
        match instruction {
            Instruction::Message(one) => {
                writeln!(output, "{}", one.type_name())?;
                message(output, one, now, "   ")?;
            }
            Instruction::Name(name) => {
                writeln!(
                    output,
                    "the name ₿{name}: nothing was looked up. Its instructions, if it has any, are the TXT records of {}; \
                     it may be a Lightning address too",
                    name.name().dns_name()
                )?;
            }
            Instruction::Bolt11(invoice) => writeln!(
                output,
                "a BOLT 11 invoice for {}, not read: {invoice_text}",
                invoice.chain(),
                invoice_text = invoice.as_str()
            )?,
            Instruction::Address(address) => {
                let checked = if address.read().is_ok() { "" } else { ", whose checksum is wrong" };
                writeln!(output, "an address for {}{checked}: {}", address.chain(), address.as_str())?;
            }
            Instruction::Unreadable(unreadable) => {
                error(output, &ErrorView::uri(unreadable.error(), text), text, "   ")?;
            }
            other => writeln!(
                output,
                "a {}, not read: {}",
                other.type_name(),
                UntrustedText::new(&other.to_string())
            )?,
        }
    }
    for (key, _) in uri.ignored() {
        writeln!(output, "ignored: {}", UntrustedText::new(key))?;
    }
    Ok(())
}

/// Writes why a text cannot be read, with `^^^^` under the place, and what probably happened to it.
pub fn error(output: &mut impl Write, view: &ErrorView<'_>, text: &str, indent: &str) -> io::Result<()> {
    writeln!(output, "not valid: {view}")?;
    for line in Marked::new(text, view.text_range()).to_string().lines() {
        writeln!(output, "{indent}{line}")?;
    }
    match view.hint() {
        Some(hint) => writeln!(output, "{indent}perhaps: {hint}"),
        None => Ok(()),
    }
}

/// Writes which records of two messages differ, and whether one answers the other.
pub fn comparison(
    output: &mut impl Write,
    a: &AnyMessage,
    b: &AnyMessage,
    comparison: &Comparison<'_>,
    now: u64,
) -> io::Result<()> {
    let (first, second) = (Explanation::new(a, Some(now)), Explanation::new(b, Some(now)));
    writeln!(output, "A: {}\nB: {}", first.verdict(), second.verdict())?;
    match comparison.answer() {
        Some(Ok(())) => writeln!(output, "one answers the other")?,
        // Time alone is another matter than an answer to something else.
        Some(Err(error)) if matches!(Comparison::new(a, b, 0).answer(), Some(Ok(()))) => {
            writeln!(output, "one answers the other, too late: {error}")?;
        }
        Some(Err(error)) => writeln!(output, "neither answers the other: {error}")?,
        None if comparison.differences().is_empty() => writeln!(output, "the same")?,
        None => {}
    }
    let (first, second) = (first.fields(), second.fields());
    let meaning = |fields: &[ExplainedField<'_>], number: u64| {
        fields.iter().find(|field| field.number() == number).map(|field| field.meaning().to_owned())
    };
    for difference in comparison.differences() {
        let number = difference.number();
        writeln!(output, "  {number:>10}  {}", difference.name().unwrap_or("?"))?;
        for (name, value, fields) in [("A", difference.a(), &first), ("B", difference.b(), &second)] {
            match value {
                None => writeln!(output, "              {name}  not there")?,
                Some(value) => {
                    let meaning = meaning(fields, number).unwrap_or_default();
                    writeln!(
                        output,
                        "              {name}  {meaning}\n                 {}",
                        raw_bytes(value)
                    )?;
                }
            }
        }
    }
    Ok(())
}
