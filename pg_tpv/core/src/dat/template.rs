//! Templates of names; what comes out of one is a single safe component of a path, or nothing.

use chrono::NaiveDate;

use super::date::{DateFormat, Moment};
use super::render_error::{RenderError, RenderErrorKind};
use super::source::{self, Ticket};
use crate::json::Value;

const MAX_NAME: usize = 120;
const MAX_WIDTH: usize = 40;
const ACCEPTED: &str = "a template is letters, digits, `.`, `_`, `-` and {receiptId}, {departmentCode}, {terminalId}, \
    {series}, each perhaps with a width ({receiptId:6}), {published:yyyyMMdd}, {businessDate:yyyyMMdd}, \
    {timestamp:yyyyMMddHHmmss}";

/// A checked template of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Key { key: &'static str, width: Option<usize> },
    Date { clock: DateSource, format: DateFormat },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateSource {
    Published,
    BusinessDate,
    Timestamp,
}

impl Template {
    pub(super) fn file_name(text: Option<&str>) -> Result<Self, String> {
        Self::parse(text.unwrap_or("scon{departmentCode}{receiptId}.dat"))
    }

    /// Without braces, a folder made of date tokens (`yyyyMMdd`) is the day of publication.
    pub(super) fn folder(text: Option<&str>) -> Result<Self, String> {
        let text = text.unwrap_or("yyyyMMdd");
        match DateFormat::parse(text) {
            Ok(format) if format.has_date() || format.has_time() => Self::parse(&format!("{{published:{text}}}")),
            _ => Self::parse(text),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, tail) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
            if !literal.is_empty() {
                if !literal.chars().all(is_name_char) {
                    return Err(ACCEPTED.to_owned());
                }
                parts.push(Part::Literal(literal.to_owned()));
            }
            rest = tail;
            if let Some(tail) = rest.strip_prefix('{') {
                let (inside, tail) = tail.split_once('}').ok_or_else(|| ACCEPTED.to_owned())?;
                parts.push(Part::parse(inside)?);
                rest = tail;
            }
        }
        let template = Self { parts };
        let fixed = template.fixed_text();
        if template.parts.is_empty() || fixed.as_deref().is_some_and(|name| !is_safe(name)) {
            return Err(format!("the name is not safe as a part of a path; {ACCEPTED}"));
        }
        if matches!(template.parts.first(), Some(Part::Literal(text)) if text.starts_with('.'))
            || matches!(template.parts.last(), Some(Part::Literal(text)) if text.ends_with('.'))
        {
            return Err("a name does not start or end with a point".to_owned());
        }
        Ok(template)
    }

    fn fixed_text(&self) -> Option<String> {
        self.parts.iter().map(|part| if let Part::Literal(text) = part { Some(text.as_str()) } else { None }).collect()
    }

    /// The extension that every name of this template has, its point included.
    pub(super) fn extension(&self) -> Option<&str> {
        match self.parts.last() {
            Some(Part::Literal(text)) => text.rfind('.').map(|point| &text[point..]),
            _ => None,
        }
    }

    pub(super) fn render(&self, ticket: &Ticket<'_>, published_on: NaiveDate) -> Result<String, RenderError> {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => name.push_str(text),
                Part::Key { key, width } => name.push_str(&of_key(ticket, key, *width)?),
                Part::Date { clock, format } => name.push_str(&of_clock(ticket, *clock, format, published_on)?),
            }
        }
        if is_safe(&name) { Ok(name) } else { Err(bad_name()) }
    }
}

impl Part {
    fn parse(inside: &str) -> Result<Self, String> {
        let (name, option) = inside.split_once(':').map_or((inside, None), |(name, option)| (name, Some(option)));
        let dated = |clock, default: &str| {
            let format = DateFormat::parse(option.unwrap_or(default))?;
            if !format.literals().all(is_name_char) {
                return Err(ACCEPTED.to_owned());
            }
            if clock != DateSource::Timestamp && format.has_time() {
                return Err("{published} and {businessDate} are days and have no time; {timestamp} has".to_owned());
            }
            Ok(Self::Date { clock, format })
        };
        let key = match name {
            "published" => return dated(DateSource::Published, "yyyyMMdd"),
            "businessDate" => return dated(DateSource::BusinessDate, "yyyyMMdd"),
            "timestamp" => return dated(DateSource::Timestamp, "yyyyMMddHHmmss"),
            "receiptId" => "receiptId",
            "departmentCode" => "departmentCode",
            "terminalId" => "terminalId",
            "series" => "series",
            _ => return Err(ACCEPTED.to_owned()),
        };
        let width = match option {
            None => None,
            Some(option) => Some(
                option
                    .parse()
                    .ok()
                    .filter(|width| (1..=MAX_WIDTH).contains(width) && option.bytes().all(|byte| byte.is_ascii_digit()))
                    .ok_or_else(|| format!("a width is 1 to {MAX_WIDTH}: {{receiptId:6}}"))?,
            ),
        };
        Ok(Self::Key { key, width })
    }
}

fn of_key(ticket: &Ticket<'_>, key: &str, width: Option<usize>) -> Result<String, RenderError> {
    let text = match ticket.value(key) {
        Some(Value::String(text)) => text.clone(),
        Some(number @ Value::Number(_)) => {
            source::number(number).map_err(|error| error.at(source::pointer(None, key)))?.to_text()
        }
        // Most terminals have no series, which is the same as an empty one.
        None if key == "series" => String::new(),
        None => return Err(source::missing().at(source::pointer(None, key))),
        Some(_) => {
            let error = RenderError::new(RenderErrorKind::WrongType, "a name is made of text");
            return Err(error.at(source::pointer(None, key)));
        }
    };
    if !text.chars().all(is_name_char) || (text.is_empty() && key != "series") {
        return Err(bad_name().at(source::pointer(None, key)));
    }
    match width {
        Some(width) if text.len() > width => {
            let detail = format!("the value has more than the {width} characters that the name has for it");
            Err(RenderError::new(RenderErrorKind::FieldOverflow, detail).at(source::pointer(None, key)))
        }
        Some(width) => Ok(format!("{text:0>width$}")),
        None => Ok(text),
    }
}

fn of_clock(
    ticket: &Ticket<'_>,
    clock: DateSource,
    format: &DateFormat,
    published_on: NaiveDate,
) -> Result<String, RenderError> {
    let (moment, key) = match clock {
        DateSource::Published => (Some(Moment { date: published_on, time: None }), ""),
        DateSource::BusinessDate => (ticket.business_date()?, "businessDate"),
        DateSource::Timestamp => (ticket.local_timestamp()?, "timestamp"),
    };
    let moment = moment.ok_or_else(|| source::missing().at(source::pointer(None, key)))?;
    format.render(moment).ok_or_else(|| source::no_time().at(source::pointer(None, key)))
}

fn bad_name() -> RenderError {
    RenderError::new(
        RenderErrorKind::BadName,
        format!(
            "a name is 1 to {MAX_NAME} letters, digits, `.`, `_` and `-`, does not start or end with a point, and is \
             no device of Windows"
        ),
    )
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// One component of a path on any system.
fn is_safe(name: &str) -> bool {
    let device = name.split('.').next().unwrap_or(name).to_ascii_uppercase();
    let numbered = |prefix| device.strip_prefix(prefix).is_some_and(|n: &str| matches!(n.as_bytes(), [b'0'..=b'9']));
    (1..=MAX_NAME).contains(&name.len())
        && name.chars().all(is_name_char)
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !matches!(device.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        && !numbered("COM")
        && !numbered("LPT")
}
