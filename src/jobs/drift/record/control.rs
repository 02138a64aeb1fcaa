//! Control records and pointers to records that Kafka did not take (docs/delivery.md, 5; docs/kafka.md, 5): where the
//! promise of a stream ends.

use serde_json::Value;

use super::{Input, Key, Layout, NoRecord, Read, no_record};
use crate::jobs::drift::event::GapKind;

/// Whether a control record tells that a node truncated this table (`keyspace.table`): what it held before is gone.
#[must_use]
pub fn is_truncation(value: &Value, table: &str) -> bool {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    text("type") == "truncate" && format!("{}.{}", text("keyspace"), text("table")) == table
}

/// The gap in the records of a table (`keyspace.table`) that a control record tells of; None of every other one.
#[must_use]
pub fn control(value: &Value, table: &str, read: &Read) -> Option<Input> {
    let number = |name: &str| value.get(name).and_then(Value::as_i64);
    let kind = match value.get("type")?.as_str()? {
        // Of a table that nobody knew when its mutations were read it cannot be said that it is not this one.
        "gap" | "damage" | "damaged_segment" | "given_up" | "unknown_table" => GapKind::Lost,
        "forgotten" => GapKind::Forgotten,
        "truncate" if is_truncation(value, table) => GapKind::Truncated,
        "schema_change" => switched(value, table)?,
        _ => return None,
    };
    let host_id = value.get("host_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let said_ms = number("ts_ms").unwrap_or(read.timestamp_ms);
    let ts_ms = match kind {
        GapKind::Truncated => number("truncated_at_ms").unwrap_or(said_ms),
        _ => said_ms,
    };
    Some(Input::Gap { side: read.side, host_id, ts_ms, kind, row: None })
}

/// What a change of the schema says of CDC of this table.
fn switched(value: &Value, table: &str) -> Option<GapKind> {
    let change = value.get("change")?.as_str()?.strip_prefix(table)?.strip_prefix(": ")?;
    match (change.contains("CDC is off from here on"), change.contains("CDC is on from here on")) {
        (true, _) => Some(GapKind::Off),
        (false, true) => Some(GapKind::On),
        _ => None,
    }
}

/// The gap that a pointer tells of: a record of a row that is not in the topic of the table, or not all of it. None of
/// one of another topic. `key` is the record's; without one it may be any row.
///
/// # Errors
/// It is no pointer.
pub fn dead_letter(
    value: &Value,
    key: Option<&[u8]>,
    (topic, layout): (&str, &Layout),
    read: &Read,
) -> Result<Option<Input>, NoRecord> {
    let Some(of) = value.get("topic").and_then(Value::as_str) else { return no_record("it has no topic") };
    if of != topic {
        return Ok(None);
    }
    let key = key.and_then(|key| serde_json::from_slice::<Value>(key).ok());
    let key = key.as_ref().and_then(Value::as_object);
    let key = key.and_then(|key| Key::of(&layout.in_numbers(key), layout).ok());
    let ts_ms = value.get("ts_ms").and_then(Value::as_i64).unwrap_or(read.timestamp_ms);
    // It does not say which node wrote it.
    Ok(Some(Input::Gap {
        side: read.side,
        host_id: String::new(),
        ts_ms,
        kind: GapKind::Lost,
        row: key.map(|key| (key.partition, key.whole)),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::jobs::drift::event::Side;
    use crate::schema::history::{Effect, TableName};
    use crate::schema::model::TableId;

    fn read() -> Read {
        Read { side: Side::Cloud, topic: "t".to_owned(), partition: 0, offset: 0, timestamp_ms: 7 }
    }

    fn kind(value: &Value) -> Option<GapKind> {
        match control(value, "shop.orders", &read())? {
            Input::Gap { kind, row: None, .. } => Some(kind),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn gaps_of_the_table() {
        let change = |words: &str| json!({"type": "schema_change", "change": words});
        let off = "altered: CDC is off from here on, which is a gap until it is on again";
        assert_eq!(kind(&change(&format!("shop.orders: {off}"))), Some(GapKind::Off));
        assert_eq!(kind(&change("shop.orders: altered: CDC is on from here on")), Some(GapKind::On));
        assert_eq!(kind(&change(&format!("shop.orders2: {off}"))), None);
        assert_eq!(kind(&change("shop.orders: altered")), None);
        assert_eq!(kind(&json!({"type": "unknown_table"})), Some(GapKind::Lost));
        assert_eq!(kind(&json!({"type": "start"})), None);
        let truncate = |table: &str| json!({"type": "truncate", "keyspace": "shop", "table": table});
        assert_eq!(kind(&truncate("orders")), Some(GapKind::Truncated));
        assert_eq!(kind(&truncate("notes")), None);
    }

    /// The words are those in which the agent writes what its schema history found.
    #[test]
    fn the_agent_says_it_in_these_words() {
        let id = TableId([0; 16]);
        let table = TableName { keyspace: "shop".to_owned(), table: "orders".to_owned(), id };
        let said = |is_on| Effect::CdcSwitched { table: table.clone(), is_on }.to_string();
        let change = |is_on| json!({"type": "schema_change", "change": said(is_on)});
        assert_eq!([true, false].map(|is_on| kind(&change(is_on))), [Some(GapKind::On), Some(GapKind::Off)]);
    }

    #[test]
    fn dead_letters_of_the_table() {
        let layout = Layout {
            table: "shop.orders".to_owned(),
            key: vec!["cust".to_owned(), "id".to_owned()],
            partition_key: 1,
            columns: Vec::new(),
            version: None,
            clustering: Vec::new(),
            timestamps: Vec::new(),
        };
        let value = json!({"topic": "cloud.cdc.shop.orders", "ts_ms": 5});
        let row = |value: &Value, key: Option<&str>| {
            let topic = "cloud.cdc.shop.orders";
            dead_letter(value, key.map(str::as_bytes), (topic, &layout), &read()).map(|input| match input {
                Some(Input::Gap { host_id, ts_ms: 5, kind: GapKind::Lost, row, .. }) => Some((host_id, row)),
                _ => None,
            })
        };
        let of =
            |partition: &str, key: &str| Some((String::new(), Some((partition.to_owned(), key.to_owned()))));
        let cust = r#"{"cust":"A"}"#;
        let whole = r#"{"cust":"A","id":3}"#;
        assert_eq!(row(&value, Some(whole)), Ok(of(cust, whole)));
        assert_eq!(row(&value, Some(cust)), Ok(of(cust, cust)));
        assert_eq!(row(&value, None), Ok(Some((String::new(), None))));
        assert_eq!(row(&json!({"topic": "cloud.cdc.shop.notes", "ts_ms": 5}), Some(cust)), Ok(None));
        assert!(row(&json!({}), Some(cust)).is_err());
    }
}
