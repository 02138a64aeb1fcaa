//! Options from three places: the command line, the environment, one TOML file; the first of these that has one
//! wins.
//!
//! An option is defined once, as an argument of clap. Its id is its key in the file, and its name in the
//! environment is `CDC_AGENT_` and the key in upper case. What the file and the environment say is checked and
//! parsed by the same definition as a flag, so meaning, default and allowed values cannot differ. Secrets stand
//! in no file of options: see [`Secret`].

mod definitions;
mod environment;
mod file;
mod near;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use clap::{ArgMatches, Args};

use definitions::Definitions;
pub use near::near_names;
pub use secret::Secret;

/// What an option is called where it was given: `--cells`, `CDC_AGENT_CELLS` or `agent.toml:7: cells`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// The name of the option with this key: its flag, when it was given nowhere. A command that takes options from
    /// its command line only needs no names: flags that are written like their keys are known anyway.
    #[must_use]
    pub fn of(&self, key: &str) -> String {
        self.0.get(key).cloned().unwrap_or_else(|| format!("--{}", key.replace('_', "-")))
    }
}

/// What is wrong with the options of the file and the environment: each entry says where, what, and what would be
/// right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// An option as one of the places gives it.
#[derive(Debug)]
struct Given {
    key: String,
    /// What to call it: see [`Names`].
    name: String,
    values: Vec<OsString>,
}

/// The options of `S`: those that `flags` (the matches of a command that has them) found on the command line,
/// the variables of `environment`, and what stands in `file`.
///
/// Of options that exclude each other, the one of the higher place wins over the others of lower ones too.
///
/// # Errors
/// The file cannot be read or is not TOML, a key is unknown, a value is not allowed, options of one place exclude
/// each other.
pub fn resolve<S: Args>(
    flags: &ArgMatches,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(S, Names), ConfigError> {
    let definitions = Definitions::of::<S>();
    let mut mistakes = Vec::new();
    let in_file = file.map(|path| file::read(path, &definitions, &mut mistakes)).unwrap_or_default();
    let in_environment = environment::read(environment, &definitions, &mut mistakes);
    let mut chosen = BTreeMap::new();
    for place in [in_file, in_environment, definitions.given_in(flags)] {
        contradictions(&place, &definitions, &mut mistakes);
        for given in place {
            chosen.retain(|other: &String, _| !definitions.exclude_each_other(&given.key, other));
            chosen.insert(given.key.clone(), given);
        }
    }
    if !mistakes.is_empty() {
        return Err(ConfigError(mistakes));
    }
    let names = definitions.names(chosen.values());
    let options = definitions.parse(chosen.values()).map_err(|error| ConfigError(vec![error.to_string()]))?;
    Ok((options, names))
}

fn contradictions(place: &[Given], definitions: &Definitions, mistakes: &mut Vec<String>) {
    for (number, given) in place.iter().enumerate() {
        let others = place.iter().take(number);
        for other in others.filter(|other| definitions.exclude_each_other(&given.key, &other.key)) {
            mistakes.push(format!("{} excludes {}: give only one of them", given.name, other.name));
        }
    }
}
