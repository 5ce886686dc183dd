//! A store and central, joined by the plan, and in every other way as well.
//!
//! Receipts are written once for each way. The slot from before is kept, and each catch-up gets a
//! copy of it, so that central receives the very same WAL again.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use postgres::Client;
use uuid::Uuid;

use super::tickets::tickets;
use super::way::Way;
use crate::chain::{self, Plan};
use crate::cluster::{Cluster, PgTree};
use crate::machine::{Lab, Process};
use crate::node::STORES;
use crate::store;
use crate::wait::until_true;

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is compared is work of the processor: nothing waits for the disk, and nothing happens by
/// the way.
const SETTINGS: &str = "
fsync = off
autovacuum = off
shared_buffers = 512MB
max_wal_size = 8GB
checkpoint_timeout = 1h
wal_retrieve_retry_interval = '10ms'
";

/// pglogical decides by commit timestamps.
const PGLOGICAL: &str = "
shared_preload_libraries = 'pg_cron,pg_tpv,pglogical'
track_commit_timestamp = on
pglogical.conflict_resolution = 'last_update_wins'
";

/// Both servers and what they have in common.
pub struct Pair {
    pub store: Client,
    pub central: Client,
    /// Whether the machine has pglogical.
    pub has_pglogical: bool,
    /// The major version of both servers.
    pub major: i32,
    conninfo: [String; 2],
    _clusters: [Cluster; 2],
}

/// What one catch-up took.
#[derive(Clone, Copy)]
pub struct Run {
    /// Time on the wall.
    pub took: Duration,
    /// Time of the processor, of the apply worker.
    pub applying: Duration,
    /// Time of the processor, of the store's walsender, which decodes the WAL.
    pub sending: Duration,
}

/// What is written at the store.
#[derive(Clone, Copy)]
pub struct Size {
    /// Lines of a receipt.
    pub lines: usize,
    pub receipts: usize,
    /// Receipts of one transaction.
    pub together: usize,
}

/// Receipts of one size, written in every way.
pub struct Written {
    size: Size,
    last: Uuid,
}

impl Pair {
    /// Starts and joins them.
    pub fn start() -> Result<Self> {
        let lab = Lab::open()?;
        let has_pglogical = PgTree::prepare(&lab)?.has_library("pglogical");
        let settings = SETTINGS.to_owned() + if has_pglogical { PGLOGICAL } else { "" };
        let clusters = [Cluster::for_test_with(&lab, &settings)?, Cluster::for_test_with(&lab, &settings)?];
        let [store, central] = &clusters;
        let (mut at_store, mut at_central) = (store.connect()?, central.connect()?);
        chain::register_central(&mut at_central)?;
        store::register(&mut at_store, STORES[0])?;
        Plan::Join.run(STORES[0], store, central)?;
        let version: String = at_store.query_one("select current_setting('server_version_num')", &[])?.get(0);
        let mut pair = Self {
            store: at_store,
            central: at_central,
            has_pglogical,
            major: version.parse::<i32>()? / 10_000,
            conninfo: [store, central].map(|node| format!("{} user=postgres", chain::conninfo(node))),
            _clusters: clusters,
        };
        let joined = "select not exists (select from pg_subscription_rel where srsubstate <> 'r')";
        for dba in [&mut pair.store, &mut pair.central] {
            until_true("they have joined", PATIENCE, || yes(dba, joined))?;
            // What cron does now and then would count as work of whoever is measured meanwhile.
            dba.batch_execute("update cron.job set active = false")?;
        }
        pair.store
            .batch_execute("create schema bench; create table bench.receipt (number bigserial, receipt_id uuid)")?;
        for way in Way::ALL {
            pair.connect(way)?;
        }
        Ok(pair)
    }

    /// Makes the tables, publication and subscription of a way; nothing flows yet.
    fn connect(&mut self, way: Way) -> Result<()> {
        let tables = way.tables();
        self.store.batch_execute(&tables)?;
        self.central.batch_execute(&tables)?;
        self.central.batch_execute(way.at_central())?;
        match way {
            Way::Tpv | Way::Unlogged => Ok(()),
            Way::Pglogical if self.has_pglogical => self.connect_pglogical(),
            Way::Pglogical => Ok(()),
            Way::Native | Way::Indexed | Way::Binary | Way::Plpgsql => {
                let (key, tables, binary) = (way.key(), way.published(), !matches!(way, Way::Native | Way::Indexed));
                self.store
                    .batch_execute(&format!("create publication {key} for table {tables} with (publish = 'insert')"))?;
                Ok(self.central.batch_execute(&format!(
                    "create subscription {key} connection '{}' publication {key} with \
                     (create_slot = false, enabled = false, copy_data = false, binary = {binary}, streaming = off)",
                    self.conninfo[0]
                ))?)
            }
        }
    }

