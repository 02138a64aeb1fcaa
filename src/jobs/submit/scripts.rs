//! The jobs in a folder of SQL files.
//!
//! Files are taken in the order of their paths. A `SET 'pipeline.name'` begins a job, the one statement that starts it
//! ends it; what a file holds behind that belongs to the next job.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::SubmitError;
use super::statements::{Statement, split};

const NAME: &str = "pipeline.name";
/// No statement, nor the SQL of a job, is longer.
const MOST_BYTES: u64 = 16 << 20;

/// A statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file.
    pub file: PathBuf,
    /// Line at which it begins, counted from 1.
    pub line: usize,
    /// The statement, with placeholders for secrets.
    pub sql: String,
}

impl Step {
    /// `file:line`
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

/// A job and what makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// Its statements in order; the last one starts it.
    pub steps: Vec<Step>,
}

impl Script {
    /// SHA-256 of its statements, 64 hex digits.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for step in &self.steps {
            hash.update(step.sql.as_bytes());
            hash.update(b";");
        }
        hex::encode(hash.finalize())
    }

    /// The value of the last `SET` of one of `keys`.
    #[must_use]
    pub fn setting(&self, keys: &[&str]) -> Option<String> {
        let settings = self.steps.iter().rev().filter_map(|step| split(&step.sql).first()?.setting());
        settings.into_iter().find(|(key, _)| keys.contains(&key.as_str())).map(|(_, value)| value)
    }
}

/// The jobs in the files below `folder`.
///
/// # Errors
/// A file cannot be read, or its statements are no jobs.
pub fn read(folder: &Path) -> Result<Vec<Script>, SubmitError> {
    let mut files = Vec::new();
    sql_files(folder, &mut files)?;
    files.sort();
    let (mut scripts, mut current) = (Vec::<Script>::new(), None);
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| SubmitError::File(file.clone(), error))?;
        for statement in split(&text) {
            take(&mut scripts, &mut current, &file, &statement)?;
        }
    }
    match current {
        None => Ok(scripts),
        Some(script) => Err(SubmitError::Starts(script.name, folder.display().to_string())),
    }
}

fn take(
    scripts: &mut Vec<Script>,
    current: &mut Option<Script>,
    file: &Path,
    statement: &Statement<'_>,
) -> Result<(), SubmitError> {
    let step = Step { file: file.to_owned(), line: statement.line, sql: statement.text.to_owned() };
    let name = statement.setting().filter(|(key, _)| key == NAME).map(|(_, name)| name);
    let script = match (current.as_mut(), name) {
        (Some(script), Some(name)) if script.name != name => {
            return Err(SubmitError::Starts(script.name.clone(), step.place()));
        }
        (Some(script), _) => script,
        (None, Some(name)) if scripts.iter().any(|script| script.name == name) => {
            return Err(SubmitError::Twice(name, step.place()));
        }
        (None, Some(name)) => current.insert(Script { name, steps: Vec::new() }),
        (None, None) => return Err(SubmitError::Nameless(step.place())),
    };
    script.steps.push(step);
    if statement.starts_job() {
        scripts.extend(current.take());
    }
    Ok(())
}

fn sql_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), SubmitError> {
    let wrong = |error| SubmitError::File(folder.to_owned(), error);
    for entry in folder.read_dir().map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let path = entry.path();
        let kind = path.metadata().map_err(|error| SubmitError::File(path.clone(), error))?;
        if kind.is_dir() {
            sql_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            if kind.len() > MOST_BYTES {
                return Err(SubmitError::File(path, std::io::ErrorKind::FileTooLarge.into()));
            }
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_job_is_what_stands_between_its_name_and_its_start() {
        let files = folder(&[
            (
                "onprem/a/01.sql",
                "-- x\nSET 'pipeline.name' = 'dq';\nSET 'state.checkpoints.dir' = 'file:///c';\n",
            ),
            ("onprem/a/02.sql", "CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1);\n"),
            ("onprem/a/05.sql", "SET 'pipeline.name' = 'hash';\nINSERT INTO t VALUES (2);"),
            ("onprem/a/notes.txt", "INSERT"),
        ]);
        let scripts = read(files.path()).unwrap();
        let names: Vec<_> = scripts.iter().map(|script| (script.name.as_str(), script.steps.len())).collect();
        assert_eq!(names, [("dq", 4), ("hash", 2)]);
        assert!(scripts[0].steps[3].place().ends_with("onprem/a/02.sql:2"));
        assert_eq!(scripts[0].setting(&["state.checkpoints.dir"]).as_deref(), Some("file:///c"));
        assert_ne!(scripts[0].digest(), scripts[1].digest());
    }

    #[test]
    fn what_is_no_job_is_refused_with_its_place() {
        for (text, told) in [
            ("CREATE TABLE t (a INT);\nINSERT INTO t VALUES (1);", "a.sql:1"),
            ("SET 'pipeline.name' = 'dq';\nINSERT INTO t VALUES (1);\nSELECT 1;", "a.sql:3"),
            ("SET 'pipeline.name' = 'dq';\nCREATE TABLE t (a INT);", "dq"),
            ("SET 'pipeline.name' = 'dq';\nSET 'pipeline.name' = 'hash';\nINSERT INTO t VALUES (1);", "dq"),
            ("SET 'pipeline.name'='q';INSERT INTO t VALUES (1);\nSET 'pipeline.name'='q';", "a.sql:2"),
        ] {
            let error = read(folder(&[("a.sql", text)]).path()).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
