//! How records are shaped. Names follow Debezium's options where it has them.

/// Shape of the records (`profile`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Every detail of a change.
    #[default]
    Flat,
    /// Shape, key and topic of Debezium's Cassandra connector.
    DebeziumCassandra,
    /// What Flink's `debezium-json` reads.
    Debezium,
}

/// What profile `debezium` does with a change that it has no shape for (`unrepresentable`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unrepresentable {
    /// Write it in the shape of profile `flat` to the topic with the suffix `.flat`.
    #[default]
    SideTopic,
    /// Stop.
    Fail,
}

/// How `decimal` values are written (`decimal_handling`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalHandling {
    /// Text as of `BigDecimal.toString`, exact.
    #[default]
    String,
    /// Scale, and base64 of the unscaled number.
    Precise,
    /// JSON number, rounded to a double.
    Double,
}

/// How `varint` values are written (`varint_handling`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VarintHandling {
    /// Text of decimal digits.
    #[default]
    String,
    /// JSON number, exact.
    Long,
    /// Base64 of the two's complement bytes.
    Precise,
}

/// How `timestamp` values are written (`timestamp_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampFormat {
    /// Milliseconds since the epoch.
    #[default]
    EpochMillis,
    /// ISO 8601 text in UTC.
    Iso8601,
}

/// Which JSON form the types have that the profiles write differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValueForms {
    /// Durations are objects, tuples arrays, addresses as RFC 5952 has them.
    #[default]
    Flat,
    /// Debezium's Cassandra connector: durations are nanoseconds, tuples objects, addresses have a slash.
    Connector,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValueFormat {
    /// Forms of the profile.
    pub forms: ValueForms,
    /// `decimal_handling`
    pub decimals: DecimalHandling,
    /// `varint_handling`
    pub varints: VarintHandling,
    /// `timestamp_format`
    pub timestamps: TimestampFormat,
}

impl ValueFormat {
    /// What `profile` writes when no option says otherwise.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Flat | Profile::Debezium => Self::default(),
            Profile::DebeziumCassandra => Self {
                forms: ValueForms::Connector,
                decimals: DecimalHandling::Double,
                varints: VarintHandling::Long,
                timestamps: TimestampFormat::EpochMillis,
            },
        }
    }
}

/// Which times of cells a record of profile `flat` carries (`cells`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CellTimes {
    /// Where they differ from `source.ts_us` or a TTL exists.
    #[default]
    WhenDiffers,
    /// All.
    All,
    /// None.
    None,
}

/// Which formula `row_hash` follows (`row_hash`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowHashVersion {
    /// Length-prefixed fields.
    #[default]
    V1,
    /// Texts joined by `|`.
    V0,
}

/// Options of `row_hash`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowHashOptions {
    /// Formula.
    pub version: RowHashVersion,
    /// Regular columns that are left out, by name (`row_hash_exclude`).
    pub exclude: Vec<String>,
    /// For v0: columns in the order in which they are joined, by keyspace and table (`row_hash_columns`).
    pub columns: Vec<((String, String), Vec<String>)>,
}
