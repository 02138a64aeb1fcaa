//! Directories in which something else happened since they were looked at.

use super::*;
use crate::commitlog::Index;

/// A real segment with its index, under its name, with a second link as Cassandra has one.
struct Node {
    parent: tempfile::TempDir,
    directory: Directory,
}

const NAME: &str = "CommitLog-7-1795361326344.log";

impl Node {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        for name in ["cdc_raw", "commitlog", "archive"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("cdc_fixtures/demo");
        let directory = Directory::open(&parent.path().join("cdc_raw")).unwrap();
        let node = Self { parent, directory };
        fs::copy(from.join(NAME), node.at("commitlog").join(NAME)).unwrap();
        fs::hard_link(node.at("commitlog").join(NAME), node.log()).unwrap();
        fs::write(node.index(), "2209\nCOMPLETED").unwrap();
        node
    }

    fn at(&self, name: &str) -> PathBuf {
        self.parent.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.at("cdc_raw").join(NAME)
    }

    fn index(&self) -> PathBuf {
        self.directory.index(NAME.parse().unwrap())
    }

    fn segment(&self) -> SegmentFile {
        self.directory.scan().unwrap().segments.remove(0)
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        fingerprint(&File::open(self.at("commitlog").join(NAME)).unwrap(), NAME.parse().unwrap()).unwrap()
    }

    fn archive(&self) -> Elsewhere {
        Elsewhere::open(&self.at("archive"), &self.directory).unwrap()
    }

    fn names(&self, of: &str) -> Vec<String> {
        let mut found: Vec<_> = self
            .at(of)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        found
    }
}

const INDEX: &str = "CommitLog-7-1795361326344_cdc.idx";

#[test]
fn the_fingerprint_is_that_of_descriptor_and_first_section() {
    let node = Node::new();
    let bytes = fs::read(node.log()).unwrap();
    let segment = crate::commitlog::Segment::open(&bytes, None, &|_| None).unwrap();
    let (head, first) = segment.head();
    assert!(!first.is_empty());
    assert_eq!(node.fingerprint(), Some(Fingerprint::of(head, first)));
    for cut in [0, 10, head.len(), head.len() + 8, head.len() + first.len() - 1] {
        fs::write(node.log(), &bytes[..cut]).unwrap();
        assert_eq!(node.fingerprint(), None, "{cut}");
    }
}

#[test]
fn a_segment_goes_with_its_index() {
    let node = Node::new();
    let segment = node.segment();
    assert_eq!(segment.index, Index::Completed(2209));
    assert_eq!(delete(&node.directory, &segment, node.fingerprint()).unwrap(), Gone::Now);
    assert!(node.names("cdc_raw").is_empty());
    assert_eq!(node.names("commitlog"), [NAME]);
    assert_eq!(delete(&node.directory, &segment, node.fingerprint()).unwrap(), Gone::Before);
}

#[test]
fn another_file_under_its_name_stays() {
    let node = Node::new();
    let (segment, fingerprint) = (node.segment(), node.fingerprint());
    assert!(matches!(delete(&node.directory, &segment, None), Err(RetentionError::Other { .. })));
    let mut bytes = fs::read(node.log()).unwrap();
    fs::remove_file(node.log()).unwrap();
    fs::write(node.log(), &bytes).unwrap();
    assert!(matches!(delete(&node.directory, &segment, fingerprint), Err(RetentionError::Other { .. })));
    let segment = node.segment();
    bytes[100] ^= 1;
    fs::write(node.log(), &bytes).unwrap();
    let error = delete(&node.directory, &segment, fingerprint).unwrap_err();
    assert!(error.to_string().contains("its descriptor or first section is another one"), "{error}");
    assert_eq!(node.names("cdc_raw"), [NAME, INDEX]);
    assert!(matches!(
        node.archive().take(&node.directory, &segment, fingerprint),
        Err(RetentionError::Other { .. })
    ));
    assert!(node.names("archive").is_empty());
}

#[test]
fn nothing_is_deleted_in_another_directory() {
    let node = Node::new();
    let (segment, fingerprint) = (node.segment(), node.fingerprint());
    fs::rename(node.at("cdc_raw"), node.at("away")).unwrap();
    fs::rename(node.at("commitlog"), node.at("cdc_raw")).unwrap();
    let error = delete(&node.directory, &segment, fingerprint).unwrap_err();
    assert!(matches!(error, RetentionError::Directory(DirectoryError::Replaced { .. })), "{error}");
    assert_eq!(node.names("cdc_raw"), [NAME]);
}

#[test]
fn an_index_alone_goes_and_one_with_its_segment_stays() {
    let node = Node::new();
    let name = NAME.parse().unwrap();
    assert_eq!(delete_stray_index(&node.directory, name).unwrap(), Gone::Before);
    assert!(node.index().exists());
    fs::remove_file(node.log()).unwrap();
    assert_eq!(delete_stray_index(&node.directory, name).unwrap(), Gone::Now);
    assert_eq!(delete_stray_index(&node.directory, name).unwrap(), Gone::Before);
}

#[test]
fn a_segment_is_moved_with_its_index_and_replaces_nothing() {
    let node = Node::new();
    let (segment, fingerprint) = (node.segment(), node.fingerprint());
    let archive = node.archive();
    fs::write(node.at("archive").join(NAME), "another").unwrap();
    let taken = archive.take(&node.directory, &segment, fingerprint);
    assert!(matches!(taken, Err(RetentionError::Taken { .. })));
    assert_eq!(node.names("cdc_raw"), [NAME, INDEX]);
    // What an attempt that was cut short leaves.
    fs::remove_file(node.at("archive").join(NAME)).unwrap();
    fs::hard_link(node.log(), node.at("archive").join(NAME)).unwrap();
    let inode = fs::metadata(node.log()).unwrap().ino();
    assert_eq!(archive.take(&node.directory, &segment, fingerprint).unwrap(), Gone::Now);
    assert!(node.names("cdc_raw").is_empty());
    assert_eq!(node.names("archive"), [NAME, INDEX]);
    assert_eq!(fs::metadata(node.at("archive").join(NAME)).unwrap().ino(), inode);
    assert_eq!(archive.take(&node.directory, &segment, fingerprint).unwrap(), Gone::Before);
}

#[test]
fn an_archive_is_on_the_same_file_system_and_outside() {
    let node = Node::new();
    let unfit = |path: &Path| match Elsewhere::open(path, &node.directory) {
        Err(RetentionError::Unfit { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    fs::create_dir(node.at("cdc_raw").join("done")).unwrap();
    assert!(unfit(&node.at("cdc_raw")).contains("inside"));
    assert!(unfit(&node.at("cdc_raw").join("done")).contains("inside"));
    assert!(unfit(Path::new("/proc")).contains("another file system"));
    assert!(unfit(&node.log()).contains("no directory"));
    assert!(matches!(Elsewhere::open(&node.at("none"), &node.directory), Err(RetentionError::Io { .. })));
}

#[test]
fn a_refusal_names_the_path_and_the_user() {
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let error = RetentionError::of("delete", Path::new("cdc_raw/x"), denied);
    let user = own_user().unwrap();
    assert!(
        error.to_string().starts_with(&format!("no permission to delete cdc_raw/x as user {user}: ")),
        "{error}"
    );
}
