//! A configuration file that is made: never in place of another one.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use crate::agent::exit::{Exit, Failure};
use crate::agent::output;

/// Writes `text` into a new file, or to standard output.
///
/// # Errors
/// There is such a file already, or it cannot be written.
pub(super) fn write(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(path) = path else {
        return output::stdout()?.write_all(text.as_bytes()).map_err(Failure::stdout);
    };
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let written = made.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Usage, format!("{} is there already", path.display()))
                .next("name another file, or remove it first")
        }
        _ => Failure::cannot_write(path, error),
    })
}

/// A text as TOML has it. JSON's escapes are TOML's too; only DEL stands bare in JSON and may not in TOML.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.toml");
        write(Some(&path), "a = 1\n").unwrap();
        let failure = write(Some(&path), "b = 2\n").unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a = 1\n");
    }
}
