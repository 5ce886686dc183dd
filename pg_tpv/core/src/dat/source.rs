//! Where a field's value comes from: a line, the receipt, or something counted over the lines.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::date::Moment;
use super::number::Exact;
use super::render_error::{RenderError, RenderErrorKind};
use crate::json::Value;
use crate::problem::Place;

/// A source, as the profile names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The line, then the receipt: how the legacy form looks a name up.
    Nearest(String),
    Line(String),
    Receipt(String),
    LineCount,
    LineNumber,
    LineTotal,
    Sum(Column),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Price,
    Quantity,
    LineTotal,
}

impl Origin {
    pub(super) const ACCEPTED: &'static str = "a key of the line or of the receipt, `line.` or `receipt.` and a key, \
        `lineCount`, `lineNumber`, `lineTotal`, `sum(price)`, `sum(quantity)` or `sum(lineTotal)`";

    /// Computed names win over keys of the same name, which `line.` and `receipt.` still reach.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(column) =
            text.strip_prefix("sum:").or_else(|| text.strip_prefix("sum(").and_then(|rest| rest.strip_suffix(')')))
        {
            return Some(Self::Sum(match column {
                "price" => Column::Price,
                "quantity" => Column::Quantity,
                "lineTotal" => Column::LineTotal,
                _ => return None,
            }));
        }
        let key = |key: &str| (!key.is_empty()).then(|| key.to_owned());
        match text {
            "lineCount" => Some(Self::LineCount),
            "lineNumber" => Some(Self::LineNumber),
            "lineTotal" => Some(Self::LineTotal),
            _ => match (text.strip_prefix("line."), text.strip_prefix("receipt.")) {
                (Some(rest), _) => key(rest).map(Self::Line),
                (_, Some(rest)) => key(rest).map(Self::Receipt),
                _ => key(text).map(Self::Nearest),
            },
        }
    }

    /// Whether it only means something within a line.
    pub(super) fn needs_line(&self) -> bool {
        matches!(self, Self::Line(_) | Self::LineNumber | Self::LineTotal)
    }

    /// Where the value would stand.
    pub(super) fn pointer(&self, line: Option<usize>) -> String {
        match self {
            Self::Nearest(key) | Self::Line(key) => pointer(line, key),
            Self::Receipt(key) => pointer(None, key),
            Self::LineCount | Self::LineNumber | Self::LineTotal | Self::Sum(_) => "/items".to_owned(),
        }
    }
}

type Object = [(String, Value)];

/// A receipt that has the outline of one.
pub(super) struct Ticket<'r> {
    receipt: &'r Object,
    pub lines: Vec<&'r Object>,
    sums: [OnceCell<Result<Exact, RenderError>>; 3],
}

/// A value and where it stands.
pub(super) struct Found<'t> {
    pub value: Cow<'t, Value>,
    line: Option<usize>,
    key: &'t str,
}

impl Found<'_> {
    pub(super) fn pointer(&self) -> String {
        pointer(self.line, self.key)
    }
}

/// JSON pointer to `key` of a line (to the line itself without a key), or of the receipt.
pub(super) fn pointer(line: Option<usize>, key: &str) -> String {
    let items = Place::Root.key("items");
    match line {
        Some(index) if key.is_empty() => items.index(index).pointer(),
        Some(index) => items.index(index).key(key).pointer(),
        None => Place::Root.key(key).pointer(),
    }
}

/// The value of `key`; `null` is the same as nothing.
///
/// Of two keys the last counts: what the caller adds goes to the end.
fn lookup<'r>(object: &'r Object, key: &str) -> Option<&'r Value> {
    object.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value).filter(|value| **value != Value::Null)
}

fn wrong_type(detail: &str) -> RenderError {
    RenderError::new(RenderErrorKind::WrongType, detail)
}

impl<'r> Ticket<'r> {
    pub(super) fn open(receipt: &'r Value) -> Result<Self, RenderError> {
        let mut ticket = Self::without_lines(receipt)?;
        let items = match lookup(ticket.receipt, "items") {
            Some(Value::Array(items)) => items,
            Some(_) => return Err(wrong_type("`items` is an array of lines").at("/items")),
            None => return Err(missing().at("/items")),
        };
        for (index, item) in items.iter().enumerate() {
            let Value::Object(line) = item else {
                return Err(wrong_type("a line is an object").at(format!("/items/{index}")));
            };
            ticket.lines.push(line);
        }
        Ok(ticket)
    }

    /// Enough for a name, which shows nothing of the lines.
    pub(super) fn without_lines(receipt: &'r Value) -> Result<Self, RenderError> {
        let Value::Object(receipt) = receipt else { return Err(wrong_type("a receipt is an object")) };
        Ok(Self { receipt, lines: Vec::new(), sums: [const { OnceCell::new() }; 3] })
    }

