//! Each operation as two functions in one group, `bolt12` and `ldk`, on the same bytes: `cargo bench --bench peers`
//!
//! This guards us against ourselves, since criterion remembers the last run; the comparison is `compare`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "a bench may stop at the first surprise"
)]

use criterion::{Criterion, criterion_group, criterion_main};

fn peers(criterion: &mut Criterion) {
    for operation in measured::operations::all() {
        let mut group = criterion.benchmark_group(operation.name);
        group.bench_function("bolt12", |bencher| bencher.iter(&operation.ours));
        if let Some(ldk) = &operation.ldk {
            group.bench_function("ldk", |bencher| bencher.iter(ldk));
        }
        group.finish();
    }
}

criterion_group!(benches, peers);
criterion_main!(benches);
