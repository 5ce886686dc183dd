//! A load: the state of all things at the sender, united with what is here.

use tpv_core::json::Value;
use tpv_core::merge::Knowledge;

use super::{ResendRow, body, misfit};
use crate::attempt::DataFault;
use crate::journal::{self, Came, Unread};
use crate::sql;

const BEGUN: &str = "insert into sync.load (load_id, node_id, knows) \
    values ($1::uuid, $2, json_build_object('vector', $3::json -> 'vector', 'beyond', $3::json -> 'beyond')::text) \
    on conflict (load_id) do nothing";
const PART: &str =
    "update sync.load set parts = parts + 1, digest = digest + hashtextextended($2, 0) where load_id = $1::uuid";
/// What one of these writes may arrive as an operation before the load is complete.
const THINGS: &str = "insert into sync.load_thing (load_id, entity, key) \
    select $1::uuid, t ->> 0, t ->> 1 from json_array_elements($2::json -> 'things') t on conflict do nothing";

/// Some things.
pub(super) fn things(row: &ResendRow) -> Result<(), DataFault> {
    let body = body(row)?;
    let load_id = load_id(&body)?;
    let knows = knows(&body)?;
    let things = body.get("things").and_then(Value::as_array).unwrap_or_default();
    journal::before_uniting(things);
    let unread = Unread::here();
    for thing in things {
        let [entity, key, heads] = thing.as_array().unwrap_or_default() else {
            return Err(misfit("BAD_BODY", "a thing is [entity, key, heads]"));
        };
        let (Some(entity), Some(key)) = (entity.as_str(), key.as_str()) else {
            return Err(misfit("BAD_BODY", "a thing is named by two texts"));
        };
        journal::unite(&Came { entity, key, heads, knows: &knows, unread: &unread });
    }
    sql::execute(BEGUN, &[load_id.into(), row.node_id.into(), row.body.as_str().into()]);
    sql::execute(PART, &[load_id.into(), row.body.as_str().into()]);
    sql::execute(THINGS, &[load_id.into(), row.body.as_str().into()]);
    Ok(())
}

const END: &str = "insert into sync.load as l (load_id, node_id, of_parts, of_digest) values ($1::uuid, $2, $3, $4::numeric) \
    on conflict (load_id) do update set of_parts = excluded.of_parts, of_digest = excluded.of_digest";
const DONE: &str = "update sync.load set done_at = clock_timestamp() \
    where load_id = $1::uuid and parts = of_parts and digest = of_digest";
/// What came as state need not come as operations.
const KNOWN: &str = "insert into sync.horizon as h (node_id, seq) \
    select key::integer, value::bigint from json_each_text($1::json -> 'vector') \
    on conflict (node_id) do update set seq = excluded.seq where h.seq < excluded.seq";
/// A node that was restored from a backup does not give numbers again.
const COUNTER: &str = "select sync.count_from(max(own.seq)) from ( \
      select v.value::bigint from sync.this_node t join json_each_text($1::json -> 'vector') v on v.key = t.node_id::text \
      union all \
      select (b ->> 2)::bigint from sync.this_node t join json_array_elements($1::json -> 'beyond') b on b ->> 0 = t.node_id::text \
    ) own (seq) having count(*) > 0";
/// Things of this load, and of those before it that the peer did not end: it has sent them anew. No foreign key acts here.
const THINGS_OVER: &str = "delete from sync.load_thing t using sync.load l, sync.load this \
    where this.load_id = $1::uuid and l.load_id = t.load_id and l.node_id = this.node_id and l.begun_at <= this.begun_at";
const GIVEN_UP: &str = "delete from sync.load l using sync.load this \
    where this.load_id = $1::uuid and l.node_id = this.node_id and l.done_at is null and l.begun_at < this.begun_at";

/// Its end. It comes after all parts, in the same transaction at the sender; what is missing then was lost on the way.
pub(super) fn loaded(row: &ResendRow) -> Result<(), DataFault> {
    let body = body(row)?;
    let load_id = load_id(&body)?;
    let parts = body.get("parts").and_then(Value::as_number).and_then(|parts| parts.parse::<i32>().ok());
    let digest = body.get("digest").and_then(Value::as_str);
    let (Some(parts), Some(digest)) = (parts, digest) else {
        return Err(misfit("BAD_BODY", "the end of a load says how many parts there were, and their digest"));
    };
    knows(&body)?;
    sql::execute(END, &[load_id.into(), row.node_id.into(), parts.into(), digest.into()]);
    if sql::execute(DONE, &[load_id.into()]) == 0 {
        return Err(misfit("LOAD_INCOMPLETE", "parts of a load are missing: select sync.ask(…) for another one"));
    }
    sql::execute(COUNTER, &[row.body.as_str().into()]);
    sql::execute(KNOWN, &[row.body.as_str().into()]);
    sql::execute(THINGS_OVER, &[load_id.into()]);
    sql::execute(GIVEN_UP, &[load_id.into()]);
    Ok(())
}

fn load_id(body: &Value) -> Result<&str, DataFault> {
    body.get("load").and_then(Value::as_str).ok_or_else(|| misfit("BAD_BODY", "a load has a name"))
}

fn knows(body: &Value) -> Result<Knowledge, DataFault> {
    Knowledge::from_value(body).map_err(|fault| misfit(fault.code(), &fault.to_string()))
}
