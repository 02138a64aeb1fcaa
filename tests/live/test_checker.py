"""The checker must be able to fail: histories by hand, whole and broken."""

import json
import tempfile
import unittest
from pathlib import Path

import checker
import fold
import workload
from checker import Rules, Verdict, check
from events import event
from output import FileOutput, Record

HOST = "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47"
TOPIC = "onprem.cdc.ks.plain"


def write(number, ts, key="a", acked=True, **more):
    """A line pair of a log, as workload.read gives it."""
    found = {"n": number, "intent_us": ts, "events": [event("ks.plain", "c", {"id": key}, ts, after={"v": f"v{number}"})], **more}
    if acked:
        found["acked_us"] = ts + 5
    return found


def record(offset, number, ts, key="a", entry=None, host=HOST, late=False, segment=7, topic=TOPIC, **more):
    source = {
        "host_id": host, "keyspace": "ks", "table": "plain", "ts_us": ts, "file": f"CommitLog-7-{segment}.log", "pos": 100,
        "entry": offset if entry is None else entry, "row": 0, "late": late,
    }  # fmt: skip
    value = {"op": "c", "ts_ms": 5, "before": None, "after": {"id": key, "v": f"v{number}"}, "event_id": f"{ts:032}", "source": source, **more}
    return Record(topic, 0, offset, {"id": key}, value, {"event_id": f"{ts:032}"})


def heartbeat(offset, wm_us):
    source = {"host_id": HOST, "keyspace": "ks", "table": "plain", "ts_us": None, "file": None, "pos": None, "entry": None, "row": None, "late": False}
    return Record(TOPIC, 0, offset, {"heartbeat": HOST}, {"op": "m", "ts_ms": 5, "source": source, "wm_us": wm_us}, {})


WRITES = {1: write(1, 1000), 2: write(2, 2000), 3: write(3, 3000, "b")}
RECORDS = [record(0, 1, 1000), record(1, 2, 2000), record(2, 3, 3000, "b")]


