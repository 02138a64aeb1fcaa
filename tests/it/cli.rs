//! The command line as a process: exit codes, help, completions, manual pages.

use crate::program::{agent, fixtures, segment, stderr, stdout};

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = stdout(&agent(["--help"]));
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn wrong_usage_is_exit_code_2() {
    for arguments in [&[][..], &["no-such-command"], &["completions", "no-such-shell"], &["verify"]] {
        let output = agent(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = commands();
    assert!(!commands.is_empty());
    for command in commands {
        let output = agent([&command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        let help = stdout(&output);
        assert!(
            help.contains("Examples:") && help.contains(&format!("cdc-agent {command}")),
            "{command}: {help}"
        );
    }
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = agent(["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = stdout(&output);
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
}

#[test]
fn manual_pages_one_a_command() {
    let dir = std::env::temp_dir().join(format!("cdc-agent-man-{}", std::process::id()));
    let output = agent(["man", "--dir", dir.to_str().expect("UTF-8 path")]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let page = |name: &str| std::fs::read_to_string(dir.join(name)).expect("the page exists");
    assert!(page("cdc-agent.1").contains(".TH cdc-agent 1"));
    for command in commands() {
        assert!(page(&format!("cdc-agent-{command}.1")).contains("cdc\\-agent"));
    }
    std::fs::remove_dir_all(&dir).expect("the pages can be removed");
    assert!(stdout(&agent(["man"])).starts_with(".ie"));
}

#[test]
fn a_directory_that_cannot_be_written_is_exit_code_6() {
    let output = agent(["man", "--dir", "/dev/null/pages"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(stderr(&output).starts_with("cdc-agent: cannot write /dev/null/pages: "));
}

#[test]
fn a_cause_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let password = folder.path().join("password");
    std::fs::write(&password, "wrong").expect("the folder can be written");
    let (demo, schema) = (segment("demo"), fixtures().join("demo/schema.json"));
    let [demo, schema, password] = [&demo, &schema, &password].map(|path| path.to_str().expect("UTF-8 path"));
    let keystore = fixtures().join("legacy/cassandra.keystore");
    let keystore = keystore.to_str().expect("UTF-8 path");
    for (arguments, cause) in [
        (
            ["verify", demo, "--keystore", keystore, "--keystore-password-file", password],
            "wrong store password",
        ),
        (["verify", demo, "--keystore", "no/such", "--keystore-password-file", password], "No such file"),
        (["replay", demo, "--schema", schema, "--out", "/dev/null/log"], "Not a directory"),
    ] {
        let text = stderr(&agent(arguments));
        assert_eq!(text.matches(cause).count(), 1, "{text}");
    }
}

#[test]
fn schema_show_and_check() {
    let file = |name: &str| fixtures().join("demo").join(name).into_os_string();
    for name in ["schema.json", "schema.cql"] {
        let output = agent(["schema".into(), "check".into(), file(name)]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stdout(&output));
        let output = agent(["schema".into(), "show".into(), file(name)]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        let text = stdout(&output);
        assert!(text.contains("table shop.orders, id 2a9200f3-0000-11f0-8000-000000000000, cdc"), "{text}");
    }
    let output = agent(["schema".into(), "check".into(), file("statements.cql")]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    let output = agent(["schema".into(), "show".into(), file("no-such-file")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no-such-file"), "{}", stderr(&output));
}

#[test]
fn what_is_missing_or_something_else_is_told_with_what_to_do() {
    let (demo, schema) = (segment("demo"), fixtures().join("demo/schema.json"));
    let [demo, schema] = [&demo, &schema].map(|path| path.to_str().expect("UTF-8 path"));
    for (arguments, exit, what, next) in [
        (&["replay", "no/such.log", "--schema", schema][..], 4, "cannot read no/such.log", "check the path"),
        (&["verify", "no/such.log"], 4, "cannot read no/such.log", "check the path"),
        (&["inspect", "no/such.log"], 4, "cannot read no/such.log", "a single segment file"),
        (&["inspect", "/"], 4, "it is a directory", "a single segment file"),
        (&["replay", demo, "--schema", "no/such"], 2, "schema file no/such", "DESCRIBE SCHEMA"),
        (&["schema", "show", "no/such"], 2, "schema file no/such", "DESCRIBE SCHEMA"),
        (&["man", "--dir", demo], 6, "not a directory", "check the path"),
        (&["demo", "--out", demo], 6, "not a directory", "check the path"),
        (&["replay", demo, "--schema", schema, "--jobs", "0"], 2, "'0' for '--jobs", "from 1 to 65535"),
        (&["inspect", schema], 4, "this is no segment", ""),
    ] {
        let output = agent(arguments);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}");
        let text = stderr(&output);
        assert!(text.contains(what) && text.contains(next), "{arguments:?}: {text}");
    }
}
