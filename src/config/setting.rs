//! What every option is set to, and by whom: for `config show`.

use std::ffi::OsString;
use std::path::Path;

use clap::{ArgMatches, Args};

use super::definitions::{Definitions, Kind};
use super::{ConfigError, Given, choose};

/// Where an option can be given, the lowest place first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: it has its default.
    Default,
    /// In the configuration file.
    File,
    /// In the environment.
    Environment,
    /// On the command line.
    CommandLine,
}

/// An option with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// Its values as they are written on a command line; more than one, or none, of a list only. Empty when an option
    /// without default is not given.
    pub values: Vec<String>,
    /// Whether it takes several values.
    pub is_list: bool,
    /// Where it was given.
    pub place: Place,
    /// What it is called there: `agent.toml:7`, `CDC_AGENT_CELLS`, `--cells`; empty for a default.
    pub origin: String,
}

/// All options of `S` with their values: see [`resolve`](super::resolve).
///
/// # Errors
/// As [`resolve`](super::resolve).
pub fn settings<S: Args>(
    flags: &ArgMatches,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Setting>, ConfigError> {
    let definitions = Definitions::of::<S>();
    let mut chosen = choose(&definitions, definitions.given_in(flags), file, environment)?;
    let settings = definitions.all().map(|definition| {
        let key = definition.key();
        let (place, values, origin) = match chosen.remove(key) {
            Some((place, given)) => (place, texts(&given.values), origin(&given)),
            None => (Place::Default, texts(&definition.defaults()), String::new()),
        };
        Setting { key: key.to_owned(), values, is_list: definition.kind() == Kind::List, place, origin }
    });
    Ok(settings.collect())
}

fn texts(values: &[OsString]) -> Vec<String> {
    values.iter().map(|value| value.to_string_lossy().into_owned()).collect()
}

/// Without the key, which follows the line of a file.
fn origin(given: &Given) -> String {
    let key = format!(": {}", given.key);
    given.name.strip_suffix(&key).unwrap_or(&given.name).to_owned()
}
