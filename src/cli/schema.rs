//! Options of `schema`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples;

/// `cdc-agent schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// What to do with the file.
    #[command(subcommand)]
    pub command: SchemaCommand,
}

/// What to do with a schema file.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemaCommand {
    /// Print the tables and columns of a schema file
    #[command(after_help = examples::SCHEMA_SHOW)]
    Show(SchemaShowArgs),
    /// Say what in a schema file cannot be used; exit code 2 when there is something
    #[command(after_help = examples::SCHEMA_CHECK)]
    Check(SchemaCheckArgs),
}

/// `cdc-agent schema show`.
#[derive(Debug, Clone, Args)]
pub struct SchemaShowArgs {
    /// Schema file: JSON of system_schema, or the CQL of DESCRIBE SCHEMA WITH INTERNALS
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// `cdc-agent schema check`.
#[derive(Debug, Clone, Args)]
pub struct SchemaCheckArgs {
    /// Schema file: JSON of system_schema, or the CQL of DESCRIBE SCHEMA WITH INTERNALS
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
