//! Rows of `system_schema` → [`Schema`].
//!
//! Never fails as a whole: a table that cannot be understood is left out and named among the problems, because
//! decoding its mutations by guess would be worse than knowing that it is missing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::model::{Column, ColumnKind, Schema, TableId, TableSchema};
use super::problem::{Problem, ProblemKind};
use super::rows::{ColumnRow, DroppedColumnRow, SystemSchemaRows, TypeRow};
use crate::cql::type_expr::{self, Resolved};
use crate::cql::type_grammar::{self, MAX_DEPTH};
use crate::cql::{CqlType, TypeError, UserType};

/// A schema and what kept parts of the rows out of it.
#[derive(Debug, Clone, Default)]
pub struct Built {
    /// All tables that could be understood.
    pub schema: Schema,
    /// What is wrong with the rows.
    pub problems: Vec<Problem>,
}

/// Makes a schema of the rows.
#[must_use]
pub fn build(rows: &SystemSchemaRows) -> Built {
    let mut builder = Builder { types: UserTypes::new(&rows.types), built: Built::default() };
    builder.check_types(&rows.types);
    let mut columns = by_table(&rows.columns, |c| (&c.keyspace_name, &c.table_name));
    let mut dropped = by_table(&rows.dropped_columns, |c| (&c.keyspace_name, &c.table_name));
    for header in headers(rows) {
        let key = (header.keyspace, header.name);
        let columns = columns.get_mut(&key).map(std::mem::take);
        let dropped = dropped.remove(&key).unwrap_or_default();
        builder.add(&header, &columns.unwrap_or_default(), &dropped);
    }
    for ((keyspace, table), rest) in columns {
        if !rest.is_empty() {
            builder.problem(keyspace, Some(table), ProblemKind::ColumnsWithoutTable);
        }
    }
    builder.built
}

fn by_table<T>(rows: &[T], key: impl Fn(&T) -> (&String, &String)) -> BTreeMap<(&str, &str), Vec<&T>> {
    let mut grouped: BTreeMap<(&str, &str), Vec<&T>> = BTreeMap::new();
    for row in rows {
        let (keyspace, table) = key(row);
        grouped.entry((keyspace, table)).or_default().push(row);
    }
    grouped
}

/// What `tables` or `views` says about a table.
struct Header<'a> {
    keyspace: &'a str,
    name: &'a str,
    id: TableId,
    cdc: bool,
    view: bool,
    counter: bool,
    compact: bool,
}

fn headers(rows: &SystemSchemaRows) -> impl Iterator<Item = Header<'_>> {
    let tables = rows.tables.iter().map(|row| Header {
        keyspace: &row.keyspace_name,
        name: &row.table_name,
        id: row.id,
        cdc: row.cdc,
        view: false,
        counter: row.flags.contains("counter"),
        compact: !row.flags.contains("compound")
            || row.flags.iter().any(|f| f != "compound" && f != "counter"),
    });
    let views = rows.views.iter().map(|row| Header {
        keyspace: &row.keyspace_name,
        name: &row.view_name,
        id: row.id,
        cdc: false,
        view: true,
        counter: false,
        compact: false,
    });
    tables.chain(views)
}

struct Builder<'a> {
    types: UserTypes<'a>,
    built: Built,
}

