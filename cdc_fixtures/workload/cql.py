"""What the parts of the workload share: fixed table ids, timestamps, keyspaces."""

import zlib
from dataclasses import dataclass

# The first client timestamp of a workload, microseconds: 2026-01-02T03:00:00Z. Fixed, so that a remake gives the same.
EPOCH_US = 1_767_322_800_000_000


@dataclass(frozen=True)
class Target:
    """The server a workload is for: its release, and whether it writes version 8 segments (no 4.x compatibility)."""

    version: str
    native: bool = False

    @property
    def vectors(self):
        return self.version >= "5.0"

    @property
    def far_ttl(self):
        """Expirations after 2038-01-19 can be stored."""
        return self.native


class Clock:
    """Increasing client timestamps for one part of the workload."""

    def __init__(self, part):
        self._next = EPOCH_US + part * 1_000_000_000

    def __call__(self):
        self._next += 1000
        return self._next


def keyspace(name):
    return f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"


def table_id(name):
    return f"{zlib.crc32(name.encode()):08x}-0000-11f0-8000-000000000000"


def table(name, columns, cdc=True, order="", options=""):
    """CREATE TABLE with an id that depends only on the name. `columns` is the text between the brackets."""
    words = [options, f"ID = {table_id(name)}", f"CLUSTERING ORDER BY ({order})" if order else "", "cdc = true" if cdc else ""]
    return f"CREATE TABLE {name} ({columns}) WITH " + " AND ".join(word for word in words if word)


def batch(*statements, kind="UNLOGGED "):
    return f"BEGIN {kind}BATCH " + " ".join(f"{statement};" for statement in statements) + " APPLY BATCH"
