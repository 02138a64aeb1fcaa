//! Exit codes, and the error that ends a command.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// How a command ended. The numbers are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// A bug in this program.
    Bug = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The input is damaged; everything readable was read.
    Damaged = 3,
    /// The input cannot be read: no segment, unsupported version, no key or a wrong one.
    Unreadable = 4,
    /// The schema does not know a table that the input holds.
    UnknownSchema = 5,
    /// The destination refused or cannot be written; also a standard output that its reader has closed.
    Destination = 6,
    /// Another writer holds the destination.
    Locked = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What ended a command early: what happened, where, and what to do next.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: String,
    next: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
    is_silent: bool,
}

impl Failure {
    /// A failure that ends the program with `exit`; `what` says what happened and where, in lower case.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: None, source: None, is_silent: false }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Adds the error behind it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// An input file that cannot be read.
    pub fn cannot_read(path: &Path, error: io::Error) -> Self {
        let failure = Self::new(Exit::Unreadable, format!("cannot read {}", path.display()));
        match path.read_link() {
            Ok(target) if error.kind() == io::ErrorKind::NotFound => {
                failure.because(format!("it is a link to {}, which does not exist", target.display()))
            }
            _ => failure.because(error),
        }
    }

    /// A file or directory that cannot be written.
    pub fn cannot_write(path: &Path, error: io::Error) -> Self {
        let failure = Self::new(Exit::Destination, format!("cannot write {}", path.display())).because(error);
        failure.next("check the path, and that this user may write there")
    }

    /// Standard output that cannot be written. That its reader went away (`cdc-agent inspect … | head`) needs no words.
    #[must_use]
    pub fn stdout(error: io::Error) -> Self {
        let is_silent = error.kind() == io::ErrorKind::BrokenPipe;
        let failure = Self::new(Exit::Destination, "cannot write to standard output").because(error);
        Self { is_silent, ..failure }
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether nothing needs to be said of it.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.is_silent
    }
}

/// What happened, its causes after colons, and on a second line what to do next.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        if let Some(next) = &self.next {
            write!(f, "\n  next: {next}")?;
        }
        Ok(())
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_why_and_what_next() {
        let missing = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let failure = Failure::cannot_read(Path::new("a.log"), missing).next("check the path");
        assert_eq!(failure.to_string(), "cannot read a.log: no such file\n  next: check the path");
        assert_eq!(failure.exit(), Exit::Unreadable);
        assert!(!failure.is_silent());
    }

    #[test]
    fn a_reader_that_went_away_is_told_apart() {
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        let failure = Failure::stdout(gone);
        assert!(failure.is_silent());
        assert_eq!(failure.exit(), Exit::Destination, "not everything was written");
    }
}
