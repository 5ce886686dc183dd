//! `sync.quarantine`: documents that could not be projected, operations that could not be merged,
//! entities whose row could not be written, and rows that were refused. Each with the reason.

use pgrx::datum::DatumWithOid;
use tpv_core::merge::Version;
use tpv_core::row_limits::KEPT_A_DAY;

use super::arrival::Unread;
use super::document::Document;
use super::operation::OpRow;
use super::refused::Refused;
use super::sender::{Sender, sender};
use crate::postgres::{DataFault, JsonbText, sql};

const RECORD: &str = r"
    insert into sync.quarantine as q (node_id, doc_id, business_date, kind, code, detail)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (node_id, doc_id, business_date) do update
    set at = clock_timestamp(), code = excluded.code, detail = excluded.detail, resolved_at = null";

/// Records that a document waits, and why.
pub fn quarantine(document: &Document, fault: &DataFault) {
    let args: [DatumWithOid<'_>; 6] = [
        document.node_id.into(),
        sql::uuid(document.doc_id).into(),
        sql::date(document.business_date).into(),
        document.kind.as_str().into(),
        fault.code.as_str().into(),
        fault.detail.as_str().into(),
    ];
    sql::execute(RECORD, &args);
}

const RECORD_OP: &str = r"
    insert into sync.quarantine as q (node_id, seq, kind, code, detail, key, entire)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (node_id, seq) where seq is not null do update
    set at = clock_timestamp(), code = excluded.code, detail = excluded.detail, resolved_at = null,
        entire = excluded.entire or (q.entire and q.resolved_at is null)";

/// Records that an operation waits, and why.
pub fn quarantine_op(row: &OpRow, fault: &DataFault) {
    record(Version { node_id: row.node_id, seq: row.seq }, &row.table_name, &row.key, fault, false);
}

/// Records that a whole entity waits, under the name of an operation on it. That need not be the
/// operation at fault.
pub fn quarantine_entity(version: Version, table_name: &str, key: &str, fault: &DataFault) {
    record(version, table_name, key, fault, true);
}

fn record(version: Version, table_name: &str, key: &str, fault: &DataFault, entire: bool) {
    let args: [DatumWithOid<'_>; 7] = [
        version.node_id.into(),
        version.seq.into(),
        table_name.into(),
        fault.code.as_str().into(),
        fault.detail.as_str().into(),
        key.into(),
        entire.into(),
    ];
    sql::execute(RECORD_OP, &args);
}

/// One that the same row has refused before stays as it is: a peer may send it again and again.
const REFUSE_OP: &str = r"
    insert into sync.quarantine as q (node_id, seq, kind, code, detail, key, refused, resolved_at)
    values ($1, $2, $3, $4, $5, $6, $7, case when $8 then clock_timestamp() end)
    on conflict (node_id, seq) where seq is not null do nothing";
const ALARM_UNENTITLED: &str = r"
    insert into sec.audit (event, subject, detail)
    values ('NOT_ENTITLED', $1, 'a store wrote what central decides, and it was refused; sync.quarantine keeps it')";

/// Keeps a copy of an operation whose writer does not decide about that row. `is_of_before`: its
/// writer was alone when it wrote it, so that it is on record and alarms nobody.
pub fn refuse_unentitled(row: &OpRow, fault: &DataFault, is_of_before: bool) {
    // Of before there are no more than it had when it joined.
    if !is_of_before && !is_kept() {
        return;
    }
    let detail = match is_of_before {
        true => format!("{} before it joined: the store has set it aside", fault.detail),
        false => fault.detail.clone(),
    };
    let args = [
        row.node_id.into(),
        row.seq.into(),
        row.table_name.as_str().into(),
        fault.code.as_str().into(),
        detail.into(),
        row.key.as_str().into(),
        JsonbText::from(row.as_refused().row).into(),
        is_of_before.into(),
    ];
    if sql::execute(REFUSE_OP, &args) > 0 && !is_of_before {
        sql::execute(ALARM_UNENTITLED, &[format!("node {}, {}", row.node_id, row.table_name).into()]);
    }
}

const IS_KEPT: &str =
    "select from sync.quarantine where node_id = $1 and kind = $2 and code = $3 and resolved_at is null limit 1";

