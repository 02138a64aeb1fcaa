"""Scenarios in which something happens to the agent itself, or to what it keeps."""

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time

from agent import replay
from case import Failed
from checker import changes
from node import listing
from output import FileOutput
from registry import scenario

ONCE = "exactly once"
BOTH = ("kafka", "file")
# Segments that fill in seconds.
FULL = {"padding": 3000, "rate": 250}


@scenario("steady", f"no fault: {ONCE}", kinds=BOTH, short=True)
def steady(case):
    case.rules.begins = True
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.busy(8, 10)
    if case.kind == "kafka":
        case.metrics |= {"cdc_txn_aborts_total": (0, 0), "cdc_txn_indeterminate_total": (0, 0), "cdc_kafka_reachable": (1, 1), "cdc_txn_commits_total": (1, 10_000)}
    return case.judge(agent)


@scenario("backlog", f"an agent that starts when the writes are over: {ONCE}", kinds=BOTH)
def backlog(case):
    case.prepare(**FULL).writers.start()
    case.busy(8, 10)
    agent = case.agent().start()
    return case.judge(agent)


def killed(case, kills, *options):
    case.rules.begins = "at-least-once" not in options
    agent = case.prepare(**FULL).agent(*options).start()
    case.writers.start()
    for _ in range(kills):
        case.busy(0.05, 3)
        agent.check_running()
        agent.kill()
        case.busy(0, 0.5)
        agent.start()
    case.note(f"{kills} kills")
    return case.judge(agent)


@scenario("kill-agent", f"SIGKILL at 3 random moments: {ONCE}", kinds=BOTH, short=True)
def kill_agent(case):
    return killed(case, 3)


@scenario("kill-agent-often", f"SIGKILL at 20 random moments: {ONCE}", kinds=BOTH)
def kill_agent_often(case):
    return killed(case, 20)


@scenario("kill-agent-at-least-once", "SIGKILL at 8 random moments with at-least-once: nothing lost; repeats are allowed")
def kill_agent_at_least_once(case):
    case.rules.repeats = True
    return killed(case, 8, "--delivery", "at-least-once")


@scenario("second-agent", "a second agent on the same directory ends with exit code 7, the first one goes on", kinds=BOTH, short=True)
def second_agent(case):
    agent = case.prepare().agent().start()
    case.writers.start()
    case.busy(2, 3)
    case.caught_up(agent)
    for state in (case.state, case.folder / "state-2"):
        state.mkdir(exist_ok=True)
        second = case.agent(log="second.log", state=state).start()
        code = second.wait(60)
        if code != 7:
            raise Failed(f"the second agent ended with {code}: {second.said()[-1000:]}")
    case.note("exit code 7 with the same state directory and with another one")
    return case.judge(agent)


@scenario("zombie", f"an agent that was stopped (SIGSTOP) while another took over ends with exit code 7: {ONCE}")
def zombie(case):
    """The volume was moved to another machine while the first agent hung: there is no lock between the two, so Kafka keeps the first one out."""
    first = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.caught_up(first)
    case.busy(1, 3)
    first.signal(signal.SIGSTOP)
    case.busy(2, 3)
    case.writers.stop()
    case.stack.nodetool("drain")
    case.stack.stop("onprem")
    moved, state = case.folder / "cdc_raw", case.folder / "state-2"
    shutil.copytree(case.stack.cdc_raw, moved)
    state.mkdir()
    second = case.agent("--until-empty", log="second.log", cdc_raw=moved, state=state).start()
    code = second.wait(120)
    if code != 0:
        raise Failed(f"the second agent ended with {code}: {second.said()[-1500:]}")
    first.signal(signal.SIGCONT)
    code = first.wait(90)
    if code != 7:
        raise Failed(f"the zombie ended with {code}: {first.said()[-1500:]}")
    case.note("the second agent published the rest; the zombie ended with exit code 7")
    case.stack.start("onprem")
    case.stack.wait_for_session()
    return case.judge(first.start())


@scenario("paused", f"an agent that was stopped (SIGSTOP) for longer than a transaction lives: {ONCE}")
def paused(case):
    agent = case.prepare().agent().start()
    case.writers.start()
    case.busy(3, 4)
    for seconds in (5, 40):
        agent.signal(signal.SIGSTOP)
        time.sleep(seconds)
        agent.signal(signal.SIGCONT)
        case.busy(2, 3)
        if not agent.running:
            case.note(f"after {seconds} s it ended with {agent.code} and was started again")
            if agent.code not in (6, 7):
                raise Failed(f"ended with {agent.code}: {agent.said()[-1500:]}")
            agent.start()
    return case.judge(agent)


@scenario("state-lost", f"the state directory is lost while the agent is away: {ONCE}")
def state_lost(case):
    return damaged(case, "lost")


@scenario("state-torn", f"files of the state directory are cut, emptied, overwritten while the agent is away: {ONCE}, or a refusal that says what to do")
def state_torn(case):
    return damaged(case, "torn")


def damaged(case, how):
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    for round_ in range(4):
        case.busy(2, 4)
        agent.kill()
        files = sorted(path for path in case.state.rglob("*") if path.is_file())
        if how == "lost":
            shutil.rmtree(case.state)
            case.state.mkdir()
        else:
            for path in files:
                tear(case, path)
        case.note(f"{how}: {[path.name for path in files]}")
        agent.start()
        agent.wait_until_settled()
        if not agent.running:
            case.note(f"ended with {agent.code}: {last_line(agent)}; the files were removed")
            if agent.code not in (2, 3, 4, 6):
                raise Failed(f"round {round_}: ended with {agent.code}: {agent.said()[-1500:]}")
            shutil.rmtree(case.state)
            case.state.mkdir()
            agent.start()
    return case.judge(agent)


