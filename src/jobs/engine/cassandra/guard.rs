//! What must hold before the first write: every contact point is in the allowed networks and in the one data centre, the
//! keyspaces are replicated there and nowhere else, and the tables are those of the rules.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::agent::exit::Exit;
use crate::jobs::check::schema;
use crate::jobs::engine::dq::COUNTS;
use crate::jobs::engine::error::EngineError;
use crate::jobs::engine::secrets::resolve;
use crate::jobs::environment::Environment;
use crate::jobs::network::{Host, Network};
use crate::jobs::project::RulesFile;
use crate::schema::source::{CqlError, CqlSettings, CqlSource, Credentials, ExpectedNode, TlsSettings};
use crate::schema::{SystemSchemaRows, build};

/// What a job writes to.
#[derive(Debug, Clone)]
pub struct Tables {
    /// The job's own table.
    pub rules: RulesFile,
    /// Whether counters are written to `metrics.dq_counts`.
    pub has_counts: bool,
}

/// Columns of the table of counters.
pub(super) const COUNTS_COLUMNS: [(&str, &str); 4] =
    [("job_name", "text"), ("metric_ts", "timestamp"), ("metric_type", "text"), ("metric_value", "bigint")];
const COUNTS_CQL: &str = "CREATE TABLE metrics.dq_counts (job_name text, metric_ts timestamp, metric_type text, metric_value bigint, \
     PRIMARY KEY (job_name, metric_ts, metric_type))";

/// Who logs in, and how.
pub(super) fn settings(
    environment: &Environment,
    host: &Host,
    address: IpAddr,
) -> Result<CqlSettings, EngineError> {
    let cassandra = &environment.cassandra;
    let credentials = match &cassandra.credentials {
        None => None,
        Some(by) => {
            let whose = format!("{}: cassandra", environment.name.value);
            Some(Credentials {
                user: resolve(&format!("{whose}: username"), &by.value.username)?,
                password: Zeroizing::new(resolve(&format!("{whose}: password"), &by.value.password)?),
            })
        }
    };
    let tls = cassandra.ca_file.clone().map(|ca_file| TlsSettings {
        ca_file: Some(ca_file),
        server_name: host.name().map(str::to_owned),
        ..TlsSettings::default()
    });
    Ok(CqlSettings {
        port: cassandra.port,
        credentials,
        tls,
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(10),
        ..CqlSettings::new(&address.to_string())
    })
}

/// Asks every contact point, and gives their addresses.
pub(super) fn check(
    environment: &Environment,
    tables: &Tables,
) -> Result<Vec<(Host, SocketAddr)>, EngineError> {
    let points = contact_points(environment)?;
    let mut cluster: Option<String> = None;
    let mut reached = Vec::new();
    let mut silent = None;
    let mut rows = None;
    for (host, address) in points {
        let source = CqlSource::new(settings(environment, &host, address.ip())?).map_err(unreachable)?;
        let node = match source.node() {
            Ok(node) => node,
            // One of them may be down; the others say where they are.
            Err(error) if error.is_transient() => {
                silent = Some(error);
                continue;
            }
            Err(error) => return Err(unreachable(error)),
        };
        let expected = &environment.cassandra.datacenter.value;
        let of_dc = ExpectedNode { dc: Some(expected.clone()), ..ExpectedNode::default() };
        if node.check(&of_dc).is_err() {
            return Err(refused(format!(
                "{address} is in the data centre {}, and environment {} writes to {expected} alone",
                node.data_center, environment.name.value
            )));
        }
        if cluster.as_ref().is_some_and(|cluster| *cluster != node.cluster_name) {
            return Err(refused(format!(
                "{address} is of the cluster {}, another host of {}",
                node.cluster_name,
                cluster.unwrap_or_default()
            )));
        }
        cluster = Some(node.cluster_name);
        if rows.is_none() {
            rows = Some(source.fetch().map_err(unreachable)?.rows);
        }
        reached.push((host, address));
    }
    match (rows, silent) {
        (Some(rows), _) => keyspaces_and_tables(environment, tables, &rows).map(|()| reached),
        (None, Some(error)) => Err(unreachable(error)),
        (None, None) => Err(refused(format!("environment {} names no host", environment.name.value))),
    }
}

/// The addresses of the hosts; names are resolved now, and must lead into the allowed networks.
fn contact_points(environment: &Environment) -> Result<Vec<(Host, SocketAddr)>, EngineError> {
    let cassandra = &environment.cassandra;
    let mut points = Vec::new();
    for host in &cassandra.hosts {
        let addresses = match &host.value {
            Host::Address(address) => vec![SocketAddr::new(*address, cassandra.port)],
            Host::Name(name) => {
                let found = (name.as_str(), cassandra.port).to_socket_addrs();
                found
                    .map(Iterator::collect)
                    .map_err(|error| EngineError::passing(format!("{name}: {error}")))?
            }
        };
        for address in addresses {
            if !is_allowed(&networks(environment), address.ip()) {
                let (host, address) = (&host.value, address.ip());
                return Err(refused(format!(
                    "{host} leads to {address}, which is in none of the allowed networks of environment {}",
                    environment.name.value
                )));
            }
            points.push((host.value.clone(), address));
        }
    }
    Ok(points)
}

