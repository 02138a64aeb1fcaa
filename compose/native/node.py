#!/usr/bin/env python3
"""Runs single Cassandra nodes from the jars of fetch.sh, without a container engine.

    node.py start DIR --version 4.1|5.0 [--address 127.0.0.1] [--offset N] [--set KEY=YAML]… [--jvm ARGUMENT]…
    node.py stop DIR [--kill]        a clean stop (SIGTERM drains the node), or kill -9
    node.py status DIR               prints its addresses; exit code 1 when it does not run
    node.py nodetool DIR ARGUMENT…   nodetool on that node

DIR is the node's own folder: conf, logs, data, commitlog, cdc_raw, hints and saved caches are in it, and node.json while it
runs. An existing DIR is started again with its data. --offset is added to the ports 9042 (CQL), 7000 (storage), 7199 (JMX).
--set changes a key of cassandra.yaml; its value is JSON or a plain word, e.g. `--set commitlog_segment_size=1MiB`.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import java_flags

HERE = Path(__file__).resolve().parent
FETCH = HERE / "fetch.sh"
CQL_PORT, STORAGE_PORT, JMX_PORT = 9042, 7000, 7199
READY = "Starting listening for CQL clients"
START_SECONDS = 180
STOP_SECONDS = 90

LOGBACK = """<configuration>
  <appender name="file" class="ch.qos.logback.core.FileAppender">
    <file>{log}</file>
    <encoder><pattern>%-5level [%thread] %date{{ISO8601}} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="file"/></root>
