//! `03_valid.sql`: where valid rows go.

use super::connector::{Options, cassandra, option};
use super::identity::{JobKind, job_name};
use super::judged::judged;
use super::names::{FAILED, WRITE_TIME_US};
use super::row_hash::row_hash;
use super::script::{SqlFile, note, table};
use super::{GENERATED, Job};
use crate::jobs::column::{Column, ColumnSource, Shape};
use crate::jobs::expression::quoted;
use crate::jobs::rules::{Version, VersionUnit};

pub(super) fn file(job: &Job<'_>) -> SqlFile {
    let (name, sink) = (job_name(JobKind::Dq, job), job.object(JobKind::Dq, "valid"));
    let mut parts = vec![note(format!(
        "{name}: where valid rows go. 04 writes them, together with everything else of the job.\n{GENERATED}"
    ))];
    if job.rules.has_sink {
        parts.push(note(
            "The one data centre that this job writes to. Writes carry the row's version as their time: a row that is\n\
             written again changes nothing, an older one changes nothing that is newer.",
        ));
        let table_name = &job.rules.table.value;
        let mut options = cassandra(&job.environment.cassandra, &table_name.keyspace, &table_name.table);
        options.extend(version(job));
        // A change of a CDC topic carries what it touched: what it lacks must stay.
        let nulls = if job.is_cdc() { "unset" } else { "null" };
        options.push(option("null-columns", nulls));
        parts.extend(table(&sink, &columns(job), &options));
    } else {
        parts.push(note("Nowhere: the rules say `sink: none`. They are counted alone."));
        parts.extend(table(&sink, &["`id` STRING".to_owned()], &[option("connector", "blackhole")]));
    }
    SqlFile { path: job.path("03_valid.sql"), parts }
}

/// The type that Flink writes into Cassandra.
fn sql_type(column: &Column) -> String {
    match (column.shape, column.cql_type.as_str()) {
        (Shape::Integer { .. }, "tinyint") => "TINYINT".to_owned(),
        (Shape::Integer { .. }, "smallint") => "SMALLINT".to_owned(),
        (Shape::Integer { .. }, "int") => "INT".to_owned(),
        (Shape::Integer { .. } | Shape::Time(_), _) => "BIGINT".to_owned(),
        (Shape::Decimal { precision, scale }, _) => format!("DECIMAL({precision}, {scale})"),
        (Shape::Double, _) => "DOUBLE".to_owned(),
        (Shape::Float, _) => "FLOAT".to_owned(),
        (Shape::Boolean, _) => "BOOLEAN".to_owned(),
        (Shape::Timestamp(_), _) => "TIMESTAMP(3)".to_owned(),
        (Shape::Date(_), _) => "DATE".to_owned(),
        (Shape::Base64, _) => "BYTES".to_owned(),
        (Shape::Text | Shape::Ascii | Shape::Uuid(_) | Shape::Opaque, _) => "STRING".to_owned(),
    }
}

fn columns(job: &Job<'_>) -> Vec<String> {
    let rules = job.rules;
    let column = |column: &Column| format!("{} {}", quoted(&column.name), sql_type(column));
    let mut columns: Vec<String> = rules.columns.iter().map(column).collect();
    if rules.version == Version::WriteTime {
        columns.push(format!("{} BIGINT", quoted(WRITE_TIME_US)));
    }
    let key: Vec<String> =
        rules.key.iter().filter_map(|number| Some(quoted(&rules.columns.get(*number)?.name))).collect();
    columns.push(format!("PRIMARY KEY ({}) NOT ENFORCED", key.join(", ")));
    columns
}

fn version(job: &Job<'_>) -> Options {
    let Version::Column { column, unit } = job.rules.version else {
        return vec![option("write-timestamp-column", WRITE_TIME_US), option("write-timestamp-unit", "us")];
    };
    let Some(column) = job.rules.columns.get(column) else { return Vec::new() };
    let mut options = vec![option("write-timestamp-column", column.name.as_str())];
    if matches!(column.shape, Shape::Integer { .. }) {
        let unit = match unit {
            VersionUnit::Millis => "ms",
            VersionUnit::Micros => "us",
        };
        options.push(option("write-timestamp-unit", unit));
    }
    options
}

/// The INSERT of 04. One column goes through the function that counts valid rows for Flink's own metrics.
pub(super) fn insert(job: &Job<'_>) -> String {
    let sink = job.object(JobKind::Dq, "valid");
    let counted = job.rules.key.first().and_then(|number| job.rules.columns.get(*number));
    let from = format!("FROM {}\nWHERE {} = ''", judged(job), quoted(FAILED));
    if !job.rules.has_sink {
        let id = counted
            .map_or_else(|| "''".to_owned(), |column| format!("CAST({} AS STRING)", quoted(&column.name)));
        return format!("INSERT INTO {sink} (`id`)\nSELECT COUNT_VALID({id})\n{from}");
    }
    let mut names: Vec<String> = job.rules.columns.iter().map(|column| quoted(&column.name)).collect();
    let is_counted = |column: &Column| counted.is_some_and(|counted| counted.name == column.name);
    let mut values: Vec<String> =
        job.rules.columns.iter().map(|column| written(job, column, is_counted(column))).collect();
    if job.rules.version == Version::WriteTime {
        names.push(quoted(WRITE_TIME_US));
        values.push(quoted(WRITE_TIME_US));
    }
    format!("INSERT INTO {sink} ({})\nSELECT\n  {}\n{from}", names.join(", "), values.join(",\n  "))
}

fn written(job: &Job<'_>, column: &Column, is_counted: bool) -> String {
    if column.source == ColumnSource::RowHash {
        return row_hash(job.rules);
    }
    let (name, sql_type) = (quoted(&column.name), sql_type(column));
    match (is_counted, column.shape) {
        (true, Shape::Text | Shape::Ascii | Shape::Uuid(_)) => format!("COUNT_VALID({name})"),
        (true, Shape::Base64) => format!("BASE64_BYTES(COUNT_VALID({name}))"),
        (true, _) => format!("CAST(COUNT_VALID(CAST({name} AS STRING)) AS {sql_type})"),
        (false, Shape::Base64) => format!("BASE64_BYTES({name})"),
        (false, Shape::Integer { .. } | Shape::Float) if sql_type != "BIGINT" => {
            format!("CAST({name} AS {sql_type})")
        }
        (false, _) => name,
    }
}
