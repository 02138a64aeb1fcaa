#!/usr/bin/env python3
"""Makes the fixtures: starts real Cassandra nodes, runs the workload, keeps what their commit logs hold.

    python3 cdc_fixtures/make.py [VARIANT…] [--offset N]     all variants, or those named (see VARIANTS)

Each variant is one node in a folder of the cache, and one folder here. README.md says what is in them.
"""

import argparse
import gzip
import hashlib
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT / "compose" / "native")]

import capture  # noqa: E402
from node import Node  # noqa: E402
from parts import StackError, fetched  # noqa: E402
from workload import acceptance, collections, demo, demo_cloud, evolve, ranges, rows, sales, shapes, types, writes  # noqa: E402
from workload.cql import Target, keyspace, table  # noqa: E402

ADDRESS = "127.0.0.1"
KEYS = HERE / "keys"
KEY_ALIAS, KEY_PASSWORD = "fixture:1", "throw-away"
FULL = (types, rows, ranges, collections, writes, shapes, evolve, sales)
SHORT = (rows, collections, writes)
COMMON = {
    "commitlog_segment_size": "1MiB",
    "materialized_views_enabled": True,
    "cdc_total_space": "64MiB",
    "auto_snapshot": False,
    "drop_compact_storage_enabled": True,
    "user_defined_functions_enabled": True,
}
# A compressed or encrypted section is one sync: a short period gives several sections.
SECTIONS = {"commitlog_sync_period": "250ms"}
NATIVE = {"storage_compatibility_mode": "NONE"}
# What only 5.0 knows.
MASKING = {"dynamic_data_masking_enabled": True}


def compressed(name):
    return {"commitlog_compression": [{"class_name": name}], **SECTIONS}


def encrypted():
    return {
        **SECTIONS,
        "transparent_data_encryption_options": {
            "enabled": True,
            "chunk_length_kb": 2,  # so that mutations span chunks
            "cipher": "AES/CBC/PKCS5Padding",
            "key_alias": KEY_ALIAS,
            "key_provider": [
                {
                    "class_name": "org.apache.cassandra.security.JKSKeyProvider",
                    "parameters": [
                        {
                            "keystore": str(KEYS / "keystore.jceks"),
                            "keystore_password": KEY_PASSWORD,
                            "store_type": "JCEKS",
                            "key_password": KEY_PASSWORD,
                        }
                    ],
                }
            ],
        },
    }


@dataclass(frozen=True)
class Variant:
    """How one fixture is made: the release, its cassandra.yaml, and the parts of the workload."""

    version: str
    settings: dict = field(default_factory=dict)
    parts: tuple = SHORT
    large: bool = False  # with the row of 100 KB
    before: bool = False  # with the schema as it was before the workload
    rotate: bool = False  # with a DROP TABLE in the middle, which starts a second segment
    crash: bool = False  # kill -9 instead of a clean end


VARIANTS = {
    "4.1-none": Variant("4.1", parts=FULL, large=True),
    "4.1-lz4": Variant("4.1", compressed("LZ4Compressor"), (*SHORT, ranges, evolve), before=True, rotate=True),
    "4.1-snappy": Variant("4.1", compressed("SnappyCompressor")),
    "4.1-deflate": Variant("4.1", compressed("DeflateCompressor")),
    "4.1-zstd": Variant("4.1", compressed("ZstdCompressor")),
    "4.1-encrypted": Variant("4.1", encrypted()),
    "4.1-kill9": Variant("4.1", crash=True),
    "5.0-none": Variant("5.0", parts=FULL),
    "5.0-v8-lz4": Variant(
        "5.0",
        {**NATIVE, **compressed("LZ4Compressor")},
        (*SHORT, ranges, evolve),
        large=True,
        before=True,
        rotate=True,
    ),
    "5.0-v8-direct": Variant("5.0", {**NATIVE, "commitlog_disk_access_mode": "direct"}, (*SHORT, types, shapes)),
    # 5.0.8 does not start with encryption alone: it picks mmap for the commit log before it has read the encryption options, and
    # an assertion refuses that. With a compression configured as well it starts; encryption wins.
    "5.0-v8-encrypted": Variant("5.0", {**NATIVE, **compressed("LZ4Compressor"), **encrypted()}),
    "4.1-acceptance": Variant("4.1", {"commitlog_compression": [{"class_name": "LZ4Compressor"}]}, (acceptance,), before=True),
    "5.0-acceptance": Variant("5.0", {"commitlog_compression": [{"class_name": "LZ4Compressor"}]}, (acceptance,), before=True),
    "demo": Variant("4.1", {"commitlog_compression": [{"class_name": "LZ4Compressor"}]}, (demo,)),
    "demo-cloud": Variant("4.1", {"commitlog_compression": [{"class_name": "LZ4Compressor"}]}, (demo_cloud,)),
}


