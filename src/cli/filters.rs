//! Options that say which tables and columns are wanted.

use std::path::PathBuf;

use clap::Args;

use super::values::{ColumnName, TableName};

/// Which tables and columns become records. Every option can be given several times.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tables and columns")]
pub struct FilterArgs {
    /// Only these tables, with or without `cdc = true`. Default: every table that has `cdc = true`
    #[arg(long = "table", value_name = "KS.TABLE")]
    pub tables: Vec<TableName>,
    /// Only the tables of these keyspaces that have `cdc = true`
    #[arg(long = "keyspace", value_name = "KS", conflicts_with = "tables")]
    pub keyspaces: Vec<String>,
    /// Never these tables
    #[arg(long = "exclude-table", value_name = "KS.TABLE")]
    pub exclude_tables: Vec<TableName>,
    /// Leave out the values of these columns
    #[arg(long = "drop-column", value_name = "KS.TABLE.COLUMN")]
    pub drop_columns: Vec<ColumnName>,
    /// Replace the values of these columns by a fixed text
    #[arg(long = "mask-column", value_name = "KS.TABLE.COLUMN")]
    pub mask_columns: Vec<ColumnName>,
    /// Replace the values of these columns by a keyed hash: equal values stay equal
    #[arg(long = "hash-column", value_name = "KS.TABLE.COLUMN", requires = "hash_key_file")]
    pub hash_columns: Vec<ColumnName>,
    /// File with the key of `--hash-column`: its bytes as they are
    #[arg(long, value_name = "FILE", requires = "hash_columns")]
    pub hash_key_file: Option<PathBuf>,
}
