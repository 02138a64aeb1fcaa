"""The stack itself, in private folders and on free ports: it starts, carries data, fails in a clear way, and leaves nothing."""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from tests.live.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "compose" / "native" / "stack.py"
os.environ.setdefault("CDC_AGENT_BIN", str(ROOT / "target" / "debug" / "cdc-agent"))
SERVICES = ["kafka", "onprem", "azure", "agent-onprem", "agent-azure"]
PREFIXES = {"onprem": "onprem", "azure": "cloud"}
SIZES = ["--option", "onprem.heap=384m", "--option", "azure.heap=384m", "--option", "kafka.heap=256m"]
SMALL = ["--quick", "--free-ports", "--without", "flink", *SIZES]
SMALL_ONPREM = ["--quick", "--free-ports", "--option", "onprem.heap=384m"]
SECONDS = 300


def stack(command, folder, *arguments, given=None, code=0):
    """Runs stack.py and returns what it did; fails when its exit code is another."""
    whole = [sys.executable, str(STACK), command, "--dir", str(folder), *arguments]
    done = subprocess.run(whole, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != code:
        raise AssertionError(f"{' '.join(whole)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def processes(folder):
    """Pids of every process whose command line names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
    return found


def private_folder(case):
    """A folder for a stack, which is stopped and removed when the test ends, however it ends."""
    folder = Path(tempfile.mkdtemp(prefix="cdc-agent-stack-"))

    def end():
        stack("down", folder, "--data", "drop")
        shutil.rmtree(folder, ignore_errors=True)

    case(end)
    return folder


class Whole(unittest.TestCase):
    """One stack of all parts; the tests leave it running as they found it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = private_folder(cls.addClassCleanup)
        cls.first = json.loads(stack("up", cls.folder, "--json", *SMALL).stdout)

    def service(self, name):
        return next(service for service in self.status()["services"] if service["name"] == name)

    def status(self, code=0):
        return json.loads(stack("status", self.folder, "--json", code=code).stdout)

    def cql(self, name, statements):
        return stack("cql", self.folder, name, "-e", statements).stdout

    def test_each_service_is_where_it_says(self):
        known = self.status()
        self.assertEqual(set(self.first), set(known))
        self.assertEqual([service["name"] for service in known["services"]], SERVICES)
        for service in known["services"]:
            self.assertIn(service["pid"], processes(self.folder))
        for service in (service for service in known["services"] if service["kind"] != "agent"):
            socket.create_connection((service["host"], service["port"]), timeout=5).close()
        self.assertEqual(known["bootstrap_servers"], f"127.0.0.1:{known['services'][0]['port']}")

    def test_the_clusters_are_two_with_their_own_names(self):
        for name, dc in (("onprem", "DC_ONPREM"), ("azure", "DC_AZURE")):
            told = self.cql(name, "SELECT JSON cluster_name, data_center FROM system.local")
            self.assertIn(json.dumps({"cluster_name": name, "data_center": dc}), told)
            self.assertIn("(0 rows)", self.cql(name, "SELECT * FROM system.peers"))
            told = self.cql(name, "SELECT JSON replication FROM system_schema.keyspaces WHERE keyspace_name = 'sales'")
            self.assertIn(f'"{dc}": "1"', told)

    def test_the_tables_have_cdc_and_rows(self):
        for name in ("onprem", "azure"):
            told = self.cql(name, "SELECT JSON table_name, cdc FROM system_schema.tables WHERE keyspace_name = 'sales'")
            for table in ("events", "users"):
                self.assertIn(f'{{"table_name": "{table}", "cdc": true}}', told)
                self.assertNotIn("(0 rows)", self.cql(name, f"SELECT * FROM sales.{table}"))

    def test_a_write_stands_in_cdc_raw(self):
        for name, other in (("onprem", "azure"), ("azure", "onprem")):
            word = f"written-to-{name}"
            self.cql(name, f"INSERT INTO sales.events (id, amount) VALUES ('{word}', 1.5)")
            raw = Path(self.service(name)["cdc_raw"])
            wait_for(lambda: any(word.encode() in log.read_bytes() for log in raw.glob("*.log")), f"{word} in {raw}")  # noqa: B023
            elsewhere = Path(self.service(other)["cdc_raw"])
            self.assertFalse(any(word.encode() in log.read_bytes() for log in elsewhere.glob("*.log")))

    def test_a_write_becomes_a_record(self):
        for name, prefix in PREFIXES.items():
            word = f"published-from-{name}"
            self.cql(name, f"INSERT INTO sales.events (id, amount) VALUES ('{word}', 2.5)")
            (value,) = self.records(f"{prefix}.cdc.sales.events", word)
            self.assertEqual((value["op"], value["after"]), ("c", {"id": word, "amount": 2.5}))
            source = value["source"]
            self.assertEqual((source["name"], source["cluster"]), (prefix, name))

    def test_an_agent_that_is_killed_goes_on_where_it_was(self):
        self.cql("onprem", "INSERT INTO sales.events (id) VALUES ('before-the-kill')")
        self.assertEqual(len(self.records("onprem.cdc.sales.events", "before-the-kill")), 1)
        stack("kill", self.folder, "agent-onprem")
        self.cql("onprem", "INSERT INTO sales.events (id) VALUES ('behind-the-kill')")
        stack("start", self.folder, "agent-onprem")
        self.assertEqual(len(self.records("onprem.cdc.sales.events", "behind-the-kill")), 1)
        self.assertEqual(len(self.records("onprem.cdc.sales.events", "before-the-kill")), 1)

    def records(self, topic, word):
        """The committed records of the row with this id: up to the heartbeat that was written a second after the first of them."""
        settings = {"group.id": "test", "enable.auto.commit": False, "isolation.level": "read_committed"}
        consumer = Consumer({"bootstrap.servers": self.status()["bootstrap_servers"], **settings})
        consumer.assign([TopicPartition(topic, 0, 0)])
        found, deadline = [], time.monotonic() + 30
        try:
            while time.monotonic() < deadline:
                message = consumer.poll(1)
                if message is None or message.error() is not None:
                    continue
                value = json.loads(message.value())
                if value["op"] == "m" and found and value["ts_ms"] > found[0]["ts_ms"] + 1000:
                    return found
                found += [value] if (value.get("after") or {}).get("id") == word else []
        finally:
            consumer.close()
        raise AssertionError(f"{topic} has no record of {word} and no heartbeat behind it, but {found}")

    def test_a_message_goes_through_kafka(self):
        stack("kafka", self.folder, "console-producer", "--topic", "there-and-back", given="a message\n")
        limits = ["--from-beginning", "--max-messages", "1", "--timeout-ms", "30000"]
        told = stack("kafka", self.folder, "console-consumer", "--topic", "there-and-back", *limits)
        self.assertEqual(told.stdout, "a message\n")

    def test_a_second_up_changes_nothing_and_says_so(self):
        before = [service["pid"] for service in self.status()["services"]]
        self.assertIn("everything runs already", stack("up", self.folder, *SMALL).stderr)
        self.assertEqual([service["pid"] for service in self.status()["services"]], before)

    def test_an_up_with_other_options_is_refused_while_it_runs(self):
        told = stack("up", self.folder, *SMALL, "--set", "onprem.commitlog_sync=batch", code=1).stderr
        self.assertIn("a stack with other options runs", told)

    def test_a_service_can_be_paused(self):
        stack("pause", self.folder, "kafka")
        self.assertEqual(self.service_states(code=1)["kafka"], "paused")
        stack("resume", self.folder, "kafka")
        self.assertEqual(self.service_states()["kafka"], "running")

    def test_a_crash_is_seen_and_up_mends_it(self):
        old = self.service("kafka")["pid"]
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: old not in processes(self.folder), "the end of the broker")
        self.assertEqual(self.service_states(code=1)["kafka"], "ended")
        stack("up", self.folder, *SMALL)
        self.assertNotEqual(self.service("kafka")["pid"], old)

    def test_a_node_starts_again_with_another_setting_and_its_data(self):
        self.cql("azure", "INSERT INTO sales.events (id) VALUES ('before')")
        stack("stop", self.folder, "azure")
        stack("start", self.folder, "azure", "--set", "azure.commitlog_sync=batch")
        self.assertIn("before", self.cql("azure", "SELECT id FROM sales.events WHERE id = 'before'"))
        told = self.cql("azure", "SELECT JSON value FROM system_views.settings WHERE name = 'commitlog_sync'")
        self.assertIn('{"value": "batch"}', told)
        self.assertEqual(self.service_states()["agent-azure"], "running")

    def test_an_unknown_service_is_refused_with_the_known_ones(self):
        self.assertIn(f"known: {', '.join(SERVICES)}", stack("kill", self.folder, "redis", code=1).stderr)

    def service_states(self, code=0):
        return {service["name"]: service["state"] for service in self.status(code)["services"]}


class Several(unittest.TestCase):
    """Several brokers with TLS, and several nodes of one cluster."""

    def setUp(self):
        self.folder = private_folder(self.addCleanup)

    def up(self, *arguments):
        return json.loads(stack("up", self.folder, "--quick", "--free-ports", "--json", *arguments).stdout)

    def test_three_brokers_replicate_and_end(self):
        sizes = ["--option", "kafka.brokers=3", "--option", "kafka.heap=192m"]
        known = self.up("--only", "kafka", *sizes, "--option", 'kafka.listeners=["SSL", "SASL_SSL", "PROXIED"]')
        stack("kafka", self.folder, "topics", "--create", "--topic", "three", "--replication-factor", "3")
        self.assertIn("ReplicationFactor: 3", stack("kafka", self.folder, "topics", "--describe", "--topic", "three").stdout)
        context = ssl.create_default_context(cafile=known["access"]["tls"]["ca"])
        for service in known["services"]:
            host, port = service["listeners"]["SSL"].split(":")
            with socket.create_connection((host, int(port)), timeout=10) as plain:
                context.wrap_socket(plain, server_hostname=host).close()
            self.assertEqual(service["listeners"]["PROXIED"], f"127.0.0.1:{service['proxied']['clients_go_to']}")
            socket.create_connection((host, service["proxied"]["listens"]), timeout=10).close()
            with self.assertRaises(ConnectionRefusedError):  # where the proxy of a test will listen
                socket.create_connection((host, service["proxied"]["clients_go_to"]), timeout=10)
        self.assertIn("stopped kafka1, kafka2, kafka3", stack("down", self.folder).stdout)
        self.assertEqual(processes(self.folder), [])

    def test_a_node_joins_a_cluster_later(self):
        sizes = ["--option", "onprem.nodes=2", "--option", "onprem.heap=256m", "--option", "onprem.tls=true"]
        known = self.up("--only", "onprem", *sizes, "--later", "onprem2")
        self.assertEqual([service["state"] for service in known["services"]], ["running", "stopped"])
        context = ssl.create_default_context(cafile=known["access"]["tls"]["ca"])
        first = known["services"][0]
        with socket.create_connection((first["host"], first["port"]), timeout=10) as plain:
            context.wrap_socket(plain, server_hostname=first["host"]).close()
        stack("cql", self.folder, "onprem1", "-e", "INSERT INTO sales.events (id) VALUES ('before-it-joined')")
        stack("start", self.folder, "onprem2")
        told = stack("cql", self.folder, "onprem2", "-e", "CONSISTENCY ALL; SELECT id FROM sales.events").stdout
        self.assertIn("before-it-joined", told)
        status = stack("nodetool", self.folder, "onprem1", "status").stdout
        up = sorted(line.split()[1] for line in status.splitlines() if line.startswith("UN"))
        self.assertEqual(up, ["127.0.0.1", "127.0.0.2"])


class Beginnings(unittest.TestCase):
    """Starts that fail, or are broken off."""

    def setUp(self):
        self.folder = private_folder(self.addCleanup)

    def assert_nothing_is_left(self):
        self.assertEqual(processes(self.folder), [])
        self.assertEqual(list(self.folder.glob("*/process.json")), [])

    def test_a_taken_port_is_named_with_the_way_out(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            told = stack("up", self.folder, "--only", "kafka", "--option", f"kafka.port={port}", code=1).stderr
        self.assertIn(f"kafka: 127.0.0.1:{port} (PLAINTEXT) cannot be used: Address already in use", told)
        self.assertIn("STACK_KAFKA_PORT=NUMBER", told)
        self.assert_nothing_is_left()

    def test_a_start_that_fails_says_why_and_stops_what_was_started(self):
        arguments = ["--only", "kafka,onprem", *SMALL_ONPREM, "--set", "onprem.no_such_option=1"]
        told = stack("up", self.folder, *arguments, code=1).stderr
        self.assertIn("onprem: Cassandra 4.1 ended while it started", told)
        self.assertIn("no_such_option", told)
        self.assertIn(str(self.folder / "onprem" / "logs"), told)
        self.assert_nothing_is_left()

    def test_down_ends_what_a_killed_up_has_started(self):
        command = [sys.executable, str(STACK), "up", "--dir", str(self.folder), "--only", "onprem", *SMALL_ONPREM]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as starting:
            wait_for((self.folder / "onprem" / "process.json").exists, "the process of the node")
            starting.kill()
        self.assertNotEqual(processes(self.folder), [])
        self.assertIn("stopped onprem", stack("down", self.folder).stdout)
        self.assert_nothing_is_left()
        self.assertIn("nothing runs", stack("down", self.folder).stdout)

    def test_an_agent_that_does_not_start_says_why(self):
        arguments = ["--only", "kafka,onprem,agent-onprem", *SMALL_ONPREM, "--option", "onprem.tables=false"]
        told = stack("up", self.folder, *arguments, "--set", "agent-onprem.no_such_key=x", code=1).stderr
        self.assertIn("agent-onprem: cdc-agent ended while it started (exit code 2)", told)
        self.assertIn("no_such_key", told)
        self.assert_nothing_is_left()

    def test_an_interrupted_up_leaves_nothing(self):
        command = [sys.executable, str(STACK), "up", "--dir", str(self.folder), "--only", "kafka", "--quick", "--free-ports"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as starting:
            wait_for((self.folder / "kafka" / "process.json").exists, "the process of the broker")
            starting.terminate()
        self.assertEqual(starting.returncode, 143)
        self.assert_nothing_is_left()

    def test_a_stack_does_not_outlive_its_owner(self):
        owner = subprocess.Popen(["/bin/sleep", "600"])
        self.addCleanup(lambda: (owner.kill(), owner.wait()))
        stack("up", self.folder, "--only", "kafka", "--quick", "--free-ports", "--owner", str(owner.pid))
        self.assertNotEqual(processes(self.folder), [])
        owner.kill()
        wait_for(lambda: not processes(self.folder), "the end of the broker and of its guard")
        self.assert_nothing_is_left()

    def test_data_stays_until_it_is_dropped(self):
        arguments = ["--only", "kafka", "--quick", "--free-ports"]
        stack("up", self.folder, *arguments)
        stack("kafka", self.folder, "topics", "--create", "--topic", "stays")
        stack("down", self.folder)
        self.assert_nothing_is_left()
        stack("up", self.folder, *arguments)
        self.assertIn("stays", stack("kafka", self.folder, "topics", "--list").stdout)
        stack("down", self.folder, "--data", "drop")
        self.assertFalse(self.folder.exists())

    def test_mistakes_in_options_are_refused_before_anything_starts(self):
        for arguments, told in (
            (["--option", "kafka.color=red"], "no such option"),
            (["--set", "nowhere.a=1"], "no such part"),
            (["--only", "redis"], "no such part"),
            (["--option", "onprem.version=3.11"], "known are 4.1, 5.0"),
            (["--option", 'onprem.dc=["A","B"]'], "one for each of the 1 nodes"),
            (["--option", "onprem.nodes=0"], "must be a number from 1 to 9"),
            (["--option", "onprem.cql_port=-1"], "must be a number from 0 to 65535"),
        ):
            self.assertIn(told, stack("up", self.folder, *arguments, code=1).stderr)


if __name__ == "__main__":
    unittest.main()
