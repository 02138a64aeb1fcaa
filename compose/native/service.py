"""What every service of the stack has: a folder, ports, a process, logs, and a moment from which on it answers."""

import json
import shutil
import signal
import socket
import time
from collections import namedtuple
from pathlib import Path

import ports
from parts import StackError
from process import Process

# A port of a service: the option that chooses it, what it is for, and where it listens.
Port = namedtuple("Port", "option use address number")

# A JVM that starts sooner and takes less memory, and is slower under load.
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


class Service:
    """A service in its own folder. A subclass says what is started: `title`, `ready`, `listens`, `needs` and `prepare`."""

    kind = ""
    title = ""  # for people
    ready = ""  # what its log says when it is ready
    start_seconds = 180
    stop_seconds = 90

    def __init__(self, name, folder, host, port):
        self.name, self.folder = name, Path(folder).resolve()
        self.host, self.port = host, port
        self.log = self.folder / "logs" / "system.log"
        self.output = self.folder / "logs" / "stdout.log"
        self.process = Process(self.folder)
        self._seen = {}  # how long the logs were before this start

    def listens(self):
        """Every Port that it takes."""
        raise NotImplementedError

    def needs(self):
        """The parts (of fetch.sh) that it and its tools run on."""
        raise NotImplementedError

    def obtain(self):
        """Gets what it needs beside the parts of `needs`."""

    def prepare(self):
        """Writes its configuration; returns the command that runs it."""
        raise NotImplementedError

    def environment(self):
        """The environment of its process; None: that of this program."""
        return None

    # -- start ------------------------------------------------------------------------------------------------------

    def start(self):
        """Starts it and returns when it is ready."""
        self.spawn()
        try:
            self.wait_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def check_ports(self, advice):
        """Fails when a port is taken. `advice(option)` says how another one is chosen."""
        for port in self.listens():
            error = ports.taken(port.address, port.number)
            if error is not None:
                raise StackError(
                    f"{self.name}: {port.address}:{port.number} ({port.use}) cannot be used: {error.strerror}; stop what listens "
                    f"there, or {advice(port.option)}"
                )

    def spawn(self):
        """Starts its process."""
        if self.process.pid() is not None:
            raise StackError(f"{self.name}: runs already (pid {self.process.pid()}) in {self.folder}; stop it first")
        for folder in (self.log.parent, self.folder / "conf", self.folder / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        command = self.prepare()
        self.process.record.unlink(missing_ok=True)
        self._seen = {path: path.stat().st_size if path.exists() else 0 for path in self.logs()}
        self.process.start(command, self.output, self.folder, self.environment())

    def is_ready(self):
        """Whether it is; fails when its process has ended."""
        if self.process.pid() is None:
            code = self.process.exit_code()
            self.process.end(signal.SIGKILL, 0)
            how = "" if code is None else f" (exit code {code})"
            raise StackError(f"{self.name}: {self.title} ended while it started{how}{self.last_lines()}")
        return self.ready in self._news(self.log) and self.answers()

    def wait_ready(self):
        """Waits until it is ready, at most `start_seconds`."""
        deadline = time.monotonic() + self.start_seconds
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise self.late()
            time.sleep(0.1)

    def late(self):
        """The error of a service that is not ready in time."""
        return StackError(f"{self.name}: {self.title} was not ready within {self.start_seconds} s{self.last_lines()}")

    def answers(self):
        """Whether something accepts connections at its port."""
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    # -- while it runs, and its end -----------------------------------------------------------------------------------

    def ask_to_stop(self):
        """Begins an orderly stop and does not wait for it. False when it does not run."""
        return self.process.send(signal.SIGTERM, signal.SIGCONT)

    def stop(self):
        """Stops it in an orderly way."""
        in_time = self.process.end(signal.SIGTERM, self.stop_seconds)
        self._clean()
        if not in_time:
            self.overdue()

    def overdue(self):
        """What an orderly stop means that took too long and ended in a kill."""
        raise StackError(f"{self.name}: did not stop within {self.stop_seconds} s and was killed{self.last_lines()}")

    def kill(self):
        """Ends it as a crash does (kill -9)."""
        self.process.end(signal.SIGKILL, 0)
        self._clean()

    def pause(self):
        """Halts it (SIGSTOP): its connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        """Lets a halted service go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        if not self.process.send(number):
            raise StackError(f"{self.name}: does not run; start it first")

    def _clean(self):
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    # -- logs -------------------------------------------------------------------------------------------------------

    def _news(self, path):
        """What this start has written to a log."""
        if not path.exists():
            return ""
        with open(path, "rb") as log:
            log.seek(self._seen.get(path, 0))
            return log.read().decode(errors="replace")

    def last_lines(self, count=25):
        """The end of the logs since the last start, for a message."""
        text = ""
        for path in self.logs():
            lines = self._news(path).splitlines()[-count:]
            if lines:
                text += f"\n--- last lines of {path}\n" + "\n".join(lines)
        return text or f"; it wrote no log in {self.log.parent}"

    def logs(self):
        """Its log files."""
        return list(dict.fromkeys((self.log, self.output)))

    def described(self):
        """What programs want to know of it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "state": self.process.state(),
            "pid": self.process.pid(),
            "host": self.host,
            "port": self.port,
            "ports": {port.use: port.number for port in self.listens()},
            "memory_bytes": self.process.memory(),
            "dir": str(self.folder),
            "logs": [str(path) for path in self.logs()],
        }


def value(text):
    """A value from the command line or the environment: JSON, or a plain word."""
    try:
        return json.loads(text)
    except ValueError:
        return text
