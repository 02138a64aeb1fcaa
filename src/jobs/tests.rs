//! Rules as people write them, on records as they come.

mod feedback;
mod flink;
mod flink_jobs;
mod hostile;
mod judging;
mod mistakes;
mod sql;
mod whole;

use std::cell::RefCell;
use std::path::Path;

use super::finding::{Finding, Findings};
use super::rules::{self, TableRules};
use super::yaml;

/// The bundled folder.
fn bundled() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs")
}

fn read(text: &str, folder: &Path) -> (Option<TableRules>, Vec<Finding>) {
    let findings = RefCell::new(Findings::new("t.yaml"));
    let rules = rules::read(&yaml::parse(text).unwrap(), folder, &findings);
    (rules, findings.into_inner().into_sorted())
}

/// A rules file of one table; `rules` stand behind its head, indented by two.
fn table(rules: &str) -> String {
    format!(
        "\
table: shop.orders
source: {{kind: json, topic: 'orders_{{prefix}}'}}
sink: cassandra
columns:
  id: {{type: text}}
  at: {{type: timestamp}}
  amount: {{type: double, field: value}}
  price: {{type: decimal, precision: 10, scale: 2}}
  pieces: {{type: int}}
  paid: {{type: boolean}}
  day: {{type: date}}
  ref: {{type: uuid}}
  row_hash: {{type: text, computed: row_hash}}
key: [id]
version: {{column: at}}
hash: {{kind: v1, exclude: [row_hash]}}
rules:{rules}
"
    )
}

fn with_rules(rules: &str) -> TableRules {
    let (read, found) = read(&table(rules), &bundled());
    assert_eq!(found, [], "{rules}");
    read.unwrap()
}
