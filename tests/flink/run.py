#!/usr/bin/env python3
"""The tests of flink/: the Cassandra sink and the functions for Flink SQL.

    tests/flink/run.py --quick      without Cassandra: format, units, planner of Flink 1.20 and, with the jar, of 1.17
    tests/flink/run.py              then the jar beside two real nodes with passwords and TLS, which this starts and stops: one of
                                    DC_ONPREM, one of DC_AZURE, one cluster
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "flink"
STACK = ROOT / "compose" / "native" / "stack.py"
PLANNED = "PlannerTest,FunctionsInSqlTest"
WRITTEN = "WritesTest#theWriteTime*"
NODES = [
    *("--only", "onprem", "--free-ports", "--quick"),
    *("--option", "onprem.nodes=2", "--option", 'onprem.dc=["DC_ONPREM","DC_AZURE"]', "--option", "onprem.tables=false"),
    *("--option", "onprem.tls=true", "--option", "onprem.heap=384m"),
    *("--set", "onprem.authenticator=PasswordAuthenticator", "--set", "onprem.authorizer=CassandraAuthorizer"),
]
KEYSPACES = {
    "sales": "{'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1}",
    "grows": "{'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1}",
    "both": "{'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1, 'DC_AZURE': 1}",
    "plain": "{'class': 'SimpleStrategy', 'replication_factor': 1}",
}


def maven(*words):
    """Runs Maven in flink/; ends with its exit code when it fails."""
    done = subprocess.run(["mvn", "-q", "-B", "-ntp", "-f", str(MODULE / "pom.xml"), *words], check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def stack(folder, command, *words):
    done = subprocess.run([sys.executable, STACK, command, "--dir", folder, *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"stack.py {command}: exit code {done.returncode}")
    return done.stdout


def same_version():
    """The jar has the version of the agent."""
    ours = re.search(r"<artifactId>cdc-agent-flink</artifactId>.*?<version>([^<]+)</version>", (MODULE / "pom.xml").read_text(), re.S).group(1)
    agents = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]
    assert ours == agents, f"flink/pom.xml says {ours}, Cargo.toml {agents}"


def without_cassandra():
    maven("spotless:check", "package")
    maven("-Pflink-1.17", "surefire:test", f"-Dtest={PLANNED}")


def beside_cassandra(folder):
    """Keyspaces, the sink's user, and the tests that are tagged `cassandra`."""
    known = json.loads(stack(folder, "up", "--json", "--owner", str(os.getpid()), *NODES))
    onprem, azure = known["services"]
    # So that users are known in both data centres, as operators set it up.
    statements = ["ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'DC_ONPREM': 1, 'DC_AZURE': 1}"]
    statements += [f"CREATE KEYSPACE {name} WITH replication = {how}" for name, how in KEYSPACES.items()]
    statements.append("CREATE ROLE sink WITH LOGIN = true AND PASSWORD = 'of-the-sink'")
    for name in KEYSPACES:
        statements += [f"GRANT SELECT ON KEYSPACE {name} TO sink", f"GRANT MODIFY ON KEYSPACE {name} TO sink"]
    stack(folder, "cql", onprem["name"], "-u", "cassandra", "-p", "cassandra", "--request-timeout", "60", "-e", "; ".join(statements))
    tls = known["access"]["tls"]
    properties = {
        "cassandra.onprem": onprem["host"], "cassandra.azure": azure["host"], "cassandra.port": onprem["port"],
        "cassandra.ca": tls["ca"], "cassandra.truststore": tls["truststore"], "cassandra.truststore.password": tls["password"],
        "stack.program": STACK, "stack.dir": folder,
    }  # fmt: skip
    given = [f"-D{key}={value}" for key, value in properties.items()]
    maven("-Pcassandra,flink-1.17", "surefire:test", f"-Dtest={WRITTEN}", *given)
    maven("-Pcassandra", "surefire:test", *given)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without Cassandra")
    given = parser.parse_args()
    same_version()
    without_cassandra()
    if given.quick:
        return
    with tempfile.TemporaryDirectory(prefix="cdc-agent-flink-") as folder:
        try:
            beside_cassandra(folder)
        finally:
            stack(folder, "down", "--data", "drop")


if __name__ == "__main__":
    main()
