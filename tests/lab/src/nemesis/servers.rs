//! The chain of a run. It joins by the plan that a DBA runs; only the addresses in it lead over
//! lines that can be cut.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::chain::{self, Line, Plan, Way};
use crate::cluster::Cluster;
use crate::machine::Lab;
use crate::node::{CENTRAL, Node, STORES};
use crate::store;
use crate::wait::until;

/// Nothing may stand still for so long while nodes still differ; what was asked for is asked for
/// again after 50 seconds.
const STALLED: Duration = Duration::from_secs(110);

/// Quick to notice that the other side is gone, and to say how far it is.
const SETTINGS: [&str; 4] = [
    "alter system set wal_sender_timeout = '4s'",
    "alter system set wal_receiver_timeout = '4s'",
    "alter system set pg_tpv.beat_interval = '1s'",
    // Where libfaketime sets the clock, a timeout of the server fires at once or years later.
    "alter database tpv set idle_in_transaction_session_timeout = 0",
];

/// Central, the stores, and a line for each store.
pub struct Servers {
    /// Central first.
    pub clusters: Vec<Cluster>,
    /// One for each store, in their order.
    lines: Vec<Line>,
    /// By node: up to which number it has only the outcome of another node's operations, from the
    /// snapshot with which it joined, and not the operations themselves.
    pub horizons: Vec<Vec<(i32, i64)>>,
}

/// The node with this index.
pub fn node(index: usize) -> Node {
    if index == 0 { CENTRAL } else { STORES[index - 1] }
}

/// Digests of everything that nodes have in common; nodes that answer the same have the same.
const COMMON: &str = "select jsonb_object_agg(part, digest)::text from ( \
      select 'operations of ' || node_id as part, seq::text as digest from sync.contiguous() \
      union all select 'heads', md5(string_agg(concat_ws(' ', table_name, key, heads, waits), ',' order by table_name, key)) \
        from sync.head join sync.tracked_table using (table_name) \
      union all select 'siblings', coalesce(md5(string_agg(concat_ws(' ', table_name, key, column_name, node_id, seq, hlc, value, chosen, review), ',' \
                                            order by table_name, key, column_name, node_id, seq)), '') from sync.sibling \
      union all select e.table_name, tally.digest from sync.tracked_table e, \
        lateral (select query_to_xml(format('select md5(string_agg(to_jsonb(t)::text, '','' order by %I)) as d from %s t', \
                                            e.key_column, e.table_name), true, true, '')::text as digest) tally \
    ) parts";

/// How many of a store's documents there are, at the store and at central.
const DOCUMENTS: &str = "select count(*) || ' ' || coalesce(md5(string_agg(doc_id::text || encode(content_hash, 'hex'), ',' \
    order by doc_id, business_date)), '') from wire.doc where node_id = $1";

/// What a node still misses, or has to do for others.
const OPEN: &str = "select format('a heartbeat of node %s before %s is missing', node_id, gap_beat) from sync.peer where gap_beat is not null \
    union all select format('%s of node %s: %s to %s %s', what, subject, from_seq, to_seq, detail) from sync.drift where resolved_at is null \
    union all select format('%s for node %s waits to be sent', what, node_id) from sync.request \
    union all select format('a snapshot of node %s is not complete', node_id) from sync.snapshot where completed_at is null \
    union all select format('%s is partitioned into default', tableoid::regclass) from wire.op_default";

impl Servers {
    /// Starts and joins everything.
    pub fn joined() -> Result<Self> {
        let lab = Lab::open()?;
        let mut servers = Self { clusters: vec![Cluster::for_test(&lab)?], lines: Vec::new(), horizons: Vec::new() };
        tune(&servers.clusters[0])?;
        chain::register_central(&mut servers.clusters[0].connect()?)?;
        for node in STORES {
            let cluster = Cluster::for_test(&lab)?;
            tune(&cluster)?;
            store::register(&mut cluster.connect()?, node)?;
            let line = Line::lay(&lab, &cluster, &servers.clusters[0])?;
            Plan::Join.run_over(&line, node, &cluster, &servers.clusters[0])?;
            servers.lines.push(line);
            servers.clusters.push(cluster);
        }
        servers.come_to_rest()?;
        servers.horizons = (0..servers.clusters.len()).map(|index| servers.horizon(index)).collect::<Result<_>>()?;
        Ok(servers)
    }

