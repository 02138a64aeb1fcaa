//! Why a mutation gave no records, and whether that is for want of a schema.

use crate::agent::exit::Failure;
use crate::change::ShapeError;
use crate::commitlog::MutationError;
use crate::cql::number::NUMBER_TOO_LONG;
use crate::envelope::EncodeError;
use crate::schema::TableId;

/// Why a mutation with right checksums gave no records. Another schema may help in every case but
/// [`Self::is_refused`]: types and columns decide where a value ends and what it means.
#[derive(Debug, thiserror::Error)]
pub(in crate::agent) enum Failed {
    #[error(transparent)]
    Decode(#[from] MutationError),
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// It was parked in another scope, and comes out as a whole or not at all: a checkpoint cannot tell what of it was
    /// given out.
    #[error("only a part of its events is asked for, and it is given out as a whole")]
    Part,
    /// Not the mutation's fault: its first records could not be handed over.
    #[error("its records cannot be handed over")]
    HandOver(Failure),
}

impl Failed {
    /// What to do about it, where another schema does not help.
    pub(in crate::agent) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Encode(EncodeError::Unrepresentable { .. }) => {
                Some("use --unrepresentable side_topic, or profile flat")
            }
            Self::Encode(EncodeError::Value { error, .. }) if error.problem == NUMBER_TOO_LONG => {
                Some("--varint-handling precise and --decimal-handling precise carry its bytes")
            }
            Self::Part => Some("--again without filters and bounds gives it out"),
            _ => None,
        }
    }

    /// What failed, and what to do about it, as one line of a ledger.
    pub(in crate::agent) fn reason(&self) -> String {
        match self.advice() {
            Some(advice) => format!("{self}; {advice}"),
            None => self.to_string(),
        }
    }

    /// Whether the schema lacks a table or a column.
    pub(in crate::agent) fn is_unknown_schema(&self) -> bool {
        matches!(self, Self::Decode(error) if error.is_unknown_schema())
    }

    /// Whether the mutation can be decoded, and the options ask for a part of it only.
    pub(in crate::agent) fn is_part(&self) -> bool {
        matches!(self, Self::Part)
    }

    /// The table that the schema lacks.
    pub(in crate::agent) fn unknown_table(&self) -> Option<TableId> {
        match self {
            Self::Decode(MutationError::UnknownTable(table)) => Some(*table),
            _ => None,
        }
    }

    /// Whether the profile has no shape for an event and the user wants to stop there.
    pub(in crate::agent) fn is_refused(&self) -> bool {
        matches!(self, Self::Encode(EncodeError::Unrepresentable { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cql::ValueError;

    #[test]
    fn advice_stands_behind_what_an_option_helps_against() {
        let value = |problem| {
            let error = ValueError { type_name: "varint", problem };
            Failed::from(EncodeError::Value { column: "v".to_owned(), error }).reason()
        };
        assert!(value(NUMBER_TOO_LONG).ends_with(
            "not printed; --varint-handling precise and --decimal-handling precise carry its bytes"
        ));
        assert!(value("it is short").ends_with("it is short"));
        let refused = EncodeError::Unrepresentable { table: "ks.t".to_owned(), reason: "a range" };
        assert!(Failed::from(refused).reason().contains("; use --unrepresentable side_topic"));
    }
}
