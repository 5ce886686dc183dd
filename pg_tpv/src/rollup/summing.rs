//! Reads the receipts of a bucket, sums them up, and writes what differs.

use std::collections::{BTreeSet, HashMap};

use tpv_core::receipt::State;
use tpv_core::rollup::{Counts, Line, Receipt, sum, why};
use uuid::Uuid;

use super::bucket::Bucket;
use super::catalog::Catalog;
use super::tables;
use crate::postgres::sql;

/// In the order of ids, which is that of print.
const RECEIPTS: &str = r"
    select r.receipt_id, r.state, extract(hour from r.printed_local)::smallint, r.terminal, 'LATE' = any (r.flags),
           (r.total * 100)::bigint,
           least(greatest(floor(extract(epoch from r.recorded_at - r.printed_at)), 0), 1000000000)::bigint
      from sales.receipt r
     where r.node_id = $1 and r.business_date = $2 and r.department = $3
     order by r.receipt_id";

const LINES: &str = r"
    select l.receipt_id, l.barcode, l.description, (l.tax_rate * 100)::integer, (l.quantity * 1000)::bigint,
           (l.total * 100)::bigint
      from sales.receipt_line l
     where l.node_id = $1 and l.receipt_id = any ($2)
     order by l.receipt_id, l.line_number";

/// Sums up a bucket.
pub fn sum_up(bucket: &Bucket, catalog: &mut Catalog) {
    let receipts = read(bucket);
    let lines = || receipts.iter().flat_map(|receipt| &receipt.lines);
    let codes: BTreeSet<&str> = lines().map(|line| line.code.as_str()).collect();
    let unsaid = lines().filter(|line| line.rate.is_none()).map(|line| line.code.as_str()).collect();
    let items = catalog.items(bucket, &codes, &unsaid);
    let sums = sum(&receipts, |code| items.get(code));
    let before = Before::read(bucket);
    let is_changed = tables::write(bucket, &sums);
    let is_closed = tables::is_closed(bucket);
    let after = sums.counts();
    let gross: i128 = sums.terminals.values().map(|terminal| terminal.amounts.gross).sum();
    let tickets: i64 = sums.hours.values().map(|hour| hour.tickets).sum();
    // What nobody has seen yet is not restated.
    if is_changed && before.was_shown_closed {
        tables::restate(bucket, (before.tickets, &before.gross), (tickets, gross), &why(before.counts, after));
    }
    tables::note_bucket(bucket, after.receipts, &sums, is_closed);
}

fn read(bucket: &Bucket) -> Vec<Receipt> {
    let header = |row: &sql::Row<'_>| {
        let receipt = Receipt {
            state: state(&row.must::<String>(2)),
            hour: row.must(3),
            terminal: row.must(4),
            is_late: row.must(5),
            total: row.must(6),
            waited: row.must(7),
            lines: Vec::new(),
        };
        (row.uuid(1), receipt)
    };
    let (ids, mut receipts): (Vec<Uuid>, Vec<Receipt>) =
        sql::rows(RECEIPTS, &bucket.args(), header).into_iter().unzip();
    let places: HashMap<Uuid, usize> = ids.iter().copied().zip(0..).collect();
    let line = |row: &sql::Row<'_>| {
        let line = Line {
            code: row.must(2),
            description: row.must(3),
            rate: row.get(4),
            quantity: row.get(5),
            total: row.must(6),
        };
        (row.uuid(1), line)
    };
    let ids: Vec<_> = ids.into_iter().map(sql::uuid).collect();
    for (id, line) in sql::rows(LINES, &[bucket.node_id.into(), ids.into()], line) {
        if let Some(receipt) = places.get(&id).and_then(|place| receipts.get_mut(*place)) {
            receipt.lines.push(line);
        }
    }
    receipts
}

fn state(word: &str) -> State {
    match word {
        "accepted" => State::Accepted,
        "released" => State::Released,
        "voided" => State::Voided,
        _ => State::Held,
    }
}

/// What the roll-ups say of the bucket so far.
struct Before {
    counts: Counts,
    tickets: i64,
    gross: String,
    /// Whether the day was closed when its sums were last written: these are what people have seen of it.
    was_shown_closed: bool,
}

impl Before {
    fn read(bucket: &Bucket) -> Self {
        // A department that has nothing yet on a closed day of others had sums: none.
        const BEFORE: &str = r"
            select coalesce(sum(t.accepted + t.released + t.held + t.voided), 0)::bigint, coalesce(sum(t.released), 0)::bigint,
                   coalesce(sum(t.held), 0)::bigint, coalesce(sum(t.voided), 0)::bigint,
                   coalesce(sum(t.accepted + t.released), 0)::bigint, coalesce(sum(t.gross), 0)::text,
                   coalesce(
                     (select b.is_closed from rollup.bucket b
                       where b.node_id = $1 and b.business_date = $2 and b.department = $3),
                     (select bool_or(b.is_closed) from rollup.bucket b where b.node_id = $1 and b.business_date = $2), false)
              from rollup.terminal_day t
             where t.node_id = $1 and t.business_date = $2 and t.department = $3";
        let read = |row: &sql::Row<'_>| Self {
            counts: Counts { receipts: row.must(1), released: row.must(2), held: row.must(3), voided: row.must(4) },
            tickets: row.must(5),
            gross: row.must(6),
            was_shown_closed: row.must(7),
        };
        sql::row(BEFORE, &bucket.args(), read).unwrap_or_else(|| sql::broken("sums of a bucket are no row"))
    }
}
