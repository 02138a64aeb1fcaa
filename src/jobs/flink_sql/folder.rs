//! The folder of the generated files: what of it is stale, and how it becomes what the rules say.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{GENERATED, SqlFile};

/// A file that is not what the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing(PathBuf),
    /// It says something else.
    Stale(PathBuf),
    /// No job has it any more.
    Left(PathBuf),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{}: missing", path.display()),
            Self::Stale(path) => write!(f, "{}: stale", path.display()),
            Self::Left(path) => write!(f, "{}: of no job", path.display()),
        }
    }
}

/// An error and the path that it is about.
pub type PathError = (PathBuf, io::Error);

/// Compares the folder with the files that it should hold. Only files that were generated are taken for left over.
///
/// # Errors
/// A file or folder cannot be read.
pub fn compare(folder: &Path, files: &[SqlFile]) -> Result<Vec<Difference>, PathError> {
    let mut wanted: BTreeMap<PathBuf, String> =
        files.iter().map(|file| (folder.join(&file.path), file.text())).collect();
    let mut found = Vec::new();
    for path in generated(folder)? {
        match wanted.remove(&path) {
            None => found.push(Difference::Left(path)),
            Some(text) if text != read(&path)? => found.push(Difference::Stale(path)),
            Some(_) => {}
        }
    }
    for path in wanted.into_keys() {
        // Somebody's own file stands in its place.
        found.push(if path.exists() { Difference::Stale(path) } else { Difference::Missing(path) });
    }
    found.sort_by(|one, other| one.path().cmp(other.path()));
    Ok(found)
}

impl Difference {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing(path) | Self::Stale(path) | Self::Left(path) => path,
        }
    }
}

/// Writes what differs and removes what is left over. Returns what it changed.
///
/// # Errors
/// A file or folder cannot be read, written or removed.
pub fn write(folder: &Path, files: &[SqlFile]) -> Result<Vec<Difference>, PathError> {
    let differences = compare(folder, files)?;
    let of = |path: &Path, error: io::Error| (path.to_owned(), error);
    for difference in &differences {
        let path = difference.path();
        if let Difference::Left(path) = difference {
            std::fs::remove_file(path).map_err(|error| of(path, error))?;
            // Folders that still hold something stay.
            let _ = path.parent().map(std::fs::remove_dir);
            continue;
        }
        let Some(file) = files.iter().find(|file| folder.join(&file.path) == path) else { continue };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| of(parent, error))?;
        }
        std::fs::write(path, file.text()).map_err(|error| of(path, error))?;
    }
    Ok(differences)
}

/// The generated files below a folder, which may not be there.
fn generated(folder: &Path) -> Result<Vec<PathBuf>, PathError> {
    let mut found = Vec::new();
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err((folder.to_owned(), error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| (folder.to_owned(), error))?.path();
        if path.is_dir() {
            found.extend(generated(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sql")
            && read(&path)?.contains(GENERATED)
        {
            found.push(path);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String, PathError> {
    let bytes = std::fs::read(path).map_err(|error| (path.to_owned(), error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
