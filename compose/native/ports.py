"""Which ports are free, and blocks of them that one stack has for itself."""

import contextlib
import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the range from which Linux takes the ports of outgoing connections (32768 and up): a port that is free when a stack
# chooses it stays free until the service listens there.
FIRST, LAST, BLOCK = 20000, 32000, 40


def taken(address, port):
    """The error of listening at an address, or None when that works."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen()
        except OSError as error:
            return error
    return None


class Free:
    """Gives out free ports from a block that belongs to the stack in `owner` until it is released or its folder is gone."""

    def __init__(self, owner):
        self.owner = Path(owner)
        self._left = iter(())

    def next(self, addresses):
        """A port that is free at every one of `addresses`."""
        while True:
            for port in self._left:
                if all(taken(address, port) is None for address in addresses):
                    return port
            self._left = iter(self._claim())

    def _claim(self):
        blocks = [range(start, start + BLOCK) for start in range(FIRST, LAST, BLOCK)]
        random.shuffle(blocks)
        with _claims() as folder:
            for block in blocks:
                claim = folder / str(block.start)
                if not claim.exists() or not Path(claim.read_text()).exists():
                    claim.write_text(str(self.owner))
                    return block
        raise OSError(f"no block of free ports is left; {folder} says which folders hold them")


def release(owner):
    """Gives the blocks of a stack back."""
    with _claims() as folder:
        for claim in folder.iterdir():
            if claim.name.isdigit() and claim.read_text() == str(owner):
                claim.unlink()


@contextlib.contextmanager
def _claims():
    """The folder with one file for each claimed block, locked."""
    folder = Path(tempfile.gettempdir()) / f"cdc-agent-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
