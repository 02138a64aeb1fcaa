//! `row_hash`: a hash over a whole row, to compare it with its copy elsewhere. Defined in `docs/identity.md`.

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use super::canonical_type::write_canonical_type;
use super::columns::{Content, live_cells};
use super::encoder::EncodeError;
use super::hash_text::{has_v0_text, v0_text, v1_text};
use super::json::write_hex;
use super::options::{RowHashOptions, RowHashVersion};
use super::plan::TablePlan;
use crate::change::filter::ColumnRules;
use crate::change::partition_key::for_each_component;
use crate::change::{ChangeEvent, EventCells, EventColumns, Operation, Shape};
use crate::cql::number::write_integer;
use crate::cql::value::is_no_value;
use crate::cql::{CqlType, ValueError};
use crate::schema::{Column, TableSchema};

/// Which columns of a table are hashed, in hash order.
#[derive(Debug)]
pub(super) struct RowHashPlan {
    version: RowHashVersion,
    columns: Vec<HashedColumn>,
    /// v0 alone: some hashed column has a type, or is withheld, so that there is no exact text.
    never: bool,
    /// `v1;<keyspace>.<table>;`
    head: Vec<u8>,
    /// The part of a record that follows `hash_kind`.
    tail: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum HashedColumn {
    PartitionKey(usize),
    Clustering(usize),
    Regular { index: usize, withheld: bool },
}

impl HashedColumn {
    fn column(self, table: &TableSchema) -> Option<&Column> {
        match self {
            Self::PartitionKey(index) => table.partition_key.get(index),
            Self::Clustering(index) => table.clustering.get(index),
            Self::Regular { index, .. } => table.regulars.get(index),
        }
    }
}

impl RowHashPlan {
    pub(super) fn new(table: &TableSchema, options: &RowHashOptions, rules: &ColumnRules) -> Self {
        let columns = hashed_columns(table, options, rules);
        let version = match options.version {
            RowHashVersion::V1 => "v1",
            RowHashVersion::V0 => "v0",
        };
        let hash_def = hash_def(table, &columns);
        let never = options.version == RowHashVersion::V0
            && columns.iter().any(|hashed| {
                let withheld = matches!(hashed, HashedColumn::Regular { withheld: true, .. });
                withheld || hashed.column(table).is_none_or(|column| !has_v0_text(&column.cql_type))
            });
        Self {
            version: options.version,
            columns,
            never,
            head: format!("v1;{}.{};", table.keyspace, table.name).into_bytes(),
            tail: format!("\",\"hash_version\":\"{version}\",\"hash_def\":\"{hash_def}\"").into_bytes(),
        }
    }
}

/// The hashed columns of a table: the key, then regular columns by name. For v0 a configured list replaces
/// them; names in it that the table does not have are left out.
fn hashed_columns(table: &TableSchema, options: &RowHashOptions, rules: &ColumnRules) -> Vec<HashedColumn> {
    let name = (table.keyspace.clone(), table.name.clone());
    let listed = options.columns.iter().find(|(table, _)| *table == name).map(|(_, columns)| columns);
    match (options.version, listed) {
        (RowHashVersion::V0, Some(listed)) => {
            listed.iter().filter_map(|column| find_column(table, column, rules)).collect()
        }
        _ => default_columns(table, options, rules),
    }
}

fn default_columns(table: &TableSchema, options: &RowHashOptions, rules: &ColumnRules) -> Vec<HashedColumn> {
    let partition_key = (0..table.partition_key.len()).map(HashedColumn::PartitionKey);
    let clustering = (0..table.clustering.len()).map(HashedColumn::Clustering);
    let regulars = table
        .regulars
        .iter()
        .enumerate()
        .filter(|(_, column)| is_hashed(table, column) && !options.exclude.contains(&column.name));
    let regulars = regulars.map(|(index, column)| regular(table, index, column, rules));
    partition_key.chain(clustering).chain(regulars).collect()
}

fn is_hashed(table: &TableSchema, column: &Column) -> bool {
    // A snapshot reads counters as numbers.
    let is_counter =
        column.cql_type == CqlType::Counter || (table.counter && column.cql_type == CqlType::BigInt);
    !is_counter && column.dropped_at_us.is_none()
}

fn regular(table: &TableSchema, index: usize, column: &Column, rules: &ColumnRules) -> HashedColumn {
    HashedColumn::Regular { index, withheld: rules.rule(table, &column.name).is_some() }
}

fn find_column(table: &TableSchema, name: &str, rules: &ColumnRules) -> Option<HashedColumn> {
    let at = |columns: &[Column]| columns.iter().position(|column| column.name == name);
    at(&table.partition_key)
        .map(HashedColumn::PartitionKey)
        .or_else(|| at(&table.clustering).map(HashedColumn::Clustering))
        .or_else(|| {
            let index = at(&table.regulars)?;
            let column = table.regulars.get(index).filter(|column| is_hashed(table, column))?;
            Some(regular(table, index, column, rules))
        })
}

/// First 8 hex digits of SHA-256 over the names and types of the hashed columns.
fn hash_def(table: &TableSchema, columns: &[HashedColumn]) -> String {
    let mut text = String::new();
    for column in columns {
        let Some(column) = column.column(table) else { continue };
        let mut canonical = String::new();
        write_canonical_type(&column.cql_type, &mut canonical);
        for part in [&column.name, &canonical] {
            text.push_str(&format!("{}:{part}", part.chars().count()));
        }
    }
    hex::encode(Sha256::digest(text)).chars().take(8).collect()
}

/// What is hashed of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashDefinition {
    /// `hash_def` of the records.
    pub id: String,
    /// Names of the hashed columns, in hash order.
    pub columns: Vec<String>,
    /// v0: some column has no exact text, so that no row has a hash.
    pub never: bool,
}

