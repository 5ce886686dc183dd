//! Locks receipts, compares them again, and writes what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

use tpv_core::rebuild::Values;
use uuid::Uuid;

use super::counts::{Counts, Projection};
use super::receipts::{OneReceipt, Receipts, Todo};
use super::slice::Slice;
use super::text;
use crate::postgres::bulk::{self, Value};
use crate::postgres::{attempt, sql, within};
use crate::projection::receipt::{self, LINE, RECEIPT};
use crate::projection::{early_event, event, touched};
use crate::wire::{Document, quarantine};

/// How long to wait for a lock. It is asked for where rows are added, which can wait for others
/// that add the same; rows that are locked are passed over at once.
const PATIENCE: Duration = Duration::from_millis(100);

/// A unique key: another transaction was quicker.
const UNIQUE_VIOLATION: &str = "23505";

type About = BTreeMap<Uuid, Vec<Document>>;

/// Mends receipts at once. Answers what was done, and which were busy; none if that was not
/// possible together.
pub fn together(slice: Slice, ids: &[Uuid], about: &About) -> Option<(Counts, Vec<Uuid>)> {
    within(PATIENCE, || attempt(|| Ok(mend(slice, ids, about, &BTreeSet::new()))))?.ok()
}

/// Mends one receipt. A document that a table refuses goes to quarantine, and to `refused`. None
/// when the receipt is busy.
pub fn alone(slice: Slice, id: Uuid, about: &About, refused: &mut BTreeSet<Uuid>) -> Option<Counts> {
    let mut refusals = Counts::default();
    loop {
        let mended = within(PATIENCE, || attempt(|| Ok(mend(slice, &[id], about, refused))))?;
        let fault = match mended {
            Ok((_, busy)) if !busy.is_empty() => return None,
            Ok((mut done, _)) => {
                done.merge(&refusals);
                return Some(done);
            }
            Err(fault) if fault.code == UNIQUE_VIOLATION => return None,
            Err(fault) => fault,
        };
        let receipts = Receipts::read(slice, &[id], about, refused);
        let one = receipts.all.get(&id)?;
        // Its own document first, which has most that a table could refuse; then those about it.
        let own = one.document.iter().filter(|_| !one.explained.header.is_empty());
        let at_fault = own.chain(&one.events).find(|document| !refused.contains(&document.doc_id))?;
        refused.insert(at_fault.doc_id);
        within(PATIENCE, || {
            if !super::day::waits_with(at_fault, &fault) {
                quarantine(at_fault, &fault);
                refusals.of(Projection::Quarantine).missing += 1;
            }
        })?;
    }
}

/// Locks the receipts, reads all about them again, and writes what differs.
fn mend(slice: Slice, ids: &[Uuid], about: &About, refused: &BTreeSet<Uuid>) -> (Counts, Vec<Uuid>) {
    let locked = Locked::take(slice, ids, about);
    let mut receipts = Receipts::read(slice, &locked.ids, about, refused);
    for (id, one) in &mut receipts.all {
        // What was put there to hold the key is no row.
        if locked.absent.contains(id) && !locked.were_early.contains(id) {
            one.there.early.clear();
        }
        if locked.placed.contains(id) {
            one.there.header.clear();
        }
    }
    sql::execute(REMOVE_PLACED, &args(slice, locked.placed.iter().copied()));
    let todo: BTreeMap<Uuid, Todo> = receipts.all.iter().map(|(id, one)| (*id, one.todo())).collect();
    let mut counts = Counts::default();
    todo.values().for_each(|todo| counts.merge(&todo.count()));
    write(slice, &receipts, &todo);
    forget_early(slice, &receipts, &locked);
    (counts, locked.busy)
}

/// Receipts that nobody else writes until the transaction ends.
#[derive(Debug, Default)]
struct Locked {
    ids: Vec<Uuid>,
    /// Those without a row. Their key of `sales.early_event` is held, which makes a row there.
    absent: BTreeSet<Uuid>,
    /// Those of them that had such a row before.
    were_early: BTreeSet<Uuid>,
    /// Those of them that have no document either. Their key of `sales.receipt` is held by a row.
    placed: BTreeSet<Uuid>,
    /// Those that others write now.
    busy: Vec<Uuid>,
}

/// Documents that wait, as whoever tries them again locks them.
const LOCK_WAITING: &str = r"
    select from sync.quarantine where node_id = $1 and doc_id = any ($2) and resolved_at is null
    order by quarantine_id for update";
const LOCK: &str = r"
    select receipt_id from sales.receipt where node_id = $1 and receipt_id = any ($2)
    order by receipt_id for no key update skip locked";
const THERE: &str = "select receipt_id from sales.receipt where node_id = $1 and receipt_id = any ($2)";
const HAS_DOCUMENT: &str = "select doc_id from wire.doc where node_id = $1 and doc_id = any ($2) and kind = 'receipt'";

