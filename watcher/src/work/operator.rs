//! What an operator decides (release, render again, withdraw) reaches the disk here.
//!
//! The database's list of pending actions is polled. Each action is carried out inside its
//! terminal's queue, so it never interleaves with a batch.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::blocking::blocking;
use crate::database::calls::{Action, ActionKind};
use crate::failure::breaker::{Backoff, jitter};
use crate::failure::fault::{DatabaseFault, Fault};
use crate::recovery::Leftovers;
use crate::shared::Shared;
use crate::spool::archive::{WITHDRAWN, withdraw};
use crate::spool::publish::{PublishError, publish};
use crate::spool::stage;
use crate::terminals::map::Terminals;
use crate::terminals::terminal::Terminal;

const POLL: Duration = Duration::from_millis(500);
const MOST: i32 = 500;

/// Asks the database what is to be done, and hands it to the terminals.
pub async fn keep_polling(shared: Arc<Shared>, terminals: Arc<Terminals>) {
    let mut known: HashMap<i64, Instant> = HashMap::new();
    let mut backoff = Backoff::default();
    let mut first = true;
    loop {
        shared.database.gate.wait().await;
        match shared.database.pending_list(MOST).await {
            Ok(actions) => {
                backoff.reset();
                let now = Instant::now();
                known = actions.iter().map(|it| (it.id, known.get(&it.id).copied().unwrap_or(now))).collect();
                let oldest = known.values().min().map_or(0, |seen| now.duration_since(*seen).as_secs());
                shared.metrics.pending.set(i64::try_from(actions.len()).unwrap_or(i64::MAX));
                shared.metrics.pending_oldest.set(i64::try_from(oldest).unwrap_or(i64::MAX));
                hand_out(&terminals, actions, first);
                first = false;
                tokio::time::sleep(POLL).await;
            }
            Err(fault) => {
                let machine = matches!(fault, DatabaseFault::Machine(_));
                shared.report(fault.into());
                // A broken machine is probed, so the gate says when it works again. A refused call
                // is not probed.
                tokio::time::sleep(if machine { POLL } else { backoff.next(jitter()) }).await;
            }
        }
    }
}

/// `first`: the first list of this run. An earlier run may have carried out what is in it without
/// saying so; no later list has such actions.
fn hand_out(terminals: &Terminals, actions: Vec<Action>, first: bool) {
    let mut by_terminal: HashMap<String, Vec<Action>> = HashMap::new();
    for action in actions {
        by_terminal.entry(action.terminal.clone()).or_default().push(action);
    }
    for (code, actions) in by_terminal {
        let terminal = terminals.get(&code);
        terminal.actions.lock().list(actions, first);
        terminal.bell.notify_one();
    }
}

/// Carries out a terminal's actions, in order. A fault ends that; the database lists the rest
/// again.
pub async fn work_off(shared: &Arc<Shared>, leftovers: &Leftovers, terminal: &Arc<Terminal>) {
    if shared.disk.is_out_of_service() || shared.database.gate.is_out_of_service() || terminal.actions.lock().is_empty()
    {
        return;
    }
    let due = terminal.actions.lock().take_due(Instant::now());
    let mut faulty = false;
    for attempt in due {
        let action = &attempt.action;
        if terminal.actions.lock().knows(action.id) {
            continue;
        }
        if !faulty {
            let result = match action.kind {
                ActionKind::Publish => publish_action(shared, leftovers, action).await,
                ActionKind::Withdraw => withdraw_action(shared, leftovers, terminal, action).await,
            };
            match result {
                Ok(()) => {
                    terminal.actions.lock().finish(action.id);
                    continue;
                }
                Err(PublishError::NameTaken) => name_taken(shared, action),
                Err(PublishError::Fault(fault)) => {
                    faulty = true;
                    shared.report(fault);
                }
            }
        }
        if action.kind == ActionKind::Publish {
            terminal.actions.lock().retry(attempt);
        }
    }
}

fn name_taken(shared: &Shared, action: &Action) {
    shared.metrics.name_conflicts.with_label_values(&[&action.terminal]).inc();
    tracing::error!(
        terminal = action.terminal,
        folder = action.folder,
        name = action.name,
        "a foreign file has the name of a .dat that is to be published; move it away"
    );
}

