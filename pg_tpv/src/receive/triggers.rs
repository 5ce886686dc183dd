//! The trigger functions of the wire tables. PostgreSQL calls them directly, since the trigger
//! macro of pgrx reports errors without their SQLSTATE.

use std::borrow::Cow;

use pgrx::pg_sys;
use pgrx::prelude::*;
use tpv_core::merge::{Verdict, is_blank};

use crate::journal::{Unmerged, is_banned, is_erased, merge, not_entitled, verdict};
use crate::node::{clock, this_node};
use crate::peer::{fold, resend};
use crate::postgres::primary_key::is_repeat;
use crate::postgres::{DataFault, Refusal, attempt};
use crate::projection::project;
use crate::receive::collected::{self, Found, Row};
use crate::receive::own_rows::{check_addressee, check_local, foreign, is_in_chain_of};
use crate::receive::place::{is_taken, note_repeat};
use crate::receive::room::is_far_beyond_gap;
use crate::receive::unread::{refuse_row, take_place_of};
use crate::wire::{
    Arrives, BeatRow, Document, OpRow, ResendRow, Sender, arrive, hold_op, is_taking_back, note_dropped, quarantine,
    quarantine_op, refuse, refuse_banned, refuse_banned_once, refuse_forged, refuse_once, refuse_op, refuse_unentitled,
    sender,
};

extension_sql!(
    r#"
create function receive_document() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_document';
comment on function receive_document() is
    'Receives a document: a repeat is dropped, anything else is stored and projected, or stored and quarantined.';
create function receive_operation() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_operation';
comment on function receive_operation() is
    'Receives an operation: a repeat is dropped, one of another node is stored and merged into its row, or stored and quarantined.';
create function receive_beat() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_beat';
comment on function receive_beat() is 'Folds a peer''s heartbeat into sync.peer.';
create function receive_resend() returns trigger language c as 'MODULE_PATHNAME', 'tpv_receive_resend';
comment on function receive_resend() is 'Receives a snapshot, what a peer sent again, or what it requests, and does not store it.';
create function forget_rules() returns trigger language c as 'MODULE_PATHNAME', 'tpv_forget_rules';
comment on function forget_rules() is
    'Makes every session read again what is tracked and by which rules: a trigger of the tables that hold it.';
create function refuse_change() returns trigger language c as 'MODULE_PATHNAME', 'tpv_refuse_change';
comment on function refuse_change() is
    'Refuses UPDATE, DELETE and TRUNCATE of documents and operations, unless pg_tpv.maintenance is on.';
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
        let (partition, tuple) = inserted(call, "a BEFORE INSERT row trigger of wire.doc");
        let row = Row { partition, tuple, trigger_function: (*(*call).flinfo).fn_oid };
        let is_stored = match sender() {
            Sender::Local => receive_own_document(row, &Document::of_tuple(tuple, partition)),
            from => match arrive(tuple, partition) {
                Ok(document) => receive_document_of_peer(from, row, document),
                Err(unread) => {
                    collected::write();
                    refuse_row(from, &unread);
                    false
                }
            },
        };
        if is_stored { pg_sys::Datum::from(tuple) } else { pg_sys::Datum::null() }
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
        let (relation, tuple) = inserted(call, "a BEFORE INSERT row trigger of wire.op");
        collected::write();
        let row = match sender() {
            Sender::Local => OpRow::of_tuple(tuple, relation),
            from => match arrive(tuple, relation) {
                Ok(row) => row,
                Err(unread) => return pg_sys::Datum::from(take_place_of(from, &unread, tuple, relation)),
            },
        };
        if is_repeat(relation, tuple) {
            keep_if_other(&row);
            return pg_sys::Datum::null();
        }
        match receive_operation(&row) {
            Received::Dropped => pg_sys::Datum::null(),
            Received::Whole => pg_sys::Datum::from(tuple),
            Received::Blank => pg_sys::Datum::from(row.blanked().in_place_of(&row, tuple, relation)),
            Received::Void => pg_sys::Datum::from(row.voided().in_place_of(&row, tuple, relation)),
            Received::Empty => pg_sys::Datum::from(row.emptied().in_place_of(&row, tuple, relation)),
        }
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
        let (relation, tuple) = inserted(call, "a BEFORE INSERT row trigger of wire.beat");
        collected::write();
        match sender() {
            Sender::Local => pg_sys::Datum::from(tuple),
            from => {
                match arrive::<BeatRow>(tuple, relation) {
                    Ok(row) if is_banned(from, row.node_id, None) => refuse_banned_once(&row.as_refused()),
                    Ok(row) => fold::fold(from, &row),
                    Err(unread) => refuse_row(from, &unread),
                }
                pg_sys::Datum::null()
            }
        }
    }
}

