//! Heartbeats: how far this node's stream is complete.

use chrono::Utc;
use pgrx::prelude::*;

use crate::node::clock::hlc_now;
use crate::node::this_node;
use crate::postgres::sql;
use crate::wire::{BeatRow, Sender};

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
    insert into wire.beat (node_id, beat, hlc, low_water, ops, chains, version)
    select $1, $5, $2, to_timestamp($3 / 1000000.0),
      coalesce((select json_object_agg(k.node_id, k.seq order by k.node_id)::text from sync.contiguous() k), '{}'),
      coalesce((select json_object_agg(h.chain, json_build_array(h.head_seq, encode(h.head_hash, 'hex'), h.head_hlc)
                                       order by h.chain)::text
                  from sync.hash_chain h where h.node_id = $1), '{}'),
      $4";

const COUNT: &str = r"
    insert into sync.beat_counter as c (node_id, beat) values ($1, 1)
    on conflict (node_id) do update set beat = c.beat + 1 returning beat";

/// Writes a heartbeat, if this database is a node of a chain.
#[pg_extern(volatile, parallel_unsafe)]
pub fn beat() {
    // The tables of an older version have no heartbeats yet.
    let ready = sql::row("select to_regprocedure('sync.contiguous()') is not null", &[], |row| row.must::<bool>(1));
    if ready != Some(true) {
        return;
    }
    let Some(node_id) = this_node() else { return };
    let now = sql::instant(Utc::now());
    let low_water: i64 = sql::row(LOW_WATER, &[now.into(), node_id.into()], |row| row.must(1)).unwrap_or(0);
    let number: i64 = sql::row(COUNT, &[node_id.into()], |row| row.must(1)).unwrap_or(0);
    sql::execute(
        BEAT,
        &[node_id.into(), hlc_now().into(), low_water.into(), env!("CARGO_PKG_VERSION").into(), number.into()],
    );
}

/// When a heartbeat is missing, rows may be missing too: `received_until` does not move until
/// `sync.reconcile` has compared. The first heartbeat of a peer counts as such a gap.
const FOLD: &str = r"
    update sync.peer p
    set beat = $2, beat_at = clock_timestamp(), low_water = $3, ops = $4, chains = $5, version = $6, ahead_ms = $7,
        gap_beat = case when p.beat + 1 = $2 then p.gap_beat else $2 end,
        received_until = case when p.beat + 1 = $2 and p.gap_beat is null then $3 else p.received_until end
    where p.node_id = $1 and (p.beat is null or p.beat < $2)";

/// Folds a peer's heartbeat into `sync.peer`. A heartbeat that the sender passes on for another
/// node is dropped.
pub fn fold(from: Sender, beat: &BeatRow) {
    if !matches!(from, Sender::Peer { node_id, .. } if node_id == beat.node_id) {
        return;
    }
    let ahead = crate::node::clock::follow(beat.hlc);
    sql::execute(
        FOLD,
        &[
            beat.node_id.into(),
            beat.beat.into(),
            beat.low_water.into(),
            beat.ops.as_str().into(),
            beat.chains.as_str().into(),
            beat.version.as_str().into(),
            ahead.into(),
        ],
    );
}

extension_sql!(
    r#"
comment on function beat() is 'Writes a heartbeat; the background worker calls it every pg_tpv.beat_interval.';
"#,
    name = "beat_comments",
    requires = [beat]
);
