"""Writes the seeds of tests/fuzz/corpus from cdc_fixtures: small files that real Cassandra nodes wrote, and texts.

Usage: python3 tests/fuzz/seeds.py. Seeds are named `seed-*`; other files of the corpus (inputs that once failed) stay.
"""

import json
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent.parent / "cdc_fixtures"
CORPUS = HERE / "corpus"
FORMS = ["Lz4", "Snappy", "Deflate", "Zstd", "Noop"]
REPAIR_ALL = 7


def seed(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(content)


def segments():
    for path in sorted(FIXTURES.glob("*/CommitLog-*.log")):
        yield path.parent.name, path.read_bytes()


def descriptor_length(segment):
    return 18 + struct.unpack_from(">H", segment, 12)[0]


def markers(segment):
    at = descriptor_length(segment)
    while at + 8 <= len(segment):
        end, checksum = struct.unpack_from(">iI", segment, at)
        if (end, checksum) == (0, 0):
            break
        yield at, end
        at = end


def frames(segment):
    """Payloads of a plain segment."""
    for at, end in markers(segment):
        at += 8
        while at < end:
            size = struct.unpack_from(">i", segment, at)[0]
            yield segment[at + 8 : at + 8 + size]
            at += size + 12


def descriptors_and_sections():
    for name, segment in segments():
        seed("descriptor", name, segment[: descriptor_length(segment)])
        if len(segment) <= 8_000:
            seed("sections", name, bytes([0]) + segment)
            seed("sections", f"{name}-repaired", bytes([REPAIR_ALL]) + segment)
    seed("descriptor", "name", b"CommitLog-7-1795361910856.log")


def plain_sections():
    """A small plain segment of sections and frames cut out of a large one."""
    segment = (FIXTURES / "5.0-v8-direct").glob("*.log").__next__().read_bytes()
    payloads = [payload for payload in frames(segment) if len(payload) < 120][:12]
    out = bytearray(segment[: descriptor_length(segment)])
    for group in (payloads[:5], payloads[5:5], payloads[5:]):
        body = b"".join(struct.pack(">iI", len(p), 0) + p + bytes(4) for p in group)
        out += struct.pack(">iI", len(out) + 8 + len(body), 0) + body
    seed("sections", "plain", bytes([REPAIR_ALL]) + bytes(out))
    seed("sections", "plain-tail", bytes([REPAIR_ALL]) + bytes(out) + bytes(64))


def bodies():
    lz4 = []
    for line in (FIXTURES / "blocks/vectors.txt").read_text().splitlines()[1:]:
        form, how, name, length, _, stored = line.split(" ")
        stored, length = bytes.fromhex(stored), int(length)
        head = struct.pack(">I", length)[1:]
        if form in FORMS and len(stored) <= 1000:
            seed("body", f"{form}-{how}-{name}", bytes([FORMS.index(form)]) + head + stored)
        if (form, how) == ("Lz4", "fast") and len(stored) <= 600:
            block = struct.pack(">i", length) + stored
            seed("body", f"chunk-{name}", bytes([6]) + head + struct.pack(">H", len(block)) + block)
            lz4.append((length, block))
    total = sum(length for length, _ in lz4)
    chunks = b"".join(struct.pack(">H", len(block)) + block for _, block in lz4)
    seed("body", "chunks", bytes([7]) + struct.pack(">I", total)[1:] + chunks)


def mutations():
    folder = FIXTURES / "5.0-v8-direct"
    schema = json.loads((folder / "schema.json").read_text())
    tables = sorted(bytes.fromhex(table["id"].replace("-", "")) for table in schema["tables"] + schema["views"])
    taken = {}
    for payload in frames(next(folder.glob("*.log")).read_bytes()):
        table = payload[1:17]
        if table not in tables or len(payload) > 600:
            continue
        number = taken[table] = taken.get(table, 0) + 1
        if payload[0] != 1:
            seed("mutation", f"updates-{tables.index(table)}-{number}", bytes([1, 0]) + payload)
        elif number <= 3:
            seed("mutation", f"table-{tables.index(table)}-{number}", bytes([0, tables.index(table)]) + payload[17:])


def texts():
    values = {
        "int": "00000001",
        "varint": "0fffffffffffffffff",
        "decimal": "000000020bb8",
        "double": "400921fb54442d18",
        "duration": "0204f20f",
        "inet": "7f000001",
        "date": "80004e20",
        "timestamp": "0000018c00000000",
        "frozen<list<int>>": "00000002" "0000000400000001" "0000000400000002",
        "frozen<map<text, frozen<set<uuid>>>>": "00000001" "0000000161" "00000004" "00000000",
        "frozen<map<int, boolean>>": "00000001" "0000000400000001" "0000000101",
        "tuple<int, text, frozen<tuple<bigint>>>": "0000000400000001" "0000000161" "0000000c000000080000000000000007",
        "vector<float, 2>": "3f80000040000000",
        "vector<text, 2>": "0161" "026263",
        "'org.apache.cassandra.db.marshal.ListType(org.apache.cassandra.db.marshal.Int32Type)'": "00000000",
    }
    for number, (name, value) in enumerate(values.items()):
        seed("texts", f"value-{number}", bytes([0]) + name.encode() + b"\0" + bytes.fromhex(value))
    ddl = (FIXTURES / "5.0-v8-direct/schema.cql").read_text().split(";\n")
    for number, statement in enumerate(ddl):
        if number % 8 == 0 and len(statement) < 2500:
            seed("texts", f"ddl-{number}", b"\x01" + (statement + ";\n").encode())
    schema = json.loads((FIXTURES / "4.1-lz4/schema.json").read_text())
    small = {name: rows[:2] for name, rows in schema.items()}
    seed("texts", "schema", b"\x02" + json.dumps(small).encode())
    for number, value in enumerate(["00000005ff01", "ffffff9c7f", "0000400000"]):
        seed("texts", f"number-{number}", b"\x03" + bytes.fromhex(value))
    seed("texts", "counter", b"\x04" + bytes.fromhex("0001" "8000") + bytes(range(32)))
    seed("texts", "hex", b"\x05testing:1=" + b"0f" * 16 + b"\n# comment\n" + b"1e" * 32)
    jceks = (FIXTURES / "legacy/cassandra.keystore").read_bytes()
    seed("texts", "java-object", b"\x05" + jceks[jceks.index(b"\xac\xed\x00\x05") :])
    seed("texts", "position", b"\x061795346085819:20:3:1")


descriptors_and_sections()
plain_sections()
bodies()
mutations()
texts()
