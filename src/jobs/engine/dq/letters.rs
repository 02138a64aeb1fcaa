//! Records that break a rule: what the dead-letter topic holds of them (docs/jobs.md).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::jobs::engine::record::InputRecord;

/// The value of a dead letter.
#[derive(Serialize)]
struct Letter<'l> {
    job: &'l str,
    topic: &'l str,
    partition: u32,
    offset: i64,
    kafka_ts: i64,
    payload: Option<&'l str>,
    payload_base64: Option<String>,
    failed: &'l [&'l str],
    warned: &'l [&'l str],
    rules_version: &'l str,
}

/// Who writes the letters.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) job: String,
    /// The topic of the records.
    pub(super) topic: String,
    pub(super) rules_version: String,
}

impl Sender {
    /// The value of the letter about a record.
    pub(super) fn letter(
        &self,
        record: &InputRecord,
        failed: &[&str],
        warned: &[&str],
    ) -> Result<Vec<u8>, serde_json::Error> {
        let value = record.value.as_deref();
        let payload = value.and_then(|bytes| std::str::from_utf8(bytes).ok());
        serde_json::to_vec(&Letter {
            job: &self.job,
            topic: &self.topic,
            partition: record.partition,
            offset: record.offset,
            kafka_ts: record.timestamp_ms,
            payload,
            payload_base64: value.filter(|_| payload.is_none()).map(|bytes| STANDARD.encode(bytes)),
            failed,
            warned,
            rules_version: &self.rules_version,
        })
    }
}
