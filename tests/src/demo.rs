//! The demo: one store at work for a while, seen live, and reckoned up at the end.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use postgres::Client;
use serde_json::json;

use crate::account::{self, Account};
use crate::cluster::Cluster;
use crate::display::{Display, Picture};
use crate::lab::Lab;
use crate::latency::{Latencies, Stopwatch, rounded};
use crate::rig::{PATIENCE, Rig};
use crate::terminals::{self, Dropped, Pace};

/// What to show, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// End by itself after this time; until Ctrl-C when `None`.
    pub time: Option<Duration>,
    /// The summary as one JSON object on the last line of stdout; words go to stderr.
    pub json: bool,
}

/// Receipts a second; a busy Saturday of such a store is a tenth of it.
const RATE: f64 = 40.0;
/// One file in so many is odd.
const ODD_EVERY: usize = 9;

/// Runs it; `false` when something was lost.
pub fn run(options: Options, stop: &Arc<AtomicBool>) -> Result<bool> {
    let mut words: Box<dyn Write> =
        if options.json { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
    let live = if options.json { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
    let lab = Lab::open()?;
    let lock = File::create(lab.folder("demo")?.join("lock"))?;
    if lock.try_lock().is_err() {
        bail!("a demo of this checkout is already running");
    }
    writeln!(words, "Starting a throw-away PostgreSQL under .tpv/ and a store with 20 terminals in 4 departments …")?;
    let cluster = Cluster::start_new(&lab, "demo")?;
    let mut rig = Rig::around(lab, cluster)?;
    rig.start_watcher(&[])?;
    if stop.load(Ordering::Relaxed) {
        return Ok(true);
    }

    let stopwatch = Stopwatch::start(&rig.spool.root.join("out"))?;
    let dropped = Dropped::new(1);
    let time = options.time.unwrap_or(Duration::from_secs(365 * 86_400));
    let pace = Pace { odd_every: ODD_EVERY, ..Pace::steady(RATE) };
    let done = AtomicBool::new(false);
    let decided = thread::scope(|scope| -> Result<Vec<String>> {
        let work = scope.spawn(|| {
            let result = terminals::run(&rig.spool, &stopwatch, &dropped, pace, time, stop);
            done.store(true, Ordering::Relaxed);
            result
        });
        let shown = show(&rig, &stopwatch, &dropped, time, &done, Display::new(&mut *words, live));
        if shown.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        work.join().unwrap_or_else(|_| bail!("the terminals panicked"))?;
        shown
    })?;

    let mut dba = rig.dba()?;
    // What does not settle is counted as lost below, which says more than a time-out.
    let unsettled = account::settle(&rig.spool, &mut dba, PATIENCE).err();
    stopwatch.sweep();
    let mut account = account::reckon(&rig.spool, &mut dba, &dropped.inputs())?;
    account.lost.extend(unsettled.map(|late| late.to_string()));
    summary(&mut *words, &account, &decided, &stopwatch.latencies(), &mut dba)?;
    rig.watcher()?.stop().context("stopping the watcher")?;
    drop(dba);
    drop(rig);
    if options.json {
        let mut out = std::io::stdout();
        writeln!(out, "{}", as_json(&account, &stopwatch.latencies()))?;
    }
    Ok(account.lost.is_empty())
}

/// Draws until the terminals are done, and acts the operator in the middle.
fn show(
    rig: &Rig,
    stopwatch: &Stopwatch,
    dropped: &Dropped,
    time: Duration,
    done: &AtomicBool,
    mut display: Display<'_>,
) -> Result<Vec<String>> {
    let mut dba = rig.dba()?;
    let begin = Instant::now();
    let mut operator = Operator { next: begin + time.min(Duration::from_secs(15)).mul_f64(0.4), decided: Vec::new() };
    while !done.load(Ordering::Relaxed) {
        if Instant::now() >= operator.next {
            operator.decide(&mut dba)?;
            operator.next += Duration::from_secs(3);
        }
        let (dats, last) = stopwatch.last();
        let mut picture = Picture {
            elapsed: begin.elapsed(),
            files: dropped.count(),
            dats,
            last,
            latencies: stopwatch.latencies(),
            decided: operator.decided.clone(),
            ..Picture::default()
        };
        picture.departments = counts(&mut dba, "select department, count(*) from sales.receipt group by 1 order by 1")?;
        picture.held = counts(
            &mut dba,
            "select hold_code, count(*) from sales.receipt where first_outcome = 'held' group by 1 order by 2 desc, 1",
        )?;
        picture.quarantined =
            counts(&mut dba, "select code, count(*) from sales.rejected group by 1 order by 2 desc, 1")?;
        display.draw(&picture)?;
        thread::sleep(Duration::from_millis(200));
    }
    display.finish()?;
    Ok(operator.decided)
}

/// Somebody at the desk: lets one held receipt go, and voids another.
struct Operator {
    next: Instant,
    decided: Vec<String>,
}

impl Operator {
    fn decide(&mut self, dba: &mut Client) -> Result<()> {
        let (call, what) = match self.decided.len() {
            0 => ("select sales.release($1, 'counted again, the customer is waiting')", "released"),
            1 => ("select sales.void($1, 'rung up twice')", "voided"),
            _ => return Ok(()),
        };
        let wanted = "select receipt_id, receipt_number, terminal, hold_code from sales.held \
                      where hold_code = 'TOTAL_MISMATCH' order by receipt_number limit 1";
        if let Some(row) = dba.query_opt(wanted, &[])? {
            let id: uuid::Uuid = row.get(0);
            dba.execute(call, &[&id])?;
            let (number, terminal, code): (String, String, String) = (row.get(1), row.get(2), row.get(3));
            self.decided.push(format!("{what} {number} of {terminal}, held for {code}"));
        }
        Ok(())
    }
}

fn counts(dba: &mut Client, sql: &str) -> Result<Vec<(String, i64)>> {
    let rows = dba.query(sql, &[])?;
    Ok(rows.iter().map(|row| (row.get::<_, Option<String>>(0).unwrap_or_default(), row.get(1))).collect())
}

fn summary(
    words: &mut dyn Write,
    account: &Account,
    decided: &[String],
    latencies: &Latencies,
    dba: &mut Client,
) -> Result<()> {
    let flags =
        counts(dba, "select flag, count(*) from sales.receipt, unnest(flags) flag group by 1 order by 2 desc, 1")?;
    let flags: Vec<_> = flags.iter().map(|(flag, count)| format!("{flag} {count}")).collect();
    writeln!(words)?;
    writeln!(words, "  files delivered   {:>6}", account.receipts)?;
    writeln!(words, "    accepted        {:>6}", account.accepted)?;
    writeln!(words, "    duplicate       {:>6}   nothing changed", account.duplicate)?;
    let decided = if decided.is_empty() { "an operator decides".to_owned() } else { decided.join("; ") };
    writeln!(words, "    held            {:>6}   {decided}", account.held)?;
    writeln!(words, "    quarantined     {:>6}   each with its reason beside it", account.quarantined)?;
    writeln!(words, "  lines             {:>6}", account.lines)?;
    writeln!(words, "  .dat files        {:>6}", account.dat_files)?;
    writeln!(words, "  flags             {}", if flags.is_empty() { "none".to_owned() } else { flags.join(" · ") })?;
    writeln!(
        words,
        "  close to .dat     p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms over {} files",
        latencies.percentile_ms(0.5),
        latencies.percentile_ms(0.99),
        latencies.percentile_ms(1.0),
        latencies.len()
    )?;
    writeln!(words, "  lost              {:>6}   every input, receipt and .dat compared", account.lost.len())?;
    for line in account.lost.iter().take(20) {
        writeln!(words, "    {line}")?;
    }
    Ok(words.flush()?)
}

fn as_json(account: &Account, latencies: &Latencies) -> serde_json::Value {
    json!({
        "receipts": account.receipts,
        "accepted": account.accepted,
        "duplicate": account.duplicate,
        "held": account.held,
        "quarantined": account.quarantined,
        "dat_files": account.dat_files,
        "lost": account.lost.len(),
        "p50_ms": rounded(latencies.percentile_ms(0.5)),
        "p99_ms": rounded(latencies.percentile_ms(0.99)),
    })
}
