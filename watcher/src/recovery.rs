//! What an earlier run of the watcher left in stage/.
//!
//! stage/ alone does not tell what to do with a file. If the watcher was killed before the commit,
//! the staged file is there and the receipt is not. So the sources that are still in the inboxes
//! are ingested first, in the ordinary way; that finishes all staged files that belong to them.
//! About the rest the database is asked, by hash. Its answer "unknown" is final only when the
//! server has no session left of the run that staged the file: such a session might still commit.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::blocking::blocking;
use crate::database::calls::Staged;
use crate::failure::fault::Fault;
use crate::shared::Shared;
use crate::spool::archive::withdraw;
use crate::spool::folders::Spool;
use crate::spool::publish::{PublishError, publish, publish_trigger};
use crate::spool::stage;
use crate::terminals::map::Terminals;

/// What was in stage/ at the start, and which of it this run has taken over since.
pub struct Leftovers {
    names: BTreeSet<String>,
    /// The names in stage/ that this run has written or moved in its ordinary work. Recovery leaves
    /// them alone. None when recovery is over.
    claimed: Mutex<Option<HashSet<String>>>,
}

impl Leftovers {
    /// To be called before anything else writes to stage/.
    pub fn find(spool: &Spool) -> std::io::Result<Self> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(&spool.stage)? {
            if let Ok(name) = entry?.file_name().into_string()
                && !name.starts_with('.')
            {
                names.insert(name);
            }
        }
        Ok(Self { names, claimed: Mutex::new(Some(HashSet::new())) })
    }

    /// Takes a .dat out of recovery's hands. To be called before it is staged, published or
    /// withdrawn.
    pub fn claim(&self, folder: &str, name: &str) {
        if let Some(claimed) = self.claimed.lock().as_mut() {
            claimed.insert(stage::file_name(folder, name));
        }
    }
}

/// Finishes what was left in stage/, then ends. Waits as long as it must; nothing waits for it.
pub async fn run(shared: Arc<Shared>, terminals: Arc<Terminals>, leftovers: Arc<Leftovers>) {
    // In order, so that a .dat comes before its trigger.
    let mut left = leftovers.names.clone();
    if !left.is_empty() {
        tracing::info!(files = left.len(), "stage/ is not empty: recovering files of an earlier run");
        until_inboxes_are_read(&terminals).await;
    }
    let mut pause = Duration::from_millis(100);
    while !left.is_empty() {
        shared.database.gate.wait().await;
        shared.disk.wait().await;
        let mut moved = false;
        for name in left.clone() {
            match finish(&shared, &leftovers, &name).await {
                Ok(true) => moved = left.remove(&name),
                Ok(false) => {}
                Err(fault) => {
                    shared.report(fault);
                    break;
                }
            }
        }
        pause = if moved { Duration::from_millis(100) } else { (pause * 2).min(Duration::from_secs(10)) };
        if !left.is_empty() {
            tokio::time::sleep(pause).await;
        }
    }
    *leftovers.claimed.lock() = None;
}

/// Until the sources that were in the inboxes at the start have been ingested.
async fn until_inboxes_are_read(terminals: &Terminals) {
    while !terminals.have_caught_up() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// True when nothing is left to do about this staged file.
async fn finish(shared: &Arc<Shared>, leftovers: &Arc<Leftovers>, file_name: &str) -> Result<bool, Fault> {
    let Some((folder, name, trigger)) = stage::parse(file_name) else {
        tracing::warn!(file_name, "stage/ holds a file that is not the watcher's");
        return Ok(true);
    };
    let path = shared.spool.stage.join(file_name);
    let Ok(bytes) = fs::read(&path) else { return Ok(true) };
    let (folder, name, trigger) = (folder.to_owned(), name.to_owned(), trigger.map(str::to_owned));
    let verdict = match trigger {
        // Its .dat is finished first. Without that, a staged trigger means that the .dat is
        // visible.
        Some(_) if stage::path(&shared.spool, &folder, &name).exists() => return Ok(false),
        Some(_) => Staged::Publish,
        None => {
            let over = shared.database.earlier_run_is_over().await?;
            match shared.database.staged(&folder, &name, &Sha256::digest(bytes)).await? {
                Staged::Unknown if !over => return Ok(false),
                verdict => verdict,
            }
        }
    };
    let (shared, leftovers) = (Arc::clone(shared), Arc::clone(leftovers));
    blocking(move || act(&shared, &leftovers, verdict, &folder, &name, trigger.as_deref())).await
}

fn act(
    shared: &Shared,
    leftovers: &Leftovers,
    verdict: Staged,
    folder: &str,
    name: &str,
    trigger: Option<&str>,
) -> Result<bool, Fault> {
    // Held while the file is renamed or removed, so that no batch stages the same name in between.
    let claimed = leftovers.claimed.lock();
    if claimed.as_ref().is_some_and(|claimed| claimed.contains(&stage::file_name(folder, name))) {
        return Ok(true);
    }
    let spool = &shared.spool;
    let staged = stage::path(spool, folder, name);
    match (verdict, trigger) {
        (Staged::Publish, Some(trigger)) => {
            publish_trigger(spool, folder, name, trigger)?;
            shared.strikes.sync_folder(&spool.out.join(folder))?;
        }
        (Staged::Publish, None) => match publish(spool, folder, name, None) {
            Ok(_) => shared.strikes.sync_folder(&spool.out.join(folder))?,
            Err(PublishError::NameTaken) => {
                tracing::error!(folder, name, "a foreign file has the name of a .dat that is to be published");
                return Ok(false);
            }
            Err(PublishError::Fault(fault)) => return Err(fault),
        },
        (Staged::Withdrawn, _) => {
            remove_trigger(spool, folder, name)?;
            withdraw(spool, &shared.strikes, &staged, name)?;
        }
        (Staged::Unknown, _) => {
            remove_trigger(spool, folder, name)?;
            fs::remove_file(&staged).map_err(Fault::disk("remove", &staged))?;
        }
    }
    shared.strikes.sync_folder(&spool.stage)?;
    tracing::info!(folder, name, verdict = ?verdict, "finished a file that an earlier run left in stage/");
    Ok(true)
}

fn remove_trigger(spool: &Spool, folder: &str, name: &str) -> Result<(), Fault> {
    let listed = stage::staged_trigger(spool, folder, name).map_err(Fault::disk("list", &spool.stage))?;
    let Some(trigger) = listed else { return Ok(()) };
    let path = stage::trigger_path(spool, folder, name, &trigger);
    fs::remove_file(&path).map_err(Fault::disk("remove", &path))
}
