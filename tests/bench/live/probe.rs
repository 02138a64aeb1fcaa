//! When a write can be seen in the log that the node writes: its whole entry, the marker behind it, the index that says that it is on disk.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cdc_agent::commitlog::live::{LiveSection, whole_frames};
use cdc_agent::commitlog::{Descriptor, Index, SegmentName};
use clap::Args;
use memchr::memmem;

use crate::common::{TAG, now_ns, pause, stop_at_end_of_input, write_lines};

/// Read at once. Longer than an entry of this benchmark, so that one that is whole fits.
const READ: usize = 32 << 10;
/// Cassandra makes the next segment in advance; an older one may still be written to for a moment.
const NEWEST: usize = 3;

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    cdc_raw: PathBuf,
    /// Between two looks.
    #[arg(long, default_value = "150")]
    pause_us: u64,
    /// Gets a line for each write: number, time of its entry, of its marker, of its index; 0 for never.
    #[arg(long)]
    out: PathBuf,
}

/// A write that was seen.
struct Seen {
    number: u64,
    /// File offset of the end of its entry.
    end: u64,
    entry: u64,
    marker: u64,
}

struct Probed {
    file: File,
    index: PathBuf,
    descriptor: Descriptor,
    /// File offsets of the open section's marker, and of the next entry.
    marker: u64,
    next: u64,
    /// Without a marker, and with one but not yet in the index.
    unmarked: VecDeque<Seen>,
    marked: VecDeque<Seen>,
}

impl Probed {
    /// `None` while its head is not written.
    fn open(path: &Path, name: SegmentName) -> Option<Self> {
        let file = File::open(path).ok()?;
        let mut head = vec![0; 4096];
        let length = file.read_at(&mut head, 0).ok()?;
        let descriptor = Descriptor::parse(&head[..length]).ok()?;
        assert!(!descriptor.is_stored(), "nothing is seen of a stored section before it is synced");
        let marker = u64::try_from(descriptor.length).unwrap();
        let index = path.with_file_name(name.index_file());
        let (unmarked, marked) = (VecDeque::new(), VecDeque::new());
        Some(Self { file, index, descriptor, marker, next: marker + 8, unmarked, marked })
    }

    /// Takes the entries that have come, then the markers.
    fn look(&mut self, buffer: &mut [u8]) {
        loop {
            let length = self.file.read_at(buffer, self.next).unwrap();
            let whole = whole_frames(&buffer[..length], u32::MAX);
            let now = now_ns();
            let mut at = 0;
            while let Some(found) = memmem::find(&buffer[at..whole.end], &TAG) {
                at += found + TAG.len();
                let number = u64::from_be_bytes(buffer[at..at + 8].try_into().unwrap());
                // Good enough for marker and index: a later byte of the same entry could not be under another marker.
                let end = self.next + u64::try_from(at).unwrap();
                self.unmarked.push_back(Seen { number, end, entry: now, marker: 0 });
            }
            self.next += u64::try_from(whole.end).unwrap();
            if whole.end > 0 {
                continue;
            }
            let mut head = [0; 8];
            let length = self.file.read_at(&mut head, self.marker).unwrap();
            let LiveSection::Closed { end, .. } = self.descriptor.live_section(self.marker, &head[..length])
            else {
                return;
            };
            let now = now_ns();
            let covered = self.unmarked.partition_point(|seen| seen.end <= end);
            self.marked.extend(self.unmarked.drain(..covered).map(|seen| Seen { marker: now, ..seen }));
            if self.next < end {
                return;
            }
            (self.marker, self.next) = (end, end + 8);
        }
    }

    /// Takes what the index says.
    fn look_at_index(&mut self, lines: &mut Vec<[u64; 4]>) {
        let Ok(Some(index)) = Index::read(&self.index) else { return };
        let now = now_ns();
        let covered = self.marked.partition_point(|seen| index.has_synced(seen.end));
        lines.extend(self.marked.drain(..covered).map(|seen| [seen.number, seen.entry, seen.marker, now]));
    }
}

/// Prints `ready` when it has seen what is there; goes on until standard input ends.
pub(crate) fn run(options: &Options) {
    let stopped = stop_at_end_of_input();
    let mut segments: BTreeMap<i64, Probed> = BTreeMap::new();
    let (mut lines, mut buffer) = (Vec::new(), vec![0; READ]);
    let (mut listed, mut indexed): (Option<Instant>, Option<Instant>) = (None, None);
    let is_due = |last: Option<Instant>, millis| {
        last.is_none_or(|last| last.elapsed() >= Duration::from_millis(millis))
    };
    while !stopped.load(Ordering::Relaxed) {
        let is_first = listed.is_none();
        if is_due(listed, 20) {
            list(&options.cdc_raw, &mut segments, &mut lines);
            listed = Some(Instant::now());
        }
        segments.values_mut().for_each(|segment| segment.look(&mut buffer));
        if is_due(indexed, 2) {
            segments.values_mut().for_each(|segment| segment.look_at_index(&mut lines));
            indexed = Some(Instant::now());
        }
        if is_first {
            println!("ready");
        }
        pause(options.pause_us);
    }
    for segment in segments.into_values() {
        lines.extend(rest(segment));
    }
    write_lines(&options.out, lines);
}

/// What the index did not come to.
fn rest(segment: Probed) -> impl Iterator<Item = [u64; 4]> {
    segment.marked.into_iter().chain(segment.unmarked).map(|seen| [seen.number, seen.entry, seen.marker, 0])
}

/// Opens new segments; leaves those that are long past.
fn list(folder: &Path, segments: &mut BTreeMap<i64, Probed>, lines: &mut Vec<[u64; 4]>) {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if let Ok(name) = path.file_name().unwrap().to_str().unwrap().parse::<SegmentName>() {
            found.insert(name.id.0, (path, name));
        }
    }
    for (id, (path, name)) in found.into_iter().rev().take(NEWEST) {
        if !segments.contains_key(&id)
            && let Some(segment) = Probed::open(&path, name)
        {
            segments.insert(id, segment);
        }
    }
    while segments.len() > NEWEST {
        let (_, oldest) = segments.pop_first().unwrap();
        lines.extend(rest(oldest));
    }
}
