//! The schema of a running node.
//!
//! [`identity`] is pure, and so is the policy in [`super::refresh`]; only `CqlSource` (feature `cql`) talks to the
//! network. It asks the node beside the agent and no other one: schemas of two nodes may differ for a while, and the
//! log was written with that of its own node.

pub mod identity;
pub mod page;
pub mod ranges;
pub mod ring;

#[cfg(feature = "cql")]
mod classify;
#[cfg(feature = "cql")]
mod connection;
#[cfg(feature = "cql")]
mod error;
#[cfg(feature = "cql")]
mod node_settings;
#[cfg(feature = "cql")]
mod paging;
#[cfg(feature = "cql")]
mod pending;
#[cfg(feature = "cql")]
mod query;
#[cfg(feature = "cql")]
mod session;
#[cfg(feature = "cql")]
mod settings;
#[cfg(feature = "cql")]
mod tls;

#[cfg(feature = "cql")]
pub use connection::CqlSource;
#[cfg(feature = "cql")]
pub use error::CqlError;
pub use identity::{ExpectedNode, IdentityError, NodeInfo};
pub use page::{Page, ReadConsistency};
#[cfg(feature = "cql")]
pub use paging::PageRequest;
#[cfg(feature = "cql")]
pub use pending::Pending;
#[cfg(feature = "cql")]
pub use query::Fetched;
pub use ranges::{RangeError, TokenRange, primary_ranges};
pub use ring::{PeerInfo, Ring};
#[cfg(feature = "cql")]
pub use settings::{CqlSettings, Credentials, DEFAULT_PORT, TlsSettings};
#[cfg(feature = "cql")]
pub(crate) use tls::context as tls_context;
