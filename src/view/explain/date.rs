//! Times as people read them.

use core::fmt;

use crate::count::count;

/// A time in unix seconds, as a date in UTC: `2023-11-14 22:13:20 UTC`. After the year 9999 it is
/// the number.
pub(super) struct Date(pub(super) u64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= YEAR_10000 {
            return write!(f, "unix second {}", self.0);
        }
        let (days, second) = (self.0 / DAY, self.0 % DAY);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    let mut rest = days;
    while let Some(after) = rest.checked_sub(days_of_year(year)) {
        rest = after;
        year = u64::saturating_add(year, 1);
    }
    let mut month = 1;
    for length in months(year) {
        match rest.checked_sub(length) {
            Some(after) => rest = after,
            None => break,
        }
        month = u64::saturating_add(month, 1);
    }
    (year, month, rest.saturating_add(1))
}

const fn is_leap(year: u64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn months(year: u64) -> [u64; 12] {
    [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// A time relative to another: `3 days ago`, `in 2 hours`, `now`.
pub(super) struct Relative {
    pub(super) time: u64,
    pub(super) now: u64,
}

impl fmt::Display for Relative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.time.checked_sub(self.now), self.now.checked_sub(self.time)) {
            (Some(0), _) => f.write_str("now"),
            (Some(seconds), _) => write!(f, "in {}", Duration(seconds)),
            (_, seconds) => write!(f, "{} ago", Duration(seconds.unwrap_or_default())),
        }
    }
}

/// A number of seconds, in the unit that people would use, rounded down.
pub(super) struct Duration(pub(super) u64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, one, many) = match self.0 {
            seconds if seconds < 2 * MINUTE => (seconds, "second", "seconds"),
            seconds if seconds < 2 * HOUR => (seconds / MINUTE, "minute", "minutes"),
            seconds if seconds < 2 * DAY => (seconds / HOUR, "hour", "hours"),
            seconds if seconds < 2 * YEAR => (seconds / DAY, "day", "days"),
            seconds => (seconds / YEAR, "year", "years"),
        };
        match usize::try_from(number) {
            Ok(number) => count(number, one, many).fmt(f),
            Err(_) => write!(f, "{number} {many}"),
        }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;

/// The first second of the year 10 000.
const YEAR_10000: u64 = 253_402_300_800;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn dates_are_those_of_the_gregorian_calendar() {
        for (time, date) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_700_000_000, "2023-11-14 22:13:20 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
            (253_402_300_800, "unix second 253402300800"),
            (u64::MAX, "unix second 18446744073709551615"),
        ] {
            assert_eq!(Date(time).to_string(), date);
        }
    }

    #[test]
    fn spans_are_in_the_unit_of_people() {
        for (seconds, text) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (259_200, "3 days"),
            (63_072_000, "2 years"),
        ] {
            assert_eq!(Duration(seconds).to_string(), text);
        }
        assert_eq!(Relative { time: 5, now: 5 }.to_string(), "now");
        assert_eq!(Relative { time: 5, now: 6 }.to_string(), "1 second ago");
        assert_eq!(Relative { time: u64::MAX, now: 0 }.to_string(), "in 584942417355 years");
    }
}
