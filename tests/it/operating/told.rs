//! What an operator is to know though the agent goes on.

use super::*;

/// A disk that takes nothing more, of one file: a folder stands where it would be written.
#[test]
fn state_that_cannot_be_written_is_said_and_counted() {
    for (is_full, failed) in [(false, 0), (true, 1)] {
        let place = Place::new();
        if is_full {
            fs::create_dir_all(place.path("state").join("modes.tmp")).unwrap();
        }
        let running = place.run();
        let status = place.status();
        assert_eq!(status["state_write_errors"], failed);
        let errors = status["errors"].as_array().unwrap();
        let is_said = errors.iter().any(|line| line["text"].as_str().unwrap().contains("modes.tmp"));
        assert_eq!(is_said, is_full, "{errors:?}");
        running.stop();
    }
}

#[test]
fn tables_of_a_keyspace_without_a_log_are_named() {
    let place = Place::new();
    let schema = place.path("schema.json");
    let is_named = |said: &str| said.contains("durable_writes = false") && said.contains("accept.a1");
    let before = place.until_empty(&schema);
    assert!(!is_named(&stderr(&before)), "{}", stderr(&before));
    let doctor = || place.command(&["doctor", "--schema", schema.to_str().unwrap()]);
    assert!(!stdout(&doctor()).contains("schema.durable_writes"), "{}", stdout(&doctor()));
    let mut rows: Value = serde_json::from_slice(&fs::read(&schema).unwrap()).unwrap();
    let keyspaces = rows["keyspaces"].as_array_mut().unwrap();
    let keyspace = keyspaces.iter_mut().find(|row| row["keyspace_name"] == "accept").unwrap();
    keyspace["durable_writes"] = false.into();
    fs::write(&schema, rows.to_string()).unwrap();
    let after = place.until_empty(&schema);
    assert!(is_named(&stderr(&after)), "{}", stderr(&after));
    let doctor = doctor();
    assert_eq!(code(&doctor), 4, "{}", stdout(&doctor));
    let failed: Vec<String> =
        stdout(&doctor).lines().filter(|line| line.starts_with("FAIL")).map(str::to_owned).collect();
    assert!(matches!(&failed[..], [line] if is_named(line)), "{failed:?}");
    assert!(stdout(&doctor).contains("ALTER KEYSPACE"), "{}", stdout(&doctor));
}

#[test]
fn what_a_node_owns_first_is_asked_of_a_node() {
    let place = Place::new();
    let schema = place.path("schema.json");
    let doctor = |ownership| {
        place.command(&["doctor", "--schema", schema.to_str().unwrap(), "--ownership", ownership])
    };
    let all = doctor("all");
    assert!(code(&all) == 0 && !stdout(&all).contains("node.ring"), "{}", stdout(&all));
    let primary = doctor("primary");
    let is_told = |line: &str| line.starts_with("FAIL") && line.contains("node.ring");
    assert!(code(&primary) == 2 && stdout(&primary).lines().any(is_told), "{}", stdout(&primary));
}
