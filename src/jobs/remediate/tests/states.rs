//! Steps that are folded, limits, policies, settings.

use serde_json::json;

use super::world::{NOW, S, key, read_rules, rules, standings, step, verdict};
use crate::jobs::drift::Side;
use crate::jobs::remediate::book::Book;
use crate::jobs::remediate::limits::{Room, room};
use crate::jobs::remediate::policy::Policy;
use crate::jobs::remediate::step::{Step, StepKind};
use crate::jobs::remediate::{RemediateRules, Winner};

use StepKind::{Applied, Approved, Escalated, Expired, Failed, Proposed, Rejected};

/// Which steps of a sequence count, and the state behind it.
fn fold(kinds: &[StepKind]) -> (Vec<bool>, Option<StepKind>) {
    let verdict = verdict(1, "MISSING_CLOUD", 7, &[(Side::Onprem, "c")]);
    let mut book = Book::default();
    let steps: Vec<Step> =
        (0..).zip(kinds).map(|(at_ms, kind)| step(&verdict, Side::Onprem, *kind, at_ms)).collect();
    let counts = steps.iter().map(|step| book.take(step)).collect();
    (counts, book.entries().first().map(|entry| entry.state()))
}

#[test]
fn a_step_counts_where_it_can() {
    for (kinds, counts, state) in [
        (&[Proposed, Approved, Applied][..], &[true, true, true][..], Some(Applied)),
        // Nothing is approved, applied or rejected that was not proposed.
        (&[Approved, Applied, Rejected], &[false, false, false], None),
        (&[Proposed, Applied], &[true, false], Some(Proposed)),
        (&[Proposed, Rejected, Approved, Proposed], &[true, true, false, false], Some(Rejected)),
        (&[Proposed, Approved, Rejected, Applied], &[true, true, true, false], Some(Rejected)),
        // What failed may be applied again; what is applied stays so.
        (
            &[Proposed, Approved, Failed, Failed, Applied, Applied, Expired],
            &[true, true, true, true, true, false, false],
            Some(Applied),
        ),
        (
            &[Proposed, Expired, Approved, Proposed, Approved],
            &[true, true, false, true, true],
            Some(Approved),
        ),
        (
            &[Proposed, Approved, Applied, Escalated, Proposed, Approved],
            &[true, true, true, true, false, false],
            Some(Escalated),
        ),
        // Told twice, as by two that propose at once.
        (&[Proposed, Proposed, Approved, Approved], &[true, false, true, false], Some(Approved)),
    ] {
        assert_eq!(fold(kinds), (counts.to_vec(), state), "{kinds:?}");
    }
}

