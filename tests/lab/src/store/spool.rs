//! A spool seen from the terminals' side: folders to drop files in, and what has come of them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::receipts::Input;
use super::registration::{TERMINALS, terminal};
use crate::wait::until;

/// The folder that a watcher serves.
#[derive(Clone, Debug)]
pub struct Spool {
    /// Its top folder.
    pub root: PathBuf,
}

/// Where a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Still in its inbox.
    In,
    /// Finished.
    Archive,
    /// Not a receipt.
    Quarantine,
}

impl Spool {
    /// A spool with an inbox for each of the store's terminals.
    pub fn make(root: &Path) -> Result<Self> {
        let spool = Self { root: root.to_path_buf() };
        for index in 0..TERMINALS {
            fs::create_dir_all(spool.inbox(&terminal(index)))?;
        }
        Ok(spool)
    }

    /// The folder a terminal writes to.
    pub fn inbox(&self, terminal: &str) -> PathBuf {
        self.root.join("in").join(terminal)
    }

    /// Drops a file as most terminals do: under a hidden name, then renamed. Answers the time of
    /// the rename.
    pub fn drop_file(&self, input: &Input) -> Result<SystemTime> {
        self.drop_bytes(&input.terminal, &input.name, &input.bytes)
    }

    /// `drop_file` for any bytes.
    pub fn drop_bytes(&self, terminal: &str, name: &str, bytes: &[u8]) -> Result<SystemTime> {
        let inbox = self.inbox(terminal);
        let hidden = inbox.join(format!(".{name}.tmp"));
        fs::write(&hidden, bytes).with_context(|| format!("writing to {}", inbox.display()))?;
        let closed = SystemTime::now();
        fs::rename(&hidden, inbox.join(name))?;
        Ok(closed)
    }

    /// Writes under the final name, in pieces, and closes. Answers the time of the close.
    pub fn write_in_pieces(&self, input: &Input, pieces: usize, mut between: impl FnMut()) -> Result<SystemTime> {
        let mut file = File::create(self.inbox(&input.terminal).join(&input.name))?;
        let size = input.bytes.len().div_ceil(pieces.max(1)).max(1);
        for (index, piece) in input.bytes.chunks(size).enumerate() {
            if index > 0 {
                between();
            }
            file.write_all(piece)?;
        }
        let closed = SystemTime::now();
        drop(file);
        Ok(closed)
    }

    /// How many files wait in all inboxes.
    pub fn waiting(&self) -> usize {
        let inbox = self.root.join("in");
        // What lies beside the inboxes, such as a link, is nobody's file.
        let files = self.files("in").into_iter().filter(|path| path.parent() != Some(&inbox) && !hidden(path));
        files.count()
    }

    /// Every input by terminal and name, with all the places it lies in.
    pub fn places(&self) -> HashMap<(String, String), Vec<Place>> {
        let mut found: HashMap<_, Vec<_>> = HashMap::new();
        for (folder, place) in [("in", Place::In), ("archive", Place::Archive), ("quarantine", Place::Quarantine)] {
            for path in self.files(folder) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let parent = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
                if !hidden(&path) && !name.ends_with(".reason.json") && parent != "withdrawn" {
                    found.entry((parent, name)).or_default().push(place);
                }
            }
        }
        found
    }

    /// The `.dat` files that the checkout can see, by `folder/name`.
    pub fn dats(&self) -> HashMap<String, PathBuf> {
        let out = self.root.join("out");
        self.files("out")
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "dat"))
            .filter_map(|path| Some((path.strip_prefix(&out).ok()?.to_str()?.to_owned(), path)))
            .collect()
    }

    /// A `.dat` by its name alone, whatever the day's folder.
    pub fn dat(&self, name: &str) -> Option<PathBuf> {
        self.files("out").into_iter().find(|path| path.file_name().is_some_and(|found| found == name))
    }

    /// The reason file of a quarantined input.
    pub fn reason(&self, name: &str) -> Option<serde_json::Value> {
        let wanted = format!("{name}.reason.json");
        let path = self.files("quarantine").into_iter().find(|path| path.ends_with(&wanted))?;
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// All files below one of its folders.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(_) => found.push(entry.path()),
                    Err(_) => {}
                }
            }
        }
        found
    }

    /// Waits until a `.dat` of this name can be seen.
    pub fn wait_dat(&self, name: &str, patience: Duration) -> Result<PathBuf> {
        until(&format!("{name} appears"), patience, || self.dat(name))
    }
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}
