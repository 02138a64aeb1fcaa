"""What a stack consists of: the defaults, and how a file, the environment and the command line change them."""

import json
import os
import re

from broker import LISTENERS
from parts import StackError
from service import QUICK, value

KAFKA = {
    "brokers": 1,
    "port": 9092,  # of the first broker; the next ones 10 higher each
    "controller_port": 9093,
    "listeners": [],  # beside PLAINTEXT: SSL, MUTUAL_SSL, SASL_PLAINTEXT, SASL_SSL, PROXIED; they take the ports after the controller's
    "heap": "384m",
    "jvm": [],
    "settings": {},  # server.properties
}
CLUSTER = {
    "version": "4.1",
    "dc": "dc1",  # or a list, one for each node
    "rack": "rack1",
    "address": "127.0.0.1",  # of the first node; the next ones 1 higher each
    "nodes": 1,
    "tables": True,  # compose/schema is applied, with one replica a node
    "cql_port": 9042,
    "storage_port": 7000,
    "jmx_port": 7199,  # of the first node; the next ones 1 higher each
    "tls": False,  # CQL clients may use TLS
    "heap": "512m",
    "jvm": [],
    "settings": {},  # cassandra.yaml
}
AGENT = {
    "node": "",  # the part whose nodes it stands beside: one agent a node
    "prefix": "local",  # topics are <prefix>.cdc.<keyspace>.<table>
    "http_port": 8083,  # of the first agent; the next ones 1 higher each
    "program": None,  # cdc-agent; without it CDC_AGENT_BIN (now or at the last `up`), without that it is built
    "settings": {},  # keys of docs/configuration.md
}
FLINK = {
    "taskmanagers": 2,
    "slots": 8,  # of each TaskManager: tasks that it runs at once
    "rest_port": 8081,
    "rpc_port": 6123,
    "blob_port": 6124,
    "gateway_port": 8084,
    "metrics_port": 9249,  # of the JobManager; the TaskManagers' are 1, 2, … higher
    "heap": "512m",  # of a TaskManager
    "jobmanager_heap": "320m",
    "gateway_heap": "384m",
    "jars": None,  # on the class path of all; without it flink/target/*.jar
    "jvm": [],
    "settings": {},  # config.yaml
}
DEFAULT = {
    "kafka": KAFKA,
    "onprem": {**CLUSTER, "dc": "DC_ONPREM"},
    "azure": {**CLUSTER, "dc": "DC_AZURE", "address": "127.0.0.2", "jmx_port": 7299},
    "agent-onprem": {**AGENT, "node": "onprem", "prefix": "onprem"},
    "agent-azure": {**AGENT, "node": "azure", "prefix": "cloud", "http_port": 8093},
    "flink": FLINK,
}
CHANGEABLE = ("version", "heap", "jvm", "program", "settings")  # also of a single service, between two starts
VERSIONS = ("4.1", "5.0")
PORTS = (
    "port", "controller_port", "cql_port", "storage_port", "jmx_port", "http_port", "rest_port", "rpc_port", "blob_port",
    "gateway_port", "metrics_port",
)  # fmt: skip
COUNTS = (("brokers", 9), ("nodes", 9), ("taskmanagers", 16), ("slots", 64))


def variable(part, option):
    """The environment variable of an option."""
    return f"STACK_{part}_{option}".upper().replace("-", "_")


def described(file=None, options=(), settings=(), only=None, without=(), free_ports=False, quick=False):
    """The description of a stack: part name to options. What stands further right wins: defaults, file, environment, arguments.

    `options` and `settings` are texts PART.KEY=VALUE; a port of 0 means a free one. `quick` is for tests: JVMs that start sooner.
    """
    parts = json.loads(json.dumps(DEFAULT))
    _from_file(parts, file)
    unknown = sorted({*(only or ()), *without} - set(parts))
    if unknown:
        raise StackError(f"no such part: {', '.join(unknown)}; known: {', '.join(parts)}")
    parts = {name: part for name, part in parts.items() if (only is None or name in only) and name not in without}
    _without_lonely_agents(parts, only)
    _from_environment(parts)
    change(parts, options, settings)
    for part in (part for part in parts.values() if "jvm" in part):
        part["jvm"] = [*(QUICK if quick else ()), *part["jvm"]]
    for part in parts.values():
        for option in PORTS if free_ports else ():
            if option in part:
                part[option] = 0
    return parts


def _without_lonely_agents(parts, only):
    """An agent whose node or broker is left out is left out, too, unless it is asked for by name."""
    for name in [name for name, part in parts.items() if "node" in part]:
        missing = [other for other in (parts[name]["node"], "kafka") if other not in parts]
        if missing and only is not None:
            raise StackError(f"{name} needs the part {missing[0]}: name it in --only, too")
        if missing:
            parts.pop(name)


def change(parts, options, settings):
    """Applies texts PART.KEY=VALUE to the options of the parts, and to their settings (cassandra.yaml, server.properties, agent.toml)."""
    for text in options:
        part, key, given = _split(text, parts)
        if key not in part or key == "settings":
            raise StackError(f"{text}: no such option; known: {', '.join(key for key in part if key != 'settings')}")
        part[key] = given
    for text in settings:
        part, key, given = _split(text, parts)
        part["settings"][key] = given
    for part in parts.values():
        _check(part)


def _split(text, parts):
    name, dot, rest = text.partition(".")
    key, equals, given = rest.partition("=")
    if not dot or not equals:
        raise StackError(f"{text}: must be PART.KEY=VALUE")
    if name not in parts:
        raise StackError(f"{text}: no such part; known: {', '.join(parts)}")
    return parts[name], key, value(given)


def _from_file(parts, file):
    """A JSON object of parts: one that is there is changed, one that is null is left out, one that is new is an agent when it names
    its node, else a cluster."""
    if file is None:
        return
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise StackError(f"{file} cannot be read: {error}") from error
    for name, options in found.items():
        if options is None:
            parts.pop(name, None)
            continue
        part = parts.setdefault(name, json.loads(json.dumps(AGENT if "node" in options else CLUSTER)))
        unknown = sorted(set(options) - set(part))
        if unknown:
            raise StackError(f"{file}: {name}: no such option: {', '.join(unknown)}; known: {', '.join(part)}")
        part.update(options)


def _from_environment(parts):
    for name, part in parts.items():
        for option, default in part.items():
            given = os.environ.get(variable(name, option))
            if given is not None and not isinstance(default, dict):
                part[option] = value(given)


def _check(part):
    for option, least, most in (*((port, 0, 65535) for port in PORTS), *((count, 1, most) for count, most in COUNTS)):
        if option in part and (not isinstance(part[option], int) or not least <= part[option] <= most):
            raise StackError(f"{option} = {part[option]}: must be a number from {least} to {most}")
    if isinstance(part.get("dc"), list) and len(part["dc"]) != part["nodes"]:
        raise StackError(f"dc = {part['dc']}: must be one name, or one for each of the {part['nodes']} nodes")
    if "version" in part:
        part["version"] = str(part["version"])
        if part["version"] not in VERSIONS:
            raise StackError(f"version = {part['version']}: known are {', '.join(VERSIONS)}")
    for option in (name for name in part if name.endswith("heap")):
        if not re.fullmatch(r"[1-9]\d*[kmgKMG]", str(part[option])):
            raise StackError(f"{option} = {part[option]}: must be a size as Java takes it: 384m, 1g")
    unknown = sorted(set(part.get("listeners", ())) - set(LISTENERS))
    if unknown:
        raise StackError(f"listeners = {','.join(unknown)}: known are {', '.join(LISTENERS)}")
