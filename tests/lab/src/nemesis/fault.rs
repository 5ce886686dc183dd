//! Makes the faults of the schedule happen, and undoes them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use super::clerks::known;
use super::schedule::{Event, Fault};
use super::servers::{Servers, node};
use crate::machine::Process;
use crate::wait::until;

/// A server that was killed may take some time to let go of its memory.
const PATIENCE: Duration = Duration::from_secs(60);

/// The faults of a run.
pub struct Faults {
    schedule: Vec<Event>,
    active: Vec<(Instant, Undo)>,
    counts: BTreeMap<String, u64>,
    poison: Vec<Poison>,
    down: Vec<bool>,
    /// Stores whose slot was lost, and those that have yet to join again.
    lost: BTreeSet<usize>,
    apart: BTreeSet<usize>,
}

/// A row that nobody can read.
#[derive(Clone, Debug)]
pub struct Poison {
    /// Index of the store that wrote it.
    pub store: usize,
    /// Its place among the store's operations; none when it is a document.
    pub seq: Option<i64>,
}

#[derive(Debug)]
enum Undo {
    Start { node: usize, clock: Option<&'static str> },
    Thaw(Process),
    Mend { way: usize },
    Melt { way: usize },
    Enable { store: usize, at_central: bool },
    Rejoin { store: usize },
}

impl Faults {
    pub fn new(schedule: Vec<Event>) -> Self {
        Self {
            schedule,
            active: Vec::new(),
            counts: BTreeMap::new(),
            poison: Vec::new(),
            down: vec![false; 8],
            lost: BTreeSet::new(),
            apart: BTreeSet::new(),
        }
    }

