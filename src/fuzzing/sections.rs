use super::repair;
use crate::commitlog::{Damage, FrameStep, Frames, SectionStep, Sections, Segment};

/// The key of the encrypted fixtures.
const KEY: &str = include_str!("../../cdc_fixtures/keys/aes128.key.hex");
const REPAIR_DESCRIPTOR: u8 = 1;
const REPAIR_MARKERS: u8 = 2;
const REPAIR_FRAMES: u8 = 4;

/// A whole segment file: markers, sections, frames. The first byte says which checksums are made right.
pub fn sections(data: &[u8]) {
    let Some((mode, file)) = data.split_first() else { return };
    let mut file = file.to_vec();
    if mode & REPAIR_DESCRIPTOR != 0 {
        let _ = repair::descriptor(&mut file);
    }
    if mode & REPAIR_MARKERS != 0 {
        let _ = repair::markers(&mut file, mode & REPAIR_FRAMES != 0);
    }
    let key = |_: &str| hex::decode(KEY.trim()).ok();
    if let Ok(segment) = Segment::open(&file, None, &key) {
        let _ = segment.check_key();
        read(&segment, file.len());
    }
}

/// What was read of a segment so far.
#[derive(Default)]
struct Account {
    steps: usize,
    /// File bytes given out or lost; only of a plain segment.
    bytes: u64,
    last_marker: Option<usize>,
}

fn read(segment: &Segment<'_>, length: usize) {
    let mut sections = Sections::new(segment);
    let mut account = Account::default();
    while let Some(step) = sections.next_section() {
        account.step(length);
        match step {
            SectionStep::Damage(damage) => account.damage(&damage, length),
            SectionStep::Section(frames) => account.section(frames, length),
        }
    }
    if !segment.is_stored() {
        assert!(account.bytes <= length as u64, "{} of {length} bytes given out or lost", account.bytes);
        assert!(sections.unmarked_bytes() <= length as u64);
    }
}

impl Account {
    fn step(&mut self, length: usize) {
        self.steps += 1;
        // A frame takes at least 12 bytes, a section 8.
        assert!(self.steps <= 2 * length + 16, "the reader does not end");
    }

    fn damage(&mut self, damage: &Damage, length: usize) {
        assert!(damage.offset <= length as u64, "{damage}: behind the end of {length} bytes");
        self.bytes += damage.lost_bytes;
    }

    fn section(&mut self, mut frames: Frames<'_>, length: usize) {
        let bounds = frames.bounds();
        assert!(self.last_marker.is_none_or(|last| last < bounds.marker), "sections go backwards");
        assert!(bounds.marker < bounds.end && bounds.end <= length, "the section leaves the file");
        self.last_marker = Some(bounds.marker);
        let plain = frames.plain();
        let mut end = 0;
        // A compressed section may hold many more frames than the file has bytes.
        let mut steps = 0;
        while let Some(step) = frames.next_frame() {
            steps += 1;
            assert!(steps <= plain.len() + 2, "the section does not end");
            match step {
                FrameStep::Damage(damage) => self.damage(&damage, length),
                FrameStep::Frame(frame) => {
                    assert!(frame.offset >= end, "frames overlap");
                    end = frame.end();
                    self.bytes += (end - frame.offset) as u64;
                    assert_right(plain, frame.offset, frame.payload);
                }
            }
        }
    }
}

/// Both checksums, computed from the section's bytes.
fn assert_right(plain: &[u8], offset: usize, payload: &[u8]) {
    let mut whole = plain.get(offset..offset + payload.len() + 12).unwrap_or_default().to_vec();
    let found = whole.clone();
    assert!(!whole.is_empty(), "the frame leaves its section");
    let _ = repair::section(&mut whole);
    assert_eq!(whole, found, "a frame with a wrong checksum was given out");
    assert_eq!(whole.get(8..8 + payload.len()), Some(payload));
}
