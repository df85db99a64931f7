//! A whole withdrawal to watch: the ATM's payout, the customer's invoice, the claim, the payment, the receipt. Then the
//! same invoice is presented again, then another one, and what is in flight is recovered.
//!
//! ```text
//! cargo run --example atm
//! cargo run --example atm -- --dialect draft
//! cargo run --example atm -- --payer fail
//! cargo run --example atm -- --key order-17         and then once more: it is not paid again
//! cargo run --example atm -- --kill-after claim     and then once more without it: it recovers
//! ```
//!
//! With `--json`, stdout has one object per line: `step`, `ok`, `state` (of the payout), `message` where a step was
//! refused or failed, and the results of the step. ATM, customer and node live in the data directory: the node is
//! a stand-in, and no money moves.
#![allow(clippy::print_stderr, reason = "printing is what an example is for")]

mod common;
#[path = "common/qr.rs"]
#[allow(dead_code, reason = "each example uses its part")]
mod qr;
#[path = "common/wallet.rs"]
mod wallet;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use bolt12::bitcoin::hex::DisplayHex;
use bolt12::payout::store::PageSize;
use bolt12::payout::{
    ClaimError, HistoryEvent, Ledger, PaymentHash, PaymentResult, Payout, PayoutId, Preimage, RecoverOptions,
    RecoveredClaim, RedbStore,
};
use bolt12::secp256k1::Keypair;
use bolt12::{Amount, InvoiceRequestParams, Msat, OfferOutParams, invoicerequest, offerout};
use clap::{Parser, ValueEnum};
use common::arguments::Stop;
use common::error::with_causes;
use common::node::{Plan, StandIn};
use common::purse::Purse;
use serde_json::{Value, json};
use wallet::Answer;

/// Shows a withdrawal, step by step; the node is a stand-in, and no money moves
#[derive(Parser)]
#[command(name = "atm")]
struct Arguments {
    /// Directory of the ledger, the keys and the stand-in node, made on first use
    #[arg(long, value_name = "DIR", default_value = common::DATA)]
    data: PathBuf,
    /// Print one JSON object per step
    #[arg(long)]
    json: bool,
    /// The dialect of the payout. LDK redeems bolt12 of the merged dialect, Core Lightning bolt12_signed of it, Core
    /// Lightning 0.10 to 0.12 the draft
    #[arg(long, value_enum, default_value_t = Dialect::Merged)]
    dialect: Dialect,
    /// What the node does with the first payment
    #[arg(long, value_enum, default_value_t = Plan::Succeed)]
    payer: Plan,
    /// Name of the order: at most one withdrawal is ever paid for it [default: none, each run is a new withdrawal]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Abort after this step, as a power failure would
    #[arg(long, value_enum, value_name = "STEP")]
    kill_after: Option<Step>,
    /// The amount that is paid out, such as 100000sat or 0.001btc
    #[arg(default_value = "100000sat")]
    amount: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dialect {
    /// An invoice_request of merged BOLT 12 (`invoicerequest`)
    Merged,
    /// An offer of the 2021 draft (`offerout`)
    Draft,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Step {
    Payout,
    Invoice,
    Claim,
    Pay,
    Receipt,
    Replay,
    SecondInvoice,
    Recover,
}

fn main() -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    let played = match common::arguments::parse::<Arguments>() {
        Err(Stop::Shown(code)) => return code,
        Err(Stop::Wrong(message)) => Err(common::other(message)),
        Ok(arguments) => play(&arguments),
    };
    let Err(error) = played else { return ExitCode::SUCCESS };
    if json {
        let failure = json!({ "ok": false, "code": error.code(), "message": error.to_string() });
        // Without a reader, the exit status still reports it.
        let _ = writeln!(io::stdout(), "{failure}");
    } else {
        eprintln!("error: {error}");
    }
    ExitCode::FAILURE
}

fn play(arguments: &Arguments) -> Result<(), common::Error> {
    let amount = match arguments.amount.parse()? {
        Amount::Any => {
            return Err(common::other("amount: the ATM has counted the notes, any is not an amount"));
        }
        Amount::Msat(amount) => amount,
    };
    let customer = Arc::new(Purse::open(&arguments.data)?);
    let node = Arc::new(StandIn {
        plan: Mutex::new(arguments.payer),
        payee: Arc::clone(&customer),
        record: arguments.data.join("stand-in-node"),
    });
    let show = Show { json: arguments.json, kill_after: arguments.kill_after };
    let atm = Atm { ledger: common::open_ledger(&arguments.data)?, customer: &customer, node, show };

    // What an earlier run has left unfinished comes first, and is finished.
    let left = atm.recover()?;
    if !left.is_empty() {
        return left.iter().try_for_each(|recovered| atm.try_again(recovered.payout, recovered.hash));
    }
    let node_key = common::node_key(&arguments.data, None)?;
    let (payout, hash) = atm.withdraw(&node_key, amount, arguments)?;
    atm.try_again(payout, hash)?;
    if atm.recover()?.is_empty() {
        atm.show.step(Step::Recover, true, &atm.state(payout)?, "nothing is in flight", json!({}))?;
    }
    Ok(())
}

struct Atm<'a> {
    ledger: Ledger<RedbStore>,
    customer: &'a Purse,
    node: Arc<StandIn>,
    show: Show,
}

