//! `WITH …` of tables and views, and the literals in it.

use std::collections::BTreeMap;

use super::DdlError;
use super::cursor::Cursor;
use super::lexer::Kind;
use crate::schema::model::TableId;

/// The options that matter for reading the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// `ID`
    pub(super) id: Option<TableId>,
    /// `cdc`
    pub(super) cdc: bool,
    /// `COMPACT STORAGE`
    pub(super) compact: bool,
    /// `CLUSTERING ORDER BY`: columns and whether they are descending.
    pub(super) order: Vec<(String, bool)>,
}

/// Reads `[WITH option AND option …]`.
pub(super) fn options(cursor: &mut Cursor<'_>) -> Result<Options, DdlError> {
    let mut options = Options::default();
    if !cursor.words(&["with"]) {
        return Ok(options);
    }
    loop {
        if cursor.words(&["compact", "storage"]) {
            options.compact = true;
        } else if cursor.words(&["clustering", "order", "by"]) {
            options.order = order(cursor)?;
        } else {
            let name = cursor.name()?;
            cursor.expect_symbol('=')?;
            match name.as_str() {
                "id" => options.id = Some(table_id(cursor)?),
                "cdc" => options.cdc = boolean(cursor)?,
                _ => cursor.skip_to_word(&["and"]),
            }
        }
        if !cursor.words(&["and"]) {
            return Ok(options);
        }
    }
}

fn order(cursor: &mut Cursor<'_>) -> Result<Vec<(String, bool)>, DdlError> {
    cursor.expect_symbol('(')?;
    let mut order = Vec::new();
    loop {
        let name = cursor.name()?;
        let descending = cursor.words(&["desc"]);
        if !descending {
            cursor.words(&["asc"]);
        }
        order.push((name, descending));
        if !cursor.symbol(',') {
            break;
        }
    }
    cursor.expect_symbol(')')?;
    Ok(order)
}

fn table_id(cursor: &mut Cursor<'_>) -> Result<TableId, DdlError> {
    let id = match cursor.peek() {
        Some(Kind::Number(text)) => text.parse().ok(),
        Some(Kind::Text(text)) => text.parse().ok(),
        _ => None,
    };
    let id = id.ok_or_else(|| cursor.error("expected the UUID of the table"))?;
    cursor.take();
    Ok(id)
}

/// `true`, `false`, or either as text.
fn boolean(cursor: &mut Cursor<'_>) -> Result<bool, DdlError> {
    let word = match cursor.peek() {
        Some(Kind::Word(word)) => *word,
        Some(Kind::Text(text)) => text.as_str(),
        _ => "",
    };
    let value = match word.to_ascii_lowercase().as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(cursor.error("expected true or false")),
    };
    cursor.take();
    Ok(value)
}

/// `{'key': 'value', …}`; values may be numbers.
pub(super) fn text_map(cursor: &mut Cursor<'_>) -> Result<BTreeMap<String, String>, DdlError> {
    let mut map = BTreeMap::new();
    cursor.expect_symbol('{')?;
    while !cursor.symbol('}') {
        let key = literal(cursor)?;
        cursor.expect_symbol(':')?;
        map.insert(key, literal(cursor)?);
        if !cursor.symbol(',') {
            cursor.expect_symbol('}')?;
            break;
        }
    }
    Ok(map)
}

fn literal(cursor: &mut Cursor<'_>) -> Result<String, DdlError> {
    let text = match cursor.peek() {
        Some(Kind::Text(text)) => text.clone(),
        Some(Kind::Number(text)) => (*text).to_owned(),
        _ => return Err(cursor.error("expected a text in single quotes")),
    };
    cursor.take();
    Ok(text)
}
