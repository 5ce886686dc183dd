//! What is known about each file's receipt, and what is decided about it.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use tpv_core::day;
use tpv_core::document_id::ReceiptKey;
use tpv_core::hash_chain::ChainName;
use tpv_core::intake::{Decision, New, PreviousReceipt, StoredReceipt, TerminalContext, Undated, decide, name_taken};
use tpv_core::receipt::{Receipt, State};
use uuid::Uuid;

use super::dat_file;
use super::file::File;
use super::hash_chain::HashChain;
use super::terminal::Terminal;
use crate::postgres::sql;
use crate::projection::{lock_receipts, state_of_receipt};

/// Decides about all files, in their order. The terminal's hash chain is locked, so what is known
/// stays so until the transaction ends. The names of their `.dat` files are taken on the way.
pub fn sort(terminal: &Terminal, context: &TerminalContext<'_>, files: &[File<'_>]) -> (HashChain, Vec<Decision>) {
    let chain = HashChain::lock(terminal.node_id, ChainName::of_terminal(&terminal.code));
    let mut known = known_receipts(context, files);
    let stored = tail(&terminal.code);
    let mut decisions = Vec::with_capacity(files.len());
    // The receipt before: the last one among these files, or else the last that is stored.
    let mut last: Option<(usize, day::PreviousTime, Uuid)> = None;
    for (index, file) in files.iter().enumerate() {
        let undone;
        let previous = match (&last, &stored) {
            (Some((before, printed, id)), _) => {
                let receipt = files[*before].verdict.receipt.as_ref();
                Some(PreviousReceipt { printed: printed.clone(), receipt_id: *id, receipt })
            }
            (None, Some(tail)) => {
                undone = tail.receipt_for(terminal.node_id, file);
                let receipt = undone.as_ref();
                Some(PreviousReceipt { printed: tail.printed.clone(), receipt_id: tail.receipt_id, receipt })
            }
            (None, None) => None,
        };
        let key = file.verdict.receipt.as_ref().map(|receipt| context.key(receipt));
        let of_key = key.as_ref().and_then(|key| known.get(key)).map(Vec::as_slice).unwrap_or_default();
        let decision = decide(context, &file.verdict, of_key, previous.as_ref(), file.archived_on);
        if let (Decision::New(new), Some(content_hash)) = (&decision, file.verdict.content_hash) {
            let undated = new.arrived_on.map(|arrived_on| Undated { arrived_on, at: context.arrival });
            let stored = StoredReceipt { receipt_id: new.doc_id, content_hash, undated };
            known.entry(new.key.clone()).or_default().push(stored);
            if new.is_in_order() {
                let printed = day::PreviousTime { number: new.key.number.clone(), instant: new.printed.instant };
                last = Some((index, printed, new.doc_id));
            }
        }
        decisions.push(decision);
    }
    forget_undone(&mut decisions);
    leave_voided(terminal.node_id, &mut decisions);
    take_names(terminal, &mut decisions);
    (chain, decisions)
}

/// A receipt that is undone by another of the same batch is not published.
fn forget_undone(decisions: &mut [Decision]) {
    let undone: Vec<Uuid> = new_of(decisions).filter_map(|new| new.voids).collect();
    for new in new_of_mut(decisions).filter(|new| undone.contains(&new.doc_id)) {
        new.dat = None;
    }
}

/// A receipt that an operator voided meanwhile is not voided a second time.
fn leave_voided(node_id: i32, decisions: &mut [Decision]) {
    let undone: Vec<Uuid> = new_of(decisions).filter_map(|new| new.voids).collect();
    if undone.is_empty() {
        return;
    }
    lock_receipts(node_id, &undone);
    for new in new_of_mut(decisions) {
        new.voids = new.voids.filter(|id| state_of_receipt(node_id, *id).state != State::Voided);
    }
}

/// Two receipts never meet in one file: the one that finds its name taken is held.
fn take_names(terminal: &Terminal, decisions: &mut [Decision]) {
    let wanted: Vec<_> = new_of(decisions).filter_map(|new| Some((new.doc_id, new.dat.as_ref()?))).collect();
    let taken = dat_file::take_names(terminal.node_id, &terminal.code, &terminal.layout, &wanted);
    for new in new_of_mut(decisions).filter(|new| new.dat.is_some() && !taken.contains(&new.doc_id)) {
        new.hold_for(&name_taken());
    }
}

/// The new receipts among the decisions.
pub fn new_of(decisions: &[Decision]) -> impl Iterator<Item = &New> {
    decisions.iter().filter_map(|decision| if let Decision::New(new) = decision { Some(&**new) } else { None })
}

