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
mod setting;
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
pub use setting::{Place, Setting, settings};

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
    resolve_part::<S, S>(flags, file, environment)
}

/// As [`resolve`], for a command that has only the options of `S` among those of `All`: what file and environment say
/// of the others is checked all the same, and then left to the commands that have them.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_part<All: Args, S: Args>(
    flags: &ArgMatches,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<(S, Names), ConfigError> {
    let (all, own) = (Definitions::of::<All>(), Definitions::of::<S>());
    let chosen = choose(&all, own.given_in(flags), file, environment)?;
    let chosen = || chosen.values().map(|(_, given)| given).filter(|given| own.get(&given.key).is_some());
    let options = own.parse(chosen()).map_err(|error| ConfigError(vec![error.to_string()]))?;
    Ok((options, own.names(chosen())))
}

/// What each place gives, the higher places before the lower ones.
fn choose(
    definitions: &Definitions,
    in_flags: Vec<Given>,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, (Place, Given)>, ConfigError> {
    let mut mistakes = Vec::new();
    let in_file = file.map(|path| file::read(path, definitions, &mut mistakes)).unwrap_or_default();
    let in_environment = environment::read(environment, definitions, &mut mistakes);
    let places =
        [(Place::File, in_file), (Place::Environment, in_environment), (Place::CommandLine, in_flags)];
    let mut chosen = BTreeMap::new();
    for (place, options) in places {
        contradictions(&options, definitions, &mut mistakes);
        for given in options {
            chosen.retain(|other: &String, _| !definitions.exclude_each_other(&given.key, other));
            chosen.insert(given.key.clone(), (place, given));
        }
    }
    if mistakes.is_empty() { Ok(chosen) } else { Err(ConfigError(mistakes)) }
}

fn contradictions(place: &[Given], definitions: &Definitions, mistakes: &mut Vec<String>) {
    for (number, given) in place.iter().enumerate() {
        let others = place.iter().take(number);
        for other in others.filter(|other| definitions.exclude_each_other(&given.key, &other.key)) {
            mistakes.push(format!("{} excludes {}: give only one of them", given.name, other.name));
        }
    }
}
