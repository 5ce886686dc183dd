//! Receipts and lines of a life, copied into central's tables.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use postgres::Client;
use serde_json::{Value, json};

use super::nodes::Nodes;
use super::rows::{Rows, counts};
use crate::cluster::Cluster;
use crate::life::{Life, line_cents};
use crate::measure::rounded;

/// Days of a store that are copied in one transaction. Stores take turns, so that rows lie about as
/// they would if they had come day by day.
const DAYS: u32 = 5;

/// How much text is sent at once.
const PIECE: usize = 1 << 18;

/// What was copied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loaded {
    pub receipts: u64,
    pub lines: u64,
    /// Of the receipts that count, in cents.
    pub gross: i64,
    pub took: Duration,
}

impl Loaded {
    pub fn as_json(&self) -> Value {
        json!({ "receipts": self.receipts, "lines": self.lines, "seconds": rounded(self.took.as_secs_f64()) })
    }
}

/// Copies all of it, and closes the days.
pub fn fill(nodes: &Nodes, life: &Life, words: &mut dyn Write) -> Result<Loaded> {
    let months = life.plan.days / 30;
    writeln!(words, "reports at central, {} stores, {months} months; fsync off", life.stores.len())?;
    words.flush()?;
    let started = Instant::now();
    let pieces: Vec<(usize, u32)> = (0..life.plan.days.div_ceil(DAYS))
        .flat_map(|piece| (0..life.stores.len()).map(move |store| (store, piece * DAYS)))
        .collect();
    let cluster = &nodes.at_central;
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Loaded::default()));
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| -> Result<()> {
        let work = || -> Result<()> {
            let mut to = Tables::open(cluster)?;
            while let Some((store, day)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
                let copied = to.copy(life, *store, *day..(*day + DAYS).min(life.plan.days))?;
                if let Ok(mut all) = all.lock() {
                    all.receipts += copied.receipts;
                    all.lines += copied.lines;
                    all.gross += copied.gross;
                }
            }
            Ok(())
        };
        let all: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        all.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| anyhow::bail!("copying panicked")))
    })?;
    let mut loaded = all.into_inner().unwrap_or_default();
    ensure!(loaded.receipts > 0, "the life has no receipts");
    let mut dba = cluster.connect()?;
    close_days(&mut dba, life)?;
    dba.batch_execute("vacuum (analyze)")?;
    loaded.took = started.elapsed();
    let Loaded { receipts, lines, took, .. } = loaded;
    let seconds = took.as_secs_f64();
    writeln!(
        words,
        "  {lines} lines of {receipts} receipts, copied straight into sales.receipt and sales.receipt_line, without documents: {seconds:.0} s"
    )?;
    words.flush()?;
    Ok(loaded)
}

/// Two connections, since a connection copies into one table at a time.
struct Tables {
    receipts: Client,
    lines: Client,
}

impl Tables {
    fn open(cluster: &Cluster) -> Result<Self> {
        let open = || -> Result<Client> {
            let mut client = cluster.connect()?;
            client.batch_execute("set session_replication_role = replica")?;
            Ok(client)
        };
        Ok(Self { receipts: open()?, lines: open()? })
    }

    fn copy(&mut self, life: &Life, store: usize, days: std::ops::Range<u32>) -> Result<Loaded> {
        let mut receipts = self.receipts.copy_in("copy sales.receipt from stdin")?;
        let mut lines = self.lines.copy_in("copy sales.receipt_line from stdin")?;
        let (mut rows, mut copied) = (Rows::default(), Loaded::default());
        for ticket in days.flat_map(|day| life.day(store, day)) {
            rows.add(life, &ticket);
            copied.receipts += 1;
            copied.lines += ticket.lines.len() as u64;
            if counts(&ticket) {
                copied.gross += ticket.lines.iter().map(|line| line_cents(line.price, line.quantity)).sum::<i64>();
            }
            if rows.lines.len() > PIECE {
                receipts.write_all(rows.receipts.as_bytes())?;
                lines.write_all(rows.lines.as_bytes())?;
                rows.receipts.clear();
                rows.lines.clear();
            }
        }
        receipts.write_all(rows.receipts.as_bytes())?;
        lines.write_all(rows.lines.as_bytes())?;
        receipts.finish()?;
        lines.finish()?;
        Ok(copied)
    }
}

fn close_days(dba: &mut Client, life: &Life) -> Result<()> {
    let mut work = dba.transaction()?;
    work.batch_execute("set local session_replication_role = replica")?;
    let (mut nodes, mut dates, mut instants) = (Vec::new(), Vec::new(), Vec::new());
    for (place, store) in life.stores.iter().enumerate() {
        for day in 0..life.plan.days {
            if let Some(at) = life.closes_at(place, day) {
                nodes.push(store.node_id);
                dates.push(life.plan.day(day));
                instants.push(chrono::DateTime::from_timestamp(at, 0).unwrap_or_default());
            }
        }
    }
    work.execute(
        "insert into sales.day_close (node_id, business_date, closed_at) select * from unnest($1::integer[], $2::date[], $3::timestamptz[])",
        &[&nodes, &dates, &instants],
    )?;
    Ok(work.commit()?)
}
