//! JSON objects, built field by field in order.

use serde_json::{Map, Value};

/// A JSON object under construction.
#[derive(Debug, Default)]
pub struct Object(Map<String, Value>);

impl Object {
    /// An object whose field `type` says what it is.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        let mut object = Self::default();
        object.put("type", kind);
        object
    }

    /// Adds a field.
    pub fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}
