//! The stores of this crate: against the suite that a store must pass, and against files that are no good ledgers.

mod conformance;
mod copies;
mod files;
mod flawed;
mod kept_file;
