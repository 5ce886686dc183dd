//! Which instant a printed time is, and which business day it belongs to.
//!
//! Decided once, here: a cast in SQL silently takes the second instant of an hour that comes twice.

use chrono::{
    DateTime, Duration, FixedOffset, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc,
};
use chrono_tz::Tz;

use crate::problem::Problem;

/// The store's idea of a day.
#[derive(Clone, Copy, Debug)]
pub struct StoreDay {
    /// The store's time zone.
    pub zone: Tz,
    /// Sales before this local hour belong to the day before.
    pub cutoff_hour: u8,
}

/// The receipt that the terminal issued before this one; it decides which hour it is when one comes
/// twice.
#[derive(Clone, Debug)]
pub struct PreviousTime {
    /// Its number as printed.
    pub number: String,
    /// Its instant.
    pub instant: DateTime<Utc>,
}

/// A printed time, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The instant.
    pub instant: DateTime<Utc>,
    /// The store's wall clock at that instant.
    pub local: NaiveDateTime,
    /// `AMBIGUOUS_TIME` or `NONEXISTENT_TIME` where the wall clock was changed.
    pub flag: Option<&'static str>,
}

/// How far a terminal's clock may be off before its day is not believed.
#[derive(Clone, Copy, Debug)]
pub struct ClockWindow {
    /// Older than this before arrival: the clock is wrong, not the receipt late.
    pub max_age: Duration,
    /// Further than this ahead of arrival: the clock is wrong.
    pub max_ahead: Duration,
}

/// The business day of a receipt at its first acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessDay {
    /// The day it is booked on.
    pub date: NaiveDate,
    /// `CLOCK_SKEW` when the printed day was not believed.
    pub flag: Option<&'static str>,
    /// `DATE_RANGE` when nobody can tell: an operator decides.
    pub hold: Option<Problem>,
}

impl StoreDay {
    /// The business day of an instant.
    pub fn date_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        self.date_of_local(instant.with_timezone(&self.zone).naive_local())
    }

    fn date_of_local(&self, local: NaiveDateTime) -> NaiveDate {
        (local - Duration::hours(i64::from(self.cutoff_hour))).date()
    }

    /// The instant of a wall-clock time as a terminal printed it, with its offset where it printed
    /// one.
    pub fn printed(
        &self,
        wall: NaiveDateTime,
        offset: Option<FixedOffset>,
        number: &str,
        previous: Option<&PreviousTime>,
    ) -> Printed {
        if let Some(offset) = offset {
            // Bounded by the calendar check of the reader; an overflow at year 9999 stays at the
            // wall clock.
            let instant = wall.checked_sub_offset(offset).unwrap_or(wall).and_utc();
            return self.at(instant, None);
        }
        match self.zone.from_local_datetime(&wall) {
            LocalResult::Single(at) => self.at(at.to_utc(), None),
            LocalResult::Ambiguous(earlier, later) => {
                let (earlier, later) = (earlier.to_utc(), later.to_utc());
                let second = previous.is_some_and(|p| comes_after(number, &p.number) && p.instant > earlier);
                self.at(if second { later } else { earlier }, Some("AMBIGUOUS_TIME"))
            }
            LocalResult::None => {
                // The clock jumped over this time: read it with the offset from before the jump,
                // which lands after it.
                let before = wall - Duration::hours(3);
                let instant = match self.zone.from_local_datetime(&before).earliest() {
                    Some(at) => at.to_utc() + Duration::hours(3),
                    None => wall.and_utc(),
                };
                self.at(instant, Some("NONEXISTENT_TIME"))
            }
        }
    }

    fn at(&self, instant: DateTime<Utc>, flag: Option<&'static str>) -> Printed {
        Printed { instant, local: instant.with_timezone(&self.zone).naive_local(), flag }
    }

    /// The day that a receipt printed at `printed` is booked on when it arrives at `arrival`.
    pub fn business_day(&self, printed: &Printed, arrival: DateTime<Utc>, window: ClockWindow) -> BusinessDay {
        let today = self.date_of(arrival);
        if !self.can_be_dated(printed.local.date(), arrival) {
            let detail = "the printed date is more than 13 months before or 2 months after its arrival";
            return BusinessDay {
                date: today,
                flag: None,
                hold: Some(Problem::new("DATE_RANGE", "/timestamp", detail)),
            };
        }
        let age = arrival - printed.instant;
        if age > window.max_age || -age > window.max_ahead {
            return BusinessDay { date: today, flag: Some("CLOCK_SKEW"), hold: None };
        }
        BusinessDay { date: self.date_of_local(printed.local), flag: None, hold: None }
    }

    /// Whether a printed date can be meant, so that it may say which receipt it is.
    fn can_be_dated(&self, printed: NaiveDate, arrival: DateTime<Utc>) -> bool {
        let today = self.calendar_day(arrival);
        let oldest = today.checked_sub_months(Months::new(13)).unwrap_or(NaiveDate::MIN);
        let newest = today.checked_add_months(Months::new(2)).unwrap_or(NaiveDate::MAX);
        (oldest..=newest).contains(&printed)
    }

    /// The day on the store's calendar.
    pub fn calendar_day(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.zone).date_naive()
    }

    /// When a file arrived that lay in the archive's folder of that day. The folder does not tell
    /// the hour, so it is that of the ticket, as near as the day comes to it; noon for a ticket of
    /// another time.
    pub fn arrival_on(&self, day: NaiveDate, printed: &Printed) -> DateTime<Utc> {
        let at = |time: NaiveTime| self.printed(day.and_time(time), None, "", None).instant;
        let near = (printed.local.date() - day).num_days().abs() <= 1;
        match near {
            true => {
                let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
                let (first, last) = (at(NaiveTime::MIN), at(last));
                printed.instant.clamp(first, last.max(first))
            }
            false => at(NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default()),
        }
    }
}