    /// The value of the receipt's `key`, if it has one.
    pub(super) fn value(&self, key: &str) -> Option<&'r Value> {
        lookup(self.receipt, key)
    }

    /// The value of `origin`, in the line of that index or outside of lines; `None` when the
    /// receipt lacks it.
    pub(super) fn find<'t>(
        &'t self,
        origin: &'t Origin,
        line: Option<usize>,
    ) -> Result<Option<Found<'t>>, RenderError> {
        let in_line = |key: &'t str| {
            let index = line?;
            let value = lookup(self.lines.get(index)?, key)?;
            Some(Found { value: Cow::Borrowed(value), line, key })
        };
        let in_receipt = |key: &'t str| -> Option<Found<'t>> {
            Some(Found { value: Cow::Borrowed(self.value(key)?), line: None, key })
        };
        let computed = |value: Exact, line, key: &'static str| {
            Some(Found { value: Cow::Owned(Value::Number(value.to_text())), line, key })
        };
        Ok(match origin {
            Origin::Nearest(key) => match in_line(key).or_else(|| in_receipt(key)) {
                None => self.derived(key)?,
                found => found,
            },
            Origin::Line(key) => in_line(key),
            Origin::Receipt(key) => match in_receipt(key) {
                None => self.derived(key)?,
                found => found,
            },
            Origin::LineCount => computed(Exact::from_count(self.lines.len()), None, "items"),
            Origin::LineNumber => line.and_then(|index| computed(Exact::from_count(index + 1), line, "")),
            Origin::LineTotal => match line {
                Some(index) => computed(self.line_total(index)?, line, ""),
                None => None,
            },
            Origin::Sum(column) => {
                let sum = self.sums[*column as usize].get_or_init(|| self.sum(*column));
                computed(sum.clone()?, None, "items")
            }
        })
    }

    /// What the caller adds to a receipt, worked out from its timestamp when the caller did not.
    fn derived<'t>(&'t self, key: &'t str) -> Result<Option<Found<'t>>, RenderError> {
        if !matches!(key, "businessDate" | "localTimestamp") {
            return Ok(None);
        }
        Ok(self.local_timestamp()?.map(|moment| {
            let text = match moment.time {
                Some(time) if key == "localTimestamp" => format!("{}T{}", moment.date, time.format("%H:%M:%S")),
                _ => moment.date.to_string(),
            };
            Found { value: Cow::Owned(Value::String(text)), line: None, key }
        }))
    }

    /// The store's wall clock, else the wall clock as the terminal wrote it.
    pub(super) fn local_timestamp(&self) -> Result<Option<Moment>, RenderError> {
        for key in ["localTimestamp", "timestamp"] {
            if let Some(value) = self.value(key) {
                return moment(value).map(Some).map_err(|error| error.at(pointer(None, key)));
            }
        }
        Ok(None)
    }

    /// The day the receipt is counted in, else the date of the wall clock.
    pub(super) fn business_date(&self) -> Result<Option<Moment>, RenderError> {
        match self.value("businessDate") {
            Some(value) => moment(value).map(Some).map_err(|error| error.at("/businessDate")),
            None => Ok(self.local_timestamp()?.map(|moment| Moment { time: None, ..moment })),
        }
    }

    /// A date to show: the receipt's own `timestamp` means the store's wall clock.
    pub(super) fn moment(&self, found: &Found<'_>) -> Result<Moment, RenderError> {
        if found.line.is_none()
            && found.key == "timestamp"
            && let Some(local) = self.local_timestamp()?
        {
            return Ok(local);
        }
        moment(&found.value).map_err(|error| error.at(found.pointer()))
    }

    fn sum(&self, column: Column) -> Result<Exact, RenderError> {
        (0..self.lines.len()).try_fold(Exact::ZERO, |sum, index| {
            let (addend, key) = match column {
                Column::Price => (self.number(index, "price")?, "price"),
                Column::Quantity => (self.number(index, "quantity")?, "quantity"),
                Column::LineTotal => (self.line_total(index)?, "price"),
            };
            sum.checked_add(addend).ok_or_else(|| inexact().at(pointer(Some(index), key)))
        })
    }

    /// `price × quantity`, rounded half away from zero to cents.
    fn line_total(&self, index: usize) -> Result<Exact, RenderError> {
        self.number(index, "price")?
            .checked_mul(self.number(index, "quantity")?)
            .and_then(|product| product.rounded(2))
            .ok_or_else(|| inexact().at(pointer(Some(index), "price")))
    }

    fn number(&self, index: usize, key: &str) -> Result<Exact, RenderError> {
        let value = self.lines.get(index).and_then(|line| lookup(line, key));
        value.ok_or_else(missing).and_then(number).map_err(|error| error.at(pointer(Some(index), key)))
    }
}

/// A number, or text that is a plain decimal.
pub(super) fn number(value: &Value) -> Result<Exact, RenderError> {
    let (Value::Number(text) | Value::String(text)) = value else {
        return Err(wrong_type("the field shows a number, and the value is none"));
    };
    Exact::parse(text).ok_or_else(|| {
        wrong_type("a number is a plain decimal of at most 28 digits: a point, no exponent, no thousands")
    })
}

fn moment(value: &Value) -> Result<Moment, RenderError> {
    let Value::String(text) = value else { return Err(wrong_type("a date is text: 2026-07-01T00:15:00")) };
    Moment::parse(text).ok_or_else(|| {
        RenderError::new(
            RenderErrorKind::BadDate,
            "a date is of the form 2026-07-01 or 2026-07-01T00:15:00, and exists",
        )
    })
}

pub(super) fn missing() -> RenderError {
    RenderError::new(
        RenderErrorKind::MissingField,
        "the receipt has no value for this, and the profile does not say what to do",
    )
}

pub(super) fn no_time() -> RenderError {
    RenderError::new(RenderErrorKind::BadDate, "the format shows a time of day, and the value has none")
}

fn inexact() -> RenderError {
    RenderError::new(RenderErrorKind::FieldOverflow, "the numbers are too long to be computed with exactly")
}
