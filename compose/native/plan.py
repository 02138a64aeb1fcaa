"""From the description of a stack to its services: names, folders, ports, who starts with whom."""

import base64
import ipaddress
import os
import secrets
import uuid
from pathlib import Path

import certificates
from agent import PROGRAM, Agent
from broker import Broker
from flink import JobManager, SqlGateway, TaskManager
from node import Node
from ports import Free

USER = "agent"
FLINK = {found.kind: found for found in (JobManager, TaskManager, SqlGateway)}


class Plan:
    """The services of one stack, as they stand in its stack.json."""

    def __init__(self, folder, known):
        self.folder, self.known = folder, known

    @classmethod
    def of(cls, folder, parts, before=None):
        """A plan of the described parts. Names and passwords that the data depends on are kept from the plan `before`."""
        known = {
            "cluster_id": base64.b64encode(uuid.uuid4().bytes, altchars=b"AB").decode().rstrip("="),
            "password": secrets.token_hex(12),
        }
        known.update({key: before.known[key] for key in known if before is not None})
        free = Free(folder)
        known["parts"] = parts
        known["services"] = []
        for name, part in parts.items():
            if "brokers" in part or "nodes" in part:
                known["services"] += _brokers(name, part, free) if "brokers" in part else _nodes(name, part, free)
        last = max((entry["stage"] for entry in known["services"]), default=0)
        for name, part in parts.items():
            if "node" in part:
                nodes = [entry["name"] for entry in known["services"] if entry["part"] == part["node"]]
                known["services"] += _agents(name, part, nodes, last + 1, free)
            if "taskmanagers" in part:
                known["services"] += _flink(name, part, last + 1, free)
        names = [entry["name"] for entry in known["services"]]
        known["folders"] = sorted({*names, *(before.known["folders"] if before is not None else ())})  # of all starts so far
        return cls(folder, known)

    def stages(self):
        """The services in the order of their start: those of one stage start together, after the stages before."""
        last = max((entry["stage"] for entry in self.known["services"]), default=-1)
        return [[self.service(e) for e in self.known["services"] if e["stage"] == stage] for stage in range(last + 1)]

    def services(self):
        """All of them, in the order of their start."""
        return [service for stage in self.stages() for service in stage]

    def service(self, entry):
        """The service of one entry of stack.json."""
        given = {key: found for key, found in entry.items() if key not in ("kind", "part", "stage", "tls")}
        folder = self.folder / entry["name"]
        if entry["kind"] == "agent":
            return Agent(folder, self.service(self.entry(given.pop("node"))), self.bootstrap_servers(), **given)
        if entry["kind"] in FLINK:
            jobmanager = {"ports": given.pop("jobmanager"), "folder": self.folder / JobManager.kind}
            return FLINK[entry["kind"]](folder, jobmanager, **given)
        if entry["kind"] == "kafka":
            return Broker(folder, cluster_id=self.known["cluster_id"], security=self._security(entry["tls"]), **given)
        if entry["tls"]:
            given["settings"] = {**self._cql_tls(), **given["settings"]}
        return Node(folder, **given)

    def entry(self, name):
        """The entry of a service."""
        return next(entry for entry in self.known["services"] if entry["name"] == name)

    def bootstrap_servers(self):
        """The PLAINTEXT addresses of all brokers, None without brokers."""
        brokers = [entry["listeners"]["PLAINTEXT"] for entry in self.known["services"] if entry["kind"] == "kafka"]
        return ",".join(f"127.0.0.1:{port}" for port in brokers) or None

    def access(self):
        """How clients get through listeners with TLS or SASL."""
        found = {"sasl": {"user": USER, "password": self.known["password"]}, "tls": None}
        if any(entry.get("tls") for entry in self.known["services"]):
            files = self._certificates()
            found["tls"] = {
                "ca": str(files["ca"]),
                "keystore": str(files["client"]),
                "truststore": str(files["truststore"]),
                "password": self.known["password"],
            }
        return found

    def _certificates(self):
        return certificates.made(self.folder / "certificates", self.known["password"])

    def _security(self, tls):
        files = self._certificates() if tls else {"server": None, "truststore": None}
        stores = {"keystore": files["server"], "truststore": files["truststore"]}
        return {"user": USER, "password": self.known["password"], **stores}

    def _cql_tls(self):
        store = {"keystore": str(self._certificates()["server"]), "keystore_password": self.known["password"]}
        options = {"enabled": True, "optional": True, "require_client_auth": False, "store_type": "PKCS12"}
        return {"client_encryption_options": {**options, **store}}


