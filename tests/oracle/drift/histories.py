#!/usr/bin/env python3
"""Histories of two data centres, and the verdicts that a drift job must come to.

    histories.py --seed 7 --count 2000          JSON Lines: cases, each with its verdicts
    histories.py --write | --check              tests/oracle/drift/vectors.jsonl

A history is what happened (writes, replicas, late copies, repairs, gaps, silence), the records that the agents of both
sides publish of it with clocks up to 30 s wrong, and an order in which a consumer may read them. The verdicts are
oracle.py's. They are held against the history itself: without a divergence all is MATCH, each divergence that was put in
is found in time, and where SELECT shows a row otherwise on the two sides in the end a verdict stands.
"""
import argparse
import datetime
import hashlib
import json
import pathlib
import random
import sys

import oracle
from oracle import SIDES, other

HERE = pathlib.Path(__file__).parent
VECTORS = HERE / "vectors.jsonl"
SECOND = 1_000_000
T0 = 1_700_000_000 * SECOND
TABLE = {
    "table": "shop.orders",
    "key": ["cust", "id"],
    "partition_key": 1,
    "columns": {"a": "int", "b": "text", "st": "text", "tags": "set<text>"},
    "descending": [],
}
# The same with timestamps, which some nodes write as ISO-8601; and one whose version is a column.
TIMESTAMPS = TABLE | {"columns": TABLE["columns"] | {"a": "timestamp"}, "timestamps": ["id", "a"]}
VERSIONS = TABLE | {
    "columns": {"a": "int", "b": "text", "v": "timestamp"},
    "timestamps": ["v"],
    "version": {"column": "v", "unit_us": 1000},
}
SKEW, LAG, BEAT = 30, 15, 10
TOLERANCE, GRACE, SILENCE = 60, 30, 120
WARM, SPAN, TAIL = 220, 150, 420
# How much later one partition is read than the others when there is a backlog: more than SILENCE.
BACKLOG = 300
# What takes away from the records of a node.
GAPS = ["gap", "forgotten", "off", "unknown_table", "truncate", "dead letters"]


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def iso(millis):
    moment = oracle.EPOCH + datetime.timedelta(milliseconds=millis)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


