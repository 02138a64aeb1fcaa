//! Places behind which the schema may be another one than the log was written with: a schema change may be lost
//! there.

use super::epoch::SchemaAt;
use super::system_change::SystemChange;
use crate::commitlog::{Damage, DamageKind, Position, SegmentId, peek};
use crate::schema::{Effect, TableId};

/// Bytes of a frame before and behind its payload.
const BEFORE_PAYLOAD: usize = 8;
const BEHIND_PAYLOAD: usize = 4;

/// A place, and why the schema is doubtful from there on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) struct Doubt {
    pub(in crate::agent) from: Position,
    pub(in crate::agent) reason: String,
}

/// The places up to one in the log.
#[derive(Debug, Clone, Default)]
pub(in crate::agent) struct Doubts {
    /// No mutation that is asked for was met behind them.
    idle: Vec<Doubt>,
    /// Those behind which one was met, and that were not taken yet.
    met: Vec<Doubt>,
    /// The last segment with damage that may have taken a schema change.
    damaged: Option<SegmentId>,
}

impl Doubts {
    /// Notes a place. It matters once a mutation is met behind it.
    pub(in crate::agent) fn add(&mut self, from: Position, reason: String) {
        self.idle.push(Doubt { from, reason });
    }

    /// Forgets what is not told of yet of a segment.
    pub(in crate::agent) fn forget(&mut self, segment: SegmentId) {
        self.idle.retain(|doubt| doubt.from.segment != segment);
    }

    #[inline]
    pub(in crate::agent) fn has_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    /// A mutation that is asked for was met.
    pub(in crate::agent) fn meet(&mut self) {
        self.met.append(&mut self.idle);
    }

    /// The places that matter and were not taken before.
    pub(in crate::agent) fn take(&mut self) -> Vec<Doubt> {
        std::mem::take(&mut self.met)
    }
}

/// What a change lacks, if it is doubtful.
pub(in crate::agent) fn of_effect(effect: &Effect) -> Option<String> {
    let Effect::Doubtful { keyspace, table, reason } = effect else { return None };
    let table = table.as_ref().map_or(String::new(), |table| format!(".{table}"));
    Some(format!("{keyspace}{table}: {reason}"))
}

/// Notes damage at `from` that may have taken a schema change: once for a segment. `plain`: the bytes of a section of
/// which a part is damaged.
pub(in crate::agent) fn damaged(
    schema: &mut SchemaAt,
    from: Position,
    damage: &Damage,
    plain: Option<&[u8]>,
) {
    if schema.doubts.damaged != Some(from.segment)
        && let Some(reason) = of_damage(damage, plain, schema)
    {
        schema.doubts.damaged = Some(from.segment);
        schema.doubts.add(from, reason);
    }
}

fn of_damage(damage: &Damage, plain: Option<&[u8]>, schema: &SchemaAt) -> Option<String> {
    if damage.lost_mutations == Some(0) {
        return None;
    }
    if damage.kind == DamageKind::FrameChecksum
        && let Some(table) = plain.and_then(|plain| first_table(damage, plain))
    {
        if SystemChange::is_schema_table(table) {
            return Some("a change of system_schema is damaged and lost".to_owned());
        }
        if schema.epoch().schema.table(table).is_some() {
            return None;
        }
    }
    Some(format!("mutations are lost ({}), and a schema change may be among them", damage.kind))
}

/// The table that a damaged frame still names. Damage hardly turns an id into another one that is known.
fn first_table(damage: &Damage, plain: &[u8]) -> Option<TableId> {
    let start = usize::try_from(damage.plain_offset?).ok()?;
    let length = usize::try_from(damage.lost_bytes).ok()?;
    let frame = plain.get(start..)?.get(..length)?;
    let payload = frame.get(BEFORE_PAYLOAD..frame.len().checked_sub(BEHIND_PAYLOAD)?)?;
    peek(payload).ok().map(|peeked| peeked.table)
}
