//! The pointer to a record that Kafka did not take.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::envelope::Record;

/// Longest key that a pointer repeats.
const MAX_KEY: usize = 16 << 10;

/// Says which record was not taken, how long it is, and where its event stands in the log: from there it can be made
/// again. Keys are JSON; nothing of the value is in it but its hash.
#[derive(Debug, Serialize)]
struct Pointer<'r> {
    topic: &'r str,
    key_bytes: usize,
    key_sha256: String,
    value_bytes: Option<usize>,
    value_sha256: Option<String>,
    event_id: &'r str,
    position: String,
    ts_ms: i64,
    reason: &'r str,
}

/// Key and value of the pointer to `record`. A key that is too long is left out.
pub(super) fn pointer<'r>(record: &Record<'r>, reason: &str) -> (Option<&'r [u8]>, Vec<u8>) {
    let pointer = Pointer {
        topic: record.topic,
        key_bytes: record.key.len(),
        key_sha256: sha256(record.key),
        value_bytes: record.value.map(<[u8]>::len),
        value_sha256: record.value.map(sha256),
        event_id: record.event_id,
        position: record.position.to_string(),
        ts_ms: record.ts_ms,
        reason,
    };
    let text = serde_json::to_vec(&pointer).unwrap_or_default();
    (Some(record.key).filter(|key| key.len() <= MAX_KEY), text)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitlog::{Position, SegmentId};

    #[test]
    fn names_the_record_and_holds_nothing_of_its_value() {
        let position = Position { segment: SegmentId(9), marker: 20, entry: 1, row: 2 };
        let record = Record {
            topic: "p.cdc.k.t",
            partition_hash: 0,
            key: b"abc",
            value: Some(b""),
            event_id: "00ff",
            ts_ms: 5,
            position,
        };
        let (key, text) = pointer(&record, "too large");
        assert_eq!(key, Some(&b"abc"[..]));
        // The hashes are the examples of FIPS 180-2, and that of no bytes at all.
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&text).unwrap(),
            serde_json::json!({
                "topic": "p.cdc.k.t", "key_bytes": 3,
                "key_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "value_bytes": 0,
                "value_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "event_id": "00ff", "position": "9:20:1:2", "ts_ms": 5, "reason": "too large",
            })
        );
        let long = vec![b'x'; MAX_KEY + 1];
        assert_eq!(pointer(&Record { key: &long, value: None, ..record }, "too large").0, None);
    }
}
