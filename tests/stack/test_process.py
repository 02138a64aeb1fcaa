"""Processes and ports: what is never signalled, and what is told of a process in each of its states."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "compose" / "native"))

import ports  # noqa: E402
from process import Process  # noqa: E402

from tests.live.waiting import wait_for  # noqa: E402

SLEEP = ["/bin/sleep", "600"]


class Processes(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.process = Process(self.folder)
        self.addCleanup(lambda: self.process.end(signal.SIGKILL, 0))

    def start(self):
        self.process.start(SLEEP, self.folder / "out", self.folder)

    def test_every_state_has_a_name(self):
        self.assertEqual(self.process.state(), "stopped")
        self.start()
        self.assertEqual(self.process.state(), "running")
        self.process.send(signal.SIGSTOP)
        wait_for(lambda: self.process.state() == "paused", "the state paused", 10, 0.01)
        self.process.send(signal.SIGCONT)
        wait_for(lambda: self.process.state() == "running", "the state running", 10, 0.01)
        os.kill(self.process.pid(), signal.SIGKILL)
        wait_for(lambda: self.process.state() == "ended", "the state ended", 10, 0.01)
        self.assertIsNone(self.process.pid())
        self.process.end(signal.SIGTERM, 1)
        self.assertEqual(self.process.state(), "stopped")

    def test_another_program_finds_it_and_ends_it(self):
        self.start()
        pid = self.process.pid()
        other = Process(self.folder)
        self.assertEqual(other.pid(), pid)
        self.assertTrue(other.end(signal.SIGTERM, 10))
        self.assertIsNone(self.process.pid())

    def test_a_paused_process_can_be_stopped(self):
        self.start()
        self.process.send(signal.SIGSTOP)
        wait_for(lambda: self.process.state() == "paused", "the state paused", 10, 0.01)
        self.assertTrue(self.process.end(signal.SIGTERM, 10))

    def test_what_ignores_sigterm_is_killed_in_the_end(self):
        self.process.start(["/bin/sh", "-c", "trap '' TERM; echo ready; sleep 600"], self.folder / "out", self.folder)
        wait_for((self.folder / "out").read_text, "its output", 10, 0.01)
        pid = self.process.pid()
        self.assertFalse(self.process.end(signal.SIGTERM, 0.2))
        self.assertFalse(Path(f"/proc/{pid}").exists())

    def test_a_foreign_process_with_its_pid_is_left_alone(self):
        self.start()
        known = json.loads(self.process.record.read_text())
        self.process.end(signal.SIGKILL, 0)
        foreign = subprocess.Popen(SLEEP)
        self.addCleanup(lambda: (foreign.kill(), foreign.wait()))
        its_own = Path(f"/proc/{foreign.pid}/stat").read_text().split()
        earlier = " ".join([*its_own[:21], str(int(its_own[21]) - 1), *its_own[22:]])  # by one tick of the clock
        elsewhere = "00000000-0000-0000-0000-000000000000"
        for record in ({**known, "stat": earlier}, {"boot": elsewhere, "stat": " ".join(its_own)}):
            self.process.record.write_text(json.dumps({**record, "pid": foreign.pid}))
            self.assertEqual(self.process.state(), "ended")
            self.assertFalse(self.process.send(signal.SIGTERM))
            self.process.end(signal.SIGKILL, 0)
            self.assertIsNone(foreign.poll())


class Ports(unittest.TestCase):
    def test_a_port_that_is_listened_at_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.assertIsNotNone(ports.taken("127.0.0.1", server.getsockname()[1]))
            self.assertIsNone(ports.taken("127.0.0.2", server.getsockname()[1]))

    def test_two_stacks_never_get_the_same_port(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            free = [ports.Free(one), ports.Free(two)]
            self.addCleanup(lambda: (ports.release(one), ports.release(two)))
            given = [free[number % 2].next(["127.0.0.1", "127.0.0.2"]) for number in range(200)]
        self.assertEqual(len(set(given)), len(given))
        self.assertTrue(all(ports.FIRST <= port < ports.LAST for port in given))


if __name__ == "__main__":
    unittest.main()
