//! The `source` block of profiles `flat` and `debezium`.

use super::config::EncoderConfig;
use super::json::{field, write_null, write_optional_string, write_string};
use super::parts::{Parts, Place, Visibility};
use crate::commitlog::SegmentId;
use crate::cql::number::write_integer;
use crate::schema::TableSchema;

/// The texts of `source` that records of a table share.
#[derive(Debug)]
pub(super) struct SourcePlan {
    /// From the opening brace up to `ts_ms`.
    pub(super) head: Vec<u8>,
    /// From `snapshot` up to `file`.
    middle: Vec<u8>,
    /// From `snapshot` to the closing brace, of rows that a snapshot read: they have no place in the log.
    of_snapshot: Vec<u8>,
    written: Tails,
    marked: Tails,
    synced: Tails,
    section: Option<Section>,
}

/// From `visibility` to the closing brace.
#[derive(Debug)]
struct Tails {
    in_order: Vec<u8>,
    late: Vec<u8>,
}

impl Tails {
    fn new(visibility: Visibility, config: &EncoderConfig) -> Self {
        let tail = |late| {
            let (visibility, replay) = (visibility.as_str(), config.source.replay);
            format!(r#","visibility":"{visibility}","late":{late},"replay":{replay}}}"#).into_bytes()
        };
        Self { in_order: tail(false), late: tail(true) }
    }
}

/// What the records of one section share: `middle`, file and position of the marker, up to `entry`.
#[derive(Debug)]
struct Section {
    segment: SegmentId,
    marker: u64,
    file: String,
    text: Vec<u8>,
}

impl Section {
    #[inline]
    fn holds(&self, place: &Place<'_>) -> bool {
        self.marker == place.marker && self.segment == place.segment && self.file == place.file
    }
}

impl SourcePlan {
    pub(super) fn new(table: &TableSchema, config: &EncoderConfig) -> Self {
        let names = &config.source;
        let mut head = br#""source":{"version":"#.to_vec();
        write_string(env!("CARGO_PKG_VERSION"), &mut head);
        head.extend_from_slice(br#","connector":"cassandra","name":"#);
        write_string(&names.prefix, &mut head);
        head.extend_from_slice(br#","ts_ms":"#);
        let middle = middle("false", table, config);
        let mut of_snapshot = self::middle("true", table, config);
        of_snapshot.extend_from_slice(
            br#"null,"pos":null,"entry":null,"row":null,"visibility":null,"late":false,"replay":false}"#,
        );
        let tails = |visibility| Tails::new(visibility, config);
        Self {
            head,
            middle,
            of_snapshot,
            written: tails(Visibility::Written),
            marked: tails(Visibility::Marked),
            synced: tails(Visibility::Synced),
            section: None,
        }
    }

    #[inline]
    fn tail(&self, place: &Place<'_>) -> &[u8] {
        let tails = match place.visibility {
            Visibility::Written => &self.written,
            Visibility::Marked => &self.marked,
            Visibility::Synced => &self.synced,
        };
        if place.late { &tails.late } else { &tails.in_order }
    }

    /// Prepares the texts for records at `place`.
    #[inline]
    pub(super) fn set_place(&mut self, place: &Place<'_>) {
        if self.section.as_ref().is_none_or(|section| !section.holds(place)) {
            self.section = Some(self.section(place));
        }
    }

    fn section(&self, place: &Place<'_>) -> Section {
        let mut text = self.middle.clone();
        write_string(place.file, &mut text);
        text.extend_from_slice(b",\"pos\":");
        write_integer(place.marker, &mut text);
        text.extend_from_slice(b",\"entry\":");
        Section { segment: place.segment, marker: place.marker, file: place.file.to_owned(), text }
    }
}

/// From `snapshot` up to `file`.
fn middle(snapshot: &str, table: &TableSchema, config: &EncoderConfig) -> Vec<u8> {
    let names = &config.source;
    let mut middle = format!(r#","snapshot":"{snapshot}""#).into_bytes();
    for (name, value) in [
        ("cluster", names.cluster.as_deref()),
        ("dc", names.dc.as_deref()),
        ("host_id", names.host_id.as_deref()),
        ("keyspace", Some(table.keyspace.as_str())),
        ("table", Some(table.name.as_str())),
    ] {
        middle.push(b',');
        middle.extend_from_slice(&field(name));
        write_optional_string(value, &mut middle);
    }
    middle.extend_from_slice(br#","file":"#);
    middle
}

/// Appends the event's time in milliseconds; null when it is not known.
pub(super) fn write_source_ms(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) {
    if parts.is_unknown(parts.ts_us) {
        write_null(out);
    } else {
        write_integer(parts.ts_us.div_euclid(1000), out);
    }
}

/// The same in microseconds.
pub(super) fn write_source_us(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) {
    if parts.is_unknown(parts.ts_us) {
        write_null(out);
    } else {
        write_integer(parts.ts_us, out);
    }
}

/// Appends `"source":{…}`.
pub(super) fn write_source(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) {
    let source = &parts.plan.source;
    out.extend_from_slice(&source.head);
    write_source_ms(parts, out);
    out.extend_from_slice(b",\"ts_us\":");
    write_source_us(parts, out);
    if parts.is_read() {
        out.extend_from_slice(&source.of_snapshot);
        return;
    }
    if let Some(section) = &source.section {
        out.extend_from_slice(&section.text);
    }
    write_integer(parts.place.entry, out);
    out.extend_from_slice(b",\"row\":");
    write_integer(parts.event.index, out);
    out.extend_from_slice(source.tail(&parts.place));
}