fn new_of_mut(decisions: &mut [Decision]) -> impl Iterator<Item = &mut New> {
    decisions.iter_mut().filter_map(|decision| if let Decision::New(new) = decision { Some(&mut **new) } else { None })
}

/// `offset 0` keeps the planner from turning the look-ups into a join, which could read all
/// receipts of the terminal.
const KNOWN: &str = r"
    select f.printed_date, f.series, f.receipt_number, k.receipt_id, k.content_hash, k.arrived_on, k.business_date
    from unnest($2::date[], $3::text[], $4::text[]) as f (printed_date, series, receipt_number)
    cross join lateral (
      select k.receipt_id, k.content_hash, k.arrived_on, k.business_date from sales.receipt_key k
       where k.terminal = $1 and k.printed_date = f.printed_date and k.series = f.series
         and k.receipt_number = f.receipt_number
      offset 0) k";

/// The receipts that have the numbers of these files already.
fn known_receipts(context: &TerminalContext<'_>, files: &[File<'_>]) -> HashMap<ReceiptKey, Vec<StoredReceipt>> {
    let mut keys: Vec<ReceiptKey> =
        files.iter().filter_map(|file| Some(context.key(file.verdict.receipt.as_ref()?))).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut known: HashMap<ReceiptKey, Vec<StoredReceipt>> = HashMap::new();
    if keys.is_empty() {
        return known;
    }
    let args = [
        context.terminal.into(),
        keys.iter().map(|key| sql::date(key.printed_date)).collect::<Vec<_>>().into(),
        keys.iter().map(|key| key.series.as_str()).collect::<Vec<_>>().into(),
        keys.iter().map(|key| key.number.as_str()).collect::<Vec<_>>().into(),
    ];
    let rows = sql::rows(KNOWN, &args, |row| {
        let key = ReceiptKey {
            node_id: context.node_id,
            terminal: context.terminal.to_owned(),
            printed_date: row.date(1),
            series: row.must(2),
            number: row.must(3),
        };
        let arrived_on = row.get(6).map(sql::day);
        (
            key,
            StoredReceipt { receipt_id: row.uuid(4), content_hash: row.hash(5), undated: None },
            arrived_on,
            row.date(7),
        )
    });
    for (key, mut receipt, arrived_on, business_date) in rows {
        receipt.undated = arrived_on.map(|arrived_on| {
            let at = recorded_at(context.node_id, receipt.receipt_id, business_date);
            Undated { arrived_on, at }
        });
        known.entry(key).or_default().push(receipt);
    }
    known
}

const HLC: &str = "select hlc from wire.doc where node_id = $1 and doc_id = $2 and business_date = $3";

/// When a document was recorded. Only asked for receipts whose date identifies nothing.
fn recorded_at(node_id: i32, doc_id: Uuid, business_date: NaiveDate) -> DateTime<Utc> {
    let args = [node_id.into(), sql::uuid(doc_id).into(), sql::date(business_date).into()];
    let hlc: i64 = sql::row(HLC, &args, |row| row.must(1)).unwrap_or_default();
    crate::wire::recorded_at(hlc)
}

/// The last receipt of the terminal that is stored.
struct Tail {
    receipt_id: Uuid,
    business_date: NaiveDate,
    printed: day::PreviousTime,
}

const TAIL: &str = r"
    select receipt_id, business_date, receipt_number,
      (extract(epoch from printed_at) * 1000000)::bigint
    from sales.terminal_tail where terminal = $1";

fn tail(terminal: &str) -> Option<Tail> {
    sql::row(TAIL, &[terminal.into()], |row| Tail {
        receipt_id: row.uuid(1),
        business_date: row.date(2),
        printed: day::PreviousTime {
            number: row.must(3),
            instant: DateTime::from_timestamp_micros(row.must(4)).unwrap_or_default(),
        },
    })
}

const BODY: &str = "select body from wire.doc where node_id = $1 and doc_id = $2 and business_date = $3";

impl Tail {
    /// The receipt itself, if `file` could be what undoes it.
    fn receipt_for(&self, node_id: i32, file: &File<'_>) -> Option<Receipt> {
        file.verdict.receipt.as_ref().filter(|receipt| receipt.wholly_negative())?;
        let args = [node_id.into(), sql::uuid(self.receipt_id).into(), sql::date(self.business_date).into()];
        let body: String = sql::row(BODY, &args, |row| row.must(1))?;
        Receipt::from_body(&body).ok()
    }
}
