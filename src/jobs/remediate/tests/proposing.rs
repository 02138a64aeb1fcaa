//! Which verdicts become proposals, and which somebody must look at.

use serde_json::{Value, json};

use super::world::{NOW, S, Written, found, insert, key, rules, standings, step, verdict};
use crate::jobs::drift::{Both, Side};
use crate::jobs::remediate::book::Book;
use crate::jobs::remediate::decide::Changes;
use crate::jobs::remediate::propose::{Found, Proposer};
use crate::jobs::remediate::standing::Standing;
use crate::jobs::remediate::step::{Step, StepKind};

use Side::{Cloud, Onprem};
use StepKind::{Applied, Approved, Expired, Proposed, Rejected};

/// The steps of a run at this time, over these verdicts and changes.
fn run(more: &str, verdicts: &[Value], written: &Written, book: &Book, now_ms: i64) -> (Vec<Step>, Found) {
    let (rules, drift, table) = rules(more);
    let standings = standings(verdicts);
    let proposer = Proposer { table: &table, rules: &rules.remediate, drift: &drift, now_ms };
    let fresh: Vec<Value> =
        proposer.fresh(&standings, book).iter().map(|standing| standing.key.clone()).collect();
    let changes = |standing: &Standing| -> Changes {
        assert!(fresh.contains(&standing.key), "its changes were not asked for");
        let of = |side| found(&table, written, standing, side);
        Both { onprem: of(Onprem), cloud: of(Cloud) }
    };
    proposer.steps(&standings, book, changes)
}

/// Step, side that is written to, key, and why, of each.
fn told(steps: &[Step]) -> Vec<(&'static str, &'static str, i64, String)> {
    let one = |step: &Step| {
        let id = step.key["id"].as_i64().unwrap();
        (step.step.name(), step.target.name(), id, step.reason.clone().unwrap_or_default())
    };
    steps.iter().map(one).collect()
}

fn words(steps: &[Step]) -> Vec<(&'static str, &'static str, i64)> {
    told(steps).into_iter().map(|(step, target, id, _)| (step, target, id)).collect()
}

fn missing_cloud(id: i64) -> Value {
    verdict(id, "MISSING_CLOUD", 7, &[(Onprem, "c")])
}

#[test]
fn what_one_side_lacks_is_proposed_from_the_other() {
    let verdicts = [
        missing_cloud(1),
        verdict(2, "MISSING_ONPREM", 7, &[(Cloud, "d")]),
        verdict(3, "INCOMPARABLE", 7, &[(Onprem, "c")]),
        verdict(4, "UNKNOWN", 7, &[]),
        verdict(5, "RESOLVED", 7, &[(Onprem, "c")]),
    ];
    let deletion = json!({ "op": "d", "ts_ms": 1, "before": key(2), "after": null, "source": { "ts_us": 7, "host_id": "h" } });
    let written = Written::from([((Onprem, 1), insert(1, 5, 7)), ((Cloud, 2), deletion)]);
    let (steps, found) = run("", &verdicts, &written, &Book::default(), NOW);
    assert_eq!(words(&steps), [("PROPOSED", "cloud", 1), ("PROPOSED", "onprem", 2)]);
    assert_eq!((found.proposed.len(), found.unconfirmed, found.young), (2, 3, 0));
    // They were decided a minute ago.
    let young = |more: &str| run(more, &verdicts, &written, &Book::default(), NOW).1.young;
    assert_eq!(young("remediate: {older_than: 60s}\n"), 0);
    assert_eq!(young("remediate: {older_than: 61s}\n"), 2);
    let young = run("", &verdicts, &written, &Book::default(), NOW - 40 * S - 1).1.young;
    assert_eq!(young, 2, "the grace of drift, 20 s, is the default");
}

/// Of two writes of one time Cassandra keeps the larger value (docs/drift.md, section 2).
#[test]
fn of_one_version_the_winner_is_what_cassandra_keeps() {
    let drift = |id| verdict(id, "DRIFT", 7, &[(Onprem, "c"), (Cloud, "c")]);
    let written = Written::from([
        ((Onprem, 1), insert(1, 5, 7)),
        ((Cloud, 1), insert(1, 6, 7)),
        ((Onprem, 2), insert(2, 6, 7)),
        ((Cloud, 2), insert(2, 5, 7)),
        ((Onprem, 3), insert(3, 5, 7)),
        ((Cloud, 3), insert(3, 5, 7)),
    ]);
    let verdicts = [drift(1), drift(2), drift(3)];
    let (steps, _) = run("", &verdicts, &written, &Book::default(), NOW);
    assert_eq!(
        words(&steps),
        [("PROPOSED", "onprem", 1), ("PROPOSED", "cloud", 2), ("ESCALATED", "cloud", 3)]
    );
    assert!(told(&steps)[2].3.contains("do not differ"), "{steps:?}");
    // Each side lacks a column of the other: two halves, one for each data centre.
    let mut both = written.clone();
    both.get_mut(&(Onprem, 1)).unwrap()["after"]["b"] = json!("x");
    let (steps, _) = run("", &verdicts[..1], &both, &Book::default(), NOW);
    assert_eq!(words(&steps), [("PROPOSED", "cloud", 1), ("PROPOSED", "onprem", 1)]);
    // A side that always wins, and whose write Cassandra does not keep, is a question.
    let (steps, _) = run("remediate: {winner: onprem}\n", &verdicts, &written, &Book::default(), NOW);
    assert_eq!(
        words(&steps),
        [("ESCALATED", "cloud", 1), ("PROPOSED", "cloud", 2), ("ESCALATED", "cloud", 3)]
    );
    assert!(told(&steps)[0].3.contains("write a newer version"), "{steps:?}");
}

