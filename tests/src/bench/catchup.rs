//! A terminal that was away comes back with 20,000 files, while the nineteen others go on.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::latency::{Stopwatch, rounded};
use crate::receipts::Receipts;
use crate::rig::{PATIENCE, Rig};
use crate::terminals::{self, Dropped, Pace};
use crate::until::{until, until_true};

const FILES: usize = 20_000;
const BASELINE: Duration = Duration::from_secs(15);
/// Longer than any machine needs; ends the terminals when the flood never does.
const LONGEST: Duration = Duration::from_secs(1800);

/// Files a second, memory and handles, and what the others felt.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    let mut rig = Rig::running()?;
    let stopwatch = Stopwatch::start(&rig.spool.root.join("out"))?;
    let others = Pace { from: 1, ..Pace::steady(20.0) };
    writeln!(words, "catch-up: {FILES} files in the inbox of T01, the other 19 terminals at 20/s in all")?;
    words.flush()?;

    terminals::run(&rig.spool, &stopwatch, &Dropped::new(30), others, BASELINE, &AtomicBool::new(false))?;
    until_true("every .dat is there", PATIENCE, || stopwatch.missing() == 0)?;
    let baseline = rounded(stopwatch.latencies().percentile_ms(0.99));

    // Stopped while the files are put there: they are to be there already when it looks.
    rig.watcher()?.stop()?;
    let mut receipts = Receipts::new(31);
    for _ in 0..FILES {
        rig.spool.drop_file(&receipts.good("T01"))?;
    }
    stopwatch.clear();
    rig.start_watcher(&[])?;
    let started = Instant::now();
    let process = rig.watcher()?.process;
    let before = (process.resident_kb(), process.handles());
    let (stop, dropped, mut most) = (AtomicBool::new(false), Dropped::new(32), before);
    let inbox = rig.spool.inbox("T01");
    let took = thread::scope(|scope| -> Result<Duration> {
        let work = scope.spawn(|| terminals::run(&rig.spool, &stopwatch, &dropped, others, LONGEST, &stop));
        let took = until("the inbox is empty", LONGEST, || {
            most = (most.0.max(process.resident_kb()), most.1.max(process.handles()));
            std::fs::read_dir(&inbox).is_ok_and(|mut left| left.next().is_none()).then(|| started.elapsed())
        });
        stop.store(true, Ordering::Relaxed);
        work.join().unwrap_or_else(|_| anyhow::bail!("the terminals panicked"))?;
        took
    })?;
    until_true("every .dat is there", PATIENCE, || stopwatch.missing() == 0)?;
    let during = stopwatch.latencies();
    let p99 = rounded(during.percentile_ms(0.99));
    let after = (process.resident_kb(), process.handles());
    let per_second = FILES as f64 / took.as_secs_f64();
    writeln!(words, "  {FILES} files in {:.1} s: {per_second:.0} files/s", took.as_secs_f64())?;
    writeln!(words, "  watcher memory   {} kB at start, {} kB at most, {} kB after", before.0, most.0, after.0)?;
    writeln!(words, "  watcher handles  {} at start, {} at most, {} after", before.1, most.1, after.1)?;
    writeln!(
        words,
        "  the others       p99 {p99:.1} ms over {} files, alone {baseline:.1} ms: {:.2} times\n",
        during.len(),
        p99 / baseline
    )?;
    Ok(json!({ "files": FILES, "seconds": rounded(took.as_secs_f64()), "files_per_second": per_second.round(),
        "rss_kb": { "start": before.0, "most": most.0, "after": after.0 },
        "handles": { "start": before.1, "most": most.1, "after": after.1 },
        "others_p99_ms": p99, "others_alone_p99_ms": baseline, "others_ratio": rounded(p99 / baseline) }))
}
