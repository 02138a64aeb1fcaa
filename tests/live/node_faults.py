"""Scenarios in which something happens to Cassandra, or to its directories."""

import contextlib
import json
import re
import signal
import subprocess
import time
from pathlib import Path

import checker
import fold
import pages
import workload
from agent import wait_for
from agent_faults import FULL, ONCE, last_line
from case import Failed
from node import listing, logs
from registry import SMALL, scenario
from workload import now_us

BOTH = ("kafka", "file")
KEYS = Path(__file__).resolve().parents[2] / "cdc_fixtures" / "keys"
BATCH = ("onprem.commitlog_segment_size=1MiB", "onprem.cdc_total_space=256MiB", "onprem.commitlog_sync=batch", "onprem.commitlog_sync_period=null")


def killed(case, kills, *options):
    """Cassandra is killed and started again. Returns the spans (µs) in which an acknowledged write may be forgotten."""
    agent = case.prepare(**FULL).agent(*options).start()
    case.writers.start()
    spans = []
    for _ in range(kills):
        case.busy(4, 7)
        began = now_us()
        case.stack.kill("onprem")
        spans.append((began - 1_000_000, now_us()))
        case.stack.start("onprem")
        case.stack.wait_for_session()
        agent.check_running()
    return agent, spans


@scenario("kill-cassandra-batch", f"SIGKILL of Cassandra with commitlog_sync batch, three times: {ONCE}", kinds=BOTH, settings=BATCH, spoils=True)
def kill_cassandra_batch(case):
    agent, _ = killed(case, 3)
    return case.judge(agent)


@scenario("kill-cassandra", "SIGKILL of Cassandra in periodic mode, visibility marked: published is what the node has after the restart", kinds=BOTH, short=True, spoils=True)
def kill_cassandra(case):
    agent, (span,) = killed(case, 1)
    case.rules.forgotten = span
    return case.judge(agent)


# Between two markers much is written, which Cassandra forgets when it is killed.
SELDOM_SYNCED_MS = 3000


@scenario("kill-cassandra-written", "SIGKILL of Cassandra in periodic mode, visibility written: what was published and forgotten is named within 10 s of the node's first answer", kinds=BOTH, spoils=True,
          settings=(*SMALL[:2], f"onprem.commitlog_sync_period={SELDOM_SYNCED_MS}ms"))  # fmt: skip
def kill_cassandra_written(case):
    case.sync_period_ms = SELDOM_SYNCED_MS
    agent = case.prepare(rate=400).agent("--visibility", "written").start()
    case.writers.start()
    case.busy(4, 7)
    began = now_us()
    case.stack.kill("onprem")
    case.rules.forgotten = (began - SELDOM_SYNCED_MS * 1000, now_us())
    # Nothing may write over what was forgotten, so that the table shows it.
    case.writers.stop()
    case.stack.start("onprem")
    case.stack.wait_for_session()
    answered = time.monotonic()
    named = _named_events(case)
    while time.monotonic() < answered + 10:
        agent.check_running()
        named |= _named_events(case)
        time.sleep(0.2)
    forgotten = pages.metrics(agent).one("cdc_ledger_entries_total", kind="forgotten")
    verdict = case.judge(agent, content=False)
    phantoms = _phantoms(case)
    case.note(f"{len(phantoms)} events were published and forgotten; within 10 s the control topic names {len(named)} event ids, /metrics counts {forgotten:.0f} times")
    for missing in sorted(phantoms - named):
        verdict.fault("phantom not named", missing)
    if not forgotten:
        verdict.fault("metrics", f"nothing was forgotten, says cdc_ledger_entries_total: {forgotten}")
    if not phantoms:
        raise AssertionError("no published event was forgotten: nothing was tried")
    return verdict


def _named_events(case):
    """The event ids in the control topic."""
    return {event_id for value in case.control() for event_id in _texts(value) if len(event_id) == 32}


def _texts(value):
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _phantoms(case):
    """Event ids of published cells that the node should show and does not have at all: newest in the records, absent from the table."""
    found = set()
    for table in case.stack.tables(case.ks):
        folded, ids = fold.Fold(table), {}
        for place, records in checker.changes(case.output.finish()):
            if place[0].endswith(f".cdc.{table.keyspace}.{table.name}"):
                for record in records:
                    if record.value["op"] != "m":
                        folded.add(record.value)
                        ids[record.value["source"]["ts_us"]] = record.value["event_id"]
        view, now = case.stack.view(table)
        for place, row in folded.view(now).items():
            for name, cell in row.items():
                if cell[1] is not None and (place not in view or view[place].get(name, (None, None))[1] != cell[1]):
                    found.add(ids[cell[1]])
    return found


