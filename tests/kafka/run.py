#!/usr/bin/env python3
"""The Kafka sink against a real broker, which this starts and stops. What stands in Kafka is read by another client and compared with
the file log that the same replay writes.

    tests/kafka/run.py [--agent PROGRAM] [--seed N] [--kills N] [--only CASE,…] [--keep]

Needs the packages of tests/requirements.txt: `make test-kafka` runs it with them.
"""

import argparse
import gzip
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

import connections
import records
import segments
from stack import Broker

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "cdc_fixtures"
KEY = ["--commitlog-key-hex-file", str(FIXTURES / "keys" / "aes128.key.hex")]
PARTITIONS = 3
# Few topics: making one takes the broker longer than writing its records.
FEW = ["--keyspace", "ranges"]


class Run:
    """The program, the broker, and a folder for what they make."""

    def __init__(self, given, broker, folder):
        self.agent, self.broker, self.folder, self.rust_tests = given.agent, broker, folder, given.rust_tests
        self.random, self.kills = random.Random(given.seed), given.kills
        self.environment = {name: text for name, text in os.environ.items() if not name.startswith("CDC_AGENT_")}

    def command(self, paths, schema, prefix, *options):
        words = [self.agent, "replay", *paths, "--schema", schema, "--prefix", prefix, "--quiet", *options]
        return [str(word) for word in words]

    def kafka(self, *options):
        return ["--out", "kafka", "--bootstrap-servers", self.broker.servers, "--topic-partitions", str(PARTITIONS), *options]

    def start(self, command):
        return subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)

    def replay(self, *arguments, codes=(0,)):
        """Runs the program to its end. Returns its exit code and what it said."""
        done = subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode in codes, f"exit code {done.returncode}: {done.stderr}"
        return done.returncode, done.stderr

    def file_log(self, name, paths, schema, prefix, *options):
        """What a file log of the same replay holds."""
        folder = self.folder / name
        out = ["--out", folder, "--partitions", str(PARTITIONS)]
        code, _ = self.replay(paths, schema, prefix, *out, *options, codes=(0, 3, 5))
        return code, folder

    def read(self, prefix, **options):
        return records.Reader(self.broker.servers, **options).records(prefix)

    def log(self, count, first):
        """A folder with copies of a segment, and the schema."""
        source = FIXTURES / "4.1-none"
        (segment,) = source.glob("*.log")
        folder = self.folder / f"copies-{first}"
        folder.mkdir()
        for name, text in segments.copies(segment.read_bytes(), first, count).items():
            (folder / name).write_bytes(text)
            (folder / name.replace(".log", "_cdc.idx")).write_text(f"{len(text)}\nCOMPLETED")
        return folder, source / "schema.json"


def plain(run, fixture):
    """The folder of a fixture with its segments unpacked."""
    folder = run.folder / "plain" / fixture.name
    folder.mkdir(parents=True)
    for path in fixture.glob("CommitLog-*"):
        if path.name.endswith(".gz"):
            (folder / path.name[:-3]).write_bytes(gzip.decompress(path.read_bytes()))
        else:
            shutil.copy(path, folder)
    return folder


def contents(run):
    """Every record of every fixture, in Kafka as in the file log, and where Kafka's partitioner puts it."""
    schemas, expected = {}, defaultdict(list)
    for fixture in sorted(path.parent for path in FIXTURES.glob("*/schema.json")):
        folder, schema = plain(run, fixture), fixture / "schema.json"
        options = KEY if "encrypted" in fixture.name else []
        # Nodes of different ages: a file log for each.
        code, log = run.file_log(f"contents-{fixture.name}", [folder], schema, "contents", *options)
        for place, found in records.of_file_log(log).items():
            expected[place] += found
        run.replay([folder], schema, "contents", *run.kafka(), *options, codes=(code,))
        schemas.update({(c["keyspace_name"], c["table_name"], c["column_name"]): c for c in json.loads(schema.read_text())["columns"]})
    found, topics = run.read("contents")
    assert records.difference(expected, found) is None, records.difference(expected, found)
    checked = records.check_partitions(found, topics, {"columns": list(schemas.values())})
    total = sum(map(len, found.values()))
    assert total > 3000 and checked > total // 2, (total, checked)
    return f"{total} records in {len(topics)} topics are equal; {checked} stand where Kafka's partitioner puts them"


