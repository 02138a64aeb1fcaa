"""Writers against a real node. Each logs what it is about to write, and then how that ended, so that a checker can say what must be in the output,
what may be, and what must not.

A log is JSON Lines: `{"n", "intent_us", "cql", "events"}` before a write, then `{"n", "acked_us"}`, `{"n", "maybe"}` (nobody knows) or `{"n", "refused"}`
(the node said that it did nothing).
"""

import itertools
import json
import random
import threading
import time
from pathlib import Path

from events import event

TABLES = """
CREATE KEYSPACE IF NOT EXISTS {ks} WITH replication = {{'class': 'NetworkTopologyStrategy', '{dc}': {rf}}};
CREATE TABLE IF NOT EXISTS {ks}.plain (id text PRIMARY KEY, v text, n int) WITH cdc = true;
CREATE TABLE IF NOT EXISTS {ks}.wide (p text, c int, d text, s text static, v text, n bigint, PRIMARY KEY (p, c, d)) WITH cdc = true;
CREATE TABLE IF NOT EXISTS {ks}.coll (id text PRIMARY KEY, v text, tags set<text>, attrs map<text, int>, steps list<text>) WITH cdc = true;
CREATE TABLE IF NOT EXISTS {ks}.quiet (id text PRIMARY KEY, v text);
"""


def now_us():
    return time.time_ns() // 1000


class Clock:
    """Client timestamps in µs: increasing, 10 apart, so that each names one write, and what Cassandra takes 1 µs off (the
    deletion under a whole collection) names none."""

    def __init__(self):
        self._lock, self._last = threading.Lock(), 0

    def next(self):
        with self._lock:
            self._last = max(self._last + 10, now_us())
            return self._last


class Journal:
    """The log of one workload. Lines are given to the system at once: they outlive the writer."""

    def __init__(self, path):
        self._file, self._lock, self._numbers = Path(path).open("a", buffering=1), threading.Lock(), itertools.count(1)

    def _line(self, line):
        with self._lock:
            self._file.write(json.dumps(line) + "\n")

    def intend(self, cql, events):
        number = next(self._numbers)
        self._line({"n": number, "intent_us": now_us(), "cql": cql, "events": events})
        return number

    def end(self, number, how, what):
        self._line({"n": number, how: what})


def read(path):
    """The writes of a log: number → line, with `acked_us`, `maybe` or `refused`; without any of them the writer did not live to know."""
    writes, text = {}, Path(path).read_text()
    # What stands behind the last end of a line is being written.
    for line in text[: text.rfind("\n") + 1].splitlines():
        found = json.loads(line)
        writes.setdefault(found["n"], {}).update(found)
    return writes


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


