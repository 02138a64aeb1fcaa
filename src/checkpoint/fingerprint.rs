//! The fingerprint: tells a segment from another one with the same id.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// First 16 bytes of SHA-256 over a segment's descriptor and first section, as they stand in the file.
///
/// Both are written once and never again, so the fingerprint of a segment does not change while it grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Fingerprint of a segment from the bytes of its descriptor and of its first section (empty when it has
    /// none).
    #[must_use]
    pub fn of(descriptor: &[u8], first_section: &[u8]) -> Self {
        let mut parts = FingerprintParts::default();
        parts.add(descriptor);
        parts.add(first_section);
        parts.finish()
    }
}

/// Makes a fingerprint of descriptor and first section that are given in parts: a section may be longer than is good to
/// hold in memory.
#[derive(Debug, Default)]
pub struct FingerprintParts(Sha256);

impl FingerprintParts {
    /// Adds the bytes that follow.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The fingerprint of all that was added.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(self.0.finalize()) {
            *to = from;
        }
        Fingerprint(first)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fingerprint: expected 32 lower-case hex digits")]
pub struct ParseFingerprintError(String);

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if text.len() != 32 || !text.bytes().all(lower_hex) {
            return Err(ParseFingerprintError(text.to_owned()));
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| ParseFingerprintError(text.to_owned()))?;
        Ok(Self(number.to_be_bytes()))
    }
}
