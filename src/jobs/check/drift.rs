//! The section `drift` beside environments and tables.

use crate::jobs::drift::{DriftRules, Side};
use crate::jobs::fields::one_of;
use crate::jobs::finding::{Code, Finding, Findings};
use crate::jobs::project::{Project, RulesFile};
use crate::schema::{Schema, TableSchema};

pub(super) fn check(project: &Project, file: &RulesFile, schema: Option<&Schema>) -> Vec<Finding> {
    let mut findings = Findings::new(&file.file);
    if let Some(drift) = &file.rules.drift {
        environments(project, drift, &mut findings);
        let table = &file.rules.table.value;
        let is_it = |known: &&std::sync::Arc<TableSchema>| {
            known.keyspace == table.keyspace && known.name == table.table
        };
        if let Some(table) = schema.and_then(|schema| schema.tables().find(is_it)) {
            keys(file, drift, table, &mut findings);
        }
    }
    findings.into_sorted()
}

fn environments(project: &Project, drift: &DriftRules, findings: &mut Findings) {
    let known: Vec<&str> =
        project.environments.0.iter().map(|environment| environment.name.value.as_str()).collect();
    for side in Side::BOTH {
        let name = &drift.sides.of(side).environment;
        // Where environments.yaml itself is wrong, one may be missing for that.
        if project.has_all_environments && !known.contains(&name.value.as_str()) {
            findings.add(name.place, Code::Value, format!("environment: {}", one_of(&name.value, &known)));
        }
    }
}

/// Partition key and order of the clustering columns, which the rules file says again.
fn keys(file: &RulesFile, drift: &DriftRules, table: &TableSchema, findings: &mut Findings) {
    let names = |columns: &[crate::schema::Column]| -> Vec<String> {
        columns.iter().map(|column| column.name.clone()).collect()
    };
    let own = file.rules.key.iter().filter_map(|number| file.rules.columns.get(*number));
    let own: Vec<String> = own.map(|column| column.name.clone()).collect();
    let (partition_key, clustering) = (names(&table.partition_key), names(&table.clustering));
    if !own.iter().eq(partition_key.iter().chain(&clustering)) {
        // Told of as another primary key.
        return;
    }
    if partition_key.len() != drift.partition_key {
        let message = format!("partition_key: the table has ({})", partition_key.join(", "));
        findings.add(drift.place, Code::Schema, message);
        return;
    }
    for column in &table.clustering {
        let named = drift.descending.iter().find(|name| name.value == column.name);
        match named {
            Some(name) if !column.descending => {
                let message = format!("descending: {} is in ascending order in the table", column.name);
                findings.add(name.place, Code::Schema, message);
            }
            None if column.descending => {
                let message = format!("descending: {} is in descending order in the table", column.name);
                findings.add(drift.place, Code::Schema, message);
            }
            _ => {}
        }
    }
}
