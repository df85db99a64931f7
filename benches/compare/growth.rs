//! How cost grows: with the number of messages, on one thread and on two, and with the bytes of hostile messages.

use std::hint::black_box;
use std::time::Instant;

use bolt12::text::{Encoded, MAX_MESSAGE_LEN, Prefix, decode};
use bolt12::tlv::Writer;
use bolt12::{Invoice, Offer, bulk};
use rayon::ThreadPoolBuilder;
use rayon::iter::ParallelIterator;

use super::clock::median;
use super::heap;
use super::table::lines_of;
use measured::inputs::{Shape, invoice, issuer, point, request};

pub fn report(rounds: usize) -> String {
    format!("{}{}", many(rounds), hostile(rounds))
}

/// Invoices of one path, parsed and verified.
fn many(rounds: usize) -> String {
    let text = invoice(&request(), &Shape::ONE.ours(), &issuer()).to_string();
    let mut lines =
        vec![["messages", "1 thread, us each", "2 threads, us each", "times as fast"].map(str::to_owned)];
    let most = if rounds < 100 { 1000 } else { 100_000 };
    for count in [1, 10, 100, 1000, 10_000, 100_000].into_iter().filter(|count| *count <= most) {
        let texts = vec![text.as_str(); count];
        let [one, two] = [1, 2].map(|threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let pass = || {
                let start = Instant::now();
                let valid = pool.install(|| bulk::parse::<Invoice, _>(&texts).filter(Result::is_ok).count());
                assert_eq!(valid, count);
                start.elapsed().as_secs_f64() * 1e6 / count as f64
            };
            median((0..(10_000 / count).clamp(3, 1000)).map(|_| pass()).collect())
        });
        lines.push([
            count.to_string(),
            format!("{one:.2}"),
            format!("{two:.2}"),
            format!("{:.2}", one / two),
        ]);
    }
    format!("\n## Many invoices (feature `rayon`)\n\n{}", lines_of(&lines))
}

/// Offers that are as costly as their bytes allow.
fn hostile(rounds: usize) -> String {
    let mut lines =
        vec![["hostile offer", "bytes", "us", "ns a byte", "heap calls", "heap bytes"].map(str::to_owned)];
    for (name, make) in SHAPES {
        for size in [1000, 8000, MAX_MESSAGE_LEN] {
            let bytes = make(size);
            let text = Encoded::new(Prefix::Offer, &bytes).to_string();
            let parse = || drop(black_box(black_box(text.as_str()).parse::<Offer>().unwrap()));
            lines.push(line(name, bytes.len(), rounds, &parse));
        }
    }
    let broken = format!("lno1{}q", "q+ ".repeat(MAX_MESSAGE_LEN * 8 / 5 - 8));
    let parse = || drop(black_box(decode(black_box(&broken), Prefix::Offer)));
    lines.push(line("a break after every character", broken.len(), rounds, &parse));
    format!("\n## Hostile messages\n\n{}", lines_of(&lines))
}

fn line(name: &str, bytes: usize, rounds: usize, work: &dyn Fn()) -> [String; 6] {
    let pass = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() * 1e6
    };
    let micros = median((0..rounds.div_ceil(10)).map(pass).collect());
    let heap = heap::count(work);
    [
        name.to_owned(),
        bytes.to_string(),
        format!("{micros:.1}"),
        format!("{:.2}", micros * 1000.0 / bytes as f64),
        heap.calls.to_string(),
        heap.bytes.to_string(),
    ]
}

type Make = fn(usize) -> Vec<u8>;

const SHAPES: [(&str, Make); 3] =
    [("empty records", empty_records), ("hops without data", hops), ("one long text", long_text)];

/// As many records as fit `size` bytes: odd, unknown, without a value.
fn empty_records(size: usize) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.record(22, &point(7).serialize());
    (0..(size - 35) / 6).for_each(|place| writer.record(1_000_000_001 + 2 * place as u64, &[]));
    writer.into_bytes()
}

/// As many points as fit: paths of 255 hops that carry nothing.
fn hops(size: usize) -> Vec<u8> {
    let point = point(7).serialize();
    let hop: Vec<u8> = point.iter().copied().chain([0, 0]).collect();
    let mut paths = Vec::new();
    let mut left = (size - 8) / 35;
    while left > 4 {
        let hops = (left - 3).min(255);
        left -= hops + 3;
        paths.extend(point.iter().chain(&point).copied().chain([hops as u8]));
        (0..hops).for_each(|_| paths.extend(&hop));
    }
    let mut writer = Writer::new();
    writer.record(16, &paths);
    writer.into_bytes()
}

fn long_text(size: usize) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.record(10, "x".repeat(size - 35 - 4).as_bytes());
    writer.record(22, &point(7).serialize());
    writer.into_bytes()
}
