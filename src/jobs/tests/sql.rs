//! The generated SQL: what Flink says of records with it (tests/oracle/planner/run.py wrote the vectors), and its
//! folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::bundled;
use crate::jobs::check::check;
use crate::jobs::engine::cdc_record::CdcRecord;
use crate::jobs::engine::repeats::Repeats;
use crate::jobs::finding::Code;
use crate::jobs::flink_sql::{Difference, SqlFile, compare, generate, write};
use crate::jobs::judge::Verdict;
use crate::jobs::project::Project;
use crate::jobs::record::Record;
use crate::jobs::rules::{Source, TableRules};
use crate::jobs::seen::InMemory;

fn planner(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(file)
}

fn project(folder: &Path) -> Project {
    let (project, found) = check(folder, None);
    assert_eq!(found, [], "{}", folder.display());
    project
}

/// Of a CDC topic the first record of an event counts, as in the embedded engine.
fn is_repeat(rules: &TableRules, record: &Record<'_>, repeats: &mut Option<Repeats>) -> bool {
    let Source::Cdc { .. } = rules.source else { return false };
    let repeats = repeats.get_or_insert_with(|| Repeats::new(rules.max_event_ids));
    let change = record.payload.and_then(CdcRecord::parse);
    repeats.is_repeat((0, 0), change.as_ref().and_then(CdcRecord::row_event_id), record.timestamp_ms)
}

