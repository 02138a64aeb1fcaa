//! The node's ring, where only what the node owns first is published.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::node::unanswered;
use crate::agent::config::check::failed;
use crate::agent::record_options::table_filter;
use crate::agent::run::owned_first::{Ranges, unusable};
use crate::cli::{OwnershipWord, RunOptions};
use crate::schema::Schema;
use crate::schema::source::{CqlSource, Ring};

const CHECK: &str = "node.ring";

/// `schema`: the node's.
pub(super) fn check(source: &CqlSource, options: &RunOptions, schema: Option<&Schema>) -> Option<Finding> {
    if options.live.log.ownership != OwnershipWord::Primary {
        return None;
    }
    let filter = table_filter(&options.settings.filter);
    let tables = schema.into_iter().flat_map(Schema::tables).filter(|table| filter.wants(table));
    let keyspaces: BTreeSet<&str> = tables.map(|table| table.keyspace.as_str()).collect();
    Some(match source.start_ring().wait() {
        Ok(ring) => judge(&ring, &keyspaces),
        Err(error) => unanswered(CHECK, &error),
    })
}

/// What follows from a ring for tables of these keyspaces.
fn judge(ring: &Ring, keyspaces: &BTreeSet<&str>) -> Finding {
    let ranges = match Ranges::of(ring) {
        Ok(ranges) => ranges,
        Err(error) => return failed(CHECK, &unusable(&error)),
    };
    if ring.node.tokens.is_empty() {
        return Finding::warn(
            CHECK,
            "ownership is primary, and the node has no tokens: nothing of it is published before it has joined its ring",
            "wait until nodetool status says UN",
        );
    }
    let owned = |keyspace: &&str| match ranges.count(keyspace) {
        Some(count) => format!("{keyspace} {count}"),
        None => format!("{keyspace} everything (it has no replicas in this data centre)"),
    };
    let owned: Vec<String> = keyspaces.iter().map(owned).collect();
    let (nodes, partitioner) = (ring.peers.len() + 1, &ring.node.partitioner);
    let found = format!(
        "{nodes} node(s) in the ring, partitioner {partitioner}; token ranges that the node owns first, and publishes: {}",
        owned.join(", ")
    );
    match ring.peers.iter().filter(|peer| peer.tokens.is_none()).count() {
        0 => Finding::pass(CHECK, found),
        unknown => Finding::warn(
            CHECK,
            format!("{found}; the tokens of {unknown} other node(s) are not known yet"),
            "change to ownership = \"primary\" when the ring is at rest",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::agent::doctor::finding::Verdict;
    use crate::agent::exit::Exit;
    use crate::schema::source::{NodeInfo, PeerInfo};

    fn ring(tokens: &[&str], peers: Vec<Option<&[&str]>>) -> Ring {
        let texts = |tokens: &[&str]| tokens.iter().map(|token| (*token).to_owned()).collect::<Vec<_>>();
        let options = |dc: &str| {
            let pairs = [("class", "org.apache.cassandra.locator.NetworkTopologyStrategy"), (dc, "1")];
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect()
        };
        let peer = |tokens: Option<&[&str]>| PeerInfo {
            data_center: Some("here".to_owned()),
            tokens: tokens.map(texts),
        };
        Ring {
            node: serde_json::from_value::<NodeInfo>(serde_json::json!({
                "host_id": "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47",
                "cluster_name": "c",
                "data_center": "here",
                "rack": "r",
                "release_version": "4.1.3",
                "schema_version": "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b48",
                "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
                "tokens": texts(tokens),
            }))
            .unwrap(),
            peers: peers.into_iter().map(peer).collect(),
            keyspaces: BTreeMap::from([
                ("k".to_owned(), options("here")),
                ("far".to_owned(), options("there")),
            ]),
        }
    }

    fn judged(ring: &Ring) -> Finding {
        judge(ring, &BTreeSet::from(["far", "k"]))
    }

    #[test]
    fn what_a_node_owns_first_is_told_and_what_is_not_known() {
        let two = judged(&ring(&["-5", "5"], vec![Some(&["0"])]));
        assert_eq!(two.verdict, Verdict::Pass);
        // Up to -5, from 0 up to 5, and what wraps around from 5.
        assert!(two.found.contains("far everything") && two.found.contains("k 3"), "{}", two.found);
        assert_eq!(judged(&ring(&["-5", "5"], vec![None])).verdict, Verdict::Warn);
        assert_eq!(judged(&ring(&[], vec![Some(&["0"])])).verdict, Verdict::Warn);
    }

    #[test]
    fn a_ring_that_run_does_not_take_fails_as_it_does_there() {
        let mut random = ring(&["5"], Vec::new());
        random.node.partitioner = "org.apache.cassandra.dht.RandomPartitioner".to_owned();
        let found = judged(&random);
        assert_eq!((found.verdict, found.exit), (Verdict::Fail, Exit::Usage));
        assert!(found.found.contains("RandomPartitioner") && found.fix.contains("\"all\""), "{found:?}");
    }
}
