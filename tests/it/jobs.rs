//! `cdc-jobs check` and `sql`, and the JSON Schemas of the files that people edit.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jsonschema::Validator;
use serde_json::Value;

fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs")
}

fn jobs<I: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = I>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdc-jobs"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).output().expect("cdc-jobs starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A copy of the bundled folder in which `file` has other text.
fn changed(file: &str, change: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    for name in ["environments.yaml", "rules/sales.events.yaml", "rules/sales.users.yaml"] {
        let text = std::fs::read_to_string(bundled().join(name)).unwrap();
        let text = if name == file { change(text) } else { text };
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn check(folder: &Path) -> Output {
    jobs(["check".as_ref(), "--jobs".as_ref(), folder.as_os_str()])
}

#[test]
fn the_bundled_jobs_are_right() {
    let output = jobs(["check", "--schema", "jobs/tables.cql", "--format", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["ok"]), (Some(0), &Value::Bool(true)), "{report:#}");
    let jobs: Vec<String> = report["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| format!("{} {} {}", job["environment"], job["source_topic"], job["sink"]["datacenter"]))
        .collect();
    let expected = [
        r#""onprem" "topic_onprem_sales" "DC_ONPREM""#,
        r#""cloud" "topic_cloud_sales" "DC_AZURE""#,
        r#""onprem" "onprem.cdc.sales.users" null"#,
        r#""cloud" "cloud.cdc.sales.users" null"#,
    ];
    assert_eq!(jobs, expected);
}

/// A file that a crash, an editor or a slip of the hand made is told of, and nothing is waited for.
#[test]
fn files_that_are_not_what_they_seem() {
    let events = "rules/sales.events.yaml";
    let told = |folder: &Path, more: &[&str]| {
        let mut command = Command::new("timeout");
        command
            .arg("60")
            .arg(env!("CARGO_BIN_EXE_cdc-jobs"))
            .args(["check", "--jobs"])
            .arg(folder)
            .args(more);
        let output = command.output().unwrap();
        (output.status.code(), stdout(&output) + &String::from_utf8_lossy(&output.stderr))
    };
    let says = |change: &dyn Fn(String) -> String, expected: Option<i32>, words: &str| {
        let (code, text) = told(changed(events, change).path(), &[]);
        assert!(code == expected && text.contains(words), "{words}: {code:?} {text}");
    };
    // The rules behind it would not be there, and nobody would know.
    says(&|text| text.replacen("  - rule: range", "\0\n  - rule: range", 1), Some(2), "U+0000");
    says(&|text| text.clone() + &"\0".repeat(512), Some(2), "[syntax]");
    says(&|text| format!("\u{feff}{text}"), Some(0), "");

    let folder = changed(events, |text| text);
    let fifo = folder.path().join("rules/sales.more.yaml");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let (code, text) = told(folder.path(), &[]);
    assert!(code == Some(2) && text.contains("no regular file"), "{code:?} {text}");
    std::fs::remove_file(&fifo).unwrap();
    let (code, text) = told(folder.path(), &["--schema", "/dev/zero"]);
    assert!(code == Some(4) && text.contains("more than 67108864 bytes"), "{code:?} {text}");

    let secret = changed("environments.yaml", |text| {
        text.replace("file:///tmp/cdc-jobs/cloud", "s3://bucket/cloud?secret_key=abcdef")
    });
    let (code, text) = told(secret.path(), &[]);
    assert!(code == Some(2) && text.contains("[secret]") && !text.contains("abcdef"), "{code:?} {text}");
}

#[test]
fn a_job_that_cannot_start_says_so_by_its_own_name() {
    let folder = changed("rules/sales.events.yaml", |text| text.replace("tolerance: 5m", "tolerence: 5m"));
    let words = ["run", "dq", "--env", "onprem", "--table", "sales.events", "--jobs"];
    let output = jobs(words.iter().map(AsRef::as_ref).chain([folder.path().as_os_str()]));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let finding = said.lines().next().unwrap_or_default();
    assert!(finding.starts_with("cdc-jobs: ") && finding.contains("rules/sales.events.yaml:"), "{said}");
    assert!(!said.contains("cdc-agent:"), "{said}");
}

#[test]
fn a_finding_names_its_place_and_is_exit_code_2() {
    let folder = changed("rules/sales.events.yaml", |text| text.replace("tolerance: 5m", "tolerence: 5m"));
    let output = check(folder.path());
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(
        text.contains(
            "sales.events.yaml:44:5: rule future: \"tolerence\" is not known; did you mean tolerance?"
        ),
        "{text}"
    );
    let output =
        jobs(["check".as_ref(), "--format=json".as_ref(), "--jobs".as_ref(), folder.path().as_os_str()]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["line"], &finding["column"], &finding["code"]),
        (&44.into(), &5.into(), &"unknown-key".into())
    );
}

#[test]
fn a_cdc_topic_into_a_table_is_warned_of() {
    let folder = changed("rules/sales.events.yaml", |text| {
        let text =
            text.replace("  kind: json\n  topic: topic_{prefix}_sales", "  kind: cdc\n  table: sales.orders");
        text.replace(", field: value", "").replace(", computed: row_hash", "")
    });
    let output = check(folder.path());
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let warning = "rules/sales.events.yaml:7:10: deletions of sales.orders are not copied to sales.events";
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(matches!(lines.as_slice(), [line] if line.contains(warning)), "{text}");
    let output =
        jobs(["check".as_ref(), "--format=json".as_ref(), "--jobs".as_ref(), folder.path().as_os_str()]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["ok"], &report["warnings"][0]["code"]), (&true.into(), &"deletions".into()));
    // The bundled ones write nothing from a CDC topic.
    assert!(!stdout(&check(&bundled())).contains("warning"));
}

#[test]
fn what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let output = check(folder.path());
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let output = jobs(["check", "--schema", "jobs/none.cql"]);
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(jobs(["check", "--format", "xml"]).status.code(), Some(2));
}

