//! A node that writes its commit log as Cassandra does, in any order that Cassandra may.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::random::Random;
use super::writers::mutation_writer::{ColumnData, Item, Row, Update, payload};
use super::writers::segment_writer::SegmentWriter;
use super::writers::table::Table;
use crate::cdc_raw::Now;
use crate::commitlog::{Position, SegmentId};

/// Bytes of a segment file.
const SEGMENT: usize = 2048;
/// Length of its file, as of a memory-mapped one.
const FILE: u64 = 1 << 20;
const MARKER: usize = 8;

/// A mutation of the wanted table.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) number: u32,
    pub(super) position: Position,
    /// Wall clock, microseconds since 1970.
    pub(super) at_us: i64,
    /// It stands under a marker.
    pub(super) is_marked: bool,
    /// A crash has taken it.
    pub(super) is_forgotten: bool,
}

struct Segment {
    id: i64,
    file: File,
    /// Where the section at hand begins: its marker.
    marker: usize,
    entry: u32,
    next: usize,
    /// The rest of a frame that is being written, and where.
    torn: Option<(usize, Vec<u8>)>,
    /// Numbers of writes under no marker.
    unmarked: Vec<u32>,
    has_cdc: bool,
    has_index: bool,
    is_completed: bool,
    /// It is still in the commit log directory.
    is_kept: bool,
}

/// The node.
pub(super) struct Node {
    commitlog: PathBuf,
    pub(super) raw: PathBuf,
    segments: Vec<Segment>,
    next_id: i64,
    pub(super) writes: Vec<Write>,
    start: Instant,
    elapsed: Duration,
    /// When all was marked, and synced, last.
    marked: Duration,
    synced: Duration,
    /// Whether markers come late now.
    is_late: bool,
    wall: SystemTime,
    table: Table,
    /// Segments whose links in cdc_raw the node itself has removed.
    pub(super) removed: Vec<i64>,
}

