//! `05_drift.sql`: whole rows of two environments compared, for notebooks. The verdicts that count are those of the
//! drift job, which also knows gaps, repairs and partial updates (docs/flink.md).

use super::connector::{append, option, source};
use super::hash_events::object;
use super::names::{KAFKA_TS, KEY, OFFSET, PARTITION, TOPIC, VALUE};
use super::payload::{json, version_us};
use super::script::{Part, SqlFile, note, statement, table, view};
use super::settings::{common, set};
use super::{GENERATED, function};
use crate::jobs::drift::Side;
use crate::jobs::environment::Environment;
use crate::jobs::expression::{quoted, sql_text};
use crate::jobs::project::Project;
use crate::jobs::rules::TableRules;

/// Folder of what is in no environment alone; no environment has this name.
pub const FOLDER: &str = "drift";

/// Name of the files for notebooks.
pub const NOTEBOOK: &str = "05_drift.sql";

/// How long the two sides may be apart, in Kafka time.
const TOLERANCE: (&str, u64) = ("INTERVAL '1' MINUTE", 60_000);

/// The two environments in which a table is compared: the sides of its section `drift`. Without one they are those named
/// `onprem` and `cloud`, or the only two in their order.
#[must_use]
pub fn sides<'p>(project: &'p Project, rules: &TableRules) -> Option<(&'p Environment, &'p Environment)> {
    let all = &project.environments.0;
    let named = |name: &str| all.iter().find(|environment| environment.name.value == name);
    if let Some(drift) = &rules.drift {
        let side = |side: Side| named(&drift.sides.of(side).environment.value);
        return side(Side::Onprem).zip(side(Side::Cloud));
    }
    match (named("onprem"), named("cloud"), all.as_slice()) {
        (Some(onprem), Some(cloud), _) => Some((onprem, cloud)),
        (_, _, [one, other]) => Some((one, other)),
        _ => None,
    }
}

struct Drift<'p> {
    rules: &'p TableRules,
    name: String,
    sides: [(&'static str, &'p Environment); 2],
}

/// The file of a table that is in both environments.
pub(super) fn file(project: &Project, rules: &TableRules) -> Option<SqlFile> {
    let (onprem, cloud) = sides(project, rules)?;
    if ![onprem, cloud].iter().all(|environment| rules.runs_in(&environment.name.value)) {
        return None;
    }
    let (pair, table_name) =
        (format!("{}+{}", onprem.name.value, cloud.name.value), super::identity::table_text(rules));
    let drift = Drift {
        rules,
        name: format!("drift-{pair}-{table_name}"),
        sides: [("onprem", onprem), ("cloud", cloud)],
    };
    let mut head = vec![note(format!(
        "{}: whole rows of both sides compared, for notebooks. Updates that carry a part of a row are left out.\n{GENERATED}",
        drift.name
    ))];
    head.extend(common(&drift.name, onprem));
    head.extend([
        note(
            "A side whose agents are silent holds everything back: it is no reason to call its rows missing.",
        ),
        set("table.exec.source.idle-timeout", "0 ms"),
    ]);
    let mut parts = Vec::new();
    for (side, environment) in drift.sides {
        parts.extend(drift.side(side, environment));
    }
    parts.extend(drift.verdicts());
    parts.extend(drift.audit(onprem));
    let mut file = SqlFile { path: format!("{FOLDER}/{table_name}/{NOTEBOOK}"), parts };
    head.extend(function::used(&[&file]));
    file.parts.splice(0..0, head);
    Some(file)
}

