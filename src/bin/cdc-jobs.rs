//! `cdc-jobs`: reads the command line, runs the command, turns its end into an exit code.

use std::io::Write;
use std::panic;
use std::process::ExitCode;

use cdc_agent::agent::exit::Exit;
use cdc_agent::jobs::cli::{Cli, run};
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A panic has printed where it happened; it must end with the code of a bug.
    let Ok(result) = panic::catch_unwind(|| run(&cli)) else {
        say("cdc-jobs: this is a bug in cdc-jobs; please report it with the lines above");
        return Exit::Bug.into();
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !failure.is_silent() {
                say(&format!("cdc-jobs: {failure}"));
            }
            failure.exit().into()
        }
    }
}

/// Writes a line to standard error; a closed standard error is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
