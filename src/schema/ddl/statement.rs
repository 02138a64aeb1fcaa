//! The statements of a DDL text that say what tables look like.

use std::collections::{BTreeMap, HashSet};

use super::DdlError;
use super::cursor::Cursor;
use super::lexer::Kind;
use super::options::{Options, options, text_map};

/// A statement; names are as stored, keyspaces may be missing (`USE`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// `USE keyspace`
    Use(String),
    /// `CREATE KEYSPACE`
    Keyspace { name: String, replication: BTreeMap<String, String>, durable_writes: bool },
    /// `CREATE TYPE`
    Type { keyspace: Option<String>, name: String, fields: Vec<(String, String)> },
    /// `CREATE TABLE`
    Table(CreateTable),
    /// `CREATE MATERIALIZED VIEW`
    View(CreateView),
    /// `ALTER TABLE … DROP … USING TIMESTAMP …`
    DropColumn { keyspace: Option<String>, table: String, column: String, at_us: i64 },
    /// `ALTER TABLE … ADD …`
    AddColumn { keyspace: Option<String>, table: String, column: ColumnDef },
    /// Anything that does not change how tables are read.
    Other,
}

/// A column as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnDef {
    pub(super) name: String,
    pub(super) type_text: String,
    pub(super) is_static: bool,
}

/// A primary key: names of the partition key and of the clustering columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PrimaryKey {
    pub(super) partition: Vec<String>,
    pub(super) clustering: Vec<String>,
}

/// `CREATE TABLE`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CreateTable {
    pub(super) keyspace: Option<String>,
    pub(super) name: String,
    pub(super) columns: Vec<ColumnDef>,
    pub(super) key: PrimaryKey,
    pub(super) options: Options,
}

/// `CREATE MATERIALIZED VIEW`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CreateView {
    pub(super) keyspace: Option<String>,
    pub(super) name: String,
    pub(super) base: (Option<String>, String),
    /// Selected columns; `None` is all.
    pub(super) columns: Option<Vec<String>>,
    pub(super) key: PrimaryKey,
    pub(super) options: Options,
}

/// First words of statements that do not change how tables are read.
const IRRELEVANT: &[&str] = &[
    "grant",
    "revoke",
    "list",
    "insert",
    "update",
    "delete",
    "begin",
    "apply",
    "select",
    "describe",
    "desc",
    "consistency",
    "truncate",
    "add",
    "comment",
    "security",
];

/// What a CREATE, ALTER or DROP is about when it does not change how tables are read.
const IRRELEVANT_OBJECTS: &[&str] = &[
    "custom",
    "index",
    "or",
    "function",
    "aggregate",
    "trigger",
    "role",
    "user",
    "service",
    "superuser",
    "identity",
];

/// Reads one statement.
pub(super) fn statement(cursor: &mut Cursor<'_>) -> Result<Statement, DdlError> {
    if cursor.words(&["use"]) {
        return cursor.name().map(Statement::Use);
    }
    if cursor.words(&["create"]) {
        return create(cursor);
    }
    if cursor.words(&["alter"]) {
        return alter(cursor);
    }
    if cursor.words(&["drop"]) {
        if next_is_one_of(cursor, IRRELEVANT_OBJECTS) {
            return Ok(Statement::Other);
        }
        return Err(
            cursor.error("DROP does not describe a schema; give what DESCRIBE … WITH INTERNALS prints")
        );
    }
    if next_is_one_of(cursor, IRRELEVANT) {
        return Ok(Statement::Other);
    }
    Err(cursor.error("expected a CQL statement (CREATE, ALTER, USE …)"))
}

fn next_is_one_of(cursor: &Cursor<'_>, words: &[&str]) -> bool {
    match cursor.peek() {
        Some(Kind::Word(word)) => words.iter().any(|w| word.eq_ignore_ascii_case(w)),
        _ => false,
    }
}

fn create(cursor: &mut Cursor<'_>) -> Result<Statement, DdlError> {
    if cursor.words(&["keyspace"]) || cursor.words(&["schema"]) {
        return create_keyspace(cursor);
    }
    if cursor.words(&["type"]) {
        return create_type(cursor);
    }
    if cursor.words(&["table"]) || cursor.words(&["columnfamily"]) {
        return create_table(cursor).map(Statement::Table);
    }
    if cursor.words(&["materialized", "view"]) {
        return create_view(cursor).map(Statement::View);
    }
    if next_is_one_of(cursor, IRRELEVANT_OBJECTS) {
        return Ok(Statement::Other);
    }
    Err(cursor.error("expected KEYSPACE, TYPE, TABLE, MATERIALIZED VIEW or INDEX"))
}

fn create_keyspace(cursor: &mut Cursor<'_>) -> Result<Statement, DdlError> {
    cursor.words(&["if", "not", "exists"]);
    let name = cursor.name()?;
    let (mut replication, mut durable_writes) = (BTreeMap::new(), true);
    cursor.words(&["with"]);
    loop {
        if cursor.words(&["replication"]) {
            cursor.expect_symbol('=')?;
            replication = text_map(cursor)?;
        } else if cursor.words(&["durable_writes"]) {
            cursor.expect_symbol('=')?;
            durable_writes = !cursor.words(&["false"]);
        }
        cursor.skip_to_word(&["and"]);
        if !cursor.words(&["and"]) {
            return Ok(Statement::Keyspace { name, replication, durable_writes });
        }
    }
}

