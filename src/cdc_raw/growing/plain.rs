//! Growing segments whose sections are neither compressed nor encrypted: frames can be read one by one.

use super::{GrowingError, GrowingSegment, MARKER_BYTES, Reach, Rest};
use crate::commitlog::live::{AfterFrames, LiveSection, whole_frames};
use crate::envelope::Visibility;

/// Read beyond what is known to be there: the marker that follows, and what is written meanwhile.
const AHEAD: u64 = 4 << 10;

/// A part of a section to be read.
#[derive(Clone, Copy)]
struct Part {
    /// File offset of the section's end, when a marker says it.
    end: Option<u64>,
    visibility: Visibility,
}

impl GrowingSegment {
    pub(super) fn poll_plain(&mut self, reach: Reach) -> Result<Rest, GrowingError> {
        loop {
            let next = self.next_frame();
            let part = match self.section(0)? {
                LiveSection::Closed { end, .. } if !reach.covers(end) => return Ok(Rest::Unsynced),
                LiveSection::Closed { end, .. } if end < next => {
                    return Err(self.not_in_chain(self.next()));
                }
                LiveSection::Closed { end, plain_length } if end == next => {
                    if self.at.entry < self.skip {
                        return Err(self.not_in_chain(self.next()));
                    }
                    self.step(end, plain_length);
                    continue;
                }
                LiveSection::Closed { end, .. } => Part { end: Some(end), visibility: reach.of_section(end) },
                _ if reach.is_beyond_markers() => Part { end: None, visibility: Visibility::Written },
                LiveSection::Unwritten => return Ok(Rest::Unwritten),
                LiveSection::Torn | LiveSection::Unsound => return Ok(Rest::NotWhole),
            };
            if let Some(rest) = self.frames(part)? {
                return Ok(rest);
            }
        }
    }

    /// Reads frames of the section at hand; `None` when all of it was read.
    fn frames(&mut self, part: Part) -> Result<Option<Rest>, GrowingError> {
        let mut wanted = self.wanted(part);
        let limit = part.end.unwrap_or(u64::MAX);
        // Under a marker everything is whole, or it is damaged.
        let not_there = if part.end.is_some() { Rest::NotWhole } else { Rest::Unwritten };
        loop {
            let next = self.next_frame();
            if self.window.place(next).is_none() {
                // What was given out in this poll stands in the window.
                if !self.runs.is_empty() {
                    return Ok(Some(Rest::More));
                }
                self.window.fill(&self.file, next, wanted).map_err(|error| self.io(error))?;
            }
            let to = limit.min(self.window.end());
            let then = self.take(next, to, part.visibility);
            let next = self.next_frame();
            let needed = match then {
                AfterFrames::Enough => continue,
                AfterFrames::End if next == limit => return Ok(None),
                AfterFrames::NoFrame => return Ok(Some(not_there)),
                AfterFrames::End | AfterFrames::Rest => 1,
                AfterFrames::Longer(length) => length,
            };
            if self.window.is_short() || next + needed as u64 > limit || to == limit {
                return Ok(Some(not_there));
            }
            if !self.runs.is_empty() {
                return Ok(Some(Rest::More));
            }
            if needed > wanted {
                self.check_length()?;
                if next + needed as u64 > self.length {
                    return Ok(Some(not_there));
                }
            }
            wanted = wanted.max(needed);
            self.window.clear();
        }
    }

    /// File offset of the next frame.
    fn next_frame(&self) -> u64 {
        self.at.marker + MARKER_BYTES + self.at.offset
    }

    /// Takes the whole frames between two file offsets, all of which are in the window.
    fn take(&mut self, from: u64, to: u64, visibility: Visibility) -> AfterFrames {
        let Some(bytes) = self.window.get(from, to) else { return AfterFrames::End };
        let place = self.window.place(from).unwrap_or_default();
        let skipped = self.skip.saturating_sub(self.at.entry);
        let most = if skipped > 0 { skipped } else { u32::MAX };
        let found = whole_frames(bytes, most);
        if skipped == 0 {
            self.push(place..place + found.end, self.at.entry, self.at.offset, visibility);
        }
        self.at.entry += found.count;
        self.at.offset += found.end as u64;
        found.then
    }

    /// How many bytes to read at once.
    fn wanted(&self, part: Part) -> usize {
        let next = self.next_frame();
        let known = part.end.map_or(0, |end| end.saturating_sub(next));
        match usize::try_from(known + AHEAD) {
            Ok(wanted) if !self.is_behind => wanted.min(self.poll_bytes),
            _ => self.poll_bytes,
        }
    }
}
