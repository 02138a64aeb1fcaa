use std::cell::RefCell;
use std::path::Path;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::jobs::finding::Findings;
use crate::jobs::pattern::Pattern;
use crate::jobs::rules;
use crate::jobs::yaml;

fn rules_of(text: &str) -> TableRules {
    let findings = RefCell::new(Findings::new("test"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let rules = rules::read(&yaml::parse(text).unwrap(), &folder, &findings);
    let found = findings.into_inner().into_sorted();
    assert!(found.is_empty(), "{found:?}");
    rules.unwrap()
}

fn sales() -> TableRules {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/rules/sales.events.yaml");
    rules_of(&std::fs::read_to_string(path).unwrap())
}

/// Every kind of rule.
const ALL: &str = r#"
table: shop.orders
source: { kind: json, topic: "topic_{prefix}_orders" }
sink: none
columns:
  id: { type: uuid }
  number: { type: int }
  state: { type: text }
  code: { type: ascii }
  price: { type: decimal, precision: 10, scale: 2 }
  weight: { type: double }
  paid: { type: boolean }
  ordered: { type: timestamp }
  shipped: { type: timestamp }
  day: { type: date }
  hour: { type: time }
  picture: { type: blob }
key: [id]
version: { column: ordered }
hash: { kind: v1 }
rules:
  - { rule: required, column: number }
  - { rule: not_null, column: state }
  - { rule: enum, column: state, values: [open, paid, shipped] }
  - { rule: not_in, column: number, values: [13, 666] }
  - { rule: regex, column: code, pattern: '^[A-Z]{3}-\d{4}(x|y)?$' }
  - { rule: length, column: code, max: 8, severity: warn }
  - { rule: range, column: price, min: 0.01, max: 99999.99 }
  - { rule: range, column: weight, min: 0, exclusive: true }
  - { rule: freshness, column: ordered, max_age: 1h }
  - { rule: future, column: ordered, tolerance: 5m }
  - { rule: compare, column: shipped, op: ">=", with: ordered, on_null: fail }
  - { rule: unique, columns: [number, state], within: 1d }
  - { rule: expression, id: paid.has_weight, expression: "weight < 5000.0", when: "paid", severity: warn }
  - { rule: expression, id: day.not_old, expression: "day > DATE '2020-01-01'" }
"#;

const START: i64 = 1_767_268_800_000;

fn options(seed: u64) -> SeedOptions {
    SeedOptions { seed, bad_ratio: 0.5, warn_ratio: 0.1, start_ms: START, rate: 100, is_json_only: false }
}

fn records(rules: &TableRules, options: SeedOptions, count: usize) -> (Vec<Seeded>, Summary) {
    let mut seeder = Seeder::new(rules, options).unwrap();
    let made = (0..count).map(|_| seeder.next_record().unwrap()).collect();
    (made, seeder.summary().clone())
}

#[test]
fn every_rule_is_broken_by_name() {
    for rules in [sales(), rules_of(ALL)] {
        let (_, summary) = records(&rules, options(1), 1000);
        assert_eq!(summary.rules_not_broken(), [""; 0]);
        for severity in [Severity::Fail, Severity::Warn] {
            for (id, count) in summary.by_rule(severity) {
                assert!(count > 0, "{id} was never broken");
            }
        }
        assert!((400..600).contains(&summary.invalid_count()), "{}", summary.invalid_count());
        assert_eq!(summary.total(), 1000);
    }
}

/// By rules that are written here once more, in another way, and look at nothing but the payload.
#[test]
fn the_summary_is_right_about_sales() {
    let rules = sales();
    let (made, summary) = records(&rules, options(3), 2000);
    let (mut negative, mut no_id, mut invalid) = (0, 0, 0);
    for record in &made {
        let Ok(serde_json::Value::Object(row)) = serde_json::from_slice(&record.payload) else {
            invalid += 1;
            continue;
        };
        let number = match row.get("value") {
            Some(serde_json::Value::Number(number)) => number.as_f64(),
            _ => None,
        };
        let is_negative = number.is_some_and(|number| number < 0.0);
        let has_no_id = row.get("id").is_none_or(serde_json::Value::is_null);
        negative += u64::from(is_negative);
        no_id += u64::from(has_no_id);
        let has_length = |id: &str| (1..=64).contains(&id.chars().count());
        let id = row.get("id").and_then(|id| id.as_str()).is_some_and(has_length);
        let text = row.get("event_ts").and_then(|time| time.as_str()).unwrap_or_default();
        let format = &time::format_description::well_known::Rfc3339;
        let time = time::OffsetDateTime::parse(text, format).ok();
        let is_in_time = time.is_some_and(|time| {
            time.unix_timestamp_nanos() / 1_000_000 <= i128::from(record.timestamp_ms) + 300_000
        });
        invalid += u64::from(!(number.is_some() && !is_negative && id && is_in_time));
    }
    let count = |wanted: &str| summary.by_rule(Severity::Fail).find(|(id, _)| *id == wanted).unwrap().1;
    assert_eq!((count("amount.negative"), count("id.not_null")), (negative, no_id));
    assert_eq!(summary.invalid_count(), invalid);
}

#[test]
fn good_records_keep_all_rules() {
    let rules = rules_of(ALL);
    let good = SeedOptions { bad_ratio: 0.0, warn_ratio: 0.0, ..options(5) };
    let (made, summary) = records(&rules, good, 500);
    assert_eq!((summary.valid_count(), summary.invalid_count()), (500, 0));
    assert!(summary.by_rule(Severity::Warn).all(|(_, count)| count == 0));
    let keys: std::collections::HashSet<_> = made.iter().map(|record| record.key.clone().unwrap()).collect();
    assert_eq!(keys.len(), 500);
}

#[test]
fn a_file_log_gets_json_alone() {
    let rules = sales();
    let (made, summary) = records(&rules, SeedOptions { is_json_only: true, ..options(2) }, 1000);
    assert!(made.iter().all(|record| serde_json::from_slice::<serde_json::Value>(&record.payload).is_ok()));
    assert!(summary.by_rule(Severity::Fail).any(|(id, count)| id == "json" && count > 0));
}

#[test]
fn rules_that_exclude_each_other_are_told() {
    let text = ALL
        .replace("weight < 5000.0", "weight < -1.0")
        .replace("when: \"paid\", severity: warn", "when: \"TRUE\"");
    let rules = rules_of(&text);
    let error = Seeder::new(&rules, options(1)).unwrap().next_record().unwrap_err();
    assert!(matches!(&error, SeedError::NoneValid { rules, .. } if !rules.is_empty()), "{error}");
}

#[test]
fn the_notes_messages() {
    let rules = sales();
    let mut seeder = Seeder::new(&rules, options(1)).unwrap();
    SAMPLES.iter().for_each(|sample| _ = seeder.sample(sample));
    let summary = seeder.summary();
    assert_eq!((summary.valid_count(), summary.invalid_count()), (2, 3));
    let broken: Vec<_> = summary.by_rule(Severity::Fail).filter(|(_, count)| *count > 0).collect();
    assert_eq!(broken, [("event_ts.not_null", 1), ("amount.negative", 2)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_same_seed_makes_the_same_records(seed: u64) {
        let rules = sales();
        let (first, summary) = records(&rules, options(seed), 60);
        let (again, same) = records(&rules, options(seed), 60);
        prop_assert_eq!(&first, &again);
        prop_assert_eq!(summary, same);
        let (other, _) = records(&rules, options(seed.wrapping_add(1)), 60);
        prop_assert_ne!(first, other);
    }

    #[test]
    fn texts_hold_their_pattern(seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for pattern in [r"^\d{2,4}-(a|bc)?[^x]$", "é+z", "^[A-Za-z0-9._%+-]+@[a-z]{1,3}$", r"\.\s\w", "^$", "[^a-z]"] {
            let pattern = Pattern::new(pattern).unwrap();
            let text = text::holding(&pattern, &mut random).unwrap();
            prop_assert!(pattern.is_in(&text), "{:?} {}", pattern, text);
        }
    }
}
