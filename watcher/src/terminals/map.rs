//! All terminals, by code, and whether `in/` itself can be read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::config::Config;
use crate::spool::folders::Spool;
use crate::terminals::terminal::Terminal;

pub struct Terminals {
    by_code: Mutex<BTreeMap<String, Arc<Terminal>>>,
    /// Rings when in/ changes, and when a terminal is new.
    pub bell: Arc<Notify>,
    /// Set when in/ has been listed for the first time.
    listed: AtomicBool,
    root_up: AtomicBool,
    /// The folder in/.
    root: PathBuf,
    share: bool,
}

impl Terminals {
    pub fn new(config: &Config, spool: &Spool) -> Self {
        Self {
            by_code: Mutex::default(),
            bell: Arc::default(),
            listed: AtomicBool::new(false),
            root_up: AtomicBool::new(true),
            root: spool.inbox.clone(),
            share: config.share,
        }
    }

    /// The terminal of this code. One that is new is made here, and started by the supervisor.
    pub fn get(&self, code: &str) -> Arc<Terminal> {
        let mut by_code = self.by_code.lock();
        let terminal = by_code.entry(code.to_owned()).or_insert_with(|| {
            self.bell.notify_one();
            Arc::new(Terminal::new(code, self.root.join(code), self.share))
        });
        Arc::clone(terminal)
    }

    pub fn all(&self) -> Vec<Arc<Terminal>> {
        self.by_code.lock().values().cloned().collect()
    }

    pub fn set_listed(&self) {
        self.listed.store(true, Ordering::Relaxed);
    }

    /// True once every terminal has had nothing left to do. One whose inbox is missing has nothing
    /// to do.
    pub fn have_caught_up(&self) -> bool {
        self.listed.load(Ordering::Relaxed) && self.by_code.lock().values().all(|terminal| terminal.has_caught_up())
    }

    /// Notes whether in/ is there. True when that is news.
    pub fn set_root_up(&self, up: bool) -> bool {
        self.root_up.swap(up, Ordering::Relaxed) != up
    }

    /// The inboxes that cannot be read.
    pub fn down(&self) -> Vec<String> {
        let mut down: Vec<String> =
            self.by_code.lock().values().filter(|it| it.is_down()).map(|terminal| terminal.code.clone()).collect();
        if !self.root_up.load(Ordering::Relaxed) {
            down.push("in/ itself".to_owned());
        }
        down
    }
}
