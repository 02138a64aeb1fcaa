//! The rules for the code's layout that docs/architecture.md and docs/contributing.md state.

use std::path::{Path, PathBuf};

/// The modules in the order of src/lib.rs. `fuzzing` joins them for the fuzz targets, as `agent` does for users.
const ORDER: [&str; 19] = [
    "failpoint",
    "durable",
    "primitives",
    "cql",
    "schema",
    "commitlog",
    "keystore",
    "change",
    "snapshot",
    "envelope",
    "checkpoint",
    "cdc_raw",
    "sink",
    "telemetry",
    "http",
    "config",
    "cli",
    "agent",
    "jobs",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with its path from `src/` and its text.
fn files() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&folder, &mut found);
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&folder).unwrap().to_owned(), text)
        })
        .collect()
}

/// Tests may join modules as they need.
fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name == "tests" || name.ends_with("_tests") || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn a_module_uses_only_those_above_it() {
    let place = |module: &str| ORDER.iter().position(|known| *known == module);
    let mut seen = 0;
    for (path, text) in files().iter().filter(|(path, _)| !is_test(path)) {
        let top = path.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(here) = place(top.trim_end_matches(".rs")) else { continue };
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for used in code.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(uses) {
            let there = place(&used).unwrap_or_else(|| panic!("{}: crate::{used}", path.display()));
            assert!(there <= here, "{} uses {used}, which stands below it", path.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

/// The modules that stand behind `crate::` in a line.
fn uses(line: &str) -> Vec<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    line.split("crate::").skip(1).map(name).collect()
}

#[test]
fn no_file_is_longer_than_the_limit() {
    for (path, text) in files() {
        assert!(text.lines().count() <= 500, "{} has {} lines", path.display(), text.lines().count());
    }
}
