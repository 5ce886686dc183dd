//! One look at one file (open, `fstat`, read, lease, `fstat` again), and what follows from it.
//!
//! `look` touches the file; `judge` decides, and is pure. A file is ready when its JSON is
//! complete, nobody has it open for writing, and it did not change while it was read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::inbox::complete::{self, Content};
use crate::inbox::lease::{self, Writer};
use crate::spool::fingerprint::Fingerprint;

/// How patient the watcher is with a file.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A file that is incomplete and unchanged for this long is refused.
    pub grace: Duration,
    /// Where leases do not work, a complete file must be unchanged for this long.
    pub stable_for: Duration,
    pub scan_interval: Duration,
    pub max_bytes: u64,
    pub leases: bool,
}

/// A file that changes is looked at this often, for a while.
const QUICK: Duration = Duration::from_millis(15);
const QUICK_FOR: Duration = Duration::from_secs(1);

/// What was seen of a file that was not ready.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub fingerprint: Fingerprint,
    pub found: Found,
    /// Unchanged since.
    pub since: Instant,
    /// It was last written long enough before that look for another write to change its mtime.
    pub mtime_is_old: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Content(Content),
    TooLarge,
}

#[derive(Debug)]
pub struct Look {
    pub before: Fingerprint,
    pub after: Fingerprint,
    pub found: Found,
    pub writer: Writer,
    /// It was last written long enough ago for another write to change its mtime.
    pub mtime_is_old: bool,
    /// The content, when it was read and is complete.
    pub bytes: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Ready,
    Wait(Duration),
    Refuse(&'static str, String),
}

#[derive(Debug, thiserror::Error)]
pub enum Unseen {
    #[error("it is gone")]
    Gone,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
}

/// Looks at a file. With `seen`, a file that was incomplete and has not changed since is not read
/// again.
pub fn look(path: &Path, seen: Option<&Seen>, patience: &Patience, now: Instant) -> Result<Look, Unseen> {
    let file = open(path)?;
    let metadata = file.metadata().map_err(Unseen::Unreadable)?;
    if !metadata.is_file() {
        return Err(Unseen::NotAFile);
    }
    let before = Fingerprint::of(&metadata);
    let mtime_is_old =
        metadata.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_millis(100)));
    let (found, bytes) = if before.size > patience.max_bytes {
        (Found::TooLarge, Vec::new())
    } else if let Some(seen) = seen.filter(|seen| known_incomplete(seen, &before, patience, now)) {
        (seen.found, Vec::new())
    } else {
        read(&file, before.size, patience.max_bytes).map_err(Unseen::Unreadable)?
    };
    let writer = if patience.leases { lease::writer(&file) } else { Writer::Unknown };
    let after = file.metadata().map(|metadata| Fingerprint::of(&metadata)).map_err(Unseen::Unreadable)?;
    Ok(Look { before, after, found, writer, mtime_is_old, bytes })
}

/// True when reading again would find the same. After the grace time it is never true: a file is
/// always read once more before it is refused.
fn known_incomplete(seen: &Seen, fingerprint: &Fingerprint, patience: &Patience, now: Instant) -> bool {
    seen.mtime_is_old
        && seen.fingerprint.same_content(fingerprint)
        && matches!(seen.found, Found::Content(Content::Incomplete | Content::Empty))
        && now.saturating_duration_since(seen.since) < patience.grace
}

fn open(path: &Path) -> Result<File, Unseen> {
    // Never follow a link, never wait for the other end of a pipe, never hand the descriptor to a
    // child.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| match error.raw_os_error() {
        Some(libc::ENOENT) => Unseen::Gone,
        Some(libc::ELOOP | libc::ENXIO) => Unseen::NotAFile,
        _ => Unseen::Unreadable(error),
    })
}

fn read(file: &File, size: u64, max_bytes: u64) -> io::Result<(Found, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    // It may have grown past the limit since its size was read.
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Ok((Found::TooLarge, Vec::new()));
    }
    Ok(match complete::content(&bytes) {
        Content::Complete => (Found::Content(Content::Complete), bytes),
        other => (Found::Content(other), Vec::new()),
    })
}

/// What to do with a file after a look at it, and what to remember of it.
pub fn judge(look: &Look, seen: Option<&Seen>, patience: &Patience, now: Instant) -> (Verdict, Seen) {
    let still = look.before.same_content(&look.after);
    let since = seen.filter(|seen| still && seen.fingerprint.same_content(&look.after)).map_or(now, |seen| seen.since);
    let unchanged = now.saturating_duration_since(since);
    let again = if unchanged < QUICK_FOR { QUICK } else { patience.scan_interval };
    let after = |enough: Duration, then: Verdict| {
        if still && unchanged >= enough { then } else { Verdict::Wait(again) }
    };
    let verdict = match (look.found, look.writer) {
        (Found::Content(Content::Complete), Writer::Nobody) => after(Duration::ZERO, Verdict::Ready),
        (Found::Content(Content::Complete), Writer::Somebody) => after(patience.grace, Verdict::Ready),
        (Found::Content(Content::Complete), Writer::Unknown) => after(patience.stable_for, Verdict::Ready),
        (_, Writer::Somebody) => Verdict::Wait(again),
        (Found::Content(Content::Incomplete), _) => after(patience.grace, truncated()),
        (Found::Content(Content::Empty), _) => after(patience.grace, empty()),
        (Found::TooLarge, Writer::Nobody) => after(patience.stable_for, too_large(look.after.size, patience.max_bytes)),
        (Found::TooLarge, _) => after(patience.grace, too_large(look.after.size, patience.max_bytes)),
    };
    (verdict, Seen { fingerprint: look.after, found: look.found, since, mtime_is_old: look.mtime_is_old })
}