def again(run):
    """A repeat writes nothing; --again writes everything once more."""
    folder, schema = run.log(2, 5000)
    run.replay([folder], schema, "again", *FEW, *run.kafka())
    once = sum(len(found) for found in run.read("again")[0].values())
    run.replay([folder], schema, "again", *FEW, *run.kafka())
    assert sum(len(found) for found in run.read("again")[0].values()) == once
    code, said = run.replay([folder], schema, "again", *FEW, *run.kafka(), "--row-hash", "v1", codes=(2,))
    assert "other options" in said, said
    run.replay([folder], schema, "again", *FEW, *run.kafka(), "--again")
    assert sum(len(found) for found in run.read("again")[0].values()) == 2 * once
    return f"{once} records, none more by a repeat, twice as many with --again; other options are refused"


def killed(run):
    """The program is killed again and again; what is committed is whole, and there once."""
    folder, schema = run.log(40, 100_000)
    _, log = run.file_log("killed", [folder], schema, "killed", *FEW)
    command = run.command([folder], schema, "killed", *FEW, *run.kafka("--batch-ms", "1"))
    kills = 0
    for _ in range(run.kills):
        process = run.start(command)
        try:
            process.communicate(timeout=run.random.uniform(0.2, 2.5))
            assert process.returncode == 0, process.returncode
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    run.replay([folder], schema, "killed", *FEW, *run.kafka())
    expected, (found, topics) = records.of_file_log(log), run.read("killed")
    assert records.difference(expected, found) is None, records.difference(expected, found)
    raw = run.read("killed", isolation="read_uncommitted")[0]
    aborted = sum(map(len, raw.values())) - sum(map(len, found.values()))
    return f"{kills} kills, {sum(map(len, found.values()))} records once each; {aborted} aborted ones beside them"


