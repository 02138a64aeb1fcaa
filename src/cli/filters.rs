//! Options that say which tables and columns are wanted.

use std::path::PathBuf;

use clap::Args;

use super::values::{ColumnName, TableName};

/// Which tables and columns become records. Every option can be given several times.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tables and columns")]
pub struct FilterArgs {
    /// Only these tables, with or without `cdc = true`. Default: every table that has `cdc = true`
    #[arg(id = "table_include_list", long = "table", value_name = "KS.TABLE")]
    pub tables: Vec<TableName>,
    /// Only the tables of these keyspaces that have `cdc = true`
    #[arg(id = "keyspace_include_list", long = "keyspace", value_name = "KS")]
    #[arg(conflicts_with = "table_include_list")]
    pub keyspaces: Vec<String>,
    /// Never these tables
    #[arg(id = "table_exclude_list", long = "exclude-table", value_name = "KS.TABLE")]
    pub exclude_tables: Vec<TableName>,
    /// Leave out the values of these columns
    #[arg(id = "field_exclude_list", long = "drop-column", value_name = "KS.TABLE.COLUMN")]
    pub drop_columns: Vec<ColumnName>,
    /// Replace the values of these columns by a fixed text
    #[arg(id = "column_mask", long = "mask-column", value_name = "KS.TABLE.COLUMN")]
    pub mask_columns: Vec<ColumnName>,
    /// Replace the values of these columns by a keyed hash: equal values stay equal
    #[arg(id = "column_hash", long = "hash-column", value_name = "KS.TABLE.COLUMN")]
    pub hash_columns: Vec<ColumnName>,
    /// File with the key of hashed columns: its bytes as they are. Default: the environment variable
    /// CDC_AGENT_COLUMN_HASH_KEY
    #[arg(id = "column_hash_key_file", long = "hash-key-file", value_name = "FILE")]
    pub hash_key_file: Option<PathBuf>,
}
