//! Which part of the ring a node owns first: what its snapshots read, and what it publishes where each change is to be
//! published once.

use super::Ring;

/// The partitioner whose tokens are known here.
const MURMUR3: &str = "org.apache.cassandra.dht.Murmur3Partitioner";

/// Tokens greater than `after`, up to and with `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenRange {
    /// The last token before the range.
    pub after: i64,
    /// The last token of the range.
    pub to: i64,
}

/// Why a node has no ranges to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// Its tokens are no numbers of 64 bits.
    #[error("the cluster's partitioner is {0}, and tokens are known of {MURMUR3} only")]
    Partitioner(String),
    /// It does not take part in the ring yet.
    #[error("the node has no tokens: it has not joined its ring; try again when `nodetool status` says UN")]
    NoTokens,
    /// A text that is no token.
    #[error("`{0}` is no token")]
    NotAToken(String),
    /// The keyspace is nowhere.
    #[error("the keyspace `{0}` is not there")]
    NoKeyspace(String),
    /// The keyspace has no replicas in the node's data centre.
    #[error("the keyspace `{keyspace}` has no replicas in data centre `{dc}`: there is nothing to read here")]
    NotHere {
        /// The keyspace.
        keyspace: String,
        /// The data centre.
        dc: String,
    },
}

/// The ranges that `ring.node` owns first, in ascending order; none wraps around. The nodes of a data centre read each
/// partition of a keyspace once, together: the first owner of a token in a data centre is a replica there.
///
/// With `SimpleStrategy`, which knows no data centres, the ring is all nodes of the cluster.
///
/// # Errors
/// There is nothing that this node could read.
pub fn primary_ranges(ring: &Ring, keyspace: &str) -> Result<Vec<TokenRange>, RangeError> {
    let node = &ring.node;
    if node.partitioner != MURMUR3 {
        return Err(RangeError::Partitioner(node.partitioner.clone()));
    }
    let own = tokens(&node.tokens)?;
    if own.is_empty() {
        return Err(RangeError::NoTokens);
    }
    let replication = ring.keyspaces.get(keyspace);
    let Some((replication, class)) = replication.and_then(|options| Some((options, options.get("class")?)))
    else {
        return Err(RangeError::NoKeyspace(keyspace.to_owned()));
    };
    let by_data_centre = class.rsplit('.').next() == Some("NetworkTopologyStrategy");
    let replicas = replication.get(&node.data_center).map(String::as_str);
    if by_data_centre && matches!(replicas, None | Some("0")) {
        return Err(RangeError::NotHere { keyspace: keyspace.to_owned(), dc: node.data_center.clone() });
    }
    let mut all = own.clone();
    for peer in &ring.peers {
        let is_of_ring = !by_data_centre || peer.data_center.as_ref() == Some(&node.data_center);
        if is_of_ring && let Some(texts) = &peer.tokens {
            all.extend(tokens(texts)?);
        }
    }
    Ok(owned_first(&own, all))
}

fn tokens(texts: &[String]) -> Result<Vec<i64>, RangeError> {
    texts.iter().map(|text| text.parse().map_err(|_| RangeError::NotAToken(text.clone()))).collect()
}

/// The ranges that end at the `own` tokens and begin at the one before in the ring of `all`.
fn owned_first(own: &[i64], mut all: Vec<i64>) -> Vec<TokenRange> {
    all.sort_unstable();
    let mut ranges = Vec::new();
    for to in own.iter().copied() {
        let before = all.iter().copied().take_while(|token| *token < to).last();
        match before {
            Some(after) => ranges.push(TokenRange { after, to }),
            // Around the end of the ring. No key has the smallest token.
            None => {
                let after = all.last().copied().unwrap_or(to);
                ranges.push(TokenRange { after, to: i64::MAX });
                ranges.push(TokenRange { after: i64::MIN, to });
            }
        }
    }
    ranges.retain(|range| range.after < range.to);
    ranges.sort_unstable_by_key(|range| range.to);
    ranges
}

/// The first range that is not done when everything up to `done_to` is, without what is done of it.
#[must_use]
pub fn next_range(ranges: &[TokenRange], done_to: Option<i64>) -> Option<TokenRange> {
    let Some(done_to) = done_to else { return ranges.first().copied() };
    let range = ranges.iter().find(|range| range.to > done_to)?;
    Some(TokenRange { after: range.after.max(done_to), to: range.to })
}

