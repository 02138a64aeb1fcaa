//! What the options of `replay` and `run` mean for filters and records, checked against the schema.

use std::collections::HashSet;
use std::os::unix::ffi::OsStringExt;

use super::exit::{Exit, Failure};
use super::warn;
use crate::change::filter::{ColumnRule, ColumnRules, TableFilter, TableKey};
use crate::cli::{ColumnName, FilterArgs, RecordArgs, RowHash, Settings, SourceArgs, TableName};
use crate::config::{Secret, near_names};
use crate::cql::CqlType;
use crate::envelope::config::HashKey;
use crate::envelope::options::{Profile, RowHashOptions, RowHashVersion, Unrepresentable, ValueFormat};
use crate::envelope::topic::{MAX_LENGTH, side_topic, table_topic};
use crate::envelope::{EncoderConfig, SourceNames};
use crate::schema::{Schema, TableSchema};

/// Bytes of a key that nobody finds by trying.
const SAFE_KEY: usize = 32;

/// The wanted tables.
#[must_use]
pub fn table_filter(args: &FilterArgs) -> TableFilter {
    TableFilter {
        tables: args.tables.iter().map(table_key).collect(),
        keyspaces: args.keyspaces.iter().cloned().collect(),
        excluded: args.exclude_tables.iter().map(table_key).collect(),
    }
}

/// How a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Once more: the schema is that of the log's end.
    Replay,
    /// While it is written: a table can still be made, or is dropped already.
    Live,
}

/// How records are written.
///
/// # Errors
/// An option names a column, or in a replay a table, that the schema does not have, options contradict each other, or
/// the key file cannot be used.
pub fn encoder_config(args: &Settings, schema: &Schema, reading: Reading) -> Result<EncoderConfig, Failure> {
    match (check_tables(args, schema), reading) {
        (Err(failure), Reading::Live) => warn(&failure.to_string()),
        (checked, _) => checked?,
    }
    check_profile(args)?;
    check_topics(args, schema)?;
    let rules = column_rules(&args.filter)?;
    let hash_key = hash_key(args, &rules)?;
    rules.check(schema).map_err(|error| usage(error.to_string()))?;
    Ok(EncoderConfig {
        source: source_names(&args.source, reading),
        profile: args.records.profile,
        unrepresentable: args.records.unrepresentable,
        format: value_format(&args.records),
        cells: args.records.cells.unwrap_or_default(),
        tombstones_on_delete: args.records.tombstones_on_delete,
        row_hash: row_hash(args, schema)?,
        rules,
        hash_key,
    })
}

fn usage(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, what)
}

fn table_key(name: &TableName) -> TableKey {
    (name.keyspace.clone(), name.table.clone())
}

pub(super) fn source_names(args: &SourceArgs, reading: Reading) -> SourceNames {
    SourceNames {
        prefix: args.prefix.clone(),
        cluster: args.cluster.clone(),
        dc: args.dc.clone(),
        host_id: args.host_id.map(|id| id.to_string()),
        replay: reading == Reading::Replay,
    }
}

fn value_format(args: &RecordArgs) -> ValueFormat {
    let defaults = ValueFormat::of(args.profile);
    ValueFormat {
        forms: defaults.forms,
        decimals: args.decimal_handling.unwrap_or(defaults.decimals),
        varints: args.varint_handling.unwrap_or(defaults.varints),
        timestamps: args.timestamp_format.unwrap_or(defaults.timestamps),
    }
}

/// Profile `debezium-cassandra` has no place for some options.
fn check_profile(args: &Settings) -> Result<(), Failure> {
    let records = &args.records;
    if records.profile != Profile::DebeziumCassandra {
        return Ok(());
    }
    let given = [
        ("cells", records.cells.is_some()),
        ("timestamp_format", records.timestamp_format.is_some()),
        ("row_hash", records.row_hash != RowHash::Off),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((key, _)) => {
            let option = args.names.of(key);
            Err(usage(format!("{option} does not apply to profile debezium-cassandra"))
                .next("take the option away, or use profile flat"))
        }
        None => Ok(()),
    }
}

/// Kafka takes no longer name, and neither does a file system.
fn check_topics(args: &Settings, schema: &Schema) -> Result<(), Failure> {
    let (filter, profile) = (table_filter(&args.filter), args.records.profile);
    let has_side_topic =
        profile == Profile::Debezium && args.records.unrepresentable == Unrepresentable::SideTopic;
    let topics = schema.tables().filter(|table| filter.wants(table)).map(|table| {
        let topic = table_topic(profile, &args.source.prefix, table);
        if has_side_topic { side_topic(&topic) } else { topic }
    });
    match topics.max_by_key(String::len).filter(|topic| topic.len() > MAX_LENGTH) {
        Some(topic) => {
            let option = args.names.of("topic_prefix");
            Err(usage(format!("{option}: the topic {topic} has more than {MAX_LENGTH} characters"))
                .next("choose a shorter prefix"))
        }
        None => Ok(()),
    }
}

