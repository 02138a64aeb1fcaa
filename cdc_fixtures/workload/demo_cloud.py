"""The writes of `demo` on another cluster, as a program that writes to both with its own write times: two differ, one is lacking.

The write times are those of the segment in `demo`, as Cassandra's reader found them: a new `demo` needs a new `demo-cloud`.
"""

import gzip
import json
from pathlib import Path

from . import demo

FOUND = Path(__file__).resolve().parents[1] / "demo" / "mutations.jsonl.gz"
# Of the statements, numbered from 0: what stands there instead. Of a row with a list no repair can be written; of the other one it can.
OTHER = {0: ("'channel': 'web'", "'channel': 'app'"), 11: ("('eve', 1, 'new')", "('eve', 1, 'paid')")}
LACKING = 6


def setup(target):
    return demo.setup(target)


def run(target):
    written = zip(demo.run(target), write_times(), strict=True)
    return [timed(other(number, line), ts) for number, (line, ts) in enumerate(written) if number != LACKING]


def other(number, line):
    old, new = OTHER.get(number, ("", ""))
    assert old in line, (number, line)
    return line.replace(old, new) if old else line


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
