//! Sets: each element of a set column is a register of its own.
//!
//! A register is named after its column and its element: `tags/vip`. It says whether the element is
//! there. So who removes one element and who adds another do not meet, and an element that was
//! removed does not come back because somebody added another one meanwhile. An element that is
//! added and removed at once stays, and is on record.
//!
//! The element of a set that only grows is named with a plus: `allergens+nuts`. Nothing but `true`
//! can be written into it. So what a patch means is said by the patch, and not by what the receiver
//! has been told of the column. No column has a slash or a plus in its name: what stands behind the
//! first one is the element, whatever is in it, and nothing is escaped.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::Head;
use super::choose::Choice;
use crate::json::Value;

/// How a set changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetRule {
    /// Elements are added and removed.
    Union,
    /// Elements are added.
    GrowOnly,
}

impl SetRule {
    /// Reads the word that `sync.track` is told.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "union" => Some(Self::Union),
            "grow_only" => Some(Self::GrowOnly),
            _ => None,
        }
    }

    /// The name of an element's register.
    pub fn register(self, column: &str, element: &str) -> String {
        let separator = if self == Self::Union { '/' } else { '+' };
        format!("{column}{separator}{element}")
    }
}

/// The register of an element, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'r> {
    /// The set.
    pub column: &'r str,
    /// How it changes.
    pub rule: SetRule,
    /// The element.
    pub name: &'r str,
}

impl<'r> Element<'r> {
    /// The element that a register stands for; none if it is the register of a column.
    pub fn of(register: &'r str) -> Option<Self> {
        let place = register.find(['/', '+'])?;
        let (column, rest) = register.split_at(place);
        let rule = if rest.starts_with('/') { SetRule::Union } else { SetRule::GrowOnly };
        Some(Self { column, rule, name: &rest[1..] })
    }
}

/// Chooses whether an element is there: it is if one of the heads that count says so.
pub(super) fn choose_element(heads: &[Head], entitled: &[Head]) -> Option<Choice> {
    let is_there = entitled.iter().any(|head| head.value == Value::Bool(true));
    (!heads.is_empty()).then(|| Choice::of(heads, Value::Bool(is_there)))
}

/// Elements of a set, at most, where somebody writes one. A merge unites sets of several nodes and
/// counts nothing.
const MAX_ELEMENTS: usize = 500;

/// Characters of an element, at most: it is part of the name of a register, of heads and of
/// conflicts.
const MAX_CHARS: usize = 100;

/// A set in its one form: sorted, each element once, as composed characters.
///
/// # Errors
/// What is wrong with it, as the text of a sentence.
pub fn as_set(value: &Value) -> Result<Value, &'static str> {
    let elements = value.as_array().ok_or("a set is an array of texts")?;
    let text = |element: &Value| Some(element.as_str()?.nfc().collect::<String>());
    let elements = elements.iter().map(text).collect::<Option<BTreeSet<String>>>();
    let elements = elements.ok_or("a set is an array of texts")?;
    if elements.len() > MAX_ELEMENTS {
        return Err("a set has 500 elements at most");
    }
    if elements.iter().any(|element| element.is_empty() || element.chars().count() > MAX_CHARS) {
        return Err("an element of a set has 1 to 100 characters");
    }
    Ok(set_of(elements.iter().map(String::as_str)))
}

/// A set as its column shows it: each element once, sorted by bytes. `jsonb` holds no U+0000: an
/// element with one stays in its register, and no column shows it.
pub fn set_of<'e>(elements: impl IntoIterator<Item = &'e str>) -> Value {
    let sorted: BTreeSet<&str> = elements.into_iter().filter(|element| !element.contains('\0')).collect();
    Value::Array(sorted.into_iter().map(|element| Value::String(element.to_owned())).collect())
}
