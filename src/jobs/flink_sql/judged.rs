//! `02_rules.sql`: from the payload to the verdict.

use super::dialect::Names;
use super::identity::{JobKind, job_name};
use super::names::{self, FAILED, IS_OBJECT, IS_ROW, KAFKA_MS, PAYLOAD, WARNED, WRITE_TIME, WRITE_TIME_US};
use super::payload::{is_object, member, payload, quoted_member, rows, source_member, whole};
use super::script::{SqlFile, note, view};
use super::stage::{Computed, computed};
use super::{GENERATED, Job};
use crate::jobs::column::{Column, ColumnSource, Shape};
use crate::jobs::expression::{Dialect, Expr, Literal, quoted, sql_text};
use crate::jobs::record::NO_TIME;
use crate::jobs::rules::{Check, Rule, Severity, TableRules, Version};

pub(super) fn file(job: &Job<'_>) -> SqlFile {
    let rules = job.rules;
    let mut parts = vec![note(format!(
        "{}: the rules of version {}.\n{GENERATED}\n\
         x is a typed column, x:text the text of its field, x:nested whether that is an object or array, rule.x whether\n\
         the rule is broken, verdict.failed and verdict.warned the broken rules, joined by commas.",
        job_name(JobKind::Dq, job),
        rules.rules_version
    ))];
    let mut chain = payload(job, JobKind::Dq);
    if job.is_cdc() {
        rows(&mut chain);
    }
    let names = Names::new(&rules.columns);
    let (broken, repeated) = (broken(rules, &names), repeated(rules, &names));
    chain.stage("texts", "What the payload says of each column.", texts(job, &names));
    chain.stage(
        "values",
        "Texts that are values of their types; the casts alone would take more.",
        values(rules),
    );
    chain.remembered(
        "unique",
        "Rules that remember values: of each Kafka partition, for a time of Kafka, and no more than a number of them.",
        repeated,
        (None, None),
    );
    chain.stage("rules", "Whether a rule is broken: TRUE or FALSE.", broken);
    chain.stage(
        "verdicts",
        "The broken rules, in their order.",
        vec![computed(FAILED, list(rules, Severity::Fail)), computed(WARNED, list(rules, Severity::Warn))],
    );
    let (stages, verdicts) = chain.into_parts();
    parts.extend(stages);
    parts.push(note("What 03 and 04 read."));
    parts.extend(view(&judged(job), &format!("SELECT * FROM {verdicts}")));
    SqlFile { path: job.path("02_rules.sql"), parts }
}

/// The columns that come from the record.
fn fields(rules: &TableRules) -> impl Iterator<Item = (&Column, &str)> {
    rules.columns.iter().filter_map(|column| match &column.source {
        ColumnSource::Field(field) => Some((column, field.as_str())),
        ColumnSource::RowHash => None,
    })
}

fn texts(job: &Job<'_>, names: &Names<'_>) -> Vec<Computed> {
    let payload = quoted(PAYLOAD);
    let root = if job.is_cdc() { "$.after" } else { "$" };
    let object = if job.is_cdc() { quoted(IS_ROW) } else { is_object(&payload) };
    let mut columns = vec![computed(IS_OBJECT, object)];
    if job.rules.version == Version::WriteTime {
        columns.push(computed(WRITE_TIME, source_member(&payload, "ts_us")));
    }
    for (column, field) in fields(job.rules) {
        let path = sql_text(&format!("{root}{}", member(field)));
        let (scalar, part) =
            (format!("JSON_VALUE({payload}, {path})"), format!("JSON_QUERY({payload}, {path})"));
        if column.shape == Shape::Opaque {
            columns.push(computed(names::text(column), format!("COALESCE({scalar}, {part})")));
            continue;
        }
        columns.push(computed(names::text(column), scalar));
        columns.push(computed(names::nested(column), format!("{part} IS NOT NULL")));
    }
    for column in names.carried() {
        let ColumnSource::Field(field) = &column.source else { continue };
        // A list of names makes an object of those that are there, null or not.
        let name = quoted_member(field);
        let path = sql_text(&format!("{root}[{name}, {name}]"));
        let sql = format!("COALESCE(JSON_QUERY({payload}, {path}) <> '{{}}', FALSE)");
        columns.push(computed(names::carried(column), sql));
    }
    columns
}

