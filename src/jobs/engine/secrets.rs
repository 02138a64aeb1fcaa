//! Names and passwords, from where environments.yaml says they are.

use crate::agent::exit::Exit;
use crate::jobs::engine::error::EngineError;
use crate::jobs::secret::SecretRef;

/// The text behind a reference. It is never shown.
///
/// # Errors
/// As of [`SecretRef::text`].
pub fn resolve(what: &str, reference: &SecretRef) -> Result<String, EngineError> {
    let text = reference.text().map_err(|error| {
        EngineError::new(Exit::Usage, format!("{what}: {error}")).next("set it for this process")
    })?;
    Ok(text.to_string())
}