#[test]
fn a_step_as_it_is_written() {
    let verdict = verdict(1, "MISSING_CLOUD", 7, &[(Side::Onprem, "c")]);
    let step = step(&verdict, Side::Onprem, Proposed, 9);
    // SHA-256 of ["shop.orders",{"cust":"ada","id":1},7,"MISSING_CLOUD","onprem","onprem-1-7"].
    let expected = json!({
        "id": "11c201788d15", "step": "PROPOSED", "table": "shop.orders", "key": { "cust": "ada", "id": 1 },
        "target": "cloud", "at_ms": 9, "by": "ada", "reason": null,
        "proposal": {
            "status": "MISSING_CLOUD", "version_us": 7, "source": "onprem", "topic": "onprem.cdc.shop.orders",
            "partition": 0, "offset": 1, "event_id": "onprem-1-7", "op": "c", "onprem_hash": "11", "cloud_hash": null,
            "onprem_event_id": "onprem-1-7", "cloud_event_id": null, "columns": ["a"], "first_seen_us": 5,
            "decided_us": 1_799_999_940_000_000_i64,
        },
    });
    assert_eq!(serde_json::to_string(&step).unwrap(), expected.to_string());
    assert_eq!(step.record_key(), r#"{"table":"shop.orders","key":{"cust":"ada","id":1}}"#);
    assert_eq!(serde_json::from_value::<Step>(expected).unwrap(), step);
}

#[test]
fn verdicts_that_stand() {
    let mut found = standings(&[verdict(1, "DRIFT", 7, &[]), verdict(2, "MISSING_CLOUD", 7, &[])]);
    let take =
        |found: &mut crate::jobs::remediate::standing::Standings, table: &str, key, value: Option<String>| {
            let key = json!({ "table": table, "key": key }).to_string();
            found.take("shop.orders", key.as_bytes(), value.as_deref().map(str::as_bytes)).unwrap();
        };
    take(&mut found, "shop.other", key(3), Some(verdict(3, "DRIFT", 7, &[]).to_string()));
    take(&mut found, "shop.orders", key(1), None);
    let unknown = json!({ "table": "shop.orders", "key": null, "version_us": null, "status": "UNKNOWN", "evidence": {} });
    assert_eq!((found.iter().count(), found.is_unknown), (1, false));
    take(&mut found, "shop.orders", json!(null), Some(unknown.to_string()));
    assert!(found.is_unknown && found.of(&key(2)).is_some() && found.of(&key(1)).is_none());
    take(&mut found, "shop.orders", json!(null), None);
    assert!(!found.is_unknown);
    assert!(found.take("shop.orders", b"{", None).is_err());
}

#[test]
fn limits() {
    let rules =
        RemediateRules { per_minute: 2, per_incident: 3, incident_s: 600, ..RemediateRules::default() };
    let at = |applied: &[i64]| room(applied, NOW, &rules);
    assert_eq!(at(&[]), Room::Open);
    assert_eq!(at(&[NOW - 61 * S, NOW - S]), Room::Open);
    assert_eq!(at(&[NOW - 60 * S, NOW - S]), Room::Open);
    assert_eq!(at(&[NOW - 59 * S, NOW - S]), Room::Minute(NOW + S));
    assert_eq!(at(&[NOW - 599 * S, NOW - 300 * S, NOW - 200 * S]), Room::Incident(NOW + S));
    assert_eq!(
        at(&[NOW - 599 * S, NOW - 598 * S, NOW - 300 * S, NOW - 200 * S]),
        Room::Incident(NOW + 2 * S)
    );
    assert_eq!(at(&[NOW - 601 * S, NOW - 300 * S, NOW - 200 * S]), Room::Open);
}

const POLICY: &str = "\
name: nightly
max_per_run: 2
kinds: [MISSING_CLOUD, DRIFT]
tables: [shop.orders]
older_than: 1m
";

#[test]
fn a_policy_approves_what_it_says() {
    let mut book = Book::default();
    let mut propose = |id, status, source| {
        let step = step(&verdict(id, status, 7, &[(source, "c")]), source, Proposed, id);
        assert!(book.take(&step));
        step.id
    };
    let first = propose(1, "MISSING_CLOUD", Side::Onprem);
    let other_kind = propose(2, "MISSING_ONPREM", Side::Cloud);
    let second = propose(3, "DRIFT", Side::Cloud);
    let third = propose(4, "MISSING_CLOUD", Side::Onprem);
    let chosen = |policy: &Policy, now_ms| -> Vec<String> {
        policy.choose(&book.entries(), now_ms).iter().map(|entry| entry.id.clone()).collect()
    };
    let policy = Policy::read("p", POLICY).unwrap();
    assert_eq!(chosen(&policy, NOW), [first.clone(), second.clone()]);
    assert_eq!(chosen(&policy, NOW - 1), [""; 0], "the verdicts are a minute old");
    let more = Policy::read("p", &POLICY.replace("per_run: 2", "per_run: 9")).unwrap();
    assert_eq!(chosen(&more, NOW), [first, second, third]);
    assert!(!chosen(&more, NOW).contains(&other_kind));
    let elsewhere = Policy::read("p", &POLICY.replace("shop.orders", "shop.other")).unwrap();
    assert_eq!(chosen(&elsewhere, NOW), [""; 0]);
    assert!(policy.by().starts_with("policy nightly ") && policy.by() != more.by());
}

#[test]
fn a_policy_says_it_all() {
    for (from, to, word) in [
        ("older_than: 1m\n", "", "older_than is missing"),
        ("max_per_run: 2\n", "", "max_per_run is missing"),
        ("max_per_run: 2", "max_per_run: 0", "from 1"),
        ("DRIFT]", "INCOMPARABLE]", "INCOMPARABLE is none of"),
        ("tables: [shop.orders]\n", "", "tables is missing"),
        ("name: nightly", "name: nightly\nall: true", "all"),
        ("name: nightly", "name: \"night\\nly\"", "control characters"),
        ("name", ": [", ""),
    ] {
        let found = Policy::read("p", &POLICY.replace(from, to)).unwrap_err();
        assert!(found.iter().any(|finding| finding.message.contains(word)), "{to}: {found:?}");
    }
}

#[test]
fn settings_and_their_defaults() {
    let (usual, _, _) = rules("");
    assert_eq!(usual.remediate, RemediateRules::default());
    let (set, _, _) = rules(
        "remediate:\n  winner: cloud\n  older_than: 5s\n  expire: 1h\n  max_age: 2d\n  per_minute: 7\n  per_incident: 8\n  \
         incident: 3h\n  loop_window: 4h\n  withheld: [b, days]\n",
    );
    let expected = RemediateRules {
        winner: Winner::Side(Side::Cloud),
        older_than_s: Some(5),
        expire_s: 3600,
        max_age_s: 2 * 86_400,
        per_minute: 7,
        per_incident: 8,
        incident_s: 3 * 3600,
        loop_window_s: 4 * 3600,
        withheld: vec!["b".to_owned(), "days".to_owned()],
    };
    assert_eq!(set.remediate, expected);
    assert_eq!(set.rules_version, usual.rules_version, "repairs decide about no record");
    for (more, word) in [
        ("remediate: {winner: newer}\n", "did you mean newest?"),
        ("remediate: {per_minute: 0}\n", "per_minute: expected a whole number"),
        ("remediate: {expires: 1h}\n", "did you mean expire?"),
        ("remediate: {withheld: [day]}\n", "did you mean days?"),
        ("remediate: {withheld: [cust]}\n", "withheld: \"cust\" is not known; allowed: a, b, tags"),
    ] {
        let found = read_rules(more).1;
        assert!(found.iter().any(|finding| finding.message.contains(word)), "{more}: {found:?}");
    }
}

/// What fails ends a run: it must not keep from being written what was approved later.
#[test]
fn what_failed_comes_behind_the_others() {
    let mut book = Book::default();
    for (id, kinds) in [
        (1, &[Proposed, Approved, Failed][..]),
        (2, &[Proposed, Approved]),
        (3, &[Proposed]),
        (4, &[Proposed, Approved]),
    ] {
        let verdict = verdict(id, "MISSING_CLOUD", 7, &[(Side::Onprem, "c")]);
        for kind in kinds {
            assert!(book.take(&step(&verdict, Side::Onprem, *kind, NOW + id)));
        }
    }
    let ids: Vec<i64> =
        book.approved(Side::Cloud).iter().map(|entry| entry.key["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [2, 4, 1]);
    assert_eq!(book.approved(Side::Onprem), Vec::<&crate::jobs::remediate::book::Entry>::new());
}
