//! Twenty terminals at work: each a thread that drops files at its own pace.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::receipts::{Expect, Input, ODDITIES, Receipts};
use super::registration::{TERMINALS, terminal};
use super::spool::Spool;
use crate::measure::Stopwatch;

/// How the terminals behave.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Receipts a second, all terminals together.
    pub rate: f64,
    /// One in so many is odd; 0 for none.
    pub odd_every: usize,
    /// Terminals that take part, counted from T01.
    pub from: usize,
    /// The first terminal that does not.
    pub to: usize,
}

impl Pace {
    /// All terminals, nothing odd.
    pub fn steady(rate: f64) -> Self {
        Self { rate, odd_every: 0, from: 0, to: TERMINALS }
    }
}

/// What was dropped so far.
#[derive(Debug)]
pub struct Dropped {
    inputs: Mutex<Vec<Input>>,
    receipts: Mutex<Receipts>,
    count: AtomicUsize,
}

impl Dropped {
    /// Nothing was dropped yet.
    pub fn new(seed: u64) -> Self {
        Self { inputs: Mutex::default(), receipts: Mutex::new(Receipts::new(seed)), count: AtomicUsize::new(0) }
    }

    /// How many files were dropped.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// All files that were dropped.
    pub fn inputs(&self) -> Vec<Input> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The next one of a terminal.
    pub fn deal(&self, terminal: &str, odd_every: usize) -> Input {
        let turn = self.count.fetch_add(1, Ordering::Relaxed);
        let mut receipts = self.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        let input = match odd_every {
            1.. if turn % odd_every == odd_every - 1 => {
                receipts.odd(ODDITIES[turn / odd_every % ODDITIES.len()], terminal)
            }
            _ => receipts.good(terminal),
        };
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).push(input.clone());
        input
    }
}

/// Runs the terminals until the time is over or `stop` is set.
pub fn run(
    spool: &Spool,
    stopwatch: &Stopwatch,
    dropped: &Dropped,
    pace: Pace,
    time: Duration,
    stop: &AtomicBool,
) -> Result<()> {
    let terminals = pace.to - pace.from;
    let period = Duration::from_secs_f64(terminals as f64 / pace.rate);
    let begin = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = (pace.from..pace.to)
            .map(|index| {
                // Spread over the period: terminals do not move in step.
                let mut next = begin + period.mul_f64((index - pace.from) as f64 / terminals as f64);
                scope.spawn(move || -> Result<()> {
                    let terminal = terminal(index);
                    while next < begin + time && !stop.load(Ordering::Relaxed) {
                        thread::sleep(next.saturating_duration_since(Instant::now()));
                        next += period;
                        drop_one(spool, stopwatch, &dropped.deal(&terminal, pace.odd_every))?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a terminal panicked")))
    })
}

/// Three in four terminals rename; the fourth writes under the final name.
fn drop_one(spool: &Spool, stopwatch: &Stopwatch, input: &Input) -> Result<()> {
    let closed = if input.terminal.ends_with(['4', '8']) {
        spool.write_in_pieces(input, 2, || ())?
    } else {
        spool.drop_file(input)?
    };
    // A repeat has no `.dat` of its own, and a held one gets its own when an operator says so.
    if input.expect == Expect::Accepted {
        stopwatch.closed(input.dat_name(), closed);
    }
    Ok(())
}
