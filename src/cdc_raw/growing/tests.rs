//! Real segments, written again in the order in which Cassandra writes them, and cut anywhere.

use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;

use super::*;
use crate::commitlog::{FrameStep, SectionStep, Sections, Segment, SegmentId};

mod damaged;

/// One seed is one way of cutting and of looking between the cuts.
const SEEDS: u64 = 12;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures")
}

/// Every segment of the fixtures: its name and bytes.
fn segments() -> Vec<(SegmentName, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in
        fixtures().read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        if folder.ends_with("legacy") {
            continue;
        }
        for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            let file = path.file_name().unwrap().to_str().unwrap();
            if let Ok(name) = file.trim_end_matches(".gz").parse() {
                found.push((name, unpacked(&path)));
            }
        }
    }
    assert!(found.len() >= 15, "{}", found.len());
    found.sort();
    found
}

fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if path.extension().unwrap() != "gz" {
        return bytes;
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
    unpacked
}

fn key(_: &str) -> Option<Vec<u8>> {
    hex::decode(fs::read_to_string(fixtures().join("keys/aes128.key.hex")).unwrap().trim()).ok()
}

fn start(name: SegmentName) -> Position {
    Position { segment: name.id, marker: 0, entry: 0, row: 0 }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// What the reader of whole files finds.
struct Whole {
    sections: Vec<Section>,
    /// Position and payload.
    frames: Vec<(Position, Vec<u8>)>,
    is_stored: bool,
    head: usize,
}

#[derive(Clone, Copy)]
struct Section {
    marker: usize,
    end: usize,
    logical_end: u64,
    /// Number of frames up to its end.
    frames: usize,
}

impl Whole {
    fn read(name: SegmentName, bytes: &[u8]) -> Self {
        let segment = Segment::open(bytes, Some(name), &key).unwrap();
        let mut found = Self {
            sections: Vec::new(),
            frames: Vec::new(),
            is_stored: segment.is_stored(),
            head: segment.descriptor().length,
        };
        let mut sections = Sections::new(&segment);
        while let Some(step) = sections.next_section() {
            let SectionStep::Section(mut frames) = step else { panic!("a damaged fixture") };
            let bounds = frames.bounds();
            while let Some(step) = frames.next_frame() {
                let FrameStep::Frame(frame) = step else { panic!("a damaged fixture") };
                let marker = bounds.marker as u64;
                let position = Position { segment: name.id, marker, entry: frame.entry, row: 0 };
                found.frames.push((position, frame.payload.to_vec()));
            }
            let logical_end = bounds.logical_start + frames.plain().len() as u64;
            let (marker, end, frames) = (bounds.marker, bounds.end, found.frames.len());
            found.sections.push(Section { marker, end, logical_end, frames });
        }
        found
    }
}

/// One thing that Cassandra does to the files.
#[derive(Clone, Debug)]
enum Write {
    Bytes(usize, Vec<u8>),
    Length(usize),
    Index(String),
}

/// What is written between two offsets, in pieces; two neighbours may change places.
fn pieces(bytes: &[u8], from: usize, to: usize, random: &mut Random) -> Vec<Write> {
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        let most = if random.once_in(3) { 9 } else { 700 };
        let end = (at + 1 + random.below(most)).min(to);
        found.push(Write::Bytes(at, bytes[at..end].to_vec()));
        at = end;
    }
    found
}

/// Two threads append at the same time.
fn out_of_order(mut writes: Vec<Write>, random: &mut Random) -> Vec<Write> {
    for place in 1..writes.len() {
        if random.once_in(3) {
            writes.swap(place - 1, place);
        }
    }
    writes
}

fn index(section: &Section, is_complete: bool) -> [Write; 2] {
    let completed = if is_complete { "\nCOMPLETED" } else { "" };
    [Write::Index(String::new()), Write::Index(format!("{}{completed}", section.logical_end))]
}

/// A memory-mapped segment: it has its full length from the start.
fn mapped(bytes: &[u8], whole: &Whole, random: &mut Random) -> Vec<Write> {
    let mut writes = vec![Write::Length(bytes.len())];
    writes.extend(pieces(bytes, 0, whole.head, random));
    let mut early = 0;
    for (number, section) in whole.sections.iter().enumerate() {
        let body = section.marker + 8 + early;
        writes.extend(out_of_order(pieces(bytes, body.min(section.end), section.end, random), random));
        // The next section is begun before this one has its marker.
        let next = whole.sections.get(number + 1);
        let length = next.map_or(0, |next| next.end - next.marker - 8);
        early = if random.once_in(2) { random.below(length + 1) } else { 0 };
        writes.extend(pieces(bytes, section.end + 8, section.end + 8 + early, random));
        writes.extend(pieces(bytes, section.marker, section.marker + 8, random));
        // Nothing says that a segment is complete when its node was killed.
        let is_complete = next.is_none() && bytes[section.end..].iter().all(|byte| *byte == 0);
        if is_complete || random.once_in(3) {
            writes.extend(index(section, is_complete));
        }
    }
    let last = whole.sections.last().unwrap().end;
    writes.extend(pieces(bytes, (last + 8).min(bytes.len()), bytes.len().min(last + 60_000), random));
    writes
}

