//! Notifications: a bell that says "look now", and never what to look at.
//!
//! Events are lost, doubled, and sometimes never come, so nothing depends on them. Only this file
//! knows the library behind the trait.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::RwLock;
use tokio::sync::Notify;

pub trait Bell: Send {
    /// Rings `ring` when something happens in `folder`.
    fn watch(&mut self, folder: &Path, ring: Arc<Notify>) -> Result<(), String>;
    fn unwatch(&mut self, folder: &Path);
}

type Rings = Arc<RwLock<HashMap<PathBuf, Arc<Notify>>>>;

/// One inotify instance for all folders: a user may have only 128.
pub struct Inotify {
    watcher: RecommendedWatcher,
    rings: Rings,
}

impl Inotify {
    pub fn new() -> Result<Self, String> {
        let rings = Rings::default();
        let handler_rings = Arc::clone(&rings);
        let watcher = notify::recommended_watcher(move |event| heard(&handler_rings, event))
            .map_err(|error| error.to_string())?;
        Ok(Self { watcher, rings })
    }
}

impl Bell for Inotify {
    fn watch(&mut self, folder: &Path, ring: Arc<Notify>) -> Result<(), String> {
        self.rings.write().insert(folder.to_path_buf(), ring);
        self.watcher.watch(folder, RecursiveMode::NonRecursive).map_err(|error| error.to_string())
    }

    fn unwatch(&mut self, folder: &Path) {
        self.rings.write().remove(folder);
        // If the folder is gone, so is its watch.
        let _ = self.watcher.unwatch(folder);
    }
}

fn heard(rings: &Rings, event: notify::Result<Event>) {
    let rings = rings.read();
    match event {
        // An overflow has no path, and an error may have none: something was missed, and nobody
        // knows where.
        Err(_) => rings.values().for_each(|ring| ring.notify_one()),
        Ok(event) if event.need_rescan() => rings.values().for_each(|ring| ring.notify_one()),
        Ok(event) if is_echo(event.kind) || is_begun(&event) => {}
        Ok(event) => {
            for path in &event.paths {
                if let Some(ring) = path.parent().and_then(|folder| rings.get(folder)).or_else(|| rings.get(path)) {
                    ring.notify_one();
                }
            }
        }
    }
}

/// A file that was just created and is empty: the terminal is about to write it, and its close will
/// ring. A hard link to a whole file is created too, but nothing follows it.
fn is_begun(event: &Event) -> bool {
    let empty = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.len() == 0);
    event.kind.is_create() && event.paths.iter().all(empty)
}

/// An event that the watcher causes itself by reading and moving files, or a single write of a
/// terminal, whose close will ring.
fn is_echo(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access != AccessKind::Close(AccessMode::Write),
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Name(RenameMode::From)) | EventKind::Remove(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_closed_or_moved_in_rings_and_one_that_is_read_or_moved_out_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let (inside, outside) = (folder.path().join("a"), other.path().join("a"));
        let ring = Arc::new(Notify::new());
        let mut bell = Inotify::new().unwrap();
        bell.watch(folder.path(), Arc::clone(&ring)).unwrap();
        let rung = || tokio::time::timeout(std::time::Duration::from_millis(300), ring.notified());
        std::fs::write(&outside, "a").unwrap();
        std::fs::rename(&outside, &inside).unwrap();
        rung().await.unwrap();
        // The rename may have rung more than once.
        while rung().await.is_ok() {}
        std::fs::read(&inside).unwrap();
        std::fs::rename(&inside, &outside).unwrap();
        assert!(rung().await.is_err());
        std::fs::write(&inside, "b").unwrap();
        rung().await.unwrap();
        while rung().await.is_ok() {}
        std::fs::hard_link(&outside, folder.path().join("link")).unwrap();
        rung().await.unwrap();
    }
}
