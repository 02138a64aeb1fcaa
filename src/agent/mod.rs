//! The commands. They only join the other modules: read, show, report, choose the exit code.

pub mod completions;
pub mod damage;
pub mod demo;
pub mod exit;
pub mod head;
pub mod index;
pub mod input;
pub mod inspect;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod keys;
pub mod object;
pub mod output;
mod pipeline;
pub mod replay;
pub mod schema;
pub mod verify;

use crate::cli::{Cli, Command, SchemaCommand};
use exit::{Exit, Failure};

/// Runs the command that was asked for.
///
/// # Errors
///
/// What kept the command from its work, with the exit code that says so.
pub fn run(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        Command::Replay(args) => replay::replay(&args),
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
        Command::Demo(args) => demo::demo(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => completions::man(&args),
    }
}

/// Writes a warning to standard error; a closed standard error is no reason to stop.
fn warn(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "cdc-agent: {text}");
}
