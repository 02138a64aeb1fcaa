//! Something kept for each table, found fast for the table that was asked for last.

use super::model::{TableId, TableMap};

/// Values by table id. Mutations of one table come in runs: the last one costs no hashing.
#[derive(Debug)]
pub struct TableCache<V> {
    entries: Vec<(TableId, V)>,
    places: TableMap<usize>,
    last: usize,
}

impl<V> Default for TableCache<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), places: TableMap::default(), last: 0 }
    }
}

impl<V> TableCache<V> {
    /// The value of table `id`, made by `make` when it is asked for the first time.
    ///
    /// # Errors
    /// What `make` returns; nothing is kept then.
    #[inline]
    pub fn get_or_try_make<E>(
        &mut self,
        id: TableId,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<&mut V, E> {
        if self.entries.get(self.last).is_none_or(|(last, _)| *last != id) {
            self.last = self.place(id, make)?;
        }
        #[expect(clippy::indexing_slicing, reason = "a place is only ever that of an entry")]
        Ok(&mut self.entries[self.last].1)
    }

    fn place<E>(&mut self, id: TableId, make: impl FnOnce() -> Result<V, E>) -> Result<usize, E> {
        if let Some(place) = self.places.get(&id) {
            return Ok(*place);
        }
        let place = self.entries.len();
        self.entries.push((id, make()?));
        self.places.insert(id, place);
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_each_value_once_and_keeps_none_that_failed() {
        let mut cache = TableCache::default();
        let (a, b) = (TableId([1; 16]), TableId([2; 16]));
        let mut made = Vec::new();
        for id in [a, b, b, a, a, b] {
            let value = cache.get_or_try_make(id, || {
                made.push(id);
                Ok::<_, ()>(id)
            });
            assert_eq!(value, Ok(&mut id.clone()));
        }
        assert_eq!(made, [a, b]);
        let c = TableId([3; 16]);
        assert_eq!(cache.get_or_try_make(c, || Err("no")), Err("no"));
        assert_eq!(cache.get_or_try_make(c, || Ok::<_, &str>(c)), Ok(&mut c.clone()));
    }
}
