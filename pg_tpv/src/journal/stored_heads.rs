//! The heads of one entity, as they are stored in `sync.head`.

use std::collections::{BTreeMap, BTreeSet};

use tpv_core::json::{self, Value};
use tpv_core::merge::{Entity, Head, Version};

use super::guard_heads::by_merge;
use crate::postgres::sql;

const LOCK: &str = "select heads from sync.head where table_name = $1 and key = $2 for update";
const BEGIN: &str =
    "insert into sync.head (table_name, key, heads, waits) values ($1, $2, '{}', true) on conflict do nothing";
const STORE: &str = "update sync.head set heads = $3, waits = $4, contested = $5 where table_name = $1 and key = $2";

/// Locks the heads of an entity until the transaction ends, and reads them.
pub fn lock(table_name: &str, key: &str) -> Entity {
    let heads = || sql::row(LOCK, &[table_name.into(), key.into()], |row| row.must::<String>(1));
    let text = heads().or_else(|| {
        by_merge(|| sql::execute(BEGIN, &[table_name.into(), key.into()]));
        heads()
    });
    read(&text.unwrap_or_else(|| sql::broken("the heads of an entity are gone")))
}

const FIND: &str = "select heads from sync.head where table_name = $1 and key = $2";

/// The heads of an entity, if there are any.
pub fn find(table_name: &str, key: &str) -> Option<Entity> {
    sql::row(FIND, &[table_name.into(), key.into()], |row| read(&row.must::<String>(1)))
}

/// Stores the heads of an entity.
pub fn store(table_name: &str, key: &str, entity: &Entity) {
    store_text(table_name, key, entity, text_of(entity));
}

/// The same, where their text is made already.
pub fn store_text(table_name: &str, key: &str, entity: &Entity, text: String) {
    let args = [table_name.into(), key.into(), text.into(), entity.waits().into(), entity.is_contested().into()];
    by_merge(|| sql::execute(STORE, &args));
}

const LOST: &str = "select table_name, key from sync.head where lost_at is not null";

/// Entities whose heads were set aside, so that what stands comes with a snapshot.
pub fn lost() -> BTreeSet<(String, String)> {
    sql::rows(LOST, &[], |row| (row.must(1), row.must(2))).into_iter().collect()
}

const LOST_BEFORE: &str = r"
    select h.table_name, h.key from sync.head h join sync.snapshot s on s.snapshot_id = $1::uuid
    where h.lost_at < s.started_at";

/// Those that were lost before a snapshot began, which has not brought them.
pub fn lost_before(snapshot_id: &str) -> Vec<(String, String)> {
    sql::rows(LOST_BEFORE, &[snapshot_id.into()], |row| (row.must(1), row.must(2)))
}

const FOUND: &str = "update sync.head set lost_at = null where table_name = $1 and key = $2";

/// Notes that the heads of an entity are whole again.
pub fn found(table_name: &str, key: &str) {
    by_merge(|| sql::execute(FOUND, &[table_name.into(), key.into()]));
}

const REMOVE: &str = "delete from sync.head where table_name = $1 and key = $2";

/// Forgets an entity of which nothing is left.
pub fn remove(table_name: &str, key: &str) {
    by_merge(|| sql::execute(REMOVE, &[table_name.into(), key.into()]));
}

const CONTESTED: &str = "select key, heads from sync.head where table_name = $1 and contested order by key";

/// The entities of a table that have a register with several heads, by key.
pub fn contested(table_name: &str) -> Vec<(String, Entity)> {
    sql::rows(CONTESTED, &[table_name.into()], |row| (row.must(1), read(&row.must::<String>(2))))
}

fn read(text: &str) -> Entity {
    from_value(&json::read(text, usize::MAX).unwrap_or_else(|error| sql::broken(error)))
}

/// Heads from JSON, in which they are stored and sent: `{"name": [[node_id, seq, hlc, value], …]}`.
pub fn from_value(value: &Value) -> Entity {
    let head = |head: &Value| {
        let [node_id, seq, hlc, value] = head.as_array()? else { return None };
        let version = Version { node_id: number(node_id)?, seq: number(seq)? };
        Some(Head { version, hlc: number(hlc)?, value: value.clone() })
    };
    let heads = |heads: &Value| heads.as_array().unwrap_or_default().iter().filter_map(head).collect();
    let members = value.as_object().unwrap_or_default();
    Entity(members.iter().map(|(register, value)| (register.clone(), heads(value))).collect::<BTreeMap<_, _>>())
}

fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_number()?.parse().ok()
}

/// The heads of an entity, as they are stored.
pub fn text_of(entity: &Entity) -> String {
    let head = |head: &Head| {
        let number = |number: i64| Value::Number(number.to_string());
        let Version { node_id, seq } = head.version;
        Value::Array(vec![number(node_id.into()), number(seq), number(head.hlc), head.value.clone()])
    };
    let register =
        |(register, heads): (&String, &Vec<Head>)| (register.clone(), Value::Array(heads.iter().map(head).collect()));
    Value::Object(entity.0.iter().map(register).collect()).to_canonical()
}