#[test]
fn what_the_winner_lacks_is_a_question() {
    let verdicts = [missing_cloud(1), verdict(2, "MISSING_ONPREM", 9, &[(Cloud, "u")])];
    let written = Written::from([((Onprem, 1), insert(1, 5, 7)), ((Cloud, 2), insert(2, 5, 9))]);
    let (steps, _) = run("remediate: {winner: onprem}\n", &verdicts, &written, &Book::default(), NOW);
    assert_eq!(words(&steps), [("PROPOSED", "cloud", 1), ("ESCALATED", "onprem", 2)]);
    assert!(told(&steps)[1].3.contains("onprem wins, and lacks what cloud wrote"), "{steps:?}");
}

#[test]
fn a_change_that_is_gone_or_not_written_is_escalated() {
    let mut patched = insert(2, 5, 7);
    patched["patch"] = json!({ "tags": { "put": ["x"], "remove": [] } });
    let written = Written::from([((Onprem, 2), patched)]);
    let (steps, found) = run("", &[missing_cloud(1), missing_cloud(2)], &written, &Book::default(), NOW);
    assert_eq!(words(&steps), [("ESCALATED", "cloud", 1), ("ESCALATED", "cloud", 2)]);
    assert_eq!(found.escalated.len(), 2);
    assert!(told(&steps)[0].3.contains("not in its topic any more"), "{steps:?}");
    assert!(told(&steps)[1].3.contains("column tags"), "{steps:?}");
}

/// A book of one proposal for key 1, with these steps a minute ago and later.
fn book(steps: &[(StepKind, i64)]) -> Book {
    let mut book = Book::default();
    for (kind, at_ms) in steps {
        assert!(book.take(&step(&missing_cloud(1), Onprem, *kind, *at_ms)));
    }
    book
}

#[test]
fn nothing_is_proposed_twice() {
    let written = Written::from([((Onprem, 1), insert(1, 5, 7))]);
    for kinds in [
        &[(Proposed, NOW)][..],
        &[(Proposed, NOW), (Rejected, NOW)],
        &[(Proposed, NOW), (Approved, NOW), (Applied, NOW)],
    ] {
        let (steps, found) = run("", &[missing_cloud(1)], &written, &book(kinds), NOW);
        assert_eq!((steps, found.known), (Vec::new(), 1), "{kinds:?}");
    }
    let expired = book(&[(Proposed, NOW - 1), (Expired, NOW)]);
    let (steps, _) = run("", &[missing_cloud(1)], &written, &expired, NOW);
    assert_eq!(words(&steps), [("PROPOSED", "cloud", 1)]);
}

#[test]
fn what_does_not_stand_expires() {
    let written = Written::from([((Onprem, 1), insert(1, 5, 7))]);
    let open = book(&[(Proposed, NOW)]);
    let newer = verdict(1, "MISSING_CLOUD", 8, &[(Onprem, "c")]);
    for verdicts in [&[][..], &[newer]] {
        let (steps, _) = run("", verdicts, &written, &open, NOW);
        assert_eq!(words(&steps)[0], ("EXPIRED", "cloud", 1));
        assert!(told(&steps)[0].3.contains("does not stand"), "{steps:?}");
    }
    let day = 86_400 * S;
    assert_eq!(run("", &[missing_cloud(1)], &written, &open, NOW + day).0, []);
    let (steps, _) = run("", &[missing_cloud(1)], &written, &open, NOW + day + 1);
    assert_eq!(words(&steps), [("EXPIRED", "cloud", 1)]);
    let applied = book(&[(Proposed, NOW), (Approved, NOW), (Applied, NOW)]);
    assert_eq!(run("", &[], &written, &applied, NOW + day + 1).0, []);
}