impl Drift<'_> {
    fn object(&self, part: &str) -> String {
        quoted(&format!("{}.{part}", self.name))
    }

    /// The topic of a side, and its rows, each event once.
    fn side(&self, side: &str, environment: &Environment) -> Vec<Part> {
        let (value, moment) = (quoted(VALUE), quoted(KAFKA_TS));
        let topic = environment.cdc_topic(&self.rules.table.value.keyspace, &self.rules.table.value.table);
        let columns = [
            format!("{} STRING", quoted(KEY)),
            format!("{value} STRING"),
            format!("{} STRING METADATA FROM 'topic' VIRTUAL", quoted(TOPIC)),
            format!("{} INT METADATA FROM 'partition' VIRTUAL", quoted(PARTITION)),
            format!("{} BIGINT METADATA FROM 'offset' VIRTUAL", quoted(OFFSET)),
            format!("{moment} TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL"),
            format!("WATERMARK FOR {moment} AS {moment} - INTERVAL '10' SECOND"),
        ];
        let group = &environment.consumer_groups.drift.value;
        let (source_name, rows) = (self.object(&format!("{side}.source")), self.object(side));
        let mut parts = vec![note(format!(
            "The agents' records of {}; heartbeats move the time on.",
            environment.name.value
        ))];
        parts.extend(table(&source_name, &columns, &source(environment, &topic, group, KEY)));
        parts.extend(view(&rows, &self.rows(&source_name)));
        parts
    }

    fn rows(&self, source: &str) -> String {
        let payload = quoted(VALUE);
        let field = |path: &str| format!("JSON_VALUE({payload}, '$.{path}')");
        let moment = format!("CAST({} AS TIMESTAMP(3))", quoted(KAFKA_TS));
        let places = [
            ("op", json(&field("op"))),
            ("topic", json(&quoted(TOPIC))),
            ("partition", format!("CAST({} AS STRING)", quoted(PARTITION))),
            ("offset", format!("CAST({} AS STRING)", quoted(OFFSET))),
            ("file", json(&field("source.file"))),
            ("pos", format!("COALESCE({}, 'null')", field("source.pos"))),
        ];
        format!(
            "SELECT `key`, `version_us`, `op`, `row_hash`, `hash_def`, `event_id`, `place`, `ms`, {ts}\n\
             FROM (\n  SELECT *,\n    REPEATED_EVENT(`event_id`, `ms`, CAST(86400000 AS BIGINT), CAST(1000000 AS BIGINT))\n      \
             OVER (PARTITION BY {partition} ORDER BY `arrival`) AS `is_repeat`\n  \
             FROM (\n    SELECT\n      NULLIF(JSON_PART({key}, 'object'), 'null') AS `key`,\n      {version} AS `version_us`,\n      {op} AS `op`,\n      \
             {hash} AS `row_hash`,\n      \
             {def} AS `hash_def`,\n      {event} AS `event_id`,\n      {place} AS `place`,\n      \
             EXTRACT(EPOCH FROM {moment}) * 1000 + EXTRACT(MILLISECOND FROM {moment}) AS `ms`,\n      \
             {ts}, {partition}, PROCTIME() AS `arrival`\n    FROM {source}\n    \
             WHERE {op} IN ('c', 'u', 'r', 'd') AND {kind} IN ('full', 'tombstone')\n  )\n)\n\
             WHERE `is_repeat` IS NOT TRUE AND `key` IS NOT NULL AND `version_us` IS NOT NULL",
            ts = quoted(KAFKA_TS),
            partition = quoted(PARTITION),
            key = quoted(KEY),
            version = version_us(self.rules, &payload),
            hash = field("row_hash"),
            def = field("hash_def"),
            event = field("event_id"),
            place = object(&places),
            op = field("op"),
            kind = field("hash_kind"),
        )
    }

    /// Rows of the same key and version, within the tolerance. What finds no other is missing there, unless a snapshot
    /// told of it: that says what a side holds, and nobody writes it on the other one.
    fn verdicts(&self) -> Vec<Part> {
        let [(_, onprem), (_, cloud)] = self.sides;
        let ts = quoted(KAFKA_TS);
        let both = |column: &str| format!("COALESCE(`o`.{column}, `c`.{column})");
        let (interval, tolerance_ms) = TOLERANCE;
        let query = format!(
            "SELECT {key} AS `key`, {version} AS `version_us`,\n  CASE\n    WHEN `o`.`key` IS NULL THEN 'MISSING_ONPREM'\n    \
             WHEN `c`.`key` IS NULL THEN 'MISSING_CLOUD'\n    WHEN `o`.`hash_def` <> `c`.`hash_def` THEN 'INCOMPARABLE'\n    \
             WHEN `o`.`row_hash` = `c`.`row_hash` THEN 'MATCH'\n    ELSE 'DRIFT'\n  END AS `status`,\n  \
             `o`.`row_hash` AS `onprem_hash`, `c`.`row_hash` AS `cloud_hash`,\n  \
             `o`.`event_id` AS `onprem_event_id`, `c`.`event_id` AS `cloud_event_id`,\n  {def} AS `hash_def`,\n  \
             `o`.`hash_def` AS `onprem_hash_def`, `c`.`hash_def` AS `cloud_hash_def`,\n  \
             `o`.`place` AS `onprem_place`, `c`.`place` AS `cloud_place`,\n  \
             CASE WHEN `c`.`ms` < `o`.`ms` THEN `c`.`ms` ELSE {ms} END AS `first_seen_ms`,\n  \
             CASE WHEN `o`.`ms` IS NULL OR `c`.`ms` IS NULL THEN {ms} + {tolerance_ms}\n    \
             WHEN `c`.`ms` > `o`.`ms` THEN `c`.`ms` ELSE `o`.`ms` END AS `decided_ms`\n\
             FROM {left} AS `o` FULL OUTER JOIN {right} AS `c`\n  \
             ON `o`.`key` = `c`.`key` AND `o`.`version_us` = `c`.`version_us`\n  \
             AND `o`.{ts} BETWEEN `c`.{ts} - {interval} AND `c`.{ts} + {interval}\n\
             WHERE (`o`.`key` IS NOT NULL OR `c`.`op` <> 'r') AND (`c`.`key` IS NOT NULL OR `o`.`op` <> 'r')",
            key = both("`key`"),
            version = both("`version_us`"),
            def = both("`hash_def`"),
            ms = both("`ms`"),
            left = self.object("onprem"),
            right = self.object("cloud"),
        );
        let mut parts = vec![note(format!(
            "Verdicts: onprem is {}, cloud is {}. What the other side lacks is told once its time is a minute further; rows\n\
             that a snapshot read are not waited for there.",
            onprem.name.value, cloud.name.value
        ))];
        parts.extend(view(&self.object("verdicts"), &query));
        parts
    }

    fn audit(&self, environment: &Environment) -> Vec<Part> {
        let text = |column: &str| json(&quoted(column));
        let number = |sql: &str| format!("CAST({sql} AS STRING)");
        let table_name =
            sql_text(&serde_json::Value::String(super::identity::table_text(self.rules)).to_string());
        let id = [("table", table_name.clone()), ("key", "`key`".to_owned())];
        let fields = [
            ("table", table_name),
            ("key", "`key`".to_owned()),
            ("version_us", number("`version_us`")),
            ("status", text("status")),
            ("onprem_hash", text("onprem_hash")),
            ("cloud_hash", text("cloud_hash")),
            ("onprem_event_id", text("onprem_event_id")),
            ("cloud_event_id", text("cloud_event_id")),
            ("hash_def", text("hash_def")),
            ("first_seen_us", number("`first_seen_ms` * 1000")),
            ("decided_us", number("`decided_ms` * 1000")),
            ("evidence", evidence()),
        ];
        let sink = self.object("audit");
        let mut options = append(environment, "dq_reconciliation_audit", &self.name);
        options.extend([
            option("key.format", "raw"),
            option("key.fields", "key"),
            option("value.format", "raw"),
            option("value.fields-include", "EXCEPT_KEY"),
        ]);
        let mut parts = vec![note("Matches are not written; SELECT from the verdicts shows them.")];
        parts.extend(table(&sink, &["`key` STRING".to_owned(), "`verdict` STRING".to_owned()], &options));
        parts.push(statement(format!(
            "INSERT INTO {sink} (`key`, `verdict`)\nSELECT\n  {},\n  {}\nFROM {}\nWHERE `status` <> 'MATCH'",
            object(&id),
            object(&fields),
            self.object("verdicts")
        )));
        parts
    }
}

/// What docs/drift.md 5 says; a side that told nothing is not in it.
fn evidence() -> String {
    let place = |side: &str| format!("CONCAT('\"{side}\":', `{side}_place`)");
    let of = |side: &str| json(&format!("`{side}_hash_def`"));
    let why = format!(
        "CASE WHEN `status` = 'INCOMPARABLE' THEN CONCAT('\"reason\":\"hash_def\",\"hash_defs\":[', {}, ',', {}, ']') END",
        of("onprem"),
        of("cloud"),
    );
    format!(
        "CONCAT('{{', CONCAT_WS(',',\n      {},\n      {},\n      {why}), '}}')",
        place("onprem"),
        place("cloud"),
    )
}
