//! Segments that are damaged, cut, or not the ones that were read before.

use super::*;

/// A copy of a fixture, to be changed.
struct Made {
    dir: tempfile::TempDir,
    name: SegmentName,
    file: File,
}

fn made(id: i64) -> (Made, Whole, Vec<u8>) {
    let (name, bytes) = segments().into_iter().find(|(name, _)| name.id == SegmentId(id)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name.to_string());
    fs::write(&path, &bytes).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    let whole = Whole::read(name, &bytes);
    (Made { dir, name, file }, whole, bytes)
}

impl Made {
    fn open(&self, from: Position) -> Result<Option<GrowingSegment>, GrowingError> {
        GrowingSegment::open(&self.dir.path().join(self.name.to_string()), self.name, from, &key)
    }

    fn read(&self) -> (usize, Rest, Position) {
        let mut reader = self.open(start(self.name)).unwrap().unwrap();
        let mut count = 0;
        loop {
            let batch = reader.poll(Visibility::Marked, Index::Absent).unwrap();
            count += batch.runs().map(|(_, frames)| frames.count()).sum::<usize>();
            if batch.rest != Rest::More {
                return (count, batch.rest, batch.next);
            }
        }
    }
}

const PLAIN: i64 = 1_795_362_889_883;
const LZ4: i64 = 1_795_363_091_504;
const ENCRYPTED: i64 = 1_795_363_427_976;

#[test]
fn damage_is_waited_for() {
    let (made, whole, bytes) = made(PLAIN);
    let section = whole.sections[2];
    let before = whole.sections[1].frames;
    let restore = || made.file.write_all_at(&bytes, 0).unwrap();
    // The first byte of a frame's head, the marker's checksum, its pointer.
    for (at, frames) in
        [(section.marker + 8, before), (section.marker + 4, before), (section.marker, section.frames)]
    {
        made.file.write_all_at(&[bytes[at] ^ 0x40], at as u64).unwrap();
        let (count, rest, next) = made.read();
        assert_eq!((count, rest), (frames, Rest::NotWhole), "{at}");
        assert_eq!(next.marker, section.marker as u64);
        restore();
    }
    assert_eq!(made.read().0, whole.frames.len());
}

#[test]
fn a_stored_section_is_given_out_when_all_its_frames_are_whole() {
    for id in [LZ4, ENCRYPTED] {
        let (made, whole, bytes) = made(id);
        let (before, section) = (whole.sections[0], whole.sections[1]);
        // Many of the changed blocks can be restored, and hold a frame that is not whole.
        for at in (section.marker + 12..section.end).step_by(section.end.div_ceil(200)) {
            made.file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
            let (count, rest, next) = made.read();
            assert_eq!((count, rest), (before.frames, Rest::NotWhole), "{id} {at}");
            assert_eq!(next, Position { marker: section.marker as u64, ..start(made.name) });
            made.file.write_all_at(&bytes[at..=at], at as u64).unwrap();
        }
        assert_eq!(made.read().0, whole.frames.len());
    }
}

#[test]
fn a_pointer_of_which_only_the_first_bytes_are_there_leads_nowhere() {
    let (made, whole, bytes) = made(PLAIN);
    // A section whose pointer has more than one byte that is not zero.
    let section = whole.sections.iter().find(|section| section.end > 256 && section.end % 256 > 0).unwrap();
    made.file.write_all_at(&[0], section.marker as u64 + 3).unwrap();
    let (count, rest, next) = made.read();
    assert!(rest == Rest::NotWhole && count <= section.frames, "{rest:?} {count}");
    assert_eq!(next.marker, section.marker as u64);
    made.file.write_all_at(&bytes, 0).unwrap();
    let mut reader = made.open(next).unwrap().unwrap();
    assert!(!reader.poll(Visibility::Marked, Index::Absent).unwrap().is_empty());
}

#[test]
fn a_file_that_is_cut_is_an_error() {
    for id in [PLAIN, LZ4, ENCRYPTED] {
        let (made, whole, _) = made(id);
        let section = whole.sections[whole.sections.len() / 2];
        let mut reader = made.open(start(made.name)).unwrap().unwrap();
        while reader.poll(Visibility::Marked, Index::Absent).unwrap().rest == Rest::More {}
        made.file.set_len(section.marker as u64 + 3).unwrap();
        let error = reader.poll(Visibility::Marked, Index::Absent).unwrap_err();
        assert!(matches!(error, GrowingError::Cut { .. }), "{error}");
        // Whoever opens it now sees an end, or half a section.
        assert_ne!(made.read().1, Rest::More);
        made.file.set_len(0).unwrap();
        assert!(made.open(start(made.name)).unwrap().is_none());
    }
}

