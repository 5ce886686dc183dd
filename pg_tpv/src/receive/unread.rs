//! Rows of peers that are not read: they are too large, or cannot be.

use std::ptr::null_mut;

use pgrx::pg_sys;
use tpv_core::json::Value;

use super::room::is_far_beyond_gap;
use crate::journal::is_banned;
use crate::node::this_node;
use crate::postgres::primary_key::is_repeat;
use crate::wire::{
    OpRow, Sender, Unread, refuse_banned, refuse_banned_once, refuse_forged, refuse_once, refuse_this_once,
    refuse_unread,
};

/// Keeps of a row what can be told of it, once: a document is asked for again and again, since it
/// is missing in its hash chain. Of what has no identity one of a kind is kept until somebody has
/// dealt with it.
pub(super) fn refuse_row(from: Sender, unread: &Unread) {
    let Unread { refused, fault } = unread;
    if !from.may_send_for(refused.node_id, this_node()) {
        return refuse_forged(refused);
    }
    if is_banned(from, refused.node_id, None) {
        return refuse_banned_once(refused);
    }
    match refused.row.get("doc_id").and_then(Value::as_str) {
        Some(id) => refuse_this_once("doc_id", id, refused, fault),
        None => refuse_once(refused, fault),
    }
}

/// Keeps of an operation what can be told of it. In its place stands one that writes nothing, so
/// that its number is not missing for ever, neither here nor at those who get it from here.
///
/// # Safety
/// The tuple is one of that relation, `wire.op` or a partition of it, for which PostgreSQL called
/// the trigger.
pub(super) unsafe fn take_place_of(
    from: Sender,
    unread: &Unread,
    tuple: pg_sys::HeapTuple,
    relation: pg_sys::Relation,
) -> pg_sys::HeapTuple {
    // SAFETY: as promised.
    let place = unsafe { OpRow::place(tuple, relation) };
    let Some((node_id, seq, _)) = place else {
        refuse_row(from, unread);
        return null_mut();
    };
    if !from.may_send_for(node_id, this_node()) {
        refuse_forged(&unread.refused);
        return null_mut();
    }
    // SAFETY: as promised; the columns of the key are not null.
    unsafe {
        if is_repeat(relation, tuple) || OpRow::is_in_snapshot(node_id, seq) || is_far_beyond_gap(from, node_id, seq) {
            return null_mut();
        }
        if is_banned(from, node_id, Some(seq)) {
            refuse_banned(&unread.refused);
            return null_mut();
        }
        refuse_unread(unread);
        OpRow::placeholder(tuple, relation)
    }
}
