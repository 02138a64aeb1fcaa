//! Reading the rows of one side.

use std::net::{IpAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::Row;
use super::statement::{self, Key};
use crate::jobs::environment::{Cassandra, Environment};
use crate::jobs::network::Host;
use crate::jobs::rules::TableRules;
use crate::jobs::secret::SecretError;
use crate::schema::source::{
    CqlError, CqlSettings, CqlSource, Credentials, PageRequest, Pending, ReadConsistency, TlsSettings,
};

/// For the connections of a session that ends.
const CLOSES_WITHIN: Duration = Duration::from_secs(5);

/// How rows are read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of how many replicas of the data centre.
    pub consistency: ReadConsistency,
    /// For one side: connecting, and all rows.
    pub time: Duration,
}

/// Why a side could not be read. No value is in it.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A credential is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A node answered otherwise than asked, or not at all.
    #[error(transparent)]
    Cql(#[from] CqlError),
    /// The node is of another data centre.
    #[error(
        "{host} is of the data centre {found}, and the environment {environment} is {expected}: nothing was read"
    )]
    Datacenter {
        /// The environment.
        environment: String,
        /// Its node.
        host: String,
        /// As configured.
        expected: String,
        /// As the node says.
        found: String,
    },
    /// A name leads somewhere else.
    #[error(
        "{host} is {address}, which is in none of the allowed networks of {environment}: nothing was read"
    )]
    Network {
        /// The environment.
        environment: String,
        /// The name.
        host: String,
        /// What it leads to.
        address: IpAddr,
    },
    /// A name leads nowhere.
    #[error("{host} cannot be resolved: {reason}")]
    Unresolved {
        /// The name.
        host: String,
        /// Why not.
        reason: String,
    },
    /// The time is over.
    #[error("{environment} did not answer all within {} s", .limit.as_secs())]
    Time {
        /// The environment.
        environment: String,
        /// The limit.
        limit: Duration,
    },
    /// The rows are not as expected.
    #[error("{environment}: the answer has another form than the rules of the table")]
    Form {
        /// The environment.
        environment: String,
    },
}

/// The rows of these keys, by one session that is closed when this returns; None where there is none.
///
/// # Errors
/// No node answers, one is of another data centre or network, the user may not read, the time is over.
pub fn read(
    environment: &Environment,
    rules: &TableRules,
    keys: &[Key],
    limits: Limits,
) -> Result<Vec<Option<Row>>, CompareError> {
    let until = Instant::now() + limits.time;
    let source = connect(environment, limits, until)?;
    let rows = keys.iter().map(|key| one(&source, environment, rules, key, limits, until)).collect();
    source.close(CLOSES_WITHIN);
    rows
}

/// A session with the first node that answers. A node that answers wrongly ends it: the others are no better.
fn connect(environment: &Environment, limits: Limits, until: Instant) -> Result<CqlSource, CompareError> {
    let mut last = None;
    for host in &environment.cassandra.hosts {
        let address = allowed(environment, &host.value)?;
        let source = CqlSource::new(settings(&environment.cassandra, &host.value, address)?)?;
        match wait(source.start_node(), environment, limits, until) {
            Ok(node) => {
                let expected = &environment.cassandra.datacenter.value;
                if node.data_center == *expected {
                    return Ok(source);
                }
                source.close(CLOSES_WITHIN);
                return Err(CompareError::Datacenter {
                    environment: environment.name.value.clone(),
                    host: host.value.to_string(),
                    expected: expected.clone(),
                    found: node.data_center,
                });
            }
            Err(error @ CompareError::Cql(CqlError::Unreachable { .. } | CqlError::Timeout { .. })) => {
                source.close(CLOSES_WITHIN);
                last = Some(error);
            }
            Err(error) => {
                source.close(CLOSES_WITHIN);
                return Err(error);
            }
        }
    }
    let environment = environment.name.value.clone();
    Err(last.unwrap_or(CompareError::Time { environment, limit: limits.time }))
}

