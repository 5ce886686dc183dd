//! A private PostgreSQL: the system's own programs and files, plus our extension, without touching
//! the system.
//!
//! A server finds its `lib` and `share` folders relative to where its program lies. So the programs
//! are copied into a tree of the same shape, everything else is linked, and our files are added. It
//! needs no rights, and several checkouts (and several builds of one) live side by side.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine::{Lab, hash_of, open_folder};

/// A tree that servers can be started from.
#[derive(Clone, Debug)]
pub struct PgTree {
    /// Folder of `postgres` and `initdb`.
    pub bin: PathBuf,
    /// Names this build of the extension on this server version.
    pub stamp: String,
    /// The server's major version.
    pub major: u32,
    lib: PathBuf,
}

/// Where the system keeps its server.
struct System {
    bin: PathBuf,
    lib: PathBuf,
    share: PathBuf,
    version: String,
}

impl PgTree {
    /// The tree for the extension as it is built now, made if it is not there yet.
    pub fn prepare(lab: &Lab) -> Result<Self> {
        Self::with(lab, &[])
    }

    /// The same with more files of the extension; one takes the place of another of its name.
    pub fn with(lab: &Lab, more: &[PathBuf]) -> Result<Self> {
        let system = System::find()?;
        let major = system.major()?;
        let mut ours = extension_files(&package(lab, major))?;
        ours.extend(released_sql(&lab.checkout)?);
        ours.extend_from_slice(more);
        // The names in the system's `lib` count too: a tree has no link to what was installed after
        // it was made.
        let mut parts = vec![system.version.clone().into_bytes(), names_in(&system.lib)?];
        for file in &ours {
            parts.push(fs::read(file)?);
        }
        let stamp = hash_of(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let trees = lab.folder_for(major, "pg")?;
        let root = trees.join(&stamp);
        let (bin, lib) = (root.join(system.below(&system.bin)?), root.join(system.below(&system.lib)?));
        // One maker at a time, be it another process or another thread of this one.
        let lock = fs::File::create(trees.join("lock"))?;
        lock.lock()?;
        if !root.is_dir() {
            remove_old(&trees);
            let draft = trees.join(format!("{stamp}.draft"));
            // Left by somebody who was killed while making it.
            let _ = fs::remove_dir_all(&draft);
            system.copy_to(&draft, &ours)?;
            fs::rename(&draft, &root)?;
        }
        Ok(Self { bin, stamp, major, lib })
    }

    /// Whether servers of this tree can load this library.
    pub fn has_library(&self, name: &str) -> bool {
        self.lib.join(format!("{name}.so")).exists()
    }
}

/// A program that came with the system's server, such as `pg_dump`.
pub fn system_program(name: &str) -> Result<PathBuf> {
    Ok(System::find()?.bin.join(name))
}

impl System {
    fn find() -> Result<Self> {
        let program = std::env::var("TPV_PG_CONFIG").unwrap_or_else(|_| "pg_config".to_owned());
        let ask = |option: &str| -> Result<String> {
            let output = Command::new(&program).arg(option).output().with_context(|| format!("running {program}"))?;
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        Ok(Self {
            bin: ask("--bindir")?.into(),
            lib: ask("--pkglibdir")?.into(),
            share: ask("--sharedir")?.into(),
            version: ask("--version")?,
        })
    }

    /// 17, of `PostgreSQL 17.6 (Debian 17.6-1)`.
    fn major(&self) -> Result<u32> {
        let digits = self.version.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().with_context(|| format!("no version in `{}`", self.version))
    }

    /// A path relative to the folder that programs, libraries and shared files have in common
    /// (`/usr` on Debian).
    fn below(&self, path: &Path) -> Result<PathBuf> {
        let prefix = self.bin.ancestors().find(|up| self.lib.starts_with(up) && self.share.starts_with(up));
        Ok(path.strip_prefix(prefix.context("a server without a common folder")?)?.to_path_buf())
    }

    fn copy_to(&self, root: &Path, ours: &[PathBuf]) -> Result<()> {
        let (bin, lib) = (root.join(self.below(&self.bin)?), root.join(self.below(&self.lib)?));
        let share = root.join(self.below(&self.share)?);
        let extension = share.join("extension");
        for folder in [&bin, &lib, &extension] {
            let mut path = root.to_path_buf();
            open_folder(&path)?;
            for part in folder.strip_prefix(root)?.components() {
                path.push(part);
                open_folder(&path)?;
            }
        }
        for program in ["postgres", "initdb", "pg_ctl", "pg_waldump", "pg_controldata"] {
            fs::copy(self.bin.join(program), bin.join(program)).with_context(|| format!("copying {program}"))?;
        }
        link_all(&self.lib, &lib)?;
        link_all(&self.share, &share)?;
        link_all(&self.share.join("extension"), &extension)?;
        for file in ours {
            let folder = if file.extension().is_some_and(|end| end == "so") { &lib } else { &extension };
            let target = folder.join(file.file_name().unwrap_or_default());
            // A copy that was installed by hand must not win over the build under test.
            let _ = fs::remove_file(&target);
            fs::copy(file, &target)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(0o644))?;
        }
        Ok(())
    }
}

fn names_in(folder: &Path) -> Result<Vec<u8>> {
    let mut names: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    names.sort();
    Ok(names.iter().flat_map(|name| name.as_encoded_bytes().iter().copied().chain([0])).collect())
}

fn link_all(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if target.symlink_metadata().is_err() {
            symlink(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The files of the extension for the server that is used here.
pub fn packaged_files(lab: &Lab) -> Result<Vec<PathBuf>> {
    extension_files(&package(lab, System::find()?.major()?))
}

fn package(lab: &Lab, major: u32) -> PathBuf {
    lab.packages.join(major.to_string())
}

/// The library, the control file and the SQL, wherever the package keeps them.
fn extension_files(package: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![package.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder);
        for entry in entries.with_context(|| format!("no extension in {}; run ./tpv setup", folder.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().to_string_lossy().starts_with("pg_tpv") {
                found.push(entry.path());
            }
        }
    }
    if !found.iter().any(|file| file.extension().is_some_and(|end| end == "so")) {
        bail!("no extension in {}; run ./tpv setup", package.display());
    }
    found.sort();
    Ok(found)
}

/// The SQL of released versions, so that `create extension pg_tpv version '…'` works in our trees.
/// The folder comes with the first release.
pub fn released_sql(checkout: &Path) -> Result<Vec<PathBuf>> {
    let folder = checkout.join("pg_tpv/sql/released");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

/// Keeps the three newest trees: an older build may still be running somewhere.
fn remove_old(trees: &Path) {
    let Ok(entries) = fs::read_dir(trees) else { return };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    let mut all: Vec<_> = folders.filter_map(|e| Some((e.metadata().ok()?.modified().ok()?, e.path()))).collect();
    all.sort();
    for (_, path) in all.iter().rev().skip(3) {
        let _ = fs::remove_dir_all(path);
    }
}
