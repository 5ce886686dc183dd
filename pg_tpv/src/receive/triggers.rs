//! The trigger functions of the wire tables, called by PostgreSQL directly: the trigger macro of pgrx reports errors
//! without their SQLSTATE.

use pgrx::pg_sys;
use pgrx::prelude::*;

use crate::guc;
use crate::journal::merge;
use crate::node::this_node;
use crate::postgres::primary_key::is_repeat;
use crate::postgres::{DataFault, Refusal, attempt};
use crate::projection::project;
use crate::wire::{
    BeatRow, Document, OpRow, ResendRow, Sender, quarantine, quarantine_op, refuse, refuse_forged, sender,
};

extension_sql!(
    r#"
create function receive_document() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_document';
comment on function receive_document() is
    'Takes a document in: a repeat is dropped, anything else is stored and projected, or stored and quarantined.';
create function receive_operation() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_operation';
comment on function receive_operation() is
    'Takes an operation in: a repeat is dropped, one of another node is merged into its row, or stored and quarantined.';
create function receive_beat() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_beat';
comment on function receive_beat() is 'Folds a peer''s heartbeat into sync.peer.';
create function receive_resend() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_resend';
comment on function receive_resend() is 'Takes in what a peer sent again, or asks for, and does not store it.';
create function forget_rules() returns trigger language c as 'MODULE_PATHNAME', 'tpv_forget_rules';
comment on function forget_rules() is
    'Makes every session look up anew what is tracked and by which rules: for the tables that hold it.';
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
pub extern "C" fn pg_finfo_tpv_receive_document() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_tpv_receive_operation() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_tpv_receive_beat() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_tpv_receive_resend() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_1
}

#[unsafe(no_mangle)]
#[doc(hidden)]
pub extern "C" fn pg_finfo_tpv_forget_rules() -> &'static pg_sys::Pg_finfo_record {
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
pub unsafe extern "C-unwind" fn tpv_receive_document(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL called it as a trigger, which is checked, so the trigger's data are there.
    unsafe {
        let (relation, tuple) = inserted(call);
        if is_repeat(relation, tuple) || !document(&Document::of_tuple(tuple, relation)) {
            return pg_sys::Datum::null();
        }
        pg_sys::Datum::from(tuple)
    }
}

/// BEFORE INSERT, for each row, of `wire.op`.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_receive_operation(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above.
    unsafe {
        let (relation, tuple) = inserted(call);
        let row = OpRow::of_tuple(tuple, relation);
        if is_repeat(relation, tuple) {
            repeated(&row);
            return pg_sys::Datum::null();
        }
        if !operation(&row) {
            return pg_sys::Datum::null();
        }
        pg_sys::Datum::from(tuple)
    }
}

/// BEFORE INSERT, for each row, of `wire.beat`: a peer's is folded into `sync.peer` and not stored.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_receive_beat(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above.
    unsafe {
        let (relation, tuple) = inserted(call);
        match sender() {
            Sender::Local => pg_sys::Datum::from(tuple),
            from => {
                crate::peer::beat::fold(from, &BeatRow::of_tuple(tuple, relation));
                pg_sys::Datum::null()
            }
        }
    }
}

/// BEFORE INSERT, for each row, of `wire.resend`: a peer's is taken in and not stored.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_receive_resend(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above.
    unsafe {
        let (relation, tuple) = inserted(call);
        match sender() {
            Sender::Local => pg_sys::Datum::from(tuple),
            from => {
                resend(from, &ResendRow::of_tuple(tuple, relation));
                pg_sys::Datum::null()
            }
        }
    }
}

/// What a peer sends to this node in its own name is taken in; of anything else a copy is kept.
fn resend(from: Sender, row: &ResendRow) {
    let Sender::Peer { node_id: peer, .. } = from else { return refuse_forged(&row.as_refused()) };
    if row.node_id != peer || Some(row.to_node) != this_node() {
        return refuse_forged(&row.as_refused());
    }
    crate::node::clock::follow(row.hlc);
    if let Err(fault) = attempt(|| crate::peer::resend::receive(row)) {
        refuse(&row.as_refused(), &fault);
    }
}

/// Whether a document is to be stored.
fn document(document: &Document) -> bool {
    let from = sender();
    if from == Sender::Local {
        check_local(document).unwrap_or_else(|refusal| refusal.raise());
    } else if !from.may_send_for(document.node_id, this_node()) {
        refuse_forged(&document.as_refused());
        return false;
    } else {
        crate::node::clock::follow(document.hlc);
    }
    if let Err(fault) = attempt(|| project(document)) {
        quarantine(document, &fault);
    }
    true
}

/// A number that comes with another content was given twice: its node was restored from a backup. A copy is kept.
fn repeated(row: &OpRow) {
    if !row.is_the_one_here() {
        let detail = "its node gave that number to another operation before; was it restored from a backup?";
        refuse(&row.as_refused(), &DataFault::new("NUMBER_REUSED", detail));
    }
}

/// Whether an operation is to be stored.
fn operation(row: &OpRow) -> bool {
    let from = sender();
    if !from.may_send_for(row.node_id, this_node()) {
        if from == Sender::Local {
            foreign().raise();
        }
        refuse_forged(&row.as_refused());
        return false;
    }
    if from != Sender::Local {
        if row.came_in_snapshot() {
            return false;
        }
        crate::node::clock::follow(row.hlc);
        if let Err(fault) = merge(row) {
            quarantine_op(row, &fault);
        }
    }
    true
}

/// A session of this node writes this node's documents, and writes them right.
fn check_local(document: &Document) -> Result<(), Refusal> {
    if this_node() != Some(document.node_id) {
        return Err(foreign());
    }
    document.check_hash().map_err(|fault| {
        Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, "the document does not agree with itself")
            .detail(fault.detail)
    })
}

fn foreign() -> Refusal {
    let code = PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE;
    Refusal::new(code, "a row of another node can only arrive by replication")
}

/// The relation and the tuple of a BEFORE INSERT row trigger.
///
/// # Safety
/// The argument is a function call of PostgreSQL's.
unsafe fn inserted(call: pg_sys::FunctionCallInfo) -> (pg_sys::Relation, pg_sys::HeapTuple) {
    // SAFETY: the trigger's data are there, which is checked.
    unsafe {
        let data = trigger_data(call);
        let inserts = (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_INSERT;
        let before = (*data).tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK == pg_sys::TRIGGER_EVENT_BEFORE;
        if !inserts || !before || (*data).tg_event & pg_sys::TRIGGER_EVENT_ROW == 0 {
            misused();
        }
        ((*data).tg_relation, (*data).tg_trigtuple)
    }
}

/// AFTER INSERT, UPDATE or DELETE, for each row, of the tables that say what is tracked and by which rules. It is the first of
/// its kind there: what the others do follows the new rules.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_forget_rules(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above; the relation of a trigger is open.
    unsafe { crate::journal::forget((*trigger_data(call)).tg_relation) };
    pg_sys::Datum::null()
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
