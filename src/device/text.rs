//! Text for small screens: that of strangers made safe, hashes in groups, dates.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::field::is_unsafe;

/// The characters of `text`, safe to show between double quotes: control, format, private and
/// separator characters and those that show nothing are replaced by U+FFFD, and each run of white
/// space by one space, so that no text can fill a screen with nothing or begin a line of its own.
/// A double quote becomes a single one, so that no text can end its quotation.
pub(super) fn safe_characters(text: &str) -> Vec<char> {
    let mut safe = Vec::new();
    for character in text.chars() {
        let character = match character {
            character if is_unsafe(character) || is_blank(character) => char::REPLACEMENT_CHARACTER,
            character if character.is_whitespace() => ' ',
            '"' => '\'',
            character => character,
        };
        if character != ' ' || safe.last() != Some(&' ') {
            safe.push(character);
        }
    }
    safe
}

/// Characters that are none of white space and show nothing.
const fn is_blank(character: char) -> bool {
    matches!(
        character,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0f}'
    )
}

/// Hexadecimal in groups of eight digits, as people compare it.
pub(super) fn grouped_hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (place, byte) in bytes.iter().enumerate() {
        if place != 0 && place % 4 == 0 {
            text.push(' ');
        }
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A time in unix seconds as a date of the Gregorian calendar in UTC.
pub(super) fn date(seconds: u64) -> String {
    if seconds > LAST_SECOND {
        return String::from("after the year 9999");
    }
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The year, month and day of a day counted from 1970-01-01. Years are counted from 1 March, so
/// that the leap day ends a year.
const fn civil(days: u64) -> (u64, u64, u64) {
    // Days from 0000-03-01 to 1970-01-01; days of 400, 100, 4 years.
    let days = days.saturating_add(719_468);
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let leaps = (day_of_era / 1_460).saturating_sub(day_of_era / 36_524).saturating_add(day_of_era / 146_096);
    let year_of_era = day_of_era.saturating_sub(leaps) / 365;
    let before =
        year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
    let day_of_year = day_of_era.saturating_sub(before);
    let month_from_march = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let before_month = month_from_march.saturating_mul(153).saturating_add(2) / 5;
    let day = day_of_year.saturating_sub(before_month).saturating_add(1);
    let is_after_december = month_from_march >= 10;
    let month = if is_after_december {
        month_from_march.saturating_sub(9)
    } else {
        month_from_march.saturating_add(3)
    };
    let year = era.saturating_mul(400).saturating_add(year_of_era);
    (if is_after_december { year.saturating_add(1) } else { year }, month, day)
}

/// 9999-12-31 23:59:59 UTC.
const LAST_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_700_000_000, "2023-11-14 22:13:20 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (4_107_542_399, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (LAST_SECOND, "9999-12-31 23:59:59 UTC"),
            (LAST_SECOND + 1, "after the year 9999"),
            (u64::MAX, "after the year 9999"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    /// Every day of 800 years, against a calendar that counts day by day.
    #[test]
    fn every_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..292_194 {
            assert_eq!(civil(days), (year, month, day), "day {days}");
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 if is_leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn text_of_strangers_cannot_leave_its_quotes_or_show_nothing() {
        let shown = |text: &str| safe_characters(text).into_iter().collect::<String>();
        assert_eq!(shown("tea\" You pay: \"1 sat"), "tea' You pay: '1 sat");
        assert_eq!(shown("a\n\n\u{202e}b"), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert_eq!(shown("a \u{a0}\u{3000}   b"), "a b");
        assert_eq!(shown("\u{2800}\u{3164}\u{115f}"), "\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(shown("caf\u{e9} \u{65e5}\u{672c}"), "caf\u{e9} \u{65e5}\u{672c}");
    }

    #[test]
    fn hexadecimal_is_in_groups() {
        assert_eq!(grouped_hex(&[0xab; 9]), "abababab abababab ab");
        assert_eq!(grouped_hex(&[]), "");
    }
}
