//! The folders of the spool: which is for what, that they are all there at the start, and that a
//! file can be renamed from one into the other.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Spool {
    pub root: PathBuf,
    pub inbox: PathBuf,
    pub stage: PathBuf,
    pub out: PathBuf,
    pub archive: PathBuf,
    pub quarantine: PathBuf,
    /// The file system of `archive/`: an inbox on another one cannot be emptied by renames.
    pub device: u64,
    /// stage/ is the journal of what is committed and not yet visible. Another folder in its place
    /// would look as if everything were published.
    stage_identity: (u64, u64),
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("the spool folder {path} cannot be used")]
    Unusable { path: PathBuf, source: io::Error },
    #[error("{a} and {b} are on two file systems; a rename between them must be atomic, so put them on one")]
    TwoFileSystems { a: PathBuf, b: PathBuf },
    #[error("another watcher works on this spool: {holder}")]
    Locked { holder: String },
}

impl Spool {
    /// Makes the folders that are missing and checks that renames between them can be atomic.
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

    /// Fails unless stage/ is the very folder that was there at the start.
    pub fn check_stage(&self) -> io::Result<()> {
        if identity(&self.stage)? == self.stage_identity {
            Ok(())
        } else {
            Err(io::Error::other("stage/ was replaced by another folder; put the old one back, or restart the watcher"))
        }
    }

    /// Does the disk work? One small write and fsync in the folders that the watcher writes to.
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

/// Device and inode: tells one folder from another under the same name.
pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

/// The name of today's folder, by the machine's clock: `20260630`.
pub fn today() -> String {
    chrono::Local::now().format("%Y%m%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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
