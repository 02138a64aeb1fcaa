//! What is the same in every record of a table: prepared once, copied often.

use super::config::EncoderConfig;
use super::debezium_cassandra::{ConnectorPlan, connector_topic};
use super::json::{field, write_optional_string, write_string};
use super::options::Profile;
use super::row_hash::RowHashPlan;
use crate::change::filter::ColumnRule;
use crate::schema::{Column, TableSchema};

/// Prepared texts of one table.
#[derive(Debug)]
pub(super) struct TablePlan {
    pub(super) topic: String,
    /// Where profile `debezium` writes what it has no shape for.
    pub(super) side_topic: String,
    /// `"name":` of every partition key column.
    pub(super) partition_key: Vec<Vec<u8>>,
    /// `"name":` of every clustering column.
    pub(super) clustering: Vec<Vec<u8>>,
    pub(super) statics: Vec<ColumnPlan>,
    pub(super) regulars: Vec<ColumnPlan>,
    /// How many regular columns a row has that neither the schema nor the configuration drops.
    pub(super) shown_regulars: usize,
    /// The part of `source` before `ts_ms`.
    pub(super) source_head: Vec<u8>,
    /// The part of `source` from `snapshot` up to `file`.
    pub(super) source_middle: Vec<u8>,
    /// The part of `source` between `row` and `late`.
    pub(super) source_tail: Vec<u8>,
    pub(super) row_hash: Option<RowHashPlan>,
    /// What profile `debezium-cassandra` needs besides.
    pub(super) connector: Option<ConnectorPlan>,
}

/// Prepared texts of one static or regular column.
#[derive(Debug)]
pub(super) struct ColumnPlan {
    /// `"name":`
    pub(super) field: Vec<u8>,
    pub(super) rule: Option<ColumnRule>,
}

impl TablePlan {
    pub(super) fn new(table: &TableSchema, config: &EncoderConfig) -> Self {
        let fields = |columns: &[Column]| columns.iter().map(|column| field(&column.name)).collect();
        let plans = |columns: &[Column]| {
            let plan = |column: &Column| ColumnPlan {
                field: field(&column.name),
                rule: config.rules.rule(table, &column.name),
            };
            columns.iter().map(plan).collect()
        };
        let (source_head, source_middle, source_tail) = source(table, config);
        let is_connector = config.profile == Profile::DebeziumCassandra;
        let prefix = &config.source.prefix;
        let topic = if is_connector {
            connector_topic(prefix, table)
        } else {
            format!("{prefix}.cdc.{}.{}", table.keyspace, table.name)
        };
        let regulars: Vec<ColumnPlan> = plans(&table.regulars);
        let shown = |(column, plan): &(&Column, &ColumnPlan)| {
            column.dropped_at_us.is_none() && plan.rule != Some(ColumnRule::Drop)
        };
        Self {
            side_topic: format!("{topic}.flat"),
            topic,
            partition_key: fields(&table.partition_key),
            clustering: fields(&table.clustering),
            statics: plans(&table.statics),
            shown_regulars: table.regulars.iter().zip(&regulars).filter(shown).count(),
            regulars,
            source_head,
            source_middle,
            source_tail,
            connector: is_connector.then(|| ConnectorPlan::new(table, config)),
            row_hash: config.row_hash.as_ref().map(|options| RowHashPlan::new(table, options, &config.rules)),
        }
    }

    /// The plan of a static or regular column.
    #[inline]
    pub(super) fn column(&self, is_static: bool, index: usize) -> Option<&ColumnPlan> {
        if is_static { self.statics.get(index) } else { self.regulars.get(index) }
    }
}

fn source(table: &TableSchema, config: &EncoderConfig) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let names = &config.source;
    let mut head = br#""source":{"version":"#.to_vec();
    write_string(env!("CARGO_PKG_VERSION"), &mut head);
    head.extend_from_slice(br#","connector":"cassandra","name":"#);
    write_string(&names.prefix, &mut head);
    head.extend_from_slice(br#","ts_ms":"#);
    let mut middle = br#","snapshot":"false""#.to_vec();
    for (name, value) in [
        ("cluster", names.cluster.as_deref()),
        ("dc", names.dc.as_deref()),
        ("host_id", names.host_id.as_deref()),
        ("keyspace", Some(table.keyspace.as_str())),
        ("table", Some(table.name.as_str())),
    ] {
        middle.push(b',');
        middle.extend_from_slice(&field(name));
        write_optional_string(value, &mut middle);
    }
    middle.extend_from_slice(br#","file":"#);
    let mut tail = br#","visibility":"#.to_vec();
    write_string(names.visibility, &mut tail);
    (head, middle, tail)
}
