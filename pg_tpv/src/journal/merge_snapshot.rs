//! The state of a thing that came as such, and not as operations.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use tpv_core::json::Value;
use tpv_core::merge::{Entity, Knowledge, Operation, Version, merge_states};

use super::coverage::{Coverage, Unparsed};
use super::merge_operation::{journal_of, unknown_table};
use super::tracked::{POLICY, Tracked};
use super::{row, serial, stored_heads};
use crate::postgres::{DataFault, attempt};
use crate::wire::quarantine_entity;

/// What came of one thing.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotRow<'c> {
    /// Its table.
    pub table_name: &'c str,
    /// Its key.
    pub key: &'c str,
    /// Its heads at the sender.
    pub heads: &'c Value,
    /// Which operations are part of what came.
    pub knows: &'c Knowledge,
    /// Operations that are here and could not be read.
    pub unread: &'c [Unparsed],
}

/// Before anything of a load is put together: it reads rules, and may bring some.
pub fn lock_for_snapshot(things: &[Value]) {
    let is_policy = |thing: &Value| thing.as_array().and_then(|thing| thing.first()?.as_str()) == Some(POLICY);
    if things.iter().any(is_policy) { serial::alone() } else { serial::share() }
}

/// Puts it together with what is here, and writes the row.
pub fn merge_snapshot_row(came: &SnapshotRow<'_>) {
    let SnapshotRow { table_name, key, knows, .. } = *came;
    let tracked = Tracked::find(table_name);
    let tracked = tracked.as_deref();
    // Sessions lock the row first and its heads at their end; so does this.
    let is_new = tracked.is_none_or(|tracked| !row::lock_row(tracked, key));
    let here = stored_heads::lock(table_name, key);
    let there = stored_heads::from_value(came.heads);
    let unread: Vec<&Unparsed> = came.unread.iter().filter(|op| op.table_name == table_name && op.key == key).collect();
    // Who has no head of a thing has no operation on it either that was merged.
    let journal: Vec<Operation> = if here.0.is_empty() { Vec::new() } else { journal_of(table_name, key) };
    let merged: BTreeSet<Version> = journal.iter().map(|operation| operation.version).collect();
    let known = LazyCell::new(|| Coverage::of(table_name, key));
    let is_unread = |version| unread.iter().any(|op| op.version == version);
    let here_knows = |version| !is_unread(version) && (merged.contains(&version) || known.covers(version));
    let whole = merge_states(&here, &there, here_knows, |version| knows.covers(version), &journal);
    unread.iter().filter(|op| knows.covers(op.version)).for_each(|op| op.resolve());
    if whole != here {
        stored_heads::store(table_name, key, &whole);
    }
    let last = whole.0.values().flatten().map(|head| head.version).max();
    if let (Err(fault), Some(last)) = (written(tracked, key, &whole, is_new), last) {
        // It waits under the name of the last operation that made it what it is.
        quarantine_entity(last, table_name, key, &fault);
    }
}

/// Writes all of a thing's row, from its heads.
///
/// # Errors
/// What this node can not do (yet).
pub fn write_entity(table_name: &str, key: &str) -> Result<(), DataFault> {
    if table_name == POLICY {
        serial::alone()
    } else {
        serial::share()
    }
    let tracked = Tracked::find(table_name);
    let is_new = tracked.as_deref().is_none_or(|tracked| !row::lock_row(tracked, key));
    written(tracked.as_deref(), key, &stored_heads::lock(table_name, key), is_new)
}

fn written(tracked: Option<&Tracked>, key: &str, thing: &Entity, is_new: bool) -> Result<(), DataFault> {
    let tracked = tracked.ok_or_else(unknown_table)?;
    attempt(|| row::write(tracked, key, thing, thing.0.keys(), is_new))?.complete()
}
