#!/usr/bin/env python3
"""Is the dump sound? Dumps the old segments of cdc_fixtures/legacy and compares the number of cells and their hash with
what Cassandra's own test expects of them (hash.txt beside each segment), and the number of mutations with the README there.

    soundness.py [4.1|5.0 ...]        default: both

Needs the package of tests/requirements.txt that unpacks Zstandard: `make test-oracle` runs it with that.
"""

import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import zstandard

HERE = pathlib.Path(__file__).resolve().parent
LEGACY = HERE.parent.parent / "cdc_fixtures" / "legacy"
MUTATIONS = {"3.0.13-encrypted": 1480, "3.0.29-encrypted": 176, "3.4-encrypted": 14562, "4.0.11-encrypted": 358}


def dump(version, folder, out):
    """Runs SegmentDump over the segments of one folder."""
    command = [HERE / "run.sh", version, "cdc.oracle.dump.SegmentDump"]
    command += ["--schema", LEGACY / f"{folder.name}.schema.json"]
    command += ["--keystore", LEGACY / "cassandra.keystore", "--keystore-password", "cassandra"]
    command += ["--out", out, *sorted(folder.glob("*.log"))]
    subprocess.run(command, check=True)


def count(lines):
    """Mutations, cells of rows whose clustering value starts with "name", and the hash over those cells."""
    mutations, cells, total = 0, 0, 0
    for line in lines:
        record = json.loads(line)
        if "updates" not in record:
            assert record["errors"] == [] and record["skipped_unknown_tables"] == {}, record
            continue
        mutations += 1
        for update in record["updates"]:
            if update["table"] != "Standard1":
                continue
            for row in update["unfiltereds"]:
                if not bytes.fromhex(row["clustering"][0]).startswith(b"name"):
                    continue
                for column in row["columns"]:
                    cells += 1
                    for index, byte in enumerate(bytes.fromhex(column["cell"]["value"])):
                        total += byte << (8 * (index % 4))
    return mutations, cells, (total + 2**31) % 2**32 - 2**31


def expected(folder):
    """What hash.txt says."""
    pairs = dict(line.split("=", 1) for line in (folder / "hash.txt").read_text().splitlines() if "=" in line)
    return MUTATIONS[folder.name], int(pairs["cells"]), int(pairs["hash"])


def main():
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        with open(LEGACY / "legacy-commitlog.tar.zst", "rb") as archive:
            with zstandard.ZstdDecompressor().stream_reader(archive) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
                tar.extractall(temporary, filter="data")
        for version in sys.argv[1:] or ["4.1", "5.0"]:
            for name in MUTATIONS:
                folder = pathlib.Path(temporary) / name
                out = folder / "mutations.jsonl"
                dump(version, folder, out)
                with open(out, encoding="utf-8") as lines:
                    found = count(lines)
                good = found == expected(folder)
                failed |= not good
                print(version, name, *found, "as expected" if good else f"but expected {expected(folder)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
