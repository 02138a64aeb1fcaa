//! Damage as JSON: the same fields wherever it is reported.

use serde_json::Value;

use super::object::Object;
use crate::commitlog::Damage;

/// Adds the fields of `damage` to `object`.
#[must_use]
pub fn damage_json(mut object: Object, damage: &Damage) -> Value {
    object.put("kind", damage.kind.as_str());
    object.put("offset", damage.offset);
    object.put("plain_offset", damage.plain_offset);
    object.put("lost_bytes", damage.lost_bytes);
    object.put("lost_mutations", damage.lost_mutations);
    if let Some(reason) = &damage.reason {
        object.put("reason", reason.as_str());
    }
    object.into()
}
