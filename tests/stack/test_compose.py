"""compose/docker-compose.yml is valid, and it is the stack that `make up` starts without an engine."""

import ipaddress
import json
import os
import re
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from pathlib import Path
from unittest import mock

import jsonschema
import yaml

HERE = Path(__file__).resolve().parent
COMPOSE = HERE.parents[1] / "compose"
sys.path.insert(0, str(COMPOSE / "native"))

import description  # noqa: E402
import flink  # noqa: E402
from agent import PROGRAM  # noqa: E402
from broker import Broker  # noqa: E402
from parts import StackError  # noqa: E402
from plan import Plan  # noqa: E402

TEXT = (COMPOSE / "docker-compose.yml").read_text()
FILE = yaml.safe_load(TEXT)
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+):-([^}]*)\}")


def interpolated(text, values=()):
    """A text of the file as compose reads it, with these variables set."""
    return VARIABLE.sub(lambda found: dict(values).get(found[1], found[2]), text).replace("$$", "$")


def nodes():
    return {name: part for name, part in description.DEFAULT.items() if "dc" in part}


class Compose(unittest.TestCase):
    """The file against the Compose Specification's JSON Schema, and against compose/native."""

    def test_is_what_the_compose_specification_allows(self):
        schema = json.loads((HERE / "compose-spec" / "compose-spec.json").read_text())
        validator = jsonschema.validators.validator_for(schema)
        validator.check_schema(schema)
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in validator(schema).iter_errors(FILE)]
        self.assertEqual(errors, [])
        broken = {**FILE, "services": {"kafka": {**FILE["services"]["kafka"], "imag": "x"}}}
        self.assertFalse(validator(schema).is_valid(broken), "the schema refuses nothing")

    def test_every_variable_is_one_of_the_native_stack(self):
        known = {
            description.variable(name, option): str(given)
            for name, part in description.DEFAULT.items()
            for option, given in part.items()
        }
        used = dict(VARIABLE.findall(TEXT))
        ports = {"STACK_KAFKA_PORT", "STACK_ONPREM_CQL_PORT", "STACK_AZURE_CQL_PORT"}
        flink = {"STACK_FLINK_REST_PORT", "STACK_FLINK_GATEWAY_PORT", "STACK_FLINK_TASKMANAGERS"}
        alone = {"STACK_KAFKA_UI_PORT": "9000"}  # of what the native stack does not have
        agents = {"STACK_AGENT_ONPREM_HTTP_PORT", "STACK_AGENT_AZURE_HTTP_PORT"}
        self.assertEqual(set(used), ports | flink | agents | set(alone))
        self.assertEqual({name: {**known, **alone}[name] for name in used}, used)

    def test_clients_find_everything_where_the_native_stack_has_it(self):
        services = FILE["services"]
        kafka = description.DEFAULT["kafka"]["port"]
        self.assertEqual([interpolated(port) for port in services["kafka"]["ports"]], [f"127.0.0.1:{kafka}:9092"])
        for name, part in nodes().items():
            published = [interpolated(port) for port in services[name]["ports"]]
            self.assertEqual(published, [f"{part['address']}:{part['cql_port']}:9042"])
        for name in ("agent-onprem", "agent-azure"):
            agent, port = services[name], description.DEFAULT[name]["http_port"]
            inside = agent["environment"]["CDC_AGENT_HTTP_ADDRESS"].removeprefix("0.0.0.0:")
            self.assertEqual([interpolated(port) for port in agent["ports"]], [f"127.0.0.1:{port}:{inside}"])
        advertised = interpolated(services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"], {"STACK_KAFKA_PORT": "19999"})
        self.assertIn("PLAINTEXT://127.0.0.1:19999,", advertised)

    def test_flink_has_the_same_release_places_and_settings(self):
        services, native = FILE["services"], description.DEFAULT["flink"]
        dockerfile = (COMPOSE.parent / "deploy" / "flink.Dockerfile").read_text()
        pom = xml.etree.ElementTree.parse(COMPOSE / "native" / "poms" / "flink-1.20.xml")
        self.assertEqual(pom.findtext(".//{*}flink.version"), flink.VERSION)
        self.assertIn(f"FROM flink:{flink.VERSION}-", dockerfile)
        for name, option, inside in (("jobmanager", "rest_port", 8081), ("sql-gateway", "gateway_port", 8084)):
            published = [interpolated(port) for port in services[name]["ports"]]
            self.assertEqual(published, [f"127.0.0.1:{native[option]}:{inside}"])
        self.assertEqual(interpolated(services["taskmanager"]["deploy"]["replicas"]), str(native["taskmanagers"]))
        self.assertNotIn("container_name", TEXT)  # it would allow one TaskManager
        known = {key: str(given) for role in flink_services() for key, given in role.options().items()}
        given = yaml.safe_load(services["jobmanager"]["environment"]["FLINK_PROPERTIES"])
        other = {"jobmanager.rpc.address", "rest.address", "sql-gateway.endpoint.rest.address"}
        other |= {"sql-gateway.endpoint.rest.bind-address", "execution.checkpointing.dir", "execution.checkpointing.savepoint-dir"}
        other.add("metrics.reporter.prom.port")  # on one machine, each process has its own
        self.assertGreater(len(given), 15)
        for key in given.keys() - other:
            self.assertEqual(str(given[key]), known[key], key)
        self.assertLessEqual(other, known.keys())
        for name in ("jobmanager", "taskmanager"):  # both write checkpoints
            (volume,) = services[name]["volumes"]
            self.assertTrue(given["execution.checkpointing.dir"].startswith(f"file://{volume.split(':')[1]}/"))

    def test_clusters_have_the_same_names_and_places(self):
        for name, part in nodes().items():
            environment = FILE["services"][name]["environment"]
            self.assertEqual(environment["CASSANDRA_CLUSTER_NAME"], name)
            self.assertEqual(environment["CASSANDRA_DC"], part["dc"])
            self.assertEqual(environment["CASSANDRA_RACK"], part["rack"])
            self.assertEqual(environment["CASSANDRA_ENDPOINT_SNITCH"], "GossipingPropertyFileSnitch")
            self.assertEqual(FILE["services"][f"{name}-tables"]["environment"], {"NODE": name, "DC": part["dc"]})

    def test_kafka_has_the_same_release_and_settings(self):
        pom = xml.etree.ElementTree.parse(COMPOSE / "native" / "poms" / "kafka-3.9.xml")
        versions = {
            element.findtext("{*}version")
            for element in pom.iter("{http://maven.apache.org/POM/4.0.0}dependency")
            if element.findtext("{*}groupId") == "org.apache.kafka"
        }
        image = FILE["services"]["kafka"]["image"]
        self.assertEqual(versions, {image.removeprefix("apache/kafka:")})
        environment = FILE["services"]["kafka"]["environment"]
        same = {key: str(given) for key, given in native_properties().items() if variable(key) in environment}
        self.assertGreater(len(same), 10)
        different = {"listeners", "advertised.listeners", "controller.quorum.voters", "inter.broker.listener.name", "log.dirs"}
        different.add("listener.security.protocol.map")
        for key in same.keys() - different:
            self.assertEqual(environment[variable(key)], same[key], key)

    def test_a_kafka_ui_looks_at_the_broker_when_it_is_asked_for(self):
        services = FILE["services"]
        self.assertEqual([name for name, service in services.items() if "profiles" in service], ["jobs", "kafka-ui"])
        ui = services["kafka-ui"]
        self.assertRegex(ui["image"], r":\d+\.\d+\.\d+$")
        self.assertEqual([interpolated(port) for port in ui["ports"]], ["127.0.0.1:9000:9000"])
        advertised = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
        self.assertIn(f"INSIDE://{ui['environment']['KAFKA_BROKERCONNECT']}", advertised.split(","))
        self.assertEqual(ui["cap_drop"], ["ALL"])

    def test_the_jobs_reach_the_containers(self):
        """compose/jobs/environments.yaml is jobs/environments.yaml with the addresses that containers have."""
        services, root = FILE["services"], COMPOSE.parent
        (subnet,) = [config["subnet"] for config in FILE["networks"]["default"]["ipam"]["config"]]
        native = (root / "jobs" / "environments.yaml").read_text()
        inside = dict(listener.split("://") for listener in services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(","))["INSIDE"]
        (volume,) = services["taskmanager"]["volumes"]
        expected = yaml.safe_load(native.replace("127.0.0.1:9092", inside).replace("file:///tmp/cdc-jobs/", f"file://{volume.split(':')[1]}/"))
        by_dc = {part["dc"]: services[name]["networks"]["default"]["ipv4_address"] for name, part in nodes().items()}
        self.assertEqual(len(set(by_dc.values())), len(by_dc))
        for environment in expected["environments"].values():
            address = by_dc[environment["cassandra"]["datacenter"]]
            self.assertIn(ipaddress.ip_address(address), ipaddress.ip_network(subnet))
            environment["cassandra"] |= {"hosts": [address], "allowed_networks": [f"{address}/32"]}
        self.assertEqual(yaml.safe_load((COMPOSE / "jobs" / "environments.yaml").read_text()), expected)
        jobs = services["jobs"]
        self.assertLessEqual({"./jobs/environments.yaml:/jobs/environments.yaml:ro", "../jobs/rules:/jobs/rules:ro", volume}, set(jobs["volumes"]))
        self.assertEqual(jobs["environment"], {"CDC_JOBS_SQL_GATEWAY": "http://sql-gateway:8084", "CDC_JOBS_JOBMANAGER": "http://jobmanager:8081"})
        script = jobs["entrypoint"][-1]
        self.assertNotRegex(script.replace("$$", ""), r"\$", "compose would take it for a variable of its own")
        for command in ("sql", "topics create", "seed", "submit"):
            self.assertIn(f"cdc-jobs {command} ", script)
        dockerfile = (root / jobs["build"]["dockerfile"].removeprefix("../")).read_text()
        self.assertIn(f"AS {jobs['build']['target']}\n", dockerfile)

    def test_tables_come_from_the_same_files(self):
        self.assertNotIn("CREATE", TEXT)
        for name in nodes():
            tables = FILE["services"][f"{name}-tables"]
            self.assertEqual(tables["volumes"], ["./schema:/schema:ro"])
            self.assertIn("cat /schema/*.cql", tables["entrypoint"][-1])
        for word in ("@DC@", "@RF@"):
            self.assertIn(word, "".join(path.read_text() for path in (COMPOSE / "schema").glob("*.cql")))
            self.assertIn(f"s/{word}/", FILE["services"]["onprem-tables"]["entrypoint"][-1])

    def test_what_is_waited_for_says_when_it_is_healthy(self):
        for name, service in FILE["services"].items():
            if "build" not in service and not name.endswith("-tables"):
                self.assertIn("test", service["healthcheck"], name)
            for other, how in service.get("depends_on", {}).items():
                once = other.endswith("-tables")
                self.assertEqual(how, {"condition": "service_completed_successfully" if once else "service_healthy"})
                self.assertEqual("healthcheck" in FILE["services"][other], not once)

    def test_an_agent_stands_beside_each_node(self):
        options = "".join(path.read_text() for path in (COMPOSE.parent / "src" / "cli").glob("*.rs"))
        for name, part in description.DEFAULT.items():
            if "node" in part:
                agent = FILE["services"][name]
                self.assertEqual(agent["build"], {"context": "..", "dockerfile": "deploy/Dockerfile"})
                self.assertEqual(agent["volumes"], [f"{part['node']}:/var/lib/cassandra", f"{name}:/var/lib/cdc-agent"])
                self.assertEqual(set(agent["depends_on"]), {"kafka", part["node"], f"{part['node']}-tables"})
                # Two agents with the same ids would take them from each other for ever.
                self.assertRegex(agent["restart"], r"^on-failure:[1-9]$")
                environment = agent["environment"]
                self.assertEqual(environment["CDC_AGENT_TOPIC_PREFIX"], part["prefix"])
                self.assertEqual(environment["CDC_AGENT_CASSANDRA_HOST"], part["node"])
                for variable_name in environment:
                    key = variable_name.removeprefix("CDC_AGENT_").lower()
                    self.assertRegex(options, f'id = "{key}"|pub {key}: ')
        dockerfile = (COMPOSE.parent / "deploy" / "Dockerfile").read_text()
        self.assertIn("HEALTHCHECK", dockerfile)

    def test_cassandra_is_told_to_keep_its_changes(self):
        default = "# about cdc\ncdc_enabled: false\n# where segments go\n# cdc_raw_directory: /var/lib/cassandra/cdc_raw\n"
        for name in nodes():
            script = FILE["services"][name]["entrypoint"][-1]
            found = default
            for pattern, new in re.findall(r"-e 's\|([^|]*)\|([^|]*)\|'", script):
                found = re.sub(pattern, new, found, flags=re.MULTILINE)
            lines = [line for line in found.splitlines() if not line.startswith("#")]
            self.assertEqual(lines, ["cdc_enabled: true", "cdc_raw_directory: /var/lib/cassandra/cdc_raw"])


class Parts(unittest.TestCase):
    """Which agents are part of a stack."""

    def test_an_agent_stands_beside_each_cluster(self):
        parts = ["kafka", "onprem", "azure", "agent-onprem", "agent-azure", "flink"]
        self.assertEqual(list(description.described()), parts)
        self.assertEqual(list(description.described(without=["flink"])), parts[:-1])
        with self.assertRaisesRegex(StackError, "no such part: flank"):
            description.described(without=["flank"])

    def test_agents_are_started_where_they_are_named(self):
        self.assertEqual(list(description.described(only=["kafka", "onprem"])), ["kafka", "onprem"])
        self.assertEqual(len(description.described(only=["kafka", "onprem", "agent-onprem"])), 3)
        with self.assertRaisesRegex(StackError, "agent-onprem needs the part kafka"):
            description.described(only=["onprem", "agent-onprem"])

    def test_an_agent_goes_with_its_node(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"azure": None, "third": {}, "agent-third": {"node": "third", "prefix": "third"}}, file)
            file.flush()
            parts = description.described(file=Path(file.name))
        self.assertEqual(list(parts), ["kafka", "onprem", "agent-onprem", "flink", "third", "agent-third"])

    def test_a_start_takes_the_program_of_the_up(self):
        parts = description.described(only=["kafka", "onprem", "agent-onprem"])
        with mock.patch.dict(os.environ, {PROGRAM: "/built/one"}):
            plan = Plan.of(HERE / "nowhere", parts)
        entry = plan.entry("agent-onprem")
        with mock.patch.dict(os.environ):
            os.environ.pop(PROGRAM, None)
            self.assertEqual(plan.service(entry).program, "/built/one")
            self.assertIsNone(plan.service({**entry, "built": None}).program)
            os.environ[PROGRAM] = "/built/two"
            self.assertEqual(plan.service(entry).program, "/built/two")
            self.assertEqual(plan.service({**entry, "program": "/chosen"}).program, "/chosen")

    def test_a_cluster_has_as_many_taskmanagers_as_asked_for(self):
        parts = description.described(options=["flink.taskmanagers=4"], only=["flink"])
        entries = Plan.of(HERE / "nowhere", parts).known["services"]
        names = ["jobmanager", "taskmanager1", "taskmanager2", "taskmanager3", "taskmanager4", "sql-gateway"]
        self.assertEqual([entry["name"] for entry in entries], names)
        ports = [port for service in Plan(HERE, {"services": entries}).services() for port in service.listens()]
        self.assertEqual(len({port.number for port in ports}), len(ports))
        for wrong in ("flink.taskmanagers=0", "flink.heap=lots", "flink.slots=-1"):
            with self.assertRaisesRegex(StackError, "must be"):
                description.described(options=[wrong], only=["flink"])


def native_properties():
    """server.properties of the native broker."""
    listeners = {"PLAINTEXT": 9092, "CONTROLLER": 9093}
    given = {"settings": {}, "jvm": [], "heap": "384m", "security": {}, "advertised": {}, "voters": ["1@127.0.0.1:9093"]}
    return Broker(HERE, name="kafka", node_id=1, cluster_id="x", listeners=listeners, **given).properties()


def flink_services():
    """The services of the native Flink cluster."""
    parts = description.described(only=["flink"])
    return Plan.of(HERE / "nowhere", parts).services()


def variable(key):
    """The variable of apache/kafka for a key of server.properties."""
    return "KAFKA_" + key.replace(".", "_").upper()


if __name__ == "__main__":
    unittest.main()
