//! Documents about a receipt that arrive before the receipt itself: when what was lost is sent
//! again, or after an upgrade.
//!
//! `sales.early_event` lists the receipts that they are about. It is almost always empty, without a
//! page, and then a receipt that arrives looks no further. Else the receipt is looked up by a plain
//! descent of the index.

use std::collections::BTreeSet;

use pgrx::pg_sys::{INT4OID, UUIDOID};
use pgrx::{IntoDatum, pg_sys};
use uuid::Uuid;

use super::receipt_state;
use crate::postgres::bulk::{self, Table};
use crate::postgres::sql;
use crate::wire::Document;

static EARLY_EVENT: Table<2> =
    Table { schema: c"sales", name: c"early_event", columns: [("node_id", INT4OID), ("receipt_id", UUIDOID)] };

/// A row that is there is locked, so that a rebuild, which takes rows off the list, looks again.
const HOLD: &str = r"
    insert into sales.early_event (node_id, receipt_id)
    select $1, r.receipt_id from unnest($2::uuid[]) as r (receipt_id) order by 2
    on conflict (node_id, receipt_id) do update set receipt_id = excluded.receipt_id
    returning receipt_id, xmax = 0";
const FORGET: &str = "delete from sales.early_event where node_id = $1 and receipt_id = $2";

/// A document about a receipt is here, and the receipt is not.
pub fn remember(node_id: i32, receipt_id: Uuid) {
    hold(node_id, &BTreeSet::from([receipt_id]));
}

/// Lists receipts that are not here, and keeps others from doing so until the transaction ends.
/// Answers those that were not listed before.
pub fn hold(node_id: i32, receipt_ids: &BTreeSet<Uuid>) -> BTreeSet<Uuid> {
    if receipt_ids.is_empty() {
        return BTreeSet::new();
    }
    let ids: Vec<_> = receipt_ids.iter().map(|id| sql::uuid(*id)).collect();
    let held = sql::rows(HOLD, &[node_id.into(), ids.into()], |row| (row.uuid(1), row.must::<bool>(2)));
    held.into_iter().filter(|(_, is_new)| *is_new).map(|(id, _)| id).collect()
}

/// Takes a receipt off the list: it is here.
pub fn forget(node_id: i32, receipt_id: Uuid) {
    sql::execute(FORGET, &[node_id.into(), sql::uuid(receipt_id).into()]);
}

/// Receipts are here: what was said about them before counts now.
pub fn arrived<'d>(receipts: impl Iterator<Item = &'d Document>) {
    if bulk::is_empty(&EARLY_EVENT) {
        return;
    }
    for Document { node_id, doc_id, .. } in receipts {
        if is_listed(*node_id, *doc_id) {
            receipt_state::write(*node_id, *doc_id);
            forget(*node_id, *doc_id);
        }
    }
}

/// Whether the receipt is listed, also by this transaction.
fn is_listed(node_id: i32, receipt_id: Uuid) -> bool {
    // SAFETY: table, index, scan and slot are opened, used and closed in order; after an error the
    // transaction gives them back. The two keys are the columns of the primary key, of their types.
    unsafe {
        let (schema, name) = (EARLY_EVENT.schema.as_ptr().cast_mut(), EARLY_EVENT.name.as_ptr().cast_mut());
        let name = pg_sys::makeRangeVar(schema, name, -1);
        let table = pg_sys::table_openrv(name, pg_sys::AccessShareLock as i32);
        let primary_key = pg_sys::RelationGetReplicaIndex(table);
        if primary_key == pg_sys::InvalidOid {
            sql::broken("sales.early_event has no primary key");
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
