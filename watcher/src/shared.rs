//! What all parts of the watcher use. What only one part needs belongs to that part.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;
use tpv_connect::with_sources;

use crate::config::Config;
use crate::database::calls::Database;
use crate::failure::fault::{DatabaseFault, Fault};
use crate::failure::gate::Gate;
use crate::metrics::Metrics;
use crate::spool::folders::Spool;
use crate::spool::fsync::Strikes;

pub struct Shared {
    pub config: Config,
    pub spool: Spool,
    pub database: Database,
    /// The gate before all that writes to stage/, out/, archive/ or quarantine/.
    pub disk: Gate,
    pub metrics: Metrics,
    pub strikes: Strikes,
    stop: watch::Sender<bool>,
    /// The fault that made the watcher stop.
    failed: Mutex<Option<Fault>>,
    bug_logged_at: Mutex<Option<Instant>>,
}

impl Shared {
    pub fn new(config: Config, spool: Spool) -> anyhow::Result<Self> {
        let metrics = Metrics::new()?;
        let gate = |name| Gate::new(name, metrics.gates.with_label_values(&[name]));
        Ok(Self {
            database: Database::new(&config, gate("database"))?,
            disk: gate("disk"),
            strikes: Strikes::new(metrics.fsync_failed.clone()),
            stop: watch::Sender::new(false),
            failed: Mutex::default(),
            bug_logged_at: Mutex::default(),
            config,
            spool,
            metrics,
        })
    }

    /// Reports a fault to whoever it concerns. The caller decides what becomes of the file that met
    /// it.
    pub fn report(&self, fault: Fault) {
        use DatabaseFault::{Bug, Contention, Machine};
        match &fault {
            Fault::Database(Machine(_)) => self.database.gate.fail(&with_sources(&fault)),
            Fault::Database(Contention(_)) => tracing::debug!(error = with_sources(&fault), "will be tried again"),
            Fault::Database(Bug(_)) => {
                // Each file of a long backlog may meet the same one.
                let mut logged_at = self.bug_logged_at.lock();
                if logged_at.is_none_or(|at| at.elapsed() > Duration::from_secs(5)) {
                    *logged_at = Some(Instant::now());
                    tracing::error!(error = with_sources(&fault), "will be tried again");
                }
            }
            Fault::Inbox { .. } => tracing::warn!(error = with_sources(&fault), "will be tried again"),
            Fault::Disk { .. } => self.disk.fail(&with_sources(&fault)),
            Fault::Fsync { .. } => {
                self.disk.fail(&with_sources(&fault));
                self.end_with(fault);
            }
            Fault::SpoolReplaced => self.end_with(fault),
        }
    }

    /// Stops the watcher for a fault that only a restart can repair.
    fn end_with(&self, fault: Fault) {
        self.failed.lock().get_or_insert(fault);
        self.stop();
    }

    /// Every task ends when it is done with what it has begun.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// The first fault that made the watcher stop.
    pub fn take_failure(&self) -> Option<Fault> {
        self.failed.lock().take()
    }
}
