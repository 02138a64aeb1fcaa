//! What can be wrong with a segment, and where.

use std::fmt;

/// Damage found in a segment: its kind, the bytes it concerns, and how much is lost by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong.
    pub kind: DamageKind,
    /// File offset in bytes where it was found. Inside a compressed or encrypted section: the file offset of
    /// the section's marker.
    pub offset: u64,
    /// For damage inside a section: the offset in the section's plain bytes.
    pub plain_offset: Option<u64>,
    /// File bytes that were not given out because of it (plain bytes when inside a compressed section).
    pub lost_bytes: u64,
    /// Mutations lost, where that number is known.
    pub lost_mutations: Option<u64>,
    /// What exactly is wrong, where the kind alone does not say it. Never holds bytes of the data.
    pub reason: Option<String>,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at file offset {}", self.kind, self.offset)?;
        if let Some(plain) = self.plain_offset {
            write!(f, ", byte {plain} of the section")?;
        }
        write!(f, "; {} bytes lost", self.lost_bytes)?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

/// Kinds of damage. The text form of each (kebab-case) is stable: it stands in ledgers and summaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DamageKind {
    /// The file ends inside the descriptor.
    ShortDescriptor,
    /// The descriptor's checksum does not fit.
    DescriptorChecksum,
    /// The descriptor's parameters are not the expected JSON.
    DescriptorParameters,
    /// File name and descriptor disagree on id or version.
    DescriptorMismatch,
    /// A sync marker's checksum does not fit.
    MarkerChecksum,
    /// A sync marker does not point to where its section ends.
    MarkerTarget,
    /// The last section's marker points behind the end of the file, or, of a stored section, to no end that can
    /// be believed: the file was cut.
    TruncatedSection,
    /// A section's compressed or encrypted body cannot be restored.
    SectionBody,
    /// A section declares more plain bytes than are restored ([`LONGEST_SECTION`](super::section::LONGEST_SECTION)).
    SectionTooLarge,
    /// A frame's length has the right checksum, and is negative or shorter than any mutation.
    FrameLength,
    /// The checksum of a frame's length does not fit.
    FrameLengthChecksum,
    /// The checksum of a frame's payload does not fit.
    FrameChecksum,
    /// The section ends inside a frame, whose length may have the right checksum.
    TruncatedFrame,
    /// Eight zero bytes where a frame should begin, although the section goes on.
    ZeroFrame,
    /// The payload's checksum is right but it is no mutation of the given schema.
    Mutation,
}

impl DamageKind {
    /// Whether such damage stands for one section whose bytes are not at hand. A wrong marker does not: nobody
    /// knows how many sections it hides.
    #[must_use]
    pub fn loses_section(self) -> bool {
        matches!(self, Self::SectionBody | Self::SectionTooLarge | Self::TruncatedSection)
    }

    /// The stable text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ShortDescriptor => "short-descriptor",
            Self::DescriptorChecksum => "descriptor-checksum",
            Self::DescriptorParameters => "descriptor-parameters",
            Self::DescriptorMismatch => "descriptor-mismatch",
            Self::MarkerChecksum => "marker-checksum",
            Self::MarkerTarget => "marker-target",
            Self::TruncatedSection => "truncated-section",
            Self::SectionBody => "section-body",
            Self::SectionTooLarge => "section-too-large",
            Self::FrameLength => "frame-length",
            Self::FrameLengthChecksum => "frame-length-checksum",
            Self::FrameChecksum => "frame-checksum",
            Self::TruncatedFrame => "truncated-frame",
            Self::ZeroFrame => "zero-frame",
            Self::Mutation => "mutation",
        }
    }
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
