"""Scenarios in which the schema changes while an agent reads, which asks the node over CQL."""

import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor

from agent import wait_for
from agent_faults import ONCE
from case import Failed
from checker import changes
from events import event, identity
from node import SEGMENT, listing
from registry import SMALL, scenario
from workload import quoted

BOTH = ("kafka", "file")


def literal(value):
    """A value in CQL: text, the fields of a type, or what is written as it is."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(field)}" for name, field in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "null" if value is None else str(value)


class Own:
    """Writes to tables of a scenario's own, into the same log."""

    def __init__(self, case, keys=None):
        """`keys` is what keys begin with, otherwise the name of their table."""
        self.case, self.numbers, self.keys, self.lengths = case, itertools.count(1), keys, {}

    def insert(self, table, key="id", **columns):
        """An INSERT with literals. Returns its event."""
        ts, name = self.case.writers.clock.next(), f"{self.keys or table}-{next(self.numbers) % 5}"
        values = {key: name, **columns}
        texts = ", ".join(map(literal, values.values()))
        cql = f"INSERT INTO {self.case.ks}.{table} ({', '.join(values)}) VALUES ({texts}) USING TIMESTAMP {ts}"
        expected = event(f"{self.case.ks}.{table}", "c", {key: name}, ts, after=columns)
        self.case.writers.write(cql, [expected])
        self.lengths[identity(expected)] = len(cql)
        return expected

    def longer_than(self, characters):
        """Identities of the events whose statements are longer than that."""
        return {name for name, length in self.lengths.items() if length > characters}

    def many(self, count, table, make):
        for number in range(count):
            self.insert(table, **make(number))

    def crowd(self, count, insert):
        """So many writes, some at a time: `insert` of the number of each."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(insert, range(count)))


def live(case):
    """An agent that asks the node, and the usual load beside what the scenario does."""
    case.schema = "cql"
    agent = case.prepare().agent("--schema-refresh-interval-ms", 5000).start()
    case.writers.start()
    case.busy(2, 3)
    return agent, Own(case), lambda text: case.stack.create(text.replace("KS", case.ks))


@scenario("schema-add", f"columns are added under load, of every kind: {ONCE}", kinds=BOTH, short=True)
def schema_add(case):
    agent, own, change = live(case)
    change("CREATE TABLE KS.own (id text PRIMARY KEY, v text) WITH cdc = true")
    own.many(5, "own", lambda n: {"v": f"v{n}"})
    for number, (type_, literal) in enumerate((("int", 7), ("text", "t"), ("bigint", 2**40), ("boolean", True), ("smallint", 3))):
        change(f"ALTER TABLE KS.own ADD x{number} {type_}")
        own.many(5, "own", lambda n, number=number, literal=literal: {"v": f"w{n}", f"x{number}": literal})
    return case.judge(agent)


@scenario("schema-drop", f"columns are dropped under load, and added again with their type: {ONCE}", kinds=BOTH)
def schema_drop(case):
    agent, own, change = live(case)
    change("CREATE TABLE KS.own (id text PRIMARY KEY, v text, x int) WITH cdc = true")
    for _ in range(3):
        own.many(10, "own", lambda n: {"v": f"v{n}", "x": n})
        change("ALTER TABLE KS.own DROP x")
        own.many(10, "own", lambda n: {"v": f"w{n}"})
        change("ALTER TABLE KS.own ADD x int")
    own.many(10, "own", lambda n: {"v": f"v{n}", "x": n})
    # A dropped column's cells are gone from SELECT, not from the log.
    return case.judge(agent, content=False)


@scenario("schema-recreate", f"a table is dropped and created again with other columns, under load: {ONCE} of both", kinds=BOTH)
def schema_recreate(case):
    agent, own, change = live(case)
    for number, columns in enumerate(("v text, x int", "v text, x text", "y bigint, x int")):
        change(f"CREATE TABLE KS.own (id text PRIMARY KEY, {columns}) WITH cdc = true")
        makes = (lambda n: {"v": f"v{n}", "x": n}), (lambda n: {"v": f"v{n}", "x": f"x{n}"}), (lambda n: {"y": 2**40 + n, "x": n})
        own.many(20, "own", makes[number])
        if number < 2:
            change("DROP TABLE KS.own")
    return case.judge(agent, content=False)


@scenario("schema-new-tables", f"tables and a keyspace are created while the agent runs: {ONCE}", kinds=BOTH)
def schema_new_tables(case):
    agent, own, change = live(case)
    for number in range(5):
        change(f"CREATE TABLE KS.new{number} (id text PRIMARY KEY, v text) WITH cdc = true")
        own.many(10, f"new{number}", lambda n: {"v": f"v{n}"})
    return case.judge(agent)


@scenario("schema-types", f"types are created with tables that use them, and changed (ALTER TYPE … ADD, RENAME), under load: {ONCE}, with the fields that a value had when it was written", kinds=BOTH)
def schema_types(case):
    agent, own, change = live(case)
    change("CREATE TYPE KS.point (x int, y int)")
    change("CREATE TYPE KS.place (name text, at frozen<point>)")
    change("CREATE TABLE KS.own (id text PRIMARY KEY, v text, p frozen<place>, l frozen<list<frozen<point>>>, w point) WITH cdc = true")

    def write(fields, **more):
        """Some rows, with a point of these fields."""
        for number in range(10):
            point = {name: number * 10 + place for place, name in enumerate(fields)}
            own.insert("own", v=f"v{number}", p={"name": f"n{number}", "at": point, **more}, l=[point, point], w=point)

    write(("x", "y"))
    change("ALTER TYPE KS.point ADD z int")
    write(("x", "y", "z"))
    change("ALTER TYPE KS.place ADD note text")
    write(("x", "y", "z"), note="new")
    change("ALTER TYPE KS.point RENAME y TO height")
    write(("x", "height", "z"), note="renamed")
    change("CREATE TYPE KS.late (a int, b text)")
    change("CREATE TABLE KS.second (id text PRIMARY KEY, v frozen<late>) WITH cdc = true")
    for number in range(10):
        own.insert("second", v={"a": number, "b": f"b{number}"})
    # What was written before a change of its type is shown by SELECT in the new form.
    return case.judge(agent, content=False)


# As many tables with CDC as a large installation has: half of them from before the agent, half of them made while it runs.
CROWD = 100


@scenario("hundred-tables", f"{CROWD} tables with CDC, half of them made while the agent runs: {ONCE}", kinds=BOTH, spoils=True)
def hundred_tables(case):
    case.schema = "cql"
    agent = case.prepare().agent("--schema-refresh-interval-ms", 5000)
    own, numbers = Own(case), range(CROWD)

    def make(number):
        case.stack.create(f"CREATE TABLE {case.ks}.many{number} (id text PRIMARY KEY, v text, n int) WITH cdc = true")

    def write():
        own.crowd(CROWD * 3, lambda n: own.insert(f"many{n % len(known)}", v=f"v{n}", n=n))

    known = list(numbers[: CROWD // 2])
    for number in known:
        make(number)
    agent.start()
    case.writers.start()
    write()
    case.caught_up(agent)
    for number in numbers[CROWD // 2 :]:
        make(number)
        own.insert(f"many{number}", v="first", n=number)
    known = list(numbers)
    write()
    verdict = case.judge(agent)
    published = {f"{record.value['source']['table']}" for _, found in changes(case.output.read()) for record in found if record.value["op"] != "m"}
    case.note(f"changes of {len(published)} tables were published")
    if not {f"many{number}" for number in numbers} <= published:
        verdict.fault("tables", f"nothing of {sorted({f'many{number}' for number in numbers} - published)[:5]}")
    return verdict


@scenario("first-table", f"the node has no table yet when the agent starts: the agent waits for one: {ONCE}", kinds=BOTH, settings=(*SMALL, "onprem.cdc_free_space_check_interval=200ms"), spoils=True)
def first_table(case):
    case.schema, case.servers = "cql", case.stack.servers
    agent = case.agent("--schema-refresh-interval-ms", 5000).start()
    agent.wait_until_settled()
    agent.check_running()
    case.prepare().writers.start()
    case.busy(3, 4)
    return case.judge(agent)


@scenario("schema-away", f"the schema changes while the agent is away, also back again: {ONCE}", kinds=BOTH)
def schema_away(case):
    agent, own, change = live(case)
    change("CREATE TABLE KS.own (id text PRIMARY KEY, v text, x int) WITH cdc = true")
    own.many(10, "own", lambda n: {"v": f"v{n}", "x": n})
    case.caught_up(agent)
    agent.kill()
    own.many(10, "own", lambda n: {"v": f"v{n}", "x": n})
    change("ALTER TABLE KS.own ADD y text")
    own.many(10, "own", lambda n: {"v": f"v{n}", "y": f"y{n}"})
    change("ALTER TABLE KS.own DROP y")
    change("CREATE TABLE KS.other (id text PRIMARY KEY, v text) WITH cdc = true")
    own.many(10, "other", lambda n: {"v": f"v{n}"})
    agent.start()
    return case.judge(agent, content=False)


@scenario("schema-no-cql", f"the node answers no CQL when the agent starts: what it knew of the schema is enough: {ONCE}", kinds=BOTH)
def schema_no_cql(case):
    agent, own, change = live(case)
    change("CREATE TABLE KS.own (id text PRIMARY KEY, v text, x int) WITH cdc = true")
    own.many(10, "own", lambda n: {"v": f"v{n}", "x": n})
    case.caught_up(agent)
    agent.kill()
    own.many(10, "own", lambda n: {"v": f"v{n}", "x": n})
    sentinel = case.writers.sentinel()
    case.stack.nodetool("disablebinary")
    agent.start()
    wait_for(lambda: case.seen(sentinel), "the backlog without CQL", 60, agent)
    case.stack.nodetool("enablebinary")
    case.stack.wait_for_session()
    return case.judge(agent)


def segments(case):
    return {int(match[1]) for match in map(SEGMENT.match, listing(case.stack.cdc_raw)[0]) if match}


# Written while the agent is away: more than fit into a checkpoint, if each waited.
BACKLOG = 24_000


def restarted(case, between=lambda: None):
    """The schema changes while the agent runs, the segments that say so go away, and the agent is away while much is written."""
    agent, own, change = live(case)
    change("CREATE TABLE KS.own (id text PRIMARY KEY, v text) WITH cdc = true")
    change("CREATE TABLE KS.late (id text PRIMARY KEY, v text)")
    change("CREATE TABLE KS.named (id text PRIMARY KEY, v text) WITH cdc = true")
    own.many(5, "own", lambda n: {"v": f"v{n}"})
    case.caught_up(agent)
    change("ALTER TABLE KS.own ADD x int")
    change("ALTER TABLE KS.late WITH cdc = true")
    change("ALTER TABLE KS.named RENAME id TO name")
    own.many(5, "own", lambda n: {"v": f"w{n}", "x": n})
    own.many(5, "late", lambda n: {"v": f"w{n}"})
    case.caught_up(agent)
    told = segments(case)
    until = time.monotonic() + 120
    while segments(case) & told:
        agent.check_running()
        if time.monotonic() > until:
            raise AssertionError("the segments with the changes of the schema stay")
        own.crowd(100, lambda n: own.insert("own", v="p" * 3000, x=n))
    case.caught_up(agent)
    agent.kill()
    own.crowd(BACKLOG, lambda n: own.insert("own", v=f"a{n}", x=n))
    own.crowd(500, lambda n: own.insert("late", v=f"a{n}"))
    own.crowd(500, lambda n: own.insert("named", key="name", v=f"a{n}"))
    between()
    agent.start()
    return agent


@scenario("schema-restart", f"columns, CDC and names of keys change while the agent runs, it is killed, and what said so is deleted: a large backlog behind it is published {ONCE}", kinds=BOTH)
def schema_restart(case):
    return case.judge(restarted(case), content=False)


@scenario("schema-restart-no-cql", f"the same, and the node answers no CQL: what the agent kept of the schema is enough: {ONCE}", kinds=BOTH)
def schema_restart_no_cql(case):
    sentinels = []

    def away():
        sentinels.append(case.writers.sentinel())
        case.stack.nodetool("disablebinary")

    agent = restarted(case, away)
    wait_for(lambda: case.seen(sentinels[0]), "the backlog without CQL", 120, agent)
    case.stack.nodetool("enablebinary")
    case.stack.wait_for_session()
    return case.judge(agent, content=False)


@scenario("cdc-off-on", "CDC of a table is switched off and on: what was written in between is not published, all else once", kinds=BOTH)
def cdc_off_on(case):
    agent, own, change = live(case)
    change("CREATE TABLE KS.own (id text PRIMARY KEY, v text) WITH cdc = true")
    own.many(10, "own", lambda n: {"v": f"v{n}"})
    case.caught_up(agent)
    change("ALTER TABLE KS.own WITH cdc = false")
    time.sleep(1)
    unseen = [own.insert("own", v=f"unseen{n}") for n in range(10)]
    time.sleep(1)
    case.caught_up(agent)
    change("ALTER TABLE KS.own WITH cdc = true")
    own.many(10, "own", lambda n: {"v": f"w{n}"})
    case.rules.lost = {identity(found) for found in unseen}
    verdict = case.judge(agent, content=False)
    published = sum(case.seen(found) for found in unseen)
    case.note(f"{published} of {len(unseen)} writes without CDC were published: they are in the segment all the same")
    return verdict


@scenario("wrong-node", "an agent that is configured for another host id, cluster or data centre does not start", kinds=("file",))
def wrong_node(case):
    case.schema = "cql"
    case.prepare()
    for option, value in (("--host-id", "00000000-0000-4000-8000-000000000000"), ("--cluster", "other"), ("--dc", "other")):
        agent = case.agent(log=f"wrong{option}.log")
        agent.options[agent.options.index(option) + 1] = value
        code = agent.start().wait(60)
        case.note(f"{option}: exit code {code}")
        if code != 2:
            raise Failed(f"{option}: ended with {code}: {agent.said()[-1000:]}")
    case.writers.start()
    case.busy(1, 2)
    return case.judge(case.agent().start())


@scenario("wrong-node-later", "a node that does not answer at the start and then is not the one of the state directory: its schema is not taken over, the agent ends", kinds=("file",))
def wrong_node_later(case):
    case.schema = "cql"
    case.prepare()
    state = case.folder / "other"
    state.mkdir()
    node = case.stack.service("onprem")
    known = {"cluster": node["cluster"], "dc": node["dc"], "host_id": "00000000-0000-4000-8000-000000000000"}
    (state / "node.json").write_text(json.dumps(known))
    case.stack.nodetool("disablebinary")
    agent = case.agent(log="other.log", state=state)
    for option in ("--host-id", "--cluster", "--dc"):
        place = agent.options.index(option)
        del agent.options[place : place + 2]
    agent.start()
    wait_for(lambda: "cannot be had now" in agent.said(), "the agent to miss the node", 60, agent)
    case.stack.nodetool("enablebinary")
    code = agent.wait(60)
    if code != 2 or "host id" not in agent.said():
        raise Failed(f"ended with {code}: {agent.said()[-1000:]}")
    case.stack.wait_for_session()
    case.writers.start()
    case.busy(1, 2)
    return case.judge(case.agent().start())
