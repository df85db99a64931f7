//! The conformance suite, each case in a schema of its own.

use bolt12::payout::conformance::{self, ContractViolation, StoreLocation};
use bolt12::payout::{PostgresStore, StoreError};
use testkit::postgres::{new_schema, options, shared};

struct Schema {
    name: String,
    is_prepared: bool,
    /// What follows the address in the connection string.
    settings: &'static str,
}

impl StoreLocation for Schema {
    type Store = PostgresStore;

    fn open(&self) -> Result<PostgresStore, StoreError> {
        let options = options(&self.name).prepared_statements(self.is_prepared);
        let address = format!("{} {}", shared().unwrap().address(), self.settings);
        let opened = options.open_or_create(&address);
        opened.map(|opened| opened.store).map_err(StoreError::failed)
    }
}

macro_rules! cases {
    ($($case:ident),* $(,)?) => {$(
        #[test]
        fn $case() -> Result<(), ContractViolation> {
            if shared().is_some() {
                for is_prepared in [false, true] {
                    conformance::$case(&Schema { name: new_schema(), is_prepared, settings: "" })?;
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

/// At a stricter level the server undoes the later of two writers. The store repeats what was undone.
#[test]
fn writers_race_at_the_strictest_isolation() -> Result<(), ContractViolation> {
    let settings = "options='-c default_transaction_isolation=serializable'";
    let schema = || Schema { name: new_schema(), is_prepared: false, settings };
    if shared().is_none() {
        return Ok(());
    }
    conformance::insert_race(&schema())?;
    conformance::replace_race(&schema())?;
    conformance::hash_race(&schema())?;
    conformance::key_race(&schema())?;
    conformance::no_lost_update(&schema())?;
    conformance::totals_of_all_rows(&schema())
}
