//! What the columns of the stages are called.
//!
//! Columns of the table keep their names. Everything else is told from them by a prefix or a suffix, which no column
//! of a table may have ([`is_reserved`]).

use crate::jobs::column::Column;

/// The record's Kafka timestamp, `TIMESTAMP(3)` in UTC: as rules call it.
pub(super) const KAFKA_TS: &str = crate::jobs::expression::KAFKA_TIME;

/// The record's Kafka timestamp, milliseconds since the epoch.
pub(super) const KAFKA_MS: &str = "record.kafka_ms";
pub(super) const TIMESTAMP: &str = "record.timestamp";
pub(super) const TOPIC: &str = "record.topic";
pub(super) const PARTITION: &str = "record.partition";
pub(super) const OFFSET: &str = "record.offset";
pub(super) const HEADERS: &str = "record.headers";
pub(super) const KEY: &str = "record.key";
pub(super) const VALUE: &str = "record.value";
/// The value as text; NULL when it is not UTF-8.
/// The key as it stands; the text `null` when it is no JSON object.
pub(super) const KEY_JSON: &str = "record.key_json";
/// `after` and `patch` of a row's change, as they stand; else the text `null`.
pub(super) const VALUES: &str = "record.values";
pub(super) const PATCH: &str = "record.patch";
pub(super) const PAYLOAD: &str = "record.payload";
pub(super) const IS_OBJECT: &str = "record.is_object";
pub(super) const OP: &str = "record.op";
pub(super) const EVENT_ID: &str = "record.event_id";
pub(super) const IS_ROW: &str = "record.is_row";
/// A deletion, a range, a heartbeat.
pub(super) const IS_OTHER: &str = "record.is_other";
pub(super) const IS_REPEAT: &str = "record.is_repeat";
/// The moment of processing: what an OVER window is ordered by keeps the order of arrival.
pub(super) const ARRIVAL: &str = "record.arrival";
/// The text of the write time, and the time, in microseconds; NULL where it is not known.
pub(super) const WRITE_TIME: &str = "record.write_time";
pub(super) const WRITE_TIME_US: &str = "record.write_time_us";
/// The job, and the minute of Kafka time in which a record is counted.
pub(super) const JOB: &str = "record.job";
pub(super) const MINUTE: &str = "record.minute";
pub(super) const FAILED: &str = "verdict.failed";
pub(super) const WARNED: &str = "verdict.warned";

/// The text of a column's field.
pub(super) fn text(column: &Column) -> String {
    format!("{}:text", column.name)
}

/// Whether the column's field is an object or an array.
pub(super) fn nested(column: &Column) -> String {
    format!("{}:nested", column.name)
}

/// Whether the payload carries the column's field.
pub(super) fn carried(column: &Column) -> String {
    format!("{}:carried", column.name)
}

/// Whether a rule is broken.
pub(super) fn rule(id: &str) -> String {
    format!("rule.{id}")
}

/// Whether a column of a table cannot be told from what a job adds to it.
#[must_use]
pub fn is_reserved(column: &str) -> bool {
    ["record.", "rule.", "verdict."].iter().any(|prefix| column.starts_with(prefix))
        || [":text", ":nested", ":carried"].iter().any(|suffix| column.ends_with(suffix))
}
