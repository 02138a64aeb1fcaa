"""Scenarios in which the running agent is asked for the rows that tables have: what it publishes of them, and under kills."""

import base64
import json
import signal
import subprocess
import time
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal
from ipaddress import ip_address

import checker
from agent import environment, program, wait_for
from case import Failed
from registry import scenario

BOTH = ("kafka", "file")

KINDS = """
CREATE TYPE KS.addr (street text, zip int);
CREATE TABLE KS.kinds (p text, c int, st text static, sn int static, a ascii, b bigint, bl blob, bo boolean, da date, de decimal, dou double, du duration,
  f float, i inet, si smallint, t time, ts timestamp, tu timeuuid, ti tinyint, u uuid, vi varint, l list<int>, s set<text>, m map<text, int>,
  mi map<int, text>, fl frozen<list<int>>, tup tuple<int, text>, ad addr, fad frozen<addr>, "Mixed" text, PRIMARY KEY (p, c))
  WITH CLUSTERING ORDER BY (c DESC);
CREATE TABLE KS.hits (page text PRIMARY KEY, n counter);
CREATE TABLE KS.keys (a int, b text, PRIMARY KEY ((a, b)));
"""
MANY = "CREATE TABLE KS.many (p int, c int, v text, PRIMARY KEY (p, c)) WITH cdc = CDC"


