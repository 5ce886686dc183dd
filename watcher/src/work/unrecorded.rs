//! Refusals that the database does not know of yet. The watcher refuses files also while the
//! database is down.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tpv_connect::with_sources;

use crate::blocking::blocking;
use crate::database::calls::Rejection;
use crate::failure::breaker::{Backoff, jitter};
use crate::failure::fault::{DatabaseFault, Fault};
use crate::shared::Shared;
use crate::spool::folders::Spool;
use crate::spool::quarantine::{self, read_reason, replace_reason, unhex};

pub struct Unrecorded {
    /// The quarantined files, oldest first.
    queue: Mutex<VecDeque<PathBuf>>,
    bell: Notify,
}

impl Unrecorded {
    /// Begins with what an earlier run left.
    pub fn find(spool: &Spool) -> Self {
        Self { queue: Mutex::new(quarantine::unrecorded(spool).into()), bell: Notify::new() }
    }

    pub fn push(&self, file: PathBuf) {
        self.queue.lock().push_back(file);
        self.bell.notify_one();
    }

    /// The next file to record, and how many there are.
    fn next(&self) -> (Option<PathBuf>, usize) {
        let queue = self.queue.lock();
        (queue.front().cloned(), queue.len())
    }
}

/// Tells the database of every refusal that it does not know of, for as long as the watcher runs.
pub async fn keep_recording(shared: Arc<Shared>, unrecorded: Arc<Unrecorded>) {
    let mut backoff = Backoff::default();
    loop {
        let (next, count) = unrecorded.next();
        shared.metrics.unrecorded.set(i64::try_from(count).unwrap_or(i64::MAX));
        let Some(file) = next else {
            unrecorded.bell.notified().await;
            continue;
        };
        shared.database.gate.wait().await;
        match record(&shared, &file).await {
            Ok(()) => {
                backoff.reset();
                unrecorded.queue.lock().pop_front();
            }
            Err(fault) => {
                if let Fault::Database(DatabaseFault::Machine(_)) = &fault {
                    shared.database.gate.fail(&with_sources(&fault));
                }
                let pause = backoff.next(jitter());
                tracing::warn!(file = %file.display(), error = with_sources(&fault), pause_ms = pause.as_millis(),
                    "a refusal could not be recorded");
                tokio::time::sleep(pause).await;
                // The database may never take this one. The others do not wait for it.
                unrecorded.queue.lock().rotate_left(1);
            }
        }
    }
}

async fn record(shared: &Arc<Shared>, file: &Path) -> Result<(), Fault> {
    let path = file.to_path_buf();
    let limit = shared.config.max_file_bytes;
    let found = blocking(move || {
        let reason = read_reason(&path)?;
        let is_file = fs::symlink_metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= limit);
        let raw = if is_file { fs::read(&path).ok() } else { None };
        Some((reason, raw))
    })
    .await;
    // Somebody took it away: there is nothing left to tell.
    let Some((mut reason, raw)) = found else { return Ok(()) };
    let sha256 = match (&raw, &reason.sha256) {
        (Some(raw), _) => Sha256::digest(raw).to_vec(),
        (None, Some(hex)) => unhex(hex),
        // A file without content is known by its name.
        (None, None) => Sha256::digest(format!("{}\0{}\0{}", reason.code, reason.file, reason.size_bytes)).to_vec(),
    };
    let rejection = Rejection {
        terminal: &reason.terminal,
        file_name: &reason.file,
        size_bytes: i64::try_from(reason.size_bytes).unwrap_or(i64::MAX),
        sha256: &sha256,
        code: &reason.code,
        detail: &reason.detail,
        raw: raw.as_deref(),
    };
    shared.database.record_rejection(&rejection).await?;
    reason.recorded = true;
    let (shared, file) = (Arc::clone(shared), file.to_path_buf());
    blocking(move || replace_reason(&file, &reason, &shared.strikes)).await
}
