//! The two forms in which agents write timestamps (`timestamp_format`) → one: the number. A row is the same row, and has
//! the same version, whichever its agent writes.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::Layout;
use crate::jobs::calendar::agent_timestamp;

impl Layout {
    /// Columns of a row, or of a bound, with timestamps as numbers. What is no timestamp stays as it is: a column may be
    /// masked.
    pub(super) fn in_numbers<'r>(&self, row: &'r Map<String, Value>) -> Cow<'r, Map<String, Value>> {
        let mut found = Cow::Borrowed(row);
        for name in &self.timestamps {
            if let Some(millis) = row.get(name).and_then(Value::as_str).and_then(agent_timestamp) {
                found.to_mut().insert(name.clone(), Value::from(millis));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jobs::drift::event::{Input, Side};
    use crate::jobs::drift::record::{Read, dead_letter, hash_event};

    const TEXT: &str = "1970-01-01T00:00:00.005Z";

    fn layout() -> Layout {
        Layout {
            table: "shop.visits".to_owned(),
            key: vec!["at".to_owned(), "id".to_owned()],
            partition_key: 1,
            columns: Vec::new(),
            version: None,
            clustering: Vec::new(),
            timestamps: ["at", "seen", "left", "gone"].map(str::to_owned).to_vec(),
        }
    }

    fn read() -> Read {
        Read { side: Side::Cloud, topic: "t".to_owned(), partition: 0, offset: 0, timestamp_ms: 7 }
    }

    /// Records of rows, their versions and ranges are in tests/oracle/drift.
    #[test]
    fn keys_of_hash_events_and_dead_letters() {
        for at in [json!(TEXT), json!(5)] {
            let key = json!({"at": at, "id": 1});
            let event = json!({"table": "shop.visits", "key": key, "op": "c", "version_us": 1});
            let Some(Input::Event(event)) = hash_event(&event, &layout(), &read()).unwrap() else { panic!() };
            assert_eq!(event.key, r#"{"at":5,"id":1}"#);
            let layout = layout();
            let of = ("t", &layout);
            let letter = dead_letter(&json!({"topic": "t"}), Some(key.to_string().as_bytes()), of, &read());
            let Some(Input::Gap { row: Some(row), .. }) = letter.unwrap() else { panic!() };
            assert_eq!(row, (r#"{"at":5}"#.to_owned(), r#"{"at":5,"id":1}"#.to_owned()));
        }
    }

    #[test]
    fn timestamps_become_numbers_and_nothing_else_does() {
        let layout = layout();
        let row = json!({"id": TEXT, "at": TEXT, "seen": 7, "left": "***", "gone": null});
        let expected = json!({"id": TEXT, "at": 5, "seen": 7, "left": "***", "gone": null});
        let found = layout.in_numbers(row.as_object().unwrap());
        assert_eq!(Value::Object(found.clone().into_owned()).to_string(), expected.to_string());
        assert!(matches!(layout.in_numbers(&found), Cow::Borrowed(_)));
    }
}
