//! The section `drift` of a rules file.

use std::cell::RefCell;

use super::event::{Both, Side};
use super::options::{Hosts, Mode, Options, SideOptions};
use super::order::{KeyOrder, KeyType};
use super::record::Layout;
use crate::jobs::column::{Column, Shape};
use crate::jobs::fields::{Fields, Placed, one_of};
use crate::jobs::finding::{Code, Findings, Place};
use crate::jobs::rules::{TableRules, Version, VersionUnit};
use crate::jobs::yaml::{Kind, Node};

const KEYS: [&str; 15] = [
    "onprem",
    "cloud",
    "input",
    "mode",
    "tolerance",
    "grace",
    "silence",
    "retention",
    "max_rows",
    "max_event_ids",
    "max_waiting",
    "old_writes",
    "write_matches",
    "partition_key",
    "descending",
];

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftInput {
    /// The agents' records of the table.
    Cdc,
    /// Hash events of whole rows.
    Hash,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftSide {
    /// Its environment.
    pub environment: Placed<String>,
    /// Nodes whose watermarks count.
    pub hosts: Hosts,
}

/// How the rows of two environments are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftRules {
    /// Where the section stands.
    pub place: Place,
    /// The sides.
    pub sides: Both<DriftSide>,
    /// What is compared.
    pub input: DriftInput,
    /// How.
    pub mode: Mode,
    /// Seconds by which the clocks of nodes may differ.
    pub tolerance_s: u64,
    /// Seconds by which one side may be later than the other.
    pub grace_s: u64,
    /// Seconds by which a node's watermark may fall behind.
    pub silence_s: u64,
    /// Seconds for which rows are remembered.
    pub retention_s: u64,
    /// Rows that are remembered.
    pub max_rows: u64,
    /// Event ids that are remembered.
    pub max_event_ids: u64,
    /// Events that may wait for the other side.
    pub max_waiting: u64,
    /// Whether a write older than all that is remembered is INCOMPARABLE when one side alone has it.
    pub old_is_incomparable: bool,
    /// Whether each MATCH is written.
    pub write_matches: bool,
    /// How many columns of the key are the partition key.
    pub partition_key: usize,
    /// Clustering columns in descending order.
    pub descending: Vec<Placed<String>>,
}

/// Reads the section; `key` is the table's, by its names.
pub(in crate::jobs) fn read(
    node: &Node,
    key: &[&Column],
    version: Version,
    findings: &RefCell<Findings>,
) -> Option<DriftRules> {
    let fields = Fields::of(node, "drift", &KEYS, findings)?;
    let onprem = fields.required("onprem").and_then(|node| side(node, Side::Onprem, findings));
    let cloud = fields.required("cloud").and_then(|node| side(node, Side::Cloud, findings));
    fields.required("mode");
    let mode = fields.word("mode", &["event_id", "merge"]);
    let input = fields.word("input", &["cdc", "hash"]);
    let input =
        if input.is_some_and(|input| input.value == "hash") { DriftInput::Hash } else { DriftInput::Cdc };
    let old = fields.word("old_writes", &["incomparable", "judge"]);
    let old_is_incomparable = match old {
        Some(old) => old.value == "incomparable",
        // Where the version is a column, it need not be about the time of the write.
        None => version == Version::WriteTime,
    };
    let partition_key = partition_key(&fields, key);
    let rules = DriftRules {
        place: node.place,
        sides: Both { onprem: onprem?, cloud: cloud? },
        input,
        mode: if mode?.value == "merge" { Mode::Merge } else { Mode::EventId },
        tolerance_s: fields.seconds("tolerance").unwrap_or(60),
        grace_s: fields.seconds("grace").unwrap_or(120),
        silence_s: fields.seconds("silence").unwrap_or(300),
        retention_s: fields.seconds("retention").unwrap_or(86_400),
        max_rows: fields.integer("max_rows", 1, 100_000_000).unwrap_or(1_000_000),
        max_event_ids: fields.integer("max_event_ids", 1, 100_000_000).unwrap_or(1_000_000),
        max_waiting: fields.integer("max_waiting", 1, 100_000_000).unwrap_or(1_000_000),
        old_is_incomparable,
        write_matches: fields.boolean("write_matches").unwrap_or(false),
        partition_key: partition_key?,
        descending: fields.texts("descending").unwrap_or_default(),
    };
    check_times(&fields, &rules);
    check_sides(&fields, &rules);
    check_clustering(&fields, &rules, key);
    Some(rules)
}

fn side(node: &Node, side: Side, findings: &RefCell<Findings>) -> Option<DriftSide> {
    let fields = Fields::of(node, side.name(), &["environment", "hosts"], findings)?;
    let environment = fields.required_text("environment");
    let hosts = match fields.required("hosts")? {
        Node { kind: Kind::Text(text), .. } if text == "any" => Hosts::Any,
        Node { kind: Kind::Sequence(_), .. } => {
            let names = fields.texts("hosts")?;
            for name in names.iter().filter(|name| name.value.parse::<uuid::Uuid>().is_err()) {
                let message = format!("hosts: {} is no host id; nodetool status shows them", name.value);
                fields.wrong(name.place, Code::Value, message);
            }
            Hosts::These(names.into_iter().map(|name| name.value.to_lowercase()).collect())
        }
        other => {
            fields.wrong(other.place, Code::Value, "hosts: expected a list of host ids, or any");
            return None;
        }
    };
    Some(DriftSide { environment: environment?, hosts })
}

