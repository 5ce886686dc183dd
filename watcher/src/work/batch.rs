//! The order of work for a batch of one terminal's files, such that a crash at any point neither loses nor repeats:
//!
//! 1. begin, ingest: the database decides
//! 2. write the .dat files to the stage, fsync
//! 3. commit
//! 4. rename them into out/, fsync the folders
//! 5. rename the sources into archive/ or quarantine/, fsync the folders
//!
//! Whatever is interrupted is done again from the top: the database answers `duplicate`, and the stage tells what is
//! not visible yet.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use crate::database::calls::{Answer, Outcome};
use crate::failure::fault::{Fault, chain};
use crate::inbox::scan::Print;
use crate::spool::archive::{Moved, archive};
use crate::spool::publish::{PublishError, Published, publish};
use crate::spool::quarantine::{self, Reason, hex};
use crate::spool::stage::{self, Dat};
use crate::watcher::{Watcher, blocking};

/// A file that is ready, as it was read.
#[derive(Debug)]
pub struct Candidate {
    pub name: OsString,
    pub path: PathBuf,
    pub print: Print,
    pub bytes: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It has left the inbox, or was replaced there by a file that is none of this batch.
    Settled,
    /// This one is tried again later, for this reason; the others go on.
    Stuck(String),
}

/// Settles a batch. On a fault some of it may be settled; all of it can be done again.
pub async fn run(w: &Arc<Watcher>, terminal: &str, files: Vec<Candidate>) -> Result<Vec<(OsString, End)>, Fault> {
    let transaction = w.db.begin().await?;
    let names: Vec<String> = files.iter().map(|file| file.name.to_string_lossy().into_owned()).collect();
    let contents: Vec<&[u8]> = files.iter().map(|file| file.bytes.as_slice()).collect();
    let answers = transaction.ingest(terminal, &contents, &names).await?;
    let dats = answers.iter().filter(|answer| answer.outcome == Outcome::Accepted).filter_map(|it| it.dat.clone());
    stage_all(w, dats.collect()).await?;
    transaction.commit().await?;
    let (w, terminal) = (Arc::clone(w), terminal.to_owned());
    blocking(move || settle(&w, &terminal, files, answers)).await
}

