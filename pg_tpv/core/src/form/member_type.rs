//! What a member of a request is, and whether a value is that.

use chrono::{NaiveDate, NaiveTime};

use crate::json::Value;

/// The types that a form can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberType {
    /// A number without a fraction.
    Integer,
    /// True or false.
    Boolean,
    /// An object that names something.
    Object,
    /// Some short texts.
    Tags,
    /// A text of this form.
    Text(TextType),
}

/// The texts that a form can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextType {
    Uuid,
    Why,
    Line,
    Text,
    Email,
    Phone,
    Country,
    Consent,
    Money,
    Date,
    Instant,
    Login,
    Code,
    File,
    /// 32 bytes in hexadecimal.
    Hex32,
    /// 32 bytes in base64.
    Key32,
    /// Some text: the function looks at it.
    Some,
}

impl MemberType {
    /// The type of this name.
    pub fn read(name: &str) -> Option<Self> {
        Some(match name {
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "object" => Self::Object,
            "tags" => Self::Tags,
            "uuid" => Self::Text(TextType::Uuid),
            "why" => Self::Text(TextType::Why),
            "line" | "key" => Self::Text(TextType::Line),
            "text" => Self::Text(TextType::Text),
            "email" => Self::Text(TextType::Email),
            "phone" => Self::Text(TextType::Phone),
            "country" => Self::Text(TextType::Country),
            "consent" => Self::Text(TextType::Consent),
            "money" => Self::Text(TextType::Money),
            "date" => Self::Text(TextType::Date),
            "instant" => Self::Text(TextType::Instant),
            "login" => Self::Text(TextType::Login),
            "code" => Self::Text(TextType::Code),
            "file" => Self::Text(TextType::File),
            "hex32" => Self::Text(TextType::Hex32),
            "key32" => Self::Text(TextType::Key32),
            "string" => Self::Text(TextType::Some),
            _ => return None,
        })
    }

    /// What it wants, if the value is something else.
    pub fn fault(self, value: &Value) -> Option<&'static str> {
        let (is_so, wants) = match self {
            Self::Integer => (value.as_number().is_some_and(is_integer), "it is a whole number"),
            Self::Boolean => (value.as_bool().is_some(), "it is true or false"),
            Self::Object => match value.as_object() {
                None => (false, "it is an object"),
                Some(members) => (!members.is_empty(), "it names nothing to change"),
            },
            Self::Tags => match value.as_array().map(|tags| tags.iter().map(Value::as_str).collect::<Option<Vec<_>>>())
            {
                Some(Some(tags)) => (are_tags(&tags), "it has at most 50 words of at most 50 characters"),
                _ => (false, "it is an array of texts"),
            },
            Self::Text(kind) => match value.as_str() {
                None => (false, "it is a text"),
                Some(text) => (kind.fits(text), kind.wants()),
            },
        };
        (!is_so).then_some(wants)
    }
}

impl TextType {
    fn wants(self) -> &'static str {
        match self {
            Self::Uuid => "it is a uuid in lower case",
            Self::Why => "it is a reason of at most 500 characters",
            Self::Line => "it is one line of at most 200 characters",
            Self::Text => "it is one line of at most 200 characters, or null",
            Self::Email => "it is an e-mail address",
            Self::Phone => "it is a telephone number",
            Self::Country => "it is the two letters of ISO 3166",
            Self::Consent => "it is none, email or all",
            Self::Money => "it is an amount such as 12.30",
            Self::Date => "it is a day such as 2026-11-30",
            Self::Instant => "it is an instant such as 2026-11-30T09:00:00Z",
            Self::Login => "it is 2 to 64 of a-z, 0-9, point, hyphen and underscore",
            Self::Code => "it is a code such as S01",
            Self::File => "it is 1 to 64 letters, digits, points, hyphens and underscores",
            Self::Hex32 => "it is 32 bytes in hexadecimal",
            Self::Key32 => "it is 32 bytes in base64",
            Self::Some => "it is a text",
        }
    }

    fn fits(self, text: &str) -> bool {
        let first = text.chars().next();
        match self {
            Self::Uuid => is_uuid(text),
            Self::Why => is_line(text, 500),
            Self::Line | Self::Text => is_line(text, 200),
            Self::Email => is_email(text),
            Self::Phone => {
                (3..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit() || "+ ()./-".contains(c))
            }
            Self::Country => text.len() == 2 && text.chars().all(|c| c.is_ascii_uppercase()),
            Self::Consent => matches!(text, "none" | "email" | "all"),
            Self::Money => is_money(text),
            Self::Date => date(text).is_some(),
            Self::Instant => is_instant(text),
            Self::Login => {
                let is_in = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                (2..=64).contains(&text.len())
                    && first.is_some_and(is_in)
                    && text.chars().all(|c| is_in(c) || "._-".contains(c))
            }
            Self::Code => {
                (1..=16).contains(&text.len())
                    && first.is_some_and(|c| c.is_ascii_alphanumeric())
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
            }
            Self::File => {
                (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            }
            Self::Hex32 => text.len() == 64 && text.chars().all(is_hex),
            Self::Key32 => {
                let body = text.strip_suffix('=').unwrap_or_default();
                body.len() == 43 && body.chars().all(|c| c.is_ascii_alphanumeric() || "+/".contains(c))
            }
            Self::Some => true,
        }
    }
}

