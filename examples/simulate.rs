//! Runs the simulator for a number of seeds or minutes, and prints what it met. A seed that fails is printed with the
//! shortest run that breaks the same rule, in plain lines.
//!
//! ```text
//! cargo run --release --example simulate -- --seeds 1000
//! cargo run --release --example simulate -- --minutes 60 --from 5000 --disk
//! cargo run --release --example simulate -- --seed 42 --story
//! ```
#![allow(clippy::print_stdout, reason = "printing is what an example is for")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use bolt12::simulation::{Coverage, Simulation};
use clap::Parser;

/// Runs the ledger under simulated faults.
#[derive(Debug, Parser)]
struct Options {
    /// The number of seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Runs for so many minutes instead.
    #[arg(long)]
    minutes: Option<u64>,
    /// Runs for so many seconds instead.
    #[arg(long)]
    seconds: Option<u64>,
    /// The first seed; a fresh one unless given.
    #[arg(long)]
    from: Option<u64>,
    /// Only this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints every step of the seed.
    #[arg(long)]
    story: bool,
    /// On redb over a simulated disk. By default seeds take turns: 15 in memory, one on the disk.
    #[arg(long)]
    disk: bool,
    /// In memory only.
    #[arg(long)]
    memory: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let simulation = |seed: u64| {
        let on_disk = options.disk || (!options.memory && seed % 16 == 15);
        if on_disk { Simulation::new().redb() } else { Simulation::new() }
    };
    if let (Some(seed), true) = (options.seed, options.story) {
        println!("{}", simulation(seed).story(seed));
        return ExitCode::SUCCESS;
    }
    let first = options.seed.or(options.from).unwrap_or_else(fresh);
    println!("seeds from {first}");
    let started = Instant::now();
    let minutes = options.minutes.map(|minutes| minutes.saturating_mul(60));
    let limit = minutes.or(options.seconds).map(Duration::from_secs);
    let count = if options.seed.is_some() { 1 } else { options.seeds };
    let mut coverage = Coverage::default();
    for (done, seed) in (1_u64..).zip(first..) {
        match simulation(seed).run([seed]) {
            Ok(run) => coverage.add(&run),
            Err(failure) => {
                println!("{failure}");
                return ExitCode::FAILURE;
            }
        }
        if limit.map_or(done >= count, |limit| started.elapsed() >= limit) {
            break;
        }
    }
    print!("{coverage}");
    println!("{:?}", started.elapsed());
    ExitCode::SUCCESS
}

/// A seed that no run had before, most likely.
fn fresh() -> u64 {
    getrandom::u64().unwrap_or(1) >> 16
}
