//! Time, taken fairly: the sides of a comparison run in turns, a short batch each, and medians are compared.

use std::time::{Duration, Instant};

/// How long a batch runs, about: short enough that most batches are not interrupted.
const BATCH: Duration = Duration::from_micros(60);

/// Nanoseconds that each of `sides` takes, in their order: medians of `rounds` batches, taken in turns.
pub fn in_turns(sides: &[&dyn Fn()], rounds: usize) -> Vec<f64> {
    let counts: Vec<u32> = sides.iter().map(|side| batch_size(side)).collect();
    let mut times = vec![Vec::with_capacity(rounds); sides.len()];
    for _ in 0..rounds {
        for ((side, count), times) in sides.iter().zip(&counts).zip(&mut times) {
            times.push(batch(side, *count));
        }
    }
    times.into_iter().map(median).collect()
}

fn batch(work: &dyn Fn(), count: u32) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| work());
    start.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

/// As many calls as fit [`BATCH`], warmed up.
fn batch_size(work: &dyn Fn()) -> u32 {
    let calls = || (0..20).map(|_| batch(work, 1));
    calls().for_each(drop);
    let one = median(calls().collect());
    ((BATCH.as_secs_f64() * 1e9 / one) as u32).max(1)
}

pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
