//! A load: the state of all rows at the sender, united with what is here.

use tpv_core::json::{self, Value};
use tpv_core::merge::Knowledge;

use crate::journal::{self, SnapshotRow, Unparsed};
use crate::postgres::{DataFault, sql};
use crate::wire::ResendRow;

const BEGUN: &str = r"
    insert into sync.snapshot (snapshot_id, node_id, covers)
    values ($1::uuid, $2, json_build_object('vector', $3::json -> 'vector', 'beyond', $3::json -> 'beyond')::text)
    on conflict (snapshot_id) do nothing";
const PART: &str = "update sync.snapshot set parts = parts + 1, digest = digest + hashtextextended($2, 0) where snapshot_id = $1::uuid";
/// What one of these writes may arrive as an operation before the load is complete.
const ROWS: &str = r"
    insert into sync.snapshot_row (snapshot_id, table_name, key)
    select $1::uuid, t ->> 0, t ->> 1 from json_array_elements($2::json -> 'rows') t on conflict do nothing";

/// Some rows.
pub(super) fn part(row: &ResendRow) -> Result<(), DataFault> {
    let body = body(row)?;
    let snapshot_id = snapshot_id(&body)?;
    let knows = knows(&body)?;
    let rows = body.get("rows").and_then(Value::as_array).unwrap_or_default();
    journal::lock_for_snapshot(rows);
    let unread = Unparsed::here();
    for row_of_snapshot in rows {
        let [table_name, key, heads] = row_of_snapshot.as_array().unwrap_or_default() else {
            return Err(DataFault::new("BAD_BODY", "a row_of_snapshot is [table_name, key, heads]"));
        };
        let (Some(table_name), Some(key)) = (table_name.as_str(), key.as_str()) else {
            return Err(DataFault::new("BAD_BODY", "a row_of_snapshot is named by two texts"));
        };
        journal::merge_snapshot_row(&SnapshotRow { table_name, key, heads, knows: &knows, unread: &unread });
    }
    sql::execute(BEGUN, &[snapshot_id.into(), row.node_id.into(), row.body.as_str().into()]);
    sql::execute(PART, &[snapshot_id.into(), row.body.as_str().into()]);
    sql::execute(ROWS, &[snapshot_id.into(), row.body.as_str().into()]);
    Ok(())
}

const END: &str = r"
    insert into sync.snapshot as l (snapshot_id, node_id, expected_parts, expected_digest) values ($1::uuid, $2, $3, $4::numeric)
    on conflict (snapshot_id) do update set expected_parts = excluded.expected_parts, expected_digest = excluded.expected_digest";
const DONE: &str = r"
    update sync.snapshot set completed_at = clock_timestamp()
    where snapshot_id = $1::uuid and parts = expected_parts and digest = expected_digest";
/// What came as state need not come as operations.
const KNOWN: &str = r"
    insert into sync.horizon as h (node_id, seq)
    select key::integer, value::bigint from json_each_text($1::json -> 'vector')
    on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq";
/// A node that was restored from a backup does not give numbers again.
const COUNTER: &str = r"
    select sync.advance_op_counter(max(own.seq)) from (
      select v.value::bigint from sync.this_node t join json_each_text($1::json -> 'vector') v on v.key = t.node_id::text
      union all
      select (b ->> 2)::bigint from sync.this_node t join json_array_elements($1::json -> 'beyond') b on b ->> 0 = t.node_id::text
    ) own (seq) having count(*) > 0";
/// Things of this load, and of those before it that the peer did not end: it has sent them anew. No foreign key acts here.
const ROWS_DONE: &str = r"
    delete from sync.snapshot_row t using sync.snapshot l, sync.snapshot this
    where this.snapshot_id = $1::uuid and l.snapshot_id = t.snapshot_id and l.node_id = this.node_id and l.started_at <= this.started_at";
const GIVEN_UP: &str = r"
    delete from sync.snapshot l using sync.snapshot this
    where this.snapshot_id = $1::uuid and l.node_id = this.node_id and l.completed_at is null and l.started_at < this.started_at";

/// Its end. It comes after all parts, in the same transaction at the sender; what is missing then was lost on the way.
pub(super) fn end(row: &ResendRow) -> Result<(), DataFault> {
    let body = body(row)?;
    let snapshot_id = snapshot_id(&body)?;
    let parts = body.get("parts").and_then(Value::as_number).and_then(|parts| parts.parse::<i32>().ok());
    let digest = body.get("digest").and_then(Value::as_str);
    let (Some(parts), Some(digest)) = (parts, digest) else {
        return Err(DataFault::new("BAD_BODY", "the end of a load says how many parts there were, and their digest"));
    };
    knows(&body)?;
    sql::execute(END, &[snapshot_id.into(), row.node_id.into(), parts.into(), digest.into()]);
    if sql::execute(DONE, &[snapshot_id.into()]) == 0 {
        return Err(DataFault::new(
            "SNAPSHOT_INCOMPLETE",
            "parts of a load are missing: select sync.request(…) for another one",
        ));
    }
    sql::execute(COUNTER, &[row.body.as_str().into()]);
    sql::execute(KNOWN, &[row.body.as_str().into()]);
    sql::execute(ROWS_DONE, &[snapshot_id.into()]);
    sql::execute(GIVEN_UP, &[snapshot_id.into()]);
    Ok(())
}

fn snapshot_id(body: &Value) -> Result<&str, DataFault> {
    body.get("snapshot").and_then(Value::as_str).ok_or_else(|| DataFault::new("BAD_BODY", "a load has a name"))
}

fn knows(body: &Value) -> Result<Knowledge, DataFault> {
    Knowledge::from_value(body).map_err(DataFault::from)
}

fn body(row: &ResendRow) -> Result<Value, DataFault> {
    json::read(&row.body, usize::MAX).map_err(|_| DataFault::new("BAD_BODY", "the body is not JSON"))
}
