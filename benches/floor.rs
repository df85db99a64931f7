//! What every implementation has to compute, alone: secp256k1, SHA-256, the alphabet. `cargo bench --bench floor`
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a bench may stop at the first surprise"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use measured::floor::Unit;

fn floor(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("floor");
    for unit in Unit::ALL {
        let work = unit.work();
        group.bench_function(unit.name(), |bencher| bencher.iter(&work));
    }
    group.finish();
}

criterion_group!(benches, floor);
criterion_main!(benches);