/// Writes to the stage on a few threads: the file system's journal commits fsyncs that come together together.
async fn stage_all(w: &Arc<Watcher>, dats: Vec<Dat>) -> Result<(), Fault> {
    const THREADS: usize = 4;
    if dats.is_empty() {
        return Ok(());
    }
    let mut writers = JoinSet::new();
    for part in dats.chunks(dats.len().div_ceil(THREADS).max(4)) {
        let (w, part) = (Arc::clone(w), part.to_vec());
        writers.spawn_blocking(move || {
            part.iter().try_for_each(|dat| {
                w.touch(&dat.folder, &dat.name);
                stage::write(&w.spool, dat, &w.strikes)
            })
        });
    }
    // All of them end before anything is decided: none may still write after the transaction is over.
    let mut result = Ok(());
    while let Some(ended) = writers.join_next().await {
        match ended {
            Ok(written) => result = result.and(written),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    result?;
    let w = Arc::clone(w);
    blocking(move || w.strikes.sync_folder(&w.spool.stage)).await
}

/// What follows the commit.
fn settle(
    w: &Watcher,
    terminal: &str,
    files: Vec<Candidate>,
    answers: Vec<Answer>,
) -> Result<Vec<(OsString, End)>, Fault> {
    let mut ends = Vec::with_capacity(files.len());
    let mut to_leave = Vec::with_capacity(files.len());
    let mut folders = BTreeSet::new();
    for (file, answer) in files.into_iter().zip(answers) {
        match answer.dat.as_ref().map_or(Ok(Published::Before), |dat| publish_answer(w, &answer, dat)) {
            Ok(Published::Now) => {
                w.metrics.visible.observe(seconds_since(&file.print));
                folders.extend(answer.dat.as_ref().map(|dat| w.spool.out.join(&dat.folder)));
            }
            Ok(Published::Before) => {}
            Err(PublishError::NameTaken) => {
                tracing::error!(terminal, file = %file.path.display(), name = answer.dat.map(|dat| dat.name),
                    "a foreign file has the name of a .dat that is to be published; move it away");
                w.metrics.name_conflicts.with_label_values(&[terminal]).inc();
                ends.push((file.name, End::Stuck("a foreign file has its .dat's name".to_owned())));
                continue;
            }
            Err(PublishError::Fault(fault)) => return Err(fault),
        }
        to_leave.push((file, answer));
    }
    if !folders.is_empty() {
        folders.insert(w.spool.stage.clone());
        folders.iter().try_for_each(|folder| w.strikes.sync_folder(folder))?;
    }
    let mut archived = None;
    for (file, answer) in to_leave {
        let moved = if answer.outcome == Outcome::Quarantined {
            refuse(w, terminal, &file, &answer)
        } else {
            archive(&w.spool, terminal, &file.path, &file.print)
        };
        let moved = match moved {
            Err(fault @ Fault::Inbox { .. }) => {
                ends.push((file.name, End::Stuck(chain(&fault))));
                continue;
            }
            other => other?,
        };
        if let Moved::To(to) = moved {
            w.metrics.files.with_label_values(&[terminal, answer.outcome.name()]).inc();
            archived = archived.or(Some((to, file.path)));
        }
        ends.push((file.name, End::Settled));
    }
    if let Some((to, from)) = archived {
        for folder in [to.parent(), from.parent()].into_iter().flatten() {
            w.strikes.sync_folder(folder)?;
        }
    }
    Ok(ends)
}

fn publish_answer(w: &Watcher, answer: &Answer, dat: &Dat) -> Result<Published, PublishError> {
    if answer.outcome == Outcome::Duplicate {
        w.touch(&dat.folder, &dat.name);
        let staged = stage::path(&w.spool, &dat.folder, &dat.name);
        // The stage says "not visible yet"; if what it holds is not what was committed, it is written again.
        let torn = staged.exists()
            && !stage::holds(&w.spool, &dat.folder, &dat.name, &Sha256::digest(&dat.bytes))
                .map_err(Fault::disk("read", &staged))?;
        if torn {
            stage::write(&w.spool, dat, &w.strikes)?;
            w.strikes.sync_folder(&w.spool.stage)?;
        }
    }
    let trigger = match (&dat.trigger, answer.outcome) {
        (None, Outcome::Duplicate) => {
            stage::staged_trigger(&w.spool, &dat.folder, &dat.name).map_err(Fault::disk("list", &w.spool.stage))?
        }
        (known, _) => known.clone(),
    };
    publish(&w.spool, &dat.folder, &dat.name, trigger.as_deref())
}

fn refuse(w: &Watcher, terminal: &str, file: &Candidate, answer: &Answer) -> Result<Moved, Fault> {
    let mut reason = Reason::new(terminal, &file.name, file.print.size, &answer.code, &answer.detail);
    reason.pointer.clone_from(&answer.pointer);
    reason.sha256 = Some(hex(&Sha256::digest(&file.bytes)));
    // The database has just written its row.
    reason.recorded = true;
    tracing::warn!(terminal, file = %file.path.display(), code = answer.code, pointer = answer.pointer, "quarantined");
    quarantine::refuse(&w.spool, &w.strikes, &file.path, &file.print, &reason)
}

/// From the last change of the terminal's file, be it by a write or by being moved in.
fn seconds_since(print: &Print) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_nanos());
    let changed = u128::try_from(print.mtime_ns.max(print.ctime_ns)).unwrap_or_default();
    std::time::Duration::from_nanos(u64::try_from(now.saturating_sub(changed)).unwrap_or(u64::MAX)).as_secs_f64()
}
