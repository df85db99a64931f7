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
//!
//! With `--cln SOCKET`, a Core Lightning node signs and pays, and the customer is a real one, whose invoices (`lni1…`) are
//! read from stdin, one on a line:
//!
//! ```text
//! cargo run --example atm -- --cln ~/.lightning/bitcoin/lightning-rpc 1000sat
//! ```
#![allow(clippy::print_stderr, reason = "printing is what an example is for")]

#[cfg(all(unix, feature = "cln"))]
#[path = "common/cln.rs"]
mod cln;
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
    ClaimError, HistoryEvent, Ledger, Payer, PaymentHash, PaymentResult, Payout, PayoutId, PayoutMessage,
    Preimage, RecoverOptions, RecoveredClaim, RedbStore,
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

/// Shows a withdrawal, step by step; without --cln the node is a stand-in, and no money moves
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
    /// Socket of the Core Lightning node that signs and pays (its JSON-RPC)
    #[cfg(all(unix, feature = "cln"))]
    #[arg(long, value_name = "SOCKET", conflicts_with_all = ["dialect", "payer"])]
    cln: Option<PathBuf>,
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
    let (payer, end) = End::open(arguments)?;
    let show = Show { json: arguments.json, kill_after: arguments.kill_after };
    let atm = Atm { ledger: common::open_ledger(&arguments.data)?, payer, end, show };

    // What an earlier run has left unfinished comes first, and is finished.
    let left = atm.recover()?;
    if !left.is_empty() {
        return left.iter().try_for_each(|recovered| atm.try_again(recovered.payout, recovered.hash));
    }
    let Some((payout, hash)) = atm.withdraw(amount, arguments)? else { return Ok(()) };
    atm.try_again(payout, hash)?;
    if atm.recover()?.is_empty() {
        atm.show.step(Step::Recover, true, &atm.state(payout)?, "nothing is in flight", json!({}))?;
    }
    Ok(())
}

/// A payer of any kind.
type AnyPayer = Arc<dyn Payer + Send + Sync>;

struct Atm {
    ledger: Ledger<RedbStore>,
    payer: AnyPayer,
    end: End,
    show: Show,
}

/// Node and customer: both played, or both real.
enum End {
    Played {
        node: Arc<StandIn>,
        customer: Arc<Purse>,
    },
    #[cfg(all(unix, feature = "cln"))]
    Cln(cln::Node),
}

impl End {
    fn open(arguments: &Arguments) -> Result<(AnyPayer, Self), common::Error> {
        #[cfg(all(unix, feature = "cln"))]
        if let Some(socket) = &arguments.cln {
            let node = cln::Node::connect(socket)?;
            let payer: AnyPayer = node.payer.clone();
            return Ok((payer, Self::Cln(node)));
        }
        let customer = Arc::new(Purse::open(&arguments.data)?);
        let node = Arc::new(StandIn {
            plan: Mutex::new(arguments.payer),
            payee: Arc::clone(&customer),
            record: arguments.data.join("stand-in-node"),
        });
        let payer: AnyPayer = node.clone();
        Ok((payer, Self::Played { node, customer }))
    }

    /// The customer's next invoice. `None` when a real customer has none.
    fn answer(&self, message: &PayoutMessage) -> Result<Option<Answer>, common::Error> {
        match self {
            Self::Played { customer, .. } => Answer::to(message, customer).map(Some),
            #[cfg(all(unix, feature = "cln"))]
            Self::Cln(_) => {
                if io::stdin().is_terminal() {
                    eprintln!("paste the customer's invoice (lni1…), or end with Ctrl-D:");
                }
                let invoice = cln::read_invoice(&mut io::stdin().lock())?;
                Ok(invoice.map(|invoice| Answer::Merged(Box::new(invoice))))
            }
        }
    }

    /// From here on a played node pays.
    fn pay_from_now_on(&self) {
        if let Self::Played { node, .. } = self {
            node.set(Plan::Succeed);
        }
    }

    /// Payments that were on their way through a played network have arrived meanwhile.
    fn arrive(&self) {
        if let Self::Played { node, .. } = self {
            node.arrive();
        }
    }
}

impl Atm {
    /// An honest customer's withdrawal, from the payout to the receipt.
    fn withdraw(
        &self,
        amount: Msat,
        arguments: &Arguments,
    ) -> Result<Option<(PayoutId, PaymentHash)>, common::Error> {
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
                self.request(arguments, &params)?
            }
            Dialect::Draft => {
                let params =
                    OfferOutParams { key: order, ..OfferOutParams::new(Amount::Msat(amount), &description) };
                self.offer(&common::node_key(&arguments.data, None)?, &params)?
            }
        };
        let text = format!("{amount} for \"{description}\": one invoice for it is paid");
        if !self.show.json && io::stdout().is_terminal() {
            qr::show(&shown);
        }
        self.show.step(Step::Payout, true, &self.state(payout)?, &text, detail)?;

        let Some(answer) = self.end.answer(self.payout(payout)?.terms().message())? else {
            return Ok(None);
        };
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

        let ended = self.ledger.pay(claim, &self.payer, common::now);
        self.show_ended(Step::Pay, payout, hash, &ended)?;
        Ok(Some((payout, hash)))
    }

    /// A payout in merged BOLT 12: its id, the text for the customer, and what the call returned.
    fn request(
        &self,
        arguments: &Arguments,
        params: &InvoiceRequestParams<'_>,
    ) -> Result<(PayoutId, String, Value), common::Error> {
        let made = match &self.end {
            End::Played { .. } => {
                let node_key = common::node_key(&arguments.data, None)?;
                invoicerequest(&self.ledger, &node_key, params, common::now())?
            }
            #[cfg(all(unix, feature = "cln"))]
            End::Cln(node) => {
                let params = InvoiceRequestParams { chain: node.chain, ..params.clone() };
                node.request(&self.ledger, &params)?
            }
        };
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
        self.end.pay_from_now_on();
        self.present(Step::Replay, payout, &self.claimed_invoice(payout, hash)?)?;
        match self.end.answer(self.payout(payout)?.terms().message())? {
            Some(other) => self.present(Step::SecondInvoice, payout, &other),
            None => Ok(()),
        }
    }

    fn present(&self, step: Step, payout: PayoutId, answer: &Answer) -> Result<(), common::Error> {
        let hash = answer.payment_hash()?;
        match self.ledger.pay_once(answer.invoice(), &self.payer, common::now) {
            Ok(ended) => self.show_ended(step, payout, hash, &ended),
            Err(ClaimError::Store(error)) => Err(error.into()),
            Err(error) => {
                let message = error.payee_message(answer.invoice());
                let detail = json!({ "payment_hash": hash, "payee_message": message });
                self.show.step(step, false, &self.state(payout)?, &error.to_string(), detail)
            }
        }
    }

    /// Asks the node about everything that is in flight.
    fn recover(&self) -> Result<Vec<RecoveredClaim>, common::Error> {
        self.end.arrive();
        let recovery = self.ledger.recover(&self.payer, &RecoverOptions::new(), common::now)?;
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