def statements(variant, target):
    found = []
    for part in variant.parts:
        found += part.brief(target) if part is types and variant.parts is not FULL else part.run(target)
    if variant.large:
        found += rows.large()
    if evolve in variant.parts:
        found += evolve.drop()
    if variant.rotate:
        found += rows.run(target)[:3]
    return found


def make(name, variant, offset):
    folder = Path(fetched("cql")).parent / "fixtures" / name
    shutil.rmtree(folder, ignore_errors=True)
    target = Target(variant.version, native="storage_compatibility_mode" in variant.settings)
    settings = {**COMMON, **(MASKING if target.vectors else {}), **variant.settings}
    node = Node(folder, variant.version, ADDRESS, offset, settings)
    node.start()
    try:
        out = HERE / name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        lines = statements(variant, target)
        with Session(node) as session:
            prepare(session, variant, target)
            if variant.before:
                capture.write_schema(out / "schema-before.json", capture.schema(session))
            if variant.crash:
                run_and_crash(session, node, lines, out)
            else:
                run(session, lines)
                session.execute("DROP TABLE filler.last")  # ends the segment
                record(session, out)
                if variant.parts is FULL:
                    capture.write_schema(out / "system-schema.json", capture.schema(session, system=True))
        if not variant.crash:
            node.stop()
        write_statements(out, name, lines)
        keep_segments(node, out, packed=variant.crash)
    finally:
        node.kill()  # when it still runs
    shutil.rmtree(folder, ignore_errors=True)


