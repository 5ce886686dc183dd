//! Rows into a table without a statement, as COPY and the apply worker write them: a document
//! becomes a handful of rows, and running a statement costs several times what these cost.
//!
//! | file | has |
//! | --- | --- |
//! | `mod` | the insert, from the executor's own parts |
//! | `shape` | what is remembered of a table from one transaction to the next, and when it is forgotten |
//! | `value` | the value of a column, and how it becomes a datum |
//!
//! Everything that an INSERT checks is checked: the privilege, precision and scale of numbers, NOT
//! NULL, CHECK, unique keys. A table that needs more (somebody added a trigger, a foreign key, a
//! column, row security) gets an INSERT.

mod shape;
mod value;

use std::ffi::CStr;
use std::ptr::null_mut;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::postgres::sql;
use shape::Shape;
use value::Room;
pub use value::Value;

/// A table, and the columns in which its rows are given. Each table is one `static`.
pub struct Table<const N: usize> {
    pub schema: &'static CStr,
    pub name: &'static CStr,
    /// Name and type of its columns, in their order.
    pub columns: [(&'static str, pg_sys::Oid); N],
}

/// A receipt of more lines than this goes in several parts, so that what is remembered stays small.
const PART: usize = 256;

/// Inserts rows and makes them visible to what the transaction does next.
///
/// Errors are raised, as a statement would raise them. The end of the (sub)transaction gives back
/// locks, pins and references; what is remembered of the table holds none of them.
pub fn insert<const N: usize>(table: &'static Table<N>, rows: &[[Value<'_>; N]]) {
    // SAFETY: the relation is open and locked until it is closed; its shape is looked up then, so
    // that it is of the relation as it is now.
    unsafe {
        let relation = shape::open(table);
        match shape::of(table, relation) {
            // Nobody else uses the shape meanwhile: a CHECK or an index expression, which
            // PostgreSQL calls here, inserts nothing.
            Some(shape) if may_insert(relation) => {
                rows.chunks(PART).for_each(|rows| write(&mut *shape, relation, rows));
            }
            _ => rows.iter().for_each(|row| by_statement(table, row)),
        }
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        pg_sys::CommandCounterIncrement();
    }
}

/// Whether rows of this partition can be given to [`store`]: an INSERT would call that trigger
/// function and do nothing else.
///
/// # Safety
/// The relation is open and locked.
pub unsafe fn can_store(partition: pg_sys::Relation, trigger_function: pg_sys::Oid) -> bool {
    // SAFETY: as promised.
    unsafe { shape::of_partition(partition, trigger_function).is_some() }
}

/// Inserts rows for which that trigger function has been called already, and makes them visible.
/// Whoever gave the rows has the privilege, which was checked before the function was called.
///
/// # Safety
/// The tuples are of that partition, which the transaction has locked and about which [`can_store`]
/// has answered yes.
pub unsafe fn store(partition: pg_sys::Oid, trigger_function: pg_sys::Oid, tuples: &[pg_sys::HeapTuple]) {
    // SAFETY: as promised; the lock has kept the definition of the partition as it was.
    unsafe {
        let relation = pg_sys::table_open(partition, pg_sys::RowExclusiveLock as i32);
        let shape = shape::of_partition(relation, trigger_function)
            .unwrap_or_else(|| sql::broken("the triggers of a partition have changed under its lock"));
        for tuples in tuples.chunks(PART) {
            write_slots(&mut *shape, relation, tuples.len(), |shape, place, slot| {
                pg_sys::ExecForceStoreHeapTuple(tuples[place], slot, false);
                (*slot).tts_tableOid = partition;
                pg_sys::ExecConstraints(shape.target, slot, shape.executor);
                pg_sys::ExecPartitionCheck(shape.target, slot, shape.executor, true);
            });
        }
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        pg_sys::CommandCounterIncrement();
    }
}

/// Whether there is such a table.
pub fn exists<const N: usize>(table: &'static Table<N>) -> bool {
    // SAFETY: the name is only read; nothing is locked.
    unsafe {
        let name = pg_sys::makeRangeVar(table.schema.as_ptr().cast_mut(), table.name.as_ptr().cast_mut(), -1);
        let missing_ok = pg_sys::RVROption::RVR_MISSING_OK;
        let found = pg_sys::RangeVarGetRelidExtended(name, pg_sys::NoLock as i32, missing_ok, None, null_mut());
        pg_sys::pfree(name.cast());
        found != pg_sys::InvalidOid
    }
}

