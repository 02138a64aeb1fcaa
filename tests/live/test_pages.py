"""An agent that says something else than what is there must be found out."""

import unittest

import checker
import pages
from output import Record

STARTED_US = 1_795_000_000_000_000
LATER_MS, EARLIER_MS = STARTED_US // 1000 + 5, STARTED_US // 1000 - 5
TEXT = """# HELP cdc_ready Whether
# TYPE cdc_ready gauge
cdc_ready 1
cdc_phase{phase="running"} 1
cdc_phase{phase="waiting_for_kafka"} 0
cdc_parked_mutations 0
cdc_errors_total 2
cdc_events_total{table="k.t",op="c"} 1
cdc_events_total{table="k.u",op="d"} 2
cdc_dead_letter_total 1
cdc_oversize_total 1
cdc_ledger_entries_total{kind="gap"} 1
cdc_ledger_entries_total{kind="segment_lost"} 1
cdc_time_to_full_seconds +Inf
"""


def change(event_id, ts_ms=LATER_MS, op="c"):
    value = {"op": op, "ts_ms": ts_ms, "event_id": event_id}
    return Record("p.cdc.k.t", 0, 0, {"id": event_id}, value, {"event_id": event_id})


def records():
    """What this start published, a heartbeat, and what an earlier one did."""
    gaps = [{"type": "gap", "ts_ms": ms, "is_loss": loss} for ms, loss in ((LATER_MS, True), (LATER_MS, False), (EARLIER_MS, True))]
    own = [Record("p.cdc.__control", 0, place, None, gap, {}) for place, gap in enumerate(gaps)]
    letters = [Record("p.cdc.__dead_letters", 0, 0, None, {"event_id": name, "ts_ms": ms}, {}) for name, ms in (("c", LATER_MS), ("x", EARLIER_MS))]
    return {
        ("p.cdc.k.t", 0): [change("a"), change("b"), change("before", EARLIER_MS), change("beat", op="m")],
        ("p.cdc.__control", 0): own, ("p.cdc.__dead_letters", 0): letters,
    }  # fmt: skip


def found(text=TEXT, ready=200, live=200, warned=(2, 2), repeats=False, **more):
    """What the comparison says."""
    verdict = checker.Verdict()
    seen = pages.Seen(pages.Metrics.of(text), (ready, "…"), (live, "…"), warned)
    pages.compare(seen, records(), STARTED_US, verdict, checker.Rules(repeats=repeats), **more)
    return verdict.faults.get("metrics", [])


class Compared(unittest.TestCase):
    def test_what_is_true_is_no_fault(self):
        self.assertEqual(found(wanted={"cdc_oversize_total": (1, 1), "cdc_time_to_full_seconds": (1, float("inf"))}), [])

    def test_everything_else_is(self):
        for old, new in (
            ("cdc_ready 1", "cdc_ready 0"), ('phase="running"} 1', 'phase="running"} 0'), ("cdc_parked_mutations 0", "cdc_parked_mutations 1"),
            ("cdc_errors_total 2", "cdc_errors_total 1"), ("cdc_errors_total 2", "cdc_errors_total 3"), ('op="c"} 1', 'op="c"} 2'), ('op="d"} 2', 'op="d"} 1'),
            ("cdc_dead_letter_total 1", "cdc_dead_letter_total 0"), ("cdc_dead_letter_total 1", "cdc_dead_letter_total 2"),
            ('kind="gap"} 1', 'kind="gap"} 2'), ('kind="segment_lost"} 1', 'kind="segment_lost"} 0'),
        ):  # fmt: skip
            self.assertIn(old, TEXT)
            self.assertEqual(len(found(TEXT.replace(old, new))), 1, new)
        self.assertEqual(len(found(ready=503)), 1)
        self.assertEqual(len(found(live=503)), 1)

    def test_what_the_scenario_knows_counts(self):
        self.assertEqual(len(found(wanted={"cdc_oversize_total": (2, 3)})), 1)
        self.assertEqual(len(found(wanted={"cdc_acl_denied_total": (1, 1)})), 1, "it is not served")

    def test_what_was_taken_away_counts(self):
        self.assertEqual(found(TEXT.replace('op="d"} 2', 'op="d"} 7'), taken_away=5), [])
        self.assertEqual(len(found(taken_away=5)), 1)

    def test_with_at_least_once_repeats_count_once(self):
        self.assertEqual(found(TEXT.replace('op="d"} 2', 'op="d"} 1'), repeats=True), [])
        self.assertEqual(len(found(TEXT.replace('op="d"} 2', 'op="d"} 3'), repeats=True)), 1)

    def test_warnings_are_found_in_both_forms_of_the_log(self):
        lines = [
            "2026-11-30T12:06:51.828299506Z error it is", "2026-11-30T12:06:51.828299506Z warn  it is", "2026-11-30T12:06:51.828299506Z info  an error in a name",
            '{"level":"warn","message":"it is","ts":"2026"}', '{"level":"info","message":"it is","ts":"2026"}',
        ]  # fmt: skip
        self.assertEqual(len(pages.WARNED.findall("\n".join(lines))), 3)


if __name__ == "__main__":
    unittest.main()
