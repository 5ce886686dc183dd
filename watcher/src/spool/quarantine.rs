//! `quarantine/<YYYYMMDD>/<TERMINAL>/`: what is not a receipt, each file with a `.reason.json`
//! beside it.
//!
//! The reason is written first, so a file in quarantine always has one. This works while the
//! database is down: a file that the watcher refuses on its own judgement is marked `recorded:
//! false` until the database knows of it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::failure::fault::Fault;
use crate::spool::archive::Moved;
use crate::spool::fingerprint::Fingerprint;
use crate::spool::folders::{Spool, today};
use crate::spool::fsync::{Strikes, write_synced};
use crate::spool::rename::{make_below, no_replace, numbered};

#[derive(Debug, Serialize, Deserialize)]
pub struct Reason {
    /// Stable: EMPTY_FILE, TRUNCATED, TOO_LARGE, NOT_A_FILE, or one of the database's.
    pub code: String,
    /// JSON pointer to what is wrong; empty for the whole file.
    pub pointer: String,
    pub detail: String,
    pub terminal: String,
    pub file: String,
    pub size_bytes: u64,
    /// Of the content, in hex. None when there is no content, or too much of it.
    pub sha256: Option<String>,
    pub at: String,
    /// Does the database have a row for it in sales.rejected?
    pub recorded: bool,
}

impl Reason {
    pub fn new(terminal: &str, name: &OsStr, size_bytes: u64, code: &str, detail: &str) -> Self {
        Self {
            code: code.to_owned(),
            pointer: String::new(),
            detail: detail.to_owned(),
            terminal: terminal.to_owned(),
            file: name.to_string_lossy().into_owned(),
            size_bytes,
            sha256: None,
            at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            recorded: false,
        }
    }
}

/// Moves `source` to quarantine, if it still is what was read. Returns where it went.
pub fn refuse(
    spool: &Spool,
    strikes: &Strikes,
    source: &Path,
    read: &Fingerprint,
    reason: &Reason,
) -> Result<Moved, Fault> {
    let still = |path: &Path| fs::symlink_metadata(path).is_ok_and(|it| Fingerprint::of(&it).same_content(read));
    let Some(name) = source.file_name() else { return Ok(Moved::Replaced) };
    let folder = spool.quarantine.join(today()).join(&reason.terminal);
    make_below(&spool.quarantine, &folder).map_err(Fault::disk("create", &folder))?;
    for copy in 1.. {
        let to = folder.join(numbered(name, copy));
        let note = reason_path(&to);
        // A reason without a file was left by a crash and is written over, unless it is a
        // quarantined file itself.
        if exists(&to) || (exists(&note) && exists(&reason_path(&note))) {
            continue;
        }
        if !still(source) {
            return Ok(Moved::Replaced);
        }
        write_synced(&note, &text(reason), strikes)?;
        match no_replace(source, &to) {
            Ok(()) if still(&to) || no_replace(&to, source).is_err() => {
                strikes.sync_folder(&folder)?;
                return Ok(Moved::To(to));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) if exists(source) => return Err(Fault::moving(source)(error)),
            Ok(()) | Err(_) => {}
        }
        let _ = fs::remove_file(&note);
        return Ok(Moved::Replaced);
    }
    Ok(Moved::Replaced)
}

