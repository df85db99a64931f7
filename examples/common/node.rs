//! A stand-in for a Lightning node that pays, fails, stalls or dies on command.
//!
//! What it did lies in a file of its own, as a real node's memory outlives the program that drives it. It keeps the
//! contract of [`Payer`]: one payment_hash is paid once, and what has failed is not begun again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bolt12::payout::{Claim, Payer, PaymentHash, PaymentStatus};
use clap::ValueEnum;

use super::purse::Purse;

/// What the node does with a payment that it has not seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plan {
    /// Pay
    Succeed,
    /// Find no route
    Fail,
    /// Leave the payment on its way, and not know how it ends
    Stall,
    /// Pay, and have the program die before it hears of it
    Die,
}

/// The stand-in. The payee's purse is where its payments arrive.
pub struct StandIn {
    pub plan: Mutex<Plan>,
    pub payee: Arc<Purse>,
    /// A line for each change of a payment: its state and its hash.
    pub record: PathBuf,
}

const PAID: &str = "paid";
const FAILED: &str = "failed";
const ON_ITS_WAY: &str = "on_its_way";

impl StandIn {
    /// Lets all payments arrive that are on their way.
    pub fn arrive(&self) {
        let text = fs::read_to_string(&self.record).unwrap_or_default();
        for hash in text.lines().filter_map(|line| line.strip_prefix(ON_ITS_WAY)?.trim().parse().ok()) {
            if self.state(hash).as_deref() == Some(ON_ITS_WAY) {
                self.write(PAID, hash);
            }
        }
    }

    /// Treats new payments like this from now on.
    pub fn set(&self, plan: Plan) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    fn plan(&self) -> Plan {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last thing that is written of a payment.
    fn state(&self, hash: PaymentHash) -> Option<String> {
        let text = fs::read_to_string(&self.record).unwrap_or_default();
        let line = text.lines().rev().find(|line| line.ends_with(&hash.to_string()))?;
        line.split(' ').next().map(str::to_owned)
    }

    fn write(&self, state: &str, hash: PaymentHash) {
        let file = OpenOptions::new().append(true).create(true).open(&self.record);
        let written = file.and_then(|mut file| {
            // In one write, so that lines of two threads do not mix.
            file.write_all(format!("{state} {hash}\n").as_bytes())?;
            file.sync_all()
        });
        if let Err(error) = written {
            // A node that cannot write down what it does must not do it.
            eprintln!("the stand-in's record {}: {error}", self.record.display());
            std::process::abort();
        }
    }
}

impl Payer for StandIn {
    fn pay(&self, claim: &Claim) -> PaymentStatus {
        let hash = claim.payment_hash();
        if let Some(outcome) = self.status(hash) {
            return outcome;
        }
        match self.plan() {
            Plan::Succeed => self.write(PAID, hash),
            Plan::Fail => self.write(FAILED, hash),
            Plan::Stall => self.write(ON_ITS_WAY, hash),
            Plan::Die => {
                self.write(PAID, hash);
                eprintln!("-- the node has paid, and this program dies before it hears of it");
                std::process::abort();
            }
        }
        self.status(hash).unwrap_or(PaymentStatus::Unknown)
    }

    fn status(&self, hash: PaymentHash) -> Option<PaymentStatus> {
        Some(match self.state(hash)?.as_str() {
            PAID => match self.payee.preimage(hash) {
                Ok(Some(preimage)) => PaymentStatus::Paid(preimage),
                Ok(None) | Err(_) => PaymentStatus::Unknown,
            },
            FAILED => PaymentStatus::Failed("no route to the payee".to_owned()),
            _ => PaymentStatus::Unknown,
        })
    }
}
