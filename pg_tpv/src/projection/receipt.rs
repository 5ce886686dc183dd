//! `receipt`: its row, its lines and its totals by tax rate.

use chrono::SecondsFormat;
use pgrx::datum::DatumWithOid;
use rust_decimal::Decimal;
use tpv_core::day::StoreDay;
use tpv_core::receipt::Receipt;
use tpv_core::tax;

use super::{misfit, standing};
use crate::attempt::DataFault;
use crate::sql;
use crate::store;
use crate::take_in::Document;

/// One statement for all three tables. It answers whether something was said about the receipt before it came.
const INSERT: &str = "with header as ( \
      insert into sales.receipt (node_id, receipt_id, business_date, terminal, department, series, receipt_number, \
        printed_text, printed_local, printed_at, recorded_at, line_count, total, lines_total, total_difference, state, \
        first_outcome, flags) \
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamp, $10::timestamptz, $11::timestamptz, \
        cardinality($15::text[]), $12::numeric, $13::numeric, $14::numeric, 'accepted', 'accepted', '{}') \
    ), line as ( \
      insert into sales.receipt_line (node_id, receipt_id, line_number, business_date, barcode, gtin14, description, \
        price, quantity, tax_rate, total) \
      select $1, $2, l.n, $3, l.barcode, l.gtin14, l.description, l.price::numeric, l.quantity::numeric, \
        l.tax_rate::numeric, l.total::numeric \
      from unnest($15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[]) \
        with ordinality as l (barcode, gtin14, description, price, quantity, tax_rate, total, n) \
    ), tax as ( \
      insert into sales.receipt_tax (node_id, receipt_id, business_date, tax_rate, total, net, tax) \
      select $1, $2, $3, t.rate::numeric, t.total::numeric, t.net::numeric, t.total::numeric - t.net::numeric \
      from unnest($22::text[], $23::text[], $24::text[]) as t (rate, total, net) \
    ) \
    select exists (select from sales.receipt_event e where e.node_id = $1 and e.receipt_id = $2)";

pub(super) fn project(document: &Document) -> Result<(), DataFault> {
    let receipt = Receipt::from_body(&document.body).map_err(|_| misfit("BAD_BODY", "the body is not a receipt"))?;
    let store = store::day_of(document.node_id)
        .ok_or_else(|| misfit("UNKNOWN_STORE", "the store of the receipt is not known on this node"))?;
    let said_before = insert(document, &receipt, store);
    if said_before {
        standing::settle(document.node_id, document.doc_id);
    }
    Ok(())
}

fn insert(document: &Document, receipt: &Receipt, store: StoreDay) -> bool {
    let stamp = receipt.timestamp;
    let printed = store.printed(stamp.local, stamp.offset, &receipt.receipt_id, None);
    let totals = tax::by_rate(&receipt.items);
    let lines =
        |part: fn(&tpv_core::receipt::Line) -> Option<String>| receipt.items.iter().map(part).collect::<Vec<_>>();
    let rates = |part: fn(&tax::TaxTotal) -> Option<Decimal>| {
        totals.iter().map(|total| part(total).map(|number| number.to_string())).collect::<Vec<_>>()
    };
    let args: [DatumWithOid<'_>; 24] = [
        document.node_id.into(),
        sql::uuid(document.doc_id).into(),
        sql::date(document.business_date).into(),
        document.chain.as_str().into(),
        receipt.department_code.as_str().into(),
        receipt.series.as_str().into(),
        receipt.receipt_id.as_str().into(),
        receipt.timestamp_text.as_str().into(),
        printed.local.format("%Y-%m-%dT%H:%M:%S%.6f").to_string().into(),
        printed.instant.to_rfc3339_opts(SecondsFormat::Micros, true).into(),
        sql::instant(document.recorded_at()).into(),
        receipt.total.to_string().into(),
        receipt.lines_total.to_string().into(),
        receipt.total_difference.to_string().into(),
        lines(|line| Some(without_nul(&line.barcode))).into(),
        lines(|line| line.gtin14.clone()).into(),
        lines(|line| Some(without_nul(&line.description))).into(),
        lines(|line| Some(line.price.to_string())).into(),
        lines(|line| (line.quantity.normalize().scale() <= 3).then(|| line.quantity.to_string())).into(),
        lines(|line| line.tax_rate.map(|rate| rate.to_string())).into(),
        lines(|line| Some(line.total.to_string())).into(),
        rates(|total| total.rate).into(),
        rates(|total| Some(total.total)).into(),
        rates(|total| total.net).into(),
    ];
    sql::row(INSERT, &args, |row| row.must(1)).unwrap_or(false)
}

/// PostgreSQL's text holds every character but one; the body keeps it.
fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
