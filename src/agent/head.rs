//! What is wrong with the head of a segment file: one judgement for every command (`docs/commands.md`).

use super::keys::Keys;
use crate::commitlog::{Damage, DamageKind, DescriptorError, Segment, SegmentError, SegmentName};

/// A file, judged by its name, its head and its key.
#[derive(Debug)]
pub enum Head<'f> {
    /// It can be read.
    Sound(Segment<'f>),
    /// It can be read, and its name is another segment's. Nothing is lost by that.
    Misnamed(Segment<'f>, Damage),
    /// It was created and never written.
    Blank,
    /// It has a segment's name and a damaged head: nothing of it can be read, and all of it counts as lost. And why.
    Damaged(Damage, SegmentError),
    /// It is no segment, of an unsupported version, or its key is missing or wrong. Nothing counts as lost.
    Unreadable(SegmentError),
}

impl<'f> Head<'f> {
    /// Judges a file that says `name` of itself.
    #[must_use]
    pub fn of(file: &'f [u8], name: Option<SegmentName>, keys: &Keys) -> Self {
        let error = match keys.segment(file, name) {
            Ok(segment) => return Self::Sound(segment),
            Err(error) => error,
        };
        match (error.damage_kind(), &error) {
            (Some(kind), SegmentError::NameMismatch { .. }) => match keys.segment(file, None) {
                Ok(segment) => {
                    let reason = Some(error.to_string());
                    Self::Misnamed(segment, Damage { reason, ..damage(kind, 0, Some(0)) })
                }
                Err(error) => Self::Unreadable(error),
            },
            (None, SegmentError::Descriptor(DescriptorError::Blank)) => Self::Blank,
            // How many mutations there were, nobody knows: not even of a file without a byte.
            (Some(kind), _) if name.is_some() => Self::Damaged(damage(kind, file.len() as u64, None), error),
            _ => Self::Unreadable(error),
        }
    }
}

fn damage(kind: DamageKind, lost_bytes: u64, lost_mutations: Option<u64>) -> Damage {
    Damage { kind, offset: 0, plain_offset: None, lost_bytes, lost_mutations, reason: None }
}
