//! Where the keys of encrypted segments come from.

use std::path::Path;

use super::exit::{Exit, Failure};
use crate::cli::KeyArgs;

/// The keys that the command line names.
#[derive(Debug)]
pub enum Keys {
    /// None: encrypted segments cannot be read.
    None,
    /// One key, whatever the alias.
    One(Vec<u8>),
}

impl Keys {
    /// Reads what the options name.
    ///
    /// # Errors
    /// A file cannot be read or holds no key.
    pub fn open(args: &KeyArgs) -> Result<Self, Failure> {
        match &args.commitlog_key_hex_file {
            Some(path) => hex_key(path).map(Self::One),
            None => Ok(Self::None),
        }
    }

    /// The AES key of an alias.
    #[must_use]
    pub fn key(&self, _alias: &str) -> Option<Vec<u8>> {
        match self {
            Self::None => None,
            Self::One(key) => Some(key.clone()),
        }
    }
}

fn hex_key(path: &Path) -> Result<Vec<u8>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::cannot_read(path, error))?;
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|digit| !digit.is_whitespace())
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    match digits {
        Some(digits) if matches!(digits.len(), 32 | 48 | 64) => Ok(digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect()),
        _ => Err(Failure::new(Exit::Usage, format!("{} holds no AES key in hex", path.display()))
            .next("give 32, 48 or 64 hexadecimal digits")),
    }
}