fn values(rules: &TableRules) -> Vec<Computed> {
    let value = |(column, _): (&Column, &str)| Computed {
        name: column.name.clone(),
        sql: column.shape.to_sql(&quoted(&names::text(column))),
        comment: Some(column.cql_type.clone()),
    };
    // Cassandra takes the least number for no time at all.
    let no_time = Literal::Integer(NO_TIME).to_sql();
    let write_time = || computed(WRITE_TIME_US, format!("NULLIF({}, {no_time})", whole(&quoted(WRITE_TIME))));
    let write_time = (rules.version == Version::WriteTime).then(write_time);
    write_time.into_iter().chain(fields(rules).map(value)).collect()
}

/// For people: what a rule does, and its message.
fn comment(rule: &Rule) -> String {
    let severity = match rule.severity {
        Severity::Fail => "fail",
        Severity::Warn => "warn",
    };
    match &rule.message {
        Some(message) => format!("{severity}; {message}"),
        None => severity.to_owned(),
    }
}

/// The rules that look at their record alone.
fn broken(rules: &TableRules, names: &Names<'_>) -> Vec<Computed> {
    let broken = |rule: &Rule| {
        let sql = rule.failing()?.to_sql(names);
        Some(Computed {
            name: names::rule(&rule.id),
            sql: format!("{sql} IS TRUE"),
            comment: Some(comment(rule)),
        })
    };
    rules.rules.iter().filter_map(broken).collect()
}

/// The rules that remember values.
fn repeated(rules: &TableRules, names: &Names<'_>) -> Vec<Computed> {
    let repeated = |rule: &Rule| {
        let Check::Unique { columns, within_s, most } = &rule.check else { return None };
        let mut conditions = vec![Dialect::is_object(names)];
        if let Some(when) = &rule.when {
            conditions.push(Expr::IsTrue(Box::new(when.clone())).to_sql(names));
        }
        conditions.extend(columns.iter().map(|column| format!("{} IS NOT NULL", names.column(*column))));
        // Each text with its length before it: no two lists of values are alike.
        let text = |column: &usize| format!("CAST({} AS STRING)", names.column(*column));
        let prefixed = |column: &usize| format!("CAST(CHAR_LENGTH({0}) AS STRING), ':', {0}", text(column));
        let key: Vec<String> = columns.iter().map(prefixed).collect();
        let sql = format!(
            "REPEATED(CASE WHEN {} THEN CONCAT({}) END, {}, CAST({} AS BIGINT), CAST({most} AS BIGINT))",
            conditions.join(" AND "),
            key.join(", "),
            quoted(KAFKA_MS),
            within_s.saturating_mul(1000),
        );
        Some(Computed { name: names::rule(&rule.id), sql, comment: Some(comment(rule)) })
    };
    rules.rules.iter().filter_map(repeated).collect()
}

/// The ids of the broken rules of a severity, joined by commas; never NULL.
fn list(rules: &TableRules, severity: Severity) -> String {
    let of_severity = rules.rules.iter().filter(|rule| rule.severity == severity);
    let cases: Vec<String> = of_severity
        .map(|rule| format!("CASE WHEN {} THEN {} END", quoted(&names::rule(&rule.id)), sql_text(&rule.id)))
        .collect();
    match cases.as_slice() {
        [] => "''".to_owned(),
        cases => format!("CONCAT_WS(',', {})", cases.join(", ")),
    }
}

/// The view with the verdicts.
pub(super) fn judged(job: &Job<'_>) -> String {
    job.object(JobKind::Dq, "judged")
}
