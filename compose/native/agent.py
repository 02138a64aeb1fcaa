"""The agent beside one Cassandra node: `cdc-agent run` with a configuration file that is made from what the stack knows."""

import functools
import json
import os
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import tables
from parts import StackError
from service import Port, Service

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "CDC_AGENT_BIN"  # the variable with a program that is built already
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names
UNITS = {"ms": 1, "s": 1000, "m": 60_000}


class Agent(Service):
    """One agent. `settings` are keys of its configuration file that replace those of `options`; null takes one out."""

    kind = "agent"
    title = "cdc-agent"
    ready = " info  reading "
    start_seconds = 60
    stop_seconds = 30

    def __init__(self, folder, node, bootstrap_servers, **given):
        """`node`: the Node beside which it stands. `given`: name, prefix, http_port, program, settings; built: the program of the last `up`."""
        super().__init__(given["name"], folder, "127.0.0.1", given["http_port"])
        self.node, self.bootstrap_servers = node, bootstrap_servers
        self.prefix, self.settings = given["prefix"], dict(given["settings"])
        self.program = given["program"] or os.environ.get(PROGRAM) or given.get("built")
        self.log = self.output = self.folder / "logs" / "agent.log"
        self.config, self.state_directory = self.folder / "conf" / "agent.toml", self.folder / "state"

    def listens(self):
        return [Port("http_port", "HTTP", self.host, self.port)]

    def needs(self):
        return []

    def obtain(self):
        """Builds the program where none is given."""
        if self.program is None:
            built()

    def prepare(self):
        program = self.program or built()
        if not os.access(program, os.X_OK):
            raise StackError(f"{self.name}: {program} is not a program: give another one as {PROGRAM}, or none to build it")
        lines = (f"{key} = {_toml(given)}\n" for key, given in self.options().items())
        self.config.write_text("".join(lines))
        return [str(program), "run", "--config", str(self.config)]

    def environment(self):
        """That of this program, without options of agents: only the file counts."""
        return {name: text for name, text in os.environ.items() if not name.startswith("CDC_AGENT_")}

    def options(self):
        """Its configuration file."""
        defaults = {
            "topic_prefix": self.prefix,
            "cdc_raw_directory": str(self.node.cdc_raw),
            "state_directory": str(self.state_directory),
            "cassandra_host": self.node.address,
            "cassandra_port": self.node.cql_port,
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "http_address": f"{self.host}:{self.port}",
            # What the jobs compare two data centres by.
            "row_hash": "v1",
            **self._of_the_node(),
        }
        return {key: given for key, given in {**defaults, **self.settings}.items() if given is not None}

    def _of_the_node(self):
        """What the agent has to be told because the node's settings are not the defaults."""
        found = {}
        period = re.fullmatch(r"(\d+)(ms|s|m)", str(self.node.settings.get("commitlog_sync_period", "")))
        if period is not None:
            found["commitlog_sync_period_ms"] = int(period[1]) * UNITS[period[2]]
        space = re.fullmatch(r"(\d+)MiB", str(self.node.settings.get("cdc_total_space", "")))
        if space is not None:
            found["cdc_total_space_mb"] = int(space[1])
        if tables.has_users(self.node):
            user, password = tables.SUPERUSER
            secret = self.folder / "conf" / "cassandra-password"
            secret.write_text(f"{password}\n")
            secret.chmod(0o600)
            found |= {"cassandra_username": user, "cassandra_password_file": str(secret)}
        return found

    def answers(self):
        """Whether it says that it is ready; where it serves no HTTP, what its log says is enough."""
        try:
            DIRECT.open(f"http://{self.host}:{self.port}/readyz", timeout=1).close()
        except urllib.error.HTTPError:
            return False
        except OSError:
            return True
        return True

    def described(self):
        return {
            **super().described(),
            "node": self.node.name,
            "prefix": self.prefix,
            "topics": f"{self.prefix}.cdc.*",
            "config": str(self.config),
            "state_directory": str(self.state_directory),
        }


def _toml(given):
    """A value of the file: such JSON is TOML. Numbers are texts there."""
    return json.dumps(str(given) if isinstance(given, int) and not isinstance(given, bool) else given)


@functools.cache
def built():
    """The program, built by cargo when it is not there or its sources changed. Cargo says where it is."""
    command = [os.environ.get("CARGO", "cargo"), "build", "--release", "--locked", "--message-format=json-render-diagnostics"]
    advice = f"give a program that is built already as {PROGRAM}, or leave the agents out (--only kafka,onprem,azure)"
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    except OSError as error:
        raise StackError(f"cargo, which builds the agent, cannot be started: {error.strerror}; {advice}") from error
    if done.returncode != 0:
        raise StackError(f"the agent could not be built (see above); {advice}")
    found = [message["executable"] for message in map(json.loads, done.stdout.splitlines()) if message.get("executable")]
    return next(path for path in found if Path(path).name == "cdc-agent")
