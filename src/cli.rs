//! The command line of `cdc-agent`: what can be said, with every help text. No behaviour.

mod demo;
mod examples;
mod filters;
mod inspect;
mod keys;
mod programs;
mod replay;
mod schema;
mod values;
mod words;

pub use demo::DemoArgs;
pub use filters::FilterArgs;
pub use inspect::{At, InspectArgs, VerifyArgs};
pub use keys::KeyArgs;
pub use programs::{CompletionsArgs, ManArgs};
pub use replay::{ReplayArgs, ReplayInput, ReplayOutput, ReplayRange, ReplayRecords, ReplaySource};
pub use schema::{SchemaArgs, SchemaCheckArgs, SchemaCommand, SchemaShowArgs};
pub use values::{ColumnList, ColumnName, Instant, RowHash, TableName, Undecodable, UnknownTable};

use clap::{Parser, Subcommand};

/// Apache Cassandra change data capture without a JVM.
///
/// Reads commit log segments (the files in Cassandra's cdc_raw directory) and turns them into Debezium-shaped
/// records.
#[derive(Debug, Parser)]
#[command(name = "cdc-agent", version, propagate_version = true, max_term_width = 120)]
#[command(subcommand_required = true, arg_required_else_help = true, after_help = examples::TOP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn segments into records: JSON Lines on standard output, or a file log
    #[command(after_help = examples::REPLAY)]
    Replay(Box<ReplayArgs>),
    /// Show what is in a segment: descriptor, sections, mutations, rows, cells, with offsets
    #[command(after_help = examples::INSPECT)]
    Inspect(InspectArgs),
    /// Check framing, checksums and decode of segments; say what is damaged and where
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Show what a schema file says, or check it
    #[command(after_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Show a bundled segment's statements beside their records; needs no service
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Print a shell completion script on standard output
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page a command into a directory
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
