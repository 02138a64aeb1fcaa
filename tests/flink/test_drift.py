"""The drift job on a real Flink cluster beside `cdc-jobs run drift`: both read the same topics while they are written, and say the same.

Time goes in waves: the events of a wave, then one heartbeat of each node in each partition. What is decided then does not depend on the
order in which partitions are read, so that verdicts can be compared byte by byte. Between waves the job on Flink is stopped with a
savepoint, goes on from it, and loses a TaskManager. Among the records are histories of which an oracle in Python knows the verdicts, and
what no agent writes. RECORDS=100000 in the environment for a long run: so many records of each of two tables, `make test-verdicts`.
"""

import json
import os
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
from tests.flink.drift_groups import Groups
from tests.flink.drift_hostile import Hostile
from tests.flink.drift_input import HOSTS, PARTITIONS, RECORDS, SECOND, SIDES, T0, TABLE_OF_CHANGES, TABLE_OF_HASHES, WAVE, Writes, compact, records
from tests.live.waiting import wait_for

HERE = Path(__file__).resolve().parent
# One compares the records of the agents, the other one hash events.
TABLES = (TABLE_OF_CHANGES, TABLE_OF_HASHES)
TOPICS = {side: (f"{side}.cdc.{TABLE_OF_CHANGES}", f"{side}_hash_events") for side in SIDES}
AUDIT, CURRENT = "dq_reconciliation_audit", "dq_reconciliation_current"
DEAD_LETTERS = "onprem.cdc.__dead_letters"
# With events; two waves of heartbeats alone come before them.
WAVES = range(1, 9)
LONG = SECONDS + RECORDS // 100