/// The address of a host, which must be in the environment's networks.
fn allowed(environment: &Environment, host: &Host) -> Result<IpAddr, CompareError> {
    let name = host.to_string();
    let address = match host {
        Host::Address(address) => *address,
        Host::Name(_) => {
            let unresolved = |reason: String| CompareError::Unresolved { host: name.clone(), reason };
            let mut found = (name.as_str(), environment.cassandra.port)
                .to_socket_addrs()
                .map_err(|error| unresolved(error.to_string()))?;
            found.next().ok_or_else(|| unresolved("it has no address".to_owned()))?.ip()
        }
    };
    let networks = &environment.cassandra.allowed_networks;
    if networks.iter().any(|network| network.value.contains(address)) {
        return Ok(address);
    }
    Err(CompareError::Network { environment: environment.name.value.clone(), host: name, address })
}

fn settings(cassandra: &Cassandra, host: &Host, address: IpAddr) -> Result<CqlSettings, CompareError> {
    let credentials = match &cassandra.credentials {
        None => None,
        Some(credentials) => Some(Credentials {
            user: credentials.value.username.text()?.to_string(),
            password: credentials.value.password.text()?,
        }),
    };
    let tls = cassandra.ca_file.clone().map(|file| TlsSettings {
        ca_file: Some(file),
        server_name: host.name().map(str::to_owned),
        ..TlsSettings::default()
    });
    Ok(CqlSettings { port: cassandra.port, credentials, tls, ..CqlSettings::new(&address.to_string()) })
}

fn one(
    source: &CqlSource,
    environment: &Environment,
    rules: &TableRules,
    key: &Key,
    limits: Limits,
    until: Instant,
) -> Result<Option<Row>, CompareError> {
    let cql = statement::select(rules, key);
    let request = PageRequest { cql, rows: 2, after: None, consistency: limits.consistency };
    let page = wait(source.start_page(request), environment, limits, until)?;
    match page.value(0, 0) {
        None => Ok(None),
        Some(json) => statement::row(rules, json)
            .map(Some)
            .ok_or_else(|| CompareError::Form { environment: environment.name.value.clone() }),
    }
}

fn wait<T>(
    pending: Pending<T>,
    environment: &Environment,
    limits: Limits,
    until: Instant,
) -> Result<T, CompareError> {
    match pending.wait_for(until.saturating_duration_since(Instant::now())) {
        Some(answer) => Ok(answer?),
        None => Err(CompareError::Time { environment: environment.name.value.clone(), limit: limits.time }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::jobs::project::Project;

    /// The address is what is connected to; the certificate of a node may have its name alone.
    #[test]
    fn a_name_may_stand_in_the_certificate() {
        let (project, _) = Project::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs"));
        let mut cassandra = project.environments.0[0].cassandra.clone();
        cassandra.ca_file = Some("ca.pem".into());
        let name = |host: &str| {
            let settings = settings(&cassandra, &host.parse().unwrap(), [10, 0, 0, 1].into()).unwrap();
            assert_eq!(settings.host, "10.0.0.1");
            settings.tls.unwrap().server_name
        };
        assert_eq!(name("Node1.example.com").as_deref(), Some("node1.example.com"));
        assert_eq!(name("10.0.0.1"), None);
    }

    #[test]
    fn only_the_environments_own_networks() {
        let (project, _) = Project::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs"));
        let onprem = &project.environments.0[0];
        assert!(allowed(onprem, &"127.0.0.1".parse().unwrap()).is_ok());
        let error = allowed(onprem, &"127.0.0.2".parse().unwrap()).unwrap_err();
        assert!(matches!(&error, CompareError::Network { .. }), "{error}");
        // `cloud` allows 127.0.0.2 alone, and this name leads elsewhere.
        let error = allowed(&project.environments.0[1], &"localhost".parse().unwrap()).unwrap_err();
        assert!(matches!(&error, CompareError::Network { .. }), "{error}");
    }
}
