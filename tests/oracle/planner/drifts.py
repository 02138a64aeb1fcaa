"""Records of agents of two sides for 05_drift.sql of shop.changes, and the verdicts that must come of them: written down from
docs/flink.md 5, docs/drift.md 5 and docs/jobs.md, text by text. The seed is fixed."""

import datetime
import random

BEGIN = 1_735_689_600_000
SIDES = ("onprem", "cloud")
DAY, MINUTE = 86_400_000, 60_000
DEFINITIONS = ("0a0b0c0d", "1a2b3c4d")
# How far apart the two sides may log a write; up to a minute it is one.
APART = [0, 5, 30_000, MINUTE - 1, MINUTE]
TOO_FAR = [MINUTE + 1, 3 * MINUTE]
WAYS = [
    "equal", "equal", "changed", "alone", "definition", "too far", "snapshot", "snapshots", "partial", "deleted", "deleted alone", "twice", "unversioned", "heartbeat", "tombstone",
]  # fmt: skip


def iso(ms):
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
    return f'"{moment:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"'


class Event:
    """What an agent tells of a row."""

    def __init__(self, choose, ms, op="c", kind=None):
        self.ms, self.op, self.kind = ms, op, kind or ("tombstone" if op == "d" else "full")
        part = choose.choice(['"a"', '"b \\"q\\""', '"é"'])
        self.key = f'{{"part":{part},"id":{choose.randrange(30)}}}'
        self.partition = len(part) % 2
        # Versions are business times: older than the records.
        self.version_us = (ms - choose.randrange(10 * DAY)) * 1000
        self.hash, self.definition = f"{choose.getrandbits(256):064x}", DEFINITIONS[0]
        self.id, self.pos = f"{choose.getrandbits(128):032x}", choose.randrange(10_000)
        if op == "d":
            self.hash = "TOMBSTONE"

    def changed(self, choose, ms, **other):
        """The same write as another event at this time."""
        event = Event(choose, ms, self.op, self.kind)
        event.key, event.partition, event.version_us, event.hash = self.key, self.partition, self.version_us, self.hash
        vars(event).update(other)
        return event

    def value(self):
        columns, version = self.key[:-1], self.version_us
        # A deletion carries no column: its version is when it was written.
        # Either form of timestamp_format.
        at = "" if version is None else f',"at":{version // 1000 if self.pos % 2 else iso(version // 1000)}'
        after = "null" if self.op == "d" else columns + at + "}"
        source = f'{{"ts_us":{version if self.op == "d" else 17},"snapshot":"false","file":"CommitLog-7-1.log","pos":{self.pos}}}'
        hash_ = "null" if self.kind == "partial" else f'"{self.hash}"'
        fields = f'"row_hash":{hash_},"hash_kind":"{self.kind}","hash_def":"{self.definition}","event_id":"{self.id}","source":{source}'
        return f'{{"op":"{self.op}","ts_ms":{self.ms},"before":{self.key if self.op == "d" else "null"},"after":{after},{fields}}}'


class Beat:
    """A heartbeat, or a record without a value."""

    def __init__(self, ms, text):
        self.ms, self.text, self.partition, self.key = ms, text, 0, '{"heartbeat":"h"}'

    def value(self):
        return self.text


def told(choose, way, ms):
    """(side, event) of one write."""
    one, other = choose.sample(SIDES, 2)
    later = ms + choose.choice(TOO_FAR if way == "too far" else APART)
    event = Event(choose, ms, "d" if way.startswith("deleted") else "u" if choose.random() < 0.3 else "c")
    copy = event.changed(choose, later)
    if way in ("heartbeat", "tombstone"):
        return [(one, Beat(ms, '{"op":"m","wm_us":17,"source":{"ts_us":null}}' if way == "heartbeat" else None))]
    if way == "snapshot":
        event.op = "r"
        return [(one, event)]
    if way in ("alone", "deleted alone"):
        return [(one, event)]
    if way == "changed":
        copy.hash = f"{choose.getrandbits(256):064x}"
    elif way == "definition":
        copy.hash, copy.definition = "00", DEFINITIONS[1]
    elif way == "snapshots":
        copy.op = "r"
    elif way == "partial":
        event.kind = "partial"
    elif way == "unversioned":
        event.op, event.version_us = "c", None
    found = [(one, event), (other, copy)]
    if way == "twice":
        # Another replica tells of the same event; another event has the same version, and other content.
        found += [(one, event.changed(choose, ms + 200, id=event.id)), (one, event.changed(choose, ms + 400, hash="11"))]
    return found