/// BEFORE INSERT, for each row, of `wire.resend`: a peer's is received and not stored.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_receive_resend(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above.
    unsafe {
        let (relation, tuple) = inserted(call, "a BEFORE INSERT row trigger of wire.resend");
        collected::write();
        match sender() {
            Sender::Local => pg_sys::Datum::from(tuple),
            from => {
                match arrive(tuple, relation) {
                    Ok(row) => receive_resend(from, &row),
                    Err(unread) => refuse_row(from, &unread),
                }
                pg_sys::Datum::null()
            }
        }
    }
}

/// Receives what a peer sends to this node in its own name. Anything else is refused, and a copy of
/// it is kept.
fn receive_resend(from: Sender, row: &ResendRow) {
    let Sender::Peer { node_id: peer, is_central } = from else { return refuse_forged(&row.as_refused()) };
    if row.node_id != peer || Some(row.to_node) != this_node() {
        return refuse_forged(&row.as_refused());
    }
    if is_banned(from, row.node_id, None) {
        return refuse_banned_once(&row.as_refused());
    }
    clock::follow(row.hlc);
    // Receipts are written with the rest of the row, or undone with it.
    if let Err(fault) = attempt(|| resend::receive(row, is_central).map(|()| collected::write())) {
        refuse(&row.as_refused(), &fault);
    }
}

/// Checks and projects a document of a session, and says whether PostgreSQL is to store it.
///
/// # Safety
/// The document is that of the row, for which PostgreSQL called the trigger.
unsafe fn receive_own_document(row: Row, document: &Document) -> bool {
    // SAFETY: as promised.
    if unsafe { is_repeat(row.partition, row.tuple) } {
        return false;
    }
    check_local(document).unwrap_or_else(|refusal| refusal.raise());
    // SAFETY: as promised.
    let addressee = unsafe { Document::addressee(row.tuple, row.partition) };
    check_addressee(document, addressee).unwrap_or_else(|refusal| refusal.raise());
    project_or_quarantine(document);
    true
}

/// Checks a document of a peer, and says whether PostgreSQL is to store it. A receipt is collected
/// instead, any other document projected.
///
/// # Safety
/// As above.
unsafe fn receive_document_of_peer(from: Sender, row: Row, document: Document) -> bool {
    let may_send = from.may_send_for(document.node_id, this_node());
    if may_send && is_banned(from, document.node_id, None) {
        collected::write();
        refuse_banned(&document.as_refused());
        return false;
    }
    // SAFETY: as promised.
    let addressee = unsafe { Document::addressee(row.tuple, row.partition) };
    if may_send && !is_in_chain_of(&document, addressee) {
        collected::write();
        let detail = "it is addressed to a node, and in a hash chain of another addressee";
        refuse_once(&document.as_refused(), &DataFault::new("WRONG_CHAIN", detail));
        return false;
    }
    // Its hash chain is never compared there, and nobody would look for it.
    if may_send && document.chain_seq < 1 {
        collected::write();
        refuse_once(&document.as_refused(), &DataFault::new("CHAIN_PLACE", "a hash chain begins at place 1"));
        return false;
    }
    // SAFETY: as promised.
    unsafe {
        if may_send && document.kind == "receipt" && !is_taking_back() && collected::can_collect(row) {
            match collected::find(row, &document) {
                Found::Here => note_repeat(&document, row.tuple, row.partition),
                Found::Waits => {
                    collected::write();
                    note_repeat(&document, row.tuple, row.partition);
                }
                Found::Missing if is_taken(&document) => {}
                Found::Missing | Found::Beyond => {
                    clock::follow(document.hlc);
                    collected::collect(row, document);
                }
            }
            return false;
        }
        collected::write();
        if is_repeat(row.partition, row.tuple) {
            if may_send {
                note_repeat(&document, row.tuple, row.partition);
            }
            return false;
        }
    }
    if !may_send {
        refuse_forged(&document.as_refused());
        return false;
    }
    if !collected::is_beyond(&document) && is_taken(&document) {
        return false;
    }
    clock::follow(document.hlc);
    project_or_quarantine(&document);
    true
}

fn project_or_quarantine(document: &Document) {
    if let Err(fault) = attempt(|| project(document)) {
        quarantine(document, &fault);
    }
}

