//! Servers that begin as a copy: of the template, or of another server.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use super::pgtree::PgTree;
use super::server::Cluster;
use super::template::Template;
use crate::machine::{Lab, Process, open_folder};

impl Cluster {
    /// A running server with a migrated, empty database `tpv`.
    pub fn start_new(lab: &Lab, node: &str) -> Result<Self> {
        Self::start_with(lab, node, "")
    }

    /// The same with settings of its own; they come last, and so win over those that every server
    /// has.
    pub fn start_with(lab: &Lab, node: &str, settings: &str) -> Result<Self> {
        let tree = PgTree::prepare(lab)?;
        let template = Template::prepare(lab, &tree)?;
        let mut cluster = Self::at(lab, &tree, node)?.thrown_away();
        cluster.remove()?;
        template.copy_to(&cluster.data())?;
        if !settings.is_empty() {
            File::options()
                .append(true)
                .open(cluster.data().join("postgresql.conf"))?
                .write_all(settings.as_bytes())?;
        }
        cluster.start()?;
        Ok(cluster)
    }

    /// A server for one test, under a name that no other test has.
    pub fn for_test(lab: &Lab) -> Result<Self> {
        Self::for_test_with(lab, "")
    }

    /// The same with settings of its own.
    pub fn for_test_with(lab: &Lab, settings: &str) -> Result<Self> {
        remove_left_overs(lab);
        Ok(Self::start_with(lab, &name_for_test(), settings)?.watched())
    }

    /// A server on a copy of what another one has on its disk at this moment, as of a virtual machine
    /// of which somebody made two. It is not started yet.
    pub fn copy_for_test(lab: &Lab, of: &Self) -> Result<Self> {
        let tree = PgTree::prepare(lab)?;
        let copy = Self::at(lab, &tree, &name_for_test())?.thrown_away();
        copy.remove()?;
        open_folder(&copy.folder)?;
        of.freeze();
        let done = Command::new("cp").arg("-a").arg(of.data()).arg(copy.data()).status();
        of.thaw();
        ensure!(done?.success(), "the data of {} could not be copied", of.node);
        // On another machine there would be no process of that number.
        let _ = fs::remove_file(copy.data().join("postmaster.pid"));
        Ok(copy.watched())
    }

    /// Starts a server that is to outlive this program, on the data it had before if there is any.
    pub fn start_detached(lab: &Lab, node: &str) -> Result<Process> {
        let tree = PgTree::prepare(lab)?;
        let template = Template::prepare(lab, &tree)?;
        let mut cluster = Self::at(lab, &tree, node)?;
        if !cluster.data().is_dir() {
            template.copy_to(&cluster.data())?;
        }
        cluster.start()?;
        cluster.process().context("the server is gone")
    }
}

fn name_for_test() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("t{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Clusters of test programs that were killed before they could tidy up.
fn remove_left_overs(lab: &Lab) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for parent in [lab.home.join("clusters"), lab.home.join("spools"), lab.sockets.clone()] {
            let Ok(entries) = fs::read_dir(parent) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let pid = name.strip_prefix('t').and_then(|rest| rest.split('-').next()).and_then(|p| p.parse().ok());
                if pid.is_some_and(|pid| Process::of(pid).is_none()) {
                    let _ = fs::remove_dir_all(entry.path());
                }
            }
        }
    });
}
