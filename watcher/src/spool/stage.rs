//! stage/: where the bytes of a .dat wait, on disk, for their transaction to be committed.
//!
//! A staged file means "not visible yet", whatever happened to the process or to the file in out/.
//! Nothing else is needed to know after a crash what must still be published.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::failure::fault::Fault;
use crate::spool::folders::Spool;
use crate::spool::fsync::{Strikes, write_synced};

/// What becomes visible as out/<folder>/<name>. The trigger, if the layout has one, is an empty
/// file that appears after it and tells the checkout to take it.
#[derive(Clone, Debug)]
pub struct Dat {
    pub folder: String,
    pub name: String,
    pub trigger: Option<String>,
    pub bytes: Arc<[u8]>,
}

impl Dat {
    pub fn new(folder: String, name: String, bytes: Vec<u8>, trigger: Option<String>) -> Result<Self, String> {
        check_names(&folder, &name, trigger.as_deref())?;
        Ok(Self { folder, name, trigger, bytes: bytes.into() })
    }
}

/// Names become paths, so they are checked here too, whoever made them. `@` and `:` separate the
/// parts of staged names.
pub fn check_names(folder: &str, name: &str, trigger: Option<&str>) -> Result<(), String> {
    let plain = |text: &str| !text.is_empty() && !text.starts_with('.') && !text.contains(['/', '\0', ':']);
    if plain(folder) && !folder.contains('@') && plain(name) && trigger.is_none_or(plain) {
        Ok(())
    } else {
        Err("a name that cannot be used in out/".to_owned())
    }
}

/// <folder>@<name>
pub fn file_name(folder: &str, name: &str) -> String {
    format!("{folder}@{name}")
}

/// stage/<folder>@<name>
pub fn path(spool: &Spool, folder: &str, name: &str) -> PathBuf {
    spool.stage.join(file_name(folder, name))
}

/// stage/<folder>@<name>:<trigger>. Without its .dat in stage/, it means that the .dat is visible
/// and the trigger is not.
pub fn trigger_path(spool: &Spool, folder: &str, name: &str, trigger: &str) -> PathBuf {
    spool.stage.join(format!("{folder}@{name}:{trigger}"))
}

/// The trigger that is staged for a .dat. stage/ may be the only place that still knows of it.
pub fn staged_trigger(spool: &Spool, folder: &str, name: &str) -> io::Result<Option<String>> {
    for entry in fs::read_dir(&spool.stage)? {
        if let Some((f, n, Some(trigger))) = entry?.file_name().to_str().and_then(parse)
            && (f, n) == (folder, name)
        {
            return Ok(Some(trigger.to_owned()));
        }
    }
    Ok(None)
}

/// The folder, name and trigger that a file in stage/ is for.
pub fn parse(file_name: &str) -> Option<(&str, &str, Option<&str>)> {
    let (folder, rest) = file_name.split_once('@')?;
    let (name, trigger) = rest.split_once(':').map_or((rest, None), |(name, trigger)| (name, Some(trigger)));
    check_names(folder, name, trigger).ok().map(|()| (folder, name, trigger))
}

/// Writes one .dat to stage/ so that it survives a power cut. The caller syncs the folder, once for
/// many.
pub fn write(spool: &Spool, dat: &Dat, strikes: &Strikes) -> Result<(), Fault> {
    write_synced(&path(spool, &dat.folder, &dat.name), &dat.bytes, strikes)?;
    match &dat.trigger {
        Some(trigger) => write_synced(&trigger_path(spool, &dat.folder, &dat.name, trigger), &[], strikes),
        None => Ok(()),
    }
}

/// Is there a staged file with these very bytes?
pub fn holds(spool: &Spool, folder: &str, name: &str, sha256: &[u8]) -> io::Result<bool> {
    match fs::read(path(spool, folder, name)) {
        Ok(bytes) => Ok(Sha256::digest(bytes).as_slice() == sha256),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_of_their_folder_are_refused() {
        for name in ["", ".", "..", "../x", "a/b", "/x", "a\0b", ".hidden"] {
            assert!(check_names("20260630", name, None).is_err(), "{name:?}");
            assert!(check_names(name, "a.dat", None).is_err(), "{name:?}");
            assert!(check_names("20260630", "a.dat", Some(name)).is_err(), "{name:?}");
        }
        assert!(check_names("20260630", "scon041@2.dat", Some("scon041.ok")).is_ok());
    }

    #[test]
    fn a_staged_name_tells_what_it_is_for() {
        assert_eq!(parse("20260630@scon@1.dat"), Some(("20260630", "scon@1.dat", None)));
        assert_eq!(parse("20260630@a.dat:a.ok"), Some(("20260630", "a.dat", Some("a.ok"))));
        assert_eq!(parse(".probe"), None);
    }
}
