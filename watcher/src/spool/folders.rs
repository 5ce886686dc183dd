//! The spool: which folder is for what, that they are all there at start, and that one watcher alone works on them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;

#[derive(Debug)]
pub struct Spool {
    pub root: PathBuf,
    pub inbox: PathBuf,
    pub stage: PathBuf,
    pub out: PathBuf,
    pub archive: PathBuf,
    pub quarantine: PathBuf,
    /// The file system of it all.
    pub device: u64,
    /// The stage is the journal of what is committed and not yet visible. Another folder in its place knows nothing.
    stage_identity: (u64, u64),
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the spool folder {path} can not be used")]
    Unusable { path: PathBuf, source: io::Error },
    #[error("{a} and {b} are on two file systems; a rename between them must be atomic, so put them on one")]
    TwoFileSystems { a: PathBuf, b: PathBuf },
    #[error("another watcher works on this spool: {holder}")]
    Locked { holder: String },
}

impl Spool {
    /// Makes what is missing of the folders and checks that renames between them can be atomic.
    pub fn open(root: &Path) -> Result<Self, SpoolError> {
        let folder = |name: &str| {
            let path = if name.is_empty() { root.to_path_buf() } else { root.join(name) };
            DirBuilder::new().recursive(true).mode(0o750).create(&path).and_then(|()| identity(&path)).map_or_else(
                |source| Err(SpoolError::Unusable { path: path.clone(), source }),
                |identity| Ok((path.clone(), identity)),
            )
        };
        let (root, _) = folder("")?;
        let (inbox, inbox_id) = folder("in")?;
        let (stage, stage_id) = folder("stage")?;
        let (out, out_id) = folder("out")?;
        let (archive, archive_id) = folder("archive")?;
        let (quarantine, quarantine_id) = folder("quarantine")?;
        for (a, b) in [
            ((&stage, stage_id), (&out, out_id)),
            ((&inbox, inbox_id), (&archive, archive_id)),
            ((&inbox, inbox_id), (&quarantine, quarantine_id)),
            ((&stage, stage_id), (&archive, archive_id)),
        ] {
            if a.1.0 != b.1.0 {
                return Err(SpoolError::TwoFileSystems { a: a.0.clone(), b: b.0.clone() });
            }
        }
        Ok(Self { root, inbox, stage, out, archive, quarantine, device: archive_id.0, stage_identity: stage_id })
    }

    /// Fails unless the stage is the very folder that was there at start.
    pub fn check_stage(&self) -> io::Result<()> {
        if identity(&self.stage)? == self.stage_identity {
            Ok(())
        } else {
            Err(io::Error::other("stage is another folder than at start; put the old one back, or restart the watcher"))
        }
    }

    /// One small write and fsync where the watcher must be able to write: does the disk work again?
    pub fn probe(&self) -> io::Result<()> {
        self.check_stage()?;
        for folder in [&self.out, &self.quarantine] {
            fs::read_dir(folder)?;
        }
        for folder in [&self.stage, &self.archive] {
            let path = folder.join(".probe");
            let written = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o640)
                .open(&path)
                .and_then(|mut file| file.write_all(&[0; 64 * 1024]).and_then(|()| file.sync_all()));
            let removed = fs::remove_file(&path);
            written.and(removed)?;
        }
        Ok(())
    }
}

pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The folder of the day, by the machine's clock: `20260630`.
pub fn today() -> String {
    chrono::Local::now().format("%Y%m%d").to_string()
}

/// Its lock is the right to work on the spool; its text says who has it.
pub const LOCK_FILE: &str = ".watcher.lock";

/// Held as long as the process lives; the kernel gives it back however the process ends.
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

    /// The lock file that was taken, to be compared with the one at its place.
    pub fn identity(&self) -> io::Result<(u64, u64)> {
        self.file.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
    }

    /// Says in the file who holds it and where it can be asked how it is.
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

    #[test]
    fn a_stage_that_was_replaced_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path()).unwrap();
        spool.probe().unwrap();
        fs::rename(&spool.stage, root.path().join("elsewhere")).unwrap();
        assert!(spool.probe().is_err());
        fs::create_dir(&spool.stage).unwrap();
        assert!(spool.probe().is_err());
    }
}
