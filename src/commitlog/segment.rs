//! A segment's bytes with its descriptor: what is needed to read sections out of them.

use super::decompress::{self, BodyError};
use super::decrypt::{CipherError, SectionCipher};
use super::descriptor::{BodyFormat, Descriptor, DescriptorError};
use super::error::DamageKind;
use super::file_name::SegmentName;
use super::marker::{MARKER_LENGTH, Marker, find_marker, marker_at, used_length};
use super::section::LONGEST_SECTION;
use crate::primitives as bytes;

/// Length of what stands before a stored (compressed or encrypted) body: marker and plain length.
pub(super) const STORED_HEAD_LENGTH: usize = MARKER_LENGTH + 4;

/// A segment in memory or mapped.
#[derive(Debug)]
pub struct Segment<'f> {
    pub(super) file: &'f [u8],
    head: SegmentHead,
}

/// What is needed to read any part of a segment: its descriptor and, when it is encrypted, its cipher.
#[derive(Debug, Clone)]
pub struct SegmentHead {
    descriptor: Descriptor,
    cipher: Option<SectionCipher>,
}

/// Why a segment cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The descriptor.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// Name and descriptor disagree.
    #[error("the file name says version {}, id {}; the descriptor says version {version}, id {id}", name.version, name.id)]
    NameMismatch {
        /// From the file name.
        name: SegmentName,
        /// From the descriptor.
        version: u32,
        /// From the descriptor.
        id: super::SegmentId,
    },
    /// The segment is encrypted and its key was not given.
    #[error("the segment is encrypted with key `{alias}` and no such key was given")]
    NoKey {
        /// Alias in the descriptor.
        alias: String,
    },
    /// No section can be decrypted with the key that was given.
    #[error("wrong key? no section can be decrypted with the key given for `{alias}`")]
    WrongKey {
        /// Alias in the descriptor.
        alias: String,
    },
    /// The cipher is unknown or the key does not fit it.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

impl SegmentError {
    /// The kind of damage, for ledgers; `None` when the file is not damaged but unreadable.
    #[must_use]
    pub fn damage_kind(&self) -> Option<DamageKind> {
        match self {
            Self::Descriptor(error) => error.damage_kind(),
            Self::NameMismatch { .. } => Some(DamageKind::DescriptorMismatch),
            Self::NoKey { .. } | Self::WrongKey { .. } | Self::Cipher(_) => None,
        }
    }
}

/// Plain lengths and bodies of the stored sections that have plain bytes and can be found by their markers.
fn bodies<'f>(descriptor: &Descriptor, file: &'f [u8]) -> impl Iterator<Item = (usize, &'f [u8])> {
    let find = move |from| find_marker(descriptor, file, from, file.len());
    let mut next = find(descriptor.length);
    std::iter::from_fn(move || {
        let marker = next?;
        let Marker::Valid { next: end } = marker_at(descriptor, file, marker) else { return None };
        let end = usize::try_from(end).ok()?;
        next = find(end);
        file.get(marker + MARKER_LENGTH..end)
    })
    .filter_map(|stored| {
        let (body, plain_length) = bytes::u32(stored).ok()?;
        let plain_length = usize::try_from(plain_length).ok()?;
        (1..=LONGEST_SECTION).contains(&plain_length).then_some((plain_length, body))
    })
}

/// Looks up the AES key of an alias.
pub type KeyLookup<'k> = &'k dyn Fn(&str) -> Option<Vec<u8>>;

impl SegmentHead {
    /// Reads the descriptor at the start of a segment: `start` holds it, and whatever follows.
    ///
    /// `name` is checked against it when given; `key` is asked when the segment is encrypted.
    ///
    /// # Errors
    /// See [`SegmentError`].
    pub fn open(start: &[u8], name: Option<SegmentName>, key: KeyLookup<'_>) -> Result<Self, SegmentError> {
        let descriptor = Descriptor::parse(start)?;
        if let Some(name) = name
            && (name.version != descriptor.version || name.id != descriptor.id)
        {
            return Err(SegmentError::NameMismatch { name, version: descriptor.version, id: descriptor.id });
        }
        let cipher = match &descriptor.body {
            BodyFormat::Encrypted(encryption) => {
                let alias = &encryption.key_alias;
                let key = key(alias).ok_or_else(|| SegmentError::NoKey { alias: alias.clone() })?;
                Some(SectionCipher::new(&encryption.cipher, &key, &encryption.iv)?)
            }
            BodyFormat::Plain | BodyFormat::Compressed(_) => None,
        };
        Ok(Self { descriptor, cipher })
    }

