//! Walks a mutation and gives its change events in order.

use super::event::{Bound, ChangeEvent, Operation, Shape};
use crate::commitlog::mutation::{Deletion, Marker, Mutation, PartitionUpdate, Row, Unfiltered};

/// Range tombstone markers that do not pair. Cassandra never writes such an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the range tombstone markers of the partition update do not pair")]
pub struct ShapeError;

/// Calls `visit` for every change event of `mutation`, in order.
///
/// # Errors
/// The markers of an update do not pair; events before it were visited already. What `visit` returns.
pub fn for_each_event<'a, E: From<ShapeError>>(
    mutation: &Mutation<'a>,
    visit: impl FnMut(ChangeEvent<'_, 'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut index = 0;
    for_each_event_of_part(mutation, &mut index, visit)
}

/// The same for a part of a mutation, whose first event has number `index`; then that of the next part's first.
///
/// # Errors
/// As [`for_each_event`].
pub fn for_each_event_of_part<'a, E: From<ShapeError>>(
    mutation: &Mutation<'a>,
    index: &mut u32,
    mut visit: impl FnMut(ChangeEvent<'_, 'a>) -> Result<(), E>,
) -> Result<(), E> {
    for update in mutation.updates() {
        let mut numbered = |mut event: ChangeEvent<'_, 'a>| {
            event.index = *index;
            *index += 1;
            visit(event)
        };
        visit_update(mutation, update, &mut numbered)?;
    }
    Ok(())
}

fn visit_update<'a, E: From<ShapeError>>(
    mutation: &Mutation<'a>,
    update: &PartitionUpdate<'a>,
    visit: &mut impl FnMut(ChangeEvent<'_, 'a>) -> Result<(), E>,
) -> Result<(), E> {
    let event = |operation, shape| ChangeEvent {
        operation,
        shape,
        index: 0,
        update,
        deletion: None,
        content: None,
        mutation,
    };
    if let Some(deletion) = update.deletion {
        let operation =
            if update.table.clustering.is_empty() { Operation::Delete } else { Operation::RangeDelete };
        let shape = Shape::Range { start: None, end: None };
        visit(ChangeEvent { deletion: Some(deletion), ..event(operation, shape) })?;
    }
    if let Some(row) = &update.static_row
        && has_data(mutation, row)
    {
        visit(ChangeEvent { content: Some(row), ..event(Operation::Update, Shape::StaticRow) })?;
    }
    let unfiltereds = mutation.unfiltereds(update);
    let mut open = false;
    for (position, unfiltered) in unfiltereds.iter().enumerate() {
        match unfiltered {
            Unfiltered::Row(row) => {
                let shape = Shape::Row { clustering: mutation.clustering(row) };
                visit_row(mutation, row, event(Operation::Update, shape), visit)?;
            }
            Unfiltered::Marker(marker) => {
                if marker.kind.end_inclusive().is_some() != open {
                    return Err(ShapeError.into());
                }
                open = marker.kind.start_inclusive().is_some();
                let following = unfiltereds.get(position + 1..).unwrap_or_default();
                if let Some((deletion, shape)) = opened_range(mutation, marker, following)? {
                    visit(ChangeEvent { deletion: Some(deletion), ..event(Operation::RangeDelete, shape) })?;
                }
            }
        }
    }
    if open { Err(ShapeError.into()) } else { Ok(()) }
}

/// A row is a deletion, a write, or both: then the deletion comes first, and the write is what is newer than it.
fn visit_row<'m, 'a, E>(
    mutation: &'m Mutation<'a>,
    row: &'m Row,
    event: ChangeEvent<'m, 'a>,
    visit: &mut impl FnMut(ChangeEvent<'_, 'a>) -> Result<(), E>,
) -> Result<(), E> {
    let Some(deletion) = row.deletion else { return visit_content(mutation, row, event, visit) };
    visit(ChangeEvent { operation: Operation::Delete, deletion: Some(deletion), ..event })?;
    if mutation.is_newer_than(row, deletion.ts_us) {
        return visit_content(mutation, row, event, visit);
    }
    // Cassandra leaves out what a deletion beside it covers when it makes a row, so this is seldom needed.
    let (newer, row) = mutation.newer_than(row, deletion.ts_us);
    visit_content(&newer, &row, event, visit)
}

#[inline]
fn visit_content<'m, 'a, E>(
    mutation: &'m Mutation<'a>,
    row: &'m Row,
    event: ChangeEvent<'m, 'a>,
    visit: &mut impl FnMut(ChangeEvent<'_, 'a>) -> Result<(), E>,
) -> Result<(), E> {
    if !has_data(mutation, row) {
        return Ok(());
    }
    let operation = if row.liveness.is_some() { Operation::Create } else { Operation::Update };
    visit(ChangeEvent { operation, content: Some(row), mutation, ..event })
}

fn has_data(mutation: &Mutation<'_>, row: &Row) -> bool {
    row.liveness.is_some() || !mutation.columns(row).is_empty()
}

/// The range that `marker` opens, with its end looked up ahead; `None` when it opens none.
fn opened_range<'m, 'a>(
    mutation: &'m Mutation<'a>,
    marker: &'m Marker,
    following: &'m [Unfiltered],
) -> Result<Option<(Deletion, Shape<'m, 'a>)>, ShapeError> {
    let Some(start_inclusive) = marker.kind.start_inclusive() else { return Ok(None) };
    let closing = following.iter().find_map(|unfiltered| match unfiltered {
        Unfiltered::Marker(marker) => Some(marker),
        Unfiltered::Row(_) => None,
    });
    let closing = closing.ok_or(ShapeError)?;
    let end_inclusive = closing.kind.end_inclusive().ok_or(ShapeError)?;
    let bound = |marker: &'m Marker, inclusive| {
        let values = mutation.bound(marker);
        (!values.is_empty()).then_some(Bound { values, inclusive })
    };
    let shape = match (bound(marker, start_inclusive), bound(closing, end_inclusive)) {
        // Ranges of one batch that met and cover all rows. Two open bounds would mean the partition, and with
        // it the static row.
        (None, None) => Shape::Range { start: Some(Bound::ALL), end: Some(Bound::ALL) },
        (start, end) => Shape::Range { start, end },
    };
    Ok(marker.start.map(|deletion| (deletion, shape)))
}
