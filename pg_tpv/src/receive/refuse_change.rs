//! Documents and operations are written once. This is the trigger that says so.

use pgrx::prelude::*;
use pgrx::{PgRelation, pg_sys};

use super::triggers::trigger_data;
use crate::guc;
use crate::journal::is_blanking;
use crate::postgres::Refusal;
use crate::wire::{Arrives, OpRow};

/// BEFORE UPDATE, DELETE or TRUNCATE of `wire.doc` and `wire.op`.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_refuse_change(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above.
    unsafe {
        let data = trigger_data(call, "a trigger of wire.doc and wire.op");
        if !guc::maintenance() && !is_erasure(data) {
            refuse_change(PgRelation::from_pg((*data).tg_relation).name()).raise();
        }
        let updates = (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE;
        pg_sys::Datum::from(if updates { (*data).tg_newtuple } else { (*data).tg_trigtuple })
    }
}

/// Whether an update takes the values out of an operation and changes nothing else, while an entity
/// is erased.
///
/// # Safety
/// The trigger's data.
unsafe fn is_erasure(data: *mut pg_sys::TriggerData) -> bool {
    // SAFETY: the caller's promise; an update has both tuples, and a trigger of wire.doc or wire.op
    // has their columns.
    unsafe {
        let relation = (*data).tg_relation;
        let updates = (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE;
        if !updates || !PgRelation::from_pg(relation).name().starts_with("op") {
            return false;
        }
        let (before, after) =
            (OpRow::of_tuple((*data).tg_trigtuple, relation), OpRow::of_tuple((*data).tg_newtuple, relation));
        before.is_at_the_place_of(&after) && is_blanking((&before.patch, &before.base), (&after.patch, &after.base))
    }
}

/// Why a row of this table, or of this partition, is not changed.
fn refuse_change(table: &str) -> Refusal {
    let (message, detail) = if table == "op" || table.starts_with("op_") {
        ("operations are never changed or removed", "Another change of the row makes another operation.")
    } else {
        let detail = "Another document says what became of a receipt: a void, a release, a withdrawal.";
        ("documents are never changed or removed", detail)
    };
    Refusal::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
        .detail(detail)
        .hint("The owner of the tables may set pg_tpv.maintenance.")
}
