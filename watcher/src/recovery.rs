//! What an earlier life of the watcher left in the stage.
//!
//! The stage alone never tells: killed before the commit, the staged file is there and the receipt is not. So the
//! sources that still lie in the inboxes are ingested first, in the ordinary way, which settles all that belongs to them.
//! For the rest, the database is asked by hash, and "unknown" is believed only when the server has no session left of
//! the life that staged it: that session might still commit.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::database::calls::Staged;
use crate::failure::fault::Fault;
use crate::spool::archive::withdraw;
use crate::spool::folders::Spool;
use crate::spool::publish::{PublishError, publish, publish_trigger};
use crate::spool::stage;
use crate::watcher::{Watcher, blocking};

/// The names in the stage when the process starts, before anybody else writes there.
pub fn left_behind(spool: &Spool) -> std::io::Result<HashSet<String>> {
    let mut names = HashSet::new();
    for entry in fs::read_dir(&spool.stage)? {
        if let Ok(name) = entry?.file_name().into_string()
            && !name.starts_with('.')
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Settles the stage, then ends. Waits as long as it must; nothing else waits for it.
pub async fn run(w: Arc<Watcher>) {
    let mut left = w.left_behind.lock().clone();
    if !left.is_empty() {
        tracing::info!(files = left.len(), "the stage was not empty: an earlier run did not end in peace");
        until_inboxes_are_settled(&w).await;
    }
    let mut pause = Duration::from_millis(100);
    while !left.is_empty() {
        w.db.gate.wait().await;
        w.disk.wait().await;
        let mut names: Vec<String> = left.iter().cloned().collect();
        // A .dat before its trigger.
        names.sort();
        let mut moved = false;
        for name in names {
            match settle(&w, &name).await {
                Ok(true) => moved = left.remove(&name),
                Ok(false) => {}
                Err(fault) => {
                    w.report(fault);
                    break;
                }
            }
        }
        pause = if moved { Duration::from_millis(100) } else { (pause * 2).min(Duration::from_secs(10)) };
        if !left.is_empty() {
            tokio::time::sleep(pause).await;
        }
    }
    *w.touched.lock() = None;
}

/// Until every terminal has once had nothing more to do. One whose inbox is missing has nothing to do.
async fn until_inboxes_are_settled(w: &Watcher) {
    loop {
        let settled = w.inboxes_listed.load(Ordering::Relaxed)
            && w.terminals.lock().values().all(|terminal| terminal.is_settled());
        if settled {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// True when nothing is left to do about this staged file.
async fn settle(w: &Arc<Watcher>, file_name: &str) -> Result<bool, Fault> {
    let Some((folder, name, trigger)) = stage::parse(file_name) else {
        tracing::warn!(file_name, "the stage holds something that is not the watcher's");
        return Ok(true);
    };
    let path = w.spool.stage.join(file_name);
    let Ok(bytes) = fs::read(&path) else { return Ok(true) };
    let (folder, name, trigger) = (folder.to_owned(), name.to_owned(), trigger.map(str::to_owned));
    let verdict = match trigger {
        // Its .dat is settled first; then, alone, it says that the .dat is visible.
        Some(_) if stage::path(&w.spool, &folder, &name).exists() => return Ok(false),
        Some(_) => Staged::Publish,
        None => {
            let over = w.db.earlier_life_is_over().await?;
            match w.db.staged(&folder, &name, &Sha256::digest(bytes)).await? {
                Staged::Unknown if !over => return Ok(false),
                verdict => verdict,
            }
        }
    };
    let w = Arc::clone(w);
    blocking(move || act(&w, verdict, &folder, &name, trigger.as_deref())).await
}

fn act(w: &Watcher, verdict: Staged, folder: &str, name: &str, trigger: Option<&str>) -> Result<bool, Fault> {
    // Held while the file is renamed or removed, so that no batch stages the same name in between.
    let touched = w.touched.lock();
    if touched.as_ref().is_some_and(|touched| touched.contains(&format!("{folder}@{name}"))) {
        return Ok(true);
    }
    let spool = &w.spool;
    let staged = stage::path(spool, folder, name);
    match (verdict, trigger) {
        (Staged::Publish, Some(trigger)) => {
            publish_trigger(spool, folder, name, trigger)?;
            w.strikes.sync_folder(&spool.out.join(folder))?;
        }
        (Staged::Publish, None) => match publish(spool, folder, name, None) {
            Ok(_) => w.strikes.sync_folder(&spool.out.join(folder))?,
            Err(PublishError::NameTaken) => {
                tracing::error!(folder, name, "a foreign file has the name of a .dat that is to be published");
                return Ok(false);
            }
            Err(PublishError::Fault(fault)) => return Err(fault),
        },
        (Staged::Withdrawn, _) => {
            remove_trigger(spool, folder, name)?;
            withdraw(spool, &w.strikes, &staged, name)?;
        }
        (Staged::Unknown, _) => {
            remove_trigger(spool, folder, name)?;
            fs::remove_file(&staged).map_err(Fault::disk("remove", &staged))?;
        }
    }
    w.strikes.sync_folder(&spool.stage)?;
    tracing::info!(folder, name, verdict = ?verdict, "settled what an earlier run left in the stage");
    Ok(true)
}

fn remove_trigger(spool: &Spool, folder: &str, name: &str) -> Result<(), Fault> {
    let listed = stage::staged_trigger(spool, folder, name).map_err(Fault::disk("list", &spool.stage))?;
    let Some(trigger) = listed else { return Ok(()) };
    let path = stage::trigger_path(spool, folder, name, &trigger);
    fs::remove_file(&path).map_err(Fault::disk("remove", &path))
}
