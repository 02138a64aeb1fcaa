//! An encoder of commit log payloads, independent of the decoder: written after `docs/commit-log-format.md`.

use super::table::Table;

const TIMESTAMP_EPOCH: i64 = 1_442_880_000_000_000;
const LOCAL_TIME_EPOCH: u32 = 1_442_880_000;

/// A value or `None` for null.
pub(crate) type Bytes = Option<Vec<u8>>;

/// Timestamp in microseconds and local deletion time in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deletion(pub(crate) i64, pub(crate) u32);

/// The changes of one partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Update {
    pub(crate) key: Vec<u8>,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) static_row: Option<Row>,
    /// Rows and markers in clustering order.
    pub(crate) items: Vec<Item>,
}

#[derive(Debug, Clone)]
pub(crate) enum Item {
    Row(Row),
    /// Ordinal of the bound's kind, its values, one deletion or two.
    Marker(u8, Vec<Bytes>, Vec<Deletion>),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) clustering: Vec<Bytes>,
    /// Timestamp; TTL and local expiration time.
    pub(crate) liveness: Option<(i64, Option<(u32, u32)>)>,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) columns: Vec<ColumnData>,
}

#[derive(Debug, Clone)]
pub(crate) struct ColumnData {
    pub(crate) name: String,
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Simple(CellData),
    Complex(Option<Deletion>, Vec<CellData>),
}

#[derive(Debug, Clone)]
pub(crate) struct CellData {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) ts: i64,
    pub(crate) value: CellContent,
}

#[derive(Debug, Clone)]
pub(crate) enum CellContent {
    /// Value; TTL and local expiration time.
    Live(Vec<u8>, Option<(u32, u32)>),
    /// Local deletion time.
    Deleted(u32),
}

impl ColumnData {
    /// A live value of a simple column.
    pub(crate) fn live(name: &str, ts: i64, value: &[u8]) -> Self {
        let value = CellContent::Live(value.to_vec(), None);
        Self { name: name.to_owned(), content: Content::Simple(CellData { path: None, ts, value }) }
    }
}

/// The payload of a mutation with one update.
pub(crate) fn payload(table: &Table, update: &Update) -> Vec<u8> {
    Writer { table, out: Vec::new() }.mutation(update)
}

struct Writer<'t> {
    table: &'t Table,
    out: Vec<u8>,
}

