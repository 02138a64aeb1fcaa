//! A type as written → a type: user-defined types are looked up, frozenness is settled.

use std::sync::Arc;

use super::type_grammar::{MAX_DEPTH, TypeError};
use super::types::{CqlType, UserType};

/// A type as written: user-defined types are names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeExpr {
    /// A type without parameters.
    Native(CqlType),
    /// `frozen<…>`.
    Frozen(Box<TypeExpr>),
    /// `list<…>`.
    List(Box<TypeExpr>),
    /// `set<…>`.
    Set(Box<TypeExpr>),
    /// `map<…, …>`.
    Map(Box<TypeExpr>, Box<TypeExpr>),
    /// `tuple<…>`.
    Tuple(Vec<TypeExpr>),
    /// `vector<…, n>`.
    Vector(Box<TypeExpr>, u32),
    /// A user-defined type by name, in the keyspace of its user unless one is given.
    Named(Option<String>, String),
    /// A user-defined type with its fields (only the Java class form carries them).
    Inline {
        /// Keyspace of the type.
        keyspace: String,
        /// Name of the type.
        name: String,
        /// Fields in order.
        fields: Vec<(String, TypeExpr)>,
    },
    /// A Java class without a CQL form.
    Custom(String),
}

/// A resolved type and how deep it nests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved<T> {
    /// The type.
    pub value: T,
    /// Levels of nesting, a native type being 1.
    pub depth: usize,
}

/// Finds user-defined types: keyspace (`None`: that of the column) and name.
pub type Lookup<'a> = dyn FnMut(Option<&str>, &str) -> Result<Resolved<Arc<UserType>>, TypeError> + 'a;

impl TypeExpr {
    /// The type meant, with every user-defined type looked up.
    ///
    /// Frozenness follows Cassandra: an outermost collection or user-defined type is frozen when the text says so;
    /// whatever stands inside another type is.
    ///
    /// # Errors
    ///
    /// What `lookup` says, or [`TypeError::TooDeep`].
    pub fn resolve(&self, lookup: &mut Lookup<'_>) -> Result<Resolved<CqlType>, TypeError> {
        self.resolve_as(false, lookup)
    }

    fn resolve_as(&self, frozen: bool, lookup: &mut Lookup<'_>) -> Result<Resolved<CqlType>, TypeError> {
        let mut inner = |expr: &Self| expr.resolve_as(true, lookup);
        let (value, below) = match self {
            Self::Native(found) => (found.clone(), 0),
            Self::Custom(class) => (CqlType::Custom(class.clone()), 0),
            Self::Frozen(of) => return inner(of),
            Self::List(of) => {
                let (element, depth) = shared(inner(of)?);
                (CqlType::List { element, frozen }, depth)
            }
            Self::Set(of) => {
                let (element, depth) = shared(inner(of)?);
                (CqlType::Set { element, frozen }, depth)
            }
            Self::Map(key, value) => {
                let (key, key_depth) = shared(inner(key)?);
                let (value, value_depth) = shared(inner(value)?);
                let depth = key_depth.max(value_depth);
                (CqlType::Map { key, value, frozen }, depth)
            }
            Self::Tuple(fields) => {
                let fields: Vec<_> = fields.iter().map(inner).collect::<Result<_, _>>()?;
                let depth = fields.iter().map(|f| f.depth).max().unwrap_or(0);
                let fields = fields.into_iter().map(|f| f.value).collect();
                (CqlType::Tuple(fields), depth)
            }
            Self::Vector(of, dimension) => {
                let (element, depth) = shared(inner(of)?);
                let dimension = *dimension;
                (CqlType::Vector { element, dimension }, depth)
            }
            Self::Named(keyspace, name) => {
                let found = lookup(keyspace.as_deref(), name)?;
                let udt = found.value;
                // The depth of a user-defined type already counts its own level.
                (CqlType::Udt { udt, frozen }, found.depth.saturating_sub(1))
            }
            Self::Inline { keyspace, name, fields } => {
                let found = user_type(keyspace, name, fields.iter().cloned(), lookup)?;
                let udt = Arc::new(found.value);
                (CqlType::Udt { udt, frozen }, found.depth.saturating_sub(1))
            }
        };
        let depth = below + 1;
        if depth > MAX_DEPTH {
            return Err(TypeError::TooDeep);
        }
        Ok(Resolved { value, depth })
    }

    /// Levels of nesting as written.
    pub(crate) fn depth(&self) -> usize {
        1 + match self {
            Self::Native(_) | Self::Named(..) | Self::Custom(_) => 0,
            Self::Frozen(of) | Self::List(of) | Self::Set(of) | Self::Vector(of, _) => of.depth(),
            Self::Map(key, value) => key.depth().max(value.depth()),
            Self::Tuple(fields) => fields.iter().map(Self::depth).max().unwrap_or(0),
            Self::Inline { fields, .. } => fields.iter().map(|(_, f)| f.depth()).max().unwrap_or(0),
        }
    }
}

fn shared(resolved: Resolved<CqlType>) -> (Arc<CqlType>, usize) {
    (Arc::new(resolved.value), resolved.depth)
}

/// A user-defined type from its fields.
///
/// # Errors
///
/// [`TypeError::Field`] names the field whose type has none.
pub fn user_type(
    keyspace: &str,
    name: &str,
    fields: impl Iterator<Item = (String, TypeExpr)>,
    lookup: &mut Lookup<'_>,
) -> Result<Resolved<UserType>, TypeError> {
    let mut resolved = Vec::new();
    let mut below = 0;
    for (field, expr) in fields {
        let found = expr.resolve_as(true, lookup).map_err(|error| TypeError::Field {
            name: name.to_owned(),
            field: field.clone(),
            error: Box::new(error),
        })?;
        below = below.max(found.depth);
        resolved.push((field, found.value));
    }
    if below >= MAX_DEPTH {
        return Err(TypeError::TooDeep);
    }
    Ok(Resolved {
        value: UserType { keyspace: keyspace.to_owned(), name: name.to_owned(), fields: resolved },
        depth: below + 1,
    })
}
