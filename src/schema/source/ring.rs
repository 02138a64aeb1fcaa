//! The ring: which tokens the nodes of a cluster have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NodeInfo;

/// What a node knows of its ring, and how keyspaces are spread over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring {
    /// The node that was asked.
    pub node: NodeInfo,
    /// The other ones.
    pub peers: Vec<PeerInfo>,
    /// Replication options by keyspace, `class` among them.
    pub keyspaces: BTreeMap<String, BTreeMap<String, String>>,
}

/// Another node of the ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// Data centre; `None` while little is known of it.
    pub data_center: Option<String>,
    /// Its tokens as the partitioner prints them.
    pub tokens: Option<Vec<String>>,
}

impl NodeInfo {
    /// The first number of the version of Cassandra; 0 when there is none.
    #[must_use]
    pub fn major_version(&self) -> u32 {
        self.release_version.split('.').next().and_then(|first| first.parse().ok()).unwrap_or(0)
    }
}
