//! Turns change events into records, in reused buffers.

use super::config::EncoderConfig;
use super::key::write_key;
use super::murmur2::partition_hash;
use super::options::{Profile, Unrepresentable};
use super::parts::{Parts, Place};
use super::plan::TablePlan;
use super::record::Record;
use super::row_hash::RowHasher;
use super::{debezium, debezium_cassandra, flat};
use crate::change::event_id::EventIdEncoder;
use crate::change::partition_key::PartitionKeyError;
use crate::change::{ChangeEvent, EventColumns, Operation, Shape};
use crate::cql::ValueError;
use crate::schema::{Column, TableCache};

/// Why an event could not become a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The logged partition key does not fit the table.
    #[error("the partition key does not have the table's key columns")]
    PartitionKey,
    /// A value does not fit its column.
    #[error("column `{column}`: {error}")]
    Value {
        /// Column name.
        column: String,
        /// What does not fit.
        error: ValueError,
    },
    /// Profile `debezium` has no shape for the event.
    #[error("table {table}: {reason}, which profile debezium cannot say")]
    Unrepresentable {
        /// Keyspace and table.
        table: String,
        /// What the event is.
        reason: &'static str,
    },
}

impl EncodeError {
    pub(super) fn value(column: &Column, error: ValueError) -> Self {
        Self::Value { column: column.name.clone(), error }
    }
}

impl From<PartitionKeyError> for EncodeError {
    fn from(_: PartitionKeyError) -> Self {
        Self::PartitionKey
    }
}

/// Encodes events of one schema. Make a new one when the schema changes.
#[derive(Debug)]
pub struct Encoder<'c> {
    config: &'c EncoderConfig,
    plans: TableCache<TablePlan>,
    ids: EventIdEncoder,
    hasher: RowHasher,
    buffers: Buffers,
}

#[derive(Debug, Default)]
struct Buffers {
    key: Vec<u8>,
    partition: Vec<u8>,
    value: Vec<u8>,
}

impl<'c> Encoder<'c> {
    /// An encoder.
    #[must_use]
    pub fn new(config: &'c EncoderConfig) -> Self {
        Self {
            config,
            plans: TableCache::default(),
            ids: EventIdEncoder::default(),
            hasher: RowHasher::default(),
            buffers: Buffers::default(),
        }
    }

    /// Encodes `event` and hands its records to `emit`: one, and where configured a tombstone after it.
    ///
    /// `now_ms` is the wall clock in milliseconds since the epoch.
    ///
    /// # Errors
    /// The event cannot become a record ([`EncodeError`]): nothing was emitted. What `emit` returns.
    pub fn encode<E: From<EncodeError>>(
        &mut self,
        event: &ChangeEvent<'_, '_>,
        place: Place<'_>,
        now_ms: i64,
        mut emit: impl FnMut(&Record<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let config = self.config;
        let table = event.update.table;
        let plan = self.plans.get_or_try_make(table.id, || Ok(TablePlan::new(table, config)))?;
        plan.source.set_place(&place);
        let plan = &*plan;
        let buffers = &mut self.buffers;
        buffers.key.clear();
        let connector = config.profile == Profile::DebeziumCassandra;
        let key = write_key(event, plan, config.format, connector, &mut buffers.key)?;
        let partition_hash = match connector {
            true => partition_hash(&buffers.key),
            false => hash_partition(event, &buffers.key, key.partition_end, &mut buffers.partition),
        };
        let columns = EventColumns::of(event);
        let is_static = matches!(event.shape, Shape::StaticRow);
        let id = self.ids.event_id(event, &columns, |index| {
            plan.has_rules && plan.column(is_static, index).is_some_and(|plan| plan.rule.is_some())
        });
        let mut id_text = [0; 32];
        let event_id = hex_text(id, &mut id_text);
        let row_hash = plan.row_hash.as_ref();
        let row_hash = row_hash.map(|plan| self.hasher.row_hash(event, &columns, plan)).transpose()?;
        let parts = Parts {
            event,
            config,
            plan,
            place,
            key: &buffers.key,
            event_columns: &columns,
            plain: columns.are_plain() && !plan.has_rules,
            has_empty_key: key.has_empty,
            ts_us: columns.newest_us(),
            now_ms,
            event_id,
            row_hash,
        };
        buffers.value.clear();
        let topic = write_record(&parts, &mut buffers.value)?;
        let record = Record {
            topic,
            partition_hash,
            key: &buffers.key,
            value: Some(&buffers.value),
            event_id,
            ts_ms: now_ms,
            position: place.position(event.index),
        };
        emit(&record)?;
        if config.tombstones_on_delete && is_deleted(event, config.profile) {
            emit(&Record { value: None, ..record })?;
        }
        Ok(())
    }
}

/// Appends the value in the shape of the profile, and gives the topic it belongs to.
fn write_record<'p>(parts: &Parts<'p, '_, '_>, out: &mut Vec<u8>) -> Result<&'p str, EncodeError> {
    let (config, plan) = (parts.config, parts.plan);
    match config.profile {
        Profile::Flat => flat::write(parts, out)?,
        Profile::DebeziumCassandra => debezium_cassandra::write(parts, out)?,
        Profile::Debezium => match (debezium::unrepresentable(parts), config.unrepresentable) {
            (None, _) => debezium::write(parts, out)?,
            (Some(reason), Unrepresentable::Fail) => {
                let table = parts.event.update.table;
                let table = format!("{}.{}", table.keyspace, table.name);
                return Err(EncodeError::Unrepresentable { table, reason });
            }
            (Some(_), Unrepresentable::SideTopic) => {
                flat::write(parts, out)?;
                return Ok(&plan.side_topic);
            }
        },
    }
    Ok(&plan.topic)
}

fn hex_text(id: [u8; 16], text: &mut [u8; 32]) -> &str {
    let written = hex::encode_to_slice(id, text);
    written.ok().and_then(|()| std::str::from_utf8(text).ok()).unwrap_or_default()
}

/// Whether `op` is `d`, so that a tombstone follows.
fn is_deleted(event: &ChangeEvent<'_, '_>, profile: Profile) -> bool {
    match profile {
        Profile::Flat | Profile::Debezium => event.operation == Operation::Delete,
        Profile::DebeziumCassandra => debezium_cassandra::is_delete(event),
    }
}

/// Hash of the JSON of the partition key columns: the key itself, or its part before the clustering columns.
fn hash_partition(event: &ChangeEvent<'_, '_>, key: &[u8], end: usize, scratch: &mut Vec<u8>) -> u32 {
    let clustered = matches!(event.shape, Shape::Row { clustering } if !clustering.is_empty());
    if !clustered {
        return partition_hash(key);
    }
    scratch.clear();
    scratch.extend_from_slice(key.get(..end).unwrap_or_default());
    scratch.push(b'}');
    partition_hash(scratch)
}