def write_statements(out, name, lines):
    """What was executed; packed but in those of the demo, which are read."""
    text = "".join(f"{line};\n" for line in lines)
    if name.startswith("demo"):
        (out / "statements.cql").write_text(text)
    else:
        (out / "workload.cql.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


class Session:
    """A CQL session whose driver asks for nothing on its own, so that the segment holds the workload only."""

    def __init__(self, node):
        sys.path.insert(0, str(fetched("cql")))
        from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile

        self._cluster = Cluster(
            [node.address],
            port=node.cql_port,
            schema_metadata_enabled=False,
            token_metadata_enabled=False,
            execution_profiles={EXEC_PROFILE_DEFAULT: ExecutionProfile(request_timeout=120)},
        )

    def __enter__(self):
        return self._cluster.connect()

    def __exit__(self, *_):
        self._cluster.shutdown()


def run(session, lines):
    for line in lines:
        try:
            session.execute(line)
        except Exception as error:
            raise StackError(f"{error}\n  in: {line[:2000]}") from error


def prepare(session, variant, target):
    """Creates the schema, then starts a new segment: DROP TABLE makes Cassandra end the active one."""
    run(session, [line for part in variant.parts for line in part.setup(target)])
    run(session, [keyspace("filler"), *(table(f"filler.{word}", "k int PRIMARY KEY", cdc=False) for word in ("first", "last"))])
    run(session, ["DROP TABLE filler.first"])


def record(session, out):
    found = capture.schema(session)
    capture.write_schema(out / "schema.json", found)
    (out / "schema.cql").write_text(capture.describe(session))
    (out / "select.jsonl").write_text("".join(capture.rows(session, found)))


def run_and_crash(session, node, lines, out):
    """Leaves an idx behind the last sync marker, and entries beyond that marker."""
    half = len(lines) // 2
    run(session, lines[:half])
    wait_for(lambda: capture.segments(node.cdc_raw), "an idx file")
    run(session, lines[half:-11])
    record(session, out)
    log = capture.segments(node.cdc_raw)[-1][0]
    reached = capture.last_marker(log)[0]
    run(session, lines[-11:-10])
    wait_for(lambda: capture.last_marker(log)[0] > reached, "a new sync marker")
    run(session, lines[-10:])  # within the 100 ms before the next marker
    node.kill()
    position, beyond = capture.last_marker(log)
    if not beyond:
        raise StackError(f"{log.name} holds nothing beyond its last marker at {position}; make this variant again")


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StackError(f"waited {seconds} s for {what} in vain")
        time.sleep(0.005)


def keep_segments(node, out, packed):
    """Copies segments and idx files; `packed` ones with gzip, because they are a megabyte of zeros."""
    found = capture.segments(node.cdc_raw)
    if not found:
        raise StackError(f"{node.cdc_raw} holds no segment with CDC data")
    for log, idx in found:
        if packed:
            (out / f"{log.name}.gz").write_bytes(gzip.compress(log.read_bytes(), mtime=0))
        else:
            shutil.copyfile(log, out / log.name)
        shutil.copyfile(idx, out / idx.name)


def make_keys():
    """A throw-away AES key in a JCEKS store, its PKCS#12 copy, and as hex. Made once; remove the folder for a new one."""
    if KEYS.exists():
        return
    KEYS.mkdir()
    jceks, pkcs12 = str(KEYS / "keystore.jceks"), str(KEYS / "keystore.p12")
    bin_folder = fetched("jdk-17") / "bin"
    keytool = [str(bin_folder / "keytool")]
    store = ["-keystore", jceks, "-storetype", "JCEKS", "-storepass", KEY_PASSWORD]
    for alias, bits in ((KEY_ALIAS, "128"), ("fixture:256", "256")):
        key = ["-genseckey", "-alias", alias, "-keyalg", "AES", "-keysize", bits, "-keypass", KEY_PASSWORD]
        subprocess.run([*keytool, *key, *store], check=True, stderr=subprocess.DEVNULL)
    source = ["-srckeystore", jceks, "-srcstoretype", "JCEKS", "-srcstorepass", KEY_PASSWORD]
    destination = ["-destkeystore", pkcs12, "-deststoretype", "PKCS12", "-deststorepass", KEY_PASSWORD]
    subprocess.run([*keytool, "-importkeystore", "-noprompt", *source, *destination], check=True, stderr=subprocess.DEVNULL)
    for alias, name in ((KEY_ALIAS, "aes128.key.hex"), ("fixture:256", "aes256.key.hex")):
        show = [str(bin_folder / "java"), str(HERE / "KeyHex.java"), jceks, "JCEKS", KEY_PASSWORD, alias]
        (KEYS / name).write_text(subprocess.run(show, check=True, stdout=subprocess.PIPE, text=True).stdout)


def write_sums():
    files = sorted([*HERE.glob("*/CommitLog-*"), *KEYS.glob("*")])
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(HERE)}\n" for path in files]
    (HERE / "SHA256SUMS").write_text("".join(sums))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=", ".join(VARIANTS))
    parser.add_argument("--offset", type=int, default=900, help="added to Cassandra's ports (default: 900)")
    given = parser.parse_args()
    unknown = set(given.variants) - set(VARIANTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(VARIANTS)}")
    make_keys()
    for name in given.variants or VARIANTS:
        print(f"{name} …", flush=True)
        make(name, VARIANTS[name], given.offset)
    write_sums()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StackError as error:
        print(f"fixtures: {error}", file=sys.stderr)
        sys.exit(1)
