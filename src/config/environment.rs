//! Options in the environment.

use std::ffi::{OsStr, OsString};

use super::definitions::{Definition, Definitions, Kind};
use super::file::list_of_texts;
use super::{Given, Secret};

/// What the names of all variables begin with.
const PREFIX: &str = "CDC_AGENT_";

/// The variable of the option (or secret) with this key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}

/// The options among `environment`, in the order of their names. An empty variable is none.
pub(super) fn read(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    definitions: &Definitions,
    mistakes: &mut Vec<String>,
) -> Vec<Given> {
    let mut variables: Vec<(String, OsString)> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_str()?.strip_prefix(PREFIX)?.to_owned(), value)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    variables.sort();
    let mut options = Vec::new();
    for (rest, value) in variables {
        let name = format!("{PREFIX}{rest}");
        let key = rest.to_ascii_lowercase();
        match definitions.get(&key).filter(|_| variable(&key) == name) {
            Some(definition) => match values(&definition, &value) {
                Ok(values) => options.push(Given { key, name, values }),
                Err(complaint) => mistakes.push(format!("{name}: {complaint}")),
            },
            None if Secret::named(&key).is_some() => {}
            // Others are left alone: Kubernetes makes CDC_AGENT_SERVICE_HOST and the like for a service cdc-agent.
            None => mistakes.extend(
                definitions
                    .misspelt(&key)
                    .map(|meant| format!("{name} is no option; did you mean {}?", variable(&meant))),
            ),
        }
    }
    options
}

/// A list is written as in the file, `["a", "b"]`; a text without brackets is its only entry.
fn values(definition: &Definition<'_>, value: &OsStr) -> Result<Vec<OsString>, String> {
    let values = match value.to_str() {
        Some(text) if definition.kind() == Kind::List && text.starts_with('[') => list_of_texts(text)?,
        _ => vec![value.to_owned()],
    };
    values.iter().try_for_each(|value| definition.check(value))?;
    Ok(values)
}
