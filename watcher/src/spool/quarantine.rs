//! `quarantine/<YYYYMMDD>/<TERMINAL>/`: what is not a receipt, each file with a `.reason.json` beside it.
//!
//! The reason is written first, so a file in quarantine always has one. It works while the database is down: what the
//! watcher refuses on its own is marked `recorded: false`, and `keep_recording` tells the database when it is back.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::database::calls::{DbFault, Rejection};
use crate::failure::breaker::{Backoff, jitter};
use crate::failure::fault::{Fault, chain, moving};
use crate::inbox::scan::Print;
use crate::spool::archive::Moved;
use crate::spool::folders::{Spool, today};
use crate::spool::rename::{make_below, no_replace, numbered};
use crate::spool::stage::{Strikes, write_synced};
use crate::watcher::{Watcher, blocking};

#[derive(Debug, Serialize, Deserialize)]
pub struct Reason {
    /// Stable: EMPTY_FILE, TRUNCATED, TOO_LARGE, NOT_A_FILE, or one of the database's.
    pub code: String,
    /// JSON pointer to the fault; empty for the whole file.
    pub pointer: String,
    pub detail: String,
    pub terminal: String,
    pub file: String,
    pub size_bytes: u64,
    /// Of the content, in hex. None for what has none, or too much of it.
    pub sha256: Option<String>,
    pub at: String,
    /// Whether the database has a row for it in sales.rejected.
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
pub fn refuse(spool: &Spool, strikes: &Strikes, source: &Path, read: &Print, reason: &Reason) -> Result<Moved, Fault> {
    let still = |path: &Path| fs::symlink_metadata(path).is_ok_and(|it| Print::of(&it).same_content(read));
    let Some(name) = source.file_name() else { return Ok(Moved::Replaced) };
    let folder = spool.quarantine.join(today()).join(&reason.terminal);
    make_below(&spool.quarantine, &folder).map_err(Fault::disk("create", &folder))?;
    for copy in 1.. {
        let to = folder.join(numbered(name, copy));
        let note = reason_path(&to);
        // A reason without its file is left from a crash, and used again, unless it is itself a quarantined file.
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
            Err(error) if exists(source) => return Err(moving(source)(error)),
            Ok(()) | Err(_) => {}
        }
        let _ = fs::remove_file(&note);
        return Ok(Moved::Replaced);
    }
    Ok(Moved::Replaced)
}

/// The hash of a file that was not read whole. Very large ones are not worth the disk's time.
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

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

/// The quarantined files that the database does not know of, from an earlier life of the watcher.
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

fn read_reason(file: &Path) -> Option<Reason> {
    serde_json::from_slice(&fs::read(reason_path(file)).ok()?).ok()
}

/// Tells the database of every refusal that it has not heard of, oldest first, for as long as the watcher runs.
pub async fn keep_recording(w: Arc<Watcher>) {
    let mut backoff = Backoff::default();
    loop {
        let next = w.unrecorded.lock().front().cloned();
        w.metrics.unrecorded.set(i64::try_from(w.unrecorded.lock().len()).unwrap_or(i64::MAX));
        let Some(file) = next else {
            w.unrecorded_bell.notified().await;
            continue;
        };
        w.db.gate.wait().await;
        match record(&w, &file).await {
            Ok(()) => backoff.reset(),
            Err(fault) => {
                if let Fault::Database(DbFault::Machine(_)) = &fault {
                    w.db.gate.fail(&chain(&fault));
                }
                let pause = backoff.next(jitter());
                tracing::warn!(file = %file.display(), error = chain(&fault), pause_ms = pause.as_millis(),
                    "a refusal could not be recorded");
                tokio::time::sleep(pause).await;
                // The others shall not wait for one that the database will not take.
                w.unrecorded.lock().rotate_left(1);
                continue;
            }
        }
        w.unrecorded.lock().pop_front();
    }
}

async fn record(w: &Arc<Watcher>, file: &Path) -> Result<(), Fault> {
    let path = file.to_path_buf();
    let limit = w.config.max_file_bytes;
    let found = blocking(move || {
        let reason = read_reason(&path)?;
        let is_file = fs::symlink_metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= limit);
        let raw = if is_file { fs::read(&path).ok() } else { None };
        Some((reason, raw))
    })
    .await;
    // A person took it away: nothing left to tell.
    let Some((mut reason, raw)) = found else { return Ok(()) };
    let sha256 = match (&raw, &reason.sha256) {
        (Some(raw), _) => Sha256::digest(raw).to_vec(),
        (None, Some(hex)) => unhex(hex),
        // What has no content is told apart by its name.
        (None, None) => Sha256::digest(format!("{}\0{}\0{}", reason.code, reason.file, reason.size_bytes)).to_vec(),
    };
    w.db.record_rejection(&Rejection {
        terminal: &reason.terminal,
        file_name: &reason.file,
        size_bytes: i64::try_from(reason.size_bytes).unwrap_or(i64::MAX),
        sha256: &sha256,
        code: &reason.code,
        detail: &reason.detail,
        raw: raw.as_deref(),
    })
    .await?;
    reason.recorded = true;
    let (w, note) = (Arc::clone(w), reason_path(file));
    blocking(move || {
        let mut name = OsStr::new(".").to_owned();
        name.push(note.file_name().unwrap_or_default());
        let new = note.with_file_name(&name);
        // A name too long for the dot: written in place, at the risk of a torn reason, never of a lost file.
        if name.len() > 255 {
            return write_synced(&note, &text(&reason), &w.strikes);
        }
        write_synced(&new, &text(&reason), &w.strikes)?;
        fs::rename(&new, &note).map_err(Fault::disk("replace", &note))
    })
    .await
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use prometheus::IntCounter;

    use super::*;

    struct Place {
        _root: tempfile::TempDir,
        spool: Spool,
        strikes: Strikes,
    }

    impl Place {
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
            let read = Print::of(&fs::symlink_metadata(&source).unwrap());
            let reason = Reason::new("T01", OsStr::new(name), read.size, "TRUNCATED", "why");
            refuse(&self.spool, &self.strikes, &source, &read, &reason).unwrap()
        }
    }

    #[test]
    fn each_of_two_files_of_one_name_has_its_own_reason() {
        let place = Place::new();
        assert_eq!(place.refuse("a"), Moved::To(place.folder().join("a")));
        assert_eq!(place.refuse("a"), Moved::To(place.folder().join("a~2")));
        assert!(place.folder().join("a~2.reason.json").exists());
        assert_eq!(unrecorded(&place.spool).len(), 2);
    }

    #[test]
    fn a_reason_whose_file_never_came_is_used_again() {
        let place = Place::new();
        fs::create_dir_all(place.folder()).unwrap();
        fs::write(place.folder().join("a.reason.json"), "torn").unwrap();
        assert_eq!(place.refuse("a"), Moved::To(place.folder().join("a")));
        assert_eq!(read_reason(&place.folder().join("a")).unwrap().code, "TRUNCATED");
    }

    #[test]
    fn a_file_that_is_called_like_a_reason_is_not_taken_for_one() {
        let place = Place::new();
        assert_eq!(place.refuse("a.reason.json"), Moved::To(place.folder().join("a.reason.json")));
        assert_eq!(place.refuse("a"), Moved::To(place.folder().join("a~2")));
        assert_eq!(fs::read_to_string(place.folder().join("a.reason.json")).unwrap(), "a.reason.json");
    }

    #[test]
    fn a_hash_is_written_and_read_in_hex() {
        assert_eq!(unhex(&hex(&[0, 1, 0xAB, 0xFF])), [0, 1, 0xAB, 0xFF]);
    }
}
