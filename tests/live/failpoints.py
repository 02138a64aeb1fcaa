"""The agent dies at each of its named places, under load, while the schema changes."""

import os
import re
import signal
import time
from pathlib import Path

from agent_faults import FULL, ONCE
from case import Failed
from registry import scenario
from schema_faults import Own

SOURCE = Path(__file__).resolve().parents[2] / "src" / "failpoint.rs"
# How often each is crossed, and how long an agent may take to come to it.
TIMES, SECONDS = 5, 12
# Only crossed when the agent is asked to stop.
AT_THE_END = {"stopping"}


def names():
    """Those that CDC_AGENT_FAILPOINTS names (with commas), or all of the source."""
    given = os.environ.get("CDC_AGENT_FAILPOINTS")
    if given:
        return given.split(",")
    listed = SOURCE.read_text().split("NAMES", 1)[1].split("];", 1)[0] if SOURCE.exists() else ""
    return re.findall(r'"([a-z_]+)"', listed)


def of_kind(name, kind):
    """Whether a place is on the way of this kind of output."""
    # Snapshots have scenarios of their own (snapshots.py).
    return not name.startswith(("file_log", "snapshot_") if kind == "kafka" else ("kafka_", "local_", "snapshot_"))


@scenario("failpoints", f"the agent dies (SIGKILL) at every named place, five times each, under load and changes of the schema: {ONCE}", kinds=("kafka", "file"))
def failpoints(case):
    wanted = [name for name in names() if of_kind(name, case.kind)]
    if not wanted:
        raise AssertionError("no places are named")
    case.schema, crossed, own, tables = "cql", {}, Own(case), 0
    agent = case.prepare(**FULL).agent()
    case.writers.start()
    turns = [name for name in wanted for _ in range(TIMES)]
    case.random.shuffle(turns)
    for name in turns:
        # At the start a place is crossed once; the others come again and again.
        count = 1 if name.startswith(("start", "stop", "kafka_ids", "kafka_check", "kafka_ready", "schema", "parked", "retry")) else case.random.randrange(1, 4)
        agent.start(CDC_AGENT_FAILPOINT=f"{name}:{count}")
        if name.startswith(("schema", "parked", "retry")):
            # A table that the agent has not seen yet: its first change waits for the schema.
            time.sleep(1.5)
            tables += 1
            case.stack.create(f"CREATE TABLE {case.ks}.own{tables} (id text PRIMARY KEY, v text) WITH cdc = true")
            for number in range(5):
                own.insert(f"own{tables}", v=f"v{number}")
        if name in AT_THE_END:
            time.sleep(case.random.uniform(0.5, 3))
            if agent.running:
                agent.signal(signal.SIGTERM)
        if ends(agent, SECONDS) and not (name in AT_THE_END and agent.code == 0):
            if agent.code != -signal.SIGABRT:
                raise Failed(f"{name}: ended with {agent.code}: {agent.said()[-1500:]}")
            crossed[name] = crossed.get(name, 0) + 1
        else:
            agent.kill()
    never = sorted(set(wanted) - set(crossed))
    case.note(f"died {sum(crossed.values())} times at {len(crossed)} of {len(wanted)} places; never at {', '.join(never) or 'none'}")
    case.note(f"deaths by place: {dict(sorted(crossed.items()))}")
    agent.start()
    return case.judge(agent)


def ends(agent, seconds):
    until = time.monotonic() + seconds
    while agent.running and time.monotonic() < until:
        time.sleep(0.05)
    return not agent.running
