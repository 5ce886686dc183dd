//! The heads of one entity, as they are stored in `sync.head`.

use std::collections::BTreeMap;

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
    let args =
        [table_name.into(), key.into(), write(entity).into(), entity.waits().into(), entity.is_contested().into()];
    by_merge(|| sql::execute(STORE, &args));
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

fn write(entity: &Entity) -> String {
    let head = |head: &Head| {
        let number = |number: i64| Value::Number(number.to_string());
        let Version { node_id, seq } = head.version;
        Value::Array(vec![number(node_id.into()), number(seq), number(head.hlc), head.value.clone()])
    };
    let register =
        |(register, heads): (&String, &Vec<Head>)| (register.clone(), Value::Array(heads.iter().map(head).collect()));
    Value::Object(entity.0.iter().map(register).collect()).to_canonical()
}