/// The definition by which an agent without column rules hashes the rows of `table`.
#[must_use]
pub fn hash_definition(table: &TableSchema, options: &RowHashOptions) -> HashDefinition {
    let rules = ColumnRules::default();
    let columns = hashed_columns(table, options, &rules);
    let names = columns.iter().filter_map(|hashed| hashed.column(table)).map(|column| column.name.clone());
    let never = RowHashPlan::new(table, options, &rules).never;
    HashDefinition { id: hash_def(table, &columns), columns: names.collect(), never }
}

/// What a record says of the hash of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowHash {
    /// Every hashed column is carried.
    Full([u8; 32]),
    /// Some hashed column is not, or there is no row.
    Partial,
    /// The row is deleted.
    Tombstone,
}

impl RowHash {
    /// Appends `,"row_hash":…,"hash_kind":…,"hash_version":…,"hash_def":…`.
    pub(super) fn write(&self, plan: &TablePlan, out: &mut Vec<u8>) {
        let Some(plan) = &plan.row_hash else { return };
        out.extend_from_slice(b",\"row_hash\":");
        match self {
            Self::Full(hash) => {
                out.push(b'"');
                write_hex(hash, out);
                out.extend_from_slice(b"\",\"hash_kind\":\"full");
            }
            Self::Partial => out.extend_from_slice(b"null,\"hash_kind\":\"partial"),
            Self::Tombstone => out.extend_from_slice(b"\"TOMBSTONE\",\"hash_kind\":\"tombstone"),
        }
        out.extend_from_slice(&plan.tail);
    }
}

/// Computes row hashes; keeps its buffers.
#[derive(Debug, Default)]
pub(super) struct RowHasher {
    text: Vec<u8>,
    field: Vec<u8>,
}

/// The text of one hashed column, or why there is no hash.
enum Field {
    Null,
    Text,
    /// A null timestamp of v0.
    Skipped,
    /// Not carried, or without an exact text.
    Missing,
}

