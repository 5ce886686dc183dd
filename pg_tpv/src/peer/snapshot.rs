//! A snapshot while it arrives: the heads of all entities at the sender as of one moment, merged
//! with the heads here.
//!
//! ```text
//!           first part            next parts
//!   nothing ──────────▶ incomplete ──────────▶ incomplete
//!                           │
//!                           ├─ the end, when all parts are here ──────────▶ complete
//!                           ├─ a later snapshot of that peer is complete ─▶ given up: forgotten
//!                           └─ an operator ends it, or its time is over ──▶ ended: no part is taken
//! ```
//!
//! A store believes what central sends. Central believes no store, unless somebody asked that one
//! for what central has forgotten (`sync.accept_snapshot`), and then within limits ([`Limits`]).
//!
//! - Incomplete: `sync.snapshot` counts its parts and the operations that it covers,
//!   `sync.snapshot_row` lists the entities that it has brought. An operation that it covers may
//!   still arrive for one of these, and is late (`journal::coverage`).
//! - Complete: `sync.horizon` has what it covers, for all entities. Such an operation is dropped
//!   when it arrives.
//! - An end that comes while parts are missing goes to quarantine, and the snapshot stays
//!   incomplete. The peer has to be asked for another one (`sync.request`).
//!
//! The merge of each part is final, whatever becomes of the snapshot: it says what the sender knew.
//!
//! At a store, what it had written by itself in central's tables is set aside before the first part
//! is merged: the merge would take it for replaced, and it would be nowhere.

use tpv_core::json::{self, Value};
use tpv_core::merge::{Knowledge, Limits};

use crate::journal::{self, SnapshotRow, Unparsed, within_bans};
use crate::node::this_node;
use crate::postgres::{DataFault, sql};
use crate::wire::{ResendRow, refuse_unasked};

const BEGIN: &str = r"
    insert into sync.snapshot (snapshot_id, node_id, covers)
    values ($1::uuid, $2, $3)
    on conflict (snapshot_id) do nothing";
const COUNT_PART: &str = r"
    update sync.snapshot set parts = parts + 1, digest = digest + hashtextextended($2, 0), part_at = clock_timestamp()
    where snapshot_id = $1::uuid";
/// Until the snapshot is complete, an operation that it covers may still arrive for these entities,
/// and is late.
const LIST_ROWS: &str = r"
    insert into sync.snapshot_row (snapshot_id, table_name, key)
    select $1::uuid, r.table_name, r.key from unnest($2::text[], $3::text[]) as r (table_name, key)
    on conflict do nothing";

/// Merges some entities.
///
/// # Errors
/// The body is not that of a part.
pub fn part(row: &ResendRow, is_centrals: bool) -> Result<(), DataFault> {
    let body = body(row)?;
    let snapshot_id = snapshot_id(&body)?;
    let Some(limits) = limits(row, snapshot_id, is_centrals) else { return Ok(()) };
    let told = Knowledge::from_value(&body)?;
    let covers = believed(&told, limits)?;
    if is_over(snapshot_id) {
        return Ok(());
    }
    // Not by SQL from the body: its JSON operators refuse every body with a U+0000 in a value.
    let knows = covers.to_value().to_canonical();
    let is_first = sql::execute(BEGIN, &[snapshot_id.into(), row.node_id.into(), knows.into()]) > 0;
    if is_first && is_centrals {
        journal::set_aside(row.node_id);
    }
    let rows = body.get("rows").and_then(Value::as_array).unwrap_or_default();
    journal::lock_for_snapshot(rows);
    let (unparsed, lost) = (Unparsed::here(), journal::lost());
    let (mut table_names, mut keys) = (Vec::new(), Vec::new());
    for entity in rows {
        let [table_name, key, heads] = entity.as_array().unwrap_or_default() else {
            return Err(DataFault::new("BAD_BODY", "a row of a snapshot is [table_name, key, heads]"));
        };
        let (Some(table_name), Some(key)) = (table_name.as_str(), key.as_str()) else {
            return Err(DataFault::new("BAD_BODY", "the table name and the key of a row are texts"));
        };
        table_names.push(table_name);
        keys.push(key);
        journal::merge_snapshot_row(&SnapshotRow {
            table_name,
            key,
            heads,
            covers: &covers,
            unparsed: &unparsed,
            lost: &lost,
            told: &told,
            limits,
        });
    }
    sql::execute(COUNT_PART, &[snapshot_id.into(), row.body.as_str().into()]);
    sql::execute(LIST_ROWS, &[snapshot_id.into(), table_names.into(), keys.into()]);
    Ok(())
}

const EXPECT: &str = r"
    insert into sync.snapshot as s (snapshot_id, node_id, expected_parts, expected_digest)
    values ($1::uuid, $2, $3, $4::numeric)
    on conflict (snapshot_id) do update
      set expected_parts = excluded.expected_parts, expected_digest = excluded.expected_digest";
const COMPLETE: &str = r"
    update sync.snapshot set completed_at = clock_timestamp()
    where snapshot_id = $1::uuid and parts = expected_parts and digest = expected_digest";
const MOVE_HORIZON: &str = r"
    insert into sync.horizon as h (node_id, seq)
    select key::integer, value::bigint from json_each_text($1::json -> 'vector')
    on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq";
