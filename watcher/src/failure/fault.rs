//! The faults of the machine, sorted by who must be told and by what to do about them.
//!
//! What is wrong with one file is no fault: that file is refused, or tried again later.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deadpool_postgres::PoolError;

#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the database call failed")]
    Database(#[from] DatabaseFault),
    #[error("cannot {what} {path}")]
    Disk { what: &'static str, path: PathBuf, source: io::Error },
    /// A terminal's own folder does not allow it. That does not concern the other terminals.
    #[error("cannot move {path} out of its inbox")]
    Inbox { path: PathBuf, source: io::Error },
    /// The page cache can no longer be trusted: the process ends, and recovers at its next start.
    #[error("fsync failed three times in a row, last at {path}")]
    Fsync { path: PathBuf, source: io::Error },
    #[error("another spool has taken the place of the one that this watcher works on")]
    SpoolReplaced,
}

#[derive(Debug, thiserror::Error)]
pub enum DatabaseFault {
    /// The server, or the way to it. All terminals wait.
    #[error("the server is unavailable")]
    Machine(#[source] Cause),
    /// Another session was in the way. Only this terminal tries again.
    #[error("a lock or a conflict was in the way")]
    Contention(#[source] Cause),
    /// A mistake of ours or of the schema's. Trying again at once would not help.
    #[error("the call was refused")]
    Bug(#[source] Cause),
}

#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The message of the server, without DETAIL, which quotes values, and those are a customer's.
    #[error("{code}: {message}")]
    Server { code: String, message: String },
    #[error(transparent)]
    Postgres(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("took longer than {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("{0}")]
    Answer(String),
}

impl Fault {
    pub fn disk(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { what, path: path.to_path_buf(), source }
    }

    /// A source could not be moved away: either its inbox does not allow it, or the disk failed.
    pub fn moving(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices => {
                Self::Inbox { path: path.to_path_buf(), source }
            }
            _ => Self::disk("move away", path)(source),
        }
    }
}