/// A row that holds the key of a receipt that is not here: one that arrives meanwhile waits, and
/// then sees what was noted about it.
const PLACE: &str = r"
    insert into sales.receipt (node_id, receipt_id, business_date, terminal, department, series, receipt_number,
      printed_text, printed_local, printed_at, recorded_at, line_count, total, lines_total, total_difference,
      state, first_outcome, flags)
    select $1, r.receipt_id, '-infinity', '', '', '', '', '', '-infinity', '-infinity', '-infinity', 0, 0, 0, 0,
      'accepted', 'accepted', '{}'
    from unnest($2::uuid[]) as r (receipt_id) order by 2
    on conflict do nothing returning receipt_id";
const REMOVE_PLACED: &str = "delete from sales.receipt where node_id = $1 and receipt_id = any ($2)";

impl Locked {
    fn take(slice: Slice, ids: &[Uuid], about: &About) -> Self {
        let of = |statement: &'static str, ids: &BTreeSet<Uuid>| -> BTreeSet<Uuid> {
            sql::rows(statement, &args(slice, ids.iter().copied()), |row| row.uuid(1)).into_iter().collect()
        };
        let documents = ids.iter().filter_map(|id| about.get(id)).flatten().map(|document| document.doc_id);
        sql::execute(LOCK_WAITING, &args(slice, ids.iter().copied().chain(documents)));
        let all: BTreeSet<Uuid> = ids.iter().copied().collect();
        let locked = of(LOCK, &all);
        // Read after the locks: who is in neither list was there, and another has it.
        let there = of(THERE, &all);
        let mut absent: BTreeSet<Uuid> = all.difference(&there).copied().collect();
        let listed_now = early_event::hold(slice.node_id, &absent);
        let has_document = of(HAS_DOCUMENT, &absent);
        let unknown: BTreeSet<Uuid> = absent.difference(&has_document).copied().collect();
        let placed = if unknown.is_empty() { BTreeSet::new() } else { of(PLACE, &unknown) };
        let held = absent.clone();
        absent.retain(|id| placed.contains(id) || has_document.contains(id));
        // A receipt that arrived meanwhile is another's, and nothing about it was early.
        let strays: Vec<Uuid> = listed_now.difference(&absent).copied().collect();
        if !strays.is_empty() {
            sql::execute(NOT_EARLY, &args(slice, strays.into_iter()));
        }
        let were_early = held.difference(&listed_now).copied().collect();
        let is_mine = |id: &&Uuid| locked.contains(*id) || absent.contains(*id);
        Self {
            ids: all.iter().filter(is_mine).copied().collect(),
            busy: all.iter().filter(|id| !is_mine(id)).copied().collect(),
            absent,
            were_early,
            placed,
        }
    }
}

const REMOVE_EVENTS: &str = r"
    delete from sales.receipt_event e using unnest($2::uuid[], $3::integer[], $4::uuid[]) as r (receipt_id, doc_node, doc_id)
    where e.node_id = $1 and (e.receipt_id, e.doc_node, e.doc_id) = (r.receipt_id, r.doc_node, r.doc_id)";
const REMOVE_LINES: &str = r"
    delete from sales.receipt_line l using unnest($2::uuid[], $3::integer[]) as r (receipt_id, line_number)
    where l.node_id = $1 and (l.receipt_id, l.line_number) = (r.receipt_id, r.line_number)";

fn write(slice: Slice, receipts: &Receipts, todo: &BTreeMap<Uuid, Todo>) {
    let each = || todo.iter().filter_map(|(id, todo)| Some((*id, todo, receipts.all.get(id)?)));
    let gone_events: Vec<_> = each()
        .flat_map(|(id, todo, _)| {
            todo.events.unexplained.iter().chain(&todo.events.wrong).map(move |(node, doc)| (id, *node, *doc))
        })
        .collect();
    if !gone_events.is_empty() {
        let ids =
            |of: fn(&(Uuid, i32, Uuid)) -> Uuid| gone_events.iter().map(|it| sql::uuid(of(it))).collect::<Vec<_>>();
        let nodes: Vec<i32> = gone_events.iter().map(|(_, node, _)| *node).collect();
        let (receipt_ids, doc_ids) = (ids(|(receipt, ..)| *receipt), ids(|(.., doc)| *doc));
        sql::execute(REMOVE_EVENTS, &[slice.node_id.into(), receipt_ids.into(), nodes.into(), doc_ids.into()]);
    }
    let gone_lines: Vec<_> = each()
        .flat_map(|(id, todo, _)| todo.lines.unexplained.iter().chain(&todo.lines.wrong).map(move |line| (id, *line)))
        .collect();
    if !gone_lines.is_empty() {
        let ids: Vec<_> = gone_lines.iter().map(|(id, _)| sql::uuid(*id)).collect();
        let lines: Vec<i32> = gone_lines.iter().map(|(_, line)| *line).collect();
        sql::execute(REMOVE_LINES, &[slice.node_id.into(), ids.into(), lines.into()]);
    }
    for (id, todo, one) in each() {
        for key in todo.events.missing.iter().chain(&todo.events.wrong) {
            one.event(*key).into_iter().for_each(|document| event::record(document, id));
        }
        if !todo.header.wrong.is_empty() {
            one.explained.header.values().for_each(put_right);
        }
    }
    let gone = each().filter(|(_, todo, _)| !todo.header.unexplained.is_empty()).map(|(id, ..)| id);
    sql::execute(REMOVE_PLACED, &args(slice, gone));
    insert(each().map(|(_, todo, one)| (todo, one)));
    touch(slice, each());
}

