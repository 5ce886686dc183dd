//! `receipt`: its row and its lines.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDateTime, Utc};
use pgrx::pg_sys::{DATEOID, INT4OID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPOID, TIMESTAMPTZOID, UUIDOID};
use tpv_core::day::StoreDay;
use tpv_core::receipt::{Line, Receipt};

use super::{early_event, touched};
use crate::node::store;
use crate::postgres::DataFault;
use crate::postgres::bulk::{self, Table, Value};
use crate::wire::Document;

pub(super) static RECEIPT: Table<21> = Table {
    schema: c"sales",
    name: c"receipt",
    columns: [
        ("node_id", INT4OID),
        ("receipt_id", UUIDOID),
        ("business_date", DATEOID),
        ("terminal", TEXTOID),
        ("department", TEXTOID),
        ("series", TEXTOID),
        ("receipt_number", TEXTOID),
        ("printed_text", TEXTOID),
        ("printed_local", TIMESTAMPOID),
        ("printed_at", TIMESTAMPTZOID),
        ("recorded_at", TIMESTAMPTZOID),
        ("line_count", INT4OID),
        ("total", NUMERICOID),
        ("lines_total", NUMERICOID),
        ("total_difference", NUMERICOID),
        ("state", TEXTOID),
        ("first_outcome", TEXTOID),
        ("hold_code", TEXTOID),
        ("hold_pointer", TEXTOID),
        ("hold_detail", TEXTOID),
        ("flags", TEXTARRAYOID),
    ],
};

pub(super) static LINE: Table<11> = Table {
    schema: c"sales",
    name: c"receipt_line",
    columns: [
        ("node_id", INT4OID),
        ("receipt_id", UUIDOID),
        ("line_number", INT4OID),
        ("business_date", DATEOID),
        ("barcode", TEXTOID),
        ("gtin14", TEXTOID),
        ("description", TEXTOID),
        ("price", NUMERICOID),
        ("quantity", NUMERICOID),
        ("tax_rate", NUMERICOID),
        ("total", NUMERICOID),
    ],
};

/// A receipt that can be projected.
pub(super) struct Sound<'d> {
    document: &'d Document,
    receipt: Receipt,
    store: StoreDay,
}

/// Reads the receipt in a document.
pub(super) fn read(document: &Document) -> Result<Sound<'_>, DataFault> {
    let receipt =
        Receipt::from_body(&document.body).map_err(|_| DataFault::new("BAD_BODY", "the body is not a receipt"))?;
    let store = store::day_of(document.node_id)?;
    Ok(Sound { document, receipt, store })
}

impl<'d> Sound<'d> {
    pub(super) fn document(&self) -> &'d Document {
        self.document
    }

    /// Its row, as long as no other document says anything about it.
    pub(super) fn header(&self) -> [Value<'_>; 21] {
        header_row(self.document, &self.receipt, self.store)
    }

    /// Its lines, by number.
    pub(super) fn lines(&self) -> impl Iterator<Item = (i32, [Value<'_>; 11])> {
        (1..).zip(&self.receipt.items).map(|(number, line)| (number, line_row(self.document, number, line)))
    }

    /// An instant on the wall clock of its store.
    pub(super) fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.store.zone).naive_local()
    }
}

/// Writes receipts and their lines.
pub(super) fn write(receipts: &[Sound<'_>]) {
    let headers: Vec<_> = receipts.iter().map(Sound::header).collect();
    let lines: Vec<_> = receipts.iter().flat_map(|sound| sound.lines().map(|(_, row)| row)).collect();
    bulk::insert(&RECEIPT, &headers);
    bulk::insert(&LINE, &lines);
    touched::receipts(receipts.iter().map(|sound| (sound.document.node_id, sound.document.doc_id)));
    early_event::arrived(receipts.iter().map(Sound::document));
}

fn header_row<'r>(document: &'r Document, receipt: &'r Receipt, store: StoreDay) -> [Value<'r>; 21] {
    let stamp = receipt.timestamp;
    let printed = store.printed(stamp.local, stamp.offset, &receipt.receipt_id, None);
    let text = |text: &'r str| Value::text(Some(text));
    [
        Value::Integer(document.node_id),
        Value::Uuid(document.doc_id),
        Value::Date(document.business_date),
        without_nul(&receipt.terminal_id),
        text(&receipt.department_code),
        text(&receipt.series),
        text(&receipt.receipt_id),
        text(&receipt.timestamp_text),
        Value::Timestamp(printed.local),
        Value::Instant(printed.instant),
        Value::Instant(document.recorded_at()),
        Value::Integer(i32::try_from(receipt.items.len()).unwrap_or(i32::MAX)),
        Value::Number(receipt.total),
        Value::Number(receipt.lines_total),
        Value::Number(receipt.total_difference),
        text("accepted"),
        text("accepted"),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::NoTexts,
    ]
}

fn line_row<'r>(document: &Document, number: i32, line: &'r Line) -> [Value<'r>; 11] {
    let fits = line.quantity.normalize().scale() <= 3;
    [
        Value::Integer(document.node_id),
        Value::Uuid(document.doc_id),
        Value::Integer(number),
        Value::Date(document.business_date),
        without_nul(&line.barcode),
        Value::text(line.gtin14.as_deref()),
        without_nul(&line.description),
        Value::Number(line.price),
        Value::number(fits.then_some(line.quantity)),
        Value::number(line.tax_rate),
        Value::Number(line.total),
    ]
}

/// A `text` of PostgreSQL cannot hold U+0000, so it is left out. The body of the document keeps it.
fn without_nul(text: &str) -> Value<'_> {
    Value::Text(if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) })
}
