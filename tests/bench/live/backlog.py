"""A backlog into Kafka: by the agent, by the JVM connector, by librdkafka alone. Each gets the same segments of a real node."""

import shutil
import statistics
import time
from pathlib import Path

from agents import started
from connector import Connector
from surroundings import SYNC_S, Ends, ending, rows_of, run_helper, wait_for

WINDOW_S = 5
WARM_UPS = 3


def prepare(stack, folder, rows):
    """Writes the rows, and keeps a copy of the segments that hold them. They are only finished when a later one is begun, so some more are written."""
    folder = Path(folder)
    print(f"writing {rows} rows …", flush=True)
    run_helper("write", node=stack.address, first=1, count=rows)
    extra = rows
    time.sleep(SYNC_S + 1)  # from then on every segment with rows has an index

    def finished():
        return sorted(path for path in stack.cdc_raw.glob("*_cdc.idx") if "COMPLETED" in path.read_text())

    written = max(path.name for path in stack.cdc_raw.glob("*_cdc.idx"))
    while not any(path.name >= written for path in finished()):
        run_helper("write", node=stack.address, first=extra + 1, count=20_000)
        extra += 20_000
        time.sleep(0.5)
    folder.mkdir(parents=True)
    for index in finished():
        if index.name <= written:
            for path in (index, index.with_name(index.name.replace("_cdc.idx", ".log"))):
                shutil.copy(path, folder)
    return folder


def _copied(segments, folder):
    shutil.copytree(segments, folder)
    return folder


def by_agent(stack, folder, prefix, segments, *options):
    """Seconds from the start of reading to the last committed record, and what it took."""
    topic = f"{prefix}.cdc.bench.events"
    stack.make_topic(topic)
    ends = Ends(stack.servers, topic)
    began = time.time()
    with ending(ends), started(stack, folder / prefix, prefix, *options, cdc_raw=_copied(segments, folder / f"{prefix}-cdc_raw")) as agent:
        began = agent.began
        agent.wait_until_finished(ends)
        cpu_s = agent.cpu_s
    count, different, first, last = rows_of(stack.servers, topic)
    done = ends.when(last)
    return {
        "records": count, "different": different, "seconds": done - agent.reading_since, "seconds_with_start": done - began,
        "first_committed_s": ends.when(first) - agent.reading_since, "records_per_s": count / (done - agent.reading_since),
        "cpu_s": cpu_s, "cpu_s_per_1000": cpu_s * 1000 / count, "peak_rss_anon_mib": agent.rss_anon / 2**20,
    }  # fmt: skip


def by_connector(stack, folder, segments, rows):
    """The same by the JVM connector; its best window is its warm rate."""
    topic = "connector.bench.events"
    stack.make_topic(topic)
    ends = Ends(stack.servers, topic)
    began = time.time()
    quick = {"cdc.dir.poll.interval.ms": 1000, "commit.log.marked.complete.poll.interval.ms": 1000}
    connector = Connector(stack, folder / "connector", "connector", _copied(segments, folder / "connector-cdc_raw"), **quick)
    with ending(connector, ends):
        wait_for(lambda: ends.end >= rows, "the connector", 300, connector.process)
        peak = connector.memory.peak_kib / 1024
    count, different, first, last = rows_of(stack.servers, topic)
    seconds = ends.when(last) - ends.when(first)
    return {
        "records": count, "different": different, "seconds": seconds, "seconds_with_start": ends.when(last) - began, "records_per_s": count / seconds,
        "best_window_s": WINDOW_S, "best_records_per_s": ends.best_rate(WINDOW_S), "peak_rss_anon_mib": peak,
    }  # fmt: skip


def measure(stack, folder, options):
    """Everybody, in turns."""
    segments = prepare(stack, folder / "segments", options.rows)
    rounds, rows = [], None
    # A broker that has just started needs several times the processor time for a record, until it is compiled.
    for number in range(WARM_UPS):
        by_agent(stack, folder, f"backlog-warm-up-{number}", segments)
        stack.drop_topics(f"backlog-warm-up-{number}.cdc.bench.events")
    for number in range(options.rounds):
        found = {}
        for delivery in ("exactly-once", "at-least-once"):
            found[delivery] = by_agent(stack, folder, f"backlog-{delivery}-{number}", segments, "--delivery", delivery)
        rows = found["exactly-once"]["records"]
        bare = {name: f"bare-{name}-{number}" for name in ("idempotent", "transactions")}
        for topic in bare.values():
            stack.make_topic(topic)
        source = f"backlog-exactly-once-{number}.cdc.bench.events"
        sent = run_helper("bare", bootstrap_servers=stack.servers, **{"from": source}, to=[bare["idempotent"], f"{bare['transactions']}=transactions"])
        for name, result in zip(bare, sent, strict=True):
            found[f"bare, {name}"] = {**result, "records_per_s": result["records"] / result["seconds"], "cpu_s_per_1000": result["cpu_s"] * 1000 / result["records"]}
        stack.drop_topics(source, f"backlog-at-least-once-{number}.cdc.bench.events", *bare.values())
        rounds.append(found)
        print(f"backlog: round {number + 1} of {options.rounds}: " + ", ".join(f"{name} {one['records_per_s']:,.0f}/s" for name, one in found.items()), flush=True)
    connector = by_connector(stack, folder, segments, rows)
    stack.drop_topics("connector.bench.events")
    return summary(rounds, connector, segments)


def summary(rounds, connector, segments):
    """Best and median rates, and the ratios that are asked for."""
    rates = {name: [one[name]["records_per_s"] for one in rounds] for name in rounds[0]}

    def ratio(mine, other):
        """Of neighbours in the same round."""
        return statistics.median(one[mine]["records_per_s"] / one[other]["records_per_s"] for one in rounds)

    agent = statistics.median(rates["exactly-once"])
    return {
        "records": rounds[0]["exactly-once"]["records"],
        "segment_bytes": sum(path.stat().st_size for path in Path(segments).glob("*.log")),
        "rounds": rounds,
        "connector": connector,
        "records_per_s": {name: {"best": max(found), "median": statistics.median(found)} for name, found in rates.items()},
        "ratios": {
            "agent to bare, idempotent": ratio("exactly-once", "bare, idempotent"),
            "agent to bare, transactions": ratio("exactly-once", "bare, transactions"),
            "agent to the connector's best window": agent / connector["best_records_per_s"],
            "exactly-once to at-least-once": ratio("exactly-once", "at-least-once"),
        },
    }
