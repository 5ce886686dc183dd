//! Strict JSON whose numbers stay text, so that no digit is lost, and its one canonical form.

mod read;
mod settings;

pub(crate) use read::JsonErrorKind;
pub(crate) use read::repeated_key;
pub use read::{JsonError, read};
pub(crate) use settings::SettingsReader;

use crate::numeric;

/// What a file may be at most. Beyond any of them it is quarantined, before it can cost time or
/// memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub max_bytes: usize,
    /// Arrays and objects inside one another; the outermost counts as 1.
    pub max_depth: usize,
    /// Lines of a receipt.
    pub max_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 2 * 1024 * 1024, max_depth: 16, max_lines: 2000 }
    }
}

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

impl Value {
    /// The member `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// A number as it is written.
    pub fn as_number(&self) -> Option<&str> {
        if let Self::Number(text) = self { Some(text) } else { None }
    }

    /// Whether a `jsonb` holds all numbers in it.
    pub fn is_held(&self) -> bool {
        match self {
            Self::Number(number) => numeric::is_held(number),
            Self::Array(elements) => elements.iter().all(Self::is_held),
            Self::Object(members) => members.iter().all(|(_, value)| value.is_held()),
            Self::Null | Self::Bool(_) | Self::String(_) => true,
        }
    }

    /// A number that is a plain whole one, not negative, and fits.
    pub fn as_usize(&self) -> Option<usize> {
        self.as_number()?.parse().ok()
    }

    /// `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(yes) = self { Some(*yes) } else { None }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Self::Array(elements) = self { Some(elements) } else { None }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&[(String, Value)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The text that is stored and hashed: keys sorted by their UTF-8 bytes, no white space,
    /// strings escaped as `serde_json` does (only what RFC 8259 requires), numbers as they stand.
    pub fn to_canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) if members.is_sorted_by(|(a, _), (b, _)| a <= b) => {
                write_members(members.iter(), out)
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
                write_members(sorted.into_iter(), out);
            }
        }
    }
}

fn write_members<'a>(members: impl Iterator<Item = &'a (String, Value)>, out: &mut String) {
    out.push('{');
    for (index, (key, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(key, out);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

fn write_string(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push('"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0C => "\\f",
            0x00..0x20 => "\\u00",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        out.push_str(short);
        if short.len() > 2 {
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
        written = at + 1;
    }
    out.push_str(&text[written..]);
    out.push('"');
}

#[cfg(test)]
mod tests;