    /// From now on each catch-up streams a copy of a slot, under a name of its own.
    pub fn stream_copies(&mut self) -> Result<()> {
        Ok(self.store.batch_execute("alter role tpv_peer_central set pg_tpv.peer_slot = 'run_tpv'")?)
    }

    fn connect_pglogical(&mut self) -> Result<()> {
        let [dsn, own_dsn] = self.conninfo.clone();
        let node = "create extension pglogical; select pglogical.create_node(node_name := ";
        self.trust_pglogical_output()?;
        self.store.batch_execute(&format!(
            "{node} 'store', dsn := '{dsn}'); \
             select pglogical.replication_set_add_table('default', 'pglogical_rows.receipt'); \
             select pglogical.replication_set_add_table('default', 'pglogical_rows.receipt_line')"
        ))?;
        self.central.batch_execute(&format!("{node} 'central', dsn := '{own_dsn}')"))?;
        self.central.batch_execute(&format!(
            "select pglogical.create_subscription(subscription_name := 'pglogical', provider_dsn := '{dsn}', \
             replication_sets := '{{default}}', synchronize_structure := false, synchronize_data := false, forward_origins := '{{}}')"
        ))?;
        let ready = "select coalesce(bool_and(status = 'replicating'), false) from pglogical.show_subscription_status('pglogical')";
        until_true("pglogical replicates", PATIENCE, || yes(&mut self.central, ready))?;
        let disable = "select pglogical.alter_subscription_disable('pglogical', true)";
        Ok(self.central.batch_execute(disable)?)
    }

    /// Newer minor versions decode only for output plugins that are named as trusted.
    fn trust_pglogical_output(&mut self) -> Result<()> {
        if yes(&mut self.store, "select exists (select from pg_settings where name = 'output_plugin_libraries')") {
            self.store.batch_execute("alter system set output_plugin_libraries = pgoutput, pglogical_output")?;
            self.store.batch_execute("select pg_reload_conf()")?;
        }
        Ok(())
    }

    /// Takes receipts in at the store, and writes them once more for each other way.
    pub fn write(&mut self, ways: &[Way], size: Size) -> Result<Written> {
        let Size { lines, receipts, together } = size;
        self.pause(Way::Tpv)?;
        let count = "select count(*) from sales.receipt where line_count = $1";
        let before: i64 = self.store.query_one(count, &[&(lines as i32)])?.get(0);
        // Tpv is last in the list but for what shares its rows, and first to be written: the others copy them.
        for way in ways.iter().rev() {
            let plugin = if *way == Way::Pglogical { "pglogical_output" } else { "pgoutput" };
            let make = "select pg_create_logical_replication_slot($1, $2)";
            self.store.query(make, &[&kept_slot(*way, size), &plugin])?;
            if *way != Way::Tpv {
                self.store.batch_execute(&way.copy(together))?;
                continue;
            }
            let take = self.store.prepare("select outcome from sales.ingest_files('T01', $1::bytea[], null)")?;
            let mut files = tickets(lines).skip(before as usize).take(receipts).peekable();
            while files.peek().is_some() {
                let part: Vec<Vec<u8>> = files.by_ref().take(together).collect();
                for row in self.store.query(&take, &[&part])? {
                    let outcome: String = row.get(0);
                    ensure!(outcome == "accepted", "a receipt was {outcome}");
                }
            }
            self.store.execute("truncate bench.receipt", &[])?;
            self.store.execute(
                "insert into bench.receipt (receipt_id) select receipt_id from sales.receipt where line_count = $1 \
                 order by receipt_number offset $2",
                &[&(lines as i32), &before],
            )?;
        }
        let last =
            self.store.query_one("select receipt_id from bench.receipt order by number desc limit 1", &[])?.get(0);
        Ok(Written { size, last })
    }

    /// Drops the slots that were kept for a size.
    pub fn forget(&mut self, ways: &[Way], size: Size) -> Result<()> {
        for way in ways {
            self.store.query("select pg_drop_replication_slot($1)", &[&kept_slot(*way, size)])?;
        }
        Ok(())
    }

