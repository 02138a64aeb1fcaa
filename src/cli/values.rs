//! Values of options: names, times, and words with a fixed set.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::envelope::topic::{MAX_PREFIX_LENGTH, is_prefix};

/// Version of `row_hash`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowHash {
    /// No row_hash
    Off,
    /// Length-prefixed text of every hashed column
    V1,
    /// Columns in the order of `--row-hash-columns`, joined as jobs of older pipelines did
    V0,
}

/// What to do with a table id that the schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum UnknownTable {
    /// Keep its place, hold back what follows in its partition, and try again next time, with a better schema
    Park,
    /// Take the table for a dropped one: count its mutations and their bytes in the summary, go on without them
    Ledger,
    /// Stop at the first one
    Block,
}

/// What to do with a mutation of a known table that no schema at hand decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Undecodable {
    /// Keep its place, hold back what follows in its partition, and try again next time
    Park,
    /// Count it as lost, name it in the summary, go on
    Ledger,
}

/// `keyspace.table`, as stored; double quotes around a part are taken off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// Keyspace, unquoted.
    pub keyspace: String,
    /// Table, unquoted.
    pub table: String,
}

/// `keyspace.table.column`, as stored; double quotes around a part are taken off. The column may hold dots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    /// Table.
    pub table: TableName,
    /// Column, unquoted.
    pub column: String,
}

/// `keyspace.table=column,column…`: columns of a table in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnList {
    /// Table.
    pub table: TableName,
    /// Columns in the given order, at least one.
    pub columns: Vec<String>,
}

/// A point in time: microseconds since 1970-01-01T00:00:00Z, as Cassandra's write times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

/// Why a value of an option was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not `keyspace.table`.
    #[error("expected <keyspace>.<table>")]
    Table,
    /// Not `keyspace.table.column`.
    #[error("expected <keyspace>.<table>.<column>")]
    Column,
    /// Not `keyspace.table=column,…`.
    #[error("expected <keyspace>.<table>=<column>[,<column>…]")]
    Columns,
    /// Not `keyspace.table=word`.
    #[error("expected <keyspace>.<table>=fail, =dead_letter or =truncate")]
    RefusedTable,
    /// Not `name=value`.
    #[error("expected <name>=<value>, with a name of librdkafka's")]
    ClientOption,
    /// Not the start of a topic name.
    #[error(
        "expected 1 to {MAX_PREFIX_LENGTH} of the characters a-z A-Z 0-9 . _ -, as Kafka takes them in a topic name"
    )]
    Prefix,
    /// No name of a machine, and no address of one.
    #[error("expected a host name or an address, without its port")]
    Host,
    /// A number of which nobody can say what it counts.
    #[error(
        "the number has no unit and is not in the range of microseconds after 1973: write {0}s, {0}ms or {0}us"
    )]
    Unit(i64),
    /// Not a number that makes sense.
    #[error("expected a whole number from {least} to {most}")]
    Range {
        /// The least one.
        least: u64,
        /// The greatest one.
        most: u64,
    },
    /// Not a number of things.
    #[error("expected a whole number from 1 to 65535")]
    Count,
    /// Not a time.
    #[error(
        "expected a time as RFC 3339 (2026-01-31T12:00:00Z), since 1970 with its unit (1769860800s, 1769860800000ms, \
         1769860800000000us), or as source.ts_us has it"
    )]
    Instant,
}

/// Takes whole numbers within these bounds. Beyond them an option would have no effect, or another one than it says.
pub(super) fn whole<N: TryFrom<u64> + 'static>(
    least: u64,
    most: u64,
) -> impl Fn(&str) -> Result<N, ValueError> + Clone + Send + Sync + 'static {
    move |text| {
        let refused = || ValueError::Range { least, most };
        let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
        number.and_then(|number| N::try_from(number).ok()).ok_or_else(refused)
    }
}

/// Milliseconds in a day and in an hour: no wait of the agent is longer.
pub(super) const DAY_MS: u64 = 86_400_000;
pub(super) const HOUR_MS: u64 = 3_600_000;
/// Mebibytes in a pebibyte: more than any node's disk.
pub(crate) const MOST_MIB: u64 = 1 << 30;
/// Seconds in a century.
pub(super) const CENTURY_S: u64 = 3_155_760_000;

impl FromStr for TableName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (keyspace, table) = text.split_once('.').ok_or(ValueError::Table)?;
        let name = Self { keyspace: unquote(keyspace), table: unquote(table) };
        let valid = |part: &str| !part.is_empty() && !part.contains('.');
        if valid(&name.keyspace) && valid(&name.table) { Ok(name) } else { Err(ValueError::Table) }
    }
}

impl FromStr for ColumnName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '.');
        let (Some(keyspace), Some(table), Some(column)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(ValueError::Column);
        };
        let name = Self {
            table: TableName { keyspace: unquote(keyspace), table: unquote(table) },
            column: unquote(column),
        };
        if [&name.table.keyspace, &name.table.table, &name.column].iter().any(|part| part.is_empty()) {
            return Err(ValueError::Column);
        }
        Ok(name)
    }
}

impl FromStr for ColumnList {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (table, columns) = text.split_once('=').ok_or(ValueError::Columns)?;
        let list = Self {
            table: table.parse().map_err(|_| ValueError::Columns)?,
            columns: columns.split(',').map(unquote).collect(),
        };
        if list.columns.iter().any(String::is_empty) {
            return Err(ValueError::Columns);
        }
        Ok(list)
    }
}

