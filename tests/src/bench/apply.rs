//! Catch-up through one subscription: how fast a store's receipts can be queried at central, in four ways.
//!
//! | file | has |
//! | --- | --- |
//! | `way` | the four ways: their tables, publications and subscriptions |
//! | `pair` | a store and central, and a catch-up that can be run again over the same WAL |
//! | `tickets` | receipts with as many lines as one wants |
//! | `journal` | the same question for operations |

mod journal;
mod pair;
mod tickets;
mod way;

use std::io::Write;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::latency::rounded;
use pair::Pair;
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
         one receipt a transaction at the store; fsync off at both; binary = true; medians of {ROUNDS} rounds of all ways in turn,\n\
         ratios within a round"
    )?;
    words.flush()?;
    if !pair.has_pglogical {
        writeln!(words, "pglogical is not installed; apt-get install postgresql-{}-pglogical adds it", pair.major)?;
    }
    let mut result = Map::new();
    // First, while the subscription still has the slot that it joined with.
    result.insert("journal".to_owned(), journal::run(&mut pair, words, ROUNDS)?);
    for (lines, receipts) in SIZES {
        result.insert(format!("lines_{lines}"), receipts_of(&mut pair, words, lines, receipts)?);
    }
    Ok(result.into())
}

/// One size: every way once in each round, over the same receipts.
fn receipts_of(pair: &mut Pair, words: &mut dyn Write, lines: usize, receipts: usize) -> Result<Value> {
    let ways: Vec<Way> = Way::ALL.into_iter().filter(|way| pair.has_pglogical || *way != Way::Pglogical).collect();
    let written = pair.write(&ways, lines, receipts)?;
    let mut seconds = vec![Vec::new(); ways.len()];
    for round in 0..=ROUNDS {
        for (way, seconds) in ways.iter().zip(&mut seconds) {
            let took = pair.catch_up(*way, &written)?.as_secs_f64();
            if round > 0 {
                seconds.push(took);
            }
        }
    }
    writeln!(words, "\n  {lines} lines a receipt, {receipts} receipts")?;
    writeln!(words, "  {:<22} {:>10} {:>10} {:>14}", "", "receipts/s", "lines/s", "times native")?;
    let mut table = Map::new();
    for (way, all) in ways.iter().zip(&seconds) {
        let per_second = receipts as f64 / median(all.clone());
        let ratio = rounded(median(seconds[0].iter().zip(all).map(|(native, own)| native / own).collect()));
        let line_rate = per_second * lines as f64;
        writeln!(words, "  {:<22} {per_second:>10.0} {line_rate:>10.0} {ratio:>14.2}   {}", way.name(), way.what())?;
        table.insert(
            way.key().to_owned(),
            json!({ "receipts_per_second": per_second.round(), "lines_per_second": line_rate.round(), "times_native": ratio }),
        );
    }
    words.flush()?;
    table.insert("receipts".to_owned(), receipts.into());
    Ok(table.into())
}

/// The middle one.
fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
