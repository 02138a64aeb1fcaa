//! The folder of the jobs, as commands need it.

use std::path::Path;

use crate::agent::exit::{Exit, Failure};
use crate::cli::TableName;
use crate::jobs::check::check;
use crate::jobs::environment::Environment;
use crate::jobs::project::{Project, RulesFile};
#[cfg(feature = "kafka")]
use crate::jobs::topics::other_owner;

/// The folder, in which nothing may be wrong.
///
/// # Errors
/// Something is; the first finding is named.
pub(super) fn checked(folder: &Path) -> Result<Project, Failure> {
    let (project, findings) = check(folder, None);
    match findings.first() {
        None => Ok(project),
        Some(first) => {
            let what = format!(
                "{} is not right, {} finding(s); the first: {first}",
                folder.display(),
                findings.len()
            );
            Err(Failure::new(Exit::Usage, what).next("`cdc-jobs check` tells of all"))
        }
    }
}

/// An environment by its name.
///
/// # Errors
/// There is none.
pub(super) fn environment<'p>(project: &'p Project, name: &str) -> Result<&'p Environment, Failure> {
    let known =
        || project.environments.0.iter().map(|one| one.name.value.as_str()).collect::<Vec<_>>().join(", ");
    project.environments.0.iter().find(|one| one.name.value == name).ok_or_else(|| {
        let failure =
            Failure::new(Exit::Usage, format!("environments.yaml has no usable environment {name}"));
        match known() {
            known if known.is_empty() => failure.next("`cdc-jobs check` says what is wrong with the file"),
            known => {
                failure.next(format!("there are {known}; `cdc-jobs check` says what is wrong with others"))
            }
        }
    })
}

/// The rules of a table that run in the environment.
///
/// # Errors
/// There are none.
pub(super) fn rules<'p>(
    project: &'p Project,
    environment: &Environment,
    table: &TableName,
) -> Result<&'p RulesFile, Failure> {
    let found = project.rules.iter().find(|file| file.rules.table.value == *table);
    let (name, table) = (&environment.name.value, format!("{}.{}", table.keyspace, table.table));
    match found {
        Some(file) if file.rules.runs_in(name) => Ok(file),
        Some(_) => Err(Failure::new(Exit::Usage, format!("the rules of {table} do not run in {name}"))),
        None => Err(Failure::new(Exit::Usage, format!("there are no rules of {table}"))
            .next(format!("write rules/{table}.yaml; docs/rules.md says how"))),
    }
}

/// Refuses what is not for a command of this environment to change: Kafka's own topics, and those of another environment.
///
/// # Errors
/// It is such a topic.
#[cfg(feature = "kafka")]
pub(super) fn guard(project: &Project, environment: &Environment, topic: &str) -> Result<(), Failure> {
    guard_internal(topic)?;
    match other_owner(project, environment, topic) {
        None => Ok(()),
        Some(owner) => {
            let owner = &owner.name.value;
            let what = format!("topic {topic} is of the environment {owner}: it is left alone");
            Err(Failure::new(Exit::Usage, what).next(format!("--env {owner}")))
        }
    }
}

/// Refuses Kafka's own topics.
///
/// # Errors
/// It is one.
#[cfg(feature = "kafka")]
pub(super) fn guard_internal(topic: &str) -> Result<(), Failure> {
    if topic.starts_with("__") {
        return Err(Failure::new(Exit::Usage, format!("topic {topic} is Kafka's own: it is left alone")));
    }
    Ok(())
}
