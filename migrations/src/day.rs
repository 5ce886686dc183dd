//! A day of the calendar, as an argument.

use std::fmt;
use std::str::FromStr;

/// A day of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| format!("'{text}' is no day; it takes one such as 2026-06-30"))
    }
}

fn read(text: &str) -> Option<Day> {
    let is_form = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let mut parts = text.split('-').filter(|_| is_form);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let (year, month, day): (u16, u8, u8) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u8::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (year > 0 && (1..=days).contains(&day)).then_some(Day { year, month, day })
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// What to rebuild.
#[derive(Debug)]
pub struct Range {
    /// The number or the code of a node; all when there is none.
    pub node: Option<String>,
    pub from: Option<Day>,
    pub to: Option<Day>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_the_calendar_is_read_and_printed() {
        for good in ["2026-06-30", "2024-02-29", "0001-01-01", "2000-02-29"] {
            assert_eq!(good.parse::<Day>().unwrap().to_string(), good);
        }
    }

    #[test]
    fn what_is_no_day_is_refused_with_what_is() {
        for bad in [
            "",
            "today",
            "2026-6-30",
            "2026-06-31",
            "2023-02-29",
            "1900-02-29",
            "2026-13-01",
            "0000-01-01",
            "30-06-2026",
        ] {
            let told = bad.parse::<Day>().unwrap_err();
            assert_eq!(told, format!("'{bad}' is no day; it takes one such as 2026-06-30"));
        }
    }
}
