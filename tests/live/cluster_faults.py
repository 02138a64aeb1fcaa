"""Three nodes that each hold every row, with an agent beside each."""

import time

import checker
from agent import wait_for
from agent_faults import ONCE
from registry import SMALL, scenario

THREE = ("onprem.nodes=3", "onprem.heap=256m")


def agents(case, *options):
    """One agent for each node, with a state directory of its own."""
    found = {}
    for name in case.stack.nodes():
        state = case.folder / f"state-{name}"
        state.mkdir()
        found[name] = case.agent(*options, log=f"{name}.log", node=name, state=state).start()
    case.rules.hosts = {case.stack.host_id(name) for name in case.stack.nodes()}
    return found


def ids_by_host(records):
    found = {}
    for _, changes in checker.changes(records):
        for record in changes:
            if record.value["op"] != "m":
                found.setdefault(record.value["source"]["host_id"], set()).add(record.value["event_id"])
    return found


def past(records, ts):
    """The nodes of which a heartbeat in every partition says that everything before this time is published."""
    marks = {}
    for place, changes in checker.changes(records):
        for record in changes:
            if record.value["op"] == "m":
                marks.setdefault(record.value["source"]["host_id"], {})[place] = record.value["wm_us"]
    return {host for host, found in marks.items() if min(found.values()) > ts}


@scenario("three-nodes", f"three replicas, one is away for a while and gets hints: of each node {ONCE}; the same event ids on all; hints are late",
          settings=SMALL, options=THREE, spoils=True)  # fmt: skip
def three_nodes(case):
    # Hints and their repetition are Cassandra's: the same write can be logged twice.
    case.rules.logged_twice = True
    case.prepare(rf=3, rate=80)
    running = agents(case, "--late-after-s", 5)
    case.writers.start()
    case.busy(3, 4)
    case.stack.stop("onprem3")
    case.busy(8, 10)
    case.stack.start("onprem3")
    case.stack.wait_for_session(name="onprem3")
    case.busy(2, 3)
    case.writers.stop()
    sentinel = case.writers.sentinel()
    # Hints are sent when the others have noticed that the node is back.
    until, wanted = time.monotonic() + 90, 0
    while time.monotonic() < until:
        sets = ids_by_host(case.records())
        wanted = max(map(len, sets.values()), default=0)
        if len(sets) == 3 and all(len(ids) == wanted for ids in sets.values()) and case.seen(sentinel):
            break
        time.sleep(0.5)
    for name, agent in running.items():
        agent.check_running()
        assert agent.stop() == 0, (name, agent.said()[-1000:])
    verdict = case.judge(folder=False)
    sets = list(ids_by_host(case.output.finish()).values())
    if any(ids != sets[0] for ids in sets):
        verdict.fault("event ids differ", f"{[len(ids) for ids in sets]} on the nodes, {len(set.intersection(*sets))} on all")
    late = sum(record.value["source"]["late"] for _, found in checker.changes(case.output.finish()) for record in found)
    case.note(f"{wanted} event ids on each of three nodes; {late} records are late")
    if late == 0:
        verdict.fault("late", "no record of a hint is late")
    return verdict


@scenario("three-nodes-primary", "three replicas, ownership = primary: each write once in all", settings=SMALL, options=THREE, spoils=True)
def three_nodes_primary(case):
    case.schema = "cql"
    case.prepare(rf=3, rate=80)
    running = agents(case, "--ownership", "primary")
    case.rules.hosts = None
    case.rules.merged = True
    case.writers.start()
    case.busy(8, 10)
    case.writers.stop()
    sentinel = case.writers.sentinel()
    hosts = {case.stack.host_id(name) for name in running}
    wait_for(lambda: case.seen(sentinel) and past(case.records(), sentinel["ts"]) == hosts, "every node to have published what it has", 60)
    for name, agent in running.items():
        agent.check_running()
        assert agent.stop() == 0, (name, agent.said()[-1000:])
    return case.judge(folder=False)
