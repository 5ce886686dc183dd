//! Values of columns.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use pgrx::{IntoDatum, direct_function_call_as_datum, pg_sys};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::sql;

/// A value, of the SQL type that it is named for.
pub enum Value<'a> {
    /// NULL.
    Null,
    /// `integer`.
    Integer(i32),
    /// `text`.
    Text(Cow<'a, str>),
    /// `text[]` without elements.
    NoTexts,
    /// `uuid`.
    Uuid(Uuid),
    /// `date`.
    Date(NaiveDate),
    /// `timestamp`.
    Timestamp(NaiveDateTime),
    /// `timestamptz`.
    Instant(DateTime<Utc>),
    /// `numeric`.
    Number(Decimal),
}

impl<'a> Value<'a> {
    /// A text, or NULL.
    pub fn text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.into()))
    }

    /// A number, or NULL.
    pub fn number(number: Option<Decimal>) -> Self {
        number.map_or(Self::Null, Self::Number)
    }

    /// The datum, allocated in the current memory context; none for NULL. A number is brought to the precision and scale
    /// of its column, as an assignment would bring it: rounded, or refused as out of range.
    pub fn datum(&self, typmod: Option<i32>) -> Option<pg_sys::Datum> {
        match self {
            Self::Null => None,
            Self::Integer(number) => number.into_datum(),
            Self::Text(text) => text.as_ref().into_datum(),
            // SAFETY: `text` is a type that every database has.
            Self::NoTexts => Some(unsafe { pg_sys::construct_empty_array(pg_sys::TEXTOID) }.into()),
            Self::Uuid(id) => sql::uuid(*id).into_datum(),
            Self::Date(date) => sql::date(*date).into_datum(),
            Self::Timestamp(at) => micros(at.and_utc()).into_datum(),
            Self::Instant(at) => micros(*at).into_datum(),
            Self::Number(number) => numeric(*number, typmod),
        }
    }
}

/// Both kinds of timestamp count microseconds from the start of 2000.
fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros() - 946_684_800_000_000
}

fn numeric(number: Decimal, typmod: Option<i32>) -> Option<pg_sys::Datum> {
    let exact = match i64::try_from(number.mantissa()) {
        // SAFETY: makes a number of two others.
        Ok(mantissa) => unsafe { pg_sys::int64_div_fast_to_numeric(mantissa, number.scale() as i32) }.into(),
        // More than 18 digits.
        Err(_) => {
            let text = std::ffi::CString::new(number.to_string()).ok()?;
            let no_typmod = (-1_i32).into_datum();
            // SAFETY: the arguments are those of `numeric_in`: text, an element type that it ignores, typmod.
            unsafe {
                let kind = pg_sys::InvalidOid.into_datum();
                direct_function_call_as_datum(pg_sys::numeric_in, &[text.as_c_str().into_datum(), kind, no_typmod])?
            }
        }
    };
    match typmod.filter(|typmod| *typmod >= 0) {
        None => Some(exact),
        // SAFETY: the arguments are those of `numeric`: a number and a typmod.
        Some(typmod) => unsafe { direct_function_call_as_datum(pg_sys::numeric, &[Some(exact), typmod.into_datum()]) },
    }
}
