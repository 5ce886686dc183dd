//! The columns of a receipt that follow from the documents about it.

use chrono::{DateTime, Utc};
use tpv_core::receipt::{Hold, ReceiptState, fold};
use uuid::Uuid;

use crate::node::store;
use crate::postgres::sql;

/// What [`fold`] uses of them: of kinds whether there is one, and the least body of an intake, by
/// octets. A store may have sent very many documents about one receipt.
const EVENTS: &str = r#"
    select kind, coalesce(min(body collate "C") filter (where kind = 'intake'), '')
    from sales.receipt_event where node_id = $1 and receipt_id = $2 group by kind"#;

const WRITE: &str = r"
    update sales.receipt
    set state = $3, first_outcome = $4, hold_code = $5, hold_pointer = $6, hold_detail = $7, flags = $8,
        printed_at = coalesce($9::timestamptz, printed_at), printed_local = coalesce($10::timestamp, printed_local)
    where node_id = $1 and receipt_id = $2";

/// The state of a receipt, by all documents about it that are here.
pub fn state_of_receipt(node_id: i32, receipt_id: Uuid) -> ReceiptState {
    let events: Vec<(String, String)> =
        sql::rows(EVENTS, &[node_id.into(), sql::uuid(receipt_id).into()], |row| (row.must(1), row.must(2)));
    let events = events.iter().map(|(kind, body)| (kind.as_str(), body.as_str()));
    fold(events)
}

const LOCK: &str = r"
    select from sales.receipt where node_id = $1 and receipt_id = any ($2)
    order by receipt_id for no key update";

/// Locks these receipts until the transaction ends: nobody else decides about them meanwhile.
pub fn lock_receipts(node_id: i32, receipt_ids: &[Uuid]) {
    let ids: Vec<_> = receipt_ids.iter().map(|id| sql::uuid(*id)).collect();
    sql::execute(LOCK, &[node_id.into(), ids.into()]);
}

const LOCK_ONE: &str = "select from sales.receipt where node_id = $1 and receipt_id = $2 for no key update";

/// Writes the state into the receipt's row; false when that is not there.
pub fn write(node_id: i32, receipt_id: Uuid) -> bool {
    // Locked before the events are read: a rebuild may be adding some.
    if sql::execute(LOCK_ONE, &[node_id.into(), sql::uuid(receipt_id).into()]) == 0 {
        return false;
    }
    let ReceiptState { state, hold, flags, printed_at, .. } = state_of_receipt(node_id, receipt_id);
    let outcome = if hold.is_some() { "held" } else { "accepted" };
    let part = |part: fn(&Hold) -> &String| hold.as_ref().map(|hold| part(hold).clone());
    let zone = store::day_of(node_id).ok().map(|store| store.zone);
    let local = printed_at.zip(zone).map(|(at, zone)| at.with_timezone(&zone).naive_local().to_string());
    let printed_at: Option<String> = printed_at.map(|at: DateTime<Utc>| sql::instant(at));
    let rows = sql::execute(
        WRITE,
        &[
            node_id.into(),
            sql::uuid(receipt_id).into(),
            state.word().into(),
            outcome.into(),
            part(|hold| &hold.code).into(),
            part(|hold| &hold.pointer).into(),
            part(|hold| &hold.detail).into(),
            flags.into(),
            printed_at.into(),
            local.into(),
        ],
    );
    rows > 0
}
