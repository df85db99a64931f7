//! Payer proofs: makes one from an invoice that was paid, and verifies one that was received.
//!
//! ```text
//! cargo run --example prove -- --payer-key FILE [--show FIELD,…] [--hide FIELD,…] [--note TEXT] INVOICE PREIMAGE
//! cargo run --example prove -- --verify PROOF [--offer OFFER] [--note TEXT]
//! ```
//!
//! The first form writes `{"proof": "lnp1…", …}`: INVOICE is the `lni1…` that was paid, PREIMAGE what the node reported,
//! 64 hexadecimal characters, and FILE has the secret key of the invoice's `invreq_payer_id`. With
//! `--payer-secret FILE` it has the secret of `PayerKeys` instead. FIELD is a name of the specification, such as
//! `offer_issuer`, or a type number.
//!
//! The second form writes what the proof shows, and exits with 1 if it is not valid, is for the payee of another offer
//! than OFFER, or has another note than TEXT. stdout has one JSON object and nothing else. On failure it is
//! `{"code": -1, "message": …}`.

mod common;

use std::path::PathBuf;
use std::process::ExitCode;

use bolt12::field::Field;
use bolt12::message::PayeeAuthentication;
use bolt12::proof::{PayerProofBuilder, types};
use bolt12::view::View;
use bolt12::{Invoice, Offer, PayerKeys, PayerProof, Preimage};
use clap::Parser;
use common::{key, other};
use serde_json::{Value, json};

/// Makes a payer proof of an invoice that was paid, or verifies one.
#[derive(Parser)]
#[command(name = "prove")]
struct Arguments {
    /// File with the secret key of the invoice's invreq_payer_id, 64 hexadecimal characters
    #[arg(long, value_name = "FILE", conflicts_with_all = ["payer_secret", "verify"])]
    payer_key: Option<PathBuf>,
    /// File with the secret from which PayerKeys derived that key, 64 hexadecimal characters
    #[arg(long, value_name = "FILE", conflicts_with = "verify")]
    payer_secret: Option<PathBuf>,
    /// Fields to show in addition to the usual ones, by name or type; "all" for all that can be shown
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', conflicts_with = "verify")]
    show: Vec<String>,
    /// Fields to hide of the usual ones, by name or type; "all" for all that can be hidden
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', conflicts_with = "verify")]
    hide: Vec<String>,
    /// The note: to be written, or to be expected
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The proof to verify, lnp1…
    #[arg(long, value_name = "PROOF")]
    verify: Option<String>,
    /// The offer whose issuer has to be the payee, lno1…
    #[arg(long, value_name = "OFFER", requires = "verify")]
    offer: Option<String>,
    /// The invoice that was paid, lni1…
    #[arg(value_name = "INVOICE", required_unless_present = "verify", conflicts_with = "verify")]
    invoice: Option<String>,
    /// The preimage of the payment, 64 hexadecimal characters
    #[arg(value_name = "PREIMAGE", required_unless_present = "verify")]
    preimage: Option<String>,
}

fn main() -> ExitCode {
    common::run(|arguments: Arguments| match &arguments.verify {
        Some(proof) => verify(proof, &arguments),
        None => prove(&arguments),
    })
}

fn prove(arguments: &Arguments) -> Result<Value, common::Error> {
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let invoice: Invoice =
        given(&arguments.invoice).parse().map_err(|error| other(format!("invoice: {error}")))?;
    let preimage: Preimage =
        given(&arguments.preimage).parse().map_err(|error| other(format!("preimage: {error}")))?;
    let builder = invoice.prove_payment(preimage).map_err(other)?;
    let builder = choose(builder, arguments)?.note(arguments.note.as_deref().unwrap_or_default());
    let proof = match (&arguments.payer_key, &arguments.payer_secret) {
        (Some(path), _) => builder.sign(&key::read(path)?),
        (None, Some(path)) => builder.sign_with_keys(&PayerKeys::new(key::read(path)?.secret_bytes())),
        (None, None) => return Err(other("expected --payer-key or --payer-secret")),
    };
    let proof = proof.map_err(other)?;
    let shown: Vec<String> = proof.shown_records().map(|record| name(record.number())).collect();
    Ok(json!({
        "proof": proof.to_string(),
        "bytes": proof.as_bytes().len(),
        "shown": shown,
        "hidden_count": proof.hidden_count(),
    }))
}

fn choose<'a>(
    mut builder: PayerProofBuilder<'a>,
    arguments: &Arguments,
) -> Result<PayerProofBuilder<'a>, common::Error> {
    for text in &arguments.hide {
        builder = if text == "all" { builder.show_required() } else { builder.hide(field(text)?) };
    }
    for text in &arguments.show {
        builder = if text == "all" { builder.show_all() } else { builder.show(field(text)?) };
    }
    Ok(builder)
}

fn field(text: &str) -> Result<Field, common::Error> {
    let unknown =
        || other(format!("{text:?} is no field: expected a name such as offer_issuer, or a type number"));
    types::field_by_name(text).ok_or_else(unknown)
}

fn name(number: u64) -> String {
    let field = types::field_by_name(&number.to_string());
    field.and_then(Field::name).map_or_else(|| number.to_string(), str::to_owned)
}

fn verify(text: &str, arguments: &Arguments) -> Result<Value, common::Error> {
    let proof: PayerProof = text.parse().map_err(|error| other(format!("proof: {error}")))?;
    if let Some(note) = &arguments.note {
        proof.verify_note(note).map_err(other)?;
    }
    let (payee, shows_whole_offer) = match &arguments.offer {
        Some(offer) => {
            let offer: Offer = offer.parse().map_err(|error| other(format!("offer: {error}")))?;
            let verified = proof.verify_for_offer(&offer).map_err(other)?;
            (verified.authentication(), verified.shows_whole_offer())
        }
        // The proof alone shows who signed, and not that the signer is a certain payee.
        None => (PayeeAuthentication::Unknown, false),
    };
    Ok(json!({
        "payee": match payee {
            PayeeAuthentication::Issuer => "the issuer of the offer",
            PayeeAuthentication::PathEnd => "the end of a path of the offer",
            PayeeAuthentication::Confirmed | PayeeAuthentication::Unknown => "unknown",
        },
        "shows_whole_offer": shows_whole_offer,
        "note_verified": arguments.note.is_some(),
        "shown": View::from(&proof),
    }))
}
