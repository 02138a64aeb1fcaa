//! A type as CQL text, spelled as `system_schema.columns.type` spells it.

use std::fmt;

use super::ident::{quoted, quoted_if_needed};
use super::type_grammar::{NATIVE, native_type};
use super::types::CqlType;

impl fmt::Display for CqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List { element, frozen } => freeze(f, *frozen, format_args!("list<{element}>")),
            Self::Set { element, frozen } => freeze(f, *frozen, format_args!("set<{element}>")),
            Self::Map { key, value, frozen } => freeze(f, *frozen, format_args!("map<{key}, {value}>")),
            Self::Udt { udt, frozen } => {
                // A type may be called like a native one; then only quotes tell them apart.
                let name = if native_type(&udt.name).is_some() {
                    quoted(&udt.name).into()
                } else {
                    quoted_if_needed(&udt.name)
                };
                freeze(f, *frozen, format_args!("{name}"))
            }
            Self::Tuple(fields) => {
                f.write_str("frozen<tuple<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{field}")?;
                }
                f.write_str(">>")
            }
            Self::Vector { element, dimension } => write!(f, "vector<{element}, {dimension}>"),
            Self::Custom(class) => write!(f, "'{}'", class.replace('\'', "''")),
            native => {
                let name = NATIVE.iter().find(|(_, found)| found == native);
                f.write_str(name.map_or("", |(name, _)| name))
            }
        }
    }
}

fn freeze(f: &mut fmt::Formatter<'_>, frozen: bool, inner: fmt::Arguments<'_>) -> fmt::Result {
    if frozen { write!(f, "frozen<{inner}>") } else { f.write_fmt(inner) }
}
