#!/usr/bin/env python3
"""`cdc-jobs compare` beside two real Cassandra clusters, which this starts and stops: what it says of rows that are equal, different and
missing, that it never has a session with both sides, and what it refuses.

    tests/jobs/compare.py [--jobs PROGRAM] [--stack FOLDER]

Needs Python and Java; `make test-jobs-compare`. With --stack it uses a stack that runs already, with parts onprem and azure.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "compose" / "native" / "stack.py"
PARTS = {"onprem": "onprem", "azure": "cloud"}


def stack(folder, command, *arguments, given=None):
    words = [sys.executable, STACK, command, "--dir", folder, *arguments]
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"stack.py {command}: {done.stdout}{done.stderr}"
    return done.stdout


class Run:
    """The program and the two clusters."""

    def __init__(self, program, known, folder):
        self.program, self.folder, self.stack = program, folder, Path(known["dir"])
        self.jobs = folder / "jobs"
        shutil.copytree(ROOT / "jobs", self.jobs)
        # Environment → host and port of CQL.
        self.nodes = {PARTS[one["part"]]: (one["host"], one["ports"]["CQL"] if "CQL" in one["ports"] else one["port"]) for one in known["services"]}
        self.write()

    def write(self, change=lambda text: text):
        """environments.yaml as bundled, with the ports of these clusters, then changed."""
        text = (ROOT / "jobs" / "environments.yaml").read_text()
        for name, host in (("onprem", "127.0.0.1"), ("cloud", "127.0.0.2")):
            own, port = self.nodes[name]
            text = text.replace(f"hosts: [{host}]\n", f"hosts: [{own}]\n      port: {port}\n").replace(f"[{host}/32]", f"[{own}/32]")
        (self.jobs / "environments.yaml").write_text(change(text))

    def cql(self, environment, statement):
        part = next(part for part, name in PARTS.items() if name == environment)
        return stack(self.stack, "cql", part, "-e", statement)

    def call(self, *words, code, environments=("onprem", "cloud")):
        sides = [word for name in environments for word in ("--env", name)]
        command = [self.program, "compare", "--table", "sales.events", "--jobs", self.jobs, *sides, *words]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, f"exit code {done.returncode}, expected {code}: {done.stdout}{done.stderr}"
        return done.stdout, done.stderr


def rows(run):
    """Equal, different, missing; columns by name; no value unless asked for."""
    keys = [word for name in ("same", "other", "left", "right", "none", "it's") for word in ("--key", json.dumps({"id": name}))]
    log = run.folder / "log.jsonl"
    out, said = run.call(*keys, "--format", "json", "--log", log, code=2)
    found = json.loads(out)
    outcomes = {row["key"]["id"]: row["outcome"] for row in found["rows"]}
    expected = {"same": "equal", "other": "different", "left": "missing_second", "right": "missing_first", "none": "missing_both", "it's": "equal"}
    assert outcomes == expected and found["equal"] is False, outcomes
    # A digest can have four digits by chance.
    assert "4242.424242" not in out + said and "secret-hash" not in out + said, "a value was shown"
    columns = {row["key"]["id"]: {column["column"]: column for column in row["columns"]} for row in found["rows"]}
    different = {name for name, column in columns["other"].items() if not column["is_equal"]}
    assert different == {"amount"} and columns["other"]["amount"]["write_times_us"] == [1000, 2000], columns["other"]
    assert columns["same"]["amount"]["write_times_us"] == [1000, 1001] and columns["same"]["amount"]["is_equal"]
    for column in columns["other"].values():
        assert (column["digests"][0] == column["digests"][1]) == column["is_equal"], column
    first, line = [json.loads(line) for line in log.read_text().splitlines()]
    assert [json.loads(one) for one in said.splitlines()[:2]] == [first, line], said
    assert (first["uid"], first["keys"], first["verdict"]) == (os.getuid(), 6, "begun") and "equal" not in first, first
    assert (line["uid"], line["keys"], line["equal"], line["verdict"]) == (os.getuid(), 6, 2, "different"), line
    assert "same" not in log.read_text()
    out, _ = run.call("--key", '{"id":"other"}', "--values", code=2)
    assert "4242.424242" in out and "-1.0" in out, out
    run.call("--key", '{"id":"same"}', "--consistency", "local-one", code=0)
    out, said = run.call("--key", "nonsense", code=2)
    assert "key 1" in said, said
    return f"{len(outcomes)} keys; {sorted(different)} differs"


def connections(ports):
    """Open connections of this machine to these ports, in the order in which they were seen: port, and the socket."""
    wanted = {f"{port:04X}": port for port in ports}
    for table in ("tcp", "tcp6"):
        with Path(f"/proc/net/{table}").open() as lines:
            next(lines)
            for fields in map(str.split, lines):
                port = wanted.get(fields[2].rpartition(":")[2])
                if port is not None and fields[3] == "01":
                    yield port, (fields[1], fields[2], fields[9])


def apart(run):
    """Sampled every millisecond, there is never a connection to both sides; and there were some to each."""
    names, is_over = {port: name for name, (_, port) in run.nodes.items()}, threading.Event()
    # Side and socket → when it was seen first, and last. A table is not read in one moment: only a connection that was seen
    # both before and after another one was there together with it.
    seen = {}

    def watch():
        moment = 0
        while not is_over.is_set():
            for port, ends in connections(names):
                moment += 1
                first, _ = seen.get((names[port], ends), (moment, moment))
                seen[names[port], ends] = (first, moment)
            time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for _ in range(10):
            run.call("--key", '{"id":"same"}', code=0)
    finally:
        is_over.set()
        thread.join()
    spans = {name: [span for (of, _), span in seen.items() if of == name] for name in names.values()}
    both = [(one, other) for one in spans["onprem"] for other in spans["cloud"] if one[0] < other[1] and other[0] < one[1]]
    assert all(spans.values()) and not both, both
    return f"ten comparisons, {len(seen)} connections, never one to both"


def unlogged(run):
    """Where the comparison cannot be logged, no side is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        host, port = run.nodes["onprem"]
        run.write(lambda text: text.replace(f"hosts: [{host}]\n      port: {port}", f"hosts: [127.0.0.1]\n      port: {server.getsockname()[1]}").replace(f"[{host}/32]", "[127.0.0.1/32]"))
        for log in (run.folder, run.folder / "other.jsonl"):
            run.call("--key", '{"id":"same"}', "--timeout", "5", "--log", log, code=6)
            try:
                server.accept()[0].close()
                asked = True
            except BlockingIOError:
                asked = False
            assert asked == log.is_file(), (log, asked)
    run.write()
    return "nobody was asked"


