//! The keys of encrypted segments that the command line names.

use std::env;
use std::path::Path;

use super::exit::{Exit, Failure};
use crate::cli::KeyArgs;
use crate::commitlog::{Segment, SegmentError, SegmentName};
use crate::keystore::{CommitLogKeys, KeyError};

/// Holds the keystore's password.
const STORE_PASSWORD: &str = "CDC_AGENT_KEYSTORE_PASSWORD";
/// Holds the password of the keys in the keystore.
const KEY_PASSWORD: &str = "CDC_AGENT_KEY_PASSWORD";

/// The keys that the command line names, or none.
#[derive(Debug)]
pub struct Keys(Option<CommitLogKeys>);

impl Keys {
    /// Reads what the options name. What the operator should know about it is said on standard error.
    ///
    /// # Errors
    /// A file cannot be read or holds no key, or the password is missing or wrong.
    pub fn open(args: &KeyArgs) -> Result<Self, Failure> {
        let keys = match (&args.commitlog_key_hex_file, &args.keystore) {
            (Some(path), _) => CommitLogKeys::from_hex_file(path).map_err(unusable)?,
            (None, Some(path)) => {
                let store =
                    password(args.keystore_password_file.as_deref(), STORE_PASSWORD)?.ok_or_else(|| {
                        Failure::new(Exit::Usage, format!("no password for {}", path.display()))
                            .next(format!("give --keystore-password-file, or set {STORE_PASSWORD}"))
                    })?;
                let key = password(args.key_password_file.as_deref(), KEY_PASSWORD)?;
                CommitLogKeys::from_keystore(path, &store, key.as_deref()).map_err(unusable)?
            }
            (None, None) => return Ok(Self(None)),
        };
        for warning in keys.warnings() {
            super::warn(warning);
        }
        Ok(Self(Some(keys)))
    }

    /// Reads the head of a segment, and sees whether its key fits.
    ///
    /// # Errors
    /// See [`SegmentError`].
    pub fn segment<'f>(
        &self,
        file: &'f [u8],
        name: Option<SegmentName>,
    ) -> Result<Segment<'f>, SegmentError> {
        let segment = Segment::open(file, name, &|alias| self.key(alias))?;
        segment.check_key()?;
        Ok(segment)
    }

    /// The AES key of an alias.
    #[must_use]
    pub fn key(&self, alias: &str) -> Option<Vec<u8>> {
        self.0.as_ref()?.key(alias).map(<[u8]>::to_vec)
    }
}

fn unusable(error: KeyError) -> Failure {
    Failure::new(Exit::Usage, "the keys of encrypted segments cannot be had").because(error)
}

/// The first line of a file, or a variable of the environment.
fn password(file: Option<&Path>, variable: &str) -> Result<Option<String>, Failure> {
    let Some(path) = file else { return Ok(env::var(variable).ok()) };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot read {}", path.display())).because(error)
    })?;
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}
