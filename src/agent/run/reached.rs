//! From which place of the log on an agent reads that goes on from a checkpoint.

#[cfg(feature = "cql")]
use super::passed::Passed;
#[cfg(feature = "cql")]
use super::reader::Reading;
#[cfg(feature = "cql")]
use super::schema_kept::place;
use crate::agent::pipeline::walk::start_of;
use crate::checkpoint::Checkpoint;
use crate::commitlog::Position;
#[cfg(feature = "cql")]
use crate::commitlog::SegmentId;
#[cfg(feature = "cql")]
use crate::schema::store::LogPlace;

/// The place up to which the log was read: the first one that is not done in the newest segment.
pub(super) fn front(checkpoint: &Checkpoint) -> Option<Position> {
    let newest = checkpoint.newest()?;
    let end = Position { marker: u64::MAX, entry: u32::MAX, ..start_of(newest) };
    Some(checkpoint.open_at(newest).unwrap_or(end))
}

/// The first place at which something stands that is not done. Segments that were read as far as something stands in them
/// can stay for long and do not count.
#[cfg(feature = "cql")]
pub(super) fn next_place(reading: &Reading<'_>, checkpoint: &Checkpoint, passed: &Passed) -> LogPlace {
    let held = reading.directory.hold_moves();
    let segments = reading.directory.scan().map(|scan| scan.segments).unwrap_or_default();
    drop(held);
    let mut unread = segments.iter().filter_map(|file| {
        let id = file.name.id;
        if checkpoint.done_as(id).is_some() || passed.has(file, checkpoint) {
            return None;
        }
        let next = checkpoint.open_at(id).unwrap_or(start_of(id));
        reading.has_content_from(file, next).then_some(next)
    });
    unread.next().or_else(|| front(checkpoint)).map_or(LogPlace::END, place)
}

/// The oldest segment that is there.
#[cfg(feature = "cql")]
pub(super) fn oldest(reading: &Reading<'_>) -> Option<SegmentId> {
    let _held = reading.directory.hold_moves();
    Some(reading.directory.scan().ok()?.segments.first()?.name.id)
}
