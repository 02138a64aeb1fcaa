//! Large pieces of memory that units share: restored sections, and segments that are no map of a file.

use std::any::Any;
use std::sync::{Arc, Weak};

/// More is not held at once, unless a single piece is larger.
const MOST_BYTES: usize = 32 << 20;

/// What is in memory, for as long as somebody holds it.
#[derive(Debug, Default)]
pub(in crate::agent) struct Held {
    pieces: Vec<(Weak<dyn Any + Send + Sync>, usize)>,
    /// The memory of a section that nobody reads any more, for the next one. Freed, an allocator would keep some
    /// of it for each thread.
    buffer: Vec<u8>,
}

impl Held {
    /// Counts `piece`, of `bytes` in memory, for as long as somebody holds it.
    pub(in crate::agent) fn add<T: Send + Sync + 'static>(&mut self, piece: &Arc<T>, bytes: usize) {
        if bytes > 0 {
            let piece: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(piece);
            self.pieces.push((Arc::downgrade(&piece), bytes));
        }
    }

    /// Memory to restore a section into.
    pub(in crate::agent) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Takes the memory of a section back when nobody else holds it.
    pub(in crate::agent) fn give_back(&mut self, restored: Arc<Vec<u8>>) {
        if let Some(buffer) = Arc::into_inner(restored)
            && buffer.capacity() > self.buffer.capacity()
        {
            self.buffer = buffer;
        }
    }

    /// Whether `bytes` more may be taken.
    pub(in crate::agent) fn has_room_for(&mut self, bytes: usize) -> bool {
        self.pieces.retain(|(piece, _)| piece.strong_count() > 0);
        let held: usize = self.pieces.iter().map(|(_, bytes)| bytes).sum();
        bytes == 0 || held.saturating_add(bytes) <= MOST_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_still_there() {
        let mut held = Held::default();
        assert!(held.has_room_for(MOST_BYTES));
        assert!(!held.has_room_for(MOST_BYTES + 1));
        let piece = Arc::new(vec![0_u8; 3]);
        held.add(&piece, piece.len());
        assert!(held.has_room_for(MOST_BYTES - 3));
        assert!(!held.has_room_for(MOST_BYTES - 2));
        assert!(held.has_room_for(0));
        drop(piece);
        assert!(held.has_room_for(MOST_BYTES));
    }
}
