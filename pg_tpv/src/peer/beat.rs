//! Heartbeats of this node: how far its stream is complete.

use std::cell::RefCell;
use std::sync::LazyLock;
use std::time::Instant;

use chrono::Utc;
use pgrx::prelude::*;
use tpv_core::heartbeat::{Head, Heads, Own, Told, carry, passed_on};

use super::lives;
use crate::guc;
use crate::node::clock::hlc_now;
use crate::node::this_node;
use crate::postgres::sql;

/// The low-water mark: nothing that was recorded before it can still commit. Whoever records takes
/// a transaction id first, so the mark is the earliest start among the transactions that hold one,
/// and now if none does. *Now* is read before them: who takes an id later also records later.
/// Stamps count whole milliseconds, and so does the mark.
///
/// The start of a prepared transaction is not known, only when it was prepared; that of a session
/// with `track_activities` off is not known at all. The last heartbeat was written before such a
/// transaction recorded anything, or allowed for it already, so its mark still holds. Sessions are
/// read first: one that prepares meanwhile is in one of the two lists.
const LOW_WATER: &str = r"
    with session as materialized (
      select min(a.xact_start) as oldest, count(*) > count(a.xact_start) as unknown from pg_catalog.pg_stat_activity a
       where a.datname = current_database() and a.backend_xid is not null and a.pid <> pg_backend_pid())
    select floor(extract(epoch from least(
      $1::timestamptz,
      s.oldest,
      case when s.unknown or exists (select from pg_catalog.pg_prepared_xacts p where p.database = current_database())
        then coalesce((select b.low_water from wire.beat b where b.node_id = $2 order by b.beat desc limit 1),
                      to_timestamp(0))
      end)) * 1000)::bigint * 1000
    from session s";

const BEAT: &str = r"
    insert into wire.beat (node_id, beat, hlc, low_water, ops, chains, version, more)
    select $1, $2, $3, to_timestamp($4 / 1000000.0),
      coalesce((select json_object_agg(k.node_id, k.seq order by k.node_id)::text from sync.contiguous() k), '{}'),
      $5, $6, $7";

const COUNT: &str = r"
    insert into sync.beat_counter as c (node_id, beat) values ($1, 1)
    on conflict (node_id) do update set beat = c.beat + 1 returning beat";

const OWN_HEADS: &str = "select chain, head_seq, head_hash, head_hlc from sync.hash_chain where node_id = $1";

/// How far this node has followed chains of addressed documents of other nodes. A node has one for
/// each other node and life. Of one that makes up more, the first thousand are named: a heartbeat
/// that is too large is refused by all.
const FOLLOWED: &str = r"
    select node_id, chain, chain_seq, hash from (
      select v.*, row_number() over (partition by v.node_id order by length(v.chain), v.chain) as nth
        from sync.verified v where v.node_id <> $1 and starts_with(v.chain, '>')) followed
    where nth <= 1000";

/// Whether peers have asked that the next heartbeat names all hash chains.
/// A request that somebody is just repeating is left to the next heartbeat.
const ASKED: &str = r"
    delete from sync.request r using (
      select node_id, what, subject from sync.request where what = 'heads' for update skip locked) free
    where (r.node_id, r.what, r.subject) = (free.node_id, free.what, free.subject)";

const IS_ASKED: &str = "select from sync.request where what = 'heads' limit 1";

/// Whether a peer has asked for a heartbeat that names all hash chains.
pub fn is_asked() -> bool {
    is_ready() && sql::row(IS_ASKED, &[], |_| ()).is_some()
}

/// Nobody has heard of a heartbeat that was rolled back. One that continues an older heartbeat than
/// the last would be taken for one after a gap.
const IS_WRITTEN: &str = "select from wire.beat where (node_id, beat, hlc) = ($1, $2, $3)";

thread_local! {
    /// What the last heartbeat of this process told, and its number.
    static TOLD: RefCell<Option<(i64, Told)>> = const { RefCell::new(None) };
}

/// The low-water mark of this node now, in microseconds since 1970.
pub fn low_water(node_id: i32) -> i64 {
    let now = sql::instant(Utc::now());
    sql::row(LOW_WATER, &[now.into(), node_id.into()], |row| row.must(1)).unwrap_or(0)
}

/// Writes a heartbeat, if this database is a node of a chain.
#[pg_extern(volatile, parallel_unsafe)]
pub fn beat() {
    if !is_ready() {
        return;
    }
    let Some(node_id) = this_node() else { return };
    let low_water = low_water(node_id);
    // Whoever writes a heartbeat at the same time waits here until this one is committed.
    let number: i64 = sql::row(COUNT, &[node_id.into()], |row| row.must(1)).unwrap_or(0);
    let (hlc, now_ms) = (hlc_now(), since_start_ms());
    let told = TOLD
        .take()
        .filter(|(last, told)| *last == number - 1 && is_written(node_id, *last, told.hlc))
        .map(|(_, told)| told);
    let (heads, asked) = (heads(node_id), sql::execute(ASKED, &[]) > 0);
    let carried = carry(&heads, told.as_ref(), asked, now_ms, guc::all_chains_every_ms());
    sql::execute(
        BEAT,
        &[
            node_id.into(),
            number.into(),
            hlc.into(),
            low_water.into(),
            carried.heads.to_json().into(),
            env!("CARGO_PKG_VERSION").into(),
            lives::tell_refused(node_id, carried.more(own())).into(),
        ],
    );
    TOLD.set(Some((number, carried.told(hlc, heads, told.as_ref(), now_ms))));
}

fn is_written(node_id: i32, number: i64, hlc: i64) -> bool {
    sql::row(IS_WRITTEN, &[node_id.into(), number.into(), hlc.into()], |_| ()).is_some()
}

/// The heads of all hash chains that this node writes or passes on.
fn heads(node_id: i32) -> Heads {
    let own = sql::rows(OWN_HEADS, &[node_id.into()], |row| {
        (row.must::<String>(1), Head { seq: row.must(2), hash: row.hash(3), hlc: Some(row.must(4)) })
    });
    let others = sql::rows(FOLLOWED, &[node_id.into()], |row| {
        let called = passed_on(row.must(1), &row.must::<String>(2), node_id)?;
        Some((called, Head { seq: row.must(3), hash: row.hash(4), hlc: None }))
    });
    Heads(own.into_iter().chain(others.into_iter().flatten()).collect())
}

const OWN: &str = "select token, stamps::bigint from sync.own_token() where token is not null";

/// What it asks peers about its own rows, after a start and until all have answered.
fn own() -> Option<Own> {
    sql::row(OWN, &[], |row| Own { token: row.must(1), stamps: row.must(2) })
}

const LOOK: &str = "select sync.look_at_server()";

/// Looks whether this server was restored from a backup.
pub fn look_at_server() {
    if is_ready() {
        sql::row(LOOK, &[], |_| ());
    }
}

/// A clock that nobody sets.
fn since_start_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

const REQUEST_HEADS: &str = "select sync.request_heads()";

/// Asks peers whose heartbeats were missed to name all their hash chains.
pub fn request_heads() {
    if is_ready() {
        sql::row(REQUEST_HEADS, &[], |_| ());
    }
}

/// The tables of an older version have no heartbeats like these yet, and an empty database none.
fn is_ready() -> bool {
    const READY: &str = "select to_regprocedure('sync.look_at_server()') is not null";
    sql::row(READY, &[], |row| row.must(1)) == Some(true)
}

extension_sql!(
    r#"
comment on function beat() is 'Writes a heartbeat; the background worker calls it every pg_tpv.beat_interval.';
"#,
    name = "beat_comments",
    requires = [beat]
);
