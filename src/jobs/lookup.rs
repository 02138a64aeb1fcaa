//! Lists of values in files beside the rules.

use std::collections::HashSet;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Larger files are refused, in bytes: the list is printed into the SQL of the job.
const MAX_BYTES: u64 = 1024 * 1024;

/// Values of one column, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// As the rules name the file.
    pub file: String,
    /// The values, as texts, in the order of the file.
    pub values: Vec<String>,
    /// SHA-256 of the file, as hex digits.
    pub sha256: String,
    known: HashSet<String>,
}

impl List {
    /// Reads a file of the folder `folder`: one value a line, empty lines and spaces at the ends of a line do not
    /// count.
    ///
    /// # Errors
    /// The file cannot be read, is empty, or too large.
    pub fn read(folder: &Path, file: &str) -> Result<Self, String> {
        let path = folder.join(file);
        let inside = Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside {
            return Err("expected a path inside the folder of the jobs".to_owned());
        }
        let size = path.metadata().map_err(|error| error.to_string())?.len();
        if size > MAX_BYTES {
            return Err(format!("{size} bytes; a list has at most {MAX_BYTES}"));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let values: Vec<String> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if values.is_empty() {
            return Err("the list is empty".to_owned());
        }
        let known = values.iter().cloned().collect();
        Ok(Self { file: file.to_owned(), values, sha256: hex::encode(Sha256::digest(&text)), known })
    }

    /// Whether the value is in it.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.known.contains(value)
    }
}
