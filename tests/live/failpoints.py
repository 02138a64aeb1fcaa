"""The agent dies at each of its named places, under load, while the schema changes."""

import os
import re
import signal
import time
from collections import Counter, deque
from pathlib import Path

from agent import wait_for
from agent_faults import FULL, ONCE
from case import Failed
from registry import scenario
from schema_faults import Own

SOURCE = Path(__file__).resolve().parents[2] / "src" / "failpoint.rs"
# How often each is crossed, and how long an agent may take to come to it.
TIMES, SECONDS = 5, 12
# How many starts there may be for each death.
TRIES = 3
# Only crossed when the agent is asked to stop.
AT_THE_END = {"stopping"}
# Only crossed when a change comes whose table is unknown for longer than it takes to ask the node: a scenario of their own.
PARKING = ("parked", "retry_begun")


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
    others = ("file_log", "snapshot_") if kind == "kafka" else ("kafka_", "local_", "snapshot_")
    return not name.startswith(others) and name not in PARKING


@scenario("failpoints", f"the agent dies (SIGKILL) at every named place, five times each, under load and changes of the schema: {ONCE}", kinds=("kafka", "file"))
def failpoints(case):
    wanted = [name for name in names() if of_kind(name, case.kind)]
    if not wanted:
        raise AssertionError("no places are named")
    case.schema, crossed, own, tables = "cql", Counter(), Own(case), 0
    archive = case.folder / "archive"
    archive.mkdir()
    deletes = case.prepare(**FULL).agent()
    moves = case.agent("--finished-segments", "archive", "--archive-dir", archive)
    case.writers.start()
    turns = [name for name in wanted for _ in range(TIMES)]
    case.random.shuffle(turns)
    left = deque(turns)
    for _ in range(len(turns) * TRIES):
        if not left:
            break
        name = left.popleft()
        agent = moves if name.startswith("move_") else deletes
        # At the start a place is crossed once; the others come again and again.
        count = 1 if name.startswith(("start", "stop", "kafka_ids", "kafka_check", "kafka_ready", "schema", "retry")) else case.random.randrange(1, 4)
        agent.start(CDC_AGENT_FAILPOINT=f"{name}:{count}")
        if name.startswith(("schema", "retry")):
            # A table that the agent has not seen yet: its first change makes it ask for the schema.
            wait_for(lambda: not agent.running or " reading " in agent.said(), "the agent to read or to end")
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
            crossed[name] += 1
        else:
            agent.kill()
            # It did not come there in time: once more, later.
            left.append(name)
    case.note(f"died {sum(crossed.values())} times at {len(crossed)} of {len(wanted)} places; never at {', '.join(sorted(set(wanted) - set(crossed))) or 'none'}")
    case.note(f"deaths by place: {dict(sorted(crossed.items()))}")
    deletes.start()
    verdict = case.judge(deletes)
    seldom = sorted(name for name in wanted if crossed[name] < TIMES)
    if seldom:
        verdict.fault("failpoints", f"fewer than {TIMES} deaths at {', '.join(seldom)}")
    return verdict


@scenario("failpoints-parked", f"the agent dies (SIGKILL) five times as it parks changes of a table that its history lacks and that it cannot ask the node for, and five times as it tries them again: {ONCE}", kinds=("kafka", "file"))
def failpoints_parked(case):
    case.schema, crossed, own = "cql", {}, Own(case)
    agent = case.prepare(**FULL).agent("--schema-refresh-interval-ms", 1000).start()
    history = case.state / "schema-history.json"
    case.writers.start()
    turns = [name for name in PARKING for _ in range(TIMES)]
    case.random.shuffle(turns)
    for number, name in enumerate(turns):
        case.caught_up(agent)
        agent.kill()
        before = history.read_bytes()
        agent.start()
        case.stack.create(f"CREATE TABLE {case.ks}.own{number} (id text PRIMARY KEY, v text) WITH cdc = true")
        own.insert(f"own{number}", v="known")
        case.caught_up(agent)
        # The log tells of the new table, until the segment that does so is done and gone.
        segment = max(case.stack.cdc_raw.glob("*.log"), key=lambda path: path.stat().st_mtime)
        wait_for(lambda: not segment.exists(), "the segment to be finished", 60, agent)
        agent.kill()
        history.write_bytes(before)
        for count in range(20):
            own.insert(f"own{number}", v=f"v{count}")
        if number % 2:
            # They stand in a segment that nobody writes to any more, others behind it.
            last = max(case.stack.cdc_raw.glob("*.log"))
            wait_for(lambda: len([path for path in case.stack.cdc_raw.glob("*.log") if path > last]) > 1, "two more segments")
        case.stack.nodetool("disablebinary")
        agent.start(CDC_AGENT_FAILPOINT=f"{name}:{case.random.randrange(1, 4) if name == 'parked' else 1}")
        if name != "parked":
            wait_for(lambda: "parked: " in agent.said(), "the change to be parked", 60, agent)
        case.stack.nodetool("enablebinary")
        case.stack.wait_for_session()
        if not ends(agent, 30) or agent.code != -signal.SIGABRT:
            raise Failed(f"{name}: {agent.code if not agent.running else 'it does not come there'}: {agent.said()[-1500:]}")
        crossed[name] = crossed.get(name, 0) + 1
        agent.start()
    case.note(f"died {sum(crossed.values())} times at {len(crossed)} of {len(PARKING)} places; never at none")
    case.note(f"deaths by place: {crossed}")
    return case.judge(agent)


def ends(agent, seconds):
    until = time.monotonic() + seconds
    while agent.running and time.monotonic() < until:
        time.sleep(0.05)
    return not agent.running
