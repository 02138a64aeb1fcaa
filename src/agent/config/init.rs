//! `config init`: a configuration file that fits a node, from its cassandra.yaml.

mod space;

use std::path::Path;

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::{Yaml, YamlLoader};

use super::new_file::quoted;
use crate::agent::exit::{Exit, Failure};
use crate::cli::MOST_MIB;
use space::{mebibytes, milliseconds};

/// No cassandra.yaml has any; those that are made by hand may have a few.
const MOST_ALIASES: usize = 16;

/// The text of a configuration file for the node with this cassandra.yaml (4.0, 4.1, 5.0).
///
/// # Errors
/// The file cannot be read, or is no such file.
pub(super) fn file(path: &Path) -> Result<String, Failure> {
    let failure = |what: String| {
        Failure::new(Exit::Usage, what).next("give the cassandra.yaml that the node is started with")
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| failure(format!("cannot read {}", path.display())).because(error))?;
    if aliases(&text) > MOST_ALIASES {
        return Err(failure(format!("{} has more than {MOST_ALIASES} YAML aliases (*name)", path.display())));
    }
    let documents = YamlLoader::load_from_str(&text)
        .map_err(|error| failure(format!("{} is not YAML", path.display())).because(error.to_string()))?;
    match documents.first() {
        Some(yaml) if yaml.as_hash().is_some() => Ok(configuration(&Node(yaml))),
        _ => Err(failure(format!("{} has no settings", path.display()))),
    }
}

/// Aliases in the text, up to its first error. The loader copies what each stands for, so that aliases of aliases grow
/// beyond all memory.
fn aliases(text: &str) -> usize {
    let mut parser = Parser::new_from_str(text);
    let mut found = 0;
    while let Ok((event, _)) = parser.next_token() {
        match event {
            Event::StreamEnd => break,
            Event::Alias(_) => found += 1,
            _ => {}
        }
    }
    found
}

/// The settings of a node.
struct Node<'y>(&'y Yaml);

impl Node<'_> {
    /// A setting's value: numbers and switches as text. An empty one is none.
    fn get(&self, path: &[&str]) -> Option<String> {
        let value = path.iter().try_fold(self.0, |yaml, key| match &yaml[*key] {
            Yaml::BadValue => None,
            // Lists of one map, as options of classes are written.
            Yaml::Array(entries) => entries.first(),
            value => Some(value),
        })?;
        match value {
            Yaml::String(text) | Yaml::Real(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Yaml::Integer(number) => Some(number.to_string()),
            Yaml::Boolean(on) => Some(on.to_string()),
            _ => None,
        }
    }

    fn is_on(&self, path: &[&str]) -> bool {
        self.get(path).is_some_and(|value| value == "true")
    }

    /// The first of several spellings that is there.
    fn of<T>(&self, spellings: &[&str], read: fn(&str, &str) -> Option<T>) -> Option<T> {
        spellings.iter().find_map(|key| read(key, &self.get(&[key])?))
    }
}

/// A file that grows.
struct Draft(String);

impl Draft {
    fn comment(&mut self, text: &str) {
        self.0.push_str(&format!("# {text}\n"));
    }

    fn set(&mut self, key: &str, value: &str) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }
}

fn configuration(node: &Node<'_>) -> String {
    let mut draft = Draft(String::new());
    draft.comment(
        "Options of cdc-agent for this node, from its cassandra.yaml; docs/configuration.md has all of them.",
    );
    draft.comment("What stands behind # could not be known: fill it in, then run `cdc-agent config check` and `doctor`.");
    draft.gap();
    identity(node, &mut draft);
    log(node, &mut draft);
    keys(node, &mut draft);
    cql(node, &mut draft);
    draft.gap();
    draft.comment("Kafka. The agent writes topics <topic_prefix>.cdc.<keyspace>.<table>.");
    draft.set("#kafka_bootstrap_servers", "\"broker:9092\"");
    draft.set("#kafka_security_protocol", "\"sasl_ssl\"");
    draft.set("#kafka_sasl_mechanism", "\"SCRAM-SHA-512\"");
    draft.set("#kafka_sasl_username", "\"cdc_agent\"");
    draft.set("#kafka_sasl_password_file", "\"kafka.password\"");
    draft.0
}

fn identity(node: &Node<'_>, draft: &mut Draft) {
    draft.comment(
        "Which node it is: the agent refuses another one. `nodetool info` has host id and data centre.",
    );
    match node.get(&["cluster_name"]) {
        Some(name) => draft.set("cluster", &quoted(&name)),
        None => draft.set("#cluster", "\"\""),
    }
    draft.set("#dc", "\"dc1\"");
    draft.set("#host_id", "\"00000000-0000-0000-0000-000000000000\"");
    draft.set("#topic_prefix", "\"prod\"");
}

