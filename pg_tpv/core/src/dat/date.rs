//! Wall-clock moments, as receipts write them, and the formats that profiles show them in.

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};

/// A date, with its time of day where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub date: NaiveDate,
    pub time: Option<NaiveTime>,
}

impl Moment {
    /// Reads `2026-07-01`, `2026-07-01T00:15`, `2026-07-01T00:15:00.123+02:00`.
    ///
    /// The offset must be well formed and is then ignored: the wall clock as written is what the
    /// customer's ticket shows.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (date, rest) = bytes.split_at_checked(10)?;
        let date = match date {
            [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => NaiveDate::from_ymd_opt(
                i32::try_from(digits(&[*y1, *y2, *y3, *y4])?).ok()?,
                digits(&[*m1, *m2])?,
                digits(&[*d1, *d2])?,
            )?,
            _ => return None,
        };
        match rest {
            [] => Some(Self { date, time: None }),
            [b'T' | b't' | b' ', clock @ ..] => Some(Self { date, time: Some(time(clock)?) }),
            _ => None,
        }
    }
}

fn time(clock: &[u8]) -> Option<NaiveTime> {
    let (hour_minute, rest) = clock.split_at_checked(5)?;
    let [h1, h2, b':', m1, m2] = hour_minute else { return None };
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (digits(&[*s1, *s2])?, without_fraction(rest)?),
        rest => (0, rest),
    };
    offset_is_sound(rest).then_some(())?;
    NaiveTime::from_hms_opt(digits(&[*h1, *h2])?, digits(&[*m1, *m2])?, second)
}

fn without_fraction(rest: &[u8]) -> Option<&[u8]> {
    let [b'.', fraction @ ..] = rest else { return Some(rest) };
    let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (length > 0).then(|| fraction.split_at(length).1)
}

fn offset_is_sound(offset: &[u8]) -> bool {
    match offset {
        [] | [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2] => digits(&[*h1, *h2]).is_some(),
        [b'+' | b'-', h1, h2, m1, m2] | [b'+' | b'-', h1, h2, b':', m1, m2] => digits(&[*h1, *h2, *m1, *m2]).is_some(),
        _ => false,
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Year4,
    Year2,
    Month,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Literal(char),
}

/// The tokens, as a fault names them.
pub(super) const TOKENS: &str = "yyyy, yy, MM, dd, DDD (day of the year), HH, mm, ss";

/// A checked date format: `ddMMyy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DateFormat {
    tokens: Vec<Token>,
}

impl DateFormat {
    /// A run of one letter is one token; any other letter is a fault; the rest stands for itself.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        if format.is_empty() {
            return Err(format!("a date format is not empty; its tokens are {TOKENS}"));
        }
        if format.chars().any(|c| !(c.is_ascii_graphic() || c == ' ')) {
            return Err(format!("a date format is printable ASCII; its tokens are {TOKENS}"));
        }
        let mut tokens = Vec::new();
        let mut rest = format;
        while let Some(first) = rest.chars().next() {
            let length = rest.chars().take_while(|c| *c == first).count();
            let (run, tail) = rest.split_at(length);
            match run {
                "yyyy" => tokens.push(Token::Year4),
                "yy" => tokens.push(Token::Year2),
                "MM" => tokens.push(Token::Month),
                "dd" => tokens.push(Token::Day),
                "DDD" => tokens.push(Token::DayOfYear),
                "HH" => tokens.push(Token::Hour),
                "mm" => tokens.push(Token::Minute),
                "ss" => tokens.push(Token::Second),
                _ if first.is_ascii_alphabetic() => return Err(format!("a date format knows the tokens {TOKENS}")),
                _ => tokens.extend(run.chars().map(Token::Literal)),
            }
            rest = tail;
        }
        Ok(Self { tokens })
    }

    /// Bytes it always takes.
    pub(super) fn width(&self) -> usize {
        self.tokens
            .iter()
            .map(|token| match token {
                Token::Year4 => 4,
                Token::DayOfYear => 3,
                Token::Literal(_) => 1,
                _ => 2,
            })
            .sum()
    }

    pub(super) fn has_time(&self) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::Hour | Token::Minute | Token::Second))
    }

    pub(super) fn has_date(&self) -> bool {
        self.tokens
            .iter()
            .any(|token| !matches!(token, Token::Literal(_) | Token::Hour | Token::Minute | Token::Second))
    }

    /// Whether two days always look different.
    pub(super) fn tells_days_apart(&self) -> bool {
        let has = |token| self.tokens.contains(&token);
        (has(Token::Year4) || has(Token::Year2)) && (has(Token::DayOfYear) || (has(Token::Month) && has(Token::Day)))
    }

    pub(super) fn literals(&self) -> impl Iterator<Item = char> + '_ {
        self.tokens.iter().filter_map(|token| match token {
            Token::Literal(c) => Some(*c),
            _ => None,
        })
    }

    /// `None` when the format asks for a time and the moment has none, or the year has not four
    /// digits.
    pub(super) fn render(&self, moment: Moment) -> Option<String> {
        (0..=9999).contains(&moment.date.year()).then_some(())?;
        let mut text = String::with_capacity(self.width());
        for token in &self.tokens {
            let (number, width) = match token {
                Token::Year4 => (moment.date.year().unsigned_abs(), 4),
                Token::Year2 => (moment.date.year().unsigned_abs() % 100, 2),
                Token::Month => (moment.date.month(), 2),
                Token::Day => (moment.date.day(), 2),
                Token::DayOfYear => (moment.date.ordinal(), 3),
                Token::Hour => (moment.time?.hour(), 2),
                Token::Minute => (moment.time?.minute(), 2),
                Token::Second => (moment.time?.second(), 2),
                Token::Literal(c) => {
                    text.push(*c);
                    continue;
                }
            };
            text.push_str(&format!("{number:0width$}"));
        }
        Some(text)
    }
}