def is_of(table, topic):
    return topic.endswith("_hash_events") == (table == TABLE_OF_HASHES)


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
        environments = environments.replace("127.0.0.1:9092", cls.servers).replace("interval: 30s", f"interval: {1 + RECORDS // 25_000}s").replace("keyspace: sales", "keyspace: shop")
        (cls.jobs / "environments.yaml").write_text(environments)
        cls.programs = {}
        cls.writes, hostile = Writes(7), Hostile(7)
        begins = {number: T0 + number * WAVE * SECOND for number in WAVES}
        cls.sent = {number: [*records(cls.writes.wave(begin)), *hostile.wave(begin)] for number, begin in begins.items()}
        cls.groups = Groups(7, RECORDS - min(cls.count(table) for table in TABLES))
        for number in WAVES:
            cls.sent[number] += cls.groups.wave(number)
        # Table → wave → gaps and heartbeats that its job is told of, as the oracle takes them.
        cls.told = {table: {number: ([], []) for number in range(-1, WAVES.stop)} for table in TABLES}
        cls.addClassCleanup(cls.end_programs)

    @classmethod
    def count(cls, table):
        """How many records of a table are sent."""
        return sum(topic in {TOPICS[side][TABLES.index(table)] for side in SIDES} for sent in cls.sent.values() for topic, *_ in sent)

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
        words = ["run", "drift", "--env", "onprem", "--table", table, "--jobs", self.jobs, "--out", out, "--state", state, "--quiet", "--format", "json"]
        with self.log(table).open("w") as log:
            self.programs[table] = subprocess.Popen([PROGRAM, *map(str, words)], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)

    def end_embedded(self, table):
        """Stops it; what it says that it read and found."""
        self.programs[table].terminate()
        said, _ = self.programs[table].communicate(timeout=SECONDS)
        # 3: there were records that no agent wrote, and it says so.
        self.assertEqual(self.programs[table].returncode, 3, self.log(table).read_text())
        return json.loads(said)["counts"]

    def log(self, table):
        return self.folder / f"{table}.log"

    def out(self, table):
        return self.folder / f"{table}.out"

    def send(self, records):
        """(topic, partition, milliseconds, value, or the bytes of one); heartbeats of hash events are those of shop.notes"""
        producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 5})
        for number, (topic, partition, timestamp_ms, value) in enumerate(records, 1):
            headers = key = None
            if isinstance(value, dict):
                value = dict(value)
                is_beat = topic.endswith("_hash_events") and value["op"] == "m"
                headers = {"source_topic": f"{value['source_dc']}.cdc.{value.pop('of')}"} if is_beat else None
                key = compact(value.pop("key")).encode() if "__dead_letters" in topic else None
                value = compact(value).encode()
            producer.produce(topic, value, key, partition=partition, timestamp=timestamp_ms, headers=headers)
            if number % 10_000 == 0:
                producer.flush(60)
        self.assertEqual(producer.flush(60), 0)

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
                    # As they stand: Python would write some numbers otherwise.
                    middle = line.index(',"value":{"table":' if ',"value":{"table":' in line else ',"value":null,')
                    key, value = line[line.index(',"key":') + len(',"key":') : middle], line[middle + len(',"value":') : line.rindex(',"headers":')]
                    found.setdefault((topic, key), []).append((None if value == "null" else value, json.loads(line)["ts_ms"]))
        return found

    def committed(self):
        """The same of what is committed in Kafka, of all tables."""
        settings = {"group.id": "test", "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True}
        consumer, found = Consumer({"bootstrap.servers": self.servers, **settings}), {}
        consumer.assign([TopicPartition(topic, 0, 0) for topic in (AUDIT, CURRENT)])
        left, deadline = 2, time.monotonic() + LONG
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
            wait_for(lambda table=table: self.embedded_has(ends, table), lambda table=table: self.embedded_lacks(ends, table), LONG)
            wait_for(lambda table=table: self.is_read(self.flink_reads(table), ends, table), f"Flink, {table}", LONG)

    def assert_same(self):
        """Once all is read, Flink has said what the embedded jobs have."""
        self.read()
        expected = {}
        for table in TABLES:
            expected |= self.embedded(self.out(table))
        count = sum(map(len, expected.values()))
        wait_for(lambda: sum(map(len, self.committed().values())) >= count, f"{count} records", LONG)
        found = self.committed()
        self.assertEqual(found.keys(), expected.keys())
        for key, records in expected.items():
            said = "\n".join(f"{ours}\n{theirs}" for ours, theirs in zip(records, found[key], strict=False) if ours != theirs)
            self.assertEqual(found[key], records, f"{key}: cdc-jobs run and Flink say:\n{said}")
        return expected

    def beat(self, number, wm_us, hosts):
        """Heartbeats of these nodes, in a wave."""
        self.send(self.heartbeats(wm_us, hosts))
        places = [(side, host, partition) for side in SIDES for host in HOSTS[side] if host in hosts for partition in range(PARTITIONS[side])]
        for side, host, partition in places:
            value = {"op": "m", "ts_ms": wm_us // 1000, "source": {"ts_us": None, "host_id": host}, "wm_us": wm_us}
            for table in TABLES:
                self.told[table][number][1].append({"side": side, "topic": "cdc", "partition": partition, "value": value})

    def wave(self, number, hosts, gaps=()):
        """Events and gaps (side, particulars), then heartbeats of these nodes, when all that was before is read."""
        self.read()
        begin = T0 + number * WAVE * SECOND
        self.send(self.sent[number])
        said_ms = (begin + WAVE * SECOND // 2) // 1000
        for side, what in gaps:
            topic = "__dead_letters" if "key" in what else "__control"
            value = {**what, "ts_ms": said_ms, "host_id": HOSTS[side][0]}
            self.send([(f"{side}.cdc.{topic}", 0, said_ms, value)])
            # Some tell of one table: its name stands in them.
            about = what.get("topic", what.get("change", f"{what.get('keyspace')}.{what.get('table')}"))
            for table in [table for table in TABLES if table in about] or TABLES:
                record = {"side": side, "topic": "dead letters" if "key" in what else "control", "partition": 0, "value": {"truncated_at_ms": said_ms, **value}}
                self.told[table][number][0].append({**record, "key": what.get("key")})
        self.read()
        self.beat(number, begin + WAVE * SECOND, hosts)

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
            self.beat(number, T0 + (number + 1) * WAVE * SECOND, everybody)
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
        self.beat(5, T0 + 6 * WAVE * SECOND, everybody[-1:])
        change = {"type": "schema_change", "change": "shop.notes: altered: CDC is %s from here on"}
        self.wave(6, everybody, gaps=[("cloud", {**change, "change": change["change"] % "off"}), ("onprem", {"type": "unknown_table"})])
        truncate = {"type": "truncate", "keyspace": "shop", "table": "orders"}
        self.wave(7, everybody, gaps=[("cloud", {**change, "change": change["change"] % "on"}), ("onprem", truncate)])
        self.wave(8, everybody)
        expected = self.assert_same()
        values = [value for (topic, _), records in expected.items() if topic == AUDIT for value, _ in records]
        counts = Counter(json.loads(value)["status"] for value in values)
        print(f"{len(values)} verdicts, as Flink says them too: {dict(counts)}")
        everything = {"MATCH", "DRIFT", "MISSING_ONPREM", "MISSING_CLOUD", "RESOLVED", "INCOMPARABLE", "UNKNOWN"}
        self.assertEqual(set(counts), everything)
        for reason in ("gap", "hash_def", "silent", "partial", "truncated"):
            self.assertTrue(any(f'"reason":"{reason}"' in value for value in values), reason)
        for table in TABLES:
            self.assert_expected(table, [value for value in values if json.loads(value)["table"] == table])
        self.assert_metrics(counts)
        for table in TABLES:
            found = self.end_embedded(table)
            self.assertGreaterEqual(self.count(table), RECORDS)
            self.assertGreater(found["strange"], 20, found)
            print(f"{table}: {self.count(table)} records beside heartbeats, gaps and the like; {found}")

    def assert_expected(self, table, values):
        """The verdicts about the histories are those of the oracle."""
        expected, said = self.groups.expected(table, self.told[table]), self.groups.said(values)
        for number, lines in expected.items():
            own = said.get(number, [])
            apart = {"oracle": [line for line in lines if line not in own], "said": [line for line in own if line not in lines]}
            self.assertEqual(own, lines, f"{table}, history {number}: {apart}")
        count = sum(map(len, expected.values()))
        self.assertGreater(count, RECORDS // 50)
        print(f"{table}: {count} of {len(values)} verdicts are those of the oracle, {len(expected) - 1} histories")

    def assert_metrics(self, counts):
        """Datadog gets every metric of the drift job that deploy/datadog names, and the verdicts that were made, also before restarts."""
        asked = datadog.names("dq.flink.drift.")
        wait_for(lambda: asked <= datadog.read(self.known).keys(), lambda: f"{asked - datadog.read(self.known).keys()}", 60)
        for status in ("DRIFT", "MISSING_ONPREM", "MISSING_CLOUD"):
            name, tag = "dq.flink.drift.verdicts", f"status:{status}"
            wait_for(lambda: datadog.total(self.known, name, tag) == counts[status], lambda: f"{status}: {counts[status]}, not {datadog.total(self.known, name, tag)}", 60)


if __name__ == "__main__":
    unittest.main()
