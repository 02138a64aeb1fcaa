"""Waiting for what other processes do: on a condition, never for a time."""

import time


def wait_for(condition, what, seconds=180, pause=0.2, check=None):
    """Waits until the condition holds, and returns what it gave.

    `what` is waited for, or a function that says at the end what it came to instead. `check` is called between two looks, and raises when
    waiting is of no use any more.
    """
    end = time.monotonic() + seconds
    while not (found := condition()):
        if check is not None:
            check()
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        time.sleep(pause)
    return found