impl Atm<'_> {
    /// An honest customer's withdrawal, from the payout to the receipt.
    fn withdraw(
        &self,
        node_key: &Keypair,
        amount: Msat,
        arguments: &Arguments,
    ) -> Result<(PayoutId, PaymentHash), common::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(common::other)?;
        let order = arguments.key.as_deref();
        // Without an order, the ticket number makes each withdrawal a payout of its own.
        let description = match order {
            Some(order) => format!("withdrawal from ATM, order {order}"),
            None => {
                let ticket = random.first_chunk::<4>().unwrap_or(&[0; 4]).as_hex();
                format!("withdrawal from ATM, ticket {ticket}")
            }
        };
        let (payout, shown, detail) = match arguments.dialect {
            Dialect::Merged => {
                let params = InvoiceRequestParams {
                    key: order,
                    ..InvoiceRequestParams::new(amount, &description, &random)
                };
                self.request(node_key, &params)?
            }
            Dialect::Draft => {
                let params =
                    OfferOutParams { key: order, ..OfferOutParams::new(Amount::Msat(amount), &description) };
                self.offer(node_key, &params)?
            }
        };
        let text = format!("{amount} for \"{description}\": one invoice for it is paid");
        if !self.show.json && io::stdout().is_terminal() {
            qr::show(&shown);
        }
        self.show.step(Step::Payout, true, &self.state(payout)?, &text, detail)?;

        let answer = Answer::to(self.payout(payout)?.terms().message(), self.customer)?;
        let hash = answer.payment_hash()?;
        let text = "the customer's wallet answers";
        let detail = json!({ "bolt12": answer.to_string(), "payment_hash": hash });
        self.show.step(Step::Invoice, true, &self.state(payout)?, text, detail)?;

        let claim = self.ledger.claim(answer.invoice(), common::now()).map_err(common::other)?;
        let detail = json!({ "payment_hash": hash, "amount_msat": claim.amount().get() });
        self.show.step(
            Step::Claim,
            true,
            &self.state(payout)?,
            "reserved for this invoice, on the disk",
            detail,
        )?;

        let ended = self.ledger.pay(claim, &self.node, common::now);
        self.show_ended(Step::Pay, payout, hash, &ended)?;
        Ok((payout, hash))
    }

    /// A payout in merged BOLT 12: its id, the text for the customer, and what the call returned.
    fn request(
        &self,
        node_key: &Keypair,
        params: &InvoiceRequestParams<'_>,
    ) -> Result<(PayoutId, String, Value), common::Error> {
        let made = invoicerequest(&self.ledger, node_key, params, common::now())?;
        let detail = json!({
            "invreq_id": made.invreq_id, "bolt12": made.bolt12, "bolt12_signed": made.bolt12_signed,
        });
        Ok((made.invreq_id.into(), made.bolt12.clone(), detail))
    }

    /// The same in the 2021 draft.
    fn offer(
        &self,
        node_key: &Keypair,
        params: &OfferOutParams<'_>,
    ) -> Result<(PayoutId, String, Value), common::Error> {
        let made = offerout(&self.ledger, node_key, params, common::now())?;
        let detail = json!({
            "offer_id": made.offer_id, "bolt12": made.bolt12, "bolt12_unsigned": made.bolt12_unsigned,
        });
        Ok((made.offer_id.into(), made.bolt12_unsigned.clone(), detail))
    }

    /// Presents the invoice that was claimed again, and then another one.
    fn try_again(&self, payout: PayoutId, hash: PaymentHash) -> Result<(), common::Error> {
        // From here on the node pays.
        self.node.set(Plan::Succeed);
        let again = self.claimed_invoice(payout, hash)?;
        let other = Answer::to(self.payout(payout)?.terms().message(), self.customer)?;
        for (step, answer) in [(Step::Replay, again), (Step::SecondInvoice, other)] {
            let hash = answer.payment_hash()?;
            match self.ledger.pay_once(answer.invoice(), &self.node, common::now) {
                Ok(ended) => self.show_ended(step, payout, hash, &ended)?,
                Err(ClaimError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    let message = error.payee_message(answer.invoice());
                    let detail = json!({ "payment_hash": hash, "payee_message": message });
                    self.show.step(step, false, &self.state(payout)?, &error.to_string(), detail)?;
                }
            }
        }
        Ok(())
    }

    /// Asks the node about everything that is in flight. Payments that were on their way have arrived meanwhile.
    fn recover(&self) -> Result<Vec<RecoveredClaim>, common::Error> {
        self.node.arrive();
        let recovery = self.ledger.recover(&self.node, &RecoverOptions::new(), common::now)?;
        for payout in &recovery.unreadable {
            eprintln!("warning: {payout}");
        }
        for one in &recovery.payments {
            self.show_ended(Step::Recover, one.payout, one.hash, &one.result)?;
        }
        Ok(recovery.payments)
    }

    /// Shows how a payment ended, and its receipt if it was paid.
    fn show_ended(
        &self,
        step: Step,
        payout: PayoutId,
        hash: PaymentHash,
        ended: &PaymentResult,
    ) -> Result<(), common::Error> {
        let state = self.state(payout)?;
        let detail = json!({ "payment_hash": hash });
        match ended {
            PaymentResult::Paid { preimage, .. } => {
                self.show.step(step, true, &state, "paid: the preimage proves it", detail)?;
                let detail = self.receipt(payout, hash, preimage)?;
                self.show.step(Step::Receipt, true, &state, "this preimage is the receipt", detail)?;
            }
            PaymentResult::Failed { reason } => {
                let text = format!("{reason}; another invoice may try");
                self.show.step(step, false, &state, &text, detail)?;
            }
            PaymentResult::InFlight { error } => {
                let problem =
                    error.as_ref().map(|error| format!(": {}", with_causes(error))).unwrap_or_default();
                let text = format!("the node does not know yet how this payment ends{problem}");
                self.show.step(step, false, &state, &text, detail)?;
            }
            PaymentResult::NeverBegun { reason } => {
                let text = format!("the node never began this payment, and it is left to you: {reason}");
                self.show.step(step, false, &state, &text, detail)?;
            }
        }
        Ok(())
    }

    fn receipt(
        &self,
        payout: PayoutId,
        hash: PaymentHash,
        preimage: &Preimage,
    ) -> Result<Value, common::Error> {
        let invoice = self.claimed_invoice(payout, hash)?;
        Ok(json!({
            "payment_hash": hash,
            "preimage": preimage.to_byte_array().as_hex().to_string(),
            "amount_msat": invoice.amount_msat(),
        }))
    }

    /// The invoice under which the payout was claimed, from its history.
    fn claimed_invoice(&self, payout: PayoutId, wanted: PaymentHash) -> Result<Answer, common::Error> {
        let history = self.ledger.history(payout, 0, PageSize::MAX)?;
        let invoice = history.into_iter().find_map(|entry| match entry.event {
            HistoryEvent::Claimed { hash, invoice, .. } if hash == wanted => Some(invoice),
            _ => None,
        });
        Answer::read(invoice.unwrap_or_default(), self.payout(payout)?.terms().message())
    }

    fn payout(&self, payout: PayoutId) -> Result<Payout, common::Error> {
        self.ledger.get(payout)?.ok_or_else(|| common::other("the payout is gone"))
    }

    fn state(&self, payout: PayoutId) -> Result<String, common::Error> {
        let found = self.ledger.get(payout)?;
        Ok(found.map_or_else(|| "unknown".to_owned(), |payout| payout.status().to_string()))
    }
}

