//! One row of `system_schema` in JSON, with field access that says what is wrong where.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::file::FileError;
use super::model::TableId;
use super::timestamp;
use crate::cql::hex;

/// A row of an array of the schema file.
pub(super) struct JsonRow<'a> {
    array: &'static str,
    index: usize,
    fields: Cow<'a, Map<String, Value>>,
}

impl<'a> JsonRow<'a> {
    /// The row that a value is: an object, its text, or its text in the column `[json]`.
    pub(super) fn new(array: &'static str, index: usize, value: &'a Value) -> Result<Self, FileError> {
        let wrapped = match value {
            Value::Object(fields) if fields.len() == 1 => fields.get("[json]").unwrap_or(value),
            _ => value,
        };
        let fields = match field::unwrapped(wrapped) {
            Cow::Borrowed(Value::Object(fields)) => Cow::Borrowed(fields),
            Cow::Owned(Value::Object(fields)) => Cow::Owned(fields),
            other => {
                let found = field::kind_of(&other);
                return Err(FileError::Row { array, index, found });
            }
        };
        Ok(Self { array, index, fields })
    }

    /// The field if it is there and not null. `SELECT JSON` quotes column names that need it.
    fn get(&self, name: &str) -> Option<&Value> {
        let field = self.fields.get(name);
        let field = field.or_else(|| self.fields.get(&format!("\"{name}\"")));
        field.filter(|value| !value.is_null())
    }

    /// What `read` makes of the field, `None` without the field.
    pub(super) fn optional<'s, T>(
        &'s self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'s Value) -> Option<T>,
    ) -> Result<Option<T>, FileError> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| self.error(name, expected)),
        }
    }

    /// What `read` makes of the field.
    pub(super) fn required<'s, T>(
        &'s self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'s Value) -> Option<T>,
    ) -> Result<T, FileError> {
        self.optional(name, expected, read)?.ok_or_else(|| self.error(name, expected))
    }

    fn error(&self, field: &'static str, expected: &'static str) -> FileError {
        FileError::Field {
            array: self.array,
            index: self.index,
            field,
            expected,
            found: self.get(field).map_or("nothing", field::kind_of),
        }
    }

    /// A text.
    pub(super) fn text(&self, name: &'static str) -> Result<String, FileError> {
        self.required(name, "text", |v| v.as_str().map(str::to_owned))
    }

    /// A boolean or its text.
    pub(super) fn boolean(&self, name: &'static str) -> Result<Option<bool>, FileError> {
        self.optional(name, "true or false", |v| match v {
            Value::Bool(b) => Some(*b),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        })
    }

    /// A whole number or its text.
    pub(super) fn integer(&self, name: &'static str) -> Result<i32, FileError> {
        self.required(name, "a whole number", |v| match v {
            Value::Number(n) => i32::try_from(n.as_i64()?).ok(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// The UUID of a table.
    pub(super) fn table_id(&self, name: &'static str) -> Result<TableId, FileError> {
        self.required(name, "a UUID", |v| v.as_str()?.trim().parse().ok())
    }

    /// A timestamp in milliseconds, as text or number.
    pub(super) fn timestamp_ms(&self, name: &'static str) -> Result<i64, FileError> {
        self.required(name, "a timestamp", |v| match v {
            Value::Number(n) => n.as_i64(),
            Value::String(text) => timestamp::parse_ms(text),
            _ => None,
        })
    }

    /// Bytes as `0x…`.
    pub(super) fn blob(&self, name: &'static str) -> Result<Option<Vec<u8>>, FileError> {
        self.optional(name, "bytes as 0x and hex digits", |v| {
            hex::decode(v.as_str()?.trim().strip_prefix("0x")?)
        })
    }

    /// A list or set of texts.
    pub(super) fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, FileError> {
        self.optional(name, "an array of texts", |v| {
            let value = field::unwrapped(v);
            let texts = value.as_array()?.iter();
            texts.map(|v| v.as_str().map(str::to_owned)).collect()
        })
    }

    /// A map of texts.
    pub(super) fn text_map(&self, name: &'static str) -> Result<Option<BTreeMap<String, String>>, FileError> {
        self.optional(name, "an object of texts", |v| {
            let value = field::unwrapped(v);
            let entries = value.as_object()?.iter();
            entries.map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
        })
    }
}

/// Values of fields.
pub(super) mod field {
    use std::borrow::Cow;

    use serde_json::Value;

    /// The kind of a JSON value, for messages: never the value itself.
    pub(in crate::schema) fn kind_of(value: &Value) -> &'static str {
        match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }

    /// The value inside a text that holds JSON; any other value as it is.
    pub(super) fn unwrapped(value: &Value) -> Cow<'_, Value> {
        match value {
            Value::String(text) => match serde_json::from_str(text) {
                Ok(inner) => Cow::Owned(inner),
                Err(_) => Cow::Borrowed(value),
            },
            _ => Cow::Borrowed(value),
        }
    }
}
