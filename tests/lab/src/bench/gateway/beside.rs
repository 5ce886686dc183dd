//! A store at work, with nobody at its gateway and with 1,000 look-ups a second.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::wire;
use crate::gateway::Client;
use crate::measure::{Stopwatch, rounded};
use crate::store::terminals::{self, Dropped, Pace};
use crate::store::{PATIENCE, Rig};
use crate::wait::{stop_at_the_latest, until_true};

const RECEIPTS_PER_S: f64 = 20.0;
const CONNECTIONS: usize = 4;
const LOOKUPS_PER_S: u32 = 1_000;

pub fn run(words: &mut dyn Write, mut rig: Rig, client: &Client, time: Duration) -> Result<Value> {
    let stopwatch = Stopwatch::start(&rig.spool.root.join("out"))?;
    rig.start_watcher(&[])?;
    let time = time * 2;
    let mut p99 = Vec::new();
    let mut rows = Vec::new();
    for (turn, busy) in [false, true].into_iter().enumerate() {
        stopwatch.clear();
        let stop = AtomicBool::new(false);
        let asked = thread::scope(|scope| -> Result<u64> {
            let _stopped = stop_at_the_latest(&stop);
            let per_s = LOOKUPS_PER_S / u32::try_from(CONNECTIONS)?;
            let (stop, stopwatch) = (&stop, &stopwatch);
            let people: Vec<_> = (0..if busy { CONNECTIONS } else { 0 })
                .map(|number| scope.spawn(move || wire::pace(client, number, per_s, stop)))
                .collect();
            let dropped = Dropped::new(40 + turn as u64);
            terminals::run(
                &rig.spool,
                stopwatch,
                &dropped,
                Pace::steady(RECEIPTS_PER_S),
                time,
                &AtomicBool::new(false),
            )?;
            until_true("every .dat is there", PATIENCE, || stopwatch.has_all())?;
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            let mut asked = 0;
            for one in people {
                asked += one.join().unwrap_or_else(|_| bail!("a connection panicked"))?;
            }
            Ok(asked)
        })?;
        let latencies = stopwatch.latencies();
        let [p50_ms, p99_ms] = [0.5, 0.99].map(|share| rounded(latencies.percentile_ms(share)));
        #[expect(clippy::cast_precision_loss)]
        let per_s = (asked as f64 / time.as_secs_f64()).round();
        writeln!(words, ".dat of a store, {per_s:>5} look-ups/s beside it    p50 {p50_ms:.1} ms   p99 {p99_ms:.1} ms")?;
        p99.push(p99_ms);
        rows.push(json!({ "lookups_per_s": per_s, "p50_ms": p50_ms, "p99_ms": p99_ms }));
    }
    let ratio = p99.last().copied().unwrap_or(0.0) / p99.first().copied().unwrap_or(1.0);
    writeln!(words, "                         p99 with to p99 without: {ratio:.2}")?;
    Ok(json!({ "rows": rows, "p99_ratio": ratio }))
}
