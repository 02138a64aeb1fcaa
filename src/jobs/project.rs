//! The folder of the jobs: `environments.yaml` and `rules/<table>.yaml`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::environment::{self, Environment, Environments};
use super::finding::{Code, Finding, Findings};
use super::rules::{self, TableRules};
use super::small_file;
use super::yaml::{self, MAX_FILE, Node};

/// Rules and the file that they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct RulesFile {
    /// The file, as findings name it.
    pub file: String,
    /// Its rules.
    pub rules: TableRules,
}

/// A folder's environments and rules, as far as they can be used.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Project {
    /// `environments.yaml`
    pub environments: Environments,
    /// Whether nothing is wrong with it: otherwise some may be missing.
    pub has_all_environments: bool,
    /// `rules/*.yaml`, in the order of their names.
    pub rules: Vec<RulesFile>,
}

impl Project {
    /// Reads the folder, and tells what is wrong in each file by itself.
    #[must_use]
    pub fn read(folder: &Path) -> (Self, Vec<Finding>) {
        let mut found = Vec::new();
        let environments = {
            let path = folder.join("environments.yaml");
            let findings = RefCell::new(Findings::new(path.display().to_string()));
            let environments = tree(&path, &findings).map(|root| environment::read(&root, &findings));
            found.extend(findings.into_inner().into_sorted());
            environments.unwrap_or_default()
        };
        let has_all_environments = found.is_empty();
        let mut rules = Vec::new();
        for path in rules_files(&folder.join("rules"), &mut found) {
            let file = path.display().to_string();
            let findings = RefCell::new(Findings::new(&file));
            let read = tree(&path, &findings).and_then(|root| rules::read(&root, folder, &findings));
            if let Some(read) = &read {
                is_named_so(&path, read, &findings);
            }
            found.extend(findings.into_inner().into_sorted());
            rules.extend(read.map(|rules| RulesFile { file, rules }));
        }
        (Self { environments, has_all_environments, rules }, found)
    }

    /// Each job: rules and an environment in which they run.
    pub fn jobs(&self) -> impl Iterator<Item = (&RulesFile, &Environment)> {
        self.rules.iter().flat_map(|file| {
            let runs_in = |environment: &&Environment| file.rules.runs_in(&environment.name.value);
            self.environments.0.iter().filter(runs_in).map(move |environment| (file, environment))
        })
    }
}

fn is_named_so(path: &Path, rules: &TableRules, findings: &RefCell<Findings>) {
    let table = &rules.table.value;
    let expected = format!("{}.{}.yaml", table.keyspace, table.table);
    if path.file_name().is_some_and(|name| name.to_str() != Some(&expected)) {
        let message = format!("table: the rules of this table stand in rules/{expected}");
        findings.borrow_mut().add(rules.table.place, Code::Value, message);
    }
}

fn tree(path: &Path, findings: &RefCell<Findings>) -> Option<Node> {
    let wrong = |message: String| findings.borrow_mut().add(None, Code::File, message);
    let bytes = match small_file::read(path, MAX_FILE as u64) {
        Ok(bytes) => bytes,
        Err(error) => {
            wrong(format!("cannot be read: {error}"));
            return None;
        }
    };
    let Ok(text) = String::from_utf8(bytes) else {
        wrong("not UTF-8".to_owned());
        return None;
    };
    match yaml::parse(&text) {
        Ok(root) => Some(root),
        Err(error) => {
            findings.borrow_mut().add(error.place, Code::Syntax, error.message);
            None
        }
    }
}

/// The files of the folder by name; a folder without any is a finding.
fn rules_files(folder: &Path, found: &mut Vec<Finding>) -> Vec<PathBuf> {
    let mut findings = Findings::new(folder.display().to_string());
    let mut files = Vec::new();
    match folder.read_dir() {
        Err(error) => findings.add(None, Code::File, format!("cannot be read: {error}")),
        Ok(entries) => {
            files = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.retain(|path| {
                path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
            });
            files.sort();
            if files.is_empty() {
                findings.add(
                    None,
                    Code::File,
                    "no rules: write a file <keyspace>.<table>.yaml for each table",
                );
            }
        }
    }
    found.extend(findings.into_sorted());
    files
}
