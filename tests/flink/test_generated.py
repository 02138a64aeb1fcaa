"""Jobs with the SQL that `cdc-jobs sql` writes, on a real Flink cluster with a real Kafka and a real node: what their topics hold.

`dq` writes its counters over each other, and takes none back in between. `audit` writes what `cdc-jobs run audit` writes, record by
record, over records of agents and over what no agent writes. A `dq` job whose rules are changed goes on, or begins anew, as docs/submit.md says.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from tests.flink import datadog
from tests.live.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "compose" / "native" / "stack.py"
PROGRAM = Path(os.environ.get("CDC_JOBS_BIN", ROOT / "target" / "debug" / "cdc-jobs"))
UP = ["--only", "onprem,kafka,flink", "--free-ports", "--quick", "--option", "kafka.heap=256m", "--option", "onprem.heap=384m", "--json"]
PARTITIONS = 2
# Of the audit trail.
RECORDS = int(os.environ.get("RECORDS", "3000"))
SECONDS = 180 + RECORDS // 100
MINUTE = 1_769_860_800_000

sys.path.insert(0, str(ROOT / "tests" / "oracle" / "planner"))
import audits  # noqa: E402


class Generated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cdc-agent-generated-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(cls.stack, "down", "--data", "drop")
        cls.known = json.loads(cls.stack("up", "--owner", str(os.getpid()), *UP))
        cls.servers = cls.known["bootstrap_servers"]
        cls.jobs = cls.folder / "jobs"
        shutil.copytree(ROOT / "jobs", cls.jobs)
        (node,) = [service for service in cls.known["services"] if service["kind"] == "cassandra"]
        path = cls.jobs / "environments.yaml"
        text = path.read_text().replace("127.0.0.1:9092", cls.servers).replace("hosts: [127.0.0.1]", f"hosts: [{node['host']}]\n      port: {node['port']}")
        text = text.replace("[127.0.0.1/32]", f"[{node['host']}/32]").replace("interval: 30s", "interval: 2s")
        path.write_text(text)
        cls.program("sql", "--jobs", cls.jobs)
        cls.program("topics", "create", "--env", "onprem", "--jobs", cls.jobs, "--partitions", PARTITIONS)

    @classmethod
    def stack(cls, command, *words):
        done = subprocess.run([sys.executable, STACK, command, "--dir", cls.folder / "stack", *words], capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, f"stack.py {command}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    @classmethod
    def program(cls, *words):
        # 3: something needs attention, as records that no agent wrote.
        return cls.ran(*words, codes=(0, 3)).stdout

    @classmethod
    def ran(cls, *words, codes):
        flink = cls.known["flink"]
        places = {
            "CDC_JOBS_SQL_GATEWAY": flink["sql_gateway"], "CDC_JOBS_JOBMANAGER": flink["jobmanager"],
            "CDC_JOBS_CHECKPOINTS": f"file://{Path(flink['checkpoints']).parent}",
        }  # fmt: skip
        command = [str(word) for word in (PROGRAM, *words)]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **places}, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode in codes, f"{words}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def produce(self, topic, records):
        """Writes records: partition, key, value, headers, milliseconds."""
        producer = Producer({"bootstrap.servers": self.servers})
        for number, (partition, key, value, headers, ms) in enumerate(records, 1):
            producer.produce(topic, value, key, partition=partition, headers=headers, timestamp=ms)
            if number % 10_000 == 0:
                producer.flush(60)
        self.assertEqual(producer.flush(60), 0)

    def committed(self, topic):
        """Partition → its committed messages."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "test", "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True})
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        found, open_ones, deadline = {number: [] for number in partitions}, set(partitions), time.monotonic() + SECONDS
        while open_ones:
            assert time.monotonic() < deadline, f"{topic} has no end"
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                open_ones.discard(message.partition())
            else:
                found[message.partition()].append(message)
        consumer.close()
        return found

    def submit(self, job):
        self.program("submit", "onprem", "--job", job, "--jobs", self.jobs)
        self.addCleanup(self.program, "flink", "stop", job, "--no-savepoint")

    def test_a_job_whose_rules_were_changed(self):
        """With as many rules as before it goes on with its state; with one more it has to begin the minute anew."""
        jobs, job, side = self.folder / "orders", "dq-onprem-sales.orders", ("--env", "onprem")
        topic, minute = "onprem.cdc.sales.orders", (int(time.time()) // 60 - 10) * 60_000
        (jobs / "rules").mkdir(parents=True)
        shutil.copy(self.jobs / "environments.yaml", jobs)
        columns = "columns: {id: {type: int}, price: {type: int}}\nkey: [id]\nversion: write_time\nhash: {kind: v1}\n"

        def rules(*listed):
            text = f"table: sales.orders\nsource: {{kind: cdc}}\nsink: none\n{columns}rules:\n"
            (jobs / "rules" / "sales.orders.yaml").write_text(text + "".join(f"  - {{{rule}, column: price}}\n" for rule in listed))
            self.program("sql", "--jobs", jobs)

        def orders(*numbers):
            """One event each; of twenty one after the other the prices are 0, 10, … 190."""
            values = [{"op": "c", "after": {"id": n, "price": n % 20 * 10}, "event_id": f"{n:032x}", "source": {"ts_us": n}} for n in numbers]
            self.produce(topic, [(n % PARTITIONS, None, json.dumps(value).encode(), [], minute) for n, value in zip(numbers, values)])

        def submit(*words, code=0):
            done = self.ran("submit", "onprem", "--job", job, "--jobs", jobs, *words, codes=(code,))
            return done.stdout + done.stderr

        def counts():
            """Valid, invalid, and by rule where one was broken; None while both topics do not say the same of the whole."""
            newest = {}
            for name in ("dq_metrics_valid", "dq_metrics_invalid"):
                for messages in self.committed(name).values():
                    newest |= {name: json.loads(message.value()) for message in messages if json.loads(message.key())["job_name"] == job}
            valid, invalid = (newest.get(name, {}) for name in ("dq_metrics_valid", "dq_metrics_invalid"))
            if {found.get("total_count") for found in (valid, invalid)} != {valid.get("valid_count", 0) + invalid.get("invalid_count", 0)}:
                return None
            return valid["valid_count"], invalid["invalid_count"], {rule: count for rule, count in invalid["by_rule"].items() if count}

        def letters():
            """How many dead letters there are of each version of the rules, none of a record twice."""
            values = [json.loads(message.value()) for messages in self.committed("onprem.dlq.sales.orders").values() for message in messages]
            self.assertEqual(len({(value["partition"], value["offset"]) for value in values}), len(values))
            return sorted(Counter(value["rules_version"] for value in values).values())

        def settled(counted, lettered):
            wait_for(lambda: counts() == counted, lambda: f"{counted}, not {counts()}")
            wait_for(lambda: letters() == lettered, lambda: f"{lettered}, not {letters()}")

        rules("rule: range, max: 100")
        for name in ((), (topic,)):
            self.ran("topics", "create", *name, *side, "--jobs", jobs, "--partitions", PARTITIONS, codes=(0,))
        orders(*range(20))
        submit()
        self.addCleanup(self.program, "flink", "stop", job, "--no-savepoint")
        settled((11, 9, {"price.range": 9}), [9])

        # Another bound: counters go on, and events that were there are known.
        rules("rule: range, max: 50")
        self.assertIn("runs already with other SQL", submit())
        self.assertRegex(submit("--replace"), "started from .*savepoint")
        orders(*range(40))
        settled((17, 23, {"price.range": 23}), [9, 14])

        # One rule more: its counter has no place in the state. The job does not get going, and Flink goes on trying.
        rules("rule: range, max: 50", "rule: not_null")
        told = submit("--replace", "--wait", "5", code=6)
        savepoint = re.search("goes on from (.*savepoint.*) …", told).group(1)
        status = lambda: json.loads(self.program("flink", "status", job, "--format", "json"))["jobs"][0]
        found = wait_for(lambda: (now := status())["last_failure"] and now, "the refusal")
        self.assertIn("StateMigrationException", json.dumps(found["last_failure"]))
        self.assertIn("runs already", submit("--fresh"))

        # As many rules as before go on from the savepoint, also with another one in the place of the old one, and one that warns.
        self.program("flink", "stop", job, "--no-savepoint")
        rules("rule: range, max: 50, id: dear", "rule: range, max: 40, id: warned, severity: warn")
        self.assertIn(f"started from {savepoint}", submit())
        orders(*range(60))
        settled((23, 37, {"dear": 37}), [9, 14, 14])
        reconciled = lambda: json.loads(self.ran("reconcile", *side, "--table", "sales.orders", "--jobs", jobs, "--wait", "0", "--format", "json", codes=(0, 3)).stdout)
        # Once the group has committed everything as read.
        report = wait_for(lambda: (now := reconciled())["minutes"] == 1 and now, "the minute to be compared")
        self.assertEqual((report["valid"], report["invalid"], report["dead_letters"], report["repeats"], report["differences"]), (23, 37, 37, 60, []))

        # Without the state: the minute's counters begin at nothing, and what came before is no repeat.
        rules("rule: range, max: 50", "rule: not_null")
        self.assertIn("started without earlier state", submit("--replace", "--fresh"))
        orders(0, 19, *range(60, 80))
        settled((7, 15, {"price.range": 15}), [9, 14, 14, 15])
        report = wait_for(lambda: (now := reconciled())["minutes"] == 1 and now, "the minute to be compared")
        (difference,) = report["differences"]
        self.assertEqual((difference["read"], difference["valid_count"], difference["invalid_count"], difference["dead_letters"]), (80, 7, 15, 52))
        self.assertTrue(difference["counted_anew"], report)

    def test_counters_are_written_over_and_never_taken_back(self):
        self.submit("dq-onprem-sales.events")
        told = {"dq_metrics_valid": [], "dq_metrics_invalid": []}
        produced = []

        def own(topic):
            """Keys and values of this job: those of others stand in the same topics."""
            found = [(json.loads(message.key()), message) for messages in self.committed(topic).values() for message in messages]
            return [(key, message) for key, message in found if key["job_name"] == "dq-onprem-sales.events"]

        def last(topic):
            return {key["window_start"]: json.loads(message.value() or "null") for key, message in own(topic)}

        # Records of the same two minutes, again and again: each time their counts change.
        for turn in range(6):
            more = []
            for number in range(20):
                good = json.dumps({"id": f"{turn}-{number}", "event_ts": "2025-01-01T00:00:00Z", "value": 5 if number % 4 else -5})
                more.append((number % PARTITIONS, None, good.encode(), [], MINUTE + number % 2 * 60_000))
            self.produce("topic_onprem_sales", more)
            produced += more
            expected = {MINUTE: (len(produced) // 4, len(produced) // 4), MINUTE + 60_000: (len(produced) // 2, 0)}

            def counts():
                valid, invalid = last("dq_metrics_valid"), last("dq_metrics_invalid")
                none = {"valid_count": 0, "invalid_count": 0}
                return {minute: ((valid.get(minute) or none)["valid_count"], (invalid.get(minute) or none)["invalid_count"]) for minute in expected}

            wait_for(lambda: counts() == expected, f"{expected}, not {counts()}")
        for topic, counted in (("dq_metrics_valid", "valid_count"), ("dq_metrics_invalid", "invalid_count")):
            by_key = {}
            for _, message in own(topic):
                self.assertIsNotNone(message.value(), f"{topic}: a tombstone for {message.key()}")
                by_key.setdefault(message.key(), []).append(json.loads(message.value())[counted])
            self.assertEqual(len(by_key), 2)
            for key, values in by_key.items():
                self.assertEqual(values, sorted(values), f"{topic} {key}")
            told[topic] = [len(values) for values in by_key.values()]
        self.assertGreater(max(told["dq_metrics_invalid"]), 4, "counts that changed")
        print(f"counts of two minutes, written so often: {told}")
        self.assert_metrics({"dq.flink.valid": len(produced) * 3 // 4, "dq.flink.invalid": len(produced) // 4})

    def assert_metrics(self, expected):
        """What Datadog gets of the TaskManagers."""
        for name, value in expected.items():
            wait_for(lambda: datadog.total(self.known, name) == value, lambda: f"{name} {value}, not {datadog.total(self.known, name)}", 60)

    def test_both_engines_write_the_same_trail(self):
        topic, trail = "onprem.cdc.sales.users", "onprem.audit.sales.users"
        asked = list(audits.records(RECORDS, seed=7, key=("id",)))
        decoded = lambda text: None if text is None else base64.b64decode(text)
        sent = []
        for number, record in enumerate(asked):
            line = record["flink"]
            key, value = decoded(line["record.key"]), decoded(line["record.value"])
            sent.append((zlib.crc32(key or b"") % PARTITIONS, key, value, [("event_id", str(number).encode())], MINUTE + number))
        self.produce(topic, sent)
        self.submit("audit-onprem-sales.users")
        out = self.folder / "trail"
        words = ["--env", "onprem", "--table", "sales.users", "--jobs", self.jobs, "--until-end", "--format", "json"]
        summary = json.loads(self.program("run", "audit", *words, "--out", out, "--partitions", PARTITIONS))["counts"]
        written = sum(summary["written"].values())
        wait_for(lambda: sum(map(len, self.committed(trail).values())) >= written, f"{written} records in {trail}", SECONDS, 1 + RECORDS / 20_000)
        flink, rust = {}, {}
        for partition, messages in self.committed(trail).items():
            for message in messages:
                found = (message.value().decode(), dict(message.headers() or []), message.timestamp()[1], partition if message.key() is not None else None)
                flink.setdefault(message.key(), []).append(found)
        for partition in range(PARTITIONS):
            for line in (out / trail / str(partition) / f"{0:020d}.jsonl").read_text().split("\n")[:-1]:
                record, key = json.loads(line), self.key_of(line)
                # As it stands: what Python would make of its numbers is not compared.
                behind = ',"key_base64":' if "key_base64" in record else ',"headers":'
                entry = line[line.index(',"value":{"operation"') + len(',"value":') : line.rindex(behind)]
                headers = {name: text.encode() for name, text in record["headers"].items()}
                rust.setdefault(key, []).append((entry, headers, record["ts_ms"], partition if key is not None else None))
        self.compare(flink, rust)
        self.assertEqual(sum(map(len, flink.values())), written)
        known = self.assert_written_down(asked, sent, rust)
        self.assertGreater(min(summary["repeats"], summary["strange"], summary["snapshot_rows"], summary["heartbeats"]), 20, summary)
        self.assert_metrics({f"dq.flink.{name}": summary[name] for name in ("strange", "tombstones", "heartbeats", "snapshot_rows")})
        print(f"{len(sent)} records, {written} of them in both trails, {known} known beforehand: {summary}")

    def assert_written_down(self, asked, sent, found):
        """Of records that an agent would write the trail has what audits.py wrote down; how many of them it has."""
        trail = {int(headers["event_id"]): (key, entry, ms) for key, entries in found.items() for entry, headers, ms, _ in entries}
        known = 0
        for number, (record, (_, key, _, _, ms)) in enumerate(zip(asked, sent)):
            if record["expected"] != "unknown":
                self.assertEqual(trail.get(number), record["expected"] and (key, record["expected"], ms), sent[number])
                known += record["expected"] is not None
        self.assertGreater(known, len(sent) // 5)
        return known

    @staticmethod
    def key_of(line):
        """The bytes of a key: a line of a file log holds JSON as it is, anything else in base64."""
        record = json.loads(line)
        if "key_base64" in record:
            return base64.b64decode(record["key_base64"])
        if record["key"] is None:
            return None
        ends = [line.index(after) for after in (',"value":', ',"value_base64":') if after in line]
        return line[line.index(',"key":') + len(',"key":') : min(ends)].encode()

    def compare(self, flink, rust):
        """Key by key, in the order of each."""
        self.assertEqual(set(flink), set(rust))
        for key, found in rust.items():
            if key is None:
                # Without a key a producer chooses the partition, and with it the order.
                self.assertEqual(sorted(map(str, found)), sorted(map(str, flink[key])))
            else:
                self.assertEqual(found, flink[key], key)

    def test_what_a_job_makes_is_kept_as_long_as_what_topics_create_makes(self):
        admin = AdminClient({"bootstrap.servers": self.servers})
        for made in admin.create_topics([NewTopic("cloud.cdc.sales.users", 1, 1)]).values():
            made.result(20)
        (record,) = [(0, b'{"id":1}', b'{"op":"d","before":{"id":1},"event_id":"00","source":{"ts_us":1}}', [], MINUTE)]
        self.produce("cloud.cdc.sales.users", [record, (0, None, b"{", [], MINUTE)])
        words = ["--env", "cloud", "--table", "sales.users", "--jobs", self.jobs, "--until-end"]
        kept = {"audit": ("cloud.audit.sales.users", -1), "hash": ("cloud_hash_events", 7 * 86_400_000), "dq": ("cloud.dlq.sales.users", 30 * 86_400_000)}
        for kind, (topic, retention_ms) in kept.items():
            self.program("run", kind, *words, "--state", self.folder / "kept" / kind)
            (found,) = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
            config = found.result(20)
            self.assertEqual((config["retention.ms"].value, config["cleanup.policy"].value), (str(retention_ms), "delete"), topic)


if __name__ == "__main__":
    unittest.main()
