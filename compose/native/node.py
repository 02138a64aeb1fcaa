#!/usr/bin/env python3
"""Runs single Cassandra nodes from the jars of fetch.sh, without a container engine.

    node.py start DIR --version 4.1|5.0 [--address 127.0.0.1] [--offset N] [--set KEY=YAML]… [--jvm ARGUMENT]…
    node.py stop DIR [--kill]        a clean stop (SIGTERM drains the node), or kill -9
    node.py status DIR               prints its addresses; exit code 1 when it does not run
    node.py nodetool DIR ARGUMENT…   nodetool on that node

DIR is the node's own folder: conf, logs, data, commitlog, cdc_raw, hints and saved caches are in it, and node.json, which says
how it was started. An existing DIR is started again with its data. --offset is added to the ports 9042 (CQL), 7000 (storage),
7199 (JMX). --set changes a key of cassandra.yaml; its value is JSON or a plain word, e.g. `--set commitlog_segment_size=1MiB`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import java_flags
from parts import StackError, fetched
from service import Port, Service, value

CQL_PORT, STORAGE_PORT, JMX_PORT = 9042, 7000, 7199

LOGBACK = """<configuration>
  <appender name="file" class="ch.qos.logback.core.FileAppender">
    <file>{log}</file>
    <encoder><pattern>%-5level [%thread] %date{{ISO8601}} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="file"/></root>