fn row_hash(args: &Settings, schema: &Schema) -> Result<Option<RowHashOptions>, Failure> {
    let (records, option) = (&args.records, args.names.of("row_hash_columns"));
    let version = match records.row_hash {
        RowHash::V0 => RowHashVersion::V0,
        other if !records.row_hash_columns.is_empty() => {
            let given = if other == RowHash::Off { "off" } else { "v1" };
            return Err(usage(format!("{option} does not apply to row_hash {given}"))
                .next("use it with row_hash v0, or take it away"));
        }
        RowHash::V1 => RowHashVersion::V1,
        RowHash::Off => return Ok(None),
    };
    let mut columns = Vec::new();
    for list in &records.row_hash_columns {
        let table =
            find_table(schema, &list.table).ok_or_else(|| unknown_table(&option, &list.table, schema))?;
        if let Some(name) = list.columns.iter().find(|name| !can_be_hashed(table, name)) {
            let place = format!("{}.{}", list.table.keyspace, list.table.table);
            return Err(usage(format!("{option}: {place} has no column `{name}` to hash"))
                .next("name key columns and regular columns that are no counters"));
        }
        columns.push((table_key(&list.table), list.columns.clone()));
    }
    Ok(Some(RowHashOptions { version, exclude: records.row_hash_exclude.clone(), columns }))
}

fn can_be_hashed(table: &TableSchema, name: &str) -> bool {
    let columns = [&table.partition_key, &table.clustering, &table.regulars];
    columns.into_iter().flatten().any(|column| {
        column.name == name && column.cql_type != CqlType::Counter && column.dropped_at_us.is_none()
    })
}

fn column_rules(args: &FilterArgs) -> Result<ColumnRules, Failure> {
    let mut rules = ColumnRules::default();
    let lists: [(&[ColumnName], ColumnRule); 3] = [
        (&args.drop_columns, ColumnRule::Drop),
        (&args.mask_columns, ColumnRule::Mask),
        (&args.hash_columns, ColumnRule::Hash),
    ];
    for (names, rule) in lists {
        for name in names {
            rules
                .add((table_key(&name.table), name.column.clone()), rule)
                .map_err(|error| usage(error.to_string()))?;
        }
    }
    Ok(rules)
}

/// The key of hashed columns: the bytes of a file, or of an environment variable.
fn hash_key(args: &Settings, rules: &ColumnRules) -> Result<HashKey, Failure> {
    let (secret, file) = (Secret::ColumnHashKey, &args.filter.hash_key_file);
    let option = args.names.of(&secret.key());
    if !rules.needs_key() {
        return match file {
            Some(_) => Err(usage(format!("{option} is given, and no column to hash"))
                .next(format!("name columns with {}, or take the key away", args.names.of("column_hash")))),
            None => Ok(HashKey::default()),
        };
    }
    let key = match file {
        Some(path) => std::fs::read(path)
            .map_err(|error| usage(format!("cannot read the key file {}", path.display())).because(error))?,
        None => secret.from_environment().map(OsStringExt::into_vec).ok_or_else(|| {
            usage(format!("{}: there is no key to hash with", args.names.of("column_hash")))
                .next(format!("name a file with {option}, or set {}", secret.variable()))
        })?,
    };
    let place = || file.as_ref().map_or_else(|| secret.variable(), |path| path.display().to_string());
    if key.is_empty() {
        return Err(usage(format!("the key in {} is empty", place()))
            .next("use a secret key of at least 32 random bytes"));
    }
    if key.len() < SAFE_KEY {
        warn(&format!(
            "the key in {} has {} bytes: hashed values may be guessed by trying keys; use at least {SAFE_KEY} random bytes",
            place(),
            key.len()
        ));
    }
    Ok(HashKey(key))
}

/// Every table and keyspace that an option names must be in the schema: a misspelt one would be silence.
fn check_tables(args: &Settings, schema: &Schema) -> Result<(), Failure> {
    let filter = &args.filter;
    let lists = [("table_include_list", &filter.tables), ("table_exclude_list", &filter.exclude_tables)];
    for (key, names) in lists {
        if let Some(name) = names.iter().find(|name| find_table(schema, name).is_none()) {
            return Err(unknown_table(&args.names.of(key), name, schema));
        }
    }
    let keyspaces: HashSet<&str> = schema.tables().map(|table| table.keyspace.as_str()).collect();
    match filter.keyspaces.iter().find(|name| !keyspaces.contains(name.as_str())) {
        Some(name) => {
            let option = args.names.of("keyspace_include_list");
            let what = format!("{option}: the schema has no table in keyspace `{name}`");
            let known = keyspaces.into_iter().map(str::to_owned);
            Err(usage(what).next(advice(name, known)))
        }
        None => Ok(()),
    }
}

pub(super) fn find_table<'s>(schema: &'s Schema, name: &TableName) -> Option<&'s TableSchema> {
    schema
        .tables()
        .find(|table| table.keyspace == name.keyspace && table.name == name.table)
        .map(AsRef::as_ref)
}

fn unknown_table(option: &str, name: &TableName, schema: &Schema) -> Failure {
    let name = format!("{}.{}", name.keyspace, name.table);
    let known = schema.tables().map(|table| format!("{}.{}", table.keyspace, table.name));
    usage(format!("{option}: the schema has no table `{name}`")).next(advice(&name, known))
}

const MOST_NAMES: usize = 3;

fn advice(name: &str, known: impl Iterator<Item = String>) -> String {
    let near = near_names(name, known);
    let names: Vec<String> = near.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return "check the name, or give a schema that has it".to_owned();
    }
    format!("near names: {}; check the name, or give a schema that has it", names.join(", "))
}

#[cfg(test)]
#[path = "record_options_tests.rs"]
pub(in crate::agent) mod tests;
