//! Moving a file without ever replacing another: publish, archive, quarantine and withdrawal all
//! use this.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::spool::fsync::sync_folder;

/// Moves `from` to `to`, or fails with `AlreadyExists`.
pub fn no_replace(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // File systems without the flag: a hard link fails on a taken name just as well.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        Err(error) => Err(error.into()),
    }
}

/// Moves `from` into `folder` as `name`, or as `name~2`, `name~3` … when that is taken. Returns
/// where it went.
pub fn into_folder(from: &Path, folder: &Path, name: &OsStr) -> io::Result<PathBuf> {
    for copy in 1.. {
        let to = folder.join(numbered(name, copy));
        match no_replace(from, &to) {
            Ok(()) => return Ok(to),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `name` for the first copy, `name~2` for the second. A name too long for such a mark is cut and
/// gets a hash.
pub fn numbered(name: &OsStr, copy: u32) -> OsString {
    const LONGEST: usize = 255 - ".reason.json".len() - "~4294967295".len();
    let mut bytes = name.as_bytes().to_vec();
    if bytes.len() > LONGEST {
        let hash = Sha256::digest(&bytes);
        bytes.truncate(LONGEST - 17);
        bytes.extend(format!("~{:016x}", u64::from_be_bytes(*hash.first_chunk().unwrap_or(&[0; 8]))).bytes());
    }
    if copy > 1 {
        bytes.extend(format!("~{copy}").bytes());
    }
    OsString::from_vec(bytes)
}

/// Makes `folder` and its parents below `root`. Never makes `root` itself: if it is missing, the
/// caller reports the error.
pub fn make_below(root: &Path, folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.parent() != Some(root) => {
            let parent = folder.parent().filter(|parent| parent.starts_with(root)).ok_or(error)?;
            make_below(root, parent)?;
            return make_below(root, folder);
        }
        Err(error) => return Err(error),
    }
    folder.parent().map_or(Ok(()), sync_folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, "a").unwrap();
        fs::write(&b, "b").unwrap();
        assert_eq!(no_replace(&a, &b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&b).unwrap(), "b");
        assert_eq!(fs::read_to_string(&a).unwrap(), "a");
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        for expected in ["x.json", "x.json~2", "x.json~3"] {
            let from = folder.path().join("from");
            fs::write(&from, expected).unwrap();
            let to = into_folder(&from, folder.path(), OsStr::new("x.json")).unwrap();
            assert_eq!(to.file_name().unwrap(), expected);
        }
    }

    #[test]
    fn the_longest_name_can_still_be_numbered_and_given_a_reason() {
        let long = OsString::from("x".repeat(255));
        let other = OsString::from(format!("{}y", "x".repeat(254)));
        assert!(numbered(&long, u32::MAX).len() + ".reason.json".len() <= 255);
        assert_ne!(numbered(&long, 1), numbered(&other, 1));
    }

    #[test]
    fn folders_are_made_below_a_root_that_is_there_and_never_above() {
        let folder = tempfile::tempdir().unwrap();
        make_below(folder.path(), &folder.path().join("a/b")).unwrap();
        make_below(folder.path(), &folder.path().join("a/b")).unwrap();
        let gone = folder.path().join("gone");
        assert_eq!(make_below(&gone, &gone.join("a/b")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!gone.exists());
    }
}
