"""From an acknowledged write to a consumer of committed records: the whole way, and the agent's share of it."""

import itertools
import os
import time

from agents import started
from connector import Connector
from surroundings import SYNC_S, Background, cpu_seconds, ending, run_helper

RATES = (50, 2000)
VISIBILITIES = ("marked", "written", "synced")
DELIVERIES = ("exactly-once", "at-least-once")
# What a consumer may at least see of a write under a visibility: the place in a line of the prober.
SEEN_AS = {"written": 0, "marked": 1, "synced": 2}
WARM_UP_S = 2
FETCH_WAIT_MS = 5


def percentiles(nanoseconds):
    """p50, p99 and max in ms."""
    found = sorted(nanoseconds)
    if not found:
        return None
    at = [found[min(len(found) - 1, int(len(found) * share))] for share in (0.5, 0.99)]
    return {"n": len(found), "p50": at[0] / 1e6, "p99": at[1] / 1e6, "max": found[-1] / 1e6}


def lines(path):
    """Number of the write → the other numbers of its first line."""
    found = {}
    for line in path.read_text().splitlines():
        number, *times = map(int, line.split())
        found.setdefault(number, times)
    return found


def conditions(options):
    """What a single figure was measured under: parts of a table may come from several runs."""
    return {"load": os.getloadavg()[0], "date": time.strftime("%Y-%m-%d", time.gmtime()), "quick": options.quick}


def merged(before, now):
    """The results of a run, and those of earlier ones that were not measured again."""
    def which(one):
        return [one[name] for name in ("publisher", "visibility", "delivery", "rate")]

    again = [which(one) for one in now]
    return sorted([one for one in before if which(one) not in again] + now, key=lambda one: (one["publisher"], one["visibility"], one["delivery"] != "exactly-once", one["rate"]))


class Numbers:
    """No two writes have the same number."""

    def __init__(self, first):
        self.next = first

    def take(self, count):
        self.next += count
        return self.next - count


def one(stack, folder, rate, seconds, numbers, publisher, topic, behind_s, share_of=None):
    """One publisher at one rate; `behind_s`: how long to wait for the last record. `share_of`: the prober's column from which its own share counts."""
    folder.mkdir(parents=True, exist_ok=True)
    count, consumed, probed, written = rate * seconds, folder / "consumed", folder / "probed", folder / "written"
    probe = Background("probe", cdc_raw=stack.cdc_raw, out=probed).wait_until_ready()
    consumer = Background("consume", bootstrap_servers=stack.servers, topic=topic, fetch_wait_ms=FETCH_WAIT_MS, out=consumed)
    try:
        # Topics, connections and statements are there, and what earlier parts left in the log is read, when the first write counts.
        run_helper("write", node=stack.address, first=numbers.take(rate * WARM_UP_S), count=rate * WARM_UP_S, rate=rate)
        consumer.wait_until_ready(publisher)
        time.sleep(1)
        pids = {"publisher": publisher.pid, "node": stack.node["pid"], "broker": stack.broker_pid}
        first, before = numbers.take(count), {name: cpu_seconds(pid) for name, pid in pids.items()}
        run_helper("write", node=stack.address, first=first, count=count, rate=rate, out=written)
        cpu_s = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        time.sleep(behind_s)
    finally:
        consumer.end()
        probe.end()
    acks, arrivals, looks = lines(written), lines(consumed), lines(probed)
    seen = {number: arrivals[number][0] for number in acks if number in arrivals}
    found = {
        "rate": rate, "written": len(acks), "not_acknowledged": count - len(acks), "consumed": len(seen),
        "cpu_s_per_1000": cpu_s["publisher"] * 1000 / count, "cpu_shares": {name: spent / seconds for name, spent in cpu_s.items()},
        "write_ms": percentiles(times[1] - times[0] for times in acks.values()),
        "whole_ms": percentiles(seen[number] - acks[number][1] for number in seen),
        "entry_ms": percentiles(looks[number][0] - acks[number][1] for number in seen if number in looks),
    }  # fmt: skip
    if share_of is not None:
        found["share_ms"] = percentiles(seen[number] - looks[number][share_of] for number in seen if number in looks and looks[number][share_of])
    return found


def warm_up(stack, folder, seconds, numbers):
    """A broker that has just started compiles: its first thousands of transactions take several times as long."""
    prefix = "latency-warm-up"
    topic = f"{prefix}.cdc.bench.events"
    with started(stack, folder / prefix, prefix, "--visibility", "written") as agent:
        one(stack, folder / prefix, RATES[-1], seconds, numbers, agent.process, topic, 1)
    stack.drop_topics(topic)


def measure(stack, folder, options):
    """Every visibility and delivery at every rate, then the connector."""
    numbers, found = Numbers(10_000_000), []
    warm_up(stack, folder, options.warm_up_seconds, numbers)
    for visibility, delivery, rate in itertools.product(options.visibility or VISIBILITIES, DELIVERIES, RATES):
        prefix = f"latency-{visibility}-{delivery}-{rate}"
        behind_s = 1 + (SYNC_S + 1 if visibility == "synced" else 0)
        seconds = options.seconds * (2 if visibility == "synced" else 1)
        with started(stack, folder / prefix, prefix, "--visibility", visibility, "--delivery", delivery) as agent:
            topic = f"{prefix}.cdc.bench.events"
            result = one(stack, folder / prefix, rate, seconds, numbers, agent.process, topic, behind_s, SEEN_AS[visibility])
        found.append({"publisher": "agent", "visibility": visibility, "delivery": delivery, **result, "peak_rss_anon_mib": agent.rss_anon / 2**20, **conditions(options)})
        told(found[-1])
        stack.drop_topics(topic)
    if options.connector:
        found += by_connector(stack, folder, options, numbers)
    return found


def by_connector(stack, folder, options, numbers):
    """With its defaults, but reading while segments grow: without that it publishes a segment when the node has filled it."""
    found = []
    for rate in RATES:
        prefix = f"connector-{rate}"
        connector = Connector(stack, folder / prefix, prefix, **{"commit.log.real.time.processing.enabled": "true"})
        with ending(connector):
            # Two polls of 10 s, and the node's own 10 s.
            result = one(stack, folder / prefix / "times", rate, options.connector_seconds, numbers, connector.process, f"{prefix}.bench.events", 3 * SYNC_S)
        found.append({"publisher": "connector", "visibility": "real-time", "delivery": "its own", **result, "peak_rss_anon_mib": connector.memory.peak_kib / 1024, **conditions(options)})
        told(found[-1])
    return found


def told(result):
    """One line while it goes on."""
    whole, share = result["whole_ms"] or {"p50": 0, "p99": 0}, result.get("share_ms")
    of_share = f", its share {share['p50']:.1f} / {share['p99']:.1f}" if share else ""
    print(
        f"latency: {result['publisher']} {result['visibility']} {result['delivery']} {result['rate']}/s: p50 / p99 {whole['p50']:.1f} / {whole['p99']:.1f} ms"
        f"{of_share}; {result['consumed']} of {result['written']}", flush=True,
    )  # fmt: skip