    /// All nodes, central first.
    pub fn nodes(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.iter()
    }

    /// Runs the plan by which a store catches up that lost its slot.
    pub fn rejoin(&self, store: usize) -> Result<()> {
        // Before a snapshot can be made somebody has to dismiss what cannot be read.
        self.clusters[0].connect()?.batch_execute(
            "select sync.dismiss(quarantine_id, 'a store has to join again') from sync.quarantine \
             where code like 'OPERATION%' and resolved_at is null",
        )?;
        Plan::Rejoin.run_over(&self.lines[store], STORES[store], &self.clusters[store + 1], &self.clusters[0])
    }

    /// One direction of a line; each store has two.
    pub fn way(&self, index: usize) -> &Way {
        self.lines[index / 2].way(index % 2)
    }

    /// Waits until all nodes have the same of what they have in common, and central has every
    /// document.
    pub fn come_to_rest(&self) -> Result<()> {
        let mut last = String::new();
        let mut moved = Instant::now();
        until("all agree", Duration::from_secs(3600), || {
            let (agree, state) = self.compare().unwrap_or_else(|error| (false, format!("{error:#}")));
            if state != last {
                last = state;
                moved = Instant::now();
            }
            match (agree, moved.elapsed() > STALLED) {
                (true, _) => Some(Ok(())),
                (_, true) => Some(Err(anyhow::anyhow!("nodes differ, and nothing moves any more:\n{last}"))),
                _ => None,
            }
        })?
    }

    /// Whether all agree, and what is missing or differs.
    fn compare(&self) -> Result<(bool, String)> {
        let (mut digests, mut open) = (Vec::new(), Vec::new());
        for (index, at) in self.nodes().enumerate() {
            let mut dba = at.connect()?;
            dba.execute("select sync.replay_waiting(), sync.reconcile()", &[]).with_context(|| node(index).code)?;
            open.extend(
                dba.query(OPEN, &[])?.iter().map(|row| format!("{}: {}\n", node(index).code, row.get::<_, String>(0))),
            );
            let all: String = dba.query_one(COMMON, &[])?.get(0);
            digests.push(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&all)?);
        }
        let mut different = open.concat();
        for (index, own) in digests.iter().enumerate().skip(1) {
            for part in digests[0].keys().chain(own.keys()) {
                if digests[0].get(part) != own.get(part) {
                    different += &format!(
                        "{}: {part}: {:?}, central: {:?}\n",
                        node(index).code,
                        own.get(part),
                        digests[0].get(part)
                    );
                }
            }
            let id = node(index).id;
            let documents = |at: &Cluster| -> Result<String> { Ok(at.connect()?.query_one(DOCUMENTS, &[&id])?.get(0)) };
            let (own, central) = (documents(&self.clusters[index])?, documents(&self.clusters[0])?);
            if own != central {
                different += &format!("{}: documents: {own}, central: {central}\n", node(index).code);
            }
        }
        Ok((different.is_empty(), different))
    }

    fn horizon(&self, index: usize) -> Result<Vec<(i32, i64)>> {
        let mut dba = self.clusters[index].connect()?;
        let rows = dba.query("select node_id, seq from sync.horizon", &[])?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

fn tune(cluster: &Cluster) -> Result<()> {
    let mut dba = cluster.connect()?;
    SETTINGS.iter().try_for_each(|setting| dba.batch_execute(setting))?;
    Ok(dba.batch_execute("select pg_reload_conf()")?)
}
