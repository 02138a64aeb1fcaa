//! Standard output, and directories for what is written elsewhere.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::exit::Failure;

/// Standard output without a buffer: what a write says was written is with the operating system. The standard library's
/// own takes a standard output that cannot be written to (`1<file`) for one that takes everything.
///
/// # Errors
/// There are too many open files.
pub fn stdout() -> Result<File, Failure> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from).map_err(Failure::stdout)
}

/// Whether what is written there goes nowhere. A standard output that was closed when the program started cannot be
/// told from it: the runtime has put `/dev/null` in its place by then, as many parents do on purpose.
#[must_use]
pub fn is_null(file: &File) -> bool {
    let null = Path::new("/dev/null").metadata();
    let (Ok(null), Ok(file)) = (null, file.metadata()) else { return false };
    file.file_type().is_char_device() && file.rdev() == null.rdev()
}

/// Makes a directory, unless there is one.
///
/// # Errors
/// It cannot be made.
pub fn make_dir(dir: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).map_err(|error| match error.kind() {
        // Told of what is there and is no directory.
        io::ErrorKind::AlreadyExists => Failure::cannot_write(dir, io::ErrorKind::NotADirectory.into()),
        _ => Failure::cannot_write(dir, error),
    })
}
