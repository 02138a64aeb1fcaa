//! Why a mutation gave no records, and whether that is for want of a schema.

use crate::agent::exit::Failure;
use crate::change::ShapeError;
use crate::commitlog::MutationError;
use crate::envelope::EncodeError;
use crate::schema::TableId;

/// Why a mutation with right checksums gave no records. Another schema may help in every case but
/// [`Self::is_refused`]: types and columns decide where a value ends and what it means.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Decode(#[from] MutationError),
    #[error(transparent)]
    Shape(#[from] ShapeError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Not the mutation's fault: its first records could not be handed over.
    #[error("its records cannot be handed over")]
    HandOver(Failure),
}

impl Failed {
    /// Whether the schema lacks a table or a column.
    pub(super) fn is_unknown_schema(&self) -> bool {
        matches!(self, Self::Decode(error) if error.is_unknown_schema())
    }

    /// The table that the schema lacks.
    pub(super) fn unknown_table(&self) -> Option<TableId> {
        match self {
            Self::Decode(MutationError::UnknownTable(table)) => Some(*table),
            _ => None,
        }
    }

    /// Whether the profile has no shape for an event and the user wants to stop there.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Encode(EncodeError::Unrepresentable { .. }))
    }
}
