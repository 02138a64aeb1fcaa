//! What options there are: the arguments that clap derives.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command};

use super::near::{alike, near_names};
use super::{Given, Names};

/// A variable as alike to an option's as this is taken for a misspelling of it.
const MISSPELT: f64 = 0.9;

/// How an option's value is written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `true` or `false`
    Switch,
    /// A text.
    Text,
    /// A whole number, or its digits as text.
    Number,
    /// The path of a file, as text.
    Path,
    /// An array of texts.
    List,
}

impl Kind {
    pub(super) const fn expected(self) -> &'static str {
        match self {
            Self::Switch => "true or false, without quotes",
            Self::Text => "a text in quotes",
            Self::Number => "a whole number",
            Self::Path => "a path in quotes",
            Self::List => "a list of texts in quotes, [\"a\", \"b\"]",
        }
    }
}

/// The options of one struct.
pub(super) struct Definitions(Command);

/// One option.
pub(super) struct Definition<'d> {
    command: &'d Command,
    arg: &'d Arg,
}

impl Definitions {
    pub(super) fn of<S: Args>() -> Self {
        Self(S::augment_args(Command::new("options").no_binary_name(true).disable_help_flag(true)))
    }

    pub(super) fn get(&self, key: &str) -> Option<Definition<'_>> {
        let arg = self.0.get_arguments().find(|arg| arg.get_id() == key)?;
        Some(Definition { command: &self.0, arg })
    }

    /// The key that somebody may have meant who wrote `key`, or a flag in its place.
    pub(super) fn near(&self, key: &str) -> Option<String> {
        let keys = self.keys_by_flag();
        let names = keys.iter().flat_map(|(flag, key)| [flag.clone(), key.clone()]);
        let near = near_names(&key.replace('-', "_"), names).into_iter().next()?;
        Some(keys.get(&near).cloned().unwrap_or(near))
    }

    /// The key that `key` is a misspelling of, when it is one.
    pub(super) fn misspelt(&self, key: &str) -> Option<String> {
        alike(key, self.keys_by_flag().into_values(), MISSPELT).into_iter().next()
    }

    /// Flags, written as keys are, and the keys that they set.
    fn keys_by_flag(&self) -> BTreeMap<String, String> {
        let arguments = self.0.get_arguments();
        arguments
            .filter_map(|arg| Some((arg.get_long()?.replace('-', "_"), arg.get_id().to_string())))
            .collect()
    }

    /// Whether only one of two options can be given.
    pub(super) fn exclude_each_other(&self, one: &str, other: &str) -> bool {
        let excludes = |one: &str, other: &str| {
            let conflicts = self.get(one).map(|one| self.0.get_arg_conflicts_with(one.arg));
            conflicts.is_some_and(|conflicts| conflicts.iter().any(|arg| arg.get_id() == other))
        };
        excludes(one, other) || excludes(other, one)
    }

    /// What the command line gives.
    pub(super) fn given_in(&self, flags: &ArgMatches) -> Vec<Given> {
        let given = self
            .0
            .get_arguments()
            .filter(|arg| flags.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine));
        given
            .map(|arg| Given {
                key: arg.get_id().to_string(),
                name: flag(arg),
                values: flags
                    .get_raw(arg.get_id().as_str())
                    .into_iter()
                    .flatten()
                    .map(OsStr::to_owned)
                    .collect(),
            })
            .collect()
    }

    /// What to call each option when these are given.
    pub(super) fn names<'g>(&self, given: impl Iterator<Item = &'g Given>) -> Names {
        let mut names: BTreeMap<String, String> =
            self.0.get_arguments().map(|arg| (arg.get_id().to_string(), flag(arg))).collect();
        names.extend(given.map(|given| (given.key.clone(), given.name.clone())));
        Names(names)
    }

    /// Each option, in the order of its definition.
    pub(super) fn all(&self) -> impl Iterator<Item = Definition<'_>> {
        self.0.get_arguments().map(|arg| Definition { command: &self.0, arg })
    }

    /// Parses what is given, and takes defaults for the rest.
    pub(super) fn parse<'g, S: Args>(
        &self,
        given: impl Iterator<Item = &'g Given>,
    ) -> Result<S, clap::Error> {
        let mut command = self.0.clone();
        let mut words = Vec::new();
        for given in given {
            let Some(definition) = self.get(&given.key) else { continue };
            words.extend(given.values.iter().map(|value| word(definition.arg, value)));
            if given.values.is_empty() {
                // An empty list replaces the default.
                command = command.mut_arg(&given.key, |arg| arg.default_value(Resettable::Reset));
            }
        }
        S::from_arg_matches(&command.try_get_matches_from(words)?)
    }
}