    /// Lets a way catch up from before its receipts were written, and checks that all came.
    pub fn catch_up(&mut self, way: Way, written: &Written) -> Result<Run> {
        self.central.batch_execute(way.empty())?;
        let Size { lines, receipts, .. } = written.size;
        self.rewind(way, written.size)?;
        if way == Way::Unlogged {
            self.central.batch_execute(WITHOUT_CHANGE_LOG)?;
            self.central.batch_execute("select pg_reload_conf(), pg_sleep(2)")?;
            self.central.batch_execute("alter table sync.touched rename to not_touched")?;
        }
        let there = self.central.prepare(&format!(
            "select exists (select from {}.receipt_line where node_id = 1 and receipt_id = $1 and line_number = $2)",
            way.schema()
        ))?;
        let started = Instant::now();
        self.resume(way)?;
        until_true("the last row is there", PATIENCE, || {
            let row = self.central.query_one(&there, &[&written.last, &(lines as i32)]);
            row.is_ok_and(|row| row.get(0))
        })?;
        let took = started.elapsed();
        let [applying, sending] = [busy(&mut self.central, APPLIES)?, busy(&mut self.store, SENDS)?];
        self.pause(way)?;
        if way == Way::Unlogged {
            self.central.batch_execute("alter table sync.not_touched rename to touched")?;
            self.central.batch_execute("alter system reset pg_tpv.fold_interval")?;
            self.central.batch_execute("select pg_reload_conf()")?;
        }
        let count =
            format!("select (select count(*) from {0}.receipt), (select count(*) from {0}.receipt_line)", way.schema());
        let row = self.central.query_one(&count, &[])?;
        let (found, expected) = ((row.get(0), row.get(1)), (receipts as i64, (receipts * lines) as i64));
        ensure!(found == expected, "{}: {found:?} receipts and lines arrived of {expected:?}", way.key());
        Ok(Run { took, applying, sending })
    }

    /// Puts the subscription back to where its slot was kept.
    fn rewind(&mut self, way: Way, size: Size) -> Result<()> {
        let (slot, origin) = match way {
            Way::Pglogical => {
                let row = self.central.query_one("select sub_slot_name::text from pglogical.subscription", &[])?;
                (row.get(0), row.get::<_, String>(0))
            }
            _ => {
                let sql = "select 'pg_' || oid from pg_subscription where subname = $1";
                (
                    format!("run_{}", if way.is_tpv() { "tpv" } else { way.key() }),
                    self.central.query_one(sql, &[&way.subscription()])?.get(0),
                )
            }
        };
        let drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1";
        self.store.query(drop, &[&slot])?;
        let copy = "select pg_copy_logical_replication_slot($1, $2)";
        self.store.query(copy, &[&kept_slot(way, size), &slot])?;
        let sql = "select confirmed_flush_lsn::text from pg_replication_slots where slot_name = $1";
        let from: String = self.store.query_one(sql, &[&slot])?.get(0);
        if way != Way::Pglogical {
            self.central
                .batch_execute(&format!("alter subscription {} set (slot_name = {slot})", way.subscription()))?;
        }
        self.central.query("select pg_replication_origin_advance($1, $2::text::pg_lsn)", &[&origin, &from])?;
        Ok(())
    }

    /// Enables a subscription.
    pub fn resume(&mut self, way: Way) -> Result<()> {
        Ok(self.central.batch_execute(&match way {
            Way::Pglogical => "select pglogical.alter_subscription_enable('pglogical', true)".to_owned(),
            _ => format!("alter subscription {} enable", way.subscription()),
        })?)
    }

    /// Disables a subscription, and waits until nobody works for it at either end.
    pub fn pause(&mut self, way: Way) -> Result<()> {
        self.central.batch_execute(&match way {
            Way::Pglogical => "select pglogical.alter_subscription_disable('pglogical', true)".to_owned(),
            _ => format!("alter subscription {} disable", way.subscription()),
        })?;
        for (dba, working) in [(&mut self.central, APPLIES), (&mut self.store, SENDS)] {
            until_true("nobody works for it", PATIENCE, || yes(dba, &format!("select not exists ({working})")))?;
        }
        Ok(())
    }
}

/// The fold would look for its table.
const WITHOUT_CHANGE_LOG: &str = "alter system set pg_tpv.fold_interval = 0";

/// Who applies at central; one at a time.
const APPLIES: &str = "select pid from pg_stat_activity where backend_type like 'pglogical apply%' or \
    backend_type like 'logical replication%worker'";

/// Who sends at the store.
const SENDS: &str = "select active_pid from pg_replication_slots where active";

fn busy(dba: &mut Client, who: &str) -> Result<Duration> {
    let pid: Option<i32> = dba.query_opt(who, &[])?.and_then(|row| row.get(0));
    Ok(pid.and_then(Process::of).map(|process| process.busy()).unwrap_or_default())
}

/// The slot that stands before the receipts of a way and size.
fn kept_slot(way: Way, size: Size) -> String {
    format!("kept_{}_{}_{}", way.key(), size.lines, size.together)
}

fn yes(dba: &mut Client, sql: &str) -> bool {
    dba.query_one(sql, &[]).is_ok_and(|row| row.get(0))
}
