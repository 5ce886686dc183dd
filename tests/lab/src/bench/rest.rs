//! What central writes to its WAL while nobody does anything: heartbeats, and comparing.
//!
//! One server sends the heartbeats of all stores, each through a publication, a slot and a
//! subscription of its own, so that central receives them as it does from as many servers. Five
//! minutes of them pass as quickly as they can, with one checkpoint, and a comparison for each
//! minute.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use postgres::Client;
use serde_json::{Value, json};

use crate::chain;
use crate::cluster::Cluster;
use crate::machine::Lab;
use crate::wait::until_true;

const CHAINS: i32 = 20;
const BEAT_SECONDS: i64 = 5;
/// Between two checkpoints, as PostgreSQL makes them by default.
const ROUNDS: i64 = 5 * 60 / BEAT_SECONDS;
const ROUNDS_IN_A_MINUTE: i64 = 60 / BEAT_SECONDS;
const ROUNDS_IN_A_YEAR: i64 = 365 * 24 * 3600 / BEAT_SECONDS;

/// The first number of a store, clear of central's.
const FIRST_ID: i32 = 1001;
const PATIENCE: Duration = Duration::from_secs(120);

const BIG: &str = "
max_wal_senders = 120
max_replication_slots = 120
max_logical_replication_workers = 120
max_worker_processes = 150
max_connections = 200
max_wal_size = 8GB
checkpoint_timeout = 1h
pg_tpv.beat_interval = 0
wal_retrieve_retry_interval = '200ms'
";

/// Documents of the stores as central has received them: one in each hash chain.
const DOCUMENTS: &str = "
begin;
set local role tpv_owner;
alter table wire.doc disable trigger _100_receive;
insert into wire.doc (node_id, doc_id, business_date, kind, hlc, schema_version, chain, chain_seq, prev_hash, body, content_hash)
select p.node_id, gen_random_uuid(), current_date, 'day_close', tpv.hlc_now(), 1, 'T' || lpad(c::text, 2, '0'), 1,
       decode(repeat('00', 32), 'hex'), '{}', sha256('{}')
  from sync.peer p cross join generate_series(1, CHAINS) c;
alter table wire.doc enable always trigger _100_receive;
-- Everybody has decided something.
insert into sync.horizon (node_id, seq) select p.node_id, 1000 + p.node_id from sync.peer p;
commit";

/// What the stores say of their hash chains: a row for each store.
const HEADS: &str = "
select d.node_id, json_object_agg(d.chain, json_build_array(d.chain_seq,
         encode(tpv.document_link(d.node_id, d.chain, d.chain_seq, d.doc_id, d.kind, d.business_date, d.prev_hash, d.content_hash), 'hex'),
         d.hlc) order by d.chain)::text
  from wire.doc d where d.node_id >= $1 group by 1 order by 1";

const OPERATIONS: &str = "select json_object_agg(k.node_id, k.seq order by k.node_id)::text from sync.contiguous() k";

/// Central, and the server that stands for all stores.
struct Chain {
    stores: i32,
    central: Client,
    at_stores: Client,
    beat: i64,
    _clusters: [Cluster; 2],
}

/// WAL that was written at central.
#[derive(Clone, Copy, Default)]
struct Wal {
    heartbeats: i64,
    comparing: i64,
}

/// What is measured.
pub fn run(words: &mut dyn Write, quick: bool) -> Result<Value> {
    let mut chain = Chain::start(if quick { 10 } else { 100 })?;
    let stores = i64::from(chain.stores);
    writeln!(
        words,
        "WAL of central, {stores} stores of {CHAINS} hash chains, a heartbeat of each every {BEAT_SECONDS} s"
    )?;
    writeln!(words, "                       bytes a heartbeat     comparing a minute      GB a year")?;
    let mut result = json!({ "stores": stores, "chains": CHAINS, "beat_seconds": BEAT_SECONDS });
    for (name, what, moves) in [("rest", "nothing moves", false), ("busy", "every chain moves", true)] {
        let wal = chain.measure(moves)?;
        let per_beat = wal.heartbeats / (ROUNDS * stores);
        let comparing = wal.comparing / (ROUNDS / ROUNDS_IN_A_MINUTE);
        let year = (wal.heartbeats + wal.comparing) / ROUNDS * ROUNDS_IN_A_YEAR;
        writeln!(words, "  {what:<20} {per_beat:>17}     {comparing:>18}     {:>10}", year / 1_000_000_000)?;
        result[name] = json!({
            "wal_bytes_per_beat": per_beat,
            "wal_bytes_per_comparison": comparing,
            "wal_bytes_per_year": year,
        });
    }
    Ok(result)
}

