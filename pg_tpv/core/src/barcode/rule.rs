//! Rules for in-store numbers, as rows of `catalog.barcode_rule` declare them: which numbers a rule
//! is about, and which of their digits are the item and the price, weight or count.

use chrono::NaiveDate;

use crate::json::{SettingsReader, Value};
use crate::problem::{Place, Problem};

/// One rule. It is anchored: a number is its own only with this prefix and exactly this length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarcodeRule {
    pub(super) name: String,
    /// The digits the number begins with.
    pub(super) prefix: String,
    /// How many digits the number has, check digit included.
    pub(super) length: usize,
    /// The digits that name the item.
    pub(super) item: Option<Slice>,
    /// The digits that are the value.
    pub(super) value: Option<Slice>,
    pub(super) kind: ValueKind,
    /// How many digits of the value stand behind the decimal point.
    pub(super) decimals: u32,
    /// The check digit of the price inside, and its position.
    pub(super) inner_check: Option<(InnerCheck, usize)>,
    /// The only store it holds in.
    pub(super) store: Option<String>,
    /// The only department it holds in.
    pub(super) department: Option<String>,
    /// The first day it holds.
    pub(super) valid_from: Option<NaiveDate>,
    /// The last day it holds.
    pub(super) valid_to: Option<NaiveDate>,
    /// Among several that fit, the lowest goes first; then the order they are given in.
    pub(super) priority: u32,
}

/// Some digits of a number. `start` counts from 1, as `substring` in SQL and GS1's N1, N2 … do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Position of the first digit, from 1.
    pub start: usize,
    pub length: usize,
}

impl Slice {
    /// These digits of `code`; none when it is too short.
    pub fn of<'c>(&self, code: &'c str) -> Option<&'c str> {
        let before = self.start.checked_sub(1)?;
        code.get(before..before.checked_add(self.length)?)
    }
}

/// What the value inside a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// The price of the whole label.
    Price,
    /// The weight, in the unit that `decimals` makes of it.
    Weight,
    Count,
    /// The number or the amount of a ticket.
    Ticket,
}

impl ValueKind {
    /// The word in JSON and in the catalog.
    pub fn word(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::Weight => "weight",
            Self::Count => "count",
            Self::Ticket => "ticket",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Price, Self::Weight, Self::Count, Self::Ticket].into_iter().find(|kind| kind.word() == word)
    }
}

/// A GS1 price verifier digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InnerCheck {
    /// Over four digits.
    Price4,
    /// Over five digits.
    Price5,
}

impl InnerCheck {
    /// How many digits it is calculated from.
    pub fn digits(self) -> usize {
        match self {
            Self::Price4 => 4,
            Self::Price5 => 5,
        }
    }

    fn from_word(word: &str) -> Option<Option<Self>> {
        match word {
            "none" => Some(None),
            "price4" => Some(Some(Self::Price4)),
            "price5" => Some(Some(Self::Price5)),
            _ => None,
        }
    }
}

const CODE: &str = "BARCODE_RULE";
const LONGEST: u32 = 32;

impl BarcodeRule {
    /// Reads an array of rules.
    ///
    /// # Errors
    /// Every fault, as `BARCODE_RULE` with its pointer.
    pub fn list_from_json(rules: &Value) -> Result<Vec<Self>, Vec<Problem>> {
        let Some(rules) = rules.as_array() else {
            return Err(vec![Problem::new(CODE, "", "barcode rules are an array")]);
        };
        let mut problems = Vec::new();
        let read = |(index, rule)| Self::read(SettingsReader::new(rule, Place::Root.index(index), CODE, &mut problems));
        let list: Vec<_> = rules.iter().enumerate().filter_map(read).collect();
        if problems.is_empty() { Ok(list) } else { Err(problems) }
    }

    /// Reads one rule; what is wrong with it is recorded where `declared` records.
    pub(crate) fn read(mut declared: SettingsReader<'_, '_>) -> Option<Self> {
        let d = &mut declared;
        let digits = |text: &str| {
            let right = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            right.then(|| text.to_owned())
        };
        let prefix = d.parsed("prefix", "this must be a text of digits", digits);
        let length = d.whole("length", 1..=LONGEST);
        let kind = d.parsed("kind", "this must be price, weight, count or ticket", ValueKind::from_word);
        let (prefix, length, kind) =
            (d.required("prefix", prefix), d.required("length", length), d.required("kind", kind));
        let item = d.object("item", read_slice).flatten();
        let value = d.object("value", read_slice).flatten();
        let inner = d.parsed("inner_check", "this must be none, price4 or price5", InnerCheck::from_word).flatten();
        let inner_position = d.whole("inner_check_position", 1..=LONGEST);
        let date = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let rule = Self {
            name: d.text("name").unwrap_or_default().to_owned(),
            prefix: prefix.unwrap_or_default(),
            length: length.unwrap_or(LONGEST) as usize,
            item,
            value,
            kind: kind.unwrap_or(ValueKind::Ticket),
            decimals: d.whole("decimals", 0..=6).unwrap_or(0),
            // Without a position, the digit stands right before its price, as in N6 of a 13-digit
            // label.
            inner_check: inner.map(|check| {
                (check, inner_position.map_or_else(|| value.map_or(0, |slice| slice.start - 1), |at| at as usize))
            }),
            store: d.text("store").map(str::to_owned),
            department: d.text("department").map(str::to_owned),
            valid_from: d.parsed("valid_from", "this must be a date, YYYY-MM-DD", date),
            valid_to: d.parsed("valid_to", "this must be a date, YYYY-MM-DD", date),
            priority: d.whole("priority", 0..=1_000_000).unwrap_or(0),
        };
        rule.check(d);
        declared.finish();
        Some(rule)
    }

    /// What is wrong with the rule as a whole.
    fn check(&self, d: &mut SettingsReader<'_, '_>) {
        let outside = |slice: &Slice| slice.start - 1 + slice.length > self.length;
        if self.prefix.len() > self.length {
            d.fault::<()>("prefix", "the prefix is longer than the number");
        }
        if self.item.as_ref().is_some_and(outside) {
            d.fault::<()>("item", "these digits reach beyond the number");
        }
        if self.value.as_ref().is_some_and(outside) {
            d.fault::<()>("value", "these digits reach beyond the number");
        }
        if self.value.is_none() && self.kind != ValueKind::Ticket {
            d.fault::<()>("value", "this must say which digits are the value");
        }
        if let Some((check, position)) = self.inner_check {
            let fits = self.value.is_some_and(|slice| {
                slice.length == check.digits() && !(slice.start..slice.start + slice.length).contains(&position)
            });
            if !fits || !(1..=self.length).contains(&position) {
                d.fault::<()>("inner_check", "its value must have as many digits, and its own position beside them");
            }
        }
        if self.valid_from.zip(self.valid_to).is_some_and(|(from, to)| from > to) {
            d.fault::<()>("valid_to", "the last day is before the first");
        }
    }
}

fn read_slice(mut d: SettingsReader<'_, '_>) -> Option<Slice> {
    let (start, length) = (d.whole("start", 1..=LONGEST), d.whole("length", 1..=18));
    let (start, length) = (d.required("start", start), d.required("length", length));
    d.finish();
    Some(Slice { start: start? as usize, length: length? as usize })
}
