//! What the fold is to number and sum up: a narrow row for each projected document.
//!
//! A database of an older version has no such table. Then nothing follows, and once it is made everything is
//! summed up.

use std::cell::Cell;

use chrono::{DateTime, NaiveDate, Utc};
use pgrx::pg_sys;
use pgrx::pg_sys::{DATEOID, INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

use crate::postgres::bulk::{self, Table, Value};

static TOUCHED: Table<6> = Table {
    schema: c"sync",
    name: c"touched",
    columns: [
        ("at", TIMESTAMPTZOID),
        ("entity", TEXTOID),
        ("node_id", INT4OID),
        ("key", UUIDOID),
        ("business_date", DATEOID),
        ("department", TEXTOID),
    ],
};

thread_local! {
    /// A table that was there stays.
    static IS_THERE: Cell<bool> = const { Cell::new(false) };
}

const RECEIPT: &str = "sales.receipt";
const DAY_CLOSE: &str = "sales.day_close";

/// Receipts have changed: they came, or something was said about them.
pub fn receipts(of: impl Iterator<Item = (i32, Uuid)>) {
    write(|at| {
        of.map(|(node_id, id)| {
            [Value::Instant(at), text(RECEIPT), Value::Integer(node_id), Value::Uuid(id), Value::Null, Value::Null]
        })
        .collect()
    });
}

/// A receipt is gone, or is no longer of that day and department.
pub fn receipt_was_of(node_id: i32, id: Uuid, date: NaiveDate, department: &str) {
    write(|at| {
        let (date, department) = (Value::Date(date), Value::text(Some(department)));
        vec![[Value::Instant(at), text(RECEIPT), Value::Integer(node_id), Value::Uuid(id), date, department]]
    });
}

/// A day was closed, or is open again.
pub fn day(node_id: i32, date: NaiveDate) {
    write(|at| {
        vec![[
            Value::Instant(at),
            text(DAY_CLOSE),
            Value::Integer(node_id),
            Value::Null,
            Value::Date(date),
            Value::Null,
        ]]
    });
}

fn write<'v>(rows: impl FnOnce(DateTime<Utc>) -> Vec<[Value<'v>; 6]>) {
    if !IS_THERE.get() {
        if !bulk::exists(&TOUCHED) {
            return;
        }
        IS_THERE.set(true);
    }
    bulk::insert(&TOUCHED, &rows(transaction_start()));
}

fn text(text: &'static str) -> Value<'static> {
    Value::text(Some(text))
}

fn transaction_start() -> DateTime<Utc> {
    const FROM_1970_TO_2000: i64 = 946_684_800_000_000;
    // SAFETY: reads what the transaction has noted.
    let since_2000 = unsafe { pg_sys::GetCurrentTransactionStartTimestamp() };
    DateTime::from_timestamp_micros(since_2000 + FROM_1970_TO_2000).unwrap_or_default()
}