impl Definition<'_> {
    pub(super) fn key(&self) -> &str {
        self.arg.get_id().as_str()
    }

    /// The values that it has when it is given nowhere.
    pub(super) fn defaults(&self) -> Vec<OsString> {
        self.arg.get_default_values().iter().map(|value| value.to_os_string()).collect()
    }

    pub(super) fn kind(&self) -> Kind {
        let value = self.arg.get_value_parser().type_id();
        if matches!(self.arg.get_action(), ArgAction::Append) {
            Kind::List
        } else if value == TypeId::of::<bool>() {
            Kind::Switch
        } else if value == TypeId::of::<PathBuf>() {
            Kind::Path
        } else if numbers().any(|number| value == number) {
            Kind::Number
        } else {
            Kind::Text
        }
    }

    /// Whether the option takes this value.
    ///
    /// # Errors
    /// What it takes instead.
    pub(super) fn check(&self, value: &OsStr) -> Result<(), String> {
        match self.command.clone().try_get_matches_from([word(self.arg, value)]) {
            Ok(_) => Ok(()),
            Err(_) if self.kind() == Kind::Switch => Err("expected true or false".to_owned()),
            Err(error) => {
                let allowed = self.allowed().filter(|_| !says_what_is_allowed(&error));
                Err(allowed.map_or_else(|| complaint(&error), str::to_owned))
            }
        }
    }

    /// What options of a type take whose own errors say less.
    fn allowed(&self) -> Option<&'static str> {
        let value = self.arg.get_value_parser().type_id();
        let allowed = [
            (TypeId::of::<NonZeroU16>(), "expected a whole number from 1 to 65535"),
            (TypeId::of::<NonZeroU64>(), "expected a whole number, at least 1"),
            (TypeId::of::<NonZeroUsize>(), "expected a whole number, at least 1"),
            (TypeId::of::<u64>(), "expected a whole number, at least 0"),
            (TypeId::of::<SocketAddr>(), "expected address:port, like 127.0.0.1:8083"),
            (TypeId::of::<PathBuf>(), "expected a path, which is not empty"),
        ];
        allowed.iter().find(|(of, _)| value == *of).map(|(_, text)| *text)
    }
}

/// Whether the option has bounds of its own.
fn says_what_is_allowed(error: &clap::Error) -> bool {
    error.source().is_some_and(|source| source.to_string().starts_with("expected "))
}

/// The types of options that count something.
fn numbers() -> impl Iterator<Item = TypeId> {
    [
        TypeId::of::<u64>(),
        TypeId::of::<NonZeroU16>(),
        TypeId::of::<NonZeroU64>(),
        TypeId::of::<NonZeroUsize>(),
    ]
    .into_iter()
}

/// Without the value: it stands at the place that is named.
fn complaint(error: &clap::Error) -> String {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(words)) if !words.is_empty() => {
            format!("expected one of {}", words.join(", "))
        }
        _ => error.source().map_or_else(|| error.kind().to_string(), ToString::to_string),
    }
}

fn flag(arg: &Arg) -> String {
    format!("--{}", arg.get_long().unwrap_or_else(|| arg.get_id().as_str()))
}

fn word(arg: &Arg, value: &OsStr) -> OsString {
    let mut word = OsString::from(flag(arg));
    word.push("=");
    word.push(value);
    word
}
