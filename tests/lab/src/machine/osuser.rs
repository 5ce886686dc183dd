//! PostgreSQL refuses to run as root, so root hands its servers to the user `postgres`; anyone else
//! keeps them.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use nix::unistd::{Uid, User};

/// Who runs the servers: `None` is the caller.
#[derive(Clone, Debug)]
pub struct OsUser(Option<User>);

impl OsUser {
    /// `postgres` for root, the caller otherwise.
    pub fn for_servers() -> Result<Self> {
        if !Uid::effective().is_root() {
            return Ok(Self(None));
        }
        let user = User::from_name("postgres")?
            .context("servers cannot run as root and there is no user `postgres`; ./tpv setup installs it")?;
        Ok(Self(Some(user)))
    }

    /// A command that runs as this user.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = &self.0 {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).env("HOME", &user.dir).env("USER", &user.name);
        }
        command
    }

    /// Gives a file or folder (not what is in it) to this user.
    pub fn give(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.0 {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
                .with_context(|| format!("giving {} to {}", path.display(), user.name))?;
        }
        Ok(())
    }

    /// Whether this user can walk down to `path`, judged by the bits for others on every folder
    /// above it.
    pub fn reaches(&self, path: &Path) -> bool {
        let Some(user) = &self.0 else { return true };
        path.ancestors().all(|folder| match folder.metadata() {
            Ok(of) => of.mode() & 0o001 != 0 || (of.uid() == user.uid.as_raw() && of.mode() & 0o100 != 0),
            Err(_) => true,
        })
    }
}
