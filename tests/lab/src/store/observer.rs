//! Reads each `.dat` in the moment in which it appears, as the checkout might.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use postgres::Client;

/// What was seen, by `folder/name`.
type Seen = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// Watches `out/` for as long as the value lives.
#[derive(Debug)]
pub struct Observer {
    seen: Seen,
    _watcher: RecommendedWatcher,
}

impl Observer {
    /// Starts watching.
    pub fn start(out: &Path) -> Result<Self> {
        fs::create_dir_all(out)?;
        let (seen, root) = (Seen::default(), out.to_path_buf());
        let shared = Arc::clone(&seen);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            for path in event.paths {
                read_first(&shared, &root, &path);
                // A folder may have been filled before it was watched.
                if matches!(event.kind, EventKind::Create(_)) {
                    fs::read_dir(&path)
                        .into_iter()
                        .flatten()
                        .flatten()
                        .for_each(|it| read_first(&shared, &root, &it.path()));
                }
            }
        })?;
        watcher.watch(out, RecursiveMode::Recursive)?;
        Ok(Self { seen, _watcher: watcher })
    }

    /// How many files it saw.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Files that did not have the published content when they were first seen.
    pub fn torn(&self, dba: &mut Client) -> Result<Vec<String>> {
        let mut torn = Vec::new();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, bytes) in &*seen {
            let (folder, name) = path.split_once('/').unwrap_or_default();
            let published =
                dba.query("select bytes from dat.file where folder = $1 and name = $2", &[&folder, &name])?;
            if published.first().is_none_or(|row| row.get::<_, &[u8]>(0) != bytes) {
                torn.push(format!("{path} had {} bytes", bytes.len()));
            }
        }
        Ok(torn)
    }
}

/// Only the first sight counts. A file that is gone again was withdrawn.
fn read_first(seen: &Seen, out: &Path, path: &Path) {
    if path.extension().is_none_or(|end| end != "dat") {
        return;
    }
    let Some(name) = path.strip_prefix(out).ok().and_then(Path::to_str) else { return };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if !seen.contains_key(name)
        && let Ok(bytes) = fs::read(path)
    {
        seen.insert(name.to_owned(), bytes);
    }
}