    /// Lets them happen, each at its time.
    pub fn run(&mut self, servers: &mut Servers, from: Instant, length: Duration) -> Result<()> {
        let schedule = std::mem::take(&mut self.schedule);
        let mut next = schedule.into_iter().peekable();
        while from.elapsed() < length {
            self.expire(servers, false)?;
            while let Some(event) = next.next_if(|event| event.at <= from.elapsed()) {
                self.begin(servers, &event)?;
            }
            // The schedule is in time, and nothing tells when it has come.
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Undoes everything: servers run with the right time, lines are whole, the schema is the same
    /// everywhere.
    pub fn end(&mut self, servers: &mut Servers) -> Result<()> {
        self.expire(servers, true)?;
        for index in 0..servers.clusters.len() {
            // The server starts with the right wall clock; the node's own clock is then set back to
            // it.
            let began = Instant::now();
            servers.clusters[index].stop_immediate()?;
            self.note_slow(&format!("last stop of {}", node(index).code), began);
            start(servers, index, None)?;
            self.note_slow(&format!("last start of {}", node(index).code), began);
        }
        for index in 0..servers.clusters.len() {
            let began = Instant::now();
            until("the schema is upgraded", PATIENCE, || upgrade(servers, index).ok())?;
            self.note_slow(&format!("upgrade of {}", node(index).code), began);
            servers.clusters[index].connect()?.execute("select tpv.hlc_step_back()", &[])?;
        }
        for store in std::mem::take(&mut self.apart) {
            until("a store joins again", PATIENCE, || servers.rejoin(store).ok())?;
        }
        for store in 0..servers.clusters.len() - 1 {
            for at_central in [true, false] {
                until("a subscription is enabled", PATIENCE, || {
                    subscription(servers, store, at_central, "enable").ok()
                })?;
            }
        }
        Ok(())
    }

    /// A plan that was interrupted is run again from its beginning.
    fn rejoin(&mut self, servers: &Servers, store: usize) {
        if servers.rejoin(store).is_ok() {
            self.apart.remove(&store);
        }
    }

    /// Stores that joined again.
    pub fn rejoined(&self) -> &BTreeSet<usize> {
        &self.lost
    }

    /// Rows that wait for ever.
    pub fn poison(&self) -> &[Poison] {
        &self.poison
    }

    pub fn summary(&self) -> String {
        format!("{:?}", self.counts)
    }

    fn expire(&mut self, servers: &mut Servers, all: bool) -> Result<()> {
        let now = Instant::now();
        let (over, active) = std::mem::take(&mut self.active).into_iter().partition(|(until, _)| all || *until <= now);
        self.active = active;
        for (_, undo) in over {
            let (began, what) = (Instant::now(), format!("{undo:?}"));
            match undo {
                Undo::Start { node, clock } => {
                    start(servers, node, clock)?;
                    self.down[node] = false;
                    // Without libfaketime the clock is right; the summary then counts no clock as
                    // off.
                    if clock_is_off(servers, node).unwrap_or(false) {
                        *self.counts.entry("clock off".to_owned()).or_default() += 1;
                    }
                }
                Undo::Thaw(process) => process.signal(Signal::SIGCONT),
                Undo::Mend { way } => servers.way(way).mend(),
                Undo::Melt { way } => servers.way(way).hang(false),
                Undo::Rejoin { store } => self.rejoin(servers, store),
                // The server may be down; the end of the run sees to it.
                Undo::Enable { store, at_central } => drop(subscription(servers, store, at_central, "enable")),
            }
            self.note_slow(&what, began);
        }
        Ok(())
    }

    fn begin(&mut self, servers: &mut Servers, event: &Event) -> Result<()> {
        let began = Instant::now();
        let happened = self.happen(servers, &event.fault)?;
        self.note_slow(&format!("{:?}", event.fault), began);
        let Some((name, undo)) = happened else { return Ok(()) };
        *self.counts.entry(name.to_owned()).or_default() += 1;
        let until = Instant::now() + event.lasts;
        self.active.extend(undo.map(|undo| (until, undo)));
        Ok(())
    }

    /// A day that takes much longer than it should has a reason in the summary.
    fn note_slow(&mut self, what: &str, began: Instant) {
        let seconds = began.elapsed().as_secs();
        if seconds >= 10 {
            *self.counts.entry(format!("slow: {what}")).or_default() += seconds;
        }
    }

    /// None when there was nothing to break.
    fn happen(&mut self, servers: &mut Servers, fault: &Fault) -> Result<Option<(&'static str, Option<Undo>)>> {
        Ok(match *fault {
            Fault::Kill { node, .. } | Fault::Restart { node } if self.down[node] => None,
            Fault::Kill { node, clock } => {
                servers.clusters[node].kill()?;
                self.down[node] = true;
                Some(("killed", Some(Undo::Start { node, clock })))
            }
            // PostgreSQL 15 hangs when it is told to stop in the middle of a recovery: nobody tells
            // the checkpointer.
            Fault::Restart { node } if servers.clusters[node].connect().is_err() => None,
            Fault::Restart { node } => {
                self.thaw_all();
                servers.clusters[node].stop()?;
                start(servers, node, None)?;
                Some(("restarted", None))
            }
            Fault::KillWorker { node, which } => worker(servers, node, which).map(|process| {
                process.signal(Signal::SIGKILL);
                ("worker killed", None)
            }),
            Fault::FreezeWorker { node, which } => worker(servers, node, which).map(|process| {
                process.signal(Signal::SIGSTOP);
                ("worker frozen", Some(Undo::Thaw(process)))
            }),
            Fault::Cut { way } => {
                servers.way(way).cut();
                Some(("line cut", Some(Undo::Mend { way })))
            }
            Fault::FreezeLine { way } => {
                servers.way(way).hang(true);
                Some(("line frozen", Some(Undo::Melt { way })))
            }
            Fault::Disable { store, at_central } => subscription(servers, store, at_central, "disable")
                .ok()
                .map(|()| ("disabled", Some(Undo::Enable { store, at_central }))),
            Fault::Poison { store, how } => {
                let number = self.poison.len();
                let row = poison(servers, store, how, number).ok();
                row.map(|row| {
                    self.poison.push(row);
                    ("poison", None)
                })
            }
            Fault::LoseSlot { store } if self.apart.contains(&store) => None,
            Fault::LoseSlot { store } => lose_slot(servers, store).ok().map(|()| {
                self.lost.insert(store);
                self.apart.insert(store);
                ("slot lost", Some(Undo::Rejoin { store }))
            }),
            Fault::Upgrade { node } => upgrade(servers, node).ok().map(|()| ("upgraded", None)),
        })
    }

    /// A server does not stop in order while one of its processes is stopped.
    fn thaw_all(&mut self) {
        self.active.retain(|(_, undo)| match undo {
            Undo::Thaw(process) => {
                process.signal(Signal::SIGCONT);
                false
            }
            _ => true,
        });
    }
}

/// Starts a server with its wall clock off by this.
fn start(servers: &mut Servers, index: usize, clock: Option<&'static str>) -> Result<()> {
    let cluster = &mut servers.clusters[index];
    let environment = clock.zip(libfaketime()).map_or_else(Vec::new, |(clock, library)| {
        vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME", clock.to_owned()),
            // Only the wall clock is wrong; time passes as it does.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
    });
    cluster.set_environment(environment);
    let mut last = None;
    let started = until("a server starts again", PATIENCE, || match cluster.start() {
        Ok(()) => Some(()),
        Err(error) => {
            last = Some(error);
            None
        }
    });
    started.with_context(|| format!("{}: {last:?}", node(index).code))
}

fn clock_is_off(servers: &Servers, node: usize) -> Result<bool> {
    let now: i64 = servers.clusters[node]
        .connect()?
        .query_one("select extract(epoch from clock_timestamp())::bigint", &[])?
        .get(0);
    Ok((now - chrono::Utc::now().timestamp()).abs() > 60)
}

/// Where Debian's package libfaketime has it; without it clocks are right.
fn libfaketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let library = |folder: std::fs::DirEntry| folder.path().join("faketime/libfaketime.so.1");
    folders.flatten().map(library).find(|library| library.is_file())
}

/// A process of a server that sends or applies rows.
fn worker(servers: &Servers, node: usize, which: u64) -> Option<Process> {
    let workers = "select pid from pg_stat_activity where backend_type = 'walsender' or backend_type like 'logical replication%worker' order by pid";
    let rows = servers.clusters[node].connect().ok()?.query(workers, &[]).ok()?;
    let count = u64::try_from(rows.len()).ok().filter(|count| *count > 0)?;
    Process::of(rows[usize::try_from(which % count).ok()?].get(0))
}

fn subscription(servers: &Servers, store: usize, at_central: bool, how: &str) -> Result<()> {
    let (at, name) = match at_central {
        true => (0, format!("tpv_from_{}", node(store + 1).code.to_lowercase())),
        false => (store + 1, "tpv_from_central".to_owned()),
    };
    Ok(servers.clusters[at].connect()?.batch_execute(&format!("alter subscription {name} {how}"))?)
}

fn lose_slot(servers: &Servers, store: usize) -> Result<()> {
    let slot = format!("tpv_to_{}", node(store + 1).code.to_lowercase());
    let drop = format!(
        "do $$ begin \
           perform pg_terminate_backend(active_pid, 500) from pg_replication_slots where slot_name = '{slot}' and active; \
           perform pg_drop_replication_slot('{slot}'); end $$"
    );
    let mut central = servers.clusters[0].connect()?;
    // The store's worker comes back at once, and may be quicker.
    until("a slot is dropped", Duration::from_secs(2), || central.batch_execute(&drop).ok())
}

/// Tries with `nowait`, again and again. `lock_timeout` would not do: where the clock is ahead it
/// fires that much later, since libfaketime does not fake the time inside signal handlers, and a
/// session that waits for such a lock keeps all others waiting.
fn upgrade(servers: &Servers, index: usize) -> Result<()> {
    let mut dba = servers.clusters[index].connect()?;
    let change = "begin; lock table party.customer, catalog.product in access exclusive mode nowait; \
         alter table party.customer add column if not exists loyalty text; \
         alter table catalog.product add column if not exists origin text; commit";
    until("the tables are free", Duration::from_secs(3), || match dba.batch_execute(change) {
        Ok(()) => Some(()),
        Err(_) => {
            let _ = dba.batch_execute("rollback");
            None
        }
    })
}

/// As the owner of the tables, past everything that a store does by itself.
fn poison(servers: &Servers, store: usize, how: u64, number: usize) -> Result<Poison> {
    let id = node(store + 1).id;
    let key = known(how % 7);
    let mut dba = servers.clusters[store + 1].connect()?;
    let operations = [
        ("party.customer", "no JSON", "{}"),
        ("party.customer", r#"{"@future":1}"#, "{}"),
        ("party.customer", r#"{"name":"x"}"#, r#"{"name":[[1]]}"#),
        ("no.table", r#"{"name":"x"}"#, "{}"),
    ];
    match usize::try_from(how % 6).unwrap_or(0) {
        way @ 0..4 => {
            let (table, patch, base) = operations[way];
            let mut work = dba.transaction()?;
            work.batch_execute("select from sync.op_counter for update nowait")?;
            // Even the owner has no session that writes on a row that is erased there.
            let erased = work.query_one("select sync.is_erased($1, $2)", &[&table, &key.to_string()])?;
            anyhow::ensure!(!erased.get::<_, bool>(0), "the row is erased");
            let count = "update sync.op_counter set last_seq = last_seq + 1 where node_id = $1 returning last_seq";
            let seq: i64 = work.query_one(count, &[&id])?.get(0);
            let insert = "insert into wire.op values ($1, $2, tpv.hlc_now(), $3, $4, $5, $6)";
            work.execute(insert, &[&id, &seq, &table, &key.to_string(), &patch, &base])?;
            work.commit()?;
            Ok(Poison { store, seq: Some(seq) })
        }
        way => {
            let kind = ["riddle", "receipt"][way - 4];
            let insert = "insert into wire.doc (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash) \
                          values ($1, gen_random_uuid(), current_date, $2, tpv.hlc_now(), 1, $3, 1, decode(repeat('00', 32), 'hex'), 'no JSON', sha256('no JSON'))";
            dba.execute(insert, &[&id, &kind, &format!("poison-{number}")])?;
            Ok(Poison { store, seq: None })
        }
    }
}
