"""The private stack of a run, and what the node itself says: its schema, its rows, its `cdc_raw`."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from checker import INDEX, SEGMENT
from fold import Table

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "compose" / "native"
sys.path[:0] = [str(ROOT / "cdc_fixtures")]


def drivers():
    """Makes the driver importable that `stack.py cql` uses."""
    folder = subprocess.run([NATIVE / "fetch.sh", "cql"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if folder not in sys.path:
        sys.path.append(folder)


class Stack:
    """Cassandra `onprem` and one broker, in a folder of their own; gone when this program ends."""

    def __init__(self, folder, settings=(), options=(), owner=None, only="onprem,kafka"):
        self.folder, self._sessions, self._own = Path(folder), {}, owner
        drivers()
        more = [word for setting in settings for word in ("--set", setting)]
        more += [word for option in options for word in ("--option", option)]
        heaps = ["--option", "onprem.tables=false", "--option", "kafka.heap=256m"]
        self.known = json.loads(self._call("up", "--only", only, "--free-ports", "--quick", *heaps, *more, *(("--owner", str(owner)) if owner else ())))

    def _call(self, command, *arguments, json_too=True):
        words = [sys.executable, NATIVE / "stack.py", command, "--dir", self.folder, *(["--json"] if json_too else []), *arguments]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"stack.py {command} {' '.join(map(str, arguments))}: exit code {done.returncode}: {done.stderr[-2000:]}"
        return done.stdout

    def start(self, service, *arguments):
        self._call("start", service, *arguments)
        self.known = json.loads(self._call("status"))

    def stop(self, service):
        self._call("stop", service)

    def kill(self, service):
        self._call("kill", service)

    def pause(self, service):
        self._call("pause", service)

    def resume(self, service):
        self._call("resume", service)

    def nodetool(self, *arguments, service="onprem"):
        return self._call("nodetool", service, *arguments, json_too=False)

    def kafka_tool(self, *arguments):
        return self._call("kafka", *arguments, json_too=False)

    def down(self):
        for session in self._sessions.values():
            session.cluster.shutdown()
        self._sessions = {}
        self._call("down", "--data", "drop", json_too=False)

    def service(self, name):
        """What is known of a service; `onprem` of a cluster is its first node."""
        services = {service["name"]: service for service in self.known["services"]}
        return services.get(name) or services[f"{name}1"]

    def nodes(self):
        """The names of all nodes."""
        return [service["name"] for service in self.known["services"] if service["kind"] == "cassandra"]

    @property
    def servers(self):
        return self.known["bootstrap_servers"]

    @property
    def cdc_raw(self):
        return Path(self.service("onprem")["cdc_raw"])

    def session(self, name="onprem"):
        """A session that never tries a write again: a second one would be another write of the same name."""
        if name not in self._sessions:
            from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
            from cassandra.policies import ConstantReconnectionPolicy, FallthroughRetryPolicy, WhiteListRoundRobinPolicy

            service = self.service(name)
            profile = ExecutionProfile(WhiteListRoundRobinPolicy([service["host"]]), FallthroughRetryPolicy(), request_timeout=20)
            cluster = Cluster(
                [service["host"]], service["port"], execution_profiles={EXEC_PROFILE_DEFAULT: profile}, connect_timeout=20,
                reconnection_policy=ConstantReconnectionPolicy(0.5, None), control_connection_timeout=20, idle_heartbeat_interval=5,
            )  # fmt: skip
            self._sessions[name] = cluster.connect()
        return self._sessions[name]

    def forget(self, name):
        """Ends the session with a node: the next one is with what is there now."""
        if name in self._sessions:
            self._sessions.pop(name).cluster.shutdown()

    def wait_for_session(self, seconds=60, name="onprem"):
        """After a restart: until the driver reaches the node again."""
        until = time.monotonic() + seconds
        while True:
            try:
                return self.session(name).execute("SELECT host_id FROM system.local", timeout=5).one().host_id
            except Exception:  # noqa: BLE001 every kind of not being there yet
                assert time.monotonic() < until, "the node is not reached again"
                time.sleep(0.3)

    def create(self, text):
        """Runs statements that change the schema."""
        for statement in filter(str.strip, text.split(";")):
            self.session().execute(statement, timeout=60)

    def schema(self):
        import capture

        return capture.schema(self.session())

    def write_schema(self, path):
        import capture

        capture.write_schema(Path(path), self.schema())
        return path

    def host_id(self, name="onprem"):
        return str(self.session(name).execute("SELECT host_id FROM system.local").one().host_id)

    def tables(self, keyspace):
        """The tables of a keyspace that have CDC on."""
        found = self.schema()
        return [Table(found, row["keyspace_name"], row["table_name"]) for row in found["tables"] if row["keyspace_name"] == keyspace and row["cdc"]]

    @staticmethod
    def _of_all_replicas(text):
        from cassandra import ConsistencyLevel
        from cassandra.query import SimpleStatement

        return SimpleStatement(text, consistency_level=ConsistencyLevel.ALL)

    def view(self, table, name="onprem"):
        """(what fold.view gives, the time in epoch seconds) of a table as SELECT shows it, of all replicas."""
        session, now = self.session(name), int(time.time())
        select = self._of_all_replicas
        timed = [column for column in table.values if table.collection(column) is None]
        more = "".join(f', writetime("{column}"), ttl("{column}")' for column in timed)
        names = ", ".join(f'"{column}"' for column in table.types)
        texts = session.execute(select(f"SELECT JSON {names} FROM {table.keyspace}.{table.name}"))
        rows = [json.loads(row[0]) for row in texts]
        first = f'"{table.partition[0]}"'
        times = list(session.execute(select(f"SELECT {first}{more} FROM {table.keyspace}.{table.name}")))
        assert len(rows) == len(times), "the table changes"
        found = {}
        for row, own in zip(rows, times, strict=True):
            row = {column.strip('"'): value for column, value in row.items()}
            cells = {column: (row[column], None, None) for column in table.values if table.collection(column) and row[column] is not None}
            for number, column in enumerate(timed):
                written, ttl = own[1 + 2 * number], own[2 + 2 * number]
                if written is not None:
                    cells[column] = (row[column], written, None if ttl is None else now + ttl)
            partition, clustering = (tuple(row[column] for column in names) for names in (table.partition, table.clustering))
            statics = {column: cells.pop(column) for column in table.static if column in cells}
            if statics:
                found[partition, None] = statics
            if not table.clustering or clustering[0] is not None:
                found[partition, clustering] = cells
        return found, now


class Watch:
    """Looks at `cdc_raw` all the time: which segments were there, when they went, what their indexes said last."""

    def __init__(self, folder, pause=0.02):
        # A spool is the other half of it.
        self.spool = None
        self.folder, self.seen, self.gone, self.again, self.indexes = Path(folder), set(), {}, set(), {}
        self._pause, self._stopped = pause, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopped.wait(self._pause):
            with contextlib.suppress(OSError):
                self._look()

    def _look(self):
        # The spool last: what is moved meanwhile is found there.
        names = {path.name for folder in filter(None, (self.folder, self.spool)) if folder.exists() for path in folder.iterdir()}
        here = {int(match[1]) for match in map(SEGMENT.match, names) if match}
        now = time.time_ns() // 1000
        for number in self.seen - here:
            self.gone.setdefault(number, now)
        for number in here & set(self.gone):
            del self.gone[number]
            self.again.add(number)
        self.seen |= here
        for name in filter(INDEX.match, names):
            with contextlib.suppress(OSError):
                self.indexes[int(INDEX.match(name)[1])] = (self.folder / name).read_text()

    def stop(self):
        self._stopped.set()
        self._thread.join()
        return self


def listing(folder):
    """(names, index name → text) of a directory now."""
    names = sorted(path.name for path in Path(folder).iterdir())
    indexes = {}
    for name in filter(INDEX.match, names):
        with contextlib.suppress(FileNotFoundError):
            indexes[name] = (Path(folder) / name).read_text()
    return names, indexes


def logs(folder):
    """Ids of the segments in a directory."""
    return {int(match[1]) for match in map(SEGMENT.match, listing(folder)[0]) if match}


def written_at(path):
    """When a file was written last, seconds since 1970; 0 when it is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0