pub(super) fn networks(environment: &Environment) -> Vec<Network> {
    environment.cassandra.allowed_networks.iter().map(|network| network.value).collect()
}

pub(super) fn is_allowed(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

fn keyspaces_and_tables(
    environment: &Environment,
    tables: &Tables,
    rows: &SystemSchemaRows,
) -> Result<(), EngineError> {
    let datacenter = &environment.cassandra.datacenter.value;
    let own = &tables.rules.rules.table.value;
    let counts = tables.has_counts.then_some(COUNTS.0);
    for keyspace in [Some(own.keyspace.as_str()), counts].into_iter().flatten() {
        is_replicated_here_alone(rows, keyspace, datacenter)?;
    }
    let schema = build(rows).schema;
    let found = schema::check(&tables.rules, &schema);
    if let Some(first) = found.first() {
        let others = if found.len() > 1 { format!(" (and {} more)", found.len() - 1) } else { String::new() };
        return Err(refused(format!("the rules do not fit the table in {datacenter}: {first}{others}"))
            .next("cdc-jobs check --schema FILE says the same beforehand"));
    }
    if tables.has_counts {
        let table = schema.tables().find(|table| (table.keyspace.as_str(), table.name.as_str()) == COUNTS);
        let has = |(name, cql_type): &(&str, &str)| {
            table.is_some_and(|table| {
                let mut columns = table.partition_key.iter().chain(&table.clustering).chain(&table.regulars);
                columns.any(|column| column.name == *name && column.type_text == *cql_type)
            })
        };
        if !COUNTS_COLUMNS.iter().all(has) {
            return Err(refused(format!("{datacenter} has no table metrics.dq_counts of this form"))
                .next(format!("{COUNTS_CQL}; or leave it out: --no-counts-table")));
        }
    }
    Ok(())
}

/// A write with LOCAL_QUORUM is still sent to every data centre that the keyspace is replicated to.
fn is_replicated_here_alone(
    rows: &SystemSchemaRows,
    keyspace: &str,
    datacenter: &str,
) -> Result<(), EngineError> {
    let Some(row) = rows.keyspaces.iter().find(|row| row.keyspace_name == keyspace) else {
        return Err(refused(format!("the cluster has no keyspace {keyspace}")));
    };
    let class = row.replication.get("class").map(String::as_str).unwrap_or_default();
    let others = row.replication.keys().filter(|key| *key != "class" && *key != datacenter);
    let others: Vec<&str> = others.map(String::as_str).collect();
    let copies = row.replication.get(datacenter).map(String::as_str).unwrap_or("0");
    let is_by_network = class.rsplit('.').next() == Some("NetworkTopologyStrategy");
    if is_by_network && others.is_empty() && copies != "0" {
        return Ok(());
    }
    let how = match (is_by_network, others.as_slice()) {
        (false, _) => format!("by {class}, which knows no data centres"),
        (true, []) => "nowhere in it".to_owned(),
        (true, others) => format!("to {} too", others.join(", ")),
    };
    Err(refused(format!("keyspace {keyspace} must be replicated to {datacenter} and nowhere else; it is {how}"))
        .next(format!(
            "ALTER KEYSPACE … WITH replication = {{'class': 'NetworkTopologyStrategy', '{datacenter}': …}}, or write to a \
             keyspace that is"
        )))
}

fn refused(what: String) -> EngineError {
    EngineError::new(Exit::Usage, format!("refused before the first write: {what}"))
}

fn unreachable(error: CqlError) -> EngineError {
    match error.is_transient() {
        true => EngineError::passing(error.to_string()),
        false => EngineError::new(Exit::Destination, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::schema::rows::KeyspaceRow;

    fn answer(replication: &[(&str, &str)]) -> Result<(), String> {
        let replication: BTreeMap<_, _> =
            replication.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let row = KeyspaceRow { keyspace_name: "sales".to_owned(), durable_writes: true, replication };
        let rows = SystemSchemaRows { keyspaces: vec![row], ..SystemSchemaRows::default() };
        is_replicated_here_alone(&rows, "sales", "DC1").map_err(|error| error.to_string())
    }

    #[test]
    fn one_data_centre_and_no_other() {
        let class = ("class", "org.apache.cassandra.locator.NetworkTopologyStrategy");
        assert_eq!(answer(&[class, ("DC1", "3")]), Ok(()));
        for (replication, word) in [
            (vec![class, ("DC1", "3"), ("DC2", "3")], "to DC2 too"),
            (vec![class, ("DC2", "3")], "to DC2 too"),
            (vec![class, ("DC1", "3"), ("DC2", "0")], "to DC2 too"),
            (vec![class], "nowhere in it"),
            (vec![class, ("DC1", "0")], "nowhere in it"),
            (
                vec![("class", "org.apache.cassandra.locator.SimpleStrategy"), ("replication_factor", "1")],
                "knows no data centres",
            ),
        ] {
            let error = answer(&replication).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
