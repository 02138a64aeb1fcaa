//! Whether a mutation is decoded at once or in parts.

use super::mutation::Mutation;

/// When a part is full, and what takes it.
pub(super) trait Parts<'a> {
    fn is_full(&self, mutation: &Mutation<'a>) -> bool;

    /// Whether it is far more than full: a range is open for so long that the part cannot end.
    fn is_too_full(&self, mutation: &Mutation<'a>) -> bool;

    /// Takes what was decoded and empties the mutation; `false` when decoding must stop.
    fn take(&mut self, mutation: &mut Mutation<'a>) -> bool;
}

/// The mutation is not divided.
pub(super) struct WholeMutation;

impl<'a> Parts<'a> for WholeMutation {
    #[inline]
    fn is_full(&self, _: &Mutation<'a>) -> bool {
        false
    }

    #[inline]
    fn is_too_full(&self, _: &Mutation<'a>) -> bool {
        false
    }

    fn take(&mut self, _: &mut Mutation<'a>) -> bool {
        true
    }
}

/// A range that is deleted and written to anew in one mutation is never divided; it may be so many parts long.
const LONGEST_RANGE: usize = 32;

/// Parts of so many items.
pub(super) struct MutationParts<V, E> {
    pub(super) most: usize,
    pub(super) visit: V,
    /// What the visitor failed with.
    pub(super) stopped: Option<E>,
}

impl<'a, E, V: FnMut(&Mutation<'a>) -> Result<(), E>> Parts<'a> for MutationParts<V, E> {
    fn is_full(&self, mutation: &Mutation<'a>) -> bool {
        mutation.items() >= self.most
    }

    fn is_too_full(&self, mutation: &Mutation<'a>) -> bool {
        mutation.items() >= self.most.saturating_mul(LONGEST_RANGE)
    }

    fn take(&mut self, mutation: &mut Mutation<'a>) -> bool {
        self.stopped = (self.visit)(mutation).err();
        mutation.clear();
        self.stopped.is_none()
    }
}
