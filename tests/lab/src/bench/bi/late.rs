//! What one late receipt in a month-old day costs: from the store's answer until central's bucket is
//! summed up again, and how long the fold works for it.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::fold::process;
use super::nodes::{Nodes, yes};
use crate::life::{Fate, Life};
use crate::measure::{median, rounded};
use crate::wait::until_true;

const PATIENCE: Duration = Duration::from_secs(120);

/// How many receipts, each in a bucket of its own.
const RECEIPTS: u32 = 12;

/// How many days before the last one.
const AGO: u32 = 30;

const BUCKET: &str =
    "select receipts, lines from rollup.bucket where node_id = 1 and business_date = $1 and department = $2";

/// Hands them in at the store, one after the other.
pub fn measure(nodes: &mut Nodes, life: &Life, words: &mut dyn Write) -> Result<Value> {
    let fold = process(&mut nodes.central)?;
    let (mut took, mut busy, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    let departments = life.departments.len() as u32;
    let day_of = |nth: u32| life.plan.days.saturating_sub(1 + AGO + nth / departments);
    let days: BTreeSet<NaiveDate> = (0..RECEIPTS).map(|nth| life.plan.day(day_of(nth))).collect();
    close(nodes, &days)?;
    for nth in 0..RECEIPTS {
        let day = day_of(nth);
        let terminal = (nth % departments) as usize;
        let Some(mut ticket) = life.tickets(0, terminal, day).into_iter().find(|ticket| ticket.fate == Fate::Counts)
        else {
            continue;
        };
        ticket.number = format!("9{nth:08}");
        let date = ticket.business_date;
        let department = life.departments[life.stores[0].terminals[terminal].department].code;
        let row = nodes.central.query_one(BUCKET, &[&date, &department])?;
        let (before, of_bucket): (i32, i32) = (row.get(0), row.get(1));
        let name = format!("{}/late-{nth}.json", date.format("%Y%m%d"));
        let files: [&[u8]; 1] = [&life.bytes(&ticket)];
        let at_first = fold.busy();
        let started = Instant::now();
        let sql = "select outcome, 'LATE' = any (flags) from sales.ingest_files($1, $2, $3)";
        let code = &life.stores[0].terminals[terminal].code;
        let answer = nodes.store.query_one(sql, &[code, &files.as_slice(), &[name].as_slice()])?;
        let (outcome, is_late): (String, bool) = (answer.get(0), answer.get(1));
        ensure!(outcome == "accepted" && is_late, "a late receipt is {outcome}");
        until_true("the bucket is summed up", PATIENCE, || {
            let row = nodes.central.query_one(BUCKET, &[&date, &department]);
            row.is_ok_and(|row| row.get::<_, i32>(0) > before)
        })?;
        took.push(started.elapsed().as_secs_f64() * 1000.0);
        busy.push((fold.busy() - at_first).as_secs_f64() * 1000.0);
        lines.push(f64::from(of_bucket));
    }
    ensure!(!took.is_empty(), "the store has no receipts a month ago");
    let most = took.iter().copied().fold(0.0, f64::max);
    let (took, busy, lines) = (median(took), median(busy), median(lines));
    writeln!(
        words,
        "\n  a late receipt in a month-old day: {took:.0} ms from the store's ingest until central's bucket is summed up again, {most:.0} at most\n\
         \x20 the fold works {busy:.1} ms for it, over {lines:.0} lines; it looks once a second"
    )?;
    words.flush()?;
    Ok(
        json!({ "ms": rounded(took), "most_ms": rounded(most), "fold_busy_ms": rounded(busy), "lines_of_bucket": lines }),
    )
}

/// Central's days are closed already; the store is told, too, so that it says LATE. That is summed up
/// as well, and no bucket again within the fold's pause.
fn close(nodes: &mut Nodes, days: &BTreeSet<NaiveDate>) -> Result<()> {
    for date in days {
        nodes.store.execute("select sales.close_day($1)", &[date])?;
    }
    let days: Vec<NaiveDate> = days.iter().copied().collect();
    let is_at_rest = format!(
        "select not exists (select from rollup.due) and not exists (select from sync.touched) \
           and (select count(*) from wire.doc where kind = 'day_close' and node_id = 1) = {} \
           and clock_timestamp() > (select max(computed_at) from rollup.bucket) + 2 * current_setting('pg_tpv.fold_pause')::interval",
        days.len()
    );
    until_true("central has summed up the closed days", PATIENCE, || yes(&mut nodes.central, &is_at_rest))
}
