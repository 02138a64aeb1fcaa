//! Valid rows: to their table, or to a topic where no Cassandra is at hand.

use serde_json::{Map, Value as Json, json};

use crate::agent::exit::Exit;
use crate::envelope::RowHashes;
use crate::jobs::check::hash;
use crate::jobs::column::{Column, ColumnSource};
use crate::jobs::engine::cdc_record::CdcRecord;
use crate::jobs::engine::cells::{TYPES, cell};
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::outlet::Output;
use crate::jobs::engine::record::{InputRecord, OutputRecord, Spread, TableRow};
use crate::jobs::environment::Environment;
use crate::jobs::record::NO_TIME;
use crate::jobs::rules::{TableRules, Version, VersionUnit};
use crate::jobs::value::Value;

/// Where valid rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// To the table, in the environment's data centre; counters to `metrics.dq_counts`.
    Cassandra,
    /// To the topic `{prefix}.valid.<table>`.
    Topic,
    /// Nowhere.
    Nowhere,
}

/// Number of the job's own table among the tables of [`TableRow`].
pub(super) const OWN_TABLE: usize = 0;
/// Number of `metrics.dq_counts`.
pub const COUNTS_TABLE: usize = 1;

/// The least write time that Cassandra takes.
const LEAST_TIME: i64 = i64::MIN + 1;

#[derive(Debug)]
pub(super) struct Rows {
    destination: Destination,
    topic: String,
    columns: Vec<Column>,
    key: Vec<usize>,
    version: Version,
    /// None when the file's hash cannot be computed here.
    hashes: Option<RowHashes>,
    is_cdc: bool,
}

impl Rows {
    pub(super) fn new(
        rules: &TableRules,
        environment: &Environment,
        destination: Destination,
    ) -> Result<Self, EngineError> {
        let unknown = rules.columns.iter().find(|column| !TYPES.contains(&column.cql_type.as_str()));
        if let Some(column) = unknown.filter(|_| destination == Destination::Cassandra) {
            let what = format!("column {}: values of type {} are not written", column.name, column.cql_type);
            return Err(EngineError::new(Exit::Usage, what)
                .next("run this job on Flink, or judge alone with --valid-rows none"));
        }
        let name = &rules.table.value;
        Ok(Self {
            destination,
            topic: environment.valid_topic(&name.keyspace, &name.table),
            columns: rules.columns.clone(),
            key: rules.key.clone(),
            version: rules.version,
            hashes: hash::own_table(rules).map(|table| RowHashes::new(table, &hash::options(rules))),
            is_cdc: matches!(rules.source, crate::jobs::rules::Source::Cdc { .. }),
        })
    }

