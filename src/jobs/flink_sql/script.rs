//! Files of SQL: statements with comments before them.

use crate::jobs::expression::PLACE;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A comment; its lines without the dashes.
    Note(String),
    /// A statement without its semicolon.
    Statement(String),
}

/// A file of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFile {
    /// Below the folder of generated files: `onprem/sales.events/01_sources.sql`.
    pub path: String,
    /// What it holds.
    pub parts: Vec<Part>,
}

impl SqlFile {
    /// The statements in their order, without comments before them and without semicolons.
    pub fn statements(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Note(_) => None,
            Part::Statement(text) => Some(text.as_str()),
        })
    }

    /// The file: an empty line before each comment, a semicolon and an empty line behind each statement but one of SET.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Note(note) => {
                    if !text.is_empty() && !text.ends_with("\n\n") {
                        text.push('\n');
                    }
                    note.lines().for_each(|line| text.push_str(&comment(line)));
                }
                Part::Statement(statement) => {
                    text.push_str(statement);
                    text.push_str(if statement.starts_with("SET ") { ";\n" } else { ";\n\n" });
                }
            }
        }
        format!("{}\n", text.trim_end())
    }
}

/// A line of a comment.
pub(super) fn comment(line: &str) -> String {
    format!("-- {}", commented(line)).trim_end().to_owned() + "\n"
}

/// A text as it stands in a comment. What ends a line for Flink ended the comment, and a place is filled in there, too.
pub(super) fn commented(text: &str) -> String {
    let ends_line = |character: char| character.is_control() || "\u{2028}\u{2029}".contains(character);
    text.replace(ends_line, " ").replace(PLACE, "$ {")
}

pub(super) fn note(text: impl Into<String>) -> Part {
    Part::Note(text.into())
}

pub(super) fn statement(text: impl Into<String>) -> Part {
    Part::Statement(text.into())
}

/// A view that takes the place of what had its name: a note can be run again after its rules changed.
pub(super) fn view(name: &str, query: &str) -> [Part; 2] {
    [
        statement(format!("DROP TEMPORARY VIEW IF EXISTS {name}")),
        statement(format!("CREATE TEMPORARY VIEW {name} AS\n{query}")),
    ]
}

/// A table that takes the place of what had its name.
pub(super) fn table(name: &str, columns: &[String], options: &[(String, String)]) -> [Part; 2] {
    let columns: Vec<String> = columns.iter().map(|column| format!("  {column}")).collect();
    let options: Vec<String> = options
        .iter()
        .map(|(key, value)| {
            let (key, value) =
                (crate::jobs::expression::sql_text(key), crate::jobs::expression::sql_text(value));
            format!("  {key} = {value}")
        })
        .collect();
    [
        statement(format!("DROP TEMPORARY TABLE IF EXISTS {name}")),
        statement(format!(
            "CREATE TEMPORARY TABLE {name} (\n{}\n) WITH (\n{}\n)",
            columns.join(",\n"),
            options.join(",\n")
        )),
    ]
}