</configuration>
"""


class NodeError(Exception):
    """A node could not be fetched, started or stopped; the text says why and what to look at."""


def fetched(part):
    """The folder of a part of the stack, fetched into the cache when it is not there."""
    done = subprocess.run([str(FETCH), part], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise NodeError(f"{part} could not be fetched (see above)")
    return Path(done.stdout.strip())


class Node:
    """One node in its own folder. `settings` are keys of cassandra.yaml that replace the defaults of `_yaml`."""

    def __init__(self, folder, version="4.1", address="127.0.0.1", offset=0, settings=None, jvm=()):
        self.folder = Path(folder).resolve()
        self.version, self.address, self.offset = version, address, offset
        self.settings, self.jvm = dict(settings or {}), list(jvm)
        self.cql_port, self.storage_port, self.jmx_port = (p + offset for p in (CQL_PORT, STORAGE_PORT, JMX_PORT))
        self.log = self.folder / "logs" / "system.log"
        self.state = self.folder / "node.json"
        self.commitlog, self.cdc_raw = self.folder / "commitlog", self.folder / "cdc_raw"
        self._child = None

    @classmethod
    def running(cls, folder):
        """The node that runs in `folder`, from its node.json."""
        state = Path(folder) / "node.json"
        if not state.exists():
            raise NodeError(f"no node runs in {folder}")
        known = json.loads(state.read_text())
        return cls(folder, known["version"], known["address"], known["offset"])

    # -- start ------------------------------------------------------------------------------------------------------

    def start(self):
        """Starts the node and returns when it listens for CQL clients."""
        if self.pid() is not None:
            raise NodeError(f"a node runs already in {self.folder}; stop it first (node.py stop)")
        self._check_ports()
        java, lib = self._java_home() / "bin" / "java", fetched(f"cassandra-{self.version}")
        self._write_conf()
        self.log.unlink(missing_ok=True)  # so that an old "ready" is not taken for a new one
        command = [str(java), *self._flags(lib), *self.jvm, "org.apache.cassandra.service.CassandraDaemon"]
        with open(self.folder / "logs" / "stdout.log", "wb") as out:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder, start_new_session=True
            )
        self._write_state()
        try:
            self._wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def _check_ports(self):
        for port, name in ((self.cql_port, "CQL"), (self.storage_port, "storage"), (self.jmx_port, "JMX")):
            address = "127.0.0.1" if name == "JMX" else self.address
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, port))
                except OSError as error:
                    raise NodeError(
                        f"{address}:{port} ({name}) cannot be used: {error.strerror}; stop what listens there, or choose "
                        "another --offset or --address"
                    ) from error

    def _java_home(self):
        return fetched("jdk-11" if self.version.startswith("4") else "jdk-17")

    def _flags(self, lib):
        conf = self.folder / "conf"
        properties = {
            "cassandra.config": (conf / "cassandra.yaml").as_uri(),
            "cassandra.storagedir": self.folder,
            "cassandra.logdir": self.log.parent,
            "cassandra.triggers_dir": conf / "triggers",
            "cassandra.jmx.local.port": self.jmx_port,
            "cassandra.skip_wait_for_gossip_to_settle": 0,
            "cassandra.ring_delay_ms": 1000,
            "cassandra.superuser_setup_delay_ms": 0,
            "logback.configurationFile": (conf / "logback.xml").as_uri(),
            "java.io.tmpdir": self.folder / "tmp",
            "jdk.attach.allowAttachSelf": "true",
            "io.netty.tryReflectionSetAccessible": "true",
        }
        flags = ["-ea", "-XX:+ExitOnOutOfMemoryError", "-Xms512m", "-Xmx512m", "-Xss512k", *java_flags.modules(self.version)]
        if not self.version.startswith("4"):
            flags += ["-Djava.security.manager=allow", f"-javaagent:{next(lib.glob('jamm-*.jar'))}"]
        flags += [f"-D{key}={value}" for key, value in properties.items()]
        return [*flags, "-cp", f"{conf}:{lib}/*"]

    def _yaml(self):
        defaults = {
            "cluster_name": f"cdc-agent {self.version}",
            "num_tokens": 1,
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "GossipingPropertyFileSnitch",
            "seed_provider": [
                {
                    "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                    "parameters": [{"seeds": f"{self.address}:{self.storage_port}"}],
                }
            ],
            "listen_address": self.address,
            "rpc_address": self.address,
            "storage_port": self.storage_port,
            "native_transport_port": self.cql_port,
            "data_file_directories": [str(self.folder / "data")],
            "commitlog_directory": str(self.commitlog),
            "cdc_raw_directory": str(self.cdc_raw),
            "hints_directory": str(self.folder / "hints"),
            "saved_caches_directory": str(self.folder / "saved_caches"),
            "cdc_enabled": True,
            "commitlog_sync": "periodic",
            "commitlog_sync_period": "10000ms",
        }
        merged = {**defaults, **self.settings}
        return {key: value for key, value in merged.items() if value is not None}

    def _write_conf(self):
        conf = self.folder / "conf"
        for folder in (conf / "triggers", self.log.parent, self.folder / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        (conf / "cassandra.yaml").write_text(json.dumps(self._yaml(), indent=1))  # JSON is YAML
        (conf / "cassandra-rackdc.properties").write_text("dc=dc1\nrack=rack1\n")
        (conf / "logback.xml").write_text(LOGBACK.format(log=self.log))

    def _write_state(self):
        self.state.write_text(
            json.dumps(
                {
                    "pid": self._child.pid,
                    "started": process_start(self._child.pid),
                    "version": self.version,
                    "address": self.address,
                    "offset": self.offset,
                }
            )
        )

    def _wait_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise NodeError(f"the node ended while it started (exit code {self._child.returncode}){self.last_lines()}")
            if self.log.exists() and READY in self.log.read_text(errors="replace"):
                return
            time.sleep(0.1)
        raise NodeError(f"the node was not ready within {START_SECONDS} s{self.last_lines()}")

    def last_lines(self, count=25):
        """The end of the node's logs, for a message."""
        text = ""
        for path in (self.log, self.folder / "logs" / "stdout.log"):
            if path.exists() and path.stat().st_size:
                lines = path.read_text(errors="replace").splitlines()[-count:]
                text += f"\n--- last lines of {path}\n" + "\n".join(lines)
        return text or f"; it wrote no log in {self.log.parent}"

    # -- while it runs, and its end -----------------------------------------------------------------------------------

    def pid(self):
        """The process id of the running node, or None. A reused id is not taken for the node."""
        if not self.state.exists():
            return None
        known = json.loads(self.state.read_text())
        return known["pid"] if process_start(known["pid"]) == known["started"] else None

    def nodetool(self, *arguments):
        """Runs nodetool on the node and returns what it printed."""
        # Java 17 for 4.1 too: the Java 11 of the wheel lacks the module jdk.naming.rmi, which a JMX client needs.
        lib, java = fetched(f"cassandra-{self.version}"), fetched("jdk-17") / "bin" / "java"
        command = [
            str(java), "-Xmx96m", *java_flags.modules(self.version), f"-Duser.home={self.folder / 'tmp'}",
            f"-Dlogback.configurationFile={(self.folder / 'conf' / 'nodetool-logback.xml').as_uri()}",
            "-cp", f"{self.folder / 'conf'}:{lib}/*", "org.apache.cassandra.tools.NodeTool", "-p", str(self.jmx_port), *arguments,
        ]  # fmt: skip
        (self.folder / "conf" / "nodetool-logback.xml").write_text("<configuration/>\n")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NodeError(f"nodetool {' '.join(arguments)} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def stop(self):
        """Stops the node cleanly (it drains): final segments are left COMPLETED in cdc_raw."""
        self._end(signal.SIGTERM, STOP_SECONDS)

    def kill(self):
        """Ends the node as a crash does (kill -9)."""
        self._end(signal.SIGKILL, 10)

    def _end(self, how, seconds):
        pid = self.pid()
        if pid is not None:
            os.kill(pid, how)
            if not self._wait_end(pid, seconds):
                os.kill(pid, signal.SIGKILL)
                self._wait_end(pid, 10)
                self._forget()
                raise NodeError(f"the node did not stop within {seconds} s and was killed{self.last_lines()}")
        self._forget()

    def _wait_end(self, pid, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._child is not None:
                self._child.poll()  # reaps it
            if process_start(pid) is None:
                return True
            time.sleep(0.05)
        return False

    def _forget(self):
        self.state.unlink(missing_ok=True)
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        self._child = None


def process_start(pid):
    """When a process was started (clock ticks since boot), or None when it does not run (any more)."""
    process = Path(f"/proc/{pid}")
    try:
        fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
        # The main thread of a JVM can be a zombie while others still end and hold its ports.
        ended = fields[0] == "Z" and len(list((process / "task").iterdir())) <= 1
    except OSError:
        return None
    return None if ended else int(fields[19])


def yaml_value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start")
    start.add_argument("dir", type=Path)
    start.add_argument("--version", choices=("4.1", "5.0"), default="4.1")
    start.add_argument("--address", default="127.0.0.1")
    start.add_argument("--offset", type=int, default=0)
    start.add_argument("--set", action="append", default=[], metavar="KEY=YAML")
    start.add_argument("--jvm", action="append", default=[], metavar="ARGUMENT")
    stop = commands.add_parser("stop")
    stop.add_argument("dir", type=Path)
    stop.add_argument("--kill", action="store_true")
    commands.add_parser("status").add_argument("dir", type=Path)
    nodetool = commands.add_parser("nodetool")
    nodetool.add_argument("dir", type=Path)
    nodetool.add_argument("rest", nargs=argparse.REMAINDER)
    return parser.parse_args()


def main():
    given = arguments()
    if given.command == "start":
        settings = {key: yaml_value(value) for key, _, value in (word.partition("=") for word in given.set)}
        node = Node(given.dir, given.version, given.address, given.offset, settings, given.jvm).start()
        print(f"Cassandra {node.version}: CQL {node.address}:{node.cql_port}, cdc_raw {node.cdc_raw}, pid {node.pid()}")
        return 0
    node = Node.running(given.dir)
    if given.command == "stop":
        node.kill() if given.kill else node.stop()
    elif given.command == "nodetool":
        print(node.nodetool(*given.rest), end="")
    elif node.pid() is None:
        print(f"the node of {node.folder} ended without being stopped", file=sys.stderr)
        return 1
    else:
        print(f"Cassandra {node.version}: CQL {node.address}:{node.cql_port}, cdc_raw {node.cdc_raw}, pid {node.pid()}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NodeError as error:
        print(f"node: {error}", file=sys.stderr)
        sys.exit(1)
