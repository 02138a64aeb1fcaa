//! Views behind each other, each with more columns than the one before.

use super::Job;
use super::identity::JobKind;
use super::names::{ARRIVAL, PARTITION};
use super::script::{Part, commented, note, view};
use crate::jobs::expression::quoted;
use crate::jobs::rules::TableRules;

/// A computed column.
pub(super) struct Computed {
    /// Its name, unquoted.
    pub(super) name: String,
    /// Its SQL.
    pub(super) sql: String,
    /// For people.
    pub(super) comment: Option<String>,
}

/// A computed column without a comment.
pub(super) fn computed(name: impl Into<String>, sql: impl Into<String>) -> Computed {
    Computed { name: name.into(), sql: sql.into(), comment: None }
}

/// The views of a job so far.
pub(super) struct Chain<'j> {
    job: &'j Job<'j>,
    kind: JobKind,
    /// The newest view or table, quoted.
    last: String,
    /// Its columns, unquoted.
    columns: Vec<String>,
    parts: Vec<Part>,
}

impl<'j> Chain<'j> {
    /// A chain behind the job's table `source`.
    pub(super) fn behind_source(job: &'j Job<'j>, kind: JobKind) -> Self {
        let columns = super::source::NAMES.map(str::to_owned).to_vec();
        Self { job, kind, last: job.object(kind, "source"), columns, parts: Vec::new() }
    }

    /// The rules of the job's table.
    pub(super) fn rules(&self) -> &'j TableRules {
        self.job.rules
    }

    /// The statements, and the quoted name of the newest view.
    pub(super) fn into_parts(self) -> (Vec<Part>, String) {
        (self.parts, self.last)
    }

    /// Adds computed columns. A projection would be merged with those of the stages behind it, and its expressions
    /// computed for each place that names them; the elements of an array are computed once a record.
    pub(super) fn stage(&mut self, name: &str, about: &str, columns: Vec<Computed>) {
        if columns.is_empty() {
            return;
        }
        let count = columns.len();
        let row = |(number, column): (usize, &Computed)| {
            let comma = if number + 1 < count { "," } else { "" };
            let comment = column.comment.iter().flat_map(|comment| comment.lines());
            let comment: String = comment.map(|line| format!(" {}", line.trim())).collect();
            let colon = if comment.is_empty() { "" } else { ":" };
            let about = commented(&format!("{}{colon}{comment}", quoted(&column.name)));
            format!("  -- {about}\n  {}{comma}", column.sql)
        };
        let rows: Vec<String> = columns.iter().enumerate().map(row).collect();
        let names: Vec<String> = columns.iter().map(|column| format!("  {}", quoted(&column.name))).collect();
        let query = format!(
            "SELECT `s`.*, `c`.*\nFROM {} AS `s` CROSS JOIN UNNEST(ARRAY[ROW(\n{}\n)]) AS `c` (\n{}\n)",
            self.last,
            rows.join("\n"),
            names.join(",\n")
        );
        self.add(name, about, &query);
        self.columns.extend(columns.into_iter().map(|column| column.name));
    }

    /// Adds columns that aggregate functions compute over the records of a Kafka partition so far, in the order in
    /// which they came. `only` and `kept` are conditions on what goes in and what comes out.
    pub(super) fn remembered(
        &mut self,
        name: &str,
        about: &str,
        columns: Vec<Computed>,
        (only, kept): (Option<String>, Option<String>),
    ) {
        if columns.is_empty() {
            return;
        }
        let condition = |text: Option<String>| text.map_or_else(String::new, |text| format!(" WHERE {text}"));
        let over = format!("OVER (PARTITION BY {} ORDER BY {})", quoted(PARTITION), quoted(ARRIVAL));
        let computed: Vec<String> = columns
            .iter()
            .map(|column| format!("    {} {over} AS {}", column.sql, quoted(&column.name)))
            .collect();
        self.columns.extend(columns.iter().map(|column| column.name.clone()));
        let names: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        let query = format!(
            "SELECT {}\nFROM (\n  SELECT *,\n{}\n  FROM (SELECT *, PROCTIME() AS {} FROM {}{})\n){}",
            names.join(", "),
            computed.join(",\n"),
            quoted(ARRIVAL),
            self.last,
            condition(only),
            condition(kept),
        );
        self.add(name, about, &query);
    }

    fn add(&mut self, name: &str, about: &str, query: &str) {
        let name = self.job.object(self.kind, name);
        self.parts.push(note(about));
        self.parts.extend(view(&name, query));
        self.last = name;
    }
}
