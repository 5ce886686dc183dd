//! What a gateway serves: three requests over keep-alive connections, beside pgbench with the same
//! transaction in one round trip, and beside the same transaction with one statement a round trip.
//! All of them have as many connections, and the same two cores, in the same run.

mod beside;
mod data;
mod drive;
mod pgbench;
mod sequential;
mod wire;

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::gateway::{Client, Gateway, GatewayOptions, hire};
use crate::measure::rounded;
use crate::store::Rig;

use data::{Asked, Session};
use drive::Figures;

/// Connections of each way: as many as the gateway has.
const CONNECTIONS: usize = 16;

/// A table, the memory of the gateway, and the `.dat` of a store that works beside it.
pub fn run(words: &mut dyn Write, quick: bool) -> Result<Value> {
    let rig = Rig::idle()?;
    data::fill(&rig)?;
    let limits = ["--person-rate", "0", "--source-rate", "0", "--max-clients-per-address", "2000"];
    let options = GatewayOptions::beside(&rig.cluster, "127.0.0.1:0", "http://s01.bench", &limits);
    options.make_keys(&rig.lab)?;
    let gateway = Gateway::start_with(&rig.lab, &options)?;
    let person = hire(&rig.lab, &rig.cluster, "bench", "manager", Some(1), None)?;
    let client = person.log_in(&gateway)?;
    let session = Session::of(&rig, "bench")?;
    let time = Duration::from_secs(if quick { 3 } else { 10 });
    writeln!(
        words,
        "{CONNECTIONS} connections, {} s each, on the same cores; pgbench sends the same transaction in one round trip",
        time.as_secs()
    )?;
    writeln!(
        words,
        "                        gateway/s   p50 ms   p99 ms    pgbench/s   p99 ms   ratio    one by one/s   ratio"
    )?;
    let mut rows = Vec::new();
    for asked in Asked::ALL {
        // Each way once before, so that all have their plans and pages.
        wire::measure(&client, asked, time / 6)?;
        let ours = wire::measure(&client, asked, time)?;
        let bench = pgbench::measure(&rig, &session, asked, time)?;
        let slow = sequential::measure(&rig, &session, asked, time)?;
        let (of_bench, of_slow) = (ours.per_s / bench.per_s, ours.per_s / slow.per_s);
        writeln!(
            words,
            "  {:<20} {:>10.0} {:>8.2} {:>8.2}   {:>10.0} {:>8.2}   {of_bench:>5.2}      {:>10.0}   {of_slow:>5.2}",
            asked.name(),
            ours.per_s,
            ours.p50_ms,
            ours.p99_ms,
            bench.per_s,
            bench.p99_ms,
            slow.per_s
        )?;
        words.flush()?;
        rows.push(json!({ "request": asked.key(), "gateway": ours.json(), "pgbench": bench.json(),
            "one_by_one": slow.json(), "to_pgbench": of_bench, "to_one_by_one": of_slow }));
    }
    let log_in = || person.log_in(&gateway);
    let memory = memory(words, &gateway, &log_in, if quick { 50_000 } else { 1_000_000 })?;
    let beside = beside::run(words, rig, &log_in()?, time)?;
    drop(gateway);
    Ok(json!({ "requests": rows, "memory": memory, "dat": beside }))
}

/// The memory of the gateway after a tenth of the requests, and after all of them.
fn memory(
    words: &mut dyn Write,
    gateway: &Gateway,
    log_in: &dyn Fn() -> Result<Client>,
    requests: u64,
) -> Result<Value> {
    let mut kb = Vec::new();
    for _ in 0..10 {
        // An access token holds for ten minutes, which is less than this takes.
        wire::send(&log_in()?, Asked::Scan, requests / 10)?;
        kb.push(gateway.process.resident_kb());
    }
    let (first, last) = (kb.first().copied().context("no figure")?, kb.last().copied().unwrap_or(0));
    writeln!(
        words,
        "memory of the gateway    {first} kB after {} requests, {last} kB after {requests}",
        requests / 10
    )?;
    Ok(json!({ "requests": requests, "kb_after_a_tenth": first, "kb_after_all": last }))
}

impl Figures {
    fn json(&self) -> Value {
        json!({ "per_s": self.per_s.round(), "p50_ms": rounded(self.p50_ms), "p99_ms": rounded(self.p99_ms) })
    }
}
