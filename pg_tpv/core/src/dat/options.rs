use std::ops::RangeInclusive;

use crate::json::Value;
use crate::problem::{Place, Problem};

/// One object of a profile, read key by key; `null` counts as not given.
///
/// What is wrong is noted and reading goes on, so that all faults come at once.
pub(super) struct Options<'v, 'f> {
    entries: &'v [(String, Value)],
    pub pointer: String,
    pub problems: &'f mut Vec<Problem>,
}

impl<'v, 'f> Options<'v, 'f> {
    /// `what` names the object in the fault when `value` is none.
    pub(super) fn open(value: &'v Value, pointer: String, what: &str, problems: &'f mut Vec<Problem>) -> Option<Self> {
        let Value::Object(entries) = value else {
            problems.push(Problem::new("WRONG_TYPE", pointer, format!("{what} is an object")));
            return None;
        };
        Some(Self { entries, pointer, problems })
    }

    /// Notes every key that is not `accepted`, or stands twice.
    pub(super) fn only(&mut self, accepted: &[&str]) {
        for (index, (key, _)) in self.entries.iter().enumerate() {
            if !accepted.contains(&key.as_str()) {
                self.fault("UNKNOWN_KEY", key, format!("this key is not known; accepted are {}", accepted.join(", ")));
            } else if self.entries[..index].iter().any(|(earlier, _)| earlier == key) {
                self.fault("DUP_KEY", key, "this key stands twice");
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'v Value> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    pub(super) fn at(&self, key: &str) -> String {
        format!("{}{}", self.pointer, Place::Root.key(key).pointer())
    }

    pub(super) fn fault(&mut self, code: &'static str, key: &str, detail: impl Into<String>) {
        let pointer = self.at(key);
        self.problems.push(Problem::new(code, pointer, detail));
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.get(key) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.fault("WRONG_TYPE", key, "this is true or false");
                default
            }
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Option<&'v str> {
        match self.get(key)? {
            Value::String(text) => Some(text),
            _ => {
                self.fault("WRONG_TYPE", key, "this is text");
                None
            }
        }
    }

    /// A character that is one byte of any encoding and never a control.
    pub(super) fn ascii_char(&mut self, key: &str) -> Option<u8> {
        match self.text(key)?.as_bytes() {
            [byte @ b' '..=b'~'] => Some(*byte),
            _ => {
                self.fault("BAD_VALUE", key, "this is one printable ASCII character");
                None
            }
        }
    }

    pub(super) fn integer(&mut self, key: &str, range: RangeInclusive<usize>) -> Option<usize> {
        let Value::Number(text) = self.get(key)? else {
            self.fault("WRONG_TYPE", key, format!("this is a whole number, {} to {}", range.start(), range.end()));
            return None;
        };
        // `+5` is not JSON, and a reader that passed it on should not make it one.
        let number = text.parse().ok().filter(|number| range.contains(number) && !text.starts_with('+'));
        if number.is_none() {
            self.fault("BAD_VALUE", key, format!("this is a whole number, {} to {}", range.start(), range.end()));
        }
        number
    }

    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let accepted = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let Value::String(text) = self.get(key)? else {
            self.fault("WRONG_TYPE", key, format!("this is one of {}", accepted()));
            return None;
        };
        let chosen = choices.iter().find(|(name, _)| name == text).map(|(_, choice)| *choice);
        if chosen.is_none() {
            self.fault("BAD_VALUE", key, format!("this is one of {}", accepted()));
        }
        chosen
    }
}