class Statements:
    """Random writes of one thread to its own partitions: (CQL, the events that it leaves)."""

    def __init__(self, keyspace, clock, seed, name, partitions=6, unlogged_only=True, padding=60):
        # Characters that a value has at most beside what makes it unique: how fast segments fill.
        self.padding = padding
        self.ks, self.clock, self.name, self.partitions = keyspace, clock, name, partitions
        self.random, self.count = random.Random(f"{seed}/{name}"), 0
        kinds = {
            self.insert: 10, self.update: 6, self.delete: 3, self.null: 2, self.expiring: 2, self.wide_insert: 10, self.static: 3, self.wide_update: 5,
            self.wide_delete: 3, self.range: 3, self.prefix: 1, self.partition: 1, self.batch: 3, self.replace: 1, self.coll_insert: 4,
            self.coll_change: 6, self.coll_null: 1,
        }  # fmt: skip
        self.kinds, self.weights = list(kinds), list(kinds.values())
        self.logged = not unlogged_only

    def next(self):
        self.count += 1
        return self.random.choices(self.kinds, self.weights)[0](self.clock.next())

    def value(self):
        """A value that nobody else writes."""
        return f"{self.name}.{self.count}." + "x" * self.random.randrange(self.padding)

    def key(self):
        return f"{self.name}-{self.random.randrange(self.partitions)}"

    def number(self):
        return self.random.randrange(-(2**31), 2**31)

    def insert(self, ts, ttl=None):
        key, v, n = self.key(), self.value(), self.number()
        tail = f" AND TTL {ttl}" if ttl else ""
        cql = f"INSERT INTO {self.ks}.plain (id, v, n) VALUES ({quoted(key)}, {quoted(v)}, {n}) USING TIMESTAMP {ts}{tail}"
        return cql, [event(f"{self.ks}.plain", "c", {"id": key}, ts, after={"v": v, "n": n}, ttl=[ttl] if ttl else [])]

    def expiring(self, ts):
        """A TTL that ends within the test, or long after it."""
        ttl = self.random.choice([1, 2, 86400, 900000])
        if self.random.random() < 0.5:
            return self.insert(ts, ttl)
        key, v = self.key(), self.value()
        cql = f"UPDATE {self.ks}.plain USING TIMESTAMP {ts} AND TTL {ttl} SET v = {quoted(v)} WHERE id = {quoted(key)}"
        return cql, [event(f"{self.ks}.plain", "u", {"id": key}, ts, after={"v": v}, ttl=[ttl])]

    def update(self, ts):
        key, v = self.key(), self.value()
        cql = f"UPDATE {self.ks}.plain USING TIMESTAMP {ts} SET v = {quoted(v)} WHERE id = {quoted(key)}"
        return cql, [event(f"{self.ks}.plain", "u", {"id": key}, ts, after={"v": v})]

    def null(self, ts):
        key = self.key()
        cql = f"DELETE n FROM {self.ks}.plain USING TIMESTAMP {ts} WHERE id = {quoted(key)}"
        return cql, [event(f"{self.ks}.plain", "u", {"id": key}, ts, after={"n": None})]

    def delete(self, ts):
        key = self.key()
        return f"DELETE FROM {self.ks}.plain USING TIMESTAMP {ts} WHERE id = {quoted(key)}", [event(f"{self.ks}.plain", "d", {"id": key}, ts)]

    def clustering(self):
        return self.random.randrange(8), self.random.choice("abc")

    def where(self, p, c=None, d=None):
        parts = [f"p = {quoted(p)}"] + ([] if c is None else [f"c = {c}"]) + ([] if d is None else [f"d = {quoted(d)}"])
        return " AND ".join(parts)

    def row(self, p, c, d, ts, static=None):
        """An INSERT into `wide` without its time, and its events."""
        v, n, table = self.value(), self.number() * 2**20, f"{self.ks}.wide"
        names, values = "p, c, d, v, n", f"{quoted(p)}, {c}, {quoted(d)}, {quoted(v)}, {n}"
        events = [event(table, "c", {"p": p, "c": c, "d": d}, ts, after={"v": v, "n": n})]
        if static is not None:
            names, values = names + ", s", f"{values}, {quoted(static)}"
            events.insert(0, event(table, "u", {"p": p}, ts, after={"s": static}))
        return f"INSERT INTO {table} ({names}) VALUES ({values})", events

    def wide_insert(self, ts):
        static = self.value() if self.random.random() < 0.2 else None
        cql, events = self.row(self.key(), *self.clustering(), ts, static)
        return f"{cql} USING TIMESTAMP {ts}", events

    def static(self, ts):
        p, s = self.key(), self.value()
        cql = f"UPDATE {self.ks}.wide USING TIMESTAMP {ts} SET s = {quoted(s)} WHERE p = {quoted(p)}"
        return cql, [event(f"{self.ks}.wide", "u", {"p": p}, ts, after={"s": s})]

    def wide_update(self, ts):
        p, (c, d), v = self.key(), self.clustering(), self.value()
        cql = f"UPDATE {self.ks}.wide USING TIMESTAMP {ts} SET v = {quoted(v)} WHERE {self.where(p, c, d)}"
        return cql, [event(f"{self.ks}.wide", "u", {"p": p, "c": c, "d": d}, ts, after={"v": v})]

    def wide_delete(self, ts):
        p, (c, d) = self.key(), self.clustering()
        cql = f"DELETE FROM {self.ks}.wide USING TIMESTAMP {ts} WHERE {self.where(p, c, d)}"
        return cql, [event(f"{self.ks}.wide", "d", {"p": p, "c": c, "d": d}, ts)]

    def gone(self, ts, p, condition, start, end):
        """A range delete and its event; bounds are (values, inclusive) or None."""
        ends = [None if bound is None else {"values": bound[0], "inclusive": bound[1]} for bound in (start, end)]
        cql = f"DELETE FROM {self.ks}.wide USING TIMESTAMP {ts} WHERE {self.where(p)}{condition}"
        return cql, [event(f"{self.ks}.wide", "rt", {"p": p}, ts, range_={"start": ends[0], "end": ends[1]})]

    def range(self, ts):
        low = self.random.randrange(6)
        high, left, right = low + self.random.randrange(1, 4), self.random.random() < 0.5, self.random.random() < 0.5
        if self.random.random() < 0.3:
            return self.gone(ts, self.key(), f" AND c >{'=' * left} {low}", ({"c": low}, left), None)
        condition = f" AND c >{'=' * left} {low} AND c <{'=' * right} {high}"
        return self.gone(ts, self.key(), condition, ({"c": low}, left), ({"c": high}, right))

    def prefix(self, ts):
        c, _ = self.clustering()
        return self.gone(ts, self.key(), f" AND c = {c}", ({"c": c}, True), ({"c": c}, True))

    def partition(self, ts):
        return self.gone(ts, self.key(), "", None, None)

    def batch(self, ts):
        """Rows of one partition and of another table, written together."""
        p, parts, events = self.key(), [], []
        for c, d in {self.clustering() for _ in range(self.random.randrange(2, 6))}:
            cql, more = self.row(p, c, d, ts)
            parts.append(cql)
            events += more
            self.count += 1
        if self.random.random() < 0.5:
            key, v = self.key(), self.value()
            parts.append(f"UPDATE {self.ks}.plain SET v = {quoted(v)} WHERE id = {quoted(key)}")
            events.append(event(f"{self.ks}.plain", "u", {"id": key}, ts, after={"v": v}))
        if self.random.random() < 0.3:
            parts.append(f"UPDATE {self.ks}.quiet SET v = 'x' WHERE id = {quoted(p)}")
        kind = "" if self.logged and self.random.random() < 0.5 else "UNLOGGED "
        return f"BEGIN {kind}BATCH USING TIMESTAMP {ts} {'; '.join(parts)}; APPLY BATCH", events

    def replace(self, ts):
        """A row that is deleted and written anew in one mutation: two events."""
        p, (c, d) = self.key(), self.clustering()
        cql, events = self.row(p, c, d, ts + 1)
        deleted = event(f"{self.ks}.wide", "d", {"p": p, "c": c, "d": d}, ts)
        delete = f"DELETE FROM {self.ks}.wide USING TIMESTAMP {ts} WHERE {self.where(p, c, d)}"
        return f"BEGIN UNLOGGED BATCH {delete}; {cql} USING TIMESTAMP {ts + 1}; APPLY BATCH", [deleted, *events]

    def texts(self, most):
        return sorted({self.random.choice("abcdefgh") for _ in range(self.random.randrange(1, most))})

    def coll_insert(self, ts):
        key, tags, steps = self.key(), self.texts(4), self.texts(4)
        attrs, v = {name: self.number() for name in self.texts(4)}, self.value()
        text = ", ".join(f"{quoted(name)}: {number}" for name, number in attrs.items())
        lists = [", ".join(map(quoted, words)) for words in (tags, steps)]
        cql = (
            f"INSERT INTO {self.ks}.coll (id, v, tags, attrs, steps) VALUES ({quoted(key)}, {quoted(v)}, {{{lists[0]}}}, {{{text}}}, [{lists[1]}])"
            f" USING TIMESTAMP {ts}"
        )
        after = {"v": v, "tags": tags, "attrs": attrs, "steps": steps}
        return cql, [event(f"{self.ks}.coll", "c", {"id": key}, ts, after=after)]

    def coll_change(self, ts):
        key, word, number = self.key(), self.random.choice("abcdefgh"), self.number()
        after, patch, (change, column) = {}, {}, self.random.choice([("+", "tags"), ("-", "tags"), ("=", "tags"), ("+", "attrs"), ("-", "attrs"), ("+", "steps")])
        if column == "steps":
            step = self.value()
            what, patch = f"steps = steps + [{quoted(step)}]", {"steps": ([step], 0)}
        elif change == "=":
            what, after = f"tags = {{{quoted(word)}}}", {"tags": [word]}
        elif column == "tags":
            what, patch = f"tags = tags {change} {{{quoted(word)}}}", {"tags": ([word], []) if change == "+" else ([], [word])}
        elif change == "+":
            what, patch = f"attrs[{quoted(word)}] = {number}", {"attrs": ([[word, number]], [])}
        else:
            what, patch = f"attrs = attrs - {{{quoted(word)}}}", {"attrs": ([], [word])}
        cql = f"UPDATE {self.ks}.coll USING TIMESTAMP {ts} SET {what} WHERE id = {quoted(key)}"
        return cql, [event(f"{self.ks}.coll", "u", {"id": key}, ts, after=after, patch=patch)]

    def coll_null(self, ts):
        key = self.key()
        cql = f"DELETE tags, steps FROM {self.ks}.coll USING TIMESTAMP {ts} WHERE id = {quoted(key)}"
        return cql, [event(f"{self.ks}.coll", "u", {"id": key}, ts, after={"tags": None, "steps": None})]


