//! Whether a file of one directory can be given a second name in another.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, Statx, StatxFlags, statx};

/// Whether the system lets files of one directory be linked into the other: both are on one file system, and in one
/// mount of it. Two volumes of a container are often the same file system mounted twice, and cannot be linked across.
///
/// # Errors
/// A directory cannot be asked.
pub fn can_link(from: impl AsFd, to: impl AsFd) -> io::Result<bool> {
    let [from, to] = [ask(from)?, ask(to)?];
    let is_known = |of: &Statx| StatxFlags::from_bits_retain(of.stx_mask).contains(StatxFlags::MNT_ID);
    let same_device = (from.stx_dev_major, from.stx_dev_minor) == (to.stx_dev_major, to.stx_dev_minor);
    // Linux before 5.8 does not tell of mounts.
    Ok(same_device && (from.stx_mnt_id == to.stx_mnt_id || !is_known(&from) || !is_known(&to)))
}

fn ask(directory: impl AsFd) -> io::Result<Statx> {
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    Ok(statx(directory, c"", AtFlags::EMPTY_PATH, wanted)?)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::*;

    #[test]
    fn files_are_linked_within_one_mount() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("inside")).unwrap();
        let open = |path: &Path| File::open(path).unwrap();
        let can = |to: &Path| can_link(open(dir.path()), open(to)).unwrap();
        assert!(can(&dir.path().join("inside")));
        assert!(!can(Path::new("/proc")));
    }
}
