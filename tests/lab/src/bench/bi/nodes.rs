//! Central with the figures of all stores, and the first store, which is real: it hands in late
//! receipts. Of the others central only knows that they are there.

use std::time::Duration;

use anyhow::Result;
use postgres::Client;

use crate::chain::{self, Plan};
use crate::cluster::Cluster;
use crate::life::Life;
use crate::life::play::{furnish, register_store};
use crate::machine::Lab;
use crate::node::STORES;
use crate::wait::until_true;

const PATIENCE: Duration = Duration::from_secs(300);

/// Nothing waits for the disk. Autovacuum works as it does in a chain, only sooner: tables grow from
/// nothing here within minutes.
const CENTRAL: &str = "
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum_naptime = 5s
shared_buffers = 2GB
effective_cache_size = 6GB
work_mem = 32MB
maintenance_work_mem = 512MB
max_wal_size = 16GB
checkpoint_timeout = 1h
";

const STORE: &str = "
fsync = off
autovacuum = off
";

/// Both servers.
pub struct Nodes {
    pub central: Client,
    pub store: Client,
    pub at_central: Cluster,
    _at_store: Cluster,
}

impl Nodes {
    /// Starts and joins them, and tells central what the chain sells, and where.
    pub fn start(lab: &Lab, life: &Life) -> Result<Self> {
        let at_central = Cluster::for_test_with(lab, CENTRAL)?;
        let at_store = Cluster::for_test_with(lab, STORE)?;
        let (mut central, mut store) = (at_central.connect()?, at_store.connect()?);
        chain::register_central(&mut central)?;
        register_store(&mut store, life, 0)?;
        Plan::Join.run(STORES[0], &at_store, &at_central)?;
        chain::compare([&at_central, &at_store])?;
        for dba in [&mut central, &mut store] {
            dba.batch_execute("update cron.job set active = false")?;
        }
        let is_known = "select exists (select from org.store)";
        until_true("central knows the store", PATIENCE, || yes(&mut central, is_known))?;
        introduce(&mut central, life)?;
        furnish(&mut central, life, 0..life.stores.len())?;
        let terminals = life.stores[0].terminals.len();
        let is_furnished = format!("select count(*) = {terminals} from org.terminal where node_id = 1");
        until_true("the store knows its terminals", PATIENCE, || yes(&mut store, &is_furnished))?;
        Ok(Self { central, store, at_central, _at_store: at_store })
    }
}

/// What other stores would have said of themselves.
fn introduce(central: &mut Client, life: &Life) -> Result<()> {
    let mut work = central.transaction()?;
    work.batch_execute("set local role tpv_owner")?;
    for store in &life.stores[1..] {
        let (id, code) = (store.node_id, &store.code);
        work.execute("insert into org.node (node_id, node_code, kind) values ($1, $2, 'store')", &[&id, &code])?;
        work.execute(
            "insert into org.store (node_id, code, name, timezone, cutoff_hour, currency) values ($1, $2, $3, $4, 4, 'EUR')",
            &[&id, &code, &store.name, &store.zone.name()],
        )?;
    }
    Ok(work.commit()?)
}

pub fn yes(dba: &mut Client, sql: &str) -> bool {
    dba.query_one(sql, &[]).is_ok_and(|row| row.get(0))
}
