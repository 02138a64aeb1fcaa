//! Whole folders.

use std::path::Path;

use super::bundled;
use crate::jobs::check::check;
use crate::jobs::finding::{Code, Finding};
use crate::jobs::project::Project;
use crate::schema::{self, Schema};

fn schema_of(cql: &str) -> Schema {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tables.cql");
    std::fs::write(&path, cql).unwrap();
    let loaded = schema::load(&path).unwrap();
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    schema::build(&loaded.rows).schema
}

fn text(file: &str) -> String {
    std::fs::read_to_string(bundled().join(file)).unwrap()
}

/// What is wrong with the bundled folder after a change of one of its files.
fn found(file: &str, from: &str, to: &str, schema: Option<&Schema>) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    for name in ["environments.yaml", "rules/sales.events.yaml", "rules/sales.users.yaml"] {
        let content = text(name);
        let content = if name == file {
            assert!(content.contains(from), "{from}");
            content.replacen(from, to, 1)
        } else {
            content
        };
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    check(folder.path(), schema).1
}

fn only(file: &str, from: &str, to: &str, schema: Option<&Schema>) -> Finding {
    let found = found(file, from, to, schema);
    let [finding] = found.as_slice() else { panic!("{to}: {found:#?}") };
    assert!(Path::new(&finding.file).ends_with(file), "{finding}");
    finding.clone()
}

#[test]
fn the_bundled_folder_is_right_and_fits_the_stack() {
    let tables = schema_of(&text("tables.cql"));
    assert_eq!(check(&bundled(), Some(&tables)).1, []);
    assert_eq!(check(&bundled(), None).1, []);
    // As the containers of docker-compose.yml have it, with other addresses.
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(root.join("compose/jobs/environments.yaml"), folder.path().join("environments.yaml"))
        .unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    for file in std::fs::read_dir(bundled().join("rules")).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), folder.path().join("rules").join(file.file_name())).unwrap();
    }
    assert_eq!(check(folder.path(), Some(&tables)).1, []);
    // jobs/tables.cql is what `make up` creates, with ids.
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose/schema/2-tables.cql");
    let stack = std::fs::read_to_string(stack).unwrap().replace("IF NOT EXISTS ", "");
    let mut id = 0;
    let stack: String = stack
        .split("WITH cdc")
        .enumerate()
        .map(|(number, part)| match number {
            0 => part.to_owned(),
            _ => {
                id += 1;
                format!("WITH ID = 6b1f5c10-c83e-11f0-9d5e-00000000000{id} AND cdc{part}")
            }
        })
        .collect();
    assert_eq!(check(&bundled(), Some(&schema_of(&stack))).1, []);
}

