//! Which node it is: what `system.local` says, compared with what is configured.

use serde::{Deserialize, Serialize};

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Name of the cluster.
    pub cluster_name: String,
    /// Data centre.
    pub data_center: String,
    /// Rack.
    pub rack: String,
    /// Host id, a UUID as text.
    pub host_id: String,
    /// Version of Cassandra.
    pub release_version: String,
    /// Version of the schema, a UUID as text: it changes with the schema.
    pub schema_version: String,
    /// Class of the partitioner.
    pub partitioner: String,
    /// The node's tokens as the partitioner prints them. Empty while the node joins its ring.
    #[serde(default, deserialize_with = "tokens")]
    pub tokens: Vec<String>,
}

/// A null is a node without tokens.
fn tokens<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// The node that the agent is configured for; what is not configured is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedNode {
    /// Name of the cluster.
    pub cluster: Option<String>,
    /// Data centre.
    pub dc: Option<String>,
    /// Host id.
    pub host_id: Option<String>,
}

/// The node is another one than the configured one: its changes would be published under a wrong name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the node is of another {what}: configured is `{expected}`, and the node says `{found}`; correct `{key}`, or connect to the node whose commit log this is"
)]
pub struct IdentityError {
    /// What differs: `cluster`, `data centre`, `host id`.
    pub what: &'static str,
    /// The key of the configuration.
    pub key: &'static str,
    /// As configured.
    pub expected: String,
    /// As the node says.
    pub found: String,
}

impl NodeInfo {
    /// Whether it is the node that the agent is configured for.
    ///
    /// # Errors
    /// The first difference, of cluster, data centre and host id, in this order. Letters of a host id count as equal
    /// in either case; names do not.
    pub fn check(&self, expected: &ExpectedNode) -> Result<(), IdentityError> {
        let pairs = [
            ("cluster", "cluster", &expected.cluster, &self.cluster_name),
            ("data centre", "dc", &expected.dc, &self.data_center),
            ("host id", "host_id", &expected.host_id, &self.host_id),
        ];
        for (what, key, expected, found) in pairs {
            let same = |expected: &String| match key {
                "host_id" => expected.eq_ignore_ascii_case(found),
                _ => expected == found,
            };
            if let Some(expected) = expected.as_ref().filter(|expected| !same(expected)) {
                let (expected, found) = (expected.clone(), found.clone());
                return Err(IdentityError { what, key, expected, found });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Cassandra 4.1 prints it; a node that joins has no tokens.
    const LOCAL: &str = r#"{"cluster_name":"main","data_center":"dc1","rack":"r1",
        "host_id":"6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47","release_version":"4.1.10",
        "schema_version":"1adcea1d-5d6d-3eb3-a2c4-4c4f6a9c2a24",
        "partitioner":"org.apache.cassandra.dht.Murmur3Partitioner","tokens":null}"#;

    fn expected(cluster: &str, dc: &str, host_id: &str) -> ExpectedNode {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ExpectedNode { cluster: some(cluster), dc: some(dc), host_id: some(host_id) }
    }

    #[test]
    fn only_what_is_configured_is_compared() {
        let node: NodeInfo = serde_json::from_str(LOCAL).unwrap();
        assert_eq!(node.tokens, Vec::<String>::new());
        assert_eq!(node.check(&ExpectedNode::default()), Ok(()));
        let host_id = "6AB09BEC-e68e-48d9-a5f8-97e6fb4c9b47";
        assert_eq!(node.check(&expected("main", "dc1", host_id)), Ok(()));
    }

    #[test]
    fn a_difference_is_named_with_both_values() {
        let node: NodeInfo = serde_json::from_str(LOCAL).unwrap();
        for (expected, key, values) in [
            (expected("Main", "dc1", ""), "cluster", ["`Main`", "`main`"]),
            (expected("main", "dc2", ""), "dc", ["`dc2`", "`dc1`"]),
            (
                expected("", "", "6ab09bec-0000-48d9-a5f8-97e6fb4c9b47"),
                "host_id",
                ["6ab09bec-0000", "6ab09bec-e68e"],
            ),
        ] {
            let error = node.check(&expected).unwrap_err();
            assert_eq!(error.key, key);
            let text = error.to_string();
            assert!(values.iter().all(|value| text.contains(value)), "{text}");
        }
    }
}
