//! An operation of another node.

use std::cell::LazyCell;

use tpv_core::merge::{Entity, Operation, Share, Verdict, Version, check_key};
use tpv_core::row_limits::{AWAITED, TooLarge};

use super::coverage::Coverage;
use super::tracked::{POLICY, Tracked};
use super::unmerged::Unmerged;
use super::{ban, entitlement, erasure, row, serial, stored_heads};
use crate::postgres::{DataFault, attempt, sql};
use crate::wire::{OpRow, Sender, has_unread, has_waiting, sender};

/// Merges an operation into the heads of its entity, and writes the row.
///
/// What this node cannot do, or not yet, is the fault with which the operation waits in quarantine.
/// It stays in the journal, and the heads are right all the same, unless it cannot be read. The row
/// follows from the heads as far as this node can write it.
///
/// # Errors
/// It is not merged: central does not take all that a store may send.
pub fn merge(row: &OpRow) -> Result<MergedOperation, Unmerged> {
    merge_one(row, false)
}

/// What became of an operation.
#[derive(Debug)]
pub struct MergedOperation {
    /// Whether the row could be written.
    pub written: Result<(), DataFault>,
    /// Whether its entity was erased, so that its values are not to be stored.
    pub is_erased: bool,
}

/// `was_unparsed`: see [`advance_heads`].
fn merge_one(row: &OpRow, was_unparsed: bool) -> Result<MergedOperation, Unmerged> {
    if row.is_placeholder() {
        // It stands for one that whoever passed it on has refused, and has no name to go by.
        was_awaited(row);
        return Ok(MergedOperation { written: Ok(()), is_erased: false });
    }
    let decides = !was_unparsed && decides();
    let operation = match read(row) {
        Ok(operation) => operation,
        Err(_) if decides && (has_unread(row.node_id) || has_waiting(row.node_id)) => return Err(Unmerged::Later),
        Err(fault) => {
            let is_erased = erasure::is_erased(&row.table_name, &row.key);
            return Ok(MergedOperation { written: Err(fault), is_erased });
        }
    };
    serialise(row);
    let written = attempt(|| {
        let tracked = Tracked::find(&row.table_name).ok_or_else(unknown_table)?;
        // Sessions lock the row first and its heads at their end; so does the merge.
        let is_new = !row::lock_row(&tracked, &row.key);
        let entity = match advance_heads(row, &operation, was_unparsed) {
            Ok(entity) => entity,
            Err(unmerged) => return Ok(Err(unmerged)),
        };
        let unwritten = row::write(&tracked, &row.key, &entity, operation.patch.keys(), is_new)?;
        let written = unwritten.check_operation(&operation);
        match &written {
            Err(fault) if decides && has_waiting(row.node_id) => Err(fault.clone()),
            _ => Ok(Ok(MergedOperation { written, is_erased: entity.is_erased() })),
        }
    });
    match written {
        Ok(merged) => merged,
        Err(_) if decides && has_waiting(row.node_id) => Err(Unmerged::Later),
        Err(fault) => {
            // The subtransaction took the heads back with the row. They do not depend on what the
            // table can hold.
            let entity = advance_heads(row, &operation, was_unparsed)?;
            Ok(MergedOperation { written: Err(fault), is_erased: entity.is_erased() })
        }
    }
}

/// Retries an operation that waits in quarantine: writes the whole row of its entity.
///
/// # Errors
/// As for [`merge`].
pub fn merge_again(row: &OpRow, was_read: bool) -> Result<(), DataFault> {
    // The table may not have been tracked here when it arrived.
    if entitlement::verdict(row) != Verdict::Believed {
        forget_heads(row);
        return Err(not_entitled());
    }
    if !was_read && ban::is_undone(row.node_id, row.seq) {
        return Err(DataFault::new("OPERATION_UNDONE", "what its node wrote then was taken back: sync.dismiss it"));
    }
    if !was_read {
        let Ok(merged) = merge_one(row, true) else { sql::broken("what was taken is decided again") };
        merged.written?;
    }
    let operation = read(row)?;
    serialise(row);
    let tracked = Tracked::find(&row.table_name).ok_or_else(unknown_table)?;
    let write = |entire: bool| {
        attempt(|| {
            let is_new = !row::lock_row(&tracked, &row.key);
            let entity = stored_heads::lock(&row.table_name, &row.key);
            let registers = entity.0.keys().filter(|register| entire || operation.patch.contains_key(*register));
            row::write(&tracked, &row.key, &entity, registers, is_new)
        })
    };
    // Where a column of another operation fails, those of this one may still be written.
    let unwritten = write(true).or_else(|_| write(false))?;
    unwritten.check_operation(&operation)
}

