//! Directories as no running node leaves them.

use std::os::unix::ffi::OsStringExt;

use super::*;

fn name(id: i64) -> SegmentName {
    SegmentName { id: SegmentId(id), version: 7 }
}

fn segment(dir: &Path, id: i64, length: usize) -> PathBuf {
    let path = dir.join(name(id).to_string());
    fs::write(&path, vec![0; length]).unwrap();
    path
}

#[test]
fn segments_are_told_in_the_order_of_their_ids_with_their_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    segment(path, 10, 5);
    let linked = segment(path, 9, 7);
    let other = tempfile::tempdir_in(path.parent().unwrap()).unwrap();
    fs::hard_link(&linked, other.path().join("commitlog")).unwrap();
    segment(path, 100, 0);
    fs::write(path.join(name(9).index_file()), "77\nCOMPLETED").unwrap();
    fs::write(path.join(name(10).index_file()), "").unwrap();
    fs::write(path.join(name(4).index_file()), "4").unwrap();
    let scan = Directory::open(path).unwrap().scan().unwrap();
    let found: Vec<_> = scan
        .segments
        .iter()
        .map(|file| (file.name.id.0, file.length, file.links, file.index, file.has_index))
        .collect();
    assert_eq!(
        found,
        [
            (9, 7, 2, Index::Completed(77), true),
            (10, 5, 1, Index::Absent, true),
            (100, 0, 1, Index::Absent, false)
        ]
    );
    assert_eq!(scan.stray_indexes.iter().map(|stray| stray.name).collect::<Vec<_>>(), [name(4)]);
    assert_eq!(scan.foreign, Foreign::default());
}

#[test]
fn what_is_not_cassandras_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    for name in [
        "CommitLog-7-1.log.bak",
        "CommitLog-123.log",
        "CommitLog-7-1_cdc.idx.tmp",
        ".lock",
        "CommitLog-7--5.log",
    ] {
        fs::write(path.join(name), "x").unwrap();
    }
    fs::write(path.join(std::ffi::OsString::from_vec(vec![b'C', 0xff])), "x").unwrap();
    fs::create_dir(path.join(name(1).to_string())).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path.join(name(2).to_string())).unwrap();
    let fifo = path.join(name(3).to_string());
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let scan = Directory::open(path).unwrap().scan().unwrap();
    assert!(scan.segments.is_empty() && scan.stray_indexes.is_empty());
    assert_eq!(scan.foreign.count, 9);
    assert!(scan.foreign.names.contains(&"CommitLog-7-3.log (no regular file)".to_owned()));
    assert_eq!(path.read_dir().unwrap().count(), 9);
}

#[test]
fn a_flood_of_foreign_files_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..300 {
        fs::write(dir.path().join(format!("file-{number}")), "").unwrap();
    }
    let foreign = Directory::open(dir.path()).unwrap().scan().unwrap().foreign;
    assert_eq!((foreign.count, foreign.names.len()), (300, FOREIGN_NAMES));
}

#[test]
fn an_index_that_is_no_index_is_no_news() {
    let dir = tempfile::tempdir().unwrap();
    segment(dir.path(), 1, 3);
    let index = dir.path().join(name(1).index_file());
    for text in [b"12\nCOMP".to_vec(), vec![0xff], vec![b'1'; 1 << 20]] {
        fs::write(&index, text).unwrap();
        let scan = Directory::open(dir.path()).unwrap().scan().unwrap();
        assert_eq!((scan.segments[0].index, scan.segments[0].has_index), (Index::Absent, true));
        assert_eq!(scan.foreign.count, 1);
    }
}

#[test]
fn one_agent_holds_the_directory_and_makes_nothing_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = Directory::open(dir.path()).unwrap();
    let second = Directory::open(dir.path()).unwrap_err();
    assert!(second.is_locked(), "{second}");
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
    drop(first);
    assert!(Directory::open(dir.path()).is_ok());
}

#[test]
fn missing_replaced_and_emptied_are_three_things() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("cdc_raw");
    assert!(matches!(Directory::open(&path), Err(DirectoryError::Missing { .. })));
    fs::write(&path, "").unwrap();
    assert!(matches!(Directory::open(&path), Err(DirectoryError::NotADirectory { .. })));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let directory = Directory::open(&path).unwrap();
    let log = segment(&path, 5, 1);
    let unfinished = || [SegmentId(4), SegmentId(5)];
    assert_eq!(directory.scan_expecting(unfinished()).unwrap().segments.len(), 1);
    fs::remove_file(log).unwrap();
    let emptied = directory.scan_expecting(unfinished()).unwrap_err();
    assert!(emptied.to_string().ends_with("2 segment(s) were not read to their end: 4, 5"), "{emptied}");
    assert!(directory.scan_expecting([]).unwrap().segments.is_empty());
    fs::write(path.join("CommitLog-7-5_cdc.idx"), "1").unwrap();
    assert_eq!(
        directory.scan_expecting(unfinished()).unwrap().stray_indexes.len(),
        1,
        "the node writes here"
    );
    fs::rename(&path, parent.path().join("away")).unwrap();
    assert!(matches!(directory.scan(), Err(DirectoryError::Missing { .. })));
    fs::create_dir(&path).unwrap();
    assert!(matches!(directory.scan(), Err(DirectoryError::Replaced { .. })));
    fs::remove_dir(&path).unwrap();
    fs::rename(parent.path().join("away"), &path).unwrap();
    assert!(directory.scan().is_ok(), "it is back");
}

#[test]
fn every_error_says_what_to_do() {
    let path = PathBuf::from("cdc_raw");
    let user = Some(7);
    let errors = [
        DirectoryError::Missing { path: path.clone() },
        DirectoryError::NotADirectory { path: path.clone() },
        DirectoryError::Replaced { path: path.clone() },
        DirectoryError::Emptied { path: path.clone(), lost: vec![SegmentId(1)] },
        DirectoryError::Locked { path: path.clone() },
        DirectoryError::NoPermission { path, user },
    ];
    for error in &errors {
        assert!(error.to_string().contains("cdc_raw") && error.advice().len() > 20, "{error}");
    }
    assert!(errors[5].to_string().ends_with("cdc_raw as user 7"));
}
