//! What is checked of each call to the node: what was begun, and whether it might be.

use std::format;
use std::vec::Vec;

use super::book::Standing;
use super::check::{CARELESS, CLOCK, FORGOT, NO_REFUSAL, NOT_FINAL, REVERSED, STOOD_STILL, Violation};
use super::node::{Report, Truth};
use super::task::View;
use super::world::{Checked, World};
use crate::draft;
use crate::message;
use crate::payment::PaymentHash;
use crate::payout::{PayoutId, RecoverOptions};

impl World {
    /// A payment may be begun only with its claim on the disk, alone, and asked for first.
    pub(super) fn check_node(&mut self, process: u64, is_recovery: bool, view: View) -> Checked {
        let reports = self.node.state().reports.clone();
        for one in reports {
            if let Report::Begun { hash, payout, again } = one {
                self.coverage.payments = self.coverage.payments.saturating_add(1);
                let begun = Begun { hash, payout, process, is_recovery, view };
                self.check_begun(&begun)?;
                self.check_alone(&begun)?;
                if again {
                    self.check_again(&begun)?;
                }
                let step = self.step;
                self.past.begins.entry(hash).or_default().push((step, process));
                self.count_pair(hash)?;
            }
        }
        Ok(())
    }

    fn check_begun(&mut self, begun: &Begun) -> Checked {
        let Begun { hash, payout, is_recovery, view, .. } = *begun;
        let entry = self.book.entries.get(&payout).cloned();
        let attempt = entry.as_ref().and_then(|entry| entry.attempt(hash)).cloned();
        // The row was written to after the worker had looked: no ledger can stop the call.
        let has_changed = view.looked.is_some() && view.looked != entry.as_ref().map(|entry| entry.version);
        let name = self.name(hash);
        let alone = entry
            .as_ref()
            .is_some_and(|entry| entry.paid() == 0 && entry.in_flight().all(|attempt| attempt.hash == hash));
        let Some(attempt) = attempt else {
            return Err(Violation::new("a payment begins after its claim", format!("{name} has no claim")));
        };
        if attempt.standing != Standing::Claimed || !alone {
            if !has_changed {
                let found = format!("{name} was begun, and is {}", attempt.standing.name());
                return Err(Violation::new("a payment begins after a look at its payout", found));
            }
            self.coverage.exception(STOOD_STILL);
        }
        let node = self.node.state();
        let paid = node.payments.get(&hash).map(|payment| (payment.amount.get(), payment.invoice.clone()));
        drop(node);
        let (amount, bytes) = paid.unwrap_or_default();
        if amount != attempt.amount {
            let found = format!("{name}: {amount} msat, expected {} msat", attempt.amount);
            return Err(Violation::new("exactly what is owed is paid", found));
        }
        if !is_recovery {
            return Ok(());
        }
        let age = view.looked_at.saturating_sub(attempt.at);
        if age > RecoverOptions::BEGIN_WITHIN {
            let found = format!("{name} was begun {age} s after its claim");
            return Err(Violation::new("recovery begins only young claims", found));
        }
        let last = last_second(bytes);
        if view.looked_at > last {
            let found = format!("{name} was begun at {}, its last second is {last}", view.looked_at);
            return Err(Violation::new("recovery begins only invoices that can be paid", found));
        }
        Ok(())
    }

    /// Whether another payment of the payout has paid it or may pay it.
    fn check_alone(&mut self, begun: &Begun) -> Checked {
        let Begun { hash, payout, .. } = *begun;
        let node = self.node.state();
        let now = node.now;
        let is_final = node.behavior.failed_is_final;
        let said_failed = node.said_failed.contains(&hash);
        let forgets = node.behavior.forgets_after.is_some();
        let own = node.payments.get(&hash);
        let was_begun = own.is_some_and(|payment| payment.sends.len() > 1);
        // It was released because the node reported it as failed, and is begun again by a worker that stood still.
        let was_reversed = own.is_some_and(|payment| payment.reversed);
        let reported: Vec<_> = node.said_failed.iter().copied().collect();
        let others = node.payments.iter().filter(|(other, payment)| {
            let is_out = matches!(payment.truth(now), Truth::OnItsWay | Truth::Paid);
            **other != hash && payment.payout == payout && is_out
        });
        let others: Vec<_> = others.map(|(other, payment)| (*other, payment.clone())).collect();
        drop(node);
        for (other, payment) in others {
            let began_again = was_begun || payment.sends.len() > 1;
            let exception = if payment.reversed || was_reversed {
                REVERSED
            } else if payment.denied || (forgets && began_again) {
                FORGOT
            } else if self.past.careless.contains(&hash) || self.past.careless.contains(&other) {
                CARELESS
            } else if !is_final && (said_failed || reported.contains(&other)) {
                NOT_FINAL
            } else {
                let (one, two) = (self.name(hash), self.name(other));
                let found = format!("{one} was begun, and {two} is {}", payment.truth(now).name());
                return Err(Violation::new("a payout is paid once", found));
            };
            self.coverage.exception(exception);
        }
        Ok(())
    }

    /// The node sent one payment out again. It does so only where it breaks the contract of a payer.
    fn check_again(&mut self, begun: &Begun) -> Checked {
        let Begun { hash, process, is_recovery, view, .. } = *begun;
        let node = self.node.state();
        let Some(payment) = node.payments.get(&hash).cloned() else { return Ok(()) };
        let behavior = node.behavior;
        let is_refused = behavior.refuses_second && behavior.failed_is_final;
        let forgets = behavior.forgets_after.is_some();
        drop(node);
        let last = self.past.begins.get(&hash).and_then(|begins| begins.last()).copied();
        let asked_before = match (last, view.denied_at) {
            (Some((step, by)), Some(asked)) => by != process && asked < step,
            _ => false,
        };
        let exception = if payment.denied && is_recovery {
            CLOCK
        } else if payment.denied || (asked_before && forgets && is_refused) {
            FORGOT
        } else if asked_before && !is_refused {
            NO_REFUSAL
        } else {
            let found = format!("{} was begun twice", self.name(hash));
            return Err(Violation::new("the node is asked for the status before it is asked to pay", found));
        };
        self.coverage.exception(exception);
        Ok(())
    }
}

/// A payment that was just begun, and by whom.
struct Begun {
    hash: PaymentHash,
    payout: PayoutId,
    process: u64,
    is_recovery: bool,
    view: View,
}

fn last_second(invoice: Vec<u8>) -> u64 {
    match draft::Invoice::try_from(invoice.clone()) {
        Ok(invoice) => invoice.expires_at().unwrap_or(0),
        Err(_) => message::Invoice::try_from(invoice).map_or(0, |invoice| invoice.expires_at()),
    }
}
