"""The cases of run.py with a real broker and a real node, which they start: outputs in transactions, rows with their versions, refusals."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "live"))

PARTITIONS = 3
# Environment to the part of the stack that is its cluster.
NODES = {"onprem": "onprem", "cloud": "azure"}
METRICS = (
    "CREATE KEYSPACE IF NOT EXISTS metrics WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1};"
    "CREATE TABLE IF NOT EXISTS metrics.dq_counts (job_name text, metric_ts timestamp, metric_type text, metric_value bigint, "
    "PRIMARY KEY (job_name, metric_ts, metric_type))"
)


BOTH_SIDES = ("onprem.nodes=2", 'onprem.dc=["DC_ONPREM","DC_AZURE"]', "onprem.heap=384m")


class Services:
    """One broker and one node of the data centre DC_ONPREM, started when first needed; with BOTH_SIDES another one of DC_AZURE."""

    def __init__(self, folder, only="onprem,kafka", options=()):
        self.folder, self.only, self.options, self.stack = folder, only, options, None

    def get(self):
        if self.stack is None:
            from node import Stack

            self.stack = Stack(self.folder, options=self.options, only=self.only)
            self.stack.create(
                "CREATE KEYSPACE sales WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1};"
                "CREATE TABLE sales.events (id text PRIMARY KEY, event_ts timestamp, amount double, record_hash text) WITH cdc = true"
            )
        return self.stack

    def down(self):
        if self.stack is not None:
            self.stack.down()


def project(run, name, stack, change=lambda text: text):
    """A folder of jobs whose environment onprem is the stack."""
    folder = run.folder / name
    shutil.copytree(ROOT / "jobs", folder)
    path, node = folder / "environments.yaml", stack.service("onprem")
    text = path.read_text().replace('"127.0.0.1:9092"', json.dumps(stack.servers))
    text = text.replace("hosts: [127.0.0.1]", f"hosts: [{node['host']}]\n      port: {node['port']}")
    text = text.replace("[127.0.0.1/32]", f"[{node['host']}/32]")
    path.write_text(change(text))
    return folder


def environments(stack, jobs, change=lambda text: text):
    """Writes environments.yaml of a folder of jobs: both environments, each with its cluster of the stack."""
    text = (ROOT / "jobs" / "environments.yaml").read_text().replace('"127.0.0.1:9092"', json.dumps(stack.servers))
    for name, host in (("onprem", "127.0.0.1"), ("cloud", "127.0.0.2")):
        node = stack.service(NODES[name])
        text = text.replace(f"hosts: [{host}]\n", f"hosts: [{node['host']}]\n      port: {node['port']}\n").replace(f"[{host}/32]", f"[{node['host']}/32]")
    (jobs / "environments.yaml").write_text(change(text))


def produce(servers, topic, partitions):
    """Writes the records, with aborted ones between them, and sets the offsets that they got."""
    from confluent_kafka import Producer
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": servers})
    # The records are as old as the test says.
    admin.create_topics([NewTopic(topic, len(partitions), 1, config={"retention.ms": "-1"})])[topic].result(30)
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 5})
    aborted = Producer({"bootstrap.servers": servers, "transactional.id": f"abort-{topic}"})
    aborted.init_transactions(30)

    def told(record):
        def delivered(error, message):
            assert error is None, error
            record["offset"] = message.offset()

        return delivered

    half = [len(records) // 2 for records in partitions]
    for part in (0, 1):
        for number, records in enumerate(partitions):
            for record in records[: half[number]] if part == 0 else records[half[number] :]:
                producer.produce(
                    topic, record["value"], record["key"], partition=number, timestamp=record["ts"], headers=record["headers"], on_delivery=told(record)
                )
                producer.poll(0)
        producer.flush(60)
        if part == 0:
            aborted.begin_transaction()
            for number in range(len(partitions)):
                for _ in range(3):
                    aborted.produce(topic, b'{"never":"seen"}', partition=number)
            aborted.flush(30)
            aborted.abort_transaction(30)


def write(servers, topic, records):
    """Appends records to partition 0 of a topic."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": servers})
    for record in records:
        producer.produce(topic, record["value"], record["key"], partition=0, timestamp=record["ts"], headers=record["headers"])
    assert producer.flush(60) == 0