/// Keeps a copy of a repeat that is another operation with the same number: its node was restored
/// from a backup.
fn keep_if_other(row: &OpRow) {
    if !row.is_the_one_here() {
        let detail = "its node used that number for another operation before; was it restored from a backup?";
        refuse(&kept(row).as_refused(), &DataFault::new("NUMBER_REUSED", detail));
    }
}

/// How an operation is stored.
enum Received {
    Dropped,
    Whole,
    /// Without its values, since its entity was erased.
    Blank,
    /// Without its values, since it is not believed. Its number stays, so that nobody misses it.
    Void,
    /// As one that writes nothing: this node decides, and does not take it.
    Empty,
}

/// Checks and merges an operation, and says how it is to be stored.
fn receive_operation(row: &OpRow) -> Received {
    let from = sender();
    if !from.may_send_for(row.node_id, this_node()) {
        if from == Sender::Local {
            foreign().raise();
        }
        refuse_forged(&kept(row).as_refused());
        return Received::Dropped;
    }
    if from == Sender::Local {
        return Received::Whole;
    }
    // Its number is missing nowhere: central has refused it too, or never had it.
    if is_banned(from, row.node_id, Some(row.seq)) {
        refuse_banned(&kept(row).as_refused());
        return Received::Dropped;
    }
    if row.came_in_snapshot() || is_far_beyond_gap(from, row.node_id, row.seq) {
        return Received::Dropped;
    }
    clock::follow(row.hlc);
    match verdict(row) {
        Verdict::Believed => {}
        // Whoever passed it on has refused it. Nothing is in it that could be merged.
        _ if is_blank(&row.patch) => return Received::Void,
        not_believed => {
            refuse_unentitled(&kept(row), &not_entitled(), not_believed == Verdict::OfBefore);
            return Received::Void;
        }
    }
    match merge(row) {
        Ok(merged) => {
            if let Err(fault) = merged.written {
                quarantine_op(row, &fault);
            }
            if merged.is_erased { Received::Blank } else { Received::Whole }
        }
        Err(Unmerged::Refused(fault)) => {
            refuse_op(&kept(row), &fault);
            Received::Empty
        }
        Err(Unmerged::Held(fault)) => {
            hold_op(row, &fault);
            Received::Empty
        }
        Err(Unmerged::Later) => {
            note_dropped(row.node_id);
            Received::Dropped
        }
    }
}

/// What a copy of an operation may keep of it.
fn kept(row: &OpRow) -> Cow<'_, OpRow> {
    if is_erased(&row.table_name, &row.key) { Cow::Owned(row.blanked()) } else { Cow::Borrowed(row) }
}

/// The relation and the tuple of a BEFORE INSERT row trigger. `role` says which one the function
/// is.
///
/// # Safety
/// The argument is a function call of PostgreSQL's.
unsafe fn inserted(call: pg_sys::FunctionCallInfo, role: &str) -> (pg_sys::Relation, pg_sys::HeapTuple) {
    // SAFETY: the trigger's data are there, which is checked.
    unsafe {
        let data = trigger_data(call, role);
        let inserts = (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_INSERT;
        let before = (*data).tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK == pg_sys::TRIGGER_EVENT_BEFORE;
        if !inserts || !before || (*data).tg_event & pg_sys::TRIGGER_EVENT_ROW == 0 {
            misused(role);
        }
        ((*data).tg_relation, (*data).tg_trigtuple)
    }
}

/// AFTER INSERT, UPDATE or DELETE, for each row, of the tables that hold what is tracked and by
/// which rules. It is the first of their AFTER triggers, so that the others follow the new rules.
///
/// # Safety
/// PostgreSQL calls it.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn tpv_forget_rules(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above; the relation of a trigger is open.
    unsafe { crate::journal::forget((*trigger_data(call, "a trigger of the tables that hold rules")).tg_relation) };
    pg_sys::Datum::null()
}

/// # Safety
/// The argument is a function call of PostgreSQL's. `role` says which trigger the function is.
pub(super) unsafe fn trigger_data(call: pg_sys::FunctionCallInfo, role: &str) -> *mut pg_sys::TriggerData {
    // SAFETY: a context that is not null is a node, whose tag tells what it is.
    unsafe {
        let context = (*call).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            misused(role);
        }
        context.cast()
    }
}

fn misused(role: &str) -> ! {
    let code = PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED;
    Refusal::new(code, format!("this function is {role}")).raise()
}
