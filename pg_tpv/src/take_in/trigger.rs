//! The trigger functions of the wire tables, called by PostgreSQL directly: the trigger macro of pgrx reports errors
//! without their SQLSTATE.

use pgrx::pg_sys;
use pgrx::prelude::*;

use super::document::Document;
use super::probe::is_repeat;
use super::quarantine::quarantine;
use crate::attempt::attempt;
use crate::guc;
use crate::node::this_node;
use crate::projection::project;
use crate::refusal::Refusal;

extension_sql!(
    r#"
create function take_in_document() returns trigger language c as 'MODULE_PATHNAME', 'tpv_take_in_document';
comment on function take_in_document() is
    'Takes a document in: a repeat is dropped, anything else is stored and projected, or stored and quarantined.';
create function refuse_change() returns trigger language c as 'MODULE_PATHNAME', 'tpv_refuse_change';
comment on function refuse_change() is
    'Refuses UPDATE, DELETE and TRUNCATE of documents, unless pg_tpv.maintenance is on.';
"#,
    name = "triggers"
);

/// Tells PostgreSQL how the functions below are called.
static VERSION_1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_tpv_take_in_document() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_tpv_refuse_change() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

/// BEFORE INSERT, for each row, of `wire.doc`.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_take_in_document(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL called it as a trigger, which is checked, so the trigger's data are there.
    unsafe {
        let data = trigger_data(call);
        let inserts = (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_INSERT;
        let before = (*data).tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK == pg_sys::TRIGGER_EVENT_BEFORE;
        if !inserts || !before || (*data).tg_event & pg_sys::TRIGGER_EVENT_ROW == 0 {
            misused();
        }
        let (relation, tuple) = ((*data).tg_relation, (*data).tg_trigtuple);
        if is_repeat(relation, tuple) {
            return pg_sys::Datum::null();
        }
        take_in(&Document::of_tuple(tuple, relation));
        pg_sys::Datum::from(tuple)
    }
}

fn take_in(document: &Document) {
    // SAFETY: reads a flag of this process.
    let replicated = unsafe { pg_sys::IsLogicalWorker() };
    if !replicated {
        check_local(document).unwrap_or_else(|refusal| refusal.raise());
    }
    if let Err(fault) = attempt(|| project(document)) {
        quarantine(document, &fault);
    }
}

/// A session of this node writes this node's documents, and writes them right.
fn check_local(document: &Document) -> Result<(), Refusal> {
    if this_node() != Some(document.node_id) {
        let code = PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
        return Err(Refusal::new(code, "a document of another node can only arrive by replication"));
    }
    document.check_hash().map_err(|fault| {
        Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, "the document does not agree with itself")
            .detail(fault.detail)
    })
}

/// BEFORE UPDATE, DELETE or TRUNCATE of `wire.doc`.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_refuse_change(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above.
    unsafe {
        let data = trigger_data(call);
        if !guc::maintenance() {
            Refusal::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, "documents are never changed or removed")
                .detail("what a receipt came to is said by another document: a void, a release, a return")
                .hint("maintenance by the owner of the tables sets pg_tpv.maintenance")
                .raise();
        }
        let updates = (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE;
        pg_sys::Datum::from(if updates { (*data).tg_newtuple } else { (*data).tg_trigtuple })
    }
}

/// # Safety
/// The argument is a function call of PostgreSQL's.
unsafe fn trigger_data(call: pg_sys::FunctionCallInfo) -> *mut pg_sys::TriggerData {
    // SAFETY: a context that is not null is a node, whose tag tells what it is.
    unsafe {
        let context = (*call).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            misused();
        }
        context.cast()
    }
}

fn misused() -> ! {
    let code = PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED;
    Refusal::new(code, "this function is a row trigger of wire.doc and nothing else").raise()
}
