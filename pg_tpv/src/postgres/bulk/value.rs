//! Values of columns.

use std::borrow::Cow;
use std::ffi::CString;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use pgrx::{IntoDatum, direct_function_call_as_datum, pg_sys};
use rust_decimal::Decimal;
use tpv_core::numeric::Stored;
use uuid::Uuid;

use crate::postgres::sql;

/// A value, of the SQL type that it is named for.
pub enum Value<'a> {
    Null,
    Integer(i32),
    Text(Cow<'a, str>),
    /// `text[]` without elements.
    NoTexts,
    Uuid(Uuid),
    Date(NaiveDate),
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

    /// The datum; none for NULL. A number is brought to the precision and scale of its column, as
    /// an assignment would bring it: rounded, or refused as out of range.
    ///
    /// # Safety
    /// The room was made for the row that the value is of.
    pub unsafe fn datum(&self, typmod: i32, room: &mut Room) -> Option<pg_sys::Datum> {
        match self {
            Self::Null => None,
            Self::Integer(number) => number.into_datum(),
            // SAFETY: as promised.
            Self::Text(text) => Some(unsafe { room.text(text) }),
            // SAFETY: `text` is a type that every database has.
            Self::NoTexts => Some(unsafe { pg_sys::construct_empty_array(pg_sys::TEXTOID) }.into()),
            // SAFETY: as promised.
            Self::Uuid(id) => Some(unsafe { room.bytes(id.as_bytes()) }),
            Self::Date(date) => sql::date(*date).into_datum(),
            Self::Timestamp(at) => micros(at.and_utc()).into_datum(),
            Self::Instant(at) => micros(*at).into_datum(),
            // SAFETY: as promised.
            Self::Number(number) => unsafe { room.numeric(*number, typmod) },
        }
    }
}

/// Memory for the texts, uuids and numbers of a row, allocated at once.
pub struct Room(*mut u8);

/// A varlena's length stands before it, and is aligned.
const LENGTH: usize = size_of::<u32>();

impl Room {
    /// Room for a row, in the current memory context.
    pub fn of(row: &[Value<'_>]) -> Self {
        let bytes = |value: &Value<'_>| match value {
            Value::Text(text) => LENGTH + text.len().next_multiple_of(LENGTH),
            Value::Uuid(_) => size_of::<Uuid>(),
            Value::Number(_) => LENGTH + Stored::MOST.next_multiple_of(LENGTH),
            _ => 0,
        };
        // SAFETY: allocates.
        Self(unsafe { pg_sys::palloc(row.iter().map(bytes).sum()) }.cast())
    }

    unsafe fn text(&mut self, text: &str) -> pg_sys::Datum {
        // SAFETY: the caller's promise.
        unsafe { self.varlena(text.as_bytes()) }
    }

    unsafe fn numeric(&mut self, number: Decimal, typmod: i32) -> Option<pg_sys::Datum> {
        let stored =
            at_scale(number, typmod).and_then(|(scaled, decimals)| Stored::of(scaled, u8::try_from(decimals).ok()?));
        match stored {
            // SAFETY: the caller's promise.
            Some(stored) => Some(unsafe { self.varlena(stored.as_bytes()) }),
            None => numeric(number, typmod),
        }
    }

    unsafe fn varlena(&mut self, bytes: &[u8]) -> pg_sys::Datum {
        // SAFETY: the caller's promise: there is room for the length and the bytes.
        unsafe {
            let start = self.0;
            pgrx::set_varsize_4b(start.cast(), (LENGTH + bytes.len()) as i32);
            self.0 = start.add(LENGTH);
            self.bytes(bytes);
            start.into()
        }
    }

    unsafe fn bytes(&mut self, bytes: &[u8]) -> pg_sys::Datum {
        // SAFETY: the caller's promise.
        unsafe {
            let start = self.0;
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            self.0 = start.add(bytes.len().next_multiple_of(LENGTH));
            start.into()
        }
    }
}

/// Both kinds of timestamp count microseconds from the start of 2000.
fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros() - 946_684_800_000_000
}

/// A large number, or one of more digits than the column has: PostgreSQL reads it, rounds it, or
/// says that it is out of range.
fn numeric(number: Decimal, typmod: i32) -> Option<pg_sys::Datum> {
    let text = CString::new(number.to_string()).ok()?;
    // SAFETY: the arguments are those of `numeric_in`: text, an element type that it ignores,
    // typmod.
    unsafe {
        let kind = pg_sys::InvalidOid.into_datum();
        direct_function_call_as_datum(pg_sys::numeric_in, &[text.as_c_str().into_datum(), kind, typmod.into_datum()])
    }
}

/// The number in units of its column's last decimal, with how many decimals there are; none when
/// the column does not hold it exactly. Without a typmod the number keeps its own decimals.
fn at_scale(number: Decimal, typmod: i32) -> Option<(i64, i32)> {
    let own = i32::try_from(number.scale()).ok()?;
    // As `make_numeric_typmod` puts them together.
    let declared = typmod - LENGTH as i32;
    let (precision, scale) = if typmod < 0 { (18, own) } else { (declared >> 16, ((declared & 0x7FF) ^ 1024) - 1024) };
    let more = u32::try_from(scale - own).ok()?;
    let scaled = i64::try_from(number.mantissa()).ok()?.checked_mul(10_i64.checked_pow(more)?)?;
    let limit = 10_u64.checked_pow(u32::try_from(precision).ok()?)?;
    (scaled.unsigned_abs() < limit).then_some((scaled, scale))
}