#[test]
fn flink_judges_alike() {
    let project = project(&planner("planner/jobs"));
    let files: BTreeMap<String, String> =
        generate(&project).into_iter().map(|file| (file.path.clone(), file.text())).collect();
    let vectors = std::fs::read_to_string(planner("vectors/flink_sql.jsonl")).unwrap();
    let (mut seen, mut repeats) = (InMemory::default(), None);
    let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
    for line in vectors.lines() {
        let vector: Json = serde_json::from_str(line).unwrap();
        if let Some(job) = vector["job"].as_str() {
            let sql = &files[&format!("{job}/02_rules.sql")];
            let digest = hex::encode(Sha256::digest(sql));
            assert_eq!(
                vector["rules_sql_sha256"], digest,
                "{job}: run tests/oracle/planner/run.py verdicts --write"
            );
            (seen, repeats) = (InMemory::default(), None);
            continue;
        }
        let table = vector["table"].as_str().unwrap();
        let is_table = |rules: &TableRules| {
            format!("{}.{}", rules.table.value.keyspace, rules.table.value.table) == table
        };
        let rules = project.rules.iter().map(|file| &file.rules).find(|rules| is_table(rules)).unwrap();
        let payload = vector["payload"].as_str().map(|text| STANDARD.decode(text).unwrap());
        let timestamp_ms = vector["kafka_ms"].as_i64().unwrap();
        let record = Record { payload: payload.as_deref(), timestamp_ms, partition: 0, offset: 0 };
        let found = match is_repeat(rules, &record, &mut repeats) {
            true => None,
            false => match rules.judge(&record, &mut seen) {
                Verdict::NotJudged => None,
                Verdict::Valid { warnings, .. } => Some((String::new(), warnings.join(","))),
                Verdict::Invalid { failed, warnings } => Some((failed.join(","), warnings.join(","))),
            },
        };
        let flink = &vector["flink"];
        let text = |key: &str| flink[key].as_str().map(str::to_owned);
        let expected = text("failed").zip(text("warned"));
        let kind = expected.as_ref().map(|(failed, _)| failed.is_empty());
        *counts.entry((table.to_owned(), kind)).or_insert(0) += 1;
        if found != expected {
            let payload = String::from_utf8_lossy(payload.as_deref().unwrap_or_default()).into_owned();
            wrong.push(format!("{table} {payload}\n  Rust  {found:?}\n  Flink {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} records:\n{}", wrong.len(), wrong.join("\n"));
    // Valid and broken ones of every table, and what is not judged of CDC topics.
    assert!(counts.len() >= 10 && counts.values().sum::<usize>() > 800, "{counts:?}");
}

fn left(folder: &Path, files: &[SqlFile]) -> Vec<String> {
    let shown = |difference: &Difference| {
        let text = difference.to_string();
        text.replace(&format!("{}/", folder.display()), "")
    };
    compare(folder, files).unwrap().iter().map(shown).collect()
}

#[test]
fn the_committed_sql_is_what_the_rules_say() {
    let files = generate(&project(&bundled()));
    assert_eq!(left(&bundled().join("sql"), &files), [""; 0], "run cdc-jobs sql");
    assert_eq!(files, generate(&project(&bundled())), "the same rules give the same files");
}

#[test]
fn only_what_differs_is_written_and_only_own_files_are_removed() {
    let files = generate(&project(&bundled()));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(left(folder, &files).len(), files.len());
    write(folder, &files).unwrap();
    assert_eq!(left(folder, &files), [""; 0]);
    let modified = |path: &str| folder.join(path).metadata().unwrap().modified().unwrap();
    let (stale, right) = ("onprem/sales.events/02_rules.sql", "onprem/sales.events/01_sources.sql");
    let before = modified(right);
    let edited = std::fs::read_to_string(folder.join(stale)).unwrap().replace("amount", "amonut");
    std::fs::write(folder.join(stale), edited).unwrap();
    std::fs::write(folder.join("onprem/mine.sql"), "SELECT 1;\n").unwrap();
    std::fs::remove_file(folder.join("drift/sales.events/05_drift.sql")).unwrap();
    let without_users: Vec<SqlFile> =
        files.iter().filter(|file| !file.path.contains("sales.users")).cloned().collect();
    let told = left(folder, &without_users);
    assert!(told.contains(&format!("{stale}: stale")), "{told:?}");
    assert!(told.contains(&"drift/sales.events/05_drift.sql: missing".to_owned()), "{told:?}");
    assert!(told.contains(&"cloud/sales.users/hash.sql: of no job".to_owned()), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("mine.sql")), "{told:?}");
    write(folder, &without_users).unwrap();
    assert_eq!(left(folder, &without_users), [""; 0]);
    assert_eq!(before, modified(right), "what was right is not touched");
    assert!(folder.join("onprem/mine.sql").exists() && !folder.join("cloud/sales.users").exists());
}

/// Secrets are named, never said; what Flink 1.17 counts wrongly or refuses does not occur.
#[test]
fn statements_keep_to_what_is_known_to_work() {
    let files = generate(&project(&planner("planner/jobs")));
    let all: String = files.iter().flat_map(SqlFile::statements).collect();
    assert!(
        all.contains(r#"username="${env:ONPREM_KAFKA_USER}" password="${file:/run/secrets/it''s kafka}";"#)
    );
    assert!(all.contains("'password-file' = '/run/secrets/onprem-cassandra'"));
    for never in ["!=", "FILTER (", "'scan.watermark", "earliest-offset'"] {
        assert!(!all.contains(never), "{never}");
    }
}

/// `sink: none` is a job that speaks to no Cassandra: it counts in its topics alone, as `cdc-jobs run dq` does.
#[test]
fn a_job_without_a_sink_writes_to_no_table() {
    let mut known = [0, 0];
    for folder in [bundled(), planner("planner/jobs")] {
        let project = project(&folder);
        let files = generate(&project);
        for (rules, environment) in project.jobs() {
            let rules = &rules.rules;
            let table = &rules.table.value;
            let job = format!("{}/{}.{}/", environment.name.value, table.keyspace, table.table);
            let sql: String =
                files.iter().filter(|file| file.path.starts_with(&job)).map(SqlFile::text).collect();
            assert!(sql.contains("'topic' = 'dq_metrics_valid'"), "{job}");
            for written in ["'connector' = 'cassandra'", "dq_counts"] {
                assert_eq!(sql.contains(written), rules.has_sink, "{job}: {written}");
            }
            known[usize::from(rules.has_sink)] += 1;
        }
    }
    assert!(known.iter().all(|count| *count >= 2), "{known:?}");
}

/// `max_event_ids` is in each job on a CDC topic; the bundled rules, which do not have it, say a million.
#[test]
fn the_sql_remembers_as_many_events_as_the_rules_say() {
    let own = generate(&project(&bundled()));
    let all = own.iter().filter(|file| file.text().contains("REPEATED_EVENT(CASE"));
    let text: Vec<String> = all.map(SqlFile::text).collect();
    assert!(
        text.len() >= 4 && text.iter().all(|text| text.contains("CAST(1000000 AS BIGINT)) OVER")),
        "{text:?}"
    );
    let files = generate(&project(&planner("planner/jobs")));
    for file in ["02_rules.sql", "hash.sql"] {
        let path = format!("onprem/shop.copies/{file}");
        let text = files.iter().find(|file| file.path == path).unwrap().text();
        assert!(text.contains(", CAST(2 AS BIGINT)) OVER") && text.contains("and 2 ids a Kafka"), "{text}");
    }
}

/// Nothing is dropped silently: the jobs that have no dead letters count what they leave out.
#[test]
fn what_is_left_out_is_counted() {
    let files = generate(&project(&planner("planner/jobs")));
    let text = |path: &str| files.iter().find(|file| file.path == path).unwrap().text();
    for (path, words) in [
        ("onprem/shop.changes/hash.sql", ["tombstone", "strange"].as_slice()),
        (
            "onprem/shop.changes/06_audit.sql",
            ["tombstone", "strange", "snapshot_row", "heartbeat"].as_slice(),
        ),
    ] {
        let text = text(path);
        let condition = text.lines().find(|line| line.contains("WHERE KEPT_RECORD(CASE WHEN ")).unwrap();
        assert!(words.iter().all(|word| condition.contains(&format!("'{word}'"))), "{condition}");
        assert!(condition.trim_end().ends_with("END))"), "it is the one condition: {condition}");
    }
}

/// Options of the operator: each is one of flink/'s JobOptions, which has no defaults.
#[test]
fn the_drift_job_is_told_what_the_rules_say() {
    let files = generate(&project(&planner("planner/jobs")));
    let file = files.iter().find(|file| file.path == "drift/shop.changes/drift.sql").unwrap();
    let text = file.text();
    for said in [
        "SET 'pipeline.name' = 'drift-onprem-shop.changes';",
        "SET 'state.checkpoints.dir' = 's3://checkpoints/onprem';",
        "'key' = '[\"part\",\"id\"]',\n  'partition-key-columns' = '1',\n  'columns' = '{\"at\":\"timestamp\",\"day\":\"date\",",
        "'clustering' = '[{\"kind\":\"number\",\"descending\":true}]',\n  'timestamps' = '[\"at\"]'",
        "'version' = '{\"column\":\"at\",\"unit_us\":1000}'",
        "'input' = 'cdc',\n  'mode' = 'event_id',\n  'tolerance' = '60 s',\n  'grace' = '120 s',\n  'silence' = '300 s',\n  'retention' = '86400 s'",
        "'old-writes' = 'judge'",
        "'max-event-ids' = '1000000',\n  'max-waiting' = '1000000'",
        "'onprem.topic' = 'onprem.cdc.shop.changes',\n  'onprem.control-topic' = 'onprem.cdc.__control',\n  'onprem.dead-letter-topic' = 'onprem.cdc.__dead_letters'",
        "'onprem.hosts' = '[\"6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47\"]'",
        "'cloud.hosts' = 'any',\n  'cloud.properties.group.id' = 'audit-cloud-drift-shop.changes'",
        "'cloud.properties.sasl.jaas.config' = 'org.apache.kafka.common.security.plain.PlainLoginModule required username=\"${env:CLOUD_KAFKA_USER}\" password=\"${env:CLOUD_KAFKA_PASSWORD}\";'",
        "'transactional-id-prefix' = 'cdc-jobs.drift-onprem-shop.changes'",
        "INSERT INTO `drift-onprem-shop.changes.topics`\nSELECT `topic`, `key`, `value`, `timestamp_ms` FROM `drift-onprem-shop.changes.verdicts`;",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    assert!(!files.iter().any(|file| file.path == "drift/shop.copies/drift.sql"), "it has no section drift");
}

/// The notebook's form compares the sides of the section drift, whatever the environments are called.
#[test]
fn a_notebook_compares_the_sides_of_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::copy(bundled().join("environments.yaml"), folder.path().join("environments.yaml")).unwrap();
    let rules = std::fs::read_to_string(bundled().join("rules/sales.users.yaml")).unwrap();
    let side = |side: &str, environment: &str| format!("{side}: {{ environment: {environment},");
    let swapped = rules
        .replace(&side("onprem", "onprem"), &side("onprem", "cloud"))
        .replace(&side("cloud", "cloud"), &side("cloud", "onprem"));
    assert_ne!(rules, swapped);
    std::fs::write(folder.path().join("rules/sales.users.yaml"), swapped).unwrap();
    let files = generate(&project(folder.path()));
    let file = files.iter().find(|file| file.path == "drift/sales.users/05_drift.sql").unwrap();
    let text = file.text();
    for said in [
        "SET 'pipeline.name' = 'drift-cloud+onprem-sales.users';",
        "Verdicts: onprem is cloud, cloud is onprem.",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

/// A folder of the bundled environments and these rules of shop.orders.
fn folder_of(rules: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    let environments = std::fs::read_to_string(bundled().join("environments.yaml")).unwrap();
    let environments = environments.replace("keyspace: sales", "keyspace: shop");
    std::fs::write(folder.path().join("environments.yaml"), environments).unwrap();
    std::fs::write(folder.path().join("rules/shop.orders.yaml"), rules).unwrap();
    folder
}

/// Flink ends a comment at a carriage return, and `submit` puts a secret wherever `${…}` stands.
#[test]
fn texts_of_rules_are_neither_sql_nor_places_of_secrets() {
    let folder = folder_of(&super::table(
        r#"
  - {rule: not_in, column: id, values: ["${env:HOME}", "$5"], message: "a\r OR TRUE -- ${file:/etc/hostname}"}
  - {rule: regex, column: id, pattern: '[${]x'}"#,
    ));
    let files = generate(&project(folder.path()));
    for file in &files {
        let text = file.text();
        assert!(!text.contains("${") && !text.contains('\r'), "{}: {text}", file.path);
    }
    let rules = files.iter().find(|file| file.path == "onprem/shop.orders/02_rules.sql").unwrap().text();
    for said in [
        "  -- `rule.id.not_in`: fail; a  OR TRUE -- $ {file:/etc/hostname}\n",
        r"`id` IN (U&'\0024{env:HOME}', '$5')",
        r"REGEXP(`id`, U&'[\0024{]x')",
    ] {
        assert!(rules.contains(said), "{said}\n{rules}");
    }
}

#[test]
fn what_sql_cannot_say_is_a_finding() {
    let rules = |from: &str, to: &str| super::table("").replacen(from, to, 1);
    for (text, code, words) in [
        (rules("paid:", "record.paid:"), Code::Value, "record.paid"),
        (rules("paid:", "'paid:text':"), Code::Value, "paid:text"),
        (rules("field: value", "field: \"it's\""), Code::Value, "quotes"),
        (rules("field: value", "field: '${env:HOME}'"), Code::Value, "has no JSON path"),
        (rules("  paid:", "  \"pa${id\":"), Code::Value, "cannot be named in SQL"),
        (rules("  paid:", "  \"pa\\rid\":"), Code::Value, "cannot be named in SQL"),
        (rules("  paid:", "  'pa,id':"), Code::Rule, "rule pa,id.type"),
        (rules("kind: v1, exclude: [row_hash]", "kind: v1"), Code::Hash, "exclude"),
    ] {
        let found = check(folder_of(&text).path(), None).1;
        let is_told = found.iter().any(|finding| finding.code == code && finding.message.contains(words));
        assert!(is_told && found.len() == 1, "{words}: {found:#?}");
    }
    // The file would have another name, too.
    let found = check(folder_of(&rules("table: shop.orders", "table: 'shop.${env:HOME}'")).path(), None).1;
    assert!(found.iter().any(|finding| finding.message.contains("letters, digits and _")), "{found:#?}");
}
