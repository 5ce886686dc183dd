//! What is in an inbox now, oldest first. The scan alone finds files; a notification only makes it
//! happen sooner.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::spool::fingerprint::Fingerprint;

#[derive(Clone, Debug)]
pub struct Entry {
    pub name: OsString,
    pub fingerprint: Fingerprint,
    /// False for links, pipes, sockets and devices, which are quarantined and never opened.
    pub is_file: bool,
}

#[derive(Debug)]
pub struct Scan {
    pub entries: Vec<Entry>,
    /// The folder itself: (st_dev, st_ino).
    pub folder: (u64, u64),
    /// How long the scan took, so that a crowded folder is not read again at once.
    pub took: Duration,
}

/// Reads a folder. Folders in it are left out, and so are files that are hidden or still being
/// copied.
pub fn scan(folder: &Path) -> io::Result<Scan> {
    let began = Instant::now();
    let itself = fs::metadata(folder)?;
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if is_unfinished(&name) || entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        // Gone since it was listed: somebody renamed or removed it, which is no fault.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            continue;
        }
        entries.push(Entry { name, fingerprint: Fingerprint::of(&metadata), is_file: metadata.is_file() });
    }
    entries.sort_by(|a, b| {
        a.fingerprint.mtime_ns.cmp(&b.fingerprint.mtime_ns).then_with(|| natural(a.name.as_bytes(), b.name.as_bytes()))
    });
    Ok(Scan { entries, folder: (itself.dev(), itself.ino()), took: began.elapsed() })
}

/// Is this a name that programs give a file while they copy it, or a hidden one?
pub fn is_unfinished(name: &OsStr) -> bool {
    let name = name.as_bytes().to_ascii_lowercase();
    name.starts_with(b".")
        || [&b".tmp"[..], b".part", b".partial", b".filepart", b"~"].iter().any(|end| name.ends_with(end))
}

/// The order a person expects: `t2` before `t10`.
pub fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, y);
                (x, left) = number(left);
                (y, right) = number(right);
                match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                }
            }
            (Some(x), Some(y)) if x != y => return x.cmp(y),
            _ => (left, right) = (&left[1..], &right[1..]),
        }
    }
}

/// The digits that a slice begins with, without leading zeros, and what follows them.
fn number(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_order_by_value() {
        let mut names = ["t10.json", "t2.json", "t010.json", "t1.json", "t", "a11b2", "a11b10"];
        names.sort_by(|a, b| natural(a.as_bytes(), b.as_bytes()));
        assert_eq!(names, ["a11b2", "a11b10", "t", "t1.json", "t2.json", "t010.json", "t10.json"]);
    }

    #[test]
    fn unfinished_and_hidden_names_and_folders_are_left_out_and_links_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".a.json", "b.tmp", "c.PART", "d.partial", "e.filepart", "f~", "g.json"] {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        fs::create_dir(folder.path().join("sub")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.json")).unwrap();
        let scan = scan(folder.path()).unwrap();
        let found: Vec<_> = scan.entries.iter().map(|e| (e.name.to_str().unwrap(), e.is_file)).collect();
        assert_eq!(found.len(), 2);
        assert!(found.contains(&("g.json", true)) && found.contains(&("link.json", false)));
    }

    #[test]
    fn the_oldest_file_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for (name, seconds) in [("a", 30), ("b", 10), ("c", 20)] {
            let file = fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        }
        let names: Vec<_> = scan(folder.path()).unwrap().entries.into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["b", "c", "a"]);
    }
}
