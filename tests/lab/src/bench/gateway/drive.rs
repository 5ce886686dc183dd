//! As many threads as connections, each asking one thing after the other.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::CONNECTIONS;

/// What one way of asking reached.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    pub per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Figures {
    /// Of all latencies in microseconds, over this time.
    pub fn of(mut all: Vec<u32>, time: Duration) -> Result<Self> {
        all.sort_unstable();
        let at = |share: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let index = ((all.len() as f64) * share) as usize;
            all.get(index.min(all.len().saturating_sub(1))).map(|us| f64::from(*us) / 1000.0)
        };
        let (Some(p50_ms), Some(p99_ms)) = (at(0.5), at(0.99)) else { bail!("nothing was answered") };
        #[expect(clippy::cast_precision_loss)]
        let per_s = all.len() as f64 / time.as_secs_f64();
        Ok(Self { per_s, p50_ms, p99_ms })
    }
}

/// Lets every connection ask for this time. `open` makes what asks, by the number of the connection.
pub fn drive<F>(time: Duration, open: impl Fn(usize) -> Result<F> + Sync) -> Result<Figures>
where
    F: FnMut() -> Result<()>,
{
    let (barrier, open) = (Barrier::new(CONNECTIONS), &open);
    let all = thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let barrier = &barrier;
                scope.spawn(move || -> Result<Vec<u32>> {
                    let asks = open(number);
                    barrier.wait();
                    let (mut asks, began, mut took) = (asks?, Instant::now(), Vec::new());
                    while began.elapsed() < time {
                        let asked = Instant::now();
                        asks()?;
                        took.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
                    }
                    Ok(took)
                })
            })
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().unwrap_or_else(|_| bail!("a connection panicked"))?);
        }
        anyhow::Ok(all)
    })?;
    Figures::of(all, time)
}
