//! `bench`: numbers that are compared within one run, never against a clock on the wall.

mod apply;
mod bi;
pub mod catchup;
mod cost;
mod fanout;
mod gateway;
mod latency;
mod rest;

use std::io::Write;

use anyhow::{Result, bail};
use serde_json::json;

/// Every bench, with what it measures.
pub const NAMES: [(&str, &str); 9] = [
    ("ingest", "the next three"),
    ("latency", "close of the file to the .dat at 20, 50 and 200 receipts/s, notifications and sums on and off"),
    ("catchup", "20,000 files on one terminal while the others go on"),
    ("cost", "what ingest costs the server, against bare inserts of the same rows"),
    ("apply", "catch-up of central through one subscription, against native replication and pglogical"),
    (
        "bi",
        "the twenty questions of docs/analyst.md over 10 million lines, with roll-ups and without; one late receipt",
    ),
    ("fanout", "10, 30 and 100 small stores: time until a price is everywhere, cost of a store at central"),
    ("gateway", "requests/s and p99 of a gateway, against pgbench and against one statement a round trip"),
    ("rest", "WAL of central while nothing happens: 100 stores, 20 hash chains each"),
];

/// Runs one, `quick` if it knows a short form; `lines` is how many lines of receipts bi is to have.
/// Tables go to stdout, or to stderr when the result is asked for as JSON.
pub fn run(name: &str, json: bool, quick: bool, lines: Option<u64>) -> Result<()> {
    let mut words: Box<dyn Write> = if json { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
    let words = &mut *words;
    let result = match name {
        "ingest" => {
            json!({ "latency": latency::run(words)?, "catchup": catchup::run(words)?, "cost": cost::run(words)? })
        }
        "latency" => json!({ "latency": latency::run(words)? }),
        "catchup" => json!({ "catchup": catchup::run(words)? }),
        "cost" => json!({ "cost": cost::run(words)? }),
        "apply" => json!({ "apply": apply::run(words, quick)? }),
        "bi" => json!({ "bi": bi::run(words, lines, quick)? }),
        "fanout" => json!({ "fanout": fanout::run(words)? }),
        "gateway" => json!({ "gateway": gateway::run(words, quick)? }),
        "rest" => json!({ "rest": rest::run(words, quick)? }),
        _ => bail!("no bench {name}; there are:{}", NAMES.map(|(name, what)| format!("\n  {name:<8} {what}")).concat()),
    };
    if json {
        writeln!(std::io::stdout(), "{result}")?;
    }
    Ok(())
}
