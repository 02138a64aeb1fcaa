//! Uncompressed segments of version 7 with given payloads, after `docs/commit-log-format.md`.

use std::path::{Path, PathBuf};

use crc32fast::Hasher;

/// The bytes of a segment: a section for each list of payloads.
pub(crate) fn segment_bytes(id: u32, sections: &[&[Vec<u8>]]) -> Vec<u8> {
    let id_words = [id.to_be_bytes(), [0; 4]];
    let mut out = 7_u32.to_be_bytes().to_vec();
    out.extend(u64::from(id).to_be_bytes());
    out.extend(2_u16.to_be_bytes());
    out.extend(b"{}");
    out.extend(crc(&[&7_u32.to_be_bytes(), &id_words[0], &id_words[1], &2_u32.to_be_bytes(), b"{}"]));
    for payloads in sections {
        let frames: Vec<u8> = payloads.iter().flat_map(|payload| frame(payload)).collect();
        let marker = u32::try_from(out.len()).unwrap().to_be_bytes();
        out.extend(u32::try_from(out.len() + 8 + frames.len()).unwrap().to_be_bytes());
        out.extend(crc(&[&id_words[0], &id_words[1], &marker]));
        out.extend(frames);
    }
    out
}

/// Writes a segment under its name, with an index that says it is complete.
pub(crate) fn write_segment(dir: &Path, id: u32, sections: &[&[Vec<u8>]]) -> PathBuf {
    let bytes = segment_bytes(id, sections);
    let path = dir.join(format!("CommitLog-7-{id}.log"));
    std::fs::write(&path, &bytes).unwrap();
    let index = format!("{}\nCOMPLETED\n", bytes.len());
    std::fs::write(dir.join(format!("CommitLog-7-{id}_cdc.idx")), index).unwrap();
    path
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let checksums = [crc(&[&length]), crc(&[&length, payload])];
    [&length[..], &checksums[0], payload, &checksums[1]].concat()
}

fn crc(parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_be_bytes()
}
