//! The order of work for a batch of one terminal's files. A crash at any point neither loses nor
//! repeats anything:
//!
//! 1. begin, ingest: the database decides
//! 2. write the .dat files to stage/, fsync
//! 3. commit
//! 4. rename them into out/, fsync the folders
//! 5. rename the sources into archive/ or quarantine/, fsync the folders
//!
//! What was interrupted is done again from the top: the database answers `duplicate`, and stage/
//! tells what is not visible yet.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tpv_connect::with_sources;

use crate::blocking::blocking;
use crate::database::calls::{Answer, Outcome};
use crate::failure::fault::Fault;
use crate::recovery::Leftovers;
use crate::shared::Shared;
use crate::spool::archive::{Moved, archive};
use crate::spool::fingerprint::Fingerprint;
use crate::spool::publish::{PublishError, Published, publish};
use crate::spool::quarantine::{self, Reason, hex};
use crate::spool::stage::{self, Dat};

/// A file that is ready, as it was read.
#[derive(Debug)]
pub struct ReadyFile {
    pub name: OsString,
    pub path: PathBuf,
    pub fingerprint: Fingerprint,
    pub bytes: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It has left the inbox, or was replaced there by a file that is not part of this batch.
    Finished,
    /// It is tried again later, for this reason. The others go on.
    Stuck(String),
}

/// Carries a batch to its end. After a fault some of it may be finished; all of it can be done
/// again.
pub async fn run(
    shared: &Arc<Shared>,
    leftovers: &Arc<Leftovers>,
    terminal: &str,
    files: Vec<ReadyFile>,
) -> Result<Vec<(OsString, End)>, Fault> {
    let transaction = shared.database.begin().await?;
    // A name with a day before it says when a file of the archive arrived.
    let folder = shared.config.archived_on.as_ref().map(|day| format!("{day}/")).unwrap_or_default();
    let names: Vec<String> = files.iter().map(|file| format!("{folder}{}", file.name.to_string_lossy())).collect();
    let contents: Vec<&[u8]> = files.iter().map(|file| file.bytes.as_slice()).collect();
    let answers = transaction.ingest(terminal, &contents, &names).await?;
    let dats = answers.iter().filter(|answer| answer.outcome == Outcome::Accepted).filter_map(|it| it.dat.clone());
    stage_all(shared, leftovers, dats.collect()).await?;
    transaction.commit().await?;
    let (shared, leftovers, terminal) = (Arc::clone(shared), Arc::clone(leftovers), terminal.to_owned());
    blocking(move || finish(&shared, &leftovers, &terminal, files, answers)).await
}

