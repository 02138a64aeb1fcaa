//! A record as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::jobs::cli::columns::printable;
use crate::jobs::kafka::tail::Read;

/// Bytes of a record, as far as they can be understood.
enum Content<'b> {
    /// JSON, as it was written.
    Json(&'b RawValue),
    /// Another text.
    Text(&'b str),
    /// No UTF-8.
    Bytes(&'b [u8]),
}

fn content(bytes: &[u8]) -> Content<'_> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Content::Bytes(bytes) };
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => Content::Json(json),
        Err(_) => Content::Text(text),
    }
}

/// An object in a line. The text of JSON stays as it was written, but for line breaks.
pub(super) fn json(topic: &str, record: &Read<'_>) -> String {
    let mut line = format!(
        "{{\"topic\":{},\"partition\":{},\"offset\":{}",
        quoted(topic),
        record.partition,
        record.offset
    );
    let time = record.timestamp_ms.map_or_else(|| "null".to_owned(), |ms| ms.to_string());
    line.push_str(&format!(",\"ts_ms\":{time}"));
    push(&mut line, "key", record.key);
    push(&mut line, "value", record.value);
    line.push_str(",\"headers\":{");
    for (number, (name, value)) in record.headers().enumerate() {
        let text = value.map_or_else(|| "null".to_owned(), |value| quoted(&String::from_utf8_lossy(value)));
        let comma = if number > 0 { "," } else { "" };
        line.push_str(&format!("{comma}{}:{text}", quoted(name)));
    }
    line.push_str("}}\n");
    line
}

fn push(line: &mut String, name: &str, bytes: Option<&[u8]>) {
    let text = match bytes.map(content) {
        None => format!(",\"{name}\":null"),
        // Between the tokens of JSON a line break is as good as a space, and in a text none can stand.
        Some(Content::Json(json)) => format!(",\"{name}\":{}", json.get().replace(['\n', '\r'], " ")),
        Some(Content::Text(text)) => format!(",\"{name}_text\":{}", quoted(text)),
        Some(Content::Bytes(bytes)) => format!(",\"{name}_base64\":\"{}\"", STANDARD.encode(bytes)),
    };
    line.push_str(&text);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Some lines for people.
pub(super) fn pretty(topic: &str, record: &Read<'_>) -> String {
    let mut out = format!("{topic}[{}]@{}", record.partition, record.offset);
    if let Some(time) = record.timestamp_ms.and_then(rfc3339) {
        out.push_str(&format!("  {time}"));
    }
    if let Some(key) = record.key {
        out.push_str(&format!("  key {}", shown(key)));
    }
    for (name, value) in record.headers() {
        out.push_str(&format!("  {}={}", printable(name), value.map_or_else(|| "null".to_owned(), shown)));
    }
    out.push('\n');
    let value = match record.value.map(content) {
        None => "(tombstone)".to_owned(),
        Some(Content::Json(json)) => indented(json.get()),
        Some(Content::Text(text)) => printable(text),
        Some(Content::Bytes(bytes)) => format!("(no UTF-8) {}", STANDARD.encode(bytes)),
    };
    value.lines().for_each(|line| out.push_str(&format!("  {line}\n")));
    out
}

/// Indented JSON. Of a value that would not stay itself (a name twice, long numbers) the text is as it was written.
fn indented(text: &str) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let same = parsed.filter(|value| {
        let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let again: String = value.to_string().chars().filter(|c| !c.is_ascii_whitespace()).collect();
        compact == again
    });
    match same {
        Some(value) => format!("{value:#}").lines().map(printable).collect::<Vec<_>>().join("\n"),
        None => printable(text),
    }
}

fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => printable(text),
        Err(_) => STANDARD.encode(bytes),
    }
}

fn rfc3339(ms: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()?;
    time.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_stays_as_it_was_written() {
        for (bytes, expected) in [
            (&br#"{"a":1.10,"a":2}"#[..], r#","value":{"a":1.10,"a":2}"#),
            (b"{\"a\":\n1}", r#","value":{"a": 1}"#),
            (b"\"x\"", r#","value":"x""#),
            (b"x\"", r#","value_text":"x\"""#),
            (b"", r#","value_text":"""#),
            (b"\xff", r#","value_base64":"/w==""#),
        ] {
            let mut line = String::new();
            push(&mut line, "value", Some(bytes));
            assert_eq!(line, expected);
        }
        let mut line = String::new();
        push(&mut line, "key", None);
        assert_eq!(line, r#","key":null"#);
    }

    #[test]
    fn json_is_indented_unless_it_would_change() {
        assert_eq!(indented(r#"{"a":[1]}"#), "{\n  \"a\": [\n    1\n  ]\n}");
        assert_eq!(indented(r#"{"a":1,"a":2}"#), r#"{"a":1,"a":2}"#);
        assert_eq!(indented("1e400"), "1e400");
        assert_eq!(indented("\"\u{9b}\""), "\"\\u{9b}\"");
    }
}
