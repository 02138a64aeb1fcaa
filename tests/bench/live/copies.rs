//! A long backlog from a short one: segments under new ids, which stand in the descriptor, in the checksum of every marker, and in the names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cdc_agent::commitlog::live::LiveSection;
use cdc_agent::commitlog::{Descriptor, SegmentId, SegmentName};
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    from: PathBuf,
    #[arg(long)]
    to: PathBuf,
    /// Of segments in all, at least; the sections of the markers count.
    #[arg(long)]
    bytes: u64,
}

pub(crate) fn run(options: &Options) {
    let names = names(&options.from);
    let first = names.keys().next().unwrap().0;
    let (mut written, mut number) = (0, 0);
    while written < options.bytes {
        let (_, name) = names.iter().nth(number % names.len()).unwrap();
        let id = SegmentId(first + i64::try_from(number).unwrap());
        written +=
            copy(&options.from.join(name.to_string()), *name, SegmentName { id, ..*name }, &options.to);
        number += 1;
    }
    println!("{{\"segments\": {number}, \"bytes\": {written}}}");
}

fn names(folder: &Path) -> BTreeMap<SegmentId, SegmentName> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.filter_map(|name| name.to_str().unwrap().parse::<SegmentName>().ok());
    names.map(|name| (name.id, name)).collect()
}

/// Gives the bytes that sections take.
fn copy(path: &Path, old: SegmentName, new: SegmentName, folder: &Path) -> u64 {
    let mut bytes = std::fs::read(path).unwrap();
    let descriptor = Descriptor::parse(&bytes).unwrap();
    assert!(!descriptor.is_stored());
    put(&mut bytes, 4, &new.id.0.to_be_bytes());
    let checksum = descriptor_checksum(&descriptor, new.id);
    put(&mut bytes, descriptor.length - 4, &checksum.to_be_bytes());
    let renamed = Descriptor::parse(&bytes).unwrap();
    let mut marker = u64::try_from(descriptor.length).unwrap();
    loop {
        let offset = usize::try_from(marker).unwrap();
        let LiveSection::Closed { end, .. } =
            descriptor.live_section(marker, bytes.get(offset..).unwrap_or_default())
        else {
            break;
        };
        let checksum = renamed.marker_checksum(u32::try_from(marker).unwrap());
        put(&mut bytes, offset + 4, &checksum.to_be_bytes());
        marker = end;
    }
    std::fs::write(folder.join(new.to_string()), &bytes).unwrap();
    let index = std::fs::read(path.with_file_name(old.index_file())).unwrap();
    std::fs::write(folder.join(new.index_file()), index).unwrap();
    marker
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// `CommitLogDescriptor.writeHeader` of Cassandra 4.
fn descriptor_checksum(descriptor: &Descriptor, id: SegmentId) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&descriptor.version.to_be_bytes());
    hasher.update(&id.0.rotate_left(32).to_be_bytes());
    hasher.update(&u32::try_from(descriptor.parameters.len()).unwrap().to_be_bytes());
    hasher.update(descriptor.parameters.as_bytes());
    hasher.finalize()
}
