//! The commands. They only join the other modules: read, show, report, choose the exit code.

pub mod asking;
pub mod completions;
pub mod config;
pub mod damage;
pub mod doctor;
pub mod exit;
pub mod head;
pub mod index;
pub mod input;
pub mod inspect;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod keys;
pub mod log;
pub mod object;
pub mod output;
mod pipeline;
pub mod record_options;
pub mod replay;
pub mod run;
pub mod schema;
pub mod socket;
pub(crate) mod state_lock;
mod unlogged;
pub mod verify;

use crate::cli::{Cli, Command, DemoArgs, SchemaCommand};
use exit::{Exit, Failure};
use log::warn;

/// Runs the command that was asked for. `demo` is the one that joins what stands over this module, too.
///
/// # Errors
///
/// What kept the command from its work, with the exit code that says so.
pub fn run(cli: Cli, demo: impl FnOnce(&DemoArgs) -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Status(args) => asking::status(&args),
        Command::Parked(args) => asking::parked(&args),
        Command::Checkpoint(args) => asking::checkpoint(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Snapshot(args) => asking::snapshot(&args),
        Command::Inspect(args) => inspect::inspect(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Schema(args) => match args.command {
            SchemaCommand::Show(args) => {
                schema::show(&args.file, args.json, &mut output::stdout()?).map(|()| Exit::Ok)
            }
            SchemaCommand::Check(args) => {
                schema::check(&args.file, &mut output::stdout()?).map(schema::CheckOutcome::exit)
            }
        },
        Command::Config(args) => config::config(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Demo(args) => demo(&args),
        Command::Completions(args) => completions::completions::<Cli>(&args),
        Command::Man(args) => completions::man::<Cli>(&args),
    }
}
