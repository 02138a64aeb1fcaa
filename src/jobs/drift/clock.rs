//! How far a side is known to be complete.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::options::{Hosts, SideOptions};

/// Heartbeats of a node that are kept for gaps that are told of late: one a minute, the last two days.
const MARKS: usize = 2880;
const BETWEEN_MARKS_MS: i64 = 60_000;

/// Of a table that was created a moment ago heartbeats may come before the creation is read: so long, microseconds.
/// What was heard of before is an older table of that name.
const KNOWN_FIRST_US: i64 = 15_000_000;

/// Nothing was logged before.
const EVER: i64 = i64::MIN;

/// The watermarks of one side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Clock {
    hosts: BTreeMap<String, Host>,
    /// Up to here nothing is known: where its stream begins. [`EVER`] where it has all that was ever logged.
    began_us: Option<i64>,
    /// By node the partitions that have all that it ever logged of the table, and when that was created, microseconds.
    #[serde(default)]
    wholes: BTreeMap<String, BTreeMap<i32, i64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Host {
    /// The first and the newest watermark by partition.
    partitions: BTreeMap<i32, (i64, i64)>,
    /// When the agent said what, from time to time: `ts_ms`, `wm_us`.
    marks: VecDeque<(i64, i64)>,
}

/// How far a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard<'c> {
    /// The node.
    pub(super) host_id: &'c str,
    /// Its watermark: that of all partitions.
    pub(super) watermark_us: Option<i64>,
    /// How far it is behind others, microseconds.
    pub(super) behind_us: i64,
}

impl Host {
    /// That of so many partitions; None while one of them has none.
    fn watermark_us(&self, partitions: usize) -> Option<i64> {
        let all = self.partitions.values().map(|(_, newest)| *newest);
        all.min().filter(|_| self.partitions.len() >= partitions)
    }

    fn newest_us(&self) -> Option<i64> {
        self.partitions.values().map(|(_, newest)| *newest).max()
    }
}

impl Clock {
    /// Takes a heartbeat.
    pub(super) fn hear(
        &mut self,
        options: &SideOptions,
        host_id: &str,
        partition: i32,
        wm_us: i64,
        ts_ms: i64,
    ) {
        let host = self.hosts.entry(host_id.to_owned()).or_default();
        let (_, newest) = host.partitions.entry(partition).or_insert((wm_us, wm_us));
        // An agent that was set back repeats itself; what was complete stays so.
        *newest = wm_us.max(*newest);
        let is_due = |(last, _): &(i64, i64)| ts_ms.saturating_sub(*last) >= BETWEEN_MARKS_MS;
        if host.marks.back().is_none_or(is_due) {
            // Of all partitions the one that is furthest behind is right for each of them.
            let behind = host.partitions.values().map(|(_, newest)| *newest).min().unwrap_or(wm_us);
            host.marks.push_back((ts_ms, behind));
            if host.marks.len() > MARKS {
                host.marks.pop_front();
            }
        }
        if self.began_us.is_none() && self.watermark_us(options).is_some() {
            self.began_us = Some(self.begin_us(i64::MAX));
        }
    }

    /// This node logged nothing of the table before `created_us`; what it did stands in this partition.
    pub(super) fn begins(&mut self, host_id: String, partition: i32, created_us: i64) {
        let heard = self.hosts.get(&host_id).and_then(|host| host.partitions.get(&partition));
        if heard.is_some_and(|(first_us, _)| *first_us < created_us.saturating_sub(KNOWN_FIRST_US)) {
            return;
        }
        self.wholes.entry(host_id).or_default().entry(partition).or_insert(created_us);
        self.began_us = self.began_us.map(|before_us| self.begin_us(before_us));
    }

    /// The last of the first watermarks of partitions that are not whole, as far as they are not later than `to_us`: nodes
    /// that came later do not count.
    fn begin_us(&self, to_us: i64) -> i64 {
        let firsts = self.hosts.iter().flat_map(|(host_id, host)| {
            let wholes = self.wholes.get(host_id);
            let is_whole = move |partition| wholes.is_some_and(|of| of.contains_key(partition));
            host.partitions.iter().filter(move |(partition, _)| !is_whole(partition))
        });
        let firsts = firsts.map(|(_, (first_us, _))| *first_us);
        firsts.filter(|first_us| *first_us <= to_us).max().unwrap_or(EVER)
    }

    /// Everything that was logged before is told: the smallest watermark of the nodes that count, in all partitions.
    pub(super) fn watermark_us(&self, options: &SideOptions) -> Option<i64> {
        self.of_hosts(options).map(|(_, watermark)| watermark).min().flatten()
    }

