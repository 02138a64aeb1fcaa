//! The first stages: bytes → text, and what an agent's record is about.

use super::identity::JobKind;
use super::names::{
    EVENT_ID, IS_OTHER, IS_REPEAT, IS_ROW, KAFKA_MS, KAFKA_TS, KEY, OP, PAYLOAD, TIMESTAMP, VALUE,
};
use super::stage::{Chain, computed};
use super::{Job, names};
use crate::jobs::column::Shape;
use crate::jobs::expression::{quoted, sql_text};
use crate::jobs::rules::{REMEMBERED, TableRules, Version, VersionUnit};

/// How long an event's id is remembered, in milliseconds of Kafka time.
const WITHIN_MS: u64 = 86_400_000;

/// Whether a text is one JSON object with nothing behind it; never NULL. `IS JSON OBJECT` reads no further than the
/// closing brace.
pub(super) fn is_object(text: &str) -> String {
    format!(
        "({text} IS JSON OBJECT AND CONCAT('[', {text}, ']') IS JSON ARRAY AND CONCAT('{{\"\":', {text}, '}}') IS JSON OBJECT)"
    )
}

/// Milliseconds since the epoch of a TIMESTAMP(3) in UTC.
fn epoch_ms(timestamp: &str) -> String {
    format!("EXTRACT(EPOCH FROM {timestamp}) * 1000 + EXTRACT(MILLISECOND FROM {timestamp})")
}

/// The text of bytes; NULL when they are not UTF-8.
pub(super) fn utf8(bytes: &str) -> String {
    let text = format!("CAST({bytes} AS STRING)");
    format!("CASE WHEN ENCODE({text}, 'UTF-8') = {bytes} THEN {text} END")
}

/// A chain whose newest view has the payload as text; of a CDC topic only rows and what is broken, each event once.
pub(super) fn payload<'j>(job: &'j Job<'j>, kind: JobKind) -> Chain<'j> {
    let mut chain = Chain::behind_source(job, kind);
    let (value, moment) = (quoted(VALUE), format!("CAST({} AS TIMESTAMP(3))", quoted(TIMESTAMP)));
    chain.stage(
        "payload",
        "The value as text. What is not UTF-8 has none: the cast puts other characters in its place.",
        vec![
            computed(KAFKA_TS, moment.as_str()),
            computed(KAFKA_MS, epoch_ms(&moment)),
            computed(PAYLOAD, utf8(&value)),
        ],
    );
    chain
}

/// Adds what an agent's record is about.
pub(super) fn change(chain: &mut Chain<'_>) {
    let payload = quoted(PAYLOAD);
    let op = format!("JSON_VALUE({payload}, '$.op')");
    let object = is_object(&payload);
    chain.stage(
        "change",
        "What an agent's record is about: a row, something else (a deletion, a range, a heartbeat), or broken.",
        vec![
            computed(OP, op.as_str()),
            computed(EVENT_ID, format!("JSON_VALUE({payload}, '$.event_id')")),
            computed(
                IS_ROW,
                format!(
                    "COALESCE({object} AND {op} IN ('c', 'u', 'r') AND JSON_QUERY({payload}, '$.after') IS JSON OBJECT, FALSE)"
                ),
            ),
            computed(IS_OTHER, format!("COALESCE({object} AND {op} IN ('d', 'rt', 'm'), FALSE)")),
        ],
    );
}

/// Whether a record is looked at: `left_out` is SQL of the word for why it is not, NULL where it is. What is left out is
/// counted under its word.
pub(super) fn kept(left_out: &str) -> String {
    format!("KEPT_RECORD({left_out})")
}

/// SQL of the text of a key that is a JSON object, as it stands; the text `null` where it is none.
pub(super) fn key_json() -> String {
    format!("JSON_PART({}, 'object')", utf8(&quoted(KEY)))
}

/// Leaves out the repeats of an event: replicas of Cassandra tell of the same write. `counted` is a condition on the
/// records that have an event, `only` one on those that are looked at.
pub(super) fn first_of_event(chain: &mut Chain<'_>, counted: &str, only: Option<String>) {
    let most = chain.rules().max_event_ids;
    // The default in words.
    let amount = if most as u64 == REMEMBERED.0 { "a million".to_owned() } else { most.to_string() };
    let call = format!(
        "REPEATED_EVENT(CASE WHEN {counted} THEN {} END, {}, CAST({WITHIN_MS} AS BIGINT), CAST({most} AS BIGINT))",
        quoted(EVENT_ID),
        quoted(KAFKA_MS),
    );
    chain.remembered(
        "events",
        &format!(
            "The first record of each event: of 24 h of Kafka time, and {amount} ids a Kafka partition. The others are\n\
             counted as dq_repeat_count."
        ),
        vec![computed(IS_REPEAT, call)],
        (only, Some(format!("{} IS NOT TRUE", quoted(IS_REPEAT)))),
    );
}

/// Of a CDC topic: rows and what is broken, each event once. Tombstones have no value.
pub(super) fn rows(chain: &mut Chain<'_>) {
    change(chain);
    let only = format!("{} IS NOT NULL AND NOT {}", quoted(VALUE), quoted(names::IS_OTHER));
    first_of_event(chain, &quoted(IS_ROW), Some(only));
}

/// The text of a member of `source` of an agent's record.
pub(super) fn source_member(payload: &str, name: &str) -> String {
    format!("JSON_VALUE({payload}, '$.source.{name}')")
}

/// The whole number of 64 bits that a text is. The cast alone takes more texts.
pub(super) fn whole(text: &str) -> String {
    Shape::of("bigint").to_sql(text)
}

/// `source.ts_us` of an agent's record.
fn write_time_us(payload: &str) -> String {
    whole(&source_member(payload, "ts_us"))
}

/// The version of the row that an agent's record is about, in microseconds: of a deletion when it was written, as it
/// carries no column. NULL where that is no number of 64 bits.
pub(super) fn version_us(rules: &TableRules, payload: &str) -> String {
    let write_time = write_time_us(payload);
    let Version::Column { column, unit } = rules.version else { return write_time };
    let Some(column) = rules.columns.get(column) else { return write_time };
    let path = sql_text(&format!("$.after{}", member(&column.name)));
    let text = format!("JSON_VALUE({payload}, {path})");
    let number = whole(&text);
    let carried = match (column.shape, unit) {
        (Shape::Timestamp(_), _) => format!("TIMESTAMP_US({text})"),
        (_, VersionUnit::Millis) => {
            let most = i64::MAX / 1000;
            format!("CASE WHEN {number} BETWEEN -{most} AND {most} THEN {number} * 1000 END")
        }
        (_, VersionUnit::Micros) => number,
    };
    format!("CASE WHEN JSON_VALUE({payload}, '$.op') IN ('d', 'rt') THEN {write_time} ELSE {carried} END")
}

/// A member of an object in a JSON path.
pub(super) fn member(field: &str) -> String {
    let is_word = field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match field.bytes().next() {
        Some(first) if is_word && !first.is_ascii_digit() => format!(".{field}"),
        _ => format!("[{}]", quoted_member(field)),
    }
}

/// A name in the brackets of a JSON path; `check` refuses names with quotes or backslashes.
pub(super) fn quoted_member(field: &str) -> String {
    format!("'{field}'")
}

/// A text as JSON, `null` for NULL.
pub(super) fn json(text: &str) -> String {
    format!("COALESCE(JSON_STRING({text}), 'null')")
}
