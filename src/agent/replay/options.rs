//! What the options of `replay` mean for filters and records, checked against the schema.

use std::collections::HashSet;

use crate::agent::exit::{Exit, Failure};
use crate::change::filter::{ColumnRule, ColumnRules, TableFilter, TableKey};
use crate::cli::{ColumnName, FilterArgs, ReplayArgs, ReplayRecords, ReplaySource, RowHash, TableName};
use crate::cql::CqlType;
use crate::envelope::config::HashKey;
use crate::envelope::options::{Profile, RowHashOptions, RowHashVersion, Unrepresentable, ValueFormat};
use crate::envelope::topic::{MAX_LENGTH, side_topic, table_topic};
use crate::envelope::{EncoderConfig, SourceNames};
use crate::schema::{Schema, TableSchema};

/// The wanted tables.
#[must_use]
pub fn table_filter(args: &FilterArgs) -> TableFilter {
    TableFilter {
        tables: args.tables.iter().map(table_key).collect(),
        keyspaces: args.keyspaces.iter().cloned().collect(),
        excluded: args.exclude_tables.iter().map(table_key).collect(),
    }
}

/// How records are written.
///
/// # Errors
/// An option names a table or column that the schema does not have, options contradict each other, or the
/// key file cannot be used.
pub fn encoder_config(args: &ReplayArgs, schema: &Schema) -> Result<EncoderConfig, Failure> {
    check_tables(&args.filter, schema)?;
    check_profile(&args.records)?;
    check_topics(args, schema)?;
    let rules = column_rules(&args.filter)?;
    rules.check(schema).map_err(|error| usage(error.to_string()))?;
    Ok(EncoderConfig {
        source: source_names(&args.source),
        profile: args.records.profile,
        unrepresentable: args.records.unrepresentable,
        format: value_format(&args.records),
        cells: args.records.cells.unwrap_or_default(),
        tombstones_on_delete: args.records.tombstones_on_delete,
        row_hash: row_hash(&args.records, schema)?,
        rules,
        hash_key: hash_key(&args.filter)?,
    })
}

fn usage(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, what)
}

fn table_key(name: &TableName) -> TableKey {
    (name.keyspace.clone(), name.table.clone())
}

fn source_names(args: &ReplaySource) -> SourceNames {
    SourceNames {
        prefix: args.prefix.clone(),
        cluster: args.cluster.clone(),
        dc: args.dc.clone(),
        host_id: args.host_id.map(|id| id.to_string()),
        // Files at rest: everything in them has been synced.
        visibility: "synced",
        replay: true,
    }
}

fn value_format(args: &ReplayRecords) -> ValueFormat {
    let defaults = ValueFormat::of(args.profile);
    ValueFormat {
        forms: defaults.forms,
        decimals: args.decimal_handling.unwrap_or(defaults.decimals),
        varints: args.varint_handling.unwrap_or(defaults.varints),
        timestamps: args.timestamp_format.unwrap_or(defaults.timestamps),
    }
}

/// Profile `debezium-cassandra` has no place for some options.
fn check_profile(args: &ReplayRecords) -> Result<(), Failure> {
    if args.profile != Profile::DebeziumCassandra {
        return Ok(());
    }
    let given = [
        ("--cells", args.cells.is_some()),
        ("--timestamp-format", args.timestamp_format.is_some()),
        ("--row-hash", args.row_hash != RowHash::Off),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(usage(format!("{option} does not apply to profile debezium-cassandra"))
            .next("take the option away, or use profile flat")),
        None => Ok(()),
    }
}

/// Kafka takes no longer name, and neither does a file system.
fn check_topics(args: &ReplayArgs, schema: &Schema) -> Result<(), Failure> {
    let (filter, profile) = (table_filter(&args.filter), args.records.profile);
    let has_side_topic =
        profile == Profile::Debezium && args.records.unrepresentable == Unrepresentable::SideTopic;
    let topics = schema.tables().filter(|table| filter.wants(table)).map(|table| {
        let topic = table_topic(profile, &args.source.prefix, table);
        if has_side_topic { side_topic(&topic) } else { topic }
    });
    match topics.max_by_key(String::len).filter(|topic| topic.len() > MAX_LENGTH) {
        Some(topic) => {
            Err(usage(format!("--prefix: the topic {topic} has more than {MAX_LENGTH} characters"))
                .next("choose a shorter prefix"))
        }
        None => Ok(()),
    }
}

