//! One pass over the next files of an inbox: each is looked at and judged, until there is enough
//! for a batch.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::inbox::candidate::{Look, Patience, Seen, Unseen, Verdict, judge, look};
use crate::inbox::scan::Entry;
use crate::spool::fingerprint::Fingerprint;

/// The most bytes that one transaction takes, give or take the last file.
const MOST_BYTES: usize = 8 << 20;

pub struct Pass {
    pub findings: Vec<Finding>,
    /// Files that the pass did not get to.
    pub left: Vec<Entry>,
}

/// One file after a look at it.
pub enum Finding {
    Judged(Entry, Box<Look>, Verdict, Seen),
    Unseen(Entry, Unseen),
}

/// Looks at files, each with what was seen of it before. Blocks on the disk.
pub fn pass(inbox: &Path, entries: Vec<(Entry, Option<Seen>)>, patience: &Patience) -> Pass {
    let (mut findings, mut bytes) = (Vec::new(), 0);
    let mut entries = entries.into_iter();
    for (entry, seen) in entries.by_ref() {
        let finding = find(inbox, entry, seen.as_ref(), patience);
        if let Finding::Judged(_, look, Verdict::Ready, _) = &finding {
            bytes += look.bytes.len();
        }
        findings.push(finding);
        if bytes >= MOST_BYTES {
            break;
        }
    }
    Pass { findings, left: entries.map(|(entry, _)| entry).collect() }
}

fn find(inbox: &Path, entry: Entry, seen: Option<&Seen>, patience: &Patience) -> Finding {
    if !entry.is_file {
        return Finding::Unseen(entry, Unseen::NotAFile);
    }
    let now = Instant::now();
    let path = inbox.join(&entry.name);
    match look(&path, seen, patience, now) {
        Ok(look) => {
            let (verdict, seen) = judge(&look, seen, patience, now);
            Finding::Judged(entry, Box::new(look), verdict, seen)
        }
        // It became something else since the scan.
        Err(Unseen::NotAFile) => match fs::symlink_metadata(&path) {
            Ok(it) if it.is_file() || it.is_dir() => Finding::Unseen(entry, Unseen::Gone),
            Ok(it) => Finding::Unseen(Entry { fingerprint: Fingerprint::of(&it), ..entry }, Unseen::NotAFile),
            Err(_) => Finding::Unseen(entry, Unseen::Gone),
        },
        Err(unseen) => Finding::Unseen(entry, unseen),
    }
}
