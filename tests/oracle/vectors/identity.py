"""row_hash, hash_def, event_id and the Kafka partition, written from docs/identity.md alone."""

import hashlib
import struct

import cql_types
import texts

OPS = {"c": 0x63, "u": 0x75, "d": 0x64, "rt": 0x74, "r": 0x72}
SHAPES = {"row": 0, "static": 1, "range": 2}
BOUNDS = {"open": 0, "inclusive": 1, "exclusive": 2}
TOMBSTONE, EXPIRING, HAS_PATH, COMPLEX_DELETION, WITHHELD, OWN_TIMESTAMP = 1, 2, 4, 8, 16, 32
NO_EXPIRY = 0xFFFFFFFF


# --- row_hash ---

def column_type(column, udts):
    """The parsed type of a column."""
    return cql_types.parse_type(column["type"], udts)


def hash_columns(columns, exclude):
    """The hashed columns in hash order: the primary key in key order, then regular columns by name."""
    keys = [c for kind in ("partition_key", "clustering") for c in columns if c["kind"] == kind]
    regular = [c for c in columns if c["kind"] == "regular" and c["type"] != "counter" and c["name"] not in exclude]
    return keys + sorted(regular, key=lambda c: c["name"].encode("utf-8"))


def hash_def(columns, udts):
    """The first 8 hex digits of SHA-256 over names and types."""
    text = ""
    for column in columns:
        for part in (column["name"], column_type(column, udts).canonical()):
            text += f"{len(part)}:{part}"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]


def column_value(column, kind):
    """The whole value of a column, from one cell's bytes or from cells with paths; None when there is none."""
    if "cells" not in column:
        return None if column["value"] is None else cql_types.deserialise(kind, bytes.fromhex(column["value"]))
    cells = [(bytes.fromhex(path), bytes.fromhex(value)) for path, value in column["cells"]]
    if not cells:
        return None
    item = cql_types.deserialise
    if kind.name == "set":
        return [item(kind.args[0], path) for path, _ in cells]
    if kind.name == "list":
        return [item(kind.args[0], value) for _, value in cells]
    if kind.name == "map":
        return [(item(kind.args[0], path), item(kind.args[1], value)) for path, value in cells]
    fields = {struct.unpack(">h", path)[0]: value for path, value in cells}
    return [item(t, fields[i]) if i in fields else None for i, t in enumerate(kind.args)]


def row_text(row):
    """The text whose SHA-256 is row_hash, version 1."""
    text = f"v1;{row['keyspace']}.{row['table']};"
    for column in hash_columns(row["columns"], row.get("exclude", ["record_hash"])):
        if "withheld_ts_us" in column:
            field = f"{column['name']}@{column['withheld_ts_us']}"
            text += f"!{len(field)}:{field}"
            continue
        kind = column_type(column, row["udts"])
        value = column_value(column, kind)
        field = None if value is None else texts.v1_text(kind, value)
        text += "~" if field is None else f"{len(field)}:{field}"
    return text


def v0_columns(row):
    """The columns of version 0: the configured list, else those of version 1."""
    if "v0_columns" in row:
        return [next(c for c in row["columns"] if c["name"] == name) for name in row["v0_columns"]]
    return hash_columns(row["columns"], row.get("exclude", ["record_hash"]))


def row_v0_text(row):
    """The text of version 0, None when the row has no exact one."""
    parts = []
    try:
        for column in v0_columns(row):
            if "withheld_ts_us" in column:
                raise texts.NoV0("a withheld column")
            kind = column_type(column, row["udts"])
            parts.append(texts.v0_text(kind, column_value(column, kind)))
    except texts.NoV0:
        return None
    return "|".join(part for part in parts if part is not None)


