//! This crate compared with LDK and with the floor, in one run on the same bytes: `cargo bench --bench compare`
//!
//! | arguments after `--` | what they do |
//! |---|---|
//! | none | print the table |
//! | `--json` | print each row as one JSON object on a line of its own |
//! | `--write` | also write `benches/compare.md` and `benches/compare.svg` |
//! | `--weight` | also crates, build time and size of a program, ours and LDK's (minutes) |
//! | `--quick` | fewer rounds |
//!
//! Times are medians of short batches taken in turns, so that what disturbs the machine disturbs all sides. The floor of
//! a row is the sum of what secp256k1, SHA-256 and the alphabet cost by themselves in that row's work, measured in
//! the same turns. LDK runs with hardware SHA-256 (`bitcoin/std`).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a bench may stop at the first surprise, and prints"
)]

mod clock;
mod growth;
mod heap;
mod machine;
mod table;
mod weight;

use std::path::Path;

use table::Row;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    // `cargo bench` says `--bench`; `cargo test --benches` does not, and only wants to see it run.
    let rounds = if has("--quick") || !has("--bench") { 25 } else { 400 };
    let rows: Vec<Row> =
        measured::operations::all().iter().map(|operation| Row::measure(operation, rounds)).collect();
    if has("--json") {
        rows.iter().for_each(|row| println!("{}", row.json()));
        if has("--weight") {
            weight::measure().iter().for_each(|weight| println!("{}", weight.json()));
        }
        return;
    }
    let mut report = format!("{}\n\n{}", machine::describe(), table::text(&rows));
    report.push_str(LEGEND);
    report.push_str(&growth::report(rounds));
    if has("--weight") {
        report.push_str(&weight::text(&weight::measure()));
    }
    println!("{report}");
    if has("--write") {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::write(benches.join("compare.md"), format!("{TITLE}{report}")).unwrap();
        std::fs::write(benches.join("compare.svg"), table::svg(&rows, &machine::describe())).unwrap();
    }
}

const TITLE: &str = "# This crate compared with LDK and with the floor\n\nWritten by `cargo bench --bench compare -- --write \
                     --weight`; do not edit.\n\n";

const LEGEND: &str = "\nRatio: LDK's time divided by ours. Floor: secp256k1, SHA-256 and the alphabet alone; of the \
                      draft's rows secp256k1 alone. Heap: calls / bytes asked for, in one operation. (!) marks what is \
                      short of its target. LDK keeps its merkle root to itself: that row retells its steps. Rows of payer \
                      proofs: LDK's release candidate 0.3.0-rc3 with the feature `next`, and no LDK without.\n";
