//! `max_event_ids` of a rules file holds in each job on a CDC topic, and goes on from a state that was saved under another.

use serde_json::{Value, json};

use super::dq;
use crate::jobs::engine::EngineError;
use crate::jobs::engine::audit::AuditJob;
use crate::jobs::engine::dq::{Destination, DqJob};
use crate::jobs::engine::hash::HashJob;
use crate::jobs::engine::job::Job;
use crate::jobs::engine::outlet::Output;
use crate::jobs::engine::record::{InputRecord, OutputRecord, TableRow};
use crate::jobs::environment::Environment;
use crate::jobs::rules::TableRules;

const RULES: &str = "
table: sales.events
source: {kind: cdc}
sink: none
columns:
  id: {type: text}
key: [id]
version: write_time
hash: {kind: v1}
audit: true
";

struct Nowhere;

impl Output for Nowhere {
    fn record(&mut self, _: &OutputRecord<'_>) -> Result<(), EngineError> {
        Ok(())
    }

    fn row(&mut self, _: TableRow) -> Result<(), EngineError> {
        Ok(())
    }
}

type Make = fn(&TableRules, &Environment) -> Box<dyn Job>;

const JOBS: [Make; 3] = [
    |rules, environment| Box::new(DqJob::new(rules.clone(), environment, Destination::Nowhere).unwrap()),
    |rules, environment| Box::new(HashJob::new(rules, environment)),
    |rules, environment| Box::new(AuditJob::new(rules, environment)),
];

fn with(most: Option<u64>) -> (TableRules, Environment) {
    dq::project(&most.map_or(RULES.to_owned(), |most| format!("{RULES}max_event_ids: {most}\n")))
}

fn tell(job: &mut dyn Job, events: &str) {
    for event in events.chars() {
        let value = json!({"op": "c", "after": {"id": "a"}, "event_id": event, "source": {"ts_us": 1}});
        let record = InputRecord {
            input: 0,
            partition: 0,
            offset: 0,
            timestamp_ms: 0,
            key: None,
            value: Some(value.to_string().into_bytes()),
            headers: Vec::new(),
        };
        job.process(&record, &mut Nowhere).unwrap();
    }
}

/// Repeats, and ids that were forgotten before their time.
fn counts(job: &dyn Job) -> (Value, u64) {
    let report = job.report();
    let forgotten = report.samples.iter().find(|sample| sample.name.ends_with("_forgotten_ids_total"));
    (report.summary["repeats"].clone(), forgotten.unwrap().value)
}

#[test]
fn no_more_ids_than_the_rules_say() {
    for make in JOBS {
        let job = |most| {
            let (rules, environment) = with(most);
            make(&rules, &environment)
        };
        let mut two = job(Some(2));
        tell(&mut *two, "abcaa");
        assert_eq!(counts(&*two), (json!(1), 2), "c takes the place of a, and a that of b");
        let mut all = job(None);
        tell(&mut *all, "abcaa");
        assert_eq!(counts(&*all), (json!(2), 0));

        // From three remembered ids, and one more, two are left.
        let mut state = Vec::new();
        all.save(&mut state).unwrap();
        two.load(&state).unwrap();
        tell(&mut *two, "ddc");
        assert_eq!(counts(&*two), (json!(4), 2));
        tell(&mut *two, "a");
        assert_eq!(counts(&*two), (json!(4), 3));
    }
}

/// A journal is read under the limit that it was written under.
#[test]
fn another_limit_is_another_definition() {
    let of = |most| {
        let (rules, environment) = with(most);
        (rules.rules_version.clone(), AuditJob::new(&rules, &environment).definition())
    };
    let ((rules, trail), (other_rules, other_trail)) = (of(None), of(Some(2)));
    assert_ne!(rules, other_rules);
    assert_eq!(trail, "audit onprem.audit.sales.events id");
    assert_ne!(trail, other_trail);
}
