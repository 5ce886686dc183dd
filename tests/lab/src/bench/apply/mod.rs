//! Catch-up through one subscription: how fast a store's receipts can be queried at central, in
//! several ways, and how long that keeps the apply worker's processor busy.
//!
//! | file | has |
//! | --- | --- |
//! | `way` | the ways: their tables, publications and subscriptions |
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
use pair::{Pair, Run, Size};
use way::Way;

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    /// Rounds that count; one more warms caches.
    rounds: usize,
    receipts: usize,
}

const FULL: Extent = Extent { rounds: 7, receipts: 40_000 };
const QUICK: Extent = Extent { rounds: 3, receipts: 6_400 };

/// Lines a receipt.
const LINES: [usize; 2] = [5, 12];

/// Receipts a transaction of the store.
const TOGETHER: [usize; 3] = [1, 16, 64];

/// The table of ways for each size, and operations a second.
pub fn run(words: &mut dyn Write, quick: bool) -> Result<Value> {
    let extent = if quick { QUICK } else { FULL };
    let mut pair = Pair::start()?;
    writeln!(
        words,
        "catch-up through one subscription: from `alter subscription … enable` until the last row can be queried at central\n\
         fsync, autovacuum and cron off at both; medians of {} rounds of all ways in turn, ratios within a round: above 1 is\n\
         better than native; `wall` counts time, `processor` what the apply worker needed of it",
        extent.rounds
    )?;
    words.flush()?;
    if !pair.has_pglogical {
        writeln!(words, "pglogical is not installed; apt-get install postgresql-{}-pglogical adds it", pair.major)?;
    }
    let mut result = Map::new();
    // First, while the subscription still has the slot that it joined with.
    result.insert("journal".to_owned(), operations::run(&mut pair, words, extent.rounds)?);
    pair.stream_copies()?;
    for together in TOGETHER {
        for lines in LINES {
            let size = Size { lines, receipts: extent.receipts, together };
            result.insert(format!("lines_{lines}_together_{together}"), receipts_of(&mut pair, words, size, extent)?);
        }
    }
    Ok(result.into())
}

/// One size: every way once in each round, over the same receipts. The ways that only show what
/// else there is are left out where receipts come together.
fn receipts_of(pair: &mut Pair, words: &mut dyn Write, size: Size, extent: Extent) -> Result<Value> {
    let takes_part =
        |way: &Way| (pair.has_pglogical || *way != Way::Pglogical) && (size.together == 1 || way.is_central());
    let ways: Vec<Way> = Way::ALL.into_iter().filter(takes_part).collect();
    let written = pair.write(&ways, size)?;
    let mut runs = vec![Vec::new(); ways.len()];
    for round in 0..=extent.rounds {
        for (way, runs) in ways.iter().zip(&mut runs) {
            let run = pair.catch_up(*way, &written)?;
            if round > 0 {
                runs.push(run);
            }
        }
    }
    pair.forget(&ways, size)?;
    let Size { lines, receipts, together } = size;
    writeln!(
        words,
        "\n  {lines} lines a receipt, {together} receipts a transaction, {receipts} receipts; µs of the processor a receipt: apply worker, walsender"
    )?;
    writeln!(
        words,
        "  {:<18} {:>10} {:>9} {:>6} {:>10} {:>13} {:>7} {:>7}",
        "", "receipts/s", "lines/s", "wall", "processor", "same indexes", "apply", "send"
    )?;
    let of = |wanted: Way| ways.iter().position(|way| *way == wanted).map_or(&[][..], |place| &runs[place]);
    let (native, indexed) = (of(Way::Native), of(Way::Indexed));
    let mut table = Map::new();
    for (way, own) in ways.iter().zip(&runs) {
        let middle = |part: Part| median(own.iter().map(|run| part(run).as_secs_f64()).collect());
        let times = |other: &[Run], part: Part| {
            let ratios = other.iter().zip(own).map(|(other, own)| part(other).as_secs_f64() / part(own).as_secs_f64());
            rounded(median(ratios.collect()))
        };
        let per_second = receipts as f64 / middle(|run| run.took);
        let lines_per_second = per_second * lines as f64;
        let each = |seconds: f64| rounded(seconds * 1e6 / receipts as f64);
        let (applying, sending) = (each(middle(|run| run.applying)), each(middle(|run| run.sending)));
        let wall = times(native, |run| run.took);
        let [processor, same_indexes] = [native, indexed].map(|other| times(other, |run| run.applying));
        writeln!(
            words,
            "  {:<18} {per_second:>10.0} {lines_per_second:>9.0} {wall:>6.2} {processor:>10.2} {same_indexes:>13.2} {applying:>7.1} {sending:>7.1}   {}",
            way.name(),
            way.what()
        )?;
        table.insert(
            way.key().to_owned(),
            json!({ "receipts_per_second": per_second.round(), "lines_per_second": lines_per_second.round(),
                "times_native": wall, "processor_times_native": processor,
                "processor_times_native_with_the_same_indexes": same_indexes,
                "apply_us": applying, "send_us": sending }),
        );
    }
    words.flush()?;
    table.insert("receipts".to_owned(), receipts.into());
    Ok(table.into())
}

/// One of the times that a catch-up takes.
type Part = fn(&Run) -> Duration;
