#!/usr/bin/env python3
"""Flink and the embedded engine on the same records: what the generated SQL writes on a real cluster and what `cdc-jobs run` writes, record by
record, both against what an implementation in Python says of the records (business.py, changes.py).

    tests/jobs/engines.py [--jobs PROGRAM] [--agent PROGRAM] [--seed N] [--records N] [--keep]

Starts Cassandra, Kafka, an agent and Flink. Needs the packages of tests/requirements.txt and the jar of flink/: `make test-engines`.
"""

import argparse
import base64
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import business
import changes as cdc
import edges
import run as embedded
import services
from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
TOPIC, CHANGES, HASHES = "topic_onprem_sales", "onprem.cdc.sales.events", "onprem_hash_events"
COUNTERS = ("dq_metrics_valid", "dq_metrics_invalid")
SECONDS = 600


class Both:
    """The records, the stack, and both engines."""

    def __init__(self, options, folder):
        options_of_stack = (f"agent-onprem.program={options.agent.resolve()}", "kafka.heap=512m")
        self.services = services.Services(folder / "stack", "onprem,kafka,flink,agent-onprem", options_of_stack)
        self.run = embedded.Run(options.jobs.resolve(), folder, options.seed, options.records)
        self.run.services = self.services
        self.stack, self.random, self.folder = self.services.get(), random.Random(options.seed), folder
        self.stack.create(services.METRICS)
        faster = lambda text: text.replace("interval: 30s", "interval: 2s").replace("file:///tmp/cdc-jobs/", f"file://{folder}/checkpoints/")
        self.jobs = services.project(self.run, "jobs", self.stack, faster)
        edges.prepare(self)
        cdc.prepare(self.jobs)
        self.run.call("sql", "--jobs", self.jobs, "--out", self.jobs / "sql")
        # Retention goes by the records' own times.
        business.BEGIN = (int(time.time() * 1000) - options.records * 50) // business.MINUTE * business.MINUTE - 10 * business.MINUTE
        self.partitions = business.records(options.seed, options.records, services.PARTITIONS)
        services.produce(self.stack.servers, TOPIC, self.partitions)
        self.changes = cdc.records(options.seed, options.records, services.PARTITIONS)
        services.produce(self.stack.servers, cdc.TOPIC, self.changes)
        self.expected = business.expected(self.partitions, TOPIC, self.run.rules, self.run.version)
        self.run.call("topics", "create", "--env", "onprem", "--jobs", self.jobs, codes=(0, 2))

    def submit(self, job):
        """Has Flink run the job."""
        flink = self.stack.known["flink"]
        words = ["--gateway", flink["sql_gateway"], "--jobmanager", flink["jobmanager"], "--checkpoints", f"file://{Path(flink['checkpoints']).parent}"]
        self.run.call("submit", "onprem", "--job", job, "--jobs", self.jobs, "--sql", self.jobs / "sql", "--fresh", *words)

    def stop(self, job):
        self.run.call("flink", "stop", job, "--no-savepoint", "--jobmanager", self.stack.known["flink"]["jobmanager"])

    def read(self, *prefixes):
        return services.read(self.stack.servers, prefixes)


def of_file_log(both, out):
    """As services.read gives records of Kafka."""
    found = business.read_log(both.folder / out)
    for record in (record for topic in found for record in embedded.all_of(found, topic)):
        if "key_base64" in record:
            record["key"] = repr(base64.b64decode(record["key_base64"]))
    return found