/// Takes what an operation wrote out of the heads of its entity.
fn forget_heads(row: &OpRow) {
    let version = Version { node_id: row.node_id, seq: row.seq };
    let mut entity = stored_heads::lock(&row.table_name, &row.key);
    let had = entity.0.values().flatten().any(|head| head.version == version);
    entity.0.values_mut().for_each(|heads| heads.retain(|head| head.version != version));
    entity.0.retain(|_, heads| !heads.is_empty());
    if entity.0.is_empty() {
        stored_heads::remove(&row.table_name, &row.key);
    } else if had {
        stored_heads::store(&row.table_name, &row.key, &entity);
    }
}

/// The operation, reduced to what its node may change.
pub(super) fn read(row: &OpRow) -> Result<Operation, DataFault> {
    check_key(&row.key)?;
    let version = Version { node_id: row.node_id, seq: row.seq };
    let operation = Operation::from_text(version, row.hlc, &row.patch, &row.base)?;
    Ok(match Tracked::find(&row.table_name) {
        Some(tracked) => tracked.entitled(operation),
        None => operation,
    })
}

const JOURNAL: &str =
    "select node_id, seq, hlc, table_name, key, patch, base from wire.op where table_name = $1 and key = $2";

/// The operations on an entity that are in `wire.op`.
pub fn rows_of(table_name: &str, key: &str) -> Vec<OpRow> {
    sql::rows(JOURNAL, &[table_name.into(), key.into()], OpRow::from_row)
}

/// Those of them that can be read.
pub fn journal_of(table_name: &str, key: &str) -> Vec<Operation> {
    rows_of(table_name, key).iter().filter_map(|row| read(row).ok()).collect()
}

/// Takes the lock of merges, before any rule is read or row locked. While a policy changes, no
/// merge runs.
fn serialise(row: &OpRow) {
    if row.table_name == POLICY { serial::alone() } else { serial::share() }
}

/// Stores and returns the heads of the entity after the operation.
///
/// Usually the writer had seen all heads that are here, and the operation takes their place.
/// Otherwise the operation is late, and somebody may have replaced it before it arrived. The heads
/// alone do not show that. There are three cases:
///
/// 1. An operation in the journal names it: its writer had seen it, and it arrived first. On its
///    arrival the versions that it names and that were missing here went to `sync.awaited`; so the
///    journal is searched only for an operation that is awaited.
/// 2. It was received inside a snapshot. What replaced it is then among the heads that the snapshot
///    brought, and no operation in the journal need name it: its [`Coverage`] is asked.
/// 3. `was_unparsed`: it could not be parsed on arrival, so it is in the journal but was never
///    merged. `sync.awaited` has only what is not in the journal and cannot be trusted for it, so
///    the journal is searched. Coverage cannot be trusted either: the sender of a snapshot may not
///    have been able to parse it. If it was, the operation left quarantine then.
///
/// # Errors
/// Of its writer, a store, the row would then have more than central takes ([`Share`]). Stores get
/// what central took, and take it: each of them would decide by what had arrived there. Or it names what
/// nobody has written, or too much that is missing, or it has erased too many rows today.
fn advance_heads(row: &OpRow, operation: &Operation, was_unparsed: bool) -> Result<Entity, Unmerged> {
    let mut entity = stored_heads::lock(&row.table_name, &row.key);
    let (was_new, was_erased) = (entity.0.is_empty(), entity.is_erased());
    let decides = !was_unparsed && decides();
    let unmerged = |unmerged| {
        if was_new {
            stored_heads::remove(&row.table_name, &row.key);
        }
        unmerged
    };
    let missing = missing(operation, &entity);
    // Before it is asked whether this one was awaited, since then it is not any more.
    if decides && (names_unknown(row.node_id, &missing) || awaits_too_many(row.node_id, missing.len())) {
        return Err(unmerged(Unmerged::Later));
    }
    let is_covered =
        LazyCell::new(|| !was_unparsed && Coverage::of(&row.table_name, &row.key).covers(operation.version));
    let naming = LazyCell::new(|| if was_unparsed || was_awaited(row) { named_by(row) } else { Vec::new() });
    entity.advance(operation, |register| {
        *is_covered || naming.iter().any(|other| other.seen(register).contains(&operation.version))
    });
    let heads = stored_heads::text_of(&entity);
    if decides {
        Share::TAKEN.check(&entity, heads.len(), row.node_id).map_err(|large| unmerged(too_much(large)))?;
        if entity.is_erased() && !was_erased {
            erasure::count(row.node_id).map_err(unmerged)?;
        }
    }
    await_missing(row.node_id, missing);
    stored_heads::store_text(&row.table_name, &row.key, &entity, heads);
    // What is here of an erased one was blanked when it was erased, and is not read again for each
    // operation that comes after.
    if entity.is_erased() && (!was_erased || was_unparsed) {
        erasure::blank(&row.table_name, &row.key, !was_erased);
    }
    Ok(entity)
}