    /// How many partitions there are: those of the topic, and those that heartbeats tell of. Hash events of a CDC topic may
    /// stand in a topic of fewer partitions.
    fn partitions(&self, options: &SideOptions) -> usize {
        let last = self.hosts.values().filter_map(|host| host.partitions.keys().next_back()).max();
        let heard = last.map_or(0, |last| last.saturating_add(1));
        usize::try_from(heard.max(options.partitions)).unwrap_or_default()
    }

    /// The watermark of each node that counts.
    fn of_hosts<'c>(
        &'c self,
        options: &'c SideOptions,
    ) -> Box<dyn Iterator<Item = (&'c str, Option<i64>)> + 'c> {
        let partitions = self.partitions(options);
        match &options.hosts {
            Hosts::Any => Box::new(
                self.hosts.iter().map(move |(name, host)| (name.as_str(), host.watermark_us(partitions))),
            ),
            Hosts::These(names) => Box::new(names.iter().map(move |name| {
                let host = self.hosts.get(name);
                (name.as_str(), host.and_then(|host| host.watermark_us(partitions)))
            })),
        }
    }

    /// How far each node that counts is. `newest_us` is the newest watermark of either side, `first_us` what that was when
    /// the first heartbeat came.
    pub(super) fn heard<'c>(
        &'c self,
        options: &'c SideOptions,
        newest_us: i64,
        first_us: i64,
    ) -> impl Iterator<Item = Heard<'c>> {
        let newest = self.newest_by_partition();
        self.of_hosts(options).map(move |(host_id, watermark_us)| {
            let host = self.hosts.get(host_id);
            let behind_us = host.and_then(|host| behind_us(host, &newest, newest_us));
            // Who was never heard is given as long as anybody else.
            let behind_us = behind_us.unwrap_or_else(|| newest_us.saturating_sub(first_us));
            Heard { host_id, watermark_us, behind_us }
        })
    }

    fn newest_by_partition(&self) -> BTreeMap<i32, i64> {
        let mut found = BTreeMap::new();
        for (partition, (_, newest)) in self.hosts.values().flat_map(|host| &host.partitions) {
            let of = found.entry(*partition).or_insert(*newest);
            *of = (*newest).max(*of);
        }
        found
    }

    /// The newest watermark of any node in any partition.
    pub(super) fn newest_us(&self) -> Option<i64> {
        self.hosts.values().filter_map(Host::newest_us).max()
    }

    /// Where the stream of this side begins; None while that is not known, and where it has all that was ever logged.
    pub(super) fn began_us(&self) -> Option<i64> {
        self.began_us.filter(|us| *us != EVER)
    }

    /// When the table was created, where the stream of this side tells of that; None where it does not.
    pub(super) fn created_us(&self) -> Option<i64> {
        self.wholes.values().flat_map(BTreeMap::values).max().copied()
    }

    /// What this node says next in this partition, or in any, was logged after this, microseconds.
    pub(super) fn told_us(&self, host_id: &str, partition: Option<i32>) -> Option<i64> {
        let heard = self.hosts.get(host_id).map(|host| &host.partitions);
        let wholes = self.wholes.get(host_id);
        let (heard_us, created_us) = match partition {
            Some(partition) => (
                heard.and_then(|of| of.get(&partition)).map(|(_, newest)| *newest),
                wholes.and_then(|of| of.get(&partition)).copied(),
            ),
            None => (
                heard.and_then(|of| of.values().map(|(_, newest)| *newest).min()),
                wholes.and_then(|of| of.values().min()).copied(),
            ),
        };
        heard_us.or(created_us)
    }

    /// What was complete before the agent of a node said something at this time; of every node, where none is named.
    pub(super) fn complete_before_us(&self, host_id: &str, ts_ms: i64) -> Option<i64> {
        let before = |host: &Host| {
            let mark = host.marks.iter().rev().find(|(said_ms, _)| *said_ms <= ts_ms);
            mark.map(|(_, wm_us)| *wm_us)
        };
        match host_id {
            "" => self.hosts.values().map(before).min().flatten(),
            host_id => self.hosts.get(host_id).and_then(before),
        }
    }
}

/// How far a node is behind. Heartbeats go to all partitions at once, and one partition may be read long before another:
/// so it is compared with others of its side in each partition, and with everybody by the partition that is furthest.
/// None of one that was never heard.
fn behind_us(host: &Host, newest_by_partition: &BTreeMap<i32, i64>, newest_us: i64) -> Option<i64> {
    let first_us = host.partitions.values().map(|(first, _)| *first).min()?;
    let in_partitions = newest_by_partition.iter().map(|(partition, newest)| {
        let own = host.partitions.get(partition).map_or(first_us, |(_, own)| *own);
        newest.saturating_sub(own)
    });
    let furthest = host.newest_us().map(|own| newest_us.saturating_sub(own));
    in_partitions.chain(furthest).max()
}
