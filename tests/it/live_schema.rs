//! The schema of a real node over CQL: `make test-cql`. Each test starts a node of its own (docs/stack.md).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cdc_agent::schema::source::{CqlError, CqlSettings, CqlSource, Credentials, ExpectedNode, TlsSettings};
use cdc_agent::schema::{SystemSchemaRows, load};
use serde_json::Value;

use crate::support::{FIXTURES, fixture};

/// A node is back within this time.
const RESTART_LIMIT: Duration = Duration::from_secs(60);

/// A node with passwords and TLS in a folder of its own; stopped and removed at the end.
struct Stack {
    folder: tempfile::TempDir,
    known: Value,
}

fn stack(arguments: &[&str], folder: &Path) -> String {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose/native/stack.py");
    let mut command = Command::new("python3");
    command
        .arg(program)
        .args(arguments.iter().take(1))
        .arg("--dir")
        .arg(folder)
        .args(arguments.iter().skip(1));
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

impl Stack {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments = [
            "up",
            "--only",
            "onprem",
            "--free-ports",
            "--json",
            "--option",
            "onprem.heap=384m",
            "--option",
            "onprem.tls=true",
            "--set",
            "onprem.authenticator=PasswordAuthenticator",
            "--set",
            "onprem.authorizer=CassandraAuthorizer",
        ];
        let mut started = Self { folder, known: Value::Null };
        started.known = serde_json::from_str(&stack(&arguments, started.folder.path())).unwrap();
        started
    }

    fn cql(&self, statements: &str) {
        self.cqlsh(&["-e", statements]);
    }

    fn cqlsh(&self, arguments: &[&str]) {
        let user = ["cql", "onprem", "-u", "cassandra", "-p", "cassandra"];
        stack(&[&user, arguments].concat(), self.folder.path());
    }

    fn settings(&self, user: &str, password: &str) -> CqlSettings {
        let service = &self.known["services"][0];
        CqlSettings {
            port: u16::try_from(service["port"].as_u64().unwrap()).unwrap(),
            credentials: Some(Credentials { user: user.to_owned(), password: password.to_owned().into() }),
            ..CqlSettings::new(service["host"].as_str().unwrap())
        }
    }

    fn tls_file(&self, name: &str) -> PathBuf {
        PathBuf::from(self.known["access"]["tls"][name].as_str().unwrap())
    }

    /// The client's certificate and key, as PEM files.
    fn client_key(&self) -> (PathBuf, PathBuf) {
        let store = std::fs::read(self.tls_file("keystore")).unwrap();
        let password = self.known["access"]["tls"]["password"].as_str().unwrap();
        let parsed = openssl::pkcs12::Pkcs12::from_der(&store).unwrap().parse2(password).unwrap();
        let paths = ["client.pem", "client.key"].map(|name| self.folder.path().join(name));
        std::fs::write(&paths[0], parsed.cert.unwrap().to_pem().unwrap()).unwrap();
        std::fs::write(&paths[1], parsed.pkey.unwrap().private_key_to_pem_pkcs8().unwrap()).unwrap();
        let [certificate, key] = paths;
        (certificate, key)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        stack(&["down", "--data", "drop"], self.folder.path());
    }
}

/// Rows without order, and without what a node cannot be told by DDL.
fn comparable(mut rows: SystemSchemaRows, keyspaces: &[String]) -> SystemSchemaRows {
    rows.keyspaces.retain(|row| keyspaces.contains(&row.keyspace_name));
    rows.tables.retain(|row| keyspaces.contains(&row.keyspace_name));
    rows.columns.retain(|row| keyspaces.contains(&row.keyspace_name));
    rows.dropped_columns.retain(|row| keyspaces.contains(&row.keyspace_name));
    rows.types.retain(|row| keyspaces.contains(&row.keyspace_name));
    rows.views.retain(|row| keyspaces.contains(&row.keyspace_name));
    rows.keyspaces.sort_by_key(|row| row.keyspace_name.clone());
    rows.tables.sort_by_key(|row| row.id);
    rows.columns
        .sort_by_key(|row| (row.keyspace_name.clone(), row.table_name.clone(), row.column_name.clone()));
    rows.dropped_columns
        .sort_by_key(|row| (row.keyspace_name.clone(), row.table_name.clone(), row.column_name.clone()));
    rows.types.sort_by_key(|row| (row.keyspace_name.clone(), row.type_name.clone()));
    rows.views.sort_by_key(|row| row.id);
    rows
}

/// The sets of fixtures to try: two, or all of Cassandra 4.1 (`LIVE_SETS=all`, minutes).
fn sets() -> Vec<String> {
    let all = std::env::var_os("LIVE_SETS").is_some_and(|sets| sets == "all");
    let few = ["demo", "4.1-acceptance"];
    let of_line = FIXTURES.iter().filter(|set| set.starts_with("4.1") || **set == "demo");
    of_line.filter(|set| all || few.contains(set)).map(|set| (*set).to_owned()).collect()
}

/// The same tables, with the same ids, on another node: it gives the rows that the fixture's node gave cqlsh.
fn same_ddl_gives_the_same_rows(stack: &Stack, source: &CqlSource, set: &str) {
    let folder = fixture(set);
    let expected = load(&folder.join("schema.json")).unwrap().rows;
    let keyspaces: Vec<String> = expected.keyspaces.iter().map(|row| row.keyspace_name.clone()).collect();
    stack.cqlsh(&["-f", folder.join("schema.cql").to_str().unwrap()]);
    let found = source.fetch().unwrap().rows;
    assert_eq!(comparable(found, &keyspaces), comparable(expected, &keyspaces), "{set}");
    // The next set may have some of the names.
    let drops: Vec<String> = keyspaces.iter().map(|name| format!("DROP KEYSPACE \"{name}\"")).collect();
    stack.cql(&drops.join("; "));
}