#[test]
fn environments_share_nothing() {
    let file = "environments.yaml";
    for (from, to, code, words) in [
        ("topic_prefix: cloud", "topic_prefix: onprem", Code::Shared, "topic_prefix onprem"),
        (
            "topic_prefix: cloud",
            "topic_prefix: onprem.west",
            Code::Shared,
            "onprem.west beside onprem of onprem",
        ),
        (
            "topic_prefix: onprem",
            "topic_prefix: cloud.west",
            Code::Shared,
            "cloud beside cloud.west of onprem",
        ),
        ("hosts: [127.0.0.2]", "hosts: ['::ffff:127.0.0.1']", Code::Shared, "host 127.0.0.1"),
        ("hosts: [127.0.0.2]", "hosts: [0.0.0.0]", Code::Value, "the machine itself"),
        ("[127.0.0.2/32]", "['::ffff:127.0.0.1/128']", Code::Value, "write 127.0.0.1/32"),
        ("[127.0.0.2/32]", "['::ffff:0:0/96']", Code::Value, "every address"),
        ("datacenter: DC_AZURE", "datacenter: DC_ONPREM", Code::Shared, "DC_ONPREM"),
        ("datacenter: DC_AZURE", "datacenter: [DC_AZURE, DC_ONPREM]", Code::Value, "one text"),
        ("datacenter: DC_AZURE", "datacenter: DC_AZURE,DC_ONPREM", Code::Value, "exactly one"),
        (
            "allowed_networks: [127.0.0.2/32]",
            "allowed_networks: [127.0.0.0/30]",
            Code::Shared,
            "127.0.0.0/30",
        ),
        ("hosts: [127.0.0.2]", "hosts: [127.0.0.3]", Code::Network, "127.0.0.3"),
        ("hosts: [127.0.0.2]", "hosts: [cassandra-cloud.internal]", Code::Network, "allowed_domains"),
        ("hosts: [127.0.0.2]", "hosts: ['127.0.0.2,127.0.0.1']", Code::Value, "an entry for each"),
        ("127.0.0.2/32", "127.0.0.2/8", Code::Value, "127.0.0.0/8"),
        ("dq: flink-dq-cloud", "dq: flink-dq-onprem", Code::Shared, "flink-dq-onprem"),
        ("hash: flink-hash-cloud", "hash: flink-dq-cloud", Code::Shared, "two jobs"),
        ("drift: flink-drift-cloud", "drift: flink-drift-onprem", Code::Shared, "flink-drift-onprem"),
        ("drift: flink-drift-cloud", "drift: flink-audit-cloud", Code::Shared, "two jobs"),
        ("jobs/cloud", "jobs/onprem", Code::Shared, "checkpoint directory"),
        (
            "jobs/cloud",
            "jobs/onprem/",
            Code::Shared,
            "checkpoint directory file:///tmp/cdc-jobs/onprem/ belongs",
        ),
        ("jobs/cloud", "jobs/onprem/cloud", Code::Shared, "checkpoint directory"),
        ("jobs/cloud", "jobs/", Code::Shared, "a part of checkpoint directory file:///tmp/cdc-jobs/"),
        ("keyspace: sales", "keyspace: 'sales,other'", Code::Value, "exactly one keyspace"),
        ("keyspace: sales", "keyspace: '*'", Code::Value, "exactly one keyspace"),
        ("interval: 30s", "interval: 11m", Code::Value, "10m"),
        ("interval: 30s", "intervall: 30s\n      interval: 1m", Code::UnknownKey, "did you mean interval?"),
    ] {
        // Later jobs of an environment that could not be read are no findings.
        let found = found(file, from, to, None);
        let finding = &found[0];
        let is_told = found.iter().any(|finding| finding.code == code && finding.message.contains(words));
        assert!(is_told, "{to}: {found:#?}");
        assert!(
            finding.place.is_some() && found.iter().all(|other| other.file == finding.file),
            "{to}: {found:#?}"
        );
    }
}

/// Permissions go by prefixes: a job in one environment neither reads nor writes what has the prefix of another one.
#[test]
fn topics_of_another_environment() {
    let file = "rules/sales.events.yaml";
    for (from, to, words) in [
        (
            "topic_{prefix}_sales",
            "onprem.cdc.sales.{prefix}",
            "topic: onprem.cdc.sales.cloud, of the job in cloud",
        ),
        ("topic_{prefix}_sales", "cloud_{prefix}", "topic: cloud_onprem, of the job in onprem"),
        (
            "sink: cassandra",
            "sink: cassandra\ndead_letter_topic: onprem.dlq.{prefix}",
            "dead_letter_topic: onprem.dlq.cloud, of the job in cloud",
        ),
    ] {
        let finding = only(file, from, to, None);
        assert!(finding.code == Code::Shared && finding.message.contains(words), "{to}: {finding}");
    }
    let own = found(file, "topic_{prefix}_sales", "'{prefix}_sales'", None);
    assert_eq!(own, [], "the prefix of one's own");
}

#[test]
fn drift_has_a_consumer_group_of_its_own_or_that_of_the_audit_trail() {
    let folder = |from: &str, to: &str| {
        let folder = tempfile::tempdir().unwrap();
        let content = text("environments.yaml").replace(from, to);
        std::fs::write(folder.path().join("environments.yaml"), content).unwrap();
        let environments = Project::read(folder.path()).0.environments.0;
        environments.into_iter().map(|one| one.consumer_groups.drift.value).collect::<Vec<_>>()
    };
    assert_eq!(folder("", ""), ["flink-drift-onprem", "flink-drift-cloud"]);
    let groups = folder("      drift: flink-drift-onprem\n", "");
    assert_eq!(groups, ["flink-audit-onprem-drift", "flink-drift-cloud"]);
}

