"""The history checker: what writers did against what consumers see.

Every acknowledged write once per node, nothing invented, nothing twice, the order of each key, heartbeats that never pass a later record, `cdc_raw`
without what is done and without what was never there. It judges what it is given and asks nobody.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from events import compact, identity, of_record
from output import is_table

SEGMENT = re.compile(r"^CommitLog-\d+-(\d+)\.log$")
MOST_LEFT = 4
# Characters of what is said of one fault.
LONGEST = 500
INDEX = re.compile(r"^CommitLog-\d+-(\d+)_cdc\.idx$")


@dataclass
class Verdict:
    """What was wrong: kind → descriptions; and what was counted."""

    faults: dict = field(default_factory=lambda: defaultdict(list))
    counted: Counter = field(default_factory=Counter)

    @property
    def ok(self):
        return not self.faults

    def fault(self, kind, text):
        self.faults[kind].append(text if len(text) <= LONGEST else f"{text[:LONGEST]} …")

    def summary(self, most=3):
        """One line for people."""
        if self.ok:
            return "ok: " + ", ".join(f"{count} {name}" for name, count in self.counted.items())
        return "; ".join(f"{len(texts)} {kind}: {' | '.join(texts[:most])}" for kind, texts in self.faults.items())


@dataclass
class Rules:
    """What a scenario allows."""

    # Tables (keyspace.table) that are looked at; None for all.
    tables: set | None = None
    # Host ids that each must have logged every write; None: those that there are, of which there must be one.
    hosts: set | None = None
    # The records of all nodes together are one history: each write once, by whichever node.
    merged: bool = False
    # At least once instead of once.
    repeats: bool = False
    # Cassandra itself may log a write twice (batch log, hints): the same event at two positions.
    logged_twice: bool = False
    # Acknowledged in this span (µs, both ends) counts as unknown: a node that is killed may forget it.
    forgotten: tuple | None = None
    # Identities that may be missing, because the scenario lost them on purpose.
    lost: set = field(default_factory=set)
    # The table was created under the agent, or a moment before it: the records of each partition begin with a heartbeat that says so.
    begins: bool = False
    # Records of what no writer wrote are not judged (schema changes that rewrite nothing, other writers).
    foreign: bool = False


def position(source):
    """Where an event stands in its node's log: comparable."""
    return int(SEGMENT.match(source["file"])[1]), source["pos"], source["entry"], source["row"]


def changes(records):
    """Changes and heartbeats of the topics of tables: (place, [record]) in the order of offsets."""
    for place, found in sorted(records.items()):
        if is_table(place[0]):
            yield place, [record for record in found if record.value is not None]


def check(writes, records, rules=None):
    """`writes` of workload.read, `records` of output."""
    rules, verdict = rules or Rules(), Verdict()
    expected = _expected(writes, rules)
    seen = defaultdict(Counter)
    for place, found in changes(records):
        _partition(place, found, rules, verdict)
        for record in found:
            # Rows that a snapshot read were written before, by whomever.
            if record.value["op"] not in ("m", "r") and _wanted(record, rules):
                _record(record, expected, seen, rules, verdict)
    _positions(records, rules, verdict)
    _missing(expected, seen, rules, verdict)
    _heartbeats(expected, records, rules, verdict)
    if rules.begins:
        _beginnings(records, verdict)
    return verdict


def _wanted(record, rules):
    source = record.value["source"]
    return rules.tables is None or f"{source['keyspace']}.{source['table']}" in rules.tables


def _expected(writes, rules):
    """identity → (event, whether it must be there, acknowledged at)."""
    expected = {}
    for write in writes.values():
        acked, may = write.get("acked_us"), "refused" not in write
        if acked is not None and rules.forgotten and rules.forgotten[0] <= acked <= rules.forgotten[1]:
            acked = None
        for event in write["events"]:
            name = identity(event)
            assert name not in expected, f"the workload wrote {name} twice"
            if may and (rules.tables is None or event["table"] in rules.tables):
                expected[name] = (event, acked is not None and name not in rules.lost, write.get("acked_us"))
    return expected


def _record(record, expected, seen, rules, verdict):
    verdict.counted["records"] += 1
    event = of_record(record.key, record.value)
    if record.headers.get("event_id") != record.value["event_id"]:
        verdict.fault("wrong header", f"{_where(record)}: event_id differs from the value's")
    name = identity(event)
    if name not in expected:
        if not rules.foreign:
            verdict.fault("invented", f"{_where(record)}: {name}")
        return
    written = _without(expected[name][0]["content"], {left_out["column"] for left_out in record.value.get("truncated", ())})
    if written is not None and compact(written) != compact(event["content"]):
        verdict.fault("wrong content", f"{_where(record)}: {compact(event['content'])} for {compact(written)}")
    seen[name][None if rules.merged else record.value["source"]["host_id"]] += 1


def _without(content, columns):
    """What was written less the columns that a record says it leaves out."""
    if content is None or not columns:
        return content
    return {**content, **{part: {name: value for name, value in content[part].items() if name not in columns} for part in ("after", "patch")}}


def _where(record):
    source = record.value["source"]
    return f"{record.topic}/{record.partition}@{record.offset} ({source['file']}:{source['pos']}:{source['entry']}:{source['row']})"


