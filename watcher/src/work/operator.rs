//! What an operator decides (release, render again, withdraw) reaches the disk here.
//!
//! The list is polled; each item is worked off inside its terminal's queue, so it never interleaves with a batch.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::database::calls::{Action, Pending};
use crate::database::connection::DbFault;
use crate::failure::breaker::{Backoff, jitter};
use crate::failure::fault::Fault;
use crate::spool::archive::{WITHDRAWN, withdraw};
use crate::spool::publish::{PublishError, publish};
use crate::spool::stage;
use crate::terminals::terminal::Terminal;
use crate::watcher::{Watcher, blocking};

const POLL: Duration = Duration::from_millis(500);
const MOST: i32 = 500;

/// The operator's work of one terminal.
#[derive(Debug, Default)]
pub struct Desk {
    /// As listed last.
    listed: Vec<Pending>,
    /// Publications that are claimed, or may be, and are not visible: no list will name them again.
    owed: Vec<Owed>,
    /// Withdrawn on disk, not acknowledged yet.
    withdrawn: HashSet<i64>,
    /// Done lately. A list that was asked for before the end may still name them.
    done: VecDeque<i64>,
}

#[derive(Debug)]
struct Owed {
    item: Pending,
    backoff: Backoff,
    due: Instant,
}

impl Desk {
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.owed.is_empty()
    }

    fn finish(&mut self, id: i64) {
        self.withdrawn.remove(&id);
        self.done.push_back(id);
        if self.done.len() > 2_000 {
            self.done.pop_front();
        }
    }
}

/// Asks the database what is to be done and lays it on the terminals' desks.
pub async fn keep_polling(w: Arc<Watcher>) {
    let mut known: HashMap<i64, Instant> = HashMap::new();
    let mut backoff = Backoff::default();
    let mut first = true;
    loop {
        w.db.gate.wait().await;
        match w.db.pending_list(MOST).await {
            Ok(items) => {
                backoff.reset();
                if first {
                    // Whatever was half done when the process ended is in this list and in no later one.
                    w.left_half_done.lock().extend(items.iter().map(|item| item.id));
                    first = false;
                }
                let now = Instant::now();
                known = items.iter().map(|it| (it.id, known.get(&it.id).copied().unwrap_or(now))).collect();
                let oldest = known.values().min().map_or(0, |seen| now.duration_since(*seen).as_secs());
                w.metrics.pending.set(i64::try_from(items.len()).unwrap_or(i64::MAX));
                w.metrics.pending_oldest.set(i64::try_from(oldest).unwrap_or(i64::MAX));
                lay_out(&w, items);
                tokio::time::sleep(POLL).await;
            }
            Err(fault) => {
                let machine = matches!(fault, DbFault::Machine(_));
                w.report(fault.into());
                // The gate's prober finds out when a broken machine works again; a refusal is not probed for.
                tokio::time::sleep(if machine { POLL } else { backoff.next(jitter()) }).await;
            }
        }
    }
}

fn lay_out(w: &Watcher, items: Vec<Pending>) {
    let mut by_terminal: HashMap<String, Vec<Pending>> = HashMap::new();
    for item in items {
        by_terminal.entry(item.terminal.clone()).or_default().push(item);
    }
    for (code, items) in by_terminal {
        let terminal = w.terminal(&code);
        terminal.desk.lock().listed = items;
        terminal.bell.notify_one();
    }
}

/// Works off what lies on a terminal's desk, in order. A fault ends it; the rest is listed again.
pub async fn work(w: &Arc<Watcher>, terminal: &Terminal) {
    if w.disk.is_open() || w.db.gate.is_open() || terminal.desk.lock().is_empty() {
        return;
    }
    let now = Instant::now();
    let (due, listed) = {
        let mut desk = terminal.desk.lock();
        let listed = std::mem::take(&mut desk.listed);
        let (due, later) = std::mem::take(&mut desk.owed).into_iter().partition::<Vec<_>, _>(|owed| owed.due <= now);
        desk.owed = later;
        (due, listed)
    };
    let fresh = listed.into_iter().map(|item| Owed { item, backoff: Backoff::default(), due: now });
    let mut faulty = false;
    for mut owed in due.into_iter().chain(fresh) {
        let id = owed.item.id;
        let publishes = owed.item.action == Action::Publish;
        let known = {
            let desk = terminal.desk.lock();
            desk.done.contains(&id) || desk.owed.iter().any(|other| other.item.id == id)
        };
        if known {
            continue;
        }
        if !faulty {
            let result = match owed.item.action {
                Action::Publish => publish_item(w, &owed.item).await,
                Action::Withdraw => withdraw_item(w, terminal, &owed.item).await,
            };
            match result {
                Ok(()) => {
                    terminal.desk.lock().finish(id);
                    continue;
                }
                Err(PublishError::NameTaken) => name_taken(w, &owed.item),
                Err(PublishError::Fault(fault)) => {
                    faulty = true;
                    w.report(fault);
                }
            }
        }
        if publishes {
            owed.due = Instant::now() + owed.backoff.next(jitter());
            terminal.desk.lock().owed.push(owed);
        }
    }
}

