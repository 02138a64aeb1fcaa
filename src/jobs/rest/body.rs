//! The body of a request.

use serde::Deserialize;
use serde_json::value::RawValue;

/// `{"records":[{"key":…,"value":…,"partition":…}]}`; the JSON of keys and values is kept as it was written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body<'b> {
    #[serde(borrow)]
    pub(super) records: Vec<Item<'b>>,
}

/// A record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item<'b> {
    /// Null, or missing: a record without key.
    #[serde(borrow, default)]
    key: Option<&'b RawValue>,
    /// Null, or missing: a tombstone.
    #[serde(borrow, default)]
    value: Option<&'b RawValue>,
    /// The partition; otherwise by the key.
    #[serde(default)]
    pub(super) partition: Option<i32>,
}

impl Item<'_> {
    pub(super) fn key(&self) -> Option<Vec<u8>> {
        self.key.map(|json| json.get().as_bytes().to_vec())
    }

    pub(super) fn value(&self) -> Option<Vec<u8>> {
        self.value.map(|json| json.get().as_bytes().to_vec())
    }
}

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BodyError {
    /// It is no JSON.
    Syntax(String),
    /// It is JSON of another form.
    Form(String),
}

/// Reads a body. What an error says holds no value of it.
pub(super) fn read(bytes: &[u8]) -> Result<Body<'_>, BodyError> {
    let body: Body<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("at line {} column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => BodyError::Form(format!(
                "expected {{\"records\":[{{\"value\":…}}]}} with key, value and partition alone, {place}"
            )),
            _ => BodyError::Syntax(format!("no JSON {place}")),
        }
    })?;
    if body.records.is_empty() {
        return Err(BodyError::Form("records must not be empty".to_owned()));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_kept_as_it_was_written() {
        let body = read(
            br#"{"records":[{"value":{"id":"3",  "value":1.50}},{"key":"k","value":null,"partition":2}]}"#,
        );
        let body = body.unwrap();
        assert_eq!(body.records[0].value().unwrap(), br#"{"id":"3",  "value":1.50}"#);
        assert_eq!((body.records[0].key(), body.records[0].partition), (None, None));
        assert_eq!(body.records[1].key().unwrap(), b"\"k\"");
        assert_eq!((body.records[1].value(), body.records[1].partition), (None, Some(2)));
    }

    #[test]
    fn what_is_refused() {
        for text in ["", "{", "{\"records\":[{\"value\":{\"a\":}}]}", "{} x"] {
            assert!(
                matches!(read(text.as_bytes()), Err(BodyError::Syntax(_) | BodyError::Form(_))),
                "{text}"
            );
        }
        for text in ["{}", "[]", r#"{"records":[]}"#, r#"{"records":{}}"#, r#"{"records":[{"valeu":1}]}"#] {
            assert!(matches!(read(text.as_bytes()), Err(BodyError::Form(_))), "{text}");
        }
        let error = read(br#"{"records":[{"secret":"hunter2"}]}"#).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