def fenced(run):
    """Two replays of the same segments: the one that was stopped meanwhile ends with exit code 7."""
    folder, schema = run.log(30, 200_000)
    _, log = run.file_log("fenced", [folder], schema, "fenced", *FEW)
    command = run.command([folder], schema, "fenced", *FEW, *run.kafka("--batch-ms", "1"))
    first = run.start(command)
    reader = records.Reader(run.broker.servers)
    waits = time.monotonic() + 60
    # Stopped when it has committed something, so in the middle of its work.
    while not any(reader.messages({name: count}) for name, count in reader.topics("fenced.cdc.__checkpoints").items()):
        assert first.poll() is None and time.monotonic() < waits
    first.send_signal(signal.SIGSTOP)
    run.replay([folder], schema, "fenced", *FEW, *run.kafka())
    first.send_signal(signal.SIGCONT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 7, (first.returncode, said)
    found, _ = run.read("fenced")
    expected = records.of_file_log(log)
    assert records.difference(expected, found) is None, records.difference(expected, found)
    return f"exit code 7: {said.strip().splitlines()[-1][:100]}…"


def restarted(run):
    """The broker is stopped in the middle and started again."""
    folder, schema = run.log(30, 300_000)
    _, log = run.file_log("restarted", [folder], schema, "restarted", *FEW)
    command = run.command([folder], schema, "restarted", *FEW, *run.kafka("--batch-ms", "1"))
    process = run.start(command)
    time.sleep(run.random.uniform(0.8, 2))
    run.broker.stop()
    time.sleep(1)
    run.broker.start()
    _, said = process.communicate(timeout=120)
    assert process.returncode in (0, 6), (process.returncode, said)
    run.replay([folder], schema, "restarted", *FEW, *run.kafka())
    found, _ = run.read("restarted")
    expected = records.of_file_log(log)
    assert records.difference(expected, found) is None, records.difference(expected, found)
    return f"the replay ended with {process.returncode}; {sum(map(len, found.values()))} records once each"


def refused(run):
    """A record that is too long: the replay fails, or a pointer replaces it."""
    folder, schema = run.log(1, 400_000)
    # rows.large has one long row.
    tables = ["--table", "rows.large", "--table", "rows.simple"]
    short = run.kafka("--kafka-option", "message.max.bytes=5000", *tables)
    code, said = run.replay([folder], schema, "refused", *short, codes=(6,))
    assert "refused.cdc.rows.large does not take the record" in said, said
    run.replay([folder], schema, "refused", *short, "--refused", "dead_letter")
    reader = records.Reader(run.broker.servers)
    ((_, pointers),) = reader.messages(reader.topics("refused.cdc.__dead_letters")).items()
    (pointer,) = [json.loads(message.value()) for message in pointers]
    assert pointer["topic"] == "refused.cdc.rows.large" and pointer["value_bytes"] > 5000, pointer
    found, _ = run.read("refused")
    _, log = run.file_log("refused", [folder], schema, "refused", *tables)
    expected = records.of_file_log(log)
    del expected[next(place for place in expected if place[0] == "refused.cdc.rows.large")]
    assert records.difference(expected, found) is None, records.difference(expected, found)
    return f"exit code 6, then a pointer to {pointer['position']}"


def policies(run):
    """A topic of checkpoints that is not compacted, and a topic of changes that is, are refused."""
    admin = AdminClient({"bootstrap.servers": run.broker.servers})
    folder, schema = run.log(1, 500_000)
    for prefix, topic, policy in (("p1", "p1.cdc.__checkpoints", "delete"), ("p2", "p2.cdc.ranges.ascending", "compact")):
        (made,) = admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": policy})]).values()
        made.result()
        _, said = run.replay([folder], schema, prefix, *FEW, *run.kafka(), codes=(6,))
        assert f"topic {topic} has cleanup.policy={policy}" in said, said
    _, said = run.replay([folder], schema, "p3", *FEW, *run.kafka("--create-topics=false"), codes=(6,))
    assert "does not exist" in said, said
    return "refused, with the reason"


def unreachable(run):
    """No broker at the address, and options that are not for users."""
    folder, schema = run.log(1, 600_000)
    for option, reason in (("plugin.library.paths=x", "loads or runs code"), ("acks=1", "promises"), ("sasl.password=hunter2", "secret")):
        _, said = run.replay([folder], schema, "x", *run.kafka("--kafka-option", option), codes=(2,))
        assert reason in said and "hunter2" not in said, said
    _, said = run.replay([folder], schema, "x", *run.kafka("--kafka-option", "no.such=1"), codes=(2,))
    assert "no.such" in said, said
    return "refused with exit code 2"


def at_least_once(run):
    """The same records without transactions, killed in between: each at least once, in order."""
    folder, schema = run.log(10, 700_000)
    _, log = run.file_log("alo", [folder], schema, "alo", *FEW)
    command = run.command([folder], schema, "alo", *FEW, *run.kafka("--delivery", "at-least-once", "--batch-ms", "1"))
    for _ in range(2):
        process = run.start(command)
        time.sleep(run.random.uniform(0.3, 1.0))
        process.kill()
        process.communicate()
    run.replay([folder], schema, "alo", *FEW, *run.kafka("--delivery", "at-least-once"))
    found, _ = run.read("alo")
    for place, expected in records.of_file_log(log).items():
        order = iter(found[place])
        assert all(record in order for record in expected), place
    more = sum(map(len, found.values())) - sum(map(len, records.of_file_log(log).values()))
    return f"every record is there, {more} of them repeated"


def node(run):
    """The sink as the agent beside a node uses it (tests/it/kafka_node.rs): three transactional ids, fencing, a rewind."""
    command = [*run.rust_tests, "--ignored", "kafka_node"]
    environment = {**os.environ, "CDC_TEST_BROKERS": run.broker.servers}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr
    reader = records.Reader(run.broker.servers)
    found = [message.key() for messages in reader.messages(reader.topics("node.cdc.k.t")).values() for message in messages]
    assert sorted(found, key=int) == [str(number).encode() for number in range(40)], found
    stored = [message.key().decode() for messages in reader.messages(reader.topics("node.cdc.__checkpoints")).values() for message in messages]
    assert stored[-1] == "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47" and stored[-2] == stored[-1] + "/done/1", stored
    return "40 records once each, in four runs of three agents"


def grown(run):
    """A topic's partitions grow while the agent is stopped: the next one says so, once. What an older agent left says nothing."""
    folder, schema = run.log(3, 900_000)
    later = run.folder / "later"
    later.mkdir()
    hold = sorted(folder.glob("CommitLog-*"))[2:]
    for path in hold:
        path.rename(later / path.name)
    state, topic = run.folder / "state", "grown.cdc.ranges.ascending"
    words = ["run", "--cdc-raw", folder, "--state-dir", state, "--schema", schema, "--prefix", "grown", "--http=false", "--until-empty"]
    words += ["--host-id", "6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47", "--finished-segments", "keep"]

    def agent(partitions=PARTITIONS, tables=FEW):
        """What an agent says of partitions, with the next segment to read."""
        out = ["--out", "kafka", "--bootstrap-servers", run.broker.servers, "--topic-partitions", partitions]
        command = [str(word) for word in [run.agent, *words, *out, *tables]]
        done = subprocess.run(command, env=run.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
        for path in sorted(later.iterdir())[:2]:
            path.rename(folder / path.name)
        return [line for line in done.stderr.splitlines() if "partition" in line and "made topic" not in line]

    said = agent()
    assert not said, said
    admin = AdminClient({"bootstrap.servers": run.broker.servers})
    (grown,) = admin.create_partitions([NewPartitions(topic, PARTITIONS + 2)]).values()
    grown.result()
    said = agent()
    changed = [line for line in said if f"topic {topic} had {PARTITIONS} partition(s) and has {PARTITIONS + 2}" in line]
    differs = [line for line in said if f"topic {topic} has {PARTITIONS + 2} partition(s), and kafka_topic_partitions is {PARTITIONS}" in line]
    assert len(changed) == len(differs) == 1 and len(said) == 2, said
    one = ["--table", "ranges.ascending"]
    assert agent(PARTITIONS + 2, one) == []
    (state / "partitions.json").unlink()
    assert agent(PARTITIONS + 2, one) == []
    return changed[0].split(" warn ")[-1].strip()[:100]


def debugged(run):
    """librdkafka's own log: shown when it is asked for, and without secrets, whatever they are."""
    folder, schema = run.log(1, 950_000)
    access = run.broker.access
    password, token = run.folder / "secret", run.folder / "jwt"
    password.write_text(access["sasl"]["password"] + "\n")
    token.write_text(run.broker.token())
    words = ["--out", "kafka", "--bootstrap-servers", run.broker.listeners["SASL_SSL"], "--security-protocol", "sasl_ssl"]
    words += ["--ssl-ca-file", access["tls"]["ca"], "--table", "rows.simple"]
    user = ["--sasl-username", access["sasl"]["user"], "--sasl-password-file", password]
    admin = AdminClient({"bootstrap.servers": run.broker.servers})
    compacted = NewTopic("debugged2.cdc.__checkpoints", 1, 1, config={"cleanup.policy": "compact"})
    for made in admin.create_topics([compacted, NewTopic("debugged2.cdc.rows.simple", 1, 1)]).values():
        made.result()
    lines = 0
    for number, mechanism in enumerate(("PLAIN", "SCRAM-SHA-512", "OAUTHBEARER")):
        who = ["--oauth-token-file", token] if mechanism == "OAUTHBEARER" else user
        common = [[folder], schema, f"debugged{number}", *words, *who, "--sasl-mechanism", mechanism]
        _, said = run.replay(*common, "--kafka-option", "debug=all")
        assert f"SASL mechanism {mechanism}" in said and "Sent ApiVersionRequest" in said, said[:2000]
        assert access["sasl"]["password"] not in said and token.read_text() not in said and token.read_text().split(".")[1] not in said
        lines += len(said.splitlines())
        _, said = run.replay(*common, "--again")
        assert "librdkafka" not in said, said[:2000]
    return f"{lines} lines of librdkafka's, no secret in them; none unless asked for"


CASES = [contents, again, killed, fenced, node, refused, policies, grown, unreachable, at_least_once, *connections.CASES, debugged, restarted]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", type=Path, default=ROOT / "target" / "debug" / "cdc-agent")
    parser.add_argument("--seed", type=int, default=1, help="of the moments at which the program is killed")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--only", help="cases by name, with commas")
    parser.add_argument("--rust-tests", type=shlex.split, default="cargo test --locked --test it --", help="runs tests/it/; arguments come behind it")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    given = parser.parse_args()
    cases = [case for case in CASES if given.only is None or case.__name__ in given.only.split(",")]
    folder = Path(tempfile.mkdtemp(prefix="cdc-agent-kafka-"))
    print(f"seed {given.seed}, {folder}", flush=True)
    broker = Broker(folder / "stack")
    try:
        secured = any(case in connections.CASES or case is debugged for case in cases)
        broker.start(connections.LISTENERS if secured else [], connections.SETTINGS if secured else [])
        run = Run(given, broker, folder)
        for case in cases:
            started = time.monotonic()
            said = case(run)
            print(f"{case.__name__}: {said} ({time.monotonic() - started:.1f} s)", flush=True)
    finally:
        broker.stop()
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
