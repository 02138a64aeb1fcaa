//! Writes segments with right checksums, independent of the reader: after `docs/commit-log-format.md`.

use std::path::{Path, PathBuf};

use serde_json::json;

/// A segment file of version 7.
pub(crate) struct SegmentWriter {
    id: i64,
    is_lz4: bool,
    bytes: Vec<u8>,
}

impl SegmentWriter {
    pub(crate) fn new(id: i64, is_lz4: bool) -> Self {
        let class = json!({"compressionClass": "LZ4Compressor", "compressionParameters": null});
        let parameters = if is_lz4 { class.to_string() } else { "{}".to_owned() };
        let length = u16::try_from(parameters.len()).unwrap().to_be_bytes();
        let mut bytes = Vec::new();
        bytes.extend(7_u32.to_be_bytes());
        bytes.extend(id.to_be_bytes());
        bytes.extend(length);
        bytes.extend(parameters.as_bytes());
        let checksum =
            checksum(&[&bytes[..4], &bytes[8..12], &bytes[4..8], &[0, 0], &length, parameters.as_bytes()]);
        bytes.extend(checksum);
        Self { id, is_lz4, bytes }
    }

    /// The name such a file has.
    pub(crate) fn name(&self) -> String {
        format!("CommitLog-7-{}.log", self.id)
    }

    /// Adds a section with one frame for each payload.
    pub(crate) fn section<P: AsRef<[u8]>>(&mut self, payloads: impl IntoIterator<Item = P>) {
        let mut plain = Vec::new();
        for payload in payloads {
            let payload = payload.as_ref();
            let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
            plain.extend(length);
            plain.extend(checksum(&[&length]));
            plain.extend(payload);
            plain.extend(checksum(&[&length, payload]));
        }
        if !self.is_lz4 {
            return self.body(&plain);
        }
        let length = u32::try_from(plain.len()).unwrap();
        let mut body = length.to_be_bytes().to_vec();
        body.extend(length.to_le_bytes());
        body.extend(lz4_flex::block::compress(&plain));
        self.body(&body);
    }

    /// Adds a section of these bytes as they are.
    pub(crate) fn body(&mut self, body: &[u8]) {
        let marker = self.bytes.len();
        let next = u32::try_from(marker + 8 + body.len()).unwrap();
        let id = self.id.to_be_bytes();
        let own = u32::try_from(marker).unwrap().to_be_bytes();
        self.bytes.extend(next.to_be_bytes());
        self.bytes.extend(checksum(&[&id[4..], &id[..4], &own]));
        self.bytes.extend(body);
    }

    /// The file.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Writes an uncompressed segment with a section for each list of payloads under its name, with an index that says
/// it is complete.
pub(crate) fn write_segment(dir: &Path, id: i64, sections: &[&[Vec<u8>]]) -> PathBuf {
    let mut writer = SegmentWriter::new(id, false);
    sections.iter().for_each(|payloads| writer.section(*payloads));
    let path = dir.join(writer.name());
    let bytes = writer.finish();
    let index = format!("{}\nCOMPLETED\n", bytes.len());
    std::fs::write(dir.join(format!("CommitLog-7-{id}_cdc.idx")), index).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

fn checksum(parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_be_bytes()
}
