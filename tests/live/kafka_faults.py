"""Scenarios in which something happens to Kafka, or to the network in front of it."""

import json
import re
import subprocess
import time

import checker
import pages
from agent import environment, program, wait_for
from agent_faults import FULL, ONCE, last_line
from case import PATIENCE, Failed
from events import identity, of_record
from output import KafkaOutput
from proxy import ADD_PARTITIONS, END_TXN, INIT_PRODUCER_ID, PRODUCE, Proxy, Rule
from registry import SMALL, scenario
from workload import read

PROXIED = ('kafka.listeners=["PROXIED"]',)
# Exit codes after which the agent is started again, as a supervisor does: the destination did not take it, or it was fenced.
AGAIN = (6, 7)


def revived(case, agent):
    """Starts it again when it ended in one of the ways that are promised."""
    if not agent.running:
        case.note(f"it ended with {agent.code} ({last_line(agent)}) and was started again")
        if agent.code not in AGAIN:
            raise Failed(f"ended with {agent.code}: {agent.said()[-1500:]}")
        agent.start()


@scenario("kill-broker", f"SIGKILL of the broker, three times: {ONCE}")
def kill_broker(case):
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    for _ in range(3):
        case.busy(2, 4)
        case.stack.kill("kafka")
        case.busy(0.5, 2)
        case.stack.start("kafka")
        case.busy(1, 2)
        revived(case, agent)
    return case.judge(agent)


@scenario("three-brokers", f"three brokers, min.insync.replicas = 2: each is killed in turn and comes back, twice: {ONCE}",
          settings=(*SMALL, "kafka.min.insync.replicas=2"), options=("kafka.brokers=3", "kafka.heap=256m"), spoils=True)  # fmt: skip
def three_brokers(case):
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.caught_up(agent)
    for name in ("kafka1", "kafka2", "kafka3") * 2:
        case.stack.kill(name)
        case.busy(3, 5)
        # With two of three everything goes on.
        case.note(f"without {name} the last write was published after {case.caught_up(agent):.1f} s")
        case.stack.start(name)
        case.busy(1, 2)
        revived(case, agent)
    return case.judge(agent)


@scenario("pause-broker", f"the broker hangs (SIGSTOP) for 5 and for 40 s: {ONCE}")
def pause_broker(case):
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    for seconds in (5, 40):
        case.busy(2, 4)
        case.stack.pause("kafka")
        time.sleep(seconds)
        case.stack.resume("kafka")
        case.busy(1, 2)
        revived(case, agent)
    return case.judge(agent)


# Longer than a loop may give no sign of life: telemetry's Limits::live_within.
LONG_S = 150


