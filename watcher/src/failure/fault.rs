//! What can go wrong for more than one file, and who must be told.

use std::io;
use std::path::{Path, PathBuf};

use crate::database::calls::DbFault;

#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the database did not do it")]
    Database(#[from] DbFault),
    #[error("could not {what} {path}")]
    Disk { what: &'static str, path: PathBuf, source: io::Error },
    /// A terminal's own folder will not let a file go: no business of the other terminals.
    #[error("the inbox does not let {path} go")]
    Inbox { path: PathBuf, source: io::Error },
    /// Three fsyncs in a row failed. The page cache can no longer be trusted: the process ends and recovers.
    #[error("fsync failed three times in a row, last at {path}")]
    Fsync { path: PathBuf, source: io::Error },
    #[error("another spool lies where this watcher began to work")]
    SpoolReplaced,
}

impl Fault {
    pub fn disk(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { what, path: path.to_path_buf(), source }
    }
}

/// A source that could not be moved away: whose fault was that?
pub fn moving(path: &Path) -> impl FnOnce(io::Error) -> Fault {
    move |source| match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices => {
            Fault::Inbox { path: path.to_path_buf(), source }
        }
        _ => Fault::disk("move away", path)(source),
    }
}

/// An error with all its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
