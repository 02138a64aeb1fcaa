"""What all parts measure in: one node, one broker, the Rust helper, topics that are watched, processor time."""

import contextlib
import functools
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = Path(__file__).resolve().parents[3]
NATIVE = ROOT / "compose" / "native"
# commitlog_sync_period: the node writes indexes so often.
SYNC_S = 10
TICKS = os.sysconf("SC_CLK_TCK")
TABLES = (
    "CREATE KEYSPACE bench WITH replication = {'class': 'NetworkTopologyStrategy', '%(dc)s': 1}",
    "CREATE TABLE bench.events (id bigint PRIMARY KEY, kind text, amount double, paid boolean, note text, tag blob) WITH cdc = true",
)
# Numbers of the rows that only warm the node up: the first, and how many.
WARM_UP_ROWS = (1_000_000_000, 100_000)
# The key of every row begins so, in the agent's records as in the connector's; that of a heartbeat does not.
ROW_KEY = b'{"id":'


class Stack:
    """Cassandra `onprem` and one broker on free ports, as `make up` starts them. Stopped when this program ends, however it does."""

    def __init__(self, folder):
        self.folder = Path(folder)
        heaps = ["--option", "onprem.tables=false", "--option", "onprem.heap=1g", "--option", "kafka.heap=512m"]
        owner = ["--owner", str(os.getpid())]
        self.known = json.loads(self.call("up", "--only", "onprem,kafka", "--free-ports", "--json", *heaps, *owner))
        services = {service["name"]: service for service in self.known["services"]}
        self.node, self.servers = services["onprem"], self.known["bootstrap_servers"]
        self.broker_pid = services["kafka"]["pid"]
        for statement in TABLES:
            self.call("cql", "onprem", "-e", statement % self.node)
        self.call("nodetool", "onprem", "flush", "system_schema")
        # A JVM that has just started compiles: its first thousands of writes take seconds.
        run_helper("write", node=self.address, first=WARM_UP_ROWS[0], count=WARM_UP_ROWS[1])
        self.admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})

    def call(self, command, *arguments):
        words = [sys.executable, NATIVE / "stack.py", command, "--dir", self.folder, *arguments]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"stack.py {command}: exit code {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    @property
    def cdc_raw(self):
        return Path(self.node["cdc_raw"])

    @property
    def address(self):
        return f"{self.node['host']}:{self.node['port']}"

    @functools.cached_property
    def host_id(self):
        text = self.call("cql", "onprem", "-e", "SELECT JSON host_id FROM system.local")
        return json.loads(next(line for line in text.splitlines() if line.strip().startswith("{")))["host_id"]

    @functools.cached_property
    def schema(self):
        """A schema file: what reads copies of segments does not ask the node, which would say that these are not its own."""
        text = self.call("cql", "onprem", "-e", "SELECT JSON id FROM system_schema.tables WHERE keyspace_name = 'bench' AND table_name = 'events'")
        table_id = json.loads(next(line for line in text.splitlines() if line.strip().startswith("{")))["id"]
        keyspace, table = (statement % self.node for statement in TABLES)
        path = self.folder / "bench.cql"
        path.write_text(f"{keyspace};\n{table} AND id = {table_id};\n")
        return path

    def down(self):
        self.call("down", "--data", "drop")

    @staticmethod
    def free_port():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    def make_topic(self, name):
        for future in self.admin.create_topics([NewTopic(name, 1, 1)]).values():
            future.result()

    def drop_topics(self, *names):
        """Frees the disk; the broker needs not wait for that."""
        for future in self.admin.delete_topics(list(names)).values():
            future.result()


@functools.cache
def helper_program():
    """The Rust helper, built by cargo when it is not there."""
    build = ["cargo", "bench", "--locked", "--bench", "live", "--no-run", "--message-format=json"]
    done = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "live")


def helper(command, **options):
    """The words that start it; an option that is a list is given several times."""
    words = [helper_program(), command]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{name.replace('_', '-')}", str(one)]
    return words


def run_helper(command, **options):
    """Runs it to its end; the JSON objects that it printed."""
    done = subprocess.run(helper(command, **options), stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Background:
    """The helper as a process that goes on until its standard input ends."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(helper(command, **options), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_until_ready(self, awaited=None):
        """`awaited`: the process without whose records it is never ready."""
        while awaited is not None and not select.select([self.process.stdout], [], [], 1)[0]:
            if awaited.poll() is not None:
                raise SystemExit(f"{awaited.args[0]} … {awaited.args[-1]} ended with {awaited.returncode} before its first record")
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended with {self.process.wait()}")
        return self

    def end(self):
        self.process.stdin.close()
        if self.process.wait(60) != 0:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended with {self.process.returncode}")


class Ends(threading.Thread):
    """Notes every few milliseconds how far the only partition of a topic can be read with read_committed."""

    def __init__(self, servers, topic, pause=0.01):
        super().__init__(daemon=True)
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "bench", "isolation.level": "read_committed"})
        self._place, self._pause, self._stopped = TopicPartition(topic, 0), pause, threading.Event()
        self.seen = []  # (time in s, first offset that cannot be read yet), one for each change
        self.start()

    def run(self):
        while not self._stopped.wait(self._pause):
            try:
                _, end = self._consumer.get_watermark_offsets(self._place, timeout=10)
            except KafkaException:
                continue  # a topic that was just made is not known everywhere
            if not self.seen or end != self.seen[-1][1]:
                self.seen.append((time.time(), end))

    def stop(self):
        self._stopped.set()
        self.join()
        self._consumer.close()

    @property
    def end(self):
        return self.seen[-1][1] if self.seen else 0

    def when(self, offset):
        """When a record could be read."""
        return next(at for at, end in self.seen if end > offset)

    def best_rate(self, seconds):
        """Most records a second over any window of at least so long."""
        best = 0.0
        for at, (began, first) in enumerate(self.seen):
            later = next(((when, end) for when, end in self.seen[at:] if when - began >= seconds), None)
            if later is not None:
                best = max(best, (later[1] - first) / (later[0] - began))
        return best


def rows_of(servers, topic):
    """(records of rows, different rows, first and last offset of one) that are committed in the topic."""
    options = {"bootstrap.servers": servers, "group.id": "bench", "enable.partition.eof": True, "enable.auto.commit": False}
    consumer = Consumer({**options, "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    count, keys, first, last = 0, set(), None, None
    while True:
        for message in consumer.consume(10_000, timeout=10):
            if message.error() is not None:
                if message.error().code() != KafkaError._PARTITION_EOF:
                    raise SystemExit(str(message.error()))
                consumer.close()
                return count, len(keys), first, last
            if message.key() is not None and message.key().startswith(ROW_KEY):
                count, last = count + 1, message.offset()
                first = last if first is None else first
                keys.add(message.key())


def cpu_seconds(pid):
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_for(condition, what, seconds, process=None, pause=0.05):
    """Waits until the condition holds; `process` must live meanwhile."""
    until = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            raise SystemExit(f"waiting for {what}: the process ended with {process.returncode}")
        if time.monotonic() > until:
            raise SystemExit(f"waited {seconds} s for {what} in vain")
        time.sleep(pause)


@contextlib.contextmanager
def ending(*things):
    """Stops and ends what was started, whatever happens."""
    try:
        yield
    finally:
        for thing in things:
            thing.stop()
