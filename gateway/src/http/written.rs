//! Texts that must be written in a certain way, refused where they are not. The pattern is for the
//! document; `is_right` says the same.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Nothing but digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digits(pub String);

/// An amount such as 12.30 or -5.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Amount(pub String);

impl Digits {
    const PATTERN: &str = "^[0-9]{1,12}$";

    fn is_right(text: &str) -> bool {
        (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl Amount {
    const PATTERN: &str = r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$";

    fn is_right(text: &str) -> bool {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let whole = whole.strip_prefix('-').unwrap_or(whole);
        Digits::is_right(whole) && Digits::is_right(fraction) && fraction.len() <= 4
    }
}

macro_rules! written {
    ($($name:ident),*) => {
        $(
            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = String::deserialize(deserializer)?;
                    if Self::is_right(&text) { Ok(Self(text)) } else { Err(D::Error::custom("it is not written so")) }
                }
            }

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", "pattern": Self::PATTERN })
                }

                fn inline_schema() -> bool {
                    true
                }
            }
        )*
    };
}

written!(Digits, Amount);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_numbers() {
        for right in ["0", "12.30", "-5", "123456789012.1234"] {
            assert!(Amount::is_right(right), "{right}");
        }
        for wrong in ["", "-", ".5", "5.", "1e3", "NaN", "+1", "1.23456", "1234567890123", "--1", "1.-2", " 1"] {
            assert!(!Amount::is_right(wrong), "{wrong}");
        }
    }
}