/// Whether this node decides what is taken of what arrives: central does, of what a store sends.
fn decides() -> bool {
    matches!(sender(), Sender::Peer { is_central: false, .. })
}

fn too_much(large: TooLarge) -> Unmerged {
    Unmerged::Refused(DataFault::new("ENTITY_TOO_LARGE", format!("of what its node has written of the row, {large}")))
}

const AWAIT: &str = r"
    insert into sync.awaited (node_id, seq, by_node)
    select v.node_id, v.seq, $3 from unnest($1::integer[], $2::bigint[]) as v (node_id, seq)
     where not exists (select from wire.op o where o.node_id = v.node_id and o.seq = v.seq)
       and not exists (select from sync.horizon h where h.node_id = v.node_id and h.seq >= v.seq)
    on conflict do nothing";

/// The versions that the operation names and that may not be here. A head is here, as an operation
/// or inside a snapshot.
fn missing(operation: &Operation, entity: &Entity) -> Vec<Version> {
    let is_head = |version: &Version| entity.0.values().flatten().any(|head| head.version == *version);
    operation.names().filter(|version| !is_head(version)).collect()
}

/// Whether a store names what another node has written and what is not here. It learns from central alone
/// what others write. So central has it, or has forgotten it with a restore and gets it back; or the store
/// names what does not exist yet, and the value of whoever writes it would be lost.
fn names_unknown(store: i32, missing: &[Version]) -> bool {
    let (nodes, seqs): (Vec<i32>, Vec<i64>) =
        missing.iter().filter(|version| version.node_id != store).map(|it| (it.node_id, it.seq)).unzip();
    !nodes.is_empty() && sql::row(UNKNOWN, &[nodes.into(), seqs.into()], |row| row.must::<bool>(1)).unwrap_or(true)
}

const UNKNOWN: &str = r"
    select exists (
      select from unnest($1::integer[], $2::bigint[]) as v (node_id, seq)
       where not exists (select from wire.op o where o.node_id = v.node_id and o.seq = v.seq)
         and not exists (select from sync.horizon h where h.node_id = v.node_id and h.seq >= v.seq))";

/// Notes those of these versions that are not here.
fn await_missing(named_by: i32, missing: Vec<Version>) {
    let (nodes, seqs): (Vec<i32>, Vec<i64>) =
        missing.into_iter().map(|Version { node_id, seq }| (node_id, seq)).unzip();
    if !nodes.is_empty() {
        sql::execute(AWAIT, &[nodes.into(), seqs.into(), named_by.into()]);
    }
}

const NAMED_BY: &str = "select count(*) from (select from sync.awaited where by_node = $1 limit $2) a";

/// Whether operations of a node, with one that names so many versions more, would name more that are
/// missing than may be ([`AWAITED`]).
fn awaits_too_many(node_id: i32, more: usize) -> bool {
    // What it names is nearly always among the heads.
    if more == 0 {
        return false;
    }
    let count = sql::row(NAMED_BY, &[node_id.into(), AWAITED.into()], |row| row.must::<i64>(1)).unwrap_or(0);
    count.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)) > AWAITED
}

const ARRIVED: &str = "delete from sync.awaited where node_id = $1 and seq = $2";

/// Whether an operation here may name this one.
fn was_awaited(row: &OpRow) -> bool {
    sql::execute(ARRIVED, &[row.node_id.into(), row.seq.into()]) > 0
}

/// Only operations that may name it are read. A base is JSON: a version in it is two numbers with a
/// comma between, and at most white space around them.
const NAMING: &str = r"
    select node_id, seq, hlc, table_name, key, patch, base from wire.op
    where table_name = $1 and key = $2
      and strpos(translate(base, e' \t\n\r', ''), '[' || $3::integer || ',' || $4::bigint || ']') > 0";

/// The operations here whose base may name this one. One that cannot be read does not count.
fn named_by(row: &OpRow) -> Vec<Operation> {
    let args = [row.table_name.as_str().into(), row.key.as_str().into(), row.node_id.into(), row.seq.into()];
    sql::rows(NAMING, &args, OpRow::from_row).iter().filter_map(|row| read(row).ok()).collect()
}

/// Its writer does not decide about that row.
pub fn not_entitled() -> DataFault {
    DataFault::new("NOT_ENTITLED", "central decides about that row, and a store wrote it")
}

/// The table is not tracked here.
pub fn unknown_table() -> DataFault {
    DataFault::new("UNKNOWN_TABLE", "this node does not track that table, or not yet")
}