/// A segment written with direct I/O: blocks, the first of which was written before.
fn direct(bytes: &[u8], whole: &Whole, random: &mut Random) -> Vec<Write> {
    const BLOCK: usize = 4096;
    let mut writes = Vec::new();
    let (mut from, mut number) = (0, 0);
    while number < whole.sections.len() {
        number = (number + 1 + random.below(4)).min(whole.sections.len());
        let section = whole.sections[number - 1];
        let to = section.end.next_multiple_of(BLOCK).min(bytes.len());
        let mut block = bytes[..section.end].to_vec();
        block.resize(to, 0);
        writes.extend(pieces(&block, from / BLOCK * BLOCK, to, random));
        writes.extend(index(&section, number == whole.sections.len()));
        from = section.end;
    }
    writes
}

/// A compressed or encrypted segment: it grows by a section at a time.
fn stored(bytes: &[u8], whole: &Whole, random: &mut Random) -> Vec<Write> {
    let mut writes = pieces(bytes, 0, whole.head, random);
    for (number, section) in whole.sections.iter().enumerate() {
        writes.extend(pieces(bytes, section.marker, section.end, random));
        writes.extend(index(section, number + 1 == whole.sections.len()));
    }
    writes
}

/// A node that writes, and somebody who reads it.
struct Live<'w> {
    whole: &'w Whole,
    bytes: &'w [u8],
    name: SegmentName,
    log: PathBuf,
    index: PathBuf,
    file: File,
    /// The greatest offset that the index ever named.
    synced: u64,
    reader: Option<GrowingSegment>,
    next: Position,
    found: Vec<(Position, Vec<u8>)>,
    visibility: Visibility,
}

impl<'w> Live<'w> {
    fn new(dir: &Path, name: SegmentName, bytes: &'w [u8], whole: &'w Whole, visibility: Visibility) -> Self {
        let log = dir.join(name.to_string());
        Self {
            whole,
            bytes,
            name,
            file: File::create(&log).unwrap(),
            log,
            index: dir.join(name.index_file()),
            synced: 0,
            reader: None,
            next: start(name),
            found: Vec::new(),
            visibility,
        }
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Bytes(at, bytes) => self.file.write_all_at(&bytes, at as u64).unwrap(),
            Write::Length(length) => self.file.set_len(length as u64).unwrap(),
            Write::Index(text) => {
                fs::write(&self.index, &text).unwrap();
                match Index::parse(&text) {
                    Some(Index::Completed(_)) => self.synced = u64::MAX,
                    Some(Index::Synced(offset)) => self.synced = offset,
                    _ => {}
                }
            }
        }
    }

    /// Polls until there is nothing more.
    fn poll(&mut self, random: &mut Random) -> Option<Rest> {
        let poll_bytes = [37, 600, 5000, POLL_BYTES][random.below(4)];
        if random.once_in(6) {
            self.reader = None;
        }
        if self.reader.is_none() {
            self.reader = GrowingSegment::open(&self.log, self.name, self.next, &key).unwrap();
        }
        let mut reader = self.reader.take()?;
        reader.poll_bytes = poll_bytes;
        loop {
            let index = Index::read(&self.index).unwrap().unwrap_or(Index::Absent);
            let batch = reader.poll(self.visibility, index).unwrap();
            let mut labels = Vec::new();
            for (run, frames) in batch.runs() {
                for frame in frames {
                    let position =
                        Position { segment: self.name.id, marker: run.marker, entry: frame.entry, row: 0 };
                    let end = run.logical_start + frame.end() as u64;
                    self.found.push((position, frame.payload.to_vec()));
                    labels.push((self.found.len(), run.visibility, end));
                }
            }
            assert!(batch.rest != Rest::More || !batch.is_empty());
            let (rest, next) = (batch.rest, batch.next);
            assert!(self.next <= next, "{} after {}", next, self.next);
            self.next = next;
            labels.into_iter().for_each(|label| self.check(label));
            if rest != Rest::More {
                self.reader = Some(reader);
                return Some(rest);
            }
        }
    }

    /// Nothing is given out early, and what is known of it is true.
    fn check(&self, (count, label, end): (usize, Visibility, u64)) {
        let bounds = self.whole.sections.iter().find(|section| count <= section.frames);
        let Some(bounds) = bounds else {
            assert_eq!(label, Visibility::Written, "beyond the last marker");
            return;
        };
        assert!(end <= bounds.logical_end && bounds.marker as u64 <= end);
        let is_synced = bounds.logical_end <= self.synced;
        // With direct I/O, marker and section are one write: frames that are there count as soon as the marker is.
        let there_to = if self.whole.is_stored { bounds.end } else { usize::try_from(end).unwrap() };
        let mut there = vec![0; there_to - bounds.marker];
        let is_there = File::open(&self.log).unwrap().read_exact_at(&mut there, bounds.marker as u64).is_ok();
        let is_closed = is_there && there == self.bytes[bounds.marker..there_to];
        match self.visibility {
            Visibility::Synced => assert!(is_synced),
            Visibility::Marked => assert!(is_closed),
            Visibility::Written if !is_closed => {
                let (_, payload) = &self.whole.frames[count - 1];
                let mut bytes = vec![0; payload.len()];
                let start = end - 4 - payload.len() as u64;
                File::open(&self.log).unwrap().read_exact_at(&mut bytes, start).unwrap();
                assert_eq!(&bytes, payload, "a frame that was not there");
            }
            Visibility::Written => {}
        }
        match label {
            Visibility::Synced => assert!(is_synced),
            Visibility::Marked => assert!(is_closed),
            Visibility::Written => assert_eq!(self.visibility, Visibility::Written),
        }
        assert_eq!(self.found[count - 1], self.whole.frames[count - 1]);
    }
}

