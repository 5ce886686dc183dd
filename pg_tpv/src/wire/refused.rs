//! A row that is not stored.

use tpv_core::hash_chain::sha256;
use tpv_core::json::Value;
use tpv_core::row_limits::KEPT_VALUE;

use super::tuple::hex;

/// A row that is not stored.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The node that the row names.
    pub node_id: i32,
    /// Kind of the document, or the table of the operation.
    pub kind: String,
    pub row: Value,
}

impl Refused {
    /// What can be told of a row that is not read.
    pub fn outline(node_id: Option<i32>, kind: Option<String>, table: &str, known: Vec<(&str, Value)>) -> Self {
        let row = known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let kind = kind.unwrap_or_else(|| table.to_owned());
        Self { node_id: node_id.unwrap_or_default(), kind, row: Value::Object(row) }
    }

    pub fn note(&mut self, name: &str, value: Value) {
        if let Value::Object(members) = &mut self.row {
            members.push((name.to_owned(), value));
        }
    }

    /// What is kept: of a long value its size and its hash.
    pub fn kept(&self) -> Value {
        let Value::Object(members) = &self.row else { return self.row.clone() };
        let kept = members.iter().map(|(name, value)| match value {
            Value::String(text) if text.len() > KEPT_VALUE => {
                let size = ("octets".to_owned(), Value::Number(text.len().to_string()));
                let hash = ("sha256".to_owned(), Value::String(hex(&sha256(text.as_bytes()))));
                (name.clone(), Value::Object(vec![size, hash]))
            }
            value => (name.clone(), value.clone()),
        });
        Value::Object(kept.collect())
    }
}

/// A number that may be missing.
pub fn number(number: Option<i64>) -> Value {
    number.map_or(Value::Null, |number| Value::Number(number.to_string()))
}

/// A text that may be missing.
pub fn text(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::String)
}
