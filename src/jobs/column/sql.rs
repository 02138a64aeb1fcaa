//! The text of a field → the typed value, as Flink SQL: what [`Shape::read`] does. Flink's casts alone take more texts.

use super::{Shape, TimeForm};

const INTEGER: &str = r"^[-+]?[0-9]{1,20}\z";
const NUMBER: &str = r"^[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?\z";
/// Longer exponents are cast to NULL or not by rules of their own.
const DECIMAL: &str = r"^[-+]?[0-9]+([.][0-9]+)?([eE]([+]?[01]?[0-9]|-[0-9]))?\z";
const TIMESTAMP: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?Z\z";
const TIME: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?\z";
/// The bits of the last digit that mean nothing are zero, or bytes would have several texts.
const BASE64: &str = r"^[A-Za-z0-9+/]*([AEIMQUYcgkosw048]=|[AQgw]==)?\z";
const DATE: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z";

/// 0001-01-01 and 9999-12-31, in milliseconds and in days.
const YEARS: ((i64, i64), (i64, i64)) = ((-62_135_596_800_000, 253_402_300_799_999), (-719_162, 2_932_896));

fn when(condition: &str, value: &str) -> String {
    format!("CASE WHEN {condition} THEN {value} END")
}

fn matches(text: &str, pattern: &str) -> String {
    format!("REGEXP({text}, '{pattern}')")
}

impl Shape {
    /// The SQL of the typed value of `text`, which is SQL of the field's text; NULL where the text is no value. The
    /// session's time zone must be UTC.
    #[must_use]
    pub fn to_sql(self, text: &str) -> String {
        match self {
            Self::Text | Self::Opaque => text.to_owned(),
            Self::Ascii => when(&matches(text, r"^[\x00-\x7F]*\z"), text),
            Self::Uuid(version) => {
                let version = version.map_or("[0-9a-fA-F]".to_owned(), String::from);
                let hex = "[0-9a-fA-F]";
                let pattern = format!(r"^{hex}{{8}}-{hex}{{4}}-{version}{hex}{{3}}-{hex}{{4}}-{hex}{{12}}\z");
                when(&matches(text, &pattern), &format!("LOWER({text})"))
            }
            Self::Base64 => {
                let padded = format!("MOD(CHAR_LENGTH({text}), 4) = 0");
                when(&format!("{} AND {padded}", matches(text, BASE64)), text)
            }
            Self::Integer { least, most } => {
                let number = format!("TRY_CAST({text} AS BIGINT)");
                // What is no BIGINT is NULL already, and the least one has no literal.
                let all = (least, most) == (i64::MIN, i64::MAX);
                let condition = if all { matches(text, INTEGER) } else { inside(text, (least, most)) };
                when(&condition, &number)
            }
            Self::Decimal { precision, scale } => {
                when(&matches(text, DECIMAL), &format!("TRY_CAST({text} AS DECIMAL({precision}, {scale}))"))
            }
            Self::Double => {
                let number = format!("TRY_CAST({text} AS DOUBLE)");
                let finite = format!("ABS({number}) <= 1.7976931348623157E308");
                when(&format!("{} AND {finite}", matches(text, NUMBER)), &number)
            }
            Self::Float => {
                let number = format!("CAST(TRY_CAST({text} AS FLOAT) AS DOUBLE)");
                let finite = format!("ABS({number}) <= 3.4028234663852886E38");
                when(&format!("{} AND {finite}", matches(text, NUMBER)), &number)
            }
            Self::Boolean => format!("CASE {text} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"),
            Self::Timestamp(form) => timestamp(text, form),
            Self::Date(form) => date(text, form),
            Self::Time(form) => time(text, form),
        }
    }
}

/// A number in a range, guarded by its form.
fn inside(text: &str, (least, most): (i64, i64)) -> String {
    format!("{} AND TRY_CAST({text} AS BIGINT) BETWEEN {least} AND {most}", matches(text, INTEGER))
}

/// A day that the month does not have is moved to its last by the cast.
fn timestamp(text: &str, form: TimeForm) -> String {
    if form == TimeForm::Epoch {
        let value = format!("CAST(TO_TIMESTAMP_LTZ(TRY_CAST({text} AS BIGINT), 3) AS TIMESTAMP(3))");
        return when(&inside(text, YEARS.0), &value);
    }
    let value = format!("TRY_CAST(REPLACE(REPLACE({text}, 'T', ' '), 'Z', '') AS TIMESTAMP(3))");
    let same_day = format!("DATE_FORMAT({value}, 'yyyy-MM-dd') = SUBSTRING({text}, 1, 10)");
    when(&format!("{} AND {same_day}", matches(text, TIMESTAMP)), &value)
}

fn date(text: &str, form: TimeForm) -> String {
    if form == TimeForm::Epoch {
        let days = format!("CAST(TRY_CAST({text} AS BIGINT) AS INT)");
        return when(&inside(text, YEARS.1), &format!("TIMESTAMPADD(DAY, {days}, DATE '1970-01-01')"));
    }
    let value = format!("TRY_CAST({text} AS DATE)");
    let same_day = format!("CAST({value} AS STRING) = {text} AND SUBSTRING({text}, 1, 4) <> '0000'");
    when(&format!("{} AND {same_day}", matches(text, DATE)), &value)
}

/// Flink's TIME keeps no fraction of a second: nanoseconds of the day are a BIGINT.
fn time(text: &str, form: TimeForm) -> String {
    if form == TimeForm::Epoch {
        return when(&inside(text, (0, 86_399_999_999_999)), &format!("TRY_CAST({text} AS BIGINT)"));
    }
    let part = |from: u8, scale: &str| format!("CAST(SUBSTRING({text}, {from}, 2) AS BIGINT) * {scale}");
    let fraction = format!("CAST(RPAD(SUBSTRING({text}, 10), 9, '0') AS BIGINT)");
    let value = format!(
        "{} + {} + {} + {fraction}",
        part(1, "3600000000000"),
        part(4, "60000000000"),
        part(7, "1000000000")
    );
    when(&matches(text, TIME), &value)
}
