//! Takes out of the journal what nobody needs any more.

use std::collections::{BTreeSet, HashMap};

use pgrx::prelude::*;
use tpv_core::merge::{Entity, Operation, Vector, Version, may_leave};

use super::stored_heads;
use super::unparsed::Unparsed;
use crate::postgres::sql;
use crate::wire::OpRow;

/// Operations of a node, in order. One that cannot be read, or not yet, waits in quarantine and is
/// not among the heads.
const PAGE: &str = r"
    select o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base from wire.op o
    where o.node_id = $1 and o.seq >= $2 and o.seq <= $3 and o.hlc < $4
      and not exists (select from sync.quarantine q
                       where q.node_id = o.node_id and q.seq = o.seq and q.resolved_at is null and q.refused is null)
    order by o.seq limit $5";
/// Young operations on an entity: by their stamps, and, of a store whose clock may be set back, by when
/// they came.
const YOUNG: &str = r"
    select o.node_id, o.seq, o.hlc, o.table_name, o.key, o.patch, o.base from wire.op o
    where o.table_name = $1 and o.key = $2
      and (o.hlc >= $3
           or ($3 < 9223372036854775807 and o.seq > coalesce(
             (select a.seq from sync.arrival a
               where a.node_id = o.node_id and a.what = 'operations' and a.subject = '' and a.at < tpv.hlc_time($3)
               order by a.at desc limit 1),
             -- Of whom nothing is noted that is so old, everything came later.
             (select 0 from sync.arrival a where a.node_id = o.node_id and a.what = 'operations' limit 1))))";
const REMOVE: &str = "delete from wire.op where node_id = $1 and seq = any ($2)";

/// Looks at operations of a node from a number on, and removes those that may leave. `known` is
/// what this node and its peers have of all nodes. Answers how many it looked at, the last of them,
/// and how many left. Called through `sync.prune_operations`, which allows it.
#[pg_extern(volatile, strict, parallel_unsafe)]
pub fn prune_operations(
    node_id: i32,
    from_seq: i64,
    known: &str,
    before_hlc: i64,
    most: i32,
) -> TableIterator<'static, (name!(looked_at, i64), name!(last_seq, Option<i64>), name!(gone, i64))> {
    let known = Vector::from_text(known).unwrap_or_else(|fault| sql::broken(fault));
    let to_seq = known.0.get(&node_id).copied().unwrap_or(0);
    let args = [node_id.into(), from_seq.into(), to_seq.into(), before_hlc.into(), i64::from(most).into()];
    let page = sql::rows(PAGE, &args, OpRow::from_row);
    // When one of these can be read, the journal is searched for who had seen it.
    let unparsed: BTreeSet<Version> = Unparsed::here().iter().map(|waiting| waiting.version).collect();
    let mut entities: HashMap<(String, String), Entity> = HashMap::new();
    let mut named: HashMap<(String, String), BTreeSet<Version>> = HashMap::new();
    let mut leaves = |row: &OpRow| {
        let version = Version { node_id: row.node_id, seq: row.seq };
        let Ok(operation) = Operation::from_text(version, row.hlc, &row.patch, &row.base) else { return false };
        let key = (row.table_name.clone(), row.key.clone());
        let find = || stored_heads::find(&row.table_name, &row.key).unwrap_or_default();
        let entity = entities.entry(key.clone()).or_insert_with(find);
        let is_named_lately =
            |version| named.entry(key).or_insert_with_key(|key| named_by_young(key, before_hlc)).contains(&version);
        may_leave(&operation, entity, &known, is_named_lately)
            && !operation.names().any(|version| unparsed.contains(&version))
    };
    let gone: Vec<i64> = page.iter().filter(|row| leaves(row)).map(|row| row.seq).collect();
    let count = i64::try_from(gone.len()).unwrap_or(i64::MAX);
    if !gone.is_empty() {
        sql::execute(REMOVE, &[node_id.into(), gone.into()]);
    }
    let looked_at = i64::try_from(page.len()).unwrap_or(i64::MAX);
    TableIterator::once((looked_at, page.last().map(|row| row.seq), count))
}

/// What young operations on an entity name.
fn named_by_young((table_name, key): &(String, String), before_hlc: i64) -> BTreeSet<Version> {
    let young =
        sql::rows(YOUNG, &[table_name.as_str().into(), key.as_str().into(), before_hlc.into()], OpRow::from_row);
    let read = |row: &OpRow| {
        Operation::from_text(Version { node_id: row.node_id, seq: row.seq }, row.hlc, &row.patch, &row.base).ok()
    };
    young.iter().filter_map(read).flat_map(|operation| operation.names().collect::<Vec<_>>()).collect()
}

extension_sql!(
    r#"
comment on function prune_operations(integer, bigint, text, bigint, integer) is
    'Takes operations of a node out of the journal. Callers use sync.prune_operations.';
"#,
    name = "prune_comments",
    requires = [prune_operations]
);
