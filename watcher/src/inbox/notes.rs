//! What is remembered of the files that could not leave their inbox yet. Nothing here is needed
//! after a crash.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::time::{Duration, Instant};

use crate::failure::breaker::{Backoff, jitter};
use crate::inbox::candidate::Seen;
use crate::inbox::scan::Entry;
use crate::spool::fingerprint::Fingerprint;

#[derive(Debug, Default)]
pub struct Notes {
    notes: HashMap<OsString, Note>,
}

#[derive(Debug, Default)]
struct Note {
    /// What was seen of it when it was incomplete or had a writer.
    seen: Option<Seen>,
    /// When to look again. Until then, only after a change.
    due: Option<Instant>,
    /// The state in which it could not be taken, and how long to wait after the next failure.
    failed: Option<(Fingerprint, Backoff)>,
    /// The state in which it was ready, when it could not be sent.
    ready: Option<Fingerprint>,
}

impl Notes {
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    /// Forgets files that are no longer there.
    pub fn keep_only(&mut self, entries: &[Entry]) {
        if !self.notes.is_empty() {
            let names: HashSet<&OsString> = entries.iter().map(|entry| &entry.name).collect();
            self.notes.retain(|name, _| names.contains(name));
        }
    }

    pub fn forget(&mut self, name: &OsStr) {
        self.notes.remove(name);
    }

    pub fn seen(&self, name: &OsStr) -> Option<Seen> {
        self.notes.get(name).and_then(|note| note.seen)
    }

    /// Is a file that a scan found worth a look now?
    pub fn is_due(&self, entry: &Entry, now: Instant) -> bool {
        let Some(note) = self.notes.get(&entry.name) else { return true };
        let Some(due) = note.due else { return true };
        let seen_so = note.seen.is_some_and(|seen| seen.fingerprint.same_content(&entry.fingerprint));
        let failed_so = note.failed.as_ref().is_some_and(|(fingerprint, _)| *fingerprint == entry.fingerprint);
        due <= now || !(seen_so || failed_so)
    }

    /// Files to look at again between two scans.
    pub fn due(&self, now: Instant, most: usize) -> Vec<Entry> {
        let due = self.notes.iter().filter(|(_, note)| note.due.is_some_and(|due| due <= now));
        let entry = |(name, note): (&OsString, &Note)| {
            Some(Entry { name: name.clone(), fingerprint: note.seen?.fingerprint, is_file: true })
        };
        due.filter_map(entry).take(most).collect()
    }

    pub fn soonest(&self) -> Option<Instant> {
        self.notes.values().filter(|note| note.seen.is_some()).filter_map(|note| note.due).min()
    }

    pub fn wait(&mut self, name: OsString, seen: Seen, until: Instant) {
        let note = self.notes.entry(name).or_default();
        note.seen = Some(seen);
        note.due = Some(until);
    }

    pub fn put_off(&mut self, name: OsString, fingerprint: Fingerprint) {
        let note = self.notes.entry(name).or_default();
        note.ready = Some(fingerprint);
        note.due = None;
    }

    /// Was it put off in this state?
    pub fn is_ready(&self, entry: &Entry) -> bool {
        self.notes.get(&entry.name).and_then(|note| note.ready).is_some_and(|it| it.same_content(&entry.fingerprint))
    }

    pub fn has_failed(&self, name: &OsStr, fingerprint: &Fingerprint) -> bool {
        self.notes.get(name).and_then(|note| note.failed.as_ref()).is_some_and(|(failed, _)| failed == fingerprint)
    }

    /// Backs off from one file, and says for how long. A change to the file, even of its mode, ends
    /// that.
    pub fn failed(&mut self, name: OsString, fingerprint: Fingerprint, now: Instant) -> Duration {
        let note = self.notes.entry(name).or_default();
        let mut backoff = match note.failed.take() {
            Some((before, backoff)) if before == fingerprint => backoff,
            _ => Backoff::default(),
        };
        let pause = backoff.next(jitter());
        note.failed = Some((fingerprint, backoff));
        note.seen = None;
        note.due = Some(now + pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(ctime_ns: i128) -> Entry {
        let fingerprint = Fingerprint { dev: 1, ino: 2, size: 3, mtime_ns: 4, ctime_ns };
        Entry { name: "a".into(), fingerprint, is_file: true }
    }

    #[test]
    fn a_file_that_failed_is_left_alone_until_its_time_or_a_change() {
        let (mut notes, now) = (Notes::default(), Instant::now());
        assert!(notes.is_due(&entry(0), now));
        let pause = notes.failed("a".into(), entry(0).fingerprint, now);
        assert!(!notes.is_due(&entry(0), now));
        assert!(notes.is_due(&entry(0), now + pause));
        assert!(notes.is_due(&entry(1), now), "its mode was changed, perhaps it can be read now");
        assert!(notes.failed("a".into(), entry(0).fingerprint, now) > pause);
    }

    #[test]
    fn what_left_the_inbox_is_forgotten() {
        let (mut notes, now) = (Notes::default(), Instant::now());
        notes.failed("a".into(), entry(0).fingerprint, now);
        notes.failed("b".into(), entry(0).fingerprint, now);
        notes.keep_only(&[entry(0)]);
        assert_eq!(notes.len(), 1);
    }
}
