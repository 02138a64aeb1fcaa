//! Growing segments whose sections are compressed or encrypted: a section is given out as a whole.

use super::{Buffers, GrowingError, GrowingSegment, Reach, Rest};
use crate::commitlog::live::{AfterFrames, LiveSection, Unrestored, whole_frames};
use crate::commitlog::{BodyFormat, SegmentError};

impl GrowingSegment {
    pub(super) fn poll_stored(&mut self, reach: Reach) -> Result<Rest, GrowingError> {
        loop {
            let (end, plain_length) = match self.section(0)? {
                LiveSection::Unwritten => return Ok(Rest::Unwritten),
                LiveSection::Torn | LiveSection::Unsound => return Ok(Rest::NotWhole),
                LiveSection::Closed { end, plain_length } => (end, plain_length),
            };
            let logical_end = self.at.logical_start + plain_length as u64;
            if !reach.covers(logical_end) {
                return Ok(Rest::Unsynced);
            }
            if !self.runs.is_empty() && self.buffers.plain.len() + plain_length > self.poll_bytes {
                return Ok(Rest::More);
            }
            if !self.restore(end, plain_length)? || !self.take_section(reach, logical_end)? {
                return Ok(Rest::NotWhole);
            }
            self.step(end, plain_length);
        }
    }

    /// Restores the section at hand; `false` when it is not whole.
    fn restore(&mut self, end: u64, plain_length: usize) -> Result<bool, GrowingError> {
        let body = self.at.marker + self.head.descriptor().section_head_length() as u64;
        let Ok(length) = usize::try_from(end.saturating_sub(body)) else { return Ok(false) };
        if end > self.length {
            self.check_length()?;
        }
        // A section is one write: until the file is as long as its marker says, it is under way.
        if end > self.length {
            return Ok(false);
        }
        let Buffers { section, scratch, .. } = &mut self.buffers;
        if plain_length == 0 {
            section.clear();
            return Ok(true);
        }
        self.window
            .fill(&self.file, body, length)
            .map_err(|source| GrowingError::Io { path: self.path.clone(), source })?;
        let restored = self.head.restore_live(self.window.bytes(), plain_length, scratch, section);
        match (restored, &self.head.descriptor().body) {
            (Ok(()), _) => {
                self.has_restored = true;
                Ok(true)
            }
            (Err(Unrestored::KeyDoesNotFit), BodyFormat::Encrypted(encryption)) if !self.has_restored => {
                let source = SegmentError::WrongKey { alias: encryption.key_alias.clone() };
                Err(GrowingError::Head { path: self.path.clone(), source })
            }
            (Err(_), _) => Ok(false),
        }
    }

    /// Gives out the frames of the restored section; `false` when they do not fill it.
    fn take_section(&mut self, reach: Reach, logical_end: u64) -> Result<bool, GrowingError> {
        let section = self.buffers.section.as_slice();
        let skipped = whole_frames(section, self.skip);
        let rest = section.get(skipped.end..).unwrap_or_default();
        let found = whole_frames(rest, u32::MAX);
        if found.then != AfterFrames::End {
            return Ok(false);
        }
        if skipped.count < self.skip {
            return Err(self.not_in_chain(self.next()));
        }
        let (entry, offset) = (skipped.count, skipped.end);
        let plain = &mut self.buffers.plain;
        let start = plain.len();
        if plain.is_empty() {
            std::mem::swap(plain, &mut self.buffers.section);
        } else {
            plain.extend_from_slice(&self.buffers.section);
        }
        let range = start + offset..self.buffers.plain.len();
        self.push(range, entry, offset as u64, reach.of_section(logical_end));
        Ok(true)
    }
}
