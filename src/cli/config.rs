//! Options of `config`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Subcommand};

use super::run::RunOptions;
use super::{Settings, examples};
use crate::config::{self, ConfigError, Setting};

/// `cdc-agent config`.
#[derive(Debug, Clone, Args)]
pub struct ConfigArgs {
    /// What to do with the configuration.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Print every option with its value and where it comes from; of secrets only whether they are set
    #[command(after_help = examples::CONFIG_SHOW)]
    Show(Box<ConfigShowArgs>),
    /// Check everything that can be checked without the node and without Kafka
    #[command(after_help = examples::CONFIG_CHECK)]
    Check(Box<ConfigCheckArgs>),
    /// Write a configuration file that fits a node, from its cassandra.yaml
    #[command(after_help = examples::CONFIG_INIT)]
    Init(ConfigInitArgs),
    /// Write a configuration file from the properties of Debezium's Cassandra connector
    #[command(after_help = examples::CONFIG_IMPORT)]
    ImportDebezium(ConfigImportArgs),
}

/// `cdc-agent config show`.
#[derive(Debug, Clone, Args)]
pub struct ConfigShowArgs {
    /// TOML file with options; docs/configuration.md has the keys
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
    /// What would be given to run.
    #[command(flatten)]
    pub options: RunOptions,
    /// Every option with where it comes from.
    #[arg(skip)]
    pub settings: Vec<Setting>,
}

/// `cdc-agent config check`.
#[derive(Debug, Clone, Args)]
pub struct ConfigCheckArgs {
    /// TOML file with options; docs/configuration.md has the keys
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
    /// Where run would publish: kafka, or the directory of a file log
    #[arg(long, value_name = "DIR|kafka", default_value = "kafka")]
    pub out: PathBuf,
    /// What would be given to run.
    #[command(flatten)]
    pub options: RunOptions,
}

/// `cdc-agent config init`.
#[derive(Debug, Clone, Args)]
pub struct ConfigInitArgs {
    /// The node's cassandra.yaml, of Cassandra 4.0, 4.1 or 5.0
    #[arg(long, value_name = "FILE")]
    pub cassandra_yaml: PathBuf,
    /// The file to write, which must not exist [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `cdc-agent config import-debezium`.
#[derive(Debug, Clone, Args)]
pub struct ConfigImportArgs {
    /// The connector's .properties file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The file to write, which must not exist [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl ConfigArgs {
    /// Puts in what `flags` (the matches of `config`), the environment and the file say.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(super) fn resolve(
        &mut self,
        flags: &ArgMatches,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        let Some((_, flags)) = flags.subcommand() else { return Ok(()) };
        match &mut self.command {
            ConfigCommand::Show(args) => {
                args.settings = config::settings::<RunOptions>(flags, args.config.as_deref(), environment)?;
            }
            ConfigCommand::Check(args) => {
                args.options = run_options(flags, args.config.as_deref(), environment)?;
            }
            ConfigCommand::Init(_) | ConfigCommand::ImportDebezium(_) => {}
        }
        Ok(())
    }
}

/// The options of a live agent, with the names under which they were given.
///
/// # Errors
/// The file, the environment or a combination is wrong.
pub(super) fn run_options(
    flags: &ArgMatches,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<RunOptions, ConfigError> {
    let (options, names) = config::resolve::<RunOptions>(flags, file, environment)?;
    Ok(RunOptions { settings: Settings { names, ..options.settings }, ..options })
}
