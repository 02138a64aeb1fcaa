"""envelope_examples.jsonl: good and bad records for the JSON Schemas in docs/.

The good ones are those of docs/envelope.md (its short forms completed) and some more; a bad one is a good one with one change.
"""

import copy
import json
import pathlib

DOCS = pathlib.Path(__file__).resolve().parents[3] / "docs"
GONE = object()  # as a value: the field is removed
BEGINNING = {"ts_ms": 1767323040000, "ts_us": 1767323040000123, "file": "CommitLog-7-1767323000000.log", "pos": 40, "entry": 3}


def documented():
    """Every record of docs/envelope.md: schema, where it stands, record."""
    heading, inside, number = "", False, 0
    for line in (DOCS / "envelope.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```json"
        elif inside:
            record, number = json.loads(line), number + 1
            if "_range_start" in (record["after"] or {} if "after" in record else {}):
                schema = "debezium-cassandra"
            else:
                schema = "debezium" if next(iter(record)) == "before" else "flat"
            yield schema, f"docs {number}: {heading}", record
        elif line.startswith("**") or line.startswith("#"):
            heading = line.strip("#* ").split("**")[0]


def completed():
    """The same with `event_id` and `source` where the page leaves them out."""
    records = list(documented())
    whole = records[0][2]
    for schema, name, record in records:
        if "source" not in record:
            record = {**record, "event_id": whole["event_id"], "source": whole["source"]}
        yield schema, name, record


def change(record, *path_and_value):
    """A copy with one field changed, added or removed."""
    made = copy.deepcopy(record)
    *path, last, value = path_and_value
    target = made
    for step in path:
        target = target[step]
    if value is GONE:
        del target[last]
    else:
        target[last] = value
    return made


def find(records, part):
    """The record whose name holds the text."""
    return next(record for _, name, record in records if part in name)


def more_good(records):
    """Good records that the page does not show."""
    insert = find(records, "INSERT")
    values = {"t": "", "n": -1, "d": 1.5, "nan": "NaN", "b": False, "du": {"months": 1, "days": 2, "nanos": 3}, "m": [[1, "a"]],
              "tp": [7, None, True], "big": 9223372036854775807, "null": None, "nested": {"a": [{"b": [None]}]}, "precise": {"scale": 2, "value": "BOI="}}
    snapshot = {**insert["source"], "snapshot": "true", "file": None, "pos": None, "entry": None, "row": None, "visibility": None}
    yield "flat", "all kinds of values", change(insert, "after", values)
    read = {**change(insert, "op", "r"), "source": snapshot, "liveness": {"ts_known": False}, "cells": {
        "note": {"ts_known": False}, "amount": {"ts_us": 1, "expires_at": 1767326645}, "ship": {"empty": True}}}
    yield "flat", "snapshot row", read
    yield "flat", "snapshot, static row", change(change(read, "liveness", GONE), "cells", GONE)
    yield "flat", "snapshot row, no time known", {**read, "source": {**snapshot, "ts_ms": None, "ts_us": None}}
    yield "flat", "replayed, nothing configured", {**insert, "source": {
        **insert["source"], "cluster": None, "dc": None, "host_id": None, "visibility": "synced", "replay": True}}
    yield "flat", "timestamps of any size", {**insert, "source": {**insert["source"], "ts_us": -9223372036854775808, "ts_ms": -9223372036854776}}
    yield "flat", "v0", change(insert, "hash_version", "v0")
    yield "flat", "a delete with an empty key column", {**find(records, "Row delete"), "cells": {"id": {"empty": True}}}
    yield "flat", "a masked column", change(insert, "after", "note", "***")
    yield "flat", "a patch of a column that is not hashed", {**insert, "patch": {"x": {"put": ["a"], "remove": []}}}
    yield "flat", "cells = all", {**find(records, "Collection overwrite"), "cells": {
        "steps": {"deleted_ts_us": 1}, "tags": {"ts_us": 2, "deleted_ts_us": 1, "elements": [{"path": "a", "empty": True}]}}}
    everything = {"values": {}, "inclusive": True}
    yield "flat", "a range over all rows", change(find(records, "Range delete"), "range", {"start": everything, "end": everything})
    heartbeat = find(records, "8. Heartbeats")
    yield "flat", "a heartbeat of the heartbeat topic", {**heartbeat, "source": {**heartbeat["source"], "keyspace": None, "table": None}}
    yield "flat", "the heartbeat of a table's beginning", {**heartbeat, "source": {**heartbeat["source"], **BEGINNING}}
    yield from more_debezium(records)


def more_debezium(records):
    """Good records of the two other profiles."""
    cell = lambda value, ts=None, **more: {"value": value, "deletion_ts": ts, "set": True, **more}
    base = find(records, "debezium-cassandra")
    ranges = {"_range_start": None, "_range_end": None}
    bound = lambda method, *values: {"method": method, "values": [
        {"name": "id", "value": v, "type": "org.apache.cassandra.db.marshal.Int32Type"} for v in values]}
    made = lambda op, after: {**base, "op": op, "after": after}
    yield "debezium-cassandra", "insert", made("i", {"id": cell("u1"), "name": cell(None), "x": None, **ranges})
    yield "debezium-cassandra", "snapshot", {**made("i", {"id": cell("u1"), **ranges}),
                                             "source": {**base["source"], "snapshot": "true", "file": "", "pos": -1}}
    yield "debezium-cassandra", "snapshot, no time known", {**made("i", {"page": cell("/"), "n": cell(5), **ranges}), "source": {
        **base["source"], "snapshot": "true", "file": "", "pos": -1, "ts_us": None, "ts_ns": None}}
    yield "debezium-cassandra", "a set and a list with removed elements", made("u", {
        "id": cell("u1"), "s": cell([], removed=[1]), "l": cell(["c"]), **ranges})
    yield "debezium-cassandra", "a counter", made("u", {
        "page": cell("/"), "n": cell(None, shards=[{"id": "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47", "clock": 1, "count": 5}]), **ranges})
    yield "debezium-cassandra", "row delete", made("d", {"id": cell("u1"), "name": cell(None, 1), "st": None, **ranges})
    yield "debezium-cassandra", "partition delete", made("d", {"id": cell("u1"), "c": cell(None, 1), "st": cell(None, 1), **ranges})
    yield "debezium-cassandra", "range", made("r", {
        "id": cell("u1"), "c": None, "_range_start": bound("INCL_START_BOUND"), "_range_end": bound("EXCL_END_BOUND", "5")})
    yield "debezium-cassandra", "ts_ns beyond 64 bits", {**base, "source": {**base["source"], "ts_us": 2 ** 62, "ts_ns": None}}
    flink = find(records, "9.2 debezium")
    yield "debezium", "delete", {**flink, "op": "d", "before": {"id": "u1"}, "after": None}
    snapshot = {"snapshot": "true", "file": None, "pos": None, "entry": None, "row": None, "visibility": None, "replay": False}
    yield "debezium", "snapshot", {**flink, "op": "r", "source": {**flink["source"], **snapshot}}


def more_good_flat(records):
    """The same of profile flat, in the form of the page's records."""
    return ((schema, name, record) for schema, name, record in more_good(records) if schema == "flat")


def bad(records):
    """Bad records: schema, what is wrong, record."""
    insert, update, delete = (find(records, part) for part in ("INSERT", "UPDATE", "Row delete"))
    rt, append, ttl, counter = (find(records, part) for part in ("Range delete", "Collection append", "TTL", "Counter"))
    flat = [
        ("an unknown op", change(insert, "op", "i")), ("no op", change(insert, "op", GONE)), ("no before", change(insert, "before", GONE)),
        ("no event_id", change(insert, "event_id", GONE)), ("upper-case event_id", change(insert, "event_id", "A" * 32)),
        ("a short event_id", change(insert, "event_id", "a" * 31)), ("no source", change(insert, "source", GONE)),
        ("an unknown field", change(insert, "extra", 1)), ("c with before", change(insert, "before", {"id": 1})),
        ("c without after", change(insert, "after", None)), ("c with an empty after", change(insert, "after", {})),
        ("c with a range", change(insert, "range", {"start": None, "end": None})), ("u with liveness", change(update, "liveness", {"ts_us": 1})),
        ("an empty patch", change(update, "patch", {})), ("ts_ms as text", change(insert, "ts_ms", "1")),
        ("hash_kind full without a hash", change(insert, "row_hash", None)), ("hash_kind partial with a hash", change(insert, "hash_kind", "partial")),
        ("a row hash without its kind", change(insert, "hash_kind", GONE)), ("a row hash without hash_def", change(insert, "hash_def", GONE)),
        ("a tombstone hash on c", {**insert, "row_hash": "TOMBSTONE", "hash_kind": "tombstone"}), ("a hash_version v2", change(insert, "hash_version", "v2")),
        ("a short row_hash", change(insert, "row_hash", "ab")), ("a long hash_def", change(insert, "hash_def", "0123456789")),
        ("d with after", change(delete, "after", {"id": 1})), ("d without before", change(delete, "before", None)),
        ("d with a range", change(delete, "range", {"start": None, "end": None})), ("d with a row hash of its own", change(delete, "row_hash", "0" * 64)),
        ("d with times in cells", change(delete, "cells", {"id": {"ts_us": 1}})), ("d with liveness", change(delete, "liveness", {"ts_us": 1})),
        ("rt without range", change(rt, "range", GONE)), ("rt without an end", change(rt, "range", "end", GONE)),
        ("rt without inclusive", change(rt, "range", "start", "inclusive", GONE)), ("rt with a bound's values as an array", change(rt, "range", "start", "values", [])),
        ("rt with after", change(rt, "after", {"id": 1})), ("rt with a tombstone hash", {
            **rt, "row_hash": "TOMBSTONE", "hash_kind": "tombstone", "hash_version": "v1", "hash_def": "00000000"}),
        ("a patch without remove", change(append, "patch", "tags", "remove", GONE)), ("a patch without content", change(append, "patch", "tags", "put", [])),
        ("a patch with other fields", change(append, "patch", "tags", "set", [])), ("shards without count", change(counter, "patch", "n", "shards", 0, "count", GONE)),
        ("no shards", change(counter, "patch", "n", "shards", [])), ("a ttl without its expiry", change(ttl, "liveness", "expires_at", GONE)),
        ("liveness without a time", change(ttl, "liveness", "ts_us", GONE)), ("a ttl of 0", change(ttl, "cells", "name", "ttl", 0)),
        ("a cell without fields", change(ttl, "cells", "name", {})), ("empty false", change(ttl, "cells", "name", {"empty": False})),
        ("cells without columns", change(ttl, "cells", {})), ("an element without a path", change(append, "cells", {"tags": {"elements": [{"ts_us": 1}]}})),
        ("an element with a path only", change(append, "cells", {"tags": {"elements": [{"path": "c"}]}})),
        ("an element live and removed", change(append, "cells", {"tags": {"elements": [{"path": "c", "ts_us": 1, "deleted_ts_us": 1}]}})),
        ("heartbeat that points into the log without a time", change(find(records, "8. Heartbeats"), "source", {**find(records, "8. Heartbeats")["source"], "file": "CommitLog-7-1.log", "pos": 40})),
        ("heartbeat without wm_us", change(find(records, "8. Heartbeats"), "wm_us", GONE)),
        ("heartbeat with event_id", change(find(records, "8. Heartbeats"), "event_id", insert["event_id"]))]
    read = find(list(more_good_flat(records)), "snapshot row")
    flat += [
        ("r with a patch", {**read, "patch": {"x": {"put": ["a"], "remove": []}}}), ("r with a time of liveness", change(read, "liveness", {"ts_us": 1})),
        ("r with a ttl", change(read, "cells", "amount", "ttl", 60)), ("r, a known time that is not known", change(read, "cells", "note", "ts_us", 1)),
        ("r, ts_known true", change(read, "cells", "note", "ts_known", True)), ("r from a log", {**read, "source": insert["source"]}),
        ("c from a snapshot", {**insert, "source": read["source"]}), ("c, a time that is not known", change(insert, "cells", {"note": {"ts_known": False}})),
        ("r that is late", change(read, "source", "late", True))]
    flat += bad_parts(insert, delete, rt, append, ttl, counter)
    for field in insert["source"]:
        flat.append((f"no source.{field}", change(insert, "source", field, GONE)))
    for field, value in (("snapshot", False), ("snapshot", "true"), ("connector", "mysql"), ("visibility", "seen"), ("visibility", None), ("pos", -1),
                         ("pos", None), ("row", "0"), ("file", ""), ("ts_us", None), ("ts_us", 2 ** 63), ("late", "false"), ("host_id", "node1"),
                         ("keyspace", None), ("table", "a.b"), ("name", ""), ("name", "a b"), ("db", "NULL"), ("file", "cdc_raw/a.log")):
        flat.append((f"source.{field} {value!r}", change(insert, "source", field, value)))
    yield from (("flat", why, record) for why, record in flat)
    yield from bad_debezium(records)
    yield from bad_keys()


def bad_parts(insert, delete, rt, append, ttl, counter):
    """Bad columns, keys, patches, ranges and times of flat records."""
    bad_cell = lambda **fields: change(ttl, "cells", "name", fields)
    shard = counter["patch"]["n"]["shards"][0]
    return [
        ("after as an array", change(insert, "after", [["id", 1]])), ("after as text", change(insert, "after", "id")),
        ("a column without a name", change(insert, "after", "", 1)), ("before as an array", change(delete, "before", [1])),
        ("before without columns", change(delete, "before", {})), ("before of rt null", change(rt, "before", None)),
        ("before as text", change(rt, "before", "A-7")), ("a patch as an array", change(append, "patch", [1])),
        ("a patch of a column null", change(append, "patch", "tags", None)), ("a patch of a column as a value", change(append, "patch", "tags", ["c"])),
        ("put as an object", change(append, "patch", "tags", "put", {"a": 1})), ("remove null", change(append, "patch", "tags", "remove", None)),
        ("put of pairs and texts", change(append, "patch", "tags", "put", [["a", 1], "b"])),
        ("put of numbers and truths", change(append, "patch", "tags", "put", [1, True])),
        ("remove of objects and texts", change(append, "patch", "tags", "remove", [{"a": 1}, "b"])),
        ("shards beside put", change(append, "patch", "tags", "shards", [shard])),
        ("a shard's count as text", change(counter, "patch", "n", "shards", 0, "count", "5")),
        ("a shard's count beyond 64 bits", change(counter, "patch", "n", "shards", 0, "count", 2 ** 63)),
        ("a shard of a name", change(counter, "patch", "n", "shards", 0, "id", "node1")),
        ("a shard with other fields", change(counter, "patch", "n", "shards", 0, "delta", 1)), ("range null", change(rt, "range", None)),
        ("range with other fields", change(rt, "range", "rows", 1)), ("a bound as text", change(rt, "range", "end", "5")),
        ("inclusive as text", change(rt, "range", "start", "inclusive", "true")), ("a bound with other fields", change(rt, "range", "start", "kind", 1)),
        ("a bound's column without a name", change(rt, "range", "start", "values", {"": 1})), ("liveness null", change(ttl, "liveness", None)),
        ("liveness with other fields", change(ttl, "liveness", "empty", True)), ("liveness with a broken time", change(ttl, "liveness", "ts_us", 1.5)),
        ("a ttl as text", change(ttl, "liveness", "ttl", "3600")), ("an expiry before 1970", change(ttl, "liveness", "expires_at", -1)),
        ("cells as an array", change(ttl, "cells", [])), ("cells of a column without a name", change(ttl, "cells", {"": {"ts_us": 1}})),
        ("a cell with other fields", bad_cell(ts_us=1, value="x")), ("a cell's time as text", bad_cell(ts_us="1")),
        ("a cell's ttl without its expiry", bad_cell(ttl=1)), ("a deletion null", bad_cell(deleted_ts_us=None)),
        ("elements as an object", bad_cell(elements={"a": 1})), ("no elements", bad_cell(elements=[])),
        ("an element with other fields", bad_cell(elements=[{"path": "a", "ts_us": 1, "value": 2}])),
        ("an element's ttl without its expiry", bad_cell(elements=[{"path": "a", "ttl": 1}]))]


def good_keys():
    """Keys: schema, why, key."""
    yield "flat/key", "two columns", {"cust": "A-7", "day": 20455}
    yield "flat/key", "an empty value, a frozen list and a frozen UDT", {"a": None, "b": [1, 2], "c": {"x": None}}
    yield "flat/heartbeat_key", "a heartbeat", {"heartbeat": "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47"}
    yield "debezium/key", "a column", {"id": "u1"}
    yield "debezium-cassandra/key", "a clustering column that is null", {"id": "u1", "c": None}


def bad_keys():
    """Bad keys: schema, what is wrong, key."""
    for profile in ("flat", "debezium", "debezium-cassandra"):
        for why, key in (("an array", ["A-7"]), ("a text", "A-7"), ("null", None), ("without columns", {}), ("a column without a name", {"": 1})):
            yield f"{profile}/key", why, key
    for why, key in (("no UUID", {"heartbeat": "node1"}), ("another field", {"host": "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47"}), ("null", None)):
        yield "flat/heartbeat_key", why, key


def bad_debezium(records):
    """Bad records of the two other profiles."""
    base, flink = find(records, "debezium-cassandra"), find(records, "9.2 debezium")
    spoiled = [("an op of flat", change(base, "op", "c")), ("no _range_end", change(base, "after", "_range_end", GONE)),
               ("a cell without set", change(base, "after", "name", "set", GONE)), ("set false", change(base, "after", "name", "set", False)),
               ("a bare value", change(base, "after", "name", "Ann")), ("an unknown field of a cell", change(base, "after", "name", "ttl", 1)),
               ("u with a range", change(base, "after", "_range_start", {"method": "INCL_START_BOUND", "values": []})),
               ("r without ranges", change(base, "op", "r")), ("a value with a deletion", change(base, "op", "d")),
               ("removed without elements", change(base, "after", "name", {"value": [], "deletion_ts": None, "set": True, "removed": []})),
               ("db null", change(base, "source", "db", None)), ("no ts_ns", change(base, "source", "ts_ns", GONE)),
               ("a snapshot u", {**base, "source": {**base["source"], "snapshot": "true", "file": "", "pos": -1}}),
               ("pos -1 outside a snapshot", change(base, "source", "pos", -1)), ("event_id in the value", change(base, "event_id", "0" * 32)),
               ("before", change(base, "before", None)), ("a column without a name", change(base, "after", "", None)),
               ("after as an array", change(base, "after", [])), ("a prefix with a space", change(base, "source", "name", "a b")),
               ("a shard of a name", change(base, "after", "name", {
                   "value": None, "deletion_ts": None, "set": True, "shards": [{"id": "node1", "clock": 1, "count": 5}]}))]
    yield from (("debezium-cassandra", why, record) for why, record in spoiled)
    spoiled = [("an op u", change(flink, "op", "u")), ("rt", change(flink, "op", "rt")), ("d without before", {**flink, "op": "d", "after": None}),
               ("c with before", change(flink, "before", {"id": "u1"})), ("no before", change(flink, "before", GONE)),
               ("event_id in the value", change(flink, "event_id", "0" * 32)), ("a patch", change(flink, "patch", {"a": {"put": [1], "remove": []}})),
               ("no ts_ms", change(flink, "ts_ms", GONE)), ("after as an array", change(flink, "after", ["u1"])), ("a column without a name", change(flink, "after", {"": 1})), ("snapshot r with a place", change(flink, "op", "r"))]
    yield from (("debezium", why, record) for why, record in spoiled)


def lines():
    """All examples."""
    good = list(completed())
    good += list(more_good(good))
    good += list(good_keys())
    for schema, why, record in good:
        yield {"schema": schema, "valid": True, "why": why, "record": record}
    for schema, why, record in bad(good):
        yield {"schema": schema, "valid": False, "why": why, "record": record}