def alive(case):
    """What the agent says of itself: (whether it lives, whether it does its work, its phase)."""
    command = [program(), "status", "--live", "--json", "--state-dir", str(case.state)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    if asked.returncode not in (0, 4):
        raise Failed(f"status --live ended with {asked.returncode}: {asked.stderr[-500:]}")
    status = json.loads(asked.stdout)
    if status["is_live"] != (asked.returncode == 0):
        raise Failed(f"status --live ended with {asked.returncode}, and is_live is {status['is_live']}")
    return status["is_live"], status["is_ready"], status["phase"]


def waits_for_kafka(case, agent):
    """What an agent serves that waits for Kafka, asked as probes, Prometheus and a browser do, must say so."""
    answers = {path: pages.get(agent, path) for path in ("/", "/readyz", "/livez")}
    codes = {path: code for path, (code, _) in answers.items()}
    found, asked = pages.metrics(agent), pages.status(agent)
    told = {name: found.one(name) for name in ("cdc_ready", "cdc_healthy", "cdc_kafka_reachable")} | {"phase": found.one("cdc_phase", phase="waiting_for_kafka")}
    ready = json.loads(answers["/readyz"][1])
    is_told = asked["phase"] == "waiting_for_kafka" and not asked["is_ready"] and asked["is_live"] and asked["headline"]["text"].startswith("Waiting for Kafka")
    if codes != {"/": 200, "/readyz": 503, "/livez": 200} or told != {"cdc_ready": 0, "cdc_healthy": 0, "cdc_kafka_reachable": 0, "phase": 1} or not is_told:
        raise Failed(f"while Kafka is away it answers {codes}; {told}; {asked['phase']}, ready {asked['is_ready']}, live {asked['is_live']}, {asked['headline']}")
    if ready["ready"] or not any("Waiting for Kafka" in reason["text"] for reason in ready["reasons"]):
        raise Failed(f"/readyz says {ready}")
    # The page is made from it in the browser (tests/browser).
    if "/status" not in answers["/"][1]:
        raise Failed("the page does not ask for /status")
    return asked["lag"]


def away(case, *options, seconds=LONG_S):
    agent = case.prepare(**FULL).agent(*options).start()
    case.writers.start()
    case.caught_up(agent)
    before = agent.rss_anon
    case.stack.stop("kafka")
    until, told, lags = time.monotonic() + seconds, set(), []
    while time.monotonic() < until and agent.running:
        time.sleep(5)
        told.add(alive(case))
        if alive(case)[2] == "waiting_for_kafka":
            lags.append(waits_for_kafka(case, agent)["seconds"])
    case.note("it waits" if agent.running else f"it ended with {agent.code}: {last_line(agent)}")
    if any(not lives for lives, _, _ in told) or (True, False, "waiting_for_kafka") not in told:
        raise Failed(f"while Kafka was away it said of itself (lives, ready, phase): {sorted(told)}")
    case.note(f"asked {len(lags)} times over HTTP while it waited; the lag that it told grew from {lags[0]} to {lags[-1]} s")
    if lags[-1] < seconds - 60:
        raise Failed(f"after {seconds} s without Kafka the lag is told as {lags[-1]} s")
    case.stack.start("kafka")
    revived(case, agent)
    case.note(f"highest RssAnon {before >> 20} MiB before, {agent.rss_anon >> 20} MiB after")
    if agent.rss_anon > before + (48 << 20):
        raise Failed(f"memory grew from {before} to {agent.rss_anon} bytes")
    case.caught_up(agent)
    if agent.starts == 1 and not case.rules.repeats:
        # The transaction in which it was at work could not be committed.
        case.metrics["cdc_txn_aborts_total"] = (1, float("inf"))
    if alive(case)[:2] != (True, True):
        raise Failed(f"Kafka is back, and the agent says {alive(case)}")
    return case.judge(agent)


AWAY = f"Kafka is away for {LONG_S} s: the agent waits with steady memory, says that it lives and waits for Kafka, also over HTTP, where its lag grows"


@scenario("kafka-away", f"{AWAY}: {ONCE}")
def kafka_away(case):
    return away(case)


@scenario("kafka-away-at-least-once", f"{AWAY}, with delivery = at-least-once: each write at least once")
def kafka_away_at_least_once(case):
    case.rules.repeats = True
    return away(case, "--delivery", "at-least-once")


# As long as it takes to move a cluster, or to wake somebody.
VERY_LONG_S = 300


@scenario("kafka-away-5-minutes", f"Kafka is away for {VERY_LONG_S} s: the same", long=True)
def kafka_away_5_minutes(case):
    return away(case, seconds=VERY_LONG_S)


@scenario("kafka-late", f"Kafka is not there when the agent starts: {ONCE}")
def kafka_late(case):
    case.prepare(**FULL)
    case.stack.stop("kafka")
    agent = case.agent().start()
    case.writers.start()
    case.busy(8, 10)
    case.note("it waits" if agent.running else f"it ended with {agent.code}: {last_line(agent)}")
    case.stack.start("kafka")
    revived(case, agent)
    return case.judge(agent)


def proxied(case):
    place = case.stack.service("kafka")["proxied"]
    proxy = Proxy(place["clients_go_to"], ("127.0.0.1", place["listens"]))
    case.ends.append(proxy.close)
    case.prepare(servers=f"127.0.0.1:{proxy.port}", **FULL)
    return proxy


def with_proxy(case, rules, rounds):
    """Each round meets one request by a rule; the agent lives through it or is started again."""
    proxy = proxied(case)
    agent = case.agent().start()
    case.writers.start()
    case.caught_up(agent)
    for number in range(rounds):
        rule = rules(number)
        proxy.add(rule)
        if rule.api_key == INIT_PRODUCER_ID and agent.running:
            # Only a start asks for these.
            agent.kill()
            agent.start()
        case.busy(2, 5)
        until_met(case, agent, proxy, number + 1)
        revived(case, agent)
    proxy.clear()
    case.note(f"met: { {f'{key}/{action}': count for (key, action), count in sorted(proxy.met.items())} }")
    return case.judge(agent)


def until_met(case, agent, proxy, count):
    """Waits until so many requests met a rule: what is said of the number of faults is true on a slow machine, too."""
    until = time.monotonic() + PATIENCE
    while sum(proxy.met.values()) < count:
        if time.monotonic() > until:
            raise AssertionError(f"{sum(proxy.met.values())} of {count} requests met a rule within {PATIENCE} s")
        revived(case, agent)
        time.sleep(0.1)


@scenario("commit-answer-lost", f"EndTxn is done, its answer is lost (12 times): {ONCE}", options=PROXIED)
def commit_answer_lost(case):
    return with_proxy(case, lambda _: Rule(END_TXN, "answer_lost", after=case.random.randrange(4)), 12)


@scenario("commit-lost", f"EndTxn is lost before the broker has it (12 times): {ONCE}", options=PROXIED)
def commit_lost(case):
    return with_proxy(case, lambda _: Rule(END_TXN, "request_lost", after=case.random.randrange(4)), 12)


@scenario("commit-late", f"EndTxn comes to the broker when its sender has given it up, up to 5 s later (12 times): {ONCE}", options=PROXIED)
def commit_late(case):
    return with_proxy(case, lambda _: Rule(END_TXN, "late", after=case.random.randrange(4), seconds=case.random.uniform(0, 5)), 12)


@scenario("commit-slow", f"EndTxn takes up to 8 s (8 times): {ONCE}", options=PROXIED)
def commit_slow(case):
    return with_proxy(case, lambda _: Rule(END_TXN, "slow", after=case.random.randrange(4), seconds=case.random.uniform(1, 8)), 8)


@scenario("produce-lost", f"Produce, AddPartitionsToTxn and InitProducerId lose request or answer (24 times): {ONCE}", options=PROXIED)
def produce_lost(case):
    def rule(_):
        key, action = case.random.choice([PRODUCE, PRODUCE, ADD_PARTITIONS, INIT_PRODUCER_ID]), case.random.choice(["answer_lost", "request_lost", "late"])
        # A start asks three times, once for each transactional id.
        return Rule(key, action, after=case.random.randrange(3 if key == INIT_PRODUCER_ID else 4), seconds=case.random.uniform(0, 2))

    return with_proxy(case, rule, 24)


@scenario("network", f"connections are cut, cut in the middle of an answer, refused, silent for 3 and for 45 s: {ONCE}", options=PROXIED)
def network(case):
    proxy = proxied(case)
    agent = case.agent().start()
    case.writers.start()
    case.caught_up(agent)

    def refused():
        proxy.down()
        time.sleep(5)
        proxy.clear()

    def silent(seconds):
        proxy.silence()
        time.sleep(seconds)
        proxy.speak()

    faults = [proxy.cut, lambda: proxy.cut_after(case.random.randrange(1, 3000)), refused, lambda: silent(3)] * 3 + [lambda: silent(45)]
    for fault in faults:
        case.busy(0.5, 2)
        fault()
        revived(case, agent)
    return case.judge(agent)


def large(case, count=3):
    """Rows that are longer than the topic takes. Returns their identities' events."""
    found = []
    for _ in range(count):
        statements = case.writers._statements[0]
        statements.padding = 2
        ts = case.writers.clock.next()
        cql, events = statements.insert(ts)
        value = "L" * 150_000
        cql = cql.replace(events[0]["content"]["after"]["v"], value)
        events[0]["content"]["after"]["v"] = value
        case.writers.write(cql, events)
        found += events
    return found


@scenario("oversize-dead-letter", "rows that Kafka does not take, refused = dead_letter: a pointer for each, all else goes on")
def oversize_dead_letter(case):
    agent = case.prepare().agent("--refused", "dead_letter", "--kafka-option", "message.max.bytes=100000").start()
    case.writers.start()
    case.busy(2, 3)
    rows = large(case)
    case.busy(3, 4)
    case.rules.lost = {identity(event) for event in rows}
    case.metrics["cdc_oversize_total"] = (len(rows), len(rows))
    verdict = case.judge(agent, content=False)
    letters = [record.value for (topic, _), found in case.output.finish().items() if topic.endswith("__dead_letters") for record in found]
    case.note(f"{len(letters)} pointers: {[letter['position'] for letter in letters]}")
    if len(letters) != len(rows) or any(letter["value_bytes"] < 150_000 for letter in letters):
        verdict.fault("pointers", f"{len(letters)} for {len(rows)} rows")
    return verdict


@scenario("oversize-truncate", "rows that Kafka does not take, refused = truncate: a pointer for each, and the row without its longest value; all else goes on")
def oversize_truncate(case):
    agent = case.prepare().agent("--refused", "truncate", "--kafka-option", "message.max.bytes=100000").start()
    case.writers.start()
    case.busy(2, 3)
    rows = large(case)
    case.busy(3, 4)
    case.metrics["cdc_oversize_total"] = (len(rows), len(rows))
    verdict = case.judge(agent, content=False)
    found = case.output.finish()
    letters = [record.value for (topic, _), records in found.items() if topic.endswith("__dead_letters") for record in records]
    short = [record.value["truncated"] for records in found.values() for record in records if isinstance(record.value, dict) and "truncated" in record.value]
    case.note(f"{len(letters)} pointers; truncated: {short}")
    if len(letters) != len(rows) or len(short) != len(rows) or any(sum(column["bytes"] for column in left_out) < 150_000 for left_out in short):
        verdict.fault("truncated", f"{len(letters)} pointers and {len(short)} shortened records for {len(rows)} rows")
    return verdict


@scenario("oversize-fail", f"rows that Kafka does not take, refused = fail: exit code 6 with topic and place; with a higher limit {ONCE}")
def oversize_fail(case):
    agent = case.prepare().agent("--kafka-option", "message.max.bytes=100000").start()
    case.writers.start()
    case.busy(2, 3)
    large(case, 1)
    code = agent.wait(90)
    case.note(f"exit code {code}: {last_line(agent)}")
    if code != 6 or f"{case.prefix}.cdc.{case.ks}.plain" not in agent.said():
        raise Failed(f"ended with {code}: {agent.said()[-1500:]}")
    agent.options[agent.options.index("message.max.bytes=100000")] = "message.max.bytes=900000"
    agent.start()
    return case.judge(agent)


AUTHORIZED = (*SMALL, "kafka.authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "kafka.allow.everyone.if.no.acl.found=true")
POINTED_TO = "a pointer for each of its records, within 10 s an error that names it, all else goes on; with the permission again so does this table"


def rules_of(topic):
    """Everybody may read the topic, and the agent, which has no name, may not write it."""
    from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

    def rule(operation, permission):
        return AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", operation, permission)

    return [rule(AclOperation.READ, AclPermissionType.ALLOW), rule(AclOperation.WRITE, AclPermissionType.DENY)]


def without_rules(admin, topic):
    from confluent_kafka.admin import AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

    which = AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY)
    for future in admin.delete_acls([which]).values():
        future.result(30)


def topic_forbidden(case, *options):
    from confluent_kafka.admin import AdminClient

    agent = case.prepare().agent("--refused", "dead_letter", *options).start()
    case.writers.start()
    case.busy(3, 4)
    case.caught_up(agent)
    topic, admin = f"{case.prefix}.cdc.{case.ks}.coll", AdminClient({"bootstrap.servers": case.stack.servers})
    for future in admin.create_acls(rules_of(topic)).values():
        future.result(30)
    before = len(agent.said())
    wait_for(lambda: any(topic in line and " error " in line for line in agent.said()[before:].splitlines()), "an error that names the topic", 10, agent)
    case.busy(4, 5)
    case.writers.stop()
    case.caught_up(agent)
    taken = [record for (name, _), found in case.records().items() if name == topic for record in found if record.value["op"] != "m"]
    there = {identity(of_record(record.key, record.value)) for record in taken}
    written = {identity(event) for write in read(case.folder / "journal").values() for event in write["events"] if event["table"].endswith(".coll")}
    case.rules.lost = written - there
    told = next(line for line in agent.said()[before:].splitlines() if topic in line)
    denied = pages.metrics(agent).one("cdc_acl_denied_total")
    without_rules(admin, topic)
    agent.stop()
    agent.start()
    sentinel = case.writers.sentinel("coll")
    wait_for(lambda: case.seen(sentinel), "the topic to be written again", 60, agent)
    verdict = case.judge(agent, content=False)
    letters = {record.value["event_id"] for (name, _), found in case.output.finish().items() if name.endswith("__dead_letters") for record in found}
    if "at-least-once" in options:
        # What Kafka took before it refused the rest of its batch may be sent, and refused, once more.
        letters -= {record.headers["event_id"] for record in taken}
    case.note(f"{len(case.rules.lost)} events were not taken, {len(letters)} pointers; cdc_acl_denied_total was {denied:.0f}; told: {told[:200]}")
    if denied < len(letters) or (denied > len(letters) and not case.rules.repeats):
        verdict.fault("metrics", f"cdc_acl_denied_total was {denied}, and there are {len(letters)} pointers")
    if len(letters) != len(case.rules.lost) or not letters:
        verdict.fault("pointers", f"{len(letters)} for {len(case.rules.lost)} events")
    return verdict


@scenario("topic-forbidden", f"Kafka takes the permission to write a table's topic away, refused = dead_letter: {POINTED_TO}", settings=AUTHORIZED, spoils=True)
def topic_forbidden_exactly_once(case):
    return topic_forbidden(case)


@scenario("topic-forbidden-at-least-once", f"the same with delivery = at-least-once: {POINTED_TO}", settings=AUTHORIZED, spoils=True)
def topic_forbidden_at_least_once(case):
    case.rules.repeats = True
    return topic_forbidden(case, "--delivery", "at-least-once")


@scenario("topic-names-collide", "Kafka does not make a table's topic, because of another one whose name differs only in `.` and `_`: exit code 6 that says so; with refused = dead_letter a pointer for each of its records, all else goes on")
def topic_names_collide(case):
    from confluent_kafka.admin import AdminClient, NewTopic

    case.prepare()
    other, topic = f"{case.prefix}.cdc.{case.ks}_coll", f"{case.prefix}.cdc.{case.ks}.coll"
    admin = AdminClient({"bootstrap.servers": case.stack.servers})
    admin.create_topics([NewTopic(other, 1, 1)])[other].result(30)
    agent = case.agent().start()
    case.writers.start()
    code = agent.wait(90)
    if code != 6 or topic not in agent.said() or "differs only in" not in agent.said():
        raise Failed(f"ended with {code}: {agent.said()[-1500:]}")
    agent.options += ["--refused-table", f"{case.ks}.coll=dead_letter"]
    agent.start()
    case.busy(3, 4)
    case.writers.stop()
    case.caught_up(agent)
    told = [line for line in agent.said().splitlines() if topic in line and " error " in line]
    if len(told) != 1:
        raise Failed(f"told {len(told)} times: {told[:3]}")
    written = {identity(event) for write in read(case.folder / "journal").values() for event in write["events"] if event["table"].endswith(".coll")}
    case.rules.lost = written
    verdict = case.judge(agent, content=False)
    letters = {record.value["event_id"] for (name, _), found in case.output.finish().items() if name.endswith("__dead_letters") for record in found}
    case.note(f"{len(letters)} pointers; told: {told[0][:300]}")
    if len(letters) != len(written) or not letters:
        verdict.fault("pointers", f"{len(letters)} for {len(written)} events")
    return verdict


def gone_line(said, topic):
    """The first line that says that a topic is not there: while records for it wait, or when it is known to be gone. Its name ends a word: others begin
    with it. That it is made says nothing of what is lost."""
    for line in said.splitlines():
        if topic in re.split(r"[\s,;:]+", line) and re.search(r"does not exist|was deleted: everything", line) and re.search(r"Z (warn |error) ", line):
            return line
    return None


def delete_topic(case, topic):
    """Deletes it; returns the last position in the log of which something stood in it, and how many events did."""
    from confluent_kafka.admin import AdminClient

    records = case.records()
    lost = sum(len(found) for (name, _), found in records.items() if name == topic)
    sources = [record.value["source"] for (name, _), found in records.items() if name == topic for record in found if record.value["op"] != "m"]
    admin = AdminClient({"bootstrap.servers": case.stack.servers})
    admin.delete_topics([topic])[topic].result(30)
    case.note(f"{topic} was deleted with {lost} records")
    return max(checker.position(source)[:3] for source in sources), len(sources)


def read_anew(case):
    """A consumer that knew the topic that was deleted is of no use for the one that is made."""
    case.output.close()
    case.output = KafkaOutput(case.stack.servers, case.prefix)


def check_told_as_lost(case, agent, said, topic, stood):
    """The last position of which something stood in the topic is within what is told to be lost: in the log and in the metrics, once."""
    lost_to = re.findall(rf"error topic {re.escape(topic)} was deleted: everything that was published to it up to (\d+):(\d+):(\d+)(?::\d+)? is lost", said)
    if len(lost_to) != 1 or tuple(map(int, lost_to[0])) < stood:
        raise Failed(f"what is lost, at least up to {stood}, is told {len(lost_to)} times: {gone_line(said, topic)}")
    case.note(f"told as lost: up to {':'.join(lost_to[0])}; the last event in it stood at {stood}")
    entries = pages.metrics(agent).one("cdc_ledger_entries_total", kind="lost")
    if entries != 1:
        raise Failed(f"the ledger has {entries} losses")
    if f"made topic {topic} with 3 partition(s)" not in said:
        raise Failed("the agent did not make the topic again as its options say")


@scenario("topic-deleted", "a topic of changes is deleted, and brokers make none by themselves: within 10 s of the next write the agent says that it is gone and up to where it is lost, and makes it again; what is written from then on is in it",
          settings=(*SMALL, "kafka.auto.create.topics.enable=false"))  # fmt: skip
def topic_deleted(case):
    agent = case.prepare().agent().start()
    case.writers.start()
    case.busy(3, 4)
    case.caught_up(agent)
    case.writers.stop()
    time.sleep(1)
    topic = f"{case.prefix}.cdc.{case.ks}.coll"
    stood, case.taken_away = delete_topic(case, topic)
    before, deadline = len(agent.said()), time.monotonic() + 10
    # Its table is written to again, so that the agent must notice.
    statements = case.writers._statements[0]
    while time.monotonic() < deadline and not gone_line(agent.said()[before:], topic):
        case.writers.write(*statements.coll_insert(case.writers.clock.next()))
        time.sleep(0.3)
    told = gone_line(agent.said()[before:], topic)
    case.note(f"the agent {'runs' if agent.running else f'ended with {agent.code}'}; told: {told[:300] if told else 'nothing'}")
    if not told:
        raise Failed(f"the agent does not tell that {topic} is gone: {agent.said()[before:][-1500:]}")
    read_anew(case)
    began, sentinel = time.monotonic(), case.writers.sentinel("coll")
    wait_for(lambda: case.seen(sentinel), "the table's next write", 120, agent)
    case.note(f"its next write was published {time.monotonic() - began:.1f} s after it")
    check_told_as_lost(case, agent, agent.said()[before:], topic, stood)
    # What stood in the topic is gone with it; the other tables must be whole.
    case.rules.tables = {f"{case.ks}.plain", f"{case.ks}.wide"}
    return case.judge(agent)


@scenario("topic-deleted-stopped", "a topic of changes is deleted while the agent is stopped, and brokers make none by themselves: when it starts again the agent says that it is gone and up to where it is lost, once, and makes it again; a start after that says nothing",
          settings=(*SMALL, "kafka.auto.create.topics.enable=false"))  # fmt: skip
def topic_deleted_stopped(case):
    agent = case.prepare().agent().start()
    case.writers.start()
    case.busy(3, 4)
    case.caught_up(agent)
    case.writers.stop()
    if agent.stop() != 0 or "was deleted" in agent.said():
        raise Failed(f"ended with {agent.code}: {agent.said()[-1500:]}")
    topic = f"{case.prefix}.cdc.{case.ks}.coll"
    stood, _ = delete_topic(case, topic)
    agent.start()
    began, sentinel = time.monotonic(), case.writers.sentinel("plain")
    wait_for(lambda: case.seen(sentinel), "the next write of another table", 120, agent)
    read_anew(case)
    sentinel = case.writers.sentinel("coll")
    wait_for(lambda: case.seen(sentinel), "the table's next write", 120, agent)
    case.note(f"its next write was published, {time.monotonic() - began:.1f} s after the start")
    check_told_as_lost(case, agent, agent.said(), topic, stood)
    if agent.stop() != 0:
        raise Failed(f"ended with {agent.code}: {agent.said()[-1500:]}")
    agent.start()
    case.caught_up(agent)
    if "was deleted" in agent.said():
        raise Failed(f"told again: {gone_line(agent.said(), topic)}")
    # What stood in the topic is gone with it; the other tables must be whole.
    case.rules.tables = {f"{case.ks}.plain", f"{case.ks}.wide"}
    return case.judge(agent)


