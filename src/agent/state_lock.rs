//! The lock of a state directory: one agent, or one command that changes what is in it, at a time.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::exit::{Exit, Failure};
use super::log;

/// Holds a state directory until it is dropped, or the process is gone.
#[derive(Debug)]
pub(super) struct StateLock {
    /// The directory itself is locked.
    _locked: Option<File>,
}

impl StateLock {
    /// Takes the lock. On a file system that has no locks there is none, which is said.
    ///
    /// # Errors
    /// Another process holds it, or the directory cannot be read.
    pub(super) fn take(path: &Path) -> Result<Self, Failure> {
        let directory = File::open(path).map_err(|error| {
            Failure::new(Exit::Usage, format!("the state directory {} cannot be read", path.display()))
                .because(error)
                .next("name the agent's own directory with state_directory or --state-dir")
        })?;
        match directory.try_lock() {
            Ok(()) => Ok(Self { _locked: Some(directory) }),
            Err(TryLockError::WouldBlock) => {
                let what = format!("the state directory {} is in use by a running agent", path.display());
                Err(Failure::new(Exit::Locked, what).next("stop that agent, or name another state directory"))
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
