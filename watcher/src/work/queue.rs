//! One terminal's loop: look what is there, take a batch, carry it to its end, rest until something
//! happens.
//!
//! A terminal has at most one batch in flight. It never waits for another terminal, except in line
//! for a connection.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tpv_connect::with_sources;

use crate::blocking::blocking;
use crate::failure::breaker::{Admission, State, jitter};
use crate::failure::fault::{DatabaseFault, Fault};
use crate::inbox::candidate::{Found, Patience, Seen, Unseen, Verdict};
use crate::inbox::notes::Notes;
use crate::inbox::pass::{Finding, pass};
use crate::inbox::scan::{self, Entry, Scan};
use crate::recovery::Leftovers;
use crate::shared::Shared;
use crate::spool::archive::Moved;
use crate::spool::fingerprint::Fingerprint;
use crate::spool::quarantine::{self, Reason};
use crate::terminals::terminal::Terminal;
use crate::work::batch::{self, End, ReadyFile};
use crate::work::fairness::Fairness;
use crate::work::operator;
use crate::work::unrecorded::Unrecorded;

struct Queue {
    shared: Arc<Shared>,
    terminal: Arc<Terminal>,
    fairness: Arc<Fairness>,
    leftovers: Arc<Leftovers>,
    unrecorded: Arc<Unrecorded>,
    /// Found by the last scan, oldest first, and not looked at since.
    backlog: VecDeque<Entry>,
    notes: Notes,
    scanned: Option<(Instant, Duration)>,
    scan_now: bool,
    /// This many files are tried one by one, because a batch failed and one of them may be the
    /// cause.
    one_by_one: usize,
    pause: Option<Instant>,
    /// Batches in a row that met the lock of another session.
    conflicts: u32,
    /// Single files in a row that the database refused to handle. Many in a row: the files are
    /// probably not the cause.
    bugs: u32,
    database: watch::Receiver<State>,
    disk: watch::Receiver<State>,
}

/// Runs until the watcher stops, and ends between two batches.
pub async fn run(
    shared: Arc<Shared>,
    terminal: Arc<Terminal>,
    fairness: Arc<Fairness>,
    leftovers: Arc<Leftovers>,
    unrecorded: Arc<Unrecorded>,
) {
    let mut queue = Queue {
        database: shared.database.gate.watch(),
        disk: shared.disk.watch(),
        shared,
        terminal,
        fairness,
        leftovers,
        unrecorded,
        backlog: VecDeque::new(),
        notes: Notes::default(),
        scanned: None,
        scan_now: true,
        one_by_one: 0,
        pause: None,
        conflicts: 0,
        bugs: 0,
    };
    while !queue.shared.is_stopping() {
        if !queue.step().await {
            queue.rest().await;
        }
    }
}

impl Queue {
    /// Takes one step. False: there is nothing to do now.
    async fn step(&mut self) -> bool {
        operator::work_off(&self.shared, &self.leftovers, &self.terminal).await;
        if self.pause.is_some_and(|until| until > Instant::now()) {
            return false;
        }
        if self.scan_is_due() {
            self.scan().await;
        }
        // Nothing can be staged, archived or quarantined.
        if self.shared.disk.is_out_of_service() {
            return false;
        }
        let turn = self.fairness.turn(self.backlog.len()).await;
        let entries = self.next(if self.one_by_one > 0 { 1 } else { turn.most_files });
        if entries.is_empty() {
            if self.backlog.is_empty() && !self.shared.database.gate.is_out_of_service() {
                self.terminal.set_caught_up();
            }
            return false;
        }
        self.fairness.note_work(&turn);
        let ready = self.look(entries).await;
        if ready.is_empty() { true } else { self.send(ready).await }
    }

    fn scan_is_due(&self) -> bool {
        let Some((at, took)) = self.scanned else { return true };
        // A crowded folder takes long to read. At most a twenty-fifth of the time goes into that,
        // whatever rings.
        let rest = took * 25;
        let age = at.elapsed();
        if self.backlog.is_empty() {
            age >= rest && (self.scan_now || age >= self.shared.config.scan_interval)
        } else {
            age >= rest.max(Duration::from_secs(1))
        }
    }

    async fn scan(&mut self) {
        self.scan_now = false;
        let inbox = self.terminal.inbox.clone();
        let result = blocking(move || scan::scan(&inbox)).await;
        let now = Instant::now();
        self.scanned = Some((now, result.as_ref().map_or(Duration::ZERO, |scan| scan.took)));
        let (metrics, labels) = (&self.shared.metrics, [self.terminal.code.as_str()]);
        match result {
            Ok(Scan { folder, .. }) if folder.0 != self.shared.spool.device => {
                let why = "it is on another file system than archive/, so its files cannot be moved there";
                self.terminal.set_inbox(metrics, Some(why));
                self.backlog.clear();
                self.terminal.set_caught_up();
            }
            Ok(Scan { entries, .. }) => {
                self.terminal.set_inbox(metrics, None);
                metrics.backlog.with_label_values(&labels).set(i64::try_from(entries.len()).unwrap_or(i64::MAX));
                self.notes.keep_only(&entries);
                let notes = &self.notes;
                self.backlog = entries.into_iter().filter(|entry| notes.is_due(entry, now)).collect();
            }
            Err(error) => {
                self.terminal.set_inbox(metrics, Some(&error.to_string()));
                self.backlog.clear();
                self.terminal.set_caught_up();
            }
        }
        metrics.waiting.with_label_values(&labels).set(i64::try_from(self.notes.len()).unwrap_or(i64::MAX));
    }

