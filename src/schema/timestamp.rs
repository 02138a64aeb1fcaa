//! Timestamp texts as `SELECT JSON` prints them.

/// Milliseconds since 1970-01-01T00:00Z of `2026-10-01 12:30:00.000Z`, or of a number of milliseconds.
///
/// The date may be separated by a space or `T`; fraction and zone (`Z`, `+0200`, `+02:00`, `+02`) may be absent, which
/// means UTC. Years may have any number of digits and a sign, because Cassandra stores drop times no calendar
/// library takes (year 294247 for `system.local.thrift_version`); what an `i64` cannot hold is saturated.
/// `None` when the text is no timestamp.
pub(super) fn parse_ms(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i128>() {
        return Some(saturate(ms));
    }
    let (date, time) = text.split_once([' ', 'T'])?;
    let days = days(date)?;
    let time = time.trim();
    let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(zone_at)?;
    let ms = i128::from(clock_ms(clock.trim())?) - i128::from(zone_ms(zone.trim())?);
    Some(saturate(days.checked_mul(86_400_000)?.checked_add(ms)?))
}

fn saturate(ms: i128) -> i64 {
    i64::try_from(ms).unwrap_or(if ms < 0 { i64::MIN } else { i64::MAX })
}

/// Days since 1970-01-01 of `[+-]Y…-MM-DD` in the proleptic Gregorian calendar.
fn days(date: &str) -> Option<i128> {
    let (year_month, day) = date.rsplit_once('-')?;
    let (year, month) = year_month.rsplit_once('-')?;
    let year: i64 = year.parse().ok()?;
    let month = digits(month).filter(|m| (1..=12).contains(m))?;
    let day = digits(day).filter(|d| (1..=31).contains(d))?;
    // Years that begin in March, so that the leap day is the last day of a year; 146,097 days are 400 years.
    let year = i128::from(year) - i128::from(month <= 2);
    let month_from_march = i128::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i128::from(day) - 1;
    let in_cycle = year.rem_euclid(400);
    let day_of_cycle = in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + day_of_year;
    Some(year.div_euclid(400) * 146_097 + day_of_cycle - 719_468)
}

/// Milliseconds of `HH:MM[:SS[.fraction]]`.
fn clock_ms(clock: &str) -> Option<i64> {
    let mut parts = clock.splitn(3, ':');
    let hours = digits(parts.next()?).filter(|h| *h <= 24)?;
    let minutes = digits(parts.next()?).filter(|m| *m <= 59)?;
    let (seconds, fraction) = match parts.next() {
        Some(rest) => rest.split_once('.').unwrap_or((rest, "")),
        None => ("0", ""),
    };
    let seconds = digits(seconds).filter(|s| *s <= 60)?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let ms: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(((hours * 60 + minutes) * 60 + seconds) * 1000 + digits(&ms)?)
}

/// Milliseconds by which a zone is ahead of UTC.
fn zone_ms(zone: &str) -> Option<i64> {
    let (sign, offset) = match zone.strip_prefix('+') {
        Some(offset) => (1, offset),
        None => match zone.strip_prefix('-') {
            Some(offset) => (-1, offset),
            None => return (zone.is_empty() || zone == "Z").then_some(0),
        },
    };
    let offset = offset.replace(':', "");
    let (hours, minutes) = offset.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { "00" } else { minutes };
    Some(sign * (digits(hours)? * 60 + digits(minutes)?) * 60_000)
}

/// A number of one to three digits without a sign.
fn digits(text: &str) -> Option<i64> {
    let plain = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::parse_ms;

    /// Expected values: GNU `date -u -d … +%s%3N`; the last known row from Cassandra's own `dropped_columns`.
    #[test]
    fn reads_what_cassandra_prints() {
        for (text, ms) in [
            ("1970-01-01 00:00:00.000Z", 0),
            ("2026-10-01 12:30:45.123Z", 1_790_857_845_123),
            ("2026-10-01T12:30:45.123+0000", 1_790_857_845_123),
            ("2026-10-01 14:30:45.123+02:00", 1_790_857_845_123),
            ("2026-10-01 09:30:45-03", 1_790_857_845_000),
            ("2000-02-29 23:59", 951_868_740_000),
            ("1969-12-31 23:59:59.999Z", -1),
            ("-0001-01-01 00:00:00Z", -62_198_755_200_000),
            ("294247-01-10 04:00:54.775Z", 9_223_372_036_854_775),
            ("+294247-01-10 04:00:54.775Z", 9_223_372_036_854_775),
            ("9223372036854775", 9_223_372_036_854_775),
            ("-5", -5),
            ("999999999999-01-01 00:00:00Z", i64::MAX),
            ("-999999999999-01-01 00:00:00Z", i64::MIN),
        ] {
            assert_eq!(parse_ms(text), Some(ms), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_timestamp() {
        for text in [
            "",
            "now",
            "2026-10-01",
            "2026-13-01 00:00:00Z",
            "2026-10-00 00:00:00Z",
            "2026-10-01 25:00:00Z",
            "2026-10-01 00:00:00.1x3Z",
            "2026-10-01 00:00:00 Q",
            "2026-10-01 00:00:00+é2",
            "99999999999999999999999999-01-01 00:00:00Z",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }
}
