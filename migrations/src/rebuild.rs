//! `tpv-migrate rebuild`: projections are compared with documents, and differences written, a node
//! and a day at a time. Each call is one short transaction, so the program can be killed at any
//! moment and run again.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::json;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::connection::Connection;
use crate::console::{Console, SUCCESS};
use crate::database;
use crate::day::{Day, Range};

/// Some differences are left: it was a dry run, or other sessions kept rows locked.
const LEFT: u8 = 3;

/// Usage.
const USAGE: u8 = 2;

/// How many receipts are written in one transaction. An apply worker waits for one of them no
/// longer than that takes.
const MOST: i32 = 200;

/// How often what was busy is tried again, and after which time.
const ROUNDS: usize = 10;
const PAUSE: Duration = Duration::from_millis(500);

/// How often progress is told.
const TELL: Duration = Duration::from_secs(1);

struct Slice {
    node_id: i32,
    node: String,
    date: String,
    documents: i64,
}

/// What became of the rows of a projection.
#[derive(Clone, Debug, Default)]
struct Count {
    looked_at: i64,
    missing: i64,
    wrong: i64,
    unexplained: i64,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    by_projection: Vec<(String, Count)>,
    busy: i64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        for (name, count) in &other.by_projection {
            let place = self.by_projection.iter().position(|(known, _)| known == name);
            let place = place.unwrap_or_else(|| {
                self.by_projection.push((name.clone(), Count::default()));
                self.by_projection.len() - 1
            });
            let sum = &mut self.by_projection[place].1;
            sum.looked_at += count.looked_at;
            sum.missing += count.missing;
            sum.wrong += count.wrong;
            sum.unexplained += count.unexplained;
        }
    }

    fn differences(&self) -> i64 {
        self.by_projection.iter().map(|(_, count)| count.missing + count.wrong + count.unexplained).sum()
    }

    fn receipts(&self) -> i64 {
        self.by_projection.iter().find(|(name, _)| name == "receipt").map_or(0, |(_, count)| count.looked_at)
    }
}

pub async fn rebuild(
    connection: &Connection,
    range: &Range,
    dry_run: bool,
    as_json: bool,
    console: &mut Console<'_>,
) -> anyhow::Result<u8> {
    let client = database::connect(connection).await?;
    client.batch_execute("set role tpv_owner").await.context("the session could not become tpv_owner")?;
    let node_id = match node(&client, range.node.as_deref()).await? {
        Ok(node_id) => node_id,
        Err(told) => {
            let _ = writeln!(console.err, "tpv-migrate: {told}");
            return Ok(USAGE);
        }
    };
    let slices = slices(&client, node_id, range).await?;
    let documents: i64 = slices.iter().map(|slice| slice.documents + 1).sum();
    let mut progress =
        Progress { started: Instant::now(), told: Instant::now(), documents, done: 0, total: Counts::default() };
    let (mut waiting, mut busy) = (slices.iter().collect::<Vec<_>>(), 0);
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let mut again = Vec::new();
        busy = 0;
        for slice in waiting {
            let counts = one(&client, slice, dry_run)
                .await
                .with_context(|| format!("{} of node {}: what was done stays; run it again", slice.date, slice.node))?;
            progress.slice(slice, &counts, dry_run, round == 0, console);
            if counts.busy > 0 {
                busy += counts.busy;
                again.push(slice);
            }
        }
        waiting = again;
        if waiting.is_empty() {
            break;
        }
    }
    let waiting = waiting_documents(&client, node_id, range).await?;
    let text = if as_json {
        progress.json(slices.len(), dry_run, busy, waiting)
    } else {
        progress.summary(slices.len(), dry_run, busy, waiting)
    };
    let _ = console.out.write_all(text.as_bytes());
    Ok(if busy > 0 || (dry_run && progress.total.differences() > 0) { LEFT } else { SUCCESS })
}

