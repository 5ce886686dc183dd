//! Where files lie: the checkout, the programs that were built, and a home for data that may be
//! thrown away.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::osuser::OsUser;

/// One checkout's laboratory. Two checkouts on one machine share nothing.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The top folder of the checkout.
    pub checkout: PathBuf,
    /// Data, trees and logs; everything below can be deleted when nothing runs.
    pub home: PathBuf,
    /// Short, because a socket's path ends at 107 bytes.
    pub sockets: PathBuf,
    /// The folder of `tpv-watcher` and `tpv-migrate`.
    pub programs: PathBuf,
    /// What `cargo pgrx package` wrote: a folder for each major version of PostgreSQL.
    pub packages: PathBuf,
    /// The user who runs the servers.
    pub owner: OsUser,
}

impl Lab {
    /// The laboratory of the checkout this program was built in (`TPV_CHECKOUT` names another).
    pub fn open() -> Result<Self> {
        let built_in =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_path_buf).unwrap_or_default();
        let checkout = std::env::var_os("TPV_CHECKOUT").map_or(built_in, PathBuf::from);
        let checkout = checkout.canonicalize().with_context(|| format!("no checkout at {}", checkout.display()))?;
        let owner = OsUser::for_servers()?;
        let hash = hash_of(&[checkout.as_os_str().as_encoded_bytes(), &nix::unistd::geteuid().as_raw().to_le_bytes()]);
        let sockets = PathBuf::from(format!("/tmp/tpv-{hash}"));
        own_folder(&sockets, 0o711)?;
        let programs = programs()?;
        let packages = programs.parent().unwrap_or(&programs).join("pgrx-package");
        let home = home(&checkout, &owner, &hash)?;
        Ok(Self { home, sockets, programs, packages, owner, checkout })
    }

    /// The path of a program of ours.
    pub fn program(&self, name: &str) -> Result<PathBuf> {
        let path = self.programs.join(name);
        if !path.is_file() {
            bail!("{} is not built; run ./tpv setup", path.display());
        }
        Ok(path)
    }

    /// A folder of the home, made if need be, that the servers' user can walk through.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.home.join(name);
        open_folder(&path)?;
        Ok(path)
    }

    /// Makes a folder that only the servers' user (and root) can enter.
    pub fn private_folder(&self, path: &Path) -> Result<()> {
        fs::create_dir_all(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        self.owner.give(path)
    }

    /// The same, for what only servers of one major version can use.
    pub fn folder_for(&self, major: u32, name: &str) -> Result<PathBuf> {
        let path = self.folder(name)?.join(major.to_string());
        open_folder(&path)?;
        Ok(path)
    }
}

/// The first 10 hex digits of a SHA-256 over all the parts.
pub fn hash_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())[..10].to_owned()
}

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a folder with its parents, passable for everyone whatever the caller's umask.
pub fn open_folder(path: &Path) -> Result<()> {
    if !path.is_dir() {
        fs::create_dir_all(path).with_context(|| format!("making {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Test programs lie in `deps/`, one below the programs that people run.
fn programs() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("TPV_PROGRAMS") {
        return Ok(PathBuf::from(named));
    }
    let own = std::env::current_exe()?;
    let mut folder = own.parent().context("a program without a folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().unwrap_or(folder);
    }
    Ok(folder.to_path_buf())
}

fn home(checkout: &Path, owner: &OsUser, hash: &str) -> Result<PathBuf> {
    let inside = checkout.join(".tpv");
    open_folder(&inside)?;
    if owner.reaches(&inside) {
        return Ok(inside);
    }
    let outside = PathBuf::from(format!("/var/tmp/tpv-{hash}"));
    own_folder(&outside, 0o711)?;
    let link = inside.join("lab");
    if fs::read_link(&link).ok().as_deref() != Some(&outside) {
        let _ = fs::remove_file(&link);
        symlink(&outside, &link)?;
    }
    Ok(outside)
}

/// Makes a folder in a place where anybody may write, or refuses one that somebody else put there.
fn own_folder(path: &Path, mode: u32) -> Result<()> {
    let _ = DirBuilder::new().mode(mode).create(path);
    let found = path.symlink_metadata().with_context(|| format!("making {}", path.display()))?;
    if !found.is_dir() || found.uid() != nix::unistd::geteuid().as_raw() {
        bail!("{} exists and belongs to somebody else", path.display());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
