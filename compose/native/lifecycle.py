"""One stack in its folder: starting, stopping, and what is known of it."""

import contextlib
import fcntl
import json
import shutil
import sys
import time
from pathlib import Path

import description
import ports
import tables
from parts import StackError, fetched
from plan import Plan


def say(text):
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)


class Stack:
    """The stack in `folder`. Its plan is in stack.json there; each service has a folder of its own beside it."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.file = self.folder / "stack.json"

    def plan(self):
        """The plan of the last start, or None."""
        if not self.file.exists():
            return None
        return Plan(self.folder, json.loads(self.file.read_text()))

    def services(self, names=()):
        """The services with these names, or all."""
        plan = self.plan()
        found = plan.services() if plan is not None else []
        unknown = sorted(set(names) - {service.name for service in found})
        if unknown:
            known = ", ".join(service.name for service in found) or "none: the stack was not started"
            raise StackError(f"no such service: {', '.join(unknown)}; known: {known}")
        return [service for service in found if not names or service.name in names]

    # -- up and down ------------------------------------------------------------------------------------------------

    def up(self, parts, later=()):
        """Starts what of `parts` does not run, but for the services `later`. Returns False when everything runs already."""
        with self._lock():
            plan = self._planned(parts)
            unknown = sorted(set(later) - {service.name for service in plan.services()})
            if unknown:
                raise StackError(f"no such service: {', '.join(unknown)}")
            waiting = [s for s in plan.services() if not _is_later(s, later) and s.process.pid() is None]
            if not waiting:
                return False
            try:
                self._start(plan, {service.name for service in waiting})
            except BaseException:
                if not self._runs(plan):
                    ports.release(self.folder)
                raise
            return True

    def _planned(self, parts):
        before = self.plan()
        if before is not None and self._runs(before):
            if before.known["parts"] != parts:
                raise StackError(f"a stack with other options runs in {self.folder}; stop it first (down), or use another --dir")
            return before
        ports.release(self.folder)
        plan = Plan.of(self.folder, parts, before)
        self._save(plan)
        return plan

    def start(self, names, options=(), settings=()):
        """Starts single services of a stack; `options` and `settings` (SERVICE.KEY=VALUE) change them for good."""
        with self._lock():
            self.services(names)
            plan = self.plan()
            _change(plan.known["services"], options, settings)
            self._save(plan)
            self._start(plan, set(names))

    def _start(self, plan, names):
        """Starts services stage by stage. When one fails, all that this call started are stopped."""
        for part in sorted({part for service in plan.services() if service.name in names for part in service.needs()}):
            fetched(part)  # all of them first: nothing waits for a download while it runs
        for service in (service for service in plan.services() if service.name in names):
            service.obtain()
        started = []
        try:
            for stage in plan.stages():
                starting = [service for service in stage if service.name in names]
                if any(service.kind == "agent" for service in starting):
                    self._make_tables(plan)  # not while the agents start
                for service in starting:
                    service.check_ports(lambda option, name=service.name: _advice(plan, name, option))
                for service in starting:
                    started.append(service)
                    service.spawn()
                _wait_ready(starting)
            self._make_tables(plan)
        except BaseException:
            if started:
                say("stopping what was started …")
            for service in reversed(started):
                service.kill()
            raise

    def _make_tables(self, plan):
        for name, part in plan.known["parts"].items():
            if part.get("tables"):
                nodes = [plan.service(entry) for entry in plan.known["services"] if entry["part"] == name]
                if nodes[0].process.state() == "running":
                    tables.apply(nodes[0], len(nodes))

    def down(self, drop=False):
        """Stops everything, last started first; with `drop`, removes the data too. Returns the names of what was running."""
        if not self.folder.exists():
            return []
        with self._lock():
            plan = self.plan()
            stopped, failures = [], []
            for stage in reversed(plan.stages() if plan is not None else []):
                stopped += _stop(stage, failures)
            ports.release(self.folder)
            if drop and plan is not None:
                self._drop(plan)
        if failures:
            raise StackError("\n".join(failures))
        return stopped

    def _drop(self, plan):
        """Removes what stacks write, and the folder when nothing else is in it."""
        for name in [*plan.known["folders"], "certificates"]:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for path in (self.file, self.folder / "tool-log4j.properties", self.folder / ".lock"):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    # -- what is known ------------------------------------------------------------------------------------------------

    def described(self):
        """Everything a program needs to use the stack; see docs/stack.md."""
        plan = self.plan()
        if plan is None:
            return {"dir": str(self.folder), "running": False, "bootstrap_servers": None, "access": None, "flink": None, "services": []}
        found = [service.described() | {"part": plan.entry(service.name)["part"]} for service in plan.services()]
        return {
            "dir": str(self.folder),
            "running": all(service["state"] == "running" for service in found),
            "bootstrap_servers": plan.bootstrap_servers(),
            "access": plan.access(),
            "flink": _flink(found),
            "services": found,
        }

    def _runs(self, plan):
        return any(service.process.pid() is not None for service in plan.services())

    def _save(self, plan):
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(plan.known, indent=1) + "\n")
        new.replace(self.file)

    @contextlib.contextmanager
    def _lock(self):
        """One program at a time starts and stops services of a stack."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _flink(services):
    """Where jobs are submitted and looked at; None without a Flink cluster."""
    at = {service["kind"]: service for service in services if "url" in service}
    if "jobmanager" not in at:
        return None
    manager = at["jobmanager"]
    known = {key: manager[key] for key in ("checkpoints", "savepoints")}
    return {"jobmanager": manager["url"], "sql_gateway": at["sql-gateway"]["url"], **known}


def _is_later(service, later):
    """Whether it is left to `start`, or stands beside a node that is."""
    return service.name in later or (service.kind == "agent" and service.node.name in later)


def _change(entries, options, settings):
    """Changes what can be changed between two starts of a service."""
    free = {entry["name"]: {key: entry[key] for key in description.CHANGEABLE if key in entry} for entry in entries}
    description.change(free, options, settings)
    for entry in entries:
        entry.update(free[entry["name"]])


def _stop(stage, failures):
    """Stops the services of a stage at once: brokers need each other to end in order."""
    running = [service.name for service in stage if service.ask_to_stop()]
    for service in stage:
        with _collected(failures):
            service.stop()
    return running


def _wait_ready(starting):
    """Waits for services that start together; each has its own time limit."""
    begin, waiting = time.monotonic(), list(starting)
    for service in starting:
        say(f"{service.name}: {service.title} starts …")
    while waiting:
        for service in list(waiting):
            if service.is_ready():
                say(f"{service.name}: ready after {time.monotonic() - begin:.1f} s")
                waiting.remove(service)
            elif time.monotonic() - begin > service.start_seconds:
                raise service.late()
        time.sleep(0.1)


def _advice(plan, name, option):
    part = plan.entry(name)["part"]
    variable = description.variable(part, option)
    return f"choose another port: {variable}=NUMBER in the environment, or --option {part}.{option}=NUMBER"


@contextlib.contextmanager
def _collected(failures):
    try:
        yield
    except StackError as error:
        failures.append(str(error))
