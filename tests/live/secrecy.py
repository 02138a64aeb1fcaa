"""What is written into tables is in no log, in no answer and in no file of the agent."""

import json
import subprocess

import pages
from agent import environment, program, wait_for
from agent_faults import BOTH
from registry import SMALL, scenario
from schema_faults import Own

# Begins every value that is written here, keys included: what people would search the logs for.
MARKER = "c0nfidential"


def asked(case, *words):
    """What a command says of the running agent, on both of its outputs."""
    done = subprocess.run([program(), *words, "--state-dir", str(case.state)], capture_output=True, check=False, env=environment())
    assert done.returncode in (0, 4), f"{words}: {done.returncode} {done.stderr[-500:]}"
    return done.stdout + done.stderr


def said(case, agent):
    """Name → bytes of everything that an agent tells, and keeps, outside its topics of changes."""
    found = {path: pages.get(agent, path)[1].encode() for path in ("/", "/status", "/metrics", "/readyz", "/livez")}
    found |= {f"cdc-agent {words[0]}": asked(case, *words) for words in (("status",), ("status", "--json"), ("parked", "list"))}
    found |= {f"state directory, {path.name}": path.read_bytes() for path in case.state.rglob("*") if path.is_file()}
    own = {topic: [record.value for record in records] for (topic, _), records in case.records().items() if topic.endswith(("__control", "__dead_letters"))}
    return found | {topic: json.dumps(values).encode() for topic, values in own.items()} | {"the log": agent.log.read_bytes()}


@scenario("no-values", "values that are written are searched for in the log (as JSON, with all that librdkafka can say), the status page, /metrics, the commands, the ledger, pointers and the state directory, while the agent is killed, Kafka is away and rows are refused: not one is there",
          kinds=BOTH, settings=SMALL)  # fmt: skip
def no_values(case):
    case.schema = "cql"
    options = ["--log-format", "json", "--schema-refresh-interval-ms", 2000]
    if case.kind == "kafka":
        options += ["--kafka-option", "debug=all", "--refused", "dead_letter", "--kafka-option", "message.max.bytes=100000"]
    agent, own = case.prepare().agent(*options).start(RUST_LOG="trace", RUST_BACKTRACE="full"), Own(case, MARKER)
    case.caught_up(agent)
    case.stack.create(f"CREATE TYPE {case.ks}.person (name text, born text); "
                      f"CREATE TABLE {case.ks}.people (id text PRIMARY KEY, v text, p frozen<person>, l frozen<list<text>>) WITH cdc = true")  # fmt: skip

    def write(count=20, length=0):
        for number in range(count):
            word = f"{MARKER}-{number}" + "L" * length
            own.insert("people", v=word, p={"name": word[:40], "born": MARKER}, l=[MARKER, word[:40]])

    write()
    agent.kill()
    write()
    agent.start(RUST_LOG="trace", RUST_BACKTRACE="full")
    if case.kind == "kafka":
        write(3, 150_000)
        case.caught_up(agent)
        case.stack.stop("kafka")
        write()
        wait_for(lambda: pages.status(agent)["phase"] == "waiting_for_kafka", "the agent to wait for Kafka", 120, agent)
        case.stack.start("kafka")
    # The type is not what the agent knows of it, and comes back.
    case.stack.create(f"ALTER TABLE {case.ks}.people ADD later text")
    own.insert("people", v=MARKER, later=MARKER)
    case.caught_up(agent)
    told = said(case, agent)
    if case.kind == "kafka":
        assert b"librdkafka: " in told["the log"] and len(told["the log"]) > 100_000, "librdkafka says nothing: nothing was searched"
        assert any(name.endswith("__dead_letters") and len(content) > 10 for name, content in told.items()), "there is no pointer"
        case.rules.lost = own.longer_than(100_000)
    verdict = case.judge(agent, content=False)
    told["the log"] = agent.log.read_bytes()
    case.note(f"searched {sum(map(len, told.values()))} bytes: {', '.join(sorted(told))}")
    for name, content in told.items():
        place = content.find(MARKER.encode())
        if place >= 0:
            verdict.fault("a value is told", f"{name}: {content[max(0, place - 200) : place + 50]!r}")
    return verdict
