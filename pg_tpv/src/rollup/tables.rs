//! Writes the sums of a bucket into their tables: rows that differ, and no others.

use tpv_core::rollup::{Amounts, Sums};

use super::bucket::Bucket;
use crate::postgres::sql;

const HOURS: &str = r"
    with v as materialized (
      select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
                           $12::text[], $13::text[])
        as v (hour, tickets, voided, lines, units, gross, net, tax, guessed_tax, without_rate)
    ), gone as (
      delete from rollup.sales_hour t
       where t.node_id = $1 and t.business_date = $2 and t.department = $3
         and not exists (select from v where v.hour::smallint = t.hour)
      returning 1
    ), written as (
      insert into rollup.sales_hour as t (node_id, business_date, department, hour, tickets, voided, lines, units, gross, net,
                                          tax, guessed_tax, without_rate)
      select $1, $2, $3, v.hour::smallint, v.tickets::integer, v.voided::integer, v.lines::integer, v.units::bigint,
             v.gross::numeric, v.net::numeric, v.tax::numeric, v.guessed_tax::numeric, v.without_rate::numeric
        from v
      on conflict (business_date, node_id, department, hour) do update
        set tickets = excluded.tickets, voided = excluded.voided, lines = excluded.lines, units = excluded.units,
            gross = excluded.gross, net = excluded.net, tax = excluded.tax, guessed_tax = excluded.guessed_tax,
            without_rate = excluded.without_rate
      where (t.tickets, t.voided, t.lines, t.units, t.gross, t.net, t.tax, t.guessed_tax, t.without_rate)
            is distinct from (excluded.tickets, excluded.voided, excluded.lines, excluded.units, excluded.gross, excluded.net,
                              excluded.tax, excluded.guessed_tax, excluded.without_rate)
      returning 1
    )
    select exists (select from gone) or exists (select from written)";

const TERMINALS: &str = r"
    with v as materialized (
      select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
                           $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[])
        as v (terminal, accepted, released, held, voided, late, lines, gross, net, tax, without_rate, held_total, voided_total,
              waited_seconds, waited_most)
    ), gone as (
      delete from rollup.terminal_day t
       where t.node_id = $1 and t.business_date = $2 and t.department = $3
         and not exists (select from v where v.terminal = t.terminal)
      returning 1
    ), written as (
      insert into rollup.terminal_day as t (node_id, business_date, department, terminal, accepted, released, held, voided, late,
                                            lines, gross, net, tax, without_rate, held_total, voided_total, waited_seconds,
                                            waited_most)
      select $1, $2, $3, v.terminal, v.accepted::integer, v.released::integer, v.held::integer, v.voided::integer,
             v.late::integer, v.lines::integer, v.gross::numeric, v.net::numeric, v.tax::numeric, v.without_rate::numeric,
             v.held_total::numeric, v.voided_total::numeric, v.waited_seconds::bigint, v.waited_most::integer
        from v
      on conflict (business_date, node_id, department, terminal) do update
        set accepted = excluded.accepted, released = excluded.released, held = excluded.held, voided = excluded.voided,
            late = excluded.late, lines = excluded.lines, gross = excluded.gross, net = excluded.net, tax = excluded.tax,
            without_rate = excluded.without_rate, held_total = excluded.held_total, voided_total = excluded.voided_total,
            waited_seconds = excluded.waited_seconds, waited_most = excluded.waited_most
      where (t.accepted, t.released, t.held, t.voided, t.late, t.lines, t.gross, t.net, t.tax, t.without_rate, t.held_total,
             t.voided_total, t.waited_seconds, t.waited_most)
            is distinct from (excluded.accepted, excluded.released, excluded.held, excluded.voided, excluded.late,
                              excluded.lines, excluded.gross, excluded.net, excluded.tax, excluded.without_rate,
                              excluded.held_total, excluded.voided_total, excluded.waited_seconds, excluded.waited_most)
      returning 1
    )
    select exists (select from gone) or exists (select from written)";

