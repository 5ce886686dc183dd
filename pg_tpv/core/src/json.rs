//! A strict JSON reader that keeps every number as it was written.

/// A JSON value whose numbers are still text, so that no digit is lost.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exactly as written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object; keys keep the order of the input.
    Object(Vec<(String, Value)>),
}
