//! What is wrong with a folder of jobs, before anything of it runs.

mod drift;
pub(crate) mod hash;
mod loops;
mod policy;
pub(crate) mod schema;
mod sql;
mod warnings;

use std::path::Path;

pub(in crate::jobs) use hash::columns as hash_columns;
pub use warnings::warnings;

use super::finding::Finding;
use super::project::Project;
use crate::schema::Schema;

/// The folder's environments and rules, and everything that is wrong with them: each file by itself, the jobs with each
/// other, the rules with the tables of `schema` where it is given. In the order of files and places.
#[must_use]
pub fn check(folder: &Path, schema: Option<&Schema>) -> (Project, Vec<Finding>) {
    let (project, mut found) = Project::read(folder);
    found.extend(policy::check(&project));
    found.extend(sql::environments(&project, folder));
    found.extend(loops::check(&project, schema));
    for file in &project.rules {
        found.extend(sql::check(file));
        found.extend(drift::check(&project, file, schema));
        found.extend(match schema {
            Some(schema) => schema::check(file, schema),
            None => hash::check(file, None),
        });
    }
    found.sort();
    found.dedup();
    (project, found)
}
