//! A plugin for Core Lightning that pays payouts: `offerout` as it was documented, in merged BOLT 12.
//!
//! # Install
//!
//! ```sh
//! cargo build --release --example cln_plugin
//! lightningd --plugin=$PWD/target/release/examples/cln_plugin
//! ```
//!
//! It needs Core Lightning v26.06 or newer and nothing but what the node gives it. The ledger is the file
//! `payouts.redb` in the node's directory. It is started with the node and not later (`plugin start`), so that no invoice
//! arrives before the plugin is there.
//!
//! | option | meaning |
//! |---|---|
//! | `payouts-max-fee` | the most that one payment may cost in fees, such as `50sat` |
//! | `payouts-node-lock` | also puts each request into the node's database: then not even a lost ledger pays twice. While the plugin does not run, the node pays such a request itself, and the ledger does not learn of it |
//! | `payouts-path-through` | for a node that is not public: the id of a peer that payees can reach. Each request then has a blinded path through it, and a key of its own |
//! | `payouts-recover-every` | seconds between two recoveries; 60 |
//!
//! # One withdrawal
//!
//! ```sh
//! lightning-cli offerout 100000sat "withdrawal 17"
//! # {"invreq_id": …, "bolt12": "lnr1…", "bolt12_signed": "lnr1…", "created": true, …}
//! ```
//!
//! The customer's Core Lightning answers with `lightning-cli sendinvoice invreq=lnr1… label=17`, LDK with
//! `request_refund_payment`. The invoice arrives as an onion message. The plugin takes it, the ledger claims the payout, and
//! the node pays. A second invoice is refused, and its payee reads why. `lightning-cli payouts` shows how each payout stands:
//!
//! ```sh
//! lightning-cli payouts
//! # {"payouts": [{"id": …, "status": "used", "paid": 100000000, …}], "unreadable": []}
//! ```
//!
//! | method | what it does |
//! |---|---|
//! | `offerout amount description [issuer] [label] [absolute_expiry] [refund_for] [key] [dialect]` | creates a payout. The same parameters return the same one. `dialect=draft`: the strings of the 2021 draft, under a key of the plugin |
//! | `payouts [id]` | how each payout stands |
//! | `payout-disable id` | refuses every new invoice |
//! | `payout-recover` | asks the node about every payment in flight |
//!
//! # What it cannot do
//!
//! - Without `payouts-path-through`, payees reach only a node that is public.
//! - A refusal is not sent where the payee's reply path begins with a channel (`first_scid`) and not with a node.
//! - It pays no invoice of the 2021 draft: Core Lightning does not read one any more. `dialect=draft` is for tests and
//!   for payees whose invoices are paid in another way.

#[cfg(unix)]
mod desk;
#[cfg(unix)]
mod invoices;
#[cfg(unix)]
mod manifest;
#[cfg(unix)]
mod onion;
#[cfg(unix)]
mod params;
#[cfg(unix)]
mod pool;
#[cfg(unix)]
mod run;
#[cfg(unix)]
#[path = "../common/secret.rs"]
mod secret;
#[cfg(unix)]
mod wire;

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    run::run()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