    /// The next files to look at: those that were not ready and may be now, then the backlog.
    fn next(&mut self, most: usize) -> Vec<Entry> {
        let blocked = self.shared.database.gate.is_out_of_service();
        let mut entries = self.notes.due(Instant::now(), most);
        let names: HashSet<OsString> = entries.iter().map(|entry| entry.name.clone()).collect();
        while entries.len() < most {
            let Some(entry) = self.backlog.pop_front() else { break };
            // While the database is down, a file that is known to be ready need not be read again.
            let skip = names.contains(&entry.name) || (blocked && self.notes.is_ready(&entry));
            if !skip {
                entries.push(entry);
            }
        }
        entries
    }

    fn patience(&self) -> Patience {
        let config = &self.shared.config;
        let share = self.terminal.share.load(Ordering::Relaxed);
        Patience {
            grace: config.grace,
            stable_for: if share { config.stable_for.max(Duration::from_secs(1)) } else { config.stable_for },
            scan_interval: config.scan_interval,
            max_bytes: config.max_file_bytes,
            leases: !share,
        }
    }

    /// Looks at files, refuses what will never be a receipt, and returns what is ready.
    async fn look(&mut self, entries: Vec<Entry>) -> Vec<ReadyFile> {
        let patience = self.patience();
        let inbox = self.terminal.inbox.clone();
        let entries: Vec<(Entry, Option<Seen>)> = entries
            .into_iter()
            .map(|entry| {
                let seen = self.notes.seen(&entry.name);
                (entry, seen)
            })
            .collect();
        let pass = blocking(move || pass(&inbox, entries, &patience)).await;
        for entry in pass.left.into_iter().rev() {
            self.backlog.push_front(entry);
        }
        let mut ready = Vec::new();
        for finding in pass.findings {
            match finding {
                Finding::Judged(entry, look, Verdict::Ready, _) => {
                    let path = self.terminal.inbox.join(&entry.name);
                    ready.push(ReadyFile { name: entry.name, path, fingerprint: look.after, bytes: look.bytes });
                }
                Finding::Judged(entry, _, Verdict::Wait(pause), seen) => {
                    self.notes.wait(entry.name, seen, Instant::now() + pause);
                }
                Finding::Judged(entry, look, Verdict::Refuse(code, detail), _) => {
                    self.refuse(entry.name, look.after, Some(look.found), code, detail).await;
                }
                Finding::Unseen(entry, Unseen::Gone) => self.notes.forget(&entry.name),
                Finding::Unseen(entry, Unseen::NotAFile) => {
                    let detail = "the inbox takes regular files; links, pipes, sockets and devices are not opened";
                    self.refuse(entry.name, entry.fingerprint, None, "NOT_A_FILE", detail.to_owned()).await;
                }
                Finding::Unseen(entry, Unseen::Unreadable(error)) => {
                    self.later(entry.name, entry.fingerprint, &format!("it cannot be read: {error}"));
                }
            }
        }
        ready
    }

    /// Quarantines a file on the watcher's own judgement, also while the database is down.
    async fn refuse(
        &mut self,
        name: OsString,
        fingerprint: Fingerprint,
        found: Option<Found>,
        code: &'static str,
        detail: String,
    ) {
        let (shared, terminal) = (Arc::clone(&self.shared), Arc::clone(&self.terminal));
        let file = name.clone();
        let result = blocking(move || {
            let source = terminal.inbox.join(&file);
            let mut reason = Reason::new(&terminal.code, &file, fingerprint.size, code, &detail);
            reason.sha256 = found.and_then(|_| quarantine::hash_of(&source, fingerprint.size));
            quarantine::refuse(&shared.spool, &shared.strikes, &source, &fingerprint, &reason)
        })
        .await;
        match result {
            Ok(moved) => {
                self.notes.forget(&name);
                if let Moved::To(to) = moved {
                    tracing::warn!(terminal = self.terminal.code, file = %to.display(), code, "quarantined");
                    self.shared.metrics.files.with_label_values(&[self.terminal.code.as_str(), "quarantined"]).inc();
                    self.unrecorded.push(to);
                }
            }
            Err(Fault::Inbox { source, .. }) => self.later(name, fingerprint, &source.to_string()),
            Err(fault) => self.shared.report(fault),
        }
    }

