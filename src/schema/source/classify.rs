//! The driver's errors → [`CqlError`]: what a user can do about them.

use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind as SetupError, DbError,
    ExecutionError, MetadataError, NewSessionError, RequestAttemptError,
};

use super::{CqlError, CqlSettings};

/// Why there is no session.
pub(super) fn connecting(settings: &CqlSettings, error: &NewSessionError) -> CqlError {
    match error {
        NewSessionError::MetadataError(MetadataError::ConnectionPoolError(error)) => pool(settings, error),
        other => unreachable(settings, other.to_string()),
    }
}

/// Why a statement gave no rows.
pub(super) fn reading(settings: &CqlSettings, table: &'static str, error: &ExecutionError) -> CqlError {
    let address = settings.address();
    match error {
        ExecutionError::ConnectionPoolError(error) => pool(settings, error),
        ExecutionError::RequestTimeout(after) => CqlError::Timeout { address, table, after: *after },
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(DbError::Unauthorized, reason)) => {
            CqlError::Unauthorized { address, table, reason: reason.clone() }
        }
        ExecutionError::LastAttemptError(RequestAttemptError::BrokenConnectionError(error)) => {
            unreachable(settings, error.to_string())
        }
        other => CqlError::Query { address, table, reason: other.to_string() },
    }
}

fn pool(settings: &CqlSettings, error: &ConnectionPoolError) -> CqlError {
    match error {
        ConnectionPoolError::Broken { last_connection_error } => connection(settings, last_connection_error),
        other => unreachable(settings, other.to_string()),
    }
}

fn connection(settings: &CqlSettings, error: &ConnectionError) -> CqlError {
    let address = settings.address();
    match error {
        ConnectionError::IoError(error) if error.raw_os_error().is_none() && settings.tls.is_some() => {
            CqlError::Tls { address, reason: error.to_string() }
        }
        ConnectionError::ConnectionSetupRequestError(setup) => match setup.get_error() {
            SetupError::DbError(DbError::AuthenticationError, reason) => {
                CqlError::Authentication { address, reason: reason.clone() }
            }
            SetupError::MissingAuthentication => CqlError::Authentication {
                address,
                reason: "the node wants a user and a password".to_owned(),
            },
            other => unreachable(settings, other.to_string()),
        },
        other => unreachable(settings, other.to_string()),
    }
}

fn unreachable(settings: &CqlSettings, reason: String) -> CqlError {
    CqlError::Unreachable { address: settings.address(), reason }
}
