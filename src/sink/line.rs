//! Pieces of the JSON lines that sinks write. Key and value are compact JSON already and are copied as they are.

/// The text of a tombstone's value.
const NULL: &[u8] = b"null";

/// What stands in a line of a file log behind offset and time: key and value as JSON, or with `_base64` in their names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'l> {
    pub(crate) key: Field<'l>,
    pub(crate) value: Field<'l>,
    /// A JSON object of texts.
    pub(crate) headers: &'l str,
}

/// A key or a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field<'l> {
    /// There is none.
    Null,
    /// Compact JSON without a line break.
    Json(&'l [u8]),
    /// Anything else, in base64.
    Base64(&'l str),
}

impl<'l> Line<'l> {
    fn fields(&self) -> [(&'static str, Field<'l>); 2] {
        [("key", self.key), ("value", self.value)]
    }

    /// Appends it with its end.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        for (name, field) in self.fields() {
            let text: &[u8] = match field {
                Field::Json(json) => json,
                Field::Null | Field::Base64(_) => NULL,
            };
            out.extend_from_slice(format!("\"{name}\":").as_bytes());
            out.extend_from_slice(text);
            out.push(b',');
        }
        for (name, field) in self.fields() {
            if let Field::Base64(text) = field {
                out.extend_from_slice(format!("\"{name}_base64\":\"{text}\",").as_bytes());
            }
        }
        out.extend_from_slice(b"\"headers\":");
        out.extend_from_slice(self.headers.as_bytes());
        out.extend_from_slice(b"}\n");
    }

    /// Upper bound of what [`Self::push`] appends, in bytes.
    pub(crate) fn len(&self) -> usize {
        let length = |(_, field): &(_, Field<'_>)| match field {
            Field::Null => 0,
            Field::Json(json) => json.len(),
            Field::Base64(text) => text.len(),
        };
        128 + self.fields().iter().map(length).sum::<usize>() + self.headers.len()
    }
}

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
