//! The demo's chain: central and three stores, joined by the plan that a DBA would run. And such a chain for one test.

use std::time::Duration;

use anyhow::{Context, Result};
use postgres::Client;

use crate::cluster::Cluster;
use crate::machine::lab::Lab;
use crate::store;
use crate::wait::until::until_true;

/// How long a chain may take to settle after a fault; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node of the demo's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name: of the cluster, of the variables in `.tpv/env`, and its `node_code`.
    pub code: &'static str,
    /// Its number.
    pub id: i32,
}

/// Central.
pub const CENTRAL: Node = Node { code: "CENTRAL", id: 100 };

/// The stores.
pub const STORES: [Node; 3] = [Node { code: "S01", id: 1 }, Node { code: "S02", id: 2 }, Node { code: "S03", id: 3 }];

/// Says that a database is central.
pub fn register_central(dba: &mut Client) -> Result<()> {
    let mut work = dba.transaction()?;
    work.batch_execute("set local role tpv_owner")?;
    work.execute("select org.register_central(node_id => $1, node_code => $2)", &[&CENTRAL.id, &CENTRAL.code])?;
    Ok(work.commit()?)
}

/// How a peer's server reaches a node.
pub fn conninfo(cluster: &Cluster) -> String {
    format!("host={} dbname=tpv user=tpv_replicator", cluster.sockets().display())
}

/// Runs the plan by which a store joins: each row on its node, in order, on its own.
pub fn join(store: Node, at_store: &Cluster, at_central: &Cluster) -> Result<()> {
    run_plan("join_plan", store, (at_store, at_central), (&conninfo(at_store), &conninfo(at_central)))
}

/// The same where the nodes reach each other in another way than over their sockets.
pub fn join_over(
    store: Node,
    at_store: &Cluster,
    at_central: &Cluster,
    to_store: &str,
    to_central: &str,
) -> Result<()> {
    run_plan("join_plan", store, (at_store, at_central), (to_store, to_central))
}

/// Runs the plan by which a store catches up after it lost its slot.
pub fn rejoin(store: Node, at_store: &Cluster, at_central: &Cluster) -> Result<()> {
    run_plan("rejoin_plan", store, (at_store, at_central), (&conninfo(at_store), &conninfo(at_central)))
}

/// The same over addresses of the caller's choice.
pub fn rejoin_over(
    store: Node,
    at_store: &Cluster,
    at_central: &Cluster,
    to_store: &str,
    to_central: &str,
) -> Result<()> {
    run_plan("rejoin_plan", store, (at_store, at_central), (to_store, to_central))
}

fn run_plan(
    plan: &str,
    store: Node,
    (at_store, at_central): (&Cluster, &Cluster),
    (to_store, to_central): (&str, &str),
) -> Result<()> {
    let (mut store_dba, mut central_dba) = (at_store.connect()?, at_central.connect()?);
    let rows = central_dba.query(
        &format!("select run_on, sql, why from sync.{plan}($1, $2, $3, $4, $5, $6) order by step"),
        &[&store.code, &store.id, &CENTRAL.code, &CENTRAL.id, &to_store, &to_central],
    )?;
    for row in rows {
        let (run_on, sql, why): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let dba = if run_on == store.code { &mut store_dba } else { &mut central_dba };
        dba.batch_execute(&sql).with_context(|| format!("{run_on}: {why}: {sql}"))?;
    }
    Ok(())
}

/// Compares the nodes that have just joined with their peers until nothing is missing, as pg_cron does each minute: from then
/// on each says how far it is complete.
pub fn compare<'c>(nodes: impl IntoIterator<Item = &'c Cluster>) -> Result<()> {
    for node in nodes {
        let mut dba = node.connect()?;
        let done = "select coalesce(sync.reconcile() = 0, false) and (select bool_and(received_until is not null) from sync.peer)";
        until_true("what a peer has said was compared with what is here", PATIENCE, || {
            dba.query_one(done, &[]).is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true))
        })?;
        dba.execute("select sync.replay_waiting()", &[])?;
    }
    Ok(())
}

/// A joined chain for one test; all of it goes away with the value.
#[derive(Debug)]
pub struct Chain {
    /// Central.
    pub central: Cluster,
    /// The stores: the first of [`STORES`].
    pub stores: Vec<Cluster>,
}

/// What every node of a chain that came to rest says alike: whose operations are part of what it has, and the customers.
const SIGHT: &str = "select concat_ws(' ', \
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
            join(node, &cluster, &chain.central)?;
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
        let mut seen = Vec::new();
        let same = || {
            seen = self.everywhere(SIGHT).unwrap_or_default();
            !seen.is_empty() && seen.iter().all(|sight| *sight == seen[0])
        };
        until_true("the nodes agree", PATIENCE, same).with_context(|| format!("{seen:#?}"))
    }

    /// Takes the line to a store away.
    pub fn cut(&self, store: usize) -> Result<()> {
        self.line(store, "disable")
    }

    /// Gives it back.
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
