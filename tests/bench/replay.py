#!/usr/bin/env python3
"""Measures `cdc-agent replay` as a program: its memory, and what a second job brings.

Replays the corpora that run.py made, with one job and with two, to nowhere (--dry-run), into a file log and to standard
output, and prints the most anonymous memory of each. Then pairs of --dry-run with one job and with two, taking turns:
the ratio of their times, and the processor time that each took. See README.md beside this file.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memory import Memory

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = ["dry-run", "file log", "stdout"]
JOBS = [1, 2]


def build():
    """The program, as a release has it."""
    command = ["cargo", "build", "--release", "--locked", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "cdc-agent"][-1]


def processor_seconds():
    """What children that have ended used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def replay(program, corpus, output, jobs, scratch):
    """One run: seconds, processor seconds and the most anonymous memory in MiB."""
    command = [program, "replay", str(corpus), "--schema", str(corpus / "schema.json"), "--jobs", str(jobs), "--quiet"]
    folder = tempfile.TemporaryDirectory(dir=scratch)
    command += {"dry-run": ["--dry-run"], "file log": ["--out", f"{folder.name}/log"], "stdout": ["--out", "-"]}[output]
    with folder:
        started, used = time.monotonic(), processor_seconds()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        memory = Memory(process.pid)
        if process.wait():
            raise SystemExit(f"replay.py: {' '.join(command)} failed with code {process.returncode}")
        seconds = time.monotonic() - started
    return {"seconds": seconds, "processor_seconds": processor_seconds() - used, "peak_rss_anon_mib": memory.peak_kib / 1024}


def second_job(program, corpus, pairs, scratch):
    """How many times as fast two jobs are as one: the ratios of pairs that ran one after the other."""
    ratios = []
    used = {jobs: [] for jobs in JOBS}
    for number in range(-1, pairs):
        runs = {jobs: replay(program, corpus, "dry-run", jobs, scratch) for jobs in JOBS}
        if number >= 0:
            ratios.append(runs[1]["seconds"] / runs[2]["seconds"])
            for jobs, run in runs.items():
                used[jobs].append(run["processor_seconds"])
    return {"ratios": ratios, "median": statistics.median(ratios), "processor_seconds": {jobs: statistics.median(all_) for jobs, all_ in used.items()}}


def main():
    parser = argparse.ArgumentParser(description="Measure replay: memory, and two jobs beside one.")
    parser.add_argument("--corpus", action="append", help="only this corpus; may be repeated")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "bench", help="where run.py made the corpora")
    parser.add_argument("--pairs", type=int, default=7, help="pairs of one job and two; 0 for none")
    parser.add_argument("--pairs-of", action="append", help="corpus for the pairs; default all-cdc and small-row")
    parser.add_argument("--program", help="a cdc-agent to measure instead of a release build")
    parser.add_argument("--out", type=Path, help="the JSON file; default replay.json in the folder")
    options = parser.parse_args()

    program = options.program or build()
    found = sorted(path.parent.name for path in options.folder.glob("*/schema.json"))
    kinds = options.corpus or found
    if not kinds:
        raise SystemExit(f"replay.py: no corpus in {options.folder}; make them with tests/bench/run.py --generate-only")
    report = {"cpus": os.cpu_count(), "load": [os.getloadavg()[0]], "runs": [], "second_job": {}}
    with tempfile.TemporaryDirectory(prefix="cdc-agent-bench-") as scratch:
        print(f"{'corpus':<12} {'output':<10} {'jobs':>4} {'RssAnon MiB':>12} {'seconds':>8}")
        for kind in kinds:
            for output in OUTPUTS:
                for jobs in JOBS:
                    run = replay(program, options.folder / kind, output, jobs, scratch)
                    report["runs"].append({"corpus": kind, "output": output, "jobs": jobs, **run})
                    print(f"{kind:<12} {output:<10} {jobs:>4} {run['peak_rss_anon_mib']:>12.1f} {run['seconds']:>8.2f}", flush=True)
        for kind in options.pairs_of or [kind for kind in ("all-cdc", "small-row") if kind in kinds]:
            if options.pairs > 0:
                pairs = report["second_job"][kind] = second_job(program, options.folder / kind, options.pairs, scratch)
                ratios = " ".join(f"{ratio:.2f}" for ratio in sorted(pairs["ratios"]))
                print(f"\n{kind}: --jobs 2 is {pairs['median']:.2f} times as fast as one (median of {ratios})")
                print(f"{kind}: processor seconds with one job {pairs['processor_seconds'][1]:.2f}, with two {pairs['processor_seconds'][2]:.2f}")
    report["load"].append(os.getloadavg()[0])
    out = options.out or options.folder / "replay.json"
    out.write_text(json.dumps(report, indent=1))
    print(f"\nload average {report['load'][0]:.1f} before, {report['load'][1]:.1f} after, on {report['cpus']} processors\nall numbers: {out}")


if __name__ == "__main__":
    sys.exit(main())
