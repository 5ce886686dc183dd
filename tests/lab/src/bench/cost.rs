//! What ingesting receipts costs the server, as a ratio to writing the same rows and nothing else.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use postgres::Client;
use serde_json::{Value, json};

use crate::measure::rounded;
use crate::store::{Receipts, Rig};

const PAIRS: usize = 60;
const BATCH: usize = 64;

/// Plain tables of the same columns with the same primary key, and nothing more.
const PLAIN: &str = "
create schema plain;
create table plain.receipt (like sales.receipt);
create table plain.receipt_line (like sales.receipt_line);
do $$
declare t text;
begin
  foreach t in array array['receipt', 'receipt_line'] loop
    execute (select format('alter table plain.%I add primary key (%s)', t, string_agg(quote_ident(a.attname), ', ' order by k.n))
               from pg_index i cross join unnest(i.indkey::int[]) with ordinality k (attnum, n)
               join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
              where i.indrelid = format('sales.%I', t)::regclass and i.indisprimary);
  end loop;
end $$;
";

/// Interleaved pairs: one batch is ingested, then the rows that came of it are written bare.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    let rig = Rig::idle()?;
    let mut dba = rig.dba()?;
    dba.batch_execute(PLAIN)?;
    let mut watcher = rig.cluster.connect_as("tpv_watcher", "tpv")?;
    let mut receipts = Receipts::new(40);
    let (mut ingested, mut bare) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let inputs: Vec<_> = (0..BATCH).map(|_| receipts.good("T01")).collect();
        let files: Vec<&[u8]> = inputs.iter().map(|input| input.bytes.as_slice()).collect();
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        let numbers: Vec<&str> = inputs.iter().map(|input| input.number.as_str()).collect();
        let started = Instant::now();
        let sql = "select count(*) from sales.ingest_files('T01', $1, $2) where outcome = 'accepted'";
        let accepted: i64 = watcher.query_one(sql, &[&files, &names])?.get(0);
        let took = started.elapsed();
        ensure!(accepted == BATCH as i64, "{accepted} of {BATCH} receipts were accepted");
        let wrote = write_bare(&mut dba, &numbers)?;
        // The first pairs warm caches and prepare statements.
        if pair >= 5 {
            ingested.push(took);
            bare.push(wrote);
        }
    }
    let (ingested, bare) = (median_ms(ingested), median_ms(bare));
    let ratio = rounded(ingested / bare);
    writeln!(words, "server-side cost, {BATCH} receipts a transaction, medians of {} interleaved pairs", PAIRS - 5)?;
    writeln!(words, "  sales.ingest_files    {ingested:>7.2} ms")?;
    writeln!(
        words,
        "  bare inserts          {bare:>7.2} ms   the same receipts and lines, tables with a primary key only"
    )?;
    writeln!(words, "  ratio                 {ratio:>7.2}\n")?;
    Ok(json!({ "batch": BATCH, "ingest_ms": rounded(ingested), "bare_ms": rounded(bare), "ratio": ratio }))
}

/// The rows go to the server as two arrays, as a client would send them; fetching them first is not
/// measured.
fn write_bare(dba: &mut Client, numbers: &[&str]) -> Result<Duration> {
    let rows = |dba: &mut Client, table: &str, to: &str, on: &str| -> Result<String> {
        let sql = format!(
            "select array_agg(row(r.*)::plain.{to})::text from sales.{table} r where {on} in \
             (select receipt_id from sales.receipt where receipt_number = any ($1) and terminal = 'T01')"
        );
        Ok(dba.query_one(&sql, &[&numbers])?.get(0))
    };
    let receipts = rows(dba, "receipt", "receipt", "r.receipt_id")?;
    let lines = rows(dba, "receipt_line", "receipt_line", "r.receipt_id")?;
    let started = Instant::now();
    let mut work = dba.transaction()?;
    work.execute("insert into plain.receipt select * from unnest($1::text::plain.receipt[])", &[&receipts])?;
    work.execute("insert into plain.receipt_line select * from unnest($1::text::plain.receipt_line[])", &[&lines])?;
    work.commit()?;
    Ok(started.elapsed())
}

fn median_ms(mut all: Vec<Duration>) -> f64 {
    all.sort();
    all.get(all.len() / 2).map_or(0.0, |middle| middle.as_secs_f64() * 1000.0)
}
