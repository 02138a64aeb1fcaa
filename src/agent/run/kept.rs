//! Small files of the state directory that the agent can do without.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::agent::log;

/// What is kept there; `None` when nothing is. What cannot be read, or is of another version, is said, with what follows
/// from it, and taken for nothing.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    is_known: impl Fn(&T) -> bool,
    follows: &str,
) -> Option<T> {
    let told = |reason: &str| log::warn(&format!("{} is not used: {reason}; {follows}", path.display()));
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            told(&error.to_string());
            return None;
        }
    };
    match serde_json::from_slice::<T>(&text) {
        Ok(kept) if is_known(&kept) => Some(kept),
        Ok(_) => {
            told("it is of another version of this program");
            None
        }
        Err(error) => {
            told(&error.to_string());
            None
        }
    }
}