/// The hash of a file that was not read whole, in hex. None for a very large one: reading it would
/// take too long.
pub fn hash_of(path: &Path, size: u64) -> Option<String> {
    const LIMIT: u64 = 256 << 20;
    if size > LIMIT {
        return None;
    }
    let mut file = File::open(path).ok()?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// The quarantined files that the database does not know of, by their reasons.
pub fn unrecorded(spool: &Spool) -> Vec<PathBuf> {
    let list = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    list(&spool.quarantine)
        .flat_map(|day| list(&day).collect::<Vec<_>>())
        .flat_map(|terminal| list(&terminal).collect::<Vec<_>>())
        .filter(|file| {
            !file.as_os_str().as_bytes().ends_with(b".reason.json") && read_reason(file).is_some_and(|it| !it.recorded)
        })
        .collect()
}

pub fn read_reason(file: &Path) -> Option<Reason> {
    serde_json::from_slice(&fs::read(reason_path(file)).ok()?).ok()
}

/// Writes the reason of a quarantined file anew, so that a crash leaves the old one or the new one.
pub fn replace_reason(file: &Path, reason: &Reason, strikes: &Strikes) -> Result<(), Fault> {
    let note = reason_path(file);
    let mut name = OsStr::new(".").to_owned();
    name.push(note.file_name().unwrap_or_default());
    // No room for the dot: written in place. A crash may cut the reason short, but never loses the
    // file.
    if name.len() > 255 {
        return write_synced(&note, &text(reason), strikes);
    }
    let new = note.with_file_name(&name);
    write_synced(&new, &text(reason), strikes)?;
    fs::rename(&new, &note).map_err(Fault::disk("replace", &note))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn text(reason: &Reason) -> Vec<u8> {
    // A struct of strings and numbers always has a JSON text.
    let mut text = serde_json::to_vec_pretty(reason).unwrap_or_default();
    text.push(b'\n');
    text
}

fn reason_path(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".reason.json");
    file.with_file_name(name)
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use prometheus::IntCounter;

    use super::*;

    struct Setup {
        _root: tempfile::TempDir,
        spool: Spool,
        strikes: Strikes,
    }

    impl Setup {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let spool = Spool::open(root.path()).unwrap();
            Self { _root: root, spool, strikes: Strikes::new(IntCounter::new("a", "a").unwrap()) }
        }

        fn folder(&self) -> PathBuf {
            self.spool.quarantine.join(today()).join("T01")
        }

        fn refuse(&self, name: &str) -> Moved {
            let source = self.spool.inbox.join(name);
            fs::write(&source, name).unwrap();
            let read = Fingerprint::of(&fs::symlink_metadata(&source).unwrap());
            let reason = Reason::new("T01", OsStr::new(name), read.size, "TRUNCATED", "why");
            refuse(&self.spool, &self.strikes, &source, &read, &reason).unwrap()
        }
    }

    #[test]
    fn each_of_two_files_of_one_name_has_its_own_reason() {
        let setup = Setup::new();
        assert_eq!(setup.refuse("a"), Moved::To(setup.folder().join("a")));
        assert_eq!(setup.refuse("a"), Moved::To(setup.folder().join("a~2")));
        assert!(setup.folder().join("a~2.reason.json").exists());
        assert_eq!(unrecorded(&setup.spool).len(), 2);
    }

    #[test]
    fn a_reason_whose_file_never_came_is_used_again() {
        let setup = Setup::new();
        fs::create_dir_all(setup.folder()).unwrap();
        fs::write(setup.folder().join("a.reason.json"), "torn").unwrap();
        assert_eq!(setup.refuse("a"), Moved::To(setup.folder().join("a")));
        assert_eq!(read_reason(&setup.folder().join("a")).unwrap().code, "TRUNCATED");
    }

    #[test]
    fn a_file_that_is_called_like_a_reason_is_not_taken_for_one() {
        let setup = Setup::new();
        assert_eq!(setup.refuse("a.reason.json"), Moved::To(setup.folder().join("a.reason.json")));
        assert_eq!(setup.refuse("a"), Moved::To(setup.folder().join("a~2")));
        assert_eq!(fs::read_to_string(setup.folder().join("a.reason.json")).unwrap(), "a.reason.json");
    }

    #[test]
    fn a_hash_is_written_and_read_in_hex() {
        assert_eq!(unhex(&hex(&[0, 1, 0xAB, 0xFF])), [0, 1, 0xAB, 0xFF]);
    }
}
