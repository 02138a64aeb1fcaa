#!/usr/bin/env python3
"""The whole way end to end on a real stack, which this starts and stops: records of two business topics through data quality on Flink
into two Cassandra clusters, out again through an agent beside each, hashed, compared on Flink, repaired.

    tests/jobs/drift_e2e.py [--only PART,…] [--divergences N] [--seconds N] [--rate N] [--seed N] [--tolerance N] [--grace N] [--skew N] [--keep]

Parts, in this order:
    clean        records on both sides, 5 % of them late on one of them, clocks of the agents 30 s ahead and behind: no verdict
    divergences  1,000 rows that differ in every way, under load: each found in time, as what it is, and nothing else
    remediation  they are repaired, and end RESOLVED
    faults       more of both while a TaskManager, the broker and a Cassandra node are killed

What must come of it is known from the test's own journal (e2e_journal.py) and from SELECT. Needs the packages of tests/requirements.txt
and the jar of flink/: `make test-e2e`.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter, namedtuple
from pathlib import Path

import business
import services
from e2e_journal import SIDES, Journal, Load, Write, fold, job, put
from e2e_stack import AUDIT, CHANGES, CURRENT, JOBS, PATIENCE, TABLE, Pipeline
from e2e_watch import Watch
from services import NODES, ROOT
from waiting import wait_for

PARTS = ("clean", "divergences", "remediation", "faults")
KINDS = ("changed", "updated", "missing", "deleted", "resurrected")
# A heartbeat, a checkpoint of the agents' transactions and one of Flink's, on a machine that has more to do: seconds.
SLACK = 20
# What may be said of a row that came later than the grace, because something was killed.
PASSING = {"MISSING_ONPREM", "MISSING_CLOUD", "RESOLVED"}

# A row that differs: what the verdict must be, about which version, by which operation, and when it was written (seconds).
Injected = namedtuple("Injected", "id kind side status version_us op at")


def other(side):
    return SIDES[1 - SIDES.index(side)]


class Run:
    def __init__(self, options, folder):
        self.options, self.random, self.pipeline = options, random.Random(options.seed), Pipeline(options, folder)
        self.injected, self.resolved, self.repaired = {}, set(), {side: [] for side in SIDES}
        self.count, self.spare, self.versions = 0, [], {}
        self.watch = None
        try:
            self.watch = Watch(self.pipeline.stack.servers, [AUDIT, *CHANGES.values()])
            self.journal = Journal(self.pipeline.stack.servers, self.pipeline.rules, self.pipeline.version)
            self.pipeline.submit()
        except BaseException:
            self.down()
            raise

    def down(self):
        if self.watch is not None:
            self.watch.stop()
        self.pipeline.down()

    def load(self):
        """Records on both sides, until it is ended."""
        rng = business.Random(self.random.getrandbits(64))
        load = Load(self.journal, rng, self.options.rate, self.options.grace * 0.6, first=self.count)
        load.start()
        return load

    def end(self, load):
        self.count += load.end()

    def seed(self, wanted):
        """At least so many rows that both sides hold and nothing else writes to."""
        self.find_spare()
        if len(self.spare) < wanted:
            load = self.load()
            # A fifth of the records are odd ones.
            wait_for(lambda: load.count > 1.5 * (wanted - len(self.spare)) + 20, "records", PATIENCE)
            self.end(load)
            self.find_spare()
        assert len(self.spare) >= wanted, (len(self.spare), wanted)

    def find_spare(self):
        self.arrived()
        rows = [self.pipeline.rows(side) for side in SIDES]
        times = Counter(write.id for write in self.journal.written("onprem"))
        self.versions = {write.id: write.time_us for write in self.journal.written("onprem") if times[write.id] == 1}
        self.spare = [name for name in rows[0] if name in self.versions and rows[0][name] == rows[1].get(name) and name not in self.injected]
        self.random.shuffle(self.spare)

    def arrived(self):
        """Until both agents published every write. Returns the last time of a record, by the agents' clocks."""
        wanted = {side: {(write.id, write.time_us) for write in self.journal.written(side)} for side in SIDES}

        def missing():
            return {side: wanted[side] - {(key(record), record.value["source"]["ts_us"]) for record in self.watch.of(CHANGES[side])} for side in SIDES}

        wait_for(lambda: not any(missing().values()), lambda: f"every write in the CDC topics: {short(missing())}", PATIENCE, 1)
        return max(record.value["ts_ms"] for side in SIDES for record in self.watch.of(CHANGES[side]))

    def settle(self):
        """Until everything is written, published, and decided."""
        self.pipeline.settle(self.arrived())

    # -- what must be -------------------------------------------------------------------------------------------------

    def check(self):
        """Dead letters, counters, rows and hashes are what the journal says."""
        said = [f"{side}: {self.quality(side)}" for side in SIDES]
        return "; ".join([*said, self.hashes()])

    def quality(self, side):
        letters, minutes, rows = self.journal.expected(side)
        valid, invalid = self.journal.counters(side, minutes)
        wrong = lambda: self.wrong_counters(side, valid, invalid, minutes)
        wait_for(lambda: wrong() is None, lambda: f"the counters of {side}: {wrong()}", PATIENCE, 1)
        origins = {(number, record["offset"]): record for number, partition in enumerate(self.journal.sent(side)) for record in partition}
        wanted = {(letter["partition"], letter["offset"]): letter for partition in letters.values() for letter in partition}
        read = lambda: self.pipeline.read(f"{side}.dlq.{TABLE}")[f"{side}.dlq.{TABLE}"]
        found = wait_for(lambda: len(found := read()) >= len(wanted) and found, lambda: f"{len(wanted)} dead letters of {side}; there are {len(read())}", PATIENCE, 1)
        places = Counter((record["value"]["partition"], record["value"]["offset"]) for record in found)
        assert not (twice := [place for place, count in places.items() if count > 1]), f"{side}: dead letters twice: {twice[:3]}"
        assert places.keys() == wanted.keys(), f"{side}: {len(places)} dead letters, not {len(wanted)}: {sorted(places.keys() ^ wanted.keys())[:3]}"
        for record in found:
            place = record["value"]["partition"], record["value"]["offset"]
            assert json.dumps(record["value"]) == json.dumps(wanted[place]), (record["value"], wanted[place])
            assert record["headers"] == {name: text.decode() for name, text in origins[place]["headers"]}, record
        here, must = self.pipeline.rows(side), fold(self.journal.written(side) + self.repaired[side])
        assert here == must, f"{side}: rows: {differing(here, must)}"
        total = sum(map(len, self.journal.sent(side)))
        assert total == len(wanted) + sum(map(len, rows.values()))
        return f"{total} records, {len(wanted)} dead letters once, {len(minutes)} minutes, {len(here)} rows"

    def wrong_counters(self, side, valid, invalid, minutes):
        """How the counters differ from what they must be: the last values of both topics, and metrics.dq_counts."""
        read = self.pipeline.read("dq_metrics_valid", "dq_metrics_invalid")
        for name, wanted in (("dq_metrics_valid", valid), ("dq_metrics_invalid", invalid)):
            last = {json.dumps(record["key"], separators=(",", ":")): record["value"] for record in read[name] if record["key"]["job_name"] == job(side)}
            if {name: json.dumps(value) for name, value in last.items()} != {name: json.dumps(value) for name, value in wanted.items()}:
                return name, differing(last, wanted)
        counts = {(start + business.MINUTE, kind): number[kind] for start, number in minutes.items() for kind in ("valid", "invalid")}
        found = self.pipeline.counts(side)
        return None if found == counts else ("metrics.dq_counts", differing(found, counts))

    def hashes(self):
        """Hash events: each once, and of each whole row that was written the hash that hashlib gives."""
        said = 0
        for side in SIDES:
            events = self.hash_events(side)
            ids = Counter(event["event_id"] for event in events)
            assert not (twice := [name for name, count in ids.items() if count > 1]), f"{side}: hash events twice: {twice[:3]}"
            found = {(event["key"]["id"], event["version_us"], event["row_hash"]) for event in events if event["hash_kind"] == "full"}
            writes = [write for write in self.journal.written(side) if write.kind == "put"]
            wanted = {(write.id, write.time_us, write.columns["record_hash"]) for write in writes}
            # A repair writes what the other side wrote: beside those of this side there are only such.
            others = {(write.id, write.time_us, write.columns["record_hash"]) for write in self.journal.written(other(side)) if write.kind == "put"}
            assert wanted <= found and found <= wanted | others, f"{side}: {sorted(wanted - found)[:2]} {sorted(found - wanted - others)[:2]}"
            said += len(events)
        return f"{said} hash events"

    def hash_events(self, side):
        """Those of a side, when there are as many as the agent published changes."""
        topic, ids = f"{side}_hash_events", lambda: {record.value["event_id"] for record in self.watch.of(CHANGES[side])}
        read = lambda: [record["value"] for record in self.pipeline.read(topic)[topic] if "event_id" in record["value"]]
        return wait_for(lambda: len(found := read()) >= len(ids()) and found, lambda: f"{len(ids())} hash events of {side}; there are {len(read())}", PATIENCE, 1)

    def standing(self):
        """What stands by id: (status, version)."""
        last = {}
        for record in self.pipeline.read(CURRENT)[CURRENT]:
            last[key_of(record["key"]["key"])] = record["value"]
        return {name: (value["status"], value["version_us"]) for name, value in last.items() if value is not None}

    def audit(self):
        """Verdicts by id, in their order."""
        found = {}
        for record in self.pipeline.read(AUDIT)[AUDIT]:
            found.setdefault(key_of(record["value"]["key"]), []).append(record["value"])
        return found

    def check_verdicts(self, may_pass=False):
        """What stands is what was injected and not repaired; nothing else was told of. `may_pass`: but for what was lacking for a while."""
        injected = {name: one for name, one in self.injected.items() if name not in self.resolved}
        wanted = {name: (one.status, one.version_us) for name, one in injected.items()}
        standing, audit, passed = self.standing(), self.audit(), 0
        assert standing == wanted, f"what stands: {differing(standing, wanted)}"
        for name, verdicts in audit.items():
            told = [(verdict["status"], verdict["version_us"]) for verdict in verdicts]
            if name in self.resolved:
                continue
            assert all(one != another for one, another in zip(told, told[1:], strict=False)), f"told twice: {name}: {told}"
            if name not in injected:
                assert may_pass and told[-1][0] == "RESOLVED" and {status for status, _ in told} <= PASSING, f"a false alarm: {name}: {told}"
                passed += 1
                continue
            one = injected[name]
            assert told[-1] == (one.status, one.version_us) and (may_pass or len(told) == 1), (one, told)
            evidence = verdicts[-1]["evidence"]
            there = {side: evidence[side]["op"] for side in SIDES if side in evidence}
            assert there == {side: one.op for side in SIDES if one.status != self.missing(side)}, (one, evidence)
        assert wanted.keys() <= audit.keys(), sorted(wanted.keys() - audit.keys())[:3]
        return passed

    def times(self):
        """How long it took until the injected were found: seconds from the write to the reader, and by the watermark from the log."""
        seen = {}
        for record in self.watch.of(AUDIT):
            seen.setdefault(key_of(record.value["key"]), record)
        logged = {}
        for side in SIDES:
            for record in self.watch.of(CHANGES[side]):
                place = key(record), record.value["source"]["ts_us"]
                logged.setdefault(place, []).append(record.value["ts_ms"] / 1000)
        window, taken = self.options.tolerance + self.options.grace, []
        for one in (one for one in self.injected.values() if one.id not in self.resolved):
            record, at = seen[one.id], logged[one.id, one.version_us]
            # By the job's clock the window and a heartbeat; by ours also what the slower clock is behind the faster one.
            decided_s = record.value["decided_us"] / 1e6
            assert min(at) + window <= decided_s < max(at) + window + SLACK, (one, decided_s, at)
            taken.append(record.seen - one.at)
            assert taken[-1] < window + 2 * self.options.skew + SLACK, (one, taken[-1])
        return f"found after {statistics.median(taken):.0f} s (median), {max(taken):.0f} s at most, of {window + 2 * self.options.skew} s"

    # -- what is done -------------------------------------------------------------------------------------------------

    def inject(self, number):
        """One row that differs: the kinds in turn, on one side and the other."""
        kind, side = KINDS[number % len(KINDS)], SIDES[number // len(KINDS) % 2]
        one = getattr(self, f"inject_{kind}")(side, number)
        self.injected[one.id] = one

    def row(self, number, **changed):
        now_ms = int(time.time() * 1000)
        return {"id": f"i{self.options.seed}-{number}", "event_ts": now_ms, "amount": float(number % 90 + 1)} | changed

    def send(self, side, row):
        value = {"id": row["id"], "event_ts": business.stamp(row["event_ts"]), "value": row["amount"]}
        record = {"ts": int(time.time() * 1000), "key": row["id"].encode(), "headers": [("origin", b"e2e")], "value": json.dumps(value).encode()}
        self.journal.send(side, self.random.randrange(2), record)

    def write(self, side, write):
        self.journal.write(side, self.pipeline.stack.session(NODES[side]), write)

    def missing(self, side):
        return f"MISSING_{side.upper()}"

    def inject_changed(self, side, number):
        """The same version, another amount."""
        row = self.row(number)
        self.send(side, row | {"amount": row["amount"] + 0.5})
        self.send(other(side), row)
        return Injected(row["id"], "changed", side, "DRIFT", row["event_ts"] * 1000, "c", time.time())

    def inject_updated(self, side, number):
        """A newer amount on one side."""
        name = self.spare.pop()
        write = Write(name, "set", self.versions[name] + 1000, {"amount": 1000.0 + number})
        self.write(side, write)
        return Injected(name, "updated", side, self.missing(other(side)), write.time_us, "u", time.time())

    def inject_missing(self, side, number):
        """A record that the other side never gets."""
        row = self.row(number)
        self.send(side, row)
        return Injected(row["id"], "missing", side, self.missing(other(side)), row["event_ts"] * 1000, "c", time.time())

    def inject_deleted(self, side, _):
        """A row that is deleted on one side."""
        name = self.spare.pop()
        write = Write(name, "delete", self.versions[name] + 1000, {})
        self.write(side, write)
        return Injected(name, "deleted", side, self.missing(other(side)), write.time_us, "d", time.time())

    def inject_resurrected(self, side, number):
        """A row that is deleted on both sides, and written anew on one."""
        name = self.spare.pop()
        before_us = self.versions[name]
        for place in SIDES:
            self.write(place, Write(name, "delete", before_us + 1000, {}))
        write = put({"id": name, "event_ts": before_us // 1000 + 2, "amount": 2000.0 + number})
        self.write(side, write)
        return Injected(name, "resurrected", side, self.missing(other(side)), write.time_us, "c", time.time())



def key(record):
    return key_of(record.key)


def key_of(found):
    """The id of a row; None of a verdict about the job as a whole."""
    return None if found is None else found["id"]


def short(found):
    return {side: (len(items), sorted(items)[:2]) for side, items in found.items()}


def differing(found, wanted):
    """Some of what is not the same in two dicts."""
    names = [name for name in {**found, **wanted} if found.get(name) != wanted.get(name)]
    return f"{len(found)} and {len(wanted)}, {len(names)} differ: {[(name, found.get(name), wanted.get(name)) for name in names[:3]]}"


# -- the parts --------------------------------------------------------------------------------------------------------


def clean(run):
    """Both sides get the same: nothing is told of, whatever the clocks say and however late it comes."""
    load = run.load()
    time.sleep(run.options.seconds)
    run.end(load)
    run.settle()
    for side, sign in (("onprem", 1), ("cloud", -1)):
        ahead = statistics.median(record.value["ts_ms"] / 1000 - record.seen for record in run.watch.of(CHANGES[side]))
        assert abs(ahead - sign * run.options.skew) < max(5, run.options.skew / 2), f"the clock of {side} is {ahead} s ahead"
    said = run.check()
    run.check_verdicts()
    told, versions = run.pipeline.verdicts(), {(write.id, write.time_us) for write in run.journal.written("onprem")}
    assert told.pop("MATCH") == len(versions) and not any(told.values()), (told, len(versions))
    assert sum(run.pipeline.metric("drift_before_start_total")) == 0
    return f"{load.late} of {2 * load.count} records late by up to {load.late_s:.0f} s, clocks {2 * run.options.skew} s apart: {len(versions)} versions MATCH, no other verdict; {said}"


def divergences(run):
    """Rows that differ, while the load goes on."""
    wanted = run.options.divergences
    run.seed(wanted * 3 // 5 + 1)
    load, began = run.load(), time.monotonic()
    for number in range(wanted):
        run.inject(number)
        # Over the same time as the load of the clean part.
        time.sleep(max(0, began + number * run.options.seconds / wanted - time.monotonic()))
    run.end(load)
    run.settle()
    said = run.check()
    run.check_verdicts()
    kinds = Counter(one.kind for one in run.injected.values())
    return f"{dict(kinds)} among {2 * load.count} records: all found, nothing else; {run.times()}; {said}"


def remediation(run):
    """All of them are repaired: both sides hold what was written on either, and every verdict is RESOLVED."""
    found = run.pipeline.remediate("propose")
    left = {name for name in run.injected if name not in run.resolved}
    assert not found["escalated"] and not found["young"] and not found["left"], {name: value for name, value in found.items() if name != "proposed"}
    entries = run.pipeline.remediate("list")
    assert {entry["key"]["id"] for entry in entries} == left, len(entries)
    policy = run.pipeline.folder / "policy.yaml"
    policy.write_text(f"name: e2e\nmax_per_run: {len(entries)}\nkinds: [DRIFT, MISSING_ONPREM, MISSING_CLOUD]\ntables: [{TABLE}]\nolder_than: 1s\n")
    assert len(run.pipeline.remediate("approve", "--policy", policy)["ids"]) == len(entries)
    done = {}
    for side in SIDES:
        outcomes = run.pipeline.remediate("apply", "--target", side, "--execute", "--by", "e2e")["outcomes"]
        assert {one["outcome"] for one in outcomes} <= {"applied"}, Counter(one["outcome"] for one in outcomes)
        done[side] = len(outcomes)
    assert sum(done.values()) == len(entries), (done, len(entries))
    both = fold([write for side in SIDES for write in run.journal.written(side)])
    for side in SIDES:
        rows = run.pipeline.rows(side)
        assert rows == both, f"{side}: {differing(rows, both)}"
    wait_for(lambda: not run.standing(), lambda: f"every verdict to be resolved: {len(run.standing())} stand", PATIENCE, 2)
    run.settle()
    audit = run.audit()
    for name in left:
        one, told = run.injected[name], [(verdict["status"], verdict["version_us"]) for verdict in audit[name]]
        assert told == [(one.status, one.version_us), ("RESOLVED", one.version_us)], (one, told)
    for side in SIDES:
        run.repaired[side] += [write for write in run.journal.written(other(side)) if write.id in left]
    run.resolved |= left
    run.check_verdicts()
    return f"{len(entries)} repairs, {done['onprem']} into onprem and {done['cloud']} into cloud: both sides hold the same, write times included; {len(left)} RESOLVED"


def faults(run):
    """A TaskManager, the broker and a node are killed while rows differ and records come."""
    stack, share = run.pipeline.stack, max(5, run.options.divergences // 5)
    run.seed(4 * share * 3 // 5 + 1)
    before, load = Counter({job["name"]: job["restarts"] or 0 for job in run.pipeline.status()}), run.load()
    first = len(run.injected)
    numbers = iter(range(first, first + 4 * share))
    batch = lambda: [run.inject(next(numbers)) for _ in range(share)]
    for victim in ("taskmanager1", "kafka", "azure"):
        batch()
        stack.kill(victim)
        time.sleep(3)
        stack.start(victim)
        if victim == "azure":
            stack.wait_for_session(120, victim)
    batch()
    time.sleep(run.options.seconds / 4)
    run.end(load)
    run.settle()
    said = run.check()
    passed = run.check_verdicts(may_pass=True)
    restarts = Counter({job["name"]: job["restarts"] or 0 for job in run.pipeline.status()}) - before
    assert len(run.pipeline.status()) == len(JOBS) and restarts, restarts
    return f"{len(run.injected) - first} rows that differ: all stand, as what they are; {passed} others were lacking for a while and RESOLVED; restarts {dict(restarts)}; {said}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=Path, default=ROOT / "target" / "debug" / "cdc-jobs", help="the program")
    parser.add_argument("--agent", type=Path, default=ROOT / "target" / "debug" / "cdc-agent", help="the agent")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them; remediation needs divergences")
    parser.add_argument("--divergences", type=int, default=1000, help="rows that differ")
    parser.add_argument("--seconds", type=int, default=120, help="of load, in each part")
    parser.add_argument("--rate", type=int, default=40, help="records a second and side")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tolerance", type=int, default=60, help="how far clocks may differ, seconds")
    parser.add_argument("--grace", type=int, default=30, help="how much later a side may be, seconds")
    parser.add_argument("--skew", type=int, default=30, help="how far the agents' clocks are ahead and behind, seconds")
    parser.add_argument("--keep", action="store_true", help="leave the folder with what was written")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    folder, run = Path(tempfile.mkdtemp(prefix="cdc-jobs-e2e-")), None
    try:
        began = time.monotonic()
        run = Run(options, folder)
        print(f"seed {options.seed}; {len(JOBS)} jobs run ({time.monotonic() - began:.0f} s)", flush=True)
        for name in (name for name in PARTS if name in parts):
            began = time.monotonic()
            print(f"{name}: {globals()[name](run)} ({time.monotonic() - began:.0f} s)", flush=True)
    finally:
        if run is not None:
            run.down()
        if options.keep:
            print(f"left in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