#[test]
fn secrets_stand_in_no_file() {
    let credentials = |password: &str| {
        format!("keyspace: sales\n      credentials: {{username: {{env: U}}, password: {password}}}")
    };
    for password in ["hunter2", "'12345'", "12345"] {
        let found = found("environments.yaml", "keyspace: sales", &credentials(password), None);
        assert!(!found.is_empty() && found.iter().all(|finding| finding.code == Code::Secret), "{found:#?}");
        assert!(found.iter().all(|finding| !finding.message.contains("2")), "{found:#?}");
    }
    let reference = credentials("{file: /run/secrets/p}");
    assert_eq!(found("environments.yaml", "keyspace: sales", &reference, None), []);
    for (from, to) in [
        ("file:///tmp/cdc-jobs/cloud", "s3://user:hunter2@bucket/x"),
        ("keyspace: sales", "keyspace: \"-----BEGIN PRIVATE KEY-----\""),
    ] {
        let found = found("environments.yaml", from, to, None);
        assert!(found.iter().any(|finding| finding.code == Code::Secret), "{to}: {found:#?}");
    }
    // The same reference for both sides.
    let both = text("environments.yaml").replace("keyspace: sales", &reference);
    let found = found("environments.yaml", &text("environments.yaml"), &both, None);
    assert!(
        found.len() == 1 && found[0].code == Code::Shared && found[0].message.contains("password"),
        "{found:#?}"
    );
}

#[test]
fn jobs_that_read_what_they_write() {
    let users = "rules/sales.users.yaml";
    let direct = found(users, "sink: none", "sink: cassandra", None);
    assert_eq!(direct.len(), 2, "one for each environment: {direct:#?}");
    assert!(direct.iter().all(|finding| finding.code == Code::Loop), "{direct:#?}");
    assert!(
        direct[1]
            .message
            .contains("onprem.cdc.sales.users → table sales.users (onprem) → topic onprem.cdc.sales.users")
            || direct[0].message.contains(
                "onprem.cdc.sales.users → table sales.users (onprem) → topic onprem.cdc.sales.users"
            ),
        "{direct:#?}"
    );
    // The topic of the agents' records under its own name is the same topic.
    let events = "rules/sales.events.yaml";
    let named = found(events, "topic_{prefix}_sales", "'{prefix}.cdc.sales.events'", None);
    assert!(named.len() == 2 && named.iter().all(|finding| finding.code == Code::Loop), "{named:#?}");
    // Through another job: events writes its dead letters to the topic that it reads.
    let dead =
        found(events, "sink: cassandra", "sink: cassandra\ndead_letter_topic: topic_{prefix}_sales", None);
    assert!(dead.len() == 2 && dead.iter().all(|finding| finding.code == Code::Loop), "{dead:#?}");
    // Without CDC on the table there is no way back.
    let silent = schema_of(&text("tables.cql").replace("AND cdc = true", ""));
    let quiet = found(events, "topic_{prefix}_sales", "'{prefix}.cdc.sales.events'", Some(&silent));
    assert!(quiet.iter().all(|finding| finding.code != Code::Loop), "{quiet:#?}");
}

/// The trail is an output like others: nothing may lead from it to its own table, and nothing else is written there.
#[test]
fn loops_through_the_audit_trail() {
    let events = "rules/sales.events.yaml";
    let from = "topic: topic_{prefix}_sales\nsink: cassandra";
    let audited = "topic: '{prefix}.audit.sales.events'\nsink: cassandra\naudit: true";
    let looped = found(events, from, audited, None);
    let is_told = |finding: &Finding| {
        finding.code == Code::Loop && finding.message.contains(".cdc.sales.events → topic ")
    };
    assert!(looped.len() == 2 && looped.iter().all(is_told), "{looped:#?}");
    let unaudited = found(events, from, &audited.replace("true", "false"), None);
    assert_eq!(unaudited, [], "without the trail there is no way");
    let dead = "sink: cassandra\ndead_letter_topic: '{prefix}.audit.sales.users'";
    let dead = found(events, "sink: cassandra", dead, None);
    let is_told = |finding: &Finding| {
        finding.code == Code::Shared && finding.message.contains("audit.sales.users is an audit trail")
    };
    assert!(dead.len() == 2 && dead.iter().all(is_told), "{dead:#?}");
}