/// Has the days summed up again that these receipts are of, and those that their rows said before.
fn touch<'r>(slice: Slice, each: impl Iterator<Item = (Uuid, &'r Todo, &'r OneReceipt)>) {
    let changed: Vec<_> = each.filter(|(_, todo, _)| !todo.header.is_empty() || !todo.lines.is_empty()).collect();
    touched::receipts(changed.iter().map(|(id, ..)| (slice.node_id, *id)));
    let place = |name: &str| RECEIPT.columns.iter().position(|(column, _)| *column == name).unwrap_or_default();
    let (date_at, department_at) = (place("business_date"), place("department"));
    for (id, todo, one) in changed {
        let was = one.there.header.get(&()).filter(|_| !todo.header.is_empty());
        let text = |at: usize| was.and_then(|values| values.get(at)?.clone());
        // A date that no document could have has no sums.
        if let Some((Ok(date), department)) = text(date_at).map(|date| date.parse()).zip(text(department_at)) {
            touched::receipt_was_of(slice.node_id, id, date, &department);
        }
    }
}

/// Adds the headers and lines that are missing, and the lines that were wrong.
fn insert<'r>(each: impl Iterator<Item = (&'r Todo, &'r OneReceipt)>) {
    let with_document = each.filter_map(|(todo, one)| {
        let wanted = !todo.header.missing.is_empty() || !todo.lines.missing.is_empty() || !todo.lines.wrong.is_empty();
        let document = one.document.as_ref().filter(|_| wanted)?;
        Some((todo, receipt::read(document).ok()?))
    });
    let sound: Vec<_> = with_document.collect();
    let missing = || sound.iter().filter(|(todo, _)| !todo.header.missing.is_empty()).map(|(_, sound)| sound);
    let headers: Vec<_> = missing().map(receipt::Sound::header).collect();
    let lines: Vec<[Value<'_>; LINE.columns.len()]> = sound
        .iter()
        .flat_map(|(todo, sound)| {
            let is_wanted = |number: &i32| todo.lines.missing.contains(number) || todo.lines.wrong.contains(number);
            sound.lines().filter(move |(number, _)| is_wanted(number)).map(|(_, row)| row)
        })
        .collect();
    bulk::insert(&RECEIPT, &headers);
    bulk::insert(&LINE, &lines);
    // All of them are listed as early, since their keys are held: their state is written now.
    early_event::arrived(missing().map(receipt::Sound::document));
}

/// Writes all columns of a header that is there.
fn put_right(values: &Values) {
    static PUT_RIGHT: LazyLock<String> = LazyLock::new(|| {
        let columns = RECEIPT.columns.iter().zip(1..);
        let assignments: Vec<String> =
            columns.map(|((name, kind), place)| format!("{name} = {}", text::from_text(place, *kind))).collect();
        // The key is the first two columns.
        format!(
            "update sales.receipt set {} where node_id = $1::integer and receipt_id = $2::uuid",
            assignments.join(", ")
        )
    });
    let args: Vec<sql::Arg<'_>> = values.iter().map(|value| value.clone().into()).collect();
    sql::execute(&PUT_RIGHT, &args);
}

const NOT_EARLY: &str = "delete from sales.early_event where node_id = $1 and receipt_id = any ($2)";

/// Takes off the list of early events what does not belong there.
fn forget_early(slice: Slice, receipts: &Receipts, locked: &Locked) {
    let is_early = |one: &OneReceipt| !one.explained.early.is_empty();
    let is_listed = |id: &Uuid, one: &OneReceipt| locked.absent.contains(id) || !one.there.early.is_empty();
    let gone = receipts.all.iter().filter(|(id, one)| is_listed(id, one) && !is_early(one)).map(|(id, _)| *id);
    let gone: Vec<Uuid> = gone.collect();
    if !gone.is_empty() {
        sql::execute(NOT_EARLY, &args(slice, gone.into_iter()));
    }
}

fn args(slice: Slice, ids: impl Iterator<Item = Uuid>) -> [sql::Arg<'static>; 2] {
    [slice.node_id.into(), ids.map(sql::uuid).collect::<Vec<_>>().into()]
}
