"""What the tests on a real Flink cluster share: a stack of their own, and waiting for it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "compose" / "native" / "stack.py"
PROGRAM = Path(os.environ.get("CDC_JOBS_BIN", ROOT / "target" / "debug" / "cdc-jobs"))
SECONDS = 180
UP = ["--only", "kafka,flink", "--free-ports", "--quick", "--option", "kafka.heap=256m", "--json"]


def stack(command, folder, *arguments):
    whole = [sys.executable, str(STACK), command, "--dir", str(folder), *arguments]
    done = subprocess.run(whole, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(whole)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def names(command_line, folder):
    """Whether a process was started with this folder."""
    try:
        text = command_line.read_bytes()
    except OSError:  # it has ended
        return False
    return str(folder).encode() in text and b"guard" not in text  # the guard ends with this program


def down(folder):
    """Stops a stack; fails when something of it still runs."""
    stack("down", folder)
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if names(path, folder)]
    assert not left, f"{left} still run"
