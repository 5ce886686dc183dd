//! Close to `.dat` at three paces, with notifications and without.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::measure::{Stopwatch, rounded};
use crate::store::terminals::{self, Dropped, Pace};
use crate::store::{PATIENCE, Rig};
use crate::wait::until_true;

const TIME: Duration = Duration::from_secs(15);

/// One row for each pace and way of noticing.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    let mut rig = Rig::idle()?;
    let stopwatch = Stopwatch::start(&rig.spool.root.join("out"))?;
    writeln!(words, "close of the file to the .dat being visible, 20 terminals, {} s each", TIME.as_secs())?;
    writeln!(words, "  receipts/s  notifications     files   p50 ms   p99 ms   max ms   missing")?;
    let mut rows = Vec::new();
    for (noticing, arguments) in [("on", &[][..]), ("off", &["--no-notify"][..])] {
        rig.start_watcher(arguments)?;
        for (turn, rate) in [20.0, 50.0, 200.0].into_iter().enumerate() {
            stopwatch.clear();
            let dropped = Dropped::new(turn as u64 + if noticing == "on" { 10 } else { 20 });
            terminals::run(&rig.spool, &stopwatch, &dropped, Pace::steady(rate), TIME, &AtomicBool::new(false))?;
            let late = until_true("every .dat is there", PATIENCE, || stopwatch.has_all());
            stopwatch.sweep();
            let (latencies, missing) = (stopwatch.latencies(), if late.is_ok() { 0 } else { stopwatch.missing() });
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| rounded(latencies.percentile_ms(share)));
            writeln!(
                words,
                "  {rate:>10}  {noticing:>13}  {:>8} {p50:>8.1} {p99:>8.1} {max:>8.1} {missing:>9}",
                latencies.len()
            )?;
            words.flush()?;
            rows.push(json!({ "rate": rate, "notifications": noticing, "files": latencies.len(),
                "p50_ms": p50, "p99_ms": p99, "max_ms": max, "missing": missing }));
        }
    }
    writeln!(words)?;
    Ok(rows.into())
}
