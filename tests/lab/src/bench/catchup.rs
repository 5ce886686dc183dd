//! A terminal that was away comes back with 20,000 files, while the nineteen others go on.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::measure::{Stopwatch, rounded};
use crate::store::terminals::{self, Dropped, Pace};
use crate::store::{PATIENCE, Receipts, Rig};
use crate::wait::{stop_at_the_latest, until, until_true};

const FILES: usize = 20_000;
const BASELINE: Duration = Duration::from_secs(15);
/// Longer than any machine needs; ends the terminals when the flood never does.
const LONGEST: Duration = Duration::from_secs(1800);

/// A number at the start of the flood, the most it was, and what it was afterwards.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// When the flood began.
    pub start: u64,
    /// The most that was seen.
    pub most: u64,
    /// When it was over.
    pub after: u64,
}

/// What a flood did to the watcher and to the other terminals.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    /// From the moment the files are there to an empty inbox.
    pub took: Duration,
    /// The watcher's resident memory.
    pub memory_kb: Course,
    /// The watcher's file handles.
    pub handles: Course,
    /// The others' receipts during the flood.
    pub others: usize,
    /// Their latency, alone and during the flood.
    pub others_p99_ms: (f64, f64),
}

/// Files a second, memory and handles, and what the others felt.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    writeln!(words, "catch-up: {FILES} files in the inbox of T01, the other 19 terminals at 1/s each")?;
    words.flush()?;
    let Flood { took, memory_kb, handles, others, others_p99_ms: (alone, p99) } =
        measure(&mut Rig::running()?, FILES, BASELINE)?;
    let per_second = FILES as f64 / took.as_secs_f64();
    writeln!(words, "  {FILES} files in {:.1} s: {per_second:.0} files/s", took.as_secs_f64())?;
    for (what, Course { start, most, after }) in [("memory, kB", memory_kb), ("handles", handles)] {
        writeln!(words, "  watcher {what:<12} {start} at start, {most} at most, {after} after")?;
    }
    writeln!(
        words,
        "  the others           p99 {p99:.1} ms over {others} files, alone {alone:.1} ms: {:.2} times\n",
        p99 / alone
    )?;
    let course = |of: Course| json!({ "start": of.start, "most": of.most, "after": of.after });
    Ok(json!({ "files": FILES, "seconds": rounded(took.as_secs_f64()), "files_per_second": per_second.round(),
        "rss_kb": course(memory_kb), "handles": course(handles),
        "others_p99_ms": p99, "others_alone_p99_ms": alone, "others_ratio": rounded(p99 / alone) }))
}

/// Puts `files` into the inbox of T01, all at once. The other terminals write one file a second
/// each, for `alone` before the flood and for as long as it lasts.
pub fn measure(rig: &mut Rig, files: usize, alone: Duration) -> Result<Flood> {
    let stopwatch = Stopwatch::start(&rig.spool.root.join("out"))?;
    let others = Pace { from: 1, ..Pace::steady(19.0) };
    terminals::run(&rig.spool, &stopwatch, &Dropped::new(30), others, alone, &AtomicBool::new(false))?;
    until_true("every .dat is there", PATIENCE, || stopwatch.has_all())?;
    let baseline = rounded(stopwatch.latencies().percentile_ms(0.99));

    // Written aside and moved in as one: the watcher is as warm as it was, and finds them all at
    // once.
    let (inbox, aside) = (rig.spool.inbox("T01"), rig.spool.root.join("flood"));
    std::fs::create_dir(&aside)?;
    let mut receipts = Receipts::new(31);
    for _ in 0..files {
        let input = receipts.good("T01");
        std::fs::write(aside.join(&input.name), &input.bytes)?;
    }
    stopwatch.clear();
    std::fs::rename(&inbox, rig.spool.root.join("before"))?;
    std::fs::rename(&aside, &inbox)?;
    let started = Instant::now();
    let process = rig.watcher()?.process;
    let now = || (process.resident_kb(), process.handles() as u64);
    let before = now();
    let (stop, dropped, mut most) = (AtomicBool::new(false), Dropped::new(32), before);
    let took = thread::scope(|scope| -> Result<Duration> {
        let _told = stop_at_the_latest(&stop);
        let work = scope.spawn(|| terminals::run(&rig.spool, &stopwatch, &dropped, others, LONGEST, &stop));
        let took = until("the inbox is empty", LONGEST, || {
            let (memory, handles) = now();
            most = (most.0.max(memory), most.1.max(handles));
            std::fs::read_dir(&inbox).is_ok_and(|mut left| left.next().is_none()).then(|| started.elapsed())
        });
        stop.store(true, Ordering::Relaxed);
        work.join().unwrap_or_else(|_| anyhow::bail!("the terminals panicked"))?;
        took
    })?;
    until_true("every .dat is there", PATIENCE, || stopwatch.has_all())?;
    let during = stopwatch.latencies();
    let after = now();
    Ok(Flood {
        took,
        memory_kb: Course { start: before.0, most: most.0, after: after.0 },
        handles: Course { start: before.1, most: most.1, after: after.1 },
        others: during.len(),
        others_p99_ms: (baseline, rounded(during.percentile_ms(0.99))),
    })
}
