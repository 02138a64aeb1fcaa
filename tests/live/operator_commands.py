"""Scenarios in which an operator works on an agent: asks it, and goes back in its checkpoint while it is stopped."""

import json
import subprocess
from collections import Counter

from agent import environment, program
from agent_faults import BOTH, FULL
from case import Failed
from checker import changes
from node import listing
from registry import scenario


def command(case, *words, code=0):
    """A command with the agent's own options; what it printed."""
    line = [program(), *words, *case.options()]
    done = subprocess.run([str(word) for word in line], env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise Failed(f"{' '.join(words)}: exit code {done.returncode}, not {code}: {done.stdout[-500:]}{done.stderr[-1000:]}")
    return done.stdout


def event_ids(case):
    """How often each event stands in the output."""
    records = [record for _, found in changes(case.records()) for record in found if record.value["op"] != "m"]
    return Counter(record.headers["event_id"] for record in records)


@scenario("go-back", "an operator goes back to the start of the oldest segment: what is read again comes again with equal event ids, nothing else does", kinds=BOTH)
def go_back(case):
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.busy(3, 4)
    case.caught_up(agent)
    shown = json.loads(command(case, "checkpoint", "show", "--json"))
    if "running agent" not in shown["from"]:
        raise Failed(f"the running agent was not asked: {shown['from']}")
    status = subprocess.run([program(), "status", "--json", "--state-dir", case.state], capture_output=True, text=True, check=False, env=environment())
    if status.returncode != 0 or not json.loads(status.stdout)["is_ready"]:
        raise Failed(f"status: {status.returncode} {status.stdout[-500:]}{status.stderr}")
    command(case, "parked", "list", "--json")
    names, _ = listing(case.stack.cdc_raw)
    oldest = min(int(name.rsplit("-", 1)[1].removesuffix(".log")) for name in names if name.endswith(".log"))
    command(case, "checkpoint", "rewind", "--to", f"{oldest}:0:0", "--yes", code=7)
    case.writers.stop()
    case.caught_up(agent)
    if agent.stop() != 0:
        raise Failed(f"stopped, the agent ended with {agent.code}")
    names, _ = listing(case.stack.cdc_raw)
    oldest = min(int(name.rsplit("-", 1)[1].removesuffix(".log")) for name in names if name.endswith(".log"))
    before = event_ids(case)
    stored = json.loads(command(case, "checkpoint", "show", "--json"))
    said = command(case, "checkpoint", "rewind", "--to", f"{oldest}:0:0")
    if "nothing was changed" not in said or json.loads(command(case, "checkpoint", "show", "--json")) != stored:
        raise Failed(f"without --yes: {said}")
    command(case, "checkpoint", "rewind", "--to", f"{oldest}:0:0", "--yes")
    if f"{oldest}:0:0" not in command(case, "checkpoint", "show"):
        raise Failed("it was not gone back")
    case.rules.repeats = True
    verdict = case.judge(agent.start())
    again = Counter(event_ids(case))
    again.subtract(before)
    came = sum(1 for identity in before if again[identity] > 0)
    case.note(f"{came} of {len(before)} events came again")
    if not came:
        verdict.fault("rewind", "nothing came again")
    if any(count > 1 for identity, count in again.items() if identity in before):
        verdict.fault("rewind", "an event came again more than once")
    if [value["to"] for value in case.control() if value["type"] == "rewind"] != [f"{oldest}:0:0"]:
        verdict.fault("rewind", "the control topic does not say so once")
    return verdict
