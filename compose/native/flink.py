"""A Flink cluster from the jars of fetch.sh: one JobManager, TaskManagers, and the SQL gateway through which jobs are submitted.

All of them read conf/config.yaml of their own folder. Checkpoints and savepoints are in the folder of the JobManager: what a
TaskManager wrote there outlives it.
"""

import functools
import json
import shutil
from pathlib import Path

import java_flags
from agent import DIRECT, ROOT
from parts import fetched
from service import Port, Service

VERSION = "1.20.3"  # as in poms/flink-1.20.xml
JAR = "cdc-agent-flink-*.jar"
LOG4J = """rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %-5p %c - %m%n
"""
MIB = 1 << 20
FRAMEWORK_HEAP = 128 * MIB  # of a TaskManager: what is left of its heap belongs to tasks
UNITS = {"k": 1 << 10, "m": MIB, "g": 1 << 30}


class Flink(Service):
    """One process of the cluster. `settings` are keys of config.yaml that replace the defaults of `options`."""

    main = ""  # the class that is started
    arguments = ()
    direct = ""  # most memory outside the heap, where that is limited
    start_seconds = 120
    stop_seconds = 30

    def __init__(self, folder, jobmanager, **given):
        """`jobmanager`: name to port of the JobManager (rpc, blob, rest) and its folder. `given`: name, port, heap, jvm, jars, settings."""
        super().__init__(given["name"], folder, "127.0.0.1", given["port"])
        self.ports, self.data = dict(jobmanager["ports"]), Path(jobmanager["folder"]) / "data"
        self.heap, self.jvm, self.settings = given["heap"], list(given["jvm"]), dict(given["settings"])
        self.jars = given["jars"]
        self.log = self.folder / "logs" / "flink.log"

    def needs(self):
        return ["flink-1.20", "jdk-17"]

    def prepare(self):
        conf, temporary, jars = (self.folder / name for name in ("conf", "tmp", "lib"))
        self.data.mkdir(parents=True, exist_ok=True)
        for folder in (temporary, jars):  # a JVM that was killed leaves its temporary jars, 20 to 40 MB
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for jar in self._jars():
            shutil.copy(jar, jars)  # a build must not change a jar that a running JVM reads
        (conf / "log4j2.properties").write_text(LOG4J.format(log=self.log))
        lines = (f"{key}: {json.dumps(given)}\n" for key, given in self.options().items())
        (conf / "config.yaml").write_text("".join(lines))
        return [
            str(fetched("jdk-17") / "bin" / "java"), f"-Xms{self.heap}", f"-Xmx{self.heap}", *self._limits(),
            "-XX:+ExitOnOutOfMemoryError", *java_flags.FLINK, *self.jvm, f"-Djava.io.tmpdir={temporary}", f"-Dlog.file={self.log}",
            f"-Dlog4j.configurationFile={(conf / 'log4j2.properties').as_uri()}",
            "-cp", f"{jars}/*:{fetched('flink-1.20')}/*", self.main, *self.arguments_for(conf),
        ]  # fmt: skip

    def _limits(self):
        return [f"-XX:MaxDirectMemorySize={self.direct}"] if self.direct else []

    def _jars(self):
        return [Path(jar) for jar in self.jars] if self.jars is not None else built_jars()

    def arguments_for(self, conf):
        """What its main class is called with."""
        return ["--configDir", str(conf)]

    def options(self):
        """Its config.yaml."""
        defaults = {
            "jobmanager.rpc.address": self.host,
            "jobmanager.rpc.port": self.ports["rpc"],
            "jobmanager.bind-host": self.host,
            "blob.server.port": str(self.ports["blob"]),
            "rest.address": self.host,
            "rest.bind-address": self.host,
            "rest.port": self.ports["rest"],  # not rest.bind-port: the gateway would listen there, too
            "io.tmp.dirs": str(self.folder / "tmp"),
            "cluster.registration.error-delay": 500,  # a TaskManager that starts before the JobManager does not wait 10 s
            "heartbeat.interval": 2000,
            "heartbeat.timeout": 15000,
            "restart-strategy.type": "exponential-delay",
            "restart-strategy.exponential-delay.initial-backoff": "1 s",
            "restart-strategy.exponential-delay.max-backoff": "30 s",
            "execution.checkpointing.dir": (self.data / "checkpoints").as_uri(),
            "execution.checkpointing.savepoint-dir": (self.data / "savepoints").as_uri(),
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            **self.own_options(),
        }
        return {key: given for key, given in {**defaults, **self.settings}.items() if given is not None}

    def own_options(self):
        """Keys of this kind of process alone."""
        raise NotImplementedError

    @property
    def url(self):
        """Its address in a browser."""
        return f"http://{self.host}:{self.port}"

    def described(self):
        return {**super().described(), "version": VERSION, "config": str(self.folder / "conf" / "config.yaml")}


