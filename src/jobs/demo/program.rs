//! The command lines of the demo: what a user would type is what runs here, and what is shown.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;

use crate::agent::exit::{Exit, Failure};
use crate::agent::replay::replay;
use crate::cli::{Cli, Command};
use crate::jobs::cli;
use crate::jobs::cli::remediate::{Known, RemediateCommand, propose_at};
use crate::jobs::engine::command::{Done, perform};

/// A command line without the program's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Words(Vec<OsString>);

impl Words {
    /// Of these words.
    pub(super) fn new(words: &str) -> Self {
        Self(words.split(' ').map(OsString::from).collect())
    }

    /// With a file or directory at its end.
    pub(super) fn path(mut self, path: &Path) -> Self {
        self.0.push(path.into());
        self
    }

    /// With more words at its end.
    pub(super) fn and(mut self, words: &str) -> Self {
        self.0.extend(Self::new(words).0);
        self
    }

    /// With those of another line at its end.
    pub(super) fn joined(mut self, words: &Self) -> Self {
        self.0.extend(words.0.iter().cloned());
        self
    }

    /// As a shell takes it, for `cdc-agent` or `cdc-jobs`.
    pub(super) fn shown(&self, program: &str) -> String {
        let words = self.0.iter().map(|word| quoted(Path::new(word)));
        std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" ")
    }

    /// Runs `cdc-agent replay`. Neither file nor environment is read: the demo looks the same everywhere.
    pub(super) fn replay(&self) -> Result<Exit, Failure> {
        let words = std::iter::once("cdc-agent".into()).chain(self.clone().and("--quiet").0);
        match Cli::read(words, []).map(|cli| cli.command) {
            Ok(Command::Replay(args)) => replay(&args),
            Ok(_) => Err(not_this("replay")),
            Err(error) => Err(not_this("replay").because(error)),
        }
    }

    /// Runs `cdc-jobs run`.
    pub(super) fn job(&self) -> Result<Done, Failure> {
        match self.clone().and("--quiet").jobs() {
            Ok(cli::Command::Run(args)) => perform(&args, &Arc::new(AtomicBool::new(false))),
            Ok(_) => Err(not_this("run")),
            Err(error) => Err(not_this("run").because(error)),
        }
    }

    /// Runs `cdc-jobs remediate propose` at a time, milliseconds, and gives all proposals that are known then.
    pub(super) fn proposals(&self, now_ms: i64) -> Result<Vec<Known>, Failure> {
        match self.jobs() {
            Ok(cli::Command::Remediate(RemediateCommand::Propose(args))) => propose_at(&args, now_ms),
            Ok(_) => Err(not_this("remediate propose")),
            Err(error) => Err(not_this("remediate propose").because(error)),
        }
    }

    fn jobs(&self) -> Result<cli::Command, clap::Error> {
        let words = std::iter::once("cdc-jobs".into()).chain(self.0.iter().cloned());
        cli::Cli::try_parse_from(words).map(|cli| cli.command)
    }
}

fn not_this(command: &str) -> Failure {
    Failure::new(Exit::Bug, format!("the demo's command line is not one of {command}"))
}

/// How the programs are called that belong to this one.
#[derive(Debug)]
pub(super) struct Names {
    /// `cdc-agent`, as this program was called.
    pub(super) agent: String,
    /// `cdc-jobs`, beside it.
    pub(super) jobs: String,
}

impl Names {
    /// As this program was called.
    pub(super) fn of_this() -> Self {
        let agent = std::env::args_os().next().unwrap_or_else(|| "cdc-agent".into());
        let agent = Path::new(&agent);
        Self { agent: quoted(agent), jobs: quoted(&agent.with_file_name("cdc-jobs")) }
    }
}

/// A path for a shell.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