class History:
    def __init__(self, seed, kind, has_texts=False):
        self.rng = random.Random(f"{kind}/{seed}")
        rng, self.seed, self.kind = self.rng, seed, kind
        self.mode = rng.choice(["event_id", "merge"])
        self.hosts = {side: [f"{side}-{n}" for n in range(rng.choice([1, 1, 2, 3]))] for side in SIDES}
        self.partitions = {side: 2 if kind == "backlog" else rng.choice([1, 1, 2]) for side in SIDES}
        self.skew = {h: rng.randint(-SKEW, SKEW) * SECOND for side in SIDES for h in self.hosts[side]}
        self.log = {h: [] for h in self.skew}  # (true time, event), what each node logged
        self.injected = []  # how, key, version, when, on which side
        self.writes = []
        self.table = VERSIONS if kind == "versions" else TIMESTAMPS if has_texts else TABLE
        self.fresh(random.Random(f"fresh/{seed}"))
        forms = random.Random(f"forms/{seed}")
        self.texts = {h for h in self.skew if forms.random() < 0.6} if "timestamps" in self.table else set()

    def fresh(self, rng):
        """Some tables are created when writing begins, and have agents from a moment later on; one of those may not have read of it."""
        is_fresh = self.kind in ("clean", "divergent") and rng.random() < 0.5
        self.warm, self.created = (0, T0 + rng.choice(list(self.skew.values()))) if is_fresh else (WARM, None)
        self.started = {h: T0 + rng.randrange(1, 50) * SECOND if is_fresh else T0 for h in self.skew}
        self.unread = rng.choice([None, None, None, *self.skew]) if is_fresh else None

    def side_of(self, host):
        return host.split("-")[0]

    # What is written.
    def value(self):
        return self.rng.choice([None, 1, 2, 10, -1]), self.rng.choice([None, "x", "y", "z"])

    def event(self, op, cust, row, ts, after=None, cells=None, patch=None, range_=None, liveness=None, full=False):
        key = {"cust": cust} if row is None or op == "rt" else {"cust": cust, "id": row}
        event = {"op": op, "before": key if op in ("d", "rt") else None,
                 "after": None if op in ("d", "rt") else {**key, **(after or {})}}
        if patch:
            event["patch"] = patch
        if range_:
            event["range"] = range_
        if liveness:
            event["liveness"] = liveness
        if cells:
            event["cells"] = cells
        event["ts_us"] = ts
        event["event_id"] = hashlib.sha256(compact(event).encode()).hexdigest()[:32]
        if full:
            event["hash_kind"] = "full"
            event["row_hash"] = hashlib.sha256(compact(event["after"]).encode()).hexdigest()
        return event

    def write(self, ts, now, cust=None, row=None):
        """One random write, as each side sees it."""
        rng = self.rng
        cust = cust or rng.choice("AB")
        row = rng.randrange(5) if row is None else row
        what = rng.choice(["insert", "insert", "update", "update", "whole", "column", "tags", "tags+", "ttl", "static", "delete",
                           "range", "partition"])
        a, b = self.value()
        if what == "insert":
            after = {"a": a, "b": b, "tags": rng.choice([None, ["t"], ["t", "u"]])}
            cells = {"tags": {"deleted_ts_us": ts - 1}}
            return self.same(self.event("c", cust, row, ts, after, cells, full=True))
        if what == "update":
            return self.same(self.event("u", cust, row, ts, rng.choice([{"a": a}, {"b": b}, {"a": a, "b": b}])))
        if what == "whole":
            return self.whole(cust, row, ts, a, b, rng.choice([None, ["t"], ["t", "u"]]))
        if what == "column":
            return self.same(self.event("u", cust, row, ts, {"a": None}))
        if what == "tags":
            after = {"tags": rng.choice([None, ["t"], ["u", "v"]])}
            return self.same(self.event("u", cust, row, ts, after, {"tags": {"deleted_ts_us": ts - 1}}))
        if what == "tags+":
            patch = {"tags": rng.choice([{"put": ["t"], "remove": []}, {"put": [], "remove": ["t"]},
                                         {"put": ["v"], "remove": ["u"]}])}
            return self.same(self.event("u", cust, row, ts, {}, None, patch))
        if what == "ttl":
            ttl = rng.choice([5, 40, 100, 200])
            events = {}
            for side in SIDES:
                wrong = rng.choice([0, 0, 1, 2]) if self.mode == "merge" and side == "cloud" else 0
                own = {"ttl": ttl, "expires_at": now // SECOND + ttl + wrong}
                if rng.random() < 0.5:
                    events[side] = self.event("u", cust, row, ts, {"a": 7}, {"a": own})
                else:
                    events[side] = self.event("u", cust, row, ts, {"a": 7, "b": "t"}, {"a": own, "b": own})
            return events if self.mode == "merge" and self.shape(events) else self.same(events["onprem"])
        if what == "static":
            return self.same(self.event("u", cust, None, ts, {"st": rng.choice(["s", "r"])}))
        if what == "delete":
            return self.same(self.event("d", cust, row, ts))
        if what == "partition":
            return self.same(self.event("rt", cust, None, ts, range_={"start": None, "end": None}))
        low, high = sorted([rng.randrange(5), rng.randrange(5)])
        bound = lambda v: rng.choice([None, {"values": {"id": v}, "inclusive": rng.random() < 0.5}])
        start, end = bound(low), bound(high)
        if start and end and low == high:
            start = end = {"values": {"id": low}, "inclusive": True}
        if start and end and high == low + 1 and not start["inclusive"]:
            # Between two neighbours are no whole numbers, which the machines know nothing of: the oracle alone would say that nothing is lacking.
            end["inclusive"] = True
        return self.same(self.event("rt", cust, None, ts, range_={"start": start, "end": end}))

    def whole(self, cust, row, ts, a, b, tags):
        """An UPDATE of every column that is hashed: no row liveness, and a row hash all the same."""
        after, cells = {"a": a, "b": b, "tags": tags}, {"tags": {"deleted_ts_us": ts - 1}}
        return self.same(self.event("u", cust, row, ts, after, cells, full=True))

    def shape(self, events):
        return events["onprem"]["after"] == events["cloud"]["after"]

    def same(self, event):
        return {side: event for side in SIDES}

    def key(self, event):
        return event["after"] and {k: event["after"][k] for k in self.table["key"] if k in event["after"]} or event["before"]

    # Who logs it.
    def apply(self, events, now, sides=SIDES):
        rng = self.rng
        for side in sides:
            replicas = rng.sample(self.hosts[side], rng.randint(1, len(self.hosts[side])))
            for host in replicas:
                at = now + rng.randrange(GRACE * SECOND // 2)
                if len(replicas) > 1 and host != replicas[0] and rng.random() < 0.05:
                    at += rng.randrange(60, 200) * SECOND  # a hint
                self.log[host].append((at, events[side]))
            if rng.random() < 0.05:
                self.log[rng.choice(self.hosts[side])].append((now + rng.randrange(40, 200) * SECOND, events[side]))

    def repair(self, side, cust, row, now, to=None):
        """A replica gets what others hold of a row, in one piece, with other ids."""
        held = [e for h in self.hosts[side] for at, e in self.log[h] if at < now]
        parsed = [oracle.Event({"side": side, "value": self.published(e, 0)}, self.table, None) for e in held]
        deletion, cells = oracle.merged(parsed, cust, row)
        mine = [e.deletion for e in parsed if e.partition == cust and e.row == row and e.deletion is not None]
        host = self.rng.choice(self.hosts[to or side])
        if mine and max(mine) == deletion:
            self.log[host].append((now, self.event("d", cust, row, deletion)))
        if not cells:
            return
        newest, after, times, patch = max(c[0] for c in cells.values()), {}, {}, {}
        liveness = None
        for path, (ts, value, expires) in sorted(cells.items(), key=str):
            own = {}
            if value is not None and expires is not None and expires * SECOND <= now:
                value, expires = None, None
            if len(path) == 2:
                continue
            if ts != newest:
                own["deleted_ts_us" if value is None and path != ("",) else "ts_us"] = ts
            if expires is not None:
                own |= {"ttl": 60, "expires_at": expires}
            if path == ("",):
                liveness = own or {"ts_us": ts}
                continue
            after[path[0]] = value
            if own:
                times[path[0]] = own
        if any(len(path) == 2 for path in cells):
            return  # sets are left out: one event cannot say all of their times in the short form used here
        op = "c" if liveness else "u"
        self.log[host].append((now, self.event(op, cust, row, newest, after, times, None, None, liveness)))

    # What happens.
    def happen_with_versions(self):
        """Each side is written by itself, a version of a row at two times."""
        rng, begin = self.rng, T0 + WARM * SECOND
        self.mode = "merge"
        for millis in rng.sample(range(SPAN * 1000), rng.randint(8, 30)):
            now = begin + millis * 1000
            a, b = self.value()
            row, (op, is_full), version = rng.randrange(5), rng.choice([("c", True), ("u", False)]), now // 1000
            cust, after = rng.choice("AB"), {"a": a, "b": b, "v": version} if is_full else {"a": a, "v": version}
            events = {}
            for side in SIDES:
                ts = now + rng.randrange(-2 * SECOND, 2 * SECOND)
                events[side] = self.event(op, cust, row, ts, after, full=is_full)
            side, how = rng.choice(SIDES), rng.random()
            if how < 0.1:
                self.apply(events, now, [side])
            elif how < 0.2:
                changed = after | {"a": (a or 0) + 5}
                events[side] = self.event(op, cust, row, events[side]["ts_us"], changed, full=is_full)
                self.apply(events, now)
            else:
                self.apply(events, now)
                continue
            self.injected.append(["changed" if how >= 0.1 else "missing", self.key(events[side]), now, now, side])

    def happen(self):
        if self.kind == "versions":
            return self.happen_with_versions()
        rng, begin = self.rng, T0 + self.warm * SECOND
        divergent = self.kind not in ("clean", "late", "backlog")
        for n in range(rng.randint(8, 30)):
            now = begin + rng.randrange(SPAN * SECOND)
            ts = now + rng.choice([0, 0, 0, rng.randrange(-2 * SECOND, 2 * SECOND)]) + n
            if self.writes and rng.random() < 0.05:
                ts = rng.choice(self.writes)[0]  # two writes of one time
            events = self.write(ts, now)
            self.writes.append((ts, events, now))
            if divergent and rng.random() < 0.15:
                self.diverge(events, ts, now)
            else:
                self.apply(events, now)
        if divergent and not self.injected:
            now = begin + SPAN * SECOND
            self.diverge(self.write(now, now), now, now)
        for _ in range(rng.choice([0, 0, 1, 2])):
            side = rng.choice(SIDES)
            to = other(side) if divergent and self.mode == "event_id" and rng.random() < 0.5 else None
            self.repair(side, rng.choice("AB"), rng.randrange(5), begin + rng.randrange(60, 260) * SECOND, to)

    def diverge(self, events, ts, now):
        """Something that one side alone has, or has otherwise. Partitions C and D have nothing else."""
        rng, side = self.rng, self.rng.choice(SIDES)
        how, row = rng.choice(["missing", "lost", "healed", "changed", "deleted", "resurrected", "unborn", "same time"]), rng.randrange(5)
        if how == "missing":  # any write, which others may hide
            self.apply(events, now, [side])
        elif how == "lost":
            events = self.same(self.event("c", "D", row, ts, {"a": 1}))
            self.apply(events, now, [side])
        elif how == "healed":
            events = self.same(self.event("c", "D", row, ts, {"a": 1}))
            self.apply(events, now, [side])
            self.log[rng.choice(self.hosts[other(side)])].append((now + 240 * SECOND, events[other(side)]))
        elif how == "changed":
            changed = self.event("u", "C", row, ts, {"a": 2})
            events = {side: self.event("u", "C", row, ts, {"a": 1}), other(side): changed}
            self.apply(events, now)
        elif how == "deleted":
            self.apply(self.same(self.event("c", "C", row, ts, {"a": 4})), now)
            events = self.same(self.event("d", "C", row, ts + 5))
            self.apply(events, now, [side])
        elif how == "resurrected":
            self.apply(self.same(self.event("d", "C", row, ts)), now)
            events = self.same(self.event("c", "C", row, ts + 3, {"a": 3}))
            self.apply(events, now, [side])
        elif how == "unborn":  # the row itself, behind columns that both sides have
            self.apply(self.whole("D", row, ts + 2, 1, "x", ["t"]), now)
            self.apply(self.whole("D", row, ts + 4, None, None, None), now)
            events = self.same(self.event("c", "D", row, ts, {"a": 1}))
            self.apply(events, now, [side])
        else:  # of two writes of one time one side has one
            self.apply(self.same(self.event("u", "A", row, ts, {"a": rng.choice([None, 2])})), now)
            events = self.same(self.event("u", "A", row, ts, {"a": rng.choice([None, 1, 10, -1])}))
            self.apply(events, now, [side])
        self.injected.append([how, self.key(events[side]), events[side]["ts_us"], now, side])

    # What the agents publish of it.
    def published(self, event, ts_ms, host=None):
        value = {k: v for k, v in event.items() if k not in ("ts_us",)}
        for name in ("before", "after"):
            value[name] = self.formed(value[name], host)
        if "range" in value:
            bound = lambda side: side and side | {"values": self.formed(side["values"], host)}
            value["range"] = {name: bound(side) for name, side in value["range"].items()}
        value["ts_ms"] = ts_ms
        value["source"] = {"ts_us": event["ts_us"], "host_id": host}
        return value

    def formed(self, columns, host):
        """Columns as the agent of a node writes them: the event and its id are the same in either form."""
        if not columns or host not in self.texts:
            return columns
        is_one = lambda name, value: name in self.table["timestamps"] and value is not None
        return {name: iso(value) if is_one(name, value) else value for name, value in columns.items()}

    def told(self, how, host, begin, end):
        """(true time, particulars) of what the agent of a node says of a gap."""
        rng = self.rng
        said = end + rng.randrange(1, 30) * SECOND
        if how == "off":
            words = "CDC is {} from here on"
            changes = [(begin + 2 * SECOND, words.format("off") + ", which is a gap until it is on again"), (said, words.format("on"))]
            return [(at, {"type": "schema_change", "change": f"{TABLE['table']}: altered: {words}"}) for at, words in changes]
        if how == "unknown_table":
            return [(said, {"type": how, "table_id": "5bc52802-de25-35ed-aeab-188eecebb090", "mutations": 1, "bytes": 9})]
        if how == "truncate":
            keyspace, table = TABLE["table"].split(".")
            at_ms = (rng.randrange(begin, end) + self.skew[host]) // 1000
            return [(said, {"type": how, "keyspace": keyspace, "table": table, "truncated_at_ms": at_ms})]
        return [(said, {"type": how})] if how != "dead letters" else []

    def records(self):
        rng, streams, end = self.rng, [], T0 + (WARM + SPAN + TAIL) * SECOND
        silent = rng.choice(sorted(self.log)) if self.kind == "silent" else None
        gap = rng.choice(sorted(self.log)) if self.kind == "gap" else None
        gap_from = T0 + rng.randrange(WARM, WARM + SPAN) * SECOND
        gap_to = gap_from + rng.randrange(5, 60) * SECOND
        how = GAPS[self.seed // len(KINDS) % len(GAPS)]
        late = rng.choice(SIDES), rng.randrange(2)
        quiet_from = T0 + rng.randrange(WARM, WARM + SPAN) * SECOND
        quiet_to = quiet_from + rng.randrange(150, 260) * SECOND
        for host, log in sorted(self.log.items()):
            side, items = self.side_of(host), []
            for at, event in log:
                if host == gap and gap_from <= at < gap_to and how != "truncate":
                    if how == "dead letters":
                        items.append((at + 50_000, 2, "dead letters", 0, event))
                    continue
                cust = (event["after"] or event["before"])["cust"]
                items.append((at + 50_000, 0, "cdc", ord(cust) % self.partitions[side], event))
            if self.created is not None and host != self.unread:
                items += [(T0 - 1, 1, "cdc", partition, {"created": self.created}) for partition in range(self.partitions[side])]
            for at in range(self.started[host] + rng.randrange(BEAT) * SECOND, end, BEAT * SECOND):
                if host == gap and how == "off" and gap_from <= at < gap_to:
                    continue  # the table is none of those that are told of
                for partition in range(self.partitions[side]):
                    items.append((at, 1, "cdc", partition, at - 200_000 + self.skew[host]))
            if host == gap:
                items += [(at, 2, "control", 0, what) for at, what in self.told(how, host, gap_from, gap_to)]
            lag = {(topic, p): rng.randrange(20 * SECOND) for topic in ("cdc", "control", "dead letters") for p in range(3)}
            if self.kind == "backlog" and side == late[0]:
                lag["cdc", late[1]] += BACKLOG * SECOND
            for at, _, topic, partition, what in sorted(items, key=lambda item: item[:2]):
                if host == silent and quiet_from <= at < quiet_to:
                    if isinstance(what, int):
                        continue
                    at = quiet_to
                at = max(at, self.started[host])
                ts_ms = (at + self.skew[host]) // 1000
                if isinstance(what, int):
                    value = {"op": "m", "ts_ms": ts_ms, "source": {"ts_us": None, "host_id": host, "file": None}, "wm_us": what}
                elif "created" in what:
                    source = {"ts_us": what["created"], "host_id": host, "file": "CommitLog-7-1.log", "pos": 40}
                    value = {"op": "m", "ts_ms": ts_ms, "source": source, "wm_us": what["created"] - 100 * SECOND}
                elif topic == "control":
                    value = {**what, "ts_ms": ts_ms, "host_id": host}
                elif topic == "dead letters":
                    value = {"topic": f"{side}.cdc.{TABLE['table']}", "event_id": what["event_id"], "ts_ms": ts_ms}
                else:
                    value = self.published(what, ts_ms, host)
                record = {"side": side, "topic": topic, "partition": partition, "value": value}
                if topic == "dead letters":
                    record["key"] = self.formed(self.key(what), host)
                streams.append((at + lag[topic, partition], len(streams), record))
        return [record for _, _, record in sorted(streams, key=lambda item: item[:2])]

    def case(self):
        self.happen()
        hosts = {side: self.rng.choice(["any", self.hosts[side]]) for side in SIDES}
        return {
            "name": f"{self.kind}/{self.seed}" + ("/timestamps" if self.table is TIMESTAMPS else ""),
            "table": self.table,
            "options": {"mode": self.mode, "hosts": hosts, "partitions": self.partitions,
                        "tolerance_us": TOLERANCE * SECOND, "grace_us": GRACE * SECOND,
                        "silence_us": SILENCE * SECOND},
            "records": self.records(),
        }


def is_alarm(verdict):
    return verdict["key"] is not None and verdict["status"] not in ("MATCH", "RESOLVED")


def shown(events, cust, row, now):
    """What SELECT shows of a row; None where there is none. Whether a write has every column plays no part in it."""
    events = [e for e in events if e.partition == cust]
    mine = [e for e in events if e.row == row and not e.range]
    deletion = max([e.deletion for e in mine if e.deletion is not None] + [oracle.ranges_at(events, row)], default=oracle.LOW)
    cells = {}
    for event in mine:
        for path, cell in event.cells.items():
            cells.setdefault(path, []).append(cell)
    values = {}
    for path, found in cells.items():
        above = deletion
        if len(path) == 2 and path[1] != "*":
            above = max([deletion] + [cell[0] for cell in cells.get((path[0], "*"), [])])
        newest = max(found, key=lambda c: (c[0], c[1] is None, c[2] is not None, c[2] or 0, oracle.unsigned(c[1])))
        if newest[0] > above and not oracle.is_dead(newest, now):
            values[path] = newest[1]
    return {path: value for path, value in values.items() if path != ("",)} if values else None


def differs_openly(history, case):
    """Each row that SELECT shows otherwise on the two sides when all is over has a verdict that stands."""
    sides = {side: [] for side in SIDES}
    for record in case["records"]:
        if record["topic"] == "cdc" and record["value"]["op"] != "m":
            sides[record["side"]].append(oracle.Event(record, case["table"], None))
    standing = {}
    for verdict in case["verdicts"]:
        standing[compact(verdict["key"]), verdict["version_us"]] = is_alarm(verdict)
    wrong = {key for (key, _), is_wrong in standing.items() if is_wrong}
    for cust, row in {(e.partition, e.row) for events in sides.values() for e in events if e.row is not None}:
        one, other_ = (shown(sides[side], cust, row, oracle.HIGH) for side in SIDES)
        if one != other_:
            keys = {compact({"cust": cust, "id": row}), compact({"cust": cust})}
            assert keys & wrong, (case["name"], cust, row, one, other_)


def held_against(history, case):
    """The verdicts of a case beside what really happened."""
    found = case["verdicts"]
    alarms = [verdict for verdict in found if is_alarm(verdict)]
    if history.kind in ("clean", "late", "silent", "backlog") and not history.injected:
        assert not alarms, (case["name"], alarms)
    if history.kind == "backlog":
        assert not [v for v in found if v["status"] == "UNKNOWN"], case["name"]
    if history.unread:
        return  # what it may have had before is not known
    if history.kind in ("divergent", "silent"):
        differs_openly(history, case)
    if history.kind == "versions":
        injected = {(compact(key), version) for _, key, version, _, _ in history.injected}
        assert {(compact(v["key"]), v["version_us"]) for v in alarms} <= injected, (case["name"], alarms)
    if history.kind != "divergent":
        return
    bound = (2 * SKEW + LAG + TOLERANCE + GRACE + 2 * BEAT + 20) * SECOND
    keys = [compact(key) for _, key, _, _, _ in history.injected]
    for how, key, version, now, side in history.injected:
        mine = [v for v in found if v["key"] == key and v["version_us"] == version]
        assert mine, (case["name"], how, key, version)
        assert not [v for v in mine if is_alarm(v) and v["decided_us"] > now + bound], (case["name"], how, key)
        if how in ("missing", "same time") or keys.count(compact(key)) > 1:
            continue  # others may hide it
        expected = "DRIFT" if how == "changed" else f"MISSING_{other(side).upper()}"
        expected = [expected, "RESOLVED"] if how == "healed" else [expected]
        assert [v["status"] for v in mine] == expected, (case["name"], how, key, mine)


def make(seed, kind, has_texts):
    history = History(seed, kind, has_texts)
    case = history.case()
    case["verdicts"] = oracle.verdicts(case)
    held_against(history, case)
    return case


KINDS = ["clean", "divergent", "gap", "silent", "backlog"]


def cases(seed, count):
    for number in range(seed, seed + count):
        # The first ones are all of TABLE.
        form = (number // len(KINDS) + number // 90) % 3 if number >= 30 else 0
        yield make(number, "versions" if form == 2 else KINDS[number % len(KINDS)], form == 1)


def text():
    return "".join(compact(case) + "\n" for case in cases(0, 45))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="write vectors.jsonl")
    parser.add_argument("--check", action="store_true", help="compare vectors.jsonl with what would be written")
    args = parser.parse_args()
    if args.write:
        VECTORS.write_text(text())
    elif args.check:
        if VECTORS.read_text() != text():
            sys.exit("tests/oracle/drift/vectors.jsonl is not what histories.py makes: run it with --write")
    else:
        for case in cases(args.seed, args.count):
            print(compact(case), flush=True)


if __name__ == "__main__":
    main()
