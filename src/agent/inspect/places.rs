//! Where the parts of a decoded mutation stand: the decoder says what they are, the walk where they begin.

use super::annotate::{Annotation, Part};

/// Gives the offsets of parts in the order in which the decoder gives the parts.
#[derive(Debug)]
pub(super) struct Places {
    parts: std::vec::IntoIter<(Part, u64)>,
}

impl Places {
    /// `base`: what to add to an offset in the payload.
    pub(super) fn new(annotation: &Annotation, base: u64) -> Self {
        let parts = annotation.fields.iter().filter_map(|field| {
            let offset = base + field.range.start as u64;
            field.begins.map(|part| (part, offset))
        });
        Self { parts: parts.collect::<Vec<_>>().into_iter() }
    }

    /// Where the next part stands; `None` from the first one on that the walk saw otherwise or not at all.
    pub(super) fn next(&mut self, part: Part) -> Option<u64> {
        match self.parts.next() {
            Some((found, offset)) if found == part => Some(offset),
            _ => {
                self.parts = Vec::new().into_iter();
                None
            }
        }
    }
}