impl Chain {
    fn start(stores: i32) -> Result<Self> {
        let lab = Lab::open()?;
        let clusters =
            [Cluster::start_with(&lab, "rest-central", BIG)?, Cluster::start_with(&lab, "rest-stores", BIG)?];
        let [central, at_stores] = &clusters;
        let conninfo = format!("{} user=postgres", chain::conninfo(at_stores));
        let (mut central, mut at_stores) = (central.connect()?, at_stores.connect()?);
        for dba in [&mut central, &mut at_stores] {
            dba.batch_execute("update cron.job set active = false")?;
        }
        chain::register_central(&mut central)?;
        for node_id in FIRST_ID..FIRST_ID + stores {
            let (code, name) = (format!("F{node_id}"), format!("rest_{node_id}"));
            let publish =
                "select sync.publish_statement($1, 'false', 'false', format('node_id = %s', $2::integer), 'false')";
            let publish: String = at_stores.query_one(publish, &[&name, &node_id])?.get(0);
            at_stores.batch_execute(&publish)?;
            at_stores.execute("select pg_create_logical_replication_slot($1, 'pgoutput')", &[&name])?;
            central.execute("select sync.add_peer($1, $2, 'store')", &[&node_id, &code])?;
            let subscription = format!("tpv_from_{}", code.to_lowercase());
            let subscribe = "select sync.subscribe_statement($1, $2, $3, $3, 'none')";
            let subscribe: String = central.query_one(subscribe, &[&subscription, &conninfo, &name])?.get(0);
            central.batch_execute(&subscribe)?;
            central.batch_execute(&format!("alter subscription {subscription} enable"))?;
        }
        central.batch_execute(&DOCUMENTS.replace("CHAINS", &CHAINS.to_string()))?;
        at_stores.batch_execute(
            "create table public.head (node_id integer primary key, chains text not null, ops text not null)",
        )?;
        let operations: String = central.query_one(OPERATIONS, &[])?.get(0);
        for row in central.query(HEADS, &[&FIRST_ID])? {
            let (node_id, chains): (i32, String) = (row.get(0), row.get(1));
            at_stores.execute("insert into public.head values ($1, $2, $3)", &[&node_id, &chains, &operations])?;
        }
        let mut chain = Self { stores, central, at_stores, beat: 0, _clusters: clusters };
        chain.round(false)?;
        until_true("central has compared itself with all stores", PATIENCE, || {
            let done = "select sync.reconcile() = 0 and bool_and(verified_until is not null) from sync.peer";
            chain.central.query_one(done, &[]).is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true))
        })?;
        Ok(chain)
    }

    /// Each store's next heartbeat, and central's own. It is over when central has all of them.
    fn round(&mut self, moves: bool) -> Result<()> {
        self.beat += 1;
        if moves {
            let move_all = "update public.head h set chains = (
                select json_object_agg(c.key, json_build_array((c.value ->> 0)::bigint + 1,
                         encode(sha256(convert_to(h.node_id || c.key || (c.value ->> 0), 'UTF8')), 'hex'), tpv.hlc_now()) order by c.key)::text
                  from json_each(h.chains::json) c)";
            self.at_stores.batch_execute(move_all)?;
        }
        // The first names all, the others what moves.
        let beat = "insert into wire.beat (node_id, beat, hlc, low_water, ops, chains, version, more)
            select h.node_id, $1::bigint, tpv.hlc_now(), clock_timestamp(), h.ops, case when b.hlc is null or $3 then h.chains else '{}' end,
                   '0.2.0', case when b.hlc is null then '{}' else json_build_object('since', b.hlc)::text end
              from public.head h left join wire.beat b on b.node_id = h.node_id and b.beat = $1::bigint - 1
             where h.node_id = $2";
        let beat = self.at_stores.prepare(beat)?;
        for node_id in FIRST_ID..FIRST_ID + self.stores {
            self.at_stores.execute(&beat, &[&self.beat, &node_id, &moves])?;
        }
        self.central.execute("select tpv.beat()", &[])?;
        let arrived = self.central.prepare("select count(*) = $2 from sync.peer where beat = $1")?;
        until_true("all heartbeats are here", PATIENCE, || {
            let row = self.central.query_one(&arrived, &[&self.beat, &i64::from(self.stores)]);
            row.is_ok_and(|row| row.get(0))
        })
        .with_context(|| format!("the {}. heartbeat", self.beat))
    }

    /// Five minutes.
    fn measure(&mut self, moves: bool) -> Result<Wal> {
        let mut wal = Wal::default();
        self.central.batch_execute("checkpoint")?;
        let mut from = self.position()?;
        for round in 1..=ROUNDS {
            self.round(moves)?;
            if round % ROUNDS_IN_A_MINUTE == 0 {
                let to = self.position()?;
                // Documents do not come with the heads that move here.
                if !moves {
                    self.central.execute("select sync.reconcile()", &[])?;
                }
                let compared = self.position()?;
                (wal.heartbeats, wal.comparing) = (wal.heartbeats + to - from, wal.comparing + compared - to);
                from = compared;
            }
        }
        Ok(wal)
    }

    fn position(&mut self) -> Result<i64> {
        let at = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";
        Ok(self.central.query_one(at, &[])?.get(0))
    }
}
