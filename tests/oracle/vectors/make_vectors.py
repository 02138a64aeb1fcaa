#!/usr/bin/env python3
"""Writes the vectors of docs/identity.md: row_hash.jsonl, event_id.jsonl, partition.jsonl, double_text.jsonl;
and the examples for the JSON Schemas of docs/envelope.md: envelope_examples.jsonl.

    make_vectors.py            row_hash, event_id and the examples anew; partition and double_text checked against this implementation
    make_vectors.py --java     also asks Kafka's own class (../run.sh kafka) and a JDK 19 or later ($JAVA19_HOME) anew
    make_vectors.py --check    writes nothing, fails when a committed file would change

Only Python's standard library; the same seed gives the same bytes.
"""

import argparse
import json
import pathlib
import random
import sys

import envelope_cases
import event_cases
import identity
import java_cases
import random_rows
import row_cases

SEED = 20261122
HERE = pathlib.Path(__file__).resolve().parent


def row_hash_lines():
    """The rows with their hashes; every text written by hand must be what the implementation says."""
    rnd = random.Random(SEED)
    for row, expected in [*row_cases.typed(), *row_cases.ordered(), *random_rows.rows(rnd, 120)]:
        text = identity.row_text(row)
        if expected is not None and text != expected:
            raise SystemExit(f"row_hash {row['name']!r}: expected {expected!r}, got {text!r}")
        hashed = identity.hash_columns(row["columns"], row.get("exclude", ["record_hash"]))
        v0_text = identity.row_v0_text(row)
        row.update(
            text=text, row_hash=identity.sha256(text), hash_def=identity.hash_def(hashed, row["udts"]),
            v0_text=v0_text, v0_row_hash=None if v0_text is None else identity.sha256(v0_text))
        if "v0_columns" in row:
            row["v0_hash_def"] = identity.hash_def(identity.v0_columns(row), row["udts"])
        yield row


def event_id_lines():
    """The events with their encodings."""
    for event in event_cases.events(random.Random(SEED + 1)):
        encoded = identity.encode_event(event)
        yield {**event, "encoded": encoded.hex(), "event_id": identity.event_id(encoded)}


def jsonl(lines):
    """JSON Lines, ASCII only, so that no editor changes them."""
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def main():
    """Writes or checks the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--java", action="store_true", help="derive partition and double_text again")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    options = parser.parse_args()
    print(f"seed {SEED}", file=sys.stderr)
    files = {"row_hash.jsonl": jsonl(row_hash_lines()), "event_id.jsonl": jsonl(event_id_lines()),
             "envelope_examples.jsonl": jsonl(envelope_cases.lines())}
    if options.java:
        files["double_text.jsonl"] = jsonl(java_cases.double_lines(random.Random(SEED + 2)))
        files["partition.jsonl"] = jsonl(java_cases.partition_lines(random.Random(SEED + 3)))
    changed = False
    for name, text in files.items():
        path = HERE / name
        if options.check:
            changed |= not path.exists() or path.read_text(encoding="ascii") != text
        else:
            path.write_text(text, encoding="ascii")
        print(f"{name}: {text.count(chr(10))} rows", file=sys.stderr)
    if not options.java:
        java_cases.check_committed(HERE)
    if changed:
        raise SystemExit("the committed vectors differ from what this script makes: run it without --check and look at the difference")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