fn row_hash(args: &ReplayRecords, schema: &Schema) -> Result<Option<RowHashOptions>, Failure> {
    let version = match args.row_hash {
        RowHash::V0 => RowHashVersion::V0,
        other if !args.row_hash_columns.is_empty() => {
            let given = if other == RowHash::Off { "off" } else { "v1" };
            return Err(usage(format!("--row-hash-columns does not apply to --row-hash {given}"))
                .next("use it with --row-hash v0, or take it away"));
        }
        RowHash::V1 => RowHashVersion::V1,
        RowHash::Off => return Ok(None),
    };
    let mut columns = Vec::new();
    for list in &args.row_hash_columns {
        let table = find_table(schema, &list.table)
            .ok_or_else(|| unknown_table("--row-hash-columns", &list.table, schema))?;
        if let Some(name) = list.columns.iter().find(|name| !can_be_hashed(table, name)) {
            let place = format!("{}.{}", list.table.keyspace, list.table.table);
            return Err(usage(format!("--row-hash-columns: {place} has no column `{name}` to hash"))
                .next("name key columns and regular columns that are no counters"));
        }
        columns.push((table_key(&list.table), list.columns.clone()));
    }
    Ok(Some(RowHashOptions { version, exclude: args.row_hash_exclude.clone(), columns }))
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

fn hash_key(args: &FilterArgs) -> Result<HashKey, Failure> {
    let Some(path) = &args.hash_key_file else { return Ok(HashKey::default()) };
    let key = std::fs::read(path)
        .map_err(|error| usage(format!("cannot read the key file {}", path.display())).because(error))?;
    if key.is_empty() {
        return Err(usage(format!("the key file {} is empty", path.display()))
            .next("write a secret key of at least 32 random bytes into it"));
    }
    Ok(HashKey(key))
}

/// Every table and keyspace that an option names must be in the schema: a misspelt one would be silence.
fn check_tables(args: &FilterArgs, schema: &Schema) -> Result<(), Failure> {
    for (option, names) in [("--table", &args.tables), ("--exclude-table", &args.exclude_tables)] {
        if let Some(name) = names.iter().find(|name| find_table(schema, name).is_none()) {
            return Err(unknown_table(option, name, schema));
        }
    }
    let keyspaces: HashSet<&str> = schema.tables().map(|table| table.keyspace.as_str()).collect();
    match args.keyspaces.iter().find(|name| !keyspaces.contains(name.as_str())) {
        Some(name) => {
            let what = format!("--keyspace: the schema has no table in keyspace `{name}`");
            let known = keyspaces.into_iter().map(str::to_owned);
            Err(usage(what).next(advice(name, known)))
        }
        None => Ok(()),
    }
}

fn find_table<'s>(schema: &'s Schema, name: &TableName) -> Option<&'s TableSchema> {
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

/// Names less alike than this are not worth showing.
const ALIKE: f64 = 0.75;
const MOST_NAMES: usize = 3;

fn advice(name: &str, known: impl Iterator<Item = String>) -> String {
    let mut near: Vec<(f64, String)> = known
        .map(|known| (strsim::jaro_winkler(name, &known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    near.sort_by(|(a, a_name), (b, b_name)| b.total_cmp(a).then_with(|| a_name.cmp(b_name)));
    let names: Vec<String> = near.into_iter().take(MOST_NAMES).map(|(_, name)| format!("`{name}`")).collect();
    if names.is_empty() {
        return "check the name, or give a schema that has it".to_owned();
    }
    format!("near names: {}; check the name, or give a schema that has it", names.join(", "))
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