#[test]
fn a_loop_through_another_job() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("environments.yaml"), text("environments.yaml")).unwrap();
    for (table, other) in [("a", "b"), ("b", "a")] {
        let rules = format!(
            "table: sales.{table}\nsource: {{kind: cdc, table: sales.{other}}}\nsink: cassandra\ncolumns:\n  id: {{type: int}}\n\
             key: [id]\nversion: write_time\nhash: {{kind: v1}}\nenvironments: [cloud]\n"
        );
        std::fs::write(folder.path().join(format!("rules/sales.{table}.yaml")), rules).unwrap();
    }
    let found = check(folder.path(), None).1;
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].message.contains("table sales.a (cloud) → topic cloud.cdc.sales.a → table sales.b (cloud)"),
        "{found:#?}"
    );
}

#[test]
fn tables_that_are_others() {
    let tables = schema_of(&text("tables.cql"));
    let file = "rules/sales.events.yaml";
    for (from, to, code, words) in [
        ("event_ts: { type: timestamp }", "event_ts: { type: bigint }", Code::Key, "unit is missing"),
        (
            "amount: { type: double, field: value }",
            "amount: { type: float, field: value }",
            Code::Schema,
            "amount is double",
        ),
        ("exclude: [record_hash]", "exclude: [hash]", Code::Hash, "no regular column"),
        ("kind: v1", "kind: v1\n  definition: '00000000'", Code::Hash, "have hash_def"),
    ] {
        let found = found(file, from, to, Some(&tables));
        assert!(
            found.iter().any(|finding| finding.code == code && finding.message.contains(words)),
            "{to}: {found:#?}"
        );
    }
    let finding = only("rules/sales.users.yaml", "key: [id]", "key: [tenant_id]", Some(&tables));
    assert!(finding.message.contains("primary key of the table is id"), "{finding}");
}

#[test]
fn drift_is_compared_with_environments_and_tables() {
    let tables = schema_of(&text("tables.cql"));
    let file = "rules/sales.users.yaml";
    let from = "  cloud: { environment: cloud, hosts: any }";
    let finding = only(file, from, "  cloud: { environment: clout, hosts: any }", Some(&tables));
    assert!(finding.code == Code::Value && finding.message.contains("did you mean cloud?"), "{finding}");
    let id = "ID = 6b1f5c10-c83e-11f0-9d5e-000000000002";
    let order = format!(", PRIMARY KEY (id, tenant_id)) WITH CLUSTERING ORDER BY (tenant_id DESC) AND {id}");
    let clustered = text("tables.cql").replace("id int PRIMARY KEY", "id int");
    let clustered = schema_of(&clustered.replace(&format!(") WITH {id}"), &order));
    let keys = "key: [id]";
    let found = found(file, keys, "key: [id, tenant_id]", Some(&clustered));
    let found: Vec<_> = found.iter().filter(|finding| finding.message.starts_with("partition_key")).collect();
    assert!(matches!(found.as_slice(), [finding] if finding.code == Code::Schema), "{found:#?}");
}

/// Neither the trail nor options of drift decide about a record: the version of the rules stays.
#[test]
fn audit_and_drift_are_no_part_of_the_rules_version() {
    let version = |text: &str| super::read(text, &bundled()).0.unwrap().rules_version;
    let whole = text("rules/sales.users.yaml");
    for key in ["\ndrift:", "\naudit:"] {
        let without = whole.split(key).next().unwrap();
        assert!(without.len() < whole.len());
        assert_eq!(version(&whole), version(without), "{key}");
    }
    assert_ne!(version(&whole), version(&whole.replace("values: [0, 1, 2]", "values: [0, 1]")));
}
