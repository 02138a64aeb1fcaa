use std::ffi::OsString;
use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::{ArgAction, Args, Command, ValueEnum};

use super::{Names, Place, Setting, resolve, resolve_part, settings};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Word {
    Plain,
    Fancy,
}

#[derive(Debug, Args, PartialEq, Eq)]
struct Options {
    #[arg(long, value_enum, default_value = "plain")]
    shape: Word,
    #[arg(id = "topic_prefix", long = "prefix", default_value = "local")]
    prefix: String,
    #[arg(long, num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value = "false", default_missing_value = "true")]
    tombstones: bool,
    #[arg(id = "column_mask", long = "mask-column", default_value = "secret")]
    masked: Vec<String>,
    #[arg(id = "column_hash_key_file", long = "hash-key-file")]
    key_file: Option<PathBuf>,
    #[arg(long, conflicts_with = "right")]
    left: Option<String>,
    #[arg(long)]
    right: Option<String>,
    #[arg(long, default_value = "7")]
    count: NonZeroU64,
}

/// Resolves a command line, variables, and the text of a file named `agent.toml` in a folder of its own.
fn resolved(
    flags: &[&str],
    variables: &[(&str, &str)],
    text: Option<&str>,
) -> Result<(Options, Names), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    if let Some(text) = text {
        std::fs::write(&path, text).unwrap();
    }
    let matches = Options::augment_args(Command::new("test").no_binary_name(true))
        .try_get_matches_from(flags)
        .map_err(|error| error.to_string())?;
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let named = text.map(|_| path.as_path());
    let shown = format!("{}/", folder.path().display());
    resolve(&matches, named, variables).map_err(|error| error.to_string().replace(&shown, ""))
}

fn options(flags: &[&str], variables: &[(&str, &str)], text: &str) -> Options {
    resolved(flags, variables, Some(text)).unwrap().0
}

fn refused(text: &str) -> String {
    resolved(&[], &[], Some(text)).unwrap_err()
}

fn refused_variable(name: &str, value: &str) -> String {
    resolved(&[], &[(name, value)], None).unwrap_err()
}