const VISIBILITIES: [Visibility; 3] = [Visibility::Synced, Visibility::Marked, Visibility::Written];

/// Writes a segment anew and reads it meanwhile; the frames under markers must be those of the whole file.
fn grow(name: SegmentName, bytes: &[u8], visibility: Visibility, seed: u64) -> Vec<(Position, Vec<u8>)> {
    let whole = Whole::read(name, bytes);
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(seed);
    let is_direct = name.id == SegmentId(1_795_363_198_779) || seed % 4 == 3;
    let writes = match (whole.is_stored, is_direct) {
        (true, _) => stored(bytes, &whole, &mut random),
        (false, true) => direct(bytes, &whole, &mut random),
        (false, false) => mapped(bytes, &whole, &mut random),
    };
    let mut live = Live::new(dir.path(), name, bytes, &whole, visibility);
    for write in writes {
        live.write(write);
        if random.once_in(4) {
            live.poll(&mut random);
        }
    }
    let rest = live.poll(&mut random);
    let synced = whole.sections.iter().filter(|section| section.logical_end <= live.synced);
    let synced = synced.map(|section| section.frames).max().unwrap_or(0);
    let all = if visibility == Visibility::Synced { synced } else { whole.frames.len() };
    assert_eq!(rest, Some(if all < whole.frames.len() { Rest::Unsynced } else { Rest::Unwritten }));
    assert_eq!(live.found[..all], whole.frames[..all], "{name} {visibility:?} {seed}");
    live.found.split_off(all)
}

#[test]
#[expect(clippy::print_stdout, reason = "shown when the test fails: the seed")]
fn what_grows_is_read_once_in_order_and_never_early() {
    for (name, bytes) in segments() {
        for visibility in VISIBILITIES {
            for seed in 0..SEEDS {
                println!("{name} {visibility:?} seed {seed}");
                let beyond = grow(name, &bytes, visibility, seed);
                // Whoever was killed left frames beyond the last marker; the others left none.
                let is_killed = name.id == SegmentId(1_795_363_350_055);
                assert!(beyond.is_empty() || (is_killed && visibility == Visibility::Written));
            }
        }
    }
}

/// What was acknowledged within the last tenth of a second before the node was killed.
#[test]
fn frames_beyond_the_last_marker_are_only_seen_as_written() {
    let (name, bytes) =
        segments().into_iter().find(|(name, _)| name.id == SegmentId(1_795_363_350_055)).unwrap();
    let beyond = |visibility| grow(name, &bytes, visibility, 1);
    assert!(beyond(Visibility::Synced).is_empty() && beyond(Visibility::Marked).is_empty());
    let beyond = beyond(Visibility::Written);
    let last = Whole::read(name, &bytes).sections.last().unwrap().end as u64;
    for (entry, (position, _)) in (0..).zip(&beyond) {
        assert_eq!((position.marker, position.entry), (last, entry));
    }
    // The node was killed right after ten more statements (cdc_fixtures/make.py); views were written with them.
    let folder = fixtures().join("4.1-kill9");
    let schema = fs::read_to_string(folder.join("schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let table_of_id = |payload: &[u8]| {
        let id = uuid::Uuid::from_slice(&payload[1..17]).unwrap().to_string();
        let row = schema["tables"].as_array().unwrap().iter().find(|row| row["id"] == id)?;
        Some(format!("{}.{}", row["keyspace_name"].as_str()?, row["table_name"].as_str()?))
    };
    let written: Vec<_> = beyond.iter().filter_map(|(_, payload)| table_of_id(payload)).collect();
    let statements = String::from_utf8(unpacked(&folder.join("workload.cql.gz"))).unwrap();
    let asked: Vec<_> = statements.lines().map(table_of).collect();
    assert_eq!(written, asked[asked.len() - 10..]);
}

/// The table that a statement names.
fn table_of(statement: &str) -> &str {
    let words: Vec<_> = statement.split_whitespace().collect();
    let place = words.iter().position(|word| ["INTO", "UPDATE", "FROM"].contains(word)).unwrap();
    words[place + 1]
}