impl Builder<'_> {
    fn problem(&mut self, keyspace: &str, table: Option<&str>, kind: ProblemKind) {
        self.built.problems.push(Problem {
            keyspace: keyspace.to_owned(),
            table: table.map(str::to_owned),
            kind,
        });
    }

    /// Reports user-defined types that have no meaning even when no column uses them.
    fn check_types(&mut self, rows: &[TypeRow]) {
        for row in rows {
            if let Err(error) = self.types.get(&row.keyspace_name, &row.type_name) {
                self.problem(&row.keyspace_name, None, ProblemKind::UserType(error));
            }
        }
    }

    fn add(&mut self, header: &Header<'_>, columns: &[&ColumnRow], dropped: &[&DroppedColumnRow]) {
        let (keyspace, name) = (header.keyspace, Some(header.name));
        if let Some(other) = self.built.schema.table(header.id) {
            let other = format!("{}.{}", other.keyspace, other.name);
            self.problem(keyspace, name, ProblemKind::DuplicateId(other));
            return;
        }
        match self.table(header, columns) {
            Ok(mut table) => {
                self.add_dropped(&mut table, dropped);
                self.built.schema.insert(table);
            }
            Err(kind) => self.problem(keyspace, name, kind),
        }
    }

    fn table(&mut self, header: &Header<'_>, columns: &[&ColumnRow]) -> Result<TableSchema, ProblemKind> {
        let mut table = TableSchema {
            id: header.id,
            keyspace: header.keyspace.to_owned(),
            name: header.name.to_owned(),
            cdc: header.cdc,
            view: header.view,
            counter: header.counter,
            compact: header.compact,
            partition_key: self.key(columns, ColumnKind::PartitionKey)?,
            clustering: self.key(columns, ColumnKind::Clustering)?,
            statics: self.others(columns, ColumnKind::Static)?,
            regulars: self.others(columns, ColumnKind::Regular)?,
        };
        if table.partition_key.is_empty() {
            return Err(ProblemKind::NoPartitionKey);
        }
        let is_counter = |c: &Column| c.cql_type == CqlType::Counter;
        let mut values = table.regulars.iter().chain(&table.statics);
        table.counter |= values.any(is_counter);
        Ok(table)
    }

    /// The columns of a key, ordered by position; positions count from 0 without a gap.
    fn key(&mut self, rows: &[&ColumnRow], kind: ColumnKind) -> Result<Vec<Column>, ProblemKind> {
        let mut rows: Vec<_> = rows.iter().filter(|row| row.kind == kind).collect();
        rows.sort_by_key(|row| row.position);
        let positions = rows.iter().map(|row| i64::from(row.position));
        if !positions.eq((0..).take(rows.len())) {
            return Err(ProblemKind::KeyPositions(kind));
        }
        rows.iter().map(|row| self.column(row)).collect()
    }

    /// The static or regular columns, ordered by their bytes.
    fn others(&mut self, rows: &[&ColumnRow], kind: ColumnKind) -> Result<Vec<Column>, ProblemKind> {
        let mut columns = rows
            .iter()
            .filter(|row| row.kind == kind)
            .map(|row| self.column(row))
            .collect::<Result<Vec<_>, _>>()?;
        columns.sort_by(|a, b| a.name_bytes.cmp(&b.name_bytes));
        let twice = columns.iter().zip(columns.iter().skip(1)).find(|(a, b)| a.name_bytes == b.name_bytes);
        match twice {
            Some((column, _)) => Err(ProblemKind::DuplicateColumn(column.name.clone())),
            None => Ok(columns),
        }
    }

    fn column(&mut self, row: &ColumnRow) -> Result<Column, ProblemKind> {
        let resolved = self.types.of(&row.keyspace_name, &row.type_text);
        let (cql_type, type_text) =
            resolved.map_err(|error| ProblemKind::ColumnType { column: row.column_name.clone(), error })?;
        Ok(Column {
            name_bytes: row.column_name_bytes.clone(),
            descending: row.descending,
            ..Column::new(&row.column_name, row.kind, cql_type, &type_text)
        })
    }

    /// Adds the columns that were dropped and not added again: older mutations still name them.
    fn add_dropped(&mut self, table: &mut TableSchema, rows: &[&DroppedColumnRow]) {
        for (is_static, kind) in [(true, ColumnKind::Static), (false, ColumnKind::Regular)] {
            let gone = |row: &&&DroppedColumnRow| {
                row.is_static == is_static && table.column(is_static, row.column_name.as_bytes()).is_none()
            };
            let gone: Vec<_> = rows.iter().filter(gone).filter_map(|row| self.dropped(row, kind)).collect();
            let columns = if is_static { &mut table.statics } else { &mut table.regulars };
            columns.extend(gone);
            columns.sort_by(|a, b| a.name_bytes.cmp(&b.name_bytes));
            columns.dedup_by(|a, b| a.name_bytes == b.name_bytes);
        }
    }

    fn dropped(&mut self, row: &DroppedColumnRow, kind: ColumnKind) -> Option<Column> {
        match self.types.of(&row.keyspace_name, &row.type_text) {
            Ok((cql_type, type_text)) => Some(Column {
                dropped_at_us: Some(row.dropped_at_us),
                ..Column::new(&row.column_name, kind, cql_type, &type_text)
            }),
            Err(error) => {
                let kind = ProblemKind::DroppedColumnType { column: row.column_name.clone(), error };
                self.problem(&row.keyspace_name, Some(&row.table_name), kind);
                None
            }
        }
    }
}

/// User-defined types, resolved when first asked for.
struct UserTypes<'a> {
    rows: HashMap<(&'a str, &'a str), &'a TypeRow>,
    done: HashMap<(&'a str, &'a str), Resolved<Arc<UserType>>>,
    /// Those being resolved now, outermost first.
    open: Vec<(&'a str, &'a str)>,
}

impl<'a> UserTypes<'a> {
    fn new(rows: &'a [TypeRow]) -> Self {
        let key = |row: &'a TypeRow| (row.keyspace_name.as_str(), row.type_name.as_str());
        Self {
            rows: rows.iter().map(|row| (key(row), row)).collect(),
            done: HashMap::new(),
            open: Vec::new(),
        }
    }

    /// The type of a text used in that keyspace, and the text as `system_schema` spells it.
    fn of(&mut self, keyspace: &str, text: &str) -> Result<(CqlType, String), TypeError> {
        let expr = type_grammar::parse(text)?;
        let resolved = expr.resolve(&mut |named, name| self.get(named.unwrap_or(keyspace), name))?;
        // A class has no other spelling than its own; everything else is brought to one.
        let type_text = if text.contains('\'') { text.to_owned() } else { resolved.value.to_string() };
        Ok((resolved.value, type_text))
    }

    fn get(&mut self, keyspace: &str, name: &str) -> Result<Resolved<Arc<UserType>>, TypeError> {
        if let Some(done) = self.done.get(&(keyspace, name)) {
            return Ok(done.clone());
        }
        let Some(&row) = self.rows.get(&(keyspace, name)) else {
            return Err(TypeError::UnknownUserType(format!("{keyspace}.{name}")));
        };
        let key = (row.keyspace_name.as_str(), row.type_name.as_str());
        if self.open.contains(&key) {
            return Err(TypeError::Recursive(format!("{keyspace}.{name}")));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(TypeError::TooDeep);
        }
        self.open.push(key);
        let resolved = self.fields(row);
        self.open.pop();
        let resolved = resolved?;
        self.done.insert(key, resolved.clone());
        Ok(resolved)
    }

    fn fields(&mut self, row: &TypeRow) -> Result<Resolved<Arc<UserType>>, TypeError> {
        if row.field_names.len() != row.field_types.len() {
            return Err(TypeError::FieldCount(row.type_name.clone()));
        }
        let exprs =
            row.field_types.iter().map(|text| type_grammar::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let fields = row.field_names.iter().cloned().zip(exprs);
        let keyspace = &row.keyspace_name;
        let resolved = type_expr::user_type(keyspace, &row.type_name, fields, &mut |k, n| {
            self.get(k.unwrap_or(keyspace), n)
        })?;
        Ok(Resolved { value: Arc::new(resolved.value), depth: resolved.depth })
    }
}
