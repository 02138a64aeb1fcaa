//! What is known of parked mutations beyond their places, since the agent was started.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::agent::pipeline::records::full_name;
use crate::agent::pipeline::report::Undelivered;
use crate::checkpoint::Checkpoint;
use crate::commitlog::Position;
use crate::schema::Schema;

/// More are not remembered: their places stand in the checkpoint.
const NOTED: usize = 20_000;

/// Notes of parked mutations by place. At every start they are tried again, so that notes are there again.
#[derive(Debug, Default)]
pub(super) struct ParkedNotes(BTreeMap<Position, Note>);

#[derive(Debug)]
struct Note {
    /// `keyspace.table`, or the table id when the schema does not have it.
    table: Option<String>,
    bytes: Option<u64>,
    reason: String,
    /// When it was noted first.
    since: OffsetDateTime,
}

impl ParkedNotes {
    /// Mutations were parked, or tried again in vain.
    pub(super) fn note(&mut self, parked: &[Undelivered], checkpoint: &Checkpoint) {
        if parked.is_empty() {
            return;
        }
        self.0.retain(|place, _| checkpoint.is_parked(*place));
        for entry in parked.iter().filter(|entry| checkpoint.is_parked(entry.position)) {
            let since = self.0.get(&entry.position).map(|note| note.since);
            if since.is_none() && self.0.len() >= NOTED {
                continue;
            }
            let note = Note {
                table: entry.table.clone(),
                bytes: entry.bytes,
                reason: entry.reason.clone(),
                since: since.unwrap_or_else(OffsetDateTime::now_utc),
            };
            self.0.insert(entry.position, note);
        }
    }

    /// Table and length of a parked mutation, as far as they are known.
    pub(super) fn known(&self, place: Position) -> (Option<String>, Option<u64>) {
        self.0.get(&place).map_or((None, None), |note| (note.table.clone(), note.bytes))
    }

    /// A parked mutation for a list.
    pub(super) fn item(&self, checkpoint: &Checkpoint, place: Position, schema: &Schema) -> Value {
        let mut item = place_item(checkpoint, place);
        let (Some(note), Value::Object(fields)) = (self.0.get(&place), &mut item) else { return item };
        let text = note.table.as_deref();
        let known = schema
            .tables()
            .find(|table| text.is_some_and(|text| table.id.to_string() == text || full_name(table) == text));
        let is_id = text.is_some_and(|text| text.parse::<uuid::Uuid>().is_ok());
        let id =
            known.map(|table| table.id.to_string()).or_else(|| text.filter(|_| is_id).map(str::to_owned));
        let name = known.map(|table| full_name(table)).or_else(|| text.filter(|_| !is_id).map(str::to_owned));
        fields.insert("table".to_owned(), json!(name));
        fields.insert("table_id".to_owned(), json!(id));
        fields.insert("bytes".to_owned(), json!(note.bytes));
        fields.insert("reason".to_owned(), json!(note.reason));
        let since = note.since.replace_nanosecond(0).ok().and_then(|since| since.format(&Rfc3339).ok());
        fields.insert("since".to_owned(), json!(since));
        item
    }
}

/// What a checkpoint alone says of a parked mutation.
pub(in crate::agent) fn place_item(checkpoint: &Checkpoint, place: Position) -> Value {
    let tags: Vec<String> = checkpoint.parked_partitions(place).map(|tag| format!("{tag:016x}")).collect();
    json!({"place": place.to_string(), "partitions": tags})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_keeps_its_first_time_and_goes_with_its_mutation() {
        let place: Position = "7:20:3".parse().unwrap();
        let mut checkpoint = Checkpoint::default();
        checkpoint.park(place, [0xabc]).unwrap();
        let id = "5bc52802-de25-35ed-aeab-188eecebb090";
        let entry = |reason: &str| Undelivered {
            position: place,
            table: Some(id.to_owned()),
            bytes: Some(40),
            reason: reason.to_owned(),
        };
        let mut notes = ParkedNotes::default();
        notes.note(&[entry("unknown")], &checkpoint);
        let first = notes.0[&place].since;
        notes.note(&[entry("still unknown")], &checkpoint);
        assert_eq!(notes.0[&place].since, first);
        let item = notes.item(&checkpoint, place, &Schema::default());
        assert_eq!(item["place"], "7:20:3");
        assert_eq!(item["partitions"], json!(["0000000000000abc"]));
        assert_eq!((&item["table"], &item["table_id"]), (&Value::Null, &json!(id)));
        assert_eq!((&item["bytes"], &item["reason"]), (&json!(40), &json!("still unknown")));
        checkpoint.unpark(place).unwrap();
        notes.note(&[entry("late")], &checkpoint);
        assert!(notes.0.is_empty());
    }
}