#[test]
fn a_key_that_drifts_again_is_escalated() {
    let applied = book(&[(Proposed, NOW), (Approved, NOW), (Applied, NOW)]);
    let again = [verdict(1, "MISSING_CLOUD", 8, &[(Onprem, "c")])];
    let written = Written::from([((Onprem, 1), insert(1, 5, 8))]);
    let hour = 3600 * S;
    let at = |now_ms| run("remediate: {loop_window: 1h}\n", &again, &written, &applied, now_ms);
    let (steps, _) = at(NOW + hour);
    assert_eq!(words(&steps), [("ESCALATED", "cloud", 1)]);
    assert!(told(&steps)[0].3.contains("repaired already (11c201788d15), and drifts again"), "{steps:?}");
    assert_eq!(words(&at(NOW + hour + 1).0), [("PROPOSED", "cloud", 1)]);
    // What was escalated is proposed when the window is over, and once.
    let mut book = applied.clone();
    assert!(book.take(&steps[0]));
    let known = |book: &Book, now_ms| run("remediate: {loop_window: 1h}\n", &again, &written, book, now_ms);
    assert_eq!((known(&book, NOW + hour).0, known(&book, NOW + hour).1.known), (Vec::new(), 1));
    let (anew, _) = known(&book, NOW + hour + 1);
    assert_eq!(words(&anew), [("PROPOSED", "cloud", 1)]);
    assert!(book.take(&anew[0]) && !book.take(&anew[0]));
    assert_eq!(known(&book, NOW + hour + 2).0, []);
    // Another key is another matter, and so is the other half of the same version.
    let other = [missing_cloud(2)];
    let written = Written::from([((Onprem, 2), insert(2, 5, 7))]);
    assert_eq!(words(&run("", &other, &written, &applied, NOW).0), [("PROPOSED", "cloud", 2)]);
    let half = [verdict(1, "MISSING_ONPREM", 7, &[(Cloud, "c")])];
    let written = Written::from([((Cloud, 1), insert(1, 5, 7))]);
    assert_eq!(words(&run("", &half, &written, &applied, NOW).0), [("PROPOSED", "onprem", 1)]);
}

/// An escalation for another reason is a question that time does not answer.
#[test]
fn what_cannot_be_written_stays_escalated() {
    let mut patched = insert(1, 5, 7);
    patched["patch"] = json!({ "tags": { "put": ["x"], "remove": [] } });
    let written = Written::from([((Onprem, 1), patched)]);
    let (steps, _) = run("", &[missing_cloud(1)], &written, &Book::default(), NOW);
    let mut book = Book::default();
    assert!(book.take(&steps[0]));
    let (steps, found) = run("", &[missing_cloud(1)], &written, &book, NOW + 6 * 86_400 * S);
    assert_eq!((steps, found.known), (Vec::new(), 1));
}

/// The verdicts were made a minute ago.
#[test]
fn what_is_older_than_max_age_is_not_proposed() {
    let written = Written::from([((Onprem, 1), insert(1, 5, 7)), ((Onprem, 2), insert(2, 5, 7))]);
    let verdicts = [missing_cloud(1), missing_cloud(2)];
    let at = |max_age: &str, book: &Book| {
        run(&format!("remediate: {{max_age: {max_age}}}\n"), &verdicts, &written, book, NOW)
    };
    let (steps, found) = at("60s", &Book::default());
    assert_eq!((steps.len(), found.old), (2, 0));
    let (steps, found) = at("59s", &Book::default());
    assert_eq!((steps, found.old, found.left), (Vec::new(), 2, 0));
    // What is proposed expires, as when it is applied, and is not proposed again.
    let mut open = book(&[(Proposed, NOW)]);
    let (steps, found) = at("59s", &open);
    assert_eq!((words(&steps), found.old), (vec![("EXPIRED", "cloud", 1)], 1));
    assert!(told(&steps)[0].3.contains("older than max_age"), "{steps:?}");
    assert!(open.take(&steps[0]));
    assert_eq!(at("59s", &open).0, []);
}

/// Tolerance 10 s, grace 20 s, and the age of a proposal, 20 s.
#[test]
fn a_repair_without_effect_is_escalated() {
    let applied = book(&[(Proposed, NOW), (Approved, NOW), (Applied, NOW)]);
    let none = Written::new();
    assert_eq!(run("", &[missing_cloud(1)], &none, &applied, NOW + 50 * S).0, []);
    let (steps, _) = run("", &[missing_cloud(1)], &none, &applied, NOW + 50 * S + 1);
    assert_eq!(words(&steps), [("ESCALATED", "cloud", 1)]);
    assert!(told(&steps)[0].3.contains("stands all the same"), "{steps:?}");
}

#[test]
fn an_incident_is_not_proposed_as_a_whole() {
    let verdicts: Vec<Value> = (1..=5).map(missing_cloud).collect();
    let written: Written = (1..=5).map(|id| ((Onprem, id), insert(id, 5, 7))).collect();
    let more = "remediate: {per_incident: 3}\n";
    let (steps, found) = run(more, &verdicts, &written, &Book::default(), NOW);
    assert_eq!((steps.len(), found.left), (3, 2));
    let (steps, found) = run(more, &verdicts, &written, &book(&[(Proposed, NOW)]), NOW);
    assert_eq!((steps.len(), found.known, found.left), (2, 1, 2), "what is open counts");
}
