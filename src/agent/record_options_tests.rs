use super::*;
use crate::cli::{Cli, Command, ReplayArgs};
use crate::envelope::options::{CellTimes, DecimalHandling, TimestampFormat, VarintHandling};
use crate::schema::{Column, ColumnKind, TableId};

const FIXED: [&str; 5] = ["cdc-agent", "replay", "segment", "--schema", "schema.json"];

pub(in crate::agent) fn args(options: &[&str]) -> ReplayArgs {
    match Cli::read(FIXED.iter().chain(options), []).unwrap().command {
        Command::Replay(args) => *args,
        other => panic!("{other:?}"),
    }
}

fn is_refused(options: &[&str]) -> Option<String> {
    Cli::read(FIXED.iter().chain(options), []).err().map(|error| error.to_string())
}

fn schema() -> Schema {
    let table = |name: &str, id: u8| TableSchema {
        id: TableId([id; 16]),
        keyspace: "shop".to_owned(),
        name: name.to_owned(),
        cdc: true,
        view: false,
        counter: false,
        compact: false,
        partition_key: vec![Column::new("id", ColumnKind::PartitionKey, CqlType::Int, "int")],
        clustering: Vec::new(),
        statics: Vec::new(),
        regulars: vec![
            Column::new("card", ColumnKind::Regular, CqlType::Text, "text"),
            Column::new("note", ColumnKind::Regular, CqlType::Text, "text"),
        ],
    };
    [table("orders", 1), table("users", 2)].into_iter().collect()
}

pub(in crate::agent) fn config(options: &[&str]) -> Result<EncoderConfig, Failure> {
    encoder_config(&args(options).settings, &schema(), Reading::Replay)
}

fn refused(options: &[&str]) -> String {
    let failure = config(options).unwrap_err();
    assert_eq!(failure.exit(), Exit::Usage);
    failure.to_string()
}

#[test]
fn defaults_are_those_of_profile_flat() {
    let config = config(&[]).unwrap();
    assert_eq!(config.profile, Profile::Flat);
    assert_eq!(config.format, ValueFormat::default());
    assert_eq!(config.cells, CellTimes::WhenDiffers);
    assert_eq!(config.row_hash, None);
    assert_eq!((config.source.prefix.as_str(), config.source.replay), ("local", true));
}

#[test]
fn topics_are_names_that_kafka_takes() {
    // `.cdc.shop.orders` has 16 characters, Kafka takes 249.
    assert!(config(&["--prefix", &"x".repeat(233)]).is_ok());
    let refused = refused(&["--prefix", &"x".repeat(234)]);
    assert!(refused.contains(".cdc.shop.orders has more than 249 characters"), "{refused}");
    assert!(config(&["--prefix", &"x".repeat(228), "--profile", "debezium"]).is_ok());
    assert!(config(&["--prefix", &"x".repeat(229), "--profile", "debezium"]).is_err());
    assert!(config(&["--prefix", &"x".repeat(234), "--table", "shop.users"]).is_ok());
    for prefix in ["", "a b", "a/b", "\u{e4}", &"x".repeat(250)] {
        let error = is_refused(&["--prefix", prefix]).unwrap();
        assert!(error.contains("a-z A-Z 0-9 . _ -"), "{prefix}: {error}");
    }
}

#[test]
fn times_before_1970_can_be_given() {
    for (text, time_us) in [("-1ms", -1000), ("-1000000000000000us", -1_000_000_000_000_000)] {
        let args = args(&["--since", text, "--until", text]);
        let times = [args.range.since, args.range.until].map(|time| time.map(|time| time.0));
        assert_eq!(times, [Some(time_us); 2], "{text}");
    }
    assert!(is_refused(&["--since", "--dry-run"]).is_some(), "an option is no time");
}

#[test]
fn the_connector_has_other_defaults_which_options_override() {
    let profile = ["--profile", "debezium-cassandra"];
    let format = config(&profile).unwrap().format;
    assert_eq!((format.decimals, format.varints), (DecimalHandling::Double, VarintHandling::Long));
    let given = [&profile[..], &["--decimal-handling", "precise", "--varint-handling", "string"]].concat();
    let format = config(&given).unwrap().format;
    assert_eq!((format.decimals, format.varints), (DecimalHandling::Precise, VarintHandling::String));
}

#[test]
fn options_without_a_place_in_the_profile_are_refused() {
    for option in [["--cells", "all"], ["--timestamp-format", "iso8601"], ["--row-hash", "v1"]] {
        let message = refused(&[&["--profile", "debezium-cassandra"], &option[..]].concat());
        assert!(message.starts_with(option[0]), "{message}");
        config(&option).unwrap();
    }
    assert_eq!(
        config(&["--timestamp-format", "iso8601"]).unwrap().format.timestamps,
        TimestampFormat::Iso8601
    );
}

#[test]
fn unknown_names_are_answered_with_near_ones() {
    let message = refused(&["--table", "shop.order"]);
    assert!(message.contains("no table `shop.order`") && message.contains("`shop.orders`"), "{message}");
    assert!(refused(&["--exclude-table", "shop.user"]).contains("`shop.users`"));
    assert!(refused(&["--keyspace", "shopp"]).contains("`shop`"));
    assert!(refused(&["--table", "xyz.qqq"]).contains("check the name"));
    assert!(refused(&["--mask-column", "shop.orders.nots"]).contains("shop.orders.nots"));
    assert!(refused(&["--drop-column", "shop.orders.id"]).contains("primary key"));
    let twice = ["--drop-column", "shop.orders.note", "--mask-column", "shop.orders.note"];
    assert!(refused(&twice).contains("name it once"));
}

#[test]
fn columns_of_row_hash_are_checked() {
    let columns = ["--row-hash-columns", "shop.orders=note,id"];
    let row_hash = config(&[&["--row-hash", "v0"], &columns[..]].concat()).unwrap().row_hash.unwrap();
    let named = ("shop".to_owned(), "orders".to_owned());
    assert_eq!(row_hash.columns, [(named, vec!["note".to_owned(), "id".to_owned()])]);
    assert_eq!(row_hash.exclude, ["record_hash"]);
    assert!(refused(&columns).contains("--row-hash-columns does not apply to row_hash off"));
    assert!(refused(&["--row-hash", "v0", "--row-hash-columns", "shop.orders=nope"]).contains("`nope`"));
    assert!(refused(&["--row-hash", "v0", "--row-hash-columns", "shop.nope=id"]).contains("shop.nope"));
}

#[test]
fn the_key_of_hashed_columns_is_the_content_of_its_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let options = ["--hash-column", "shop.orders.card", "--hash-key-file", path];
    assert!(refused(&options).contains("is empty"));
    std::fs::write(file.path(), b"secret\n").unwrap();
    let config = config(&options).unwrap();
    assert_eq!(config.hash_key.0, b"secret\n");
    assert!(config.rules.needs_key());
    assert!(!format!("{config:?}").contains("secret"));
    assert!(
        refused(&["--hash-column", "shop.orders.card", "--hash-key-file", "no/such"]).contains("no/such")
    );
}

#[test]
fn tables_are_filtered_by_their_names() {
    let filter =
        table_filter(&args(&["--table", "shop.orders", "--exclude-table", "shop.users"]).settings.filter);
    let key = |table: &str| ("shop".to_owned(), table.to_owned());
    assert_eq!(filter.tables, HashSet::from([key("orders")]));
    assert_eq!(filter.excluded, HashSet::from([key("users")]));
    assert_eq!(
        table_filter(&args(&["--keyspace", "shop"]).settings.filter).keyspaces,
        HashSet::from(["shop".to_owned()])
    );
}
