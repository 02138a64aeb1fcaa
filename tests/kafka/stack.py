"""The broker of the tests: a private stack of compose/native/stack.py on free ports."""

import base64
import json
import subprocess
import sys
import time
from pathlib import Path

STACK = Path(__file__).resolve().parents[2] / "compose" / "native" / "stack.py"


class Broker:
    """One broker, in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.known = folder, None

    def _call(self, command, *arguments):
        done = subprocess.run(
            [sys.executable, STACK, command, "--dir", self.folder, "--json", *arguments], stdout=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode == 0, f"stack.py {command}: exit code {done.returncode}"
        return done.stdout

    def start(self, listeners=(), settings=()):
        """Starts it, or starts it again as it was. `settings`: lines of server.properties."""
        if self.known is None:
            options = ["--option", f"kafka.listeners={json.dumps(list(listeners))}"]
            options += [word for setting in settings for word in ("--set", f"kafka.{setting}")]
            self.known = json.loads(self._call("up", "--only", "kafka", "--free-ports", *options))
        else:
            self._call("start", "kafka")

    def stop(self):
        if self.known is not None:
            self._call("stop", "kafka")

    def kill(self):
        self._call("kill", "kafka")

    @property
    def servers(self):
        return self.known["bootstrap_servers"]

    @property
    def listeners(self):
        return self.known["services"][0]["listeners"]

    @property
    def access(self):
        return self.known["access"]

    def token(self, seconds=3600):
        """A JSON Web Token without a signature, as the broker takes it, that expires in so many seconds."""
        now = int(time.time())
        parts = [{"alg": "none"}, {"sub": self.access["sasl"]["user"], "iat": now - 3600, "exp": now + seconds}]
        texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return ".".join([*texts, ""])
