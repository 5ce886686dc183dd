//! The wall clocks of Spain, by the rule of the European Union: summer time from the last Sunday of
//! March to the last Sunday of October, at 01:00 UTC.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime};

/// A time zone of Spain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The mainland and the Balearic Islands.
    Madrid,
    /// The Canary Islands.
    Canary,
}

impl Zone {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Madrid => "Europe/Madrid",
            Self::Canary => "Atlantic/Canary",
        }
    }

    fn winter_hours(self) -> i64 {
        match self {
            Self::Madrid => 1,
            Self::Canary => 0,
        }
    }

    /// How many hours the wall clock is ahead of UTC when it shows this. Of an hour that comes twice
    /// it is the first.
    pub fn offset_hours(self, wall: NaiveDateTime) -> i64 {
        let winter = self.winter_hours();
        let summer_utc = wall - Duration::hours(winter + 1);
        winter + i64::from(is_summer(summer_utc))
    }

    /// Seconds since 1970 when the wall clock shows this.
    pub fn instant(self, wall: NaiveDateTime) -> i64 {
        wall.and_utc().timestamp() - self.offset_hours(wall) * 3600
    }

    /// What the wall clock shows.
    pub fn wall(self, instant: i64) -> NaiveDateTime {
        let utc = chrono::DateTime::from_timestamp(instant, 0).unwrap_or_default().naive_utc();
        utc + Duration::hours(self.winter_hours() + i64::from(is_summer(utc)))
    }
}

fn is_summer(utc: NaiveDateTime) -> bool {
    let change = |month| last_sunday(utc.year(), month).and_hms_opt(1, 0, 0).unwrap_or(utc);
    (change(3)..change(10)).contains(&utc)
}

/// March and October have 31 days.
fn last_sunday(year: i32, month: u32) -> NaiveDate {
    let last = NaiveDate::from_ymd_opt(year, month, 31).unwrap_or_default();
    last - Duration::days(i64::from(last.weekday().num_days_from_sunday()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_go_forward_and_back_on_their_sundays() {
        let wall = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        for (zone, text, hours) in [
            (Zone::Madrid, "2026-03-29 01:59", 1),
            (Zone::Madrid, "2026-03-29 03:00", 2),
            (Zone::Madrid, "2026-10-25 01:59", 2),
            (Zone::Madrid, "2026-10-25 03:00", 1),
            (Zone::Canary, "2026-03-29 00:59", 0),
            (Zone::Canary, "2026-03-29 02:00", 1),
            (Zone::Canary, "2026-10-25 02:00", 0),
            (Zone::Madrid, "2026-12-31 23:59", 1),
        ] {
            assert_eq!(zone.offset_hours(wall(text)), hours, "{text}");
            assert_eq!(zone.wall(zone.instant(wall(text))), wall(text), "{text}");
        }
    }
}
