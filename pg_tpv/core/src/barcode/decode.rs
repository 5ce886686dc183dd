//! What a scanned or printed number means.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::check::{all_digits, check_digit_ok, gtin14, price4_check_digit, price5_check_digit};
use super::rule::{BarcodeRule, InnerCheck, ValueKind};
use crate::json::Value;

/// What a number turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub code: String,
    /// What sort of number it is.
    pub kind: NumberKind,
    /// Its 14-digit form, when it is a GTIN with a right check digit.
    pub gtin14: Option<String>,
    /// Whether the check digit is right; none when it has no length of a GTIN.
    pub check_digit_ok: Option<bool>,
    /// What the first rule that fits reads in it.
    pub reading: Option<Reading>,
}

/// A sort of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// A trade item anywhere in the world.
    Gtin,
    Plu,
    /// A number for use inside a region or a company.
    Restricted,
    Unknown,
}

impl NumberKind {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gtin => "gtin",
            Self::Plu => "plu",
            Self::Restricted => "restricted",
            Self::Unknown => "unknown",
        }
    }
}

/// What a rule reads in a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub rule: String,
    /// The digits that the rule is about.
    pub prefix: String,
    pub value_kind: ValueKind,
    /// The digits of the item.
    pub item: Option<String>,
    /// The value; none when the inner check digit contradicts it.
    pub value: Option<Decimal>,
    /// Whether the inner check digit is right; none when the rule has none.
    pub inner_check_ok: Option<bool>,
}

/// Where and when a number was read. What is not given excludes no rule.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    pub store: Option<&'a str>,
    pub department: Option<&'a str>,
    pub on: Option<NaiveDate>,
}

/// What `code` means under `rules`, wherever and whenever it is read.
pub fn decode(code: &str, rules: &[BarcodeRule]) -> Decoded {
    decode_in(code, rules, Scope::default())
}

/// What `code` means under those of `rules` that hold in `scope`. A wrong outer check digit was
/// misread or mistyped: no rule may read it.
pub fn decode_in(code: &str, rules: &[BarcodeRule], scope: Scope<'_>) -> Decoded {
    let check_digit_ok = check_digit_ok(code);
    let gtin14 = gtin14(code);
    let reading = if check_digit_ok == Some(false) { None } else { reading_in(code, rules, scope) };
    let kind = match &gtin14 {
        _ if reading.is_some() => NumberKind::Restricted,
        Some(gtin) if is_restricted(code, gtin) => NumberKind::Restricted,
        Some(_) => NumberKind::Gtin,
        None if super::is_plu(code) => NumberKind::Plu,
        None => NumberKind::Unknown,
    };
    Decoded { code: code.to_owned(), kind, gtin14, check_digit_ok, reading }
}

/// What the first of `rules` that fits and holds in `scope` reads in `code`, whatever its outer
/// check digit is.
pub(crate) fn reading_in(code: &str, rules: &[BarcodeRule], scope: Scope<'_>) -> Option<Reading> {
    let fitting = rules.iter().filter(|rule| rule.holds_for(code) && rule.holds_in(scope));
    fitting.min_by_key(|rule| rule.priority).map(|rule| rule.reading(code))
}

/// Restricted circulation numbers of GS1: 02, 04 and 20 to 29 in the 13-digit form, 0 and 2 in the
/// 8-digit one.
fn is_restricted(code: &str, gtin14: &str) -> bool {
    match code.len() {
        8 => code.starts_with(['0', '2']),
        _ => ["002", "004", "02"].iter().any(|prefix| gtin14.starts_with(prefix)),
    }
}

impl BarcodeRule {
    fn holds_for(&self, code: &str) -> bool {
        code.len() == self.length && code.starts_with(&self.prefix) && all_digits(code)
    }

    fn holds_in(&self, scope: Scope<'_>) -> bool {
        let same = |rule: &Option<String>, here: Option<&str>| {
            rule.as_deref().zip(here).is_none_or(|(rule, here)| rule == here)
        };
        same(&self.store, scope.store)
            && same(&self.department, scope.department)
            && scope.on.is_none_or(|day| {
                self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
            })
    }

    fn reading(&self, code: &str) -> Reading {
        let digits = self.value.and_then(|slice| slice.of(code));
        let inner_check_ok = self.inner_check.map(|(check, position)| {
            let right = digits.and_then(|digits| match check {
                InnerCheck::Price4 => price4_check_digit(digits),
                InnerCheck::Price5 => price5_check_digit(digits),
            });
            right.is_some() && position.checked_sub(1).and_then(|before| code.chars().nth(before)) == right
        });
        let value = digits.filter(|_| inner_check_ok != Some(false)).and_then(|digits| digits.parse().ok());
        Reading {
            rule: self.name.clone(),
            prefix: self.prefix.clone(),
            value_kind: self.kind,
            item: self.item.and_then(|slice| slice.of(code)).map(str::to_owned),
            value: value.map(|whole: i64| Decimal::new(whole, self.decimals)),
            inner_check_ok,
        }
    }
}

impl Decoded {
    /// The object that `tpv.barcode_decode` answers. Of `rule`, `item`, `value`, `value_kind` and
    /// `inner_check_ok` it has those that a rule gave.
    pub fn to_json(&self) -> Value {
        let text = |text: &str| Value::String(text.to_owned());
        let mut members = vec![
            ("code".to_owned(), text(&self.code)),
            ("kind".to_owned(), text(self.kind.word())),
            ("gtin14".to_owned(), self.gtin14.as_deref().map_or(Value::Null, text)),
            ("check_digit_ok".to_owned(), self.check_digit_ok.map_or(Value::Null, Value::Bool)),
        ];
        if let Some(reading) = &self.reading {
            members.push(("rule".to_owned(), text(&reading.rule)));
            members.push(("value_kind".to_owned(), text(reading.value_kind.word())));
            members.extend(reading.item.as_deref().map(|item| ("item".to_owned(), text(item))));
            members.extend(reading.value.map(|value| ("value".to_owned(), Value::Number(value.to_string()))));
            members.extend(reading.inner_check_ok.map(|right| ("inner_check_ok".to_owned(), Value::Bool(right))));
        }
        Value::Object(members)
    }
}
