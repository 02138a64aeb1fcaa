//! What the agent says of itself in Kafka: heartbeats to every partition, and records of the control topic.

use std::cell::Cell;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ledger;
use crate::agent::exit::Failure;
use crate::agent::pipeline::begun::Begun;
use crate::agent::pipeline::report::Report;
use crate::agent::pipeline::worker::now_ms;
use crate::agent::pipeline::writer::{Ledger, Writer};
use crate::agent::record_options::{Reading, source_names};
use crate::change::filter::TableFilter;
use crate::cli::Settings;
use crate::envelope::options::Profile;
use crate::envelope::topic::table_topic;
use crate::envelope::{EncoderConfig, Record, SourceNames, Visibility};
use crate::failpoint;
use crate::schema::{Schema, system};

/// How long heartbeats may wait for topics that are made for them.
const MAKES_FOR: Duration = Duration::from_secs(1);

/// Writes heartbeats and control records of one agent.
#[derive(Debug)]
pub(in crate::agent) struct Notices {
    names: SourceNames,
    profile: Profile,
    visibility: Visibility,
    filter: TableFilter,
    /// The watermark of the last heartbeat, and before there was one a time that is before all of them; `None`: there are
    /// none.
    told_us: Cell<Option<i64>>,
}

/// When heartbeats are due.
#[derive(Debug)]
pub(super) struct Beats {
    interval: Option<Duration>,
    next: Instant,
}

impl Beats {
    /// The first is due at once; `None`: there are none.
    pub(super) fn new(interval: Option<Duration>) -> Self {
        Self { interval, next: Instant::now() }
    }

    /// Writes heartbeats when they are due. There are none before all was read once: then nothing is known.
    pub(super) fn beat(
        &mut self,
        notices: &Notices,
        writer: &mut Writer<'_>,
        schema: &Schema,
        wm_us: Option<i64>,
    ) -> Result<(), Failure> {
        let (Some(interval), Some(wm_us), now) = (self.interval, wm_us, Instant::now()) else {
            return Ok(());
        };
        if now < self.next {
            return Ok(());
        }
        self.next = now + interval;
        notices.heartbeat(writer, schema, wm_us, now_ms())
    }
}

/// A topic for heartbeats, and its table where it has one.
struct Beaten {
    topic: String,
    table: Option<(String, String)>,
}

impl Notices {
    /// Without heartbeats.
    pub(super) fn new(config: &EncoderConfig, visibility: Visibility, filter: TableFilter) -> Self {
        let told_us = Cell::default();
        Self { names: config.source.clone(), profile: config.profile, visibility, filter, told_us }
    }

    /// From here on there are heartbeats, or none. `before_us`: microseconds since 1970, before all watermarks that come;
    /// `None` where there are no heartbeats.
    pub(super) fn beat_from(&self, before_us: Option<i64>) {
        self.told_us.set(before_us.map(|before| self.told_us.get().unwrap_or(before)));
    }

    /// For control records only.
    pub(super) fn aside(settings: &Settings) -> Self {
        Self {
            names: source_names(&settings.source, Reading::Live),
            profile: settings.records.profile,
            visibility: Visibility::Synced,
            filter: TableFilter::default(),
            told_us: Cell::default(),
        }
    }

    /// Which tables are wanted.
    #[cfg(feature = "cql")]
    pub(super) fn filter(&self) -> &TableFilter {
        &self.filter
    }

    /// A heartbeat with the low watermark into every partition of every wanted table's topic.
    pub(super) fn heartbeat(
        &self,
        writer: &mut Writer<'_>,
        schema: &Schema,
        wm_us: i64,
        now_ms: i64,
    ) -> Result<(), Failure> {
        self.told_us.set(Some(wm_us));
        let mut beaten = Vec::new();
        let mut making = Duration::ZERO;
        for next in self.topics(schema) {
            // Topics of which some are made first, while nothing else is done: the rest comes with the next heartbeats.
            if making > MAKES_FOR {
                break;
            }
            let since = Instant::now();
            let partitions = writer.partitions(&next.topic)?;
            making += since.elapsed();
            beaten.push((next, partitions));
        }
        for (Beaten { topic, table }, partitions) in beaten {
            self.beat_partitions(writer, (&topic, partitions), self.source(table), (wm_us, now_ms))?;
        }
        failpoint::cross("heartbeat_sent");
        Ok(())
    }

    fn beat_partitions(
        &self,
        writer: &mut Writer<'_>,
        (topic, partitions): (&str, u32),
        source: Value,
        (wm_us, now_ms): (i64, i64),
    ) -> Result<(), Failure> {
        let key = json!({"heartbeat": self.names.host_id}).to_string();
        let value = json!({"op": "m", "ts_ms": now_ms, "source": source, "wm_us": wm_us}).to_string();
        let mut partitions = 0..partitions;
        partitions
            .try_for_each(|partition| writer.send(&Record::aside(topic, partition, &key, &value, now_ms)))
    }

