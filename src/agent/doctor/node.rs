//! The node, over CQL: it lets the agent in, it is the configured one, and its tables are those that are wanted.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::finding::Finding;
use super::{Known, durable_writes, node_settings, pushed, ring};
use crate::agent::exit::{Exit, Failure};
use crate::agent::record_options::{Reading, encoder_config, find_table, table_filter};
use crate::agent::run::node::settings;
use crate::cli::{RunOptions, SourceArgs};
use crate::schema::source::{CqlError, CqlSource, ExpectedNode, NodeInfo};
use crate::schema::{Schema, build};

/// Clocks that differ by less are as good as equal.
const SKEW_MS: i64 = 500;

pub(super) fn check(options: &RunOptions, findings: &mut Vec<Finding>) -> Known {
    let args = &options.live.cassandra;
    let source = settings(args).and_then(|settings| {
        CqlSource::new(settings)
            .map_err(|error| Failure::new(Exit::Usage, "the node cannot be asked").because(error))
    });
    let Some(source) = pushed(source, "cql.settings", findings) else { return Known::default() };
    let node = match source.node() {
        Ok(node) => node,
        Err(error) => {
            findings.push(unanswered("cql.connection", &error));
            return Known::default();
        }
    };
    findings.push(Finding::pass(
        "cql.connection",
        format!("Cassandra {} at {} answers{}", node.release_version, args.host, encryption(options)),
    ));
    findings.push(identity(&node, &options.settings.source));
    role(&source, args.username.as_deref(), findings);
    clock(&source, findings);
    node_settings::check(&source, &options.live.log, findings);
    let schema = schema(&source, options, findings);
    findings.extend(ring::check(&source, options, schema.as_ref()));
    Known { schema, host_id: Some(node.host_id) }
}

fn encryption(options: &RunOptions) -> &'static str {
    if options.live.cassandra.ssl_ca_file.is_some() { " over TLS" } else { " without TLS" }
}

/// The error's own text says what to do.
pub(super) fn unanswered(check: &'static str, error: &CqlError) -> Finding {
    let text = error.to_string();
    let (found, fix) = text.rsplit_once("; ").unwrap_or((text.as_str(), "look at the node's log"));
    let exit = if error.is_transient() { Exit::Unreadable } else { Exit::Usage };
    Finding::fail(check, exit, found, fix)
}

fn identity(node: &NodeInfo, names: &SourceArgs) -> Finding {
    let expected = ExpectedNode {
        cluster: names.cluster.clone(),
        dc: names.dc.clone(),
        host_id: names.host_id.map(|id| id.to_string()),
    };
    let NodeInfo { cluster_name, data_center, host_id, .. } = node;
    match node.check(&expected) {
        Ok(()) => Finding::pass(
            "cql.identity",
            format!("cluster {cluster_name}, dc {data_center}, host_id {host_id}"),
        ),
        Err(error) => Finding::fail(
            "cql.identity",
            Exit::Usage,
            format!("{}: configured is `{}`, and the node says `{}`", error.key, error.expected, error.found),
            format!("correct {}, or connect to the node whose commit log this is", error.key),
        ),
    }
}

#[derive(Deserialize)]
struct Role {
    is_superuser: bool,
}

/// Whether the role can do more than it has to.
fn role(source: &CqlSource, user: Option<&str>, findings: &mut Vec<Finding>) {
    let check = "cql.role";
    let Some(user) = user else {
        return findings.push(Finding::pass(check, "the node asks for no password"));
    };
    let query = format!(
        "SELECT JSON is_superuser FROM system_auth.roles WHERE role = '{}'",
        user.replace('\'', "''")
    );
    let advice = "use a role of its own: CREATE ROLE cdc_agent WITH LOGIN = true AND PASSWORD = …; GRANT SELECT ON system_views.settings TO cdc_agent";
    findings.push(match source.start_rows(query, "system_auth.roles").wait() {
        Err(CqlError::Unauthorized { .. }) => {
            Finding::pass(check, format!("role {user} may not read system_auth"))
        }
        Err(error) => Finding::warn(check, format!("what role {user} may do is not known: {error}"), advice),
        Ok(rows) => {
            let role: Option<Role> = rows.first().and_then(|row| serde_json::from_str(row).ok());
            match role {
                Some(Role { is_superuser: true }) => Finding::warn(
                    check,
                    format!("role {user} is a superuser: it can change everything"),
                    advice,
                ),
                _ => Finding::warn(
                    check,
                    format!("role {user} may read system_auth, the table of passwords' hashes"),
                    advice,
                ),
            }
        }
    });
}

