"""The tables of the stack: compose/schema/*.cql, applied once to each cluster."""

import os
import subprocess
import sys
import time
from pathlib import Path

from parts import StackError, fetched

SCHEMA = Path(__file__).resolve().parent.parent / "schema"
SUPERUSER = ("cassandra", "cassandra")  # Cassandra's own default
SECONDS = 60


def statements(dc, replicas):
    """The statements for a cluster, in order."""
    text = "".join(path.read_text() for path in sorted(SCHEMA.glob("*.cql")))
    return text.replace("@DC@", dc).replace("@RF@", str(replicas))


def apply(node, replicas):
    """Creates tables and rows on the cluster of `node`. Its folder remembers it: rows are not written a second time."""
    mark = node.folder / "tables-made"
    if mark.exists():
        return
    command, environment = cqlsh(node)
    text = statements(node.dc, replicas)
    deadline = time.monotonic() + SECONDS  # with authentication, the first user is created a moment after the start
    while True:
        done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            mark.touch()
            return
        if not has_users(node) or time.monotonic() > deadline:
            raise StackError(f"{node.name}: its tables could not be created: {(done.stderr or done.stdout).strip()}")
        time.sleep(0.5)


def has_users(node):
    """Whether its CQL clients must say who they are."""
    return "PasswordAuthenticator" in str(node.settings.get("authenticator", ""))


def cqlsh(node, *arguments):
    """The command of cqlsh on a node, and its environment."""
    folder = fetched("cql")
    user = ["-u", SUPERUSER[0], "-p", SUPERUSER[1]] if has_users(node) else []
    command = [sys.executable, str(folder / "bin" / "cqlsh"), *user, *arguments, node.address, str(node.cql_port)]
    return command, {**os.environ, "PYTHONPATH": str(folder)}
