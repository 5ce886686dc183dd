//! A load: the state of all things at the sender, united with what is here.

use std::collections::BTreeMap;

use tpv_core::json::Value;
use tpv_core::merge::Vector;

use super::{ResendRow, body, misfit};
use crate::attempt::DataFault;
use crate::journal;
use crate::sql;

const PART: &str = "insert into sync.load as l (load_id, node_id, parts, digest) \
    values ($1::uuid, $2, 1, hashtextextended($3, 0)) \
    on conflict (load_id) do update set parts = l.parts + 1, digest = l.digest + excluded.digest";
const HORIZON: &str = "select node_id, seq from sync.horizon";

/// Some things.
pub(super) fn things(row: &ResendRow) -> Result<(), DataFault> {
    let body = body(row)?;
    let vector = vector(&body)?;
    let horizon: BTreeMap<i32, i64> = sql::rows(HORIZON, &[], |row| (row.must(1), row.must(2))).into_iter().collect();
    let horizon = Vector(horizon);
    let things = body.get("things").and_then(Value::as_array).unwrap_or_default();
    journal::before_uniting(things);
    for thing in things {
        let [entity, key, heads] = thing.as_array().unwrap_or_default() else {
            return Err(misfit("BAD_BODY", "a thing is [entity, key, heads]"));
        };
        let (Some(entity), Some(key)) = (entity.as_str(), key.as_str()) else {
            return Err(misfit("BAD_BODY", "a thing is named by two texts"));
        };
        let came = journal::Came { entity, key, heads, horizon: &horizon, vector: &vector };
        journal::unite(&came);
    }
    sql::execute(PART, &[load_id(&body)?.into(), row.node_id.into(), row.body.as_str().into()]);
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
const COUNTER: &str = "select sync.count_from(($1::json -> 'vector' ->> t.node_id::text)::bigint) from sync.this_node t \
    where $1::json -> 'vector' ->> t.node_id::text is not null";

/// Its end. It comes after all parts, in the same transaction at the sender; what is missing then was lost on the way.
pub(super) fn loaded(row: &ResendRow) -> Result<(), DataFault> {
    let body = body(row)?;
    let load_id = load_id(&body)?;
    let parts = body.get("parts").and_then(Value::as_number).and_then(|parts| parts.parse::<i32>().ok());
    let digest = body.get("digest").and_then(Value::as_str);
    let (Some(parts), Some(digest)) = (parts, digest) else {
        return Err(misfit("BAD_BODY", "the end of a load says how many parts there were, and their digest"));
    };
    vector(&body)?;
    sql::execute(END, &[load_id.into(), row.node_id.into(), parts.into(), digest.into()]);
    if sql::execute(DONE, &[load_id.into()]) == 0 {
        return Err(misfit("LOAD_INCOMPLETE", "parts of a load are missing: select sync.ask(…) for another one"));
    }
    sql::execute(COUNTER, &[row.body.as_str().into()]);
    sql::execute(KNOWN, &[row.body.as_str().into()]);
    Ok(())
}

fn load_id(body: &Value) -> Result<&str, DataFault> {
    body.get("load").and_then(Value::as_str).ok_or_else(|| misfit("BAD_BODY", "a load has a name"))
}

fn vector(body: &Value) -> Result<Vector, DataFault> {
    let vector = body.get("vector").ok_or_else(|| misfit("BAD_BODY", "a load says which operations it stands for"))?;
    Vector::from_value(vector).map_err(|fault| misfit(fault.code(), &fault.to_string()))
}