const ITEMS: &str = r"
    with v as materialized (
      select * from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
        as v (item, lines, sold, returned, gross, net, without_rate)
    ), gone as (
      delete from rollup.item_day t using (
        select i.item from rollup.item_day i
         where i.business_date = $2 and i.node_id = $1 and i.department = $3
        except all select v.item from v) g
       where t.node_id = $1 and t.business_date = $2 and t.department = $3 and t.item = g.item
      returning 1
    ), written as (
      insert into rollup.item_day as t (node_id, business_date, department, item, lines, sold, returned, gross, net, without_rate)
      select $1, $2, $3, v.item, v.lines::integer, v.sold::numeric, v.returned::numeric, v.gross::numeric, v.net::numeric,
             v.without_rate::numeric
        from v
      on conflict (node_id, department, item, business_date) do update
        set lines = excluded.lines, sold = excluded.sold, returned = excluded.returned, gross = excluded.gross,
            net = excluded.net, without_rate = excluded.without_rate
      where (t.lines, t.sold, t.returned, t.gross, t.net, t.without_rate)
            is distinct from (excluded.lines, excluded.sold, excluded.returned, excluded.gross, excluded.net, excluded.without_rate)
      returning 1
    )
    select exists (select from gone) or exists (select from written)";

const TAXES: &str = r"
    with v as materialized (
      select v.tax_rate::numeric as tax_rate, v.source, v.receipts::integer as receipts, v.lines::integer as lines,
             v.gross::numeric as gross, v.net::numeric as net
        from unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
          as v (tax_rate, source, receipts, lines, gross, net)
    ), gone as (
      delete from rollup.tax_day t
       where t.node_id = $1 and t.business_date = $2 and t.department = $3
         and not exists (select from v where v.source = t.source and v.tax_rate is not distinct from t.tax_rate)
      returning 1
    ), written as (
      insert into rollup.tax_day as t (node_id, business_date, department, tax_rate, source, receipts, lines, gross, net, tax)
      select $1, $2, $3, v.tax_rate, v.source, v.receipts, v.lines, v.gross, v.net,
             case when v.tax_rate is null then 0 else v.gross - v.net end
        from v
      on conflict (business_date, node_id, department, tax_rate, source) do update
        set receipts = excluded.receipts, lines = excluded.lines, gross = excluded.gross, net = excluded.net, tax = excluded.tax
      where (t.receipts, t.lines, t.gross, t.net, t.tax)
            is distinct from (excluded.receipts, excluded.lines, excluded.gross, excluded.net, excluded.tax)
      returning 1
    )
    select exists (select from gone) or exists (select from written)";

/// Of two days the later one says what an item is called.
const SEEN: &str = r"
    insert into rollup.item as i (node_id, department, item, barcode, description, first_on, last_on, guessed)
    select $1, $3, v.item, v.code, v.description, $2, $2, v.guessed::boolean
      from unnest($4::text[], $5::text[], $6::text[], $7::text[]) as v (item, code, description, guessed)
     order by v.item
    on conflict (node_id, department, item) do update
      set barcode = case when excluded.last_on >= i.last_on then excluded.barcode else i.barcode end,
          description = case when excluded.last_on >= i.last_on then excluded.description else i.description end,
          first_on = least(i.first_on, excluded.first_on), last_on = greatest(i.last_on, excluded.last_on),
          guessed = i.guessed or excluded.guessed
    where excluded.first_on < i.first_on or excluded.last_on > i.last_on or (excluded.guessed and not i.guessed)
       or (excluded.last_on = i.last_on and (i.barcode, i.description) is distinct from (excluded.barcode, excluded.description))";

/// Writes the sums; whether figures have changed.
pub fn write(bucket: &Bucket, sums: &Sums) -> bool {
    let write = |statement: &'static str, columns: Columns| -> bool {
        let mut args: Vec<sql::Arg<'_>> = bucket.args().into();
        args.extend(columns.0.into_iter().map(Into::into));
        sql::row(statement, &args, |row| row.must(1)) == Some(true)
    };
    let hours = sums.hours.iter().map(|(hour, of)| {
        let mut row = vec![text(hour), text(of.tickets), text(of.voided), text(of.lines), text(of.units)];
        row.extend(amounts(&of.amounts).map(Some));
        row.insert(8, Some(cents(of.guessed_tax)));
        row
    });
    let terminals = sums.terminals.iter().map(|(terminal, of)| {
        let mut row =
            vec![Some(terminal.clone()), text(of.accepted), text(of.released), text(of.held), text(of.voided)];
        row.extend([text(of.late), text(of.lines)]);
        row.extend(amounts(&of.amounts).map(Some));
        row.extend([cents(of.held_total), cents(of.voided_total)].map(Some));
        row.extend([text(of.waited), text(of.waited_most)]);
        row
    });
    let items = sums.items.iter().map(|(item, of)| {
        let Amounts { gross, net, without_rate, .. } = of.amounts;
        let mut row = vec![Some(item.clone()), text(of.lines)];
        row.extend(
            [decimal(of.sold, 3), decimal(of.returned, 3), cents(gross), cents(net), cents(without_rate)].map(Some),
        );
        row
    });
    let taxes = sums.taxes.iter().map(|((rate, source), of)| {
        let rate = rate.map(|rate| decimal(rate.into(), 2));
        let source = Some(source.word().to_owned());
        vec![rate, source, text(of.receipts), text(of.lines), Some(cents(of.gross)), Some(cents(of.net))]
    });
    let changed = [
        write(HOURS, Columns::of(10, hours)),
        write(TERMINALS, Columns::of(15, terminals)),
        write(ITEMS, Columns::of(7, items)),
        write(TAXES, Columns::of(6, taxes)),
    ];
    let seen = sums.seen.iter();
    let seen = seen.map(|(item, of)| {
        vec![Some(item.clone()), Some(of.code.clone()), Some(of.description.clone()), text(of.is_guessed)]
    });
    let mut args: Vec<sql::Arg<'_>> = bucket.args().into();
    args.extend(Columns::of(4, seen).0.into_iter().map(Into::into));
    sql::execute(SEEN, &args);
    changed.contains(&true)
}

