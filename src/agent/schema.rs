//! `schema show` and `schema check`: what a schema file says, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::exit::{Exit, Failure};
use crate::cql::CqlType;
use crate::cql::ident::quoted_if_needed;
use crate::schema::{Built, Column, ColumnKind, Loaded, Problem, TableSchema, build, load};

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

fn read(path: &Path) -> Result<(Loaded, Built), Failure> {
    let loaded = load(path).map_err(|error| {
        Failure::new(Exit::Usage, "the schema cannot be used").because(error).next(
            "give the output of DESCRIBE SCHEMA WITH INTERNALS, or the rows of system_schema as one JSON object",
        )
    })?;
    let built = build(&loaded.rows);
    Ok((loaded, built))
}

fn tables(built: &Built) -> Vec<&TableSchema> {
    let mut tables: Vec<_> = built.schema.tables().map(AsRef::as_ref).collect();
    tables.sort_by(|a, b| (&a.keyspace, &a.name).cmp(&(&b.keyspace, &b.name)));
    tables
}

/// All columns: partition key, clustering, static, regular.
fn columns(table: &TableSchema) -> impl Iterator<Item = &Column> {
    [&table.partition_key, &table.clustering, &table.statics, &table.regulars].into_iter().flatten()
}

fn full_name(keyspace: &str, name: &str) -> String {
    format!("{}.{}", quoted_if_needed(keyspace), quoted_if_needed(name))
}

/// Prints the tables of a schema file, as text or as one JSON object.
///
/// # Errors
/// The file cannot be read or is no schema file, or `out` cannot be written.
pub fn show(path: &Path, json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let (_, built) = read(path)?;
    let tables = tables(&built);
    let written = if json { show_json(&tables, out) } else { show_text(&tables, out) };
    written.map_err(Failure::stdout)
}

fn show_text(tables: &[&TableSchema], out: &mut impl Write) -> io::Result<()> {
    for (index, table) in tables.iter().enumerate() {
        let gap = if index == 0 { "" } else { "\n" };
        let marks =
            [(table.cdc, ", cdc"), (table.counter, ", counters"), (table.compact, ", compact storage")];
        let marks: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
        let kind = if table.view { "view" } else { "table" };
        let name = full_name(&table.keyspace, &table.name);
        writeln!(out, "{gap}{kind} {name}, id {}{marks}", table.id)?;
        let width = columns(table).map(|c| quoted_if_needed(&c.name).chars().count()).max().unwrap_or(0);
        for column in columns(table) {
            let name = quoted_if_needed(&column.name);
            writeln!(out, "  {name:width$}  {}{}", column.type_text, role(column))?;
        }
    }
    Ok(())
}

/// What to say of a column beside its type.
fn role(column: &Column) -> String {
    let kind = match column.kind {
        ColumnKind::PartitionKey => ", partition key",
        ColumnKind::Clustering if column.descending => ", clustering, descending",
        ColumnKind::Clustering => ", clustering",
        ColumnKind::Static => ", static",
        ColumnKind::Regular => "",
    };
    match column.dropped_at_us {
        Some(at) => format!("{kind}, dropped at {at} µs"),
        None => kind.to_owned(),
    }
}

fn show_json(tables: &[&TableSchema], out: &mut impl Write) -> io::Result<()> {
    let tables: Vec<Value> = tables.iter().map(|table| table_json(table)).collect();
    serde_json::to_writer_pretty(&mut *out, &json!({ "tables": tables }))?;
    writeln!(out)
}

fn table_json(table: &TableSchema) -> Value {
    let column = |c: &Column| {
        json!({
            "name": c.name,
            "kind": c.kind.as_text(),
            "type": c.type_text,
            "descending": c.descending,
            "dropped_at_us": c.dropped_at_us,
        })
    };
    json!({
        "keyspace": table.keyspace,
        "table": table.name,
        "id": table.id.to_string(),
        "cdc": table.cdc,
        "view": table.view,
        "counter": table.counter,
        "compact": table.compact,
        "columns": columns(table).map(column).collect::<Vec<_>>(),
    })
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
    use std::path::PathBuf;

    use super::*;

    const ID: &str = "8bd6f9e6-0000-11f0-8000-000000000001";

    /// A file with this text, and its folder (removed when the returned guard goes).
    fn file(name: &str, text: &str) -> (PathBuf, Guard) {
        let dir = std::env::temp_dir().join(format!("cdc-agent-schema-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        (path, Guard(dir))
    }

    struct Guard(PathBuf);

    impl Drop for Guard {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn text_of(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn shows_tables() {
        let ddl = format!(
            "CREATE TABLE k.\"T\" (p int, c text, s int static, \"Vé\" list<int>, PRIMARY KEY (p, c))
             WITH CLUSTERING ORDER BY (c DESC) AND cdc = true AND ID = {ID};
             ALTER TABLE k.\"T\" DROP s USING TIMESTAMP 7;"
        );
        let (path, _guard) = file("show.cql", &ddl);
        let text = text_of(|out| show(&path, false, out).unwrap());
        assert_eq!(
            text,
            format!(
                "table k.\"T\", id {ID}, cdc\n  p     int, partition key\n  c     text, clustering, descending\n  \
                 s     int, static, dropped at 7 µs\n  \"Vé\"  list<int>\n"
            )
        );
        let json = text_of(|out| show(&path, true, out).unwrap());
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["tables"][0]["id"], ID);
        assert_eq!(json["tables"][0]["columns"][1]["descending"], true);
        assert_eq!(json["tables"][0]["columns"][2]["dropped_at_us"], 7);
        assert_eq!(json["tables"][0]["columns"][3]["type"], "list<int>");
    }

    #[test]
    fn checks_a_good_file_with_notes() {
        let ddl = format!(
            "CREATE KEYSPACE k WITH durable_writes = false;
             CREATE TYPE k.u (o 'com.example.Odd');
             CREATE TABLE k.t (p int PRIMARY KEY, v frozen<u>) WITH cdc = true AND ID = {ID};"
        );
        let (path, _guard) = file("good.cql", &ddl);
        let mut out = Vec::new();
        let outcome = check(&path, &mut out).unwrap();
        assert_eq!(outcome.exit(), Exit::Ok);
        assert_eq!(
            String::from_utf8(out).unwrap(),
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
            let (path, _guard) = file(name, text);
            let mut out = Vec::new();
            let outcome = check(&path, &mut out).unwrap();
            assert_eq!((outcome.problems, outcome.exit()), (1, Exit::Usage));
            let out = String::from_utf8(out).unwrap();
            assert!(out.ends_with(&format!("{printed}1 problem\n")), "{out}");
        }
        let (path, _guard) = file("syntax.cql", "CREATE\nTABLE");
        let failure = check(&path, &mut Vec::new()).unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert!(
            failure.to_string().contains("syntax.cql, line 2, column 6: expected a name\n  next: "),
            "{failure}"
        );
        assert!(check(Path::new("/nonexistent"), &mut Vec::new()).is_err());
    }
}