class History(unittest.TestCase):
    def faults(self, records, writes=None, **rules):
        places = {}
        for found in records:
            places.setdefault((found.topic, found.partition), []).append(found)
        return set(check(WRITES if writes is None else writes, places, Rules(**rules)).faults)

    def test_a_whole_history_passes(self):
        self.assertEqual(self.faults(RECORDS), set())

    def test_a_lost_write(self):
        self.assertEqual(self.faults(RECORDS[:2]), {"lost"})
        self.assertEqual(self.faults([]), {"lost"})

    def test_a_write_that_one_of_two_nodes_lacks(self):
        self.assertEqual(self.faults(RECORDS, hosts={HOST, "other"}), {"lost"})
        more = [record(number, number, ts, key, host="other") for number, ts, key in ((1, 1000, "a"), (2, 2000, "a"), (3, 3000, "b"))]
        self.assertEqual(self.faults(RECORDS + more, hosts={HOST, "other"}), set())
        self.assertEqual(self.faults(RECORDS + more), {"foreign node"})

    def test_nodes_that_each_publish_a_part(self):
        parts = [RECORDS[0], RECORDS[1], record(2, 3, 3000, "b", host="other")]
        self.assertEqual(self.faults(parts, merged=True), set())
        self.assertEqual(self.faults([*RECORDS, record(3, 3, 3000, "b", host="other")], merged=True), {"doubled"})

    def test_a_record_that_is_there_twice(self):
        self.assertEqual(self.faults([*RECORDS, record(3, 3, 3000, "b", entry=2)]), {"doubled", "out of order"})
        self.assertEqual(self.faults([*RECORDS, record(3, 3, 3000, "b", entry=2)], repeats=True), set())

    def test_a_record_that_is_there_twice_at_two_positions(self):
        again = record(3, 3, 3000, "b", entry=9)
        self.assertEqual(self.faults([*RECORDS, again]), {"doubled"})
        self.assertEqual(self.faults([*RECORDS, again], logged_twice=True), set())

    def test_two_records_of_one_position(self):
        other = record(2, 4, 4000, "c", entry=2)
        self.assertEqual(self.faults([*RECORDS, other], {**WRITES, 4: write(4, 4000, "c")}), {"two events at a position"})

    def test_an_invented_record(self):
        self.assertEqual(self.faults([*RECORDS, record(3, 4, 4000)]), {"invented"})
        self.assertEqual(self.faults([*RECORDS, record(3, 1, 1000, "other key")]), {"invented"})
        self.assertEqual(self.faults([*RECORDS, record(3, 4, 4000)], foreign=True), set())

    def test_a_record_of_a_write_that_the_node_refused(self):
        self.assertEqual(self.faults(RECORDS, {**WRITES, 3: write(3, 3000, "b", acked=False, refused="no")}), {"invented"})

    def test_a_write_of_which_nobody_knows_may_be_there_or_not(self):
        writes = {**WRITES, 4: write(4, 4000, acked=False, maybe="timeout")}
        self.assertEqual(self.faults(RECORDS, writes), set())
        self.assertEqual(self.faults([*RECORDS, record(3, 4, 4000)], writes), set())
        self.assertEqual(self.faults([*RECORDS, record(3, 4, 4000), record(4, 4, 4000)], writes), {"doubled"})

    def test_a_write_that_a_killed_node_may_have_forgotten(self):
        self.assertEqual(self.faults(RECORDS[:2], forgotten=(3000, 3010)), set())
        self.assertEqual(self.faults(RECORDS[:2], forgotten=(3006, 3010)), {"lost"})

    def test_another_value(self):
        self.assertEqual(self.faults([*RECORDS[:2], record(2, 99, 3000, "b")]), {"wrong content"})

    def test_another_event_id_in_the_header(self):
        wrong = Record(TOPIC, 0, 2, {"id": "b"}, RECORDS[2].value, {"event_id": "0" * 32})
        self.assertEqual(self.faults([*RECORDS[:2], wrong]), {"wrong header"})

    def test_the_order_of_a_key(self):
        swapped = [record(0, 2, 2000, entry=1), record(1, 1, 1000, entry=0), RECORDS[2]]
        self.assertEqual(self.faults(swapped), {"out of order"})
        other = [record(0, 3, 3000, "b", entry=2), record(1, 1, 1000, entry=0), record(2, 2, 2000, entry=1)]
        self.assertEqual(self.faults(other), set(), "another key may come first")
        older = [record(0, 1, 1000, segment=8), record(1, 2, 2000, segment=7), RECORDS[2]]
        self.assertEqual(self.faults(older), {"out of order"})

    def test_a_watermark_that_passes_a_record(self):
        self.assertEqual(self.faults([*RECORDS[:2], heartbeat(2, 3004), record(3, 3, 3000, "b")]), set())
        self.assertEqual(self.faults([*RECORDS[:2], heartbeat(2, 3006), record(3, 3, 3000, "b")]), {"watermark passed a record"})
        self.assertEqual(self.faults([*RECORDS, heartbeat(3, 9000), heartbeat(4, 8000)]), {"watermark goes back"})
        self.assertEqual(self.faults([*RECORDS, heartbeat(3, None)]), {"heartbeat without a watermark"})

    def test_the_beginning_of_a_table(self):
        first, pointing = heartbeat(4, 8000), heartbeat(0, 500)
        pointing.value["source"]["file"] = "CommitLog-7-1.log"
        rows = [record(1, 1, 1000), record(2, 2, 2000), record(3, 3, 3000, "b")]
        faults = lambda *records: self.faults(records, begins=True)
        self.assertEqual(faults(pointing, *rows, first), set())
        self.assertEqual(faults(*rows, first), {"beginning"})
        self.assertEqual(faults(rows[0], pointing, *rows[1:]), {"beginning"})
        self.assertEqual(faults(pointing, *rows, pointing), {"beginning"})

    def test_tables_that_are_not_looked_at(self):
        self.assertEqual(self.faults([], tables={"ks.other"}), set())


