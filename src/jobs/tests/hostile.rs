use proptest::prelude::*;

use super::with_rules;
use crate::jobs::judge::Verdict;
use crate::jobs::pattern::Pattern;
use crate::jobs::record::Record;
use crate::jobs::seen::InMemory;
use crate::jobs::yaml;

const RULES: &str = "
  - {rule: required, column: paid}
  - {rule: range, column: price, min: 0.01, max: 9.99}
  - {rule: range, column: amount, min: -1e300, exclusive: true}
  - {rule: length, column: id, min: 1, max: 3}
  - {rule: regex, column: id, pattern: '^(?:[a-z]|é){0,5}.$'}
  - {rule: freshness, column: at, max_age: 3650d}
  - {rule: future, column: at, tolerance: 1s}
  - {rule: enum, column: pieces, values: [0, -1, 2147483647], severity: warn}
  - {rule: unique, columns: [id, at, price, paid, day, ref, pieces], within: 1s, max_values: 2}
  - {rule: expression, id: e, expression: 'pieces * 9223372036854775807 + 1 > amount / 0e0 OR TRIM(id) IS NULL'}
  - {rule: expression, id: f, expression: 'TIMESTAMPADD(DAY, -24000, at) < kafka_ts', when: 'COALESCE(paid, TRUE)'}";

/// JSON around the columns' names, as bad as it gets.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        "[0-9]{1,40}(\\.[0-9]{1,40})?([eE][-+]?[0-9]{1,12})?",
        "\"[0-9T:Z.+-]{0,30}\"",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        "\"(\\\\u[0-9a-fA-F]{4}){0,4}\"",
        "[\\[{\"]{0,3}",
        Just("{\"a\":[1]}".to_owned()),
    ];
    let name =
        prop::sample::select(vec!["id", "at", "value", "price", "pieces", "paid", "day", "ref", "\\ud800"]);
    let field = (name, scalar).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let object = prop::collection::vec(field, 0..12).prop_map(|fields| format!("{{{}}}", fields.join(",")));
    prop_oneof![
        8 => object.prop_map(String::into_bytes),
        1 => any::<Vec<u8>>(),
        1 => any::<String>().prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_record_has_one_verdict(payload in payload(), timestamp_ms in any::<i64>()) {
        let rules = with_rules(RULES);
        let record = Record { payload: Some(&payload), timestamp_ms, partition: 0, offset: 0 };
        let first = rules.judge(&record, &mut InMemory::default());
        prop_assert_eq!(&first, &rules.judge(&record, &mut InMemory::default()));
        // What is printed as SQL is TRUE where the verdict names the rule.
        let row = rules.parse(std::str::from_utf8(&payload).ok(), &record);
        let named: Vec<&str> = match &first {
            Verdict::Valid { warnings, .. } => warnings.clone(),
            Verdict::Invalid { failed, warnings } => failed.iter().chain(warnings).copied().collect(),
            Verdict::NotJudged => Vec::new(),
        };
        for (rule, failing) in rules.rules.iter().filter_map(|rule| Some((rule, rule.failing()?))) {
            let is_named = named.contains(&rule.id.as_str());
            prop_assert_eq!(failing.truth(&row) == Some(true), is_named, "{}", rule.id);
        }
        match &first {
            Verdict::Invalid { failed, .. } => prop_assert!(!failed.is_empty()),
            Verdict::Valid { row, .. } => {
                // What is written has its key and version.
                prop_assert!(row[0].is_some() && row[1].is_some());
            }
            Verdict::NotJudged => prop_assert!(false, "a business topic"),
        }
    }

    #[test]
    fn files_and_patterns_never_end_the_program(text in any::<String>(), near in "[-\\[\\]{}:, &*!|>'\"#\n a-c0-9.]{0,60}") {
        let _ = yaml::parse(&text);
        if let Ok(root) = yaml::parse(&near) {
            let findings = std::cell::RefCell::new(crate::jobs::finding::Findings::new("x"));
            let rules = crate::jobs::rules::read(&root, &super::bundled(), &findings);
            prop_assert!(rules.is_none());
            crate::jobs::environment::read(&root, &findings);
            prop_assert!(!findings.into_inner().is_empty());
        }
        let _ = Pattern::new(&text);
        let _ = Pattern::new(&near);
        let _ = crate::jobs::expression::parse(&text, crate::jobs::expression::Scope(&[]));
    }

    #[test]
    fn words_in_any_order_are_no_panic(words in prop::collection::vec(prop::sample::select(vec![
        "a", "b", "(", ")", "AND", "OR", "NOT", "IS", "NULL", "IN", ",", "1", "2.5", "'x'", "=", "<", "BETWEEN", "CASE", "WHEN",
        "THEN", "ELSE", "END", "COALESCE", "CHAR_LENGTH", "+", "/", "-", "TIMESTAMP", "TIMESTAMPADD", "DAY", "kafka_ts", "`a`",
    ]), 0..15)) {
        use crate::jobs::value::Type;
        let scope = [("a", Type::Integer), ("b", Type::Text)];
        let _ = crate::jobs::expression::parse(&words.join(" "), crate::jobs::expression::Scope(&scope));
    }
}