/// The number of a node; what to say when there is no such node.
async fn node(client: &Client, wanted: Option<&str>) -> anyhow::Result<Result<Option<i32>, String>> {
    let Some(wanted) = wanted else { return Ok(Ok(None)) };
    let nodes = client
        .query("select node_id, node_code from org.node order by node_id", &[])
        .await
        .context("the nodes could not be read; is this database migrated?")?;
    let nodes: Vec<(i32, String)> = nodes.iter().map(|row| (row.get(0), row.get(1))).collect();
    let number: Option<i32> = wanted.parse().ok();
    let found = nodes.iter().find(|(id, code)| number == Some(*id) || code.eq_ignore_ascii_case(wanted));
    if let Some((node_id, _)) = found {
        return Ok(Ok(Some(*node_id)));
    }
    // Rows of a node that nobody knows are removed, so it can be asked for.
    if let Some(number) = number {
        let rows = client.query("select from sales.slices($1)", &[&number]).await?;
        if !rows.is_empty() {
            return Ok(Ok(Some(number)));
        }
    }
    let known: Vec<String> = nodes.iter().map(|(id, code)| format!("{id} or {code}")).collect();
    Ok(Err(format!("--node is '{wanted}', and there is no such node; it takes {}", known.join(", "))))
}

async fn slices(client: &Client, node_id: Option<i32>, range: &Range) -> anyhow::Result<Vec<Slice>> {
    const SLICES: &str = "
        select s.node_id, coalesce(n.node_code, s.node_id::text), s.business_date::text, s.documents
        from sales.slices($1, $2::text::date, $3::text::date) s left join org.node n on n.node_id = s.node_id";
    let day = |day: Option<Day>| day.map(|day| day.to_string());
    let rows = client
        .query(SLICES, &[&node_id, &day(range.from), &day(range.to)])
        .await
        .context("what there is to rebuild could not be read")?;
    let slice = |row: &tokio_postgres::Row| Slice {
        node_id: row.get(0),
        node: row.get(1),
        date: row.get(2),
        documents: row.get(3),
    };
    Ok(rows.iter().map(slice).collect())
}

/// How many documents of the range cannot be projected, so that no rebuild helps.
async fn waiting_documents(client: &Client, node_id: Option<i32>, range: &Range) -> anyhow::Result<i64> {
    const WAITING: &str = "
        select count(*) from sync.quarantine q
        where q.doc_id is not null and q.resolved_at is null and ($1::integer is null or q.node_id = $1)
          and ($2::text is null or q.business_date >= $2::text::date)
          and ($3::text is null or q.business_date <= $3::text::date)";
    let day = |day: Option<Day>| day.map(|day| day.to_string());
    let row = client
        .query_one(WAITING, &[&node_id, &day(range.from), &day(range.to)])
        .await
        .context("what waits in quarantine could not be read")?;
    Ok(row.get(0))
}

/// Compares a slice, and writes until a comparison finds nothing more that could be written.
async fn one(client: &Client, slice: &Slice, dry_run: bool) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let most = 100 + slice.documents / i64::from(MOST);
    for _ in 0..most {
        let found = call(client, slice, dry_run).await?;
        let is_first = counts.by_projection.is_empty();
        let mut written = found.clone();
        if !is_first {
            written.by_projection.iter_mut().for_each(|(_, count)| count.looked_at = 0);
        }
        counts.add(&written);
        counts.busy = found.busy;
        if dry_run || found.differences() == 0 {
            return Ok(counts);
        }
    }
    bail!("its rows do not come to rest: somebody else changes them meanwhile")
}

async fn call(client: &Client, slice: &Slice, dry_run: bool) -> anyhow::Result<Counts> {
    const TRIES: usize = 5;
    for _ in 1..TRIES {
        match try_call(client, slice, dry_run).await {
            // An apply worker and this session waited for each other; this one gave way.
            Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => tokio::time::sleep(PAUSE).await,
            other => return Ok(other?),
        }
    }
    Ok(try_call(client, slice, dry_run).await?)
}