def _missing(expected, seen, rules, verdict):
    hosts = rules.hosts or {host for counts in seen.values() for host in counts} or {None}
    if rules.hosts is None and len(hosts) > 1:
        verdict.fault("foreign node", f"records of several nodes: {sorted(map(str, hosts))}")
    for name, (_, must, _) in expected.items():
        verdict.counted["acknowledged" if must else "unknown"] += 1
        for host in sorted(hosts, key=str):
            count = seen[name][host] if name in seen else 0
            if count == 0 and must:
                verdict.fault("lost", f"{name} of {host}")
            elif count > 1 and not (rules.repeats or rules.logged_twice):
                verdict.fault("doubled", f"{name} of {host}: {count} times")


def _positions(records, rules, verdict):
    """One reading of one event is published once, wherever it stands."""
    places = defaultdict(list)
    for _, found in changes(records):
        for record in found:
            if record.value["op"] not in ("m", "r"):
                source = record.value["source"]
                places[source["host_id"], position(source)].append(record)
    for (host, place), found in places.items():
        ids = {record.value["event_id"] for record in found}
        if len(ids) > 1:
            verdict.fault("two events at a position", f"{place} of {host}: {sorted(ids)}")
        elif len(found) > 1 and not rules.repeats:
            verdict.fault("doubled", f"{', '.join(map(_where, found))}")


def _partition(place, found, rules, verdict):
    """In one partition of Kafka the positions of a key of Cassandra's rise. With repeats they may go back, to what was there before."""
    last, before = {}, defaultdict(set)
    for record in found:
        source, op = record.value["source"], record.value["op"]
        if op in ("m", "r"):
            continue
        # Every key of a workload begins with its partition key, the only text column of the key that ranges have too.
        partition = next(iter(record.key.items()))
        key, here = (source["host_id"], partition), position(source)
        if key in last and here <= last[key] and not source["late"] and not (rules.repeats and here in before[key]):
            verdict.fault("out of order", f"{_where(record)} comes after {last[key]} in {place}")
        before[key].add(here)
        last[key] = max(here, last.get(key, here))


def _heartbeats(expected, records, rules, verdict):
    """After a heartbeat nothing comes that the node had logged before its watermark. A write was logged before it was acknowledged."""
    for place, found in changes(records):
        marks = {}
        for record in found:
            host = record.value["source"]["host_id"]
            if record.value["op"] == "m":
                verdict.counted["heartbeats"] += 1
                mark = record.value["wm_us"]
                if mark is None:
                    verdict.fault("heartbeat without a watermark", f"{place} @{record.offset}")
                    continue
                if mark < marks.get(host, mark):
                    verdict.fault("watermark goes back", f"{place} @{record.offset}: {mark} after {marks[host]}")
                marks[host] = mark
            elif record.value["op"] == "r":
                continue
            # Of several replicas one has acknowledged a write; the others may log it later.
            elif host in marks and not rules.repeats and len(rules.hosts or ()) < 2 and not rules.merged:
                known = expected.get(identity(of_record(record.key, record.value)))
                if known is not None and known[2] is not None and known[2] < marks[host]:
                    text = f"{_where(record)} was acknowledged at {known[2]}, before the watermark {marks[host]} that precedes it"
                    verdict.fault("watermark passed a record", text)


def _beginnings(records, verdict):
    """The first record of each node in each partition is a heartbeat that points into the log, and no other one does."""
    for place, found in changes(records):
        for host in sorted({record.value["source"]["host_id"] for record in found}):
            points = [
                record.value["op"] == "m" and record.value["source"]["file"] is not None
                for record in found
                if record.value["source"]["host_id"] == host
            ]  # fmt: skip
            verdict.counted["beginnings"] += sum(points)
            if not points[0] or sum(points) > 1:
                verdict.fault("beginning", f"{place}: of {len(points)} records of {host} {sum(points)} point at the table's creation, the first: {points[0]}")


def check_folder(names, indexes, finished, verdict):
    """The listing of `cdc_raw` at the end. `indexes`: name → text of each index; `finished`: ids of segments that must be gone, or None when
    every completed one must."""
    for name in names:
        if not (SEGMENT.match(name) or INDEX.match(name)):
            verdict.fault("left in cdc_raw", f"{name} is no file of Cassandra's")
    logs = {int(match[1]) for match in map(SEGMENT.match, names) if match}
    for name, text in indexes.items():
        number = int(INDEX.match(name)[1])
        if number not in logs:
            verdict.fault("left in cdc_raw", f"{name} without its segment")
        elif "COMPLETED" in text and (finished is None or number in finished):
            verdict.fault("left in cdc_raw", f"{name} says COMPLETED, everything in it is published, and it is still there")
    # The one that is written, the one that comes next, and what a flush has not let go of yet.
    if len(logs) > MOST_LEFT and finished is None:
        verdict.fault("left in cdc_raw", f"{len(logs)} segments: {sorted(logs)}")
    verdict.counted["segments left"] = len(logs)


def check_deletions(deleted, records, verdict):
    """`deleted`: segment id → wall clock in µs at which it was seen to be gone. Nothing may be published from it that was processed later."""
    for _, found in changes(records):
        for record in found:
            if record.value["op"] in ("m", "r"):
                continue
            gone = deleted.get(position(record.value["source"])[0])
            if gone is not None and record.value["ts_ms"] * 1000 > gone + 1000:
                verdict.fault("deleted too early", f"{_where(record)} was processed after its segment was gone")
    verdict.counted["segments deleted"] = len(deleted)
