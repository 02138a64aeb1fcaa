//! What a column of a row holds: one cell, the cells of a collection or UDT, or the shards of a counter.

use std::collections::BTreeMap;

use super::json::Json;
use super::select;
use super::types::{Column, Type};
use super::value::{self, Value};

/// A write with its time; without content it is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell<T> {
    ts_us: i64,
    expires_at: Option<i64>,
    content: Option<T>,
}

impl<T: PartialEq> Cell<T> {
    /// The times of a column or element are those of the event where `cells` says nothing else.
    pub(super) fn read(times: Option<&Json>, event_us: i64, content: Option<T>) -> Self {
        let own = |name| times.and_then(|times| times.get(name)).map(Json::integer);
        let ts_us = if content.is_some() { own("ts_us") } else { own("deleted_ts_us") };
        Self { ts_us: ts_us.unwrap_or(event_us), expires_at: own("expires_at"), content }
    }

    /// Which of two writes stays: the newer one; of two with one time the tombstone, then the one that
    /// expires, the later one first.
    pub(super) fn newest(old: Option<Self>, new: Self) -> Self {
        let rank = |cell: &Self| (cell.ts_us, cell.content.is_none(), cell.expires_at);
        match old {
            Some(old) if rank(&old) > rank(&new) => old,
            Some(old) => {
                let is_tie = rank(&old) == rank(&new);
                assert!(!is_tie || old.content == new.content, "the larger bytes win, a record has none");
                new
            }
            None => new,
        }
    }

    pub(super) fn is_live(&self, deleted_us: i64, now: i64) -> bool {
        self.content.is_some() && self.ts_us > deleted_us && self.expires_at.is_none_or(|at| at > now)
    }
}

/// An element of a list stands where it was put, others are in the order of their texts.
type Order = (u8, u64, u64);

/// The content of one column.
#[derive(Debug, Default)]
pub(super) struct Content {
    cell: Option<Cell<Value>>,
    /// Newest deletion of a whole collection, µs.
    deleted_us: Option<i64>,
    /// By path: a list's timeuuid, a set's element, a map's key, a UDT's field.
    elements: BTreeMap<String, (Order, Value, Cell<Value>)>,
    /// By counter id: clock, count.
    shards: BTreeMap<String, (i64, i64)>,
    /// Newest time of a shard, µs.
    counted_us: Option<i64>,
}

impl Content {
    /// Write time and expiry of a single live cell.
    pub(super) fn single(&self, deleted_us: i64, now: i64) -> Option<(i64, Option<i64>)> {
        if let Some(counted_us) = self.counted_us {
            return self.is_counted(deleted_us).then_some((counted_us, None));
        }
        let cell = self.cell.as_ref().filter(|cell| cell.is_live(deleted_us, now))?;
        Some((cell.ts_us, cell.expires_at))
    }

    /// A deleted counter stays deleted.
    fn is_counted(&self, deleted_us: i64) -> bool {
        self.cell.is_none() && self.counted_us.is_some_and(|at| at > deleted_us)
    }

    /// The text of the live value.
    pub(super) fn text(&self, column: &Column, deleted_us: i64, now: i64) -> Option<String> {
        if self.is_counted(deleted_us) {
            let count = self.shards.values().fold(0_i64, |sum, (_, count)| sum.wrapping_add(*count));
            return Some(count.to_string());
        }
        if !column.is_complex {
            let cell = self.cell.as_ref().filter(|cell| cell.is_live(deleted_us, now))?;
            return cell.content.as_ref().map(|value| select::of_value(&column.cql_type, value));
        }
        let deleted_us = deleted_us.max(self.deleted_us.unwrap_or(i64::MIN));
        let mut live: Vec<_> =
            self.elements.values().filter(|(.., cell)| cell.is_live(deleted_us, now)).collect();
        if live.is_empty() {
            return None;
        }
        live.sort_by_key(|(order, ..)| *order);
        let contents = live.iter().filter_map(|(.., cell)| cell.content.clone());
        let whole = match &column.cql_type {
            Type::Map(..) => {
                Value::Pairs(live.iter().map(|(_, path, _)| path.clone()).zip(contents).collect())
            }
            Type::Udt(fields) => {
                let field = |name: &String| {
                    let found = live.iter().find(|(_, path, _)| *path == Value::Text(name.clone()));
                    found.and_then(|(.., cell)| cell.content.clone()).unwrap_or(Value::Null)
                };
                Value::Items(fields.iter().map(|(name, _)| field(name)).collect())
            }
            _ => Value::Items(contents.collect()),
        };
        Some(select::of_value(&column.cql_type, &whole))
    }
}