# What a node says when it did nothing; everything else that is no success leaves it open.
REFUSED = {"InvalidRequest", "SyntaxException", "Unauthorized", "Unavailable", "ConfigurationException"}


class Writers:
    """Threads that write until they are stopped. Each has its own partitions, so the writes to one key are made one after the other."""

    def __init__(self, session_of, keyspace, path, seed, threads=3, rate=150, **more):
        self.journal, self.clock, self.ks = Journal(path), Clock(), keyspace
        self._session_of, self._pause, self._stopped = session_of, threads / rate, threading.Event()
        self._statements = [Statements(keyspace, self.clock, seed, f"w{n}", **more) for n in range(threads)]
        self._threads = []
        self.acked = 0

    def start(self):
        """From where they were stopped, too."""
        self._threads = [threading.Thread(target=self._run, args=(statements,), daemon=True) for statements in self._statements]
        for thread in self._threads:
            thread.start()
        return self

    def _run(self, statements):
        due = time.monotonic()
        while not self._stopped.is_set():
            self.write(*statements.next())
            due = max(due + self._pause, time.monotonic() - 1)
            self._stopped.wait(max(0, due - time.monotonic()))

    def write(self, cql, events, session=None):
        """One write, logged before and after. Returns whether it was acknowledged."""
        number = self.journal.intend(cql, events)
        try:
            (session or self._session_of()).execute(cql, timeout=20)
        except Exception as error:  # noqa: BLE001 every way of not being acknowledged is logged
            kinds = {type(error).__name__, *(type(inner).__name__ for inner in _inner(error))}
            how = "refused" if kinds & REFUSED else "maybe"
            self.journal.end(number, how, f"{type(error).__name__}: {error}"[:300])
            self._stopped.wait(0.2)
            return False
        self.journal.end(number, "acked_us", now_us())
        self.acked += 1
        return True

    def sentinel(self, table="plain"):
        """A write whose arrival shows that everything before it arrived. Returns its event, once a node has taken it."""
        for _ in range(60):
            ts = self.clock.next()
            key = f"sentinel-{ts}"
            cql = f"INSERT INTO {self.ks}.{table} (id, v) VALUES ({quoted(key)}, 's') USING TIMESTAMP {ts}"
            expected = event(f"{self.ks}.{table}", "c", {"id": key}, ts, after={"v": "s"})
            if self.write(cql, [expected]):
                return expected
            time.sleep(0.5)
        raise AssertionError("the node takes no write")

    def stop(self):
        self._stopped.set()
        for thread in self._threads:
            thread.join(60)
        # For writes that a scenario makes itself.
        self._stopped = threading.Event()


def _inner(error):
    return [inner for inner in getattr(error, "errors", {}).values() if isinstance(inner, Exception)] if isinstance(getattr(error, "errors", None), dict) else []