class Folder(unittest.TestCase):
    def faults(self, names, indexes, finished=None):
        verdict = Verdict()
        checker.check_folder(names, indexes, finished, verdict)
        return [text.split()[0] for text in verdict.faults["left in cdc_raw"]]

    def test_what_may_stay(self):
        names = ["CommitLog-7-1.log", "CommitLog-7-1_cdc.idx", "CommitLog-7-2.log"]
        self.assertEqual(self.faults(names, {"CommitLog-7-1_cdc.idx": "4096\n"}), [])

    def test_what_must_be_gone(self):
        names = ["CommitLog-7-1.log", "CommitLog-7-1_cdc.idx", "CommitLog-7-3_cdc.idx", "lock"]
        indexes = {"CommitLog-7-1_cdc.idx": "4096\nCOMPLETED", "CommitLog-7-3_cdc.idx": "1\n"}
        self.assertEqual(self.faults(names, indexes), ["lock", "CommitLog-7-1_cdc.idx", "CommitLog-7-3_cdc.idx"])
        self.assertEqual(self.faults(names, indexes, finished=set()), ["lock", "CommitLog-7-3_cdc.idx"])
        self.assertEqual(self.faults([f"CommitLog-7-{number}.log" for number in range(5)], {}), ["5"])

    def test_a_segment_that_was_gone_before_its_records_were_processed(self):
        for gone, faults in ((9_000, set()), (2_000, {"deleted too early"})):
            verdict = Verdict()
            checker.check_deletions({7: gone}, {(TOPIC, 0): RECORDS}, verdict)
            self.assertEqual(set(verdict.faults), faults)


SCHEMA = {
    "columns": [
        {"keyspace_name": "ks", "table_name": "t", "column_name": name, "kind": kind, "position": place, "type": type_}
        for name, kind, place, type_ in (
            ("p", "partition_key", 0, "text"), ("c", "clustering", 0, "int"), ("s", "static", -1, "text"), ("v", "regular", -1, "text"),
            ("tags", "regular", -1, "set<text>"), ("attrs", "regular", -1, "map<text, int>"), ("steps", "regular", -1, "list<text>"),
        )
    ]
}  # fmt: skip


