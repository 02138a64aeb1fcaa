//! Values: read from a record by the table in docs/envelope.md 3, compared as Cassandra compares them, and brought into the one
//! text that a value of `SELECT JSON` is brought into, too.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigInt;
use uuid::Uuid;

use super::json::Json;
use super::types::Type;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// No value: an absent field of a tuple or UDT.
    Null,
    /// A zero-length value of a type that is no text.
    Empty,
    Integer(BigInt),
    Decimal {
        text: String,
        unscaled: BigInt,
        scale: i64,
    },
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Bool(bool),
    Inet(IpAddr),
    Uuid(Uuid),
    /// Months, days, nanoseconds.
    Duration(i64, i64, i64),
    /// A list, set or vector; the fields of a tuple or UDT.
    Items(Vec<Value>),
    Pairs(Vec<(Value, Value)>),
}

/// Read a value of a record.
pub(super) fn read(cql_type: &Type, json: &Json) -> Value {
    if *json == Json::Null {
        return Value::Null;
    }
    let items = |item: &Type| Value::Items(json.items().iter().map(|json| read(item, json)).collect());
    match cql_type {
        Type::Native(name) => read_native(name, json),
        Type::List(item) | Type::Set(item) | Type::Vector(item) => items(item),
        Type::Map(key, value) => Value::Pairs(read_pairs(key, value, json)),
        Type::Tuple(types) => {
            assert_eq!(types.len(), json.items().len());
            Value::Items(types.iter().zip(json.items()).map(|(field, json)| read(field, json)).collect())
        }
        Type::Udt(fields) => {
            // A record made before a field was added has it not.
            let names = fields.iter().map(|(name, _)| name).take(json.fields().len());
            assert!(names.eq(json.fields().iter().map(|(name, _)| name)), "{json}, {fields:?}");
            let field = |(name, field): &(String, Type)| read(field, json.get(name).unwrap_or(&Json::Null));
            Value::Items(fields.iter().map(field).collect())
        }
    }
}

/// A map is an object when its keys are texts.
fn read_pairs(key_type: &Type, value_type: &Type, json: &Json) -> Vec<(Value, Value)> {
    let text_types = ["text", "ascii", "uuid", "timeuuid", "inet"];
    if matches!(key_type, Type::Native(name) if text_types.contains(&name.as_str())) {
        let key = |name: &String| read(key_type, &Json::Text(name.clone()));
        return json.fields().iter().map(|(name, value)| (key(name), read(value_type, value))).collect();
    }
    let pair = |pair: &Json| match pair.items() {
        [key, value] => (read(key_type, key), read(value_type, value)),
        _ => panic!("no pair: {pair}"),
    };
    json.items().iter().map(pair).collect()
}

fn read_native(name: &str, json: &Json) -> Value {
    match name {
        "text" | "ascii" => Value::Text(json.text().to_owned()),
        "uuid" | "timeuuid" => Value::Uuid(json.text().parse().unwrap()),
        "inet" => Value::Inet(json.text().parse().unwrap()),
        "varint" => Value::Integer(json.text().parse().unwrap()),
        "decimal" => decimal(json.text()),
        "float" | "double" => match json {
            Json::Text(name) if name == "NaN" => Value::Float(f64::NAN),
            Json::Text(name) if name == "Infinity" => Value::Float(f64::INFINITY),
            Json::Text(name) if name == "-Infinity" => Value::Float(f64::NEG_INFINITY),
            number => Value::Float(number.number().parse().unwrap()),
        },
        "boolean" => Value::Bool(json.is_true()),
        "blob" => Value::Bytes(STANDARD.decode(json.text()).unwrap()),
        "duration" => {
            let part = |name| json.at(name).integer();
            Value::Duration(part("months"), part("days"), part("nanos"))
        }
        _ => Value::Integer(json.number().parse().unwrap()),
    }
}

fn decimal(text: &str) -> Value {
    let (digits, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let fraction = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
    Value::Decimal {
        text: text.to_owned(),
        unscaled: digits.replace('.', "").parse().unwrap(),
        scale: fraction - exponent.trim_start_matches('+').parse::<i64>().unwrap(),
    }
}

/// Compare as the type's comparator does. A zero-length value comes before all others.
pub(super) fn compare(cql_type: &Type, left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) | (Value::Empty, Value::Empty) => Ordering::Equal,
        (Value::Null, _) | (Value::Empty, _) => Ordering::Less,
        (_, Value::Null | Value::Empty) => Ordering::Greater,
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (
            Value::Decimal { unscaled: left, scale: left_scale, .. },
            Value::Decimal { unscaled: right, scale: right_scale, .. },
        ) => {
            let scale = (*left_scale).max(*right_scale);
            let scaled = |number: &BigInt, from: i64| {
                number * BigInt::from(10).pow(u32::try_from(scale - from).unwrap())
            };
            scaled(left, *left_scale).cmp(&scaled(right, *right_scale))
        }
        (Value::Float(left), Value::Float(right)) => left.total_cmp(right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Bytes(left), Value::Bytes(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Inet(left), Value::Inet(right)) => octets(left).cmp(&octets(right)),
        (Value::Uuid(left), Value::Uuid(right)) => compare_uuids(cql_type, *left, *right),
        (Value::Items(left), Value::Items(right)) => compare_items(cql_type, left, right),
        _ => panic!("no order for {cql_type:?}: {left:?}, {right:?}"),
    }
}

fn octets(address: &IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// `timeuuid`: by time, then by the other half as signed bytes. `uuid`: by version before that, and other versions by bytes.
fn compare_uuids(cql_type: &Type, left: Uuid, right: Uuid) -> Ordering {
    let half = |uuid: Uuid| uuid.as_bytes()[8..].to_vec();
    if *cql_type == Type::Native("timeuuid".to_owned()) {
        let signed = |uuid: Uuid| half(uuid).iter().map(|byte| *byte as i8).collect::<Vec<_>>();
        return time(left).cmp(&time(right)).then_with(|| signed(left).cmp(&signed(right)));
    }
    let version = |uuid: Uuid| uuid.as_bytes()[6] >> 4;
    let by_version = version(left).cmp(&version(right));
    let by_time = if version(left) == 1 { time(left).cmp(&time(right)) } else { Ordering::Equal };
    by_version.then(by_time).then_with(|| left.as_bytes().cmp(right.as_bytes()))
}

/// The 60 bits of time in a version 1 UUID, 100 ns since 1582-10-15.
pub(super) fn time(uuid: Uuid) -> u64 {
    let (low, middle, high, _) = uuid.as_fields();
    (u64::from(high & 0x0fff) << 48) | (u64::from(middle) << 32) | u64::from(low)
}

fn compare_items(cql_type: &Type, left: &[Value], right: &[Value]) -> Ordering {
    let item_type = |at: usize| match cql_type {
        Type::List(item) | Type::Set(item) | Type::Vector(item) => item.as_ref(),
        Type::Tuple(types) => &types[at],
        Type::Udt(fields) => &fields[at].1,
        other => panic!("no items in {other:?}"),
    };
    let items = left.iter().zip(right).enumerate();
    items
        .map(|(at, (left, right))| compare(item_type(at), left, right))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}
