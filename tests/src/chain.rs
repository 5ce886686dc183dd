//! The demo's chain: central and three stores, joined by the plan that a DBA would run.

use anyhow::{Context, Result};
use postgres::Client;

use crate::cluster::Cluster;

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
    let (mut store_dba, mut central_dba) = (at_store.connect()?, at_central.connect()?);
    let plan = central_dba.query(
        "select run_on, sql, why from sync.join_plan($1, $2, $3, $4, $5, $6) order by step",
        &[&store.code, &store.id, &CENTRAL.code, &CENTRAL.id, &conninfo(at_store), &conninfo(at_central)],
    )?;
    for row in plan {
        let (run_on, sql, why): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let dba = if run_on == store.code { &mut store_dba } else { &mut central_dba };
        dba.batch_execute(&sql).with_context(|| format!("{run_on}: {why}: {sql}"))?;
    }
    Ok(())
}
