//! The timestamp on a receipt.

use std::fmt;

use chrono::{Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Offset, Timelike};
use chrono_tz::Tz;

use crate::day::StoreDay;

/// A printed date and time, and the offset it was printed with. Which instant it is without one is
/// the store's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What the clock showed.
    pub local: NaiveDateTime,
    /// The offset behind it; `Z` is zero.
    pub offset: Option<FixedOffset>,
}

impl Stamp {
    /// Reads `YYYY-MM-DDTHH:MM[:SS[.f…]]` (a space may stand for the `T`), then `Z`, `±HH:MM` or
    /// nothing: RFC 3339 with the offset and the seconds left optional. None when it is anything
    /// else, or no day of the calendar.
    pub fn read(text: &str) -> Option<Self> {
        let mut rest = Rest(text.as_bytes());
        let (year, month, day) = (rest.number(4)?, rest.after(b"-", 2)?, rest.after(b"-", 2)?);
        let (hour, minute) = (rest.after(b"T ", 2)?, rest.after(b":", 2)?);
        let second = if rest.peek() == Some(b':') { Some(rest.after(b":", 2)?) } else { None };
        let nanosecond = if second.is_some() && rest.peek() == Some(b'.') { rest.fraction()? } else { 0 };
        let offset = rest.offset()?;
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year > 0)?, month, day)?;
        let time = NaiveTime::from_hms_nano_opt(hour, minute, second.unwrap_or(0), nanosecond)?;
        Some(Self { local: date.and_time(time), offset })
    }

    /// The same instant on the wall clock of `store`, with its offset. Without an offset it was
    /// read off a clock in the zone `clock`: the earlier of two hours that look alike, an hour that
    /// never came an hour later.
    ///
    /// What that wall clock cannot show (a year of five digits, an offset with seconds, which all
    /// zones had before 1900) is shown in UTC, or else as it was printed.
    pub fn in_zones(self, clock: Tz, store: Tz) -> Self {
        let instant = StoreDay { zone: clock, cutoff_hour: 0 }.printed(self.local, self.offset, "", None).instant;
        let offset = instant.with_timezone(&store).offset().fix();
        let utc = FixedOffset::east_opt(0);
        [Some(offset).filter(|offset| offset.local_minus_utc() % 60 == 0), utc]
            .into_iter()
            .flatten()
            .map(|offset| Self { local: instant.with_timezone(&offset).naive_local(), offset: Some(offset) })
            .find(|stamp| (1..=9999).contains(&stamp.local.year()))
            .unwrap_or(self)
    }
}

/// The one way to write it: `2026-11-28T10:00:00+01:00`, with the fraction of a second where there
/// is one.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.local.format("%Y-%m-%dT%H:%M:%S"))?;
        if self.local.nanosecond() > 0 {
            write!(f, ".{}", format!("{:09}", self.local.nanosecond()).trim_end_matches('0'))?;
        }
        match self.offset {
            Some(offset) => write!(f, "{offset}"),
            None => Ok(()),
        }
    }
}

