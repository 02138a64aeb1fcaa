//! Topics and tables that jobs of one folder share: ways back to a source, two readers of one topic, topics that hold something else.

use super::bundled;
use crate::jobs::check::check;
use crate::jobs::finding::{Code, Finding};
use crate::schema::{self, Schema};

/// The end of a rules file.
const REST: &str = "key: [id]\nhash: {kind: v1}\nenvironments: [onprem]\n";

/// Rules of a table with a business topic.
fn json(table: &str, topic: &str, sink: &str) -> (String, String) {
    let columns = "columns:\n  id: {type: int}\n  at: {type: timestamp}\nversion: {column: at}\n";
    let source = format!("source: {{kind: json, topic: '{topic}'}}\nsink: {sink}\n");
    (table.to_owned(), format!("table: {table}\n{source}{columns}{REST}"))
}

/// Rules of a table with a CDC topic, of which nothing is written.
fn cdc(table: &str, of: &str) -> (String, String) {
    let columns = "columns:\n  id: {type: int}\nversion: write_time\n";
    let source = format!("source: {{kind: cdc, table: {of}}}\nsink: none\n");
    (table.to_owned(), format!("table: {table}\n{source}{columns}{REST}"))
}

/// What is wrong with a folder of these rules files, in the bundled environments; `prefix` is the topic prefix of onprem.
fn found(rules: &[(String, String)], prefix: &str, schema: Option<&Schema>) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let environments = std::fs::read_to_string(bundled().join("environments.yaml")).unwrap();
    let environments = environments.replace("topic_prefix: onprem", &format!("topic_prefix: {prefix}"));
    std::fs::write(folder.path().join("environments.yaml"), environments).unwrap();
    for (table, text) in rules {
        std::fs::write(folder.path().join(format!("rules/{table}.yaml")), text).unwrap();
    }
    check(folder.path(), schema).1
}

/// Fails unless these words are in a loop that is found.
fn looped(rules: &[(String, String)], prefix: &str, way: &str) {
    let found = found(rules, prefix, None);
    let is_told = |finding: &Finding| finding.code == Code::Loop && finding.message.contains(way);
    assert!(!found.is_empty() && found.iter().all(is_told), "{way}: {found:#?}");
}

fn silent(table: &str) -> Schema {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tables.cql");
    let id = "6b1f5c10-c83e-11f0-9d5e-000000000001";
    std::fs::write(&path, format!("CREATE TABLE {table} (id int PRIMARY KEY, at timestamp) WITH ID = {id};"))
        .unwrap();
    schema::build(&schema::load(&path).unwrap().rows).schema
}

#[test]
fn hash_events_that_become_rows_of_a_table_with_a_hash_job() {
    let rules = [json("sales.hashes", "{prefix}_hash_events", "cassandra")];
    let way = "topic onprem_hash_events → table sales.hashes (onprem) → topic onprem.cdc.sales.hashes → topic onprem_hash_events";
    looped(&rules, "onprem", way);
    // Nothing comes back where the rows go nowhere, or the table has no CDC.
    assert_eq!(found(&[json("sales.hashes", "{prefix}_hash_events", "none")], "onprem", None), []);
    assert_eq!(found(&rules, "onprem", Some(&silent("sales.hashes"))), []);
}

#[test]
fn counters_of_a_job_that_reads_them() {
    let (table, reads) = cdc("sales.counts", "metrics.dq_counts");
    let writes = [(table.clone(), reads.replace("sink: none", "sink: cassandra"))];
    let way = "topic onprem.cdc.metrics.dq_counts → table metrics.dq_counts (onprem) → topic onprem.cdc.metrics.dq_counts";
    looped(&writes, "onprem", way);
    let quiet = found(&writes, "onprem", Some(&silent("metrics.dq_counts")));
    assert!(quiet.iter().all(|finding| finding.code != Code::Loop), "{quiet:#?}");
    // A job without a sink counts in its topics alone.
    assert_eq!(found(&[(table, reads)], "onprem", None), []);
    // The topics of counters have no prefix, but a prefix can be theirs.
    for topic in ["{prefix}_metrics_valid", "{prefix}_metrics_invalid"] {
        looped(&[json("sales.counts", topic, "none")], "dq", &topic.replace("{prefix}", "topic dq"));
    }
}

