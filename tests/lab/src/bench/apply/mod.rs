//! Catch-up through one subscription: how fast a store's receipts can be queried at central, in
//! four ways.
//!
//! | file | has |
//! | --- | --- |
//! | `way` | the four ways: their tables, publications and subscriptions |
//! | `pair` | a store and central, and a catch-up that can be run again over the same WAL |
//! | `tickets` | receipts with as many lines as one wants |
//! | `operations` | the same question for operations |

mod operations;
mod pair;
mod tickets;
mod way;

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::measure::{median, rounded};
use pair::{Pair, Run};
use way::Way;

/// Rounds that count; one more warms caches.
const ROUNDS: usize = 7;

/// Lines a receipt, and how many receipts: about as many rows each.
const SIZES: [(usize, usize); 2] = [(5, 10_000), (12, 5_000)];

/// The table of ways for each size, and operations a second.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    let mut pair = Pair::start()?;
    writeln!(
        words,
        "catch-up through one subscription: from `alter subscription … enable` until the last row can be queried at central\n\
         one receipt a transaction at the store; fsync and autovacuum off at both; medians of {ROUNDS} rounds of all ways in turn,\n\
         ratios within a round"
    )?;
    words.flush()?;
    if !pair.has_pglogical {
        writeln!(words, "pglogical is not installed; apt-get install postgresql-{}-pglogical adds it", pair.major)?;
    }
    let mut result = Map::new();
    // First, while the subscription still has the slot that it joined with.
    result.insert("journal".to_owned(), operations::run(&mut pair, words, ROUNDS)?);
    for (lines, receipts) in SIZES {
        result.insert(format!("lines_{lines}"), receipts_of(&mut pair, words, lines, receipts)?);
    }
    Ok(result.into())
}

/// One size: every way once in each round, over the same receipts.
fn receipts_of(pair: &mut Pair, words: &mut dyn Write, lines: usize, receipts: usize) -> Result<Value> {
    let ways: Vec<Way> = Way::ALL.into_iter().filter(|way| pair.has_pglogical || *way != Way::Pglogical).collect();
    let written = pair.write(&ways, lines, receipts)?;
    let mut runs = vec![Vec::new(); ways.len()];
    for round in 0..=ROUNDS {
        for (way, runs) in ways.iter().zip(&mut runs) {
            let run = pair.catch_up(*way, &written)?;
            if round > 0 {
                runs.push(run);
            }
        }
    }
    writeln!(
        words,
        "\n  {lines} lines a receipt, {receipts} receipts; µs of the processor a receipt: apply worker, walsender"
    )?;
    writeln!(
        words,
        "  {:<18} {:>10} {:>9} {:>12} {:>9} {:>9}",
        "", "receipts/s", "lines/s", "times native", "apply", "send"
    )?;
    let mut table = Map::new();
    for (way, own) in ways.iter().zip(&runs) {
        let middle = |part: fn(&Run) -> Duration| median(own.iter().map(|run| part(run).as_secs_f64()).collect());
        let per_second = receipts as f64 / middle(|run| run.took);
        let lines_per_second = per_second * lines as f64;
        let ratios = runs[0].iter().zip(own).map(|(native, own)| native.took.as_secs_f64() / own.took.as_secs_f64());
        let ratio = rounded(median(ratios.collect()));
        let each = |seconds: f64| rounded(seconds * 1e6 / receipts as f64);
        let (applying, sending) = (each(middle(|run| run.applying)), each(middle(|run| run.sending)));
        writeln!(
            words,
            "  {:<18} {per_second:>10.0} {lines_per_second:>9.0} {ratio:>12.2} {applying:>9.1} {sending:>9.1}   {}",
            way.name(),
            way.what()
        )?;
        table.insert(
            way.key().to_owned(),
            json!({ "receipts_per_second": per_second.round(), "lines_per_second": lines_per_second.round(),
                "times_native": ratio, "apply_us": applying, "send_us": sending }),
        );
    }
    words.flush()?;
    table.insert("receipts".to_owned(), receipts.into());
    Ok(table.into())
}
