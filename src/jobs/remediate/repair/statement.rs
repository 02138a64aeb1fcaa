//! Parts of a repair → one statement of CQL, so that a row is repaired as a whole or not at all.

use serde::Serialize;

/// What stands for a `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// A text of JSON.
    Json(String),
    /// Microseconds.
    TimeUs(i64),
    /// Seconds.
    TtlS(i32),
}

/// A part of a repair, for people: no value is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Write {
    /// `INSERT`, `UPDATE`, `DELETE`
    pub statement: &'static str,
    /// The columns that are written or deleted; none of a row.
    pub columns: Vec<String>,
    /// Write time, microseconds.
    pub timestamp_us: i64,
    /// Seconds to live; 0: forever.
    pub ttl_s: i32,
}

/// A repair: one statement of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Its text. No value stands in it.
    pub cql: String,
    /// What stands for each `?`.
    pub values: Vec<Bound>,
    /// What it writes.
    pub writes: Vec<Write>,
}

/// Write time in microseconds, and seconds to live.
type When = (i64, i32);

/// Collects the parts of a repair.
#[derive(Debug)]
pub(super) struct Writes {
    table: String,
    /// Key columns and their values.
    place: Vec<(String, String)>,
    deleted_us: Option<i64>,
    insert: Option<When>,
    set: Vec<(When, Vec<(String, String)>)>,
    deleted: Vec<(i64, Vec<String>)>,
}

/// An identifier of CQL in quotes.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn names(columns: &[(String, String)]) -> Vec<String> {
    columns.iter().map(|(name, _)| name.clone()).collect()
}

impl Writes {
    pub(super) fn new(keyspace: &str, table: &str) -> Self {
        let table = format!("{}.{}", quoted(keyspace), quoted(table));
        Self {
            table,
            place: Vec::new(),
            deleted_us: None,
            insert: None,
            set: Vec::new(),
            deleted: Vec::new(),
        }
    }

    pub(super) fn place(&mut self, place: Vec<(String, String)>) {
        self.place = place;
    }

    /// Everything at this place is deleted.
    pub(super) fn delete_row(&mut self, place: Vec<(String, String)>, time_us: i64) {
        (self.place, self.deleted_us) = (place, Some(time_us));
    }

    /// The row itself is there.
    pub(super) fn insert(&mut self, time_us: i64, ttl_s: i32) {
        self.insert = Some((time_us, ttl_s));
    }

    pub(super) fn set(&mut self, when: When, name: &str, json: String) {
        let column = (name.to_owned(), json);
        match self.set.iter_mut().find(|(known, _)| *known == when) {
            Some((_, columns)) => columns.push(column),
            None => self.set.push((when, vec![column])),
        }
    }

    pub(super) fn delete_column(&mut self, time_us: i64, name: &str) {
        match self.deleted.iter_mut().find(|(known, _)| *known == time_us) {
            Some((_, columns)) => columns.push(name.to_owned()),
            None => self.deleted.push((time_us, vec![name.to_owned()])),
        }
    }

    /// The statement; None when there is nothing to write.
    pub(super) fn repair(mut self) -> Option<Repair> {
        let mut parts = Vec::new();
        let mut repair = Repair { cql: String::new(), values: Vec::new(), writes: Vec::new() };
        if let Some(time_us) = self.deleted_us {
            parts.push(self.delete(&[], time_us, &mut repair));
        }
        if let Some(when) = self.insert {
            let with = self.set.iter().position(|(known, _)| *known == when);
            let columns = with.map(|place| self.set.remove(place).1).unwrap_or_default();
            parts.push(self.insert_into(&columns, when, &mut repair));
        }
        for (when, columns) in &self.set {
            parts.push(self.update(columns, *when, &mut repair));
        }
        for (time_us, columns) in &self.deleted {
            parts.push(self.delete(columns, *time_us, &mut repair));
        }
        repair.cql = match parts.as_slice() {
            [] => return None,
            [part] => part.clone(),
            parts => format!("BEGIN UNLOGGED BATCH {}; APPLY BATCH", parts.join("; ")),
        };
        Some(repair)
    }

    fn insert_into(&self, columns: &[(String, String)], when: When, repair: &mut Repair) -> String {
        let all: Vec<&(String, String)> = self.place.iter().chain(columns).collect();
        let written: Vec<String> = all.iter().map(|(name, _)| quoted(name)).collect();
        repair.values.extend(all.iter().map(|(_, json)| Bound::Json(json.clone())));
        bind_when(when, repair);
        tell("INSERT", names(columns), when, repair);
        let (written, marks) = (written.join(", "), vec!["fromJson(?)"; all.len()].join(", "));
        format!("INSERT INTO {} ({written}) VALUES ({marks}) USING TIMESTAMP ? AND TTL ?", self.table)
    }

    fn update(&self, columns: &[(String, String)], when: When, repair: &mut Repair) -> String {
        bind_when(when, repair);
        repair.values.extend(columns.iter().map(|(_, json)| Bound::Json(json.clone())));
        let set: Vec<String> =
            columns.iter().map(|(name, _)| format!("{} = fromJson(?)", quoted(name))).collect();
        let place = self.where_clause(repair);
        tell("UPDATE", names(columns), when, repair);
        format!("UPDATE {} USING TIMESTAMP ? AND TTL ? SET {} WHERE {place}", self.table, set.join(", "))
    }

    fn delete(&self, columns: &[String], time_us: i64, repair: &mut Repair) -> String {
        repair.values.push(Bound::TimeUs(time_us));
        let place = self.where_clause(repair);
        tell("DELETE", columns.to_vec(), (time_us, 0), repair);
        let what: Vec<String> = columns.iter().map(|name| quoted(name)).collect();
        let what = if what.is_empty() { String::new() } else { format!("{} ", what.join(", ")) };
        format!("DELETE {what}FROM {} USING TIMESTAMP ? WHERE {place}", self.table)
    }

    fn where_clause(&self, repair: &mut Repair) -> String {
        repair.values.extend(self.place.iter().map(|(_, json)| Bound::Json(json.clone())));
        let parts: Vec<String> =
            self.place.iter().map(|(name, _)| format!("{} = fromJson(?)", quoted(name))).collect();
        parts.join(" AND ")
    }
}

/// The least write time that Cassandra takes.
const LEAST_US: i64 = i64::MIN + 1;

fn bind_when((time_us, ttl_s): When, repair: &mut Repair) {
    // TTL 0 also where the table has a default time to live: the winner's row does not expire.
    repair.values.extend([Bound::TimeUs(time_us.max(LEAST_US)), Bound::TtlS(ttl_s)]);
}

fn tell(statement: &'static str, columns: Vec<String>, (timestamp_us, ttl_s): When, repair: &mut Repair) {
    repair.writes.push(Write { statement, columns, timestamp_us, ttl_s });
}