/// How the steps are shown, and after which the program aborts.
struct Show {
    json: bool,
    kill_after: Option<Step>,
}

impl Show {
    fn step(
        &self,
        step: Step,
        ok: bool,
        state: &str,
        text: &str,
        detail: Value,
    ) -> Result<(), common::Error> {
        let value = step.to_possible_value();
        let name = value.as_ref().map_or("", |value| value.get_name());
        let written = match self.json {
            true => write_line(name, ok, state, text, detail),
            false => write_text(name, ok, state, text, &detail),
        };
        written.map_err(|error| common::other(format!("cannot write to stdout: {error}")))?;
        if self.kill_after == Some(step) {
            eprintln!("-- killed after {name}, as asked; run it again without --kill-after");
            std::process::abort();
        }
        Ok(())
    }
}

fn write_line(name: &str, ok: bool, state: &str, text: &str, detail: Value) -> io::Result<()> {
    let mut line = json!({ "step": name, "ok": ok, "state": state });
    if let (Value::Object(line), Value::Object(detail)) = (&mut line, detail) {
        if !ok {
            line.insert("message".to_owned(), text.into());
        }
        line.extend(detail);
    }
    writeln!(io::stdout(), "{line}")
}

fn write_text(name: &str, ok: bool, state: &str, text: &str, detail: &Value) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mark = if ok { "ok" } else { "no" };
    writeln!(stdout, "{name:<14} {mark}  {text}")?;
    writeln!(stdout, "{:<18} the payout is now: {state}", "")?;
    let detail = detail.as_object().into_iter().flatten();
    for (name, value) in detail.filter(|(name, _)| *name != "payment_hash") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        writeln!(stdout, "{:<18} {name}: {value}", "")?;
    }
    Ok(())
}
