//! Names and passwords, from where environments.yaml says they are.

use crate::agent::exit::Exit;
use crate::jobs::engine::error::EngineError;
use crate::jobs::secret::SecretRef;

/// The text behind a reference, without a line break at its end. It is never shown.
///
/// # Errors
/// The variable is not set, or the file cannot be read.
pub fn resolve(what: &str, reference: &SecretRef) -> Result<String, EngineError> {
    let (text, place) = match reference {
        SecretRef::Variable(name) => (std::env::var(name).ok(), format!("the environment variable {name}")),
        SecretRef::File(path) => (std::fs::read_to_string(path).ok(), format!("the file {}", path.display())),
    };
    let text = text.ok_or_else(|| {
        EngineError::new(Exit::Usage, format!("{what}: {place} cannot be read"))
            .next("set it for this process; environments.yaml names it")
    })?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}
