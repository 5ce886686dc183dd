//! Central and a store, each with its gateway, the store with its watcher; and Prometheus, which
//! asks all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};

use super::PATIENCE;
use super::faults::Where;
use super::prometheus::{Pace, Prometheus};
use super::tracer::Tracer;
use crate::chain::{Plan, compare, register_central};
use crate::cluster::Cluster;
use crate::gateway::{Client, Doors};
use crate::machine::Lab;
use crate::node::{CENTRAL, STORES};
use crate::store::{Receipts, Rig};
use crate::wait::until_true;

pub struct Shop {
    pub receipts: Receipts,
    pub prometheus: Prometheus,
    pub doors: Doors,
    pub unfinished: Option<fs::File>,
    /// Somebody of central who has logged in.
    pub visitor: Option<Client>,
    /// When a fault was last kept up.
    pub kept_up: Instant,
    /// Makes system calls of the watcher fail, or slow.
    pub tracer: Option<Tracer>,
    /// How many receipts were dropped to keep a fault up.
    pub dropped: usize,
    pub rig: Rig,
    pub central: Cluster,
}

impl Shop {
    pub fn open(programs: &Path, pace: Pace) -> Result<Self> {
        let lab = Lab::open()?;
        let central = Cluster::for_test(&lab)?;
        register_central(&mut central.connect()?)?;
        let cluster = Cluster::for_test(&lab)?;
        let mut rig = Rig::of_store(lab.clone(), cluster, STORES[0])?;
        Plan::Join.run(STORES[0], &rig.cluster, &central)?;
        compare([&central, &rig.cluster])?;
        for node in [&central, &rig.cluster] {
            node.connect()?.batch_execute("create role prometheus login in role tpv_monitor, pg_monitor")?;
        }
        rig.start_watcher(&[])?;
        let doors = Doors::open(&lab, [(CENTRAL, &central), (STORES[0], &rig.cluster)], &[])?;
        let folder = central.folder.join("prometheus");
        let prometheus = Prometheus::start(programs, pace, folder, &[&central, &rig.cluster])?;
        let mut shop = Self {
            receipts: Receipts::new(71),
            prometheus,
            doors,
            unfinished: None,
            visitor: None,
            kept_up: Instant::now(),
            tracer: None,
            dropped: 0,
            rig,
            central,
        };
        shop.name_watcher()?;
        match pace {
            // Before Prometheus knows it: one that is started again is down for a moment.
            Pace::Quicker => shop.encrypt_store()?,
            // In trade people log in at the store, and they do not speak TLS.
            Pace::AsInAShop => shop.name_gateways()?,
        }
        // Two databases, each counted twice, a watcher and two gateways.
        until_true("Prometheus has asked all", PATIENCE, || shop.prometheus.counts_up(7))?;
        Ok(shop)
    }

    pub fn firing(&self) -> Result<BTreeSet<String>> {
        self.prometheus.firing()
    }

    /// So many receipts, one after the other.
    pub fn sell(&mut self, count: usize) -> Result<()> {
        for _ in 0..count {
            let receipt = self.receipts.good("T01");
            self.rig.spool.drop_file(&receipt)?;
            self.rig.spool.wait_dat(&receipt.dat_name(), PATIENCE)?;
        }
        Ok(())
    }

    /// Statements of the DBA at a node.
    pub fn at(&self, node: Where, statements: &[&str]) -> Result<()> {
        let mut dba = match node {
            Where::Central => self.central.connect()?,
            Where::Store => self.rig.cluster.connect()?,
        };
        statements
            .iter()
            .try_for_each(|statement| dba.batch_execute(statement).with_context(|| (*statement).to_owned()))
    }

    /// Tells Prometheus where the watcher is: each has a port of its own.
    pub fn name_watcher(&self) -> Result<()> {
        let watcher = self.rig.watcher.as_ref().and_then(crate::store::Watcher::listen);
        self.prometheus.name("tpv_watcher", &[watcher.context("the watcher does not listen")?])
    }

    /// The same of the gateways.
    pub fn name_gateways(&self) -> Result<()> {
        let all: Vec<_> = self.doors.gateways.iter().map(|(_, gateway)| gateway.admin).collect();
        self.prometheus.name("tpv_gateway", &all)
    }
}
