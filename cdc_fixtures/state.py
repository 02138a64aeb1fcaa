#!/usr/bin/env python3
"""Makes `state-<version>`: what an agent of this version leaves when it is stopped in the middle of the segment of `4.1-none`, with a parked mutation.

    python3 cdc_fixtures/state.py PROGRAM

Each released version's stays, so that later ones are tested to go on from it (tests/it/upgrade.rs).
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "4.1-none"
# File offset of a marker: from here on Cassandra had written nothing.
CUT = 36403
# Of these keyspaces, and without the schema of this table, whose mutations are parked.
KEYSPACES, HIDDEN = ("rows", "colls"), ("rows", "simple")


def without_the_hidden_table(rows):
    is_hidden = lambda row: (row.get("keyspace_name"), row.get("table_name")) == HIDDEN
    return {kind: [row for row in found if not is_hidden(row)] if isinstance(found, list) else found for kind, found in rows.items()}


def main(program):
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    out = HERE / f"state-{version}"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (raw := folder / "raw").mkdir()
        (segment,) = SOURCE.glob("CommitLog-*.log")
        content = segment.read_bytes()
        (raw / segment.name).write_bytes(content[:CUT] + bytes(len(content) - CUT))
        schema = folder / "schema.json"
        schema.write_text(json.dumps(without_the_hidden_table(json.loads((SOURCE / "schema.json").read_text()))))
        places = ["--cdc-raw", raw, "--state-dir", folder / "state", "--out", folder / "log"]
        options = ["--schema", schema, "--finished-segments", "keep", "--http=false", *(word for name in KEYSPACES for word in ("--keyspace", name))]
        agent = subprocess.Popen([program, "run", *places, *options])
        until = time.monotonic() + 60
        while f":{CUT}:" not in (shown := subprocess.run([program, "checkpoint", "show", "--json", *places], capture_output=True, text=True, check=False).stdout):
            assert time.monotonic() < until, f"the checkpoint does not come to {CUT}: {shown}"
            time.sleep(0.1)
        agent.send_signal(signal.SIGTERM)
        assert agent.wait() == 0
        shutil.rmtree(out, ignore_errors=True)
        for name in ("state", "log"):
            shutil.copytree(folder / name, out / name, ignore=shutil.ignore_patterns("*.sock", "lock"))


main(sys.argv[1])