class Folded(unittest.TestCase):
    def setUp(self):
        self.fold = fold.Fold(fold.Table(SCHEMA, "ks", "t"))

    def add(self, op, ts, columns, **more):
        side = "before" if op in ("d", "rt") else "after"
        self.fold.add({"op": op, "before": None, "after": None, side: columns, "source": {"ts_us": ts}, **more})

    def rows(self, now=0):
        return {place: {name: cell[0] for name, cell in row.items()} for place, row in self.fold.view(now).items()}

    def test_the_newest_counts_whatever_comes_first(self):
        self.add("c", 20, {"p": "a", "c": 1, "v": "new"})
        self.add("u", 10, {"p": "a", "c": 1, "v": "old"})
        self.assertEqual(self.fold.view(0), {(("a",), (1,)): {"v": ("new", 20, None)}})

    def test_deletions_cover_what_is_not_newer(self):
        for c in range(5):
            self.add("c", 10 + c, {"p": "a", "c": c, "v": str(c)})
        self.add("u", 10, {"p": "a", "s": "static"})
        self.add("rt", 13, {"p": "a"}, range={"start": {"values": {"c": 1}, "inclusive": False}, "end": None})
        self.assertEqual({place[1] for place in self.rows()}, {(0,), (1,), (4,), None})
        self.add("d", 20, {"p": "a", "c": 0})
        self.add("rt", 12, {"p": "a"}, range={"start": None, "end": None})
        self.assertEqual(self.rows(), {(("a",), (4,)): {"v": "4"}})

    def test_a_row_without_liveness_goes_with_its_last_cell(self):
        self.add("u", 10, {"p": "a", "c": 1, "v": "x"})
        self.add("u", 20, {"p": "a", "c": 1, "v": None})
        self.assertEqual(self.rows(), {})
        self.add("c", 5, {"p": "a", "c": 1})
        self.assertEqual(self.rows(), {(("a",), (1,)): {}})

    def test_ttl(self):
        self.add("c", 10, {"p": "a", "c": 1, "v": "x"}, liveness={"ts_us": 10, "ttl": 5, "expires_at": 100}, cells={"v": {"ttl": 5, "expires_at": 100}})
        self.assertEqual(self.rows(99), {(("a",), (1,)): {"v": "x"}})
        self.assertEqual(self.rows(100), {})

    def test_collections(self):
        key = {"p": "a", "c": 1}
        whole = {name: {"deleted_ts_us": 9} for name in ("tags", "attrs", "steps")}
        self.add("c", 10, {**key, "tags": ["x", "y"], "attrs": {"k": 1}, "steps": ["one"]}, cells=whole)
        steps = {"put": [["50554d6e-29bb-11f0-b345-feff819cdc9f", "two"]], "remove": []}
        patch = {"tags": {"put": ["z"], "remove": ["x"]}, "attrs": {"put": [["k", 2]], "remove": []}, "steps": steps}
        self.add("u", 20, key, patch=patch)
        self.assertEqual(self.rows(), {(("a",), (1,)): {"tags": ["y", "z"], "attrs": {"k": 2}, "steps": ["one", "two"]}})
        self.add("u", 30, {**key, "tags": None, "steps": ["three"]}, cells={"steps": {"deleted_ts_us": 29}})
        self.assertEqual(self.rows(), {(("a",), (1,)): {"attrs": {"k": 2}, "steps": ["three"]}})

    def test_differences_are_told(self):
        one = {(("a",), (1,)): {"v": ("x", 10, None)}}
        self.assertEqual(fold.difference(one, one, 0), [])
        for other in ({}, {(("a",), (1,)): {"v": ("y", 10, None)}}, {(("a",), (1,)): {"v": ("x", 11, None)}}, {(("a",), (1,)): {}}):
            self.assertEqual(len(fold.difference(one, other, 0)), 1, other)
            self.assertEqual(len(fold.difference(other, one, 0)), 1, other)
        self.assertEqual(len(fold.difference({(("a",), (1,)): {}}, {}, 0)), 1)
        expiring = {(("a",), (1,)): {"v": ("x", 10, 100)}}
        self.assertEqual(fold.difference(expiring, {(("a",), (1,)): {"v": ("x", 10, 101)}}, 0), [])
        self.assertEqual(len(fold.difference(expiring, {(("a",), (1,)): {"v": ("x", 10, 110)}}, 0)), 1)
        self.assertEqual(fold.difference(expiring, {}, 100), [], "it expires in this moment")


class Files(unittest.TestCase):
    def test_a_file_log_ends_where_its_commit_says(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self.assertEqual(FileOutput(folder).read(), {})
            lines = [json.dumps({"offset": n, "ts_ms": 1, "key": {"id": "a"}, "value": {}, "headers": {}}) + "\n" for n in range(3)]
            path = folder / TOPIC / "0" / f"{0:020}.jsonl"
            path.parent.mkdir(parents=True)
            path.write_text("".join(lines))
            part = {"first_offset": 0, "next_offset": 2, "bytes": len(lines[0]) * 2}
            (folder / "commit.json").write_text(json.dumps({"topics": {TOPIC: {"0": [part]}}}))
            self.assertEqual([found.offset for found in FileOutput(folder).read()[TOPIC, 0]], [0, 1])

    def test_a_workload_is_the_same_for_a_seed_and_never_names_two_writes_alike(self):
        class Fixed(workload.Clock):
            def next(self):
                self._last += 10
                return self._last

        def some(seed):
            statements = workload.Statements("ks", Fixed(), seed, "w0")
            return [statements.next() for _ in range(500)]

        self.assertEqual(some(1), some(1))
        self.assertNotEqual(some(1), some(2))
        names = [checker.identity(found) for _, events in some(1) for found in events]
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
