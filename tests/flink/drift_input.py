"""What test_drift.py writes: events of a table on one side or both, as the agents' records and as hash events."""

import json
import os
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# How many records of each table there are at least, heartbeats not counted.
RECORDS = int(os.environ.get("RECORDS", "3000"))
SIDES = ("onprem", "cloud")
TABLE_OF_CHANGES, TABLE_OF_HASHES = "shop.orders", "shop.notes"
PARTITIONS = {"onprem": 3, "cloud": 2}
HOSTS = {side: [f"{number:08x}-0000-4000-8000-00000000000{nibble}" for number in (1, 2)] for nibble, side in enumerate(SIDES)}
SECOND = 1_000_000
T0 = 1_700_000_000 * SECOND
# Seconds from one heartbeat to the next: longer than tolerance and grace, shorter than silence.
WAVE = 300
TOLERANCE, GRACE, SILENCE = 60, 30, 400
# Of a wave, within its first seconds.
EVENTS, WITHIN = max(150, RECORDS // 250), 75


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Writes:
    """Events of a table with all that an agent's record can say, on one side or both, alike or not."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.late = []

    def wave(self, begin):
        """(side, event) of a wave that begins at this time, microseconds; some come in the next one."""
        events, self.late = self.late, []
        for number in range(EVENTS):
            at = begin + 5 * SECOND + number * (WITHIN * SECOND // EVENTS)
            event = self.event(at)
            if self.random.random() < 0.7:
                events += [(side, event, at) for side in SIDES]
                continue
            side = self.random.choice(SIDES)
            other = SIDES[1 - SIDES.index(side)]
            events.append((side, event, at))
            how = self.random.choice(["missing", "late", "changed", "definition"])
            if how == "late":
                self.late.append((other, event, at + WAVE * SECOND))
            elif how == "changed":
                events.append((other, self.changed(event, at), at))
            elif how == "definition":
                events.append((other, {**self.changed(event, at), "hash_def": "ffffffff"}, at))
        return events

    def changed(self, event, at):
        return {**self.event(at), "key": event["key"], "version_us": event["version_us"]}

    def event(self, at):
        rng = self.random
        return {
            "key": {"cust": f'{rng.choice("ABCDE")}"é\u2028\x7f', "id": rng.randrange(6)},
            "version_us": at,
            "event_id": f"{rng.getrandbits(128):032x}",
            "hash_def": "0a0b0c0d",
            "row_hash": f"{rng.getrandbits(256):064x}",
            "kind": rng.choice(["whole", "whole", "part", "part", "collections", "row", "range", "static"]),
            "number": rng.randrange(1000),
        }


def change(event, logged_us, host):
    """The record of the agent of a node."""
    key, at, number = event["key"], event["version_us"], event["number"]
    kind, static = event["kind"], {"cust": event["key"]["cust"]}
    source = {"version": "0", "ts_us": at, "host_id": host, "file": f"CommitLog-7-{number}.log", "pos": number}
    value = {"op": "u", "ts_ms": logged_us // 1000, "before": None, "after": None}
    if kind == "whole":
        value |= {"op": "c", "after": {**key, "a": number, "b": "\t€", "tags": ["x"], "m": None, "l": [1], "f": 0.5, "st": None}}
        value["liveness"] = {"ts_us": at, "ttl": 86400, "expires_at": at // SECOND + 86400}
        value |= {"row_hash": event["row_hash"], "hash_kind": "full", "hash_version": 1, "hash_def": event["hash_def"]}
    elif kind == "part":
        value["after"] = {**key, "a": number, "b": None, "f": number / 3}
        value["cells"] = {"a": {"ts_us": at - 7}, "b": {"deleted_ts_us": at - 3}, "f": {"ttl": 60, "expires_at": at // SECOND + 60}}
        value |= {"row_hash": None, "hash_kind": "partial", "hash_def": event["hash_def"]}
    elif kind == "collections":
        value["after"] = {**key, "l": [number, 2]}
        value["patch"] = {
            "tags": {"put": [str(number % 5)], "remove": ["x"]},
            "m": {"put": [["k", number], ["\u0001", None]], "remove": []},
            "n": {"shards": [{"id": "s1", "clock": number, "count": at % 99}]},
        }
        value["cells"] = {"tags": {"elements": [{"path": "x", "deleted_ts_us": at - 1}]}, "l": {"deleted_ts_us": at - 1}}
    elif kind == "static":
        value["after"] = {**static, "st": f"s{number}"}
    elif kind == "row":
        value |= {"op": "d", "before": key, "row_hash": "TOMBSTONE", "hash_kind": "tombstone", "hash_def": event["hash_def"]}
    else:
        start = {"values": {"id": number % 6}, "inclusive": number % 2 == 0}
        value |= {"op": "rt", "before": static, "range": {"start": start, "end": None if number % 3 else {"values": {}, "inclusive": True}}}
    if number % 50 == 0 and kind in ("part", "collections"):
        value["truncated"] = True
    return {**value, "event_id": event["event_id"], "source": source}


def hash_event(event, side, host):
    """What the hash job makes of it."""
    kind = {"row": "tombstone", "part": "partial"}.get(event["kind"], "full")
    row_hash = {"tombstone": "TOMBSTONE", "partial": None}.get(kind, event["row_hash"])
    # An update of a part of a row need not carry the column of its version.
    version_us = None if kind == "partial" and event["number"] % 3 == 0 else event["version_us"]
    return {
        "table": TABLE_OF_HASHES, "key": event["key"], "op": "d" if kind == "tombstone" else "u", "row_hash": row_hash, "hash_kind": kind,
        "hash_def": event["hash_def"], "version_us": version_us, "source_dc": side, "host_id": host, "event_id": event["event_id"],
    }  # fmt: skip


def records(events):
    """(topic, partition, milliseconds, value) of both tables."""
    for side, event, logged_us in events:
        host, partition = HOSTS[side][event["number"] % 2], ord(event["key"]["cust"][0]) % PARTITIONS[side]
        yield f"{side}.cdc.{TABLE_OF_CHANGES}", partition, logged_us // 1000, change(event, logged_us, host)
        if event["kind"] not in ("range", "static"):
            yield f"{side}_hash_events", partition, logged_us // 1000, hash_event(event, side, host)
