//! The reader: RFC 8259 to the letter, in one pass, in time and stack that the input cannot blow
//! up.

use std::fmt;

use super::Value;
use crate::problem::Place;

/// Why a text is not one JSON value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// JSON pointer to the innermost value that was being read.
    pub pointer: String,
    /// Where it was seen, in bytes of the text.
    pub offset: usize,
}

/// What is wrong with a text that should be JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonErrorKind {
    /// It ends, or goes on with nothing but NULs, before the value is complete: it may still be
    /// being written. (A writer on a network share may reserve the full size first, which reads as
    /// NULs.)
    Truncated,
    Syntax,
    /// Something other than white space follows the value.
    TrailingData,
    /// An object has a key twice.
    DupKey,
    /// More arrays and objects inside one another than allowed.
    Depth,
    /// A string escapes half a surrogate pair, which is no character.
    LoneSurrogate,
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the JSON ends before it is complete",
            Self::Syntax => "not valid JSON",
            Self::TrailingData => "something follows the JSON value",
            Self::DupKey => "a key stands twice in one object",
            Self::Depth => "too many arrays and objects inside one another",
            Self::LoneSurrogate => "half a surrogate pair in a string",
        })
    }
}

/// However many levels a caller allows, the stack allows these.
const DEEPEST: usize = 128;

/// Reads exactly one JSON value.
///
/// # Errors
/// The first fault in the text; a repeated key is found when its object ends.
pub fn read(text: &str, max_depth: usize) -> Result<Value, JsonError> {
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, levels: max_depth.min(DEEPEST) };
    reader.skip_white_space();
    let value = reader.value(0, &Place::Root)?;
    reader.skip_white_space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.error(JsonErrorKind::TrailingData, &Place::Root)),
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    levels: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize, place: &Place<'_>) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= self.levels => Err(self.error(JsonErrorKind::Depth, place)),
            Some(b'{') => self.object(depth, place),
            Some(b'[') => self.array(depth, place),
            Some(b'"') => self.string(place).map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(place).map(Value::Number),
            Some(b't') => self.literal("true", Value::Bool(true), place),
            Some(b'f') => self.literal("false", Value::Bool(false), place),
            Some(b'n') => self.literal("null", Value::Null, place),
            _ => Err(self.unexpected(place)),
        }
    }

    fn object(&mut self, depth: usize, place: &Place<'_>) -> Result<Value, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        self.skip_white_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected(place));
            }
            let key = self.string(place)?;
            self.skip_white_space();
            self.expect(b':', place)?;
            self.skip_white_space();
            let value = self.value(depth + 1, &place.key(&key))?;
            members.push((key, value));
            self.skip_white_space();
            if self.take(b'}') {
                break;
            }
            self.expect(b',', place)?;
            self.skip_white_space();
        }
        match repeated_key(&members) {
            None => Ok(Value::Object(members)),
            Some(key) => Err(self.error(JsonErrorKind::DupKey, &place.key(key))),
        }
    }

    fn array(&mut self, depth: usize, place: &Place<'_>) -> Result<Value, JsonError> {
        self.at += 1;
        let mut elements = Vec::new();
        self.skip_white_space();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value(depth + 1, &place.index(elements.len()))?);
            self.skip_white_space();
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            self.expect(b',', place)?;
            self.skip_white_space();
        }
    }

    fn string(&mut self, place: &Place<'_>) -> Result<String, JsonError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            text.push_str(&self.text[start..self.at]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape(place)?),
                _ => return Err(self.unexpected(place)),
            }
        }
    }

    fn escape(&mut self, place: &Place<'_>) -> Result<char, JsonError> {
        self.at += 1;
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(place),
            _ => return Err(self.unexpected(place)),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self, place: &Place<'_>) -> Result<char, JsonError> {
        let start = self.at - 1;
        let lone =
            |reader: &Self| Err(JsonError { offset: start, ..reader.error(JsonErrorKind::LoneSurrogate, place) });
        let first = self.hex_unit(place)?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).map_or_else(|| lone(self), Ok);
        }
        for expected in [b'\\', b'u'] {
            match self.peek() {
                Some(byte) if byte == expected => self.at += 1,
                None => return Err(self.unexpected(place)),
                Some(_) => return lone(self),
            }
        }
        self.at -= 1;
        let second = self.hex_unit(place)?;
        if !(0xDC00..0xE000).contains(&second) {
            return lone(self);
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).map_or_else(|| lone(self), Ok)
    }

    /// The four digits behind the `u` that the reader stands on.
    fn hex_unit(&mut self, place: &Place<'_>) -> Result<u32, JsonError> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return Err(self.unexpected(place));
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self, place: &Place<'_>) -> Result<String, JsonError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits(place)?;
        }
        if self.take(b'.') {
            self.digits(place)?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits(place)?;
        }
        Ok(self.text[start..self.at].to_owned())
    }

    fn digits(&mut self, place: &Place<'_>) -> Result<(), JsonError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.unexpected(place)) }
    }

    fn literal(&mut self, word: &str, value: Value, place: &Place<'_>) -> Result<Value, JsonError> {
        word.bytes().try_for_each(|byte| self.expect(byte, place))?;
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8, place: &Place<'_>) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected(place)) }
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, place: &Place<'_>) -> JsonError {
        let rest_is_unwritten = self.bytes[self.at..].iter().all(|byte| *byte == 0);
        self.error(if rest_is_unwritten { JsonErrorKind::Truncated } else { JsonErrorKind::Syntax }, place)
    }

    fn error(&self, kind: JsonErrorKind, place: &Place<'_>) -> JsonError {
        JsonError { kind, pointer: place.pointer(), offset: self.at }
    }
}

/// A key that stands twice. Few keys are compared one by one, many are sorted: a hostile object
/// costs no square.
pub(crate) fn repeated_key(members: &[(String, Value)]) -> Option<&str> {
    if members.len() <= 12 {
        let seen_before =
            |(index, (key, _)): &(usize, &(String, Value))| members[..*index].iter().any(|(k, _)| k == key);
        return members.iter().enumerate().find(seen_before).map(|(_, (key, _))| key.as_str());
    }
    let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
