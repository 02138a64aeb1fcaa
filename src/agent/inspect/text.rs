//! `inspect` as text: one line a descriptor, section, mutation, update, row, marker, column and cell.

use std::io::{self, Write};

use super::annotate::{Annotation, Part, UpdateHead};
use super::json::hex;
use super::places::Places;
use crate::agent::input::body_name;
use crate::commitlog::mutation::{
    Cell, CellValue, ColumnCells, Deletion, Expiry, Marker, Mutation, PartitionUpdate, Row, Unfiltered,
};
use crate::commitlog::{Descriptor, SectionBounds};
use crate::schema::{Column, ColumnKind};

/// Writes a decoded mutation, its values as hex or only their sizes.
pub(super) struct Text<'w, W> {
    /// Where to.
    pub(super) out: &'w mut W,
    /// Whether values are shown.
    pub(super) values: bool,
}

pub(super) fn descriptor(
    out: &mut impl Write,
    segment: &str,
    descriptor: &Descriptor,
    file_bytes: u64,
) -> io::Result<()> {
    writeln!(out, "{segment}: {file_bytes} bytes")?;
    writeln!(
        out,
        "descriptor 0..{}: version {}, id {}, {}",
        descriptor.length,
        descriptor.version,
        descriptor.id,
        body_name(&descriptor.body)
    )
}

pub(super) fn section(
    out: &mut impl Write,
    bounds: SectionBounds,
    plain_bytes: usize,
    entries: u64,
) -> io::Result<()> {
    let length = bounds.end.saturating_sub(bounds.marker);
    writeln!(
        out,
        "section at {}: {length} bytes to {}, {plain_bytes} plain from logical offset {}, {entries} entries",
        bounds.marker, bounds.end, bounds.logical_start
    )
}

/// The head of an update whose rows could not be decoded or are not shown.
pub(super) fn head(out: &mut impl Write, head: &UpdateHead, table: Option<(&str, &str)>) -> io::Result<()> {
    match table {
        Some((keyspace, table)) => write!(out, "    update of {keyspace}.{table} ({})", head.table)?,
        None => write!(out, "    update of table {}", head.table)?,
    }
    write!(out, ", key {} bytes, flags {:#04x}", head.key_bytes, head.flags)?;
    for (kind, names) in [("static", &head.statics), ("regular", &head.regulars)] {
        if !names.is_empty() {
            write!(out, ", {kind} columns {}", names.join(", "))?;
        }
    }
    writeln!(out)
}

impl<W: Write> Text<'_, W> {
    /// The updates of a decoded mutation.
    pub(super) fn updates(
        &mut self,
        mutation: &Mutation<'_>,
        annotation: &Annotation,
        base: u64,
    ) -> io::Result<()> {
        let mut places = Places::new(annotation, base);
        mutation.updates().iter().try_for_each(|update| self.update(mutation, update, &mut places))
    }

    fn update(
        &mut self,
        mutation: &Mutation<'_>,
        update: &PartitionUpdate<'_>,
        places: &mut Places,
    ) -> io::Result<()> {
        let table = update.table;
        let at = at(places, Part::Update);
        write!(self.out, "    update{at}: {}.{} ({}), key ", table.keyspace, table.name, table.id)?;
        self.value(update.partition_key)?;
        self.deletion(", partition deleted", update.deletion)?;
        writeln!(self.out)?;
        if let Some(row) = &update.static_row {
            self.row(mutation, row, places)?;
        }
        for unfiltered in mutation.unfiltereds(update) {
            match unfiltered {
                Unfiltered::Row(row) => self.row(mutation, row, places)?,
                Unfiltered::Marker(marker) => self.marker(mutation, marker, places)?,
            }
        }
        Ok(())
    }

    fn row(&mut self, mutation: &Mutation<'_>, row: &Row, places: &mut Places) -> io::Result<()> {
        let kind = if row.is_static { "static row" } else { "row" };
        write!(self.out, "      {kind}{}", at(places, Part::Row))?;
        self.clustering(mutation.clustering(row))?;
        if let Some(liveness) = row.liveness {
            write!(self.out, ", written {} us", liveness.ts_us)?;
            self.expiry(liveness.expiry)?;
        }
        self.deletion(", deleted", row.deletion)?;
        writeln!(self.out)?;
        mutation.columns(row).iter().try_for_each(|column| self.column(mutation, column, places))
    }

    fn marker(&mut self, mutation: &Mutation<'_>, marker: &Marker, places: &mut Places) -> io::Result<()> {
        write!(self.out, "      range marker{}: {}", at(places, Part::Marker), marker.kind.name())?;
        self.clustering(mutation.bound(marker))?;
        self.deletion(", range that ends deleted", marker.end)?;
        self.deletion(", range that starts deleted", marker.start)?;
        writeln!(self.out)
    }

    fn column(
        &mut self,
        mutation: &Mutation<'_>,
        column: &ColumnCells<'_>,
        places: &mut Places,
    ) -> io::Result<()> {
        let of = column.column;
        if of.multi_cell {
            write!(self.out, "        {}{}", described(of), at(places, Part::Complex))?;
            self.deletion(", deleted as a whole", column.deletion)?;
            writeln!(self.out)?;
        }
        for cell in mutation.cells(column) {
            let at = at(places, Part::Cell);
            if of.multi_cell {
                write!(self.out, "          element{at} ")?;
                self.value(cell.path.unwrap_or_default())?;
            } else {
                write!(self.out, "        {}{at}", described(of))?;
            }
            self.cell(cell)?;
        }
        Ok(())
    }

    fn cell(&mut self, cell: &Cell<'_>) -> io::Result<()> {
        match cell.value {
            CellValue::Live { value, expiry } => {
                write!(self.out, ": ")?;
                self.value(value)?;
                write!(self.out, ", written {} us", cell.ts_us)?;
                self.expiry(expiry)?;
            }
            CellValue::Tombstone { local_time } => {
                write!(self.out, ": deleted {} us, local time {local_time} s", cell.ts_us)?;
            }
        }
        writeln!(self.out)
    }

    fn clustering(&mut self, values: &[Option<&[u8]>]) -> io::Result<()> {
        for (index, value) in values.iter().enumerate() {
            write!(self.out, "{}", if index == 0 { ", clustering " } else { " | " })?;
            match value {
                Some(value) => self.value(value)?,
                None => write!(self.out, "null")?,
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &[u8]) -> io::Result<()> {
        if self.values && !value.is_empty() {
            write!(self.out, "0x{}", hex(value))
        } else {
            write!(self.out, "{} bytes", value.len())
        }
    }

    fn expiry(&mut self, expiry: Option<Expiry>) -> io::Result<()> {
        let Some(Expiry { ttl, local_time }) = expiry else { return Ok(()) };
        write!(self.out, ", TTL {ttl} s to {local_time} s")
    }

    fn deletion(&mut self, what: &str, deletion: Option<Deletion>) -> io::Result<()> {
        let Some(Deletion { ts_us, local_time }) = deletion else { return Ok(()) };
        write!(self.out, "{what} {ts_us} us, local time {local_time} s")
    }
}

/// ` at <offset>` when it is known.
fn at(places: &mut Places, part: Part) -> String {
    places.next(part).map(|offset| format!(" at {offset}")).unwrap_or_default()
}

fn described(column: &Column) -> String {
    let kind = if column.kind == ColumnKind::Static { "static " } else { "" };
    format!("{kind}{} {}", column.name, column.type_text)
}
