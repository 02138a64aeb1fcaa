//! Several copies of one segment: which of them is read, and whether two files are copies of one.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::io::Read;

use crate::agent::input::SegmentFile;
use crate::agent::pipeline::segment::OpenSegment;
use crate::commitlog::map::open_regular;
use crate::commitlog::{Descriptor, Segment, SegmentId, used_length};

/// More than the longest descriptor takes.
const DESCRIPTOR_BYTES: u64 = 66 << 10;

/// The files in their order; of several copies of a segment the one that holds most stands first, in the place of the
/// first of them.
pub(super) fn fullest_first(files: Vec<SegmentFile>) -> VecDeque<SegmentFile> {
    let mut groups: Vec<Vec<SegmentFile>> = Vec::new();
    let mut known: HashMap<SegmentId, usize> = HashMap::new();
    for file in files {
        let id = file.name.map(|name| name.id).or_else(|| id_in(&file));
        let new = groups.len();
        let group = id.map_or(new, |id| *known.entry(id).or_insert(new));
        match groups.get_mut(group) {
            Some(copies) => copies.push(file),
            None => groups.push(vec![file]),
        }
    }
    for copies in groups.iter_mut().filter(|copies| copies.len() > 1) {
        copies.sort_by_cached_key(|file| Reverse(written(file)));
    }
    groups.into_iter().flatten().collect()
}

/// The id in the descriptor of a file.
fn id_in(file: &SegmentFile) -> Option<SegmentId> {
    let mut head = Vec::new();
    open_regular(&file.path).ok()?.take(DESCRIPTOR_BYTES).read_to_end(&mut head).ok()?;
    Descriptor::parse(&head).ok().map(|descriptor| descriptor.id)
}

/// How many bytes of a file hold something.
fn written(file: &SegmentFile) -> usize {
    OpenSegment::open(file.clone()).map_or(0, |opened| used_length(opened.bytes()))
}

/// Whether two files hold the same segment: its descriptor, and of its first section what both of them have.
pub(super) fn is_same(one: &Segment<'_>, other: &Segment<'_>) -> bool {
    let ((descriptor, one), (other_descriptor, other)) = (one.known_head(), other.known_head());
    let common = one.len().min(other.len());
    descriptor == other_descriptor && one.get(..common) == other.get(..common)
}