/// What is left of the text.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// A number of exactly `count` digits.
    fn number(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))
    }

    /// The same, behind one of `separators`.
    fn after(&mut self, separators: &[u8], count: usize) -> Option<u32> {
        let (separator, rest) = self.0.split_first()?;
        self.0 = rest;
        separators.contains(separator).then(|| self.number(count)).flatten()
    }

    /// One to nine digits behind a point, as nanoseconds.
    fn fraction(&mut self) -> Option<u32> {
        let digits = self.0[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        self.0 = &self.0[1..];
        (digits..9).try_fold(self.number(digits)?, |number, _| number.checked_mul(10))
    }

    /// The offset, if there is one, and nothing behind it.
    fn offset(&mut self) -> Option<Option<FixedOffset>> {
        let sign = match self.0 {
            [] => return Some(None),
            [b'Z'] => return FixedOffset::east_opt(0).map(Some),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return None,
        };
        let (hours, minutes) = (self.after(b"+-", 2)?, self.after(b":", 2)?);
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        let right = self.0.is_empty() && hours < 24 && minutes < 60;
        right.then(|| FixedOffset::east_opt(sign * seconds)).flatten().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_of_the_calendar_are_read() {
        for (text, local, offset) in [
            ("2026-06-30T22:15:00Z", "2026-06-30T22:15:00", Some(0)),
            ("2026-06-30T22:15", "2026-06-30T22:15:00", None),
            ("2026-06-30 22:15:07", "2026-06-30T22:15:07", None),
            ("2026-06-30T22:15+02:00", "2026-06-30T22:15:00", Some(7200)),
            ("2026-06-30T22:15:07.5-03:30", "2026-06-30T22:15:07.500", Some(-12_600)),
            ("2026-06-30T22:15:07.123456789Z", "2026-06-30T22:15:07.123456789", Some(0)),
            ("2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00", Some(0)),
        ] {
            let stamp = Stamp::read(text).unwrap();
            assert_eq!(stamp.local, local.parse().unwrap(), "{text}");
            assert_eq!(stamp.offset.map(|offset| offset.local_minus_utc()), offset, "{text}");
        }
    }

    #[test]
    fn one_instant_has_one_form_in_a_store() {
        let form = |text: &str, clock: &str, store: &str| {
            Stamp::read(text).unwrap().in_zones(clock.parse().unwrap(), store.parse().unwrap()).to_string()
        };
        let (madrid, canary) = ("Europe/Madrid", "Atlantic/Canary");
        for text in [
            "2026-11-28T10:00:00+01:00",
            "2026-11-28T09:00:00Z",
            "2026-11-28 10:00",
            "2026-11-28T10:00:00",
            "2026-11-28T10:00:00.000",
            "2026-11-28T09:00:00-00:00",
            "2026-11-28T14:30+05:30",
            "2026-11-27T23:00:00-10:00",
        ] {
            assert_eq!(form(text, madrid, madrid), "2026-11-28T10:00:00+01:00", "{text}");
        }
        assert_eq!(form("2026-11-28T09:00", canary, madrid), "2026-11-28T10:00:00+01:00");
        assert_eq!(form("2026-11-28T10:00", madrid, canary), "2026-11-28T09:00:00+00:00");
        assert_eq!(form("2026-06-30T22:15:00.5Z", madrid, madrid), "2026-07-01T00:15:00.5+02:00");
        // Twice, and never.
        assert_eq!(form("2026-10-25T02:30", madrid, madrid), "2026-10-25T02:30:00+02:00");
        assert_eq!(form("2026-10-25T01:30:00Z", madrid, madrid), "2026-10-25T02:30:00+01:00");
        assert_eq!(form("2026-03-29T02:30", madrid, madrid), "2026-03-29T03:30:00+02:00");
        // What the store's clock cannot show.
        assert_eq!(form("9999-12-31T23:59:59-12:00", madrid, madrid), "9999-12-31T23:59:59-12:00");
        assert_eq!(form("0001-01-01T00:00:00+14:00", madrid, madrid), "0001-01-01T00:00:00+14:00");
        assert_eq!(form("1850-01-01T00:00:00", madrid, madrid), "1850-01-01T00:14:44+00:00");
    }

    #[test]
    fn the_one_form_is_its_own() {
        for zone in ["Europe/Madrid", "Atlantic/Canary", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Monrovia"] {
            let zone: Tz = zone.parse().unwrap();
            for text in [
                "2026-10-25T02:30",
                "1850-01-01T00:00",
                "9999-12-31T23:59:59-12:00",
                "0001-01-01T00:00",
                "1970-06-01T00:00:00.1Z",
            ] {
                let once = Stamp::read(text).unwrap().in_zones(zone, zone);
                assert_eq!(Stamp::read(&once.to_string()), Some(once), "{text}");
                assert_eq!(once.in_zones(zone, zone), once, "{text} in {zone}");
            }
        }
    }

    #[test]
    fn anything_else_is_no_timestamp() {
        for text in [
            "",
            "2026",
            "2026-06-30",
            "2026-06-30T22",
            "2026-06-30T2215",
            "2026-6-30T22:15",
            "30/06/2026 22:15",
            "2026-06-31T22:15",
            "2026-02-29T22:15",
            "2026-00-10T22:15",
            "0000-01-01T00:00",
            "2026-06-30T24:00",
            "2026-06-30T22:60",
            "2026-06-30T22:15:60",
            "2026-06-30T22:15.5",
            "2026-06-30T22:15:07.",
            "2026-06-30T22:15:07,5",
            "2026-06-30T22:15:07.1234567890",
            "2026-06-30T22:15:07+2",
            "2026-06-30T22:15:07+02",
            "2026-06-30T22:15:07+0200",
            "2026-06-30T22:15:07+24:00",
            "2026-06-30T22:15:07+02:60",
            "2026-06-30T22:15:07+02:00x",
            "2026-06-30T22:15:07ZZ",
            " 2026-06-30T22:15:07Z",
            "2026-06-30T22:15:07Z ",
            "+2026-06-30T22:15:07Z",
            "２026-06-30T22:15",
            "2026-06-30_22:15",
            "1782857700",
            "12026-06-30T22:15",
        ] {
            assert_eq!(Stamp::read(text), None, "{text:?}");
        }
    }
}
