//! Agents at awkward moments, and before what nobody can read.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

use super::*;
use crate::support::segment_writer::SegmentWriter;

/// A user who may do nothing.
const NOBODY: u32 = 65_534;

/// The checksums are right, and nobody can say of which table a mutation is: its bytes are all there is of it.
#[test]
fn a_segment_with_a_mutation_that_nobody_can_read_is_not_deleted() {
    let place = Place::new();
    let (raw, log) = (place.path("raw"), place.path("raw").join("CommitLog-7-5.log"));
    for name in ["CommitLog-7-1795366505458.log", "CommitLog-7-1795366505458_cdc.idx"] {
        fs::remove_file(raw.join(name)).unwrap();
    }
    // While Cassandra writes it, by one agent and by the next one, and when it is complete.
    let mut writer = SegmentWriter::new(5, false);
    writer.section([[0xff_u8; 50]]);
    let part = writer.finish();
    let mut whole = SegmentWriter::new(5, false);
    whole.section([[0xff_u8; 50]]);
    whole.section([[0x00_u8; 0]; 0]);
    let whole = whole.finish();
    let length = whole.len();
    fs::write(&log, [&part[..], &[0; 4096]].concat()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    command
        .arg("run")
        .args(place.options())
        .arg("--schema")
        .arg(place.path("schema.json"))
        .arg("--http=false");
    for started in 1..=2 {
        let running = Running(command.stderr(Stdio::null()).spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(60);
        let is_told = || place.control("start").len() == started && !place.control("damage").is_empty();
        while !place.path("log/commit.json").exists() || !is_told() {
            assert!(Instant::now() < until, "nothing is told of it");
            std::thread::sleep(Duration::from_millis(20));
        }
        running.stop();
    }
    fs::write(&log, whole).unwrap();
    fs::write(raw.join("CommitLog-7-5_cdc.idx"), format!("{length}\nCOMPLETED")).unwrap();
    for _ in 0..2 {
        let ended = place.until_empty(&place.path("schema.json"));
        assert_eq!(code(&ended), 3, "{}", stderr(&ended));
        assert!(stderr(&ended).contains("damaged segments stay: CommitLog-7-5.log"), "{}", stderr(&ended));
        assert!(log.exists());
        assert_eq!(place.control("damage").len(), 1, "it is told of once");
    }
}

#[test]
fn an_agent_that_is_to_publish_everything_ends_when_it_must_not_read() {
    let place = Place::new();
    let index = place.path("raw").join("CommitLog-7-1795366505458_cdc.idx");
    fs::set_permissions(&index, fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = Command::new("timeout");
    command.arg("60").arg(env!("CARGO_BIN_EXE_cdc-agent")).args(["run", "--until-empty", "--http=false"]);
    command.args(place.options()).arg("--schema").arg(place.path("schema.json"));
    if fs::File::open(&index).is_ok() {
        // Root may read everything.
        for path in [place.path(""), place.path("raw")] {
            chown(path, Some(NOBODY), None).unwrap();
        }
        command.uid(NOBODY);
    }
    let ended = command.output().unwrap();
    assert_eq!(code(&ended), 4, "{}", stderr(&ended));
    assert!(stderr(&ended).contains("no permission to read"), "{}", stderr(&ended));
}

/// While an agent waits for the one before it to end, as at a restart: a reload that ended it would count as a clean end,
/// after which systemd starts nothing.
#[test]
fn a_reload_does_not_end_an_agent_that_starts() {
    let place = Place::new();
    let before = place.run();
    let log = place.path("agent.log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-agent"));
    command.arg("run").args(place.options()).arg("--schema").arg(place.path("schema.json"));
    command.args(["--http=false", "--finished-segments", "keep"]);
    let next = Running(command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap());
    let wait_for = |word: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while !fs::read_to_string(&log).unwrap().contains(word) {
            assert!(Instant::now() < until, "{word}: {}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_for("it is tried for 10 s");
    let pid = next.0.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    before.stop();
    wait_for("the options are read anew");
    next.stop();
}
