//! Options of the commit log that contradict each other: told by the check of options, and refused by `run`.

use std::path::{Path, PathBuf};

use super::live::{FinishedWord, LogArgs};

/// A contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// What it is about: the key of an option, or `directories`.
    pub about: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: &'static str,
}

impl LogArgs {
    /// What contradicts each other.
    #[must_use]
    pub fn unfit(&self) -> Vec<Unfit> {
        let spool = self.unfit_spool().map(|what| Unfit {
            about: "spool_directory",
            what: what.to_owned(),
            fix: "take spool_directory away, or change the other option",
        });
        self.unfit_archive().into_iter().chain(self.inside_cdc_raw()).chain(spool).collect()
    }

    /// What is wrong with the archive beside the other options.
    #[must_use]
    pub fn unfit_archive(&self) -> Option<Unfit> {
        let (what, fix) = match (self.finished_segments, &self.archive_dir) {
            (FinishedWord::Archive, None) => (
                "finished_segments is archive, and archive_directory is not given",
                "name a directory on the file system of cdc_raw_directory, or use finished_segments = \"delete\"",
            ),
            (FinishedWord::Delete | FinishedWord::Keep, Some(_)) => (
                "archive_directory is given, and finished_segments is not archive",
                "set finished_segments = \"archive\", or take the directory away",
            ),
            _ => return None,
        };
        Some(Unfit { about: "archive_directory", what: what.to_owned(), fix })
    }

    /// Why there cannot be a spool beside the other options.
    #[must_use]
    pub fn unfit_spool(&self) -> Option<&'static str> {
        let spool = self.spool_dir.as_ref()?;
        if self.finished_segments == FinishedWord::Keep {
            return Some("finished_segments is keep: what is kept would fill the spool, too");
        }
        if self.archive_dir.as_ref() == Some(spool) {
            return Some("spool_directory and archive_directory are the same");
        }
        (self.state_dir == *spool).then_some("spool_directory and state_directory are the same")
    }

    /// Why a file log cannot be there.
    #[must_use]
    pub fn unfit_out(&self, out: &Path) -> Option<Unfit> {
        let is_inside = resolved(out).starts_with(resolved(&self.cdc_raw));
        is_inside.then(|| inside_cdc_raw("the file log"))
    }

    /// Directories that are where only Cassandra may write.
    fn inside_cdc_raw(&self) -> impl Iterator<Item = Unfit> {
        let directories = [
            ("archive_directory", self.archive_dir.as_ref()),
            ("spool_directory", self.spool_dir.as_ref()),
            ("state_directory", Some(&self.state_dir)),
        ];
        let raw = resolved(&self.cdc_raw);
        let is_inside = move |path: &PathBuf| resolved(path).starts_with(&raw);
        let inside = directories.into_iter().filter(move |(_, path)| path.is_some_and(&is_inside));
        inside.map(|(key, _)| inside_cdc_raw(key))
    }
}

fn inside_cdc_raw(what: &str) -> Unfit {
    Unfit {
        about: "directories",
        what: format!(
            "{what} is inside cdc_raw_directory, which belongs to Cassandra: what is in it counts against its limit"
        ),
        fix: "name a directory elsewhere",
    }
}

/// Where a path leads, as far as it exists.
#[must_use]
pub fn resolved(path: &Path) -> PathBuf {
    let mut ancestors = path.ancestors();
    let found = ancestors.find_map(|above| Some((above, above.canonicalize().ok()?)));
    match found {
        Some((above, to)) => path.strip_prefix(above).map_or(to.clone(), |rest| to.join(rest)),
        None => path.to_owned(),
    }
}
