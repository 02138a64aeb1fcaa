//! The scope of a replay: what a file log that it writes holds, and in which form.

use clap::ValueEnum;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::agent::exit::{Exit, Failure};
use crate::checkpoint::Scope;
use crate::cli::{ColumnName, Instant, RecordArgs, ReplayArgs, ReplayRange, RowHash, TableName};
use crate::envelope::EncoderConfig;

/// The scope that the options ask for, in which `config` has the defaults filled in. Keys, the schema and the list of
/// segments are no part of it.
pub(super) fn scope(args: &ReplayArgs, config: &EncoderConfig) -> Scope {
    let mut scope = Scope::default();
    let (settings, filter) = (&args.settings, &args.settings.filter);
    scope.set("topic_prefix", settings.source.prefix.as_str());
    scope.set_all("table_include_list", filter.tables.iter().map(table));
    scope.set_all("keyspace_include_list", filter.keyspaces.iter().cloned());
    scope.set_all("table_exclude_list", filter.exclude_tables.iter().map(table));
    scope.set_all("field_exclude_list", filter.drop_columns.iter().map(column));
    scope.set_all("column_mask", filter.mask_columns.iter().map(column));
    scope.set_all("column_hash", filter.hash_columns.iter().map(column));
    records(&settings.records, config, &mut scope);
    range(&args.range, &mut scope);
    scope
}

fn records(args: &RecordArgs, config: &EncoderConfig, scope: &mut Scope) {
    scope.set("profile", word(&config.profile));
    scope.set("unrepresentable", word(&config.unrepresentable));
    scope.set("decimal_handling", word(&config.format.decimals));
    scope.set("varint_handling", word(&config.format.varints));
    scope.set("timestamp_format", word(&config.format.timestamps));
    scope.set("cells", word(&config.cells));
    scope.set("tombstones_on_delete", config.tombstones_on_delete.to_string());
    scope.set("row_hash", word(&args.row_hash));
    if args.row_hash != RowHash::Off {
        scope.set_all("row_hash_exclude", args.row_hash_exclude.iter().cloned());
        let lists = args.row_hash_columns.iter();
        scope.set_all(
            "row_hash_columns",
            lists.map(|list| format!("{}={}", table(&list.table), list.columns.join(","))),
        );
    }
}

fn range(args: &ReplayRange, scope: &mut Scope) {
    for (option, position) in [("from", args.from), ("to", args.to)] {
        if let Some(position) = position {
            scope.set(option, position.to_string());
        }
    }
    for (option, time) in [("since", args.since), ("until", args.until)] {
        if let Some(time) = time {
            scope.set(option, time_text(time));
        }
    }
}

/// A file log holds one scope: what is done in it is done as the options said.
///
/// # Errors
/// `now` is another one than `before`.
pub(super) fn check(before: &Scope, now: &Scope, args: &ReplayArgs) -> Result<(), Failure> {
    // Defaults follow the profile.
    let profile = before.differences(now).find(|difference| difference.option == "profile");
    let told = match profile {
        Some(profile) => vec![profile],
        None => before.differences(now).collect(),
    };
    if told.is_empty() {
        return Ok(());
    }
    let names = &args.settings.names;
    let told = told.iter().map(|difference| format!("{}: {difference}", names.of(difference.option)));
    let told: Vec<String> = told.collect();
    let log = args.output.out.display();
    let what = format!("{log} was written with other options: {}", told.join("; "));
    Err(Failure::new(Exit::Usage, what).next(
        "give the same options, or another directory; or use --again: it writes these segments once more, and the \
         file log goes on with the new options",
    ))
}

fn word(option: &impl ValueEnum) -> String {
    option.to_possible_value().map(|word| word.get_name().to_owned()).unwrap_or_default()
}

fn table(name: &TableName) -> String {
    format!("{}.{}", name.keyspace, name.table)
}

fn column(name: &ColumnName) -> String {
    format!("{}.{}", table(&name.table), name.column)
}

fn time_text(time: Instant) -> String {
    let time_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(time.0) * 1000).ok();
    let text = time_at.and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_else(|| time.0.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::record_options::tests::{args, config};

    fn of(options: &[&str]) -> Scope {
        scope(&args(options), &config(options).unwrap())
    }

    #[test]
    fn all_that_decides_on_records_and_their_form_is_told() {
        let text = serde_json::to_value(of(&[
            "--table=shop.users",
            "--table=shop.orders",
            "--mask-column=shop.orders.card",
            "--from=7:20:0",
            "--since=1700000000s",
        ]));
        assert_eq!(
            text.unwrap(),
            serde_json::json!({
                "profile": "flat", "topic_prefix": "local", "unrepresentable": "side_topic", "cells": "when_differs",
                "decimal_handling": "string", "varint_handling": "string", "timestamp_format": "epoch_ms",
                "tombstones_on_delete": "false", "row_hash": "off",
                "table_include_list": ["shop.orders", "shop.users"], "column_mask": ["shop.orders.card"],
                "from": "7:20:0", "since": "2023-11-14T22:13:20Z",
            })
        );
    }

    #[test]
    fn what_does_not_change_records_is_no_part_of_it() {
        let same = [
            "--jobs=2",
            "--partitions=3",
            "--summary=s",
            "--decimal-handling=string",
            "--row-hash-exclude=x",
        ];
        assert_eq!(of(&same), of(&[]));
        for other in
            ["--prefix=p", "--tombstones-on-delete", "--row-hash=v1", "--to=7:20:0", "--keyspace=shop"]
        {
            let refused = check(&of(&[]), &of(&[other]), &args(&[other])).unwrap_err();
            let option = other.split('=').next().unwrap();
            assert_eq!(refused.exit(), Exit::Usage);
            assert!(refused.to_string().contains(&format!("options: {option}: ")), "{refused}");
        }
        let refused = check(&of(&["--profile=debezium-cassandra"]), &of(&[]), &args(&[])).unwrap_err();
        assert!(
            refused.to_string().contains("options: --profile: debezium-cassandra before, flat now\n"),
            "{refused}"
        );
    }
}