def _brokers(part, options, free):
    """Entries of the brokers, which are also the controllers."""
    addresses, count = ["127.0.0.1"], options["brokers"]
    names = [part] if count == 1 else [f"{part}{number + 1}" for number in range(count)]
    listeners = [_listeners(options, number, lambda: free.next(addresses)) for number in range(count)]
    voters = [f"{number + 1}@127.0.0.1:{found['CONTROLLER']}" for number, found in enumerate(listeners)]
    tls = any(name.endswith("SSL") for name in options["listeners"])
    return [
        {
            "kind": "kafka", "part": part, "stage": 0, "name": name, "node_id": number + 1, "voters": voters, "tls": tls,
            "listeners": listeners[number],
            "advertised": {"PROXIED": _proxy(options, number, free)} if "PROXIED" in options["listeners"] else {},
            "heap": options["heap"], "jvm": options["jvm"], "settings": options["settings"],
        }
        for number, name in enumerate(names)
    ]  # fmt: skip


def _listeners(options, number, free):
    step = 10 * number
    found = {
        "PLAINTEXT": options["port"] + step if options["port"] else free(),
        "CONTROLLER": options["controller_port"] + step if options["controller_port"] else free(),
    }
    for index, name in enumerate(options["listeners"]):
        found[name] = options["controller_port"] + 1 + index + step if options["controller_port"] else free()
    return found


def _proxy(options, number, free):
    """The port at which clients look for the proxy of a broker."""
    if not options["controller_port"]:
        return free.next(["127.0.0.1"])
    return options["controller_port"] + 1 + len(options["listeners"]) + 10 * number


def _nodes(part, options, free):
    """Entries of the nodes of one cluster. They share their ports, each at its own address; the first is the seed."""
    count = options["nodes"]
    first = ipaddress.ip_address(options["address"])
    addresses = [str(first + number) for number in range(count)]
    names = [part] if count == 1 else [f"{part}{number + 1}" for number in range(count)]
    cql_port, storage_port = (options[name] or free.next(addresses) for name in ("cql_port", "storage_port"))
    settings = [options["settings"]] * count
    dcs = options["dc"] if isinstance(options["dc"], list) else [options["dc"]] * count
    if count > 1:  # each owns the same share of the ring
        settings = [{"initial_token": str(-(2**63) + number * 2**64 // count), **found} for number, found in enumerate(settings)]
    return [
        {
            "kind": "cassandra", "part": part, "stage": number, "name": name, "cluster": part, "seeds": addresses[:1],
            "version": options["version"], "dc": dcs[number], "rack": options["rack"], "address": addresses[number],
            "cql_port": cql_port, "storage_port": storage_port,
            "jmx_port": options["jmx_port"] + number if options["jmx_port"] else free.next(["127.0.0.1"]),
            "tls": options["tls"], "heap": options["heap"], "jvm": options["jvm"], "settings": settings[number],
        }
        for number, name in enumerate(names)
    ]  # fmt: skip


def _agents(part, options, nodes, stage, free):
    """Entries of the agents, one beside each node. All start together, after the last node."""
    port, built = options["http_port"], os.environ.get(PROGRAM)
    return [
        {
            "kind": "agent", "part": part, "stage": stage, "name": part if len(nodes) == 1 else f"{part}{number + 1}", "node": node,
            "prefix": options["prefix"], "http_port": port + number if port else free.next(["127.0.0.1"]),
            "program": options["program"], "settings": options["settings"],
            # A later `start` takes it, too, unless it is given another one.
            "built": str(Path(built).resolve()) if built else None,
        }
        for number, node in enumerate(nodes)
    ]  # fmt: skip


def _flink(part, options, stage, free):
    """Entries of a Flink cluster. All start together, after the last node: nobody waits for it, and a node's start needs the processor."""
    port = {name: options[f"{name}_port"] or free.next(["127.0.0.1"]) for name in ("rest", "rpc", "blob", "gateway")}
    first = options["metrics_port"]
    metrics = [first + number if first else free.next(["127.0.0.1"]) for number in range(options["taskmanagers"] + 1)]
    common = {
        "part": part, "stage": stage, "jobmanager": {name: port[name] for name in ("rest", "rpc", "blob")},
        "jars": options["jars"], "jvm": options["jvm"], "settings": options["settings"],
    }  # fmt: skip
    taskmanagers = [
        {
            "kind": "taskmanager", "name": f"taskmanager{number}", "port": metrics[number], "slots": options["slots"],
            "heap": options["heap"], **common,
        }
        for number in range(1, options["taskmanagers"] + 1)
    ]  # fmt: skip
    return [
        {
            "kind": "jobmanager", "name": "jobmanager", "port": port["rest"], "metrics_port": metrics[0],
            "heap": options["jobmanager_heap"], **common,
        },
        *taskmanagers,
        {"kind": "sql-gateway", "name": "sql-gateway", "port": port["gateway"], "heap": options["gateway_heap"], **common},
    ]  # fmt: skip
