"""One Kafka broker (KRaft, broker and controller in one process) from the jars of fetch.sh."""

import subprocess
import sys
from pathlib import Path

from parts import StackError, fetched
from service import QUICK, Port, Service

VERSION = "3.9.1"  # as in poms/kafka-3.9.xml
LOG4J = """log4j.rootLogger=INFO, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.File={log}
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%-5p %d{{ISO8601}} %c - %m%n
"""
# Listeners that a broker can have beside PLAINTEXT, and their protocols. MUTUAL_SSL lets in who has a certificate of the stack's
# authority. PROXIED is for a proxy that a test puts in front of the broker: clients are told the port of the proxy, the broker
# listens at another one.
LISTENERS = {
    "SSL": "SSL",
    "MUTUAL_SSL": "SSL",
    "SASL_PLAINTEXT": "SASL_PLAINTEXT",
    "SASL_SSL": "SASL_SSL",
    "PROXIED": "PLAINTEXT",
}
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


class Broker(Service):
    """One broker in its own folder. `settings` are keys of server.properties that replace the defaults of `properties`."""

    kind = "kafka"
    title = f"Kafka {VERSION}"
    ready = "Kafka Server started"
    start_seconds = 90

    def __init__(self, folder, **given):
        """`given`: name, node_id, cluster_id, listeners (name to port), advertised, voters, settings, jvm, heap, security."""
        self.listeners = dict(given["listeners"])
        super().__init__(given["name"], folder, "127.0.0.1", self.listeners["PLAINTEXT"])
        self.node_id, self.cluster_id = given["node_id"], given["cluster_id"]
        self.advertised = dict(given["advertised"])
        self.voters = list(given["voters"])
        self.stop_seconds = 90 if len(self.voters) == 1 else 20
        self.settings, self.jvm, self.heap = dict(given["settings"]), list(given["jvm"]), given["heap"]
        self.security = given["security"]
        self.log = self.folder / "logs" / "server.log"
        self.data = self.folder / "data"

    def listens(self):
        options = {"PLAINTEXT": "port", "CONTROLLER": "controller_port"}
        return [Port(options.get(name, "port"), name, self.host, port) for name, port in self.listeners.items()]

    def overdue(self):
        """A broker asks the quorum before it stops. The last of several asks in vain: killing it is then no failure."""
        if len(self.voters) == 1:
            super().overdue()
        print(f"{self.name}: killed: after {self.stop_seconds} s it still waited for a quorum", file=sys.stderr)

    def needs(self):
        return ["kafka-3.9", "jdk-17"]

    def prepare(self):
        (self.folder / "conf" / "log4j.properties").write_text(LOG4J.format(log=self.log))
        properties = self.folder / "conf" / "server.properties"
        properties.write_text("".join(f"{key}={_text(given)}\n" for key, given in self.properties().items()))
        if not (self.data / "meta.properties").exists():
            self._format(properties)
        heap = [f"-Xms{self.heap}", f"-Xmx{self.heap}"]
        return [*self._java(), *heap, *self.jvm, *self._class_path(), "kafka.Kafka", str(properties)]

    def _java(self):
        log4j = (self.folder / "conf" / "log4j.properties").as_uri()
        return [
            str(fetched("jdk-17") / "bin" / "java"), "-XX:+ExitOnOutOfMemoryError", f"-Dlog4j.configuration={log4j}",
            f"-Djava.io.tmpdir={self.folder / 'tmp'}", f"-Dkafka.logs.dir={self.log.parent}",
        ]  # fmt: skip

    def _class_path(self):
        return ["-cp", f"{fetched('kafka-3.9')}/*"]

    def _format(self, properties):
        command = [*self._java(), *TOOL_JVM, *self._class_path(), "kafka.tools.StorageTool", "format"]
        command += ["--cluster-id", self.cluster_id, "--config", str(properties), "--ignore-formatted"]
        for mechanism in MECHANISMS if self._has_sasl() else ():
            if mechanism.startswith("SCRAM"):
                user = f"name={self.security['user']},password={self.security['password']}"
                command += ["--add-scram", f"{mechanism}=[{user}]"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StackError(f"{self.name}: its storage could not be formatted: {(done.stdout + done.stderr).strip()}")

    def _has_sasl(self):
        return any(LISTENERS.get(name, "").startswith("SASL") for name in self.listeners)

    def properties(self):
        """Its server.properties."""
        replicas = min(3, len(self.voters))
        advertised = {name: self.advertised.get(name, port) for name, port in self.listeners.items() if name != "CONTROLLER"}
        protocols = {"CONTROLLER": "PLAINTEXT", "PLAINTEXT": "PLAINTEXT", **LISTENERS}
        defaults = {
            "process.roles": "broker,controller",
            "node.id": self.node_id,
            "controller.quorum.voters": ",".join(self.voters),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listeners": self._addresses(self.listeners),
            "advertised.listeners": self._addresses(advertised),
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
            "log.dirs": self.data,
            "num.partitions": 1,
            "default.replication.factor": replicas,
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": max(1, replicas - 1),
            "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            "log.cleaner.dedupe.buffer.size": 16 << 20,  # the default of 128 MiB does not fit a small heap
            "log.retention.ms": -1,  # records carry the time of their change: old ones would vanish at once
            **self._security_properties(),
        }
        merged = {**defaults, **self.settings}
        return {key: given for key, given in merged.items() if given is not None}

    def _addresses(self, listeners):
        return ",".join(f"{name}://{self.host}:{port}" for name, port in listeners.items())

    def _security_properties(self):
        found = {}
        if any(LISTENERS.get(name, "").endswith("SSL") for name in self.listeners):
            secret = self.security["password"]
            for store in ("keystore", "truststore"):
                found[f"ssl.{store}.location"] = self.security[store]
                found[f"ssl.{store}.password"] = secret
                found[f"ssl.{store}.type"] = "PKCS12"
            found["ssl.client.auth"] = "requested"
            found["listener.name.mutual_ssl.ssl.client.auth"] = "required"
        if self._has_sasl():
            found["sasl.enabled.mechanisms"] = ",".join(MECHANISMS)
            for listener in (name for name in self.listeners if LISTENERS.get(name, "").startswith("SASL")):
                for mechanism in MECHANISMS:
                    prefix = f"listener.name.{listener.lower()}.{mechanism.lower()}"
                    found[f"{prefix}.sasl.jaas.config"] = self._login_module(mechanism)
        return found

    def _login_module(self, mechanism):
        user, password = self.security["user"], self.security["password"]
        package = "org.apache.kafka.common.security"
        if mechanism == "PLAIN":
            return f'{package}.plain.PlainLoginModule required user_{user}="{password}";'
        if mechanism == "OAUTHBEARER":  # accepts tokens without a signature
            return f'{package}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="{user}";'
        return f"{package}.scram.ScramLoginModule required;"

    def described(self):
        at = {name: f"{self.host}:{self.advertised.get(name, port)}" for name, port in self.listeners.items()}
        behind = {name: {"listens": self.listeners[name], "clients_go_to": port} for name, port in self.advertised.items()}
        return {
            **super().described(),
            "version": VERSION,
            "node_id": self.node_id,
            "listeners": {name: address for name, address in at.items() if name != "CONTROLLER"},
            "proxied": behind.get("PROXIED"),
            "properties": str(self.folder / "conf" / "server.properties"),
            "data": str(self.data),
        }


def _text(given):
    return str(given).lower() if isinstance(given, bool) else str(given)


TOOL_JVM = ["-Xmx256m", *QUICK]

TOOLS = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "configs": "kafka.admin.ConfigCommand",
    "console-producer": "kafka.tools.ConsoleProducer",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "transactions": "org.apache.kafka.tools.TransactionsCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "acls": "kafka.admin.AclCommand",
}


def tool(folder, name, bootstrap, arguments):
    """The command of one of Kafka's own tools. `folder` gets its log configuration, which sends the log nowhere."""
    quiet = Path(folder) / "tool-log4j.properties"
    quiet.write_text("log4j.rootLogger=OFF\n")
    java = str(fetched("jdk-17") / "bin" / "java")
    command = [java, *TOOL_JVM, f"-Dlog4j.configuration={quiet.as_uri()}", "-cp", f"{fetched('kafka-3.9')}/*", TOOLS[name]]
    return [*command, "--bootstrap-server", bootstrap, *arguments]
