//! Whether a document about a receipt arrived before the receipt itself. This is looked up for each
//! receipt and almost never found, so it is a plain descent of an index.

use pgrx::{IntoDatum, pg_sys};
use uuid::Uuid;

use crate::postgres::sql;

/// Whether `sales.receipt_event` has a row of the receipt, also one of this transaction.
pub fn before(node_id: i32, receipt_id: Uuid) -> bool {
    // SAFETY: table, index, scan and slot are opened, used and closed in order; after an error the
    // transaction gives them back. The two keys are the first columns of the primary key, of their
    // types.
    unsafe {
        let name = pg_sys::makeRangeVar(c"sales".as_ptr().cast_mut(), c"receipt_event".as_ptr().cast_mut(), -1);
        let table = pg_sys::table_openrv(name, pg_sys::AccessShareLock as i32);
        let primary_key = pg_sys::RelationGetReplicaIndex(table);
        if primary_key == pg_sys::InvalidOid {
            sql::broken("sales.receipt_event has no primary key");
        }
        let index = pg_sys::index_open(primary_key, pg_sys::AccessShareLock as i32);
        let mut keys = [pg_sys::ScanKeyData::default(), pg_sys::ScanKeyData::default()];
        let equal = pg_sys::BTEqualStrategyNumber as u16;
        let (node, receipt) = (node_id.into_datum(), sql::uuid(receipt_id).into_datum());
        let [first, second] = &mut keys;
        pg_sys::ScanKeyInit(first, 1, equal, pg_sys::F_INT4EQ.into(), node.unwrap_or(pg_sys::Datum::null()));
        pg_sys::ScanKeyInit(second, 2, equal, pg_sys::F_UUID_EQ.into(), receipt.unwrap_or(pg_sys::Datum::null()));
        let found = pg_sys::table_slot_create(table, std::ptr::null_mut());
        // What is committed or our own, as of now: a snapshot would cost more than the look-up.
        let snapshot = &raw mut pg_sys::SnapshotSelfData;
        #[cfg(not(feature = "pg18"))]
        let scan = pg_sys::index_beginscan(table, index, snapshot, 2, 0);
        #[cfg(feature = "pg18")]
        let scan = pg_sys::index_beginscan(table, index, snapshot, std::ptr::null_mut(), 2, 0);
        pg_sys::index_rescan(scan, keys.as_mut_ptr(), 2, std::ptr::null_mut(), 0);
        let is_there = pg_sys::index_getnext_slot(scan, pg_sys::ScanDirection::ForwardScanDirection, found);
        pg_sys::index_endscan(scan);
        pg_sys::ExecDropSingleTupleTableSlot(found);
        pg_sys::index_close(index, pg_sys::NoLock as i32);
        pg_sys::table_close(table, pg_sys::NoLock as i32);
        pg_sys::pfree(name.cast());
        is_there
    }
}