/// The number of columns of the partition key, which are the first of the key.
fn partition_key(fields: &Fields<'_, '_>, key: &[&Column]) -> Option<usize> {
    if fields.get("partition_key").is_none() {
        return Some(key.len());
    }
    let names = fields.texts("partition_key")?;
    let is_first =
        names.len() <= key.len() && names.iter().zip(key).all(|(name, column)| name.value == column.name);
    if !is_first {
        let known: Vec<&str> = key.iter().map(|column| column.name.as_str()).collect();
        let message = format!("partition_key: expected the first columns of key ({})", known.join(", "));
        fields.wrong(names.first()?.place, Code::Key, message);
        return None;
    }
    Some(names.len())
}

fn check_times(fields: &Fields<'_, '_>, rules: &DriftRules) {
    let delay_s = rules.tolerance_s + rules.grace_s;
    let place = |key: &str| fields.get(key).map_or(fields.place(), |node| node.place);
    if rules.silence_s <= rules.tolerance_s {
        let message = "silence: it must be longer than tolerance, or clocks that differ would be an alarm";
        fields.wrong(place("silence"), Code::Value, message);
    }
    if rules.retention_s < delay_s.saturating_mul(2) {
        let message = format!("retention: at least twice tolerance and grace together ({}s)", delay_s * 2);
        fields.wrong(place("retention"), Code::Value, message);
    }
}

fn check_sides(fields: &Fields<'_, '_>, rules: &DriftRules) {
    let (onprem, cloud) = (&rules.sides.onprem, &rules.sides.cloud);
    if onprem.environment.value == cloud.environment.value {
        let message = format!("environment: {} is the other side already", cloud.environment.value);
        fields.wrong(cloud.environment.place, Code::Shared, message);
    }
    if let (Hosts::These(one), Hosts::These(two)) = (&onprem.hosts, &cloud.hosts)
        && let Some(host) = one.intersection(two).next()
    {
        let message = format!("hosts: {host} belongs to both sides");
        fields.wrong(fields.place(), Code::Shared, message);
    }
}

fn check_clustering(fields: &Fields<'_, '_>, rules: &DriftRules, key: &[&Column]) {
    let clustering = key.get(rules.partition_key..).unwrap_or_default();
    let names: Vec<&str> = clustering.iter().map(|column| column.name.as_str()).collect();
    for name in rules.descending.iter().filter(|name| !names.contains(&name.value.as_str())) {
        let message = match names.as_slice() {
            [] => {
                "descending: there are no clustering columns; partition_key says which columns are".to_owned()
            }
            names => format!("descending: {}", one_of(&name.value, names)),
        };
        fields.wrong(name.place, Code::Key, message);
    }
    let without = clustering.iter().find(|column| KeyType::of(&column.cql_type).is_none());
    if let Some(column) = without.filter(|_| rules.input == DriftInput::Cdc) {
        let message = format!(
            "{} is a {}, whose order records do not tell, so that ranges cannot be compared; use input: hash",
            column.name, column.cql_type
        );
        fields.wrong(fields.place(), Code::Key, message);
    }
}

impl DriftRules {
    /// What the records of the table hold.
    #[must_use]
    pub fn layout(&self, rules: &TableRules) -> Layout {
        let column = |number: &usize| rules.columns.get(*number);
        let key: Vec<&Column> = rules.key.iter().filter_map(column).collect();
        let others = rules.columns.iter().enumerate().filter(|(number, _)| !rules.key.contains(number));
        let version = match rules.version {
            Version::WriteTime => None,
            Version::Column { column: number, unit } => column(&number).map(|column| {
                let unit_us = match unit {
                    VersionUnit::Millis => 1000,
                    VersionUnit::Micros => 1,
                };
                (column.name.clone(), unit_us)
            }),
        };
        let table = &rules.table.value;
        let timestamps = rules.columns.iter().filter(|column| matches!(column.shape, Shape::Timestamp(_)));
        Layout {
            table: format!("{}.{}", table.keyspace, table.table),
            key: key.iter().map(|column| column.name.clone()).collect(),
            partition_key: self.partition_key,
            columns: others.map(|(_, column)| (column.name.clone(), column.cql_type.clone())).collect(),
            version,
            clustering: self.clustering(&key),
            timestamps: timestamps.map(|column| column.name.clone()).collect(),
        }
    }

    fn clustering(&self, key: &[&Column]) -> Vec<KeyOrder> {
        let order = |column: &&Column| {
            let descending = self.descending.iter().any(|name| name.value == column.name);
            Some(KeyOrder { kind: KeyType::of(&column.cql_type)?, descending })
        };
        key.get(self.partition_key..).unwrap_or_default().iter().map_while(order).collect()
    }

    /// The options of the state machine over topics of so many partitions.
    #[must_use]
    pub fn options(&self, layout: &Layout, partitions: Both<i32>) -> Options {
        let us = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let most = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let side = |side: Side| SideOptions {
            hosts: self.sides.of(side).hosts.clone(),
            partitions: *partitions.of(side),
        };
        Options {
            mode: self.mode,
            sides: Both { onprem: side(Side::Onprem), cloud: side(Side::Cloud) },
            tolerance_us: us(self.tolerance_s),
            grace_us: us(self.grace_s),
            silence_us: us(self.silence_s),
            retention_us: us(self.retention_s),
            max_rows: most(self.max_rows),
            max_event_ids: most(self.max_event_ids),
            max_waiting: most(self.max_waiting),
            old_is_incomparable: self.old_is_incomparable,
            write_matches: self.write_matches,
            clustering: layout.clustering.clone(),
        }
    }
}
