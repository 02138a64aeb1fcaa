"""The JVM connector, Debezium's for Cassandra 4, as its documentation runs it: one process beside the node."""

import json
import subprocess
import sys
from pathlib import Path

from surroundings import NATIVE, ROOT

# Last: some of its files have names that tests have, too.
sys.path[len(sys.path) :] = [str(ROOT / "tests" / "bench"), str(NATIVE)]
import java_flags  # noqa: E402
from memory import Memory  # noqa: E402

MAIN = "io.debezium.connector.cassandra.CassandraConnectorTask"
# The collector that was fastest for it (tests/bench).
JVM = ["-Xmx1g", "-XX:+UseParallelGC"]
LOGBACK = """<configuration><appender name="F" class="ch.qos.logback.core.FileAppender"><file>%s</file><encoder><pattern>%%d %%level %%logger %%msg%%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="F"/></root></configuration>"""
DRIVER = """datastax-java-driver {{ basic {{ contact-points = ["{address}"], load-balancing-policy.local-datacenter = "{dc}", request.timeout = 20 seconds }} }}"""


def fetched(script, *words):
    """The path that a script prints; it fetches what is missing."""
    return subprocess.run([script, *words], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def jar():
    """The connector with all its libraries."""
    return fetched(ROOT / "tests" / "oracle" / "connector-jar.sh")


class Connector:
    """One start of it, in a folder of its own. Its topic is `<prefix>.bench.events`."""

    def __init__(self, stack, folder, prefix, cdc_raw=None, **properties):
        folder = Path(folder)
        (folder / "offsets").mkdir(parents=True)
        self.log = folder / "connector.log"
        node = Path(stack.node["yaml"])
        settings = json.loads(node.read_text())
        settings["cdc_raw_directory"] = str(cdc_raw or stack.cdc_raw)
        (folder / "cassandra.yaml").write_text(json.dumps(settings))
        (folder / "logback.xml").write_text(LOGBACK % self.log)
        (folder / "driver.conf").write_text(DRIVER.format(address=stack.address, dc=stack.node["dc"]))
        known = {
            "topic.prefix": prefix,
            "cassandra.config": folder / "cassandra.yaml",
            "cassandra.driver.config.file": folder / "driver.conf",
            "commit.log.relocation.dir": folder / "relocation",
            "offset.backing.store.dir": folder / "offsets",
            "snapshot.mode": "never",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
            "kafka.producer.bootstrap.servers": stack.servers,
            "kafka.producer.compression.type": "lz4",
            "http.port": stack.free_port(),
            **properties,
        }
        (folder / "connector.properties").write_text("".join(f"{name}={value}\n" for name, value in known.items()))
        java = fetched(NATIVE / "fetch.sh", "jdk-17")
        flags = [*java_flags.modules("5.0"), "-Djdk.attach.allowAttachSelf=true", "-Dio.netty.tryReflectionSetAccessible=true"]
        flags += [*JVM, f"-Dlogback.configurationFile={folder / 'logback.xml'}", "-cp", f"{node.parent}:{jar()}"]
        with (folder / "output.log").open("w") as output:
            command = [f"{java}/bin/java", *flags, MAIN, folder / "connector.properties"]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.memory = Memory(self.process.pid)

    def stop(self):
        """It does not always end when it is asked to."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
