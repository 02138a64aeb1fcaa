#!/usr/bin/env python3
"""The stack without a container engine: Cassandra clusters, Kafka, an agent beside each node, and Flink, on this machine's loopback addresses.

    stack.py up                          start what does not run; nothing to do when everything runs
    stack.py down [--data drop]          stop everything; the data stays unless it is dropped
    stack.py status [--json]             what runs and where; exit code 1 when something does not run
    stack.py logs [SERVICE…] [-f]        the ends of the logs
    stack.py start|stop|kill|pause|resume SERVICE…
                                         one service: stop is SIGTERM, kill is SIGKILL, pause and resume are SIGSTOP and SIGCONT
    stack.py cql SERVICE [ARGUMENT…]     cqlsh on a node
    stack.py nodetool SERVICE ARGUMENT…  nodetool on a node
    stack.py kafka TOOL [ARGUMENT…]      one of Kafka's tools: topics, console-consumer, …

docs/stack.md has the options of a stack, the output of --json, and examples. Exit codes: 0 done, 1 failed, 2 usage.
"""

import argparse
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import broker
import description
import tables
from lifecycle import Stack
from parts import StackError

CACHE = Path(os.environ.get("CDC_AGENT_CACHE", Path(__file__).resolve().parents[2] / ".cache"))


def up(stack, given):
    """Starts the stack that the arguments describe."""
    only = given.only.split(",") if given.only else None
    without = given.without.split(",") if given.without else ()
    parts = description.described(given.config, given.option, given.set, only, without, given.free_ports, given.quick)
    if given.owner is not None:
        start_guard(stack, given.owner)
    if not stack.up(parts, given.later.split(",") if given.later else ()):
        print("everything runs already:", file=sys.stderr)
    status(stack, given)
    return 0


