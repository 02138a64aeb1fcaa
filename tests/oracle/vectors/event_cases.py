"""The events of event_id.jsonl: one case per feature, then seeded random ones. Cells stand in the order of the log."""

import struct
import uuid

import cql_types
import row_cases

T = 1_700_000_000_000_000
MIN, MAX = -(1 << 63), (1 << 63) - 1
NONE = 0xFFFFFFFF
OPEN = {"kind": "open", "values": []}
NO_TTL = {"ts": T, "ttl": 0, "ldt": NONE}


def event(name, op, **more):
    """An event; what is not given is empty."""
    made = {
        "name": name, "keyspace": "shop", "table": "orders", "partition_key": b"A-7".hex(), "op": op, "shape": "row",
        "clustering": [], "range": None, "deletion": None, "liveness": None, "cells": []}
    return {**made, **more}


def cell(column, value=b"", ts=T, path=None, **more):
    """A cell entry; `value` None makes a tombstone."""
    made = {"column": column}
    if path is not None:
        made["path"] = path.hex()
    made["ts"] = ts
    if value is None:
        return {**made, "ldt": ts // 1_000_000 & NONE, "deleted": True, **more}
    return {**made, **more, "value": value.hex()}


def expiring(column, value, ttl, path=None, ts=T):
    """A live cell with a ttl."""
    return cell(column, value, ts, path, ldt=ts // 1_000_000 + ttl & NONE, ttl=ttl)


def overwrite(column, ts=T - 1, ldt=T // 1_000_000):
    """A complex deletion."""
    return {"column": column, "ts": ts, "ldt": ldt, "complex_deletion": True}


def withheld(column, ts=T, **more):
    """A cell of a withheld column."""
    return {"column": column, "ts": ts, **more, "withheld": True}


def integer(number):
    """An int's bytes."""
    return struct.pack(">i", number)


def composite(*parts):
    """A partition key of several columns."""
    return b"".join(struct.pack(">H", len(p)) + p + b"\0" for p in parts).hex()


def bound(kind, *values):
    """A bound with values in hex; None is null."""
    return {"kind": kind, "values": [None if v is None else v.hex() for v in values]}


def deletion(name, op, start=None, end=None, ts=T, ldt=T // 1_000_000, **more):
    """A partition delete or a range."""
    return event(name, op, shape="range", range={"start": start or OPEN, "end": end or OPEN},
                 deletion={"ts": ts, "ldt": ldt}, **more)


def rows():
    """Rows: inserts, updates, row deletions."""
    note = cell("note", b"ok")
    yield event("insert", "c", clustering=["00000002"], liveness=NO_TTL, cells=[note])
    yield event("insert, key only", "c", liveness=NO_TTL)
    yield event("insert with ttl", "c", liveness={"ts": T, "ttl": 3600, "ldt": 1700003600}, cells=[expiring("note", b"ok", 3600)])
    yield event("insert, a null column", "c", liveness=NO_TTL, cells=[cell("a", None), note])
    yield event("insert, an empty text", "c", liveness=NO_TTL, cells=[cell("note", b"")])
    null = cell("a", None, MIN, ldt=0)
    yield event("snapshot row", "r", clustering=["00000002"], cells=[null, cell("b", b"1", T - 5), note])
    yield event("snapshot row, key only", "r")
    yield event("snapshot row, a time that is not known", "r", cells=[cell("n", b"\0" * 8, MIN), note])
    yield event("snapshot row, no time known", "r", clustering=["00000002"], cells=[null, cell("n", b"\0" * 8, MIN)])
    yield event("snapshot row, a value that expires", "r", cells=[cell("note", b"ok", ttl=0, ldt=1700003600)])
    yield event("snapshot, static row", "r", shape="static", cells=[note])
    yield event("update", "u", clustering=["00000002"], cells=[note])
    yield event("update, other timestamp", "u", clustering=["00000002"], cells=[cell("note", b"ok", T + 1)])
    yield event("update, other value", "u", clustering=["00000002"], cells=[cell("note", b"oK")])
    yield event("update, other column", "u", clustering=["00000002"], cells=[cell("notf", b"ok")])
    yield event("update with ttl", "u", cells=[expiring("note", b"ok", 60)])
    yield event("update, several timestamps", "u", cells=[cell("a", b"1", T - 5), cell("b", b"2", T), cell("c", b"3", T + 5)])
    yield event("column delete", "u", cells=[cell("note", None)])
    yield event("column delete, LWT", "u", cells=[cell("note", None, T - 1)])
    yield event("row delete", "d", clustering=["00000002"], deletion={"ts": T, "ldt": 1700000000})
    yield event("row delete and newer data: the deletion", "d", clustering=["00000002"], deletion={"ts": T - 1, "ldt": 1700000000})
    yield event("row delete and newer data: the data", "c", clustering=["00000002"], liveness=NO_TTL, cells=[note])
    yield event("static row", "u", shape="static", cells=[cell("s", b"x")])
    yield event("same cells, not static", "u", cells=[cell("s", b"x")])
    yield event("static row, list", "u", shape="static", cells=[overwrite("l"), cell("l", b"x", path=uuid.UUID(row_cases.U1).bytes)])
    yield event("several clustering columns", "c", clustering=["00000002", b"x".hex(), "8000000000000000"], liveness=NO_TTL)
    yield event("empty clustering value", "c", clustering=[""], liveness=NO_TTL, cells=[note])
    yield event("null clustering value (compact storage)", "u", clustering=["00000002", None], cells=[cell("value", b"v")])
    yield event("no clustering value is not an empty one", "c", liveness=NO_TTL, cells=[note])
    yield event("composite partition key", "c", partition_key=composite(b"c1", integer(7)), liveness=NO_TTL)
    yield event("composite partition key, empty part", "c", partition_key=composite(b"", integer(7)), liveness=NO_TTL)
    yield event("names in upper case", "c", keyspace="Ks_1", table="T", liveness=NO_TTL)
    yield event("one byte of difference in the table", "c", table="order", liveness=NO_TTL)
    yield event("timestamp 0", "c", liveness={"ts": 0, "ttl": 0, "ldt": NONE}, cells=[cell("note", b"ok", 0)])
    yield event("smallest timestamp", "u", cells=[cell("note", b"ok", MIN + 1)])
    yield event("largest timestamp", "c", liveness={"ts": MAX, "ttl": 0, "ldt": NONE}, cells=[cell("note", b"ok", MAX)])
    yield event("negative timestamp", "d", clustering=["00000002"], deletion={"ts": -1, "ldt": 0})
    yield event("local expiration time beyond 2038", "c", liveness={"ts": T, "ttl": 630720000, "ldt": 2426066637},
                cells=[cell("note", b"ok", ldt=2426066637, ttl=630720000)])
    yield event("expired liveness (a view)", "c", liveness={"ts": T, "ttl": 0x7FFFFFFF, "ldt": 1700000000}, cells=[note])
    yield event("liveness with a ttl, cells without", "c", liveness={"ts": T, "ttl": 60, "ldt": 1700000060}, cells=[note])
    yield event("a long value", "c", liveness=NO_TTL, cells=[cell("note", b"\0\xff" * 500)])
    yield event("counter", "u", cells=[cell("n", bytes.fromhex(row_cases.COUNTER))])
    yield event("column names sort by bytes", "u", cells=[
        cell(n, b"1") for n in ("Z", "\U0001f600", "a", "aB", "a_", "ab", "b", "é", "\uffee")])


def collections():
    """Collections and UDTs at cell level."""
    paths = [uuid.UUID(p).bytes for p in row_cases.LIST_PATHS[:2] + row_cases.LIST_PATHS[-1:]]
    ints = [-5, -1, 0, 7, 2_000_000_000]
    yield event("list overwrite", "u", cells=[overwrite("l")] + [cell("l", v, path=p) for p, v in zip(paths, (b"a", b"b", b"c"))])
    yield event("list append", "u", cells=[cell("l", b"c", path=paths[2])])
    yield event("list: paths whose byte order is not their time order", "u", cells=[
        cell("l", b"1", path=uuid.UUID("ffffffff-066c-11cc-8000-000000000001").bytes),
        cell("l", b"2", path=uuid.UUID("00000000-066d-11cc-8000-000000000001").bytes)])
    yield event("list element removed", "u", cells=[cell("l", None, path=paths[0])])
    yield event("collection emptied", "u", cells=[overwrite("l")])
    yield event("collection deleted", "u", cells=[overwrite("l", T)])
    yield event("set overwrite", "c", liveness=NO_TTL, cells=[overwrite("s"), cell("s", b"", path=b"new")])
    yield event("set<int>: the type's order is not the bytes'", "u", cells=[cell("s", b"", path=integer(i)) for i in ints])
    yield event("set: an empty element, and one that begins another", "u", cells=[
        cell("s", b"", path=b""), cell("s", b"", path=b"a"), cell("s", b"", path=b"a\0"), cell("s", b"", path=b"ab")])
    yield event("set: add and remove", "u", cells=[cell("s", b"", path=integer(1)), cell("s", None, path=integer(2))])
    yield event("map put", "u", cells=[cell("m", b"v", path=b"k")])
    yield event("map put, key and value swapped", "u", cells=[cell("m", b"k", path=b"v")])
    yield event("map remove", "u", cells=[cell("m", None, path=b"k")])
    yield event("map<int, …> with negative keys", "u", cells=[cell("m", integer(i), path=integer(i)) for i in ints])
    yield event("map elements with ttl and without", "u", cells=[expiring("m", b"1", 60, b"a"), cell("m", b"2", path=b"b")])
    yield event("map elements of several times", "u", cells=[cell("m", b"1", T - 9, b"a"), cell("m", b"2", T + 9, b"b")])
    yield event("overwrite and a newer element", "u", cells=[
        overwrite("m"), cell("m", b"1", path=b"a"), cell("m", b"2", T + 5, b"b"), cell("m", None, T + 5, b"c")])
    yield event("UDT overwrite", "c", liveness=NO_TTL, cells=[overwrite("u"), cell("u", b"s", path=b"\0\0"), cell("u", integer(1), path=b"\0\1")])
    yield event("UDT fields", "u", cells=[cell("u", None, path=b"\0\0"), cell("u", integer(1), path=b"\0\1"), cell("u", b"", path=b"\1\0")])
    yield event("simple columns first in the log, by name in the id", "c", liveness=NO_TTL, cells=[
        cell("b", b"1"), cell("z", b"2"), overwrite("a"), cell("a", b"x", path=b"k"), overwrite("m"), cell("m", b"y", path=b"k")])
    yield event("a column that begins another's name", "u", cells=[cell("ab", b"1"), cell("a", b"2", path=b"b"), cell("abc", b"3", path=b"")])


def ranges():
    """Partition deletes and ranges."""
    two, nine = integer(2), integer(9)
    yield deletion("partition delete, no clustering columns", "d")
    yield deletion("partition delete, with clustering columns", "rt")
    yield deletion("partition delete, older", "rt", ts=T - 1)
    yield deletion("partition delete, other local deletion time", "rt", ldt=1700000001)
    yield deletion("range, inclusive", "rt", bound("inclusive", two), bound("inclusive", nine))
    yield deletion("range, exclusive", "rt", bound("exclusive", two), bound("exclusive", nine))
    yield deletion("range, half open", "rt", bound("inclusive", two), bound("exclusive", nine))
    yield deletion("range, open start", "rt", None, bound("inclusive", nine))
    yield deletion("range, open end", "rt", bound("exclusive", two), None)
    yield deletion("range, DESC", "rt", bound("inclusive", nine), bound("exclusive", two))
    yield deletion("range over all rows", "rt", bound("inclusive"), bound("inclusive"))
    yield deletion("range of a prefix", "rt", bound("inclusive", two), bound("inclusive", two))
    yield deletion("range, bounds of different length", "rt", bound("inclusive", two), bound("exclusive", two, b"x"))
    yield deletion("range, an empty value", "rt", bound("exclusive", b""), bound("inclusive", two))
    yield deletion("range, a null value", "rt", bound("inclusive", two, None), bound("inclusive", nine))
    yield deletion("range, composite key", "rt", bound("inclusive", two), None, partition_key=composite(b"W1", integer(1)))
    yield deletion("boundary: the first range", "rt", bound("inclusive", integer(0)), bound("exclusive", two), ts=T - 10)
    yield deletion("boundary: the second range", "rt", bound("inclusive", two), bound("inclusive", nine), ts=T)
    yield deletion("range, largest local deletion time", "rt", bound("inclusive", two), None, ldt=NONE - 2)


def withheld_columns():
    """Columns that are dropped, masked or hashed: names and times only."""
    yield event("withheld live cell", "c", liveness=NO_TTL, cells=[cell("note", b"ok"), withheld("pan")])
    yield event("withheld tombstone", "u", cells=[withheld("pan", ldt=1700000000, deleted=True)])
    yield event("withheld expiring cell", "u", cells=[withheld("pan", ldt=1700000060, ttl=60)])
    yield event("withheld collection overwrite", "u", cells=[
        withheld("tags", T - 1, ldt=1700000000, complex_deletion=True), withheld("tags"), withheld("tags")])
    yield event("withheld elements keep the order of the log", "u", cells=[
        withheld("tags", T + 3), withheld("tags", T + 1, ldt=1700000000, deleted=True), withheld("tags", T + 2, ldt=1700000060, ttl=60)])
    yield event("only withheld cells, static", "u", shape="static", cells=[withheld("s"), withheld("t")])


def random_event(rnd, number):
    """One random event over all features."""
    cells, names = [], sorted(rnd.sample("abcdefghijXYZ", rnd.randint(0, 5)))
    for name in names:
        stamp, secret = T + rnd.randint(-100, 100), rnd.random() < 0.15
        if rnd.random() < 0.5:
            cells.append(random_cell(rnd, name, stamp, None))
        else:
            if rnd.random() < 0.5:
                cells.append(overwrite(name, stamp - 1, rnd.getrandbits(32)))
            numbers = sorted(rnd.sample(range(-1000, 1000), rnd.randint(0, 4)))
            cells += [random_cell(rnd, name, stamp + rnd.choice((0, 0, 1)), integer(n)) for n in numbers]
        if secret:
            for made in cells:
                if made["column"] == name:
                    made["withheld"] = True
                    made.pop("path", None), made.pop("value", None)
    simple = {c["column"] for c in cells if "path" not in c and "complex_deletion" not in c}
    cells.sort(key=lambda c: c["column"] not in simple)  # as logged: simple columns first
    live = rnd.random() < 0.5
    return event(
        f"random-{number:02d}", "c" if live else "u", keyspace=rnd.choice(("ks", "Ks_2")), table=rnd.choice(("t", "events")),
        partition_key=rnd.randbytes(rnd.randint(1, 12)).hex(), shape="row" if live or rnd.random() < 0.7 else "static",
        liveness={"ts": T, "ttl": 0, "ldt": NONE} if live else None, cells=cells)


def random_cell(rnd, name, stamp, path):
    """A live, expiring or deleted cell."""
    kind, value = rnd.random(), rnd.randbytes(rnd.choice((0, 1, 4, 30)))
    if kind < 0.2:
        return cell(name, None, stamp, path)
    return expiring(name, value, rnd.randint(1, 100000), path, stamp) if kind < 0.4 else cell(name, value, stamp, path)


def events(rnd):
    """All of them."""
    yield from rows()
    yield from collections()
    yield from ranges()
    yield from withheld_columns()
    for number in range(60):
        made = random_event(rnd, number)
        if made["shape"] == "row":
            made["clustering"] = [rnd.randbytes(rnd.choice((0, 4, 8))).hex() for _ in range(rnd.randint(0, 3))]
        yield made
