"""A case of engines.py: rows that lack columns, and changes of which something is not known. What both engines write of them."""

import json
import time

import business
import run as embedded
import services
from waiting import wait_for

NOTES = """
table: sales.notes
source: {kind: json, topic: 'notes_{prefix}'}
sink: cassandra
environments: [onprem]
columns:
  id: {type: text}
  at: {type: timestamp}
  note: {type: text}
  size: {type: int}
key: [id]
version: {column: at}
hash: {kind: v1}
"""
COPIES = """
table: sales.copies
source: {kind: cdc, table: sales.origins}
sink: cassandra
environments: [onprem]
columns:
  id: {type: text}
  note: {type: text}
  size: {type: int}
key: [id]
version: write_time
hash: {kind: v1}
"""
TABLES = (
    "CREATE TABLE sales.notes (id text PRIMARY KEY, at timestamp, note text, size int);"
    # Nobody writes it: the agent sends heartbeats alone.
    "CREATE TABLE sales.origins (id text PRIMARY KEY, note text, size int) WITH cdc = true;"
    "CREATE TABLE sales.copies (id text PRIMARY KEY, note text, size int)"
)
# A record that lacks a column says that the row has none: an older one that comes later does not bring it back.
OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
RECORDS = {
    "sales.notes": [
        {"id": "a", "at": OLD, "note": "x", "size": 5},
        {"id": "a", "at": NEW, "size": None},
        {"id": "b", "at": NEW, "note": "new"},
        {"id": "b", "at": OLD, "note": "old", "size": 1},
        {"id": "c", "at": OLD, "note": "x", "size": 5},
    ],
    # A change that lacks a column says nothing of it.
    "sales.copies": [
        {"op": "r", "after": {"id": "a", "note": "x", "size": 1}, "event_id": "e1", "source": {"ts_us": 1000}},
        {"op": "u", "after": {"id": "a", "note": None}, "event_id": "e2", "source": {"ts_us": 2000}},
        {"op": "u", "after": {"id": "a", "size": 2}, "event_id": "e3", "source": {"ts_us": 3000}},
        {"op": "r", "after": {"id": "k"}, "event_id": "e4", "source": {"ts_us": None}},
        {"op": "c", "after": {"note": "z"}, "event_id": "e5", "source": {"ts_us": 5}},
        {"op": "c", "after": {"id": "b", "size": 2}, "event_id": 7, "source": {"ts_us": "7000"}},
        {"op": "c", "after": {"id": "b", "size": 3}, "event_id": 7, "source": {"ts_us": 8000}},
        {"op": "d", "after": None, "event_id": "e8", "source": {"ts_us": 9000}},
        {"op": "u", "after": {"id": "c", "size": 4}, "event_id": "e8", "source": {"ts_us": 9000}},
        {"op": "u", "after": {"id": "d", "size": 4}, "event_id": "e9", "source": {"ts_us": -(2**63)}},
    ],
}
TOPICS = {"sales.notes": "notes_onprem", "sales.copies": "onprem.cdc.sales.origins"}
# id → note and size, each with its write time.
ROWS = {
    "sales.notes": {"a": (None, None, None, None), "b": ("new", 1767312000000000, None, None), "c": ("x", 1767225600000000, 5, 1767225600000000)},
    "sales.copies": {"a": ("x", 1000, 2, 3000), "b": (None, None, 2, 7000), "c": (None, None, 4, 9000)},
}
# Event → the rules that are broken.
LETTERS = {"sales.notes": {}, "sales.copies": {"e4": ["write_time.unknown"], "e5": ["id.not_null"], "e9": ["write_time.unknown"]}}


def prepare(both):
    """Adds the tables and their rules."""
    both.stack.create(TABLES)
    for name, text in (("sales.notes", NOTES), ("sales.copies", COPIES)):
        (both.jobs / "rules" / f"{name}.yaml").write_text(text)


def rows(both, table):
    found = both.stack.session().execute(f"SELECT id, note, size, writetime(note) AS nt, writetime(size) AS st FROM {table}")
    return {row.id: (row.note, row.nt, row.size, row.st) for row in found}


def letters(records):
    return {json.loads(record["value"]["payload"])["event_id"]: record["value"]["failed"] for record in records}


def edges(both):
    now = int(time.time() * 1000)
    for table, topic in TOPICS.items():
        records = [{"ts": now + number, "key": None, "value": json.dumps(value).encode(), "headers": []} for number, value in enumerate(RECORDS[table])]
        services.write(both.stack.servers, topic, records)
        dead, job = f"onprem.dlq.{table}", f"dq-onprem-{table}"
        both.submit(job)
        wait_for(lambda: rows(both, table) == ROWS[table], lambda: f"{table}: {rows(both, table)}", 300, 1)
        wait_for(lambda: letters(embedded.all_of(both.read(dead), dead)) == LETTERS[table], lambda: both.read(dead), 300, 1)
        both.stop(job)
        both.stack.session().execute(f"TRUNCATE {table}")
        out = both.folder / f"edges-{table}"
        words = ["--out", out, "--state", both.folder / f"edges-{table}-state", "--valid-rows", "cassandra", "--no-counts-table", "--until-end"]
        both.run.call("run", "dq", "--env", "onprem", "--table", table, "--jobs", both.jobs, *words)
        assert rows(both, table) == ROWS[table], rows(both, table)
        found = embedded.all_of(business.read_log(out), dead)
        assert letters(found) == LETTERS[table], found
    return f"{sum(map(len, RECORDS.values()))} records, {sum(map(len, ROWS.values()))} rows, {sum(map(len, LETTERS.values()))} dead letters"
