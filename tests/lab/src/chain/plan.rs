//! The plans of `sync` that a DBA runs: how a store joins central, and how it joins again.

use std::time::Duration;

use anyhow::{Context, Result};
use postgres::Client;

use super::line::Line;
use crate::cluster::Cluster;
use crate::node::{CENTRAL, Node};
use crate::wait::until_true;

/// Comparing takes a second or two; a machine under load gets this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A plan for one store and central.
#[derive(Clone, Copy, Debug)]
pub enum Plan {
    /// The store becomes part of the chain.
    Join,
    /// The store catches up after it lost its slot.
    Rejoin,
}

impl Plan {
    /// Runs it where the nodes reach each other over their sockets: each row on its node, in order,
    /// on its own.
    pub fn run(self, store: Node, at_store: &Cluster, at_central: &Cluster) -> Result<()> {
        self.run_with(store, (at_store, at_central), [&conninfo(at_store), &conninfo(at_central)])
    }

    /// The same where they reach each other over a line that can be cut.
    pub fn run_over(self, line: &Line, store: Node, at_store: &Cluster, at_central: &Cluster) -> Result<()> {
        self.run_with(store, (at_store, at_central), line.conninfos())
    }

    fn run_with(
        self,
        store: Node,
        (at_store, at_central): (&Cluster, &Cluster),
        [to_store, to_central]: [&str; 2],
    ) -> Result<()> {
        let function = match self {
            Self::Join => "sync.join_plan",
            Self::Rejoin => "sync.rejoin_plan",
        };
        let (mut store_dba, mut central_dba) = (at_store.connect()?, at_central.connect()?);
        let rows = central_dba.query(
            &format!("select run_on, sql, why from {function}($1, $2, $3, $4, $5, $6) order by step"),
            &[&store.code, &store.id, &CENTRAL.code, &CENTRAL.id, &to_store, &to_central],
        )?;
        for row in rows {
            let (run_on, sql, why): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            let dba = if run_on == store.code { &mut store_dba } else { &mut central_dba };
            dba.batch_execute(&sql).with_context(|| format!("{run_on}: {why}: {sql}"))?;
        }
        Ok(())
    }
}

/// Brings back a central that was restored: one plan for all its stores.
pub fn bring_back(at_central: &Cluster, stores: &[(Node, &Cluster)]) -> Result<()> {
    let mut central_dba = at_central.connect()?;
    let plan = "select run_on, sql, why from sync.restored_plan($1, 'a test') order by step";
    for row in central_dba.query(plan, &[&conninfo(at_central)])? {
        let (run_on, sql, why): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let at_store = stores.iter().find(|(store, _)| store.code == run_on);
        let done = match at_store {
            Some((_, at_store)) => at_store.connect()?.batch_execute(&sql),
            None => central_dba.batch_execute(&sql),
        };
        done.with_context(|| format!("{run_on}: {why}: {sql}"))?;
    }
    Ok(())
}

/// How a node is reached over its socket; plans name the login.
pub fn conninfo(cluster: &Cluster) -> String {
    format!("host={} dbname=tpv", cluster.sockets().display())
}

/// Makes a database central's.
pub fn register_central(dba: &mut Client) -> Result<()> {
    let mut work = dba.transaction()?;
    work.batch_execute("set local role tpv_owner")?;
    work.execute("select org.register_central(node_id => $1, node_code => $2)", &[&CENTRAL.id, &CENTRAL.code])?;
    Ok(work.commit()?)
}

/// Compares the nodes that have just joined with their peers until nothing is missing, as pg_cron
/// does each minute. From then on each says how far it is complete.
pub fn compare<'c>(nodes: impl IntoIterator<Item = &'c Cluster>) -> Result<()> {
    for node in nodes {
        let mut dba = node.connect()?;
        let done = "select coalesce(sync.reconcile() = 0, false) and \
                    (select bool_and(received_until is not null) from sync.peer)";
        until_true("a node has compared itself with its peers", PATIENCE, || {
            dba.query_one(done, &[]).is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true))
        })?;
        dba.execute("select sync.replay_waiting()", &[])?;
    }
    Ok(())
}
