"""The drift job on a real Flink cluster beside `cdc-jobs run drift`: both read the same topics while they are written, and say the same.

Time goes in waves: the events of a wave, then one heartbeat of each node in each partition. What is decided then does not depend on the
order in which partitions are read, so that verdicts can be compared byte by byte. Between waves the job on Flink is stopped with a
savepoint, goes on from it, and loses a TaskManager.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.flink import datadog
from tests.flink.cluster import PROGRAM, ROOT, SECONDS, UP, down, stack
from tests.live.waiting import wait_for

HERE = Path(__file__).resolve().parent
# One compares the records of the agents, the other one hash events.
TABLES = ("shop.orders", "shop.notes")
SIDES = ("onprem", "cloud")
TOPICS = {side: (f"{side}.cdc.shop.orders", f"{side}_hash_events") for side in SIDES}
PARTITIONS = {"onprem": 3, "cloud": 2}
HOSTS = {side: [f"{number:08x}-0000-4000-8000-00000000000{nibble}" for number in (1, 2)] for nibble, side in enumerate(SIDES)}
AUDIT, CURRENT = "dq_reconciliation_audit", "dq_reconciliation_current"
DEAD_LETTERS = "onprem.cdc.__dead_letters"
SECOND = 1_000_000
T0 = 1_700_000_000 * SECOND
# Seconds from one heartbeat to the next: longer than tolerance and grace, shorter than silence.
WAVE = 300
EVENTS = 150


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def is_of(table, topic):
    return topic.endswith("_hash_events") == (table == "shop.notes")


class Writes:
    """Events of a table with all that an agent's record can say, on one side or both, alike or not."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.late = []

    def wave(self, begin):
        """(side, event) of a wave that begins at this time, microseconds; some come in the next one."""
        events, self.late = self.late, []
        for number in range(EVENTS):
            at = begin + 5 * SECOND + number * 500_000
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


def hash_event(event, table, side, host):
    """What the hash job makes of it."""
    kind = {"row": "tombstone", "part": "partial"}.get(event["kind"], "full")
    row_hash = {"tombstone": "TOMBSTONE", "partial": None}.get(kind, event["row_hash"])
    # An update of a part of a row need not carry the column of its version.
    version_us = None if kind == "partial" and event["number"] % 3 == 0 else event["version_us"]
    return {
        "table": table, "key": event["key"], "op": "d" if kind == "tombstone" else "u", "row_hash": row_hash, "hash_kind": kind,
        "hash_def": event["hash_def"], "version_us": version_us, "source_dc": side, "host_id": host, "event_id": event["event_id"],
    }  # fmt: skip