</configuration>
"""


class Node(Service):
    """One node in its own folder. `settings` are keys of cassandra.yaml that replace the defaults of `_yaml`."""

    kind = "cassandra"
    ready = "Starting listening for CQL clients"

    def __init__(self, folder, version="4.1", address="127.0.0.1", offset=0, settings=None, jvm=(), heap="512m", **place):
        """`place` says where in which cluster it stands: name, cluster, dc, rack, seeds, cql_port, storage_port, jmx_port."""
        cql_port = place.get("cql_port", CQL_PORT + offset)
        super().__init__(place.get("name", Path(folder).name), folder, address, cql_port)
        self.version, self.address = version, address
        self.settings, self.jvm, self.heap = dict(settings or {}), list(jvm), heap
        self.cql_port = cql_port
        self.storage_port = place.get("storage_port", STORAGE_PORT + offset)
        self.jmx_port = place.get("jmx_port", JMX_PORT + offset)
        self.cluster = place.get("cluster", f"cdc-agent {version}")
        self.dc, self.rack = place.get("dc", "dc1"), place.get("rack", "rack1")
        self.seeds = place.get("seeds", [address])
        self.commitlog = Path(self.settings.get("commitlog_directory", self.folder / "commitlog"))
        self.cdc_raw = Path(self.settings.get("cdc_raw_directory", self.folder / "cdc_raw"))

    @property
    def title(self):
        return f"Cassandra {self.version}"

    @classmethod
    def of(cls, folder):
        """The node that was started in `folder`, from its node.json."""
        state = Path(folder) / "node.json"
        if not state.exists():
            raise StackError(f"no node was started in {folder}")
        return cls(folder, **json.loads(state.read_text()))

    # -- start ------------------------------------------------------------------------------------------------------

    def start(self):
        self.check_ports(lambda option: "choose another --offset or --address")
        return super().start()

    def listens(self):
        return [
            Port("cql_port", "CQL", self.address, self.cql_port),
            Port("storage_port", "storage", self.address, self.storage_port),
            Port("jmx_port", "JMX", "127.0.0.1", self.jmx_port),
        ]

    def needs(self):
        server = "jdk-11" if self.version.startswith("4") else "jdk-17"  # 4.1 does not run on 17, its nodetool does
        return [f"cassandra-{self.version}", server, "jdk-17", "cql"]

    def prepare(self):
        lib, jdk = (fetched(part) for part in self.needs()[:2])
        self._write_conf()
        return [str(jdk / "bin" / "java"), *self._flags(lib), *self.jvm, "org.apache.cassandra.service.CassandraDaemon"]

    def _flags(self, lib):
        conf = self.folder / "conf"
        properties = {
            "cassandra.config": (conf / "cassandra.yaml").as_uri(),
            "cassandra.storagedir": self.folder,
            "cassandra.logdir": self.log.parent,
            "cassandra.triggers_dir": conf / "triggers",
            "cassandra.jmx.local.port": self.jmx_port,
            "cassandra.skip_wait_for_gossip_to_settle": 0,
            # A node that joins others hears of their tables in this time, or joins without their rows.
            "cassandra.ring_delay_ms": 1000 if self.address in self.seeds else 5000,
            "cassandra.superuser_setup_delay_ms": 0,
            "logback.configurationFile": (conf / "logback.xml").as_uri(),
            "java.io.tmpdir": self.folder / "tmp",
            "jdk.attach.allowAttachSelf": "true",
            "io.netty.tryReflectionSetAccessible": "true",
        }
        flags = ["-ea", "-XX:+ExitOnOutOfMemoryError", f"-Xms{self.heap}", f"-Xmx{self.heap}", "-Xss512k"]
        flags += java_flags.modules(self.version)
        if not self.version.startswith("4"):
            flags += ["-Djava.security.manager=allow", f"-javaagent:{next(lib.glob('jamm-*.jar'))}"]
        flags += [f"-D{key}={given}" for key, given in properties.items()]
        return [*flags, "-cp", f"{conf}:{lib}/*"]

    def _yaml(self):
        defaults = {
            "cluster_name": self.cluster,
            "num_tokens": 1,
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "GossipingPropertyFileSnitch",
            "seed_provider": [
                {
                    "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                    "parameters": [{"seeds": ",".join(f"{seed}:{self.storage_port}" for seed in self.seeds)}],
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
        }
        merged = {**defaults, **self.settings}
        if merged["commitlog_sync"] == "periodic":  # the other modes refuse to start with a period
            merged.setdefault("commitlog_sync_period", "10000ms")
        return {key: given for key, given in merged.items() if given is not None}

    def _write_conf(self):
        conf = self.folder / "conf"
        (conf / "triggers").mkdir(exist_ok=True)
        (conf / "cassandra.yaml").write_text(json.dumps(self._yaml(), indent=1))  # JSON is YAML
        (conf / "cassandra-rackdc.properties").write_text(f"dc={self.dc}\nrack={self.rack}\n")
        (conf / "logback.xml").write_text(LOGBACK.format(log=self.log))
        kept = {key: getattr(self, key) for key in ("version", "address", "settings", "cql_port", "storage_port", "jmx_port")}
        (self.folder / "node.json").write_text(json.dumps(kept) + "\n")

    # -- while it runs ------------------------------------------------------------------------------------------------

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
            raise StackError(f"nodetool {' '.join(arguments)} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def described(self):
        return {
            **super().described(),
            "version": self.version,
            "cluster": self.cluster,
            "dc": self.dc,
            "rack": self.rack,
            "yaml": str(self.folder / "conf" / "cassandra.yaml"),
            "commitlog": str(self.commitlog),
            "cdc_raw": str(self.cdc_raw),
        }

    def __str__(self):
        return f"{self.title}: CQL {self.address}:{self.cql_port}, cdc_raw {self.cdc_raw}, pid {self.process.pid()}"


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
        settings = {key: value(text) for key, _, text in (word.partition("=") for word in given.set)}
        print(Node(given.dir, given.version, given.address, given.offset, settings, given.jvm).start())
        return 0
    node = Node.of(given.dir)
    if given.command == "stop":
        node.kill() if given.kill else node.stop()
    elif given.command == "nodetool":
        print(node.nodetool(*given.rest), end="")
    elif node.process.pid() is None:
        print(f"the node of {node.folder} does not run ({node.process.state()})", file=sys.stderr)
        return 1
    else:
        print(node)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        print(f"node: {error}", file=sys.stderr)
        sys.exit(1)