fn sql(folder: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["sql".as_ref(), "--jobs".as_ref(), folder.as_os_str()];
    arguments.extend(more.iter().map(std::ffi::OsStr::new));
    jobs(arguments)
}

#[test]
fn the_bundled_sql_is_what_the_rules_say() {
    let output = jobs(["sql", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn sql_is_written_until_it_is_what_the_rules_say() {
    let folder = changed("", |text| text);
    let output = sql(folder.path(), &["--check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("sales.events/01_sources.sql: missing"), "{}", stdout(&output));
    assert!(!folder.path().join("sql").exists(), "--check writes nothing");
    assert_eq!(sql(folder.path(), &[]).status.code(), Some(0));
    assert_eq!(sql(folder.path(), &["--check"]).status.code(), Some(0));
    assert!(stdout(&sql(folder.path(), &[])).ends_with("26 files, 0 changed\n"));

    let rules = folder.path().join("rules/sales.events.yaml");
    let text = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, text.replace("tolerance: 5m", "tolerance: 6m")).unwrap();
    let output = sql(folder.path(), &["--check"]);
    assert_eq!(output.status.code(), Some(2));
    let told = stdout(&output);
    assert!(
        told.contains("onprem/sales.events/02_rules.sql: stale") && !told.contains("sales.users"),
        "{told}"
    );

    std::fs::write(&rules, "table: sales.events\n").unwrap();
    let output = sql(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("source is missing [missing-key]"), "{}", stdout(&output));
}

/// A job that somebody wrote: `check` has never seen its two topics, its data centre, its password.
#[cfg(feature = "flink")]
#[test]
fn sql_that_is_not_of_the_rules_is_not_submitted() {
    let folder = changed("", |text| text);
    assert_eq!(sql(folder.path(), &[]).status.code(), Some(0));
    // No cluster is there: whoever asks one ends with 6.
    let submit = |more: &[&str]| {
        let nowhere = ["--gateway", "http://127.0.0.1:9", "--jobmanager", "http://127.0.0.1:9"];
        let mut arguments =
            vec!["submit".as_ref(), "onprem".as_ref(), "--jobs".as_ref(), folder.path().as_os_str()];
        arguments.extend(nowhere.iter().chain(more).map(std::ffi::OsStr::new));
        let output = jobs(arguments);
        (output.status.code(), stdout(&output), String::from_utf8(output.stderr).unwrap())
    };
    let asked = |(code, _, said): &(Option<i32>, String, String)| {
        *code == Some(6) && said.contains("does not answer")
    };
    let refused = |(code, told, said): &(Option<i32>, String, String), name: &str| {
        let is_named = told.contains(&format!("job {name} is not of the rules")) && told.contains(".sql:1: ");
        *code == Some(2) && is_named && said.contains("--unchecked with --job")
    };
    let all = submit(&[]);
    assert!(asked(&all), "{all:?}");

    let own = "SET 'pipeline.name' = 'mine';\nCREATE TEMPORARY TABLE `t` (`x` STRING) WITH ('connector' = 'kafka', \
               'topic' = 'topic_onprem_sales;topic_cloud_sales');\nINSERT INTO `t` SELECT `x` FROM `t`;\n";
    std::fs::create_dir(folder.path().join("sql/onprem/mine")).unwrap();
    std::fs::write(folder.path().join("sql/onprem/mine/a.sql"), own).unwrap();
    for more in [&[][..], &["--job", "mine"]] {
        let answer = submit(more);
        assert!(refused(&answer, "mine"), "{more:?}: {answer:?}");
    }
    let others = submit(&["--job", "hash-onprem-sales.users"]);
    assert!(asked(&others), "{others:?}");
    let unchecked = submit(&["--job", "mine", "--unchecked"]);
    assert!(
        asked(&unchecked) && unchecked.2.contains("a.sql:1: job mine is not of the rules: not checked"),
        "{unchecked:?}"
    );
    assert_eq!(submit(&["--unchecked"]).0, Some(2), "which jobs is said by name");

    // A statement that gets into a job of the rules by the name of its file.
    let users = folder.path().join("sql/onprem/sales.users");
    let more = "SET 'pipeline.name' = 'dq-onprem-sales.users';\nSET 'parallelism.default' = '1';\n";
    std::fs::write(users.join("00_more.sql"), more).unwrap();
    let answer = submit(&["--job", "dq-onprem-sales.users"]);
    assert!(refused(&answer, "dq-onprem-sales.users"), "{answer:?}");
}

#[test]
fn sql_of_one_job() {
    let output = sql(&bundled(), &["--stdout", "--environment", "cloud", "--table", "sales.users"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("'topic' = 'cloud.cdc.sales.users'") && !text.contains("onprem"), "{text}");
    let output = sql(&bundled(), &["--stdout", "--environment", "clowd"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("cloud/sales.events"), "{told}");
    assert_eq!(sql(&bundled(), &["--environment", "cloud"]).status.code(), Some(2), "it belongs to --stdout");
}

/// The validator of a kind of file, as `cdc-jobs schema` prints it.
fn validator(kind: &str) -> Validator {
    let output = jobs(["schema", kind]);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = bundled().join(format!("schema/{kind}.schema.json"));
    assert_eq!(schema, serde_json::from_slice::<Value>(&std::fs::read(file).unwrap()).unwrap());
    jsonschema::validator_for(&schema).unwrap()
}

fn tree(text: &str) -> Value {
    cdc_agent::jobs::yaml::parse(text).unwrap().to_json()
}

#[test]
fn the_bundled_files_are_valid_under_their_schemas() {
    let (environments, rules) = (validator("environments"), validator("rules"));
    let text = |file: &str| std::fs::read_to_string(bundled().join(file)).unwrap();
    assert!(environments.is_valid(&tree(&text("environments.yaml"))));
    for file in ["rules/sales.events.yaml", "rules/sales.users.yaml"] {
        let errors: Vec<String> =
            rules.iter_errors(&tree(&text(file))).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{file}: {errors:#?}");
    }
}

/// Changes of the bundled files: both the program and the JSON Schema refuse the result.
#[test]
fn what_one_refuses_the_other_refuses() {
    let (environments, rules) = (validator("environments"), validator("rules"));
    let files = [
        (
            "environments.yaml",
            &environments,
            [
                ("topic_prefix: cloud", ""),
                ("topic_prefix: cloud", "topic_prefix: cl oud"),
                ("topic_prefix: cloud", "topic_prefixx: cloud"),
                ("datacenter: DC_AZURE", "datacenter: [DC_AZURE, DC_ONPREM]"),
                ("datacenter: DC_AZURE", "datacenter: DC_AZURE,DC_ONPREM"),
                ("hosts: [127.0.0.2]", "hosts: []"),
                ("hosts: [127.0.0.2]", "hosts: 127.0.0.2"),
                ("hosts: [127.0.0.2]", "hosts: ['127.0.0.2,127.0.0.3']"),
                ("[127.0.0.2/32]", "[127.0.0.2]"),
                ("[127.0.0.2/32]", "[0.0.0.0/0]"),
                ("keyspace: sales", "keyspace: 'sales,other'"),
                ("keyspace: sales", "keyspace: sales\n      port: 70000"),
                ("keyspace: sales", "keyspace: sales\n      password: x"),
                ("keyspace: sales", "keyspace: sales\n      credentials: {username: u, password: p}"),
                (
                    "keyspace: sales",
                    "keyspace: sales\n      credentials: {username: {env: U}, password: {env: p}}",
                ),
                (
                    "keyspace: sales",
                    "keyspace: sales\n      credentials: {username: {env: U}, password: {file: p}}",
                ),
                ("bootstrap_servers: [\"127.0.0.1:9092\"]", "bootstrap_servers: [\"127.0.0.1\"]"),
                (
                    "bootstrap_servers: [\"127.0.0.1:9092\"]",
                    "bootstrap_servers: [\"a:1\"]\n      security_protocol: SASL_SSL",
                ),
                (
                    "bootstrap_servers: [\"127.0.0.1:9092\"]",
                    "bootstrap_servers: [\"a:1\"]\n      security_protocol: TLS",
                ),
                ("dq: flink-dq-cloud", ""),
                ("directory: file:///tmp/cdc-jobs/cloud", "directory: /tmp"),
                ("interval: 30s", "interval: 30"),
                ("environments:", "environment:"),
            ]
            .as_slice(),
        ),
        (
            "rules/sales.events.yaml",
            &rules,
            [
                ("table: sales.events", "table: events"),
                ("kind: json", "kind: kafka"),
                ("topic: topic_{prefix}_sales", "topic: ['topic_{prefix}_sales']"),
                ("topic: topic_{prefix}_sales", "topic: topic_sales"),
                ("topic: topic_{prefix}_sales", "table: sales.events"),
                ("sink: cassandra", "sink: DC_ONPREM"),
                ("sink: cassandra", ""),
                ("id: { type: text }", "id: text"),
                ("id: { type: text }", "id: {}"),
                ("id: { type: text }", "id: { type: text, nullable: true }"),
                ("event_ts: { type: timestamp }", "event_ts: { type: timestamp, format: unix }"),
                ("key: [id]", "key: []"),
                ("key: [id]", "key: id"),
                ("version: { column: event_ts }", "version: event_ts"),
                ("version: { column: event_ts }", "version: { column: event_ts, unit: s }"),
                ("kind: v1", "kind: v2"),
                ("exclude: [record_hash]", "columns: [id]"),
                ("rule: length", "rule: lenght"),
                ("    min: 1\n    max: 64\n", ""),
                ("    min: 1\n", "    min: '1'\n"),
                ("    min: 1\n", "    minimum: 1\n"),
                ("tolerance: 5m", "tolerance: 300"),
                ("tolerance: 5m", "tolerance: 5 minutes"),
                ("severity: warn", "severity: error"),
                ("id: amount.large", "id: 'amount, large'"),
                (
                    "rule: not_null\n    column: amount",
                    "rule: not_null\n    column: amount\n    on_null: fail",
                ),
                ("rule: not_null\n    column: amount", "rule: not_null"),
                ("rule: not_null\n    column: amount", "rule: enum\n    column: id\n    values: []"),
                ("rule: not_null\n    column: amount", "rule: regex\n    column: id\n    pattern: ''"),
                (
                    "rule: not_null\n    column: amount",
                    "rule: compare\n    column: id\n    op: '=='\n    value: x",
                ),
                ("rule: not_null\n    column: amount", "rule: compare\n    column: id\n    op: '='"),
                ("rule: not_null\n    column: amount", "rule: expression\n    expression: amount > 0"),
                ("rule: not_null\n    column: amount", "rule: unique\n    columns: [id]"),
                ("rule: not_null\n    column: amount", "rule: lookup\n    column: id"),
                ("mode: merge", "mode: merge\nmax_event_ids: 0"),
                ("mode: merge", "mode: merge\nmax_event_ids: 100000001"),
                ("mode: merge", "mode: merge\nremediate: {winner: newer}"),
                ("mode: merge", "mode: merge\nremediate: {per_minute: 0}"),
                ("mode: merge", "mode: merge\nremediate: {max_age: 7}"),
                ("mode: merge", "mode: merge\nremediate: {approve: all}"),
            ]
            .as_slice(),
        ),
    ];
    let mut wrong = Vec::new();
    for (file, validator, changes) in files {
        for (from, to) in changes {
            let folder = changed(file, |text| {
                assert!(text.contains(from), "{from}");
                text.replacen(from, to, 1)
            });
            let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
            if validator.is_valid(&tree(&text)) {
                wrong.push(format!("{file}: {to:?}: valid under the JSON Schema"));
            }
            let (_, found) = cdc_agent::jobs::check::check(folder.path(), None);
            if found.is_empty() {
                wrong.push(format!("{file}: {to:?}: nothing found"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// docs/rules.md has every rule, code and function.
#[test]
fn the_documentation_is_whole() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md")).unwrap();
    let schema: Value =
        serde_json::from_slice(&std::fs::read(bundled().join("schema/rules.schema.json")).unwrap()).unwrap();
    let kinds = &schema["properties"]["rules"]["items"]["properties"]["rule"]["enum"];
    let codes = [
        "file",
        "syntax",
        "unknown-key",
        "missing-key",
        "value",
        "secret",
        "shared",
        "network",
        "regex",
        "expression",
        "rule",
        "key",
        "hash",
        "schema",
        "loop",
    ];
    let words = kinds.as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).chain(codes);
    for word in words.chain(["CHAR_LENGTH", "TRIM", "ABS", "COALESCE", "REGEXP", "TIMESTAMPADD"]) {
        assert!(docs.contains(&format!("`{word}`")) || docs.contains(&format!("`{word}(")), "{word}");
    }
}
