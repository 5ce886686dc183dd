//! One terminal's loop: look what is there, take a batch, settle it, rest until something happens.
//!
//! A terminal has at most one batch in flight and never waits for another's, except in line for a connection.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::database::connection::DbFault;
use crate::failure::breaker::{Admission, State, jitter};
use crate::failure::fault::{Fault, chain};
use crate::inbox::candidate::{Found, Look, Patience, Seen, Unseen, Verdict, judge, look};
use crate::inbox::notes::Notes;
use crate::inbox::scan::{self, Entry, Print, Scan};
use crate::spool::quarantine::{self, Reason};
use crate::terminals::terminal::Terminal;
use crate::watcher::{Watcher, blocking};
use crate::work::batch::{self, Candidate, End};
use crate::work::operator;

/// The most that one transaction takes.
const MOST_FILES: usize = 64;
const MOST_BYTES: usize = 8 << 20;
/// A backlog longer than this is worked off in bulk, behind the others.
const BULK: usize = 8;
/// A bulk batch while other terminals have work.
const POLITE: usize = 8;

struct Queue {
    w: Arc<Watcher>,
    terminal: Arc<Terminal>,
    /// From the last scan, oldest first, not looked at since.
    backlog: VecDeque<Entry>,
    notes: Notes,
    scanned: Option<(Instant, Duration)>,
    scan_now: bool,
    /// After a failure, this many files are tried one by one, so that one does not spoil the others.
    one_by_one: usize,
    pause: Option<Instant>,
    /// Batches in a row that met somebody's lock.
    conflicts: u32,
    /// Single files in a row that the database's functions failed on: probably it is not the files.
    bugs: u32,
    database: watch::Receiver<State>,
    disk: watch::Receiver<State>,
}

/// Runs until the watcher stops, and ends between two batches.
pub async fn run(w: Arc<Watcher>, terminal: Arc<Terminal>) {
    let mut queue = Queue {
        database: w.db.gate.watch(),
        disk: w.disk.watch(),
        w,
        terminal,
        backlog: VecDeque::new(),
        notes: Notes::default(),
        scanned: None,
        scan_now: true,
        one_by_one: 0,
        pause: None,
        conflicts: 0,
        bugs: 0,
    };
    while !queue.w.is_stopping() {
        if !queue.turn().await {
            queue.rest().await;
        }
    }
}

/// One file after a look at it.
enum Seeing {
    Looked(Entry, Box<Look>, Verdict, Seen),
    Unseen(Entry, Unseen),
}

impl Queue {
    /// Does one thing. False: there is nothing to do now.
    async fn turn(&mut self) -> bool {
        operator::work(&self.w, &self.terminal).await;
        if self.pause.is_some_and(|until| until > Instant::now()) {
            return false;
        }
        if self.scan_is_due() {
            self.scan().await;
        }
        // Nothing can be staged, archived or quarantined.
        if self.w.disk.is_open() {
            return false;
        }
        let backlog = self.backlog.len();
        let bulk = if backlog > BULK { Arc::clone(&self.w.bulk).acquire_owned().await.ok() } else { None };
        let most = match (self.one_by_one, &bulk) {
            (1.., _) => 1,
            (0, Some(_)) if self.w.others_are_live() => POLITE,
            (0, _) => MOST_FILES,
        };
        let entries = self.next(most);
        if entries.is_empty() {
            if self.backlog.is_empty() && !self.w.db.gate.is_open() {
                self.terminal.set_settled();
            }
            return false;
        }
        if bulk.is_none() {
            self.w.live_at_ms.store(self.w.now_ms().max(1), Ordering::Relaxed);
        }
        let ready = self.look(entries).await;
        if ready.is_empty() { true } else { self.settle(ready).await }
    }