#[test]
fn what_else_a_job_writes_beside_its_rows() {
    let positions = [json("sales.positions", "{prefix}.jobs.__checkpoints", "none")];
    looped(&positions, "onprem", "topic onprem.jobs.__checkpoints → topic onprem.jobs.__checkpoints");
    let valid = [json("sales.rows", "{prefix}.valid.sales.rows", "none")];
    looped(&valid, "onprem", "topic onprem.valid.sales.rows → topic onprem.valid.sales.rows");
    // Valid rows of one job as the source of another one.
    let two = [
        json("sales.a", "{prefix}.valid.sales.b", "none"),
        json("sales.b", "{prefix}.valid.sales.a", "none"),
    ];
    looped(&two, "onprem", "topic onprem.valid.sales.");
    assert_eq!(found(&two[..1], "onprem", None), []);
}

/// The drift job leads from a table's changes to its verdicts.
#[test]
fn verdicts_that_become_rows_of_the_table() {
    let (table, text) = json("sales.verdicts", "{prefix}_reconciliation_current", "cassandra");
    let drift = "drift:\n  onprem: {environment: onprem, hosts: any}\n  cloud: {environment: cloud, hosts: any}\n  mode: merge\n";
    let way = "table sales.verdicts (onprem) → topic dq.cdc.sales.verdicts → topic dq_reconciliation_current";
    looped(&[(table.clone(), format!("{text}{drift}"))], "dq", way);
    assert_eq!(found(&[(table, text)], "dq", None), []);
}

#[test]
fn what_agents_say_of_themselves_is_no_source() {
    for topic in ["__checkpoints", "__control", "__heartbeats", "__dead_letters"] {
        let found = found(&[json("sales.a", &format!("{{prefix}}.cdc.{topic}"), "none")], "onprem", None);
        let is_told = |finding: &Finding| finding.code == Code::Value && finding.message.contains(topic);
        assert!(found.len() == 1 && found.iter().all(is_told), "{found:#?}");
    }
    assert_eq!(found(&[json("sales.a", "{prefix}.cdc.__keyspace.b", "none")], "onprem", None), []);
}

#[test]
fn one_topic_has_one_reader() {
    let twice = [cdc("sales.copies", "sales.users"), cdc("sales.users", "sales.users")];
    let named = [cdc("sales.copies", "sales.users"), json("sales.users", "{prefix}.cdc.sales.users", "none")];
    let business = [json("sales.a", "{prefix}_x", "none"), json("sales.b", "{prefix}_x", "none")];
    for rules in [&twice, &named, &business] {
        let found = found(rules, "onprem", None);
        let [finding] = found.as_slice() else { panic!("{found:#?}") };
        let second = format!("{}.yaml", rules[1].0);
        assert!(finding.code == Code::Shared && finding.file.ends_with(&second), "{finding}");
        assert!(finding.message.contains("in one consumer group") && finding.place.is_some(), "{finding}");
    }
    // In two environments they are two topics.
    let cloud = twice[1].1.replace("[onprem]", "[cloud]");
    assert_eq!(found(&[twice[0].clone(), (twice[1].0.clone(), cloud)], "onprem", None), []);
}

#[test]
fn dead_letters_stand_in_no_topic_of_something_else() {
    let with = |topic: &str, prefix: &str| {
        let (table, text) = json("sales.a", "{prefix}_business", "none");
        let rules = [(table, format!("{text}dead_letter_topic: '{topic}'\n")), cdc("sales.b", "sales.b")];
        found(&rules, prefix, None)
    };
    for (topic, words) in [
        ("{prefix}.cdc.sales.b", "onprem.cdc.sales.b is a topic of the agents"),
        ("{prefix}.cdc.sales.none", "onprem.cdc.sales.none is a topic of the agents"),
        ("{prefix}.cdc.__control", "onprem.cdc.__control is a topic of the agents"),
        ("{prefix}_hash_events", "onprem_hash_events holds hash events"),
        ("{prefix}.jobs.__checkpoints", "onprem.jobs.__checkpoints holds positions"),
        ("{prefix}.valid.sales.b", "onprem.valid.sales.b holds valid rows"),
    ] {
        let found = with(topic, "onprem");
        let [finding] = found.as_slice() else { panic!("{topic}: {found:#?}") };
        assert!(finding.code == Code::Shared && finding.message.contains(words), "{finding}");
        // Where it stands in the file.
        assert_eq!(
            finding.place.map(|place| place.column),
            Some("dead_letter_topic: ".len() + 1),
            "{finding}"
        );
    }
    let shared = with("{prefix}_remediation_audit", "dq");
    assert!(
        matches!(shared.as_slice(), [one] if one.message.contains("is shared by all jobs")),
        "{shared:#?}"
    );
    // Files may share one for dead letters.
    for topic in ["{prefix}.dlq", "{prefix}.dlq.sales.b", "{prefix}_letters"] {
        assert_eq!(with(topic, "onprem"), [], "{topic}");
    }
}
