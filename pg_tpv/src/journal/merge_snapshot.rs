//! Merges a snapshot of one entity: its heads at the sender with the heads here.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use tpv_core::json::Value;
use tpv_core::merge::{Decider, Entity, Head, Knowledge, Limits, Of, Operation, Version, check_key, merge_states};

use super::ban::is_beyond_ban;
use super::coverage::Coverage;
use super::merge_operation::{journal_of, unknown_table};
use super::tracked::{POLICY, Tracked};
use super::unparsed::Unparsed;
use super::{entitlement, erasure, row, serial, set_aside, stored_heads};
use crate::postgres::{DataFault, attempt};
use crate::wire::quarantine_entity;

/// One entity of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotRow<'s> {
    pub table_name: &'s str,
    pub key: &'s str,
    /// Its heads at the sender.
    pub heads: &'s Value,
    /// Which operations the snapshot covers.
    pub covers: &'s Knowledge,
    /// Operations of this node's journal that cannot be read.
    pub unparsed: &'s [Unparsed],
    /// Entities whose heads were set aside here.
    pub lost: &'s BTreeSet<(String, String)>,
    /// The same as its sender says it.
    pub told: &'s Knowledge,
    /// What is believed of it; all, when central sent it.
    pub limits: Option<Limits>,
}

/// Takes the lock of merges, before any entity of a snapshot is merged, since merging reads the
/// rules. Takes it alone if the snapshot brings policies.
pub fn lock_for_snapshot(rows: &[Value]) {
    let is_policy = |row: &Value| row.as_array().and_then(|row| row.first()?.as_str()) == Some(POLICY);
    if rows.iter().any(is_policy) { serial::alone() } else { serial::share() }
}

/// Merges an entity of a snapshot with the heads here, and writes its row. Which head stays is
/// decided by [`merge_states`], which asks what each side knows:
///
/// - the sender knows what its snapshot covers;
/// - this node knows an operation that is in its journal and was merged, or that it received inside
///   a snapshot. One that cannot be read was not merged, so this node does not know it, whatever
///   its coverage says. If this snapshot covers it, it has become part of the heads and waits no
///   longer.
pub fn merge_snapshot_row(snapshot: &SnapshotRow<'_>) {
    let SnapshotRow { table_name, key, covers, .. } = *snapshot;
    let mut there = stored_heads::from_value(snapshot.heads);
    let withheld = withhold_banned(&mut there);
    if let Err(fault) = check_key(key) {
        // The same key in other letters is not merged as another entity of the same row.
        if let Some(last) = last_of(&there) {
            quarantine_entity(last, table_name, key, &fault.into());
        }
        return;
    }
    let tracked = Tracked::find(table_name);
    let tracked = tracked.as_deref();
    // Sessions lock the row first and its heads at their end; so does this.
    let is_new = tracked.is_none_or(|tracked| !row::lock_row(tracked, key));
    let here = stored_heads::lock(table_name, key);
    let is_of_entity = |op: &&Unparsed| op.table_name == table_name && op.key == key;
    let unparsed: Vec<&Unparsed> = snapshot.unparsed.iter().filter(is_of_entity).collect();
    let journal: Vec<Operation> = journal_of(table_name, key);
    let merged: BTreeSet<Version> = journal.iter().map(|operation| operation.version).collect();
    // A row without heads has merged nothing, whatever came in a snapshot before: it was new, or
    // somebody removed its heads. Then they are what the journal says.
    let stored = here;
    let was_set_aside = !snapshot.lost.is_empty() && snapshot.lost.contains(&(table_name.to_owned(), key.to_owned()));
    let is_lost = stored.0.is_empty() || was_set_aside;
    let here = if is_lost { set_aside::of_journal(tracked, &journal) } else { stored.clone() };
    let coverage = LazyCell::new(|| Coverage::of(table_name, key));
    let is_unparsed = |version| unparsed.iter().any(|op| op.version == version);
    let here_knows =
        |version| !is_unparsed(version) && (merged.contains(&version) || (!is_lost && coverage.covers(version)));
    let mut whole = match snapshot.limits {
        None => merge_states(&here, &there, here_knows, |version| covers.covers(version), &journal),
        Some(limits) => limits.merge(&here, &there, said_of(tracked, limits.peer), here_knows, snapshot.told, &journal),
    };
    if !whole.is_erased() {
        for (register, theirs) in withheld {
            let mut heads = here.heads(&register).to_vec();
            heads.extend(
                theirs.into_iter().filter(|head| !heads_have(&here, &register, head) && !here_knows(head.version)),
            );
            heads.sort_by_key(|head| head.version);
            if !heads.is_empty() {
                whole.0.insert(register, heads);
            }
        }
    }
    unparsed.iter().filter(|op| covers.covers(op.version)).for_each(|op| op.resolve());
    if whole.0.is_empty() {
        return stored_heads::remove(table_name, key);
    }
    if whole != stored {
        stored_heads::store(table_name, key, &whole);
    }
    if was_set_aside {
        stored_heads::found(table_name, key);
    }
    if whole.is_erased() && !stored.is_erased() {
        erasure::blank(table_name, key, !here.is_erased());
    }
    if let (Err(fault), Some(last)) = (write_row(tracked, key, &whole, is_new), last_of(&whole)) {
        // It waits under the name of the last operation among its heads.
        quarantine_entity(last, table_name, key, &fault);
    }
}

/// Takes out of an entity the registers in which a banned node wrote after its last operation, and returns what
/// others have there: what such a value replaced at the sender stands here.
fn withhold_banned(there: &mut Entity) -> Vec<(String, Vec<Head>)> {
    let is_beyond = |head: &Head| is_beyond_ban(head.version);
    let registers: Vec<String> =
        there.0.iter().filter(|(_, heads)| heads.iter().any(is_beyond)).map(|(register, _)| register.clone()).collect();
    let take = |register: String| {
        let mut heads = there.0.remove(&register).unwrap_or_default();
        heads.retain(|head| !is_beyond(head));
        (register, heads)
    };
    registers.into_iter().map(take).collect()
}

fn heads_have(entity: &Entity, register: &str, head: &Head) -> bool {
    entity.heads(register).iter().any(|known| known.version == head.version)
}

/// What a store may say of a table. Of one that is not tracked here, nothing.
fn said_of(tracked: Option<&Tracked>, store: i32) -> Of<'_> {
    Of {
        decider: tracked.map_or(Decider::Central, |tracked| tracked.decider),
        own_column: tracked.and_then(|tracked| tracked.own_column.as_deref()),
        joined: entitlement::joined(store),
    }
}

/// The last operation among the heads of an entity.
fn last_of(entity: &Entity) -> Option<Version> {
    entity.0.values().flatten().map(|head| head.version).max()
}

/// Writes the whole row of an entity from its heads.
///
/// # Errors
/// What this node cannot do, or not yet.
pub fn write_entity(table_name: &str, key: &str) -> Result<(), DataFault> {
    check_key(key)?;
    if table_name == POLICY {
        serial::alone()
    } else {
        serial::share()
    }
    let tracked = Tracked::find(table_name);
    let is_new = tracked.as_deref().is_none_or(|tracked| !row::lock_row(tracked, key));
    write_row(tracked.as_deref(), key, &stored_heads::lock(table_name, key), is_new)
}

fn write_row(tracked: Option<&Tracked>, key: &str, entity: &Entity, is_new: bool) -> Result<(), DataFault> {
    let tracked = tracked.ok_or_else(unknown_table)?;
    attempt(|| row::write(tracked, key, entity, entity.0.keys(), is_new))?.check_all()
}
