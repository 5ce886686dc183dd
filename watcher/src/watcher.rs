//! What every part of the watcher shares, and the start and end of it all.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::database::calls::Db;
use crate::failure::fault::{Fault, chain};
use crate::failure::gate::Gate;
use crate::inbox::supervise as inbox;
use crate::metrics::Metrics;
use crate::spool::folders::{LOCK_FILE, Lock, Spool, identity};
use crate::spool::quarantine;
use crate::spool::stage::Strikes;
use crate::terminals::terminal::Terminal;
use crate::work::operator;
use crate::{recovery, service, status};

pub struct Watcher {
    pub config: Config,
    pub spool: Spool,
    pub db: Db,
    /// Before everything that writes to stage, out, archive or quarantine.
    pub disk: Arc<Gate>,
    pub metrics: Metrics,
    pub strikes: Strikes,
    pub terminals: Mutex<BTreeMap<String, Arc<Terminal>>>,
    /// Rings when in/ changes or a terminal is to be started.
    pub inbox_bell: Arc<Notify>,
    /// One terminal with a long backlog at a time: its batches are long, and those of the others must not wait for many.
    pub bulk: Arc<Semaphore>,
    /// When a terminal without a backlog last had something to do, in milliseconds since the start.
    pub live_at_ms: AtomicU64,
    /// What was in the stage at the start: recovery's work.
    pub left_behind: Mutex<HashSet<String>>,
    /// Decisions that an earlier life may have carried out without saying so.
    pub left_half_done: Mutex<HashSet<i64>>,
    /// Set when in/ has been listed for the first time.
    pub inboxes_listed: AtomicBool,
    /// Staged names that this life has touched: no longer a matter of recovery. None when recovery is over.
    pub touched: Mutex<Option<HashSet<String>>>,
    bug_logged_at_ms: AtomicU64,
    pub unrecorded: Mutex<VecDeque<PathBuf>>,
    pub unrecorded_bell: Notify,
    pub inbox_root_up: AtomicBool,
    started: Instant,
    stop: watch::Sender<bool>,
    failed: Mutex<Option<Fault>>,
}

/// How long batches in flight may take to end when the process is told to.
const DRAIN: Duration = Duration::from_secs(10);

impl Watcher {
    pub fn new(config: Config, spool: Spool) -> anyhow::Result<Self> {
        let metrics = Metrics::new()?;
        let database = Gate::new("database", metrics.gates.with_label_values(&["database"]));
        let disk = Gate::new("disk", metrics.gates.with_label_values(&["disk"]));
        Ok(Self {
            db: Db::new(&config, database)?,
            disk,
            strikes: Strikes::new(metrics.fsync_failed.clone()),
            terminals: Mutex::default(),
            inbox_bell: Arc::default(),
            bulk: Arc::new(Semaphore::new(1)),
            live_at_ms: AtomicU64::new(0),
            left_behind: Mutex::new(recovery::left_behind(&spool)?),
            left_half_done: Mutex::default(),
            unrecorded: Mutex::new(quarantine::unrecorded(&spool).into()),
            inboxes_listed: AtomicBool::new(false),
            touched: Mutex::new(Some(HashSet::new())),
            unrecorded_bell: Notify::new(),
            inbox_root_up: AtomicBool::new(true),
            bug_logged_at_ms: AtomicU64::new(0),
            started: Instant::now(),
            stop: watch::Sender::new(false),
            failed: Mutex::default(),
            config,
            spool,
            metrics,
        })
    }

