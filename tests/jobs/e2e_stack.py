"""The whole way on a real stack, for drift_e2e.py: two Cassandra clusters, Kafka, an agent beside each whose clock is wrong, a Flink
cluster with two TaskManagers, and the jobs of sales.events on it."""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import services
from e2e_journal import DCS, PARTITIONS, SIDES
from services import NODES, ROOT
from waiting import wait_for

TABLE = "sales.events"
DRIFT = f"drift-onprem-{TABLE}"
JOBS = [f"{kind}-{side}-{TABLE}" for side in SIDES for kind in ("dq", "hash")] + [DRIFT]
AUDIT, CURRENT = "dq_reconciliation_audit", "dq_reconciliation_current"
CHANGES = {side: f"{side}.cdc.{TABLE}" for side in SIDES}
KEYSPACE = (
    "CREATE KEYSPACE sales WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1};"
    "CREATE TABLE sales.events (id text PRIMARY KEY, event_ts timestamp, amount double, record_hash text) WITH cdc = true"
)
SECTIONS = """  tolerance: {tolerance}s
  grace: {grace}s
  silence: 300s

remediate:
  older_than: 1s
  per_minute: 100000
  per_incident: 100000
"""
# A write that is acknowledged is in the commit log, and behind a marker: a node that is killed forgets none.
NODE = ("commitlog_sync=batch", "commitlog_sync_period=null")
HEAPS = ("onprem.heap=384m", "azure.heap=384m", "kafka.heap=384m", "flink.heap=512m", "flink.jobmanager_heap=256m", "flink.gateway_heap=320m")
PATIENCE = 600


