//! Rows as texts: as a projection writes them, and as PostgreSQL says that they are.

use chrono::NaiveDateTime;
use pgrx::pg_sys;
use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};
use tpv_core::rebuild::Values;

use crate::postgres::bulk::{Table, Value};

/// The columns of a table as an array of texts.
pub fn columns_as_texts<const N: usize>(table: &Table<N>) -> String {
    let columns = table.columns.map(|(name, kind)| as_text(name, kind)).join(", ");
    format!("array[{columns}]")
}

/// A column as text, whatever the settings of the session.
fn as_text(name: &str, kind: pg_sys::Oid) -> String {
    match kind {
        pg_sys::NUMERICOID => format!("trim_scale({name})::text"),
        pg_sys::DATEOID => format!("to_char({name}, 'YYYY-MM-DD')"),
        pg_sys::TIMESTAMPOID => format!("to_char({name}, 'YYYY-MM-DD HH24:MI:SS.US')"),
        pg_sys::TIMESTAMPTZOID => format!("to_char({name} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
        pg_sys::TEXTARRAYOID => format!("to_json({name})::text"),
        _ => format!("{name}::text"),
    }
}

/// Such a text as a value of its column: `place` is that of the argument.
pub fn from_text(place: usize, kind: pg_sys::Oid) -> String {
    match kind {
        pg_sys::INT4OID => format!("${place}::integer"),
        pg_sys::UUIDOID => format!("${place}::uuid"),
        pg_sys::NUMERICOID => format!("${place}::numeric"),
        pg_sys::DATEOID => format!("to_date(${place}, 'YYYY-MM-DD')"),
        pg_sys::TIMESTAMPOID => format!("${place}::timestamp"),
        pg_sys::TIMESTAMPTZOID => format!("${place}::timestamp at time zone 'UTC'"),
        pg_sys::TEXTARRAYOID => format!("array(select json_array_elements_text(${place}::json))"),
        _ => format!("${place}"),
    }
}

/// A row that is to be written.
pub fn texts<const N: usize>(table: &Table<N>, row: &[Value<'_>; N]) -> Values {
    table.columns.iter().zip(row).map(|((name, _), value)| text(name, value)).collect()
}

fn text(column: &str, value: &Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone().into_owned(),
        Value::NoTexts => "[]".to_owned(),
        Value::Uuid(id) => id.to_string(),
        Value::Date(date) => date.format("%Y-%m-%d").to_string(),
        Value::Timestamp(at) => timestamp(*at),
        Value::Instant(at) => timestamp(at.naive_utc()),
        Value::Number(number) => self::number(*number, decimals(column)),
    })
}

/// A timestamp, or an instant on the clock of UTC.
pub fn timestamp(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// How many decimals the columns of receipts and lines have.
fn decimals(column: &str) -> u32 {
    match column {
        "price" => 4,
        "quantity" => 3,
        _ => 2,
    }
}

/// As the column holds it, without idle zeros.
fn number(number: Decimal, decimals: u32) -> String {
    number.round_dp_with_strategy(decimals, MidpointAwayFromZero).normalize().to_string()
}
