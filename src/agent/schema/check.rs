//! `schema check`: what is wrong with a schema file, and what will not come out as one might expect.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use super::{columns, full_name, read, tables};
use crate::agent::exit::{Exit, Failure};
use crate::cql::CqlType;
use crate::cql::ident::quoted_if_needed;
use crate::schema::{Loaded, Problem, TableSchema};

/// What `schema check` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckOutcome {
    /// Problems: parts of the file that cannot be used.
    pub problems: usize,
}

impl CheckOutcome {
    /// The exit code: a schema with problems is a wrong configuration.
    #[must_use]
    pub fn exit(self) -> Exit {
        if self.problems == 0 { Exit::Ok } else { Exit::Usage }
    }
}

/// Prints what a schema file holds, what is wrong with it, and what will not come out as one might expect.
///
/// # Errors
/// The file cannot be read or is no schema file, or `out` cannot be written. Problems are no error: the outcome
/// tells.
pub fn check(path: &Path, out: &mut impl Write) -> Result<CheckOutcome, Failure> {
    let (loaded, built) = read(path)?;
    let mut problems: Vec<String> =
        loaded.problems.iter().chain(&built.problems).map(Problem::to_string).collect();
    if built.schema.tables().next().is_none() && problems.is_empty() {
        problems.push("no tables; the rows of system_schema.tables and .columns are needed".to_owned());
    }
    let report = Report { loaded: &loaded, tables: tables(&built), problems };
    report.write(out).map_err(Failure::stdout)?;
    Ok(CheckOutcome { problems: report.problems.len() })
}

struct Report<'a> {
    loaded: &'a Loaded,
    tables: Vec<&'a TableSchema>,
    problems: Vec<String>,
}

impl Report<'_> {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let views = self.tables.iter().filter(|t| t.view).count();
        let dropped = self.tables.iter().flat_map(|t| columns(t)).filter(|c| c.dropped_at_us.is_some());
        writeln!(
            out,
            "tables {}, views {views}, user-defined types {}, dropped columns {}, tables with cdc = true {}",
            self.tables.len() - views,
            self.loaded.rows.types.len(),
            dropped.count(),
            self.tables.iter().filter(|t| t.cdc).count(),
        )?;
        let notes = self.notes();
        for note in &notes {
            writeln!(out, "note: {note}")?;
        }
        for problem in &self.problems {
            writeln!(out, "problem: {problem}")?;
        }
        match self.problems.len() {
            0 => writeln!(out, "no problems"),
            1 => writeln!(out, "1 problem"),
            n => writeln!(out, "{n} problems"),
        }
    }

    /// What is right, but may surprise.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.tables.is_empty() && !self.tables.iter().any(|t| t.cdc) {
            notes.push("no table has cdc = true; name tables with --table".to_owned());
        }
        let keyspaces = &self.loaded.rows.keyspaces;
        let durable: BTreeMap<_, _> =
            keyspaces.iter().map(|k| (k.keyspace_name.as_str(), k.durable_writes)).collect();
        for table in self.tables.iter().filter(|t| t.cdc) {
            let name = full_name(&table.keyspace, &table.name);
            if durable.get(table.keyspace.as_str()) == Some(&false) {
                notes.push(format!(
                    "{name} has cdc = true, but its keyspace has durable_writes = false: ordinary writes never \
                     reach the commit log"
                ));
            }
            for column in columns(table).filter(|c| has_opaque_part(&c.cql_type, &mut BTreeSet::new())) {
                let column_name = quoted_if_needed(&column.name);
                notes.push(format!(
                    "{name}.{column_name} has the type {}: values of its Java class come out as plain bytes",
                    column.type_text
                ));
            }
        }
        notes
    }
}

/// Whether a Java class stands anywhere in a type. `seen` are the user-defined types looked at before, so that types
/// that use each other many times are walked once.
fn has_opaque_part<'a>(cql_type: &'a CqlType, seen: &mut BTreeSet<(&'a str, &'a str)>) -> bool {
    match cql_type {
        CqlType::Custom(_) => true,
        CqlType::List { element, .. } | CqlType::Set { element, .. } | CqlType::Vector { element, .. } => {
            has_opaque_part(element, seen)
        }
        CqlType::Map { key, value, .. } => has_opaque_part(key, seen) || has_opaque_part(value, seen),
        CqlType::Tuple(fields) => fields.iter().any(|field| has_opaque_part(field, seen)),
        CqlType::Udt { udt, .. } => {
            seen.insert((&udt.keyspace, &udt.name))
                && udt.fields.iter().any(|(_, field)| has_opaque_part(field, seen))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8bd6f9e6-0000-11f0-8000-000000000001";

    /// What is printed about a file of this name with this text, and the outcome.
    fn checked(name: &str, text: &str) -> (Result<CheckOutcome, Failure>, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mut out = Vec::new();
        let outcome = check(&path, &mut out);
        (outcome, String::from_utf8(out).unwrap())
    }

    #[test]
    fn checks_a_good_file_with_notes() {
        let ddl = format!(
            "CREATE KEYSPACE k WITH durable_writes = false;
             CREATE TYPE k.u (o 'com.example.Odd');
             CREATE TABLE k.t (p int PRIMARY KEY, v frozen<u>) WITH cdc = true AND ID = {ID};"
        );
        let (outcome, out) = checked("good.cql", &ddl);
        assert_eq!(outcome.unwrap().exit(), Exit::Ok);
        assert_eq!(
            out,
            "tables 1, views 0, user-defined types 1, dropped columns 0, tables with cdc = true 1\n\
             note: k.t has cdc = true, but its keyspace has durable_writes = false: ordinary writes never reach \
             the commit log\n\
             note: k.t.v has the type frozen<u>: values of its Java class come out as plain bytes\n\
             no problems\n"
        );
    }

    #[test]
    fn checks_bad_files() {
        for (name, text, printed) in [
            (
                "empty.json",
                "{}",
                "problem: no tables; the rows of system_schema.tables and .columns are needed\n",
            ),
            (
                "noid.cql",
                "CREATE TABLE k.t (p int PRIMARY KEY);",
                "problem: k.t: no table id in the DDL text; take it with DESCRIBE … WITH INTERNALS; the table is left \
                 out\n",
            ),
            (
                "udt.json",
                r#"{"tables":[{"keyspace_name":"k","table_name":"t","id":"8bd6f9e6-0000-11f0-8000-000000000001"}],
                    "columns":[{"keyspace_name":"k","table_name":"t","column_name":"p","kind":"partition_key",
                    "position":0,"type":"frozen<gone>"}]}"#,
                "problem: k.t: column `p`: unknown user-defined type `k.gone`; the schema must hold the rows of \
                 system_schema.types too; the table is left out\n",
            ),
        ] {
            let (outcome, out) = checked(name, text);
            let outcome = outcome.unwrap();
            assert_eq!((outcome.problems, outcome.exit()), (1, Exit::Usage));
            assert!(out.ends_with(&format!("{printed}1 problem\n")), "{out}");
        }
        let failure = checked("syntax.cql", "CREATE\nTABLE").0.unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(
            failure.to_string().contains("syntax.cql, line 2, column 6: expected a name\n  next: "),
            "{failure}"
        );
        assert!(check(Path::new("/nonexistent"), &mut Vec::new()).is_err());
    }
}