/// How much of the ranges is done when everything up to `token` is, in hundredths of a percent.
#[must_use]
pub fn done_share(ranges: &[TokenRange], token: Option<i64>) -> u16 {
    let length = |range: &TokenRange| u128::from(range.to.abs_diff(range.after));
    let done = |range: &TokenRange| {
        let to = token.map_or(range.after, |token| token.clamp(range.after, range.to));
        u128::from(to.abs_diff(range.after))
    };
    let all: u128 = ranges.iter().map(length).sum();
    let done: u128 = ranges.iter().map(done).sum();
    u16::try_from((done * 10_000).checked_div(all).unwrap_or(10_000)).unwrap_or(10_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::schema::source::{NodeInfo, PeerInfo};

    fn ring(own: &[&str], peers: &[(&str, &[&str])], replication: &[(&str, &str)]) -> Ring {
        let texts = |tokens: &[&str]| tokens.iter().map(|&token| token.to_owned()).collect::<Vec<_>>();
        let peer = |(dc, tokens): &(&str, &[&str])| PeerInfo {
            data_center: Some((*dc).to_owned()),
            tokens: Some(texts(tokens)),
        };
        let options =
            replication.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Ring {
            node: NodeInfo {
                cluster_name: "c".to_owned(),
                data_center: "dc1".to_owned(),
                rack: "r".to_owned(),
                host_id: String::new(),
                release_version: "4.1.7".to_owned(),
                schema_version: String::new(),
                partitioner: MURMUR3.to_owned(),
                tokens: texts(own),
            },
            peers: peers.iter().map(peer).collect(),
            keyspaces: BTreeMap::from([("k".to_owned(), options)]),
        }
    }

    const NTS: &[(&str, &str)] =
        &[("class", "org.apache.cassandra.locator.NetworkTopologyStrategy"), ("dc1", "3")];
    const SIMPLE: &[(&str, &str)] =
        &[("class", "org.apache.cassandra.locator.SimpleStrategy"), ("replication_factor", "1")];

    fn pairs(ranges: &[TokenRange]) -> Vec<(i64, i64)> {
        ranges.iter().map(|range| (range.after, range.to)).collect()
    }

    #[test]
    fn a_node_alone_owns_the_whole_ring() {
        let found = primary_ranges(&ring(&["7"], &[], NTS), "k").unwrap();
        assert_eq!(pairs(&found), [(i64::MIN, 7), (7, i64::MAX)]);
        let ends = ["-9223372036854775808", "0", "9223372036854775807"];
        let found = primary_ranges(&ring(&ends, &[], NTS), "k").unwrap();
        assert_eq!(pairs(&found), [(i64::MIN, 0), (0, i64::MAX)], "no key has the smallest token");
    }

    #[test]
    fn the_ranges_of_a_data_centre_are_those_between_its_own_tokens() {
        let peers: &[(&str, &[&str])] = &[("dc1", &["-50", "50"]), ("dc2", &["-10", "90"])];
        let found = primary_ranges(&ring(&["0", "100"], peers, NTS), "k").unwrap();
        assert_eq!(pairs(&found), [(-50, 0), (50, 100)]);
        let found = primary_ranges(&ring(&["0", "100"], peers, SIMPLE), "k").unwrap();
        assert_eq!(pairs(&found), [(-10, 0), (90, 100)], "SimpleStrategy knows no data centres");
        let found = primary_ranges(&ring(&["-60", "10"], peers, NTS), "k").unwrap();
        assert_eq!(pairs(&found), [(i64::MIN, -60), (-50, 10), (50, i64::MAX)]);
    }

    #[test]
    fn all_nodes_together_own_every_token_once() {
        let nodes: [&[&str]; 3] = [&["-7", "30"], &["-1", "12"], &["5"]];
        let mut all = Vec::new();
        for own in 0..nodes.len() {
            let others: Vec<(&str, &[&str])> =
                (0..nodes.len()).filter(|node| *node != own).map(|node| ("dc1", nodes[node])).collect();
            all.extend(pairs(&primary_ranges(&ring(nodes[own], &others, NTS), "k").unwrap()));
        }
        all.sort_unstable();
        let ends: Vec<i64> = all.iter().map(|range| range.1).collect();
        let starts: Vec<i64> = all.iter().skip(1).map(|range| range.0).collect();
        assert_eq!(ends[..ends.len() - 1], starts, "each begins where one ends");
        assert_eq!((all[0].0, *ends.last().unwrap()), (i64::MIN, i64::MAX));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let other = &[("class", "NetworkTopologyStrategy"), ("dc2", "3")];
        let error = primary_ranges(&ring(&["1"], &[], other), "k").unwrap_err();
        assert!(error.to_string().contains("no replicas in data centre `dc1`"), "{error}");
        assert_eq!(primary_ranges(&ring(&[], &[], NTS), "k"), Err(RangeError::NoTokens));
        assert_eq!(primary_ranges(&ring(&["1"], &[], &[]), "k"), Err(RangeError::NoKeyspace("k".to_owned())));
        let mut random = ring(&["1"], &[], NTS);
        random.node.partitioner = "org.apache.cassandra.dht.RandomPartitioner".to_owned();
        assert!(matches!(primary_ranges(&random, "k"), Err(RangeError::Partitioner(_))));
    }

    #[test]
    fn goes_on_behind_what_is_done() {
        let ranges = [TokenRange { after: i64::MIN, to: -50 }, TokenRange { after: 0, to: 100 }];
        assert_eq!(next_range(&ranges, None), Some(ranges[0]));
        assert_eq!(next_range(&ranges, Some(-50)), Some(ranges[1]));
        assert_eq!(next_range(&ranges, Some(40)), Some(TokenRange { after: 40, to: 100 }));
        assert_eq!(next_range(&ranges, Some(100)), None);
        let halves = [TokenRange { after: 0, to: 100 }, TokenRange { after: 200, to: 300 }];
        let shares = [None, Some(0), Some(50), Some(150), Some(300)].map(|token| done_share(&halves, token));
        assert_eq!(shares, [0, 0, 2500, 5000, 10_000]);
    }
}
