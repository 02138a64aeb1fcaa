//! Logged rows → rows of [`super::super::rows`].

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use super::logged::{RowKey, RowState};
use crate::cql::CqlType;
use crate::cql::value::Value;
use crate::schema::model::{ColumnKind, TableId};
use crate::schema::rows::{ColumnRow, DroppedColumnRow, TypeRow};

/// `frozen<list<text>>`; a frozen set has the same bytes.
static TEXTS: LazyLock<CqlType> =
    LazyLock::new(|| CqlType::List { element: Arc::new(CqlType::Text), frozen: true });

/// What a row of `tables` or `views` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: Option<TableId>,
    pub(super) flags: Option<BTreeSet<String>>,
    pub(super) cdc: Option<bool>,
    pub(super) base: Option<String>,
}

pub(super) fn header(row: &RowState) -> Header {
    Header {
        id: row.get("id").and_then(|bytes| bytes.try_into().ok()).map(TableId),
        flags: row.get("flags").and_then(texts).map(|flags| flags.into_iter().collect()),
        cdc: row.get("cdc").map(|bytes| bytes.iter().any(|b| *b != 0)),
        base: text(row, "base_table_name"),
    }
}

/// A row of `columns`; `None` when something of it is missing.
pub(super) fn column(key: &RowKey, row: &RowState) -> Option<ColumnRow> {
    let (_, keyspace, names) = key;
    let [table_name, column_name] = names.as_slice() else { return None };
    let position = row.get("position").and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    Some(ColumnRow {
        keyspace_name: keyspace.clone(),
        table_name: table_name.clone(),
        column_name: column_name.clone(),
        column_name_bytes: row.get("column_name_bytes").unwrap_or(column_name.as_bytes()).to_vec(),
        kind: ColumnKind::from_text(&text(row, "kind")?)?,
        position: position?,
        descending: text(row, "clustering_order").is_some_and(|order| order.eq_ignore_ascii_case("desc")),
        type_text: text(row, "type")?,
    })
}

/// A row of `dropped_columns`.
pub(super) fn dropped_column(key: &RowKey, row: &RowState) -> Option<DroppedColumnRow> {
    let (_, keyspace, names) = key;
    let [table_name, column_name] = names.as_slice() else { return None };
    let dropped_ms = i64::from_be_bytes(row.get("dropped_time")?.try_into().ok()?);
    Some(DroppedColumnRow {
        keyspace_name: keyspace.clone(),
        table_name: table_name.clone(),
        column_name: column_name.clone(),
        dropped_at_us: dropped_ms.saturating_mul(1000),
        is_static: text(row, "kind").is_some_and(|kind| kind == "static"),
        type_text: text(row, "type")?,
    })
}

/// A row of `types`.
pub(super) fn user_type(key: &RowKey, row: &RowState) -> Option<TypeRow> {
    let (_, keyspace, names) = key;
    let [type_name] = names.as_slice() else { return None };
    Some(TypeRow {
        keyspace_name: keyspace.clone(),
        type_name: type_name.clone(),
        field_names: texts(row.get("field_names")?)?,
        field_types: texts(row.get("field_types")?)?,
    })
}

fn text(row: &RowState, column: &str) -> Option<String> {
    String::from_utf8(row.get(column)?.to_vec()).ok()
}

fn texts(bytes: &[u8]) -> Option<Vec<String>> {
    let Ok(Value::Sequence(elements)) = Value::decode(&TEXTS, bytes) else { return None };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    elements.map(|element| element.ok().and_then(|(_, bytes)| text(bytes?))).collect()
}
