//! The conformance suite, each case in a schema of its own.

use bolt12::payout::conformance::{self, ContractViolation, StoreLocation};
use bolt12::payout::{PostgresStore, StoreError};
use testkit::postgres::{new_schema, options, shared};

struct Schema {
    name: String,
    is_prepared: bool,
}

impl StoreLocation for Schema {
    type Store = PostgresStore;

    fn open(&self) -> Result<PostgresStore, StoreError> {
        let options = options(&self.name).prepared_statements(self.is_prepared);
        let opened = options.open_or_create(&shared().unwrap().address());
        opened.map(|opened| opened.store).map_err(StoreError::failed)
    }
}

macro_rules! cases {
    ($($case:ident),* $(,)?) => {$(
        #[test]
        fn $case() -> Result<(), ContractViolation> {
            if shared().is_some() {
                for is_prepared in [false, true] {
                    conformance::$case(&Schema { name: new_schema(), is_prepared })?;
                }
            }
            Ok(())
        }
    )*};
}

cases!(
    one_identity,
    insert_if_absent,
    replace_if_version,
    hash_belongs_to_one_payout,
    key_belongs_to_one_payout,
    events_in_order,
    largest_values,
    repeat_after_unknown_outcome,
    pages_by_filter,
    pages_newest_first,
    pages_by_time,
    pages_of_large_rows,
    pages_while_others_write,
    insert_race,
    replace_race,
    hash_race,
    key_race,
    no_lost_update,
    reads_see_whole_writes,
    reopen,
    totals_of_all_rows,
    forgotten_history,
    spendings_within_limits,
    limit_race,
);
