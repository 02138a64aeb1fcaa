//! Chooses between text and JSON.

use std::io::{self, Write};

use serde_json::Value;

use super::annotate::{Annotation, UpdateHead};
use super::{json, text};
use crate::agent::damage::damage_json;
use crate::agent::object::Object;
use crate::cli::InspectArgs;
use crate::commitlog::{Damage, Descriptor, Frame, Mutation, Position, SectionBounds};
use crate::schema::{Schema, TableId};

/// Where a mutation stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its position.
    pub(super) position: Position,
    /// Logical offset of its frame.
    pub(super) offset: u64,
}

/// What is known of a mutation.
pub(super) enum Content<'c, 'm> {
    /// All of it.
    Decoded { mutation: &'c Mutation<'m>, annotation: &'c Annotation },
    /// The heads of its updates, and why not more.
    Undecoded { heads: &'c [UpdateHead], reason: &'c str },
}

/// Prints as the options say. With `--at`, which prints one mutation only, everything else is silent.
pub(super) struct Printer<'a, W: Write> {
    pub(super) out: W,
    pub(super) args: &'a InspectArgs,
    pub(super) schema: &'a Schema,
}

impl<W: Write> Printer<'_, W> {
    pub(super) fn descriptor(
        &mut self,
        label: &str,
        descriptor: &Descriptor,
        file_bytes: u64,
    ) -> io::Result<()> {
        match (self.args.at, self.args.json) {
            (Some(_), _) => Ok(()),
            (None, true) => self.line(&json::descriptor(label, descriptor, file_bytes)),
            (None, false) => text::descriptor(&mut self.out, label, descriptor, file_bytes),
        }
    }

    /// A segment that was created and never written.
    pub(super) fn blank(&mut self, label: &str, file_bytes: u64) -> io::Result<()> {
        if self.args.json {
            self.line(&serde_json::json!({"type": "blank", "segment": label, "file_bytes": file_bytes}))?;
        } else {
            writeln!(self.out, "{label}: created and never written: {file_bytes} zero bytes")?;
        }
        self.out.flush()
    }

    pub(super) fn section(&mut self, bounds: SectionBounds, plain: &[u8]) -> io::Result<()> {
        match (self.args.at, self.args.json) {
            (Some(_), _) => Ok(()),
            (None, true) => self.line(&json::section(bounds, plain.len(), count_entries(plain))),
            (None, false) => text::section(&mut self.out, bounds, plain.len(), count_entries(plain)),
        }
    }

    pub(super) fn damage(&mut self, damage: &Damage) -> io::Result<()> {
        match (self.args.at, self.args.json) {
            (Some(_), _) => Ok(()),
            (None, true) => self.line(&damage_json(Object::of("damage"), damage)),
            (None, false) => writeln!(self.out, "  damage: {damage}"),
        }
    }

    pub(super) fn end(&mut self, sections: u64, mutations: u64, unmarked_bytes: u64) -> io::Result<()> {
        match (self.args.at, self.args.json) {
            (Some(_), _) => Ok(()),
            (None, true) => {
                let mut json = Object::of("end");
                json.put("sections", sections);
                json.put("mutations", mutations);
                json.put("unmarked_bytes", unmarked_bytes);
                self.line(&json.into())
            }
            (None, false) => {
                writeln!(self.out, "end: {sections} sections, {mutations} mutations")?;
                if unmarked_bytes == 0 {
                    return Ok(());
                }
                writeln!(
                    self.out,
                    "{unmarked_bytes} bytes stand behind the last marker: written, never synced"
                )
            }
        }
    }

    pub(super) fn mutation(
        &mut self,
        place: Place,
        frame: Frame<'_>,
        content: &Content<'_, '_>,
    ) -> io::Result<()> {
        // Logical offset of the payload.
        let base = place.offset + (frame.payload_offset() - frame.offset) as u64;
        if self.args.json {
            self.json_mutation(place, frame, content, base)
        } else {
            self.text_mutation(place, frame, content, base)
        }
    }

    fn json_mutation(
        &mut self,
        place: Place,
        frame: Frame<'_>,
        content: &Content<'_, '_>,
        base: u64,
    ) -> io::Result<()> {
        let mut line = Object::of("mutation");
        line.put("position", place.position.to_string());
        line.put("at", place.offset);
        line.put("pos", place.offset + (frame.end() - frame.offset) as u64);
        line.put("size", frame.payload.len());
        match content {
            Content::Decoded { mutation, annotation } => {
                let json = json::Json { values: self.args.values };
                line.put("updates", json.updates(mutation, annotation, base));
            }
            Content::Undecoded { heads, reason } => {
                let heads = heads.iter().map(|head| json::head(head, self.name(head.table)));
                line.put("updates", heads.collect::<Value>());
                line.put("undecoded", *reason);
            }
        }
        self.line(&line.into())
    }

    fn text_mutation(
        &mut self,
        place: Place,
        frame: Frame<'_>,
        content: &Content<'_, '_>,
        base: u64,
    ) -> io::Result<()> {
        let Place { position, offset } = place;
        writeln!(self.out, "  mutation {position} at {offset}: {} bytes", frame.payload.len())?;
        match content {
            Content::Decoded { mutation, annotation } => {
                let values = self.args.values;
                text::Text { out: &mut self.out, values }.updates(mutation, annotation, base)
            }
            Content::Undecoded { heads, reason } => {
                for head in *heads {
                    let name = self.schema.table(head.table).map(|table| table.as_ref());
                    text::head(&mut self.out, head, name.map(|t| (t.keyspace.as_str(), t.name.as_str())))?;
                }
                writeln!(self.out, "    {reason}")
            }
        }
    }

    fn name(&self, table: TableId) -> Option<(&str, &str)> {
        self.schema.table(table).map(|table| (table.keyspace.as_str(), table.name.as_str()))
    }

    fn line(&mut self, json: &Value) -> io::Result<()> {
        writeln!(self.out, "{json}")
    }
}

/// The frames of a section, told apart by their lengths alone.
fn count_entries(plain: &[u8]) -> u64 {
    let mut entries = 0;
    let mut rest = plain;
    while let Some((length, _)) = rest.split_first_chunk() {
        let frame =
            usize::try_from(u32::from_be_bytes(*length)).ok().and_then(|length| length.checked_add(12));
        match frame.and_then(|frame| rest.get(frame..)) {
            Some(after) => rest = after,
            None => break,
        }
        entries += 1;
    }
    entries
}