@scenario("resurrected", f"Cassandra is killed and links segments again that were published and deleted: {ONCE}, and they go again", kinds=BOTH, spoils=True, short=True)
def resurrected(case):
    agent = case.prepare(**FULL).agent().start()
    deleted = _segments_that_come_again(case, agent)
    # It would delete them again faster than they can be seen.
    agent.signal(signal.SIGSTOP)
    case.stack.kill("onprem")
    case.stack.start("onprem")
    case.stack.wait_for_session()
    wait_for(lambda: case.watch.again, "a segment to come again", 30)
    agent.signal(signal.SIGCONT)
    # More may have been deleted since.
    case.metrics["cdc_resurrected_segments_total"] = (1, len(case.watch.seen))
    verdict = case.judge(agent)
    case.note(f"{len(deleted)} segments that the node would replay were deleted, {len(case.watch.again)} came again")
    return verdict


def _segments_that_come_again(case, agent):
    """Writes until the agent has deleted three segments that the node has still: a flush discards them all, and then the node has nothing to link."""
    commitlog = case.stack.service("onprem")["commitlog"]
    until = time.monotonic() + 180

    def kept():
        return logs(commitlog) & set(case.watch.gone)

    while len(kept()) < 3:
        case.writers.start()
        wait_for(lambda: len(kept()) >= 3, "three deleted segments that the node has still", until - time.monotonic(), agent)
        case.writers.stop()
        case.caught_up(agent)
    return kept()


@scenario("restart-cassandra", f"Cassandra is stopped and started three times: {ONCE}", kinds=BOTH)
def restart_cassandra(case):
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    for _ in range(3):
        case.busy(2, 4)
        case.stack.stop("onprem")
        case.stack.start("onprem")
        case.stack.wait_for_session()
    verdict = case.judge(agent)
    _tells_of_own_tables(agent, verdict)
    return verdict


@scenario("node-cdc-off", "Cassandra is restarted with cdc_enabled: false, and on again: both are told within 45 s of the node's answers, and no watermark covers what it wrote in between", kinds=BOTH, spoils=True)
def node_cdc_off(case):
    case.schema = "cql"
    agent = case.prepare().agent("--schema-refresh-interval-ms", 2000).start()
    case.writers.start()
    case.busy(3, 4)
    case.writers.stop()
    case.caught_up(agent)
    _restarted_with_cdc(case, "false")
    wait_for(lambda: len(_of_node_cdc(case)) == 1, "the agent to say that CDC is off", 45, agent)
    case.stack.session().execute(f"INSERT INTO {case.ks}.plain (id, v) VALUES ('unseen', 'v')")
    unseen = now_us()
    # Some heartbeats.
    beats = len(_marks(case))
    wait_for(lambda: len(_marks(case)) > beats + 20, "heartbeats", 30, agent)
    _restarted_with_cdc(case, "true")
    wait_for(lambda: len(_of_node_cdc(case)) == 2, "the agent to say that CDC is on again", 45, agent)
    told = _of_node_cdc(case)[1]["ts_ms"] * 1000
    verdict = case.judge(agent, content=False)
    early = [mark for place in _marks_by_place(case).values() for mark, at in place if at < told and mark >= unseen]
    if early:
        verdict.fault("watermark covers what is in no segment", early[0])
    _tells_of_own_tables(agent, verdict)
    return verdict


@scenario("node-cdc-blink", "Cassandra is restarted with cdc_enabled: false, takes one write, and is restarted with true at once, between two looks at the schema: both are told, and the watermark stands still in between", kinds=BOTH, spoils=True)
def node_cdc_blink(case):
    """The agent looks at the schema every minute: between two looks the node was away twice."""
    case.schema = "cql"
    agent = case.prepare().agent().start()
    case.writers.start()
    case.busy(3, 4)
    case.writers.stop()
    case.caught_up(agent)
    _restarted_with_cdc(case, "false")
    case.stack.session().execute(f"INSERT INTO {case.ks}.plain (id, v) VALUES ('unseen', 'v')")
    _restarted_with_cdc(case, "true")
    wait_for(lambda: len(_of_node_cdc(case)) == 2, "the agent to say that CDC was off", 45, agent)
    off, on = (value["ts_ms"] * 1000 for value in _of_node_cdc(case))
    case.note(f"told as off for {(on - off) / 1e6:.1f} s")
    verdict = case.judge(agent, content=False)
    early = [mark for place in _marks_by_place(case).values() for mark, at in place if off < at < on and mark > off]
    if early:
        verdict.fault("watermark covers what is in no segment", early[0])
    return verdict


