//! What can be asked of `cdc-agent`: commands and options, with every help text. No behaviour.

mod asking;
mod checkpoint;
mod config;
mod demo;
mod doctor;
mod examples;
mod filters;
mod inspect;
mod kafka;
mod keys;
mod live;
mod programs;
mod replay;
mod run;
mod schema;
mod settings;
mod snapshot;
mod unfit;
mod values;
mod words;

pub use self::config::{
    ConfigArgs, ConfigCheckArgs, ConfigCommand, ConfigImportArgs, ConfigInitArgs, ConfigShowArgs,
};
pub use asking::{
    AgentPlace, ParkedArgs, ParkedCommand, ParkedRetryArgs, ParkedSkipArgs, StatusArgs, StatusPlace,
    StoredArgs,
};
pub use checkpoint::{AcceptLossArgs, CheckpointArgs, CheckpointCommand, RewindArgs};
pub use demo::DemoArgs;
pub use doctor::DoctorArgs;
pub use filters::FilterArgs;
pub use inspect::{At, InspectArgs, VerifyArgs};
pub use kafka::{
    ClientOption, CompressionWord, DeliveryWord, KafkaArgs, MechanismWord, ProtocolWord, RefusedTable,
    RefusedWord,
};
pub use keys::KeyArgs;
pub use live::{
    CassandraArgs, DEFAULT_STATE_DIRECTORY, FinishedWord, LiveArgs, LogArgs, LogFormatWord, OwnershipWord,
    TellingArgs, VisibilityWord,
};
pub use programs::{CompletionsArgs, ManArgs};
pub use replay::{ReplayArgs, ReplayInput, ReplayOutput, ReplayRange};
pub use run::{RunArgs, RunOptions};
pub use schema::{SchemaArgs, SchemaCheckArgs, SchemaCommand, SchemaShowArgs};
pub use settings::{RecordArgs, Settings, SourceArgs, UndecodedArgs};
pub use snapshot::{
    AskedArgs, ConsistencyWord, SnapshotArgs, SnapshotCommand, SnapshotStartArgs, SnapshotStatusArgs,
    SnapshotStopArgs,
};
pub use unfit::{Unfit, resolved};
pub(crate) use values::MOST_MIB;
pub use values::{ColumnList, ColumnName, Instant, RowHash, TableName, Undecodable, UnknownTable};

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{ConfigError, resolve_part, settings};

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

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The command line is wrong, or only asks for help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// The configuration file or the environment is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Cli {
    /// Reads the `words` of a command line (the program's name first), the `environment`, and the file that
    /// `--config` names.
    ///
    /// # Errors
    /// One of them is wrong.
    pub fn read<W: Into<OsString> + Clone>(
        words: impl IntoIterator<Item = W>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ReadError> {
        let matches = Self::command().try_get_matches_from(words)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        match (&mut cli.command, matches.subcommand()) {
            (Command::Replay(args), Some((_, flags))) => {
                let file = args.input.config.as_deref();
                let (settings, names) = resolve_part::<RunOptions, Settings>(flags, file, environment)?;
                args.settings = Settings { names, ..settings };
            }
            (Command::Run(args), Some((_, flags))) => {
                let environment: Vec<_> = environment.into_iter().collect();
                let file = args.config.as_deref();
                args.options = self::config::run_options(flags, file, environment.iter().cloned())?;
                args.settings = settings::<RunOptions>(flags, file, environment)?;
            }
            (Command::Snapshot(args), Some((_, flags))) => args.resolve(flags, environment)?,
            (Command::Config(args), Some((_, flags))) => args.resolve(flags, environment)?,
            (Command::Doctor(args), Some((_, flags))) => {
                args.options = self::config::run_options(flags, args.config.as_deref(), environment)?;
            }
            (Command::Status(args), Some((_, flags))) => {
                let file = args.config.as_deref();
                args.place = resolve_part::<RunOptions, StatusPlace>(flags, file, environment)?.0;
            }
            (Command::Parked(args), Some((_, flags))) => args.resolve(flags, environment)?,
            (Command::Checkpoint(args), Some((_, flags))) => args.resolve(flags, environment)?,
            _ => {}
        }
        Ok(cli)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow the commit log of the node beside it, to Kafka or a file log
    #[command(after_help = examples::RUN)]
    Run(Box<RunArgs>),
    /// Show how a running agent is
    #[command(after_help = examples::STATUS)]
    Status(StatusArgs),
    /// List parked mutations, try them again, or give them up
    #[command(after_help = examples::PARKED)]
    Parked(ParkedArgs),
    /// Show what is committed, go back in it, or accept a loss
    #[command(after_help = examples::CHECKPOINT)]
    Checkpoint(CheckpointArgs),
    /// Turn segments into records: JSON Lines on standard output, a file log, or Kafka
    #[command(after_help = examples::REPLAY)]
    Replay(Box<ReplayArgs>),
    /// Publish the rows that tables have already: asks the running agent
    #[command(after_help = examples::SNAPSHOT)]
    Snapshot(SnapshotArgs),
    /// Show what is in a segment: descriptor, sections, mutations, rows, cells, with offsets
    #[command(after_help = examples::INSPECT)]
    Inspect(InspectArgs),
    /// Check framing, checksums and decode of segments; say what is damaged and where
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Show what a schema file says, or check it
    #[command(after_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Show, check or make a configuration file
    #[command(after_help = examples::CONFIG)]
    Config(ConfigArgs),
    /// Look for what is wrong between node, directory, CQL and Kafka; change nothing
    #[command(after_help = examples::DOCTOR)]
    Doctor(Box<DoctorArgs>),
    /// Show what becomes of bundled changes, up to drift; needs no service
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
