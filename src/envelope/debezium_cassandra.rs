//! Profile `debezium-cassandra`: topic, key and shape of Debezium's Cassandra connector 3.5, with true values.
//!
//! `docs/envelope.md` 9.1 describes it, `docs/debezium-differences.md` says where it differs from the connector.

mod bound;
mod bound_text;
mod cell;
mod marshal;
mod plan;

pub(super) use plan::{ConnectorPlan, connector_topic};

use super::encoder::EncodeError;
use super::json::{write_null, write_string};
use super::parts::{EventColumn, Parts};
use super::plan::ColumnPlan;
use super::source::{write_source_ms, write_source_us};
use super::value::{write_nested, write_value};
use crate::change::filter::ColumnRule;
use crate::change::partition_key::for_each_component;
use crate::change::{ChangeEvent, Operation, Shape};
use crate::cql::number::write_integer;
use crate::schema::Column;
use bound::write_ranges;
use cell::{write_cell, write_cell_of};

/// Whether `op` is `d`: a row deletion, and every partition delete.
pub(super) fn is_delete(event: &ChangeEvent<'_, '_>) -> bool {
    let whole = matches!(event.shape, Shape::Range { start: None, end: None });
    event.operation == Operation::Delete || (event.operation == Operation::RangeDelete && whole)
}

fn operation(event: &ChangeEvent<'_, '_>) -> &'static [u8] {
    match event.operation {
        Operation::Create | Operation::Read => b"i",
        Operation::Update => b"u",
        _ if is_delete(event) => b"d",
        Operation::Delete | Operation::RangeDelete => b"r",
    }
}

/// Appends the value of a record.
pub(super) fn write(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    out.extend_from_slice(b"{\"ts_ms\":");
    write_integer(parts.now_ms, out);
    out.extend_from_slice(b",\"op\":\"");
    out.extend_from_slice(operation(parts.event));
    out.extend_from_slice(b"\",");
    write_source(parts, out);
    out.extend_from_slice(b",\"after\":{");
    write_partition_key(parts, out)?;
    write_clustering(parts, out)?;
    write_columns(parts, Columns::Regular, out)?;
    write_columns(parts, Columns::Static, out)?;
    write_ranges(parts, out)?;
    out.extend_from_slice(b"}}");
    Ok(())
}

fn write_source(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) {
    let Some(plan) = &parts.plan.connector else { return };
    out.extend_from_slice(&parts.plan.source.head);
    if parts.is_unknown(parts.ts_us) {
        // The connector's field is never null.
        write_integer(parts.now_ms, out);
    } else {
        write_source_ms(parts, out);
    }
    out.extend_from_slice(b",\"snapshot\":");
    out.extend_from_slice(if parts.is_read() { b"\"true\"" } else { b"\"false\"" });
    out.extend_from_slice(b",\"db\":\"NULL\",\"sequence\":null,\"ts_us\":");
    write_source_us(parts, out);
    out.extend_from_slice(b",\"ts_ns\":");
    // A time that is not known has none either.
    match parts.ts_us.checked_mul(1000) {
        Some(nanos) => write_integer(nanos, out),
        None => write_null(out),
    }
    out.extend_from_slice(&plan.source_cluster);
    if parts.is_read() {
        out.extend_from_slice(b"\"\",\"pos\":-1");
    } else {
        write_string(parts.place.file, out);
        out.extend_from_slice(b",\"pos\":");
        write_integer(parts.place.end, out);
    }
    out.extend_from_slice(&plan.source_table);
}

fn write_partition_key(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let update = parts.event.update;
    for_each_component(update.table, update.partition_key, |index, value| {
        let (Some(column), Some(field)) =
            (update.table.partition_key.get(index), parts.plan.partition_key.get(index))
        else {
            return Err(EncodeError::PartitionKey);
        };
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(field);
        write_cell_of(out, |out| write_value(&column.cql_type, value, parts.config.format, out))
            .map_err(|error| EncodeError::value(column, error))
    })
}

/// Clustering columns: values of a row, deleted with the partition, else null.
fn write_clustering(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let columns = parts.event.update.table.clustering.iter().zip(&parts.plan.clustering);
    for (position, (column, field)) in columns.enumerate() {
        out.push(b',');
        out.extend_from_slice(field);
        match parts.event.shape {
            Shape::Row { clustering } => {
                let value = clustering.get(position).copied().flatten();
                write_cell_of(out, |out| write_nested(&column.cql_type, value, parts.config.format, out))
                    .map_err(|error| EncodeError::value(column, error))?;
            }
            Shape::Range { .. } if is_delete(parts.event) => write_deleted(parts, out),
            Shape::Range { .. } | Shape::StaticRow => write_null(out),
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    Regular,
    Static,
}

/// All columns of one kind: what the event carries, what it deletes, null for the rest.
fn write_columns(parts: &Parts<'_, '_, '_>, kind: Columns, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let table = parts.event.update.table;
    let (columns, plans, mine) = match kind {
        Columns::Regular => (&table.regulars, &parts.plan.regulars, !parts.is_static()),
        Columns::Static => (&table.statics, &parts.plan.statics, parts.is_static()),
    };
    let deleted = is_delete(parts.event) && (kind == Columns::Regular || is_partition(parts.event));
    let mut carried = parts.columns().filter(|_| mine).peekable();
    for (index, (column, plan)) in columns.iter().zip(plans).enumerate() {
        let item = carried.next_if(|item| item.column.index == index);
        if !is_shown(column, plan, item.is_some()) {
            continue;
        }
        out.extend_from_slice(plan.separated());
        match item {
            Some(item) => write_carried(parts, &item, out)?,
            None if deleted => write_deleted(parts, out),
            None => write_null(out),
        }
    }
    Ok(())
}

/// Columns that the configuration drops are never shown, those that the schema dropped only when carried.
fn is_shown(column: &Column, plan: &ColumnPlan, carried: bool) -> bool {
    plan.rule != Some(ColumnRule::Drop) && (carried || column.dropped_at_us.is_none())
}

fn is_partition(event: &ChangeEvent<'_, '_>) -> bool {
    matches!(event.shape, Shape::Range { .. })
}

fn write_carried(
    parts: &Parts<'_, '_, '_>,
    item: &EventColumn<'_, '_, '_>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    write_cell(parts, item, out).map_err(|error| EncodeError::value(item.column.column, error))
}

/// The cell of a column that is null since the deletion.
fn write_deleted(parts: &Parts<'_, '_, '_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"value\":null,\"deletion_ts\":");
    write_integer(parts.ts_us, out);
    out.extend_from_slice(b",\"set\":true}");
}
