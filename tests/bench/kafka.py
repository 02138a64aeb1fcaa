#!/usr/bin/env python3
"""The Kafka sink beside a bare librdkafka producer: starts a broker of its own, replays a fixture into a file log, and sends its records.

    tests/bench/kafka.py [-- OPTION…]        options of `cargo bench --bench kafka`
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka"))
from stack import Broker  # noqa: E402


def main():
    fixture = ROOT / "cdc_fixtures" / "4.1-none"
    with tempfile.TemporaryDirectory(prefix="cdc-agent-bench-") as folder:
        broker = Broker(Path(folder) / "stack")
        try:
            broker.start()
            log = Path(folder) / "log"
            replay = ["cargo", "run", "--locked", "--release", "--", "replay", fixture, "--schema", fixture / "schema.json", "--out", log]
            subprocess.run([*replay, "--keyspace", "writes", "--keyspace", "rows", "--keyspace", "sales", "--quiet"], cwd=ROOT, check=True)
            bench = ["cargo", "bench", "--locked", "--bench", "kafka", "--", "--bootstrap-servers", broker.servers, "--log", log]
            return subprocess.run([*bench, *sys.argv[2:]], cwd=ROOT, check=False).returncode
        finally:
            broker.stop()


if __name__ == "__main__":
    sys.exit(main())