    /// How many tables are known, and how many of them are wanted.
    pub(super) fn tables(&self, schema: &Schema) -> (usize, usize) {
        let own = schema.tables().filter(|table| !system::is_system_keyspace(&table.keyspace));
        own.fold((0, 0), |(known, wanted), table| (known + 1, wanted + usize::from(self.filter.wants(table))))
    }

    /// A record of the control topic: `kind` says what happened, `what` the particulars.
    pub(in crate::agent) fn control(
        &self,
        writer: &mut Writer<'_>,
        kind: &str,
        what: Value,
        now_ms: i64,
    ) -> Result<(), Failure> {
        let (key, value) = (self.key(), self.value(kind, what, now_ms));
        // One partition: its records have an order.
        writer.send(&Record::aside(&self.topic(), 0, &key, &value, now_ms))
    }

    fn topic(&self) -> String {
        format!("{}.cdc.__control", self.names.prefix)
    }

    fn key(&self) -> String {
        json!({"host_id": self.names.host_id}).to_string()
    }

    fn value(&self, kind: &str, what: Value, now_ms: i64) -> String {
        let names = &self.names;
        let mut value = json!({
            "type": kind,
            "ts_ms": now_ms,
            "version": env!("CARGO_PKG_VERSION"),
            "name": names.prefix,
            "cluster": names.cluster,
            "dc": names.dc,
            "host_id": names.host_id,
        });
        if let (Value::Object(value), Value::Object(what)) = (&mut value, what) {
            value.extend(what);
        }
        value.to_string()
    }

    fn topics(&self, schema: &Schema) -> Vec<Beaten> {
        let prefix = &self.names.prefix;
        if self.profile != Profile::Flat {
            return vec![Beaten { topic: format!("{prefix}.cdc.__heartbeats"), table: None }];
        }
        let wanted = schema.tables().filter(|table| self.filter.wants(table));
        let mut topics: Vec<Beaten> = wanted
            .map(|table| Beaten {
                topic: table_topic(self.profile, prefix, table),
                table: Some((table.keyspace.clone(), table.name.clone())),
            })
            .collect();
        // Of a table that was dropped and made again there are two.
        topics.sort_by(|a, b| a.topic.cmp(&b.topic));
        topics.dedup_by(|a, b| a.topic == b.topic);
        topics
    }

    fn source(&self, table: Option<(String, String)>) -> Value {
        let names = &self.names;
        let (keyspace, table) = table.unzip();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "connector": "cassandra",
            "name": names.prefix,
            "ts_ms": null,
            "ts_us": null,
            "snapshot": "false",
            "cluster": names.cluster,
            "dc": names.dc,
            "host_id": names.host_id,
            "keyspace": keyspace,
            "table": table,
            "file": null,
            "pos": null,
            "entry": null,
            "row": null,
            "visibility": self.visibility.as_str(),
            "late": false,
            "replay": false,
        })
    }
}

impl Ledger for Notices {
    fn tell(&self, report: &Report, writer: &mut Writer<'_>) -> Result<(), Failure> {
        let now_ms = now_ms();
        let mut entries = ledger::entries(report).into_iter();
        entries.try_for_each(|(kind, what)| self.control(writer, kind, what, now_ms))
    }

    /// A heartbeat into every partition of a table's topic that points at the table's creation: this node logged nothing
    /// of it before.
    fn begins(&self, begun: &Begun, writer: &mut Writer<'_>) -> Result<(), Failure> {
        // Where tables have no heartbeats of their own, or none at all, nobody looks for it.
        let Some(told_us) = self.told_us.get().filter(|_| self.profile == Profile::Flat) else {
            return Ok(());
        };
        let topic = begun.topic(self.profile, &self.names.prefix);
        let (keyspace, table) = begun.table();
        let mut source = self.source(Some((keyspace.to_owned(), table.to_owned())));
        let place = json!({
            "ts_ms": begun.created_us.div_euclid(1000),
            "ts_us": begun.created_us,
            "file": begun.file,
            "pos": begun.position.marker,
            "entry": begun.position.entry,
        });
        if let (Value::Object(source), Value::Object(place)) = (&mut source, place) {
            source.extend(place);
        }
        let partitions = writer.partitions(&topic)?;
        // True of this table, and no more than the next heartbeat says.
        let wm_us = told_us.min(begun.created_us);
        self.beat_partitions(writer, (&topic, partitions), source, (wm_us, now_ms()))
    }
}