    /// Works until it is told to stop. An error means that only a fresh start can help.
    pub async fn run(self: Arc<Self>, lock: &mut Lock) -> anyhow::Result<()> {
        let listen = status::serve(Arc::clone(&self)).await?;
        lock.write(Some(listen))?;
        tracing::info!(spool = %self.spool.root.display(), %listen, "watching");
        let mut background = JoinSet::new();
        background.spawn(probe_database(Arc::clone(&self)));
        background.spawn(probe_disk(Arc::clone(&self)));
        background.spawn(check_lock(Arc::clone(&self), lock.identity()?));
        background.spawn(quarantine::keep_recording(Arc::clone(&self)));
        background.spawn(operator::keep_polling(Arc::clone(&self)));
        background.spawn(recovery::run(Arc::clone(&self)));
        let terminals = tokio::spawn(inbox::supervise(Arc::clone(&self)));
        service::ready();
        service::until_told_to_stop(&self).await;
        service::stopping();
        tracing::info!("stopping, batches in flight are finished first");
        self.stop.send_replace(true);
        if tokio::time::timeout(DRAIN, terminals).await.is_err() {
            tracing::warn!("a batch was still in flight after {} s; it is settled at the next start", DRAIN.as_secs());
        }
        background.shutdown().await;
        self.failed.lock().take().map_or(Ok(()), |fault| Err(fault.into()))
    }

    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Tells those concerned of a fault. Nothing is decided here about the file it happened to.
    pub fn report(&self, fault: Fault) {
        use crate::database::calls::DbFault::{Bug, Contention, Machine};
        match &fault {
            Fault::Database(Machine(_)) => self.db.gate.fail(&chain(&fault)),
            Fault::Database(Contention(_)) => tracing::debug!(error = chain(&fault), "will be tried again"),
            Fault::Database(Bug(_)) => {
                // Each file of a long backlog may meet the same one.
                let now = self.now_ms().max(1);
                let last = self.bug_logged_at_ms.load(Ordering::Relaxed);
                if last == 0 || now.saturating_sub(last) > 5_000 {
                    self.bug_logged_at_ms.store(now, Ordering::Relaxed);
                    tracing::error!(error = chain(&fault), "will be tried again");
                }
            }
            Fault::Inbox { .. } => tracing::warn!(error = chain(&fault), "will be tried again"),
            Fault::Disk { .. } => self.disk.fail(&chain(&fault)),
            Fault::Fsync { .. } => {
                self.disk.fail(&chain(&fault));
                self.end_with(fault);
            }
            Fault::SpoolReplaced => self.end_with(fault),
        }
    }

    /// Stops everything; the process fails and is started again.
    fn end_with(&self, fault: Fault) {
        self.failed.lock().get_or_insert(fault);
        self.stop.send_replace(true);
    }

    /// The terminal of this code; made when it is new, started by the supervisor.
    pub fn terminal(&self, code: &str) -> Arc<Terminal> {
        let mut terminals = self.terminals.lock();
        let terminal = terminals.entry(code.to_owned()).or_insert_with(|| {
            self.inbox_bell.notify_one();
            Arc::new(Terminal::new(code, &self.spool, &self.config))
        });
        Arc::clone(terminal)
    }

    pub fn touch(&self, folder: &str, name: &str) {
        if let Some(touched) = self.touched.lock().as_mut() {
            touched.insert(format!("{folder}@{name}"));
        }
    }

    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Has a terminal without a backlog had work within the last second? Then long batches are kept short.
    pub fn others_are_live(&self) -> bool {
        let at = self.live_at_ms.load(Ordering::Relaxed);
        at > 0 && self.now_ms().saturating_sub(at) < 1_000
    }
}

/// Another lock file at the place of ours means another spool there, where another watcher may work already.
async fn check_lock(w: Arc<Watcher>, ours: (u64, u64)) {
    let path = w.spool.root.join(LOCK_FILE);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let path = path.clone();
        if blocking(move || identity(&path)).await.is_ok_and(|now| now != ours) {
            w.end_with(Fault::SpoolReplaced);
            return;
        }
    }
}

/// Runs what touches the disk on a thread of its own: an fsync would hold up everybody on tokio's.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        // It panicked, or the runtime is going away; neither leaves anything to go on with.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

async fn probe_database(w: Arc<Watcher>) {
    w.db.gate.keep_probing(|| w.db.probe()).await;
}

async fn probe_disk(w: Arc<Watcher>) {
    w.disk
        .keep_probing(|| {
            let w = Arc::clone(&w);
            blocking(move || w.spool.probe().map_err(|error| error.to_string()))
        })
        .await;
}