/// A node that was restored from a backup must not use numbers again that it used after the backup.
const ADVANCE_COUNTER: &str = r"
    select sync.advance_op_counter(max(own.seq)) from (
      select v.value::bigint from sync.this_node t
        join json_each_text($1::json -> 'vector') v on v.key = t.node_id::text
      union all
      select (b ->> 2)::bigint from sync.this_node t
        join json_array_elements($1::json -> 'beyond') b on b ->> 0 = t.node_id::text
    ) own (seq) having count(*) > 0";
/// Rows of this snapshot, and of earlier ones of this peer that never became complete: this one has
/// brought their entities too. No foreign key acts in the apply worker.
const FORGET_ROWS: &str = r"
    delete from sync.snapshot_row r using sync.snapshot s, sync.snapshot this
    where this.snapshot_id = $1::uuid and s.snapshot_id = r.snapshot_id
      and s.node_id = this.node_id and s.started_at <= this.started_at";
const GIVE_UP_EARLIER: &str = r"
    delete from sync.snapshot s using sync.snapshot this
    where this.snapshot_id = $1::uuid
      and s.node_id = this.node_id and s.completed_at is null and s.started_at < this.started_at";

/// The end, which is sent after all parts. A part that is missing now was lost on the way.
///
/// # Errors
/// Parts are missing, or the body is not that of an end.
pub fn end(row: &ResendRow, is_centrals: bool) -> Result<(), DataFault> {
    let body = body(row)?;
    let snapshot_id = snapshot_id(&body)?;
    let parts = body.get("parts").and_then(Value::as_number).and_then(|parts| parts.parse::<i32>().ok());
    let digest = body.get("digest").and_then(Value::as_str);
    let (Some(parts), Some(digest)) = (parts, digest) else {
        return Err(DataFault::new("BAD_BODY", "the end of a snapshot has the number of its parts and their digest"));
    };
    let Some(limits) = limits(row, snapshot_id, is_centrals) else { return Ok(()) };
    let covers = believed(&Knowledge::from_value(&body)?, limits)?.to_value().to_canonical();
    if is_over(snapshot_id) {
        return Ok(());
    }
    sql::execute(EXPECT, &[snapshot_id.into(), row.node_id.into(), parts.into(), digest.into()]);
    if sql::execute(COMPLETE, &[snapshot_id.into()]) == 0 {
        let detail = "parts of the snapshot are missing: request another one with sync.request";
        return Err(DataFault::new("SNAPSHOT_INCOMPLETE", detail));
    }
    if parts == 0 && is_centrals {
        journal::set_aside(row.node_id);
    }
    sql::execute(ADVANCE_COUNTER, &[covers.as_str().into()]);
    sql::execute(MOVE_HORIZON, &[covers.as_str().into()]);
    journal::settle_lost(snapshot_id);
    sql::execute(CLOSE, &[snapshot_id.into()]);
    sql::execute(FORGET_ROWS, &[snapshot_id.into()]);
    sql::execute(GIVE_UP_EARLIER, &[snapshot_id.into()]);
    Ok(())
}

fn snapshot_id(body: &Value) -> Result<&str, DataFault> {
    let id = body.get("snapshot").and_then(Value::as_str);
    id.ok_or_else(|| DataFault::new("BAD_BODY", "the body does not say which snapshot it belongs to"))
}

/// What the snapshot covers, as far as it is believed.
fn believed(told: &Knowledge, limits: Option<Limits>) -> Result<Knowledge, DataFault> {
    let covers = match limits {
        None => told.clone(),
        Some(limits) => limits.knowledge(told).map_err(|detail| DataFault::new("BAD_BODY", detail))?,
    };
    Ok(within_bans(covers))
}

const OVER: &str = "select from sync.snapshot where snapshot_id = $1::uuid and ended_at is not null";

/// Whether somebody ended it, or its time was over, before it was complete.
fn is_over(snapshot_id: &str) -> bool {
    sql::row(OVER, &[snapshot_id.into()], |_| ()).is_some()
}

const ASKED: &str = r"
    select after_seq, up_to_seq from sync.accepted_snapshot
    where node_id = $1 and snapshot_id::text = $2 and ended_at is null and ends_at > clock_timestamp()";
const CLOSE: &str = r"
    update sync.accepted_snapshot set ended_at = clock_timestamp(), ended_why = 'it is complete'
    where snapshot_id = $1::uuid and ended_at is null";

/// Within which limits a snapshot is believed: inside, none when wholly. None at all when it is not
/// believed; then a copy is kept.
#[allow(clippy::option_option, reason = "believed or not, and within limits or not, are two questions")]
fn limits(row: &ResendRow, snapshot_id: &str, is_centrals: bool) -> Option<Option<Limits>> {
    if is_centrals {
        return Some(None);
    }
    let this_node = this_node()?;
    let asked = sql::row(ASKED, &[row.node_id.into(), snapshot_id.into()], |asked| Limits {
        peer: row.node_id,
        this_node,
        after: asked.must(1),
        up_to: asked.must(2),
    });
    if asked.is_none() {
        refuse_unasked(&row.as_refused());
    }
    asked.map(Some)
}

fn body(row: &ResendRow) -> Result<Value, DataFault> {
    json::read(&row.body, usize::MAX).map_err(|_| DataFault::new("BAD_BODY", "the body is not JSON"))
}
