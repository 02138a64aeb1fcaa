//! What is the same in every record of a table: prepared once, copied often.

use super::config::EncoderConfig;
use super::debezium_cassandra::ConnectorPlan;
use super::json::field;
use super::options::Profile;
use super::row_hash::RowHashPlan;
use super::source::SourcePlan;
use super::topic::{side_topic, table_topic};
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
    /// Whether the configuration drops, masks or hashes some column.
    pub(super) has_rules: bool,
    pub(super) source: SourcePlan,
    pub(super) row_hash: Option<RowHashPlan>,
    /// What profile `debezium-cassandra` needs besides.
    pub(super) connector: Option<ConnectorPlan>,
}

/// Prepared texts of one static or regular column.
#[derive(Debug)]
pub(super) struct ColumnPlan {
    /// `,"name":`
    separated: Vec<u8>,
    pub(super) rule: Option<ColumnRule>,
}

impl ColumnPlan {
    /// `"name":`
    pub(super) fn field(&self) -> &[u8] {
        self.separated.get(1..).unwrap_or_default()
    }

    /// `,"name":`
    pub(super) fn separated(&self) -> &[u8] {
        &self.separated
    }
}

impl TablePlan {
    pub(super) fn new(table: &TableSchema, config: &EncoderConfig) -> Self {
        let fields = |columns: &[Column]| columns.iter().map(|column| field(&column.name)).collect();
        let plans = |columns: &[Column]| {
            let plan = |column: &Column| ColumnPlan {
                separated: [b",", field(&column.name).as_slice()].concat(),
                rule: config.rules.rule(table, &column.name),
            };
            columns.iter().map(plan).collect()
        };
        let is_connector = config.profile == Profile::DebeziumCassandra;
        let topic = table_topic(config.profile, &config.source.prefix, table);
        let statics: Vec<ColumnPlan> = plans(&table.statics);
        let regulars: Vec<ColumnPlan> = plans(&table.regulars);
        let shown = |(column, plan): &(&Column, &ColumnPlan)| {
            column.dropped_at_us.is_none() && plan.rule != Some(ColumnRule::Drop)
        };
        Self {
            side_topic: side_topic(&topic),
            topic,
            partition_key: fields(&table.partition_key),
            clustering: fields(&table.clustering),
            has_rules: statics.iter().chain(&regulars).any(|plan| plan.rule.is_some()),
            statics,
            shown_regulars: table.regulars.iter().zip(&regulars).filter(shown).count(),
            regulars,
            source: SourcePlan::new(table, config),
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