#[derive(Deserialize)]
struct Now {
    ms: i64,
}

/// The node's clock against this machine's.
fn clock(source: &CqlSource, findings: &mut Vec<Finding>) {
    let before = now_ms();
    let query = "SELECT JSON toUnixTimestamp(now()) AS ms FROM system.local".to_owned();
    let Ok(rows) = source.start_rows(query, "system.local").wait() else { return };
    let after = now_ms();
    let Some(Now { ms }) = rows.first().and_then(|row| serde_json::from_str(row).ok()) else { return };
    // Somewhere between both looks the node's clock said so.
    let skew = if ms < before { ms - before } else { (ms - after).max(0) };
    findings.push(if skew.abs() > SKEW_MS {
        Finding::warn(
            "clock",
            format!("the node's clock is {skew} ms from this machine's"),
            "synchronise both (chrony); lag and source.late are computed from them",
        )
    } else {
        Finding::pass("clock", "the node's clock and this machine's agree")
    });
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The schema, and what the options say of it.
fn schema(source: &CqlSource, options: &RunOptions, findings: &mut Vec<Finding>) -> Option<Schema> {
    let fetched = match source.fetch() {
        Ok(fetched) => fetched,
        Err(error) => {
            findings.push(unanswered("schema", &error));
            return None;
        }
    };
    let built = build(&fetched.rows);
    for problem in &built.problems {
        findings.push(Finding::fail(
            "schema",
            Exit::UnknownSchema,
            problem.to_string(),
            "changes of that table cannot be decoded; report it",
        ));
    }
    findings.extend(durable_writes(&fetched.rows, &built.schema, options));
    tables(&built.schema, options, findings);
    Some(built.schema)
}

fn tables(schema: &Schema, options: &RunOptions, findings: &mut Vec<Finding>) {
    let settings = &options.settings;
    let filter = table_filter(&settings.filter);
    let wanted: BTreeMap<String, bool> = schema
        .tables()
        .filter(|table| filter.wants(table))
        .map(|table| (format!("{}.{}", table.keyspace, table.name), table.cdc))
        .collect();
    for name in &settings.filter.tables {
        if find_table(schema, name).is_none() {
            findings.push(Finding::warn(
                "schema.tables",
                format!(
                    "table {}.{} is wanted, and the node has none of that name",
                    name.keyspace, name.table
                ),
                "correct table_include_list, or make the table",
            ));
        }
    }
    let without: Vec<&str> = wanted.iter().filter(|(_, cdc)| !**cdc).map(|(name, _)| name.as_str()).collect();
    if !without.is_empty() {
        findings.push(Finding::warn(
            "schema.cdc",
            format!(
                "wanted, but without cdc = true: {}; Cassandra keeps their segments by chance only",
                without.join(", ")
            ),
            "ALTER TABLE … WITH cdc = true on each",
        ));
    }
    let names: Vec<&str> = wanted.keys().map(String::as_str).collect();
    findings.push(if names.is_empty() {
        Finding::warn(
            "schema",
            "no table has cdc = true: there is nothing to publish",
            "ALTER TABLE … WITH cdc = true",
        )
    } else {
        Finding::pass("schema", format!("{} table(s) wanted: {}", names.len(), names.join(", ")))
    });
    let is_known = |name: &&crate::cli::TableName| find_table(schema, name).is_some();
    let mut known = settings.clone();
    known.filter.tables = settings.filter.tables.iter().filter(is_known).cloned().collect();
    pushed(encoder_config(&known, schema, Reading::Replay), "schema.columns", findings);
}
