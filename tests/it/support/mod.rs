//! What several tests need: fixtures, keys, decoded segments.

pub(crate) mod json;
pub(crate) mod mutation_writer;
pub(crate) mod records;
pub(crate) mod segment_writer;
pub(crate) mod table;

use std::io::Read;
use std::path::{Path, PathBuf};

/// The folders of `cdc_fixtures` with segments of real nodes, their schema, and what Cassandra's reader found in them.
pub(crate) const FIXTURES: &[&str] = &[
    "4.1-none",
    "4.1-lz4",
    "4.1-snappy",
    "4.1-deflate",
    "4.1-zstd",
    "4.1-encrypted",
    "4.1-kill9",
    "4.1-acceptance",
    "5.0-none",
    "5.0-v8-direct",
    "5.0-v8-lz4",
    "5.0-v8-encrypted",
    "5.0-acceptance",
    "demo",
    "demo-cloud",
];

/// A folder of `cdc_fixtures`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures").join(name)
}

/// The bytes of a file, unpacked when its name ends with `.gz`.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
    plain
}

/// The segments of a folder in the order of their ids: file name without `.gz`, bytes.
pub(crate) fn segments(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?;
            let segment = name.strip_suffix(".gz").unwrap_or(name);
            segment.ends_with(".log").then(|| (segment.to_owned(), read(&path)))
        })
        .collect();
    assert!(!found.is_empty(), "no segment in {}", folder.display());
    found.sort();
    found
}

/// The key of the encrypted fixtures.
pub(crate) fn fixture_key(alias: &str) -> Option<Vec<u8>> {
    assert_eq!(alias, "fixture:1");
    let text = std::fs::read_to_string(fixture("keys").join("aes128.key.hex")).unwrap();
    Some(hex::decode(text.trim()).unwrap())
}

/// The schema of a file, with nothing wrong in it.
pub(crate) fn schema(path: &Path) -> cdc_agent::schema::Schema {
    let loaded = cdc_agent::schema::load(path).unwrap();
    cdc_agent::schema::build(&loaded.rows).schema
}
