//! Runs the program as its users do.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Runs `cdc-agent` with these arguments, and without options in the environment.
pub(crate) fn agent<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CDC_AGENT_"))
    {
        command.env_remove(name);
    }
    command.args(arguments).output().expect("cdc-agent starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("standard error is UTF-8")
}

/// Standard output as one JSON value a line.
pub(crate) fn json_lines(output: &Output) -> Vec<Value> {
    let text = stdout(output);
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The folder of the fixtures.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures")
}

/// The only segment in a folder of the fixtures.
pub(crate) fn segment(folder: &str) -> PathBuf {
    let found = segments(&fixtures().join(folder));
    let [segment] = found.as_slice() else { panic!("{folder}: {found:?}") };
    segment.clone()
}

/// The segments in a folder, by name.
pub(crate) fn segments(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("the folder can be read");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    found.sort();
    found
}
