//! The scope: which changes a destination holds, and in which form.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What was asked for when the records of a destination were made: options by name. "Done" means done in this scope.
/// It holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(BTreeMap<String, Setting>);

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Setting {
    One(String),
    /// Sorted, each once.
    Several(Vec<String>),
}

impl Scope {
    /// Sets an option that has one value.
    pub fn set(&mut self, option: &str, value: impl Into<String>) {
        self.0.insert(option.to_owned(), Setting::One(value.into()));
    }

    /// Sets an option that is a set of values; without values it is not set.
    pub fn set_all(&mut self, option: &str, values: impl IntoIterator<Item = String>) {
        let mut values: Vec<String> = values.into_iter().collect();
        values.sort();
        values.dedup();
        if !values.is_empty() {
            self.0.insert(option.to_owned(), Setting::Several(values));
        }
    }

    /// The options that `other` has otherwise, by name.
    pub fn differences<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = Difference<'s>> {
        let options = self.0.keys().chain(other.0.keys().filter(|option| !self.0.contains_key(*option)));
        let difference =
            |option: &'s String| Difference { option, here: self.0.get(option), there: other.0.get(option) };
        options.map(difference).filter(|difference| difference.here != difference.there)
    }
}

/// An option that two scopes have otherwise. Shown as `shop.orders before, none now`.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'s> {
    /// Its name.
    pub option: &'s str,
    here: Option<&'s Setting>,
    there: Option<&'s Setting>,
}

impl fmt::Display for Difference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |setting: Option<&Setting>| match setting {
            None => "none".to_owned(),
            Some(Setting::One(value)) => value.clone(),
            Some(Setting::Several(values)) => values.join(" "),
        };
        write!(f, "{} before, {} now", text(self.here), text(self.there))
    }
}
