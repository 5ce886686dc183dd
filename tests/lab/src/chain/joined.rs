//! A joined chain for one test.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::machine::Lab;
use crate::node::STORES;
use crate::store;
use crate::wait::until_true;

use super::plan::{Plan, register_central};

/// How long a chain may take to come to rest after a fault; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A joined chain for one test; all of it goes away with the value.
#[derive(Debug)]
pub struct Chain {
    /// Central's server.
    pub central: Cluster,
    /// The servers of the first of [`STORES`].
    pub stores: Vec<Cluster>,
}

/// What is the same at every node once the chain is at rest: up to which number it has the
/// operations of each node, and the customers.
const COMMON: &str = "select concat_ws(' ', \
    (select string_agg(node_id || ':' || seq, ',' order by node_id) from sync.contiguous()), \
    (select count(*) || '/' || md5(string_agg(c::text, ',' order by customer_id)) from party.customer c))";

impl Chain {
    /// Central and this many stores, each registered before it joins.
    pub fn joined(stores: usize) -> Result<Self> {
        let lab = Lab::open()?;
        let central = Cluster::for_test(&lab)?;
        register_central(&mut central.connect()?)?;
        let mut chain = Self { central, stores: Vec::new() };
        for node in STORES.into_iter().take(stores) {
            let cluster = Cluster::for_test(&lab)?;
            store::register(&mut cluster.connect()?, node)?;
            Plan::Join.run(node, &cluster, &chain.central)?;
            chain.stores.push(cluster);
        }
        chain.converge()?;
        Ok(chain)
    }

    /// All nodes, central first.
    pub fn nodes(&self) -> impl Iterator<Item = &Cluster> {
        std::iter::once(&self.central).chain(&self.stores)
    }

    /// What one query of one text value answers at each node, central first.
    pub fn everywhere(&self, query: &str) -> Result<Vec<String>> {
        let ask = |node: &Cluster| {
            let answer: Option<String> = node.connect()?.query_one(query, &[])?.try_get(0)?;
            Ok(answer.unwrap_or_default())
        };
        self.nodes().map(ask).collect()
    }

    /// Waits until every node has the same operations, and the same customers.
    pub fn converge(&self) -> Result<()> {
        let mut answers = Vec::new();
        let same = || {
            answers = self.everywhere(COMMON).unwrap_or_default();
            !answers.is_empty() && answers.iter().all(|one| *one == answers[0])
        };
        until_true("the nodes agree", PATIENCE, same).with_context(|| format!("{answers:#?}"))
    }

    /// Cuts the line to a store: both subscriptions are disabled.
    pub fn cut(&self, store: usize) -> Result<()> {
        self.line(store, "disable")
    }

    /// Restores the line: both subscriptions are enabled.
    pub fn mend(&self, store: usize) -> Result<()> {
        self.line(store, "enable")
    }

    fn line(&self, store: usize, how: &str) -> Result<()> {
        let up = format!("alter subscription tpv_from_{} {how}", STORES[store].code.to_lowercase());
        self.central.connect()?.batch_execute(&up)?;
        self.stores[store].connect()?.batch_execute(&format!("alter subscription tpv_from_central {how}"))?;
        Ok(())
    }
}
