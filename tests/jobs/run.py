#!/usr/bin/env python3
"""cdc-jobs run: generated records through the embedded engine, compared with what an implementation in Python says of them (business.py).

    tests/jobs/run.py [--jobs PROGRAM] [--seed N] [--records N] [--short] [--only CASE,…] [--keep]

The cases `refusals`, `kafka` and `remade` start a broker and a node of their own. Needs the packages of tests/requirements.txt: `make test-jobs`.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import business
import services
from waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "topic_onprem_sales"
DEAD = "onprem.dlq.sales.events"
VALID = "onprem.valid.sales.events"
TABLE = ["--env", "onprem", "--table", "sales.events"]


# What must not be: a file of jobs/, what it says, what it would say, and what is told of it.
BROKEN = [
    ("rules/sales.events.yaml", "topic: topic_{prefix}_sales", "topic: ['topic_{prefix}_sales', '{prefix}_more']", "expected one text"),
    ("rules/sales.events.yaml", "topic: topic_{prefix}_sales", "topic: 'topic_{prefix}_sales,{prefix}_more'", "one job reads one topic"),
    ("rules/sales.events.yaml", "topic: topic_{prefix}_sales", "topic: '{prefix}.cdc.sales.events'", "a feedback loop"),
    ("environments.yaml", "datacenter: DC_AZURE", "datacenter: DC_ONPREM", "DC_ONPREM belongs to onprem already"),
    ("environments.yaml", "datacenter: DC_AZURE", "datacenter: DC_AZURE,DC_ONPREM", "exactly one"),
    ("environments.yaml", "hosts: [127.0.0.2]", "hosts: [127.0.0.1]", "127.0.0.1"),
]


class Run:
    def __init__(self, program, folder, seed, count):
        self.program, self.folder, self.seed, self.count = program, folder, seed, count
        self.random, self.services = random.Random(seed), services.Services(folder / "stack", options=services.BOTH_SIDES)
        checked = self.call("check", "--jobs", ROOT / "jobs", "--format", "json")
        (job,) = [job for job in json.loads(checked.stdout)["jobs"] if job["table"] == "sales.events" and job["environment"] == "onprem"]
        self.rules, self.version = job["rules"], job["rules_version"]

    def command(self, *words):
        return [str(self.program), *map(str, words)]

    def call(self, *words, codes=(0,), **options):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False, **options)
        assert done.returncode in codes, f"{words}: exit code {done.returncode}: {done.stderr}"
        return done

    def dq(self, jobs, *words, **options):
        return self.call("run", "dq", *TABLE, "--jobs", jobs, "--until-end", "--format", "json", *words, **options)

    def log(self, name, count=None, partitions=3):
        """A file log of generated records, and what must become of them."""
        folder = self.folder / name
        partitions = business.records(self.seed, count or self.count, partitions)
        business.write_log(folder, TOPIC, partitions)
        return folder, partitions, business.expected(partitions, TOPIC, self.rules, self.version)


def last(records):
    """The last value of each key."""
    return {json.dumps(record["key"], separators=(",", ":")): record["value"] for record in records}


def all_of(found, topic):
    return [record for partition in sorted(found.get(topic, {})) for record in found[topic][partition]]


def compare(run, found, partitions, expected, keeps_times=True):
    """What was written with what must be, record by record. `keeps_times`: dead letters have the Kafka time of their records."""
    letters, minutes, rows = expected
    by_partition = {}
    for record in all_of(found, DEAD):
        by_partition.setdefault(record["value"]["partition"], []).append(record)
    for number, wanted in letters.items():
        got = sorted(by_partition.get(number, []), key=lambda record: record["value"]["offset"])
        values = [record["value"] for record in got]
        assert [json.dumps(value) for value in values] == [json.dumps(value) for value in wanted], first(values, wanted)
        origins = {origin["offset"]: origin for origin in partitions[number]}
        for record in got:
            origin = origins[record["value"]["offset"]]
            assert record["headers"] == {name: text.decode() for name, text in origin["headers"]}, record
            assert not keeps_times or record["ts_ms"] == origin["ts"], record
    valid, invalid = business.counters(minutes, run.version)
    for topic, wanted in (("dq_metrics_valid", valid), ("dq_metrics_invalid", invalid)):
        got = last(all_of(found, topic))
        assert {key: json.dumps(value) for key, value in got.items()} == {key: json.dumps(value) for key, value in wanted.items()}, first(got, wanted)
    return sum(map(len, letters.values())), len(minutes), sum(map(len, rows.values()))


def first(got, wanted):
    if isinstance(got, dict):
        keys = [key for key in {**got, **wanted} if got.get(key) != wanted.get(key)]
        return [(key, got.get(key), wanted.get(key)) for key in keys[:1]]
    pairs = [(one, other) for one, other in zip(got, wanted) if one != other]
    return f"{len(got)} and {len(wanted)}; {pairs[:1]}"


def files(run):
    """File logs: verdicts, dead letters, counters, valid rows with their hashes."""
    log, partitions, expected = run.log("log")
    out = run.folder / "files-out"
    done = run.dq(ROOT / "jobs", "--from", log, "--out", out, "--valid-rows", "topic", "--partitions", "2")
    found = business.read_log(out)
    letters, minutes, rows = compare(run, found, partitions, expected)
    counts = json.loads(done.stdout)["counts"]
    assert (counts["read"], counts["invalid"], counts["valid"]) == (sum(map(len, partitions)), letters, rows), counts
    got = all_of(found, VALID)
    assert len(got) == rows, (len(got), rows)
    for record in got:
        row = record["value"]["row"]
        (known,) = [known for known in expected[2][record["key"]["id"]] if known["event_ts"] == row["event_ts"]][:1]
        assert record["value"]["version_us"] == known["event_ts"] * 1000
        assert row == {**known, "record_hash": business.row_hash(known)}, (row, known)
    # Once more: nothing to do, and nothing is written twice.
    before = (out / "commit.json").stat().st_mtime_ns
    run.dq(ROOT / "jobs", "--from", log, "--out", out, "--valid-rows", "topic")
    again = business.read_log(out)
    assert {topic: all_of(again, topic) for topic in (DEAD, VALID)} == {topic: all_of(found, topic) for topic in (DEAD, VALID)}
    compare(run, again, partitions, expected)
    assert before <= (out / "commit.json").stat().st_mtime_ns
    return f"{sum(map(len, partitions))} records: {letters} dead letters, {rows} rows, {minutes} minutes"


def kills(run):
    """Killed again and again; in the end everything is there once."""
    log, partitions, expected = run.log("kills-log")
    out = run.folder / "kills-out"
    words = ["--from", log, "--out", out, "--valid-rows", "topic"]
    killed = 0
    for _ in range(40):
        command = run.command("run", "dq", *TABLE, "--jobs", ROOT / "jobs", "--until-end", *words)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            process.wait(run.random.uniform(0.02, 1.5))
            assert process.returncode == 0, process.stderr.read()
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    run.dq(ROOT / "jobs", *words)
    found = business.read_log(out)
    letters, minutes, rows = compare(run, found, partitions, expected)
    assert len(all_of(found, DEAD)) == letters and len(all_of(found, VALID)) == rows
    return f"killed {killed} times; {letters} dead letters, {rows} rows, {minutes} minutes, each once"


def refused(run):
    """What is not started: files with findings, unknown jobs, a state of another job or that is gone, two at a time."""
    log, _, _ = run.log("refused-log", 200)
    out, state = run.folder / "refused-out", run.folder / "refused-state"
    bad = run.folder / "bad-jobs"
    shutil.copytree(ROOT / "jobs", bad)
    rules = bad / "rules" / "sales.events.yaml"
    rules.write_text(rules.read_text().replace("column: amount\n    min: 0", "column: amuont\n    min: 0"))
    said = run.dq(bad, "--from", log, "--out", out, codes=(2,)).stderr
    assert "did you mean amount" in said and "nothing was started" in said and not out.exists(), said
    for number, (file, old, new, told) in enumerate(BROKEN):
        wrong = run.folder / f"wrong-{number}"
        shutil.copytree(ROOT / "jobs", wrong)
        text = (wrong / file).read_text()
        assert old in text, old
        (wrong / file).write_text(text.replace(old, new, 1))
        said = run.dq(wrong, "--from", log, "--out", out, codes=(2,)).stderr
        assert told in said and "nothing was started" in said and not out.exists(), said
    said = run.call("run", "audit", "--env", "onprem", "--table", "sales.events", "--jobs", ROOT / "jobs", "--from", log, "--out", out, codes=(2,)).stderr
    assert "keeps no audit trail" in said and "audit: true" in said and not out.exists(), said
    said = run.call("run", "dq", "--env", "onprem", "--table", "sales.none", "--jobs", ROOT / "jobs", codes=(2,)).stderr
    assert "sales.events in onprem" in said, said
    words = ["--from", log, "--out", out, "--valid-rows", "none", "--state", state]
    run.dq(ROOT / "jobs", *words)
    # Other rules go on with the state; a state that is gone is told of.
    other = run.folder / "other-jobs"
    shutil.copytree(ROOT / "jobs", other)
    rules = other / "rules" / "sales.events.yaml"
    rules.write_text(rules.read_text().replace("max: 64", "max: 63"))
    run.dq(other, *words)
    shutil.rmtree(state)
    said = run.dq(other, *words, codes=(4,)).stderr
    assert "holds no state" in said and "--rebuild-state" in said, said
    done = run.dq(other, *words, "--rebuild-state", codes=(3,))
    assert "all records since the first were there" in json.loads(done.stdout)["alarms"][0], done.stdout
    run.dq(other, *words)
    said = run.dq(ROOT / "jobs", "--from", log, "--out", run.folder / "refused-2", "--valid-rows", "none", "--state", state, codes=(2,)).stderr
    assert "state directory that belongs to this output" in said, said
    said = run.dq(ROOT / "jobs", "--from", run.folder / "none", "--out", run.folder / "refused-4", "--valid-rows", "none", codes=(4,)).stderr
    assert "commit.json" in said, said
    return "each told what is wrong and what to do"


def follows(run):
    """Without --until-end: goes on with what is appended, stops by SIGTERM, and tells of itself over HTTP."""
    import urllib.request

    log, partitions, _ = run.log("follow-log", 400)
    out = run.folder / "follow-out"
    words = ["--from", log, "--out", out, "--valid-rows", "none", "--http", "127.0.0.1:0"]
    command = run.command("run", "dq", *TABLE, "--jobs", ROOT / "jobs", *words)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = next(line.split("http://")[1].strip() for line in process.stderr if "http://" in line)

        def get(path):
            with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
                return answer.read().decode()

        read = lambda: (json.loads(get("/status"))["counts"] or {}).get("read")
        wait_for(lambda: read() == 400, lambda: f"400 records, not {read()}")
        more = business.records(run.seed, 500, 3)
        fresh = run.folder / "follow-more"
        business.write_log(fresh, TOPIC, more)
        # Replaced in one step, as the writer of a file log does.
        for number in range(3):
            os.replace(fresh / TOPIC / str(number) / f"{0:020d}.jsonl", log / TOPIC / str(number) / f"{0:020d}.jsonl")
        os.replace(fresh / "commit.json", log / "commit.json")
        wait_for(lambda: read() == 500, lambda: f"500 records, not {read()}")
        metrics, status = get("/metrics"), json.loads(get("/status"))
        assert f'dq_valid_total{{job_name="{business.JOB}",table="sales.events",dc="DC_ONPREM"}} {status["counts"]["valid"]}\n' in metrics, metrics
        assert 'rule="amount.negative"' in metrics and get("/livez") == "ok\n" and json.loads(get("/readyz"))["ready"]
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    expected = business.expected(more, TOPIC, run.rules, run.version)
    run.dq(ROOT / "jobs", "--from", log, "--out", out, "--valid-rows", "none")
    compare(run, business.read_log(out), more, expected)
    return "500 records, 100 of them appended while it ran"


def datadog(run):
    """The example for Datadog's Agent, read by its own check."""
    from datadog_metrics import datadog as case

    return case(run)


def refusals(run):
    return services.refusals(run, run.services)


def kafka(run):
    return services.services_case(run, run.services, compare, business)


def remade(run):
    """The topic that a running job reads is deleted and made anew."""
    from remade import remade as case

    return case(run, run.services.get(), compare)


CASES = {case.__name__: case for case in (files, kills, refused, follows, datadog, refusals, kafka, remade)}
SHORT = ["files", "kills", "refused", "follows", "datadog"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=Path, default=ROOT / "target" / "debug" / "cdc-jobs", help="the program")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--short", action="store_true", help="only the cases without services")
    parser.add_argument("--only", help="cases, with commas between them")
    parser.add_argument("--keep", action="store_true", help="leave the folder with what was written")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else (SHORT if options.short else list(CASES))
    folder = Path(tempfile.mkdtemp(prefix="cdc-jobs-run-"))
    run = Run(options.jobs.resolve(), folder, options.seed, options.records)
    try:
        for name in names:
            began = time.monotonic()
            said = CASES[name](run)
            print(f"{name}: {said} ({time.monotonic() - began:.1f} s)", flush=True)
    finally:
        run.services.down()
        if options.keep:
            print(f"left in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