def ask(case, *words, code=0):
    """`cdc-agent snapshot`; what it printed."""
    command = [program(), "snapshot", *map(str, words), "--state-dir", str(case.state), "--json"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise Failed(f"snapshot {' '.join(map(str, words))}: exit code {done.returncode} and not {code}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()] if code == 0 else done.stderr


@scenario("snapshot-5.0", "the same on Cassandra 5.0, which tells the times of collections too", kinds=("file",), options=("onprem.version=5.0",))
def snapshot_5_0(case):
    return snapshot_kinds(case)


def begins(case, names, rate=2000):
    """Whether the agent takes the snapshots of these tables on; not before it knows them."""
    command = [program(), "snapshot", "start", *tables(case, *names), "--rate", str(rate), "--state-dir", str(case.state)]
    return subprocess.run(command, env=environment(), capture_output=True, check=False).returncode == 0


def tables(case, *names):
    return [word for name in names for word in ("--table", f"{case.ks}.{name}")]


def json_form(value):
    """A value of the driver in the form of records (docs/envelope.md 3)."""
    kind = type(value).__name__
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return round(value.replace(tzinfo=timezone.utc).timestamp() * 1000)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return str(value)
    if kind == "Date":
        return value.days_from_epoch
    if kind == "Time":
        return value.nanosecond_time
    if kind == "Duration":
        return {"months": value.months, "days": value.days, "nanos": value.nanoseconds}
    if hasattr(value, "_fields"):
        return {name: json_form(part) for name, part in zip(value._fields, value, strict=True)}
    if hasattr(value, "items"):
        pairs = [(json_form(key), json_form(part)) for key, part in value.items()]
        return dict(pairs) if all(isinstance(key, str) for key, _ in pairs) else [list(pair) for pair in pairs]
    return [json_form(part) for part in value] if hasattr(value, "__iter__") else str(value)


def read_rows(case, table):
    """The `r` records of a table."""
    return [
        record for place, found in checker.changes(case.records()) if place[0].endswith(f".cdc.{case.ks}.{table}")
        for record in found if record.value["op"] == "r"
    ]  # fmt: skip


def ends(case):
    return {value["table"]: value for value in case.control() if value["type"] == "snapshot_end"}


def fill_kinds(case):
    session, ks = case.stack.session(), case.ks
    for p in range(40):
        for c in range(3):
            ts, ttl = f"USING TIMESTAMP {1_700_000_000_000_000 + p * 1000 + c}", f"TTL {86400 + p}"
            session.execute(
                f"INSERT INTO {ks}.kinds (p, c, a, b, bl, bo, da, de, dou, du, f, i, si, t, ts, tu, ti, u, vi, l, s, m, mi, fl, tup, ad, fad, \"Mixed\") VALUES "
                f"('p{p}', {c}, 'as', {2**60 + p}, 0xdead, true, '2026-01-02', 12.50, 1.25, 1mo2d3ns, 1.5, '{ip_address('10.0.0.1') + p}', -3, '01:02:03.4',"
                f" '2026-01-02T03:04:05.678Z', 50554d6e-29bb-11f0-b345-feff819cdc9f, 7, 5132b130-ae79-11e4-ab27-0800200c9a66, {10**25 + p}, [3, 1],"
                f" {{'b', 'a'}}, {{'w': 3}}, {{2: 'x', 1: 'y'}}, [5], (7, null), {{street: 'Main', zip: {p}}}, {{street: null, zip: 5}}, 'Ä \"{p}\"') {ts}"
            )
        # Values that expire, that are gone, and of several times in one row.
        session.execute(f"UPDATE {ks}.kinds USING {ttl} AND TIMESTAMP 1700000001000000 SET a = 'e' WHERE p = 'p{p}' AND c = 1")
        session.execute(f"DELETE b, l, ad FROM {ks}.kinds WHERE p = 'p{p}' AND c = 1")
        session.execute(f"UPDATE {ks}.kinds SET \"Mixed\" = '' WHERE p = 'p{p}' AND c = 7")
        if p % 2 == 0:
            session.execute(f"UPDATE {ks}.kinds SET st = 'st{p}' WHERE p = 'p{p}'")
        session.execute(f"UPDATE {ks}.kinds SET sn = {p} WHERE p = 'static{p}'")
        session.execute(f"UPDATE {ks}.hits SET n = n + {p + 1} WHERE page = '/{p}'")
        session.execute(f"INSERT INTO {ks}.keys (a, b) VALUES ({p}, 'b{p}')")
    session.execute(f"DELETE FROM {ks}.kinds WHERE p = 'p3'")
    session.execute(f"DELETE FROM {ks}.kinds WHERE p = 'p4' AND c = 0")


def shown(case, table):
    """key → column → (value, write time, rest of the TTL) as SELECT shows them, and when it was asked; a static row has no clustering."""
    session, schema = case.stack.session(), case.stack.tables(case.ks)
    meta = next(found for found in schema if found.name == table)
    release = session.execute("SELECT release_version FROM system.local").one().release_version
    timed = [name for name in meta.values if meta.types[name].startswith("frozen") or meta.types[name].split("<")[0] in TIMED]
    # All elements are written at once here. The driver cannot read lists with nulls, which their TTLs are.
    elements = [name for name in meta.values if release >= "5" and name not in timed and meta.types[name] != "counter"]
    times_of = [word for name in timed for word in (f'writetime("{name}")', f'ttl("{name}")')]
    columns = [*(f'"{name}"' for name in meta.types), *times_of, *(f'maxwritetime("{name}")' for name in elements)]
    found, names = {}, list(meta.types)
    for row in session.execute(f"SELECT {', '.join(columns)} FROM {case.ks}.{table}"):
        row = list(row)
        values = {name: str(value) if meta.types[name] == "varint" and value is not None else json_form(value) for name, value in zip(names, row, strict=False)}
        times = {name: row[len(names) + 2 * number : len(names) + 2 * number + 2] for number, name in enumerate(timed)}
        times.update({name: (row[len(columns) - len(elements) + number], None) for number, name in enumerate(elements)})
        cell = lambda name, values=values, times=times: (values[name], *times.get(name, (None, None)))
        partition, clustering = tuple(values[name] for name in meta.partition), tuple(values[name] for name in meta.clustering)
        statics = {name: cell(name) for name in meta.values if name in meta.static}
        if any(value[0] is not None for value in statics.values()):
            found[partition, None] = statics
        if not clustering or clustering[0] is not None:
            found[partition, clustering] = {name: cell(name) for name in meta.values if name not in meta.static}
    return meta, found, time.time()


TIMED = {
    "ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float", "inet", "int", "smallint", "text", "time", "timestamp", "timeuuid",
    "tinyint", "uuid", "varint", "tuple",
}  # fmt: skip


def compare(case, table):
    """Every row that SELECT shows is there once, with its times, and nothing else."""
    meta, expected, now = shown(case, table)
    seen = Counter()
    for record in read_rows(case, table):
        value, source, cells = record.value, record.value["source"], record.value.get("cells", {})
        after = dict(value["after"])
        partition = tuple(after.pop(name) for name in meta.partition)
        is_static = bool(meta.clustering) and meta.clustering[0] not in after
        clustering = None if is_static else tuple(after.pop(name) for name in meta.clustering)
        place, seen[partition, clustering] = (partition, clustering), seen[partition, clustering] + 1
        wanted = expected.get(place)
        if wanted is None:
            raise Failed(f"{table}: {place} is not in the table")
        if {name: cell[0] for name, cell in wanted.items()} != after:
            raise Failed(f"{table}: {place}: {after}, and SELECT shows {wanted}")
        if source["snapshot"] != "true" or any(source[name] is not None for name in ("file", "pos", "entry", "row", "visibility")):
            raise Failed(f"{table}: {place}: {source}")
        if value.get("liveness") != (None if is_static else {"ts_known": False}):
            raise Failed(f"{table}: {place}: liveness {value.get('liveness')}")
        for name, (_, written, left) in wanted.items():
            own = cells.get(name, {})
            ts = None if own.get("ts_known") is False else own.get("ts_us", source["ts_us"])
            if ts != written:
                raise Failed(f"{table}: {place} {name}: written at {ts}, and SELECT says {written}")
            expires = own.get("expires_at")
            if (expires is None) != (left is None) or (left is not None and abs(now + left - expires) > 3):
                raise Failed(f"{table}: {place} {name}: expires at {expires}, and SELECT says {left} s at {now}")
    if seen != Counter(expected.keys()):
        wrong = [(place, seen[place]) for place in expected.keys() | seen.keys() if seen[place] != 1]
        raise Failed(f"{table}: {len(wrong)} rows are not there once: {sorted(wrong, key=repr)[:3]}")
    return len(expected)


@scenario("snapshot-kinds", "rows of all types, from before CDC, are published once, as SELECT shows them with writetime and ttl", kinds=BOTH, short=True)
def snapshot_kinds(case):
    case.schema = "cql"
    case.prepare()
    change = lambda text: case.stack.create(text.replace("KS", case.ks))
    change(KINDS)
    fill_kinds(case)
    names = ("kinds", "hits", "keys")
    agent = case.agent("--schema-refresh-interval-ms", 1000).start()
    wait_for(lambda: (case.state / "agent.sock").exists(), "the agent's socket", agent=agent)
    refused = ask(case, "start", *tables(case, "kinds"), code=6)
    if "not logged" not in refused:
        raise Failed(f"a table without CDC is not refused as one: {refused}")
    for name in names:
        change(f"ALTER TABLE KS.{name} WITH cdc = true")
    wait_for(lambda: begins(case, names), "the agent to know the tables", agent=agent)
    wait_for(lambda: set(names) <= set(ends(case)), "the end of the snapshots", agent=agent)
    for name in names:
        end, count = ends(case)[name], compare(case, name)
        if (end["outcome"], end["rows"]) != ("complete", count):
            raise Failed(f"{name}: {end}, for {count} rows")
        case.note(f"{name}: {count} rows and static rows as SELECT shows them")
    ask(case, "start", *tables(case, "kinds"), "--rate", 50, "--consistency", "local-quorum")
    (state,) = [state for state in ask(case, "status") if state["table"] == f"{case.ks}.kinds" and state["ended_ms"] is None]
    case.note(f"a second one is {state['state']} at a rate of {state['rate']}")
    ask(case, "start", *tables(case, "kinds"), code=6)
    (stopped,) = ask(case, "stop", *tables(case, "kinds"))
    if stopped["state"] != "stopped":
        raise Failed(f"not stopped: {stopped}")
    case.rules.tables = {f"{case.ks}.{name}" for name in ("plain", "wide", "coll")}
    return case.judge(agent)


def fill_many(case):
    """A table from before CDC, to read: its rows are known."""
    session = case.stack.session()
    case.stack.create(MANY.replace("KS", case.ks).replace("CDC", "false"))
    insert = session.prepare(f"INSERT INTO {case.ks}.many (p, c, v) VALUES (?, ?, ?)")
    rows = [(p, c, f"v{p}.{c}") for p in range(60) for c in range(p * 5)]
    for start in range(0, len(rows), 200):
        for future in [session.execute_async(insert, row) for row in rows[start : start + 200]]:
            future.result()
    case.stack.create(f"ALTER TABLE {case.ks}.many WITH cdc = true")


@scenario("snapshot-cql-away", "the node takes no CQL for 8 s in the middle of a snapshot: it waits, and goes on; each row once", kinds=BOTH)
def snapshot_cql_away(case):
    case.schema = "cql"
    case.prepare()
    fill_many(case)
    agent = case.agent().start()
    wait_for(lambda: begins(case, ("many",), 300), "the snapshot to begin", agent=agent)
    wait_for(lambda: read_rows(case, "many"), "its first rows", agent=agent)
    case.stack.nodetool("disablebinary")
    time.sleep(8)
    if ends(case):
        raise Failed(f"it ended without CQL: {ends(case)}")
    read = len(read_rows(case, "many"))
    case.stack.nodetool("enablebinary")
    case.stack.wait_for_session()
    wait_for(lambda: "many" in ends(case), "the end of the snapshot", 120, agent)
    count = compare(case, "many")
    if read >= count:
        raise Failed(f"all {read} rows were read before CQL was away")
    case.note(f"{read} rows before, {count} in all, {ends(case)['many']['outcome']}")
    if (ends(case)["many"]["outcome"], ends(case)["many"]["rows"]) != ("complete", count):
        raise Failed(f"{ends(case)}, for {count} rows")
    case.rules.tables = {f"{case.ks}.{name}" for name in ("plain", "wide", "coll")}
    return case.judge(agent)


@scenario("snapshot-reload", "another CQL port is configured in the middle of a snapshot, with SIGHUP: it waits as long as that is a wrong one, and goes on when it is the node's again; each row once", kinds=BOTH)
def snapshot_reload(case):
    case.schema = "cql"
    case.prepare()
    fill_many(case)
    config = case.folder / "agent.toml"
    agent = case.agent("--config", config)
    # A flag would win over the file.
    at = agent.options.index("--cassandra-port")
    port, agent.options[at : at + 2] = agent.options[at + 1], []
    config.write_text(f"cassandra_port = {port}\n")
    agent.start()

    def configure(port, times):
        config.write_text(f"cassandra_port = {port}\n")
        agent.signal(signal.SIGHUP)
        wait_for(lambda: agent.said().count("read anew; changed: cassandra_port") == times, "the agent to read its options", agent=agent)

    wait_for(lambda: begins(case, ("many",), 300), "the snapshot to begin", agent=agent)
    wait_for(lambda: read_rows(case, "many"), "its first rows", agent=agent)
    configure(1, 1)
    # What was on its way.
    time.sleep(3)
    read = len(read_rows(case, "many"))
    time.sleep(3)
    if ends(case) or len(read_rows(case, "many")) != read:
        raise Failed(f"it goes on at a port that is not configured any more: {read} rows, then {len(read_rows(case, 'many'))}; {ends(case)}")
    configure(port, 2)
    wait_for(lambda: "many" in ends(case), "the end of the snapshot", 120, agent)
    count = compare(case, "many")
    case.note(f"{read} rows before, {count} in all, {ends(case)['many']['outcome']}")
    if (ends(case)["many"]["outcome"], ends(case)["many"]["rows"]) != ("complete", count):
        raise Failed(f"{ends(case)}, for {count} rows")
    case.rules.tables = {f"{case.ks}.{name}" for name in ("plain", "wide", "coll")}
    return case.judge(agent)


@scenario(
    "snapshot-kills", "the agent is killed seven times while it reads a table from before CDC, and tables that are written to: each row of the first is "
    "published once, and changes and rows add up to what SELECT shows", kinds=BOTH,
)  # fmt: skip
def snapshot_kills(case):
    case.schema = "cql"
    case.prepare()
    fill_many(case)
    case.writers.start()
    case.busy(3, 4)
    # Rows are sent and not committed, three times; then it dies anywhere.
    agent = case.agent().start(CDC_AGENT_FAILPOINT="snapshot_sent:3")
    names = ("wide", "many", "plain", "coll")
    wait_for(lambda: begins(case, names, 1500), "the snapshots to begin", agent=agent)
    for _ in range(3):
        if agent.wait() != -signal.SIGABRT:
            raise Failed(f"ended with {agent.code} before it sent rows: {agent.said()[-1500:]}")
        agent.start(CDC_AGENT_FAILPOINT="snapshot_sent:3")
    agent.wait()
    agent.start()
    for _ in range(3):
        case.busy(0.5, 2)
        agent.kill()
        time.sleep(case.random.uniform(0, 0.5))
        agent.start()
    wait_for(lambda: set(names) <= set(ends(case)), "the end of the snapshots", 120, agent)
    for name, end in ends(case).items():
        case.note(f"{name}: {end['outcome']}, {end['rows']} rows")
        if end["outcome"] != "complete":
            raise Failed(f"{name}: {end}")
    count = compare(case, "many")
    case.note(f"many: {count} rows once, as SELECT shows them, over seven kills")
    case.rules.tables = {f"{case.ks}.{name}" for name in ("plain", "wide", "coll")}
    return case.judge(agent)