fn millis(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A table with one text column, and its schema file.
pub(super) fn table() -> Table {
    Table::new([["id", "partition_key", "int"], ["v", "regular", "text"]])
}

impl Node {
    pub(super) fn new(dir: &Path) -> Self {
        let (commitlog, raw) = (dir.join("commitlog"), dir.join("cdc_raw"));
        fs::create_dir_all(&commitlog).unwrap();
        fs::create_dir_all(&raw).unwrap();
        let wall = SystemTime::now();
        let mut node = Self {
            commitlog,
            raw,
            segments: Vec::new(),
            next_id: millis(wall),
            writes: Vec::new(),
            start: Instant::now(),
            elapsed: Duration::ZERO,
            marked: Duration::ZERO,
            synced: Duration::ZERO,
            is_late: false,
            wall,
            table: table(),
            removed: Vec::new(),
        };
        node.open_segment();
        node
    }

    /// The time by the node's and the agent's clock.
    pub(super) fn now(&self) -> Now {
        Now { instant: self.start + self.elapsed, wall: self.wall + self.elapsed }
    }

    fn at_us(&self) -> i64 {
        i64::try_from(self.now().wall.duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
    }

    fn name(id: i64) -> String {
        format!("CommitLog-7-{id}.log")
    }

    fn index(&self, id: i64) -> PathBuf {
        self.raw.join(format!("CommitLog-7-{id}_cdc.idx"))
    }

    fn open_segment(&mut self) {
        let id = self.next_id;
        self.next_id += 1;
        let head = SegmentWriter::new(id, false).finish();
        let path = self.commitlog.join(Self::name(id));
        let file = OpenOptions::new().write(true).read(true).create_new(true).open(&path).unwrap();
        file.set_len(FILE).unwrap();
        file.write_all_at(&head, 0).unwrap();
        fs::hard_link(&path, self.raw.join(Self::name(id))).unwrap();
        self.segments.push(Segment {
            id,
            file,
            marker: head.len(),
            entry: 0,
            next: head.len() + MARKER,
            torn: None,
            unmarked: Vec::new(),
            has_cdc: false,
            has_index: false,
            is_completed: false,
            is_kept: true,
        });
        self.touch();
    }

    /// Sets the time of change to the simulated one.
    fn touch(&self) {
        let wall = self.now().wall;
        for segment in self.segments.iter().filter(|segment| !segment.is_completed) {
            segment.file.set_modified(wall).unwrap();
        }
    }

    /// Lets time go by. Cassandra marks every 100 ms, and syncs every 10 s. A busy machine is late with it.
    pub(super) fn advance(&mut self, span: Duration) {
        let at_the_latest = Duration::from_millis(if self.is_late { 2_000 } else { 90 });
        if self.elapsed + span >= self.marked + at_the_latest {
            let syncs = self.elapsed + span >= self.synced + Duration::from_secs(9);
            self.settle(syncs);
            self.marked = self.elapsed + span;
            self.synced = if syncs { self.marked } else { self.synced };
        }
        self.elapsed += span;
        self.touch();
    }

    fn settle(&mut self, syncs: bool) {
        for place in 0..self.segments.len() {
            self.mend(place);
            self.mark(place);
            if syncs {
                self.sync(place);
            }
        }
    }

    /// Does something that a node does.
    pub(super) fn act(&mut self, random: &mut Random) {
        self.is_late = if self.is_late { !random.once_in(4) } else { random.once_in(20) };
        let last = self.segments.len() - 1;
        match random.below(100) {
            0..45 => {
                for _ in 0..=random.below(4) {
                    self.write(random);
                }
            }
            // Always from the oldest on.
            45..65 => (0..=last).for_each(|place| self.mark(place)),
            65..75 => (0..=last).for_each(|place| self.sync(place)),
            75..80 => self.rotate(),
            80..88 => self.discard(random),
            88..94 => self.advance(Duration::from_millis(random.below(300))),
            94..96 => self.advance(Duration::from_secs(5 + random.below(25))),
            96..98 => self.stop_and_start(random),
            _ => self.kill_and_start(random),
        }
        self.advance(Duration::from_micros(random.below(20_000)));
    }

    pub(super) fn write(&mut self, random: &mut Random) {
        let place = self.segments.len() - 1;
        self.mend(place);
        let number = u32::try_from(self.writes.len()).unwrap();
        let is_wanted = !random.once_in(6);
        let frame = self.frame(number, is_wanted);
        if self.segments[place].next + frame.len() + MARKER > SEGMENT {
            self.rotate();
            return;
        }
        let at_us = self.at_us();
        let segment = &mut self.segments[place];
        let start = segment.next;
        // Sometimes only a part is there for a while.
        let whole = if random.once_in(5) {
            usize::try_from(random.below(frame.len() as u64)).unwrap()
        } else {
            frame.len()
        };
        segment.file.write_all_at(&frame[..whole], start as u64).unwrap();
        if whole < frame.len() {
            segment.torn = Some((start + whole, frame[whole..].to_vec()));
        }
        segment.next += frame.len();
        if is_wanted {
            let position = Position {
                segment: SegmentId(segment.id),
                marker: segment.marker as u64,
                entry: segment.entry,
                row: 0,
            };
            segment.has_cdc = true;
            segment.unmarked.push(number);
            // What is torn is not logged yet.
            let at_us = if segment.torn.is_some() { i64::MAX } else { at_us };
            self.writes.push(Write { number, position, at_us, is_marked: false, is_forgotten: false });
        }
        segment.entry += 1;
        self.touch();
    }

    /// Head, payload and checksums of a mutation, as they stand in a section.
    fn frame(&self, number: u32, is_wanted: bool) -> Vec<u8> {
        let columns = vec![ColumnData::live("v", i64::from(number) + 1, b"x")];
        let row = Row { clustering: Vec::new(), columns, ..Row::default() };
        let key = number.to_be_bytes().to_vec();
        let mut payload =
            payload(&self.table, &Update { key, items: vec![Item::Row(row)], ..Update::default() });
        if !is_wanted {
            // The first table id becomes that of system.local.
            let local = crate::schema::system::schema()
                .tables()
                .find(|table| (table.keyspace.as_str(), table.name.as_str()) == ("system", "local"))
                .unwrap()
                .id;
            payload[1..17].copy_from_slice(&local.0);
        }
        let mut writer = SegmentWriter::new(0, false);
        let head = SegmentWriter::new(0, false).finish().len();
        writer.section([payload]);
        writer.finish()[head + MARKER..].to_vec()
    }

    /// Writes the rest of a frame. Only then it is logged.
    fn mend(&mut self, place: usize) {
        let at_us = self.at_us();
        let segment = &mut self.segments[place];
        if let Some((at, rest)) = segment.torn.take() {
            segment.file.write_all_at(&rest, at as u64).unwrap();
            if let Some(number) = segment.unmarked.last() {
                let write = &mut self.writes[*number as usize];
                write.at_us = if write.position.entry + 1 == segment.entry { at_us } else { write.at_us };
            }
        }
    }

    /// Writes the marker of the section at hand and begins the next one.
    fn mark(&mut self, place: usize) {
        self.mend(place);
        let segment = &mut self.segments[place];
        if segment.next == segment.marker + MARKER || segment.is_completed {
            return;
        }
        let next = u32::try_from(segment.next).unwrap();
        let id = segment.id.to_be_bytes();
        let own = u32::try_from(segment.marker).unwrap().to_be_bytes();
        let mut hasher = crc32fast::Hasher::new();
        [&id[4..], &id[..4], &own].into_iter().for_each(|part| hasher.update(part));
        let mut marker = next.to_be_bytes().to_vec();
        marker.extend(hasher.finalize().to_be_bytes());
        segment.file.write_all_at(&marker, segment.marker as u64).unwrap();
        (segment.marker, segment.next, segment.entry) = (segment.next, segment.next + MARKER, 0);
        for number in std::mem::take(&mut segment.unmarked) {
            self.writes[number as usize].is_marked = true;
        }
        // Without it Cassandra would delete the segment after a crash.
        if segment.has_cdc && !segment.has_index {
            self.sync(place);
        }
        self.touch();
    }

    /// Marks, and says in the index how far the segment is on disk.
    fn sync(&mut self, place: usize) {
        self.mark(place);
        let segment = &self.segments[place];
        if segment.has_cdc && !segment.is_completed && segment.marker > 0 {
            let text = segment.marker.to_string();
            let index = self.index(segment.id);
            // The agent may have deleted what was finished; then Cassandra writes no index either.
            if self.raw.join(Self::name(segment.id)).exists() {
                fs::write(index, text).unwrap();
                self.segments[place].has_index = true;
            }
        }
    }

    fn rotate(&mut self) {
        self.mend(self.segments.len() - 1);
        self.open_segment();
    }

    /// Closes a segment behind which there is another one.
    fn complete(&mut self, place: usize) {
        self.sync(place);
        let segment = &mut self.segments[place];
        if segment.is_completed {
            return;
        }
        segment.is_completed = true;
        if segment.has_cdc {
            let (id, end) = (segment.id, segment.marker);
            if self.raw.join(Self::name(id)).exists() {
                fs::write(self.index(id), format!("{end}\nCOMPLETED")).unwrap();
            }
        }
    }

    /// Completes the oldest segment that is not, or drops one that is.
    fn discard(&mut self, random: &mut Random) {
        let last = self.segments.len() - 1;
        let Some(place) = (0..last).find(|place| {
            let segment = &self.segments[*place];
            !segment.is_completed || (segment.is_kept && random.once_in(2))
        }) else {
            return;
        };
        if self.segments[place].is_completed { self.drop_segment(place) } else { self.complete(place) }
    }

    fn drop_segment(&mut self, place: usize) {
        let segment = &mut self.segments[place];
        if !std::mem::take(&mut segment.is_kept) {
            return;
        }
        let (id, has_cdc) = (segment.id, segment.has_cdc);
        fs::remove_file(self.commitlog.join(Self::name(id))).unwrap();
        if !has_cdc {
            let _ = fs::remove_file(self.raw.join(Self::name(id)));
            self.removed.push(id);
        }
    }

    /// `nodetool drain`, stop, start.
    pub(super) fn stop_and_start(&mut self, random: &mut Random) {
        for place in 0..self.segments.len() {
            self.complete(place);
        }
        self.start(random);
    }

    fn kill_and_start(&mut self, random: &mut Random) {
        for segment in &mut self.segments {
            segment.torn = None;
            for number in std::mem::take(&mut segment.unmarked) {
                self.writes[number as usize].is_forgotten = true;
            }
        }
        self.start(random);
    }

    /// A new process: it replays what is in the commit log, and drops it. What the agent had deleted is linked again.
    fn start(&mut self, random: &mut Random) {
        self.elapsed += Duration::from_secs(3 + random.below(10));
        for place in 0..self.segments.len() {
            let segment = &mut self.segments[place];
            segment.is_completed = true;
            if !segment.is_kept {
                continue;
            }
            let name = Self::name(segment.id);
            let (id, has_cdc, end) = (segment.id, segment.has_cdc && segment.has_index, segment.marker);
            if has_cdc && !self.raw.join(&name).exists() {
                fs::hard_link(self.commitlog.join(&name), self.raw.join(&name)).unwrap();
                if !random.once_in(4) {
                    fs::write(self.index(id), format!("{end}\nCOMPLETED")).unwrap();
                }
            }
            self.segments[place].is_kept = false;
            fs::remove_file(self.commitlog.join(&name)).unwrap();
            if !has_cdc {
                let _ = fs::remove_file(self.raw.join(&name));
                self.removed.push(id);
            }
        }
        self.next_id = millis(self.now().wall).max(self.next_id + 2);
        self.open_segment();
    }

    /// Names of the segments in cdc_raw.
    pub(super) fn in_raw(&self) -> Vec<i64> {
        let entries =
            self.raw.read_dir().unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        let id = |name: String| name.strip_prefix("CommitLog-7-")?.strip_suffix(".log")?.parse().ok();
        entries.filter_map(id).collect()
    }

    /// Every segment that was ever made.
    pub(super) fn ids(&self) -> impl Iterator<Item = i64> {
        self.segments.iter().map(|segment| segment.id)
    }
}