def sha256(text):
    """Lower-case hex of SHA-256 over UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


# --- event_id ---

def length(number):
    """A length or count in LEB128."""
    out = bytearray()
    while number >= 0x80:
        out.append(number % 0x80 + 0x80)
        number //= 0x80
    return bytes(out) + bytes([number])


def prefixed(data):
    """lp: the length, then the bytes."""
    return length(len(data)) + data


def clustering(values):
    """A count, then each value behind a byte that tells it from null."""
    out = length(len(values))
    for value in values:
        out += b"\0" if value is None else b"\1" + prefixed(bytes.fromhex(value))
    return out


def event_timestamp(event):
    """The newest timestamp that the event carries."""
    times = [part["ts"] for part in [event["deletion"], event["liveness"], *event["cells"]] if part is not None]
    # Of a row that a snapshot read, where nothing tells a time: the smallest number, as for each time that is not known.
    return max(times, default=-(1 << 63) if event["op"] == "r" else 0)


def row_times(event, newest):
    """Timestamp, flags, deletion and liveness."""
    deletion, liveness = event["deletion"], event["liveness"]
    assert deletion is None or deletion["ts"] == newest, "an event with a deletion holds nothing else"
    flags, rest = 0, b""
    if deletion is not None:
        flags |= 1
        rest += struct.pack(">I", deletion["ldt"])
    if liveness is not None:
        flags |= 2
        if liveness["ts"] != newest:
            flags |= 8
            rest += struct.pack(">q", liveness["ts"])
        if (liveness["ttl"], liveness["ldt"]) != (0, NO_EXPIRY):
            flags |= 4
            rest += struct.pack(">II", liveness["ttl"], liveness["ldt"])
    return struct.pack(">qB", newest, flags) + rest


def encode_event(event):
    """The bytes whose SHA-256 begins with event_id."""
    newest = event_timestamp(event)
    out = b"\x01" + prefixed(f"{event['keyspace']}.{event['table']}".encode("utf-8"))
    out += prefixed(bytes.fromhex(event["partition_key"]))
    out += bytes([OPS[event["op"]], SHAPES[event["shape"]]])
    if event["shape"] == "row":
        out += clustering(event["clustering"])
    if event["shape"] == "range":
        for bound in (event["range"]["start"], event["range"]["end"]):
            out += bytes([BOUNDS[bound["kind"]]]) + clustering(bound["values"])
    out += row_times(event, newest) + length(len(event["cells"]))
    return out + b"".join(encode_cell(cell, newest) for cell in sorted(event["cells"], key=cell_order))


def cell_order(cell):
    """By column, the complex deletion first, then by path; stable, so withheld cells keep the order of the log."""
    path = b"" if cell.get("withheld") else bytes.fromhex(cell.get("path", ""))
    return cell["column"].encode("utf-8"), not cell.get("complex_deletion"), path


def encode_cell(cell, newest):
    """One cell entry."""
    withheld, complex_deletion = cell.get("withheld", False), cell.get("complex_deletion", False)
    flags = TOMBSTONE * cell.get("deleted", False) | EXPIRING * ("ttl" in cell) | COMPLEX_DELETION * complex_deletion
    flags |= OWN_TIMESTAMP * (cell["ts"] != newest)
    flags |= WITHHELD * withheld | HAS_PATH * ("path" in cell and not withheld)
    out = prefixed(cell["column"].encode("utf-8")) + bytes([flags])
    if flags & OWN_TIMESTAMP:
        out += struct.pack(">q", cell["ts"])
    if flags & (TOMBSTONE | EXPIRING | COMPLEX_DELETION):
        out += struct.pack(">I", cell["ldt"])
    if flags & EXPIRING:
        out += struct.pack(">I", cell["ttl"])
    if flags & HAS_PATH:
        out += prefixed(bytes.fromhex(cell["path"]))
    if not flags & (TOMBSTONE | COMPLEX_DELETION | WITHHELD):
        out += prefixed(bytes.fromhex(cell["value"]))
    return out


def event_id(encoded):
    """The first 16 bytes of SHA-256, in hex."""
    return hashlib.sha256(encoded).hexdigest()[:32]


# --- partition ---

def key_json(columns, udts):
    """Compact JSON of key columns."""
    parts = []
    for column in columns:
        kind = column_type(column, udts)
        parts.append(texts.json_string(column["name"]) + ":" + texts.json_value(kind, column_value(column, kind)))
    return "{" + ",".join(parts) + "}"


def murmur2(data):
    """Kafka's murmur2, as a signed 32-bit number."""
    mask, mix = 0xFFFFFFFF, 0x5BD1E995
    hashed = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        block = int.from_bytes(data[i:i + 4], "little") * mix & mask
        block = (block ^ block >> 24) * mix & mask
        hashed = hashed * mix & mask ^ block
    if len(data) > whole:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * mix & mask
    hashed = (hashed ^ hashed >> 13) * mix & mask
    hashed ^= hashed >> 15
    return hashed - (1 << 32) if hashed >> 31 else hashed


def partition(hashed, count):
    """The partition of a hash: the sign bit is cleared, not negated."""
    return (hashed & 0x7FFFFFFF) % count
