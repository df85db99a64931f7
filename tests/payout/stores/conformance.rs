//! The stores against the conformance suite, case by case, and the suite against broken stores.

use std::sync::Arc;

use bolt12::payout::conformance::{self, ContractViolation, StoreLocation};
use bolt12::payout::{MemoryStore, RedbStore, StoreError};
use tempfile::TempDir;

#[derive(Default)]
struct Memory(Arc<MemoryStore>);

impl StoreLocation for Memory {
    type Store = Arc<MemoryStore>;

    fn open(&self) -> Result<Self::Store, StoreError> {
        Ok(Arc::clone(&self.0))
    }
}

struct Redb(TempDir);

impl Default for Redb {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl StoreLocation for Redb {
    type Store = RedbStore;

    fn open(&self) -> Result<Self::Store, StoreError> {
        let opened = RedbStore::open_or_create(self.0.path().join("ledger"));
        opened.map(|opened| opened.store).map_err(StoreError::failed)
    }
}

macro_rules! cases {
    ($place:ident: $($case:ident),* $(,)?) => {
        $(
            #[test]
            fn $case() -> Result<(), ContractViolation> {
                conformance::$case(&super::$place::default())
            }
        )*

        #[test]
        fn run() -> Result<(), ContractViolation> {
            conformance::run(super::$place::default)
        }
    };
}

macro_rules! suite {
    ($module:ident, $place:ident) => {
        mod $module {
            use super::*;

            cases!($place:
                one_identity,
                insert_if_absent,
                replace_if_version,
                hash_belongs_to_one_payout,
                key_belongs_to_one_payout,
                events_in_order,
                forgotten_history,
                largest_values,
                repeat_after_unknown_outcome,
                reopen,
                pages_by_filter,
                pages_newest_first,
                pages_by_time,
                totals_of_all_rows,
                pages_of_large_rows,
                pages_while_others_write,
                insert_race,
                replace_race,
                hash_race,
                key_race,
                no_lost_update,
                reads_see_whole_writes,
                spendings_within_limits,
                limit_race,
            );
        }
    };
}

suite!(memory, Memory);
suite!(redb, Redb);