def start_guard(stack, owner):
    """Starts a process of its own that stops the stack when the process `owner` has ended, however it ended."""
    try:
        handle = os.pidfd_open(owner)
    except OSError as error:
        raise StackError(f"--owner {owner}: {error.strerror}") from error
    command = [sys.executable, __file__, "guard", "--dir", str(stack.folder), str(handle)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen(command, pass_fds=[handle], start_new_session=True, **quiet)
    os.close(handle)


def guard(stack, given):
    """What `up --owner` starts."""
    select.select([given.handle], [], [])  # a pidfd becomes readable when its process ends
    stack.down()
    return 0


def down(stack, given):
    """Stops the stack."""
    stopped = stack.down(drop=given.data == "drop")
    data = "" if given.data == "keep" else "; its data was removed"
    print((f"stopped {', '.join(stopped)}" if stopped else "nothing runs") + data)
    return 0


def status(stack, given):
    """Prints what is known of the stack."""
    known = stack.described()
    if given.json:
        print(json.dumps(known, indent=1))
    elif not known["services"]:
        print(f"no stack in {stack.folder}")
    else:
        for service in known["services"]:
            print(line(service))
    return 0 if known["running"] else 1


def line(service):
    """A service in one line."""
    what = {
        "kafka": lambda: f"Kafka {service['version']}",
        "cassandra": lambda: f"Cassandra {service['version']}, {service['dc']}",
        "agent": lambda: f"agent of {service['node']}",
        "jobmanager": lambda: f"Flink {service['version']}, JobManager",
        "taskmanager": lambda: f"Flink {service['version']}, TaskManager",
        "sql-gateway": lambda: f"Flink {service['version']}, SQL gateway",
    }[service["kind"]]()
    state = service["state"] if service["pid"] is None else f"{service['state']}, pid {service['pid']}"
    memory = f", {service['memory_bytes'] >> 20} MiB" if service["memory_bytes"] else ""
    more = service.get("cdc_raw") or service.get("topics") or service.get("url", "")
    return f"{service['name']:12} {what:26} {service['host']}:{service['port']:<6} {state}{memory}  {more}".rstrip()


def start(stack, given):
    """Starts single services."""
    stack.start(given.services, given.option, given.set)
    return printed(stack, given)


def each(method):
    """A command that calls a method of every named service."""

    def command(stack, given):
        for service in stack.services(given.services):
            getattr(service, method)()
        return printed(stack, given)

    return command


def printed(stack, given):
    """The stack as JSON where that was asked for."""
    if given.json:
        status(stack, given)
    return 0


def logs(stack, given):
    """Shows the ends of the logs with tail."""
    paths = [path for service in stack.services(given.services) for path in service.described()["logs"] if Path(path).exists()]
    if not paths:
        print(f"no logs in {stack.folder}", file=sys.stderr)
        return 1
    return subprocess.run(["tail", "-n", str(given.lines), *(["-F"] if given.follow else []), "-v", *paths], check=False).returncode


def node(stack, name):
    """The node with this name."""
    (found,) = stack.services([name])
    if found.kind != "cassandra":
        raise StackError(f"{name} is not a Cassandra node")
    return found


def cql(stack, given):
    """Runs cqlsh."""
    command, environment = tables.cqlsh(node(stack, given.service), *given.rest)
    return subprocess.run(command, env=environment, check=False).returncode


def nodetool(stack, given):
    """Runs nodetool."""
    print(node(stack, given.service).nodetool(*given.rest), end="")
    return 0


def kafka(stack, given):
    """Runs one of Kafka's tools against the brokers."""
    servers = stack.described()["bootstrap_servers"]
    if servers is None:
        raise StackError("the stack has no broker")
    return subprocess.run(broker.tool(stack.folder, given.tool, servers, given.rest), check=False).returncode


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dir", type=Path, default=CACHE / "stack", help="the stack's folder (default: .cache/stack)")
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--json", action="store_true", help="print the stack as JSON")
    changes = argparse.ArgumentParser(add_help=False)
    changes.add_argument("--option", action="append", default=[], metavar="PART.KEY=VALUE", help="version, nodes, heap, ports …")
    files = "a key of cassandra.yaml, server.properties, agent.toml"
    changes.add_argument("--set", action="append", default=[], metavar="PART.KEY=VALUE", help=files)
    names = "up,down,status,logs,start,stop,kill,pause,resume,cql,nodetool,kafka"
    commands = parser.add_subparsers(dest="command", required=True, metavar=f"{{{names}}}")

    def add(name, run, *parents):
        found = commands.add_parser(name, parents=[common, *parents], help=run.__doc__)
        found.set_defaults(run=run)
        return found

    start_all = add("up", up, output, changes)
    start_all.add_argument("--config", type=Path, help="a JSON file of parts and their options")
    start_all.add_argument("--only", metavar="PART,…", help="leave the other parts out")
    start_all.add_argument("--without", metavar="PART,…", help="leave these parts out")
    start_all.add_argument("--free-ports", action="store_true", help="take free ports, beside other stacks")
    start_all.add_argument("--quick", action="store_true", help="JVMs that start sooner and are slower under load")
    start_all.add_argument("--owner", type=int, metavar="PID", help="stop the stack when this process ends")
    start_all.add_argument("--later", metavar="SERVICE,…", help="leave these to `start`")
    add("down", down).add_argument("--data", choices=("keep", "drop"), default="keep")
    add("status", status, output)
    tail = add("logs", logs)
    tail.add_argument("services", nargs="*", metavar="SERVICE")
    tail.add_argument("-n", "--lines", type=int, default=20)
    tail.add_argument("-f", "--follow", action="store_true")
    add("start", start, output, changes).add_argument("services", nargs="+", metavar="SERVICE")
    for method in ("stop", "kill", "pause", "resume"):
        add(method, each(method), output).add_argument("services", nargs="+", metavar="SERVICE")
    for name, run in (("cql", cql), ("nodetool", nodetool)):
        found = add(name, run)
        found.add_argument("service", metavar="SERVICE")
        found.add_argument("rest", nargs=argparse.REMAINDER)
    found = add("kafka", kafka)
    found.add_argument("tool", choices=sorted(broker.TOOLS))
    found.add_argument("rest", nargs=argparse.REMAINDER)
    found = commands.add_parser("guard", parents=[common])
    found.set_defaults(run=guard)
    found.add_argument("handle", type=int)
    return parser.parse_args()


def main():
    """Runs one command; an interrupted start is undone as a failed one is."""
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return given.run(Stack(given.dir), given)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        print(f"stack: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