def refused(run):
    """Another data centre, another network, a side that is away, a time that is too short."""
    key = ("--key", '{"id":"same"}')
    run.write(lambda text: text.replace("DC_AZURE", "DC_ELSEWHERE"))
    out, said = run.call(*key, code=6)
    assert "is of the data centre" in said and "DC_ELSEWHERE" in said and not out, said
    (host, _), _ = run.nodes["cloud"], None
    run.write(lambda text: text.replace(f"hosts: [{host}]", "hosts: [localhost]").replace(f"[{host}/32]", f"[{host}/32]\n      allowed_domains: [localhost]"))
    out, said = run.call(*key, code=6 if host != "127.0.0.1" else 0)
    assert "none of the allowed networks" in said, said
    port = run.nodes["cloud"][1]
    run.write(lambda text: text.replace(f"port: {port}", "port: 1"))
    out, said = run.call(*key, code=6)
    assert "not reachable" in said and '"verdict":"failed"' in said, said
    run.write()
    for words, environments, text in (
        (key, ("onprem",), "give --env twice"),
        (key, ("onprem", "onprem"), "with itself"),
        (("--key", '{"amount":1}'), ("onprem", "cloud"), "columns id"),
    ):
        _, said = run.call(*words, environments=environments, code=2)
        assert text in said, said
    return "data centre, network, a node that is away, wrong keys"


def fill(run):
    """Rows with known write times on both sides."""
    insert = "INSERT INTO sales.events (id, event_ts, amount, record_hash) VALUES ('{}', '2025-01-01T00:00:00Z', {}, 'secret-hash') USING TIMESTAMP {};"
    quoted = "it''s"
    sides = {
        "onprem": [("same", 7, 1000), ("other", 4242.424242, 1000), ("left", 1, 1000), (quoted, 1, 1000)],
        "cloud": [("same", 7, 1001), ("right", 1, 1000), (quoted, 1, 1000)],
    }
    for name, rows in sides.items():
        run.cql(name, " ".join(insert.format(*row) for row in rows))
    other = "INSERT INTO sales.events (id, event_ts, record_hash) VALUES ('other', '2025-01-01T00:00:00Z', 'secret-hash') USING TIMESTAMP 1000; "
    run.cql("cloud", other + "UPDATE sales.events USING TIMESTAMP 2000 SET amount = -1 WHERE id = 'other';")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=Path, default=ROOT / "target" / "debug" / "cdc-jobs", help="the program")
    parser.add_argument("--stack", type=Path, help="the folder of a stack that runs")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cdc-jobs-compare-"))
    own = given.stack or folder / "stack"
    try:
        if given.stack is None:
            small = ["--quick", "--free-ports", "--option", "onprem.heap=384m", "--option", "azure.heap=384m"]
            stack(own, "up", "--only", "onprem,azure", *small)
        run = Run(given.jobs, json.loads(stack(own, "status", "--json")), folder)
        fill(run)
        for case in (rows, apart, unlogged, refused):
            started = time.monotonic()
            said = case(run)
            print(f"{case.__name__}: {said} ({time.monotonic() - started:.1f} s)", flush=True)
    finally:
        if given.stack is None:
            subprocess.run([sys.executable, STACK, "down", "--dir", own], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