fn truncated() -> Verdict {
    Verdict::Refuse("TRUNCATED", "the JSON ends before its last bracket is closed, and nobody is writing it".to_owned())
}

fn empty() -> Verdict {
    Verdict::Refuse("EMPTY_FILE", "the file holds nothing but white space, and nobody is writing it".to_owned())
}

fn too_large(size: u64, limit: u64) -> Verdict {
    Verdict::Refuse("TOO_LARGE", format!("the file has {size} bytes; the limit is {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        grace: Duration::from_secs(3),
        stable_for: Duration::from_millis(200),
        scan_interval: Duration::from_millis(150),
        max_bytes: 100,
        leases: true,
    };

    fn fingerprint(size: u64) -> Fingerprint {
        Fingerprint { dev: 1, ino: 2, size, mtime_ns: 3, ctime_ns: 4 }
    }

    fn looked(found: Found, writer: Writer) -> Look {
        Look { before: fingerprint(9), after: fingerprint(9), found, writer, mtime_is_old: true, bytes: Vec::new() }
    }

    /// The verdict on a file that has looked the same for this long.
    fn verdict(look: &Look, unchanged: Duration) -> Verdict {
        let start = Instant::now();
        let (_, seen) = judge(look, None, &PATIENCE, start);
        judge(look, Some(&seen), &PATIENCE, start + unchanged).0
    }

    fn refused(verdict: &Verdict, code: &str) -> bool {
        matches!(verdict, Verdict::Refuse(found, _) if *found == code)
    }

    #[test]
    fn a_complete_file_that_nobody_writes_is_ready_at_once() {
        let look = looked(Found::Content(Content::Complete), Writer::Nobody);
        assert_eq!(judge(&look, None, &PATIENCE, Instant::now()).0, Verdict::Ready);
    }

    #[test]
    fn a_complete_file_that_changed_while_it_was_read_is_looked_at_again() {
        let look = Look { after: fingerprint(10), ..looked(Found::Content(Content::Complete), Writer::Nobody) };
        assert_eq!(judge(&look, None, &PATIENCE, Instant::now()).0, Verdict::Wait(QUICK));
    }

    #[test]
    fn a_complete_file_with_a_writer_is_ready_after_the_grace_time_and_without_leases_when_it_is_stable() {
        let held = looked(Found::Content(Content::Complete), Writer::Somebody);
        assert!(matches!(verdict(&held, Duration::from_millis(2900)), Verdict::Wait(_)));
        assert_eq!(verdict(&held, PATIENCE.grace), Verdict::Ready);
        let unknown = looked(Found::Content(Content::Complete), Writer::Unknown);
        assert!(matches!(verdict(&unknown, Duration::from_millis(100)), Verdict::Wait(_)));
        assert_eq!(verdict(&unknown, PATIENCE.stable_for), Verdict::Ready);
    }

    #[test]
    fn an_incomplete_file_is_refused_after_the_grace_time_unless_somebody_writes_it() {
        let look = looked(Found::Content(Content::Incomplete), Writer::Nobody);
        assert!(matches!(verdict(&look, Duration::from_millis(2900)), Verdict::Wait(_)));
        assert!(refused(&verdict(&look, PATIENCE.grace), "TRUNCATED"));
        assert!(refused(
            &verdict(&looked(Found::Content(Content::Empty), Writer::Unknown), PATIENCE.grace),
            "EMPTY_FILE"
        ));
        let held = looked(Found::Content(Content::Incomplete), Writer::Somebody);
        assert_eq!(verdict(&held, Duration::from_secs(60)), Verdict::Wait(PATIENCE.scan_interval));
    }

    #[test]
    fn a_file_that_grows_starts_its_grace_time_anew() {
        let start = Instant::now();
        let (_, seen) = judge(&looked(Found::Content(Content::Incomplete), Writer::Nobody), None, &PATIENCE, start);
        let grown = Look {
            before: fingerprint(20),
            after: fingerprint(20),
            ..looked(Found::Content(Content::Incomplete), Writer::Nobody)
        };
        let (verdict, seen) = judge(&grown, Some(&seen), &PATIENCE, start + Duration::from_secs(5));
        assert_eq!(verdict, Verdict::Wait(QUICK));
        assert_eq!(seen.since, start + Duration::from_secs(5));
    }

    #[test]
    fn a_file_over_the_limit_is_refused_without_being_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, [b'{'; 101]).unwrap();
        let look = look(&path, None, &PATIENCE, Instant::now()).unwrap();
        assert_eq!((look.found, look.bytes.len()), (Found::TooLarge, 0));
        assert!(refused(&verdict(&look, PATIENCE.grace), "TOO_LARGE"));
    }

    #[test]
    fn a_link_is_never_followed_and_a_pipe_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert!(matches!(look(&link, None, &PATIENCE, Instant::now()), Err(Unseen::NotAFile)));
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        assert!(matches!(look(&pipe, None, &PATIENCE, Instant::now()), Err(Unseen::NotAFile)));
    }
}
