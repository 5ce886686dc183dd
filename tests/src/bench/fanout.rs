//! One central and many stores, as small as a server goes: how long a price takes to be everywhere, what a store costs
//! central, and what it needs itself.
//!
//! | file | has |
//! | --- | --- |
//! | `fleet` | the servers, started and joined one after the other |
//! | `cost` | processor time and memory of a server's processes |

mod cost;
mod fleet;

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::latency::rounded;
use cost::{Memory, Meter, memory};
use fleet::Fleet;

/// The same chain grows from one size to the next.
const SIZES: [usize; 3] = [10, 30, 100];

const CHANGES: usize = 15;

/// How long nothing is done while idleness is measured: three beats of every node.
const IDLE: Duration = Duration::from_secs(15);

/// One row for each size.
pub fn run(words: &mut dyn Write) -> Result<Value> {
    writeln!(
        words,
        "fan-out: central and its stores on this machine, joined by sync.join_plan; fsync off, shared_buffers 1 MB at a store"
    )?;
    words.flush()?;
    let mut fleet = Fleet::start()?;
    let mut rows = Vec::new();
    for size in SIZES {
        rows.push(measure(&mut fleet, size, words)?);
    }
    writeln!(
        words,
        "\n  {:>6} {:>21} {:>18} {:>28} {:>29} {:>14}",
        "",
        "price everywhere, ms",
        "ms of processor",
        "central idle, % of a core",
        "central, kB a store (PSS)",
        "a store, MB"
    )?;
    writeln!(
        words,
        "  {:>6} {:>10} {:>10} {:>18} {:>13} {:>14} {:>14} {:>14} {:>14}",
        "stores", "median", "max", "a change a store", "in all", "without beats", "walsender", "apply", "(PSS)"
    )?;
    for row in &rows {
        let of = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        writeln!(
            words,
            "  {:>6} {:>10.0} {:>10.0} {:>18.2} {:>13.1} {:>14.1} {:>14.0} {:>14.0} {:>14.1}",
            row["stores"],
            of("everywhere_ms"),
            of("everywhere_max_ms"),
            of("change_cpu_ms_per_store"),
            of("idle_percent"),
            of("idle_without_beats_percent"),
            of("walsender_pss_kb"),
            of("apply_pss_kb"),
            of("store_pss_mb"),
        )?;
    }
    writeln!(words)?;
    Ok(rows.into())
}

fn measure(fleet: &mut Fleet, size: usize, words: &mut dyn Write) -> Result<Value> {
    let started = Instant::now();
    fleet.grow(size, words)?;
    let joined = started.elapsed();
    let idle = idleness(fleet);
    fleet.beats(false)?;
    let without_beats = idleness(fleet);
    fleet.beats(true)?;

    let meter = Meter::start(&fleet.central);
    let mut times = Vec::new();
    fleet.watched(|watched| {
        for change in 0..CHANGES {
            times.push(watched.change_price(change)?.as_secs_f64() * 1000.0);
        }
        Ok(())
    })?;
    let (busy, took) = meter.read();
    let of_changes = (busy.as_secs_f64() - idle * took.as_secs_f64()).max(0.0) * 1000.0 / CHANGES as f64;
    times.sort_by(f64::total_cmp);

    let Memory { walsenders, appliers, .. } = memory(&fleet.central.processes());
    let mut stores: Vec<u64> = fleet.stores.iter().map(|store| memory(&store.processes()).all).collect();
    stores.sort_unstable();
    let per_store = |kb: u64| (kb as f64 / size as f64).round();
    Ok(json!({
        "stores": size,
        "join_seconds": rounded(joined.as_secs_f64()),
        "everywhere_ms": rounded(times[times.len() / 2]),
        "everywhere_max_ms": rounded(times[times.len() - 1]),
        "change_cpu_ms_per_store": rounded(of_changes / size as f64),
        "idle_percent": rounded(idle * 100.0),
        "idle_without_beats_percent": rounded(without_beats * 100.0),
        "walsender_pss_kb": per_store(walsenders),
        "apply_pss_kb": per_store(appliers),
        "store_pss_mb": rounded(stores[stores.len() / 2] as f64 / 1024.0),
    }))
}

/// The share of a processor that central takes while nothing is done.
fn idleness(fleet: &Fleet) -> f64 {
    let meter = Meter::start(&fleet.central);
    std::thread::sleep(IDLE);
    let (busy, took) = meter.read();
    busy.as_secs_f64() / took.as_secs_f64()
}
