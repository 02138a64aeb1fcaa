"""One process in a folder of its own: it outlives the program that started it, and another program can find and end it.

`process.json` beside it holds its pid and the time of its start. A pid alone could by now belong to somebody else's process;
signals go through a pidfd that was opened before the start time was compared, so they can never reach another process.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

# The process writes its own record before it becomes the program: no moment in which it runs and nobody knows its pid.
WRITE_RECORD = """
read -r boot </proc/sys/kernel/random/boot_id && read -r stat </proc/$$/stat &&
printf '{"pid": %s, "boot": "%s", "stat": "%s"}\\n' $$ "$boot" "$stat" >"$0.new" && mv "$0.new" "$0" && exec "$@"
"""
KILL_SECONDS = 15


class Process:
    """The process of `folder`, running or not."""

    def __init__(self, folder):
        self.record = Path(folder) / "process.json"
        self._child = None

    def start(self, command, output, cwd, environment=None):
        """Starts `command`; its standard output and error are appended to the file `output`."""
        shell = ["/bin/sh", "-c", WRITE_RECORD, str(self.record), *map(str, command)]
        with open(output, "ab") as out:
            self._child = subprocess.Popen(
                shell, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd, env=environment, start_new_session=True
            )
        while not self.record.exists() and self._child.poll() is None:
            time.sleep(0.001)

    def pid(self):
        """Its pid while it runs (paused or not), else None."""
        with self._handle() as handle:
            return None if handle is None else self._known()["pid"]

    def state(self):
        """`running`, `paused` (SIGSTOP), `ended` (without being stopped: a crash) or `stopped`."""
        with self._handle() as handle:
            if handle is None:
                return "ended" if self.record.exists() else "stopped"
            known = _stat(self._known()["pid"])
            return "paused" if known is not None and known[0] in "Tt" else "running"

    def exit_code(self):
        """The exit code of a child of this program that ended; None of any other."""
        return None if self._child is None else self._child.poll()

    def send(self, *signals):
        """Sends signals to it; False when it does not run."""
        with self._handle() as handle:
            if handle is None:
                return False
            _send(handle, *signals)
            return True

    def end(self, how, seconds):
        """Ends it with the signal `how` and forgets it. False when that took longer than `seconds`: then it was killed."""
        in_time = True
        with self._handle() as handle:
            if handle is not None:
                _send(handle, how, signal.SIGCONT)  # a paused process would not see SIGTERM
                in_time = _ended(handle, seconds)
                if not in_time:
                    _send(handle, signal.SIGKILL)
                    _ended(handle, KILL_SECONDS)
        self.exit_code()  # reaps it
        self.record.unlink(missing_ok=True)
        return in_time

    def memory(self):
        """Its resident memory in bytes, 0 when it does not run."""
        pid = self.pid()
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE")
        return 0

    def _known(self):
        try:
            known = json.loads(self.record.read_text())
        except (OSError, ValueError):
            return None
        return {"pid": known["pid"], "boot": known["boot"], "started": _fields(known["stat"])[19]}

    @contextlib.contextmanager
    def _handle(self):
        """A pidfd of the process, or None when it does not run."""
        known = self._known()
        handle = None
        if known is not None and known["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip():
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(known["pid"])
        try:
            fields = None if handle is None else _stat(known["pid"])
            ours = fields is not None and fields[19] == known["started"] and not _ended(handle, 0)
            yield handle if ours else None
        finally:
            if handle is not None:
                os.close(handle)


def _send(handle, *signals):
    for number in signals:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)


def _ended(handle, seconds):
    """Whether the process ends within `seconds`. A pidfd becomes readable when its last thread has ended."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _stat(pid):
    try:
        return _fields(Path(f"/proc/{pid}/stat").read_text())
    except OSError:
        return None


def _fields(stat):
    """The fields of /proc/PID/stat from the third (state) on; the second is a name that may hold anything."""
    return stat.rsplit(")", 1)[1].split()
