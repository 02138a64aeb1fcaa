//! What the commands read: segment files.

use std::io;
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use crate::commitlog::decompress::Compression;
use crate::commitlog::{BodyFormat, SegmentName};
use crate::schema::{LoadError, Problem, Schema, SystemSchemaRows, TableId, system};

/// A file that was named, or found in a directory that was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFile {
    /// Where it is.
    pub path: PathBuf,
    /// What its name says; `None` when it is not named as a segment is.
    pub name: Option<SegmentName>,
}

impl SegmentFile {
    /// The file name, or the path when it has none.
    #[must_use]
    pub fn label(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }
}

impl From<PathBuf> for SegmentFile {
    fn from(path: PathBuf) -> Self {
        let name = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        Self { path, name }
    }
}

/// The files that `paths` name, and the segments in the directories among them, ordered by segment id. Files
/// that are not named as segments come last, in the order given; a file named twice is read once.
///
/// # Errors
/// A path does not exist, or a directory cannot be read or holds no segment.
pub fn segment_files(paths: &[PathBuf]) -> Result<Vec<SegmentFile>, Failure> {
    let mut files: Vec<SegmentFile> = Vec::new();
    for path in paths {
        let metadata = path.metadata().map_err(|error| {
            Failure::cannot_read(path, error)
                .next("check the path, and that this user may read what is there")
        })?;
        if metadata.is_dir() {
            let found = segments_in(path).map_err(|error| Failure::cannot_read(path, error))?;
            if found.is_empty() {
                let what = format!("no segment (CommitLog-<version>-<id>.log) in {}", path.display());
                return Err(Failure::new(Exit::Unreadable, what).next("name the directory that holds them"));
            }
            files.extend(found);
        } else {
            files.push(path.clone().into());
        }
    }
    files.sort_by_key(|file| (file.name.is_none(), file.name));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

fn segments_in(dir: &Path) -> io::Result<Vec<SegmentFile>> {
    let mut found = Vec::new();
    for entry in dir.read_dir()? {
        let file = SegmentFile::from(entry?.path());
        // Also what turns out to be no file that can be read: a segment may be missing there.
        if file.name.is_some() {
            found.push(file);
        }
    }
    Ok(found)
}

/// The schema in a file, if there is one, and the tables of Cassandra's own keyspaces. What is wrong with
/// parts of the file is said on standard error.
///
/// # Errors
/// The file cannot be read or is no schema file.
pub fn schema(path: Option<&Path>) -> Result<Schema, Failure> {
    let mut schema = match path {
        Some(path) => from_schema_file(path, |rows| {
            let built = crate::schema::build(rows);
            (built.schema, built.problems)
        })?,
        None => Schema::default(),
    };
    system::add_to(&mut schema);
    Ok(schema)
}

/// What `make` makes of the schema in a file. What is wrong with parts of it is said on standard error.
///
/// # Errors
/// The file cannot be read or is no schema file.
pub fn from_schema_file<T>(
    path: &Path,
    make: impl FnOnce(&SystemSchemaRows) -> (T, Vec<Problem>),
) -> Result<T, Failure> {
    let loaded = crate::schema::load(path).map_err(|error| {
        let next = match error {
            LoadError::Read { .. } => unread_schema_advice().to_owned(),
            _ => format!("cdc-agent schema check {}", path.display()),
        };
        Failure::new(Exit::Usage, "the schema cannot be used").because(error).next(next)
    })?;
    let (made, problems) = make(&loaded.rows);
    for problem in loaded.problems.iter().chain(&problems) {
        super::warn(&format!("{}: {problem}", path.display()));
    }
    Ok(made)
}

/// What to do about a schema file that cannot be read.
#[must_use]
pub fn unread_schema_advice() -> &'static str {
    "check the path; cqlsh -e 'DESCRIBE SCHEMA WITH INTERNALS' > schema.cql makes such a file"
}

/// Whether the table belongs to one of Cassandra's own keyspaces.
#[must_use]
pub fn is_system(table: TableId, schema: &Schema) -> bool {
    schema.table(table).is_some_and(|table| system::is_system_keyspace(&table.keyspace))
}

/// How the sections of a segment are stored, in words.
#[must_use]
pub fn body_name(body: &BodyFormat) -> String {
    let compression = match body {
        BodyFormat::Plain => "uncompressed",
        BodyFormat::Compressed(Compression::Lz4) => "LZ4",
        BodyFormat::Compressed(Compression::Snappy) => "Snappy",
        BodyFormat::Compressed(Compression::Deflate) => "Deflate",
        BodyFormat::Compressed(Compression::Zstd) => "Zstd",
        BodyFormat::Compressed(Compression::Noop) => "uncompressed blocks",
        BodyFormat::Encrypted(encryption) => {
            return format!("encrypted ({}, key {})", encryption.cipher, encryption.key_alias);
        }
    };
    compression.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_id_and_leaves_other_files_of_a_directory_out() {
        let dir = std::env::temp_dir().join(format!("cdc-agent-input-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let names = ["CommitLog-7-10.log", "CommitLog-7-9.log", "CommitLog-7-9_cdc.idx", "copy.log"];
        for name in names {
            std::fs::write(dir.join(name), b"").unwrap();
        }
        let labels = |paths: &[PathBuf]| -> Vec<String> {
            segment_files(paths).unwrap().iter().map(SegmentFile::label).collect()
        };
        assert_eq!(labels(std::slice::from_ref(&dir)), ["CommitLog-7-9.log", "CommitLog-7-10.log"]);
        assert_eq!(
            labels(&[dir.join("copy.log"), dir.join("CommitLog-7-9.log"), dir.clone()]),
            ["CommitLog-7-9.log", "CommitLog-7-10.log", "copy.log"]
        );
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(segment_files(&[dir]).unwrap_err().exit(), Exit::Unreadable);
    }
}