impl RowHasher {
    /// The hash of the row of `event`, which has `columns`.
    pub(super) fn row_hash<'a>(
        &mut self,
        event: &ChangeEvent<'_, 'a>,
        columns: &EventColumns<'_, 'a>,
        plan: &RowHashPlan,
    ) -> Result<RowHash, EncodeError> {
        let Shape::Row { clustering } = event.shape else {
            let deleted = event.operation == Operation::Delete;
            return Ok(if deleted { RowHash::Tombstone } else { RowHash::Partial });
        };
        if event.operation == Operation::Delete {
            return Ok(RowHash::Tombstone);
        }
        if plan.never {
            return Ok(RowHash::Partial);
        }
        let mut partition_key = SmallVec::<[_; 8]>::new();
        for_each_component::<EncodeError>(event.update.table, event.update.partition_key, |_, value| {
            partition_key.push(Some(value));
            Ok(())
        })?;
        let row = HashedRow { table: event.update.table, columns, partition_key: &partition_key, clustering };
        let complete = match plan.version {
            RowHashVersion::V1 => self.v1(&row, plan),
            RowHashVersion::V0 => self.v0(&row, plan),
        };
        Ok(if complete { RowHash::Full(Sha256::digest(&self.text).into()) } else { RowHash::Partial })
    }

    /// Writes the text of v1; `false` when a column is missing.
    fn v1(&mut self, row: &impl HashedFields, plan: &RowHashPlan) -> bool {
        self.text.clear();
        self.text.extend_from_slice(&plan.head);
        for hashed in &plan.columns {
            self.field.clear();
            let withheld = matches!(hashed, HashedColumn::Regular { withheld: true, .. });
            match row.field(*hashed, &mut self.field, v1_text) {
                Field::Missing => return false,
                Field::Null | Field::Skipped => self.text.push(b'~'),
                Field::Text => {
                    if withheld {
                        self.text.push(b'!');
                    }
                    write_integer(code_points(&self.field), &mut self.text);
                    self.text.push(b':');
                    self.text.extend_from_slice(&self.field);
                }
            }
        }
        true
    }

    /// Writes the text of v0; `false` when a column is missing or has no exact text.
    fn v0(&mut self, row: &impl HashedFields, plan: &RowHashPlan) -> bool {
        self.text.clear();
        let mut first = true;
        for hashed in &plan.columns {
            self.field.clear();
            match row.field(*hashed, &mut self.field, v0_text) {
                Field::Missing => return false,
                Field::Skipped => continue,
                Field::Null => self.field.extend_from_slice(b"NULL"),
                Field::Text => {}
            }
            if !std::mem::take(&mut first) {
                self.text.push(b'|');
            }
            self.text.extend_from_slice(&self.field);
        }
        true
    }
}

/// Number of code points of UTF-8 text.
fn code_points(text: &[u8]) -> usize {
    text.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

/// What a text writer made of a value.
pub(super) enum HashText {
    /// The text was appended.
    Written,
    /// There is no exact text.
    Inexact,
}

/// Writes the text of a serialised value that is not null.
type TextWriter = fn(&CqlType, &[u8], &mut Vec<u8>) -> Result<HashText, ValueError>;

/// A row whose hashed columns have texts.
trait HashedFields {
    /// Appends the text of a column.
    fn field(&self, hashed: HashedColumn, out: &mut Vec<u8>, writer: TextWriter) -> Field;
}

/// Hashes rows that stand in no log, as the agent hashes those that do: by the definition of [`hash_definition`].
#[derive(Debug)]
pub struct RowHashes {
    table: TableSchema,
    plan: RowHashPlan,
}

impl RowHashes {
    /// For the rows of `table`.
    #[must_use]
    pub fn new(table: TableSchema, options: &RowHashOptions) -> Self {
        let plan = RowHashPlan::new(&table, options, &ColumnRules::default());
        Self { table, plan }
    }

    /// The hash of a whole row, 64 hex digits. `value` gives the value of a column, serialised as in a cell; None is a
    /// null. None when some value has no exact text.
    #[must_use]
    pub fn hash<'v>(&self, value: &dyn Fn(&str) -> Option<&'v [u8]>) -> Option<String> {
        let row = SerialisedRow { table: &self.table, value };
        let mut hasher = RowHasher::default();
        let is_complete = !self.plan.never
            && match self.plan.version {
                RowHashVersion::V1 => hasher.v1(&row, &self.plan),
                RowHashVersion::V0 => hasher.v0(&row, &self.plan),
            };
        is_complete.then(|| hex::encode(Sha256::digest(&hasher.text)))
    }
}