def _tells_of_own_tables(agent, verdict):
    """A node that starts drops its own tables and makes them anew: nobody wants to hear of it."""
    for line in agent.said().splitlines():
        if re.search(r"schema, in the log at \S+ system", line):
            verdict.fault("Cassandra's own tables are told of", line)


def _restarted_with_cdc(case, value):
    case.stack.stop("onprem")
    case.stack.start("onprem", "--set", f"onprem.cdc_enabled={value}")
    case.stack.wait_for_session()


def _of_node_cdc(case):
    return [value for value in case.control() if value["type"] == "gap" and "cdc_enabled" in value["evidence"]]


def _marks_by_place(case):
    """(wm_us, when it was sent in µs) of the heartbeats of each partition."""
    beats = ((place, [record.value for record in found if record.value["op"] == "m"]) for place, found in checker.changes(case.records()))
    return {place: [(value["wm_us"], value["ts_ms"] * 1000) for value in values if value["wm_us"] is not None] for place, values in beats}


def _marks(case):
    return [mark for place in _marks_by_place(case).values() for mark in place]


@scenario("away", f"the agent is away while Cassandra is restarted twice: {ONCE}", kinds=BOTH)
def away(case):
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.busy(3, 4)
    agent.kill()
    for _ in range(2):
        case.stack.stop("onprem")
        case.stack.start("onprem")
        case.stack.wait_for_session()
        case.busy(3, 4)
    agent.start()
    return case.judge(agent)


@scenario("emptied", "cdc_raw is emptied while the agent is away: the lost segments are named within 10 s of the start", kinds=BOTH, spoils=True)
def emptied(case):
    agent = _away_behind(case)
    gone = _removed(case)
    agent.start()
    return _named(case, agent, gone)


@scenario("emptied-stopped", "cdc_raw is emptied while agent and node are stopped, and the node goes on first: the lost segments are named within 10 s of the start", kinds=BOTH, spoils=True)
def emptied_stopped(case):
    """Nothing of what is gone is there when the agent starts, no index either: it knows what it saw before."""
    agent = _away_behind(case)
    case.stack.stop("onprem")
    gone = _removed(case)
    case.stack.start("onprem")
    case.stack.wait_for_session()
    case.busy(3, 4)
    agent.start()
    return _named(case, agent, gone)


def _away_behind(case):
    """An agent that is killed, and segments that it has not read."""
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.busy(4, 5)
    case.caught_up(agent)
    agent.kill()
    case.busy(8, 10)
    return agent


def _removed(case):
    """Empties cdc_raw; the ids of the segments of which that is a loss."""
    names, indexes = listing(case.stack.cdc_raw)
    gone = sorted(int(name.split("-")[2].split("_")[0]) for name in indexes)
    for name in names:
        (case.stack.cdc_raw / name).unlink()
    case.note(f"{len(names)} files were removed, with an index: segments {gone}")
    return gone


def _named(case, agent, gone):
    time.sleep(10)
    gaps = [(int(value["first"]), int(value["last"])) for value in case.control() if value["type"] == "gap"]
    case.note(f"{'runs' if agent.running else f'ended with {agent.code}'}; gaps in the control topic: {gaps}; last words: {last_line(agent)}")
    unnamed = [number for number in gone if not any(first <= number <= last for first, last in gaps)]
    if unnamed:
        raise Failed(f"of the lost segments {gone} these are in no gap: {unnamed}; {agent.said()[-1500:]}")
    return _nothing_invented(case, agent)


