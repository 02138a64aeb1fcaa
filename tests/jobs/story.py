#!/usr/bin/env python3
"""What a newcomer does: `make up`, `make seed-kafka`, `make submit-onprem submit-cloud submit-drift`, at the ports and in the folders that the targets have.

    tests/jobs/story.py         the programs of target/debug are taken; needs the packages of tests/requirements.txt: `make test-story`

Then it looks at what is there: rows in both Cassandras, dead letters with their rules, counters of each minute, verdicts. What must be there
is what business.py says of the records in the two topics, and what is the same in both. Refused where a stack of `make up` has data already.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import business

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "live"))
from node import drivers  # noqa: E402
from waiting import wait_for  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / ".cache" / "stack"
SERVERS = "127.0.0.1:9092"
SIDES = {"onprem": ("127.0.0.1", "DC_ONPREM"), "cloud": ("127.0.0.2", "DC_AZURE")}
# Rows of compose/schema, written with the time of `make up`: newer than all that jobs write.
OWN = {"1", "2", "3"}


def make(*words):
    """A target, as somebody types it; the programs are built already."""
    print(f"make {' '.join(words)}", flush=True)
    began = time.monotonic()
    variables = {**os.environ, "CDC_AGENT_BIN": str(ROOT / "target" / "debug" / "cdc-agent")}
    # What runs this is a target itself, whose variables are not those of a newcomer.
    variables = {name: text for name, text in variables.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")}
    done = subprocess.run(["make", *words, "CARGO=true"], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=900, check=False)
    print(f"  {time.monotonic() - began:.0f} s", flush=True)
    assert done.returncode == 0, f"make {words}: exit code {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def session(side):
    drivers()
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import DCAwareRoundRobinPolicy

    host, dc = SIDES[side]
    profile = ExecutionProfile(load_balancing_policy=DCAwareRoundRobinPolicy(local_dc=dc), request_timeout=30)
    return Cluster([host], execution_profiles={EXEC_PROFILE_DEFAULT: profile}).connect()


def topic(name):
    """Committed records of a topic, a list for each partition, as business.records has them; one without a topic is empty."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    settings = {"group.id": "story", "enable.auto.commit": False, "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer({"bootstrap.servers": SERVERS, **settings})
    known = consumer.list_topics(timeout=20).topics
    found = [[] for _ in (known[name].partitions if name in known else ())]
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in range(len(found))])
    left = len(found)
    while left:
        message = consumer.poll(30)
        assert message is not None, f"{name}: no answer"
        if message.error():
            left -= 1
            continue
        record = {"offset": message.offset(), "ts": message.timestamp()[1], "key": message.key(), "value": message.value()}
        found[message.partition()].append(record)
    consumer.close()
    return found


def values(name):
    """The JSON values of a topic."""
    return [json.loads(record["value"]) for partition in topic(name) for record in partition if record["value"]]


def newest(name):
    """The last value of each key of a topic."""
    return {record["key"].decode(): json.loads(record["value"]) for partition in topic(name) for record in partition if record["value"]}


def job(side):
    """The rules of the side's job, and their version."""
    program = ROOT / "target" / "debug" / "cdc-jobs"
    done = subprocess.run([program, "check", "--format", "json"], cwd=ROOT, capture_output=True, text=True, check=True)
    (found,) = [one for one in json.loads(done.stdout)["jobs"] if one["table"] == "sales.events" and one["environment"] == side]
    return found["rules"], found["rules_version"]


def judged(side):
    """Dead letters, minutes and rows that the records of a side's topic must lead to, and the version of the rules."""
    rules, version = job(side)
    name = f"topic_{side}_sales"
    return *business.expected(topic(name), name, rules, version, f"dq-{side}-sales.events"), version


def letters_of(side, expected):
    wanted = {(number, one["offset"]): (one["failed"], one["payload"]) for number, found in expected[0].items() for one in found}
    assert wanted
    read = lambda: {(one["partition"], one["offset"]): (one["failed"], one["payload"]) for one in values(f"{side}.dlq.sales.events")}
    wait_for(lambda: len(read()) >= len(wanted), lambda: f"{len(wanted)} dead letters of {side}; {len(read())}", 240, 2)
    assert read() == wanted and len(values(f"{side}.dlq.sales.events")) == len(wanted)
    return len(wanted)


