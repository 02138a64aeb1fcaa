//! A fixture segment taken apart, and what the reader gives of a mutant of it.

use cdc_agent::commitlog::{
    Damage, FrameStep, SectionStep, Sections, Segment, SegmentError, SegmentName, descriptor::BodyFormat,
};

use crate::support::{fixture, fixture_key, segments};

/// A frame: where it stands in its section's plain bytes, and its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) offset: usize,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn end(&self) -> usize {
        self.offset + self.payload.len() + 12
    }
}

/// A section: its markers' file offsets, its frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) marker: usize,
    pub(super) end: usize,
    pub(super) plain_length: usize,
    pub(super) frames: Vec<Frame>,
}

impl Section {
    /// File offset of a frame of a plain segment.
    pub(super) fn at(&self, frame: &Frame) -> usize {
        self.marker + 8 + frame.offset
    }
}

/// An undamaged segment: the ledger that mutants are compared with.
pub(super) struct Original {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Length of the descriptor.
    pub(super) head: usize,
    pub(super) stored: bool,
    pub(super) sections: Vec<Section>,
}

impl Original {
    /// The segments of a fixture folder.
    pub(super) fn of(folder: &str) -> Vec<Self> {
        segments(&fixture(folder)).into_iter().map(|(name, bytes)| Self::new(name, bytes)).collect()
    }

    fn new(name: String, bytes: Vec<u8>) -> Self {
        let head = 18 + usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
        let outcome = read(&bytes, &name).unwrap();
        assert_eq!(outcome.damages, [], "{name} is damaged already");
        let found: Vec<_> = outcome.sections.iter().map(|section| (section.marker, section.end)).collect();
        assert_eq!(found, chain(&bytes, head), "{name}: the chain of markers");
        Self { name, bytes, head, stored: outcome.stored, sections: outcome.sections }
    }

    pub(super) fn end_of_chain(&self) -> usize {
        self.sections.last().unwrap().end
    }

    /// All mutations but those for which `lost` says so.
    pub(super) fn mutations(&self, lost: impl Fn(&Section, &Frame) -> bool) -> Vec<Found> {
        let all =
            self.sections.iter().flat_map(|section| section.frames.iter().map(move |frame| (section, frame)));
        all.filter(|(section, frame)| !lost(section, frame))
            .map(|(section, frame)| found(section, frame))
            .collect()
    }
}

/// Markers by their pointers alone, up to a zero marker or the end.
fn chain(bytes: &[u8], head: usize) -> Vec<(usize, usize)> {
    let (mut at, mut sections) = (head, Vec::new());
    while at + 8 <= bytes.len() && bytes[at..at + 8] != [0; 8] {
        let next = usize::try_from(u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
        sections.push((at, next));
        at = next;
    }
    sections
}

/// A mutation as it is compared: section, place in it, bytes.
pub(super) type Found = (usize, usize, Vec<u8>);

fn found(section: &Section, frame: &Frame) -> Found {
    (section.marker, frame.offset, frame.payload.clone())
}

/// What the reader gave.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) sections: Vec<Section>,
    pub(super) damages: Vec<Damage>,
    pub(super) unmarked: u64,
    pub(super) stored: bool,
}

impl Outcome {
    pub(super) fn mutations(&self) -> Vec<Found> {
        self.sections
            .iter()
            .flat_map(|section| section.frames.iter().map(|frame| found(section, frame)))
            .collect()
    }
}

/// Reads a segment to its end.
pub(super) fn read(bytes: &[u8], name: &str) -> Result<Outcome, SegmentError> {
    read_with(bytes, name, &fixture_key)
}

pub(super) fn read_with(
    bytes: &[u8],
    name: &str,
    key: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<Outcome, SegmentError> {
    let name: SegmentName = name.parse().unwrap();
    let segment = Segment::open(bytes, Some(name), key)?;
    let stored = segment.descriptor().body != BodyFormat::Plain;
    let mut sections = Sections::new(&segment);
    let mut outcome = Outcome { sections: Vec::new(), damages: Vec::new(), unmarked: 0, stored };
    let mut steps = 0;
    while let Some(step) = sections.next_section() {
        let mut frames = match step {
            SectionStep::Damage(damage) => {
                steps += 1;
                assert!(steps <= bytes.len(), "the reader does not end");
                outcome.damages.push(damage);
                continue;
            }
            SectionStep::Section(frames) => frames,
        };
        let bounds = frames.bounds();
        let plain_length = frames.plain().len();
        let mut section =
            Section { marker: bounds.marker, end: bounds.end, plain_length, frames: Vec::new() };
        while let Some(step) = frames.next_frame() {
            steps += 1;
            assert!(steps <= 100 * bytes.len(), "the reader does not end");
            match step {
                FrameStep::Frame(frame) => {
                    section.frames.push(Frame { offset: frame.offset, payload: frame.payload.to_vec() });
                }
                FrameStep::Damage(damage) => outcome.damages.push(damage),
            }
        }
        outcome.sections.push(section);
    }
    outcome.unmarked = sections.unmarked_bytes();
    Ok(outcome)
}
