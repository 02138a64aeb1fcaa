//! The keys of encrypted segments that the options name.

use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use crate::cli::KeyArgs;
use crate::commitlog::{Segment, SegmentError, SegmentName};
use crate::config::{Names, Secret};
use crate::keystore::{CommitLogKeys, KeyError, KeyFault};

/// The keys that the options name, or none.
#[derive(Debug)]
pub struct Keys(Option<CommitLogKeys>);

impl Keys {
    /// Reads what the options name. What the operator should know about it is said on standard error.
    ///
    /// # Errors
    /// A file cannot be read or holds no key, the password is missing or wrong, or it is one of no keystore.
    pub fn open(args: &KeyArgs, names: &Names) -> Result<Self, Failure> {
        let keys = match (&args.commitlog_key_hex_file, &args.keystore) {
            (Some(path), _) => CommitLogKeys::from_hex_file(path).map_err(unusable)?,
            (None, Some(path)) => {
                let secret = Secret::KeystorePassword;
                let store =
                    password(args.keystore_password_file.as_deref(), secret)?.ok_or_else(|| {
                        Failure::new(Exit::Usage, format!("no password for {}", path.display()))
                            .next(format!("give {}, or set {}", names.of(&secret.key()), secret.variable()))
                    })?;
                let key = password(args.key_password_file.as_deref(), Secret::KeyPassword)?;
                CommitLogKeys::from_keystore(path, &store, key.as_deref()).map_err(unusable)?
            }
            (None, None) => return without_keystore(args, names).map(|()| Self(None)),
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

/// A password file alone is a mistake: the keystore has been forgotten.
fn without_keystore(args: &KeyArgs, names: &Names) -> Result<(), Failure> {
    let given = |(file, secret): (&Option<PathBuf>, Secret)| file.as_ref().map(|_| names.of(&secret.key()));
    let files = [
        (&args.keystore_password_file, Secret::KeystorePassword),
        (&args.key_password_file, Secret::KeyPassword),
    ];
    match files.into_iter().find_map(given) {
        Some(name) => Err(Failure::new(Exit::Usage, format!("{name} is given, and no keystore"))
            .next(format!("give {} too", names.of("keystore")))),
        None => Ok(()),
    }
}

fn unusable(error: KeyError) -> Failure {
    let is_hex_file = matches!(error.fault, KeyFault::UnknownKind);
    let failure = Failure::new(Exit::Usage, "the keys of encrypted segments cannot be had").because(error);
    if is_hex_file {
        failure.next("give a hexadecimal key file with --commitlog-key-hex-file")
    } else {
        failure
    }
}

/// What to do about a segment that cannot be opened for want of its key.
pub fn advice(error: &SegmentError) -> Option<&'static str> {
    match error {
        SegmentError::NoKey { .. } => Some("pass --keystore or --commitlog-key-hex-file"),
        SegmentError::WrongKey { .. } => {
            Some("pass the key that the segment was written with (--keystore or --commitlog-key-hex-file)")
        }
        _ => None,
    }
}

/// Why a segment cannot be opened, and what to do about it, as one line of a ledger.
pub fn reason(error: &SegmentError) -> String {
    match advice(error) {
        Some(advice) => format!("{error}; {advice}"),
        None => error.to_string(),
    }
}

/// The first line of a file, or a variable of the environment; `None` when neither is given.
///
/// # Errors
/// The file cannot be read, or the variable is no text.
pub fn password(file: Option<&Path>, secret: Secret) -> Result<Option<String>, Failure> {
    let Some(path) = file else {
        let unreadable = |_| Failure::new(Exit::Usage, format!("{} is not UTF-8", secret.variable()));
        return secret.from_environment().map(|text| text.into_string().map_err(unreadable)).transpose();
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot read {}", path.display())).because(error)
    })?;
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}