#[test]
fn a_position_that_is_not_in_the_chain_is_refused() {
    for id in [PLAIN, LZ4] {
        let (made, whole, _) = made(id);
        let last = whole.sections.last().unwrap();
        for (marker, entry) in [(whole.sections[0].marker + 1, 0), (last.end + 8, 0), (last.end + 100_000, 0)]
        {
            let from = Position { marker: marker as u64, entry, ..start(made.name) };
            assert!(matches!(made.open(from), Err(GrowingError::NotInChain { .. })), "{from}");
        }
        // More entries than the section has.
        let from = Position { marker: whole.sections[0].marker as u64, entry: 60_000, ..start(made.name) };
        let error = made.open(from).unwrap().unwrap().poll(Visibility::Written, Index::Absent).unwrap_err();
        assert!(matches!(error, GrowingError::NotInChain { .. }), "{error}");
        let end = Position { marker: last.end as u64, ..start(made.name) };
        let mut reader = made.open(end).unwrap().unwrap();
        let logical_end = reader.logical_end();
        let batch = reader.poll(Visibility::Written, Index::Absent).unwrap();
        assert!(batch.is_empty() && batch.rest == Rest::Unwritten && batch.next == end);
        assert_eq!(logical_end, last.logical_end);
    }
}

#[test]
fn a_wrong_key_is_told_and_a_missing_one_as_well() {
    let (made, _, _) = made(ENCRYPTED);
    let path = made.dir.path().join(made.name.to_string());
    let open = |key: KeyLookup<'_>| GrowingSegment::open(&path, made.name, start(made.name), key);
    let missing = open(&|_| None).unwrap_err();
    assert!(matches!(missing, GrowingError::Head { source: SegmentError::NoKey { .. }, .. }));
    let mut wrong = open(&|_| Some(vec![7; 16])).unwrap().unwrap();
    let error = wrong.poll(Visibility::Marked, Index::Absent).unwrap_err();
    assert!(matches!(error, GrowingError::Head { source: SegmentError::WrongKey { .. }, .. }), "{error}");
}

#[test]
fn another_segment_under_the_name_is_refused() {
    let (made, _, _) = made(PLAIN);
    let other = SegmentName { id: SegmentId(77), version: 7 };
    let path = made.dir.path().join(made.name.to_string());
    let error = GrowingSegment::open(&path, other, start(other), &key).unwrap_err();
    assert!(matches!(error, GrowingError::Head { source: SegmentError::NameMismatch { .. }, .. }));
}

#[test]
fn a_frame_longer_than_a_poll_is_read_as_a_whole() {
    let (made, whole, _) = made(PLAIN);
    let payload = vec![b'x'; 3 << 20];
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length.to_vec();
    frame.extend(crc32fast::hash(&length).to_be_bytes());
    frame.extend(&payload);
    frame.extend(crc32fast::hash(&[&length[..], &payload].concat()).to_be_bytes());
    let last = whole.sections.last().unwrap().end;
    let from = Position { marker: last as u64, ..start(made.name) };
    let mut reader = made.open(from).unwrap().unwrap();
    let lengths = |reader: &mut GrowingSegment| -> Vec<usize> {
        let batch = reader.poll(Visibility::Written, Index::Absent).unwrap();
        batch.runs().flat_map(|(_, frames)| frames.map(|frame| frame.payload.len())).collect()
    };
    for cut in [8, 12, 1 << 20, frame.len() - 1] {
        made.file.write_all_at(&frame[..cut], last as u64 + 8).unwrap();
        assert!(lengths(&mut reader).is_empty(), "{cut}");
        assert!(reader.has_more().unwrap());
    }
    made.file.write_all_at(&frame, last as u64 + 8).unwrap();
    assert_eq!(lengths(&mut reader), [payload.len()]);
    assert!(lengths(&mut reader).is_empty() && !reader.has_more().unwrap());
}
