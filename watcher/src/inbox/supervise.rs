//! Which inboxes there are: a terminal's work is started for each folder of in/, and a bell watches
//! each.
//!
//! A folder can be renamed and made again, mounted over or unmounted without any event. So each is
//! known by its device and inode, which are compared several times a second. The files in it are
//! the terminal's business.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::blocking::blocking;
use crate::inbox::bell::{Bell, Inotify};
use crate::shared::Shared;
use crate::spool::folders::identity;
use crate::terminals::map::Terminals;
use crate::terminals::terminal::Terminal;

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

/// Runs until the watcher stops, then waits for every terminal's batch in flight. `work` is what is
/// done for a terminal.
pub async fn supervise<F>(shared: Arc<Shared>, terminals: Arc<Terminals>, work: impl Fn(Arc<Terminal>) -> F + Send)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut bell = if shared.config.notify { hang_bell() } else { None };
    let mut hung: BTreeMap<String, Identity> = BTreeMap::new();
    let mut hung_root = None;
    let mut odd: Vec<String> = Vec::new();
    let mut started = HashSet::new();
    let mut running = JoinSet::new();
    let mut stop = shared.stopping();
    while !shared.is_stopping() {
        let listing = list(&shared).await;
        if listing.odd != odd {
            odd.clone_from(&listing.odd);
            tracing::warn!(folders = ?odd, "folders of in/ are ignored: their names are no terminal codes");
        }
        if terminals.set_root_up(listing.root.is_some()) {
            match listing.root {
                Some(_) => tracing::info!("in/ is back"),
                None => tracing::error!("in/ is gone"),
            }
        }
        if let Some(bell) = bell.as_mut()
            && listing.root != hung_root
        {
            hung_root = rehang(bell.as_mut(), &shared.spool.inbox, &terminals.bell, listing.root);
        }
        for (code, (identity, share)) in &listing.inboxes {
            let terminal = terminals.get(code);
            terminal.share.store(*share || shared.config.share, Ordering::Relaxed);
            if hung.get(code) != Some(identity) {
                if hung.insert(code.clone(), *identity).is_some() {
                    tracing::warn!(terminal = code, "inbox is another folder now, or on another disk");
                }
                if let Some(bell) = bell.as_mut().filter(|_| !share && !shared.config.share) {
                    rehang(bell.as_mut(), &terminal.inbox, &terminal.bell, Some(*identity));
                }
                terminal.bell.notify_one();
            }
        }
        hung.retain(|code, _| listing.inboxes.contains_key(code));
        for terminal in terminals.all() {
            if started.insert(terminal.code.clone()) {
                running.spawn(work(terminal));
            }
        }
        terminals.set_listed();
        tokio::select! {
            () = tokio::time::sleep(COMPARE_EVERY) => {}
            () = terminals.bell.notified() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
    while running.join_next().await.is_some() {}
}

fn hang_bell() -> Option<Box<dyn Bell>> {
    match Inotify::new() {
        Ok(bell) => Some(Box::new(bell)),
        Err(error) => {
            tracing::warn!(error, "no notifications: scans alone find new files");
            None
        }
    }
}

/// Watches a folder under its present identity, and returns that.
fn rehang(bell: &mut dyn Bell, folder: &Path, ring: &Arc<Notify>, now: Option<Identity>) -> Option<Identity> {
    bell.unwatch(folder);
    now?;
    match bell.watch(folder, Arc::clone(ring)) {
        Ok(()) => {
            // Files that came before the folder was watched ring no bell.
            ring.notify_one();
            now
        }
        Err(error) => {
            tracing::warn!(folder = %folder.display(), error, "no notifications for a folder: scans alone find its files");
            now
        }
    }
}

async fn list(shared: &Shared) -> Listing {
    let root = shared.spool.inbox.clone();
    blocking(move || {
        let mut listing = Listing { root: identity(&root).ok(), ..Listing::default() };
        for entry in fs::read_dir(&root).into_iter().flatten().flatten() {
            let path = entry.path();
            // A link to a folder counts as a folder: an inbox may be linked or mounted in.
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
fn is_terminal_code(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-'))
}

/// Is the folder on a file system without notifications and leases? The magic numbers are those of
/// statfs(2).
fn is_share(folder: &Path) -> io::Result<bool> {
    const NFS: u32 = 0x6969;
    const SMB: u32 = 0x517B;
    const CIFS: u32 = 0xFF53_4D42;
    const SMB2: u32 = 0xFE53_4D42;
    const FUSE: u32 = 0x6573_5546;
    let magic = rustix::fs::statfs(folder)?.f_type;
    // The kernel's type is wider on some machines, but the numbers have 32 bits.
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