    /// The descriptor.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Whether section bodies are stored compressed or encrypted.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.descriptor.is_stored()
    }

    /// Whether the first chunk of a stored body can be decrypted; `None` when the segment is not encrypted or the body
    /// holds no chunk.
    pub(super) fn key_fits(&self, body: &[u8], plain_length: usize) -> Option<bool> {
        self.cipher.as_ref()?.fits(body, plain_length, &mut Vec::new())
    }

    /// Restores a stored body into `plain`.
    pub(super) fn restore(
        &self,
        body: &[u8],
        plain_length: usize,
        scratch: &mut Vec<u8>,
        plain: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        match (&self.descriptor.body, &self.cipher) {
            (BodyFormat::Compressed(compression), _) => {
                decompress::decompress(*compression, body, plain_length, plain)
            }
            (_, Some(cipher)) => cipher.decrypt(body, plain_length, scratch, plain),
            (_, None) => {
                plain.clear();
                plain.extend_from_slice(body);
                Ok(())
            }
        }
    }
}

impl<'f> Segment<'f> {
    /// Reads the descriptor of a segment's bytes.
    ///
    /// `name` is checked against it when given; `key` is asked when the segment is encrypted.
    ///
    /// # Errors
    /// See [`SegmentError`].
    pub fn open(file: &'f [u8], name: Option<SegmentName>, key: KeyLookup<'_>) -> Result<Self, SegmentError> {
        Ok(Self { file, head: SegmentHead::open(file, name, key)? })
    }

    /// Tries the key of an encrypted segment on the first chunk of its sections, until it fits one.
    ///
    /// With another key every section looks damaged. So a key that fits none is taken for a wrong one: nothing of
    /// the segment can be read, and nothing is known to be lost.
    ///
    /// # Errors
    /// [`SegmentError::WrongKey`]
    pub fn check_key(&self) -> Result<(), SegmentError> {
        let BodyFormat::Encrypted(encryption) = &self.descriptor().body else { return Ok(()) };
        let mut tried = bodies(self.descriptor(), self.file)
            .filter_map(|(plain_length, body)| self.head.key_fits(body, plain_length))
            .peekable();
        if tried.peek().is_none() || tried.any(|fits| fits) {
            return Ok(());
        }
        Err(SegmentError::WrongKey { alias: encryption.key_alias.clone() })
    }

    /// The descriptor.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        self.head.descriptor()
    }

    /// Length of the file in bytes.
    #[must_use]
    pub fn file_length(&self) -> usize {
        self.file.len()
    }

    /// Whether section bodies are stored compressed or encrypted.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.head.is_stored()
    }

    /// The bytes of the descriptor and the first section, by which a segment is recognised.
    #[must_use]
    pub fn head(&self) -> (&'f [u8], &'f [u8]) {
        let (descriptor, rest) =
            self.file.split_at_checked(self.descriptor().length).unwrap_or((self.file, &[]));
        let end = match marker_at(self.descriptor(), self.file, self.descriptor().length) {
            Marker::Valid { next } => usize::try_from(next).unwrap_or(0),
            _ => 0,
        };
        let first = end.checked_sub(self.descriptor().length).and_then(|length| rest.get(..length));
        (descriptor, first.unwrap_or_default())
    }

    /// The same, and of a first section that the file does not have whole the part that it has: nothing before the
    /// first sync.
    #[must_use]
    pub fn known_head(&self) -> (&'f [u8], &'f [u8]) {
        let (descriptor, rest) =
            self.file.split_at_checked(self.descriptor().length).unwrap_or((self.file, &[]));
        let end = match marker_at(self.descriptor(), self.file, self.descriptor().length) {
            Marker::Valid { next } => usize::try_from(next).unwrap_or(0).saturating_sub(descriptor.len()),
            Marker::Zero => 0,
            Marker::Invalid | Marker::EndOfFile => rest.len(),
        };
        (descriptor, rest.get(..end.min(used_length(rest))).unwrap_or_default())
    }

    /// Restores a stored body into `plain`.
    pub(super) fn restore(
        &self,
        body: &[u8],
        plain_length: usize,
        scratch: &mut Vec<u8>,
        plain: &mut Vec<u8>,
    ) -> Result<(), BodyError> {
        self.head.restore(body, plain_length, scratch, plain)
    }
}
