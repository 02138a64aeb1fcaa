//! How to reach the node.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// The port for CQL clients unless the node is configured otherwise.
pub const DEFAULT_PORT: u16 = 9042;

/// How to reach the node beside the agent.
#[derive(Debug, Clone)]
pub struct CqlSettings {
    /// Host name or IP address at which the node takes CQL clients.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User and password, when the node wants them.
    pub credentials: Option<Credentials>,
    /// TLS, when the node offers it. Without it nothing is encrypted.
    pub tls: Option<TlsSettings>,
    /// Limit for a connection: TCP, TLS, authentication.
    pub connect_timeout: Duration,
    /// Limit for one answer, and for one page of rows.
    pub request_timeout: Duration,
}

impl CqlSettings {
    /// The node at `host`, with the default port, without TLS and password; 5 s to connect, 10 s for an answer.
    #[must_use]
    pub fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: DEFAULT_PORT,
            credentials: None,
            tls: None,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
        }
    }

    /// `host:port`, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// A user of the node. It needs no grants: every user may read `system_schema` and `system.local`.
#[derive(Clone)]
pub struct Credentials {
    /// Name of the role.
    pub user: String,
    /// Its password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// TLS to the node. Its certificate is always verified: against the authorities, and against the address or name.
#[derive(Debug, Clone, Default)]
pub struct TlsSettings {
    /// PEM file with the certificates of the authorities to trust; `None`: those of the system.
    pub ca_file: Option<PathBuf>,
    /// PEM file with the client's certificate and those that lead to its authority.
    pub certificate_file: Option<PathBuf>,
    /// PEM file with the client's private key, not encrypted.
    pub key_file: Option<PathBuf>,
    /// The DNS name in the node's certificate, when that does not have the address at which the node is reached.
    pub server_name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        let password = Zeroizing::new("canary".to_owned());
        let settings = CqlSettings {
            credentials: Some(Credentials { user: "agent".to_owned(), password }),
            ..CqlSettings::new("::1")
        };
        let text = format!("{settings:?}");
        assert!(text.contains("agent") && !text.contains("canary"), "{text}");
        assert_eq!(settings.address(), "[::1]:9042");
    }
}
