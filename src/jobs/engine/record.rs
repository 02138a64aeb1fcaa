//! Records as jobs see them: of an input, of an output, and rows of a table.

/// A header of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name; a record can have several of one name.
    pub name: String,
    /// Its value; None is a null.
    pub value: Option<Vec<u8>>,
}

/// A record of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputRecord {
    /// Number of the topic among the job's inputs.
    pub input: usize,
    /// Partition.
    pub partition: u32,
    /// Offset in its partition.
    pub offset: i64,
    /// Kafka timestamp, milliseconds since the epoch; -1 when it has none.
    pub timestamp_ms: i64,
    /// Key; None is a null.
    pub key: Option<Vec<u8>>,
    /// Value; None is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers in their order.
    pub headers: Vec<Header>,
}

/// How a record's partition is chosen, of as many as its topic has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// By its key, as Kafka's default partitioner does; of a null key the first.
    Key,
    /// This one, modulo their number: records of one input partition stay in one order.
    Partition(u32),
}

/// A record of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputRecord<'o> {
    /// Topic.
    pub topic: &'o str,
    /// Which partition.
    pub spread: Spread,
    /// Key; None is a null.
    pub key: Option<&'o [u8]>,
    /// Value; None is a tombstone.
    pub value: Option<&'o [u8]>,
    /// Headers in their order.
    pub headers: &'o [Header],
    /// Kafka timestamp, milliseconds since the epoch.
    pub timestamp_ms: i64,
}

/// A row to be written to a table of the job's data centre, whatever was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRow {
    /// Number of the table among those of the job.
    pub table: usize,
    /// The serialised value of each column in the order of the table's columns. None is NULL: what a whole row lacks is
    /// deleted, what a change of a CDC topic lacks stays.
    pub values: Vec<Option<Vec<u8>>>,
    /// Write time of all of them, microseconds since the epoch.
    pub timestamp_us: i64,
    /// Partition and offset of the record behind it, for messages.
    pub place: (u32, i64),
}