    /// Writes a row; whether it has a place to go.
    pub(super) fn write(
        &self,
        record: &InputRecord,
        row: &[Option<Value<'_>>],
        warned: &[&str],
        output: &mut dyn Output,
    ) -> Result<bool, EngineError> {
        if self.destination == Destination::Nowhere {
            return Ok(false);
        }
        let change = record.value.as_deref().filter(|_| self.is_cdc).and_then(CdcRecord::parse);
        let version_us = self.version_us(row, change.as_ref());
        let cells: Vec<Option<Vec<u8>>> = self
            .columns
            .iter()
            .zip(row)
            .map(|(column, value)| value.as_ref().and_then(|value| cell(&column.cql_type, value)))
            .collect();
        let row_hash = match &change {
            // Of a change the agent knows whether it carries the whole row.
            Some(change) => {
                let hash = change.row_hash.as_ref().filter(|_| change.hash_kind.as_deref() == Some("full"));
                hash.map(|hash| hash.clone().into_owned())
            }
            None => self.hash(&cells),
        };
        match self.destination {
            Destination::Cassandra => {
                let values = self.columns.iter().zip(cells).map(|(column, cell)| match column.source {
                    ColumnSource::RowHash => row_hash.clone().map(String::into_bytes),
                    ColumnSource::Field(_) => cell,
                });
                let place = (record.partition, record.offset);
                let timestamp_us = version_us.ok_or_else(|| without_write_time(place))?;
                output.row(TableRow { table: OWN_TABLE, values: values.collect(), timestamp_us, place })?;
            }
            Destination::Topic => {
                let value = self.json(record, row, row_hash.as_deref(), (version_us, warned));
                let key: Map<String, Json> = self
                    .key
                    .iter()
                    .filter_map(|number| {
                        let column = self.columns.get(*number)?;
                        Some((column.name.clone(), json_of(row.get(*number)?.as_ref())))
                    })
                    .collect();
                output.record(&OutputRecord {
                    topic: &self.topic,
                    spread: Spread::Key,
                    key: Some(Json::Object(key).to_string().as_bytes()),
                    value: Some(value.as_bytes()),
                    headers: &[],
                    timestamp_ms: record.timestamp_ms,
                })?;
            }
            Destination::Nowhere => {}
        }
        Ok(true)
    }

    /// A row of `metrics.dq_counts`. Its write time grows with the number of records, so that the newer count stays.
    pub(super) fn count(
        &self,
        job: &str,
        (metric_ts, metric): (i64, &str),
        (number, total): (u64, u64),
        output: &mut dyn Output,
    ) -> Result<(), EngineError> {
        if self.destination != Destination::Cassandra {
            return Ok(());
        }
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        output.row(TableRow {
            table: COUNTS_TABLE,
            values: vec![
                Some(job.as_bytes().to_vec()),
                Some(metric_ts.to_be_bytes().to_vec()),
                Some(metric.as_bytes().to_vec()),
                Some(number.to_be_bytes().to_vec()),
            ],
            timestamp_us: metric_ts.saturating_mul(1000).saturating_add(total).max(LEAST_TIME),
            place: (0, -1),
        })
    }

    fn version_us(&self, row: &[Option<Value<'_>>], change: Option<&CdcRecord<'_>>) -> Option<i64> {
        match self.version {
            Version::WriteTime => change?.source.ts_us.filter(|us| *us != NO_TIME),
            Version::Column { column, unit } => {
                let number = match row.get(column)?.as_ref()? {
                    Value::Timestamp(number) | Value::Integer(number) => *number,
                    _ => return None,
                };
                match unit {
                    VersionUnit::Millis => number.checked_mul(1000),
                    VersionUnit::Micros => Some(number).filter(|us| *us != NO_TIME),
                }
            }
        }
    }

    fn hash(&self, cells: &[Option<Vec<u8>>]) -> Option<String> {
        let cell = |name: &str| {
            let number = self.columns.iter().position(|column| column.name == name)?;
            cells.get(number)?.as_deref()
        };
        self.hashes.as_ref()?.hash(&cell)
    }

    fn json(
        &self,
        record: &InputRecord,
        row: &[Option<Value<'_>>],
        row_hash: Option<&str>,
        (version_us, warned): (Option<i64>, &[&str]),
    ) -> String {
        let columns = self.columns.iter().zip(row).map(|(column, value)| {
            let value = match column.source {
                ColumnSource::RowHash => json!(row_hash),
                ColumnSource::Field(_) => json_of(value.as_ref()),
            };
            (column.name.clone(), value)
        });
        let row: Map<String, Json> = columns.collect();
        json!({
            "row": row, "version_us": version_us, "row_hash": row_hash, "warned": warned,
            "partition": record.partition, "offset": record.offset,
        })
        .to_string()
    }
}

/// The rules that every job with a sink has keep such rows out.
fn without_write_time((partition, offset): (u32, i64)) -> EngineError {
    let what = format!("the row of the record in partition {partition} at offset {offset} has no write time");
    EngineError::new(Exit::Bug, what).next("tell the authors; a rule that such rows break keeps them out")
}

/// As the agent writes values: docs/envelope.md.
fn json_of(value: Option<&Value<'_>>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Text(text)) => json!(text),
        Some(
            Value::Integer(number) | Value::Timestamp(number) | Value::Date(number) | Value::Time(number),
        ) => {
            json!(number)
        }
        Some(Value::Decimal(number)) => json!(number.to_string()),
        Some(Value::Double(number)) => json!(number),
        Some(Value::Boolean(on)) => json!(on),
        Some(Value::Opaque(text)) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
    }
}
