//! A long day of a chain: everybody works, things break, and in the end the books must agree.
//!
//! | file | does |
//! | --- | --- |
//! | `schedule` | which fault happens when: a function of the seed |
//! | `servers` | the chain, with a line between store and central that can be cut or freeze |
//! | `fault` | makes the faults happen, and undoes them |
//! | `actor` | how somebody works on while servers come and go, and notes what was answered for |
//! | `till`, `clerks`, `decisions` | who works: tills of stores, whoever edits customers, central's office |
//! | `checks` | what is asked when all is quiet again |
//! | `expected` | the heads and conflicts that follow from the journal, by the pure core |

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
use servers::Field;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Everything that is not as it should be.
    pub complaints: Vec<String>,
    /// What happened, in one line.
    pub summary: String,
}

/// Works and breaks for so long, waits for quiet, and judges.
///
/// # Errors
/// What kept the run from its verdict.
pub fn run(seed: u64, length: Duration) -> Result<Outcome> {
    let began = Instant::now();
    let mut field = Field::joined()?;
    let joined = began.elapsed();
    let stop = AtomicBool::new(false);
    let urls: Vec<String> = field.nodes().map(crate::cluster::Cluster::dba_url).collect();
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
        let broke = faults.reign(&mut field, Instant::now(), length);
        // Before anybody is told to stop: who waits for a server waits until it is back.
        let mended = faults.end(&mut field);
        stop.store(true, Ordering::Relaxed);
        let done = actors.into_iter().map(|actor| actor.join().ok().context("an actor panicked")).collect();
        broke.and(mended).and(done)
    });
    let done = done?;
    let worked = began.elapsed();
    let rest = field.come_to_rest();
    let rested = began.elapsed();
    let mut complaints = checks::judge(&field, &done, faults.poison(), faults.rejoined())?;
    if let Err(error) = rest {
        complaints.insert(0, format!("{error:#}"));
    }
    let times = [joined, worked, rested, began.elapsed()].map(|time| time.as_secs());
    let summary = format!(
        "{}; faults: {}; joined, stopped, at rest and judged after {times:?} s",
        actor::summary(&done),
        faults.summary()
    );
    if done.iter().all(|done| done.tokens.is_empty()) {
        bail!("nobody did any work: {summary}");
    }
    Ok(Outcome { complaints, summary })
}