class Pipeline:
    """Started when it is made. `options`: agent, jobs (programs), tolerance, grace, skew (seconds)."""

    def __init__(self, options, folder):
        from node import Stack

        self.options, self.folder, self.program = options, folder, options.jobs.resolve()
        agents = [f"agent-{NODES[side]}.program={self.agent(side)}" for side in SIDES]
        settings = [f"{node}.{setting}" for node in NODES.values() for setting in NODE] + ["flink.parallelism.default=2"]
        parts = "onprem,azure,kafka,agent-onprem,agent-azure,flink"
        self.stack = Stack(folder / "stack", settings, ["azure.tables=false", *HEAPS, *agents], os.getpid(), parts)
        self.jobs = folder / "jobs"
        try:
            self.prepare()
        except BaseException:
            self.down()
            raise

    def agent(self, side):
        """A program that is the agent with a clock that is wrong: ahead on one side, behind on the other one."""
        seconds = self.options.skew if side == "onprem" else -self.options.skew
        library, script = self.folder / "skew.so", self.folder / f"agent-{side}"
        if not library.exists():
            source = Path(__file__).with_name("skew.c")
            subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"], check=True)
        preload = f"env LD_PRELOAD={library} SKEW_SECONDS={seconds} " if seconds else ""
        script.write_text(f'#!/bin/sh\nexec {preload}{self.options.agent.resolve()} "$@"\n')
        script.chmod(0o755)
        return script

    def prepare(self):
        """Tables, the folder of jobs, topics."""
        shutil.copytree(ROOT / "jobs", self.jobs, ignore=shutil.ignore_patterns("sql"))
        (self.jobs / "rules" / "sales.users.yaml").unlink()
        rules = self.jobs / "rules" / f"{TABLE}.yaml"
        rules.write_text(rules.read_text().rstrip() + "\n" + SECTIONS.format(tolerance=self.options.tolerance, grace=self.options.grace))
        faster = lambda text: text.replace("interval: 30s", "interval: 3s").replace("file:///tmp/cdc-jobs/", f"file://{self.folder}/checkpoints/")
        services.environments(self.stack, self.jobs, faster)
        for side, node in NODES.items():
            for statement in (KEYSPACE + ";" + services.METRICS).replace("DC_ONPREM", DCS[side]).split(";"):
                self.stack.session(node).execute(statement, timeout=60)
            self.call("topics", "create", "--env", side, "--jobs", self.jobs, "--partitions", PARTITIONS, codes=(0, 2))
        self.call("sql", "--jobs", self.jobs, "--out", self.jobs / "sql")
        found = json.loads(self.call("check", "--jobs", self.jobs, "--format", "json"))["jobs"]
        (job,) = [job for job in found if job["table"] == TABLE and job["environment"] == "onprem"]
        self.rules, self.version = job["rules"], job["rules_version"]

    def call(self, *words, codes=(0,), seconds=PATIENCE):
        done = subprocess.run([str(word) for word in (self.program, *words)], capture_output=True, text=True, check=False, timeout=seconds)
        assert done.returncode in codes, f"{words}: exit code {done.returncode}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def remediate(self, *words):
        out = self.call("remediate", *words, "--env", "onprem", "--table", TABLE, "--jobs", self.jobs, "--format", "json", seconds=3 * PATIENCE)
        return json.loads(out)

    def submit(self):
        """Has Flink run the five jobs, and waits until the drift job knows both sides."""
        flink = self.stack.known["flink"]
        words = ["--gateway", flink["sql_gateway"], "--jobmanager", flink["jobmanager"], "--checkpoints", f"file://{Path(flink['checkpoints']).parent}"]
        for name in (*SIDES, "drift"):
            self.call("submit", name, "--jobs", self.jobs, "--sql", self.jobs / "sql", "--fresh", "--wait", 300, *words)
        assert sorted(job["name"] for job in self.status()) == sorted(JOBS), self.status()
        first = wait_for(self.watermark, "the drift job to hear both sides", PATIENCE, 1)
        # What may have been logged within the tolerance of the beginning counts as before it.
        wait_for(lambda: self.watermark() > first + self.options.tolerance + 2, "the beginning to be over", PATIENCE, 1)

    def status(self):
        """What `cdc-jobs flink status` says of each job that runs."""
        out = self.call("flink", "status", "--format", "json", "--jobmanager", self.stack.known["flink"]["jobmanager"])
        return [job for job in json.loads(out)["jobs"] if job["state"] not in ("CANCELED", "FAILED", "FINISHED")]

    def metric(self, name, labels=""):
        """The values of an operator's metric, of all tasks."""
        found, pattern = [], re.compile(rf"^flink_taskmanager_job_task_operator_(?:status_)?{name}\{{([^}}]*)\}} (\S+)$", re.M)
        for service in self.stack.known["services"]:
            if service["kind"] != "taskmanager":
                continue
            try:
                with urllib.request.urlopen(f"http://{service['host']}:{service['port']}/metrics", timeout=10) as answer:
                    text = answer.read().decode()
            except OSError:  # it is away
                continue
            found += [float(number) for with_labels, number in pattern.findall(text) if labels in with_labels]
        return found

    def watermark(self):
        """Up to where the drift job has heard both sides, seconds; 0 before it has."""
        return min(self.metric("drift_watermark_seconds"), default=0)

    def verdicts(self):
        """Counts by status."""
        statuses = ("MATCH", "DRIFT", "MISSING_ONPREM", "MISSING_CLOUD", "RESOLVED", "INCOMPARABLE", "UNKNOWN")
        return {status: int(sum(self.metric("drift_verdicts_total", f'status="{status}"'))) for status in statuses}

    def checkpoint(self, job=DRIFT):
        """Number of the newest checkpoint of a job."""
        (found,) = [found for found in self.status() if found["name"] == job]
        return (found["checkpoint"] or {}).get("id") or 0

    def settle(self, logged_ms):
        """Until all that was logged up to this time is decided, and its verdicts are committed: those of the first checkpoint that begins now."""
        until = logged_ms / 1000 + self.options.tolerance + self.options.grace + 2
        wait_for(lambda: self.watermark() > until, lambda: f"the watermark {until}; it is {self.watermark()}", PATIENCE, 1)
        before = self.checkpoint()
        wait_for(lambda: self.checkpoint() >= before + 3, "checkpoints of the drift job", PATIENCE, 1)

    def read(self, *topics):
        """Topic → committed records, of all partitions in their order."""
        found = services.read(self.stack.servers, topics)
        return {topic: [record for number in sorted(found.get(topic, {})) for record in found[topic][number]] for topic in topics}

    def rows(self, side):
        """Row by id: column → (value, write time), as SELECT shows them."""
        columns = {"event_ts": "toUnixTimestamp(event_ts) AS event_ts", "amount": "amount", "record_hash": "record_hash"}
        text = ", ".join([*columns.values(), *(f"writetime({name}) AS wt_{name}" for name in columns)])
        found = {}
        for row in self.stack.session(NODES[side]).execute(f"SELECT id, {text} FROM sales.events", timeout=120):
            found[row.id] = {name: (getattr(row, name), getattr(row, f"wt_{name}")) for name in columns if getattr(row, name) is not None}
        return found

    def counts(self, side):
        """metrics.dq_counts of a side: (end of the minute, kind) → count."""
        text = "SELECT toUnixTimestamp(metric_ts) AS ms, metric_type, metric_value FROM metrics.dq_counts"
        return {(row.ms, row.metric_type): row.metric_value for row in self.stack.session(NODES[side]).execute(text, timeout=60)}

    def down(self):
        self.stack.down()
