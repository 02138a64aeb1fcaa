//! The lock of a state directory: one program, or one command that changes what is in it, at a time.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::exit::{Exit, Failure};
use super::log;

/// Holds a state directory until it is dropped, or the process is gone.
#[derive(Debug)]
pub(crate) struct StateLock {
    /// The directory itself is locked.
    _locked: Option<File>,
}

impl StateLock {
    /// Takes the lock. On a file system that has no locks there is none, which is said.
    ///
    /// # Errors
    /// Another process holds it, or the directory cannot be read.
    pub(crate) fn take(path: &Path) -> Result<Self, Failure> {
        let directory = File::open(path).map_err(|error| {
            Failure::new(Exit::Usage, format!("the state directory {} cannot be read", path.display()))
                .because(error)
                .next("name the program's own directory with state_directory, --state-dir or --state")
        })?;
        match directory.try_lock() {
            Ok(()) => Ok(Self { _locked: Some(directory) }),
            Err(TryLockError::WouldBlock) => {
                let what = format!("the state directory {} is in use by another process", path.display());
                Err(Failure::new(Exit::Locked, what).next("stop it, or name another state directory"))
            }
            Err(TryLockError::Error(error)) => {
                log::warn(&format!("the state directory {} cannot be locked: {error}", path.display()));
                Ok(Self { _locked: None })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_free_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let lock = StateLock::take(folder.path()).unwrap();
        assert_eq!(StateLock::take(folder.path()).unwrap_err().exit(), Exit::Locked);
        drop(lock);
        StateLock::take(folder.path()).unwrap();
        assert_eq!(StateLock::take(&folder.path().join("none")).unwrap_err().exit(), Exit::Usage);
    }
}
