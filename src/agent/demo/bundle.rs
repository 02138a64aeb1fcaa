//! What the program carries for its demo: a segment that a Cassandra 4.1 node wrote (`cdc_fixtures/demo`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::agent::exit::Failure;
use crate::agent::output;

/// File name of the segment.
const SEGMENT_NAME: &str = "CommitLog-7-1795361326344.log";
const SEGMENT: &[u8] = include_bytes!("../../../cdc_fixtures/demo/CommitLog-7-1795361326344.log");
const SCHEMA: &[u8] = include_bytes!("../../../cdc_fixtures/demo/schema.json");
/// The statements that were executed, one a line.
const STATEMENTS: &str = include_str!("../../../cdc_fixtures/demo/statements.cql");

/// The statements, in the order in which they were executed.
pub(super) fn statements() -> impl Iterator<Item = &'static str> {
    STATEMENTS.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// The demo's directory.
#[derive(Debug)]
pub(super) struct Place {
    /// The segment.
    pub(super) segment: PathBuf,
    /// Its schema.
    pub(super) schema: PathBuf,
    /// The file log to be made.
    pub(super) log: PathBuf,
}

impl Place {
    /// Writes segment and schema into `dir`, or into a new temporary directory.
    pub(super) fn unpack(dir: Option<&Path>) -> Result<Self, Failure> {
        let dir = match dir {
            Some(dir) => {
                output::make_dir(dir)?;
                dir.to_owned()
            }
            None => {
                let parent = std::env::temp_dir();
                new_directory(&parent).map_err(|error| Failure::cannot_write(&parent, error))?
            }
        };
        let place = Self {
            segment: dir.join(SEGMENT_NAME),
            schema: dir.join("schema.json"),
            log: dir.join("records"),
        };
        for (path, bytes) in [(&place.segment, SEGMENT), (&place.schema, SCHEMA)] {
            fs::write(path, bytes).map_err(|error| Failure::cannot_write(path, error))?;
        }
        Ok(place)
    }
}

/// A directory in `parent` that was not there before.
fn new_directory(parent: &Path) -> io::Result<PathBuf> {
    for number in 1_u32.. {
        let dir = parent.join(format!("cdc-agent-demo-{number}"));
        match fs::create_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| dir),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
