"""Three nodes that each hold every row, with an agent beside each."""

import shutil
import time
from collections import Counter

import checker
import fold
import workload
from agent import wait_for
from agent_faults import ONCE
from registry import SMALL, scenario

THREE = ("onprem.nodes=3", "onprem.heap=256m")
# What a replica logs so long after its timestamp counts as streamed. A busy machine may take seconds for the first writes.
LATE_S = 20


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


class Owners:
    """Which node is the first replica of a partition, as the driver tells by the tokens of the ring."""

    def __init__(self, case):
        self._known, self._ks, self._found = case.stack.session("onprem").cluster.metadata, case.ks, {}

    def of(self, key):
        """The host id of the owner of a key, of which the first column is the partition's, a text."""
        partition = next(iter(key.values()))
        if partition not in self._found:
            self._found[partition] = str(self._known.get_replicas(self._ks, partition.encode())[0].host_id)
        return self._found[partition]


def published(records):
    """identity → the records of it, of whichever node."""
    found = {}
    for _, changes in checker.changes(records):
        for record in changes:
            if record.value["op"] != "m":
                found.setdefault(checker.identity(checker.of_record(record.key, record.value)), []).append(record)
    return found


def acknowledged(case, since=0, until=None):
    """The events of writes that a node acknowledged in this span, µs: identity → event."""
    writes = [write for write in workload.read(case.folder / "journal").values() if since <= write.get("acked_us", -1)]
    return {checker.identity(event): event for write in writes if until is None or write["acked_us"] <= until for event in write["events"]}


@scenario("three-nodes-primary-one-away", "three replicas, ownership = primary, one node is away for a while: nobody publishes its partitions meanwhile, all of the others' come; when it is back, hints are published, late; each write once in all, by its owner",
          settings=SMALL, options=THREE, spoils=True)  # fmt: skip
def three_nodes_primary_one_away(case):
    case.schema = "cql"
    # Hints and their repetition are Cassandra's: the same write can be logged twice by one node. That no other publishes it is checked here.
    case.rules.logged_twice = True
    case.prepare(rf=3, rate=80)
    running = agents(case, "--ownership", "primary", "--late-after-s", 5)
    case.rules.hosts = None
    case.rules.merged = True
    hosts = {name: case.stack.host_id(name) for name in running}
    away, others, owners = hosts["onprem3"], {hosts["onprem1"], hosts["onprem2"]}, Owners(case)
    case.writers.start()
    case.busy(4, 5)
    case.stack.stop("onprem3")
    stopped_us = workload.now_us()
    case.busy(8, 10)
    asked = workload.now_us()
    wait_for(lambda: past(case.records(), asked) >= others, "the other nodes to have published what they have", 60)
    meanwhile, there = acknowledged(case, stopped_us, asked), published(case.records())
    standing = {name for name, event in meanwhile.items() if owners.of(event["key"]) == away}
    too_soon, missing = standing & there.keys(), meanwhile.keys() - standing - there.keys()
    case.note(f"while it was away {len(meanwhile)} events were acknowledged: {len(standing)} of its partitions, of which {len(too_soon)} were published, {len(meanwhile) - len(standing)} of the others', of which {len(missing)} were not")
    began = time.monotonic()
    case.stack.start("onprem3")
    case.stack.wait_for_session(name="onprem3")
    case.note(f"it took {time.monotonic() - began:.0f} s to come back")
    case.busy(2, 3)
    case.writers.stop()
    wanted, until = acknowledged(case).keys(), time.monotonic() + 120
    # Hints are sent when the others have noticed that the node is back. What never comes the judgement names.
    while time.monotonic() < until and not wanted <= published(case.records()).keys():
        time.sleep(0.5)
    asked = workload.now_us()
    wait_for(lambda: past(case.records(), asked) == others | {away}, "every node to have published what it has", 60)
    stopped(running)
    verdict = case.judge(folder=False)
    there = published(case.output.finish())
    for what, names in (("published while its owner was away", too_soon), ("not published while another node was away", missing)):
        if names:
            verdict.fault("owner", f"{len(names)} {what}: {sorted(names)[:3]}")
    if not standing:
        verdict.fault("owner", "nothing was written to the partitions of the node that was away")
    for name, found in there.items():
        publishers = {record.value["source"]["host_id"] for record in found}
        if publishers != {owners.of(found[0].key)}:
            verdict.fault("owner", f"{name} is {owners.of(found[0].key)}'s and was published by {sorted(publishers)}")
    in_time = [name for name in standing if not all(record.value["source"]["late"] for record in there.get(name, ()))]
    if in_time:
        verdict.fault("late", f"{len(in_time)} of {len(standing)} that came as hints are not late: {sorted(in_time)[:3]}")
    names = {host: name for name, host in hosts.items()}
    twice = Counter((names.get(owners.of(found[0].key)), "late" if found[-1].value["source"]["late"] else "in time") for found in there.values() if len(found) > 1)
    case.note(f"{len(there)} events; {len(standing)} came late, as hints; logged twice by Cassandra, at two positions of one node: {dict(twice) or 'none'}")
    changed = [name for name, agent in running.items() if "the ring has changed" in agent.said()]
    if changed:
        verdict.fault("owner", f"the ring changed for {changed}")
    return verdict


def of_host(records, host, late=None):
    """The records of one node; of changes only those that are late, or are not, when that is asked for."""
    return {
        place: [
            record for record in found
            if record.value is not None and record.value.get("source", {}).get("host_id") == host
            and (late is None or record.value["op"] == "m" or record.value["source"]["late"] == late)
        ]
        for place, found in records.items()
    }  # fmt: skip


