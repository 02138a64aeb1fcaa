"""Histories of tests/oracle/drift for test_drift.py, many side by side: each writes to partition keys of its own, so that its verdicts are
those that the oracle comes to over its records alone, with the heartbeats and gaps that all have in common."""

import hashlib
import json
import re
import sys
import zlib

from tests.flink.drift_input import (
    GRACE, HOSTS, PARTITIONS, ROOT, SECOND, SIDES, SILENCE, T0, TABLE_OF_CHANGES, TABLE_OF_HASHES, TOLERANCE, WAVE, compact,
)  # fmt: skip

sys.path.insert(0, str(ROOT / "tests" / "oracle" / "drift"))
import histories  # noqa: E402
import oracle  # noqa: E402

# A history begins in one of these waves, and is over two waves later.
FIRST, LAST = 1, 6
# Of how many records onprem's broker took one not: a pointer stands in the topic of dead letters.
LOST = 150
OF_HASHES = {**histories.TABLE, "table": TABLE_OF_HASHES, "columns": {"(row)": "text"}}
NAME = re.compile("[A-D]~([0-9]+)")


class Group(histories.History):
    """One history, on the nodes and partitions of the test."""

    def __init__(self, number, seed):
        super().__init__(f"{seed}/{number}", "divergent")
        self.number, self.mode, self.hosts, self.partitions = number, "merge", HOSTS, PARTITIONS
        self.log = {host: [] for side in SIDES for host in HOSTS[side]}
        self.warm = self.rng.randrange(FIRST, LAST + 1) * WAVE + self.rng.randrange(WAVE // 3)
        self.happen()
        # Without what tells whole rows alone apart from parts no oracle speaks for hash events: every other history has none of these.
        self.has_parts = number % 2 == 1
        self.records = sorted(self.made(), key=lambda made: (made[0], made[1]["value"]["ts_ms"]))

    def made(self):
        """(wave, oracle's record of the table of changes, that of hash events, hash event), None where there is none."""
        for side in SIDES:
            for host in HOSTS[side]:
                for at, event in self.log[host]:
                    wave, renamed = (at - T0) // (WAVE * SECOND), self.renamed(event)
                    is_lost = side == "onprem" and self.rng.randrange(LOST) == 0
                    yield wave, self.change(side, host, at, renamed, is_lost), *self.hash(side, host, at, renamed)

    def renamed(self, event):
        """An event of a partition key that no other history has."""
        of = lambda row: row and {**row, "cust": f"{row['cust']}~{self.number}"}
        event_id = hashlib.sha256(f"{self.number}/{event['event_id']}".encode()).hexdigest()[:32]
        return {**event, "before": of(event["before"]), "after": of(event["after"]), "event_id": event_id}

    def change(self, side, host, at, event, is_lost):
        key = self.key(event)
        if is_lost:
            value = {"topic": f"{side}.cdc.{TABLE_OF_CHANGES}", "event_id": event["event_id"], "ts_ms": at // 1000}
            return {"side": side, "topic": "dead letters", "partition": 0, "value": value, "key": key}
        return {"side": side, "topic": "cdc", "partition": self.partition(side, key), "value": self.published(event, at // 1000, host)}

    @staticmethod
    def partition(side, key):
        return zlib.crc32(key["cust"].encode()) % PARTITIONS[side]

    def hash(self, side, host, at, event):
        """What the hash job makes of it, as the oracle's record and as it is."""
        key, kind = self.key(event), "tombstone" if event["op"] == "d" else event.get("hash_kind", "partial")
        if "id" not in key or event["op"] == "rt" or (kind == "partial" and not self.has_parts):
            return None, None
        row_hash = {"partial": None, "tombstone": "TOMBSTONE"}.get(kind) or event.get("row_hash")
        version_us = None if kind == "partial" and int(event["event_id"], 16) % 3 == 0 else event["ts_us"]
        made = {
            "table": TABLE_OF_HASHES, "key": key, "op": event["op"], "row_hash": row_hash, "hash_kind": kind, "hash_def": None,
            "version_us": version_us, "source_dc": side, "host_id": host, "event_id": event["event_id"],
        }  # fmt: skip
        # A row of one cell, or its deletion.
        row = {"before": key, "after": None} if kind == "tombstone" else {"before": None, "after": {**key, "(row)": row_hash}}
        value = {**row, "op": "d" if kind == "tombstone" else "c", "hash_kind": kind, "event_id": event["event_id"], "ts_ms": at // 1000}
        value["source"] = {"ts_us": event["ts_us"], "host_id": host}
        return {"side": side, "topic": "cdc", "partition": self.partition(side, key), "value": value}, made


class Groups:
    """As many of them as it takes."""

    def __init__(self, seed, count):
        """So many that there are `count` records of each table."""
        self.all, have = [], {TABLE_OF_CHANGES: 0, TABLE_OF_HASHES: 0}
        while min(have.values()) < count:
            group = Group(len(self.all), seed)
            self.all.append(group)
            have[TABLE_OF_CHANGES] += sum(record["topic"] == "cdc" for _, record, _, _ in group.records)
            have[TABLE_OF_HASHES] += sum(event is not None for *_, event in group.records)

    def wave(self, number):
        """(topic, partition, milliseconds, value) of both tables; in the order in which they were logged."""
        made = [one for group in self.all for one in group.records if one[0] == number]
        for _, record, _, event in sorted(made, key=lambda one: one[1]["value"]["ts_ms"]):
            side, at_ms = record["side"], record["value"]["ts_ms"]
            if record["topic"] == "cdc":
                yield f"{side}.cdc.{TABLE_OF_CHANGES}", record["partition"], at_ms, record["value"]
            else:
                yield f"{side}.cdc.__dead_letters", 0, at_ms, {**record["value"], "key": record["key"]}
            if event is not None:
                yield f"{side}_hash_events", self.all[0].partition(side, event["key"]), at_ms, event

    def expected(self, table, told):
        """Group number → what the oracle says of it, in the order of `line`; None → what it says of the nodes.

        `told`: wave → (gaps, heartbeats) that the job of this table is told of, as records of the oracle; the first waves have no events.
        """
        is_hash = table == TABLE_OF_HASHES
        options = {
            "mode": "event_id" if is_hash else "merge", "hosts": {side: "any" for side in SIDES}, "partitions": PARTITIONS,
            "tolerance_us": TOLERANCE * SECOND, "grace_us": GRACE * SECOND, "silence_us": SILENCE * SECOND,
        }  # fmt: skip
        found = {}
        for group in self.all:
            if is_hash and group.has_parts:
                continue
            own = {}
            for wave, change, of_hash, _ in group.records:
                record = of_hash if is_hash else change
                if record is not None:
                    own.setdefault(wave, []).append(record)
            assert set(own) <= set(told), (set(own), set(told))
            records = [record for wave, (gaps, beats) in sorted(told.items()) for record in [*own.get(wave, []), *gaps, *beats]]
            verdicts = oracle.verdicts({"table": OF_HASHES if is_hash else histories.TABLE, "options": options, "records": records})
            found[group.number] = sorted(line(verdict, verdict["columns"]) for verdict in verdicts if verdict["key"] is not None)
            nodes = [line(verdict, []) for verdict in verdicts if verdict["key"] is None]
            assert found.setdefault(None, nodes) == nodes, (found[None], nodes)
        return found

    @staticmethod
    def said(values):
        """The same of the texts of verdicts; those about other rows are left out."""
        found = {None: []}
        for verdict in map(json.loads, values):
            if verdict["key"] is None:
                found[None].append(line(verdict, []))
            elif name := NAME.fullmatch(str(verdict["key"].get("cust"))):
                found.setdefault(int(name[1]), []).append(line(verdict, verdict["evidence"].get("columns") or []))
        return {number: lines if number is None else sorted(lines) for number, lines in found.items()}


def line(verdict, columns):
    return compact([verdict["decided_us"], verdict["key"], verdict["version_us"], verdict["status"], columns])
