//! The columns of a record → cells with their own times (docs/envelope.md, 4 and 6).

use serde_json::{Map, Value};

use super::{Cell, Content, Layout, NoRecord, cell, no_record};

/// The metadata of a column or element: an empty object where there is none.
type Times<'v> = Option<&'v Value>;

struct Reader<'v> {
    /// The time of what has no own one.
    ts_us: i64,
    cells: Vec<(String, Cell)>,
    times: Option<&'v Map<String, Value>>,
}

/// What a row event writes.
pub(super) fn content(
    value: &Value,
    after: &Map<String, Value>,
    layout: &Layout,
    ts_us: i64,
) -> Result<Content, NoRecord> {
    let times = value.get("cells").and_then(Value::as_object);
    let mut reader = Reader { ts_us, cells: Vec::new(), times };
    if value.get("op").and_then(Value::as_str) != Some("u") {
        reader.put(cell::LIVENESS.to_owned(), "true", value.get("liveness"));
    }
    for (column, written) in after.iter().filter(|(name, _)| !layout.key.contains(name)) {
        reader.column(column, written, layout);
    }
    for (column, patch) in value.get("patch").and_then(Value::as_object).into_iter().flatten() {
        reader.patch(column, patch)?;
    }
    let is_whole = layout.columns.iter().all(|(name, _)| after.contains_key(name));
    let is_full = is_whole || value.get("hash_kind").and_then(Value::as_str) == Some("full");
    let opaque_us = value.get("truncated").map(|_| ts_us);
    Ok(Content { cells: reader.cells, is_full, opaque_us, ..Content::default() })
}

fn time(times: Times<'_>, name: &str) -> Option<i64> {
    times.and_then(|times| times.get(name)).and_then(Value::as_i64)
}

fn is_known(times: Times<'_>) -> bool {
    times.and_then(|times| times.get("ts_known")) != Some(&Value::Bool(false))
}

impl<'v> Reader<'v> {
    fn times_of(&self, column: &str) -> Times<'v> {
        self.times.and_then(|times| times.get(column))
    }

    /// A live cell. What has no time is older than everything.
    fn put(&mut self, path: String, value: &str, times: Times<'_>) {
        let ts_us = if is_known(times) { time(times, "ts_us").unwrap_or(self.ts_us) } else { i64::MIN };
        self.push(path, Some(value), ts_us, time(times, "expires_at"));
    }

    fn delete(&mut self, path: String, times: Times<'_>) {
        if is_known(times) {
            self.push(path, None, time(times, "deleted_ts_us").unwrap_or(self.ts_us), None);
        }
    }

    fn push(&mut self, path: String, value: Option<&str>, ts_us: i64, expires_at: Option<i64>) {
        self.cells.push((path, Cell { ts_us, value: value.map(str::to_owned), expires_at }));
    }

    /// A column that is written whole.
    fn column(&mut self, column: &str, written: &Value, layout: &Layout) {
        let times = self.times_of(column);
        let kind = layout.columns.iter().find(|(name, _)| name == column).map(|(_, kind)| kind.as_str());
        let has_elements = kind
            .is_some_and(|kind| ["set<", "map<", "list<"].iter().any(|name| kind.starts_with(name)))
            || written.is_object() && kind.is_some_and(|kind| !kind.starts_with("frozen<"));
        let is_empty = times.and_then(|times| times.get("empty")) == Some(&Value::Bool(true));
        match written {
            Value::Null if !is_empty && has_elements => self.delete(cell::all_elements(column), times),
            Value::Null if !is_empty => self.delete(column.to_owned(), times),
            _ if has_elements => self.elements(column, kind.unwrap_or_default(), written, times),
            _ => self.put(column.to_owned(), &written.to_string(), times),
        }
    }

    /// A collection or user-defined type that is assigned whole: a deletion of what was there, and elements.
    fn elements(&mut self, column: &str, kind: &str, written: &Value, times: Times<'_>) {
        self.delete(cell::all_elements(column), times);
        match written {
            // Elements of a list have no identity in what is assigned whole.
            Value::Array(_) if kind.starts_with("list<") => {
                self.put(cell::element(column, "*"), &written.to_string(), times);
            }
            Value::Array(elements) if kind.starts_with("map<") => {
                for pair in elements {
                    let of = |number: usize| pair.get(number).cloned().unwrap_or_default();
                    self.element(column, &of(0), &of(1).to_string(), times);
                }
            }
            Value::Array(elements) => {
                elements.iter().for_each(|element| self.element(column, element, "true", times));
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.element(column, &Value::from(name.as_str()), &value.to_string(), times);
                }
            }
            _ => self.put(column.to_owned(), &written.to_string(), times),
        }
        self.removed(column, times);
    }

    /// A collection that is changed in part.
    fn patch(&mut self, column: &str, patch: &Value) -> Result<(), NoRecord> {
        let times = self.times_of(column);
        let list = |name: &str| patch.get(name).and_then(Value::as_array).into_iter().flatten();
        for shard in list("shards") {
            let (Some(id), Some(clock)) = (shard.get("id"), shard.get("clock").and_then(Value::as_i64))
            else {
                return no_record(format!("patch.{column}: a shard without id or clock"));
            };
            let count = shard.get("count").cloned().unwrap_or_default().to_string();
            self.push(cell::element(column, &id.to_string()), Some(&count), clock, None);
        }
        for put in list("put") {
            match put.as_array().map(Vec::as_slice) {
                Some([path, value]) => self.element(column, path, &value.to_string(), times),
                _ => self.element(column, put, "true", times),
            }
        }
        for path in list("remove") {
            let own = own_times(times, path);
            self.delete(cell::element(column, &path.to_string()), own.or(times));
        }
        Ok(())
    }

    fn element(&mut self, column: &str, path: &Value, value: &str, times: Times<'_>) {
        self.put(cell::element(column, &path.to_string()), value, own_times(times, path).or(times));
    }

    /// Elements of a whole assignment that are deleted by themselves.
    fn removed(&mut self, column: &str, times: Times<'_>) {
        for own in listed(times).filter(|own| own.get("deleted_ts_us").is_some()) {
            let path = own.get("path").cloned().unwrap_or_default();
            self.delete(cell::element(column, &path.to_string()), Some(own));
        }
    }
}

fn listed<'v>(times: Times<'v>) -> impl Iterator<Item = &'v Value> {
    times.and_then(|times| times.get("elements")).and_then(Value::as_array).into_iter().flatten()
}

fn own_times<'v>(times: Times<'v>, path: &Value) -> Times<'v> {
    // Cassandra tells -0.0 from 0.0.
    let is_same =
        |own: &Value| own == path && own.as_f64().map(f64::to_bits) == path.as_f64().map(f64::to_bits);
    listed(times).find(|own| own.get("path").is_some_and(is_same))
}
