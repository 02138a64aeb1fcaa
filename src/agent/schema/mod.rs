//! `schema show` and `schema check`: what a schema file says, and what is wrong with it.

mod check;
mod show;

use std::path::Path;

use super::exit::{Exit, Failure};
use super::input::unread_schema_advice;
use crate::cql::ident::quoted_if_needed;
use crate::schema::{Built, Column, LoadError, Loaded, TableSchema, build, load};
pub use check::{CheckOutcome, check};
pub use show::show;

fn read(path: &Path) -> Result<(Loaded, Built), Failure> {
    let loaded = load(path).map_err(|error| {
        let next = match error {
            LoadError::Read { .. } => unread_schema_advice(),
            _ => "give the output of DESCRIBE SCHEMA WITH INTERNALS, or the rows of system_schema as one JSON object",
        };
        Failure::new(Exit::Usage, "the schema cannot be used").because(error).next(next)
    })?;
    let built = build(&loaded.rows);
    Ok((loaded, built))
}

fn tables(built: &Built) -> Vec<&TableSchema> {
    let mut tables: Vec<_> = built.schema.tables().map(AsRef::as_ref).collect();
    tables.sort_by(|a, b| (&a.keyspace, &a.name).cmp(&(&b.keyspace, &b.name)));
    tables
}

/// All columns: partition key, clustering, static, regular.
fn columns(table: &TableSchema) -> impl Iterator<Item = &Column> {
    [&table.partition_key, &table.clustering, &table.statics, &table.regulars].into_iter().flatten()
}

fn full_name(keyspace: &str, name: &str) -> String {
    format!("{}.{}", quoted_if_needed(keyspace), quoted_if_needed(name))
}
