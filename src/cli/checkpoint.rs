//! Options of `checkpoint`.

use clap::{ArgMatches, Args, Subcommand};
use std::ffi::OsString;

use super::asking::{ParkedCommand, StoredArgs};
use super::config::run_options;
use super::examples;
use super::run::RunOptions;
use crate::commitlog::{Position, SegmentId};
use crate::config::{ConfigError, resolve_part};

/// `cdc-agent checkpoint`.
#[derive(Debug, Clone, Args)]
pub struct CheckpointArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: CheckpointCommand,
}

/// What to do with the checkpoint.
#[derive(Debug, Clone, Subcommand)]
pub enum CheckpointCommand {
    /// Print what is committed and where that stands; beside a running agent, too
    #[command(after_help = examples::CHECKPOINT_SHOW)]
    Show(Box<StoredArgs>),
    /// Go back to a position, while the agent is stopped: records from there on come again, with equal event ids
    #[command(after_help = examples::CHECKPOINT_REWIND)]
    Rewind(Box<RewindArgs>),
    /// Take a segment for lost, while the agent is stopped, so that the log goes on behind it
    #[command(after_help = examples::CHECKPOINT_ACCEPT_LOSS)]
    AcceptLoss(Box<AcceptLossArgs>),
}

/// `cdc-agent checkpoint rewind`.
#[derive(Debug, Clone, Args)]
pub struct RewindArgs {
    /// The first position that is to be read again: <segment id>:<offset of the section's marker>:<entry>
    #[arg(long, value_name = "POSITION")]
    pub to: Position,
    /// Do it; without it, what would be done is printed
    #[arg(long)]
    pub yes: bool,
    /// Where it is committed.
    #[command(flatten)]
    pub stored: StoredArgs,
}

/// `cdc-agent checkpoint accept-loss`.
#[derive(Debug, Clone, Args)]
pub struct AcceptLossArgs {
    /// The id of the segment: the last number of its name
    #[arg(long, value_name = "ID", value_parser = segment_id)]
    pub segment: SegmentId,
    /// Do it; without it, what would be done is printed
    #[arg(long)]
    pub yes: bool,
    /// Where it is committed.
    #[command(flatten)]
    pub stored: StoredArgs,
}

fn segment_id(text: &str) -> Result<SegmentId, std::num::ParseIntError> {
    text.parse().map(SegmentId)
}

impl StoredArgs {
    fn resolve(
        &mut self,
        flags: &ArgMatches,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        self.options = run_options(flags, self.config.as_deref(), environment)?;
        Ok(())
    }
}

impl CheckpointArgs {
    /// Puts in what `flags` (the matches of `checkpoint`), the environment and the file say.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(super) fn resolve(
        &mut self,
        flags: &ArgMatches,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        let Some((_, flags)) = flags.subcommand() else { return Ok(()) };
        let stored = match &mut self.command {
            CheckpointCommand::Show(stored) => stored,
            CheckpointCommand::Rewind(args) => &mut args.stored,
            CheckpointCommand::AcceptLoss(args) => &mut args.stored,
        };
        stored.resolve(flags, environment)
    }
}

impl super::ParkedArgs {
    /// Puts in what `flags` (the matches of `parked`), the environment and the file say.
    ///
    /// # Errors
    /// One of them is wrong.
    pub(super) fn resolve(
        &mut self,
        flags: &ArgMatches,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        let Some((_, flags)) = flags.subcommand() else { return Ok(()) };
        let (config, place) = match &mut self.command {
            ParkedCommand::List(stored) => return stored.resolve(flags, environment),
            ParkedCommand::Retry(args) => (&args.config, &mut args.place),
            ParkedCommand::Skip(args) => (&args.config, &mut args.place),
        };
        *place = resolve_part::<RunOptions, _>(flags, config.as_deref(), environment)?.0;
        Ok(())
    }
}