/// Writes to stage/ on a few threads: fsyncs that come together are committed together by the file
/// system's journal.
async fn stage_all(shared: &Arc<Shared>, leftovers: &Arc<Leftovers>, dats: Vec<Dat>) -> Result<(), Fault> {
    const THREADS: usize = 4;
    if dats.is_empty() {
        return Ok(());
    }
    let mut writers = JoinSet::new();
    for part in dats.chunks(dats.len().div_ceil(THREADS).max(4)) {
        let (shared, leftovers, part) = (Arc::clone(shared), Arc::clone(leftovers), part.to_vec());
        writers.spawn_blocking(move || {
            part.iter().try_for_each(|dat| {
                leftovers.claim(&dat.folder, &dat.name);
                stage::write(&shared.spool, dat, &shared.strikes)
            })
        });
    }
    // All writers end before the transaction does: none may write after it.
    let mut result = Ok(());
    while let Some(ended) = writers.join_next().await {
        match ended {
            Ok(written) => result = result.and(written),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    result?;
    let shared = Arc::clone(shared);
    blocking(move || shared.strikes.sync_folder(&shared.spool.stage)).await
}

/// What follows the commit.
fn finish(
    shared: &Shared,
    leftovers: &Leftovers,
    terminal: &str,
    files: Vec<ReadyFile>,
    answers: Vec<Answer>,
) -> Result<Vec<(OsString, End)>, Fault> {
    let mut ends = Vec::with_capacity(files.len());
    let mut to_leave = Vec::with_capacity(files.len());
    let mut folders = BTreeSet::new();
    for (file, answer) in files.into_iter().zip(answers) {
        match answer.dat.as_ref().map_or(Ok(Published::Before), |dat| publish_answer(shared, leftovers, &answer, dat)) {
            Ok(Published::Now) => {
                shared.metrics.visible.observe(seconds_since(&file.fingerprint));
                folders.extend(answer.dat.as_ref().map(|dat| shared.spool.out.join(&dat.folder)));
            }
            Ok(Published::Before) => {}
            Err(PublishError::NameTaken) => {
                tracing::error!(terminal, file = %file.path.display(), name = answer.dat.map(|dat| dat.name),
                    "a foreign file has the name of a .dat that is to be published; move it away");
                shared.metrics.name_conflicts.with_label_values(&[terminal]).inc();
                ends.push((file.name, End::Stuck("a foreign file has the name of its .dat".to_owned())));
                continue;
            }
            Err(PublishError::Fault(fault)) => return Err(fault),
        }
        to_leave.push((file, answer));
    }
    if !folders.is_empty() {
        folders.insert(shared.spool.stage.clone());
        folders.iter().try_for_each(|folder| shared.strikes.sync_folder(folder))?;
    }
    let mut archived = None;
    for (file, answer) in to_leave {
        let moved = if answer.outcome == Outcome::Quarantined {
            refuse(shared, terminal, &file, &answer)
        } else {
            archive(&shared.spool, terminal, &file.path, &file.fingerprint)
        };
        let moved = match moved {
            Err(fault @ Fault::Inbox { .. }) => {
                ends.push((file.name, End::Stuck(with_sources(&fault))));
                continue;
            }
            other => other?,
        };
        if let Moved::To(to) = moved {
            shared.metrics.files.with_label_values(&[terminal, answer.outcome.name()]).inc();
            archived = archived.or(Some((to, file.path)));
        }
        ends.push((file.name, End::Finished));
    }
    if let Some((to, from)) = archived {
        for folder in [to.parent(), from.parent()].into_iter().flatten() {
            shared.strikes.sync_folder(folder)?;
        }
    }
    Ok(ends)
}

fn publish_answer(
    shared: &Shared,
    leftovers: &Leftovers,
    answer: &Answer,
    dat: &Dat,
) -> Result<Published, PublishError> {
    if answer.outcome == Outcome::Duplicate {
        leftovers.claim(&dat.folder, &dat.name);
        let staged = stage::path(&shared.spool, &dat.folder, &dat.name);
        // A staged file means "not visible yet". If its bytes are not what was committed, it is
        // written again.
        let torn = staged.exists()
            && !stage::holds(&shared.spool, &dat.folder, &dat.name, &Sha256::digest(&dat.bytes))
                .map_err(Fault::disk("read", &staged))?;
        if torn {
            stage::write(&shared.spool, dat, &shared.strikes)?;
            shared.strikes.sync_folder(&shared.spool.stage)?;
        }
    }
    let trigger = match (&dat.trigger, answer.outcome) {
        (None, Outcome::Duplicate) => stage::staged_trigger(&shared.spool, &dat.folder, &dat.name)
            .map_err(Fault::disk("list", &shared.spool.stage))?,
        (known, _) => known.clone(),
    };
    publish(&shared.spool, &dat.folder, &dat.name, trigger.as_deref())
}

fn refuse(shared: &Shared, terminal: &str, file: &ReadyFile, answer: &Answer) -> Result<Moved, Fault> {
    let mut reason = Reason::new(terminal, &file.name, file.fingerprint.size, &answer.code, &answer.detail);
    reason.pointer.clone_from(&answer.pointer);
    reason.sha256 = Some(hex(&Sha256::digest(&file.bytes)));
    // The database has just recorded it.
    reason.recorded = true;
    tracing::warn!(terminal, file = %file.path.display(), code = answer.code, pointer = answer.pointer, "quarantined");
    quarantine::refuse(&shared.spool, &shared.strikes, &file.path, &file.fingerprint, &reason)
}

/// Since the last change of the terminal's file, by a write or by being moved in.
fn seconds_since(fingerprint: &Fingerprint) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_nanos());
    let changed = u128::try_from(fingerprint.mtime_ns.max(fingerprint.ctime_ns)).unwrap_or_default();
    std::time::Duration::from_nanos(u64::try_from(now.saturating_sub(changed)).unwrap_or(u64::MAX)).as_secs_f64()
}
