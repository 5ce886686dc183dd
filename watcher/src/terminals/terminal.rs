//! A terminal as the others know it: who may ring it, what lies on its desk, how its inbox is.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::spool::folders::Spool;
use crate::work::operator::Desk;

/// What others may know of and do to a terminal.
#[derive(Debug)]
pub struct Terminal {
    pub code: String,
    pub inbox: PathBuf,
    /// "Look now": rung by notifications, the supervisor and the operator's work.
    pub bell: Arc<Notify>,
    pub desk: Mutex<Desk>,
    pub started: AtomicBool,
    /// No leases, no notifications.
    pub share: AtomicBool,
    state: AtomicU8,
    settled: AtomicBool,
}

const UNSEEN: u8 = 0;
const UP: u8 = 1;
const DOWN: u8 = 2;

impl Terminal {
    pub fn new(code: &str, spool: &Spool, config: &Config) -> Self {
        Self {
            code: code.to_owned(),
            inbox: spool.inbox.join(code),
            bell: Arc::default(),
            desk: Mutex::default(),
            started: AtomicBool::new(false),
            share: AtomicBool::new(config.share),
            state: AtomicU8::new(UNSEEN),
            settled: AtomicBool::new(false),
        }
    }

    pub fn is_down(&self) -> bool {
        self.state.load(Ordering::Relaxed) == DOWN
    }

    /// Has it once had nothing more to do?
    pub fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// From now on recovery need not wait for it.
    pub fn set_settled(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    /// Says once that the inbox went, and once that it came back.
    pub fn set_inbox(&self, metrics: &Metrics, fault: Option<&str>) {
        let state = if fault.is_none() { UP } else { DOWN };
        match (self.state.load(Ordering::Relaxed), fault) {
            (before, _) if before == state => return,
            // Work of an operator for a terminal that never had an inbox here.
            (UNSEEN, Some(_)) => return,
            (UNSEEN, None) => tracing::info!(terminal = self.code, "inbox found"),
            (_, None) => tracing::info!(terminal = self.code, "inbox is back"),
            (_, Some(why)) => tracing::warn!(terminal = self.code, why, "inbox can not be read"),
        }
        self.state.store(state, Ordering::Relaxed);
        metrics.inbox_up.with_label_values(&[self.code.as_str()]).set(i64::from(state == UP));
    }
}
