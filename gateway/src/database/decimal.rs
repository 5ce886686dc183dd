//! Exact numbers: a numeric of the database as the text that PostgreSQL itself would write. In JSON
//! it is a string, since a JSON number is a float to most who read it.

use std::borrow::Cow;
use std::error::Error;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tokio_postgres::types::{FromSql, Type};

/// Money, a quantity, a rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decimal(pub String);

impl<'a> FromSql<'a> for Decimal {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        text(raw).map(Self).ok_or_else(|| "it is no finite numeric".into())
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::NUMERIC
    }
}

/// The functions of `own` answer JSON, where it may be a number: taken digit by digit.
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let digits = raw.get().trim_matches('"');
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.'));
        if plain && !digits.is_empty() {
            Ok(Self(digits.to_owned()))
        } else {
            Err(D::Error::custom("it is no decimal"))
        }
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" })
    }

    fn inline_schema() -> bool {
        true
    }
}

/// The binary form of a numeric (PostgreSQL, `numeric_send`): digits to the base of 10,000.
fn text(raw: &[u8]) -> Option<String> {
    let word = |at: usize| raw.get(at * 2..at * 2 + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let (count, weight, sign, scale) = (usize::from(word(0)?), word(1)?.cast_signed(), word(2)?, usize::from(word(3)?));
    if !matches!(sign, 0x0000 | 0x4000) {
        return None;
    }
    // The group of digits that stands for 10,000^power.
    let group = |power: i16| -> Option<u16> {
        match usize::try_from(i32::from(weight) - i32::from(power)) {
            Ok(index) if index < count => word(4 + index),
            _ => Some(0),
        }
    };
    let mut out = String::new();
    if sign == 0x4000 {
        out.push('-');
    }
    for power in (0..=weight.max(0)).rev() {
        let digits = group(power)?;
        if power == weight.max(0) { out.push_str(&digits.to_string()) } else { out.push_str(&format!("{digits:04}")) }
    }
    if scale > 0 {
        let mut fraction = String::new();
        let mut power = -1;
        while fraction.len() < scale {
            fraction.push_str(&format!("{:04}", group(power)?));
            power -= 1;
        }
        out.push('.');
        out.push_str(&fraction[..scale]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn numbers_read_as_postgresql_writes_them() {
        // numeric_send of each, taken from a server.
        for (words, expected) in [
            (vec![0, 0, 0, 0], "0"),
            (vec![0, 0, 0, 2], "0.00"),
            (vec![2, 0, 0, 2, 12, 3400], "12.34"),
            (vec![2, 0, 0x4000, 2, 12, 3400], "-12.34"),
            (vec![1, 1, 0, 0, 5], "50000"),
            (vec![1, 0xffff, 0, 4, 1], "0.0001"),
            (vec![1, 0xfffe, 0, 8, 1], "0.00000001"),
            (vec![3, 1, 0, 3, 1, 1, 5000], "10001.500"),
        ] {
            assert_eq!(text(&raw(&words)).as_deref(), Some(expected));
        }
        assert_eq!(text(&raw(&[0, 0, 0xc000, 0])), None);
    }

    #[test]
    fn a_number_of_json_keeps_its_digits() {
        let read = |json: &str| serde_json::from_str::<Decimal>(json).map(|decimal| decimal.0);
        assert_eq!(read("100.00").unwrap(), "100.00");
        assert_eq!(read("\"9007199254740993.01\"").unwrap(), "9007199254740993.01");
        assert!(read("1e5").is_err() && read("null").is_err() && read("\"x\"").is_err());
    }
}
