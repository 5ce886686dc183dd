//! What a store wrote in central's tables while it was alone, before it joined or after it left. It
//! decided for itself then, and does not any more: when the snapshot of central arrives, these
//! values leave the rows, and `sync.set_aside` keeps them.

use tpv_core::merge::{Entity, Head, Operation};

use super::entitlement::joined;
use super::merge_operation::journal_of;
use super::sibling::clear_siblings;
use super::tracked::Tracked;
use super::{row, serial, stored_heads};
use crate::node::this_node;
use crate::postgres::{DataFault, attempt, sql};
use crate::wire::quarantine_entity;

/// Policies first: the rest is then chosen once. Heads are canonical JSON.
const MAY_HAVE: &str = r"
    select h.table_name, h.key from sync.head h join sync.tracked_table t on t.table_name = h.table_name
    where t.writer = 'central'
      and (strpos(h.heads, '[[' || $1::integer || ',') > 0 or strpos(h.heads, ',[' || $1::integer || ',') > 0)
    order by h.table_name <> 'sync.policy', h.table_name, h.key";
const RECORD: &str = r"
    insert into sync.set_aside (table_name, key, column_name, seq, hlc, value) values ($1, $2, $3, $4, $5, $6)";

/// Sets aside what this store wrote of what `central` decides, but its own rows up to the number at
/// which it joined.
pub fn set_aside(central: i32) {
    serial::alone();
    let Some(here) = this_node() else { return };
    let joined = joined(central);
    for (table_name, key) in sql::rows(MAY_HAVE, &[here.into()], |row| (row.must::<String>(1), row.must::<String>(2))) {
        let Some(tracked) = Tracked::find(&table_name) else { continue };
        row::lock_row(&tracked, &key);
        let entity = stored_heads::lock(&table_name, &key);
        let (kept, aside) = tpv_core::merge::set_aside(&entity, here, tracked.own_column.as_deref(), joined);
        if aside.is_empty() {
            continue;
        }
        for (register, heads) in &aside {
            heads.iter().for_each(|head| record(&tracked, &key, register, head));
        }
        clear_siblings(&table_name, &key, aside.keys());
        if let Err(fault) = leave(&tracked, &key, &kept)
            && let Some(last) = entity.0.values().flatten().map(|head| head.version).max()
        {
            quarantine_entity(last, &table_name, &key, &fault);
        }
    }
}

/// Entities that were lost before a snapshot began, and that its sender does not have: they are what
/// the journal says without what was set aside, or nothing.
pub fn settle_lost(snapshot_id: &str) {
    for (table_name, key) in stored_heads::lost_before(snapshot_id) {
        let Some(tracked) = Tracked::find(&table_name) else { continue };
        row::lock_row(&tracked, &key);
        stored_heads::lock(&table_name, &key);
        let entity = of_journal(Some(&tracked), &journal_of(&table_name, &key));
        if entity.0.is_empty() {
            stored_heads::remove(&table_name, &key);
            remove_row(&tracked, &key);
            continue;
        }
        if let Err(fault) = leave(&tracked, &key, &entity)
            && let Some(last) = entity.0.values().flatten().map(|head| head.version).max()
        {
            quarantine_entity(last, &table_name, &key, &fault);
        }
        stored_heads::found(&table_name, &key);
    }
}

const REMOVE: &str = "select sync.remove_row($1, $2)";

/// Removes a row that no node but this one ever had. Where another row of this node names it, it stays
/// as a deleted one.
fn remove_row(tracked: &Tracked, key: &str) {
    let removed = attempt(|| {
        sql::row(REMOVE, &[tracked.table_name.as_str().into(), key.into()], |_| ());
        Ok(())
    });
    if removed.is_err() {
        row::write_gone(tracked, key);
    }
}

/// What the operations in the journal make of an entity, without what this store has set aside.
pub(super) fn of_journal(tracked: Option<&Tracked>, journal: &[Operation]) -> Entity {
    let entity = Entity::of(journal);
    let (Some(here), Some(tracked)) = (this_node(), tracked.filter(|tracked| tracked.is_centrals)) else {
        return entity;
    };
    match here == tracked.central {
        true => entity,
        false => tpv_core::merge::set_aside(&entity, here, tracked.own_column.as_deref(), joined(tracked.central)).0,
    }
}

/// Stores what is left of an entity, and writes its row.
fn leave(tracked: &Tracked, key: &str, kept: &Entity) -> Result<(), DataFault> {
    if kept.0.is_empty() {
        stored_heads::remove(&tracked.table_name, key);
        return attempt(|| {
            row::write_gone(tracked, key);
            Ok(())
        });
    }
    stored_heads::store(&tracked.table_name, key, kept);
    attempt(|| row::write(tracked, key, kept, kept.0.keys(), false))?.check_all()
}

fn record(tracked: &Tracked, key: &str, register: &str, head: &Head) {
    let args = [
        tracked.table_name.as_str().into(),
        key.into(),
        register.into(),
        head.version.seq.into(),
        head.hlc.into(),
        head.value.to_canonical().into(),
    ];
    sql::execute(RECORD, &args);
}
