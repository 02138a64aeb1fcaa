//! `config show`: every option with its value and where it comes from.

use std::io::{self, Write};

use serde_json::Value;

use crate::agent::object::Object;
use crate::config::{Place, Secret, Setting};

/// Options of librdkafka may be secrets: only their names are shown.
const NAMES_ONLY: &str = "kafka_option";

/// Prints the settings in the order of their definition, then which secrets the environment has.
///
/// # Errors
/// `out` cannot be written.
pub(super) fn show(settings: &[Setting], json: bool, out: &mut impl Write) -> io::Result<()> {
    let width = settings.iter().map(|setting| setting.key.len()).max().unwrap_or(0);
    for setting in settings {
        let values = shown(setting);
        if json {
            writeln!(out, "{}", Value::from(object(setting, values)))?;
        } else {
            let key = &setting.key;
            writeln!(out, "{key:width$} = {:32} # {}", text(setting, &values), from(setting))?;
        }
    }
    for secret in Secret::all() {
        let (variable, is_set) = (secret.variable(), secret.from_environment().is_some());
        if json {
            let mut object = Object::of("secret");
            object.put("variable", variable);
            object.put("is_set", is_set);
            writeln!(out, "{}", Value::from(object))?;
        } else {
            writeln!(out, "# {variable}: {}", if is_set { "set" } else { "not set" })?;
        }
    }
    Ok(())
}

fn shown(setting: &Setting) -> Vec<String> {
    let name_only = |value: &String| match value.split_once('=') {
        Some((name, _)) => format!("{name}=…"),
        None => "…".to_owned(),
    };
    match setting.key.as_str() {
        NAMES_ONLY => setting.values.iter().map(name_only).collect(),
        _ => setting.values.clone(),
    }
}

fn text(setting: &Setting, values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| super::new_file::quoted(value)).collect();
    match quoted.as_slice() {
        values if setting.is_list => format!("[{}]", values.join(", ")),
        [] => "(none)".to_owned(),
        values => values.join(", "),
    }
}

fn from(setting: &Setting) -> String {
    match setting.place {
        Place::Default => "default".to_owned(),
        Place::File | Place::Environment | Place::CommandLine => setting.origin.clone(),
    }
}

fn object(setting: &Setting, values: Vec<String>) -> Object {
    let mut object = Object::of("option");
    object.put("key", setting.key.clone());
    if setting.is_list {
        object.put("value", values);
    } else {
        object.put("value", values.into_iter().next());
    }
    let from = match setting.place {
        Place::Default => "default",
        Place::File => "file",
        Place::Environment => "environment",
        Place::CommandLine => "command line",
    };
    object.put("from", from);
    object.put("where", (setting.place != Place::Default).then(|| setting.origin.clone()));
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str, values: &[&str], is_list: bool, place: Place, origin: &str) -> Setting {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Setting { key: key.to_owned(), values, is_list, place, origin: origin.to_owned() }
    }

    #[test]
    fn values_and_places_are_shown_and_secrets_are_not() {
        let settings = [
            setting("cells", &["all"], false, Place::File, "agent.toml:7"),
            setting(
                "kafka_option",
                &["sasl.kerberos.keytab=hunter2"],
                true,
                Place::CommandLine,
                "--kafka-option",
            ),
            setting("archive_directory", &[], false, Place::Default, ""),
        ];
        let mut out = Vec::new();
        show(&settings, false, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("cells             = \"all\" ") && lines[0].ends_with("# agent.toml:7"),
            "{text}"
        );
        assert!(lines[1].contains("[\"sasl.kerberos.keytab=…\"]") && !text.contains("hunter2"), "{text}");
        assert!(lines[2].contains("(none)") && lines[2].ends_with("# default"), "{text}");
        assert!(text.contains("# CDC_AGENT_CASSANDRA_PASSWORD: not set"), "{text}");
        let mut out = Vec::new();
        show(&settings, true, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("hunter2"));
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["value"], "all");
        assert_eq!(first["from"], "file");
        assert_eq!(first["where"], "agent.toml:7");
    }
}