fn create_type(cursor: &mut Cursor<'_>) -> Result<Statement, DdlError> {
    cursor.words(&["if", "not", "exists"]);
    let (keyspace, name) = cursor.qualified()?;
    cursor.expect_symbol('(')?;
    let mut fields = Vec::new();
    loop {
        fields.push((cursor.name()?, cursor.type_text()?));
        if !cursor.symbol(',') {
            break;
        }
    }
    cursor.expect_symbol(')')?;
    Ok(Statement::Type { keyspace, name, fields })
}

fn create_table(cursor: &mut Cursor<'_>) -> Result<CreateTable, DdlError> {
    cursor.words(&["if", "not", "exists"]);
    let (keyspace, name) = cursor.qualified()?;
    cursor.expect_symbol('(')?;
    let mut columns = Vec::new();
    let mut key = PrimaryKey::default();
    loop {
        if cursor.words(&["primary", "key"]) {
            key = primary_key(cursor)?;
        } else {
            let (column, is_key) = column(cursor)?;
            if is_key {
                key.partition.push(column.name.clone());
            }
            columns.push(column);
        }
        if !cursor.symbol(',') {
            break;
        }
    }
    let names: HashSet<&String> = columns.iter().map(|column| &column.name).collect();
    let unknown = |name: &&String| !names.contains(name);
    if let Some(name) = key.partition.iter().chain(&key.clustering).find(unknown) {
        return Err(cursor.error(format!("the primary key names `{name}`, which is no column")));
    }
    cursor.expect_symbol(')')?;
    let options = options(cursor)?;
    Ok(CreateTable { keyspace, name, columns, key, options })
}

/// `name type [STATIC] [MASKED WITH …] [PRIMARY KEY]`, and whether it is the primary key.
fn column(cursor: &mut Cursor<'_>) -> Result<(ColumnDef, bool), DdlError> {
    let name = cursor.name()?;
    let type_text = cursor.type_text()?;
    let (mut is_static, mut is_key) = (false, false);
    loop {
        if cursor.words(&["static"]) {
            is_static = true;
        } else if cursor.words(&["primary", "key"]) {
            is_key = true;
        } else if cursor.words(&["masked", "with"]) {
            cursor.skip_mask();
        } else {
            return Ok((ColumnDef { name, type_text, is_static }, is_key));
        }
    }
}

/// `((p1, p2), c1, c2)`
fn primary_key(cursor: &mut Cursor<'_>) -> Result<PrimaryKey, DdlError> {
    cursor.expect_symbol('(')?;
    let partition = match cursor.peek() {
        Some(Kind::Symbol('(')) => cursor.names()?,
        _ => vec![cursor.name()?],
    };
    let mut clustering = Vec::new();
    while cursor.symbol(',') {
        clustering.push(cursor.name()?);
    }
    cursor.expect_symbol(')')?;
    Ok(PrimaryKey { partition, clustering })
}

fn create_view(cursor: &mut Cursor<'_>) -> Result<CreateView, DdlError> {
    cursor.words(&["if", "not", "exists"]);
    let (keyspace, name) = cursor.qualified()?;
    cursor.expect_words(&["as", "select"])?;
    let columns = if cursor.symbol('*') {
        None
    } else {
        let mut columns = vec![cursor.name()?];
        while cursor.symbol(',') {
            columns.push(cursor.name()?);
        }
        Some(columns)
    };
    cursor.expect_words(&["from"])?;
    let base = cursor.qualified()?;
    cursor.skip_to_word(&["primary"]);
    cursor.expect_words(&["primary", "key"])?;
    let key = primary_key(cursor)?;
    let options = options(cursor)?;
    Ok(CreateView { keyspace, name, base, columns, key, options })
}

fn alter(cursor: &mut Cursor<'_>) -> Result<Statement, DdlError> {
    if cursor.words(&["type"]) {
        return Err(
            cursor.error("ALTER TYPE does not describe a schema; give what DESCRIBE … WITH INTERNALS prints")
        );
    }
    if !cursor.words(&["table"]) && !cursor.words(&["columnfamily"]) {
        let options_only = ["keyspace", "schema", "materialized"];
        if next_is_one_of(cursor, IRRELEVANT_OBJECTS) || next_is_one_of(cursor, &options_only) {
            return Ok(Statement::Other);
        }
        return Err(cursor.error("expected TABLE"));
    }
    cursor.words(&["if", "exists"]);
    let (keyspace, table) = cursor.qualified()?;
    if cursor.words(&["drop"]) {
        cursor.words(&["if", "exists"]);
        let column = cursor.name()?;
        cursor.expect_words(&["using", "timestamp"])?;
        let at_us = cursor.integer()?;
        return Ok(Statement::DropColumn { keyspace, table, column, at_us });
    }
    if cursor.words(&["add"]) {
        cursor.words(&["if", "not", "exists"]);
        let (column, _) = column(cursor)?;
        return Ok(Statement::AddColumn { keyspace, table, column });
    }
    Err(cursor.error("expected DROP … USING TIMESTAMP or ADD, as DESCRIBE … WITH INTERNALS prints them"))
}
