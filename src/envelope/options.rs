//! How records are shaped. Names follow Debezium's options where it has them.

/// How `decimal` and `varint` values are written (`decimal_handling`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecimalHandling {
    /// Text, exact.
    #[default]
    String,
    /// Base64 of the unscaled number, for `decimal` with its scale.
    Precise,
    /// JSON number, rounded to a double.
    Double,
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

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValueFormat {
    /// `decimal_handling`
    pub decimals: DecimalHandling,
    /// `timestamp_format`
    pub timestamps: TimestampFormat,
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
