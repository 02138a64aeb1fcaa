"""One agent process: started, stopped, killed, stopped for a while; what it said, how it ended, what it took."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import waiting

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


def program():
    """The agent under test: `CDC_AGENT_BIN`, or the debug build."""
    return os.environ.get("CDC_AGENT_BIN", str(ROOT / "target" / "debug" / "cdc-agent"))


def environment(**more):
    """The environment without options of the agent that are not this test's."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("CDC_AGENT_") or name == "CDC_AGENT_CACHE"}
    return {**kept, **more}


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Agent:
    """`cdc-agent run` with the given options. Each start appends to one log."""

    def __init__(self, options, log, limits=None):
        self.options, self.log, self.process, self.limits = [str(word) for word in options], Path(log), None, limits
        self.starts, self.cpu_s, self.rss_anon = 0, 0.0, 0
        # When it was started last, µs since 1970.
        self.started_us = None
        self._sampler = None

    def start(self, *more, **variables):
        """Starts it; `variables` are of the environment."""
        assert not self.running, "it runs"
        self.starts += 1
        self.started_us = time.time_ns() // 1000
        with self.log.open("a") as log:
            log.write(f"--- start {self.starts} {variables}\n")
            log.flush()
            command = [program(), "run", *self.options, *map(str, more)]
            self.process = subprocess.Popen(
                command, env=environment(**variables), stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self._prepare,
                # A stopped agent in this program's process group would take the group with it (SIGHUP) when the shell above ends.
                start_new_session=True,
            )  # fmt: skip
        self._sampler = threading.Thread(target=self._sample, args=(self.process,), daemon=True)
        self._sampler.start()
        return self

    def _prepare(self):
        """In the new process: it ends when this program does, however that is; and the limits of a scenario."""
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if self.limits is not None:
            self.limits()

    def _sample(self, process):
        """Highest RssAnon and the processor time, while it lives."""
        before = self.cpu_s
        with contextlib.suppress(OSError, ValueError, IndexError):
            while process.poll() is None:
                status = Path(f"/proc/{process.pid}/status").read_text()
                lines = [line for line in status.splitlines() if line.startswith("RssAnon")]
                if lines:
                    self.rss_anon = max(self.rss_anon, int(lines[0].split()[1]) * 1024)
                fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
                self.cpu_s = before + (int(fields[11]) + int(fields[12])) / TICKS
                time.sleep(0.02)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def code(self):
        """How it ended: None while it runs, negative when a signal ended it."""
        return self.process.poll()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, and wait."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=60):
        """SIGTERM; returns the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds=60):
        """Waits for its end; returns the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the agent does not end in {seconds} s; its last words: {self.said()[-1500:]}") from None

    def said(self, start=None):
        """Its log, of one start or of the last one."""
        return self.log.read_text(errors="replace").rsplit(f"--- start {start or self.starts} ", 1)[-1]

    def wait_until_settled(self, seconds=60):
        """Until it reads or has ended."""
        wait_for(lambda: not self.running or " reading " in self.said(), "the agent to read or to end", seconds)

    def check_running(self):
        assert self.running, f"the agent ended with {self.code}: {self.said()[-2000:]}"


def wait_for(condition, what, seconds=60, agent=None, pause=0.1):
    """Waits until the condition holds and returns what it gave; an agent that ends meanwhile is an error."""
    if agent is None:
        return waiting.wait_for(condition, what, seconds, pause)
    return waiting.wait_for(condition, lambda: f"{what}; the agent's last words: {agent.said()[-2000:]}", seconds, pause, agent.check_running)


def replay(segments, schema, out, *options):
    """`cdc-agent replay` into a file log: the same records from a directory that nobody writes to."""
    command = [program(), "replay", *segments, "--schema", schema, "--out", out, "--quiet", *options]
    done = subprocess.run([str(word) for word in command], env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    return done.stderr
