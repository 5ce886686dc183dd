//! Central and three stores, each with its own server; each store has a watcher, terminals and a
//! line to central. Each node has its gateway.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::chain::{self, Line, Plan};
use crate::cluster::Cluster;
use crate::gateway::Doors;
use crate::machine::Lab;
use crate::measure::Stopwatch;
use crate::node::{CENTRAL, Node, STORES};
use crate::store::Rig;
use crate::store::TERMINALS;
use crate::store::terminals::{self, Dropped, Pace};
use crate::wait::until_true;

use super::queries::Queries;

/// Receipts a second of each store, 40 together; a busy Saturday is a tenth of it.
const RATES: [f64; 3] = [16.0, 14.0, 10.0];
/// One file in so many is odd.
const ODD_EVERY: usize = 9;
/// A store that joins has the little that there is within a second or two; a machine under load
/// gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that runs; all of it goes away with the value.
#[derive(Debug)]
pub struct Servers {
    /// The gateways, and who logs in there. First, since fields are dropped in order.
    pub doors: Doors,
    /// In the order of `STORES`.
    pub shops: Vec<Shop>,
    pub central: Cluster,
}

/// One store and what is measured at it.
#[derive(Debug)]
pub struct Shop {
    pub node: Node,
    pub line: Line,
    pub rig: Rig,
    pub stopwatch: Stopwatch,
    pub dropped: Dropped,
}

impl Servers {
    /// Starts the servers side by side, then lets the stores join one after the other.
    pub fn start(lab: &Lab, words: &mut dyn Write, stop: &AtomicBool) -> Result<Self> {
        let began = Instant::now();
        writeln!(words, "Starting central and three stores, each with its own PostgreSQL under .tpv/ …")?;
        words.flush()?;
        let (central, rigs) = start_servers(lab)?;
        let mut done = |what: &str| -> Result<()> {
            if stop.load(Ordering::Relaxed) {
                bail!("stopped before the stores were open");
            }
            writeln!(words, "  {:<60}{:>4.1} s", what, began.elapsed().as_secs_f64())?;
            Ok(words.flush()?)
        };
        done("4 servers run, and 3 watchers")?;
        let mut shops = Vec::new();
        for (node, rig) in STORES.into_iter().zip(rigs) {
            let line = Line::lay(lab, &rig.cluster, &central)?;
            Plan::Join.run_over(&line, node, &rig.cluster, &central)?;
            let stopwatch = Stopwatch::start(&rig.spool.root.join("out"))?;
            shops.push(Shop { node, line, rig, stopwatch, dropped: Dropped::new(u64::try_from(node.id)?) });
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        done("the stores have joined central")?;
        let all = || nodes(&shops, &central);
        let mut queries = Queries::connect(all())?;
        until_true("all nodes have what the others registered", PATIENCE, || {
            stop.load(Ordering::Relaxed) || queries.agree().unwrap_or(false)
        })?;
        if !stop.load(Ordering::Relaxed) {
            chain::compare(all().map(|(_, cluster)| cluster))?;
        }
        done("all four have the same departments, terminals and layouts")?;
        let doors = Doors::open(lab, all(), &[])?;
        until_true("all nodes know who works where", PATIENCE, || {
            stop.load(Ordering::Relaxed) || queries.agree().unwrap_or(false)
        })?;
        drop(queries);
        doors.write_users(lab)?;
        done("each has its gateway; .tpv/users.json has who logs in there")?;
        Ok(Self { doors, shops, central })
    }

    /// All nodes, central first.
    pub fn nodes(&self) -> impl Iterator<Item = (Node, &Cluster)> {
        nodes(&self.shops, &self.central)
    }
}

fn nodes<'a>(shops: &'a [Shop], central: &'a Cluster) -> impl Iterator<Item = (Node, &'a Cluster)> {
    let stores = shops.iter().map(|shop| (shop.node, &shop.rig.cluster));
    std::iter::once((CENTRAL, central)).chain(stores)
}

impl Shop {
    /// The terminals at work, until told to stop.
    pub fn sell(&self, stop: &AtomicBool) -> Result<()> {
        let rate = STORES.iter().zip(RATES).find(|(node, _)| **node == self.node).map_or(RATES[0], |(_, rate)| rate);
        let pace = Pace { odd_every: ODD_EVERY, ..Pace::steady(rate) };
        let for_ever = Duration::from_secs(365 * 86_400);
        terminals::run(&self.rig.spool, &self.stopwatch, &self.dropped, pace, for_ever, stop)
            .with_context(|| format!("the {TERMINALS} terminals of {}", self.node.code))
    }
}

fn start_servers(lab: &Lab) -> Result<(Cluster, Vec<Rig>)> {
    thread::scope(|scope| {
        let central = scope.spawn(|| -> Result<Cluster> {
            let cluster = start_server(lab, CENTRAL)?;
            chain::register_central(&mut cluster.connect()?)?;
            Ok(cluster)
        });
        let stores = STORES.map(|node| {
            scope.spawn(move || -> Result<Rig> {
                let mut rig = Rig::of_store(lab.clone(), start_server(lab, node)?, node)?;
                rig.start_watcher(&[])?;
                Ok(rig)
            })
        });
        // All are waited for before the first error is looked at.
        let central = central.join().unwrap_or_else(|_| bail!("starting central panicked"));
        let rigs = stores.map(|store| store.join().unwrap_or_else(|_| bail!("starting a store panicked")));
        Ok((central?, rigs.into_iter().collect::<Result<_>>()?))
    })
}

/// With a heartbeat each second: people watch.
fn start_server(lab: &Lab, node: Node) -> Result<Cluster> {
    let cluster = Cluster::start_new(lab, &format!("demo-{}", node.code))?;
    let mut dba = cluster.connect()?;
    dba.batch_execute("alter system set pg_tpv.beat_interval = '1s'")?;
    dba.batch_execute("select pg_reload_conf()")?;
    Ok(cluster)
}