def read(servers, prefixes):
    """Committed records by topic and partition, as business.read_log gives those of a file log."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

    consumer = Consumer({"bootstrap.servers": servers, "group.id": "test", "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True})
    topics = consumer.list_topics(timeout=20).topics
    wanted = {name: topic for name, topic in topics.items() if name.startswith(tuple(prefixes))}
    places = [TopicPartition(name, number, OFFSET_BEGINNING) for name, topic in wanted.items() for number in topic.partitions]
    consumer.assign(places)
    found, open_places = {}, {(place.topic, place.partition) for place in places}
    end = time.monotonic() + 60
    while open_places:
        assert time.monotonic() < end, f"not read to the end: {open_places}"
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
            open_places.discard((message.topic(), message.partition()))
            continue
        key = message.key()
        try:
            key = key if key is None else json.loads(key)
        except ValueError:
            key = repr(key)
        value = None if message.value() is None else json.loads(message.value())
        headers = {name: text.decode() for name, text in message.headers() or []}
        record = {"offset": message.offset(), "ts_ms": message.timestamp()[1], "key": key, "value": value, "headers": headers}
        found.setdefault(message.topic(), {}).setdefault(message.partition(), []).append(record)
    consumer.close()
    return found


def killed(run, command, times, longest):
    """Runs a command that is killed some times; how often it was."""
    count = 0
    for _ in range(times):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            process.wait(run.random.uniform(0.3, longest))
            assert process.returncode == 0, process.stderr.read()
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            count += 1
    return count


def refusals(run, services):
    """What the sink refuses before the first write: another data centre, network, replication, table."""
    stack, log = services.get(), run.log("refusals-log", 200)[0]
    session = stack.session()

    def says(name, words, code=2, change=lambda text: text, options=()):
        folder = project(run, name, stack, change)
        said = run.dq(folder, "--from", log, "--out", run.folder / f"{name}-out", "--valid-rows", "cassandra", *options, codes=(code,)).stderr
        assert all(word in said for word in words), f"{name}: {said}"
        assert not (run.folder / f"{name}-out").exists(), f"{name}: the output was touched"

    says("counts", ["no keyspace metrics"])
    stack.create(METRICS)
    says("elsewhere", ["is in the data centre DC_ONPREM", "DC_ELSEWHERE alone"], change=lambda text: text.replace("DC_ONPREM", "DC_ELSEWHERE"))
    host, azure = stack.service("onprem")["host"], stack.service("onprem2")["host"]
    # The environment of the other side is elsewhere then, or `check` says that they share a host.
    there = lambda text: text.replace("127.0.0.2", "10.255.0.2").replace(f"hosts: [{host}]", f"hosts: [{host}, {azure}]").replace(f"[{host}/32]", f"[{host}/32, {azure}/32]")
    says("datacentre", [f"{azure}", "is in the data centre DC_AZURE", "DC_ONPREM alone"], change=there)
    by_name = lambda text: text.replace(f"hosts: [{host}]", "hosts: [localhost]\n      allowed_domains: [localhost]").replace(f"[{host}/32]", "[10.255.0.0/16]")
    says("network", ["localhost leads to", "none of the allowed networks"], change=by_name)
    session.execute("ALTER TABLE sales.events ADD extra int")
    says("table", ["do not fit the table", "extra"])
    session.execute("ALTER TABLE sales.events DROP extra")
    session.execute("ALTER KEYSPACE sales WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1, 'DC_AZURE': 1}")
    says("both", ["keyspace sales must be replicated to DC_ONPREM and nowhere else", "to DC_AZURE too"])
    session.execute("ALTER KEYSPACE sales WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    says("replication", ["keyspace sales must be replicated to DC_ONPREM and nowhere else", "knows no data centres"])
    session.execute("ALTER KEYSPACE sales WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1}")
    assert not list(session.execute("SELECT id FROM sales.events")), "something was written"
    return "seven wrong places, each refused before the first write"


def services_case(run, services, compare, business):
    """Kafka to Cassandra and Kafka, killed in between: outputs once, rows as they must be."""
    stack = services.get()
    stack.create(METRICS)
    partitions = business.records(run.seed, run.count, PARTITIONS)
    produce(stack.servers, "topic_onprem_sales", partitions)
    expected = business.expected(partitions, "topic_onprem_sales", run.rules, run.version)
    folder, state = project(run, "services", stack), run.folder / "services-state"
    words = ["--state", state, "--valid-rows", "cassandra"]
    command = run.command("run", "dq", "--env", "onprem", "--table", "sales.events", "--jobs", folder, "--until-end", *words)
    kills = killed(run, command, 8, 4)
    run.dq(folder, *words)
    found = read(stack.servers, ["onprem.dlq.", "dq_metrics_"])
    letters, minutes, _ = compare(run, found, partitions, expected)
    written = sum(len(records) for records in found["onprem.dlq.sales.events"].values())
    assert written == letters, (written, letters)
    rows = check_table(stack.session(), expected, business)
    check_counts(stack.session(), expected, business)
    reconciled(run, stack, folder, expected)
    from confluent_kafka import Consumer, TopicPartition

    group = Consumer({"bootstrap.servers": stack.servers, "group.id": "flink-dq-onprem"})
    offsets = group.committed([TopicPartition("topic_onprem_sales", number) for number in range(PARTITIONS)], timeout=20)
    assert [place.offset for place in offsets] == [records[-1]["offset"] + 1 for records in partitions], offsets
    return f"killed {kills} times: {letters} dead letters once, {minutes} minutes, {rows} rows; the group's offsets are right"


def reconciled(run, stack, folder, expected):
    """`cdc-jobs reconcile` finds what the job did right, and a counter that somebody else wrote wrong."""
    from confluent_kafka import Producer

    words = ["reconcile", "--env", "onprem", "--table", "sales.events", "--jobs", folder, "--format", "json"]
    report = lambda *more, code=0: json.loads(run.call(*words, *more, codes=(code,)).stdout)
    end = time.monotonic() + 60
    while (found := report())["open_minutes"]:
        assert time.monotonic() < end, found
        time.sleep(1)
    letters, minutes, _ = expected
    sums = {kind: sum(counts[kind] for counts in minutes.values()) for kind in ("valid", "invalid")}
    assert (found["valid"], found["invalid"], found["minutes"]) == (sums["valid"], sums["invalid"], len(minutes)), found
    assert found["read"] == sum(sums.values()) and found["dead_letters"] == sum(map(len, letters.values())), found
    (number, records), *_ = read(stack.servers, ["dq_metrics_valid"])["dq_metrics_valid"].items()
    right, producer = records[-1], Producer({"bootstrap.servers": stack.servers})
    key, wrong = json.dumps(right["key"], separators=(",", ":")), {**right["value"], "valid_count": right["value"]["valid_count"] + 1}
    for value, code in ((wrong, 3), (right["value"], 0)):
        producer.produce("dq_metrics_valid", json.dumps(value, separators=(",", ":")), key, partition=number)
        assert producer.flush(30) == 0
        found = report("--wait", "0", code=code)
        assert [one["minute_ms"] for one in found["differences"]] == [right["key"]["window_start"]] * (code == 3), found


def check_table(session, expected, business):
    """The rows of sales.events are those of the newest versions, with their hashes and write times; how many they are."""
    rows = {row.id: row for row in session.execute("SELECT id, event_ts, amount, record_hash, writetime(amount) AS wt FROM sales.events")}
    newest = {name: max(rows, key=lambda row: row["event_ts"]) for name, rows in expected[2].items()}
    assert rows.keys() == newest.keys(), (len(rows), len(newest))
    for name, known in newest.items():
        row = rows[name]
        assert row.wt == known["event_ts"] * 1000 and row.amount == known["amount"] and row.record_hash == business.row_hash(known), (row, known)
    return len(rows)


def check_counts(session, expected, business):
    """metrics.dq_counts says of every minute what the counters must be."""
    counts = {(row.ms, row.metric_type): row.metric_value for row in session.execute("SELECT toUnixTimestamp(metric_ts) AS ms, metric_type, metric_value FROM metrics.dq_counts")}
    wanted = {(start + business.MINUTE, kind): number[kind] for start, number in expected[1].items() for kind in ("valid", "invalid")}
    assert counts == wanted, (len(counts), len(wanted))
