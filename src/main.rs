//! `cdc-agent`: reads command line and configuration, runs the command, turns its end into an exit code.

use std::io::Write;
use std::panic;
use std::process::ExitCode;

use cdc_agent::agent::{self, exit::Exit};
use cdc_agent::cli::{Cli, ReadError};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os(), std::env::vars_os()) {
        Ok(cli) => cli,
        Err(ReadError::CommandLine(error)) => error.exit(),
        Err(ReadError::Config(error)) => {
            say(&format!("cdc-agent: {error}"));
            return Exit::Usage.into();
        }
    };
    // A panic has printed where it happened; it must end with the code of a bug.
    let Ok(result) = panic::catch_unwind(|| agent::run(cli)) else {
        say("cdc-agent: this is a bug in cdc-agent; please report it with the lines above");
        return Exit::Bug.into();
    };
    match result {
        Ok(exit) => exit.into(),
        // Nobody reads standard output any more (`… | head`): stop without noise.
        Err(failure) if failure.is_broken_pipe() => Exit::Ok.into(),
        Err(failure) => {
            say(&format!("cdc-agent: {failure}"));
            failure.exit().into()
        }
    }
}

/// Writes a line to standard error; a closed standard error is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
