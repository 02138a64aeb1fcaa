//! A session with the nodes of one data centre, and with no other ones.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::cluster::metadata::Peer;
use scylla::policies::host_filter::HostFilter;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;

use super::guard::{COUNTS_COLUMNS, Tables, is_allowed, networks, settings};
use crate::agent::exit::Exit;
use crate::jobs::engine::dq::COUNTS;
use crate::jobs::engine::error::EngineError;
use crate::jobs::environment::Environment;
use crate::jobs::network::{Host, Network};
use crate::schema::source::tls_context;

/// Nodes of other data centres, and those outside the allowed networks, are never connected to.
struct OneDatacenter {
    name: String,
    networks: Vec<Network>,
}

impl HostFilter for OneDatacenter {
    fn accept(&self, peer: &Peer) -> bool {
        peer.datacenter.as_ref() == Some(&self.name) && is_allowed(&self.networks, peer.address.ip())
    }
}

/// Connects to the nodes of the environment's data centre.
pub(super) async fn connect(
    environment: &Environment,
    points: &[(Host, SocketAddr)],
) -> Result<Session, EngineError> {
    let datacenter = environment.cassandra.datacenter.value.clone();
    let (host, address) = points
        .first()
        .ok_or_else(|| EngineError::new(Exit::Usage, "environments.yaml names no host of Cassandra"))?;
    let settings = settings(environment, host, address.ip())?;
    let tls = settings.tls.as_ref().map(tls_context).transpose();
    let tls = tls.map_err(|error| EngineError::new(Exit::Usage, error.to_string()))?;
    let policy = DefaultPolicy::builder()
        .prefer_datacenter(datacenter.clone())
        .token_aware(true)
        .permit_dc_failover(false)
        .build();
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .request_timeout(Some(Duration::from_secs(10)))
        .load_balancing_policy(policy)
        // Writes are tried again by their writer, with pauses.
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes_addr(points.iter().map(|(_, address)| *address))
        .host_filter(Arc::new(OneDatacenter { name: datacenter, networks: networks(environment) }))
        .disallow_shard_aware_port(true)
        .connection_timeout(settings.connect_timeout)
        .default_execution_profile_handle(profile.into_handle())
        .tls_context(tls);
    if let Some(credentials) = &settings.credentials {
        builder = builder.user(&credentials.user, credentials.password.as_str());
    }
    builder.build().await.map_err(|error| failed(&error))
}

fn failed(error: &dyn std::error::Error) -> EngineError {
    EngineError::passing(format!("Cassandra cannot be written to: {error}"))
}

/// Prepares the writes of the tables in their order.
pub(super) async fn inserts(
    session: &Session,
    tables: &Tables,
) -> Result<Vec<PreparedStatement>, EngineError> {
    let rules = &tables.rules.rules;
    let own: Vec<&str> = rules.columns.iter().map(|column| column.name.as_str()).collect();
    let mut texts = vec![insert(&rules.table.value.keyspace, &rules.table.value.table, &own)];
    if tables.has_counts {
        texts.push(insert(COUNTS.0, COUNTS.1, &COUNTS_COLUMNS.map(|(name, _)| name)));
    }
    let mut statements = Vec::new();
    for text in texts {
        statements.push(prepare(session, text).await?);
    }
    Ok(statements)
}

/// Prepares a write that may be repeated.
pub(super) async fn prepare(session: &Session, text: String) -> Result<PreparedStatement, EngineError> {
    let mut statement = session.prepare(text).await.map_err(|error| failed(&error))?;
    statement.set_is_idempotent(true);
    Ok(statement)
}

/// The write of a row with its time; every name is quoted.
fn insert(keyspace: &str, table: &str, columns: &[&str]) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let names: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
    format!(
        "INSERT INTO {}.{} ({}) VALUES ({}) USING TIMESTAMP ?",
        quoted(keyspace),
        quoted(table),
        names.join(", "),
        vec!["?"; columns.len()].join(", ")
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_quoted() {
        let expected = r#"INSERT INTO "k"."T" ("a""b", "value") VALUES (?, ?) USING TIMESTAMP ?"#;
        assert_eq!(super::insert("k", "T", &["a\"b", "value"]), expected);
    }
}
