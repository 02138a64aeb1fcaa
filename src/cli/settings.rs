//! The options that a configuration file can give too: which tables, what records look like, which keys.
//!
//! The id of an option is its key in the file (Debezium's name where there is one), and after `CDC_AGENT_` in
//! upper case its name in the environment. Defaults, allowed values and effects are said here and nowhere else.

use clap::{ArgAction, Args};

use super::filters::FilterArgs;
use super::kafka::KafkaArgs;
use super::keys::KeyArgs;
use super::values::{ColumnList, RowHash, Undecodable, UnknownTable, topic_prefix};
use crate::config::Names;
use crate::envelope::options::{
    CellTimes, DecimalHandling, Profile, TimestampFormat, Unrepresentable, VarintHandling,
};

/// Options that the command line, the environment and a configuration file can give.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// What happens to changes that cannot be decoded.
    #[command(flatten)]
    pub undecoded: UndecodedArgs,
    /// Tables and columns.
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Shape of the records.
    #[command(flatten)]
    pub records: RecordArgs,
    /// Names that every record carries.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
    /// Keys of encrypted segments.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// How to speak of each option.
    #[arg(skip)]
    pub names: Names,
}

/// What happens to changes that cannot be decoded.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What cannot be decoded")]
pub struct UndecodedArgs {
    /// What to do with a mutation of a table id that the schema does not know [default: park; of run, once the node was
    /// asked and does not know it either: ledger]
    #[arg(long, value_name = "WORD", value_enum)]
    pub unknown_table: Option<UnknownTable>,
    /// What to do with a mutation of a known table that no schema at hand decodes, checksums being right
    #[arg(long, value_name = "WORD", value_enum, default_value = "park")]
    pub undecodable: Undecodable,
    /// End with code 0 instead of 5 when tables or columns that the schema does not know are all that keeps
    /// mutations back
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value = "false", default_missing_value = "true", hide_possible_values = true)]
    pub allow_unknown: bool,
}

/// Shape of the records.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Records")]
pub struct RecordArgs {
    /// Shape of the records
    #[arg(long, value_name = "NAME", value_enum, default_value = "flat")]
    pub profile: Profile,
    /// What profile `debezium` does with ranges and partial updates
    #[arg(long, value_name = "WORD", value_enum, default_value = "side_topic")]
    pub unrepresentable: Unrepresentable,
    /// How decimal values are written [default: string; double in profile `debezium-cassandra`]
    #[arg(long, value_name = "WORD", value_enum)]
    pub decimal_handling: Option<DecimalHandling>,
    /// How varint values are written [default: string; long in profile `debezium-cassandra`]
    #[arg(long, value_name = "WORD", value_enum)]
    pub varint_handling: Option<VarintHandling>,
    /// How timestamp values are written [default: epoch_ms; not in profile `debezium-cassandra`]
    #[arg(long, value_name = "WORD", value_enum)]
    pub timestamp_format: Option<TimestampFormat>,
    /// Which write times and TTLs of cells a record of profile `flat` carries [default: when_differs]
    #[arg(long, value_name = "WORD", value_enum)]
    pub cells: Option<CellTimes>,
    /// Follow every record of a deleted row (`op` d) by one with the same key and a null value
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value = "false", default_missing_value = "true", hide_possible_values = true)]
    pub tombstones_on_delete: bool,
    /// Hash over a whole row, to compare it with its copy elsewhere
    #[arg(long, value_name = "VERSION", value_enum, default_value = "off")]
    pub row_hash: RowHash,
    /// Column that row_hash leaves out, in every table; can be given several times
    #[arg(long, value_name = "COLUMN", default_value = "record_hash")]
    pub row_hash_exclude: Vec<String>,
    /// Columns of a table in the order in which row_hash v0 joins them; can be given several times
    #[arg(long, value_name = "KS.TABLE=COLUMN,…")]
    pub row_hash_columns: Vec<ColumnList>,
}

/// Names that every record carries.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source of the records")]
pub struct SourceArgs {
    /// First part of topic names, and `source.name`: characters a-z A-Z 0-9 . _ -
    #[arg(id = "topic_prefix", long = "prefix", value_name = "NAME")]
    #[arg(default_value = "local", value_parser = topic_prefix)]
    pub prefix: String,
    /// `source.cluster`. Default: null
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// `source.dc`. Default: null
    #[arg(long, value_name = "NAME")]
    pub dc: Option<String>,
    /// `source.host_id`. Default: null
    #[arg(long, value_name = "UUID")]
    pub host_id: Option<uuid::Uuid>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::{Args, Command};

    use crate::cli::RunOptions;

    /// The table of the keys in the documentation: cells by key.
    fn documented() -> BTreeMap<String, Vec<String>> {
        let text = include_str!("../../docs/configuration.md");
        let rows = text.lines().filter(|line| line.starts_with("| `") && line.contains("| `--"));
        rows.map(|row| {
            let cells: Vec<String> = row.split('|').skip(1).map(|cell| cell.trim().to_owned()).collect();
            (cells[0].trim_matches('`').to_owned(), cells)
        })
        .collect()
    }

    #[test]
    fn the_documentation_has_each_option_with_its_flag_values_and_default() {
        let command = RunOptions::augment_args(Command::new("options"));
        let mut documented = documented();
        for option in command.get_arguments() {
            let key = option.get_id().as_str();
            let row =
                documented.remove(key).unwrap_or_else(|| panic!("{key} is not in docs/configuration.md"));
            assert_eq!(row[1], format!("`--{}`", option.get_long().unwrap()), "{key}");
            for word in option.get_possible_values() {
                assert!(row[2].contains(&format!("`{}`", word.get_name())), "{key}: {}", word.get_name());
            }
            for default in option.get_default_values() {
                assert!(row[3].contains(default.to_str().unwrap()), "{key}: {}", row[3]);
            }
            assert!(row[4].len() > 10, "{key} has no effect");
        }
        assert!(documented.is_empty(), "no such options: {:?}", documented.keys());
    }
}
