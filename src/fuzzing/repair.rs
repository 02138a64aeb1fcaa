//! Makes the checksums of a segment right, so that what they protect is reached.

use crc32fast::Hasher;

/// Length of a segment's descriptor, by the lengths it states itself.
pub(super) fn descriptor_length(file: &[u8]) -> Option<usize> {
    let version = i32::from_be_bytes(*file.first_chunk()?);
    if version < 5 {
        return Some(16);
    }
    let parameters = u16::from_be_bytes(*file.get(12..)?.first_chunk()?);
    Some(18 + usize::from(parameters))
}

fn id_words(file: &[u8]) -> Option<[u8; 8]> {
    Some(i64::from_be_bytes(*file.get(4..)?.first_chunk()?).rotate_left(32).to_be_bytes())
}

fn put(file: &mut [u8], at: usize, checksum: u32) -> Option<()> {
    *file.get_mut(at..)?.first_chunk_mut()? = checksum.to_be_bytes();
    Some(())
}

/// The descriptor's checksum.
pub(super) fn descriptor(file: &mut [u8]) -> Option<()> {
    let end = descriptor_length(file)?.checked_sub(4)?;
    let mut hasher = Hasher::new();
    hasher.update(file.get(..4)?);
    hasher.update(&id_words(file)?);
    if let Some(parameters) = file.get(14..end) {
        hasher.update(&u32::try_from(parameters.len()).ok()?.to_be_bytes());
        hasher.update(parameters);
    }
    put(file, end, hasher.finalize())
}

/// The checksums of the markers along the chain, and with `frames` of the frames between them.
pub(super) fn markers(file: &mut [u8], frames: bool) -> Option<()> {
    let id = id_words(file)?;
    let mut at = descriptor_length(file)?;
    loop {
        let next = i32::from_be_bytes(*file.get(at..)?.first_chunk()?);
        let mut hasher = Hasher::new();
        hasher.update(&id);
        hasher.update(&u32::try_from(at).ok()?.to_be_bytes());
        if next != 0 {
            put(file, at + 4, hasher.finalize())?;
        }
        let next = usize::try_from(next).ok().filter(|next| *next >= at + 8 && *next <= file.len())?;
        if frames {
            section(file.get_mut(at + 8..next)?);
        }
        at = next;
    }
}

/// The checksums of the frames of a section.
pub(super) fn section(plain: &mut [u8]) -> Option<()> {
    let mut at = 0;
    loop {
        let length = *plain.get(at..)?.first_chunk::<4>()?;
        let mut hasher = Hasher::new();
        hasher.update(&length);
        put(plain, at + 4, hasher.clone().finalize())?;
        let end = usize::try_from(i32::from_be_bytes(length)).ok()?.checked_add(at + 8)?;
        hasher.update(plain.get(at + 8..end)?);
        put(plain, end, hasher.finalize())?;
        at = end + 4;
    }
}