#[test]
fn each_place_gives_every_kind_of_option() {
    let expected = Options {
        shape: Word::Fancy,
        prefix: "p".to_owned(),
        tombstones: true,
        masked: vec!["a,b".to_owned(), "c".to_owned()],
        key_file: Some("/keys/k".into()),
        left: Some("l".to_owned()),
        right: None,
        count: NonZeroU64::new(7).unwrap(),
    };
    let line =
        ["--shape=fancy", "--prefix", "p", "--tombstones", "--mask-column", "a,b", "--mask-column", "c"];
    let line = [&line[..], &["--hash-key-file", "/keys/k", "--left", "l"]].concat();
    assert_eq!(resolved(&line, &[], None).unwrap().0, expected);
    let variables = [
        ("CDC_AGENT_SHAPE", "fancy"),
        ("CDC_AGENT_TOPIC_PREFIX", "p"),
        ("CDC_AGENT_TOMBSTONES", "true"),
        ("CDC_AGENT_COLUMN_MASK", r#"["a,b", "c"]"#),
        ("CDC_AGENT_COLUMN_HASH_KEY_FILE", "/keys/k"),
        ("CDC_AGENT_LEFT", "l"),
    ];
    assert_eq!(resolved(&[], &variables, None).unwrap().0, expected);
    let text = "shape = 'fancy'\ntopic_prefix = \"p\"\ntombstones = true\ncolumn_mask = [\"a,b\",\n 'c']\n\
        # a comment\ncolumn_hash_key_file = '/keys/k'\nleft = 'l'\n";
    assert_eq!(options(&[], &[], text), expected);
}

#[test]
fn what_is_not_given_has_its_default() {
    let empty = options(&[], &[], "");
    assert_eq!((empty.shape, empty.prefix.as_str(), empty.tombstones), (Word::Plain, "local", false));
    assert_eq!(empty.masked, ["secret"]);
    assert_eq!(resolved(&[], &[("CDC_AGENT_SHAPE", "")], None).unwrap().0, empty);
    assert!(options(&[], &[], "column_mask = []").masked.is_empty());
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let text = "topic_prefix = 'file'\ntombstones = true\ncolumn_mask = ['x', 'y']\n";
    let variables = [("CDC_AGENT_TOPIC_PREFIX", "environment"), ("CDC_AGENT_COLUMN_MASK", "e")];
    assert_eq!(options(&[], &[], text).prefix, "file");
    let two = options(&[], &variables, text);
    assert_eq!((two.prefix.as_str(), two.masked), ("environment", vec!["e".to_owned()]));
    let flags = ["--prefix", "line", "--tombstones=false", "--mask-column", "l"];
    let three = options(&flags, &variables, text);
    assert_eq!((three.prefix.as_str(), three.tombstones), ("line", false));
    assert_eq!(three.masked, ["l"]);
}

#[test]
fn of_options_that_exclude_each_other_the_higher_place_wins() {
    let options = options(&["--right", "r"], &[], "left = 'l'");
    assert_eq!((options.left, options.right), (None, Some("r".to_owned())));
    assert_eq!(
        refused("left = 'l'\nright = 'r'"),
        "agent.toml:2: right excludes agent.toml:1: left: give only one of them"
    );
    let both = resolved(&[], &[("CDC_AGENT_LEFT", "l"), ("CDC_AGENT_RIGHT", "r")], None).unwrap_err();
    assert!(both.contains("CDC_AGENT_RIGHT excludes CDC_AGENT_LEFT"), "{both}");
}

#[test]
fn options_are_called_what_they_were_written_as() {
    let (_, names) =
        resolved(&["--shape=plain"], &[("CDC_AGENT_TOMBSTONES", "true")], Some("\n\ncolumn_mask = []"))
            .unwrap();
    assert_eq!(names.of("shape"), "--shape");
    assert_eq!(names.of("tombstones"), "CDC_AGENT_TOMBSTONES");
    assert!(names.of("column_mask").ends_with("agent.toml:3: column_mask"));
    assert_eq!(names.of("topic_prefix"), "--prefix");
}

#[test]
fn paths_in_the_file_are_meant_from_its_folder() {
    let key_file = options(&[], &[], "column_hash_key_file = 'keys/k'").key_file.unwrap();
    assert!(key_file.is_absolute() && key_file.ends_with("keys/k"), "{}", key_file.display());
    let variable = [("CDC_AGENT_COLUMN_HASH_KEY_FILE", "keys/k")];
    assert_eq!(options(&[], &variable, "").key_file, Some("keys/k".into()));
}

#[test]
fn unknown_keys_are_refused_with_a_suggestion() {
    for (key, meant) in [
        ("shap", "shape"),
        ("topic-prefix", "topic_prefix"),
        ("prefix", "topic_prefix"),
        ("mask_column", "column_mask"),
        ("tombstone", "tombstones"),
    ] {
        let message = refused(&format!("shape = 'plain'\n{key} = 'x'"));
        assert_eq!(message, format!("agent.toml:2: {key} is no option; did you mean {meant}?"));
    }
    let message = refused("hue = 'x'");
    assert_eq!(message, "agent.toml:1: hue is no option; docs/configuration.md lists them");
    let message = refused("[kafka]\nbootstrap = 'x'");
    let expected = "agent.toml:1: kafka is a table, and every key stands at the top level: take the line of [kafka] away";
    assert_eq!(message, expected);
}

#[test]
fn misspelt_variables_are_refused_and_foreign_ones_left_alone() {
    let message = refused_variable("CDC_AGENT_COLUMN_MAKS", "x");
    assert_eq!(message, "CDC_AGENT_COLUMN_MAKS is no option; did you mean CDC_AGENT_COLUMN_MASK?");
    assert!(refused_variable("CDC_AGENT_shape", "fancy").contains("CDC_AGENT_SHAPE"));
    for foreign in ["SERVICE_HOST", "SERVICE_PORT", "PORT_9090_TCP_ADDR", "PORT", "CACHE", "LOG"] {
        let name = format!("CDC_AGENT_{foreign}");
        assert!(resolved(&[], &[(&name, "x")], None).is_ok(), "{name}");
    }
}

#[test]
fn wrong_values_are_refused_with_their_line_and_what_would_be_right() {
    for (text, complaint) in [
        ("\nshape = 'odd'", "agent.toml:2: shape: expected one of plain, fancy"),
        ("shape = 5", "agent.toml:1: shape: expected a text in quotes, found integer"),
        (
            "tombstones = 'true'",
            "agent.toml:1: tombstones: expected true or false, without quotes, found string",
        ),
        (
            "column_mask = 'a'",
            "agent.toml:1: column_mask: expected a list of texts in quotes, [\"a\", \"b\"], found string",
        ),
        (
            "column_mask = ['a',\n2]",
            "agent.toml:2: column_mask: expected a list of texts in quotes, [\"a\", \"b\"], found integer among them",
        ),
        ("left = { a = 1 }", "agent.toml:1: left: expected a text in quotes, found table"),
        (
            "column_hash_key_file = ''",
            "agent.toml:1: column_hash_key_file: expected a path, which is not empty",
        ),
    ] {
        assert_eq!(refused(text), complaint);
    }
    assert!(refused("shape = 'plain'\nshape = 'fancy'").starts_with("agent.toml:2: not TOML: "));
    assert!(refused("shape = \n").starts_with("agent.toml:1: not TOML: "));
    assert_eq!(refused_variable("CDC_AGENT_SHAPE", "odd"), "CDC_AGENT_SHAPE: expected one of plain, fancy");
    assert_eq!(
        refused_variable("CDC_AGENT_TOMBSTONES", "yes"),
        "CDC_AGENT_TOMBSTONES: expected true or false"
    );
    assert!(refused_variable("CDC_AGENT_COLUMN_MASK", "[1]").contains("expected a list of texts"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let both =
        resolved(&[], &[("CDC_AGENT_SHAPE", "odd")], Some("shap = ''\nleft = 1\ncolour = 1")).unwrap_err();
    let places: Vec<&str> = both.lines().filter_map(|line| line.split(':').nth(1)).collect();
    assert_eq!(places, ["1", "2", "3", " expected one of plain, fancy"], "{both}");
}

#[test]
fn secrets_have_no_place_in_the_file_and_are_not_repeated() {
    for text in ["column_hash_key = 'hunter2'", "keystore_password = 'hunter2'", "key_password = 'hunter2' x"]
    {
        let message = refused(text);
        assert!(!message.contains("hunter2"), "{message}");
    }
    let message = refused("column_hash_key = 'hunter2'");
    assert!(message.contains("column_hash_key_file, or set CDC_AGENT_COLUMN_HASH_KEY"), "{message}");
    assert!(resolved(&[], &[("CDC_AGENT_COLUMN_HASH_KEY", "hunter2")], None).is_ok());
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let matches = Options::augment_args(Command::new("test").no_binary_name(true))
        .try_get_matches_from::<_, &str>([])
        .unwrap();
    let error = resolve::<Options>(&matches, Some("no/such.toml".as_ref()), []).unwrap_err().to_string();
    assert!(error.starts_with("cannot read no/such.toml: "), "{error}");
}

#[test]
fn numbers_stand_with_and_without_quotes() {
    for text in ["count = 500", "count = '500'", "count = 0x1f4", "count = 5_00", "count = +500"] {
        assert_eq!(options(&[], &[], text).count.get(), 500, "{text}");
    }
    for (text, complaint) in [
        ("count = 0", "agent.toml:1: count: expected a whole number, at least 1"),
        ("count = -1", "agent.toml:1: count: expected a whole number, at least 1"),
        ("count = 1.5", "agent.toml:1: count: expected a whole number, found float"),
        ("count = true", "agent.toml:1: count: expected a whole number, found boolean"),
        ("count = 99999999999999999999", "agent.toml:1: count: expected a whole number, at least 1"),
    ] {
        assert_eq!(refused(text), complaint);
    }
}

/// Options that another command has beside those of [`Part`].
#[derive(Debug, Args)]
struct All {
    #[command(flatten)]
    part: Part,
    #[arg(long)]
    elsewhere: Option<NonZeroU64>,
    #[arg(long, conflicts_with = "elsewhere")]
    other: Option<String>,
}

#[derive(Debug, Args)]
struct Part {
    #[arg(long)]
    here: Option<String>,
}

fn part(text: &str, variables: &[(&str, &str)]) -> Result<Part, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    std::fs::write(&path, text).unwrap();
    let matches = Part::augment_args(Command::new("test")).try_get_matches_from(["test"]).unwrap();
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    resolve_part::<All, Part>(&matches, Some(&path), variables)
        .map(|(part, _)| part)
        .map_err(|error| error.to_string())
}

#[test]
fn options_of_other_commands_are_checked_and_left_alone() {
    assert_eq!(part("here = 'x'\nelsewhere = 5", &[]).unwrap().here.as_deref(), Some("x"));
    let variables = [("CDC_AGENT_ELSEWHERE", "5"), ("CDC_AGENT_HERE", "v")];
    assert_eq!(part("other = 'o'", &variables).unwrap().here.as_deref(), Some("v"));
    assert!(part("elsewhere = 0", &[]).is_err());
    assert!(part("", &[("CDC_AGENT_ELSEWHERE", "x")]).is_err());
    assert!(part("elsewhere = 1\nother = 'o'", &[]).is_err(), "they exclude each other");
}

#[test]
fn settings_say_where_each_value_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.toml");
    std::fs::write(&path, "shape = 'fancy'\ncount = 3\n\ncolumn_mask = []\n").unwrap();
    let matches = Options::augment_args(Command::new("test").no_binary_name(true))
        .try_get_matches_from(["--left", "l"])
        .unwrap();
    let variables = [(OsString::from("CDC_AGENT_COUNT"), OsString::from("4"))];
    let settings = settings::<Options>(&matches, Some(&path), variables).unwrap();
    let of = |key: &str| -> &Setting { settings.iter().find(|setting| setting.key == key).unwrap() };
    let line = |number| format!("{}:{number}", path.display());
    assert_eq!((of("shape").place, of("shape").origin.clone()), (Place::File, line(1)));
    assert_eq!(of("shape").values, ["fancy"]);
    let count = of("count");
    assert_eq!((count.place, count.origin.as_str()), (Place::Environment, "CDC_AGENT_COUNT"));
    assert_eq!(count.values, ["4"]);
    assert_eq!((of("left").place, of("left").origin.as_str()), (Place::CommandLine, "--left"));
    assert_eq!(
        (of("topic_prefix").place, of("topic_prefix").values.clone()),
        (Place::Default, vec!["local".to_owned()])
    );
    assert!(of("column_mask").is_list && of("column_mask").values.is_empty());
    assert!(of("right").values.is_empty());
    assert_eq!(settings.len(), 8);
}
