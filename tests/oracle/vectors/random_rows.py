"""Seeded random rows over all types, for row_hash.jsonl and partition.jsonl."""

import fractions
import ipaddress
import struct
import uuid

import cql_types
import row_cases
from cql_types import Raw

SCALARS = ("text", "ascii", "tinyint", "smallint", "int", "bigint", "blob", "boolean", "varint", "decimal", "double",
           "float", "date", "time", "timestamp", "uuid", "timeuuid", "inet", "duration")
ALPHABET = "abcXYZ019 ;:~|,\"\\'{}[]é日ß\t\n\x01\x1f\x7f😀𝒳\u2028"
KEY_SCALARS = tuple(s for s in SCALARS if s != "duration")


def type_text(rnd, depth=0, key=False):
    """A random type; nested ones are frozen."""
    simple = KEY_SCALARS if key else SCALARS
    if depth > 2 or rnd.random() < 0.6:
        return rnd.choice(simple)
    inner = lambda k=key: type_text(rnd, depth + 1, k)
    kind = rnd.choice(("list", "set", "map", "tuple", "vector", "addr", "all"))
    if kind in ("addr", "all"):
        return kind if depth == 0 and not key else f"frozen<{kind}>"
    if kind == "vector":
        return f"vector<{inner()}, {rnd.randint(1, 4)}>"
    if kind == "tuple":
        return "frozen<tuple<" + ", ".join(inner() for _ in range(rnd.randint(1, 4))) + ">>"
    args = f"{inner(True)}, {inner()}" if kind == "map" else inner(key or kind == "set")
    text = f"{kind}<{args}>"
    return text if depth == 0 and not key and rnd.random() < 0.5 else f"frozen<{text}>"


def value(rnd, kind, depth=0):
    """A random value of a parsed type; elements are never null, fields may be."""
    name = kind.name
    if name in ("text", "ascii"):
        letters = ALPHABET if name == "text" else [c for c in ALPHABET if c < "\x80"]
        return "".join(rnd.choice(letters) for _ in range(rnd.randint(0, 12)))
    if name in ("tinyint", "smallint", "int", "bigint"):
        bits = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}[name]
        return rnd.randint(-2 ** bits, 2 ** bits - 1)
    if name == "varint":
        return rnd.randint(-2 ** rnd.randint(1, 200), 2 ** 200)
    if name == "decimal":
        return rnd.randint(-10 ** rnd.randint(1, 40), 10 ** rnd.randint(1, 40)), rnd.randint(-30, 30)
    if name == "double":
        return rnd.choice((Raw(struct.pack(">Q", rnd.getrandbits(64))), round(rnd.uniform(-1000, 1000), 2)))
    if name == "float":
        return rnd.choice((Raw(struct.pack(">I", rnd.getrandbits(32))), round(rnd.uniform(-100, 100), 1)))
    if name == "blob":
        return rnd.randbytes(rnd.randint(0, 20))
    if name == "boolean":
        return rnd.random() < 0.5
    if name == "date":
        return rnd.choice((rnd.randint(-2 ** 31, 2 ** 31 - 1), rnd.randint(-30000, 30000)))
    if name == "time":
        return rnd.randrange(86_400_000_000_000)
    if name == "timestamp":
        return rnd.choice((rnd.randint(-2 ** 63, 2 ** 63 - 1), rnd.randint(0, 2_000_000_000_000)))
    if name in ("uuid", "timeuuid"):
        version = 4 if name == "uuid" else 1
        return str(uuid.UUID(int=rnd.getrandbits(128), version=version))
    if name == "inet":
        size = rnd.choice((4, 16))
        return str(ipaddress.ip_address(bytes(rnd.choice((0, 0, 1, 255)) for _ in range(size))))
    if name == "duration":
        sign = rnd.choice((1, -1))
        return tuple(sign * rnd.randrange(2 ** bits) for bits in (31, 31, 63))
    return nested(rnd, kind, depth)


def nested(rnd, kind, depth):
    """A random list, set, map, tuple, vector or UDT."""
    count = rnd.randint(0, 4 if depth == 0 else 2)
    item = lambda arg: value(rnd, arg, depth + 1)
    if kind.name == "vector":
        return [item(kind.args[0]) for _ in range(kind.size)]
    if kind.name in ("tuple", "udt"):
        return [None if rnd.random() < 0.2 else item(arg) for arg in kind.args]
    if kind.name == "list":
        return [item(kind.args[0]) for _ in range(count)]
    keys = {cql_types.serialise(kind.args[0], k): k for k in (item(kind.args[0]) for _ in range(count))}
    keys = [keys[data] for data in sorted(keys, key=lambda data: order(kind.args[0], data))]
    return keys if kind.name == "set" else [(k, item(kind.args[1])) for k in keys]


def order(kind, data):
    """What Cassandra sorts elements by: numbers by value, the rest (nearly) by bytes."""
    name = kind.name
    if name in cql_types.INTS or name in ("varint", "time", "timestamp"):
        return cql_types.deserialise(kind, data)
    if name == "decimal":
        unscaled, scale = cql_types.deserialise(kind, data)
        return fractions.Fraction(unscaled) / fractions.Fraction(10) ** scale
    if name in ("double", "float"):
        number = struct.unpack(">d" if name == "double" else ">f", data)[0]
        return (number != number, number if number == number else 0, data[0] < 0x80)
    return data


def columns(rnd):
    """The columns of a random table, with values."""
    made = []
    for kind, low, high in (("partition_key", 1, 3), ("clustering", 0, 2), ("regular", 1, 7), ("static", 0, 1)):
        for number in range(rnd.randint(low, high)):
            name = f"{kind[0]}{rnd.choice('zyxabc_Q')}{number}"
            text = type_text(rnd, key=kind in ("partition_key", "clustering"))
            parsed = cql_types.parse_type(text, row_cases.UDTS)
            null = kind in ("regular", "static") and rnd.random() < 0.15
            chosen = None if null else value(rnd, parsed)
            if kind == "partition_key" and text in ("text", "ascii", "blob") and not chosen:
                chosen = "k" if text != "blob" else b"k"
            made.append(row_cases.column(name, text, kind, chosen))
    return made


def rows(rnd, count):
    """Random rows; the expected v1 text is not known beforehand."""
    for number in range(count):
        made = columns(rnd)
        keys = [c for c in made if c["kind"] in ("partition_key", "clustering")]
        others = [c for c in made if c not in keys]
        rnd.shuffle(others)
        yield row_cases.row(f"random-{number:03d}", keys + others), None
