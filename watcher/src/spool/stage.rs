//! stage/: where the bytes of a .dat wait, on disk, for their transaction to be committed.
//!
//! A staged file says "not visible yet", whatever became of the process or of the file in out/. Nothing else is needed
//! to know after a crash what must still be published.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use prometheus::IntCounter;
use sha2::{Digest, Sha256};

use crate::failure::fault::Fault;
use crate::spool::folders::Spool;
use crate::spool::rename::sync_folder;

/// What is to become visible as out/<folder>/<name>, and perhaps an empty file after it that says "take it".
#[derive(Clone, Debug)]
pub struct Dat {
    pub folder: String,
    pub name: String,
    pub trigger: Option<String>,
    pub bytes: Arc<[u8]>,
}

impl Dat {
    pub fn new(folder: String, name: String, bytes: Vec<u8>, trigger: Option<String>) -> Result<Self, String> {
        check_names(&folder, &name, trigger.as_deref())?;
        Ok(Self { folder, name, trigger, bytes: bytes.into() })
    }
}

/// Names become paths, so they are checked here too, whoever made them. `@` and `:` part the pieces of staged names.
pub fn check_names(folder: &str, name: &str, trigger: Option<&str>) -> Result<(), String> {
    let plain = |text: &str| !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\0', ':']);
    if plain(folder) && !folder.contains('@') && plain(name) && trigger.is_none_or(plain) {
        Ok(())
    } else {
        Err("a name for out/ that can not be used as one".to_owned())
    }
}

/// stage/<folder>@<name>
pub fn path(spool: &Spool, folder: &str, name: &str) -> PathBuf {
    spool.stage.join(format!("{folder}@{name}"))
}

/// stage/<folder>@<name>:<trigger>. Alone in the stage, it says that the .dat is visible and the trigger is not.
pub fn trigger_path(spool: &Spool, folder: &str, name: &str, trigger: &str) -> PathBuf {
    spool.stage.join(format!("{folder}@{name}:{trigger}"))
}

/// The trigger that is staged for a .dat, when only the stage still knows of it.
pub fn staged_trigger(spool: &Spool, folder: &str, name: &str) -> io::Result<Option<String>> {
    for entry in fs::read_dir(&spool.stage)? {
        if let Some((f, n, Some(trigger))) = entry?.file_name().to_str().and_then(parse)
            && (f, n) == (folder, name)
        {
            return Ok(Some(trigger.to_owned()));
        }
    }
    Ok(None)
}

/// The folder, name and trigger that a file in the stage is for.
pub fn parse(file_name: &str) -> Option<(&str, &str, Option<&str>)> {
    let (folder, rest) = file_name.split_once('@')?;
    let (name, trigger) = rest.split_once(':').map_or((rest, None), |(name, trigger)| (name, Some(trigger)));
    check_names(folder, name, trigger).ok().map(|()| (folder, name, trigger))
}

/// Writes one .dat to the stage so that a power cut leaves it whole. The caller syncs the folder, once for many.
pub fn write(spool: &Spool, dat: &Dat, strikes: &Strikes) -> Result<(), Fault> {
    write_synced(&path(spool, &dat.folder, &dat.name), &dat.bytes, strikes)?;
    match &dat.trigger {
        Some(trigger) => write_synced(&trigger_path(spool, &dat.folder, &dat.name, trigger), &[], strikes),
        None => Ok(()),
    }
}

/// Is there a staged file with these very bytes?
pub fn holds(spool: &Spool, folder: &str, name: &str, sha256: &[u8]) -> io::Result<bool> {
    match fs::read(path(spool, folder, name)) {
        Ok(bytes) => Ok(Sha256::digest(bytes).as_slice() == sha256),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Failed fsyncs in a row, over the whole process.
#[derive(Debug)]
pub struct Strikes {
    in_a_row: AtomicU32,
    counter: IntCounter,
}

impl Strikes {
    pub const fn new(counter: IntCounter) -> Self {
        Self { in_a_row: AtomicU32::new(0), counter }
    }

    fn failed(&self) -> bool {
        self.counter.inc();
        self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 >= 3
    }

    fn succeeded(&self) {
        self.in_a_row.store(0, Ordering::Relaxed);
    }

    /// Syncs a folder. There is no writing it anew, so a failure is the disk's.
    pub fn sync_folder(&self, folder: &Path) -> Result<(), Fault> {
        match sync_folder(folder) {
            Ok(()) => {
                self.succeeded();
                Ok(())
            }
            // A folder that is gone was not a failed fsync.
            Err(source) if source.kind() != io::ErrorKind::NotFound && self.failed() => {
                Err(Fault::Fsync { path: folder.to_path_buf(), source })
            }
            Err(source) => Err(Fault::Disk { what: "sync", path: folder.to_path_buf(), source }),
        }
    }
}

/// Creates or replaces a file. After a failed fsync the kernel may call the lost pages clean, and a second fsync of the
/// same file would lie; so the file is thrown away and written anew as another one.
pub fn write_synced(path: &Path, bytes: &[u8], strikes: &Strikes) -> Result<(), Fault> {
    loop {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o640)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(path)
            .map_err(Fault::disk("create", path))?;
        file.write_all(bytes).map_err(Fault::disk("write", path))?;
        let Err(source) = file.sync_all() else {
            strikes.succeeded();
            return Ok(());
        };
        drop(file);
        fs::remove_file(path).map_err(Fault::disk("remove", path))?;
        // Where space is found only when it is written back, a full disk shows here. It is not a lying disk.
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Err(Fault::disk("write", path)(source));
        }
        if strikes.failed() {
            return Err(Fault::Fsync { path: path.to_path_buf(), source });
        }
        tracing::warn!(path = %path.display(), error = %source, "fsync failed, writing the file anew");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_their_folder_are_refused() {
        for name in ["", ".", "..", "../x", "a/b", "/x", "a\0b", ".hidden"] {
            assert!(check_names("20260630", name, None).is_err(), "{name:?}");
            assert!(check_names(name, "a.dat", None).is_err(), "{name:?}");
            assert!(check_names("20260630", "a.dat", Some(name)).is_err(), "{name:?}");
        }
        assert!(check_names("20260630", "scon041@2.dat", Some("scon041.ok")).is_ok());
    }

    #[test]
    fn a_staged_name_tells_what_it_is_for() {
        assert_eq!(parse("20260630@scon@1.dat"), Some(("20260630", "scon@1.dat", None)));
        assert_eq!(parse("20260630@a.dat:a.ok"), Some(("20260630", "a.dat", Some("a.ok"))));
        assert_eq!(parse(".probe"), None);
    }
}
