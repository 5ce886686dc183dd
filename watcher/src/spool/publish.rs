//! The rename that makes a .dat visible: `stage/<folder>@<name>` → `out/<folder>/<name>`.

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::fault::Fault;
use crate::spool::folders::Spool;
use crate::spool::rename::{make_below, no_replace};
use crate::spool::stage;

#[derive(Debug, PartialEq, Eq)]
pub enum Published {
    /// It has just become visible.
    Now,
    /// Nothing was staged: it became visible earlier.
    Before,
}

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("out/ holds another file of that name")]
    NameTaken,
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Publishes what is staged under this name, and its trigger file after it. The caller syncs both
/// folders.
pub fn publish(spool: &Spool, folder: &str, name: &str, trigger: Option<&str>) -> Result<Published, PublishError> {
    let staged = stage::path(spool, folder, name);
    let published = match move_out(spool, &staged, folder, name) {
        Ok(published) => published,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let visible = spool.out.join(folder).join(name);
            if !same_bytes(&staged, &visible).map_err(Fault::disk("compare", &visible))? {
                return Err(PublishError::NameTaken);
            }
            // A link and unlink that was interrupted, or a disk that was restored from a copy.
            fs::remove_file(&staged).map_err(Fault::disk("remove", &staged))?;
            Published::Before
        }
        Err(error) => return Err(Fault::disk("publish", &staged)(error).into()),
    };
    if let Some(trigger) = trigger {
        publish_trigger(spool, folder, name, trigger)?;
    }
    Ok(published)
}

/// Makes a trigger file visible that is still staged. If one is there already, the staged one is
/// not needed.
pub fn publish_trigger(spool: &Spool, folder: &str, name: &str, trigger: &str) -> Result<(), Fault> {
    let staged = stage::trigger_path(spool, folder, name, trigger);
    match move_out(spool, &staged, folder, trigger) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&staged).map_err(Fault::disk("remove", &staged))
        }
        Err(error) => Err(Fault::disk("publish", &staged)(error)),
    }
}

fn move_out(spool: &Spool, staged: &Path, folder: &str, name: &str) -> io::Result<Published> {
    let out = spool.out.join(folder);
    let to = out.join(name);
    for _ in 0..3 {
        match no_replace(staged, &to) {
            Ok(()) => return Ok(Published::Now),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !staged.try_exists()? {
                    // "Not in stage/" means "published" only if stage/ is still the same folder.
                    return spool.check_stage().map(|()| Published::Before);
                }
                // It is the day's first file, or somebody removed the empty folder.
                make_below(&spool.out, &out)?;
            }
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

fn same_bytes(a: &Path, b: &Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(b)?;
    Ok(metadata.is_file() && metadata.len() == fs::metadata(a)?.len() && fs::read(a)? == fs::read(b)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(bytes: &str) -> (tempfile::TempDir, Spool) {
        let root = tempfile::tempdir().unwrap();
        let spool = Spool::open(root.path()).unwrap();
        fs::write(stage::path(&spool, "20260630", "a.dat"), bytes).unwrap();
        (root, spool)
    }

    fn out(spool: &Spool, name: &str) -> Option<String> {
        fs::read_to_string(spool.out.join("20260630").join(name)).ok()
    }

    #[test]
    fn a_staged_file_becomes_visible_once() {
        let (_root, spool) = staged("bytes");
        assert_eq!(publish(&spool, "20260630", "a.dat", None).unwrap(), Published::Now);
        assert_eq!(out(&spool, "a.dat").unwrap(), "bytes");
        assert_eq!(publish(&spool, "20260630", "a.dat", None).unwrap(), Published::Before);
    }

    #[test]
    fn a_foreign_file_of_that_name_is_left_alone_and_its_twin_is_not_written_again() {
        let (_root, spool) = staged("bytes");
        fs::create_dir(spool.out.join("20260630")).unwrap();
        fs::write(spool.out.join("20260630/a.dat"), "other").unwrap();
        assert!(matches!(publish(&spool, "20260630", "a.dat", None), Err(PublishError::NameTaken)));
        assert_eq!(out(&spool, "a.dat").unwrap(), "other");
        fs::write(spool.out.join("20260630/a.dat"), "bytes").unwrap();
        assert_eq!(publish(&spool, "20260630", "a.dat", None).unwrap(), Published::Before);
        assert!(!stage::path(&spool, "20260630", "a.dat").exists());
    }

    #[test]
    fn the_trigger_follows_also_when_the_dat_went_before() {
        let (_root, spool) = staged("bytes");
        fs::write(stage::trigger_path(&spool, "20260630", "a.dat", "a.ok"), "").unwrap();
        publish(&spool, "20260630", "a.dat", None).unwrap();
        assert_eq!(out(&spool, "a.ok"), None);
        publish(&spool, "20260630", "a.dat", Some("a.ok")).unwrap();
        assert_eq!(out(&spool, "a.ok").unwrap(), "");
    }

    #[test]
    fn a_missing_stage_is_not_taken_for_an_empty_one() {
        let (root, spool) = staged("bytes");
        fs::rename(&spool.stage, root.path().join("elsewhere")).unwrap();
        assert!(publish(&spool, "20260630", "a.dat", None).is_err());
    }
}
