#!/usr/bin/env python3
"""Measures the live agent beside a real Cassandra node and a real Kafka, which this starts and stops: `make bench-live`.

    tests/bench/live/run.py [--only backlog|latency|memory|idle]… [--rounds N] [--visibility WORD]… [--no-connector] [--quick] [--keep]
                            [--json FILE]

The program is CDC_AGENT_BIN, or target/release/cdc-agent, which is built. README.md beside this file says what is measured and how; the results of parts that
are not measured again stay in the file. Nothing else should run on the machine meanwhile; the table says how loaded it was.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import backlog
import connector
import latency
import peak
import table
from surroundings import ROOT, Stack, helper_program

PARTS = ("latency", "idle", "backlog", "memory")


def arguments():
    parser = argparse.ArgumentParser(description="Measure the live agent beside Cassandra and Kafka.")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="of the backlog")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether it works, not how fast")
    parser.add_argument("--visibility", action="append", choices=latency.VISIBILITIES, help="only the latency of this one; may be repeated")
    parser.add_argument("--no-connector", dest="connector", action="store_false", help="leave the connector's latency out")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and times")
    parser.add_argument("--json", type=Path, default=ROOT / ".cache" / "bench-live.json")
    options = parser.parse_args()
    options.rows = 30_000 if options.quick else 600_000
    options.seconds = 3 if options.quick else 12
    options.warm_up_seconds = 3 if options.quick else 45
    options.connector_seconds = 5 if options.quick else 30
    options.memory_bytes = (64 << 20) if options.quick else (2 << 30)
    options.idle_seconds = 5 if options.quick else 60
    return options


def measured(stack, folder, options, keep):
    """Gives what each part came to, to `keep`, as soon as it is known."""
    parts, segments = options.only or PARTS, folder / "segments"
    if "latency" in parts:
        keep("latency", latency.measure(stack, folder, options))
    if "idle" in parts:
        keep("idle", peak.idle(stack, folder, options.idle_seconds))
    if "backlog" in parts:
        keep("backlog", backlog.measure(stack, folder, options))
    if "memory" in parts:
        if not segments.exists():
            backlog.prepare(stack, segments, options.rows)
        keep("memory", peak.backlog(stack, folder, segments, options.memory_bytes))


def main():
    options = arguments()
    if "CDC_AGENT_BIN" not in os.environ:
        subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    helper_program()
    connector.jar()
    folder = Path(tempfile.mkdtemp(prefix="cdc-agent-bench-"))
    known = json.loads(options.json.read_text()) if options.json.exists() else {}
    before = os.getloadavg()[0]

    def keep(part, found):
        if part == "latency":
            found = latency.merged(known.get(part, {}).get("found", []), found)
        told = {"date": time.strftime("%Y-%m-%d", time.gmtime()), "cpus": os.cpu_count(), "load": [before, os.getloadavg()[0]], "quick": options.quick}
        known[part] = {"conditions": told, "found": found}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(known, indent=1) + "\n")

    stack = None
    try:
        stack = Stack(folder / "stack")
        measured(stack, folder, options, keep)
    finally:
        if stack is not None:
            stack.down()
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    table.show(known)
    print(f"all numbers: {options.json}")


if __name__ == "__main__":
    sys.exit(main())
