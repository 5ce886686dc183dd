//! Reads an object of settings. A key that no reader asks for is a mistake of the person who wrote
//! it, and is reported.

use std::ops::RangeInclusive;

use super::Value;
use crate::problem::{Place, Problem};

/// An object of settings while it is read. `null` counts as not given.
pub(crate) struct SettingsReader<'v, 'p> {
    members: &'v [(String, Value)],
    place: Place<'p>,
    code: &'static str,
    asked: Vec<&'static str>,
    problems: &'p mut Vec<Problem>,
}

impl<'v, 'p> SettingsReader<'v, 'p> {
    /// Starts on `value`; what is wrong with it goes to `problems` under `code`.
    pub(crate) fn new(value: &'v Value, place: Place<'p>, code: &'static str, problems: &'p mut Vec<Problem>) -> Self {
        let members = value.as_object().unwrap_or_else(|| {
            problems.push(Problem::new(code, place.pointer(), "this must be an object"));
            &[]
        });
        Self { members, place, code, asked: Vec::new(), problems }
    }

    /// The value of a key, whatever it is.
    pub(crate) fn any(&mut self, key: &'static str) -> Option<&'v Value> {
        self.asked.push(key);
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<&'v str> {
        let value = self.any(key)?;
        let text = value.as_str().filter(|text| !text.is_empty());
        text.or_else(|| self.fault(key, "this must be a text that is not empty"))
    }

    /// A text that `read` understands; `wanted` says what it understands.
    pub(crate) fn parsed<T>(&mut self, key: &'static str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.any(key)?;
        value.as_str().and_then(read).or_else(|| self.fault(key, wanted))
    }

    /// `true` or `false`; false when not given.
    pub(crate) fn yes(&mut self, key: &'static str) -> bool {
        let Some(value) = self.any(key) else { return false };
        value.as_bool().or_else(|| self.fault(key, "this must be true or false")).unwrap_or_default()
    }

    /// A whole number within `range`.
    pub(crate) fn whole(&mut self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let value = self.any(key)?;
        let number = value.as_number().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
        number.or_else(|| {
            self.fault(key, &format!("this must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// An object within, read by `read`.
    pub(crate) fn object<T>(&mut self, key: &'static str, read: impl FnOnce(SettingsReader<'v, '_>) -> T) -> Option<T> {
        let value = self.any(key)?;
        Some(read(SettingsReader::new(value, self.place.key(key), self.code, self.problems)))
    }

    /// An array within, each element read by `read`.
    pub(crate) fn each<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(SettingsReader<'v, '_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.any(key) else { return Vec::new() };
        let Some(elements) = value.as_array() else {
            return self.fault(key, "this must be an array").unwrap_or_default();
        };
        let list = self.place.key(key);
        let element =
            |(index, element)| read(SettingsReader::new(element, list.index(index), self.code, self.problems));
        elements.iter().enumerate().filter_map(element).collect()
    }

    /// An array of texts within, each as `read` understands it; sorted, each once.
    pub(crate) fn texts(
        &mut self,
        key: &'static str,
        wanted: &str,
        read: impl Fn(&str) -> Option<String>,
    ) -> Vec<String> {
        let Some(value) = self.any(key) else { return Vec::new() };
        let Some(elements) = value.as_array() else {
            return self.fault(key, "this must be an array").unwrap_or_default();
        };
        let list = self.place.key(key);
        let mut texts = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            match element.as_str().and_then(&read) {
                Some(text) => texts.push(text),
                None => self.problems.push(Problem::new(self.code, list.index(index).pointer(), wanted)),
            }
        }
        texts.sort_unstable();
        texts.dedup();
        texts
    }

    /// Asserts that a required setting was given.
    pub(crate) fn required<T>(&mut self, key: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.members.iter().any(|(name, given)| name == key && !given.is_null()) {
            return self.fault(key, "this must be given");
        }
        value
    }

    /// Records that the value of `key` is wrong.
    pub(crate) fn fault<T>(&mut self, key: &str, detail: &str) -> Option<T> {
        self.problems.push(Problem::new(self.code, self.place.key(key).pointer(), detail));
        None
    }

    /// Ends the reading: whatever was not asked for is unknown.
    pub(crate) fn finish(self) {
        for (key, _) in self.members.iter().filter(|(key, _)| !self.asked.contains(&key.as_str())) {
            let detail = format!("no such setting; there are {}", self.asked.join(", "));
            self.problems.push(Problem::new(self.code, self.place.key(key).pointer(), detail));
        }
    }
}
