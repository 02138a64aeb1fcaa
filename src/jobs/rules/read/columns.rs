//! `columns:` of a rules file.

use std::cell::RefCell;

use crate::jobs::column::{Column, ColumnSource, Shape, TimeForm, scalar_types};
use crate::jobs::decimal::MAX_PRECISION;
use crate::jobs::expression::KAFKA_TIME;
use crate::jobs::fields::{Fields, one_of};
use crate::jobs::finding::{Code, Findings, Place};
use crate::jobs::yaml::{Entry, Node};

const KEYS: [&str; 6] = ["type", "field", "format", "precision", "scale", "computed"];

/// Types of which no rule and no job of a business topic can tell whether a text is a value; a CDC topic carries them.
const CDC_ONLY: [&str; 10] =
    ["inet", "duration", "counter", "list<", "set<", "map<", "tuple<", "vector<", "frozen<", "'"];

/// The columns and their places. None when there is none, or one cannot be read.
pub(super) fn read(node: &Node, is_cdc: bool, findings: &RefCell<Findings>) -> Option<Vec<(Column, Place)>> {
    let fields = Fields::any(node, "columns", findings)?;
    if fields.entries().is_empty() {
        fields.wrong(node.place, Code::MissingKey, "columns: a table has at least one");
        return None;
    }
    let columns: Vec<(Column, Place)> = fields
        .entries()
        .iter()
        .filter_map(|entry| Some((column(entry, is_cdc, findings)?, entry.place)))
        .collect();
    (columns.len() == fields.entries().len()).then_some(columns)
}

fn column(entry: &Entry, is_cdc: bool, findings: &RefCell<Findings>) -> Option<Column> {
    let name = entry.key.clone();
    let fields = Fields::of(&entry.value, &format!("column {name}"), &KEYS, findings)?;
    if name == KAFKA_TIME {
        let message = format!("{KAFKA_TIME} is the record's timestamp; no column can have this name");
        fields.wrong(entry.place, Code::Value, message);
        return None;
    }
    let cql_type = fields.required_text("type")?;
    let shape = shape(&cql_type.value, is_cdc).or_else(|| {
        let known: Vec<&str> = scalar_types().collect();
        fields.wrong(cql_type.place, Code::Value, format!("type: {}", one_of(&cql_type.value, &known)));
        None
    })?;
    let shape = with_digits(shape, &cql_type.value, is_cdc, &fields)?;
    let shape = with_form(shape, is_cdc, &fields);
    let computed = fields.word("computed", &["row_hash"]);
    let field = fields.text("field");
    let source = match (computed, field) {
        (None, field) => ColumnSource::Field(field.map_or_else(|| name.clone(), |field| field.value)),
        (Some(_), None) if shape == Shape::Text => ColumnSource::RowHash,
        (Some(word), None) => {
            fields.wrong(word.place, Code::Value, "computed: a row hash is a text");
            return None;
        }
        (Some(word), Some(_)) => {
            fields.wrong(word.place, Code::Value, "computed: such a column has no field");
            return None;
        }
    };
    if is_cdc && source != ColumnSource::Field(name.clone()) {
        fields.wrong(entry.place, Code::Value, "a cdc source has the columns of its table under their names");
    }
    Some(Column { name, cql_type: cql_type.value, shape, source })
}

/// The shape of a type; None of one that is not known or that the source cannot carry.
fn shape(cql_type: &str, is_cdc: bool) -> Option<Shape> {
    let shape = Shape::of(cql_type);
    let known = shape != Shape::Opaque || is_cdc && CDC_ONLY.iter().any(|type_| cql_type.starts_with(type_));
    // User-defined types are always frozen<…> or named beside a CDC source.
    let user_type = is_cdc && cql_type.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (cql_type != "varchar" && (known || user_type)).then_some(shape)
}

fn with_digits(shape: Shape, cql_type: &str, is_cdc: bool, fields: &Fields<'_, '_>) -> Option<Shape> {
    let digits = ["precision", "scale"];
    if cql_type != "decimal" {
        if let Some(node) = digits.iter().find_map(|key| fields.get(key)) {
            fields.wrong(node.place, Code::Value, "precision and scale belong to decimal");
        }
        return Some(shape);
    }
    // A CDC topic may carry decimals that no job looks into.
    if is_cdc && digits.iter().all(|key| fields.get(key).is_none()) {
        return Some(Shape::Opaque);
    }
    digits.iter().for_each(|key| {
        fields.required(key);
    });
    let precision = u8::try_from(fields.integer("precision", 1, u64::from(MAX_PRECISION))?).ok()?;
    let scale = u8::try_from(fields.integer("scale", 0, u64::from(precision))?).ok()?;
    Some(Shape::Decimal { precision, scale })
}

fn with_form(shape: Shape, is_cdc: bool, fields: &Fields<'_, '_>) -> Shape {
    let form = match fields.word("format", &["iso8601", "epoch"]) {
        Some(word) if !shape.is_time() => {
            fields.wrong(word.place, Code::Value, "format: timestamps, dates and times have one");
            return shape;
        }
        Some(word) if word.value == "epoch" => TimeForm::Epoch,
        Some(_) => TimeForm::Iso8601,
        None if is_cdc => TimeForm::Epoch,
        None => TimeForm::Iso8601,
    };
    shape.with_form(form)
}
