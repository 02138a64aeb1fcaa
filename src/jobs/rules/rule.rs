//! One entry of `rules:` → [`Rule`].

mod kinds;

use std::collections::BTreeSet;
use std::path::Path;

use super::model::{Check, OnNull, Rule, Severity};
use super::predicate;
use crate::jobs::column::{Column, ColumnSource, Shape};
use crate::jobs::expression::{self, Expr, Scope};
use crate::jobs::fields::{Fields, Placed, one_of};
use crate::jobs::finding::{Code, Findings, Place};
use crate::jobs::value::Type;
use crate::jobs::yaml::{Kind, Node};
use std::cell::RefCell;

/// The kinds of rules, with the keys that each has beside those of [`COMMON`].
pub(super) const KINDS: [(&str, &[&str]); 16] = [
    ("json", &[]),
    ("required", &["column"]),
    ("not_null", &["column"]),
    ("type", &["column"]),
    ("range", &["column", "min", "max", "exclusive"]),
    ("length", &["column", "min", "max"]),
    ("enum", &["column", "values"]),
    ("not_in", &["column", "values"]),
    ("regex", &["column", "pattern"]),
    ("freshness", &["column", "max_age"]),
    ("future", &["column", "tolerance"]),
    ("compare", &["column", "op", "with", "value"]),
    ("unique", &["columns", "within", "max_values"]),
    ("lookup", &["column", "file"]),
    ("lookup_not_in", &["column", "file"]),
    ("expression", &["expression"]),
];

/// The keys that every rule has.
pub(super) const COMMON: [&str; 6] = ["rule", "id", "severity", "message", "when", "on_null"];

/// Rules that are about whether there is a value: NULL is their business already.
const WITHOUT_ON_NULL: [&str; 5] = ["json", "required", "not_null", "type", "unique"];

/// What rules are read with.
pub(super) struct RuleReader<'r> {
    pub(super) columns: &'r [Column],
    /// Whether the source is a CDC topic.
    pub(super) changes: bool,
    /// Columns without which no row is written, even of a change that does not touch them.
    pub(super) written: BTreeSet<usize>,
    /// Folder of the jobs.
    pub(super) folder: &'r Path,
    pub(super) findings: &'r RefCell<Findings>,
}

impl<'r> RuleReader<'r> {
    /// Reads one entry, and what kind of rule it is.
    pub(super) fn rule(&self, node: &Node) -> Option<(&'static str, Rule)> {
        let fields = Fields::any(node, "a rule", self.findings)?;
        let word = fields.required_text("rule")?;
        let Some((kind, own)) = KINDS.iter().find(|(kind, _)| *kind == word.value) else {
            let known = KINDS.map(|(kind, _)| kind);
            fields.wrong(word.place, Code::Value, format!("rule: {}", one_of(&word.value, &known)));
            return None;
        };
        let allowed: Vec<&str> = own.iter().copied().chain(COMMON).collect();
        let fields = Fields::of(node, &format!("rule {kind}"), &allowed, self.findings)?;
        let severity = match fields.word("severity", &["fail", "warn"]) {
            Some(word) if word.value == "warn" => Severity::Warn,
            _ => Severity::Fail,
        };
        let on_null = fields.word("on_null", &["pass", "fail"]);
        if let Some(word) = on_null.as_ref().filter(|_| WITHOUT_ON_NULL.contains(kind)) {
            let message = format!("on_null: a {kind} rule answers without NULL; take the line away");
            fields.wrong(word.place, Code::Rule, message);
        }
        let on_null =
            if on_null.is_some_and(|word| word.value == "fail") { OnNull::Fail } else { OnNull::Pass };
        let when = fields.text("when").map(|text| self.expression(&text));
        let check = self.check(kind, &fields);
        let id = self.id(kind, &fields);
        let message = fields.text("message").map(|text| text.value);
        let when = match when {
            Some(read) => Some(read?),
            None => None,
        };
        let rule = Rule { id: id?, place: node.place, severity, message, when, on_null, check: check? };
        Some((kind, rule))
    }