def histories(count, seed=1):
    """Side → its events in the order of their times, and so of their offsets."""
    choose = random.Random(seed)
    found = {side: [] for side in SIDES}
    for number in range(count):
        for side, event in told(choose, WAYS[number % len(WAYS)], BEGIN + number * 3_000):
            found[side].append(event)
    for side, events in found.items():
        events.sort(key=lambda event: event.ms)
        for number, event in enumerate(events):
            event.topic, event.offset = f"{side}.cdc.shop.changes", number
    return found


def line(event):
    """A line of the table that stands in Kafka's place."""
    place = {"record.topic": event.topic, "record.partition": event.partition, "record.offset": event.offset}
    return {"record.key": event.key, "record.value": event.value(), **place, "record.ms": event.ms}


def compared(events):
    """The whole rows of a side, each event once."""
    seen, rows = set(), []
    for event in events:
        if isinstance(event, Beat) or event.kind == "partial":
            continue
        if event.id not in seen and event.version_us is not None:
            rows.append(event)
        seen.add(event.id)
    return rows


def pairs(found):
    """(onprem, cloud) of each verdict, None for a side that lacks it."""
    rows = {side: compared(events) for side, events in found.items()}
    met = set()
    for onprem in rows["onprem"]:
        for cloud in rows["cloud"]:
            same = (onprem.key, onprem.version_us) == (cloud.key, cloud.version_us)
            if same and abs(onprem.ms - cloud.ms) <= MINUTE:
                met |= {onprem, cloud}
                yield onprem, cloud
    for side in SIDES:
        for event in rows[side]:
            if event not in met and event.op != "r":
                yield (event, None) if side == "onprem" else (None, event)


def status(onprem, cloud):
    if onprem is None:
        return "MISSING_ONPREM"
    if cloud is None:
        return "MISSING_CLOUD"
    if onprem.definition != cloud.definition:
        return "INCOMPARABLE"
    return "MATCH" if onprem.hash == cloud.hash else "DRIFT"


def place(event):
    where = f'"topic":"{event.topic}","partition":{event.partition},"offset":{event.offset},"file":"CommitLog-7-1.log","pos":{event.pos}'
    return f'{{"op":"{event.op}",{where}}}'


def verdict(onprem, cloud):
    """Key and value of a record of dq_reconciliation_audit."""
    said, sides = status(onprem, cloud), [event for event in (onprem, cloud) if event is not None]
    of = lambda event, name: "null" if event is None else f'"{getattr(event, name)}"'
    decided = max(event.ms for event in sides) + (MINUTE if len(sides) == 1 else 0)
    evidence = [f'"{side}":{place(event)}' for side, event in zip(SIDES, (onprem, cloud)) if event is not None]
    if said == "INCOMPARABLE":
        evidence.append(f'"reason":"hash_def","hash_defs":["{onprem.definition}","{cloud.definition}"]')
    fields = [
        ("table", '"shop.changes"'), ("key", sides[0].key), ("version_us", sides[0].version_us), ("status", f'"{said}"'), ("onprem_hash", of(onprem, "hash")),
        ("cloud_hash", of(cloud, "hash")), ("onprem_event_id", of(onprem, "id")), ("cloud_event_id", of(cloud, "id")), ("hash_def", f'"{sides[0].definition}"'),
        ("first_seen_us", min(event.ms for event in sides) * 1000), ("decided_us", decided * 1000), ("evidence", "{" + ",".join(evidence) + "}"),
    ]  # fmt: skip
    compact = lambda pairs: "{" + ",".join(f'"{name}":{text}' for name, text in pairs) + "}"
    return compact(fields[:2]), compact(fields)


def expected(found):
    """What is written, and the event ids of what matches."""
    verdicts, matches = [], []
    for onprem, cloud in pairs(found):
        if status(onprem, cloud) == "MATCH":
            matches.append(f"{onprem.id}\t{cloud.id}")
        else:
            verdicts.append("\t".join(verdict(onprem, cloud)))
    return sorted(verdicts), sorted(matches)