/// Whether ticket `number` was issued after `other`, as far as the numbers can tell.
fn comes_after(number: &str, other: &str) -> bool {
    match (number.parse::<u128>(), other.parse::<u128>()) {
        (Ok(a), Ok(b)) => a > b,
        _ => number.len() == other.len() && number > other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Atlantic::Canary, Europe::Madrid};

    const MADRID: StoreDay = StoreDay { zone: Madrid, cutoff_hour: 4 };

    fn wall(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S").unwrap()
    }

    fn instant(text: &str) -> DateTime<Utc> {
        wall(text).and_utc()
    }

    fn window() -> ClockWindow {
        ClockWindow { max_age: Duration::days(7), max_ahead: Duration::minutes(90) }
    }

    #[test]
    fn the_stores_zone_decides_the_local_date() {
        let utc = FixedOffset::east_opt(0);
        let printed = MADRID.printed(wall("2026-06-30T22:15:00"), utc, "1", None);
        assert_eq!(printed.local.date(), NaiveDate::from_ymd_opt(2026, 7, 1).unwrap());
        let canary = StoreDay { zone: Canary, cutoff_hour: 4 };
        let printed = canary.printed(wall("2026-06-30T22:15:00"), utc, "1", None);
        assert_eq!(printed.local.date(), NaiveDate::from_ymd_opt(2026, 6, 30).unwrap());
    }

    #[test]
    fn an_hour_that_comes_twice_goes_by_receipt_numbers_else_the_earlier() {
        let twice = wall("2026-10-25T02:30:00");
        let alone = MADRID.printed(twice, None, "10", None);
        assert_eq!((alone.instant, alone.flag), (instant("2026-10-25T00:30:00"), Some("AMBIGUOUS_TIME")));
        let previous = PreviousTime { number: "9".into(), instant: instant("2026-10-25T00:50:00") };
        assert_eq!(MADRID.printed(twice, None, "10", Some(&previous)).instant, instant("2026-10-25T01:30:00"));
        assert_eq!(MADRID.printed(twice, None, "8", Some(&previous)).instant, instant("2026-10-25T00:30:00"));
    }

    #[test]
    fn an_hour_that_never_comes_is_shifted_forward() {
        let printed = MADRID.printed(wall("2026-03-29T02:30:00"), None, "1", None);
        assert_eq!(printed.instant, instant("2026-03-29T01:30:00"));
        assert_eq!(printed.local, wall("2026-03-29T03:30:00"));
        assert_eq!(printed.flag, Some("NONEXISTENT_TIME"));
    }

    #[test]
    fn sales_before_the_cutoff_belong_to_the_day_before() {
        let arrival = instant("2026-06-30T23:30:00");
        let printed = MADRID.printed(wall("2026-07-01T01:30:00"), None, "1", None);
        let day = MADRID.business_day(&printed, arrival, window());
        assert_eq!(day, BusinessDay { date: NaiveDate::from_ymd_opt(2026, 6, 30).unwrap(), flag: None, hold: None });
    }

    #[test]
    fn three_days_late_keeps_its_own_day_and_a_skewed_clock_does_not() {
        let arrival = instant("2026-07-10T10:00:00");
        let day = |text| MADRID.business_day(&MADRID.printed(wall(text), None, "1", None), arrival, window());
        assert_eq!(day("2026-07-07T10:00:00").date, NaiveDate::from_ymd_opt(2026, 7, 7).unwrap());
        for skewed in ["2026-06-10T10:00:00", "2026-08-10T10:00:00"] {
            let day = day(skewed);
            assert_eq!((day.date, day.flag), (NaiveDate::from_ymd_opt(2026, 7, 10).unwrap(), Some("CLOCK_SKEW")));
        }
    }

    #[test]
    fn a_file_of_the_archive_arrived_on_the_day_of_its_folder() {
        let day = NaiveDate::from_ymd_opt(2026, 7, 10).unwrap();
        let at = |text| MADRID.arrival_on(day, &MADRID.printed(wall(text), None, "1", None));
        assert_eq!(at("2026-07-10T18:30:00"), instant("2026-07-10T16:30:00"));
        assert_eq!(at("2026-07-09T23:50:00"), instant("2026-07-09T22:00:00"));
        assert_eq!(at("2026-07-11T00:20:00"), instant("2026-07-10T21:59:59"));
        for elsewhere in ["2000-01-01T00:03:00", "2026-06-10T10:00:00", "9999-12-31T10:00:00"] {
            assert_eq!(at(elsewhere), instant("2026-07-10T10:00:00"), "{elsewhere}");
            assert_eq!(MADRID.calendar_day(at(elsewhere)), day);
        }
    }

    #[test]
    fn the_year_2000_is_held() {
        let printed = MADRID.printed(wall("2000-01-01T10:00:00"), None, "1", None);
        let day = MADRID.business_day(&printed, instant("2026-07-10T10:00:00"), window());
        assert_eq!(day.hold.unwrap().code, "DATE_RANGE");
        assert_eq!(day.date, NaiveDate::from_ymd_opt(2026, 7, 10).unwrap());
    }
}
