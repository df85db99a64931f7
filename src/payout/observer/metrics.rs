//! [`MetricsObserver`]: the events of a ledger as counters and histograms (feature `metrics`).

use super::{LedgerEvent, Observer};

/// Counts each event of a ledger with the crate `metrics`, which the program exports as it likes.
///
/// | name | kind | what |
/// |---|---|---|
/// | `bolt12_ledger_events_total` | counter | events, with the label `event`: its [name](LedgerEvent::name) |
/// | `bolt12_ledger_refused_total` | counter | refused calls, with the label `call` |
/// | `bolt12_ledger_claimed_msat_total` | counter | what was claimed, msat |
/// | `bolt12_ledger_claim_seconds` | histogram | how long a claim took |
/// | `bolt12_ledger_settle_seconds` | histogram | how long a settlement took |
#[derive(Clone, Copy, Debug, Default)]
pub struct MetricsObserver;

impl Observer for MetricsObserver {
    fn observe(&self, event: &LedgerEvent<'_>) {
        metrics::counter!("bolt12_ledger_events_total", "event" => event.name()).increment(1);
        match *event {
            LedgerEvent::Claimed { amount, elapsed, .. } => {
                metrics::counter!("bolt12_ledger_claimed_msat_total").increment(amount.get());
                metrics::histogram!("bolt12_ledger_claim_seconds").record(elapsed);
            }
            LedgerEvent::Settled { elapsed, .. } => {
                metrics::histogram!("bolt12_ledger_settle_seconds").record(elapsed);
            }
            LedgerEvent::Refused { refused } => {
                metrics::counter!("bolt12_ledger_refused_total", "call" => refused.call()).increment(1);
            }
            _ => {}
        }
    }
}
