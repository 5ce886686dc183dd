//! A long day of a chain: everybody works, faults happen, and in the end all nodes must agree and
//! nothing may be lost.
//!
//! | file | does |
//! | --- | --- |
//! | `schedule` | which fault happens when: a function of the seed |
//! | `servers` | the chain, with a line between each store and central that can be cut or hang |
//! | `fault` | makes the faults happen, and undoes them |
//! | `actor` | how somebody works on while servers come and go, and notes what was acknowledged |
//! | `till`, `clerks`, `decisions` | who works: tills of stores, clerks who edit customers, whoever decides at central |
//! | `checks` | what must be so when all is quiet again |
//! | `expected` | the heads, conflicts and rows that the journal says must be there, by the pure core |

mod actor;
mod checks;
mod clerks;
mod decisions;
mod expected;
mod fault;
mod schedule;
mod servers;
mod till;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::node::STORES;
use crate::wait::stop_at_the_latest;
use actor::Done;
use fault::Faults;
use servers::Servers;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Everything that is not as it should be.
    pub complaints: Vec<String>,
    /// What happened, in one line.
    pub summary: String,
}

/// Lets everybody work and faults happen for so long, waits for quiet, and checks.
///
/// # Errors
/// What kept the run from its checks.
pub fn run(seed: u64, length: Duration) -> Result<Outcome> {
    let began = Instant::now();
    let mut servers = Servers::joined()?;
    let joined = began.elapsed();
    let stop = AtomicBool::new(false);
    let urls: Vec<String> = servers.nodes().map(crate::cluster::Cluster::dba_url).collect();
    let mut faults = Faults::new(schedule::schedule(seed, length));
    let done: Result<Vec<Done>> = thread::scope(|scope| {
        let (stop, urls) = (&stop, &urls);
        let _told = stop_at_the_latest(stop);
        let mut actors = Vec::new();
        for store in 0..STORES.len() {
            actors.push(scope.spawn(move || till::work(seed, store, &urls[store + 1], stop)));
        }
        for (node, url) in urls.iter().enumerate() {
            actors.push(scope.spawn(move || clerks::work(seed, node, url, stop)));
        }
        actors.push(scope.spawn(move || decisions::work(seed, &urls[0], stop)));
        let broke = faults.run(&mut servers, Instant::now(), length);
        // Before anybody is told to stop: who waits for a server waits until it is back.
        let undone = faults.end(&mut servers);
        stop.store(true, Ordering::Relaxed);
        let done = actors.into_iter().map(|actor| actor.join().ok().context("an actor panicked")).collect();
        broke.and(undone).and(done)
    });
    let done = done?;
    let worked = began.elapsed();
    let rest = servers.come_to_rest();
    let rested = began.elapsed();
    let mut complaints = checks::check_all(&servers, &done, faults.poison(), faults.rejoined())?;
    if let Err(error) = rest {
        complaints.insert(0, format!("{error:#}"));
    }
    let times = [joined, worked, rested, began.elapsed()].map(|time| time.as_secs());
    let summary = format!(
        "{}; faults: {}; joined, stopped, at rest and checked after {times:?} s",
        actor::summary(&done),
        faults.summary()
    );
    if done.iter().all(|done| done.tokens.is_empty()) {
        bail!("nobody did any work: {summary}");
    }
    Ok(Outcome { complaints, summary })
}