struct SerialisedRow<'r, 'v> {
    table: &'r TableSchema,
    value: &'r dyn Fn(&str) -> Option<&'v [u8]>,
}

impl HashedFields for SerialisedRow<'_, '_> {
    fn field(&self, hashed: HashedColumn, out: &mut Vec<u8>, writer: TextWriter) -> Field {
        let column = hashed.column(self.table);
        column.map_or(Field::Missing, |column| value_field(column, (self.value)(&column.name), out, writer))
    }
}

struct HashedRow<'r, 'm, 'a> {
    table: &'r TableSchema,
    columns: &'r EventColumns<'m, 'a>,
    partition_key: &'r [Option<&'a [u8]>],
    clustering: &'r [Option<&'a [u8]>],
}

impl HashedFields for HashedRow<'_, '_, '_> {
    fn field(&self, hashed: HashedColumn, out: &mut Vec<u8>, writer: TextWriter) -> Field {
        let table = self.table;
        match hashed {
            HashedColumn::PartitionKey(index) => {
                let value = self.partition_key.get(index).copied().flatten();
                let column = table.partition_key.get(index);
                column.map_or(Field::Missing, |column| value_field(column, value, out, writer))
            }
            HashedColumn::Clustering(index) => {
                let value = self.clustering.get(index).copied().flatten();
                let column = table.clustering.get(index);
                column.map_or(Field::Missing, |column| value_field(column, value, out, writer))
            }
            HashedColumn::Regular { index, withheld } => match self.columns.find(index) {
                None => Field::Missing,
                Some(cells) if withheld => withheld_field(cells, out),
                Some(cells) => column_field(cells, out, writer),
            },
        }
    }
}

fn column_field(column: &EventCells<'_, '_>, out: &mut Vec<u8>, writer: TextWriter) -> Field {
    let content = Content::of(column.column, column.cells);
    let column = column.column;
    match content {
        Content::Simple(value) => value_field(column.column, value, out, writer),
        Content::Part(_) | Content::Counter(_) => Field::Missing,
        Content::Whole(cells) if live_cells(column, cells).next().is_none() => Field::Null,
        Content::Whole(cells) => {
            let written = super::columns::write_whole(column, cells, Default::default(), out);
            if written.is_ok() { Field::Text } else { Field::Missing }
        }
    }
}

/// `<name>@<newest timestamp>`; a withheld collection that changed in part is missing.
fn withheld_field(column: &EventCells<'_, '_>, out: &mut Vec<u8>) -> Field {
    if Content::of(column.column, column.cells).is_partial() {
        return Field::Missing;
    }
    out.extend_from_slice(column.column.column.name.as_bytes());
    out.push(b'@');
    write_integer(column.newest_us().unwrap_or_default(), out);
    Field::Text
}

/// The text of a value. One that does not fit its type fails where the record carries it; a number that is too long
/// for a text may still be carried in another form.
fn value_field(column: &Column, value: Option<&[u8]>, out: &mut Vec<u8>, writer: TextWriter) -> Field {
    let cql_type = &column.cql_type;
    let Some(value) = value.filter(|value| !is_no_value(cql_type, value)) else {
        let skipped = *cql_type == CqlType::Timestamp;
        return if skipped { Field::Skipped } else { Field::Null };
    };
    match writer(cql_type, value, out) {
        Ok(HashText::Written) => Field::Text,
        Ok(HashText::Inexact) | Err(_) => Field::Missing,
    }
}
