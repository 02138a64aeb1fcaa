"""The agent's most memory with a long backlog, and what it takes when nothing happens."""

import time

from agents import started
from surroundings import Ends, cpu_seconds, ending, run_helper


def backlog(stack, folder, segments, size):
    """Copies of real segments under new ids, one after the other: as many bytes as are asked for."""
    prefix, copies = "memory", folder / "memory-cdc_raw"
    copies.mkdir(parents=True)
    (made,) = run_helper("copies", **{"from": segments}, to=copies, bytes=size)
    topic = f"{prefix}.cdc.bench.events"
    stack.make_topic(topic)
    ends = Ends(stack.servers, topic, pause=0.1)
    with ending(ends), started(stack, folder / prefix, prefix, cdc_raw=copies) as agent:
        agent.wait_until_finished(ends, 600)
    seconds = ends.seen[-1][0] - agent.reading_since
    left = len(list(copies.glob("*.log")))
    stack.drop_topics(topic)
    result = {**made, "records": ends.end, "seconds": seconds, "peak_rss_anon_mib": agent.rss_anon / 2**20, "cpu_s": agent.cpu_s, "segments_left": left}
    print(f"memory: {made['bytes'] / 2**30:.1f} GiB of segments, {ends.end:,} records in {seconds:.0f} s: {result['peak_rss_anon_mib']:.1f} MiB", flush=True)
    return result


def idle(stack, folder, seconds):
    """Processor time beside a node to which nobody writes; heartbeats go on."""
    with started(stack, folder / "idle", "idle", "--visibility", "marked") as agent:
        time.sleep(5)
        before, began = cpu_seconds(agent.process.pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu_seconds(agent.process.pid) - before) / (time.monotonic() - began)
    print(f"idle: {share * 100:.2f} % of a processor", flush=True)
    return {"seconds": seconds, "cpu_share": share, "peak_rss_anon_mib": agent.rss_anon / 2**20}