/// Keeps a copy of a row that comes again and again with the same fault: one, until somebody has
/// dealt with it.
pub fn refuse_once(refused: &Refused, fault: &DataFault) {
    refuse_first(refused, fault);
}

/// The same; whether it was kept.
fn refuse_first(refused: &Refused, fault: &DataFault) -> bool {
    let args = [refused.node_id.into(), refused.kind.as_str().into(), fault.code.as_str().into()];
    let is_first = sql::row(IS_KEPT, &args, |_| ()).is_none();
    if is_first {
        refuse(refused, fault);
    }
    is_first
}

/// Keeps a copy of the first part of a snapshot that nobody asked that peer for, until somebody has
/// dealt with it.
pub fn refuse_unasked(refused: &Refused) {
    let detail = "nobody asked that store for a snapshot, or not for this one: sync.accept_snapshot does";
    if refuse_first(refused, &DataFault::new("FORGED_SENDER", detail)) {
        alarm_forged(refused);
    }
}

const THIS_IS_KEPT: &str = r"
    select from sync.quarantine
    where node_id = $1 and kind = $2 and code = $3 and refused ->> $4 = $5 and resolved_at is null limit 1";

/// Keeps a copy of a row that comes again and again, and is known by one of its columns.
pub fn refuse_this_once(column: &str, id: &str, refused: &Refused, fault: &DataFault) {
    let args =
        [refused.node_id.into(), refused.kind.as_str().into(), fault.code.as_str().into(), column.into(), id.into()];
    if sql::row(THIS_IS_KEPT, &args, |_| ()).is_none() {
        refuse(refused, fault);
    }
}

/// Keeps what can be told of a row that is not read.
pub fn refuse_unread(unread: &Unread) {
    refuse(&unread.refused, &unread.fault);
}

const COUNT: &str = r"
    insert into sync.refusal as r (node_id, day, refused) values ($1, current_date, 1)
    on conflict (node_id, day) do update set refused = r.refused + 1, last_at = clock_timestamp()
    returning refused";
const REFUSE: &str = "insert into sync.quarantine (node_id, kind, code, detail, refused) values ($1, $2, $3, $4, $5)";
const ALARM: &str = "insert into sec.audit (event, subject, detail) values ($1, $2, $3)";

/// Keeps a copy of a row that is not stored, with the reason.
pub fn refuse(refused: &Refused, fault: &DataFault) {
    if is_kept() {
        keep(refused, fault);
    }
}

fn keep(refused: &Refused, fault: &DataFault) {
    let row = JsonbText::from(refused.kept());
    let (kind, code, detail) = (refused.kind.as_str(), fault.code.as_str(), fault.detail.as_str());
    sql::execute(REFUSE, &[refused.node_id.into(), kind.into(), code.into(), detail.into(), row.into()]);
}

/// Keeps a copy of a row that its sender may not send, and tells whoever is responsible for
/// security.
pub fn refuse_forged(refused: &Refused) {
    if is_kept() {
        keep(refused, &DataFault::new("FORGED_SENDER", "its sender may not send rows of that node"));
        alarm_forged(refused);
    }
}

fn alarm_forged(refused: &Refused) {
    let detail = "a row that its sender may not send was refused; sync.quarantine keeps it";
    sql::execute(ALARM, &["FORGED_SENDER".into(), format!("node {}", refused.node_id).into(), detail.into()]);
}

/// Counts a row that the peer of this transaction has sent and that is refused. Whether it is kept:
/// beyond [`KEPT_A_DAY`] rows of a peer on a day it is not, and one row tells of all of them.
fn is_kept() -> bool {
    let peer = match sender() {
        Sender::Peer { node_id, .. } => node_id,
        Sender::Local | Sender::Stranger => 0,
    };
    let count: i64 = sql::row(COUNT, &[peer.into()], |row| row.must(1)).unwrap_or(0);
    if count == KEPT_A_DAY + 1 {
        let detail = "more of its rows were refused today than are kept; sync.refusal counts them";
        let many = Refused::outline(Some(peer), None, "refused", Vec::new());
        keep(&many, &DataFault::new("MORE_REFUSED", detail));
        sql::execute(ALARM, &["MORE_REFUSED".into(), format!("node {peer}").into(), detail.into()]);
    }
    count <= KEPT_A_DAY
}
