//! The order of clustering columns, from the JSON of their values.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// How the values of a type are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// text, ascii: by the bytes of UTF-8.
    Text,
    /// Integers, timestamp, date, time, double, float.
    Number,
    /// boolean
    Boolean,
    /// blob: unsigned bytes.
    Blob,
    /// uuid: by version, then version 1 by time, others by bytes.
    Uuid,
    /// timeuuid: by time, then signed bytes.
    TimeUuid,
    /// inet: by bytes.
    Inet,
}

impl KeyType {
    /// That of a CQL type; None of one whose order JSON does not tell.
    #[must_use]
    pub fn of(cql_type: &str) -> Option<Self> {
        Some(match cql_type {
            "text" | "varchar" | "ascii" => Self::Text,
            "tinyint" | "smallint" | "int" | "bigint" | "timestamp" | "date" | "time" | "double"
            | "float" => Self::Number,
            "boolean" => Self::Boolean,
            "blob" => Self::Blob,
            "uuid" => Self::Uuid,
            "timeuuid" => Self::TimeUuid,
            "inet" => Self::Inet,
            _ => return None,
        })
    }
}

/// The order of a clustering column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOrder {
    /// By its type.
    pub kind: KeyType,
    /// `CLUSTERING ORDER BY (… DESC)`
    pub descending: bool,
}

impl KeyOrder {
    /// Compares two values as Cassandra does.
    pub(super) fn compare(self, one: &Value, two: &Value) -> Ordering {
        let ordering = match self.kind {
            KeyType::Text => text(one).as_bytes().cmp(text(two).as_bytes()),
            KeyType::Number => match (one.as_i64(), two.as_i64()) {
                (Some(first), Some(second)) => first.cmp(&second),
                _ => double(one).total_cmp(&double(two)),
            },
            KeyType::Boolean => one.as_bool().cmp(&two.as_bool()),
            KeyType::Blob => bytes(one).cmp(&bytes(two)),
            KeyType::Uuid => uuid_order(one).cmp(&uuid_order(two)),
            KeyType::TimeUuid => time_uuid_order(one).cmp(&time_uuid_order(two)),
            KeyType::Inet => address(one).cmp(&address(two)),
        };
        if self.descending { ordering.reverse() } else { ordering }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Java's order: NaN above everything.
fn double(value: &Value) -> f64 {
    match value.as_str() {
        Some("Infinity") => f64::INFINITY,
        Some("-Infinity") => f64::NEG_INFINITY,
        Some(_) => f64::NAN,
        None => value.as_f64().unwrap_or(f64::NAN),
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text(value)).unwrap_or_default()
}

fn uuid_order(value: &Value) -> (usize, u64, [u8; 16]) {
    let uuid = text(value).parse::<Uuid>().unwrap_or_default();
    let time = if uuid.get_version_num() == 1 { time_of(uuid) } else { 0 };
    (uuid.get_version_num(), time, uuid.into_bytes())
}

fn time_uuid_order(value: &Value) -> (u64, [i8; 8]) {
    let uuid = text(value).parse::<Uuid>().unwrap_or_default();
    let (_, low) = uuid.as_u64_pair();
    (time_of(uuid), low.to_be_bytes().map(u8::cast_signed))
}

/// The 60 bits of time of a version 1 UUID.
fn time_of(uuid: Uuid) -> u64 {
    let (high, _) = uuid.as_u64_pair();
    (high >> 32) | ((high & 0xffff_0000) << 16) | ((high & 0x0fff) << 48)
}

fn address(value: &Value) -> Vec<u8> {
    match text(value).parse() {
        Ok(IpAddr::V4(address)) => address.octets().to_vec(),
        Ok(IpAddr::V6(address)) => address.octets().to_vec(),
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ascending(kind: KeyType, values: &[Value]) {
        let order = KeyOrder { kind, descending: false };
        for (number, one) in values.iter().enumerate() {
            for (other, two) in values.iter().enumerate() {
                assert_eq!(order.compare(one, two), number.cmp(&other), "{one} {two}");
            }
        }
    }

    #[test]
    fn orders_of_types() {
        ascending(KeyType::Text, &[json!(""), json!("B"), json!("a"), json!("ä")]);
        ascending(KeyType::Number, &[json!(-5), json!(0), json!(9_007_199_254_740_993_i64)]);
        ascending(
            KeyType::Number,
            &[json!("-Infinity"), json!(-1.5), json!(-0.0), json!(0.0), json!("Infinity"), json!("NaN")],
        );
        ascending(KeyType::Blob, &[json!(""), json!("AA=="), json!("AAA="), json!("/w==")]);
        ascending(KeyType::Inet, &[json!("10.0.0.9"), json!("10.0.0.10"), json!("2001:db8::1")]);
        // Time 1, time 2, then time 2^32 whose first field is 0: text order would be another.
        ascending(
            KeyType::TimeUuid,
            &[
                json!("00000001-0000-1000-8000-000000000000"),
                json!("00000002-0000-1000-8000-000000000000"),
                json!("00000002-0000-1000-0000-000000000000"),
                json!("00000000-0001-1000-8000-000000000000"),
            ],
        );
        ascending(
            KeyType::Uuid,
            &[json!("00000000-0001-1000-8000-000000000000"), json!("00000000-0000-4000-8000-000000000000")],
        );
    }
}