@scenario("unmounted", "cdc_raw is unmounted and another directory is under it: said within 10 s, nothing is made in it, and it goes on when it is back", kinds=BOTH, needs=("mount",), spoils=True)
def unmounted(case):
    """The agent sees the directory through a bind mount, as a container does."""
    case.prepare(**FULL)
    place = case.folder / "mounted"
    place.mkdir()
    subprocess.run(["mount", "--bind", case.stack.cdc_raw, place], check=True)
    case.ends.append(lambda: subprocess.run(["umount", "-l", place], check=False, stderr=subprocess.DEVNULL))
    agent = case.agent(cdc_raw=place).start()
    case.writers.start()
    case.busy(3, 4)
    case.caught_up(agent)
    subprocess.run(["umount", "-l", place], check=True)
    before = len(agent.said())

    def told():
        return [line for line in agent.said()[before:].splitlines() if f" error {place} is not the directory that was opened" in line]

    wait_for(told, f"an error that names {place}", 10, agent)
    case.note(f"told: {told()[0][-300:]}")
    if len(told()) != 1:
        raise Failed(f"it is told {len(told())} times")
    asked = pages.status(agent)
    if asked["is_ready"] or asked["phase"] != "waiting_for_directory" or not any(str(place) in reason["text"] for reason in asked["reasons"]):
        raise Failed(f"/status says {asked['phase']}, ready {asked['is_ready']}, because of {asked['reasons']}")
    answers = {path: pages.get(agent, path)[0] for path in ("/readyz", "/livez", "/")}
    if answers != {"/readyz": 503, "/livez": 200, "/": 200}:
        raise Failed(f"while cdc_raw is away it answers {answers}")
    # What is made in it would be made with the next look, of which there are some in this time.
    time.sleep(3)
    if any(place.iterdir()):
        raise Failed(f"files were made in the directory below: {list(place.iterdir())}")
    subprocess.run(["mount", "--bind", case.stack.cdc_raw, place], check=True)
    return case.judge(agent)


def _nothing_invented(case, agent):
    """A loss was made on purpose: everything that is there must be right, and there once."""
    case.writers.stop()
    case.caught_up(agent)
    seen = pages.look(agent)
    writes = workload.read(case.folder / "journal")
    case.rules.forgotten = (0, now_us())
    records = case.output.finish()
    verdict = checker.check(writes, records, case.rules)
    pages.compare(seen, records, agent.started_us, verdict, case.rules)
    return verdict


@scenario("rotation", f"small segments and a small cdc_total_space, the agent keeps up: {ONCE}", kinds=BOTH,
          settings=("onprem.commitlog_segment_size=1MiB", "onprem.cdc_total_space=12MiB", "onprem.commitlog_sync_period=1s"))  # fmt: skip
def rotation(case):
    agent = case.prepare(padding=6000, rate=400).agent().start()
    case.writers.start()
    case.busy(20, 25)
    verdict = case.judge(agent)
    case.note(f"{len(case.watch.seen)} segments")
    if len(case.watch.seen) < 10:
        raise AssertionError("there were too few segments to say anything")
    return verdict


FULL_MIB = 12


@scenario("full", f"cdc_total_space fills: the agent warns at 50, 75 and 90 % and when it is full, and says what Cassandra does; Cassandra refuses writes, also while the agent is away, and takes them when it deletes segments: {ONCE}", kinds=BOTH, spoils=True,
          settings=("onprem.commitlog_segment_size=1MiB", f"onprem.cdc_total_space={FULL_MIB}MiB", "onprem.commitlog_sync_period=1s"))  # fmt: skip
def full(case):
    """An agent that keeps finished segments lets it fill while it runs."""
    case.prepare(padding=6000, rate=200)
    limit = ("--cdc-total-space-mb", FULL_MIB)
    keeps = case.agent(*limit, "--finished-segments", "keep").start()
    case.writers.start()
    wait_for(lambda: _refused(case), "Cassandra to refuse a write", 120, keeps)
    # The size is taken once a second.
    wait_for(lambda: pages.metrics(keeps).one("cdc_raw_full") == 1, "cdc_raw_full", 10, keeps)
    headline = pages.status(keeps)["headline"]
    if headline != {"level": "bad", "text": "cdc_raw is full: Cassandra refuses writes to tables with CDC"}:
        raise Failed(f"the status page says {headline}")
    told = [re.sub(r"^\S+Z ", "", line) for line in keeps.said().splitlines() if " cdc_raw is " in line]
    begins = [r"warn  cdc_raw is 50 % full, full in \d+ s; when it is full", r"warn  cdc_raw is 75 % full, full in \d+ s; when it is full", r"error cdc_raw is 90 % full(, full in \d+ s)?; when it is full",
              rf"error cdc_raw is full, \d+ of {FULL_MIB << 20} bytes"]  # fmt: skip
    if len(told) != len(begins) or not all(re.match(f"{begin}: {REFUSES}", line) for begin, line in zip(begins, told, strict=True)):
        raise Failed(f"it warns so: {told}")
    keeps.kill()
    before = _refused(case)
    case.busy(4, 5)
    away = _refused(case) - before
    if away < 1:
        raise AssertionError("Cassandra refused no write while the agent was away: nothing was tried")
    agent = case.agent(*limit, log="deletes.log").start()
    case.caught_up(agent)
    case.busy(3, 4)
    verdict = case.judge(agent)
    case.note(f"{before} writes were refused beside an agent that kept segments, {away} without one")
    return verdict


