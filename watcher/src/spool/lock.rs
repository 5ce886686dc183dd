//! The lock on the spool: one watcher alone works on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::spool::folders::SpoolError;

/// Whoever holds the lock on this file may work on the spool; its text says who that is.
pub const LOCK_FILE: &str = ".watcher.lock";

/// Held as long as the process lives; the kernel releases it however the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    pub fn take(root: &Path) -> Result<Self, SpoolError> {
        let path = root.join(LOCK_FILE);
        let unusable = |source| SpoolError::Unusable { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&path)
            .map_err(unusable)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { file }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(unusable)?;
                let pid = serde_json::from_str::<serde_json::Value>(&holder).ok().and_then(|it| it["pid"].as_u64());
                let holder = pid.map_or_else(|| "it has just started".to_owned(), |pid| format!("pid {pid}"));
                Err(SpoolError::Locked { holder })
            }
            Err(error) => Err(unusable(error.into())),
        }
    }

    /// The file that is locked, to be compared with the one that has its name now.
    pub fn identity(&self) -> io::Result<(u64, u64)> {
        self.file.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Writes into the file who holds it and where that process answers HTTP.
    pub fn write(&mut self, listen: Option<SocketAddr>) -> io::Result<()> {
        let text = serde_json::json!({ "pid": std::process::id(), "listen": listen.map(|it| it.to_string()) });
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_and_names_the_holder() {
        let root = tempfile::tempdir().unwrap();
        let mut held = Lock::take(root.path()).unwrap();
        held.write(None).unwrap();
        let error = Lock::take(root.path()).unwrap_err();
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(held);
        Lock::take(root.path()).unwrap();
    }
}
