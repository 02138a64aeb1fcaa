#!/usr/bin/env python3
"""Jobs of the embedded engine and of Flink, on the same records, broker, node and machine, one after the other: records a second and memory.

    tests/bench/jobs.py [--jobs PROGRAM] [--agent PROGRAM] [--records N] [--seed N]

Release builds; `make bench-jobs`. Both engines read the same topic and write rows to Cassandra, dead letters and counters to Kafka (dq), and
hash events (hash). A rate is that from the first record that is done to the last one, so that neither engine's start counts; starts are told apart.
Memory is what the processes hold at most (RssAnon): `cdc-jobs`, or JobManager and TaskManagers together.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "jobs"), str(Path(__file__).resolve().parent)]

import business  # noqa: E402
import engines  # noqa: E402
from memory import Memory  # noqa: E402


class Progress:
    """What a topic of the results tells: how many records are done, as time goes on."""

    def __init__(self, done, wanted):
        self.done, self.wanted, self.began = done, wanted, time.monotonic()
        self.first = None

    def run(self, seconds=1800):
        """Until everything is done: seconds to the first result, and records a second from there."""
        end = self.began + seconds
        while True:
            count, now = self.done(), time.monotonic()
            if count and self.first is None:
                self.first = (now, count)
            if count >= self.wanted:
                break
            assert now < end, f"{count} of {self.wanted} after {seconds} s"
            time.sleep(0.25)
        after, had = self.first
        return after - self.began, (self.wanted - had) / max(now - after, 0.001) if had < self.wanted else None


class Offsets:
    """Committed records of topics, counted from now on."""

    def __init__(self, servers, topics, count):
        from confluent_kafka import Consumer, TopicPartition

        self.count, self.total = count, 0
        self.consumer = Consumer({"bootstrap.servers": servers, "group.id": "bench", "enable.auto.commit": False, "isolation.level": "read_committed"})
        places = []
        for topic in topics:
            numbers = self.consumer.list_topics(topic, timeout=20).topics[topic].partitions
            # From here on: what another run wrote before is not counted.
            places += [TopicPartition(topic, number, self.consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)[1]) for number in numbers]
        self.consumer.assign(places)

    def __call__(self):
        while messages := self.consumer.consume(10_000, 0.2):
            self.count.take(message for message in messages if message.error() is None)
        return self.count.total

    def close(self):
        self.consumer.close()


class OfLetters:
    """Dead letters: unlike counters they are written as soon as their records are judged."""

    def __init__(self):
        self.total = 0

    def take(self, messages):
        self.total += sum(1 for _ in messages)


class OfEvents:
    """Hash events, without heartbeats."""

    def __init__(self):
        self.total = 0

    def take(self, messages):
        self.total += sum(b'"event_id"' in message.value() for message in messages)


def flink_memory(both):
    pids = [service["pid"] for service in both.stack.known["services"] if service["kind"] in ("jobmanager", "taskmanager") or service["name"].startswith(("jobmanager", "taskmanager"))]
    assert pids, both.stack.known["services"]
    return [Memory(pid) for pid in pids]


def measured(both, engine, begin, topics, count, wanted, share=1):
    """Runs one job of one engine, prints what it took and returns records a second. `share`: records that are read for each one that is counted."""
    offsets = Offsets(both.stack.servers, topics, count)
    progress = Progress(offsets, wanted)
    memory, end = begin()
    start, rate = progress.run()
    end()
    offsets.close()
    mib = sum(one.peak_kib for one in memory) / 1024
    rate = rate and rate * share
    told = "all at once" if rate is None else f"{rate:,.0f} records/s"
    print(f"  {engine:<16} first result after {start:5.1f} s, then {told:>18}, {mib:7,.0f} MiB", flush=True)
    return rate


def embedded(both, kind, *words):
    def begin():
        command = both.run.command("run", kind, *engines.embedded.TABLE, "--jobs", both.jobs, "--state", both.folder / f"{kind}-state", *words)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def end():
            process.terminate()
            assert process.wait(60) in (0, 3), process.returncode

        return [Memory(process.pid)], end

    return begin


def flink(both, job):
    def begin():
        both.submit(job)
        return flink_memory(both), lambda: None

    return begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=Path, default=ROOT / "target" / "release" / "cdc-jobs", help="the program")
    parser.add_argument("--agent", type=Path, default=ROOT / "target" / "release" / "cdc-agent", help="the agent")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--records", type=int, default=300_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cdc-jobs-bench-", ignore_cleanup_errors=True) as folder:
        both = engines.Both(options, Path(folder))
        try:
            bench(both, options.records)
        finally:
            both.services.down()
    return 0


def bench(both, count):
    letters, topics = sum(map(len, both.expected[0].values())), (engines.embedded.DEAD,)
    # Flink first: it goes on from the offsets of the group, which the embedded engine commits too.
    print(f"dq: {count:,} records, {sum(map(len, both.expected[2].values())):,} of them rows for Cassandra")
    rates = [
        measured(both, "Flink", flink(both, business.JOB), topics, OfLetters(), letters, count / letters),
        measured(both, "cdc-jobs run dq", embedded(both, "dq", "--valid-rows", "cassandra"), topics, OfLetters(), letters, count / letters),
    ]
    told(rates)
    both.stop(business.JOB)
    real = engines.settled(both)
    print(f"hash: {len(real):,} records of the agent")
    topics = (engines.HASHES,)
    rates = [
        measured(both, "Flink", flink(both, "hash-onprem-sales.events"), topics, OfEvents(), len(real)),
        measured(both, "cdc-jobs run hash", embedded(both, "hash"), topics, OfEvents(), len(real)),
    ]
    told(rates)


def told(rates):
    if None not in rates:
        print(f"  the embedded engine: {rates[1] / rates[0]:.1f} times Flink")


if __name__ == "__main__":
    sys.exit(main())
