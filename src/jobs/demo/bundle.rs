//! What the program carries for its demo: segments of two Cassandra 4.1 nodes (`cdc_fixtures/demo`, `demo-cloud`), and
//! the files of its jobs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::agent::exit::Failure;
use crate::agent::output;

/// A segment with its file name.
type Bundled = (&'static str, &'static [u8]);

const ONPREM: Bundled = (
    "CommitLog-7-1795361326344.log",
    include_bytes!("../../../cdc_fixtures/demo/CommitLog-7-1795361326344.log"),
);
/// The same writes on another cluster, but for two values and one statement.
const CLOUD: Bundled = (
    "CommitLog-7-1796021233647.log",
    include_bytes!("../../../cdc_fixtures/demo-cloud/CommitLog-7-1796021233647.log"),
);
const SCHEMA: &[u8] = include_bytes!("../../../cdc_fixtures/demo/schema.json");
/// The statements that were executed, one a line.
const STATEMENTS: &str = include_str!("../../../cdc_fixtures/demo/statements.cql");
const ENVIRONMENTS: &[u8] = include_bytes!("../../../jobs/environments.yaml");
const RULES: &[u8] = include_bytes!("shop.orders.yaml");

/// The statements, in the order in which they were executed.
pub(super) fn statements() -> impl Iterator<Item = &'static str> {
    STATEMENTS.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// A segment, and the file log that is made of it.
#[derive(Debug)]
pub(super) struct Side {
    /// Prefix of its topics, and the environment of its jobs.
    pub(super) name: &'static str,
    /// The segment.
    pub(super) segment: PathBuf,
    /// The file log.
    pub(super) log: PathBuf,
}

/// The demo's directory.
#[derive(Debug)]
pub(super) struct Place {
    /// The directory.
    pub(super) dir: PathBuf,
    /// The schema of both segments.
    pub(super) schema: PathBuf,
    /// Environments and rules.
    pub(super) jobs: PathBuf,
    /// What most of the demo is about.
    pub(super) onprem: Side,
    /// What it is compared with.
    pub(super) cloud: Side,
}

impl Place {
    /// Writes what the program carries into `dir`, or into a new temporary directory.
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
        let side = |name: &'static str, (file, _): Bundled| Side {
            name,
            segment: dir.join(file),
            log: dir.join(name),
        };
        let place = Self {
            onprem: side("onprem", ONPREM),
            cloud: side("cloud", CLOUD),
            schema: dir.join("schema.json"),
            jobs: dir.join("jobs"),
            dir,
        };
        let rules = place.jobs.join("rules");
        fs::create_dir_all(&rules).map_err(|error| Failure::cannot_write(&rules, error))?;
        for (path, bytes) in [
            (&place.onprem.segment, ONPREM.1),
            (&place.cloud.segment, CLOUD.1),
            (&place.schema, SCHEMA),
            (&place.jobs.join("environments.yaml"), ENVIRONMENTS),
            (&rules.join("shop.orders.yaml"), RULES),
        ] {
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
