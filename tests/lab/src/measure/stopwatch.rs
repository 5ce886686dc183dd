//! From the close of a terminal's file to the `.dat` being visible, measured from outside the
//! watcher.
//!
//! The kernel tells when a name appears in `out/`. A name that was there before the day's folder
//! was being watched gets its inode's change time, which the rename into the folder sets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use notify::event::{ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// Watches `out/` and joins what it sees with the times at which inputs were closed.
#[derive(Debug)]
pub struct Stopwatch {
    times: Arc<Mutex<Times>>,
    out: std::path::PathBuf,
    _watcher: RecommendedWatcher,
}

#[derive(Debug, Default)]
struct Times {
    closed: HashMap<String, SystemTime>,
    seen: HashMap<String, SystemTime>,
    last: Option<String>,
}

impl Stopwatch {
    /// Starts watching.
    pub fn start(out: &Path) -> Result<Self> {
        fs::create_dir_all(out)?;
        let times = Arc::new(Mutex::new(Times::default()));
        let shared = Arc::clone(&times);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let now = SystemTime::now();
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Modify(ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_)) {
                return;
            }
            for path in event.paths {
                if path.extension().is_some_and(|end| end == "dat") {
                    saw(&shared, &path, now);
                } else if matches!(event.kind, EventKind::Create(_)) && path.is_dir() {
                    sweep(&shared, &path);
                }
            }
        })?;
        watcher.watch(out, RecursiveMode::Recursive)?;
        Ok(Self { times, out: out.to_path_buf(), _watcher: watcher })
    }

    /// Notes that the input of this `.dat` was closed at this time.
    pub fn closed(&self, dat_name: String, at: SystemTime) {
        lock(&self.times).closed.insert(dat_name, at);
    }

    /// Looks for what the kernel did not tell.
    pub fn sweep(&self) {
        for entry in fs::read_dir(&self.out).into_iter().flatten().flatten() {
            sweep(&self.times, &entry.path());
        }
    }

    /// How many inputs are still without their `.dat`.
    pub fn missing(&self) -> usize {
        let times = lock(&self.times);
        times.closed.keys().filter(|name| !times.seen.contains_key(*name)).count()
    }

    /// Whether each input has its `.dat`. Files that came into a new folder before the kernel was asked to tell
    /// of them are looked for.
    pub fn has_all(&self) -> bool {
        self.missing() == 0 || {
            self.sweep();
            self.missing() == 0
        }
    }

    /// How many `.dat` files were seen, and the path of the last.
    pub fn last(&self) -> (usize, Option<String>) {
        let times = lock(&self.times);
        (times.seen.len(), times.last.clone())
    }

    /// The latencies of all inputs that have their `.dat`.
    pub fn latencies(&self) -> Latencies {
        self.latencies_of(|_| true)
    }

    /// The latencies of those inputs whose `.dat` has such a name.
    pub fn latencies_of(&self, wanted: impl Fn(&str) -> bool) -> Latencies {
        let times = lock(&self.times);
        let pairs = times.closed.iter().filter(|(name, _)| wanted(name));
        let mut all: Vec<_> = pairs
            .filter_map(|(name, closed)| {
                Some((*closed, times.seen.get(name)?.duration_since(*closed).unwrap_or_default()))
            })
            .collect();
        all.sort_by_key(|(closed, _)| *closed);
        Latencies(all.into_iter().map(|(_, latency)| latency).collect())
    }

    /// Forgets everything, for the next round.
    pub fn clear(&self) {
        *lock(&self.times) = Times::default();
    }
}

/// In the order in which the inputs were closed.
#[derive(Clone, Debug, Default)]
pub struct Latencies(pub Vec<Duration>);

impl Latencies {
    /// The smallest value that `share` of all values do not exceed, in milliseconds; 0 when there
    /// is none.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn saw(times: &Mutex<Times>, path: &Path, at: SystemTime) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let times = &mut *lock(times);
    if let Entry::Vacant(unseen) = times.seen.entry(name) {
        unseen.insert(at);
        times.last = path.to_str().map(str::to_owned);
    }
}

fn sweep(times: &Mutex<Times>, folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "dat")
            && let Ok(found) = path.metadata()
        {
            let seconds = Duration::from_secs(found.ctime().unsigned_abs());
            let at = SystemTime::UNIX_EPOCH + seconds + Duration::from_nanos(found.ctime_nsec().unsigned_abs());
            saw(times, &path, at);
        }
    }
}

fn lock(times: &Mutex<Times>) -> MutexGuard<'_, Times> {
    times.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let all = Latencies((1..=100).rev().map(Duration::from_millis).collect());
        assert_eq!((all.percentile_ms(0.5), all.percentile_ms(0.99), all.percentile_ms(1.0)), (50.0, 99.0, 100.0));
        assert_eq!(Latencies::default().percentile_ms(0.99), 0.0);
    }
}
