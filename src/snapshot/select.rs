//! How a table is asked for: the SELECT, and what each column of its answer is.

use std::sync::Arc;

use crate::cql::CqlType;
use crate::cql::ident::quoted;
use crate::schema::source::{Page, TokenRange};
use crate::schema::{Column, TableSchema};

/// Why a table cannot be read by a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// What CQL shows of it is not what its schema says.
    #[error("a table WITH COMPACT STORAGE cannot be read by a snapshot; drop the compact storage first")]
    Compact,
}

/// Where a column stands in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Index in [`TableSchema::statics`] or [`TableSchema::regulars`].
    pub index: usize,
    /// The value.
    pub value: usize,
    /// Its times, where CQL tells them.
    pub times: Option<Times>,
}

/// Where the times of a column stand in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// The write time; behind it stands the rest of the TTL.
    pub place: usize,
    /// Whether they are lists, with one time for each element.
    pub is_list: bool,
}

/// The SELECT of one table, and the table in the form in which it is read: collections and user-defined types as one
/// value, and counters as their totals.
#[derive(Debug, Clone)]
pub struct Select {
    table: Arc<TableSchema>,
    /// Up to the first token.
    head: String,
    token: String,
    /// Static columns, then regular ones; the keys stand before them.
    statics: Vec<Place>,
    regulars: Vec<Place>,
}

/// The first version of Cassandra that tells the write times of collections and user-defined types.
const ELEMENT_TIMES_SINCE: u32 = 5;

impl Select {
    /// The SELECT of `table` from a node of this major version.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn new(table: &TableSchema, major_version: u32) -> Result<Self, SelectError> {
        if table.compact {
            return Err(SelectError::Compact);
        }
        let keys: Vec<String> =
            table.partition_key.iter().chain(&table.clustering).map(|column| quoted(&column.name)).collect();
        let token =
            format!("token({})", keys.get(..table.partition_key.len()).unwrap_or_default().join(", "));
        let mut list = vec![token.clone()];
        list.extend(keys);
        let has_times = |column: &Column| {
            column.cql_type != CqlType::Counter
                && (!column.multi_cell || major_version >= ELEMENT_TIMES_SINCE)
        };
        let mut places = |columns: &[Column]| -> Vec<Place> {
            let shown = columns.iter().enumerate().filter(|(_, column)| column.dropped_at_us.is_none());
            let place = |(index, column): (usize, &Column)| {
                let (name, value) = (quoted(&column.name), list.len());
                list.push(name.clone());
                let times = Times { place: list.len(), is_list: column.multi_cell };
                let times = has_times(column).then_some(times);
                if times.is_some() {
                    list.extend([format!("writetime({name})"), format!("ttl({name})")]);
                }
                Place { index, value, times }
            };
            shown.map(place).collect()
        };
        let (statics, regulars) = (places(&table.statics), places(&table.regulars));
        let head = format!(
            "SELECT {} FROM {}.{} WHERE {token} > ",
            list.join(", "),
            quoted(&table.keyspace),
            quoted(&table.name)
        );
        Ok(Self { table: Arc::new(as_read(table)), head, token, statics, regulars })
    }

    /// The statement for the rows of a range.
    #[must_use]
    pub fn cql(&self, range: TokenRange) -> String {
        format!("{}{} AND {} <= {}", self.head, range.after, self.token, range.to)
    }

    /// The table in the form in which it is read.
    #[must_use]
    pub fn table(&self) -> &TableSchema {
        &self.table
    }

    /// Whether a page has values that expire.
    #[must_use]
    pub fn has_expiring(&self, page: &Page) -> bool {
        let places = self.statics.iter().chain(&self.regulars).filter_map(|place| place.times);
        let mut left = places.map(|times| times.place + 1);
        // A list holds a null for each element that does not expire: it is looked at as a whole.
        left.any(|place| (0..page.rows()).any(|row| page.value(row, place).is_some()))
    }

    /// Where the token of a row stands in the answer.
    #[must_use]
    pub fn token_place(&self) -> usize {
        0
    }

    /// Where the key columns stand: partition key, then clustering.
    pub(super) fn key_places(&self) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let (partition, clustering) = (self.table.partition_key.len(), self.table.clustering.len());
        (1..1 + partition, 1 + partition..1 + partition + clustering)
    }

    /// Where the static or regular columns stand.
    pub(super) fn places(&self, is_static: bool) -> &[Place] {
        if is_static { &self.statics } else { &self.regulars }
    }
}

fn as_read(table: &TableSchema) -> TableSchema {
    let mut table = table.clone();
    for column in table.statics.iter_mut().chain(&mut table.regulars) {
        column.multi_cell = false;
        if column.cql_type == CqlType::Counter {
            column.cql_type = CqlType::BigInt;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::rows::tests::{TABLE, table};

    #[test]
    fn asks_for_times_where_there_are_some() {
        let range = TokenRange { after: -5, to: 7 };
        let select = Select::new(&table(TABLE), 4).unwrap();
        assert_eq!(
            select.cql(range),
            "SELECT token(\"p\", \"Q\"), \"p\", \"Q\", \"c\", \"s\", writetime(\"s\"), ttl(\"s\"), \
             \"tags\", \"v\", writetime(\"v\"), ttl(\"v\") FROM \"k\".\"t\" \
             WHERE token(\"p\", \"Q\") > -5 AND token(\"p\", \"Q\") <= 7"
        );
        let newer = Select::new(&table(TABLE), 5).unwrap().cql(range);
        assert!(newer.contains("\"tags\", writetime(\"tags\"), ttl(\"tags\"), \"v\""), "{newer}");
    }

    #[test]
    fn counters_have_no_times() {
        let counters =
            "CREATE TABLE k.t (p int PRIMARY KEY, n counter) WITH ID = 00000000-0000-0000-0000-000000000001;";
        let select = Select::new(&table(counters), 5).unwrap();
        let cql = select.cql(TokenRange { after: 0, to: 1 });
        assert!(cql.starts_with("SELECT token(\"p\"), \"p\", \"n\" FROM "), "{cql}");
        assert_eq!(select.table().regulars[0].cql_type, CqlType::BigInt);
    }
}
