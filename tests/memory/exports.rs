//! An export takes the memory of one page, however many payouts there are.

use allocation_counter::measure;
use bolt12::payout::store::Filter;
use bolt12::payout::{ExportFormat, Ledger, MemoryStore};
use testkit::ledger::promised;

/// The most bytes on the heap at one time while `payouts` payouts are exported.
fn peak(payouts: u64, format: ExportFormat) -> u64 {
    let ledger = Ledger::new(MemoryStore::new());
    for number in 0..payouts {
        let _ = promised(&ledger, &format!("payout {number:06}"));
    }
    let cost = measure(|| {
        let exported = ledger.export(Filter::All, format, &mut std::io::sink()).unwrap();
        assert_eq!(exported.payouts, payouts);
    });
    cost.bytes_max
}

#[test]
fn an_export_of_many_payouts_takes_the_memory_of_a_page() {
    for format in [ExportFormat::Ndjson, ExportFormat::Csv] {
        let (few, many) = (peak(200, format), peak(2_000, format));
        assert!(many < few + few / 10, "{format:?}: {few} bytes for 200 payouts, {many} for 2000");
        assert!(many < 400_000, "{format:?}: {many} bytes");
    }
}