impl Writer<'_> {
    fn mutation(mut self, update: &Update) -> Vec<u8> {
        self.vint(1);
        self.out.extend(Table::id().0);
        self.bytes(&update.key);
        // 0x10: the number of rows is told.
        let flags = 0x10
            | if update.deletion.is_some() { 0x04 } else { 0 }
            | if update.static_row.is_some() { 0x08 } else { 0 };
        self.out.push(flags);
        // No minimum is told: every difference is to the epochs, and wraps where it must.
        self.out.extend([0, 0, 0]);
        let statics = update.static_row.as_ref().map(|row| column_names([row]));
        if let Some(names) = &statics {
            self.names(names);
        }
        let rows = update.items.iter().filter_map(|item| match item {
            Item::Row(row) => Some(row),
            Item::Marker(..) => None,
        });
        let names = column_names(rows);
        self.names(&names);
        if let Some(deletion) = update.deletion {
            self.deletion(deletion);
        }
        if let (Some(row), Some(names)) = (&update.static_row, &statics) {
            self.row(row, names, true);
        }
        self.vint(update.items.len() as u64);
        for item in &update.items {
            match item {
                Item::Row(row) => self.row(row, &names, false),
                Item::Marker(kind, values, deletions) => self.marker(*kind, values, deletions),
            }
        }
        self.out.push(0x01);
        self.out
    }

    fn marker(&mut self, kind: u8, values: &[Bytes], deletions: &[Deletion]) {
        self.out.extend([0x02, kind]);
        self.out.extend(u16::try_from(values.len()).unwrap().to_be_bytes());
        self.clustering(values);
        for deletion in deletions {
            self.deletion(*deletion);
        }
    }

    fn row(&mut self, row: &Row, names: &[String], is_static: bool) {
        let complex = |column: &ColumnData| matches!(column.content, Content::Complex(Some(_), _));
        let has_complex_deletion = row.columns.iter().any(complex);
        let all = row.columns.len() == names.len();
        let ttl = row.liveness.and_then(|(_, ttl)| ttl);
        let mut flags = 0;
        for (flag, set) in [
            (0x04, row.liveness.is_some()),
            (0x08, ttl.is_some()),
            (0x10, row.deletion.is_some()),
            (0x20, all),
            (0x40, has_complex_deletion),
            (0x80, is_static),
        ] {
            flags |= if set { flag } else { 0 };
        }
        self.out.push(flags);
        if is_static {
            self.out.push(0x01);
        } else {
            self.clustering(&row.clustering);
        }
        if let Some((ts, ttl)) = row.liveness {
            self.timestamp(ts);
            if let Some((ttl, local_time)) = ttl {
                self.vint(u64::from(ttl));
                self.local_time(local_time);
            }
        }
        if let Some(deletion) = row.deletion {
            self.deletion(deletion);
        }
        if !all {
            self.missing(row, names);
        }
        let mut columns: Vec<&ColumnData> = row.columns.iter().collect();
        columns.sort_by_key(|column| names.iter().position(|name| *name == column.name));
        for column in columns {
            self.column(row, column, has_complex_deletion);
        }
    }

    /// Which columns of the update the row does not have.
    fn missing(&mut self, row: &Row, names: &[String]) {
        assert!(names.len() < 64, "the form for more columns is tested with Cassandra's own segments");
        let has = |name: &String| row.columns.iter().any(|column| column.name == *name);
        let bits = names.iter().enumerate().map(|(index, name)| u64::from(!has(name)) << index);
        self.vint(bits.sum());
    }

    fn column(&mut self, row: &Row, column: &ColumnData, has_complex_deletion: bool) {
        match &column.content {
            Content::Simple(cell) => {
                let described = self.table.columns.iter().find(|other| other.name == column.name);
                let length = fixed_length(&described.unwrap().type_text);
                self.cell(row, cell, length);
            }
            Content::Complex(deletion, cells) => {
                if has_complex_deletion {
                    self.deletion(deletion.unwrap_or(Deletion(i64::MIN, 0x7fff_ffff)));
                }
                self.vint(cells.len() as u64);
                for cell in cells {
                    self.cell(row, cell, None);
                }
            }
        }
    }

    /// A cell as Cassandra writes it: times that are the row's are not repeated.
    fn cell(&mut self, row: &Row, cell: &CellData, fixed: Option<usize>) {
        let (value, ttl, deleted) = match &cell.value {
            CellContent::Live(value, ttl) => (value.as_slice(), *ttl, None),
            CellContent::Deleted(local_time) => (&[][..], None, Some(*local_time)),
        };
        let row_time = row.liveness.is_some_and(|(ts, _)| ts == cell.ts);
        let row_ttl = ttl.is_some() && row.liveness.is_some_and(|(_, row_ttl)| row_ttl == ttl);
        let mut flags = 0;
        for (flag, set) in [
            (0x01, deleted.is_some()),
            (0x02, ttl.is_some()),
            (0x04, value.is_empty()),
            (0x08, row_time),
            (0x10, row_ttl),
        ] {
            flags |= if set { flag } else { 0 };
        }
        self.out.push(flags);
        if !row_time {
            self.timestamp(cell.ts);
        }
        if let Some(local_time) = deleted.or(ttl.map(|(_, local_time)| local_time)).filter(|_| !row_ttl) {
            self.local_time(local_time);
        }
        if let Some((ttl, _)) = ttl.filter(|_| !row_ttl) {
            self.vint(u64::from(ttl));
        }
        if let Some(path) = &cell.path {
            self.bytes(path);
        }
        if !value.is_empty() {
            self.value(value, fixed);
        }
    }

    fn clustering(&mut self, values: &[Bytes]) {
        let types: Vec<&str> =
            self.table.of_kind("clustering").map(|column| column.type_text.as_str()).collect();
        for (block, types) in values.chunks(32).zip(types.chunks(32)) {
            let bits = |value: &Bytes| match value {
                None => 2_u64,
                Some(value) => u64::from(value.is_empty()),
            };
            self.vint(block.iter().enumerate().map(|(index, value)| bits(value) << (2 * index)).sum());
            for (value, type_text) in block.iter().zip(types) {
                if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                    self.value(value, fixed_length(type_text));
                }
            }
        }
    }

    fn value(&mut self, value: &[u8], fixed: Option<usize>) {
        match fixed {
            Some(length) => {
                assert_eq!(value.len(), length);
                self.out.extend(value);
            }
            None => self.bytes(value),
        }
    }

    fn names(&mut self, names: &[String]) {
        self.vint(names.len() as u64);
        for name in names {
            self.bytes(name.as_bytes());
        }
    }

    fn deletion(&mut self, Deletion(ts, local_time): Deletion) {
        self.timestamp(ts);
        self.local_time(local_time);
    }

    fn timestamp(&mut self, ts: i64) {
        self.vint(ts.wrapping_sub(TIMESTAMP_EPOCH).cast_unsigned());
    }

    fn local_time(&mut self, seconds: u32) {
        self.vint(u64::from(seconds.wrapping_sub(LOCAL_TIME_EPOCH)));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.vint(bytes.len() as u64);
        self.out.extend(bytes);
    }

    /// As many leading one bits as bytes follow, then the number, most significant byte first.
    fn vint(&mut self, value: u64) {
        let extra = (0..8).find(|extra| value < 1 << (7 * (extra + 1))).unwrap_or(8_usize);
        let bytes = value.to_be_bytes();
        if extra < 8 {
            let ones = !(0xff_u32 >> extra) & 0xff;
            let mut number = bytes[7 - extra..].to_vec();
            number[0] |= u8::try_from(ones).unwrap();
            self.out.extend(number);
        } else {
            self.out.push(0xff);
            self.out.extend(bytes);
        }
    }
}

/// The columns of several rows: simple ones by name, then complex ones by name.
fn column_names<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Vec<String> {
    let columns = rows.into_iter().flat_map(|row| &row.columns);
    let mut names: Vec<(bool, String)> =
        columns.map(|column| (matches!(column.content, Content::Complex(..)), column.name.clone())).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|(_, name)| name).collect()
}

/// Length of the values that are written without one.
fn fixed_length(type_text: &str) -> Option<usize> {
    match type_text {
        "boolean" => Some(1),
        "int" | "float" => Some(4),
        "bigint" | "double" | "timestamp" => Some(8),
        "uuid" | "timeuuid" => Some(16),
        _ => {
            let inner = type_text.strip_prefix("vector<")?.strip_suffix('>')?;
            let (element, dimension) = inner.rsplit_once(", ")?;
            Some(fixed_length(element)? * dimension.parse::<usize>().ok()?)
        }
    }
}
