//! Pieces of the JSON lines that sinks write. Key and value are compact JSON already and are copied as they are.

/// The text of a tombstone's value.
const NULL: &[u8] = b"null";

/// Append `"key":…,"value":…,"headers":{…}}` and a newline: how every line ends. A record without content identity has no
/// header.
pub(crate) fn push_body(out: &mut Vec<u8>, key: &[u8], value: Option<&[u8]>, event_id: &str) {
    out.extend_from_slice(b"\"key\":");
    out.extend_from_slice(key);
    out.extend_from_slice(b",\"value\":");
    out.extend_from_slice(value.unwrap_or(NULL));
    if event_id.is_empty() {
        out.extend_from_slice(b",\"headers\":{}}\n");
        return;
    }
    out.extend_from_slice(b",\"headers\":{\"event_id\":\"");
    out.extend_from_slice(event_id.as_bytes());
    out.extend_from_slice(b"\"}}\n");
}

/// Upper bound of what [`push_body`] appends, in bytes.
pub(crate) fn body_len(key: &[u8], value: Option<&[u8]>, event_id: &str) -> usize {
    // The constant parts together are 45 bytes.
    64 + key.len() + value.map_or(NULL.len(), <[u8]>::len) + event_id.len()
}
