"""Scenarios in which something is replaced by another version of it: Cassandra under the agent, and the agent itself."""

import json

from agent import wait_for
from agent_faults import BOTH, FULL, ONCE
from case import Failed
from checker import changes
from registry import scenario


def versions(case):
    """The versions of the format of the segments of which something is published."""
    return {record.value["source"]["file"].split("-")[1] for _, found in changes(case.records()) for record in found if record.value["op"] != "m"}


@scenario("upgrade", f"Cassandra 4.1 is drained, stopped, and started as 5.0 on the same data while the agent runs: {ONCE}, of segments of both versions", kinds=BOTH, spoils=True)
def upgrade(case):
    case.schema = "cql"
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.busy(4, 5)
    case.caught_up(agent)
    before = versions(case)
    case.stack.nodetool("drain")
    case.stack.stop("onprem")
    case.stack.start("onprem", "--option", "onprem.version=5.0", "--set", "onprem.storage_compatibility_mode=NONE")
    case.stack.wait_for_session()
    (answers,) = case.stack.session().execute("SELECT release_version FROM system.local")
    agent.check_running()
    case.busy(4, 5)
    verdict = case.judge(agent)
    after = versions(case)
    case.note(f"Cassandra {answers.release_version} goes on; published of segments of version {', '.join(sorted(before))}, then {', '.join(sorted(after - before))} too; the agent was started {agent.starts} time(s)")
    if before != {"7"} or after != {"7", "8"}:
        raise AssertionError(f"versions {before}, then {after}: no upgrade was tried")
    return verdict


def of_version(version, checkpoint, done):
    """A checkpoint as the agent wrote it when this was the version of its form (`Checkpoint::from_json` says how they differ)."""
    older = {**checkpoint, "version": version, "done": done}
    if version < 3:
        for key in ("scope", "parked_in_other_scopes"):
            older.pop(key, None)
    if version < 2:
        older["open"] = {segment: place["at"] for segment, place in checkpoint["open"].items()}
        older["parked"] = [text.split(" ")[0] for text in checkpoint["parked"]]
    return older


@scenario("old-checkpoint", f"the checkpoint in Kafka is one of each earlier version of its form, and the state directory is gone: {ONCE}")
def old_checkpoint(case):
    from confluent_kafka import Producer

    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    topic, producer = f"{case.prefix}.cdc.__checkpoints", Producer({"bootstrap.servers": case.stack.servers})
    for version in (4, 3, 2, 1):
        case.busy(2, 3)
        case.caught_up(agent)
        if agent.stop() != 0:
            raise Failed(f"stopped, the agent ended with {agent.code}")
        stored, done = latest(case, topic)
        assert stored["version"] == 4, f"the agent writes version {stored['version']} now: is this one tried, too?"
        # The first ones had the finished segments in it, later ones have them beside it.
        older = of_version(version, stored, done if version < 4 else {})
        producer.produce(topic, key=case.host_id, value=json.dumps(older, separators=(",", ":")))
        assert producer.flush(30) == 0, "the checkpoint was not written"
        for path in case.state.iterdir():
            path.unlink()
        agent.start()
        sentinel = case.writers.sentinel()
        wait_for(lambda wanted=sentinel: case.seen(wanted), f"the agent to go on from version {version}", 60, agent)
        case.note(f"it goes on from version {version} at generation {stored['generation']}, with {len(stored['open'])} open and {len(done)} finished segments")
    return case.judge(agent)


def latest(case, topic):
    """(the node's checkpoint without the finished segments, those by id with their fingerprints), as they stand in Kafka."""
    case.output.finish()
    values = {}
    for (name, _), found in sorted(case.output.read().items()):
        if name == topic:
            for record in found:
                key = record.key if isinstance(record.key, str) else record.key.decode()
                values[key] = record.value
    beside = f"{case.host_id}/done/"
    done = {key.removeprefix(beside): value["fingerprint"] for key, value in values.items() if key.startswith(beside) and value is not None}
    return values[case.host_id], done