def quality(both):
    """Verdicts, dead letters, counters, rows and their hashes."""
    began = time.monotonic()
    both.submit(business.JOB)
    letters, minutes, _ = both.expected
    valid = business.counters(minutes, both.run.version)[0]
    wait_for(lambda: embedded.last(embedded.all_of(both.read("dq_metrics_valid"), "dq_metrics_valid")) == valid, "Flink's counters to be complete", SECONDS, 1)
    took = time.monotonic() - began
    flink = both.read("onprem.dlq.", "dq_metrics_")
    embedded.compare(both.run, flink, both.partitions, both.expected, keeps_times=False)
    table = services.check_table(both.stack.session(), both.expected, business)
    services.check_counts(both.stack.session(), both.expected, business)
    services.reconciled(both.run, both.stack, both.jobs, both.expected)

    both.run.dq(both.jobs, "--out", both.folder / "dq", "--state", both.folder / "dq-state", "--valid-rows", "topic", "--no-counts-table")
    own = of_file_log(both, "dq")
    counts = embedded.compare(both.run, own, both.partitions, both.expected)
    same_letters(flink, own)
    same_counters(flink, own)
    return f"{counts[0]} dead letters, {counts[1]} minutes, {counts[2]} valid records, {table} rows in Cassandra; Flink took {took:.0f} s"


def changes(both):
    """A dq job on a CDC topic: the first of each event that is remembered, broken records and repeats among them."""
    began = time.monotonic()
    partitions = both.changes
    checked = json.loads(both.run.call("check", "--jobs", both.jobs, "--format", "json").stdout)["jobs"]
    ((order, version),) = [(job["rules"], job["rules_version"]) for job in checked if job["table"] == cdc.TABLE]
    kept = cdc.judged(partitions)
    letters, minutes, _ = business.expected(kept, cdc.TOPIC, order, version, cdc.JOB, cdc.judge)
    counted = dict(zip(COUNTERS, business.counters(minutes, version, cdc.JOB, table=cdc.TABLE)))
    wanted = {(letter["partition"], letter["offset"]): letter for of_partition in letters.values() for letter in of_partition}
    repeats = sum("after" in record for records in partitions for record in records) - sum(map(len, kept))

    def counters(found, topic):
        return embedded.last(record for record in embedded.all_of(found, topic) if record["key"]["job_name"] == cdc.JOB)

    def is_whole():
        found = both.read(cdc.DEAD, *COUNTERS)
        return len(embedded.all_of(found, cdc.DEAD)) >= len(wanted) and all(counters(found, topic) == counted[topic] for topic in COUNTERS) and found

    both.submit(cdc.JOB)
    flink = wait_for(is_whole, "Flink's counters and dead letters to be complete", SECONDS, 1)
    report = reconciled(both, cdc.TABLE)
    assert (report["read"], report["repeats"], report["dead_letters"]) == (sum(map(len, kept)), repeats, len(wanted)), report
    both.stop(cdc.JOB)
    took = time.monotonic() - began
    words = ["--out", both.folder / "changes", "--state", both.folder / "changes-state", "--until-end"]
    both.run.call("run", "dq", "--env", "onprem", "--table", cdc.TABLE, "--jobs", both.jobs, *words)
    own = of_file_log(both, "changes")
    same_letters(flink, own, cdc.DEAD)
    for found in (flink, own):
        said = {place: record["value"] for place, record in by_place(embedded.all_of(found, cdc.DEAD)).items()}
        assert said == wanted, embedded.first(said, wanted)
        for topic in COUNTERS:
            assert counters(found, topic) == counted[topic], embedded.first(counters(found, topic), counted[topic])
    return f"{sum(map(len, partitions))} records, {repeats} repeats, {len(wanted)} dead letters, {len(minutes)} minutes; Flink took {took:.0f} s"


def reconciled(both, table):
    """What `cdc-jobs reconcile` says once every record is committed as read."""
    words = ["reconcile", "--env", "onprem", "--table", table, "--jobs", both.jobs, "--format", "json"]
    report = lambda: json.loads(both.run.call(*words).stdout)
    return wait_for(lambda: not (found := report())["open_minutes"] and found, "the job to commit what it read", 60, 1)


def by_place(records):
    found = {}
    for record in records:
        place = record["value"]["partition"], record["value"]["offset"]
        assert place not in found, f"twice: {place}"
        found[place] = record
    return found


