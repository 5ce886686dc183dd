//! A terminal as the others know it: how to wake it, what operators decided for it, the state of
//! its inbox.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::metrics::Metrics;
use crate::terminals::actions::Actions;

#[derive(Debug)]
pub struct Terminal {
    pub code: String,
    pub inbox: PathBuf,
    /// "Look now": rung by notifications, by the supervisor, and when an operator decided
    /// something.
    pub bell: Arc<Notify>,
    pub actions: Mutex<Actions>,
    /// No leases, no notifications.
    pub share: AtomicBool,
    state: AtomicU8,
    caught_up: AtomicBool,
}

const UNSEEN: u8 = 0;
const UP: u8 = 1;
const DOWN: u8 = 2;

impl Terminal {
    pub fn new(code: &str, inbox: PathBuf, share: bool) -> Self {
        Self {
            code: code.to_owned(),
            inbox,
            bell: Arc::default(),
            actions: Mutex::default(),
            share: AtomicBool::new(share),
            state: AtomicU8::new(UNSEEN),
            caught_up: AtomicBool::new(false),
        }
    }

    pub fn is_down(&self) -> bool {
        self.state.load(Ordering::Relaxed) == DOWN
    }

    /// Was there a moment since the start when it had nothing left to do?
    pub fn has_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Relaxed)
    }

    /// From now on recovery does not wait for it.
    pub fn set_caught_up(&self) {
        self.caught_up.store(true, Ordering::Relaxed);
    }

    /// Notes whether the inbox can be read, or why not. Logs when that changes.
    pub fn set_inbox(&self, metrics: &Metrics, fault: Option<&str>) {
        let state = if fault.is_none() { UP } else { DOWN };
        match (self.state.load(Ordering::Relaxed), fault) {
            (before, _) if before == state => return,
            // An operator decided something for a terminal that never had an inbox here.
            (UNSEEN, Some(_)) => return,
            (UNSEEN, None) => {
                metrics.terminal_found(&self.code);
                tracing::info!(terminal = self.code, "inbox found");
            }
            (_, None) => tracing::info!(terminal = self.code, "inbox is back"),
            (_, Some(why)) => tracing::warn!(terminal = self.code, why, "inbox cannot be read"),
        }
        self.state.store(state, Ordering::Relaxed);
        metrics.inbox_up.with_label_values(&[self.code.as_str()]).set(i64::from(state == UP));
    }
}