/// What a record says about one column.
pub(super) struct Data<'a> {
    pub(super) column: &'a Column,
    /// The value in `after`, or what stands in `patch`.
    pub(super) json: &'a Json,
    /// The column's entry in `cells`.
    pub(super) times: Option<&'a Json>,
    pub(super) event_us: i64,
    /// Number of the record.
    pub(super) sequence: usize,
    pub(super) is_patch: bool,
}

impl Data<'_> {
    pub(super) fn merge_into(&self, content: &mut Content) {
        let is_counter = self.column.cql_type == Type::Native("counter".to_owned());
        match (self.column.is_complex, self.is_patch) {
            (false, true) if is_counter => self.count(content),
            (false, false) => {
                let value = self.value(&self.column.cql_type, self.json, self.times);
                let cell = Cell::read(self.times, self.event_us, value);
                content.cell = Some(Cell::newest(content.cell.take(), cell));
            }
            (true, false) => self.assign(content),
            (true, true) => self.patch(content),
            (false, true) => panic!("a single cell changed in part: {}", self.column.name),
        }
    }

    /// A live value; null is a tombstone, unless the times say that it is a zero-length value.
    fn value(&self, cql_type: &Type, json: &Json, times: Option<&Json>) -> Option<Value> {
        let is_empty = times.and_then(|times| times.get("empty")).is_some_and(Json::is_true);
        match json {
            Json::Null => is_empty.then_some(Value::Empty),
            json => Some(value::read(cql_type, json)),
        }
    }

    fn count(&self, content: &mut Content) {
        for shard in self.json.at("shards").items() {
            let new = (shard.at("clock").integer(), shard.at("count").integer());
            let old = content.shards.entry(shard.at("id").text().to_owned()).or_insert(new);
            *old = (*old).max(new);
        }
        let at = Cell::read(self.times, self.event_us, Some(())).ts_us;
        content.counted_us = content.counted_us.max(Some(at));
    }

    /// The whole collection: what was there is deleted first.
    fn assign(&self, content: &mut Content) {
        let own = self.times.and_then(|times| times.get("deleted_ts_us")).map(Json::integer);
        // Without a time of its own it is the event's when nothing stays, and else 1 µs older.
        let deleted_us = own.unwrap_or(self.event_us - i64::from(*self.json != Json::Null));
        content.deleted_us = content.deleted_us.max(Some(deleted_us));
        if *self.json == Json::Null {
            return;
        }
        match &self.column.cql_type {
            Type::List(item) => self.assign_list(content, item),
            Type::Set(item) => {
                self.json.items().iter().for_each(|json| self.put(content, (item, json), (item, json)));
            }
            Type::Map(key, item) => {
                let names = |(name, json): &(String, Json)| (Json::Text(name.clone()), json.clone());
                let pairs: Vec<(Json, Json)> = match self.json {
                    Json::Object(fields) => fields.iter().map(names).collect(),
                    pairs => pairs
                        .items()
                        .iter()
                        .map(|pair| (pair.items()[0].clone(), pair.items()[1].clone()))
                        .collect(),
                };
                pairs.iter().for_each(|(path, json)| self.put(content, (key, path), (item, json)));
            }
            Type::Udt(fields) => {
                let text = Type::Native("text".to_owned());
                for (name, field) in fields {
                    let path = Json::Text(name.clone());
                    let (json, is_empty) =
                        (self.json.get(name).unwrap_or(&Json::Null), self.element(&path).is_some());
                    if *json != Json::Null || is_empty {
                        self.put(content, (&text, &path), (field, json));
                    }
                }
            }
            other => panic!("{other:?} has no elements"),
        }
    }

    /// A list in `after` has no paths: its elements stand between those put in front and those appended later.
    fn assign_list(&self, content: &mut Content, item: &Type) {
        let own: Vec<&Json> =
            self.elements().iter().filter(|own| own.get("deleted_ts_us").is_none()).collect();
        let values = self.json.items();
        for (at, json) in values.iter().enumerate() {
            let times = if own.len() == values.len() { Some(own[at]) } else { self.times };
            let path = Value::Text(format!("record {} element {at}", self.sequence));
            let cell = Cell::read(times, self.event_us, self.value(item, json, times));
            let order = (1, self.sequence as u64, at as u64);
            content.elements.insert(format!("{path:?}"), (order, path, cell));
        }
    }

    fn patch(&self, content: &mut Content) {
        let text = Type::Native("text".to_owned());
        let (paths, items) = match &self.column.cql_type {
            Type::Set(item) => (item.as_ref(), None),
            Type::Map(key, item) => (key.as_ref(), Some(item.as_ref())),
            Type::List(item) => (&Type::Native("timeuuid".to_owned()), Some(item.as_ref())),
            _ => (&text, None),
        };
        for put in self.json.at("put").items() {
            match (&self.column.cql_type, items) {
                (Type::Set(item), _) => self.put(content, (item, put), (item, put)),
                (Type::Udt(fields), _) => {
                    let name = put.items()[0].text();
                    let (_, field) = fields.iter().find(|(field, _)| field == name).unwrap();
                    self.put(content, (paths, &put.items()[0]), (field, &put.items()[1]));
                }
                (_, Some(item)) => {
                    self.put(content, (paths, &put.items()[0]), (item, &put.items()[1]));
                }
                (other, None) => panic!("{other:?} has no elements"),
            }
        }
        for path in self.json.at("remove").items() {
            let cell = Cell::read(self.element(path), self.event_us, None);
            self.merge(content, value::read(paths, path), cell);
        }
    }

    fn put(&self, content: &mut Content, path: (&Type, &Json), item: (&Type, &Json)) {
        let times = self.element(path.1).or(self.times);
        let value = self.value(item.0, item.1, times);
        let cell = Cell::read(times, self.event_us, value);
        self.merge(content, value::read(path.0, path.1), cell);
    }

    fn merge(&self, content: &mut Content, path: Value, cell: Cell<Value>) {
        let name = format!("{path:?}");
        let old = content.elements.remove(&name);
        let order = old.as_ref().map_or_else(|| self.order(&path), |(order, ..)| *order);
        let cell = Cell::newest(old.map(|(.., cell)| cell), cell);
        content.elements.insert(name, (order, path, cell));
    }

    /// Cassandra gives what is put in front of a list a time before 2010, and later ones earlier times.
    fn order(&self, path: &Value) -> Order {
        const YEAR_2010: u64 = 134_815_968_000_000_000;
        match path {
            Value::Uuid(uuid) if matches!(self.column.cql_type, Type::List(_)) => {
                let time = value::time(*uuid);
                if time < YEAR_2010 { (0, 0, time) } else { (1, self.sequence as u64, time) }
            }
            _ => (2, 0, 0),
        }
    }

    fn elements(&self) -> &[Json] {
        self.times.and_then(|times| times.get("elements")).map_or(&[], Json::items)
    }

    /// The times of an element that has its own.
    fn element(&self, path: &Json) -> Option<&Json> {
        self.elements().iter().find(|own| own.at("path") == path)
    }
}
