"""Records for test_drift.py that no agent writes, or none that is well: of both engines the one must make of them what the other does."""

import copy
import random
import sys

from tests.flink import drift_input
from tests.flink.drift_input import HOSTS, RECORDS, ROOT, SIDES, TABLE_OF_CHANGES, compact

sys.path.insert(0, str(ROOT / "tests" / "oracle" / "planner"))
import audits  # noqa: E402
import records as texts  # noqa: E402

# Of a wave, in each topic of data.
COUNT = max(20, RECORDS // 160)
VALUES = texts.EVERYTHING + texts.TIMES + ["18446744073709551615", "1e300", "5e-324", '{"a":{}}', "[[1,2],[3]]", '"\\u0000"', '"c"', '"u"', '"d"', '"rt"', '"r"']
# No whole heartbeat among them: what one says holds for all rows.
NONE = [
    *(payload for payload in texts.PAYLOADS if payload is not None), b"17", b'"a"', b"true", b"[{}]", b"[" * 200, b'{"a":' * 130 + b"1" + b"}" * 130, b'{"op":"m"}',
    b'{"op":"m","ts_ms":1,"source":{}}', b'{"op":"m","ts_ms":1,"source":{},"wm_us":"1"}', b'{"op":"m","source":{},"wm_us":1}', b'{"op":"m","ts_ms":1,"wm_us":1}',
    b'{"op":"m","partition":0,"host_id":"x"}', b'{"op":"x","ts_ms":1,"after":{"cust":"X","id":1},"source":{"ts_us":1}}', b'{"table":"shop.notes","key":[],"op":"u","version_us":1}',
]  # fmt: skip
TELL_NOTHING = [
    b"", b"{", b"[]", b"null", b"\xff", b"{}", b'{"type":7}', b'{"type":"gap2"}', b'{"type":"start"}', b'{"type":"gap","type":"start"}', b'{"type":"gap"',
    b'{"type":"truncate"}', b'{"type":"truncate","keyspace":"shop","table":"other"}', b'{"type":"truncate","keyspace":7,"table":"orders"}', b'{"type":"schema_change"}',
    b'{"type":"schema_change","change":5}', b'{"type":"schema_change","change":"shop.orders: altered"}', b'{"type":"schema_change","change":"shop.orders2: CDC is off from here on"}',
]  # fmt: skip
POINT_NOWHERE = [b"", b"[]", b"{}", b'{"topic":7}', b'{"topic":"onprem.cdc.other"}', b"\xff", b'{"topic":"onprem.cdc.shop.orders"', None]


class Hostile:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.writes = drift_input.Writes(seed + 1)

    def wave(self, begin):
        """(topic, partition, milliseconds, value as bytes or None). Each side's stand in one partition: whichever row they are about has one order."""
        at_ms = begin // 1000 + 7
        for side in SIDES:
            for what in TELL_NOTHING:
                yield f"{side}.cdc.__control", 0, at_ms, what
        for what in POINT_NOWHERE:
            yield "onprem.cdc.__dead_letters", 0, at_ms, what
        for number in range(COUNT):
            at = begin + number * (drift_input.WITHIN * drift_input.SECOND // COUNT)
            for make, topic in ((self.change, f"{{}}.cdc.{TABLE_OF_CHANGES}"), (self.hash, "{}_hash_events")):
                one = self.spoilt(make(self.event(at), at))
                # Often the other side says the same, or nearly so.
                for side in self.random.choice([SIDES, SIDES, SIDES[:1], SIDES[1:]]):
                    yield topic.format(side), 0, at // 1000, one
                    if self.random.random() < 0.05:
                        yield topic.format(side), 0, at // 1000, one

    def event(self, at):
        event = self.writes.event(at)
        return {**event, "key": {"cust": f"X{self.random.randrange(40)}", "id": event["key"]["id"]}}

    def change(self, event, at):
        return drift_input.change(event, at, self.random.choice(HOSTS["cloud"]))

    def hash(self, event, _):
        return drift_input.hash_event(event, "cloud", self.random.choice(HOSTS["cloud"]))

    def spoilt(self, value):
        """The bytes of a record in which something is wrong; sometimes nothing is."""
        how = self.random.random()
        if how < 0.1:
            return self.random.choice([*NONE, None])
        if how < 0.3:
            return audits.broken(self.random, "", compact(value))[1]
        found, marks = copy.deepcopy(value), []
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            self.twist(found, marks)
        text = compact(found)
        for number, mark in enumerate(marks):
            text = text.replace(f'"@{number}@"', mark)
        return text.encode()

    def twist(self, value, marks):
        """Something in it is gone, twice there, or another value."""
        inner = list(places(value))
        holder, name = self.random.choice(inner)
        if isinstance(holder, dict) and self.random.random() < 0.15:
            del holder[name]
            return
        if isinstance(holder, list) and self.random.random() < 0.3:
            holder.insert(name, copy.deepcopy(holder[name]))
            return
        holder[name] = f"@{len(marks)}@"
        marks.append(self.random.choice(VALUES))


def places(value):
    """Every (holder, name) below a value."""
    names = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from places(value[name])