/// Whether the day is closed.
pub fn is_closed(bucket: &Bucket) -> bool {
    const IS_CLOSED: &str =
        "select exists (select from sales.day_close c where c.node_id = $1 and c.business_date = $2)";
    let [node, date, _] = bucket.args();
    sql::row(IS_CLOSED, &[node, date], |row| row.must(1)) == Some(true)
}

/// Notes that a bucket is summed up. One without receipts is none.
pub fn note_bucket(bucket: &Bucket, receipts: i64, sums: &Sums, is_closed: bool) {
    const NOTE: &str = r"
        insert into rollup.bucket (node_id, business_date, department, receipts, lines, guessed_lines, is_closed, computed_at)
        values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
        on conflict (business_date, node_id, department) do update
          set receipts = excluded.receipts, lines = excluded.lines, guessed_lines = excluded.guessed_lines,
              is_closed = excluded.is_closed, computed_at = excluded.computed_at";
    const REMOVE: &str = "delete from rollup.bucket where node_id = $1 and business_date = $2 and department = $3";
    if receipts == 0 {
        sql::execute(REMOVE, &bucket.args());
        return;
    }
    let mut args: Vec<sql::Arg<'_>> = bucket.args().into();
    args.extend(
        [receipts, sums.lines, sums.guessed_lines].map(|count| i32::try_from(count).unwrap_or(i32::MAX).into()),
    );
    args.push(is_closed.into());
    sql::execute(NOTE, &args);
}

/// Notes that the sums of a closed day have changed.
pub fn restate(bucket: &Bucket, before: (i64, &str), after: (i64, i128), why: &str) {
    const RESTATE: &str = r"
        insert into rollup.restated (node_id, business_date, department, tickets_before, gross_before, tickets_after, gross_after, why)
        values ($1, $2, $3, $4, $5::numeric, $6, $7::numeric, $8)";
    let count = |tickets: i64| i32::try_from(tickets).unwrap_or(i32::MAX);
    let mut args: Vec<sql::Arg<'_>> = bucket.args().into();
    args.extend([count(before.0).into(), before.1.into(), count(after.0).into(), cents(after.1).into(), why.into()]);
    sql::execute(RESTATE, &args);
}

/// The columns of some rows, each as an array of texts.
struct Columns(Vec<Vec<Option<String>>>);

impl Columns {
    fn of(width: usize, rows: impl Iterator<Item = Vec<Option<String>>>) -> Self {
        let mut columns = vec![Vec::new(); width];
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        Self(columns)
    }
}

/// gross, net, tax, without_rate.
fn amounts(of: &Amounts) -> [String; 4] {
    [of.gross, of.net, of.tax, of.without_rate].map(cents)
}

fn text(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

fn cents(amount: i128) -> String {
    decimal(amount, 2)
}

/// A number of that many decimals.
fn decimal(scaled: i128, decimals: u32) -> String {
    let unit = 10_u128.pow(decimals);
    let sign = if scaled < 0 { "-" } else { "" };
    let (whole, part) = (scaled.unsigned_abs() / unit, scaled.unsigned_abs() % unit);
    format!("{sign}{whole}.{part:0width$}", width = decimals as usize)
}