def same_letters(flink, own, topic=embedded.DEAD):
    """Each dead letter once in both, with the same value, key and headers. Flink gives it the time of writing (docs/jobs.md)."""
    one, other = (by_place(embedded.all_of(found, topic)) for found in (flink, own))
    assert one.keys() == other.keys(), f"{len(one)} and {len(other)}; {sorted(one.keys() ^ other.keys())[:3]}"
    for place, record in one.items():
        for part in ("key", "value", "headers"):
            assert record[part] == other[place][part], f"{place} {part}: {record[part]!r} and {other[place][part]!r}"


def same_counters(flink, own):
    for topic in COUNTERS:
        one, other = (embedded.last(embedded.all_of(found, topic)) for found in (flink, own))
        assert one == other, embedded.first(one, other)


def hashes(both):
    """Hash events of the agent's records of what Flink wrote, with repeats and broken records among them."""
    rows, real = sum(map(len, both.expected[2].values())), settled(both)
    spoil(both)
    both.submit("hash-onprem-sales.events")
    wait_for(lambda: len(by_event(both.read(HASHES))) >= len(real), "Flink's hash events", SECONDS, 1)
    words = ["--jobs", both.jobs, "--out", both.folder / "hash", "--state", both.folder / "hash-state", "--until-end"]
    # 3: there are records that no agent wrote, and it says so.
    both.run.call("run", "hash", *embedded.TABLE, *words, codes=(3,))
    one, other = by_event(both.read(HASHES)), by_event(of_file_log(both, "hash"))
    assert one.keys() == other.keys() and real <= one.keys(), (len(one), len(other), len(real))
    for event_id, record in one.items():
        assert record == other[event_id], f"{record} and {other[event_id]}"
    hashed = {value["key"]["id"]: value["row_hash"] for _, value in one.values() if value["hash_kind"] == "full"}
    for name, versions in both.expected[2].items():
        newest = max(versions, key=lambda row: row["event_ts"])
        assert len(versions) > 1 or hashed[name] == business.row_hash(newest), (newest, hashed[name])
    return f"{len(one)} hash events of {rows} rows written"


def settled(both):
    """The ids of all events that the agent publishes of what was written."""
    events = lambda: {record["value"]["event_id"] for record in embedded.all_of(both.read(CHANGES), CHANGES) if "event_id" in record["value"]}
    wait_for(lambda: len(events()) >= len(both.expected[2]), "the agent's records", SECONDS, 1)
    # Nothing is written any more: what is there stays as it is.
    real, before = events(), -1
    while len(real) != before:
        before, real = len(real), events()
    return real


def by_event(found):
    """Key and value by event id, each once."""
    events = {}
    for record in embedded.all_of(found, HASHES):
        if "event_id" in record["value"]:
            assert record["value"]["event_id"] not in events, f"twice: {record}"
            events[record["value"]["event_id"]] = (record["key"], record["value"])
    return events


def spoil(both):
    """Puts repeats of some events, and records that no agent writes, into the CDC topic."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": both.stack.servers})
    for number, records in both.read(CHANGES)[CHANGES].items():
        real = [record for record in records if "event_id" in record["value"]]
        for record in both.random.sample(real, min(300, len(real))):
            producer.produce(CHANGES, json.dumps(record["value"]), json.dumps(record["key"]), partition=number)
        for broken in (b"", b"{", b"[]", b"null", b"\xff", b'{"op":"c"}', b'{"op":"x","event_id":"1"}', b'{"op":"c","after":[]}', b"{}{}"):
            producer.produce(CHANGES, broken, b"{}", partition=number)
    assert producer.flush(60) == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=Path, default=ROOT / "target" / "debug" / "cdc-jobs", help="the program")
    parser.add_argument("--agent", type=Path, default=ROOT / "target" / "debug" / "cdc-agent", help="the agent")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--keep", action="store_true", help="leave the folder with what was written")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cdc-jobs-engines-"))
    both = None
    try:
        print(f"seed {options.seed}, {options.records} records", flush=True)
        both = Both(options, folder)
        for case in (quality, edges.edges, changes, hashes):
            print(f"{case.__name__}: {case(both)}", flush=True)
    finally:
        if both is not None:
            both.services.down()
        if options.keep:
            print(f"left in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
