//! The rules that every job has: without them a row could be written that is not the record's, or a job could end at
//! a record. A file may list them itself, to give them another id or a message.

use std::collections::BTreeSet;

use crate::jobs::column::{ColumnSource, Shape};
use crate::jobs::finding::Code;
use crate::jobs::rules::model::{Check, Rule, Severity, TableRules, Version};
use crate::jobs::rules::predicate;
use crate::jobs::rules::rule::RuleReader;

/// The file's rules behind those that it does not list itself.
pub(super) fn with_guards(
    rules: &TableRules,
    listed: Vec<(&'static str, Rule)>,
    reader: &RuleReader<'_>,
) -> Vec<Rule> {
    let mandatory = rules.mandatory();
    let mut guards = Vec::new();
    let mut guard = |id: String, place, fails: crate::jobs::expression::Expr, strict: bool| {
        let check = Check::Fails(fails);
        let own: Vec<&Rule> =
            listed.iter().map(|(_, rule)| rule).filter(|rule| rule.check == check).collect();
        for rule in &own {
            if strict && (rule.severity == Severity::Warn || rule.when.is_some()) {
                let message =
                    format!("{id} guards what the job writes: it takes neither severity warn nor when");
                reader.findings.borrow_mut().add(rule.place, Code::Rule, message);
            }
        }
        if let (true, Check::Fails(fails)) = (own.is_empty(), check) {
            guards.push(reader.implied(id, place, fails));
        }
    };
    guard("json".to_owned(), rules.table.place, predicate::json(), true);
    if rules.has_sink && rules.version == Version::WriteTime {
        guard("write_time.unknown".to_owned(), rules.table.place, predicate::unwritten(), true);
    }
    for (number, (column, place)) in reader.columns.iter().zip(&rules.column_places).enumerate() {
        if column.source == ColumnSource::RowHash {
            continue;
        }
        let is_mandatory = mandatory.contains(&number);
        if is_mandatory {
            guard(format!("{}.not_null", column.name), *place, reader.not_null(number), true);
        }
        guard(format!("{}.type", column.name), *place, predicate::type_of(number), is_mandatory);
        let is_number = matches!(column.shape, Shape::Integer { .. });
        match rules.version {
            Version::Column { column: version, unit } if rules.has_sink && is_number && version == number => {
                if let Some(fails) = predicate::no_write_time(number, unit) {
                    guard(format!("{}.write_time", column.name), *place, fails, true);
                }
            }
            Version::Column { .. } | Version::WriteTime => {}
        }
    }
    guards.extend(listed.into_iter().map(|(_, rule)| rule));
    let mut ids = BTreeSet::new();
    for rule in &guards {
        if !ids.insert(&rule.id) {
            let message = format!("id {}: another rule has it; give this one its own", rule.id);
            reader.findings.borrow_mut().add(rule.place, Code::Rule, message);
        }
    }
    guards
}
