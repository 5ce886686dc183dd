//! Statements of our own, planned once in a session and run through SPI.
//!
//! Every name in them is qualified: in the apply worker `search_path` is empty, elsewhere it is not
//! ours.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::rc::Rc;

use chrono::{DateTime, Days, NaiveDate, Utc};
use pgrx::datum::{Date, DatumWithOid};
use pgrx::prelude::*;
use pgrx::spi::{OwnedPreparedStatement, SpiClient, SpiHeapTupleData};
use pgrx::{FromDatum, IntoDatum, pg_sys};
use uuid::Uuid;

use super::refusal::Refusal;

pub type Arg<'a> = DatumWithOid<'a>;

thread_local! {
    /// By the address of their text, which is static. A backend has one thread.
    static PLANS: RefCell<HashMap<usize, Rc<OwnedPreparedStatement>>> = RefCell::new(HashMap::new());
    /// By their text.
    static TEXTS: RefCell<HashMap<String, Rc<OwnedPreparedStatement>>> = RefCell::new(HashMap::new());
}

/// Runs a statement; `read` sees each row that it gives.
pub fn rows<T>(sql: &'static str, args: &[Arg<'_>], mut read: impl FnMut(&Row<'_>) -> T) -> Vec<T> {
    Spi::connect_mut(|client| {
        let plan = planned(client, sql, args);
        let table = client.update(&*plan, None, args).unwrap_or_else(|error| broken(error));
        table.map(|row| read(&Row(row))).collect()
    })
}

/// Runs a statement that gives at most one row of interest.
pub fn row<T>(sql: &'static str, args: &[Arg<'_>], read: impl FnMut(&Row<'_>) -> T) -> Option<T> {
    rows(sql, args, read).into_iter().next()
}

/// Runs a statement and tells how many rows it touched.
pub fn execute(sql: &'static str, args: &[Arg<'_>]) -> usize {
    Spi::connect_mut(|client| {
        let plan = planned(client, sql, args);
        client.update(&*plan, None, args).unwrap_or_else(|error| broken(error)).len()
    })
}

/// The same for a statement whose text is put together, as it depends on the table and the columns.
/// Plans are kept for the last thousand texts or so.
pub fn execute_text(sql: &str, args: &[Arg<'_>]) -> usize {
    const MOST: usize = 1000;
    Spi::connect_mut(|client| {
        let kept = TEXTS.with_borrow(|plans| plans.get(sql).cloned());
        let plan = kept.unwrap_or_else(|| {
            let plan = prepared(client, sql, args);
            TEXTS.with_borrow_mut(|plans| {
                if plans.len() >= MOST {
                    plans.clear();
                }
                plans.insert(sql.to_owned(), plan.clone());
            });
            plan
        });
        client.update(&*plan, None, args).unwrap_or_else(|error| broken(error)).len()
    })
}

fn planned(client: &mut SpiClient<'_>, sql: &'static str, args: &[Arg<'_>]) -> Rc<OwnedPreparedStatement> {
    let address = sql.as_ptr() as usize;
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(&address).cloned()) {
        return plan;
    }
    let plan = prepared(client, sql, args);
    PLANS.with_borrow_mut(|plans| plans.insert(address, plan.clone()));
    plan
}

fn prepared(client: &SpiClient<'_>, sql: &str, args: &[Arg<'_>]) -> Rc<OwnedPreparedStatement> {
    let types: Vec<_> = args.iter().map(|arg| arg.oid().into()).collect();
    // `mut`: each run then takes a snapshot of its own, so that it sees what was committed while a
    // lock was waited for.
    Rc::new(client.prepare_mut(sql, &types).unwrap_or_else(|error| broken(error)).keep())
}

/// One row of an answer.
pub struct Row<'r>(SpiHeapTupleData<'r>);

impl Row<'_> {
    /// The column at this place, from 1; none for a null.
    pub fn get<T: IntoDatum + FromDatum>(&self, place: usize) -> Option<T> {
        self.0.get(place).unwrap_or_else(|error| broken(error))
    }

    /// A column that is never null.
    pub fn must<T: IntoDatum + FromDatum>(&self, place: usize) -> T {
        self.get(place).unwrap_or_else(|| broken(format!("column {place} is null")))
    }

    /// A `uuid` that is never null.
    pub fn uuid(&self, place: usize) -> Uuid {
        Uuid::from_bytes(*self.must::<pgrx::Uuid>(place).as_bytes())
    }

    /// A `date` that is never null.
    pub fn date(&self, place: usize) -> NaiveDate {
        day(self.must(place))
    }

    /// A SHA-256 that is never null.
    pub fn hash(&self, place: usize) -> [u8; 32] {
        self.must::<Vec<u8>>(place).try_into().unwrap_or_else(|_| broken("a hash does not have 32 bytes"))
    }
}

/// A date of SQL that we wrote ourselves, and so is within the calendar.
pub fn day(date: Date) -> NaiveDate {
    calendar_day(date).unwrap_or_else(|refusal| refusal.raise())
}

/// A date of SQL as a day of the calendar.
///
/// # Errors
/// `22008` for `infinity`, and for years of more than four digits or before Christ, which no
/// document has and which two programs would write in two ways.
pub fn calendar_day(date: Date) -> Result<NaiveDate, Refusal> {
    let since_2000 = date.to_pg_epoch_days();
    let days = Days::new(u64::from(since_2000.unsigned_abs()));
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1);
    let day = match since_2000 {
        0.. => epoch.and_then(|epoch| epoch.checked_add_days(days)),
        _ => epoch.and_then(|epoch| epoch.checked_sub_days(days)),
    };
    day.filter(|day| (1..=9999).contains(&chrono::Datelike::year(day))).ok_or_else(|| {
        let message = "a date must be of the years 1 to 9999";
        Refusal::new(PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW, message)
    })
}

/// A `uuid` for SQL.
pub fn uuid(id: Uuid) -> pgrx::Uuid {
    pgrx::Uuid::from_bytes(id.into_bytes())
}

/// A `date` for SQL.
pub fn date(date: NaiveDate) -> Date {
    let days = date.signed_duration_since(NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()).num_days();
    Date::saturating_from_raw(i32::try_from(days).unwrap_or(i32::MAX))
}

/// A `timestamptz` as text for SQL, which reads it the same under every setting.
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339()
}

/// Raises that a statement of our own had an impossible result: a bug, or tables that our
/// migrations did not make.
pub fn broken(what: impl Display) -> ! {
    Refusal::new(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, "unexpected result of an internal statement")
        .because(what)
        .hint("Run tpv-migrate status to see whether the tables are those of this version.")
        .raise()
}

/// Raises the error of a NOT NULL constraint. A trigger reads the row before PostgreSQL checks the
/// constraint.
pub fn not_null(table: &str) -> ! {
    Refusal::new(PgSqlErrorCode::ERRCODE_NOT_NULL_VIOLATION, format!("a column of {table} is null")).raise()
}

/// The login that acts.
pub fn session_user() -> String {
    // SAFETY: the session's user exists, and the name is copied before its memory goes.
    unsafe {
        let name = pg_sys::GetUserNameFromId(pg_sys::GetSessionUserId(), false);
        std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}

/// JSON that PostgreSQL wrote and we cannot read, as it has more levels than any of ours.
pub fn unreadable(error: tpv_core::json::JsonError) -> Refusal {
    Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, "a stored document cannot be read").because(error)
}
