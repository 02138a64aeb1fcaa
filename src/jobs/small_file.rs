//! Files that people write: regular ones, and small.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a regular file of at most `most` bytes. What is no regular file (a FIFO, a device) is not opened: it may have no
/// end, or keep who reads it waiting.
///
/// # Errors
/// It is no regular file or a longer one, or the system refuses.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = path.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    // A file can grow, and those of /proc say that they have no bytes.
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("more than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_small_and_regular_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, "abc").unwrap();
        assert_eq!(read(&file, 3).unwrap(), b"abc");
        assert_eq!(read(&file, 2).unwrap_err().to_string(), "more than 2 bytes");
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for path in [fifo.as_path(), folder.path(), Path::new("/dev/zero")] {
            assert_eq!(read(path, 3).unwrap_err().to_string(), "it is no regular file", "{}", path.display());
        }
        assert_eq!(read(Path::new("/proc/self/status"), 3).unwrap_err().to_string(), "more than 3 bytes");
    }
}