/// Whether a table has no page, as one that no row was ever written to, or that was vacuumed since.
pub fn is_empty<const N: usize>(table: &'static Table<N>) -> bool {
    // SAFETY: the relation is open and locked until it is closed.
    unsafe {
        let relation = shape::open(table);
        // Remembers which table it is.
        _ = shape::of(table, relation);
        let pages = pg_sys::RelationGetNumberOfBlocksInFork(relation, pg_sys::ForkNumber::MAIN_FORKNUM);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        pages == 0
    }
}

/// Whether the current user has the privilege for the whole table, as `tpv_owner` has in sessions
/// and `tpv_apply` in the apply worker. For a user who has it for some columns only, or not at all,
/// a statement gives the answer.
unsafe fn may_insert(relation: pg_sys::Relation) -> bool {
    // SAFETY: the relation is open.
    unsafe {
        let answer =
            pg_sys::pg_class_aclcheck((*relation).rd_id, pg_sys::GetUserId(), pg_sys::ACL_INSERT as pg_sys::AclMode);
        answer == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// # Safety
/// The shape is of that relation, which is open and locked; there are at most [`PART`] rows.
unsafe fn write<const N: usize>(shape: &mut Shape, relation: pg_sys::Relation, rows: &[[Value<'_>; N]]) {
    // SAFETY: as promised. Values live in the shape's scratch memory until it is used again.
    unsafe {
        write_slots(shape, relation, rows.len(), |shape, place, slot| {
            shape.fill(slot, &rows[place]);
            pg_sys::ExecConstraints(shape.target, slot, shape.executor);
        });
    }
}

/// # Safety
/// The shape is of that relation, which is open and locked; there are at most [`PART`] rows. `fill`
/// puts the row of that number into the slot, and checks it.
unsafe fn write_slots(
    shape: &mut Shape,
    relation: pg_sys::Relation,
    rows: usize,
    fill: impl Fn(&mut Shape, usize, *mut pg_sys::TupleTableSlot),
) {
    // SAFETY: as promised.
    unsafe {
        shape.open(relation);
        let caller = pg_sys::MemoryContextSwitchTo(shape.scratch());
        let slots = shape.slots(rows);
        for (place, slot) in slots.iter().enumerate() {
            fill(shape, place, *slot);
        }
        let command = pg_sys::GetCurrentCommandId(true);
        pg_sys::heap_multi_insert(relation, slots.as_ptr().cast_mut(), rows as i32, command, 0, null_mut());
        for slot in &slots {
            insert_index_tuples(shape, *slot);
            pg_sys::ExecClearTuple(*slot);
        }
        pg_sys::MemoryContextSwitchTo(caller);
        shape.close();
    }
}

/// # Safety
/// The slot was just written into the shape's relation.
unsafe fn insert_index_tuples(shape: &Shape, slot: *mut pg_sys::TupleTableSlot) {
    let (target, executor) = (shape.target, shape.executor);
    // SAFETY: as promised; no unique key is deferred, so that the list of those to check again is
    // empty.
    unsafe {
        #[cfg(feature = "pg15")]
        pg_sys::ExecInsertIndexTuples(target, slot, executor, false, false, null_mut(), null_mut());
        #[cfg(not(feature = "pg15"))]
        pg_sys::ExecInsertIndexTuples(target, slot, executor, false, false, null_mut(), null_mut(), false);
    }
}

/// The same row by an ordinary INSERT.
fn by_statement<const N: usize>(table: &Table<N>, row: &[Value<'_>; N]) {
    let names = table.columns.map(|(name, _)| name).join(", ");
    let places: Vec<String> = (1..=N).map(|place| format!("${place}")).collect();
    let (schema, name) = (table.schema.to_string_lossy(), table.name.to_string_lossy());
    let sql = format!("insert into {schema}.{name} ({names}) values ({})", places.join(", "));
    let mut room = Room::of(row);
    let argument = |(value, (_, kind)): (&Value<'_>, &(&str, pg_sys::Oid))| {
        // SAFETY: the room is that of the row; the type is the one that the value is of.
        unsafe {
            value.datum(-1, &mut room).map_or(DatumWithOid::null_oid(*kind), |datum| DatumWithOid::new(datum, *kind))
        }
    };
    let arguments: Vec<DatumWithOid<'_>> = row.iter().zip(&table.columns).map(argument).collect();
    Spi::connect_mut(|client| {
        client.update(sql.as_str(), None, &arguments).map(|_| ()).unwrap_or_else(|error| sql::broken(error));
    });
}
