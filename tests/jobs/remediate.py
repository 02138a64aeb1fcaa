#!/usr/bin/env python3
"""`cdc-jobs remediate` beside two real Cassandra clusters, a broker, an agent beside each node and a drift job, which this starts and stops:
rows that differ in every way are found, proposed, refused without approval, approved, written into one data centre, and RESOLVED.

    tests/jobs/remediate.py [--jobs PROGRAM] [--agent PROGRAM] [--keep]

Needs the packages of tests/requirements.txt: `make test-jobs-remediate`.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import services
from services import NODES
from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
TABLE = "sales.items"
STEPS = "dq_remediation_audit"
COLUMNS = {
    "cust": "text", "id": "int", "a": "int", "b": "text", "big": "bigint", "d": "double", "f": "float", "ok": "boolean", "data": "blob",
    "day": "date", "at": "time", "seen": "timestamp", "uid": "uuid", "addr": "inet", "span": "duration", "price": "decimal", "n": "varint",
    "tags": "set<text>", "attrs": "map<int, text>", "steps": "frozen<list<date>>", "notes": "list<text>", "pair": "frozen<tuple<int, blob>>",
}  # fmt: skip
VALUES = {
    "a": "1", "b": "'it''s \"x\"'", "big": "9007199254740993", "d": "-0.1", "f": "0.1", "ok": "true", "data": "0x00ff10", "day": "'2026-01-02'",
    "at": "'03:04:05.123456789'", "seen": "'2026-01-02T03:04:05.678Z'", "uid": "5132b130-ae79-41e4-ab27-0800200c9a66", "addr": "'2001:db8::1'",
    "span": "-1mo2d3ns", "price": "12.50", "n": "170141183460469231731687303715884105727", "tags": "{'y', 'x'}", "attrs": "{2: 'two', 1: 'one'}",
    "steps": "['2026-01-02', '1969-12-31']", "notes": "null", "pair": "(7, 0xff)",
}  # fmt: skip
RULES = """\
table: sales.items
source: {kind: cdc}
sink: none
columns:
%s
key: [cust, id]
version: write_time
hash: {kind: v1}
drift:
  onprem: {environment: onprem, hosts: any}
  cloud: {environment: cloud, hosts: any}
  mode: merge
  tolerance: 1s
  grace: 2s
  silence: 60s
  old_writes: judge
  partition_key: [cust]
remediate:
  older_than: 1s
  per_minute: 1000