class JobManager(Flink):
    """Runs the jobs' coordination, and the web UI."""

    kind = "jobmanager"
    title = f"Flink {VERSION} JobManager"
    ready = "Rest endpoint listening at"
    main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"

    def listens(self):
        used = {"rest": "rest_port", "rpc": "rpc_port", "blob": "blob_port"}
        return [
            *(Port(used[name], name, self.host, port) for name, port in self.ports.items()),
            Port("metrics_port", "metrics", self.host, self.metrics_port),
        ]

    def __init__(self, folder, jobmanager, **given):
        self.metrics_port = given.pop("metrics_port")
        super().__init__(folder, jobmanager, **given)

    def arguments_for(self, conf):
        return [*super().arguments_for(conf), "--executionMode", "cluster"]

    def own_options(self):
        return {**_prometheus(self.metrics_port), "taskmanager.load-balance.mode": "SLOTS", "web.submit.enable": False}

    def answers(self):
        return _answers(f"{self.url}/overview")

    def described(self):
        return {
            **super().described(), "url": self.url, "checkpoints": str(self.data / "checkpoints"),
            "savepoints": str(self.data / "savepoints"),
        }  # fmt: skip


class TaskManager(Flink):
    """Runs the tasks. Its port is that of its metrics: nobody else asks it anything."""

    kind = "taskmanager"
    title = f"Flink {VERSION} TaskManager"
    ready = "Successful registration at resource manager"
    main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
    direct = "256m"  # 128 MiB of the framework and 128 MiB of network buffers

    def __init__(self, folder, jobmanager, **given):
        self.slots = given.pop("slots")
        super().__init__(folder, jobmanager, **given)

    def listens(self):
        return [Port("metrics_port", "metrics", self.host, self.port)]

    def arguments_for(self, conf):
        return [*super().arguments_for(conf), "-D", f"taskmanager.resource-id={self.name}"]

    def own_options(self):
        tasks = int(self.heap[:-1]) * UNITS[self.heap[-1].lower()] - FRAMEWORK_HEAP
        return {
            **_prometheus(self.port),
            "taskmanager.host": self.host,
            "taskmanager.bind-host": self.host,
            "taskmanager.numberOfTaskSlots": self.slots,
            # All of them, because no script of Flink's computes them from a size of the process.
            "taskmanager.cpu.cores": 1.0,
            "taskmanager.memory.framework.heap.size": f"{FRAMEWORK_HEAP}b",
            "taskmanager.memory.framework.off-heap.size": "128m",
            "taskmanager.memory.task.heap.size": f"{tasks}b",
            "taskmanager.memory.task.off-heap.size": "0m",
            "taskmanager.memory.managed.size": "128m",
            "taskmanager.memory.network.min": "128m",
            "taskmanager.memory.network.max": "128m",
            "taskmanager.memory.jvm-metaspace.size": "256m",
            "taskmanager.memory.jvm-overhead.min": "64m",
            "taskmanager.memory.jvm-overhead.max": "64m",
        }

    def described(self):
        return {**super().described(), "slots": self.slots}


class SqlGateway(Flink):
    """Takes SQL over HTTP, plans it, and submits the jobs to the JobManager."""

    kind = "sql-gateway"
    title = f"Flink {VERSION} SQL gateway"
    ready = "Rest endpoint listening at"
    main = "org.apache.flink.table.gateway.SqlGateway"

    def listens(self):
        return [Port("gateway_port", "rest", self.host, self.port)]

    def environment(self):
        return {"FLINK_CONF_DIR": str(self.folder / "conf")}

    def arguments_for(self, conf):
        return []

    def own_options(self):
        return {
            "execution.target": "remote",
            "sql-gateway.endpoint.rest.address": self.host,
            "sql-gateway.endpoint.rest.bind-address": self.host,
            "sql-gateway.endpoint.rest.port": self.port,
        }

    def answers(self):
        return _answers(f"{self.url}/info")

    def described(self):
        return {**super().described(), "url": self.url}


def _prometheus(port):
    return {
        "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
        "metrics.reporter.prom.port": str(port),
    }


def _answers(url):
    """Whether something is served there."""
    try:
        DIRECT.open(url, timeout=2).close()
    except OSError:
        return False
    return True


@functools.cache
def built_jars():
    """The jar of flink/, when it was built (`make build-jar`): sink and functions of the jobs."""
    return sorted((ROOT / "flink" / "target").glob(JAR))
