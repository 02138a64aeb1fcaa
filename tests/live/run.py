#!/usr/bin/env python3
"""The live agent beside real Cassandra and real Kafka, which this starts and stops, under faults. Each scenario writes, breaks something, and gives
what consumers see to the history checker.

    tests/live/run.py [--only NAME[/KIND],…] [--short] [--kind kafka|file] [--seed N] [--rounds N] [--json FILE] [--keep] [--list]

The program is CDC_AGENT_BIN, or target/debug/cdc-agent. Needs the packages of tests/requirements.txt: `make test-live` and `make test-faults` run it.
Exit code 1 when a scenario fails. `--keep` keeps the folder of each one that fails.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

import agent_faults
import all_types  # noqa: F401
import cluster_faults  # noqa: F401
import failpoints  # noqa: F401 registers scenarios
import finished_segments  # noqa: F401
import kafka_faults  # noqa: F401
import node_faults  # noqa: F401
import operator_commands  # noqa: F401
import report
import schema_faults  # noqa: F401
import secrecy  # noqa: F401
import snapshots  # noqa: F401
import upgrades  # noqa: F401
from agent import program
from case import Case, Failed
from node import Stack
from registry import SCENARIOS

def lacking(scenario):
    """Why it cannot run here; None when it can."""
    if "mount" in scenario.needs and not agent_faults.can_mount():
        return "needs root, to mount"
    return None


class Runner:
    """Runs scenarios one after the other, on one stack as long as the next one wants the same."""

    def __init__(self, arguments):
        self.arguments, self.folder = arguments, Path(tempfile.mkdtemp(prefix="cdc-agent-live-"))
        self.stack, self.wanted, self.results, self.number = None, None, [], 0

    def close(self):
        self._down()
        if not (self.arguments.keep and any(result["verdict"] != "pass" for result in self.results)):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _down(self):
        if self.stack is not None:
            self.stack.down()
            self.stack = self.wanted = None

    def _stack(self, scenario, kind):
        # Every kind of stack has the broker: it costs two seconds, and switching costs more.
        wanted = (scenario.settings, scenario.options)
        if self.stack is None or self.wanted != wanted:
            self._down()
            self.number += 1
            self.stack, self.wanted = Stack(self.folder / f"stack-{self.number}", *wanted, owner=os.getpid()), wanted
        return self.stack

    def run(self, scenario, kind, seed):
        began = time.monotonic()
        print(f"{scenario.name}/{kind} (seed {seed}) …", flush=True)
        case, verdict, text = None, "broken", ""
        try:
            case = Case(self._stack(scenario, kind), self.folder / f"{scenario.name}-{kind}-{seed}", scenario.name, seed, kind)
            found = scenario.run(case)
            verdict, text = "pass" if found.ok else "FAIL", found.summary()
        except Failed as error:
            verdict, text = "FAIL", str(error)
        except Exception:  # noqa: BLE001 one scenario that breaks down does not end the others
            text = traceback.format_exc()[-4000:]
        finally:
            try:
                if case is not None:
                    case.end()
            except Exception:  # noqa: BLE001
                verdict, text = "broken", text + traceback.format_exc()[-2000:]
        seconds = time.monotonic() - began
        result = {
            "scenario": scenario.name, "kind": kind, "seed": seed, "verdict": verdict, "seconds": round(seconds, 1), "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "said": text, "notes": case.notes if case else [], "cpu_s": round(sum(agent.cpu_s for agent in case.agents), 1) if case else None,
            "rss_anon": max((agent.rss_anon for agent in case.agents), default=0) if case else None,
        }  # fmt: skip
        self.results.append(result)
        for note in result["notes"]:
            print(f"    {note}")
        print(f"  {verdict} in {seconds:.0f} s: {text}", flush=True)
        if verdict != "pass" or scenario.spoils:
            if verdict != "pass" and self.arguments.keep:
                print(f"    kept: {case.folder if case else self.folder}")
            self._down()
        if case is not None and not (verdict != "pass" and self.arguments.keep):
            shutil.rmtree(case.folder, ignore_errors=True)
        if self.arguments.json:
            self._write()

    def _write(self):
        """Adds the last result to what the file knows (report.py)."""
        path = Path(self.arguments.json)
        known = report.add(report.load(path), {**self.results[-1], "said": self.results[-1]["said"].replace(str(self.folder), "…")})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def chosen(arguments):
    """[(scenario, kind)] in an order in which few stacks are needed."""
    pairs = [(scenario, kind) for scenario in SCENARIOS.values() for kind in scenario.kinds]
    if arguments.only:
        wanted = arguments.only.split(",")
        unknown = {word.split("/")[0] for word in wanted} - set(SCENARIOS)
        if unknown:
            sys.exit(f"no such scenario: {', '.join(sorted(unknown))}; --list shows them")
        pairs = [(scenario, kind) for scenario, kind in pairs if scenario.name in wanted or f"{scenario.name}/{kind}" in wanted]
    elif arguments.short:
        pairs = [(scenario, kind) for scenario, kind in pairs if scenario.short and kind == scenario.kinds[0]]
    else:
        pairs = [(scenario, kind) for scenario, kind in pairs if not scenario.long]
    if arguments.kind:
        pairs = [(scenario, kind) for scenario, kind in pairs if kind == arguments.kind]
    for scenario, kind in [pair for pair in pairs if lacking(pair[0])]:
        print(f"{scenario.name}/{kind} is left out: {lacking(scenario)}")
    pairs = [pair for pair in pairs if not lacking(pair[0])]
    return sorted(pairs, key=lambda pair: (pair[0].settings, pair[0].options, pair[0].spoils))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--kind", choices=("kafka", "file"))
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10**6))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name} ({', '.join(scenario.kinds)}{', short' if scenario.short else ', long' if scenario.long else ''}): {scenario.promise}")
        return 0
    version = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}, seed {arguments.seed}")
    runner = Runner(arguments)
    try:
        for seed in range(arguments.seed, arguments.seed + arguments.rounds):
            for scenario, kind in chosen(arguments):
                runner.run(scenario, kind, seed)
    finally:
        runner.close()
    bad = [f"{result['scenario']}/{result['kind']} (seed {result['seed']})" for result in runner.results if result["verdict"] != "pass"]
    print(f"{len(runner.results) - len(bad)} of {len(runner.results)} passed{'; not: ' + ', '.join(bad) if bad else ''}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
