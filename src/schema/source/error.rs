//! Why a node did not give its schema.

use std::time::Duration;

use super::super::file::FileError;

/// Why a node did not give its schema. The texts hold neither passwords nor values of tables.
#[derive(Debug, thiserror::Error)]
pub enum CqlError {
    /// The settings cannot work, whatever the node does.
    #[error("CQL settings: {what}: {reason}; {hint}")]
    Settings {
        /// The setting, with the file when it names one.
        what: String,
        /// What is wrong.
        reason: String,
        /// What would be right.
        hint: &'static str,
    },
    /// Nothing answers, or the connection broke. Normal while a node restarts.
    #[error(
        "node {address}: not reachable over CQL: {reason}; is it up, and is this the address of its CQL clients (rpc_address, native_transport_port)?"
    )]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the connection says.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error(
        "node {address}: no TLS connection: {reason}; check the authorities, the client certificate, and that the node's certificate has the address or the configured server name"
    )]
    Tls {
        /// Host and port.
        address: String,
        /// What the handshake says.
        reason: String,
    },
    /// User or password are wrong or missing.
    #[error("node {address}: authentication refused: {reason}; check the user and the password")]
    Authentication {
        /// Host and port.
        address: String,
        /// What the node says.
        reason: String,
    },
    /// The user may not read what it must.
    #[error("node {address}: reading {table} is not allowed: {reason}; grant SELECT on it to the user")]
    Unauthorized {
        /// Host and port.
        address: String,
        /// The table.
        table: &'static str,
        /// What the node says.
        reason: String,
    },
    /// No answer in time.
    #[error("node {address}: no answer within {} ms while reading {table}; is it overloaded?", after.as_millis())]
    Timeout {
        /// Host and port.
        address: String,
        /// The table.
        table: &'static str,
        /// The limit.
        after: Duration,
    },
    /// The node answered with an error.
    #[error("node {address}: reading {table} failed: {reason}; look into the node's log")]
    Query {
        /// Host and port.
        address: String,
        /// The table.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The node's rows are not as expected.
    #[error("node {address}: rows of system_schema: {error}")]
    Rows {
        /// Host and port.
        address: String,
        /// What is wrong where.
        error: FileError,
    },
    /// The schema changed while it was read, several times in a row.
    #[error(
        "node {address}: its schema changed while it was read, {attempts} times in a row; try again later"
    )]
    Changing {
        /// Host and port.
        address: String,
        /// How often it was read.
        attempts: u32,
    },
    /// The source is shutting down.
    #[error("node {address}: the CQL source ended before it answered; make a new one")]
    Ended {
        /// Host and port.
        address: String,
    },
}

impl CqlError {
    /// Whether the same request may succeed later without anybody changing the configuration.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Query { .. } | Self::Changing { .. } => {
                true
            }
            Self::Settings { .. }
            | Self::Tls { .. }
            | Self::Authentication { .. }
            | Self::Unauthorized { .. }
            | Self::Rows { .. }
            | Self::Ended { .. } => false,
        }
    }

    /// Whether a node may say this of settings that are right, for some minutes: one that starts cannot read its roles and
    /// permissions before enough others answer, and a handshake that a stopping node cuts looks like one that failed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Tls { .. } | Self::Authentication { .. } | Self::Unauthorized { .. })
    }
}
