//! Whether the day is closed, and which of its documents wait in quarantine.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tpv_core::rebuild::{Rows, differences};
use uuid::Uuid;

use super::counts::{Counts, Projection};
use super::slice::{Compared, Documents, Slice};
use super::text;
use crate::postgres::{DataFault, sql, within};
use crate::projection::{day_close, touched};
use crate::wire::{self, Document};

/// As for receipts.
const PATIENCE: Duration = Duration::from_millis(100);

const CLOSED: &str = r"
    select to_char(closed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
    from sales.day_close where node_id = $1 and business_date = $2";
const LOCK: &str = "select from sales.day_close where node_id = $1 and business_date = $2 for update";
const REMOVE: &str = "delete from sales.day_close where node_id = $1 and business_date = $2";
const PUT_RIGHT: &str = r"
    update sales.day_close set closed_at = $3::timestamp at time zone 'UTC' where node_id = $1 and business_date = $2";

/// Compares the row that says that the day is closed.
pub fn close(slice: Slice, closings: &[Document], dry_run: bool, counts: &mut Counts) {
    counts.of(Projection::DayClose).looked_at += explained(closings).len();
    let todo = differences(&explained(closings), &there(slice));
    if dry_run || todo.is_empty() {
        return counts.add(Projection::DayClose, &todo);
    }
    let mended = within(PATIENCE, || {
        sql::execute(LOCK, &slice.key());
        let closings = slice.closings();
        let explained = explained(&closings);
        let todo = differences(&explained, &there(slice));
        if !todo.missing.is_empty() {
            closings.iter().for_each(day_close::write);
        }
        for at in todo.wrong.iter().filter_map(|()| explained.get(&())?.first()?.clone()) {
            let [node, date] = slice.key();
            sql::execute(PUT_RIGHT, &[node, date, at.into()]);
        }
        if !todo.unexplained.is_empty() {
            sql::execute(REMOVE, &slice.key());
            touched::day(slice.node_id, sql::day(slice.date));
        }
        todo
    });
    match mended {
        Some(todo) => counts.add(Projection::DayClose, &todo),
        None => counts.of(Projection::DayClose).busy += 1,
    }
}

/// The earliest of the closings.
fn explained(closings: &[Document]) -> Rows<()> {
    let first = closings.iter().map(Document::recorded_at).min();
    first.into_iter().map(|at| ((), vec![Some(text::timestamp(at.naive_utc()))])).collect()
}

fn there(slice: Slice) -> Rows<()> {
    sql::rows(CLOSED, &slice.key(), |row| vec![row.get(1)]).into_iter().map(|values| ((), values)).collect()
}

const LISTED: &str = r"
    select doc_id, code, detail, resolved_at is not null from sync.quarantine
    where node_id = $1 and business_date = $2 and doc_id is not null";
/// A row that another session keeps locked is passed over.
const RESOLVE: &str = r"
    update sync.quarantine q set resolved_at = clock_timestamp()
    from (select quarantine_id from sync.quarantine
          where node_id = $1 and business_date = $2 and doc_id = any ($3) and resolved_at is null
          for update skip locked) mine
    where q.quarantine_id = mine.quarantine_id returning q.doc_id";

/// What quarantine says about a document.
struct Listed {
    code: String,
    detail: String,
    is_resolved: bool,
}

impl Listed {
    /// Whether the document waits for that reason, or somebody has dismissed it for that reason
    /// (`sync.dismiss`), which stands.
    fn says(&self, fault: &DataFault) -> bool {
        if !self.is_resolved {
            return is_same(fault, &self.code, &self.detail);
        }
        let rest = self.detail.strip_prefix(fault.detail.as_str());
        fault.code == self.code && rest.is_some_and(|rest| rest.starts_with(" (dismissed by "))
    }
}

/// Notes which documents of the slice wait, and why; and that the others do not.
pub fn quarantine(slice: Slice, documents: &Documents, compared: &Compared, dry_run: bool, counts: &mut Counts) {
    let count = counts.of(Projection::Quarantine);
    let listed: BTreeMap<Uuid, Listed> = sql::rows(LISTED, &slice.key(), |row| {
        (row.uuid(1), Listed { code: row.must(2), detail: row.must(3), is_resolved: row.must(4) })
    })
    .into_iter()
    .collect();
    let waits = |doc_id: &Uuid| listed.get(doc_id).is_some_and(|it| !it.is_resolved);
    for (document, fault) in &documents.faults {
        if listed.get(&document.doc_id).is_some_and(|it| it.says(fault)) {
            continue;
        }
        if !dry_run && within(PATIENCE, || wire::quarantine(document, fault)).is_none() {
            count.busy += 1;
        } else if waits(&document.doc_id) {
            count.wrong += 1;
        } else {
            count.missing += 1;
        }
    }
    let about = documents.about.iter();
    let about = about.flat_map(|(id, about)| about.iter().map(move |document| (document.doc_id, *id)));
    let closings = documents.closings.iter().map(|document| (document.doc_id, document.doc_id));
    let projected = documents.receipts.iter().map(|id| (*id, *id)).chain(about).chain(closings);
    let is_faulty = |id: &Uuid| documents.faults.iter().any(|(document, _)| document.doc_id == *id);
    let done: Vec<Uuid> = projected
        .filter(|(doc_id, receipt)| {
            waits(doc_id)
                && !compared.busy.contains(receipt)
                && !compared.refused.contains(doc_id)
                && !compared.of_another_day.contains(doc_id)
                && !is_faulty(doc_id)
        })
        .map(|(doc_id, _)| doc_id)
        .collect();
    if dry_run || done.is_empty() {
        count.unexplained += done.len();
        return;
    }
    let [node, date] = slice.key();
    let ids: Vec<_> = done.iter().copied().map(sql::uuid).collect();
    let resolved = sql::rows(RESOLVE, &[node, date, ids.into()], |row| row.uuid(1)).len();
    count.unexplained += resolved;
    count.busy += done.len() - resolved;
}

const REFUSED: &str = r"
    select doc_id from sync.quarantine
    where node_id = $1 and doc_id is not null and (resolved_at is null or detail like '% (dismissed by %')
      and code ~ '^2[23][0-9A-Z]{3}$'";

/// The documents of the node that wait, or were dismissed, because a table has refused them. A
/// slice may speak of receipts of other days.
pub fn refused(slice: Slice) -> BTreeSet<Uuid> {
    sql::rows(REFUSED, &[slice.node_id.into()], |row| row.uuid(1)).into_iter().collect()
}

const WAITS: &str = r"
    select code, detail, resolved_at is not null from sync.quarantine
    where node_id = $1 and doc_id = $2 and business_date = $3";

/// Whether the document waits already for that reason, or was dismissed for it.
pub fn waits_with(document: &Document, fault: &DataFault) -> bool {
    let (node_id, doc_id, date) = document.key();
    let args = [node_id.into(), sql::uuid(doc_id).into(), sql::date(date).into()];
    let says =
        |row: &sql::Row<'_>| Listed { code: row.must(1), detail: row.must(2), is_resolved: row.must(3) }.says(fault);
    sql::row(WAITS, &args, says) == Some(true)
}

/// A fault as it stands in quarantine.
fn is_same(fault: &DataFault, code: &str, detail: &str) -> bool {
    (fault.code.as_str(), fault.detail.as_str()) == (code, detail)
}
