//! `sync.quarantine`: documents that could not be projected, operations that could not be merged,
//! entities whose row could not be written, and rows that were refused. Each with the reason.

use std::cell::Cell;

use pgrx::datum::DatumWithOid;
use tpv_core::merge::Version;
use tpv_core::row_limits::{KEPT_A_DAY, UNREAD, WAITING};

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

const WAITS: &str = r"
    select count(*) from (
      select from sync.quarantine where node_id = $1 and resolved_at is null and refused is null limit $2) waits";
const UNREAD_HERE: &str = r"
    select count(*) from (
      select from sync.quarantine where node_id = $1 and resolved_at is null and refused is null and code like 'OPERATION%'
       limit $2) waits";

/// Whether as many rows of a node wait as may ([`WAITING`]).
pub fn has_waiting(node_id: i32) -> bool {
    sql::row(WAITS, &[node_id.into(), WAITING.into()], |row| row.must::<i64>(1)) == Some(WAITING)
}

/// Whether as many operations of a node that cannot be read wait as may ([`UNREAD`]).
pub fn has_unread(node_id: i32) -> bool {
    sql::row(UNREAD_HERE, &[node_id.into(), UNREAD.into()], |row| row.must::<i64>(1)) == Some(UNREAD)
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
    // How many are of before is what the store says, until both were compared.
    let keeps = if is_of_before { is_kept_of_before(row.node_id) } else { is_kept() };
    if !keeps {
        return;
    }
    let detail = match is_of_before {
        true => format!("{} before it joined: the store has set it aside", fault.detail),
        false => fault.detail.clone(),
    };
    let kept = keep_op(row, &DataFault { code: fault.code.clone(), detail }, is_of_before);
    if kept && !is_of_before {
        sql::execute(ALARM_UNENTITLED, &[format!("node {}, {}", row.node_id, row.table_name).into()]);
    }
}

/// Keeps a copy of an operation that is not merged, and in whose place one stands that writes
/// nothing.
pub fn refuse_op(row: &OpRow, fault: &DataFault) {
    if is_kept() {
        keep_op(row, fault, false);
    }
}

/// The same, whatever was refused today: a person releases it, or does not.
pub fn hold_op(row: &OpRow, fault: &DataFault) {
    keep_op(row, fault, false);
}

fn keep_op(row: &OpRow, fault: &DataFault, is_done: bool) -> bool {
    let args = [
        row.node_id.into(),
        row.seq.into(),
        row.table_name.as_str().into(),
        fault.code.as_str().into(),
        fault.detail.as_str().into(),
        row.key.as_str().into(),
        JsonbText::from(row.as_refused().kept()).into(),
        is_done.into(),
    ];
    sql::execute(REFUSE_OP, &args) > 0
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

const OF_BEFORE: &str = "select of_before from sync.refusal where node_id = $1 and day = current_date";
const COUNT_OF_BEFORE: &str = r"
    insert into sync.refusal as r (node_id, day, refused, of_before) values ($1, current_date, 0, 1)
    on conflict (node_id, day) do update set of_before = r.of_before + 1, last_at = clock_timestamp()";

/// Counts what a store wrote of central's while it was alone. Whether it is kept: beyond
/// [`KEPT_A_DAY`] it is not, and nobody is alarmed, since the store has it in `sync.set_aside`.
fn is_kept_of_before(store: i32) -> bool {
    let today = sql::row(OF_BEFORE, &[store.into()], |row| row.must::<i64>(1)).unwrap_or(0);
    if today < KEPT_A_DAY {
        sql::execute(COUNT_OF_BEFORE, &[store.into()]);
    }
    today < KEPT_A_DAY
}

const DROPPED: &str = r"
    insert into sync.refusal as r (node_id, day, refused, dropped) values ($1, current_date, 0, $2)
    on conflict (node_id, day) do update set dropped = r.dropped + excluded.dropped, last_at = clock_timestamp()";

/// Counts an operation of a store that is not taken now. From the second on they are counted by the
/// thousand: a row that is written a million times in one transaction is found ever more slowly.
pub fn note_dropped(node_id: i32) {
    thread_local! { static SO_FAR: Cell<i64> = const { Cell::new(0) } }
    let count = SO_FAR.get() + 1;
    SO_FAR.set(count);
    if count == 1 || count % 1000 == 0 {
        let more: i64 = if count == 1 { 1 } else { 1000 };
        sql::execute(DROPPED, &[node_id.into(), more.into()]);
    }
}

/// Keeps a copy of a row of a node that is banned, and tells whoever is responsible for security.
pub fn refuse_banned(refused: &Refused) {
    if is_kept() {
        keep(refused, &banned());
        alarm_banned(refused);
    }
}

/// The same of a row without an identity, which comes again and again: of one kind one is kept.
pub fn refuse_banned_once(refused: &Refused) {
    if refuse_first(refused, &banned()) {
        alarm_banned(refused);
    }
}

fn banned() -> DataFault {
    DataFault::new("BANNED", "its node is banned: org.ban says since when and why")
}

fn alarm_banned(refused: &Refused) {
    let detail = "a row of a node that is banned was refused; sync.quarantine keeps it";
    sql::execute(ALARM, &["BANNED".into(), format!("node {}", refused.node_id).into(), detail.into()]);
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
