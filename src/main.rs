//! `cdc-agent`: reads command line and configuration, runs the command, turns its end into an exit code.

use std::io::Write;
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cdc_agent::agent::{self, exit::Exit};
use cdc_agent::cli::{Cli, ReadError};
use cdc_agent::jobs::demo::demo;
use signal_hook::consts::{SIGHUP, SIGXFSZ};

fn main() -> ExitCode {
    report_long_files();
    // Options that were not read yet need not be read anew.
    if std::env::args_os().nth(1).is_some_and(|command| command == "run") {
        outlive(SIGHUP, "a reload while it starts");
    }
    let cli = match Cli::read(std::env::args_os(), std::env::vars_os()) {
        Ok(cli) => cli,
        Err(ReadError::CommandLine(error)) => error.exit(),
        Err(ReadError::Config(error)) => {
            say(&format!("cdc-agent: {error}"));
            return Exit::Usage.into();
        }
    };
    // A panic has printed where it happened; it must end with the code of a bug.
    let Ok(result) = panic::catch_unwind(|| agent::run(cli, demo)) else {
        say("cdc-agent: this is a bug in cdc-agent; please report it with the lines above");
        return Exit::Bug.into();
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !failure.is_silent() {
                say(&format!("cdc-agent: {failure}"));
            }
            failure.exit().into()
        }
    }
}

/// A write beyond the limit on the size of files (`ulimit -f`) ends a program by a signal, unless it handles that: then
/// the write fails like any other. To handle it is all that is needed.
fn report_long_files() {
    outlive(SIGXFSZ, "a limit on the size of files");
}

/// Handles a signal, of `what`, by doing nothing.
fn outlive(signal: i32, what: &str) {
    if let Err(error) = signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))) {
        say(&format!("cdc-agent: {what} will end the program: {error}"));
    }
}

/// Writes a line to standard error; a closed standard error is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