def published_by(case, sentinel, hosts):
    """Whether each of these nodes has published the write."""
    name = checker.identity(sentinel)
    found = set()
    for _, records in checker.changes(case.records()):
        for record in records:
            value = record.value
            if value["op"] != "m" and value["source"]["ts_us"] == sentinel["ts"] and checker.identity(checker.of_record(record.key, value)) == name:
                found.add(value["source"]["host_id"])
    return found >= set(hosts)


def compare_of_host(case, records, host, verdict):
    """The rows that one node's records add up to are those that SELECT shows. Lists are left out: a list that was streamed shows no paths of its
    elements, which makes others of them for a reader who has the first writes too."""
    mine = of_host(records, host)
    for table in case.stack.tables(case.ks):
        folded = fold.Fold(table)
        for place, found in checker.changes(mine):
            if place[0].endswith(f".cdc.{table.keyspace}.{table.name}"):
                for record in found:
                    if record.value["op"] != "m":
                        folded.add(record.value)
        (view, now) = case.stack.view(table)
        lists = {name for name in table.values if table.collection(name) == "list"}
        views = [{place: {name: cell for name, cell in row.items() if name not in lists} for place, row in found.items()} for found in (view, folded.view(now))]
        for words in fold.difference(*views, now):
            verdict.fault("content", f"{host}: {table.name} {words}")
        verdict.counted[f"rows of {table.name} compared"] += len(view)


def stopped(running):
    """Stops all agents."""
    for name, agent in running.items():
        agent.check_running()
        assert agent.stop() == 0, (name, agent.said()[-1000:])


def judge_streamed(case, wrote, others):
    """`wrote`: the nodes that logged every write when it was made. What is late was streamed: whole rows, not the writes that made them."""
    case.writers.stop()
    time.sleep(2.5)  # TTLs of two seconds are over
    records = case.output.finish()
    case.rules.hosts = set(wrote)
    direct = {}
    for host in wrote:
        for place, found in of_host(records, host, late=False).items():
            direct.setdefault(place, []).extend(found)
    verdict = checker.check(workload.read(case.folder / "journal"), direct, case.rules)
    for host in (*wrote, *others):
        compare_of_host(case, records, host, verdict)
    for host in others:
        late = sum(len(found) for _, found in checker.changes(of_host(records, host, late=True)))
        beats = sum(record.value["op"] == "m" for _, found in checker.changes(of_host(records, host, late=True)) for record in found)
        case.note(f"{late - beats} records of streamed rows")
        if late == beats:
            verdict.fault("late", f"no record of {host} is late")
    return verdict


@scenario("three-nodes-repair", "three replicas, one misses writes without hints and is repaired: what repair streams to it is published, late, and adds up to what SELECT shows",
          settings=SMALL, options=THREE, spoils=True)  # fmt: skip
def three_nodes_repair(case):
    case.rules.logged_twice = True
    case.prepare(rf=3, rate=80)
    for name in case.stack.nodes():
        case.stack.nodetool("disablehandoff", service=name)
    running = agents(case, "--late-after-s", LATE_S)
    hosts = {name: case.stack.host_id(name) for name in running}
    case.writers.start()
    case.busy(3, 4)
    case.stack.stop("onprem3")
    case.busy(8, 10)
    case.writers.stop()
    case.stack.start("onprem3")
    case.stack.wait_for_session(name="onprem3")
    # Everything is older than what counts as late.
    case.busy(LATE_S, LATE_S + 1)
    case.stack.nodetool("repair", "-full", case.ks, service="onprem3")
    sentinel = case.writers.sentinel()
    wait_for(lambda: published_by(case, sentinel, hosts.values()), "every node to publish what it has", 90)
    stopped(running)
    return judge_streamed(case, [hosts["onprem1"], hosts["onprem2"]], [hosts["onprem3"]])


@scenario("three-nodes-bootstrap", "a node leaves, and a new one joins under load, with an agent beside it: what is streamed to it is published, late, and adds up to what SELECT shows",
          settings=SMALL, options=THREE, spoils=True)  # fmt: skip
def three_nodes_bootstrap(case):
    case.rules.logged_twice = True
    case.prepare(rf=3, rate=60)
    running = agents(case, "--late-after-s", LATE_S)
    old = {name: case.stack.host_id(name) for name in running}
    case.writers.start()
    case.busy(6, 7)
    case.stack.nodetool("decommission", "--force", service="onprem3")
    leaving = running.pop("onprem3")
    assert leaving.stop() == 0, leaving.said()[-1000:]
    case.stack.stop("onprem3")
    for name in ("data", "commitlog", "cdc_raw", "hints", "saved_caches"):
        folder = case.stack.folder / "onprem3" / name
        shutil.rmtree(folder, ignore_errors=True)
    case.busy(6, 7)
    case.stack.start("onprem3")
    case.stack.forget("onprem3")
    case.stack.wait_for_session(name="onprem3")
    new = case.stack.host_id("onprem3")
    assert new != old["onprem3"], "the node joined as the one that it was"
    state = case.folder / "state-new"
    state.mkdir()
    running["onprem3"] = case.agent("--late-after-s", LATE_S, log="onprem3-new.log", node="onprem3", state=state).start()
    case.busy(3, 4)
    case.writers.stop()
    sentinel = case.writers.sentinel()
    hosts = [old["onprem1"], old["onprem2"], new]
    wait_for(lambda: published_by(case, sentinel, hosts), "every node to publish what it has", 90)
    stopped(running)
    return judge_streamed(case, hosts[:2], [new])
