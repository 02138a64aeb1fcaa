//! CQL DDL text with table ids → rows of `system_schema`.
//!
//! Made for what `DESCRIBE … WITH INTERNALS` of Cassandra 4.0 to 5.0 prints (and the `schema.cql` of a snapshot): one
//! state of a schema, with ids and dropped columns. Statements that would change a state (DROP TABLE, ALTER TYPE,
//! RENAME) are refused; statements that have nothing to do with tables are skipped.

mod collect;
mod compact;
mod cursor;
mod lexer;
mod options;
mod statement;
#[cfg(test)]
mod tests;

use cursor::Cursor;
use lexer::{Kind, Token};

use super::{Loaded, TableId};

/// Why a text is no DDL that describes a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct DdlError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl DdlError {
    /// An error at a byte of the text.
    fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            message: message.into(),
        }
    }
}

/// The id of a table by keyspace and name.
type IdOf<'a> = dyn Fn(&str, &str) -> Option<TableId> + 'a;

/// Reads a DDL text. A table or view without an id is no row but a problem.
///
/// # Errors
///
/// The text is not CQL, or not a description of one state of a schema.
pub fn parse(text: &str) -> Result<Loaded, DdlError> {
    parse_with_ids(text, &|_, _| None)
}

/// [`parse()`], with ids (by keyspace and name) for tables that the text gives none.
pub(super) fn parse_with_ids(text: &str, id: &IdOf<'_>) -> Result<Loaded, DdlError> {
    let tokens = lexer::tokens(text).map_err(|at| {
        DdlError::at(text, at, "a text, a quoted name or a comment begins here and never ends")
    })?;
    let mut collector = collect::Collector::default();
    let is_end = |token: &Token<'_>| token.kind == Kind::Symbol(';');
    for tokens in tokens.split(is_end).filter(|tokens| !tokens.is_empty()) {
        let start = Cursor::new(text, tokens);
        let mut cursor = start.clone();
        let statement = statement::statement(&mut cursor)?;
        if statement != statement::Statement::Other && cursor.peek().is_some() {
            return Err(cursor.error("expected the end of the statement (`;`)"));
        }
        collector.add(statement).map_err(|message| start.error(message))?;
    }
    Ok(collector.finish(id))
}
