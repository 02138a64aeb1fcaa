//! How far a side is known to be complete.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::options::{Hosts, SideOptions};

/// Heartbeats of a node that are kept for gaps that are told of late: one a minute, the last two days.
const MARKS: usize = 2880;
const BETWEEN_MARKS_MS: i64 = 60_000;

/// The watermarks of one side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Clock {
    hosts: BTreeMap<String, Host>,
    /// Up to here nothing is known: where its stream begins.
    began_us: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Host {
    /// The first and the newest watermark by partition.
    partitions: BTreeMap<i32, (i64, i64)>,
    /// When the agent said what, from time to time: `ts_ms`, `wm_us`.
    marks: VecDeque<(i64, i64)>,
}

impl Host {
    fn watermark_us(&self, partitions: i32) -> Option<i64> {
        let all = (0..partitions).map(|number| self.partitions.get(&number).map(|(_, newest)| *newest));
        all.min().flatten()
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
            let firsts =
                self.hosts.values().flat_map(|host| host.partitions.values().map(|(first, _)| *first));
            self.began_us = firsts.max();
        }
    }

    /// Everything that was logged before is told: the smallest watermark of the nodes that count, in all partitions.
    pub(super) fn watermark_us(&self, options: &SideOptions) -> Option<i64> {
        self.of_hosts(options).map(|(_, watermark)| watermark).min().flatten()
    }

    /// The watermark of each node that counts.
    pub(super) fn of_hosts<'c>(
        &'c self,
        options: &'c SideOptions,
    ) -> Box<dyn Iterator<Item = (&'c str, Option<i64>)> + 'c> {
        let partitions = options.partitions;
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

    /// The newest watermark of any node in any partition.
    pub(super) fn newest_us(&self) -> Option<i64> {
        self.hosts.values().flat_map(|host| host.partitions.values().map(|(_, newest)| *newest)).max()
    }

    /// Where the stream of this side begins.
    pub(super) fn began_us(&self) -> Option<i64> {
        self.began_us
    }

    /// What this node says next in this partition, or in any, was logged after this, microseconds.
    pub(super) fn told_us(&self, host_id: &str, partition: Option<i32>) -> Option<i64> {
        let partitions = &self.hosts.get(host_id)?.partitions;
        match partition {
            Some(partition) => partitions.get(&partition).map(|(_, newest)| *newest),
            None => partitions.values().map(|(_, newest)| *newest).min(),
        }
    }

    /// What was complete before the agent of a node said something at this time.
    pub(super) fn complete_before_us(&self, host_id: &str, ts_ms: i64) -> Option<i64> {
        let marks = &self.hosts.get(host_id)?.marks;
        marks.iter().rev().find(|(said_ms, _)| *said_ms <= ts_ms).map(|(_, wm_us)| *wm_us)
    }
}