"""


class Run:
    def __init__(self, program, folder):
        from node import Stack

        self.program, self.folder, self.drift, self.random = program, folder, None, random.Random(1)
        heaps = ["azure.tables=false", "onprem.heap=384m", "azure.heap=384m"]
        self.stack = Stack(folder / "stack", options=heaps, only="onprem,azure,kafka,agent-onprem,agent-azure")
        self.jobs = folder / "jobs"
        shutil.copytree(ROOT / "jobs", self.jobs, ignore=shutil.ignore_patterns("sql"))
        self.environments()
        self.rules()
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        for name, node in NODES.items():
            dc = {"onprem": "DC_ONPREM", "cloud": "DC_AZURE"}[name]
            self.cql(name, f"CREATE KEYSPACE sales WITH replication = {{'class': 'NetworkTopologyStrategy', '{dc}': 1}}")
            self.cql(name, f"CREATE TABLE {TABLE} ({columns}, PRIMARY KEY (cust, id)) WITH cdc = true")
            self.call("topics", "create", "--env", name, "--jobs", self.jobs, "--partitions", "2", code=(0, 2))

    def environments(self, change=lambda text: text):
        services.environments(self.stack, self.jobs, change)

    def rules(self, change=lambda text: text):
        columns = "\n".join(f"  {name}: {{type: '{kind}'{', precision: 20, scale: 4' if kind == 'decimal' else ''}}}" for name, kind in COLUMNS.items())
        (self.jobs / "rules" / f"{TABLE}.yaml").write_text(change(RULES % columns))

    def cql(self, environment, statement):
        return list(self.stack.session(NODES[environment]).execute(statement, timeout=60))

    def call(self, *words, code=(0,)):
        done = subprocess.run([str(word) for word in (self.program, *words)], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode in code, f"{words}: exit code {done.returncode}, expected {code}: {done.stdout}{done.stderr}"
        return done.stdout, done.stderr

    def remediate(self, *words, code=0, env="onprem"):
        out, said = self.call("remediate", *words, "--env", env, "--table", TABLE, "--jobs", self.jobs, "--format", "json", code=(code,))
        return json.loads(out) if out else said

    def refused(self, *words, code=2):
        said = self.remediate(*words, code=code)
        assert isinstance(said, str), said
        return said

    def start(self):
        """Starts the drift job, and waits until it knows both sides."""
        words = ["run", "drift", "--env", "onprem", "--table", TABLE, "--jobs", self.jobs, "--state", self.folder / "state", "--http", "127.0.0.1:0"]
        log = (self.folder / "drift.log").open("a")
        self.drift = subprocess.Popen([str(word) for word in (self.program, *words)], stdout=log, stderr=log)
        address = lambda: re.findall(r"http://(\S+)", (self.folder / "drift.log").read_text())[self.starts :]
        (address,) = wait_for(address, "the drift job serves pages")
        self.starts += 1
        self.address = address
        since = time.time()
        # What is logged within the tolerance of the beginning counts as before it.
        wait_for(lambda: self.watermark() > since + 5, "both sides are heard")

    starts = 0

    def watermark(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return 0
        return max([int(found) for found in re.findall(r"^drift_watermark_seconds\{[^}]*\} (\d+)", text, re.M)] or [0])

    def stop(self):
        if self.drift is not None:
            self.drift.send_signal(signal.SIGTERM)
            assert self.drift.wait(60) == 0, (self.folder / "drift.log").read_text()[-3000:]
            self.drift = None

    def steps(self):
        """Steps by id, in their order."""
        found = {}
        for records in services.read(self.stack.servers, [STEPS]).get(STEPS, {}).values():
            for record in records:
                assert record["key"] == {"table": TABLE, "key": record["value"]["key"]}, record
                found.setdefault(record["value"]["id"], []).append(record["value"])
        return found

    def current(self):
        """Status and version by key of what stands."""
        found = {}
        for records in services.read(self.stack.servers, ["dq_reconciliation_current"]).get("dq_reconciliation_current", {}).values():
            for record in records:
                found[json.dumps(record["key"]["key"])] = record["value"]
        return {key: (value["status"], value["version_us"]) for key, value in found.items() if value is not None}

    def rows(self, environment):
        """Each row as Cassandra prints it, with the write times of its simple columns, and what is left to live."""
        simple = [name for name, kind in COLUMNS.items() if name not in ("cust", "id") and "<" not in kind or kind.startswith("frozen")]
        times = ", ".join(f"writetime({name}) AS w_{name}" for name in simple)
        texts = {}
        for row in self.cql(environment, f"SELECT JSON * FROM {TABLE}"):
            row = json.loads(row[0])
            texts[row["cust"], row["id"]] = row
        for row in self.cql(environment, f"SELECT cust, id, ttl(a) AS ttl, {times} FROM {TABLE}"):
            texts[row.cust, row.id] |= {f"w_{name}": getattr(row, f"w_{name}") for name in simple} | {"expires": row.ttl is not None}
        return texts


def insert(key, time_us, ttl=None, **changed):
    values = VALUES | changed
    names = ", ".join(values)
    using = f"USING TIMESTAMP {time_us}" + (f" AND TTL {ttl}" if ttl else "")
    return f"INSERT INTO {TABLE} (cust, id, {names}) VALUES ('c{key}', {key}, {', '.join(values.values())}) {using}"


def where(key):
    return f"WHERE cust = 'c{key}' AND id = {key}"


def inject(run):
    """What differs, by key: verdict, the side that is written to, and the operation of the repair."""
    t = time.time_ns() // 1000
    both = lambda key, time_us: [run.cql(side, insert(key, time_us)) for side in NODES]
    both(1, t)
    run.cql("onprem", insert(2, t))
    run.cql("cloud", insert(3, t, b="null"))
    run.cql("onprem", insert(4, t, a="9"))
    run.cql("cloud", insert(4, t, a="5"))
    both(5, t)
    run.cql("onprem", f"DELETE FROM {TABLE} USING TIMESTAMP {t + 1} {where(5)}")
    both(6, t)
    for side in NODES:
        run.cql(side, f"DELETE FROM {TABLE} USING TIMESTAMP {t + 1} {where(6)}")
    run.cql("cloud", insert(6, t + 2))
    both(7, t)
    run.cql("cloud", f"UPDATE {TABLE} USING TIMESTAMP {t + 1} SET b = 'changed', tags = {{'z'}}, attrs = null {where(7)}")
    both(8, t)
    run.cql("onprem", f"DELETE FROM {TABLE} USING TIMESTAMP {t + 1} WHERE cust = 'c8'")
    run.cql("onprem", insert(9, t))
    run.cql("onprem", insert(10, t, ttl=3600))
    run.cql("onprem", insert(11, t))
    both(12, t)
    run.cql("cloud", f"UPDATE {TABLE} USING TIMESTAMP {t + 1} SET tags = tags + {{'w'}} {where(12)}")
    run.cql("onprem", insert(13, t, notes="['a']"))
    expected = {
        2: ("MISSING_CLOUD", "cloud", "c", t), 3: ("MISSING_ONPREM", "onprem", "c", t), 4: ("DRIFT", "cloud", "c", t),
        5: ("MISSING_CLOUD", "cloud", "d", t + 1), 6: ("MISSING_ONPREM", "onprem", "c", t + 2), 7: ("MISSING_ONPREM", "onprem", "u", t + 1),
        8: ("MISSING_CLOUD", "cloud", "rt", t + 1), 9: ("MISSING_CLOUD", "cloud", "c", t), 10: ("MISSING_CLOUD", "cloud", "c", t),
        11: ("MISSING_CLOUD", "cloud", "c", t), 12: ("MISSING_ONPREM", "onprem", "u", t + 1), 13: ("MISSING_CLOUD", "cloud", "c", t),
    }  # fmt: skip
    wait_for(lambda: len(run.current()) == len(expected), lambda: f"{sorted(expected)} stand: {run.current()}")
    return t, expected


def key_of(entry):
    return int(entry["key"]["cust"].removeprefix("c"))


def proposed(run, expected):
    """Each difference once, with its evidence; what cannot be written twice is escalated."""
    time.sleep(1.1)  # older_than
    found = run.remediate("propose")
    entries = {key_of(entry): entry for entry in run.remediate("list")}
    told = {key: (e["proposal"]["status"], e["target"], e["proposal"]["op"], e["proposal"]["version_us"]) for key, e in entries.items()}
    assert told == expected, (told, expected)
    assert (len(found["proposed"]), len(found["escalated"])) == (10, 2), found
    assert entries[12]["state"] == "ESCALATED" and "column tags" in entries[12]["reason"], entries[12]
    assert entries[13]["state"] == "ESCALATED" and "column notes" in entries[13]["reason"], entries[13]
    again = run.remediate("propose")
    assert (again["proposed"], again["escalated"], again["known"]) == ([], [], 12), again
    shown = run.remediate("show", entries[4]["id"])
    proposal = shown["proposal"]
    assert shown["stands"] and proposal["columns"] == ["a"] and len(proposal["onprem_hash"]) == 64, shown
    assert proposal["onprem_hash"] != proposal["cloud_hash"] and proposal["onprem_event_id"] != proposal["cloud_event_id"], shown
    text, _ = run.call("remediate", "show", entries[4]["id"], "--env", "onprem", "--table", TABLE, "--jobs", run.jobs)
    assert proposal["onprem_hash"] in text and "it stands" in text and "it''s" not in text, text
    return {key: entry["id"] for key, entry in entries.items()}


def refusals(run, ids):
    """Nothing is written without approval, into another data centre, or beside a guard."""
    before, steps = {side: run.rows(side) for side in NODES}, run.steps()
    said = run.refused("apply", ids[2], "--target", "cloud", "--execute", "--by", "test")
    assert "PROPOSED, not approved: nothing was written" in said, said
    assert run.remediate("apply", "--target", "cloud", "--execute", "--by", "test")["outcomes"] == []
    assert "required" in run.refused("apply", ids[2], "--target", "cloud", "--execute")
    assert "no side with elsewhere" in run.refused("apply", "--target", "elsewhere")
    assert "there is no proposal 123" in run.refused("approve", ids[2], "123", "--by", "test")
    assert run.steps() == steps, "a refusal is no step"
    cloud = [ids[key] for key in (2, 4, 5, 8, 9, 10)]
    run.remediate("approve", *cloud, "--by", "ada", "--reason", "seen")
    run.remediate("reject", ids[11], "--by", "ada", "--reason", "wanted so")
    said = run.refused("apply", ids[2], "--target", "onprem", "--execute", "--by", "test")
    assert "is a repair of cloud: nothing was written" in said, said
    said = run.refused("apply", ids[11], "--target", "cloud", "--execute", "--by", "test")
    assert "REJECTED" in said, said
    steps = run.steps()
    dry = run.remediate("apply", "--target", "cloud")
    assert [one["outcome"] for one in dry["outcomes"]] == ["would_apply"] * 6 and not dry["executed"], dry
    execute = ("apply", "--target", "cloud", "--execute", "--by", "test")
    run.environments(lambda text: text.replace("DC_AZURE", "DC_ELSEWHERE"))
    said = run.refused(*execute)
    assert "is in the data centre DC_AZURE" in said, said
    onprem, cloud = (run.stack.service(NODES[side]) for side in ("onprem", "cloud"))
    wrong = lambda text: text.replace(f"hosts: [{cloud['host']}]\n      port: {cloud['port']}", f"hosts: [localhost]\n      port: {onprem['port']}\n      allowed_domains: [localhost]")
    run.environments(wrong)
    said = run.refused(*execute)
    assert "none of the allowed networks" in said, said
    run.environments()
    run.cql("cloud", "ALTER KEYSPACE sales WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    said = run.refused(*execute)
    assert "must be replicated to DC_AZURE and nowhere else" in said, said
    run.cql("cloud", "ALTER KEYSPACE sales WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_AZURE': 1}")
    assert {side: run.rows(side) for side in NODES} == before, "something was written"
    assert run.steps() == steps, "a dry run or a guard made a step"
    return "not approved, rejected, other side, data centre, network, replication: nothing was written"


def applied(run, t, ids):
    """Into cloud, with a limit on the way; then what a policy allows into onprem."""
    onprem = run.rows("onprem")
    # Newer than what is to be repaired, and unknown to the verdict.
    run.cql("cloud", f"UPDATE {TABLE} USING TIMESTAMP {t + 100} SET a = 77 {where(9)}")
    execute = ("apply", "--target", "cloud", "--execute", "--by", "test")
    run.rules(lambda text: text.replace("per_minute: 1000", "per_minute: 2"))
    done = run.remediate(*execute, code=3)
    assert (len(done["outcomes"]), done["stopped"], done["left"]) == (2, "minute", 4), done
    assert run.remediate(*execute, code=3)["outcomes"] == []
    run.rules(lambda text: text.replace("per_minute: 1000", "per_incident: 3"))
    done = run.remediate(*execute, code=3)
    assert (len(done["outcomes"]), done["stopped"], done["left"]) == (1, "incident", 3), done
    run.rules()
    done = run.remediate(*execute)
    assert [one["outcome"] for one in done["outcomes"]] == ["applied"] * 3, done
    assert run.rows("onprem") == onprem, "the other data centre was written to"
    cloud = run.rows("cloud")
    for key in (2, 4, 10):
        row = ("c" + str(key), key)
        assert cloud[row] == onprem[row], (cloud[row], onprem[row])
    assert cloud["c10", 10]["expires"] and not cloud["c2", 2]["expires"]
    assert cloud["c4", 4]["a"] == 9 and cloud["c4", 4]["w_a"] == t, cloud["c4", 4]
    assert ("c5", 5) not in cloud and ("c8", 8) not in cloud and ("c11", 11) not in cloud, sorted(cloud)
    newer = cloud["c9", 9]
    assert (newer["a"], newer["w_a"]) == (77, t + 100) and {**newer, "a": 1, "w_a": t} == onprem["c9", 9], newer
    steps = run.steps()
    assert [step["step"] for step in steps[ids[2]]] == ["PROPOSED", "APPROVED", "APPLIED"], steps[ids[2]]
    assert [step["by"] for step in steps[ids[2]]] == ["cdc-jobs", "ada", "test"], steps[ids[2]]
    assert run.remediate(*execute)["outcomes"] == [] and run.steps() == steps and run.rows("cloud") == cloud, "not once"
    policy = run.folder / "policy.yaml"
    policy.write_text("name: test\nmax_per_run: 2\nkinds: [MISSING_ONPREM]\ntables: [sales.items]\nolder_than: 1s\n")
    first = run.remediate("approve", "--policy", policy)
    second = run.remediate("approve", "--policy", policy)
    assert (len(first["ids"]), len(second["ids"])) == (2, 1) and first["by"].startswith("policy test "), (first, second)
    # Killed at any moment, most of all between a write and its record: written again, it is the same row.
    words = ["--target", "onprem", "--execute", "--by", "test", "--env", "cloud", "--table", TABLE, "--jobs", run.jobs]
    kills = services.killed(run, [str(word) for word in (run.program, "remediate", "apply", *words)], 8, 4)
    run.remediate("apply", "--target", "onprem", "--execute", "--by", "test", env="cloud")
    applied = [step for steps in run.steps().values() for step in steps if step["step"] == "APPLIED" and step["target"] == "onprem"]
    assert len(applied) == 3 and len({step["id"] for step in applied}) == 3, applied
    assert run.rows("cloud") == cloud, "the other data centre was written to"
    onprem = run.rows("onprem")
    for key in (3, 6, 7):
        row = ("c" + str(key), key)
        assert onprem[row] == cloud[row], (onprem[row], cloud[row])
    return f"6 into cloud, stopped by both limits; 3 into onprem by a policy, killed {kills} times; write times are the winners'"


def resolved(run, t, ids):
    """The drift job finds the repairs; what it finds anew of a repaired key is escalated."""
    run.start()
    wanted = {9: ("MISSING_ONPREM", t + 100), 11: ("MISSING_CLOUD", t), 12: ("MISSING_ONPREM", t + 1), 13: ("MISSING_CLOUD", t)}
    wanted = {json.dumps({"cust": f"c{key}", "id": key}): value for key, value in wanted.items()}
    wait_for(lambda: run.current() == wanted, lambda: f"only these stand: {wanted}; {run.current()}")
    verdicts = [record["value"] for records in services.read(run.stack.servers, ["dq_reconciliation_audit"])["dq_reconciliation_audit"].values() for record in records]
    done = {key_of(value) for value in verdicts if value["status"] == "RESOLVED"}
    assert done == {2, 3, 4, 5, 6, 7, 8, 9, 10}, done
    time.sleep(1.1)  # older_than
    found = run.remediate("propose")
    assert (found["proposed"], len(found["escalated"]), found["known"]) == ([], 1, 3), found
    escalated = run.remediate("show", found["escalated"][0])
    assert key_of(escalated) == 9 and f"repaired already ({ids[9]})" in escalated["reason"], escalated
    status = run.remediate("status")
    assert status["targets"]["cloud"]["states"] == {"APPLIED": 6, "ESCALATED": 1, "REJECTED": 1}, status
    assert status["targets"]["onprem"]["states"] == {"APPLIED": 3, "ESCALATED": 2}, status
    assert (status["verdicts_standing"], status["targets"]["cloud"]["applied_and_standing"]) == (4, 0), status
    return "9 RESOLVED; a key that drifts again is escalated"


def timed(case, *given):
    began = time.monotonic()
    said = case(*given)
    text = said if isinstance(said, str) else f"{len(said)} known" if isinstance(said, dict) else f"{len(said[1])} differences"
    print(f"{case.__name__}: {text} ({time.monotonic() - began:.1f} s)", flush=True)
    return said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=Path, default=ROOT / "target" / "debug" / "cdc-jobs", help="the program")
    parser.add_argument("--agent", type=Path, default=ROOT / "target" / "debug" / "cdc-agent", help="the agent")
    parser.add_argument("--keep", action="store_true", help="leave the folder with what was written")
    given = parser.parse_args()
    os.environ["CDC_AGENT_BIN"] = str(given.agent.resolve())
    folder = Path(tempfile.mkdtemp(prefix="cdc-jobs-remediate-"))
    run = Run(given.jobs.resolve(), folder)
    try:
        run.start()
        t, expected = timed(inject, run)
        ids = timed(proposed, run, expected)
        run.stop()
        timed(refusals, run, ids)
        timed(applied, run, t, ids)
        timed(resolved, run, t, ids)
        run.stop()
    finally:
        if run.drift is not None:
            run.drift.kill()
        run.stack.down()
        if given.keep:
            print(f"left in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