class Drift(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cdc-agent-drift-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(down, cls.folder)
        cls.known = json.loads(stack("up", cls.folder, "--owner", str(os.getpid()), *UP, "--set", "flink.parallelism.default=2"))
        cls.servers = cls.known["bootstrap_servers"]
        topics = [NewTopic(AUDIT, 1, 1), NewTopic(CURRENT, 1, 1)]  # neither is compacted, so that all can be compared
        for side in SIDES:
            topics += [NewTopic(name, PARTITIONS[side], 1) for name in TOPICS[side]] + [NewTopic(f"{side}.cdc.__control", 1, 1)]
        topics.append(NewTopic(DEAD_LETTERS, 1, 1))  # cloud has none: no agent there had to point to anything
        admin = AdminClient({"bootstrap.servers": cls.servers})
        for made in admin.create_topics(topics).values():
            made.result()
        cls.jobs = cls.folder / "jobs"
        shutil.copytree(HERE / "drift", cls.jobs)
        environments = (ROOT / "jobs" / "environments.yaml").read_text()
        environments = environments.replace("127.0.0.1:9092", cls.servers).replace("interval: 30s", "interval: 1s").replace("keyspace: sales", "keyspace: shop")
        (cls.jobs / "environments.yaml").write_text(environments)
        cls.programs = {}
        cls.writes = Writes(7)
        cls.addClassCleanup(cls.end_programs)

    @classmethod
    def end_programs(cls):
        for program in cls.programs.values():
            program.kill()
            program.wait()

    # -- what the test does -----------------------------------------------------------------------------------------

    def cdc_jobs(self, *arguments):
        flink = self.known["flink"]
        places = {
            "CDC_JOBS_SQL_GATEWAY": flink["sql_gateway"],
            "CDC_JOBS_JOBMANAGER": flink["jobmanager"],
            "CDC_JOBS_CHECKPOINTS": f"file://{Path(flink['checkpoints']).parent}",
        }
        done = subprocess.run([PROGRAM, *arguments], cwd=ROOT, env={**os.environ, **places}, capture_output=True, text=True, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 0, f"{arguments}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def submit(self):
        return self.cdc_jobs("submit", "drift", "--jobs", str(self.jobs))

    def restarts(self):
        return sum(job["restarts"] or 0 for job in json.loads(self.cdc_jobs("flink", "status", "--format", "json"))["jobs"])

    def kill_taskmanager(self):
        """One that runs a task of a job ends, and is started anew."""
        before = self.restarts()
        for service in self.known["services"]:
            if service["name"].startswith("taskmanager"):
                os.kill(service["pid"], signal.SIGKILL)
                stack("start", self.folder, service["name"])
                break
        wait_for(lambda: self.restarts() > before, "a restart")

    def run_embedded(self, table):
        """`cdc-jobs run drift`, which goes on until it is stopped."""
        out, state = self.out(table), self.folder / f"{table}.state"
        words = ["run", "drift", "--env", "onprem", "--table", table, "--jobs", self.jobs, "--out", out, "--state", state, "--quiet"]
        with self.log(table).open("w") as log:
            self.programs[table] = subprocess.Popen([PROGRAM, *map(str, words)], cwd=ROOT, stdout=log, stderr=log)

    def log(self, table):
        return self.folder / f"{table}.log"

    def out(self, table):
        return self.folder / f"{table}.out"

    def send(self, records):
        """(topic, partition, milliseconds, value); heartbeats of hash events are those of shop.notes"""
        producer = Producer({"bootstrap.servers": self.servers})
        for topic, partition, timestamp_ms, value in records:
            is_beat = topic.endswith("_hash_events") and value["op"] == "m"
            headers = {"source_topic": f"{value['source_dc']}.cdc.{value.pop('of')}"} if is_beat else None
            key = compact(value.pop("key")).encode() if "__dead_letters" in topic else None
            producer.produce(topic, compact(value).encode(), key, partition=partition, timestamp=timestamp_ms, headers=headers)
        self.assertEqual(producer.flush(60), 0)

    def events(self, events):
        for side, event, logged_us in events:
            host, partition = HOSTS[side][event["number"] % 2], ord(event["key"]["cust"][0]) % PARTITIONS[side]
            yield f"{side}.cdc.shop.orders", partition, logged_us // 1000, change(event, logged_us, host)
            if event["kind"] not in ("range", "static"):
                yield f"{side}_hash_events", partition, logged_us // 1000, hash_event(event, "shop.notes", side, host)

    def heartbeats(self, wm_us, hosts):
        for side in SIDES:
            for host in set(HOSTS[side]) & set(hosts):
                for partition in range(PARTITIONS[side]):
                    beat = {"op": "m", "ts_ms": wm_us // 1000, "source": {"ts_us": None, "host_id": host}, "wm_us": wm_us}
                    yield f"{side}.cdc.shop.orders", partition, wm_us // 1000, beat
                    beat = {"op": "m", "host_id": host, "partition": partition, "wm_us": wm_us, "source_dc": side}
                    # That of another table, which is further, is none of this one.
                    ahead = {**beat, "wm_us": wm_us + 10 * WAVE * SECOND, "of": "shop.orders"}
                    yield f"{side}_hash_events", partition, wm_us // 1000, ahead
                    yield f"{side}_hash_events", partition, wm_us // 1000, {**beat, "of": "shop.notes"}

    def embedded(self, out):
        """(topic, key, value, timestamp) of what the embedded engine wrote, by topic and key."""
        found = {}
        for topic in (AUDIT, CURRENT):
            for file in sorted((out / topic / "0").glob("*.jsonl")):
                for line in file.read_text().split("\n")[:-1]:  # other ends of lines stand in texts
                    record = json.loads(line)
                    key, value = compact(record["key"]), record["value"] and compact(record["value"])
                    self.assertIn(f'"key":{key},"value":{value or "null"}', line, "bytes as they are compared")
                    found.setdefault((topic, key), []).append((value, record["ts_ms"]))
        return found

    def committed(self):
        """The same of what is committed in Kafka, of all tables."""
        settings = {"group.id": "test", "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True}
        consumer, found = Consumer({"bootstrap.servers": self.servers, **settings}), {}
        consumer.assign([TopicPartition(topic, 0, 0) for topic in (AUDIT, CURRENT)])
        left, deadline = 2, time.monotonic() + 60
        while left > 0 and time.monotonic() < deadline:
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error() is not None:
                left -= 1  # the end of one
                continue
            value = message.value() and message.value().decode()
            key = (message.topic(), message.key().decode())
            found.setdefault(key, []).append((value, message.timestamp()[1]))
        consumer.close()
        self.assertEqual(left, 0, "the topics have no end")
        return found

    def offsets(self):
        """Topic, partition and end of all that is read."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "test"})
        data = [(name, partition) for side in SIDES for name in TOPICS[side] for partition in range(PARTITIONS[side])]
        places = data + [(f"{side}.cdc.__control", 0) for side in SIDES] + [(DEAD_LETTERS, 0)]
        ends = {place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=10)[1] for place in places}
        consumer.close()
        return ends

    def flink_reads(self, table):
        """What the job on Flink says that it has read."""
        found = {}
        for side in SIDES:
            group = f"flink-drift-{side}-{table}"
            consumer = Consumer({"bootstrap.servers": self.servers, "group.id": group})
            topics = [(topic, partition) for topic in TOPICS[side] for partition in range(PARTITIONS[side])]
            others = [(f"{side}.cdc.__control", 0)] + [(DEAD_LETTERS, 0)] * (side == "onprem")
            places = [TopicPartition(*place) for place in [*topics, *others]]
            found |= {(place.topic, place.partition): max(place.offset, 0) for place in consumer.committed(places, timeout=10)}
            consumer.close()
        return found

    def embedded_reads(self, out):
        """The same of `cdc-jobs run drift`."""
        try:
            committed = json.loads((out / "commit.json").read_text())
        except FileNotFoundError:
            return {}
        positions = [item for job in committed.get("jobs", {}).values() for item in job["positions"].items()]
        return {(topic, int(number)): next_ for topic, of in positions for number, next_ in of.items()}

    def is_read(self, found, ends, table):
        own = {place: end for place, end in ends.items() if ".cdc.__" in place[0] or is_of(table, place[0])}
        return all(found.get(place, 0) >= end for place, end in own.items())

    def embedded_has(self, ends, table):
        """Whether `cdc-jobs run drift` has read to these ends; fails if it has ended."""
        self.assertIsNone(self.programs[table].poll(), f"cdc-jobs run, {table}, has ended:\n{self.log(table).read_text()}")
        return self.is_read(self.embedded_reads(self.out(table)), ends, table)

    def embedded_lacks(self, ends, table):
        """What is wrong when it does not read on."""
        found = self.embedded_reads(self.out(table))
        missing = {place: (found.get(place), end) for place, end in ends.items() if found.get(place, 0) < end}
        return f"cdc-jobs run, {table}: read and end are {missing}; it says:\n{self.log(table).read_text()}"

    def read(self):
        """Waits until all jobs have read all that there is."""
        ends = self.offsets()
        for table in TABLES:
            wait_for(lambda table=table: self.embedded_has(ends, table), lambda table=table: self.embedded_lacks(ends, table))
            wait_for(lambda table=table: self.is_read(self.flink_reads(table), ends, table), f"Flink, {table}")

    def assert_same(self):
        """Once all is read, Flink has said what the embedded jobs have."""
        self.read()
        expected = {}
        for table in TABLES:
            expected |= self.embedded(self.out(table))
        count = sum(map(len, expected.values()))
        wait_for(lambda: sum(map(len, self.committed().values())) >= count, f"{count} records")
        found = self.committed()
        self.assertEqual(found.keys(), expected.keys())
        for key, records in expected.items():
            said = "\n".join(f"{ours}\n{theirs}" for ours, theirs in zip(records, found[key], strict=False) if ours != theirs)
            self.assertEqual(found[key], records, f"{key}: cdc-jobs run and Flink say:\n{said}")
        return expected

    def wave(self, number, hosts, gaps=()):
        """Events and gaps (side, particulars), then heartbeats of these nodes, when all that was before is read."""
        self.read()
        begin = T0 + number * WAVE * SECOND
        self.send(self.events(self.writes.wave(begin)))
        said_ms = (begin + WAVE * SECOND // 2) // 1000
        for side, what in gaps:
            topic = "__dead_letters" if "key" in what else "__control"
            self.send([(f"{side}.cdc.{topic}", 0, said_ms, {**what, "ts_ms": said_ms, "host_id": HOSTS[side][0]})])
        self.read()
        self.send(self.heartbeats(begin + WAVE * SECOND, hosts))

    def test_the_same_verdicts(self):
        self.cdc_jobs("sql", "--jobs", str(self.jobs))
        everybody = [host for side in SIDES for host in HOSTS[side]]
        told = self.submit()
        for table in TABLES:
            self.assertIn(f"drift-onprem-{table}: started without earlier state", told)
            self.run_embedded(table)
        self.assertEqual(self.submit().count("runs already"), len(TABLES))
        for number in (-1, 0):  # where the streams begin
            self.read()
            self.send(self.heartbeats(T0 + (number + 1) * WAVE * SECOND, everybody))
        self.wave(1, everybody)
        self.assert_same()
        for table in TABLES:
            self.assertIn("the savepoint is", self.cdc_jobs("flink", "stop", f"drift-onprem-{table}"))
        self.assertEqual(self.submit().count("savepoint-"), len(TABLES))
        self.wave(2, everybody, gaps=[("cloud", {"type": "gap"})])
        self.assert_same()
        self.kill_taskmanager()
        pointer = {"topic": "onprem.cdc.shop.orders", "key": self.writes.event(0)["key"]}
        self.wave(3, everybody, gaps=[("onprem", {"type": "forgotten"}), ("onprem", pointer)])
        self.assert_same()
        # One node falls silent, and is heard again.
        self.wave(4, everybody[:-1])
        self.wave(5, everybody[:-1])
        self.read()
        self.send(self.heartbeats(T0 + 6 * WAVE * SECOND, everybody[-1:]))
        change = {"type": "schema_change", "change": "shop.notes: altered: CDC is %s from here on"}
        self.wave(6, everybody, gaps=[("cloud", {**change, "change": change["change"] % "off"}), ("onprem", {"type": "unknown_table"})])
        truncate = {"type": "truncate", "keyspace": "shop", "table": "orders"}
        self.wave(7, everybody, gaps=[("cloud", {**change, "change": change["change"] % "on"}), ("onprem", truncate)])
        self.wave(8, everybody)
        expected = self.assert_same()
        records = [value for (topic, _), records in expected.items() if topic == AUDIT for value, _ in records]
        counts = Counter(json.loads(value)["status"] for value in records)
        print(f"{len(records)} verdicts: {dict(counts)}")
        everything = {"MATCH", "DRIFT", "MISSING_ONPREM", "MISSING_CLOUD", "RESOLVED", "INCOMPARABLE", "UNKNOWN"}
        self.assertEqual(set(counts), everything)
        for reason in ("gap", "hash_def", "silent", "partial", "truncated"):
            self.assertTrue(any(f'"reason":"{reason}"' in value for value in records), reason)
        self.assert_metrics(counts)

    def assert_metrics(self, counts):
        """Datadog gets every metric of the drift job that deploy/datadog names, and the verdicts that were made, also before restarts."""
        asked = datadog.names("dq.flink.drift.")
        wait_for(lambda: asked <= datadog.read(self.known).keys(), lambda: f"{asked - datadog.read(self.known).keys()}", 60)
        for status in ("DRIFT", "MISSING_ONPREM", "MISSING_CLOUD"):
            name, tag = "dq.flink.drift.verdicts", f"status:{status}"
            wait_for(lambda: datadog.total(self.known, name, tag) == counts[status], lambda: f"{status}: {counts[status]}, not {datadog.total(self.known, name, tag)}", 60)


if __name__ == "__main__":
    unittest.main()