# What the agent says that Cassandra does when it is full.
REFUSES = r"Cassandra refuses every write to a table with CDC on this node: clients see WriteFailure \(0x1500"


def _refused(case):
    """Writes that Cassandra refused because there is no room: the node answers so, and nobody else does."""
    return sum("WriteFailure" in write.get("maybe", "") for write in workload.read(case.folder / "journal").values())


@scenario("spool", f"Kafka is away for longer than cdc_total_space lasts, with a spool, and the agent is killed while it fills: Cassandra refuses no write; {ONCE}",
          spoils=True, settings=("onprem.commitlog_segment_size=1MiB", "onprem.cdc_total_space=16MiB", "onprem.commitlog_sync_period=1s"))  # fmt: skip
def spool(case):
    place = case.folder / "spool"
    agent = case.prepare(padding=6000, rate=200).agent("--cdc-total-space-mb", 16, "--spool-dir", place, "--spool-min-free-mb", 100).start()
    case.watch.spool = place
    case.writers.start()
    case.caught_up(agent)
    case.stack.stop("kafka")
    for name in ("move_linked:1", "move_segment_gone:2", "move_linked:3"):
        agent.kill()
        agent.start(CDC_AGENT_FAILPOINT=name)
        if agent.wait(90) != -signal.SIGABRT:
            raise Failed(f"at {name} it ended with {agent.code}: {agent.said()[-1000:]}")
    # Kafka is not there when it starts: it waits.
    agent.start()

    def held():
        """Bytes in the spool, from which the agent removes files meanwhile."""
        total = 0
        for path in place.iterdir():
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    wait_for(lambda: held() > 24 << 20, "more to wait than cdc_raw can hold", 120, agent)
    waits = pages.status(agent)
    if waits["phase"] != "waiting_for_kafka" or waits["directory"]["spool_bytes"] < 20 << 20:
        raise Failed(f"/status says {waits['phase']}, and {waits['directory']}")
    case.stack.start("kafka")
    wait_for(lambda: held() == 0, "the spool to be empty", 120, agent)
    case.busy(2, 3)
    verdict = case.judge(agent)
    refused = [write for write in workload.read(case.folder / "journal").values() if "acked_us" not in write]
    if refused:
        verdict.fault("refused writes", f"{len(refused)}: {refused[0]}"[:500])
    for words in ("go to the spool", "the spool is empty again"):
        if words not in agent.log.read_text():
            verdict.fault("spool", f"the log does not say: {words}")
    return verdict


def format_(name, what, settings, options=(), **more):
    @scenario(f"format-{name}", f"{what}, killed twice: {ONCE}", kinds=BOTH, settings=settings, options=options, **more)
    def run(case):
        if "encrypted" in name:
            case.extra += ["--commitlog-key-hex-file", KEYS / "aes128.key.hex"]
        case.rules.begins = True
        agent = case.prepare(**FULL).agent().start()
        case.writers.start()
        for _ in range(2):
            case.busy(3, 5)
            agent.kill()
            agent.start()
        case.busy(3, 4)
        return case.judge(agent)


FIVE = ("onprem.version=5.0",)


def compressed(name):
    return (*SMALL, f'onprem.commitlog_compression=[{{"class_name": "{name}"}}]')


def encrypted():
    parameters = {"keystore": str(KEYS / "keystore.jceks"), "keystore_password": "throw-away", "store_type": "JCEKS", "key_password": "throw-away"}
    provider = {"class_name": "org.apache.cassandra.security.JKSKeyProvider", "parameters": [parameters]}
    options = {
        "enabled": True, "chunk_length_kb": 2, "cipher": "AES/CBC/PKCS5Padding", "key_alias": "fixture:1", "key_provider": [provider],
    }  # fmt: skip
    return (*SMALL, f"onprem.transparent_data_encryption_options={json.dumps(options)}")


format_("lz4", "LZ4 segments", compressed("LZ4Compressor"))
format_("zstd", "Zstandard segments", compressed("ZstdCompressor"))
format_("encrypted", "encrypted segments", encrypted())
format_("5.0", "Cassandra 5.0", SMALL, FIVE)
format_("5.0-direct", "Cassandra 5.0 with direct I/O", (*SMALL, "onprem.commitlog_disk_access_mode=direct", "onprem.storage_compatibility_mode=NONE"), FIVE)


