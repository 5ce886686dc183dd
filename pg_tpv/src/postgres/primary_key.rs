//! Is the row there already? This is the look-up of the apply worker itself: no parsing, no plan,
//! no snapshot of ours.

use std::ptr::null_mut;

use pgrx::pg_sys;

/// Whether a row with the primary key of `tuple` is there. If another transaction is writing one,
/// it waits for its end.
///
/// # Safety
/// The tuple is one of that relation, which the caller has open.
pub unsafe fn is_repeat(relation: pg_sys::Relation, tuple: pg_sys::HeapTuple) -> bool {
    // SAFETY: both slots are made for this relation and dropped before the function ends; after an
    // error the transaction's memory goes as a whole.
    unsafe {
        let index = pg_sys::RelationGetReplicaIndex(relation);
        if index == pg_sys::InvalidOid {
            super::sql::broken("a partition of a wire table has no primary key");
        }
        let found = pg_sys::table_slot_create(relation, null_mut());
        let wanted = pg_sys::MakeSingleTupleTableSlot((*relation).rd_att, &raw const pg_sys::TTSOpsHeapTuple);
        pg_sys::ExecForceStoreHeapTuple(tuple, wanted, false);
        // The scan key is built from the slot's raw array, which is empty until somebody asks for
        // the columns.
        pg_sys::slot_getsomeattrs_int(wanted, (*(*relation).rd_att).natts);
        let mode = pg_sys::LockTupleMode::LockTupleKeyShare;
        let repeat = pg_sys::RelationFindReplTupleByIndex(relation, index, mode, wanted, found);
        pg_sys::ExecDropSingleTupleTableSlot(wanted);
        pg_sys::ExecDropSingleTupleTableSlot(found);
        repeat
    }
}
