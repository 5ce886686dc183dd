//! One store, complete: a server, a registered store, a spool and a watcher.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use postgres::Client;

use super::audit::{Audit, audit, wait_until_done};
use super::receipts::Input;
use super::registration::register;
use super::spool::Spool;
use super::watcher::{Watcher, WatcherOptions};
use crate::cluster::Cluster;
use crate::machine::{Lab, log_tail};
use crate::node::{Node, STORES};
use crate::wait::until_true;

/// How long it may take until nothing is left to do after a fault; a machine under load gets this
/// long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Everything of one store; all of it goes away with the value.
#[derive(Debug)]
pub struct Rig {
    /// The running watcher, if there is one. First, since fields are dropped in order.
    pub watcher: Option<Watcher>,
    /// Its server.
    pub cluster: Cluster,
    /// Its spool.
    pub spool: Spool,
    /// Where its files lie.
    pub lab: Lab,
}

impl Rig {
    /// A registered store whose watcher is not running yet.
    pub fn idle() -> Result<Self> {
        let lab = Lab::open()?;
        let cluster = Cluster::for_test(&lab)?;
        Self::around(lab, cluster)
    }

    /// The same with its watcher running.
    pub fn running() -> Result<Self> {
        let mut rig = Self::idle()?;
        rig.start_watcher(&[])?;
        Ok(rig)
    }

    /// A store around a fresh cluster.
    pub fn around(lab: Lab, cluster: Cluster) -> Result<Self> {
        Self::of_store(lab, cluster, STORES[0])
    }

    /// A store of the chain around a fresh cluster; it has not joined.
    pub fn of_store(lab: Lab, cluster: Cluster, node: Node) -> Result<Self> {
        register(&mut cluster.connect()?, node).context("registering the store")?;
        let folder = lab.folder("spools")?.join(&cluster.node);
        let _ = fs::remove_dir_all(&folder);
        let spool = Spool::make(&folder)?;
        Ok(Self { watcher: None, cluster, spool, lab })
    }

    /// How to start its watcher.
    pub fn watcher_options(&self, arguments: &[&str]) -> WatcherOptions {
        WatcherOptions {
            spool: self.spool.root.clone(),
            database_url: self.cluster.url("tpv_watcher", "tpv"),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            tracer: Vec::new(),
            log: self.cluster.folder.join("watcher.log"),
        }
    }

    /// Starts the watcher and waits until it serves.
    pub fn start_watcher(&mut self, arguments: &[&str]) -> Result<()> {
        self.watcher = None;
        self.watcher = Some(Watcher::start(&self.lab, &self.watcher_options(arguments))?);
        Ok(())
    }

    /// The running watcher.
    pub fn watcher(&mut self) -> Result<&mut Watcher> {
        self.watcher.as_mut().context("no watcher was started")
    }

    /// The DBA's connection.
    pub fn dba(&self) -> Result<Client> {
        self.cluster.connect()
    }

    /// Waits until nothing is left to do, then counts and compares; what is recorded with a delay
    /// gets the time for it.
    pub fn audit(&self, inputs: &[Input]) -> Result<Audit> {
        let mut dba = self.dba()?;
        wait_until_done(&self.spool, &mut dba, PATIENCE)
            .with_context(|| log_tail(&self.cluster.folder.join("watcher.log")))?;
        let mut found = audit(&self.spool, &mut dba, inputs)?;
        // The database hears of refusals after the file is in quarantine, so that quarantine works
        // without it.
        let _ = until_true("everything is recorded", PATIENCE, || {
            found.lost.is_empty() || {
                found = audit(&self.spool, &mut dba, inputs).unwrap_or_default();
                found.lost.is_empty() && found.receipts > 0
            }
        });
        Ok(found)
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.watcher = None;
        if std::env::var_os("TPV_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.spool.root);
        }
    }
}