    /// The rule's own id, or one made of its column and kind.
    fn id(&self, kind: &str, fields: &Fields<'_, '_>) -> Option<String> {
        if let Some(id) = fields.text("id") {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            if !id.value.bytes().all(allowed) || id.value.len() > 100 {
                let message = "id: expected up to 100 letters, digits, _ . -: verdicts join ids with commas";
                fields.wrong(id.place, Code::Value, message);
                return None;
            }
            return Some(id.value);
        }
        let columns = match (fields.get("column"), fields.get("columns")) {
            (Some(node), _) => vec![node],
            (None, Some(Node { kind: Kind::Sequence(nodes), .. })) => nodes.iter().collect(),
            _ => Vec::new(),
        };
        let names = columns.iter().filter_map(|node| match &node.kind {
            Kind::Text(name) => Some(name.as_str()),
            _ => None,
        });
        let names: Vec<&str> = names.collect();
        if names.is_empty() && kind == "expression" {
            fields.wrong(fields.place(), Code::MissingKey, "id is missing: an expression names no column");
            return None;
        }
        Some(names.into_iter().chain([kind]).collect::<Vec<_>>().join("."))
    }

    fn expression(&self, text: &Placed<String>) -> Option<Expr> {
        let scope: Vec<(&str, Type)> = self
            .columns
            .iter()
            .map(|column| match column.source {
                ColumnSource::Field(_) => (column.name.as_str(), column.shape.value_type()),
                // Not known yet when rules are judged.
                ColumnSource::RowHash => (column.name.as_str(), Type::Opaque),
            })
            .collect();
        match expression::parse(&text.value, Scope(&scope)) {
            Ok(expr) => Some(expr),
            Err(error) => {
                self.wrong(text.place, Code::Expression, error.to_string());
                None
            }
        }
    }

    fn wrong(&self, place: Place, code: Code, message: impl Into<String>) {
        self.findings.borrow_mut().add(place, code, message);
    }

    /// The number and shape of the column that `key` names.
    fn column(&self, key: &str, fields: &Fields<'_, '_>) -> Option<(usize, Shape)> {
        let name = fields.required_text(key)?;
        self.column_named(key, &name)
    }

    fn column_named(&self, key: &str, name: &Placed<String>) -> Option<(usize, Shape)> {
        let found = self.columns.iter().enumerate().find(|(_, column)| column.name == name.value);
        let Some((number, column)) = found else {
            let known: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            self.wrong(name.place, Code::Rule, format!("{key}: {}", one_of(&name.value, &known)));
            return None;
        };
        if column.source == ColumnSource::RowHash {
            let message = format!("{key}: {} is computed by the job after its rules", name.value);
            self.wrong(name.place, Code::Rule, message);
            return None;
        }
        Some((number, column.shape))
    }

    /// The column, when its values have this type.
    fn column_of(&self, fields: &Fields<'_, '_>, wanted: Type) -> Option<usize> {
        let (number, shape) = self.column("column", fields)?;
        if shape.value_type() != wanted {
            let place = fields.get("column").map_or(fields.place(), |node| node.place);
            let message =
                format!("column: expected a column of {wanted}, this one is of {}", shape.value_type());
            self.wrong(place, Code::Rule, message);
            return None;
        }
        Some(number)
    }

    /// A rule that the file need not list: every job has it.
    pub(super) fn implied(&self, id: String, place: Place, fails: Expr) -> Rule {
        Rule {
            id,
            place,
            severity: Severity::Fail,
            message: None,
            when: None,
            on_null: OnNull::Pass,
            check: Check::Fails(fails),
        }
    }

    /// What `not_null` looks at.
    pub(super) fn not_null(&self, number: usize) -> Expr {
        predicate::not_null(number, self.changes && !self.written.contains(&number))
    }
}
