#!/usr/bin/env python3
"""`cdc-jobs` topics, tail, groups, seed and rest against a real broker, which this starts and stops. What they say and do is compared
with what another client sees.

    tests/jobs/admin.py [--jobs PROGRAM] [--short] [--only CASE,…] [--keep]

Needs the packages of tests/requirements.txt: `make test-jobs-admin` runs it with them.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka"))
import records  # noqa: E402
from sides import sides  # noqa: E402
from stack import Broker  # noqa: E402

JSON_V2 = "application/vnd.kafka.json.v2+json"


class Run:
    """The program, the broker, and a folder for what they make."""

    def __init__(self, program, broker, folder):
        self.program, self.broker, self.folder = program, broker, folder
        self.jobs = folder / "jobs"
        shutil.copytree(ROOT / "jobs", self.jobs)
        path = self.jobs / "environments.yaml"
        path.write_text(path.read_text().replace("127.0.0.1:9092", broker.servers))
        self.admin = AdminClient({"bootstrap.servers": broker.servers})

    def command(self, *words, env="onprem", jobs=None):
        target = ["--env", env, "--jobs", jobs or self.jobs]
        return [str(word) for word in [self.program, *words, *target]]

    def call(self, *words, code=0, environment=None, **target):
        """Runs the program to its end. Returns what it wrote to standard output and to standard error."""
        done = subprocess.run(
            self.command(*words, **target), capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **(environment or {})}
        )
        assert done.returncode == code, f"{words}: exit code {done.returncode}, expected {code}: {done.stdout}{done.stderr}"
        return done.stdout, done.stderr

    def json(self, *words, **more):
        return json.loads(self.call(*words, "--format", "json", **more)[0])

    def tail(self, *words, **more):
        return [json.loads(line) for line in self.call("tail", *words, "--format", "json", **more)[0].splitlines()]

    def topic(self, name, partitions=2, **config):
        (made,) = self.admin.create_topics([NewTopic(name, partitions, 1, config=config)]).values()
        made.result()

    def config(self, topic):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        (found,) = self.admin.describe_configs([resource]).values()
        return {name: entry.value for name, entry in found.result().items()}

    def messages(self, topic):
        """What another client reads of a topic, in the order of each partition."""
        reader = records.Reader(self.broker.servers)
        count = len(self.admin.list_topics(topic, timeout=20).topics[topic].partitions)
        return {place[1]: found for place, found in reader.messages({topic: count}).items()}


def topics(run):
    """All topics of the jobs are made as docs/jobs.md says; what differs is told; nothing is lost without --yes."""
    missing = run.json("topics", "create", "--dry-run")
    assert {one["outcome"] for one in missing} == {"missing"}, missing
    assert not [name for name in run.admin.list_topics(timeout=20).topics if not name.startswith("__")], "a dry run made something"
    made = run.json("topics", "create", "--partitions", "3")
    assert {one["outcome"] for one in made} == {"created"} and len(made) == 12, made
    assert {one["outcome"] for one in run.json("topics", "create")} == {"ok"}
    found = run.admin.list_topics(timeout=20).topics
    for name, partitions, policy, retention in (
        ("topic_onprem_sales", 3, "delete", "604800000"),
        ("onprem.dlq.sales.events", 3, "delete", "2592000000"),
        ("onprem_hash_events", 3, "delete", "604800000"),
        ("dq_metrics_valid", 1, "compact", None),
        ("dq_reconciliation_audit", 3, "delete", "-1"),
        ("dq_reconciliation_current", 3, "compact", None),
        ("dq_remediation_audit", 3, "delete", "-1"),
    ):
        config = run.config(name)
        assert len(found[name].partitions) == partitions and config["cleanup.policy"] == policy, (name, config)
        assert retention in (None, config["retention.ms"]), (name, config)
        is_long = name in ("onprem.dlq.sales.events", "onprem_hash_events", "dq_reconciliation_audit")
        assert (config["max.message.bytes"] == str(16 * 1024 * 1024)) == is_long, (name, config)
    change = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, "onprem_hash_events", incremental_configs=[change])
    (altered,) = run.admin.incremental_alter_configs([resource]).values()
    altered.result()
    differs = [one for one in run.json("topics", "create", code=2) if one["outcome"] == "differs"]
    assert differs == [{"topic": "onprem_hash_events", "outcome": "differs", "differences": ["cleanup.policy: compact, expected delete"]}], differs
    run.call("topics", "delete", "onprem_hash_events", "--yes")
    run.call("topics", "create")
    assert run.config("onprem_hash_events")["cleanup.policy"] == "delete"

    run.topic("lost", partitions=2)
    producer = Producer({"bootstrap.servers": run.broker.servers})
    for number in range(10):
        producer.produce("lost", str(number), partition=number % 2)
    assert producer.flush(20) == 0
    (described,) = run.json("topics", "describe", "lost")
    assert [one["end"] for one in described["offsets"]] == [5, 5], described
    out, said = run.call("topics", "purge", "lost", code=2)
    assert "at most 10 records in 2 partitions" in out and "--yes" in said, (out, said)
    assert sum(map(len, run.messages("lost").values())) == 10
    run.call("topics", "purge", "lost", "--yes")
    assert not run.messages("lost"), "records are left"
    (described,) = run.json("topics", "describe", "lost")
    assert [(one["start"], one["end"]) for one in described["offsets"]] == [(5, 5), (5, 5)], described
    run.call("topics", "delete", "lost", code=2)
    run.call("topics", "delete", "lost", "--yes")
    assert "lost" not in run.admin.list_topics(timeout=20).topics
    run.call("topics", "delete", "lost", "--yes", code=2)

    run.topic("kept", **{"cleanup.policy": "compact"})
    producer.produce("kept", "1", "1")
    assert producer.flush(20) == 0
    _, said = run.call("topics", "purge", "kept", "--yes", code=6)
    assert "compacted" in said, said
    for name in ("cloud.cdc.sales.events", "topic_cloud_sales", "__consumer_offsets"):
        for words in (["topics", "delete", name, "--yes"], ["topics", "purge", name, "--yes"], ["topics", "create", name]):
            _, said = run.call(*words, code=2)
            assert "left alone" in said, said
    return "made, compared, purged, deleted; another environment's are left alone"


def sales(row, timestamp):
    """Whether a payload keeps the rules of sales.events, and whether its value is negative: jobs/rules/sales.events.yaml once more, in
    Python."""
    try:
        fields = json.loads(row)
    except ValueError:
        return False, False
    if not isinstance(fields, dict):
        return False, False
    name, value, stamp = fields.get("id"), fields.get("value"), fields.get("event_ts")
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        is_in_time = datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000 <= timestamp + 300_000
    except (AttributeError, ValueError):
        is_in_time = False
    is_negative = is_number and value < 0
    return isinstance(name, str) and 1 <= len(name) <= 64 and is_number and not is_negative and is_in_time, is_negative


def seed(run):
    """Good and bad records, the same by the same seed; the summary is right about what stands in the topic."""
    run.call("topics", "create")
    run.call("topics", "purge", "topic_onprem_sales", "--yes")
    words = ["seed", "--table", "sales.events", "--count", "2000", "--seed", "11", "--bad-ratio", "0.3"]
    summary = run.json(*words)
    found = [message for messages in run.messages("topic_onprem_sales").values() for message in messages]
    judged = [sales(message.value(), message.timestamp()[1]) for message in found]
    valid, negative = sum(good for good, _ in judged), sum(bad for _, bad in judged)
    assert summary["total_count"] == len(found) == 2000 and summary["valid_count"] == valid, (summary, valid)
    assert summary["by_rule"]["amount.negative"] == negative > 10, (summary, negative)
    assert 500 < summary["invalid_count"] < 700 and all(summary["by_rule"].values()) and not summary["not_broken"], summary
    for message in found:
        if message.key() is not None:
            assert json.loads(message.key()) == {"id": json.loads(message.value())["id"]}, message.key()

    start = ["--start", "2026-01-31T12:00:00Z"]
    logs = [run.folder / "log-1", run.folder / "log-2"]
    first, second = (run.json(*words, *start, "--out", log) for log in logs)
    assert first == second and first["first_ts_ms"] == 1769860800000, first
    texts = [[path.read_bytes() for path in sorted(log.glob("*/*/*.jsonl"))] for log in logs]
    assert texts[0] == texts[1] and texts[0], "the same seed made other records"
    lines = [json.loads(line) for text in texts[0] for line in text.splitlines()]
    counted = Counter(sales(json.dumps(line["value"]), line["ts_ms"])[0] for line in lines)
    assert counted == {True: first["valid_count"], False: first["invalid_count"]}, (counted, first)

    run.call("topics", "purge", "topic_onprem_sales", "--yes")
    samples = run.json("seed", "--table", "sales.events", "--samples")
    found = [json.loads(message.value()) for messages in run.messages("topic_onprem_sales").values() for message in messages]
    assert sorted(row["id"] for row in found) == ["1", "10", "11", "2", "3"], found
    assert (samples["valid_count"], samples["invalid_count"]) == (2, 3), samples
    broken = {rule: count for rule, count in samples["by_rule"].items() if count}
    assert broken == {"event_ts.not_null": 1, "amount.negative": 2}, broken

    process = subprocess.Popen(run.command("seed", "--table", "sales.events", "--count", "0", "--rate", "50", "--format", "json"), stdout=subprocess.PIPE)
    until = time.monotonic() + 60
    while sum(map(len, run.messages("topic_onprem_sales").values())) < 20:
        assert process.poll() is None and time.monotonic() < until
    process.send_signal(signal.SIGTERM)
    summary = json.loads(process.communicate(timeout=60)[0])
    assert process.returncode == 0
    assert summary["total_count"] == sum(map(len, run.messages("topic_onprem_sales").values())) - 5, summary
    _, said = run.call("seed", "--table", "sales.users", code=2)
    assert "cdc source" in said, said
    _, said = run.call("seed", "--table", "sales.events", env="cloud", code=2)
    assert "there is no topic topic_cloud_sales" in said, said
    return f"{negative} negative values of 2000 records, as the summary says; 2 of the 5 samples are valid"


def tail(run):
    """Committed records from any place, as another client reads them; JSON, text and bytes."""
    run.topic("read", partitions=2)
    producer = Producer({"bootstrap.servers": run.broker.servers, "transactional.id": "tail"})
    producer.init_transactions(20)
    hour = 3_600_000
    start = 1769860800000
    values = [b'{"a":1.10,"a":2}', b"text \x1b[31m", b"\xff\xfe", None, b'"x"', b"{\n}"]
    for is_committed in (True, False, True):
        producer.begin_transaction()
        for number, value in enumerate(values):
            producer.produce(
                "read", value, b"k", partition=0, timestamp=start + number * hour, headers={"event_id": "e", "kind": "aborted" if not is_committed else "kept"}
            )
        producer.produce("read", b"[]", partition=1, timestamp=start)
        producer.flush(20)
        producer.commit_transaction() if is_committed else producer.abort_transaction()
    found = run.tail("read", "--partition", "0")
    expected = [message for message in run.messages("read")[0] if message.error() is None]
    assert [one["offset"] for one in found] == [message.offset() for message in expected] and len(found) == 12, found
    assert all(one["headers"] == {"event_id": "e", "kind": "kept"} and one["key_text"] == "k" for one in found), found
    first = run.call("tail", "read", "--partition", "0", "--max", "6", "--format", "json")[0].splitlines()
    assert '"value":{"a":1.10,"a":2}' in first[0], first[0]
    forms = [{name: one[name] for name in one if name.startswith("value")} for one in map(json.loads, first)]
    assert forms[1:] == [{"value_text": "text \x1b[31m"}, {"value_base64": "//4="}, {"value": None}, {"value": "x"}, {"value": {}}], forms
    assert len(run.tail("read")) == 14
    at = [one["offset"] for one in run.tail("read", "--partition", "0", "--from", "3")]
    assert at == [one["offset"] for one in found if one["offset"] >= 3], at
    later = run.tail("read", "--partition", "0", "--from", "2026-01-31T15:00:00Z")
    # The first place with such a time, then everything behind it.
    assert later == found[3:], later
    assert run.tail("read", "--from", "end") == [] and run.tail("read", "--partition", "0", "--from", "-1000") == found
    pretty = run.call("tail", "read", "--partition", "0", "--max", "2")[0]
    assert "2026-01-31T12:00:00Z" in pretty and "\x1b" not in pretty and "\\u{1b}[31m" in pretty, pretty

    process = subprocess.Popen(run.command("tail", "read", "--from", "end", "--follow", "--max", "1", "--format", "json"), stdout=subprocess.PIPE, text=True)
    plain, until = Producer({"bootstrap.servers": run.broker.servers}), time.monotonic() + 60
    # It begins at the end that it meets: records are sent until it has met one.
    while process.poll() is None:
        assert time.monotonic() < until
        plain.produce("read", b"later", partition=1)
        plain.flush(20)
        time.sleep(0.05)
    assert json.loads(process.communicate(timeout=20)[0])["value_text"] == "later" and process.returncode == 0
    for words, text in ((["no-such-topic"], "no topic"), (["read", "--partition", "7"], "no partition 7"), (["read", "--partition", "0", "--from", "999"], "not 999")):
        _, said = run.call("tail", *words, code=2)
        assert text in said, said
    _, said = run.call("tail", "read", code=2, env="nowhere")
    assert "there are onprem, cloud" in said, said
    return f"{len(found)} of 18 records are committed, from any place"


def groups(run):
    """Who reads and how far; offsets are set back when nobody reads."""
    run.topic("grouped", partitions=2)
    producer = Producer({"bootstrap.servers": run.broker.servers})
    start = 1769860800000
    for number in range(20):
        producer.produce("grouped", str(number), partition=number % 2, timestamp=start + number * 1000)
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": run.broker.servers, "group.id": "flink-dq-onprem", "client.id": "reader", "auto.offset.reset": "earliest"})
    consumer.subscribe(["grouped"])
    read, until = 0, time.monotonic() + 60
    while read < 20:
        assert time.monotonic() < until
        message = consumer.poll(1)
        read += message is not None and message.error() is None
    consumer.commit(asynchronous=False)
    described = run.json("groups", "describe", "flink-dq-onprem")
    (member,) = described["members"]
    assert described["state"] == "Stable" and member["client_id"] == "reader" and member["assigned"] == [["grouped", [0, 1]]], described
    assert [(one["committed"], one["lag"]) for one in described["offsets"]] == [(10, 0), (10, 0)], described
    words = ["groups", "reset-offsets", "flink-dq-onprem", "--topic", "grouped", "--to"]
    for execute in ([], ["--execute"]):
        _, said = run.call(*words, "earliest", *execute, code=7)
        assert "in use" in said, said
    consumer.close()

    def committed():
        asked = ConsumerGroupTopicPartitions("flink-dq-onprem", [TopicPartition("grouped", number) for number in (0, 1)])
        (found,) = run.admin.list_consumer_group_offsets([asked]).values()
        return [place.offset for place in found.result().topic_partitions]

    shown = run.json(*words, "earliest")
    assert not shown["is_done"] and [(one["before"], one["after"]) for one in shown["offsets"]] == [(10, 0), (10, 0)], shown
    assert committed() == [10, 10], "a dry run changed something"
    for to, expected in (("earliest", [0, 0]), ("latest", [10, 10]), ("4", [4, 4]), ("2026-01-31T12:00:05Z", [3, 2]), ("2027-01-31T12:00:05Z", [10, 10])):
        run.call(*words, to, "--execute")
        assert committed() == expected, (to, committed())
    run.call(*words, "2", "--partition", "1", "--execute")
    assert committed() == [10, 2], committed()
    (lag,) = [one for one in run.json("groups", "lag") if one["topic"] == "grouped"]
    assert (lag["group"], lag["state"], lag["lag"]) == ("flink-dq-onprem", "Empty", 8), lag
    assert "flink-dq-onprem" in {one["name"] for one in run.json("groups", "list")}
    _, said = run.call(*words, "11", "--execute", code=2)
    assert "not 11" in said and committed() == [10, 2], said
    return "members, lag, and offsets by earliest, latest, offset and time"


class Rest:
    """A running endpoint."""

    def __init__(self, run, *options, environment=None):
        words = run.command("rest", "--listen", "127.0.0.1:0", *options)
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})
        line = self.process.stderr.readline()
        self.address = re.search(r"http://(\S+) takes", line)[1]

    def ask(self, path, body=None, method=None, **headers):
        """The status, and the body of the answer."""
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        headers.setdefault("Content-Type", JSON_V2)
        request = urllib.request.Request(f"http://{self.address}{path}", data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode


def silent_reader(address):
    """A client without a token that sends requests until nobody takes them, and reads no answer."""
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.settimeout(0.2)
    try:
        while True:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
    except OSError:
        return connection


def rest(run):
    """The notes' own curl, and what a REST proxy answers to what is wrong."""
    run.call("topics", "create")
    run.call("topics", "purge", "topic_onprem_sales", "--yes")
    server = Rest(run, "--max-bytes", "2000000")
    try:
        curl = [
            "curl", "-s", "-X", "POST", "-H", "Content-Type: application/vnd.kafka.json.v2+json",
            "--data", '{"records":[{"value":{"id":"3","value":15}}]}', f"http://localhost:{server.address.split(':')[1]}/topics/topic_onprem_sales",
        ]  # fmt: skip
        answer = json.loads(subprocess.run(curl, capture_output=True, text=True, check=True, timeout=60).stdout)
        (place,) = answer["offsets"]
        assert set(answer) == {"offsets", "key_schema_id", "value_schema_id"} and place["error_code"] is None, answer
        (message,) = [message for messages in run.messages("topic_onprem_sales").values() for message in messages]
        assert (message.partition(), message.offset()) == (place["partition"], place["offset"]), place
        assert message.value() == b'{"id":"3","value":15}' and message.key() is None

        topic = "/topics/topic_onprem_sales"
        body = b'{"records":[{"key":{"id":"7"},"value":{"n": 1.50}},{"key":"k","value":null,"partition":0}]}'
        status, text = server.ask(topic, body)
        places = [(one["partition"], one["offset"]) for one in json.loads(text)["offsets"]]
        found = {(m.partition(), m.offset()): (m.key(), m.value()) for ms in run.messages("topic_onprem_sales").values() for m in ms}
        assert status == 200 and [found[place] for place in places] == [(b'{"id":"7"}', b'{"n": 1.50}'), (b'"k"', None)], (text, found)
        assert places[1][0] == 0
        status, text = server.ask(f"{topic}/partitions/0", b'{"records":[{"value":1}]}')
        assert status == 200 and json.loads(text)["offsets"][0]["partition"] == 0, text

        one = b'{"records":[{"value":1}]}'
        for expected, path, body, more in (
            ((415, 415), topic, one, {"Content_Type": "application/json"}),
            ((422, 422), topic, b"{}", {}),
            ((422, 422), topic, b'{"records":[]}', {}),
            ((400, 400), topic, b'{"records":[', {}),
            ((404, 404), "/consumers/x", one, {}),
            ((404, 40402), f"{topic}/partitions/99", one, {}),
            ((404, 40402), topic, b'{"records":[{"value":1,"partition":-1}]}', {}),
            ((403, 40301), "/topics/topic_cloud_sales", one, {}),
            ((405, 405), topic, None, {"method": "GET"}),
            ((413, 413), topic, b"x" * 2_000_001, {}),
            ((413, 413), topic, b"x" * 6_000_000, {}),
            ((421, 421), topic, one, {"Host": "example.org"}),
        ):
            before = sum(map(len, run.messages("topic_onprem_sales").values()))
            status, text = server.ask(path, body, **more)
            assert (status, json.loads(text)["error_code"]) == expected, (expected, path, status, text)
            assert sum(map(len, run.messages("topic_onprem_sales").values())) == before
        long = json.dumps({"records": [{"value": "x" * 1_500_000}, {"value": 1}]}).encode()
        refused, taken = json.loads(server.ask(topic, long)[1])["offsets"]
        assert refused["error_code"] == 1 and refused["offset"] is None and taken["error_code"] is None, (refused, taken)

        assert server.ask("/livez", method="GET") == (200, "ok\n")
        families = {family.name: family for family in text_string_to_metric_families(server.ask("/metrics", method="GET")[1])}
        (records_taken,) = families["cdc_rest_records"].samples
        (records_refused,) = families["cdc_rest_records_refused"].samples
        assert records_taken.labels == {"topic": "topic_onprem_sales"} and (records_taken.value, records_refused.value) == (5, 1), families
        statuses = {sample.labels["status"]: sample.value for sample in families["cdc_rest_requests"].samples}
        assert statuses["422"] == 2 and statuses["415"] == 1, statuses
    finally:
        code = server.stop()
    assert code == 0, code

    server = Rest(run, "--topic", "made-later", environment={"CDC_JOBS_REST_TOKEN": "t0ken"})
    try:
        for more, expected in (({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer t0ken"}, 404)):
            status, text = server.ask("/topics/made-later", one, **more)
            assert status == expected, (status, text)
        assert json.loads(text)["error_code"] == 40401 and "made-later" not in run.admin.list_topics(timeout=20).topics
        run.topic("made-later")
        assert server.ask("/topics/made-later", one, Authorization="Bearer t0ken")[0] == 200
        assert server.ask("/metrics", method="GET")[0] == 401 and server.ask("/livez", method="GET")[0] == 200
        assert "made-later" in server.ask("/metrics", method="GET", Authorization="Bearer t0ken")[1]
        silent = [silent_reader(server.address) for _ in range(64)]
        assert server.ask("/livez", method="GET") == (200, "ok\n") and server.ask("/topics/made-later", one, Authorization="Bearer t0ken")[0] == 200
        for connection in silent:
            connection.close()
    finally:
        server.stop()
    _, said = run.call("rest", "--listen", "0.0.0.0:0", code=2)
    assert "no token" in said, said
    _, said = run.call("rest", "--topic", "topic_cloud_sales", code=2)
    assert "left alone" in said, said
    return "the notes' curl, and 14 mistakes"


def secured(run):
    """TLS and SASL by the references of environments.yaml; a wrong password, a missing variable."""
    run.call("topics", "create")
    access, listener = run.broker.access, run.broker.listeners["SASL_SSL"]
    jobs = run.folder / "secured"
    shutil.copytree(run.jobs, jobs)
    path = jobs / "environments.yaml"
    password = run.folder / "password"
    secure = f"""["{listener}"]
      security_protocol: SASL_SSL
      sasl_mechanism: SCRAM-SHA-512
      ca_file: {access["tls"]["ca"]}
      credentials:
        username: {{env: TEST_KAFKA_USER}}
        password: {{file: {password}}}"""
    path.write_text(path.read_text().replace(f'["{run.broker.servers}"]', secure, 1))
    user = {"TEST_KAFKA_USER": access["sasl"]["user"]}
    password.write_text(access["sasl"]["password"] + "\n")
    names = {one["topic"] for one in run.json("topics", "list", jobs=jobs, environment=user)}
    assert names == {one["topic"] for one in run.json("topics", "list")}, names
    run.call("seed", "--table", "sales.events", "--samples", jobs=jobs, environment=user)
    password.write_text("wr0ng\n")
    began = time.monotonic()
    _, said = run.call("topics", "list", jobs=jobs, environment=user, code=6)
    assert "do not let in" in said and "wr0ng" not in said and time.monotonic() - began < 15, said
    _, said = run.call("topics", "list", jobs=jobs, code=2)
    assert "TEST_KAFKA_USER is not set" in said, said
    return f"SCRAM-SHA-512 over TLS; {said.splitlines()[0]}"


SHORT = [topics, seed, tail, groups, rest]
CASES = [*SHORT, secured, sides]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=Path, default=ROOT / "target" / "debug" / "cdc-jobs", help="the program")
    parser.add_argument("--short", action="store_true", help="without TLS and passwords")
    parser.add_argument("--only", help="cases by name, with commas")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    given = parser.parse_args()
    cases = SHORT if given.short else CASES
    if given.only is not None:
        cases = [case for case in CASES if case.__name__ in given.only.split(",")]
    folder = Path(tempfile.mkdtemp(prefix="cdc-jobs-admin-"))
    print(folder, flush=True)
    broker = Broker(folder / "stack")
    try:
        broker.start(["SASL_SSL"] if secured in cases else [])
        run = Run(given.jobs, broker, folder)
        for case in cases:
            started = time.monotonic()
            said = case(run)
            print(f"{case.__name__}: {said} ({time.monotonic() - started:.1f} s)", flush=True)
    finally:
        broker.stop()
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
