#!/usr/bin/env python3
"""Random schemas and statements through Cassandra's own writer, decoded by Cassandra's own reader and by cdc-agent.

    tests/oracle/differential.py [--cases N] [--statements N] [--seed N] [--only VERSION/COMPRESSION] [--agent PROGRAM] [--keep]

Each case has the next seed and the next of VARIANTS. Every mutation must be the same, cell by cell, and every byte of it must
have a meaning in `inspect`. Folders of cases that differ are kept, with their statements.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from itertools import zip_longest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# What a case needs of the writer: the Cassandra version and how the segment is stored.
VARIANTS = [
    ("4.1", "none"),
    ("5.0-none", "LZ4Compressor"),
    ("4.1", "encrypted"),
    ("5.0-direct", "none"),
    ("5.0", "none"),
    ("4.1", "ZstdCompressor"),
    ("5.0-none", "SnappyCompressor"),
    ("4.1", "DeflateCompressor"),
    ("5.0-none", "encrypted"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=4)
    parser.add_argument("--statements", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first case")
    parser.add_argument("--only", help="one variant, such as 4.1/none")
    parser.add_argument("--agent", type=Path, default=ROOT / "target" / "debug" / "cdc-agent")
    parser.add_argument("--keep", action="store_true", help="keep the folders of cases without a difference")
    arguments = parser.parse_args()
    variants = [tuple(arguments.only.split("/"))] if arguments.only else VARIANTS
    passed = failed = mutations = 0
    for number in range(arguments.cases):
        seed, (version, compression) = arguments.seed + number, variants[number % len(variants)]
        started = time.monotonic()
        folder = make_case(seed, arguments.statements, version, compression)
        compared, differences = compare(folder, arguments.agent)
        mutations += compared
        word = "DIFFERENT" if differences else "same"
        seconds = time.monotonic() - started
        print(f"seed {seed} {version} {compression}: {compared} mutations {word} ({seconds:.0f} s)", flush=True)
        for difference in differences[:5]:
            print(f"  {folder}: {difference}", flush=True)
        if differences:
            failed += 1
        else:
            passed += 1
            if not arguments.keep:
                shutil.rmtree(folder)
    print(f"{mutations} mutations compared")
    print(f"differential: {passed} passed, {failed} failed")
    return 1 if failed else 0


def make_case(seed, statements, version, compression):
    command = [HERE / "differential.sh", str(seed), str(statements), version, compression]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(made.stdout.splitlines()[-1])


def compare(folder, agent):
    """The number of mutations compared, and what differs."""
    expected, errors = {}, []
    for line in (folder / "mutations.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        if "updates" in item:
            expected[item["segment"], item["pos"]] = item
        else:
            errors += [f"Cassandra's reader: {error}" for error in item["errors"]]
    differences, compared = errors, 0
    for segment in sorted(folder.glob("CommitLog-*.log")):
        for found in inspect(segment, folder, agent):
            where = f"{segment.name} at {found['pos']}"
            other = expected.pop((segment.name, found["pos"]), None)
            if "undecoded" in found:
                # Cassandra's reader passes over a mutation with a table that it does not know, too.
                if other is not None:
                    differences.append(f"{where}: {found['undecoded']}")
                continue
            compared += 1
            gaps = []
            updates = without_empty_rows(without_offsets(found["updates"], gaps))
            if gaps:
                differences.append(f"{where}: no offset for {gaps[0]}")
            if other is None:
                differences.append(f"{where}: not given by Cassandra's reader")
            elif updates != other["updates"] or found["size"] != other["size"]:
                differences.append(f"{where}: {first_difference(updates, other['updates'])}")
    differences += [f"{segment} at {pos}: not given by cdc-agent" for segment, pos in expected]
    return compared, differences


def inspect(segment, folder, agent):
    command = [agent, "inspect", segment, "--schema", folder / "schema.json", "--json", "--values", "--include-system"]
    if (folder / "key.hex").exists():
        (folder / "key.hex").chmod(0o600)
        command += ["--commitlog-key-hex-file", folder / "key.hex"]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    lines = (json.loads(line) for line in shown.stdout.splitlines())
    return [line for line in lines if line["type"] == "mutation"]


PARTS = ("table_id", "columns", "kind", "cells", "value", "deleted")


def without_offsets(item, gaps):
    """The item without the fields `at`, which only cdc-agent gives; parts that lack one go into gaps."""
    if isinstance(item, list):
        return [without_offsets(each, gaps) for each in item]
    if not isinstance(item, dict):
        return item
    if "at" not in item and any(field in item for field in PARTS):
        gaps.append(sorted(item))
    return {name: without_offsets(value, gaps) for name, value in item.items() if name != "at"}


def without_empty_rows(updates):
    """Cassandra leaves rows out that say nothing: those of statements that add nothing to a collection."""

    def is_empty(item):
        return not any(item.get(field) for field in ("liveness", "deletion", "columns", "kind"))

    for update in updates:
        update["unfiltereds"] = [item for item in update["unfiltereds"] if not is_empty(item)]
        if is_empty(update.get("static", {})):
            update.pop("static", None)
    return updates


def first_difference(ours, theirs, path="updates"):
    if type(ours) is type(theirs) is dict:
        for name in {**ours, **theirs}:
            if ours.get(name) != theirs.get(name):
                return first_difference(ours.get(name), theirs.get(name), f"{path}.{name}")
    if type(ours) is type(theirs) is list:
        for index, (one, other) in enumerate(zip_longest(ours, theirs)):
            if one != other:
                return first_difference(one, other, f"{path}[{index}]")
    return f"{path}: {json.dumps(ours)} instead of {json.dumps(theirs)}"


if __name__ == "__main__":
    sys.exit(main())
