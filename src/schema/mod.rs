//! What table ids and column names mean.
//!
//! [`model`] is what the decoder uses. Every source of a schema (a JSON file, DDL text, the log itself) is first
//! brought into [`rows`], the rows of `system_schema`; [`build()`] makes the model of them.

pub mod build;
pub mod ddl;
pub mod file;
#[cfg(test)]
mod file_tests;
pub mod history;
mod json_row;
pub mod model;
pub mod problem;
pub mod refresh;
pub mod rows;
pub mod source;
pub mod store;
pub mod system;
mod table_cache;
mod timestamp;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use build::{Built, build};
pub use ddl::DdlError;
pub use file::FileError;
pub use history::{Creation, Effect, LoggedRow, LoggedUpdate, SchemaHistory, Source as SchemaSource};
pub use model::{Column, ColumnKind, Schema, TableId, TableMap, TableSchema};
pub use problem::{Problem, ProblemKind};
pub use refresh::{Due, Refresh, RefreshLimits};
pub use rows::SystemSchemaRows;
pub use store::{LogPlace, SchemaStore, StoreLimits};
pub use table_cache::TableCache;

/// Why a schema file could not be used at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("schema file {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not UTF-8 text.
    #[error("schema file {}: not UTF-8 text; give a JSON dump of system_schema or DDL text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a JSON schema file.
    #[error("schema file {}: {error}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: FileError,
    },
    /// The file is not DDL text.
    #[error("schema file {}, {error}", path.display())]
    Ddl {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        error: DdlError,
    },
}

/// Rows of `system_schema` from a file, and what is already known to be wrong with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The rows.
    pub rows: SystemSchemaRows,
    /// Parts of the file that gave no rows.
    pub problems: Vec<Problem>,
}

/// Longer schema files are refused, in bytes: half a million columns have room in it.
const MAX_BYTES: u64 = 64 << 20;

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other(format!("more than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

/// Reads a schema file: JSON when it begins with `{`, else DDL text.
///
/// # Errors
///
/// The file cannot be read, or is not in the form it seems to have.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let path_buf = || path.to_path_buf();
    let bytes = read(path).map_err(|error| LoadError::Read { path: path_buf(), error })?;
    let text = String::from_utf8(bytes).map_err(|_| LoadError::NotText { path: path_buf() })?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        let rows = file::parse(text).map_err(|error| LoadError::Json { path: path_buf(), error })?;
        Ok(Loaded { rows, problems: Vec::new() })
    } else {
        ddl::parse(text).map_err(|error| LoadError::Ddl { path: path_buf(), error })
    }
}
