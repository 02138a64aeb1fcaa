"""The writes of `demo` on another cluster, as a program that writes to both with its own write times: one differs, one is lacking.

The write times are those of the segment in `demo`, as Cassandra's reader found them: a new `demo` needs a new `demo-cloud`.
"""

import gzip
import json
from pathlib import Path

from . import demo

FOUND = Path(__file__).resolve().parents[1] / "demo" / "mutations.jsonl.gz"
# Numbers of the statements, from 0.
OTHER_VALUE, LACKING = 0, 6


def setup(target):
    return demo.setup(target)


def run(target):
    written = zip(demo.run(target), write_times(), strict=True)
    lines = [timed(line, ts) for number, (line, ts) in enumerate(written) if number != LACKING]
    changed = lines[OTHER_VALUE].replace("'channel': 'web'", "'channel': 'app'")
    assert changed != lines[OTHER_VALUE]
    return [changed, *lines[1:]]


def write_times():
    """Of each mutation of the segment, microseconds. Whole collections are deleted a microsecond before they are written."""
    for line in gzip.decompress(FOUND.read_bytes()).decode().splitlines():
        found = json.loads(line)
        if "updates" in found:
            yield max(times(found["updates"]))


def times(value):
    if isinstance(value, list):
        for item in value:
            yield from times(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in ("ts", "timestamp") and isinstance(item, int):
                yield item
            else:
                yield from times(item)


def timed(line, ts):
    """The statement with its write time; that of a batch stands before its statements."""
    using = f"USING TIMESTAMP {ts}"
    if line.startswith("BEGIN BATCH"):
        return line.replace("BEGIN BATCH", f"BEGIN BATCH {using}", 1)
    if " USING TTL " in line:
        return line.replace(" USING TTL ", f" {using} AND TTL ", 1)
    if line.startswith("UPDATE"):
        return line.replace(" SET ", f" {using} SET ", 1)
    if line.startswith("DELETE"):
        return line.replace(" WHERE ", f" {using} WHERE ", 1)
    return f"{line} {using}"
