//! After a crash: cut a file log back to what was committed.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::sink::SinkError;

use super::commit_file::{Commit, LogFile};
use super::names;

/// Remove what was written after the commit: the ends of committed files, and files it does not name.
///
/// Touches only files whose path is that of a partition's file.
///
/// # Errors
/// When a committed file is missing or shorter than it was, or the directory cannot be read or changed.
pub(super) fn cut_back(root: &Path, commit: &Commit) -> Result<(), SinkError> {
    // Nothing is removed or cut off on the word of a commit file that belongs to other data.
    let longer = check_files(root, commit)?;
    for (topic, partition, dir) in partition_dirs(root)? {
        let committed = commit.topics.get(&topic).and_then(|partitions| partitions.get(&partition));
        for (name, path) in entries(&dir)? {
            let Some(first_offset) = name.to_str().and_then(names::first_offset) else {
                continue;
            };
            let known = committed.is_some_and(|files| {
                files.binary_search_by_key(&first_offset, |file| file.first_offset).is_ok()
            });
            if !known {
                fs::remove_file(&path).map_err(|e| SinkError::io("remove", &path, e))?;
            }
        }
    }
    for (path, length) in longer {
        let file = OpenOptions::new().write(true).open(&path);
        file.and_then(|file| file.set_len(length)).map_err(|e| SinkError::io("truncate", &path, e))?;
    }
    Ok(())
}

/// Checks that every committed file can be what was committed, and gives those that are longer, with their committed
/// lengths.
fn check_files(root: &Path, commit: &Commit) -> Result<Vec<(PathBuf, u64)>, SinkError> {
    let mut longer = Vec::new();
    for (topic, partitions) in &commit.topics {
        for (partition, files) in partitions {
            let dir = names::partition_dir(root, topic, *partition);
            for file in files {
                let path = dir.join(names::file_name(file.first_offset));
                if is_longer(&path, file)? {
                    longer.push((path, file.bytes));
                }
            }
        }
    }
    Ok(longer)
}

/// Whether something stands in a file behind what was committed.
fn is_longer(path: &Path, committed: &LogFile) -> Result<bool, SinkError> {
    let found = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
        Err(e) => return Err(SinkError::io("look at", path, e)),
    };
    if found < committed.bytes {
        return Err(SinkError::Unfit {
            path: path.to_owned(),
            what: format!("has {found} of its {} committed bytes", committed.bytes),
            hint: "restore the file, or start with an empty directory",
        });
    }
    if found == committed.bytes {
        return Ok(false);
    }
    if !ends_a_line(path, committed.bytes).map_err(|e| SinkError::io("read", path, e))? {
        return Err(SinkError::Unfit {
            path: path.to_owned(),
            what: format!("has no end of a line behind its {} committed bytes", committed.bytes),
            hint: "restore the file and commit.json, or start with an empty directory",
        });
    }
    Ok(true)
}

/// Whether the last one of the first `length` bytes of a file ends a line.
fn ends_a_line(path: &Path, length: u64) -> io::Result<bool> {
    let mut last = [0];
    File::open(path)?.read_exact_at(&mut last, length.saturating_sub(1))?;
    Ok(last == *b"\n")
}

/// Every directory that can be a partition's, whether committed or not.
fn partition_dirs(root: &Path) -> Result<Vec<(String, u32, PathBuf)>, SinkError> {
    let mut found = Vec::new();
    for (name, topic_dir) in entries(root)? {
        let Some(topic) = name.to_str().filter(|name| names::check_topic(name).is_ok()) else {
            continue;
        };
        if !topic_dir.is_dir() {
            continue;
        }
        for (name, dir) in entries(&topic_dir)? {
            if let Some(partition) = name.to_str().and_then(names::partition)
                && dir.is_dir()
            {
                found.push((topic.to_owned(), partition, dir));
            }
        }
    }
    Ok(found)
}

/// Names and paths of what is in a directory.
pub(super) fn entries(dir: &Path) -> Result<Vec<(OsString, PathBuf)>, SinkError> {
    fs::read_dir(dir)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| (entry.file_name(), entry.path()))).collect()
        })
        .map_err(|e| SinkError::io("list", dir, e))
}
