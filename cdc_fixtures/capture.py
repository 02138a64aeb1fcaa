"""What a fixture keeps of a node: its schema, its rows, its segments."""

import hashlib
import json
import struct
import time
import zlib

SCHEMA_TABLES = {
    "keyspaces": "keyspaces",
    "tables": "tables",
    "columns": "columns",
    "dropped_columns": "dropped_columns",
    "types": "types",
    "views": "views",
}
# The columns of system_schema that matter for the system keyspaces; all their options would be 100 KB.
SYSTEM_SELECTIONS = {
    "keyspaces": "keyspace_name, durable_writes",
    "tables": "keyspace_name, table_name, id, flags, default_time_to_live",
    "columns": "keyspace_name, table_name, column_name, clustering_order, kind, position, type",
    "dropped_columns": "*",
    "types": "*",
    "views": "*",
}
NATIVE_TYPES = {
    "ascii", "bigint", "blob", "boolean", "counter", "date", "decimal", "double", "duration", "empty", "float", "inet", "int",
    "smallint", "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint",
}  # fmt: skip
LONGEST = 4096


def is_system(keyspace):
    return keyspace == "system" or keyspace.startswith("system_")


def schema(session, system=False):
    """The schema file of docs: an object of arrays of `SELECT JSON *` rows; of the user's keyspaces or the system's."""
    found = {}
    for name, source in SCHEMA_TABLES.items():
        wanted = SYSTEM_SELECTIONS[name] if system else "*"
        rows = [json.loads(row[0]) for row in session.execute(f"SELECT JSON {wanted} FROM system_schema.{source}")]
        found[name] = [row for row in rows if is_system(row["keyspace_name"]) == system]
    return found


def write_schema(path, found):
    """One row a line, so that a change shows as a change of its row."""
    parts = []
    for name, rows in found.items():
        lines = ",\n  ".join(compactly(row) for row in rows)
        parts.append(f'"{name}": [' + (f"\n  {lines}\n" if rows else "") + "]")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def describe(session):
    """DESCRIBE SCHEMA WITH INTERNALS: the DDL of the user's keyspaces with table ids and dropped columns."""
    rows = session.execute("DESCRIBE SCHEMA WITH INTERNALS")
    return "\n\n".join(row.create_statement for row in rows if not is_system(row.keyspace_name)) + "\n"


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def rows(session, found):
    """Every row of every user table as Cassandra prints it in JSON, with writetime and ttl of each column that has them."""
    for table in sorted(found["tables"], key=lambda row: (row["keyspace_name"], row["table_name"])):
        columns = [
            row for row in found["columns"]
            if (row["keyspace_name"], row["table_name"]) == (table["keyspace_name"], table["table_name"])
        ]  # fmt: skip
        yield from table_rows(session, table, columns)


def table_rows(session, table, columns):
    """The lines of one table. The row is Cassandra's own text: parsing its numbers would round them."""
    name = f"{quote(table['keyspace_name'])}.{quote(table['table_name'])}"
    compact = "compound" not in (table["flags"] or []) or "dense" in (table["flags"] or [])
    # COMPACT STORAGE names its columns in another way in system_schema than CQL does: no times for it.
    plain = [] if compact else [row for row in columns if has_times(row)]
    now = int(time.time())
    wanted, left_out = printable(session, name, columns)
    texts = [row[0] for row in session.execute(f"SELECT JSON {wanted} FROM {name}")]
    times = {"writetime": [{} for _ in texts], "ttl": [{} for _ in texts]}
    for column in plain:
        for function in ("writetime", "ttl") if column["type"] != "counter" else ("writetime",):
            query = f"SELECT {function}({quote(column['column_name'])}) FROM {name}"
            for found, (value,) in zip(times[function], session.execute(query), strict=True):
                if value is not None:
                    found[column["column_name"]] = value
    head = f'{{"keyspace":{compactly(table["keyspace_name"])},"table":{compactly(table["table_name"])}'
    for text, writetime, ttl in zip(texts, times["writetime"], times["ttl"], strict=True):
        tail = f'"writetime":{compactly(writetime)},"ttl":{compactly(ttl)},"selected_at":{now}{left_out}'
        yield f'{head},"row":{shortened(text)},{tail}}}\n'


def printable(session, name, columns):
    """What to select of a table: `*`, or less where Cassandra cannot print a value as JSON, and a note on what is left out.

    It fails with a NullPointerException on a zero-length boolean, and with an IndexOutOfBoundsException on a tuple that was
    written with fewer fields than its type has.
    """
    from cassandra.cluster import NoHostAvailable  # what the driver makes of a server error

    def fails(selection):
        try:
            session.execute(f"SELECT JSON {selection} FROM {name}")
        except NoHostAvailable:
            return True
        return False

    if not fails("*"):
        return "*", ""
    bad = [row["column_name"] for row in columns if fails(quote(row["column_name"]))]
    good = [quote(row["column_name"]) for row in columns if row["column_name"] not in bad]
    return ", ".join(good), f',"left_out":{compactly(bad)}'


def has_times(row):
    """writetime() and ttl() work for it on every release: neither key nor unfrozen collection or UDT."""
    cell = row["kind"] in ("static", "regular")
    return cell and (row["type"] in NATIVE_TYPES or row["type"].startswith(("frozen<", "vector<")))


def shortened(text):
    """A row with its longest values replaced by their length and hash."""
    found = json.loads(text)
    long = {key: value for key, value in found.items() if isinstance(value, str) and len(value) > LONGEST}
    if not long:
        return text
    for key, value in long.items():
        found[key] = {"characters": len(value), "sha256": hashlib.sha256(value.encode()).hexdigest()}
    return compactly(found)


def compactly(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def segments(cdc_raw):
    """The segments with CDC data of a folder, by id, with their idx files."""
    found = []
    for log in sorted(cdc_raw.glob("CommitLog-*.log")):
        idx = log.with_name(log.stem + "_cdc.idx")
        if idx.exists():
            found.append((log, idx))
    return found


def last_marker(log):
    """Where the chain of sync markers of an uncompressed segment ends, and whether bytes stand beyond it."""
    data = log.read_bytes()
    segment_id = int(log.stem.split("-")[2])
    words = struct.pack(">II", segment_id & 0xFFFFFFFF, segment_id >> 32)
    position = 18 + struct.unpack_from(">H", data, 12)[0]
    while position <= len(data) - 8:
        following, crc = struct.unpack_from(">II", data, position)
        if (following, crc) == (0, 0) or crc != zlib.crc32(words + struct.pack(">I", position)):
            break
        position = following
    return position, any(data[position + 8 :])
