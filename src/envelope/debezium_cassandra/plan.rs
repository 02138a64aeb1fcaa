//! Texts of a table that only this profile needs.

use super::marshal::write_clustering_class;
use crate::cql::ident::quoted_if_needed;
use crate::envelope::config::EncoderConfig;
use crate::envelope::json::{field, write_optional_string, write_string};
use crate::schema::TableSchema;

/// Prepared texts of one table.
#[derive(Debug)]
pub(in crate::envelope) struct ConnectorPlan {
    /// The part of `source` between `ts_ns` and `file`.
    pub(super) source_cluster: Vec<u8>,
    /// The part of `source` after `pos`.
    pub(super) source_table: Vec<u8>,
    /// The texts around the value of each clustering column in a bound.
    pub(super) bounds: Vec<BoundTexts>,
}

#[derive(Debug)]
pub(super) struct BoundTexts {
    /// `{"name":"…","value":`
    pub(super) head: Vec<u8>,
    /// `,"type":"…"}`
    pub(super) tail: Vec<u8>,
}

impl ConnectorPlan {
    pub(in crate::envelope) fn new(table: &TableSchema, config: &EncoderConfig) -> Self {
        let mut source_cluster = b",\"cluster\":".to_vec();
        write_optional_string(config.source.cluster.as_deref(), &mut source_cluster);
        source_cluster.extend_from_slice(b",\"file\":");
        let mut source_table = Vec::new();
        for (name, value) in [("keyspace", &table.keyspace), ("table", &table.name)] {
            source_table.push(b',');
            source_table.extend_from_slice(&field(name));
            write_string(value, &mut source_table);
        }
        source_table.push(b'}');
        let bounds = table.clustering.iter().map(|column| {
            let mut head = b"{\"name\":".to_vec();
            write_string(&quoted_if_needed(&column.name), &mut head);
            head.extend_from_slice(b",\"value\":");
            let mut class = String::new();
            write_clustering_class(column, &mut class);
            let mut tail = b",\"type\":".to_vec();
            write_string(&class, &mut tail);
            tail.push(b'}');
            BoundTexts { head, tail }
        });
        Self { source_cluster, source_table, bounds: bounds.collect() }
    }
}

/// `<prefix>.<keyspace>.<table>`, with `_` for characters that the connector's topic names cannot have.
pub(in crate::envelope) fn connector_topic(prefix: &str, table: &TableSchema) -> String {
    let allowed = |character: char| {
        if character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-') {
            character
        } else {
            '_'
        }
    };
    format!("{prefix}.{}.{}", table.keyspace, table.name).chars().map(allowed).collect()
}