def counters_of(side, expected):
    """The minutes are all closed: Kafka time goes on in both topics of a side no more, and a job closes them after a while."""
    name = f"dq-{side}-sales.events"
    for kind, wanted in zip(("valid", "invalid"), business.counters(expected[1], expected[3], name, SIDES[side][1])):
        mine = lambda kind=kind: {key: value for key, value in newest(f"dq_metrics_{kind}").items() if value["job_name"] == name}
        wait_for(lambda wanted=wanted, mine=mine: mine() == wanted, lambda wanted=wanted, mine=mine: f"{wanted}; {mine()}", 240, 2)
    return len(expected[1])


def rows_of(side, expected, session_):
    """The rows of valid records are in the table, each in its newest version, and no others but those of compose/schema."""
    found = {row.id: row for row in session_.execute("SELECT id, amount, record_hash, writetime(amount) AS wt FROM sales.events")}
    wanted = {name: max(rows, key=lambda row: row["event_ts"]) for name, rows in expected[2].items() if name not in OWN}
    assert found.keys() - OWN == wanted.keys(), (len(found), len(wanted))
    for name, row in wanted.items():
        there = (found[name].amount, found[name].record_hash, found[name].wt)
        assert there == (row["amount"], business.row_hash(row), row["event_ts"] * 1000), (row, there)
    counted = {(row.ms, row.metric_type): row.metric_value for row in session_.execute(
        "SELECT job_name, toUnixTimestamp(metric_ts) AS ms, metric_type, metric_value FROM metrics.dq_counts") if row.job_name == f"dq-{side}-sales.events"}
    minutes = {(start + business.MINUTE, kind): counts[kind] for start, counts in expected[1].items() for kind in ("valid", "invalid")}
    assert counted == minutes, (counted, minutes)
    return len(wanted)


def verdicts(sides):
    """The rows that are not the same on both sides are in the audit topic, and no others."""
    last = [{name: max(rows, key=lambda row: row["event_ts"]) for name, rows in sides[side][2].items() if name not in OWN} for side in ("onprem", "cloud")]
    wanted = set()
    for name in last[0].keys() | last[1].keys():
        one, other = (side.get(name) for side in last)
        if one is None or other is None:
            wanted.add((name, "MISSING_ONPREM" if one is None else "MISSING_CLOUD"))
        elif one != other:
            wanted.add((name, "DRIFT"))
    assert {status for _, status in wanted} == {"DRIFT", "MISSING_ONPREM", "MISSING_CLOUD"}, wanted
    read = lambda: {(one["key"]["id"], one["status"]) for one in values("dq_reconciliation_audit") if one["key"]}
    # Tolerance, grace, and a heartbeat of each agent.
    wait_for(lambda: wanted <= read(), lambda: f"{wanted}; {read()}", 420, 2)
    rest = {found for found in read() - wanted if found[0] not in OWN and found[1] != "MATCH"}
    assert not rest, rest
    return sorted(wanted)


def cases():
    make("up")
    make("seed-kafka", "COUNT=2000")
    make("submit-onprem", "submit-cloud", "submit-drift")
    again = make("submit-onprem", "submit-cloud", "submit-drift")
    assert again.count("runs already") == again.count("(job ") > 0, again
    sides = {side: judged(side) for side in SIDES}
    for side, expected in sides.items():
        letters, minutes = letters_of(side, expected), counters_of(side, expected)
        print(f"{side}: {letters} dead letters, counters of {minutes} minutes, {rows_of(side, expected, session(side))} rows", flush=True)
    print(f"verdicts: {verdicts(sides)}", flush=True)
    status = make("status")
    assert status.count("running, pid") == 9, status


def main():
    if STACK.exists() and any(STACK.iterdir()):
        sys.exit(f"{STACK.relative_to(ROOT)} holds a stack: `make down DATA=drop` removes it, with its data")
    # What is ended leaves no stack behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        cases()
    finally:
        make("down", "DATA=drop")
    assert not STACK.exists() or not any(STACK.iterdir()), list(STACK.iterdir())


if __name__ == "__main__":
    main()
