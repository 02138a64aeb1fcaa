//! The messages that the users' own notes send to `topic_onprem_sales`.

/// Two typed into a console producer, one without `event_ts` posted to a REST proxy, two sent by a script.
pub const SAMPLES: [&str; 5] = [
    r#"{"id":"1","event_ts":"2025-01-01T00:00:00Z","value":100}"#,
    r#"{"id":"2","event_ts":"2025-01-01T00:00:01Z","value":-50}"#,
    r#"{"id":"3","value":15}"#,
    r#"{"id":"10","event_ts":"2025-01-01T00:00:00Z","value":100}"#,
    r#"{"id":"11","event_ts":"2025-01-01T00:00:05Z","value":-20}"#,
];
