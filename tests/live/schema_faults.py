"""Scenarios in which the schema changes while an agent reads, which asks the node over CQL."""

import time

from agent import wait_for
from agent_faults import ONCE
from case import Failed
from events import event, identity
from registry import SMALL, scenario
from workload import quoted

BOTH = ("kafka", "file")


class Own:
    """Writes to tables of a scenario's own, into the same log."""

    def __init__(self, case):
        self.case, self.number = case, 0

    def insert(self, table, key="id", **columns):
        """An INSERT with literals: text is quoted, everything else is as it is. Returns its event."""
        self.number += 1
        ts, name = self.case.writers.clock.next(), f"{table}-{self.number % 5}"
        values = {key: name, **columns}
        texts = ", ".join(quoted(value) if isinstance(value, str) else str(value) for value in values.values())
        cql = f"INSERT INTO {self.case.ks}.{table} ({', '.join(values)}) VALUES ({texts}) USING TIMESTAMP {ts}"
        expected = event(f"{self.case.ks}.{table}", "c", {key: name}, ts, after=columns)
        self.case.writers.write(cql, [expected])
        return expected

    def many(self, count, table, make):
        for number in range(count):
            self.insert(table, **make(number))


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
