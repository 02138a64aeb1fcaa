//! Dates and times in the texts that rules and records hold. Years are 0001 to 9999, as in Flink SQL.

use time::{Date, Month, OffsetDateTime, Time};

const MILLIS_A_DAY: i64 = 86_400_000;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// Milliseconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z.
const MILLIS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Days since the epoch of `yyyy-MM-dd`.
pub(super) fn iso_date(text: &str) -> Option<i64> {
    let has_year = !text.starts_with(['+', '-']) && !text.starts_with("0000");
    has_year.then(|| civil_days(text)).flatten()
}

/// Days since the epoch of a date of any year: four digits; with a sign four to nine, behind `+` at least five.
fn civil_days(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (year, month_and_day) = unsigned.split_once('-')?;
    let lengths = match text.as_bytes().first()? {
        b'+' => 5..=9,
        b'-' => 4..=9,
        _ => 4..=4,
    };
    if !lengths.contains(&year.len()) || month_and_day.len() != 5 {
        return None;
    }
    let year = digits::<i64>(year)? * if text.starts_with('-') { -1 } else { 1 };
    let (month, day) = month_and_day.split_once('-')?;
    let month = Month::try_from(digits::<u8>(month)?).ok()?;
    // The calendar is the same again after 400 years.
    let (cycle, in_cycle) = ((year - 2000).div_euclid(400), (year - 2000).rem_euclid(400));
    let date = Date::from_calendar_date(i32::try_from(2000 + in_cycle).ok()?, month, digits(day)?).ok()?;
    let days = i64::from(date.to_julian_day()) - i64::from(OffsetDateTime::UNIX_EPOCH.to_julian_day());
    Some(days + cycle * DAYS_OF_400_YEARS)
}

/// Nanoseconds of the day of `HH:mm:ss`, with up to `most` digits behind a point.
pub(super) fn iso_time(text: &str, most: usize) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) if (1..=most).contains(&fraction.len()) => (clock, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    let bytes = clock.as_bytes();
    if bytes.len() != 8 || bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let nanos = if fraction.is_empty() { 0 } else { digits::<u32>(&format!("{fraction:0<9}"))? };
    let (hour, minute, second) =
        (digits(clock.get(..2)?)?, digits(clock.get(3..5)?)?, digits(clock.get(6..)?)?);
    let time = Time::from_hms_nano(hour, minute, second, nanos).ok()?;
    i64::try_from(time.duration_since(Time::MIDNIGHT).whole_nanoseconds()).ok()
}

/// Milliseconds since the epoch of a date and a time with `between` between them; further digits are cut off.
fn date_and_time(text: &str, between: char, most: usize) -> Option<i64> {
    let (date, time) = text.split_once(between)?;
    let days = iso_date(date)?;
    Some(days * MILLIS_A_DAY + iso_time(time, most)? / 1_000_000)
}

/// Milliseconds since the epoch of `yyyy-MM-ddTHH:mm:ssZ`, with up to nine digits behind a point.
pub(super) fn iso_timestamp(text: &str) -> Option<i64> {
    date_and_time(text.strip_suffix('Z')?, 'T', 9)
}

/// Milliseconds since the epoch of a timestamp as agents write it with `timestamp_format = iso8601`: as
/// [`iso_timestamp`], but of every year that 64 bits of milliseconds reach, which has a sign outside of 0000 to 9999.
pub(super) fn agent_timestamp(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let millis = i128::from(civil_days(date)?) * i128::from(MILLIS_A_DAY);
    i64::try_from(millis + i128::from(iso_time(time, 9)? / 1_000_000)).ok()
}

/// Milliseconds since the epoch of `yyyy-MM-dd HH:mm:ss`, with up to three digits behind a point.
pub(super) fn timestamp_literal(text: &str) -> Option<i64> {
    date_and_time(text, ' ', 3)
}

/// Whether these milliseconds since the epoch have a year that SQL can write.
pub(super) fn is_timestamp(millis: i64) -> bool {
    MILLIS.contains(&millis)
}

/// Whether these days since the epoch have a year that SQL can write.
pub(super) fn is_date(days: i64) -> bool {
    days.checked_mul(MILLIS_A_DAY).is_some_and(is_timestamp)
}

/// `yyyy-MM-dd` of days since the epoch.
pub(super) fn write_date(days: i64) -> String {
    let julian = i64::from(OffsetDateTime::UNIX_EPOCH.to_julian_day()).saturating_add(days);
    let date = i32::try_from(julian).ok().and_then(|julian| Date::from_julian_day(julian).ok());
    date.map_or_else(String::new, |date| {
        format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
    })
}

/// `yyyy-MM-dd HH:mm:ss.SSS` of milliseconds since the epoch.
pub(super) fn write_timestamp(millis: i64) -> String {
    let (days, of_day) = (millis.div_euclid(MILLIS_A_DAY), millis.rem_euclid(MILLIS_A_DAY));
    let second = of_day / 1000;
    let (hour, minute, rest) = (second / 3600, second / 60 % 60, second % 60);
    format!("{} {hour:02}:{minute:02}:{rest:02}.{:03}", write_date(days), of_day % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: `date -u -d TEXT +%s`.
    #[test]
    fn timestamps() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-01-01T00:00:00Z", 1_735_689_600),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(iso_timestamp(text), Some(seconds * 1000), "{text}");
            let literal = text.replace('T', " ").replace('Z', "");
            assert_eq!(timestamp_literal(&literal), Some(seconds * 1000), "{literal}");
            assert_eq!(write_timestamp(seconds * 1000), format!("{literal}.000"));
        }
        assert_eq!(iso_timestamp("2025-01-01T00:00:00.123999999Z"), Some(1_735_689_600_123));
        assert_eq!(iso_timestamp("1969-12-31T23:59:59.9999Z"), Some(-1));
        for text in [
            "2025-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-1-1T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T23:59:60Z",
            "2025-01-01T00:00:00",
            "2025-01-01T00:00:00+01:00",
            "2025-01-01 00:00:00Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00.1234567890Z",
            "0000-01-01T00:00:00Z",
            "+2025-01-01T00:00:00Z",
            "2025-01-01T00:00:00Z\n",
            "",
        ] {
            assert_eq!(iso_timestamp(text), None, "{text}");
        }
    }

    /// Expected values by tests/oracle/vectors/agent_timestamps.py; the jar of flink/ has the same.
    #[test]
    fn timestamps_of_agents() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/vectors/agent_timestamps.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(agent_timestamp(line["text"].as_str().unwrap()), line["ms"].as_i64(), "{line}");
        }
    }
}