fn is_hex(c: char) -> bool {
    c.is_ascii_digit() || ('a'..='f').contains(&c)
}

/// A number as PostgreSQL writes one of type `bigint`.
fn is_integer(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    (1..=18).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| if matches!(at, 8 | 13 | 18 | 23) { c == '-' } else { is_hex(c) })
}

/// Control characters, and the two that Unicode has for the ends of lines and paragraphs.
/// What breaks a line or turns its direction round, so that it reads as something else.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What nobody sees, as far as it is no control.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{206A}'..='\u{206F}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}

fn is_line(text: &str, most: usize) -> bool {
    text.chars().count() <= most && text.chars().any(|c| !is_blank(c)) && !text.chars().any(is_control)
}

fn is_email(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && !part.chars().any(|c| c == '@' || c.is_whitespace() || is_control(c));
    text.chars().count() <= 254 && text.split_once('@').is_some_and(|(name, host)| is_part(name) && is_part(host))
}

fn is_money(text: &str) -> bool {
    let (whole, cents) = text.split_once('.').map_or((text, None), |(whole, cents)| (whole, Some(cents)));
    let are_digits = |text: &str, most| (1..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit());
    are_digits(whole, 12) && cents.is_none_or(|cents| are_digits(cents, 2))
}

fn are_tags(tags: &[&str]) -> bool {
    tags.len() <= 50 && tags.iter().all(|tag| tag.chars().any(|c| !c.is_whitespace()) && tag.chars().count() <= 50)
}

/// A day of the calendar as ISO 8601 writes it. PostgreSQL has no year 0.
fn date(text: &str) -> Option<NaiveDate> {
    let is_written = text.len() == 10
        && text.char_indices().all(|(at, c)| if matches!(at, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_written && !text.starts_with("0000"))
}

/// An instant as RFC 3339 writes it, with its offset; seconds may be left out, as in ISO 8601.
fn is_instant(text: &str) -> bool {
    let Some((day, rest)) = text.split_once(['T', ' ']) else { return false };
    let Some(at) = rest.find(['Z', '+', '-']) else { return false };
    let (time, offset) = rest.split_at(at);
    date(day).is_some() && is_time(time) && (offset == "Z" || is_offset(&offset[1..]))
}

fn is_time(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let format = match whole.len() {
        5 if fraction.is_none() => "%H:%M",
        8 => "%H:%M:%S",
        _ => return false,
    };
    let is_fraction = |part: &str| (1..=6).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit());
    NaiveTime::parse_from_str(whole, format).is_ok()
        && whole.chars().all(|c| c.is_ascii_digit() || c == ':')
        && fraction.is_none_or(is_fraction)
}

/// Hours and minutes, as far from UTC as PostgreSQL can follow.
fn is_offset(text: &str) -> bool {
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "00"));
    let number = |text: &str| {
        (text.len() == 2 && text.chars().all(|c| c.is_ascii_digit())).then(|| text.parse::<u8>().ok()).flatten()
    };
    number(hours).is_some_and(|hours| hours <= 15) && number(minutes).is_some_and(|minutes| minutes <= 59)
}
