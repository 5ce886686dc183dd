//! Close to `.dat` at three paces, with notifications and without, and while nothing is summed up.

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

/// One row for each pace, way of noticing, and with sums or without.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    let mut rig = Rig::idle()?;
    let stopwatch = Stopwatch::start(&rig.spool.root.join("out"))?;
    writeln!(words, "close of the file to the .dat being visible, 20 terminals, {} s each", TIME.as_secs())?;
    writeln!(words, "  receipts/s  notifications  sums     files   p50 ms   p99 ms   max ms   missing")?;
    let mut rows = Vec::new();
    for (noticing, sums, arguments) in
        [("on", "on", &[][..]), ("on", "off", &[][..]), ("off", "on", &["--no-notify"][..])]
    {
        // Off: changes wait in sync.touched.
        let interval = if sums == "on" { 1000 } else { 0 };
        let mut dba = rig.cluster.connect()?;
        dba.batch_execute(&format!("alter system set pg_tpv.fold_interval = {interval}"))?;
        dba.batch_execute("select pg_reload_conf()")?;
        rig.start_watcher(arguments)?;
        for (turn, rate) in [20.0, 50.0, 200.0].into_iter().enumerate() {
            stopwatch.clear();
            let dropped = Dropped::new(turn as u64 + 10 * (rows.len() as u64 + 1));
            terminals::run(&rig.spool, &stopwatch, &dropped, Pace::steady(rate), TIME, &AtomicBool::new(false))?;
            let late = until_true("every .dat is there", PATIENCE, || stopwatch.has_all());
            stopwatch.sweep();
            let (latencies, missing) = (stopwatch.latencies(), if late.is_ok() { 0 } else { stopwatch.missing() });
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| rounded(latencies.percentile_ms(share)));
            writeln!(
                words,
                "  {rate:>10}  {noticing:>13}  {sums:>4}  {:>8} {p50:>8.1} {p99:>8.1} {max:>8.1} {missing:>9}",
                latencies.len()
            )?;
            words.flush()?;
            rows.push(json!({ "rate": rate, "notifications": noticing, "sums": sums, "files": latencies.len(),
                "p50_ms": p50, "p99_ms": p99, "max_ms": max, "missing": missing }));
        }
    }
    writeln!(words)?;
    Ok(rows.into())
}