    fn scan_is_due(&self) -> bool {
        let Some((at, took)) = self.scanned else { return true };
        // A crowded folder takes long to read: it may cost a twenty-fifth of the time, whatever rings.
        let rest = took * 25;
        let age = at.elapsed();
        if self.backlog.is_empty() {
            age >= rest && (self.scan_now || age >= self.w.config.scan_interval)
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
        let labels = [self.terminal.code.as_str()];
        match result {
            Ok(Scan { folder, .. }) if folder.0 != self.w.spool.device => {
                let why = "it is on another file system than archive/, so nothing can be renamed there";
                self.terminal.set_inbox(&self.w.metrics, Some(why));
                self.backlog.clear();
                self.terminal.set_settled();
            }
            Ok(Scan { entries, .. }) => {
                self.terminal.set_inbox(&self.w.metrics, None);
                self.w.metrics.backlog.with_label_values(&labels).set(i64::try_from(entries.len()).unwrap_or(i64::MAX));
                self.notes.keep_only(&entries);
                let notes = &self.notes;
                self.backlog = entries.into_iter().filter(|entry| notes.is_due(entry, now)).collect();
            }
            Err(error) => {
                self.terminal.set_inbox(&self.w.metrics, Some(&error.to_string()));
                self.backlog.clear();
                self.terminal.set_settled();
            }
        }
        self.w.metrics.waiting.with_label_values(&labels).set(i64::try_from(self.notes.len()).unwrap_or(i64::MAX));
    }

    /// The next entries to look at: files that were not ready and may be now, then the backlog.
    fn next(&mut self, most: usize) -> Vec<Entry> {
        let blocked = self.w.db.gate.is_open();
        let mut entries = self.notes.due(Instant::now(), most);
        let names: HashSet<OsString> = entries.iter().map(|entry| entry.name.clone()).collect();
        while entries.len() < most {
            let Some(entry) = self.backlog.pop_front() else { break };
            // While the database is away a file that is known to be ready need not be read again.
            let skip = names.contains(&entry.name) || (blocked && self.notes.is_ready(&entry));
            if !skip {
                entries.push(entry);
            }
        }
        entries
    }

    fn patience(&self) -> Patience {
        let config = &self.w.config;
        let share = self.terminal.share.load(Ordering::Relaxed);
        Patience {
            grace: config.grace,
            settle: if share { config.settle.max(Duration::from_secs(1)) } else { config.settle },
            scan_interval: config.scan_interval,
            max_bytes: config.max_file_bytes,
            leases: !share,
        }
    }

    /// Looks at files, refuses what will never be a receipt, and returns what is ready.
    async fn look(&mut self, entries: Vec<Entry>) -> Vec<Candidate> {
        let patience = self.patience();
        let inbox = self.terminal.inbox.clone();
        let entries: Vec<(Entry, Option<Seen>)> = entries
            .into_iter()
            .map(|entry| {
                let seen = self.notes.seen(&entry.name);
                (entry, seen)
            })
            .collect();
        let (seeings, left) = blocking(move || {
            let (mut seeings, mut bytes) = (Vec::new(), 0);
            let mut entries = entries.into_iter();
            for (entry, seen) in entries.by_ref() {
                let seeing = see(&inbox, entry, seen.as_ref(), &patience);
                if let Seeing::Looked(_, look, Verdict::Ready, _) = &seeing {
                    bytes += look.bytes.len();
                }
                seeings.push(seeing);
                if bytes >= MOST_BYTES {
                    break;
                }
            }
            (seeings, entries.map(|(entry, _)| entry).collect::<Vec<_>>())
        })
        .await;
        for entry in left.into_iter().rev() {
            self.backlog.push_front(entry);
        }
        let mut ready = Vec::new();
        for seeing in seeings {
            match seeing {
                Seeing::Looked(entry, look, Verdict::Ready, _) => {
                    let path = self.terminal.inbox.join(&entry.name);
                    ready.push(Candidate { name: entry.name, path, print: look.after, bytes: look.bytes });
                }
                Seeing::Looked(entry, _, Verdict::Wait(pause), seen) => {
                    self.notes.wait(entry.name, seen, Instant::now() + pause);
                }
                Seeing::Looked(entry, look, Verdict::Refuse(code, detail), _) => {
                    self.refuse(entry.name, look.after, Some(look.found), code, detail).await;
                }
                Seeing::Unseen(entry, Unseen::Gone) => self.notes.forget(&entry.name),
                Seeing::Unseen(entry, Unseen::NotAFile) => {
                    let detail = "the inbox takes regular files; links, pipes, sockets and devices are not opened";
                    self.refuse(entry.name, entry.print, None, "NOT_A_FILE", detail.to_owned()).await;
                }
                Seeing::Unseen(entry, Unseen::Unreadable(error)) => {
                    self.later(entry.name, entry.print, &format!("it can not be read: {error}"));
                }
            }
        }
        ready
    }

    /// Quarantines a file on the watcher's own judgement. Works while the database is down.
    async fn refuse(&mut self, name: OsString, print: Print, found: Option<Found>, code: &'static str, detail: String) {
        let (w, terminal) = (Arc::clone(&self.w), Arc::clone(&self.terminal));
        let file = name.clone();
        let result = blocking(move || {
            let source = terminal.inbox.join(&file);
            let mut reason = Reason::new(&terminal.code, &file, print.size, code, &detail);
            reason.sha256 = found.and_then(|_| quarantine::hash_of(&source, print.size));
            quarantine::refuse(&w.spool, &w.strikes, &source, &print, &reason)
        })
        .await;
        match result {
            Ok(moved) => {
                self.notes.forget(&name);
                if let crate::spool::archive::Moved::To(to) = moved {
                    tracing::warn!(terminal = self.terminal.code, file = %to.display(), code, "quarantined");
                    self.w.metrics.files.with_label_values(&[self.terminal.code.as_str(), "quarantined"]).inc();
                    self.w.unrecorded.lock().push_back(to);
                    self.w.unrecorded_bell.notify_one();
                }
            }
            Err(Fault::Inbox { source, .. }) => self.later(name, print, &source.to_string()),
            Err(fault) => self.w.report(fault),
        }
    }

    /// Sends a batch on its way. False: it can not start now.
    async fn settle(&mut self, mut ready: Vec<Candidate>) -> bool {
        let admission = if self.w.disk.is_open() { None } else { self.w.db.gate.admit() };
        let admission = admission.and_then(|db| Some((db, self.w.disk.admit()?)));
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
        let files: Vec<(OsString, Print)> = ready.iter().map(|it| (it.name.clone(), it.print)).collect();
        match batch::run(&self.w, &self.terminal.code, ready).await {
            Ok(ends) => {
                self.w.db.gate.work_succeeded();
                self.w.disk.work_succeeded();
                self.conflicts = 0;
                self.bugs = 0;
                self.scan_now |= canary;
                self.one_by_one = self.one_by_one.saturating_sub(1);
                for (name, end) in ends {
                    match end {
                        End::Settled => self.notes.forget(&name),
                        End::Stuck(why) => {
                            if let Some((_, print)) = files.iter().find(|(file, _)| *file == name) {
                                self.later(name, *print, &why);
                            }
                        }
                    }
                }
                true
            }
            Err(fault) => {
                self.failed(&fault, &files);
                self.w.report(fault);
                true
            }
        }
    }

    /// What a failed batch means for this terminal; what it means for others is the gates' business.
    fn failed(&mut self, fault: &Fault, files: &[(OsString, Print)]) {
        self.scan_now = true;
        self.scanned = None;
        self.backlog.clear();
        match fault {
            Fault::Database(DbFault::Contention(_)) => {
                let pause = Duration::from_millis(25 << self.conflicts.min(6));
                self.conflicts = self.conflicts.saturating_add(1);
                self.pause = Some(Instant::now() + pause.mul_f64(1.0 + jitter()));
            }
            Fault::Database(DbFault::Bug(_)) if files.len() > 1 => self.one_by_one = files.len(),
            Fault::Database(DbFault::Bug(_)) => {
                self.one_by_one = self.one_by_one.saturating_sub(1);
                // One file after another for the first time: probably it is not the files.
                self.bugs += u32::from(files.iter().any(|(name, print)| !self.notes.has_failed(name, print)));
                if self.bugs > 3 {
                    self.pause = Some(Instant::now() + Duration::from_millis(250 << (self.bugs - 3).min(4)));
                    return;
                }
                for (name, print) in files {
                    self.later(name.clone(), *print, &chain(fault));
                }
            }
            Fault::Database(DbFault::Machine(_))
            | Fault::Inbox { .. }
            | Fault::Disk { .. }
            | Fault::Fsync { .. }
            | Fault::SpoolReplaced => {}
        }
    }

    /// Forgets the content of files that must wait for the database, and remembers that they are ready.
    fn put_off(&mut self, ready: Vec<Candidate>) {
        for file in ready {
            self.notes.put_off(file.name, file.print);
        }
    }

    /// Leaves one file alone for a while; a change to it ends that.
    fn later(&mut self, name: OsString, print: Print, why: &str) {
        let shown = name.display().to_string();
        let pause = self.notes.failed(name, print, Instant::now());
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
        let scan = if self.scan_now { soonest } else { soonest.max(at + self.w.config.scan_interval) };
        let due = self.notes.soonest();
        let wake = due.map_or(scan, |due| due.min(scan));
        // A pause holds everything up; and where nothing can be done, looking again and again would not help.
        let wake = wake.max(self.pause.unwrap_or(now)).max(now + Duration::from_millis(2));
        let blocked = self.w.disk.is_open();
        let wake = if blocked { wake.max(now + self.w.config.scan_interval) } else { wake };
        let mut stop = self.w.stopping();
        tokio::select! {
            () = self.terminal.bell.notified() => self.scan_now = true,
            () = tokio::time::sleep_until(wake.into()) => {}
            _ = self.database.changed() => self.scan_now = true,
            _ = self.disk.changed() => self.scan_now = true,
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

fn see(inbox: &std::path::Path, entry: Entry, seen: Option<&Seen>, patience: &Patience) -> Seeing {
    if !entry.is_file {
        return Seeing::Unseen(entry, Unseen::NotAFile);
    }
    let now = Instant::now();
    let path = inbox.join(&entry.name);
    match look(&path, seen, patience, now) {
        Ok(look) => {
            let (verdict, seen) = judge(&look, seen, patience, now);
            Seeing::Looked(entry, Box::new(look), verdict, seen)
        }
        // It became something else since the scan.
        Err(Unseen::NotAFile) => match fs::symlink_metadata(&path) {
            Ok(it) if it.is_file() || it.is_dir() => Seeing::Unseen(entry, Unseen::Gone),
            Ok(it) => Seeing::Unseen(Entry { print: Print::of(&it), ..entry }, Unseen::NotAFile),
            Err(_) => Seeing::Unseen(entry, Unseen::Gone),
        },
        Err(unseen) => Seeing::Unseen(entry, unseen),
    }
}
