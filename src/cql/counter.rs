//! Counter contexts: what a counter cell holds.
//!
//! `i16` number of marks, that many `i16` marks, then shards of 32 bytes. Source: `CounterContext` of
//! Cassandra 2.1 to 5.0.

use super::value::ValueError;
use crate::primitives;

/// One replica's share of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Counter id: the host id of the replica that counts.
    pub id: [u8; 16],
    /// Logical clock of the shard.
    pub clock: i64,
    /// The shard's absolute count, not a difference.
    pub count: i64,
}

const SHARD_LENGTH: usize = 32;

/// The shards of a counter context, as logged.
///
/// # Errors
/// The bytes are no counter context.
pub fn shards(context: &[u8]) -> Result<impl Iterator<Item = Shard> + '_, ValueError> {
    let broken = |problem| ValueError { type_name: "counter", problem };
    let (rest, marks) = primitives::fixed(context).map_err(|_| broken("it is cut short"))?;
    let marks = usize::from(i16::from_be_bytes(marks).unsigned_abs()) * 2;
    let body = rest.get(marks..).ok_or_else(|| broken("it is cut short"))?;
    if !body.len().is_multiple_of(SHARD_LENGTH) {
        return Err(broken("its shards are cut short"));
    }
    Ok(body.chunks_exact(SHARD_LENGTH).filter_map(|bytes| shard(bytes).ok().map(|(_, shard)| shard)))
}

fn shard(bytes: &[u8]) -> primitives::Parsed<'_, Shard> {
    let (rest, id) = primitives::fixed(bytes)?;
    let (rest, clock) = primitives::i64(rest)?;
    let (rest, count) = primitives::i64(rest)?;
    Ok((rest, Shard { id, clock, count }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_global_shard_as_a_node_logs_it() {
        let mut context = vec![0, 1, 0x80, 0];
        context.extend([7; 16]);
        context.extend([0, 0x06, 0x60, 0xdb, 0x96, 0x09, 0xa2, 0x30]);
        context.extend(5_i64.to_be_bytes());
        let found: Vec<_> = shards(&context).unwrap().collect();
        assert_eq!(found, [Shard { id: [7; 16], clock: 0x0006_60db_9609_a230, count: 5 }]);
    }

    #[test]
    fn cut_contexts_are_refused() {
        for context in [&[][..], &[0], &[0, 1], &[0, 1, 0x80], &[0, 0, 1]] {
            assert!(shards(context).is_err(), "{context:?}");
        }
        assert_eq!(shards(&[0, 0]).unwrap().count(), 0);
    }
}