fn name_taken(w: &Watcher, item: &Pending) {
    w.metrics.name_conflicts.with_label_values(&[&item.terminal]).inc();
    tracing::error!(
        terminal = item.terminal,
        folder = item.folder,
        name = item.name,
        "a foreign file has the name of a .dat that is to be published; move it away"
    );
}

async fn publish_item(w: &Arc<Watcher>, item: &Pending) -> Result<(), PublishError> {
    w.touch(&item.folder, &item.name);
    let transaction = w.db.begin().await.map_err(Fault::from)?;
    if let Some(dat) = transaction.take(item.id).await.map_err(Fault::from)? {
        w.touch(&dat.folder, &dat.name);
        let stager = Arc::clone(w);
        blocking(move || {
            stage::write(&stager.spool, &dat, &stager.strikes)?;
            stager.strikes.sync_folder(&stager.spool.stage)
        })
        .await?;
    }
    transaction.commit().await.map_err(Fault::from)?;
    w.db.gate.work_succeeded();
    // Claimed earlier, here or by a life before: whatever is staged under the name is what was claimed.
    let (w, item) = (Arc::clone(w), item.clone());
    blocking(move || {
        publish(&w.spool, &item.folder, &item.name, item.trigger.as_deref())?;
        sync_out(&w, &item)?;
        w.disk.work_succeeded();
        tracing::info!(terminal = item.terminal, folder = item.folder, name = item.name, "published for an operator");
        Ok(())
    })
    .await
}

async fn withdraw_item(w: &Arc<Watcher>, terminal: &Terminal, item: &Pending) -> Result<(), PublishError> {
    w.touch(&item.folder, &item.name);
    let before = terminal.desk.lock().withdrawn.contains(&item.id);
    let gone = if before {
        true
    } else {
        let (w, item) = (Arc::clone(w), item.clone());
        blocking(move || take_away(&w, &item)).await?
    };
    if gone {
        terminal.desk.lock().withdrawn.insert(item.id);
        w.db.pending_ack(item.id, "done", "").await.map_err(Fault::from)?;
        tracing::info!(terminal = item.terminal, folder = item.folder, name = item.name, "withdrawn");
    } else {
        w.db.pending_ack(item.id, "failed", "the file was gone already").await.map_err(Fault::from)?;
        w.metrics.withdraw_failed.inc();
        tracing::error!(
            terminal = item.terminal,
            folder = item.folder,
            name = item.name,
            "could not be withdrawn, the file was gone already: ask at the checkout"
        );
    }
    Ok(())
}

/// Moves the .dat from out/, or from the stage, to the withdrawn. False: it is nowhere.
fn take_away(w: &Watcher, item: &Pending) -> Result<bool, Fault> {
    let visible = w.spool.out.join(&item.folder).join(&item.name);
    let staged = stage::path(&w.spool, &item.folder, &item.name);
    if let Some(trigger) = &item.trigger {
        // First, so that nobody is told to take a file that is going away.
        for path in [
            w.spool.out.join(&item.folder).join(trigger),
            stage::trigger_path(&w.spool, &item.folder, &item.name, trigger),
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
        // A foreign file of that name is not ours to move.
        if is(path, &item.sha256).map_err(Fault::disk("read", path))?
            && withdraw(&w.spool, &w.strikes, path, &item.name)?
        {
            sync_out(w, item)?;
            return Ok(true);
        }
    }
    let half_done = w.left_half_done.lock().remove(&item.id);
    Ok(half_done && was_withdrawn(w, item))
}

fn is(path: &std::path::Path, sha256: &[u8]) -> io::Result<bool> {
    match fs::read(path) {
        Ok(bytes) => Ok(Sha256::digest(bytes).as_slice() == sha256),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Was it moved by a life of the watcher that ended before it could say so?
fn was_withdrawn(w: &Watcher, item: &Pending) -> bool {
    let days = fs::read_dir(&w.spool.archive).into_iter().flatten().flatten();
    days.filter_map(|day| fs::read_dir(day.path().join(WITHDRAWN)).ok()).flatten().flatten().any(|entry| {
        entry.file_name().to_string_lossy().starts_with(&item.name) && is(&entry.path(), &item.sha256).unwrap_or(false)
    })
}

fn sync_out(w: &Watcher, item: &Pending) -> Result<(), Fault> {
    let folder = w.spool.out.join(&item.folder);
    if folder.exists() {
        w.strikes.sync_folder(&folder)?;
    }
    w.strikes.sync_folder(&w.spool.stage)
}