def tear(case, path):
    size = path.stat().st_size
    how = case.random.choice(["cut", "empty", "noise"])
    if how == "noise" and size:
        data = bytearray(path.read_bytes())
        at = case.random.randrange(size)
        data[at : at + 16] = case.random.randbytes(len(data[at : at + 16]))
        path.write_bytes(data)
    else:
        os.truncate(path, case.random.randrange(size) if how == "cut" and size else 0)


def last_line(agent):
    lines = [line for line in agent.said().splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def mounted(case, options):
    """The state directory as a file system of its own."""
    case.state.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", case.state], check=True)
    case.ends.append(lambda: subprocess.run(["umount", "-l", case.state], check=False))


def can_mount():
    return os.geteuid() == 0


@scenario("state-full", f"no room in the state directory: the agent goes on or says why not, and after room was made: {ONCE}", needs=("mount",))
def state_full(case):
    case.prepare(**FULL)
    mounted(case, "size=1m")
    agent = case.agent().start()
    case.writers.start()
    case.caught_up(agent)
    filler = case.state / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    case.busy(8, 10)
    case.note("it goes on" if agent.running else f"it ended with {agent.code}: {last_line(agent)}")
    if agent.running:
        agent.kill()
        agent.start()
        agent.wait_until_settled()
        case.note("it starts with a full one, too" if agent.running else f"it does not start: {agent.code}: {last_line(agent)}")
    filler.unlink()
    if not agent.running:
        agent.start()
    return case.judge(agent)


@scenario("state-read-only", f"the state directory becomes read-only: the agent goes on or says why not: {ONCE}", needs=("mount",))
def state_read_only(case):
    case.prepare(**FULL)
    mounted(case, "size=4m")
    agent = case.agent().start()
    case.writers.start()
    case.caught_up(agent)
    subprocess.run(["mount", "-o", "remount,ro", case.state], check=False)
    case.busy(8, 10)
    case.note("it goes on" if agent.running else f"it ended with {agent.code}: {last_line(agent)}")
    agent.kill()
    agent.start()
    agent.wait_until_settled()
    case.note("it starts with it, too" if agent.running else f"it does not start: {agent.code}: {last_line(agent)}")
    subprocess.run(["mount", "-o", "remount,rw", case.state], check=False)
    if not agent.running:
        agent.start()
    return case.judge(agent)


@scenario("file-size-limit", f"files cannot grow (RLIMIT_FSIZE): exit code 6, and without the limit {ONCE}", kinds=("file",))
def file_size_limit(case):
    def limits():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    agent = case.prepare(**FULL).agent(limits=limits).start()
    case.writers.start()
    code = agent.wait(90)
    if code != 6:
        raise Failed(f"ended with {code}: {agent.said()[-1500:]}")
    case.note(f"exit code 6: {last_line(agent)}")
    agent.limits = None
    agent.start()
    return case.judge(agent)


@scenario("written", f"visibility written, no fault: {ONCE}", kinds=BOTH)
def written(case):
    return visible(case, "written")


@scenario("synced", f"visibility synced, no fault: {ONCE}", kinds=BOTH)
def synced(case):
    return visible(case, "synced")


def visible(case, word):
    agent = case.prepare(**FULL).agent("--visibility", word).start()
    case.writers.start()
    case.busy(6, 8)
    agent.kill()
    agent.start()
    case.busy(3, 4)
    return case.judge(agent)


@scenario("as-replay", "finished segments are kept: replay makes the same records of them, in the same order", kinds=("file",), spoils=True)
def as_replay(case):
    agent = case.prepare(**FULL).agent("--finished-segments", "keep").start()
    case.writers.start()
    case.busy(5, 7)
    agent.kill()
    agent.start()
    case.busy(2, 3)
    verdict = case.judge(agent, folder=False)
    node, again = case.stack.service("onprem"), case.folder / "replayed"
    more = ["--prefix", case.prefix, "--keyspace", case.ks, "--host-id", case.host_id, "--cluster", node["cluster"], "--dc", node["dc"]]
    replay([case.stack.cdc_raw], case.folder / "schema.json", again, *more)
    live, replayed = (dict(content(found)) for found in (case.output.read(), FileOutput(again).read()))
    for place in sorted(set(live) | set(replayed)):
        if live.get(place) != replayed.get(place):
            verdict.fault("not as replay", f"{place}: {len(live.get(place, []))} records, {len(replayed.get(place, []))} by replay")
    return verdict


def content(records):
    """Changes by place, without what tells a run from another: the time of processing, and how it was read."""
    for place, found in changes(records):
        kept = [record for record in found if record.value["op"] != "m"]
        yield place, [(record.key, {**record.value, "ts_ms": 0, "source": {**record.value["source"], "replay": None, "visibility": None}}) for record in kept]


@scenario("until-empty", "run --until-empty publishes everything after nodetool drain, and ends with 0", kinds=BOTH, spoils=True)
def until_empty(case):
    case.prepare(**FULL).writers.start()
    case.busy(5, 6)
    case.writers.stop()
    case.stack.nodetool("drain")
    case.stack.stop("onprem")
    agent = case.agent("--until-empty").start()
    code = agent.wait(120)
    if code != 0:
        raise Failed(f"ended with {code}: {agent.said()[-1500:]}")
    left = [name for name, text in listing(case.stack.cdc_raw)[1].items() if "COMPLETED" in text]
    if left:
        raise Failed(f"it ended with 0 and left {left}")
    case.stack.start("onprem")
    case.stack.wait_for_session()
    # Segments that the node had made ahead and never used are left for the next agent.
    return case.judge(folder=False)


