//! What the ledger does, for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bolt12::payout::store::Totals;
use bolt12::payout::{LedgerEvent, Observer, Status};

/// Counts the events of the ledger by name.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Observer for Events {
    fn observe(&self, event: &LedgerEvent<'_>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(event.name()).or_default();
        *count = count.saturating_add(1);
        if event.needs_a_person() {
            eprintln!("an operator has to look at this: {event}");
        }
    }
}

impl Events {
    /// The text that Prometheus reads.
    pub(crate) fn text(&self, totals: &Totals) -> String {
        let mut text = String::from("# TYPE bolt12_ledger_events_total counter\n");
        for (name, count) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "bolt12_ledger_events_total{{event=\"{name}\"}} {count}");
        }
        for (name, of) in [("payouts", 0), ("owed_msat", 1), ("in_flight_msat", 2), ("paid_msat", 3)] {
            let _ = writeln!(text, "# TYPE bolt12_{name} gauge");
            for status in Status::ALL {
                let totals = totals.of(*status);
                let figures = [totals.count.into(), totals.owed, totals.in_flight, totals.paid];
                let figure = figures.get(of).copied().unwrap_or_default();
                let _ = writeln!(text, "bolt12_{name}{{status=\"{status}\"}} {figure}");
            }
        }
        text
    }
}
