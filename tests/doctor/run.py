#!/usr/bin/env python3
"""`cdc-agent doctor` beside a real node and a real broker, which this starts and stops: first as it should be, then broken in one way after
the other.

    tests/doctor/run.py [--agent PROGRAM]
"""

import argparse
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "compose" / "native" / "stack.py"
WITH_PASSWORDS = [
    *("--set", "onprem.authenticator=PasswordAuthenticator"),
    *("--set", "onprem.authorizer=CassandraAuthorizer"),
    *("--option", "onprem.heap=384m"),
]


def stack(folder, command, *arguments):
    done = subprocess.run([sys.executable, STACK, command, "--dir", folder, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, f"stack.py {command}: exit code {done.returncode}"
    return done.stdout


class Doctor:
    """The program, with options that fit the stack unless a case changes them."""

    def __init__(self, agent, folder, known):
        self.agent, self.folder = agent, folder
        self.node = next(entry for entry in known["services"] if entry["name"].startswith("onprem"))
        self.options = {
            "topic_prefix": "prod",
            "cdc_raw_directory": self.node["cdc_raw"],
            "state_directory": str(folder / "state"),
            "cassandra_host": self.node["host"],
            "cassandra_port": self.node["port"],
            "cassandra_username": "cdc_agent",
            "dc": "DC_ONPREM",
            "kafka_bootstrap_servers": known["bootstrap_servers"],
        }

    def cql(self, statement):
        stack(self.folder, "cql", "onprem", "-u", "cassandra", "-p", "cassandra", "-e", statement)

    def run(self, password="doctor", **changes):
        """Exit code, and the findings by the name of their check."""
        options = {**self.options, **changes}
        file = self.folder / "agent.toml"
        file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in options.items()))
        kept = {name: text for name, text in os.environ.items() if not name.startswith("CDC_AGENT_")}
        done = subprocess.run(
            [self.agent, "doctor", "--config", file, "--json"],
            env={**kept, "CDC_AGENT_CASSANDRA_PASSWORD": password},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert lines and lines[-1]["type"] == "total", f"{done.stdout}{done.stderr}"
        return done.returncode, {line["check"]: line for line in lines[:-1] if line["verdict"] == "fail"}, lines

    def expect(self, name, code, check, **changes):
        found, failed, lines = self.run(**changes)
        self.code = found
        assert found == code, f"{name}: exit code {found} instead of {code}: {lines}"
        assert check is None or check in failed, f"{name}: {check} did not fail: {lines}"
        print(f"ok  {name}: exit code {code}{f', {check}' if check else ''}", flush=True)
        return {line["check"]: line for line in lines[:-1]}

    def start_agent(self):
        """The node's agent, with the options of the last run."""
        words = [self.agent, "run", "--config", self.folder / "agent.toml", "--out", "kafka", "--http=false"]
        return subprocess.Popen(words, env={**os.environ, "CDC_AGENT_CASSANDRA_PASSWORD": "doctor"}, stderr=subprocess.PIPE, text=True)

    def same_as_run(self):
        """What doctor refused, the agent refuses with the same exit code."""
        agent = self.start_agent()
        _, said = agent.communicate(timeout=60)
        assert agent.returncode == self.code, f"run ends with {agent.returncode}: {said}"

    @contextlib.contextmanager
    def running_agent(self):
        """The agent, and the lines that it says."""
        agent, said = self.start_agent(), []
        try:
            assert any(" reading " in line for line in agent.stderr), "the agent does not read"
            threading.Thread(target=lambda: said.extend(agent.stderr), daemon=True).start()
            yield said
        finally:
            agent.terminate()
            agent.wait(60)


def cases(doctor):
    findings = doctor.expect("as it should be", 0, None)
    assert findings["kafka.rights"]["verdict"] == "pass" and "node.ring" not in findings, findings
    doctor.expect("wrong password", 2, "cql.connection", password="wrong")
    doctor.expect("wrong data centre", 2, "cql.identity", dc="DC_AZURE")
    doctor.expect("no node at this port", 4, "cql.connection", cassandra_port=1)
    doctor.expect("no broker at this port", 6, "kafka.connection", kafka_bootstrap_servers="127.0.0.1:1")
    doctor.expect("topics are missing and are not made", 6, "kafka.topics", kafka_create_topics=False)
    doctor.expect("no directory", 4, "cdc_raw.directory", cdc_raw_directory=str(doctor.folder / "none"))
    raw = Path(doctor.node["cdc_raw"])
    held = os.open(raw, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    doctor.expect("another agent holds the directory", 7, "cdc_raw.lock")
    os.close(held)
    strange = raw / "CommitLog-7-1.log"
    strange.write_bytes(b"\0\0\0\x63" * 50)
    doctor.expect("a segment of an unknown version", 4, "segments.unreadable")
    strange.unlink()
    doctor.expect("as it was before", 0, None)
    spool = raw.parent / "spool"
    findings = doctor.expect("a spool that is made later", 0, None, spool_directory=str(spool), spool_min_free_mb=1)
    assert findings["spool"]["verdict"] == "pass", findings["spool"]
    findings = doctor.expect("no room for a spool", 0, None, spool_directory=str(spool), spool_min_free_mb=1 << 30)
    assert findings["spool"]["verdict"] == "warn", findings["spool"]
    doctor.expect("a spool on another file system", 6, "spool", spool_directory="/proc/self")
    if os.geteuid() == 0:
        with mounted_twice(raw.parent, doctor.folder / "again"):
            doctor.expect("a spool in another mount", 6, "spool", spool_directory=str(doctor.folder / "again" / "spool"))
    doctor.expect("as it was once more", 0, None)
    with doctor.running_agent() as said:
        findings = doctor.expect("beside the node's agent", 0, None)
        assert "which answers" in findings["cdc_raw.lock"]["found"], findings["cdc_raw.lock"]
        findings = doctor.expect("topics with other partitions than new ones get", 0, None, kafka_topic_partitions=7)
        assert findings["kafka.partitions"]["verdict"] == "warn", findings["kafka.partitions"]
        without_log(doctor, said)
    transactions(doctor)
    findings = doctor.expect("only what the node owns first", 0, None, ownership="primary")
    assert findings["node.ring"]["verdict"] == "pass" and "Murmur3Partitioner" in findings["node.ring"]["found"], findings["node.ring"]
    compressed(doctor)


def without_log(doctor, said):
    """Tables of which nothing is in the commit log: also of an agent that runs when they are made."""
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    doctor.cql(f"CREATE KEYSPACE fleeting WITH replication = {replication} AND durable_writes = false")
    doctor.cql("CREATE TABLE fleeting.t (id int PRIMARY KEY) WITH cdc = true")
    findings = doctor.expect("a table without a log", 4, "schema.durable_writes")
    assert "fleeting.t" in findings["schema.durable_writes"]["found"], findings["schema.durable_writes"]
    until = time.monotonic() + 60
    while not any("nothing of fleeting.t is published" in line for line in said):
        assert time.monotonic() < until, f"the agent says nothing of it: {said}"
        time.sleep(0.1)
    doctor.cql("DROP KEYSPACE fleeting")
    doctor.expect("no table without a log any more", 0, None)


def transactions(doctor):
    """The limit of the brokers, 15 minutes by default, beside what is asked for."""
    doctor.expect("transactions that brokers do not let be open", 6, "kafka.transactions", kafka_option=["transaction.timeout.ms=900001"])
    doctor.same_as_run()
    findings = doctor.expect("the longest that they let", 0, None, kafka_option=["transaction.timeout.ms=900000"])
    assert findings["kafka.transactions"]["verdict"] == "pass", findings["kafka.transactions"]
    findings = doctor.expect("no transactions", 0, None, kafka_option=["transaction.timeout.ms=900001"], kafka_delivery="at-least-once")
    assert "kafka.transactions" not in findings, findings["kafka.transactions"]


def compressed(doctor):
    """What it means for latency that a node compresses its segments."""
    findings = doctor.expect("a node with plain segments", 0, None)
    assert findings["segments.latency"]["verdict"] == "pass" and findings["node.commitlog_directory"]["verdict"] == "pass", findings
    stack(doctor.folder, "stop", "onprem")
    stack(doctor.folder, "start", "onprem", "--set", 'onprem.commitlog_compression=[{"class_name": "LZ4Compressor"}]')
    findings = doctor.expect("a node that compresses", 0, None)
    latency = findings["segments.latency"]
    assert latency["verdict"] == "warn" and "commitlog_sync_period" in latency["fix"] and "10000 ms" in latency["found"], latency
    findings = doctor.expect("the same, synced", 0, None, visibility="synced")
    assert findings["segments.latency"]["verdict"] == "pass", findings["segments.latency"]


@contextlib.contextmanager
def mounted_twice(folder, place):
    """The folder's file system at a second place, as volumes of containers are: nothing can be linked from one to the other."""
    place.mkdir()
    subprocess.run(["mount", "--bind", folder, place], check=True)
    (folder / "spool").mkdir()
    try:
        yield
    finally:
        (folder / "spool").rmdir()
        subprocess.run(["umount", place], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", type=Path, default=ROOT / "target" / "debug" / "cdc-agent")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        try:
            known = json.loads(stack(folder, "up", "--only", "onprem,kafka", "--free-ports", "--quick", "--json", *WITH_PASSWORDS))
            role = "CREATE ROLE cdc_agent WITH LOGIN = true AND PASSWORD = 'doctor'"
            grant = "GRANT SELECT ON system_views.settings TO cdc_agent"
            doctor = Doctor(given.agent, folder, known)
            for statement in (role, grant):
                doctor.cql(statement)
            cases(doctor)
        finally:
            stack(folder, "down", "--data", "drop")


if __name__ == "__main__":
    main()
