//! Where a terminal's file goes when it is done: `archive/<YYYYMMDD>/<TERMINAL>/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::fault::Fault;
use crate::spool::fingerprint::Fingerprint;
use crate::spool::folders::{Spool, today};
use crate::spool::fsync::Strikes;
use crate::spool::rename::{into_folder, make_below, no_replace};

/// Where withdrawn .dat files go, beside the terminals' folders.
pub const WITHDRAWN: &str = "withdrawn";

#[derive(Debug, PartialEq, Eq)]
pub enum Moved {
    To(PathBuf),
    /// The file is no longer the one that was read: it stays, and the next scan takes it for a new
    /// one.
    Replaced,
}

/// Moves a source that is done to archive/. The caller syncs the folders, once for many.
pub fn archive(spool: &Spool, terminal: &str, source: &Path, read: &Fingerprint) -> Result<Moved, Fault> {
    move_away(source, read, &spool.archive, &folder(spool, terminal))
}

/// Moves a .dat to archive/<YYYYMMDD>/withdrawn/. False: it is not there, or no longer.
pub fn withdraw(spool: &Spool, strikes: &Strikes, dat: &Path, name: &str) -> Result<bool, Fault> {
    let folder = spool.archive.join(today()).join(WITHDRAWN);
    make_below(&spool.archive, &folder).map_err(Fault::disk("create", &folder))?;
    match into_folder(dat, &folder, name.as_ref()) {
        Ok(_) => strikes.sync_folder(&folder).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Fault::disk("withdraw", dat)(error)),
    }
}

/// Moves `source` to `folder` if it still is what was read, and moves it back if it was replaced at
/// that very moment.
fn move_away(source: &Path, read: &Fingerprint, root: &Path, folder: &Path) -> Result<Moved, Fault> {
    if !fingerprint(source).is_some_and(|now| now.same_content(read)) {
        return Ok(Moved::Replaced);
    }
    let Some(name) = source.file_name() else { return Ok(Moved::Replaced) };
    let moved = match into_folder(source, folder, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && fingerprint(source).is_some() => {
            make_below(root, folder).and_then(|()| into_folder(source, folder, name))
        }
        other => other,
    };
    let to = match moved {
        Ok(to) => to,
        Err(error) if error.kind() == io::ErrorKind::NotFound && fingerprint(source).is_none() => {
            return Ok(Moved::Replaced);
        }
        Err(error) => return Err(Fault::moving(source)(error)),
    };
    if !fingerprint(&to).is_some_and(|now| now.same_content(read)) && no_replace(&to, source).is_ok() {
        return Ok(Moved::Replaced);
    }
    Ok(Moved::To(to))
}

fn folder(spool: &Spool, terminal: &str) -> PathBuf {
    spool.archive.join(today()).join(terminal)
}

fn fingerprint(path: &Path) -> Option<Fingerprint> {
    fs::symlink_metadata(path).ok().map(|metadata| Fingerprint::of(&metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_was_replaced_after_it_was_read_stays() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path()).unwrap();
        let source = spool.inbox.join("a.json");
        fs::write(&source, "one").unwrap();
        let read = fingerprint(&source).unwrap();
        fs::write(&source, "another").unwrap();
        assert_eq!(archive(&spool, "T01", &source, &read).unwrap(), Moved::Replaced);
        assert!(source.exists());
        let read = fingerprint(&source).unwrap();
        let Moved::To(to) = archive(&spool, "T01", &source, &read).unwrap() else { panic!("it was not moved") };
        assert_eq!(to, folder(&spool, "T01").join("a.json"));
    }

    #[test]
    fn two_files_of_one_name_are_both_kept() {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path()).unwrap();
        for _ in 0..2 {
            let source = spool.inbox.join("a.json");
            fs::write(&source, "one").unwrap();
            archive(&spool, "T01", &source, &fingerprint(&source).unwrap()).unwrap();
        }
        assert!(folder(&spool, "T01").join("a.json").exists() && folder(&spool, "T01").join("a.json~2").exists());
    }
}
