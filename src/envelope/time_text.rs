//! Dates and times as text, for the whole range of Cassandra's 64-bit milliseconds.

use crate::cql::number::write_integer;

const MILLIS_A_DAY: i64 = 86_400_000;

/// A date of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CivilDate {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

impl CivilDate {
    /// The date `days` after 1970-01-01. Counts in eras of 400 years that begin on 1 March.
    pub(super) fn from_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Self { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
    }

    /// `yyyy-MM-dd`; years outside 0000 to 9999 with their sign and at least four digits, as Java prints them.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        if !self.has_four_digit_year() {
            out.push(if self.year < 0 { b'-' } else { b'+' });
        }
        write_padded(self.year.abs(), 4, out);
        out.push(b'-');
        write_padded(self.month, 2, out);
        out.push(b'-');
        write_padded(self.day, 2, out);
    }

    pub(super) fn has_four_digit_year(self) -> bool {
        (0..=9999).contains(&self.year)
    }
}

/// Days since the epoch and milliseconds of the day.
pub(super) fn split_millis(millis: i64) -> (i64, i64) {
    (millis.div_euclid(MILLIS_A_DAY), millis.rem_euclid(MILLIS_A_DAY))
}

/// `HH:mm:ss` of a second of the day.
pub(super) fn write_clock(second: i64, out: &mut Vec<u8>) {
    write_padded(second / 3600, 2, out);
    out.push(b':');
    write_padded(second / 60 % 60, 2, out);
    out.push(b':');
    write_padded(second % 60, 2, out);
}

/// `yyyy-MM-ddTHH:mm:ss.SSSZ`.
pub(super) fn write_iso8601(millis: i64, out: &mut Vec<u8>) {
    let (days, of_day) = split_millis(millis);
    CivilDate::from_days(days).write(out);
    out.push(b'T');
    write_clock(of_day / 1000, out);
    out.push(b'.');
    write_padded(of_day % 1000, 3, out);
    out.push(b'Z');
}

pub(super) fn write_padded(value: i64, width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    write_integer(value, out);
    let missing = width.saturating_sub(out.len() - start);
    out.splice(start..start, std::iter::repeat_n(b'0', missing));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(millis: i64) -> String {
        let mut out = Vec::new();
        write_iso8601(millis, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// Expected texts from `java.time.Instant.ofEpochMilli(…)`.
    #[test]
    fn instants_as_iso_8601() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_767_323_045_678), "2026-01-02T03:04:05.678Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso(-62_167_219_200_000), "0000-01-01T00:00:00.000Z");
        assert_eq!(iso(253_402_300_800_000), "+10000-01-01T00:00:00.000Z");
        assert_eq!(iso(-62_167_219_200_001), "-0001-12-31T23:59:59.999Z");
        assert_eq!(iso(i64::MAX), "+292278994-08-17T07:12:55.807Z");
        assert_eq!(iso(i64::MIN), "-292275055-05-16T16:47:04.192Z");
    }
}