async fn try_call(client: &Client, slice: &Slice, dry_run: bool) -> Result<Counts, tokio_postgres::Error> {
    const REBUILD: &str = "
        select projection, looked_at, missing, wrong, unexplained, busy
        from sales.rebuild_projections($1, $2::text::date, $2::text::date, $3, $4)";
    // One moment, so that nothing that arrives meanwhile looks like a difference.
    if dry_run {
        client.batch_execute("begin isolation level repeatable read read only").await?;
    }
    let rows = client.query(REBUILD, &[&slice.node_id, &slice.date, &dry_run, &MOST]).await;
    if dry_run {
        client.batch_execute("rollback").await?;
    }
    let mut counts = Counts::default();
    for row in rows? {
        let count = Count { looked_at: row.get(1), missing: row.get(2), wrong: row.get(3), unexplained: row.get(4) };
        counts.by_projection.push((row.get(0), count));
        counts.busy += row.get::<_, i64>(5);
    }
    Ok(counts)
}

struct Progress {
    started: Instant,
    told: Instant,
    documents: i64,
    done: i64,
    total: Counts,
}

impl Progress {
    fn slice(&mut self, slice: &Slice, counts: &Counts, dry_run: bool, is_first: bool, console: &mut Console<'_>) {
        if is_first {
            self.done += slice.documents + 1;
            self.total.add(counts);
        } else {
            let mut again = counts.clone();
            again.by_projection.iter_mut().for_each(|(_, count)| count.looked_at = 0);
            self.total.add(&again);
        }
        let is_last = self.done == self.documents;
        if counts.differences() == 0 && counts.busy == 0 && self.told.elapsed() < TELL && !is_last {
            return;
        }
        self.told = Instant::now();
        let what = if dry_run { "differences" } else { "rows written" };
        let busy = if counts.busy > 0 { format!(", {} busy", counts.busy) } else { String::new() };
        let _ = writeln!(
            console.err,
            "{} {}: {} receipts, {} {what}{busy}; {} % done, {} receipts/s",
            slice.date,
            slice.node,
            counts.receipts(),
            counts.differences(),
            100 * self.done / self.documents.max(1),
            self.rate()
        );
    }

    fn rate(&self) -> u64 {
        let receipts = u64::try_from(self.total.receipts()).unwrap_or(0);
        receipts * 1000 / u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    fn summary(&self, slices: usize, dry_run: bool, busy: i64, waiting: i64) -> String {
        let mut text =
            format!("{:<14}{:>12}{:>10}{:>10}{:>13}\n", "projection", "looked at", "missing", "wrong", "unexplained");
        for (name, count) in &self.total.by_projection {
            let Count { looked_at, missing, wrong, unexplained } = count;
            let _ = writeln!(text, "{name:<14}{looked_at:>12}{missing:>10}{wrong:>10}{unexplained:>13}");
        }
        let did = match (dry_run, self.total.differences()) {
            (_, 0) => "nothing differed".to_owned(),
            (true, rows) => format!("{rows} rows differ, and nothing was written"),
            (false, rows) => format!("{rows} rows written"),
        };
        let elapsed_ms = self.started.elapsed().as_millis();
        let _ = writeln!(text, "{slices} slices compared in {elapsed_ms} ms, {} receipts/s: {did}", self.rate());
        if busy > 0 {
            let _ = writeln!(
                text,
                "{busy} were busy and are as they were: another session keeps them locked (pg_stat_activity); run it again"
            );
        }
        if waiting > 0 {
            let _ = writeln!(text, "{waiting} documents could not be projected and wait: sync.quarantine says why");
        }
        text
    }

    fn json(&self, slices: usize, dry_run: bool, busy: i64, waiting: i64) -> String {
        let projections: serde_json::Map<String, serde_json::Value> = self
            .total
            .by_projection
            .iter()
            .map(|(name, count)| {
                let Count { looked_at, missing, wrong, unexplained } = count;
                let value =
                    json!({ "looked_at": looked_at, "missing": missing, "wrong": wrong, "unexplained": unexplained });
                (name.clone(), value)
            })
            .collect();
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        format!(
            "{:#}\n",
            json!({ "dry_run": dry_run, "slices": slices, "receipts": self.total.receipts(),
                    "differences": self.total.differences(), "busy": busy, "waiting": waiting, "elapsed_ms": elapsed_ms,
                    "receipts_per_second": self.rate(), "projections": projections })
        )
    }
}