    /// Sends a batch on its way and waits for its end. False: it cannot start now.
    async fn send(&mut self, mut ready: Vec<ReadyFile>) -> bool {
        let admission = if self.shared.disk.is_out_of_service() { None } else { self.shared.database.gate.admit() };
        let admission = admission.and_then(|db| Some((db, self.shared.disk.admit()?)));
        let canary = match admission {
            None => {
                self.put_off(ready);
                return false;
            }
            Some((Admission::Normal, Admission::Normal)) => false,
            Some(_) => true,
        };
        if canary {
            self.put_off(ready.split_off(1));
        }
        let files: Vec<(OsString, Fingerprint)> = ready.iter().map(|it| (it.name.clone(), it.fingerprint)).collect();
        match batch::run(&self.shared, &self.leftovers, &self.terminal.code, ready).await {
            Ok(ends) => {
                self.shared.database.gate.work_succeeded();
                self.shared.disk.work_succeeded();
                self.conflicts = 0;
                self.bugs = 0;
                self.scan_now |= canary;
                self.one_by_one = self.one_by_one.saturating_sub(1);
                for (name, end) in ends {
                    match end {
                        End::Finished => self.notes.forget(&name),
                        End::Stuck(why) => {
                            if let Some((_, fingerprint)) = files.iter().find(|(file, _)| *file == name) {
                                self.later(name, *fingerprint, &why);
                            }
                        }
                    }
                }
                true
            }
            Err(fault) => {
                self.failed(&fault, &files);
                self.shared.report(fault);
                true
            }
        }
    }

    /// What a failed batch means for this terminal. The gates decide what it means for the others.
    fn failed(&mut self, fault: &Fault, files: &[(OsString, Fingerprint)]) {
        self.scan_now = true;
        self.scanned = None;
        self.backlog.clear();
        match fault {
            Fault::Database(DatabaseFault::Contention(_)) => {
                let pause = Duration::from_millis(25 << self.conflicts.min(6));
                self.conflicts = self.conflicts.saturating_add(1);
                self.pause = Some(Instant::now() + pause.mul_f64(1.0 + jitter()));
            }
            Fault::Database(DatabaseFault::Bug(_)) if files.len() > 1 => self.one_by_one = files.len(),
            Fault::Database(DatabaseFault::Bug(_)) => {
                self.one_by_one = self.one_by_one.saturating_sub(1);
                // Many files fail in a row, each for the first time: the files are probably not the
                // cause.
                self.bugs +=
                    u32::from(files.iter().any(|(name, fingerprint)| !self.notes.has_failed(name, fingerprint)));
                if self.bugs > 3 {
                    self.pause = Some(Instant::now() + Duration::from_millis(250 << (self.bugs - 3).min(4)));
                    return;
                }
                for (name, fingerprint) in files {
                    self.later(name.clone(), *fingerprint, &with_sources(fault));
                }
            }
            Fault::Database(DatabaseFault::Machine(_))
            | Fault::Inbox { .. }
            | Fault::Disk { .. }
            | Fault::Fsync { .. }
            | Fault::SpoolReplaced => {}
        }
    }

    /// Forgets the content of files that cannot be sent now, and remembers that they are ready.
    fn put_off(&mut self, ready: Vec<ReadyFile>) {
        for file in ready {
            self.notes.put_off(file.name, file.fingerprint);
        }
    }

    /// Leaves one file alone for a while, or until it changes.
    fn later(&mut self, name: OsString, fingerprint: Fingerprint, why: &str) {
        let shown = name.display().to_string();
        let pause = self.notes.failed(name, fingerprint, Instant::now());
        tracing::warn!(
            terminal = self.terminal.code,
            file = shown,
            why,
            pause_ms = pause.as_millis(),
            "a file is tried again later"
        );
    }

    /// Waits for the bell, the next scan, a file that is due, or a gate that changes.
    async fn rest(&mut self) {
        let now = Instant::now();
        let (at, took) = self.scanned.unwrap_or((now, Duration::ZERO));
        let soonest = at + took * 25;
        let scan = if self.scan_now { soonest } else { soonest.max(at + self.shared.config.scan_interval) };
        let due = self.notes.soonest();
        let wake = due.map_or(scan, |due| due.min(scan));
        // A pause delays everything. While the disk is out of service, looking more often than
        // scans do would not help.
        let wake = wake.max(self.pause.unwrap_or(now)).max(now + Duration::from_millis(2));
        let blocked = self.shared.disk.is_out_of_service();
        let wake = if blocked { wake.max(now + self.shared.config.scan_interval) } else { wake };
        let mut stop = self.shared.stopping();
        tokio::select! {
            () = self.terminal.bell.notified() => self.scan_now = true,
            () = tokio::time::sleep_until(wake.into()) => {}
            _ = self.database.changed() => self.scan_now = true,
            _ = self.disk.changed() => self.scan_now = true,
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}