async fn publish_action(shared: &Arc<Shared>, leftovers: &Leftovers, action: &Action) -> Result<(), PublishError> {
    leftovers.claim(&action.folder, &action.name);
    let transaction = shared.database.begin().await.map_err(Fault::from)?;
    if let Some(dat) = transaction.take(action.id).await.map_err(Fault::from)? {
        leftovers.claim(&dat.folder, &dat.name);
        let shared = Arc::clone(shared);
        blocking(move || {
            stage::write(&shared.spool, &dat, &shared.strikes)?;
            shared.strikes.sync_folder(&shared.spool.stage)
        })
        .await?;
    }
    transaction.commit().await.map_err(Fault::from)?;
    shared.database.gate.work_succeeded();
    // If it was claimed before, by this run or an earlier one, what was claimed is staged under its
    // name.
    let (shared, action) = (Arc::clone(shared), action.clone());
    blocking(move || {
        publish(&shared.spool, &action.folder, &action.name, action.trigger.as_deref())?;
        sync_out(&shared, &action)?;
        shared.disk.work_succeeded();
        tracing::info!(
            terminal = action.terminal,
            folder = action.folder,
            name = action.name,
            "published for an operator"
        );
        Ok(())
    })
    .await
}

async fn withdraw_action(
    shared: &Arc<Shared>,
    leftovers: &Leftovers,
    terminal: &Arc<Terminal>,
    action: &Action,
) -> Result<(), PublishError> {
    leftovers.claim(&action.folder, &action.name);
    let before = terminal.actions.lock().is_withdrawn(action.id);
    let gone = if before {
        true
    } else {
        let (shared, terminal, action) = (Arc::clone(shared), Arc::clone(terminal), action.clone());
        blocking(move || take_away(&shared, &terminal, &action)).await?
    };
    if gone {
        terminal.actions.lock().set_withdrawn(action.id);
        shared.database.pending_ack(action.id, "done", "").await.map_err(Fault::from)?;
        tracing::info!(terminal = action.terminal, folder = action.folder, name = action.name, "withdrawn");
    } else {
        shared.database.pending_ack(action.id, "failed", "the file was gone already").await.map_err(Fault::from)?;
        shared.metrics.withdraw_failed.inc();
        tracing::error!(
            terminal = action.terminal,
            folder = action.folder,
            name = action.name,
            "could not be withdrawn, the file was gone already: ask at the checkout"
        );
    }
    Ok(())
}

/// Moves the .dat from out/, or from stage/, to the withdrawn ones. False: it is nowhere.
fn take_away(shared: &Shared, terminal: &Terminal, action: &Action) -> Result<bool, Fault> {
    let visible = shared.spool.out.join(&action.folder).join(&action.name);
    let staged = stage::path(&shared.spool, &action.folder, &action.name);
    if let Some(trigger) = &action.trigger {
        // First, so that the checkout is not told to take a file that is about to go.
        for path in [
            shared.spool.out.join(&action.folder).join(trigger),
            stage::trigger_path(&shared.spool, &action.folder, &action.name, trigger),
        ] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Fault::disk("remove", &path)(error));
                }
                Ok(()) | Err(_) => {}
            }
        }
    }
    for path in [&visible, &staged] {
        // A foreign file of that name is left alone.
        if has_hash(path, &action.sha256).map_err(Fault::disk("read", path))?
            && withdraw(&shared.spool, &shared.strikes, path, &action.name)?
        {
            sync_out(shared, action)?;
            return Ok(true);
        }
    }
    let perhaps_done = terminal.actions.lock().take_perhaps_done(action.id);
    Ok(perhaps_done && was_withdrawn(shared, action))
}

fn has_hash(path: &Path, sha256: &[u8]) -> io::Result<bool> {
    match fs::read(path) {
        Ok(bytes) => Ok(Sha256::digest(bytes).as_slice() == sha256),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Did an earlier run move it and end before it could say so?
fn was_withdrawn(shared: &Shared, action: &Action) -> bool {
    let days = fs::read_dir(&shared.spool.archive).into_iter().flatten().flatten();
    days.filter_map(|day| fs::read_dir(day.path().join(WITHDRAWN)).ok()).flatten().flatten().any(|entry| {
        entry.file_name().to_string_lossy().starts_with(&action.name)
            && has_hash(&entry.path(), &action.sha256).unwrap_or(false)
    })
}

fn sync_out(shared: &Shared, action: &Action) -> Result<(), Fault> {
    let folder = shared.spool.out.join(&action.folder);
    if folder.exists() {
        shared.strikes.sync_folder(&folder)?;
    }
    shared.strikes.sync_folder(&shared.spool.stage)
}