fn log(node: &Node<'_>, draft: &mut Draft) {
    draft.gap();
    draft.comment("The commit log.");
    if !node.is_on(&["cdc_enabled"]) {
        draft.comment("cdc_enabled is not true in cassandra.yaml: nothing comes to cdc_raw before it is, and the node restarted.");
    }
    let raw = node.get(&["cdc_raw_directory"]);
    if raw.is_none() {
        draft.comment("cdc_raw_directory is not in cassandra.yaml: this is the default of packages; a tarball has data/cdc_raw.");
    }
    draft.set("cdc_raw_directory", &quoted(raw.as_deref().unwrap_or("/var/lib/cassandra/cdc_raw")));
    draft.set("#state_directory", "\"/var/lib/cdc-agent\"");
    match node.get(&["commitlog_sync"]).as_deref() {
        Some(word @ ("batch" | "group")) => {
            draft.comment(&format!(
                "commitlog_sync is {word}: everything acknowledged is on disk, so synced costs no latency."
            ));
            draft.set("visibility", "\"synced\"");
        }
        _ => {
            let period = node.of(&["commitlog_sync_period", "commitlog_sync_period_in_ms"], milliseconds);
            if let Some(period) = period.filter(|period| *period != 10_000) {
                draft.set("commitlog_sync_period_ms", &period.to_string());
            }
        }
    }
    stored(node, draft);
    match node.of(&["cdc_total_space", "cdc_total_space_in_mb"], mebibytes) {
        Some(space) if space > MOST_MIB => {
            draft.comment(&format!("cdc_total_space is {space} MiB, more than any disk: correct it there."));
        }
        Some(space) if space > 0 => draft.set("cdc_total_space_mb", &space.to_string()),
        _ => {}
    }
    if node.get(&["cdc_block_writes"]).as_deref() == Some("false") {
        draft.comment(
            "When cdc_raw is full, Cassandra deletes the oldest segments unread instead of refusing writes.",
        );
        draft.set("cdc_block_writes", "false");
    }
}

fn stored(node: &Node<'_>, draft: &mut Draft) {
    let class = node.get(&["commitlog_compression", "class_name"]);
    let encrypted = node.is_on(&["transparent_data_encryption_options", "enabled"]);
    let direct = node.get(&["commitlog_disk_access_mode"]).is_some_and(|mode| mode == "direct");
    let form = match (encrypted, class, direct) {
        (true, _, _) => "encrypted".to_owned(),
        (false, Some(class), _) => format!("compressed ({class})"),
        (false, None, true) => "written with direct I/O".to_owned(),
        (false, None, false) => return,
    };
    draft.comment(&format!(
        "Segments are {form}: changes come to the file with each sync only, so latency is up to the sync period."
    ));
    draft.comment("A shorter commitlog_sync_period, or commitlog_sync: batch, shortens it.");
}

fn keys(node: &Node<'_>, draft: &mut Draft) {
    const OPTIONS: &str = "transparent_data_encryption_options";
    if !node.is_on(&[OPTIONS, "enabled"]) {
        return;
    }
    draft.gap();
    let alias = node.get(&[OPTIONS, "key_alias"]).unwrap_or_else(|| "unknown".to_owned());
    draft.comment(&format!(
        "Keys of encrypted segments; new ones use the alias {alias}. Keep the keys of older ones, too."
    ));
    match node.get(&[OPTIONS, "key_provider", "parameters", "keystore"]) {
        Some(path) => {
            if Path::new(&path).is_relative() {
                draft.comment("A relative path is meant from the folder in which Cassandra was started: make it absolute.");
            }
            draft.set("keystore", &quoted(&path));
        }
        None => draft.set("#keystore", "\"/etc/cassandra/conf/.keystore\""),
    }
    draft.comment("Make this file with keystore_password of cassandra.yaml in its first line, mode 0400, owned by the agent's user.");
    draft.set("keystore_password_file", "\"keystore.password\"");
    if node.get(&[OPTIONS, "key_provider", "parameters", "key_password"]).is_some() {
        draft.comment("And this one with key_password.");
        draft.set("key_password_file", "\"key.password\"");
    }
}

fn cql(node: &Node<'_>, draft: &mut Draft) {
    draft.gap();
    draft.comment("CQL of the node.");
    let address = node.get(&["rpc_address"]).or_else(|| node.get(&["listen_address"]));
    match address.as_deref() {
        Some("localhost" | "127.0.0.1" | "0.0.0.0" | "::") => {}
        Some(address) => draft.set("cassandra_host", &quoted(address)),
        None => {
            draft.comment("rpc_address is not in cassandra.yaml: the node listens at the address of its host name or interface.");
            draft.set("#cassandra_host", "\"\"");
        }
    }
    let port = node.get(&["native_transport_port"]);
    if let Some(port) = port.filter(|port| port != "9042" && port.parse::<u16>().is_ok_and(|port| port > 0)) {
        draft.set("cassandra_port", &port);
    }
    let authenticator = node.get(&["authenticator"]).or_else(|| node.get(&["authenticator", "class_name"]));
    if authenticator.is_some_and(|class| !class.ends_with("AllowAllAuthenticator")) {
        draft.comment("The node wants a password. The role needs LOGIN and SELECT on system_views.settings; make the file with its password in the first line.");
        draft.set("#cassandra_username", "\"cdc_agent\"");
        draft.set("#cassandra_password_file", "\"cassandra.password\"");
    }
    if node.is_on(&["client_encryption_options", "enabled"]) {
        let optional = node.is_on(&["client_encryption_options", "optional"]);
        draft.comment(match optional {
            true => "The node offers TLS. PEM files are needed; Java keystores are not read (keytool -exportcert -rfc makes them).",
            false => "The node wants TLS. PEM files are needed; Java keystores are not read (keytool -exportcert -rfc makes them).",
        });
        draft.set("#cassandra_ssl_ca_file", "\"cassandra-ca.pem\"");
        if node.is_on(&["client_encryption_options", "require_client_auth"]) {
            draft.set("#cassandra_ssl_certificate_file", "\"cdc-agent.pem\"");
            draft.set("#cassandra_ssl_key_file", "\"cdc-agent.key\"");
        }
    }
}

#[cfg(test)]
mod tests;
