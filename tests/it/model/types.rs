//! The schema as the model needs it: tables with columns and their types, from a fixture's `schema.json`.

use std::collections::BTreeMap;
use std::path::Path;

use super::json::Json;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Native(String),
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>, Box<Type>),
    Vector(Box<Type>),
    Tuple(Vec<Type>),
    Udt(Vec<(String, Type)>),
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) cql_type: Type,
    /// A collection or UDT that is not frozen: its elements are cells.
    pub(super) is_complex: bool,
    /// `writetime` and `ttl` of it can be selected on every release.
    pub(super) has_times: bool,
    pub(super) is_static: bool,
    /// Cells written at or before this time (µs) belong to a column of this name that was dropped.
    pub(super) dropped_us: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) partition_key: Vec<Column>,
    /// With whether the order is descending.
    pub(super) clustering: Vec<(Column, bool)>,
    /// Static and regular columns.
    pub(super) columns: BTreeMap<String, Column>,
    pub(super) is_compact: bool,
    pub(super) is_cdc: bool,
}

/// keyspace.table → table
pub(super) type Tables = BTreeMap<String, Table>;

fn table_name(row: &Json) -> String {
    format!("{}.{}", row.at("keyspace_name").text(), row.at("table_name").text())
}

/// The tables of a schema file.
pub(super) fn tables(path: &Path) -> Tables {
    let schema = Json::parse(&std::fs::read_to_string(path).unwrap());
    let mut udts = BTreeMap::new();
    for row in schema.at("types").items() {
        let name = (row.at("keyspace_name").text().to_owned(), row.at("type_name").text().to_owned());
        let fields: Vec<(String, String)> = row
            .at("field_names")
            .items()
            .iter()
            .zip(row.at("field_types").items())
            .map(|(name, cql_type)| (name.text().to_owned(), cql_type.text().to_owned()))
            .collect();
        udts.insert(name, fields);
    }
    let mut tables = Tables::new();
    for row in schema.at("tables").items() {
        let flags: Vec<&str> = row.at("flags").items().iter().map(Json::text).collect();
        let is_compact = !flags.contains(&"compound") || flags.contains(&"dense");
        let is_cdc = row.get("cdc").is_some_and(Json::is_true);
        tables.insert(table_name(row), Table { is_compact, is_cdc, ..Table::default() });
    }
    let position = |row: &Json| row.at("position").integer();
    let mut columns: Vec<&Json> = schema.at("columns").items().iter().collect();
    columns.sort_by_key(|row| position(row));
    for row in columns {
        if let Some(table) = tables.get_mut(&table_name(row)) {
            add_column(table, row, &udts);
        }
    }
    for row in schema.at("dropped_columns").items() {
        let column = tables.get_mut(&table_name(row)).unwrap().columns.get_mut(row.at("column_name").text());
        if let Some(column) = column {
            column.dropped_us = Some(epoch_ms(row.at("dropped_time").text()) * 1000);
        }
    }
    for table in tables.values_mut() {
        // Rows of the file come in name order; COMPACT STORAGE has a hidden column of type `empty`.
        table.columns.retain(|_, column| column.cql_type != Type::Native("empty".to_owned()));
    }
    tables
}

type Udts = BTreeMap<(String, String), Vec<(String, String)>>;

fn add_column(table: &mut Table, row: &Json, udts: &Udts) {
    let text = row.at("type").text();
    let kind = row.at("kind").text();
    let cql_type = TypeParser { keyspace: row.at("keyspace_name").text(), udts, rest: text }.read();
    let is_frozen = text.starts_with("frozen<");
    let column = Column {
        name: row.at("column_name").text().to_owned(),
        is_complex: !is_frozen
            && matches!(cql_type, Type::List(_) | Type::Set(_) | Type::Map(..) | Type::Udt(_)),
        has_times: is_frozen
            || !text.starts_with('\'') && matches!(cql_type, Type::Native(_) | Type::Vector(_)),
        is_static: kind == "static",
        cql_type,
        dropped_us: None,
    };
    match kind {
        "partition_key" => table.partition_key.push(column),
        "clustering" => table.clustering.push((column, row.at("clustering_order").text() == "desc")),
        _ => {
            table.columns.insert(column.name.clone(), column);
        }
    }
}

struct TypeParser<'a> {
    keyspace: &'a str,
    udts: &'a Udts,
    rest: &'a str,
}

impl TypeParser<'_> {
    fn read(&mut self) -> Type {
        let name = self.name();
        if !self.take("<") {
            return self.named(name);
        }
        let mut parts = Vec::new();
        loop {
            // A vector's second parameter is its length.
            if name == "vector" && parts.len() == 1 {
                self.name();
            } else {
                parts.push(self.read());
            }
            if self.take(">") {
                break;
            }
            assert!(self.take(", "), "in {}", self.rest);
        }
        let mut parts = parts.into_iter();
        let mut next = || Box::new(parts.next().unwrap());
        match name.as_str() {
            "frozen" => *next(),
            "list" => Type::List(next()),
            "set" => Type::Set(next()),
            "map" => Type::Map(next(), next()),
            "vector" => Type::Vector(next()),
            "tuple" => Type::Tuple(parts.collect()),
            other => panic!("unknown type {other}"),
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn name(&mut self) -> String {
        if self.take("\"") {
            let (name, rest) = self.rest.split_once('"').unwrap();
            self.rest = rest;
            return name.to_owned();
        }
        // A custom type is a class name in single quotes, which can hold commas.
        let ends: &[char] = if self.rest.starts_with('\'') { &[] } else { &['<', '>', ','] };
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_owned()
    }

    fn named(&self, name: String) -> Type {
        if let Some(class) = name.strip_prefix('\'') {
            let known = if class.ends_with("LexicalUUIDType'") { "uuid" } else { "blob" };
            return Type::Native(known.to_owned());
        }
        match self.udts.get(&(self.keyspace.to_owned(), name.clone())) {
            None => Type::Native(name),
            Some(fields) => Type::Udt(
                fields
                    .iter()
                    .map(|(field, text)| {
                        let (keyspace, udts) = (self.keyspace, self.udts);
                        (field.clone(), TypeParser { keyspace, udts, rest: text }.read())
                    })
                    .collect(),
            ),
        }
    }
}

/// `2026-01-02 05:13:20.004Z` as milliseconds since the epoch.
fn epoch_ms(text: &str) -> i64 {
    let numbers: Vec<i64> =
        text.split(['-', ' ', ':', '.', 'Z']).filter_map(|part| part.parse().ok()).collect();
    let [year, month, day, hour, minute, second, millisecond] = numbers[..] else {
        panic!("no timestamp: {text}")
    };
    let days = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum::<i64>()
        + (1..month).map(|month| days_of(year, month)).sum::<i64>()
        + day
        - 1;
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millisecond
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