fn refused_passwords(stack: &Stack) {
    let no_password = CqlSettings { credentials: None, ..stack.settings("", "") };
    for settings in [no_password, stack.settings("agent", "canary")] {
        let error = CqlSource::new(settings).unwrap().fetch().unwrap_err();
        assert!(matches!(error, CqlError::Authentication { .. }), "{error:?}");
        assert!(!error.is_transient() && !error.to_string().contains("canary"), "{error}");
    }
}

fn verified_tls(stack: &Stack, node: &CqlSettings) {
    let with = |tls| CqlSource::new(CqlSettings { tls: Some(tls), ..node.clone() });
    let (certificate_file, key_file) = stack.client_key();
    let own = TlsSettings { ca_file: Some(stack.tls_file("ca")), ..TlsSettings::default() };
    let mutual = TlsSettings {
        certificate_file: Some(certificate_file.clone()),
        key_file: Some(key_file),
        ..own.clone()
    };
    for good in [own.clone(), mutual] {
        assert_eq!(with(good).unwrap().node().unwrap().data_center, "DC_ONPREM");
    }
    let system_authorities = TlsSettings::default();
    let wrong_authority = TlsSettings { ca_file: Some(certificate_file.clone()), ..TlsSettings::default() };
    for bad in [system_authorities, wrong_authority] {
        let error = with(bad).unwrap().node().unwrap_err();
        assert!(matches!(error, CqlError::Tls { .. }), "{error:?}");
    }
    let half = TlsSettings { certificate_file: Some(certificate_file), ..own };
    assert!(matches!(with(half).unwrap_err(), CqlError::Settings { .. }));
}

/// Whether an address is only accepted when the certificate has it, or the name that is configured.
fn verified_address(stack: &Stack, node: &CqlSettings) {
    // The node listens at 127.0.0.1 only; a forwarder lends it an address that is not in its certificate.
    let listener = std::net::TcpListener::bind("127.0.0.77:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = (node.host.clone(), node.port);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = std::net::TcpStream::connect((target.0.as_str(), target.1)) else { return };
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
            {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    let tls = |name: Option<&str>| TlsSettings {
        ca_file: Some(stack.tls_file("ca")),
        server_name: name.map(str::to_owned),
        ..TlsSettings::default()
    };
    let with = |name| {
        let settings =
            CqlSettings { host: "127.0.0.77".to_owned(), port, tls: Some(tls(name)), ..node.clone() };
        CqlSource::new(settings).unwrap().node()
    };
    assert_eq!(with(Some("localhost")).unwrap().data_center, "DC_ONPREM");
    for name in [None, Some("other.example")] {
        let error = with(name).unwrap_err();
        assert!(matches!(error, CqlError::Tls { .. }), "{error:?}");
    }
}

fn right_node(source: &CqlSource) {
    let node = source.node().unwrap();
    assert_eq!(node.cluster_name, "onprem");
    assert!(!node.tokens.is_empty() && node.release_version.starts_with("4.1"), "{node:?}");
    let of = |host_id: &str| ExpectedNode {
        cluster: Some("onprem".to_owned()),
        dc: Some("DC_ONPREM".to_owned()),
        host_id: Some(host_id.to_owned()),
    };
    assert_eq!(node.check(&of(&node.host_id)), Ok(()));
    assert_eq!(node.check(&of("another")).unwrap_err().key, "host_id");
}

/// A change is seen; a node that is away is a normal state, and the same source finds it again.
fn changes_and_restarts(stack: &Stack, source: &CqlSource) {
    let before = source.fetch().unwrap();
    stack.cql(
        "CREATE TABLE sales.more (id int PRIMARY KEY, a text) WITH cdc = true; ALTER TABLE sales.more DROP a",
    );
    assert_ne!(source.node().unwrap().schema_version, before.node.schema_version);
    let after = source.fetch().unwrap();
    let new: Vec<_> = after.rows.tables.iter().filter(|row| !before.rows.tables.contains(row)).collect();
    assert!(matches!(new.as_slice(), [row] if row.table_name == "more" && row.cdc), "{new:?}");
    assert!(after.rows.dropped_columns.iter().any(|row| row.table_name == "more" && row.column_name == "a"));

    self::stack(&["stop", "onprem"], stack.folder.path());
    let error = source.fetch().unwrap_err();
    assert!(matches!(error, CqlError::Unreachable { .. }) && error.is_transient(), "{error:?}");
    self::stack(&["start", "onprem"], stack.folder.path());
    let deadline = Instant::now() + RESTART_LIMIT;
    let again = loop {
        match source.fetch() {
            Ok(fetched) => break fetched,
            Err(error) => assert!(error.is_transient() && Instant::now() < deadline, "{error:?}"),
        }
    };
    assert_eq!(comparable(again.rows, &["sales".to_owned()]), comparable(after.rows, &["sales".to_owned()]));
}

#[test]
#[ignore = "starts a Cassandra node: make test-cql"]
fn the_schema_of_a_node_over_cql() {
    let stack = Stack::start();
    // A role that may log in, and nothing else.
    stack.cql("CREATE ROLE agent WITH PASSWORD = 'secret of the agent' AND LOGIN = true");
    let settings = stack.settings("agent", "secret of the agent");
    let source = CqlSource::new(settings.clone()).unwrap();
    right_node(&source);
    for set in sets() {
        same_ddl_gives_the_same_rows(&stack, &source, &set);
    }
    refused_passwords(&stack);
    verified_tls(&stack, &settings);
    verified_address(&stack, &settings);
    changes_and_restarts(&stack, &source);
}
