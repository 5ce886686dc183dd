//! Which inboxes there are: starts a terminal for each folder of in/, and keeps the bells hung where the folders are.
//!
//! A folder can be renamed and made again, mounted over or unmounted without any event. So each is told by its device
//! and inode, compared several times a second. What lies in it is none of this file's business: the terminals scan.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::inbox::bell::{Bell, Inotify};
use crate::spool::folders::identity;
use crate::terminals::terminal::Terminal;
use crate::watcher::{Watcher, blocking};
use crate::work::queue;

const COMPARE_EVERY: Duration = Duration::from_millis(250);

type Identity = (u64, u64);

/// One listing of in/.
#[derive(Default)]
struct Listing {
    root: Option<Identity>,
    /// Code → the folder's identity, and whether it lies on a share.
    inboxes: BTreeMap<String, (Identity, bool)>,
    /// Folders whose names are no terminal codes.
    odd: Vec<String>,
}

/// Runs until the watcher stops, then waits for every terminal's batch in flight.
pub async fn supervise(w: Arc<Watcher>) {
    let mut bell = if w.config.notify { hang_up_bell() } else { None };
    let mut hung: BTreeMap<String, Identity> = BTreeMap::new();
    let mut hung_root = None;
    let mut odd: Vec<String> = Vec::new();
    let mut queues = JoinSet::new();
    let mut stop = w.stopping();
    while !w.is_stopping() {
        let listing = list(&w).await;
        if listing.odd != odd {
            odd.clone_from(&listing.odd);
            tracing::warn!(folders = ?odd, "folders of in/ whose names are no terminal codes are not looked at");
        }
        if w.inbox_root_up.swap(listing.root.is_some(), Ordering::Relaxed) != listing.root.is_some() {
            match listing.root {
                Some(_) => tracing::info!("in/ is back"),
                None => tracing::error!("in/ is gone"),
            }
        }
        if let Some(bell) = bell.as_mut()
            && listing.root != hung_root
        {
            hung_root = rehang(bell.as_mut(), &w.spool.inbox, &w.inbox_bell, listing.root);
        }
        for (code, (identity, share)) in &listing.inboxes {
            let terminal = w.terminal(code);
            terminal.share.store(*share || w.config.share, Ordering::Relaxed);
            if hung.get(code) != Some(identity) {
                if hung.insert(code.clone(), *identity).is_some() {
                    tracing::warn!(terminal = code, "inbox is another folder now, or on another disk");
                }
                if let Some(bell) = bell.as_mut().filter(|_| !share && !w.config.share) {
                    rehang(bell.as_mut(), &terminal.inbox, &terminal.bell, Some(*identity));
                }
                terminal.bell.notify_one();
            }
        }
        hung.retain(|code, _| listing.inboxes.contains_key(code));
        start_new(&w, &mut queues);
        w.inboxes_listed.store(true, Ordering::Relaxed);
        tokio::select! {
            () = tokio::time::sleep(COMPARE_EVERY) => {}
            () = w.inbox_bell.notified() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
    while queues.join_next().await.is_some() {}
}

fn hang_up_bell() -> Option<Box<dyn Bell>> {
    match Inotify::new() {
        Ok(bell) => Some(Box::new(bell)),
        Err(error) => {
            tracing::warn!(error, "no notifications, the scan alone will find new files");
            None
        }
    }
}

fn rehang(
    bell: &mut dyn Bell,
    folder: &Path,
    ring: &Arc<tokio::sync::Notify>,
    now: Option<Identity>,
) -> Option<Identity> {
    bell.unwatch(folder);
    now?;
    match bell.watch(folder, Arc::clone(ring)) {
        Ok(()) => {
            // What came before the watch was in place rings no bell.
            ring.notify_one();
            now
        }
        Err(error) => {
            tracing::warn!(folder = %folder.display(), error, "no notifications for a folder, its scan goes on");
            now
        }
    }
}

fn start_new(w: &Arc<Watcher>, queues: &mut JoinSet<()>) {
    let terminals: Vec<Arc<Terminal>> = w.terminals.lock().values().cloned().collect();
    for terminal in terminals {
        if !terminal.started.swap(true, Ordering::Relaxed) {
            queues.spawn(queue::run(Arc::clone(w), terminal));
        }
    }
}

async fn list(w: &Arc<Watcher>) -> Listing {
    let root = w.spool.inbox.clone();
    blocking(move || {
        let mut listing = Listing { root: identity(&root).ok(), ..Listing::default() };
        for entry in fs::read_dir(&root).into_iter().flatten().flatten() {
            let path = entry.path();
            // A link to a folder is a folder here: inboxes may be mounted or linked in.
            let Ok(identity) = identity(&path) else { continue };
            if !path.is_dir() {
                continue;
            }
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_terminal_code(&name) {
                listing.inboxes.insert(name, (identity, is_share(&path).unwrap_or(false)));
            } else {
                listing.odd.push(name);
            }
        }
        listing.odd.sort();
        listing
    })
    .await
}

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,31}`
pub fn is_terminal_code(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-'))
}

/// Is the folder on a file system that tells nothing and leases nothing? Magic numbers from statfs(2).
fn is_share(folder: &Path) -> io::Result<bool> {
    const NFS: u32 = 0x6969;
    const SMB: u32 = 0x517B;
    const CIFS: u32 = 0xFF53_4D42;
    const SMB2: u32 = 0xFE53_4D42;
    const FUSE: u32 = 0x6573_5546;
    let magic = rustix::fs::statfs(folder)?.f_type;
    // The kernel's type is wider on some machines; the numbers have 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only the low 32 bits carry the number")]
    let magic = magic as u32;
    Ok([NFS, SMB, CIFS, SMB2, FUSE].contains(&magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_code_is_a_plain_name() {
        for good in ["T01", "a", "9.x_y-z", &"x".repeat(32)] {
            assert!(is_terminal_code(good), "{good}");
        }
        for bad in ["", ".x", "-x", "a b", "a/b", "ñ", &"x".repeat(33)] {
            assert!(!is_terminal_code(bad), "{bad}");
        }
    }

    #[test]
    fn a_local_folder_is_no_share() {
        assert!(!is_share(&std::env::temp_dir()).unwrap());
    }
}