/// Numbers without a unit that are microseconds, as in `source.ts_us`: from 1973 to 5138. Below, they could as well be
/// seconds or milliseconds of our time, above nanoseconds.
const MICROSECONDS: RangeInclusive<i64> = 100_000_000_000_000..=99_999_999_999_999_999;

/// Units of times that are given as numbers, in microseconds.
const UNITS: [(&str, i64); 3] = [("ms", 1000), ("us", 1), ("s", 1_000_000)];

impl FromStr for Instant {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.parse::<i64>() {
            let known = MICROSECONDS.contains(&number);
            return if known { Ok(Self(number)) } else { Err(ValueError::Unit(number)) };
        }
        let with_unit = UNITS.iter().find_map(|(unit, scale)| {
            text.strip_suffix(unit)?.parse::<i64>().ok().map(|number| number.checked_mul(*scale))
        });
        if let Some(time) = with_unit {
            return time.map(Self).ok_or(ValueError::Instant);
        }
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| ValueError::Instant)?;
        i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).map(Self).map_err(|_| ValueError::Instant)
    }
}

/// A number of things of which there must be one.
///
/// # Errors
/// The text is no number, zero, or too large.
pub(super) fn at_least_one<N: FromStr>(text: &str) -> Result<N, ValueError> {
    text.parse().map_err(|_| ValueError::Count)
}

/// The first part of topic names.
///
/// # Errors
/// Kafka would not take a topic name that begins so.
pub(super) fn topic_prefix(text: &str) -> Result<String, ValueError> {
    if is_prefix(text) { Ok(text.to_owned()) } else { Err(ValueError::Prefix) }
}

/// A machine. A name that cannot be one is looked up in vain for as long as the agent runs.
///
/// # Errors
/// It is no name and no address of one.
pub(super) fn host(text: &str) -> Result<String, ValueError> {
    let is_part_of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte) || !byte.is_ascii();
    let is_name = !text.is_empty() && text.bytes().all(is_part_of_name);
    let is_address = text.split('%').next().is_some_and(|address| address.parse::<IpAddr>().is_ok());
    if is_name || is_address { Ok(text.to_owned()) } else { Err(ValueError::Host) }
}

fn unquote(part: &str) -> String {
    part.strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .map_or_else(|| part.to_owned(), |inner| inner.replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let table: TableName = "shop.\"Orders\"".parse().unwrap();
        assert_eq!((table.keyspace.as_str(), table.table.as_str()), ("shop", "Orders"));
        let column: ColumnName = "shop.orders.a.b".parse().unwrap();
        assert_eq!(column.column, "a.b");
        let list: ColumnList = "shop.orders=id,total".parse().unwrap();
        assert_eq!(list.columns, ["id", "total"]);
        for bad in ["", "shop", ".orders", "shop.", "a.b.c"] {
            assert_eq!(bad.parse::<TableName>(), Err(ValueError::Table), "{bad}");
        }
        assert!("shop.orders".parse::<ColumnName>().is_err());
        for bad in ["shop.orders", "shop.orders=", "shop.orders=a,,b", "shop=a"] {
            assert_eq!(bad.parse::<ColumnList>(), Err(ValueError::Columns), "{bad}");
        }
    }

    #[test]
    fn a_host_has_no_port() {
        for good in ["localhost", "db-1.example_net.", "10.0.0.1", "::1", "fe80::1%eth0", "höst"] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        for bad in ["", "10.0.0.1:9042", "db:9042", "[::1]", "[::1]:9042", "a b", "a,b", "tcp://a"] {
            assert_eq!(host(bad), Err(ValueError::Host), "{bad}");
        }
    }

    #[test]
    fn times_in_every_form_are_the_same_instant() {
        // 1_700_000_000 s is 2023-11-14T22:13:20Z (date -u -d @1700000000).
        let expected = Instant(1_700_000_000_000_000);
        for text in ["2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00", "1700000000000000"] {
            assert_eq!(text.parse::<Instant>().unwrap(), expected, "{text}");
        }
        for text in ["1700000000s", "1700000000000ms", "1700000000000000us"] {
            assert_eq!(text.parse::<Instant>().unwrap(), expected, "{text}");
        }
        assert_eq!("-1ms".parse::<Instant>().unwrap(), Instant(-1000));
        assert_eq!("5us".parse::<Instant>().unwrap(), Instant(5));
        assert_eq!("1969-12-31T23:59:59.999999Z".parse::<Instant>().unwrap(), Instant(-1));
        for text in ["yesterday", "ms", "1m", "1 s", "9223372036854775807s", "2023-11-14"] {
            assert_eq!(text.parse::<Instant>(), Err(ValueError::Instant), "{text}");
        }
    }

    #[test]
    fn a_number_that_may_count_anything_is_refused() {
        // Seconds, milliseconds, nanoseconds of November 2023; microseconds of January 1973; none.
        for number in [1_700_000_000, 1_700_000_000_000, 1_700_000_000_000_000_000, 95_000_000_000_000, 0, -1]
        {
            assert_eq!(number.to_string().parse::<Instant>(), Err(ValueError::Unit(number)));
        }
        let message = "1700000000000".parse::<Instant>().unwrap_err().to_string();
        assert!(message.contains("1700000000000ms"), "{message}");
    }
}
