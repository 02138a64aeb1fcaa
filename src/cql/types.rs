//! The types a Cassandra column can have.

use std::sync::Arc;

/// A CQL type, resolved: user-defined types carry their fields.
///
/// `frozen` tells whether a collection or user-defined type is serialised as one cell (`true`) or as one
/// cell an element (`false`). Inside another type everything is frozen. Tuples and vectors always are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CqlType {
    /// US-ASCII text.
    Ascii,
    /// 64-bit signed integer.
    BigInt,
    /// Bytes.
    Blob,
    /// One byte, zero is false.
    Boolean,
    /// Counter context (shards), not a number on disk.
    Counter,
    /// Days since 1970-01-01, stored as `u32` with 2^31 as day zero.
    Date,
    /// `i32` scale and unscaled two's complement integer.
    Decimal,
    /// IEEE 754 binary64.
    Double,
    /// Months, days, nanoseconds as zigzag vints.
    Duration,
    /// The type without values (compact tables without a value column).
    Empty,
    /// IEEE 754 binary32.
    Float,
    /// IPv4 or IPv6 address.
    Inet,
    /// 32-bit signed integer.
    Int,
    /// 16-bit signed integer.
    SmallInt,
    /// UTF-8 text (`text`, `varchar`).
    Text,
    /// Nanoseconds since midnight.
    Time,
    /// Milliseconds since the epoch.
    Timestamp,
    /// Version 1 UUID.
    TimeUuid,
    /// 8-bit signed integer.
    TinyInt,
    /// UUID.
    Uuid,
    /// Arbitrary precision integer, two's complement.
    VarInt,
    /// Ordered collection.
    List {
        /// Type of the elements.
        element: Arc<CqlType>,
        /// One cell for the whole list.
        frozen: bool,
    },
    /// Collection of distinct elements, sorted by their type.
    Set {
        /// Type of the elements.
        element: Arc<CqlType>,
        /// One cell for the whole set.
        frozen: bool,
    },
    /// Key-value collection, sorted by key.
    Map {
        /// Type of the keys.
        key: Arc<CqlType>,
        /// Type of the values.
        value: Arc<CqlType>,
        /// One cell for the whole map.
        frozen: bool,
    },
    /// Fixed sequence of typed fields.
    Tuple(Vec<CqlType>),
    /// User-defined type.
    Udt {
        /// The definition.
        udt: Arc<UserType>,
        /// One cell for the whole value.
        frozen: bool,
    },
    /// Fixed number of elements of one type (Cassandra 5.0).
    Vector {
        /// Type of the elements.
        element: Arc<CqlType>,
        /// Number of elements.
        dimension: u32,
    },
    /// A type known only by its Java class; its values are opaque bytes.
    Custom(String),
}

/// A user-defined type: its fields in declaration order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserType {
    /// Keyspace that owns the type.
    pub keyspace: String,
    /// Name as stored (unquoted).
    pub name: String,
    /// Field names (unquoted) and types.
    pub fields: Vec<(String, CqlType)>,
}

impl CqlType {
    /// Length in bytes of a simple cell or clustering value of this type when it is written without a length
    /// prefix; `None` when the value carries a length.
    ///
    /// The list is Cassandra's `valueLengthIfFixed`: `smallint`, `tinyint`, `date`, `time` and `inet` are
    /// length-prefixed although their size is constant.
    #[must_use]
    pub fn fixed_length(&self) -> Option<usize> {
        match self {
            Self::Empty => Some(0),
            Self::Boolean => Some(1),
            Self::Int | Self::Float => Some(4),
            Self::BigInt | Self::Double | Self::Timestamp => Some(8),
            Self::Uuid | Self::TimeUuid => Some(16),
            Self::Vector { element, dimension } => {
                let dimension = usize::try_from(*dimension).ok()?;
                element.fixed_length()?.checked_mul(dimension)
            }
            _ => None,
        }
    }

    /// Whether a regular or static column of this type is stored as one cell an element ("complex" column).
    #[must_use]
    pub fn is_multi_cell(&self) -> bool {
        match self {
            Self::List { frozen, .. }
            | Self::Set { frozen, .. }
            | Self::Map { frozen, .. }
            | Self::Udt { frozen, .. } => !frozen,
            _ => false,
        }
    }
}
