"""CQL types: the grammar of system_schema's type texts, values to cell bytes and cell bytes to values.

Values are plain Python: str, int, bool, bytes, None; doubles and floats read as `Bits`; decimals are
(unscaled, scale), durations (months, days, nanos); lists for list, set, vector and tuple; lists of pairs for maps;
lists (in field order) for UDTs. A value that the record shows as null decodes to None.
"""

import ipaddress
import struct
import uuid

TEXTS = ("text", "ascii")
UUIDS = ("uuid", "timeuuid")
INTS = {"tinyint": 1, "smallint": 2, "int": 4, "bigint": 8}
NATIVE = TEXTS + UUIDS + tuple(INTS) + (
    "blob", "boolean", "counter", "date", "decimal", "double", "duration", "empty", "float", "inet", "time",
    "timestamp", "varint")
FIXED = {"boolean": 1, "int": 4, "float": 4, "bigint": 8, "double": 8, "timestamp": 8, "uuid": 16, "timeuuid": 16}
DATE_ZERO = 1 << 31


class Type:
    """One type: `name` is a native name, list, set, map, tuple, vector, udt or custom."""

    def __init__(self, name, args=(), fields=(), frozen=False, size=0):
        self.name, self.args, self.fields, self.frozen, self.size = name, tuple(args), tuple(fields), frozen, size

    def is_complex(self):
        """Whether a regular column of this type is stored as cells with paths."""
        return self.name in ("list", "set", "map", "udt") and not self.frozen

    def canonical(self):
        """The type text that hash_def is made of."""
        inner = ",".join(arg.canonical() for arg in self.args)
        if self.name == "udt":
            inner = ",".join(f"{name}:{arg.canonical()}" for name, arg in zip(self.fields, self.args))
        if self.name == "vector":
            inner += f",{self.size}"
        if self.name == "custom":
            return self.fields[0]
        return f"{self.name}<{inner}>" if inner else self.name


def parse_type(text, udts):
    """Parses a type text; `udts` maps a UDT's name to [[field, type text], …]."""
    found, rest = _parse(text, udts)
    if rest.strip():
        raise ValueError(f"unexpected {rest!r} after the type in {text!r}")
    return found


def _word(text):
    """The first token (a quoted name keeps its quotes) and the rest."""
    text = text.lstrip()
    if text[:1] in ("'", '"'):
        end = 1
        while not (text[end] == text[0] and text[end + 1:end + 2] != text[0]):
            end += 2 if text[end] == text[0] else 1
        return text[:end + 1], text[end + 1:]
    end = next((i for i, c in enumerate(text) if c in "<>, "), len(text))
    return text[:end], text[end:]


def _parse(text, udts):
    word, rest = _word(text)
    if word.startswith("'"):
        return Type("custom", fields=(word,)), rest
    rest = rest.lstrip()
    if rest.startswith("<") and word in ("frozen", "list", "set", "map", "tuple", "vector"):
        args, size, rest = [], 0, rest[1:]
        while True:
            if word == "vector" and args:
                number, rest = _word(rest)
                size = int(number)
            else:
                arg, rest = _parse(rest, udts)
                args.append(arg)
            rest = rest.lstrip()
            closing, rest = rest[0], rest[1:]
            if closing == ">":
                break
        if word == "frozen":
            inner = args[0]
            return Type(inner.name, inner.args, inner.fields, True, inner.size), rest
        return Type(word, args, frozen=word in ("tuple", "vector"), size=size), rest
    if word == "varchar":
        word = "text"
    if word in NATIVE:
        return Type(word), rest
    name = word[1:-1].replace('""', '"') if word.startswith('"') else word
    fields = udts[name]
    return Type("udt", [parse_type(t, udts) for _, t in fields], [n for n, _ in fields]), rest


def int_bytes(number):
    """Two's complement, big-endian, as short as possible (varint)."""
    return number.to_bytes((number if number >= 0 else ~number).bit_length() // 8 + 1, "big", signed=True)


def unsigned_vint(number):
    """Cassandra's unsigned variable-length integer."""
    size = 1
    while size < 9 and number >= 1 << (7 * size):
        size += 1
    if size == 9:
        return b"\xff" + number.to_bytes(8, "big")
    return ((0xFF << (9 - size) & 0xFF) << (8 * (size - 1)) | number).to_bytes(size, "big")


def read_unsigned_vint(data):
    """The number and what follows it."""
    extra = 8 - (data[0] ^ 0xFF).bit_length()
    number = int.from_bytes(data[:extra + 1], "big") & ((1 << (7 * extra + 7)) - 1 if extra < 8 else (1 << 64) - 1)
    return number, data[extra + 1:]


def signed_vint(number):
    """Zigzag, then unsigned."""
    return unsigned_vint(((number << 1) ^ (number >> 63)) & (1 << 64) - 1)


def _read_signed_vint(data):
    number, rest = read_unsigned_vint(data)
    return (number >> 1) ^ -(number & 1), rest


def fixed_length(kind):
    """The length of every value of the type, None when it varies (what a vector packs)."""
    if kind.name == "vector":
        inner = fixed_length(kind.args[0])
        return None if inner is None else inner * kind.size
    return FIXED.get(kind.name)


def serialise(kind, value):
    """A value to the bytes of a frozen (or scalar) cell."""
    name = kind.name
    if isinstance(value, Raw):
        return value.data
    if name in TEXTS:
        return value.encode("utf-8")
    if name in INTS:
        return value.to_bytes(INTS[name], "big", signed=True)
    if name in ("timestamp", "time"):
        return struct.pack(">q", value)
    if name == "varint":
        return int_bytes(value)
    if name == "decimal":
        return struct.pack(">i", value[1]) + int_bytes(value[0])
    if name == "duration":
        return b"".join(signed_vint(part) for part in value)
    if name == "date":
        return (value + DATE_ZERO).to_bytes(4, "big")
    if name == "boolean":
        return bytes([value])
    if name in UUIDS:
        return uuid.UUID(value).bytes
    if name == "inet":
        return ipaddress.ip_address(value).packed
    if name in ("double", "float"):
        return value.to_bytes(8 if name == "double" else 4, "big") if isinstance(value, int) else struct.pack(
            ">d" if name == "double" else ">f", value)
    if name in ("blob", "custom", "empty"):
        return value
    return _serialise_nested(kind, value)


class Raw:
    """Bytes that stand for a value as they are (zero-length, shortened, or not minimal)."""

    def __init__(self, data):
        self.data = data


def _sized(kind, value):
    if value is None:
        return b"\xff\xff\xff\xff"
    data = serialise(kind, value)
    return struct.pack(">i", len(data)) + data


def _serialise_nested(kind, value):
    if kind.name in ("list", "set"):
        return struct.pack(">i", len(value)) + b"".join(_sized(kind.args[0], v) for v in value)
    if kind.name == "map":
        pairs = (_sized(kind.args[0], k) + _sized(kind.args[1], v) for k, v in value)
        return struct.pack(">i", len(value)) + b"".join(pairs)
    if kind.name in ("tuple", "udt"):
        return b"".join(_sized(t, v) for t, v in zip(kind.args, value))
    if kind.name == "vector":
        packed = [serialise(kind.args[0], v) for v in value]
        if fixed_length(kind.args[0]) is None:
            packed = [unsigned_vint(len(p)) + p for p in packed]
        return b"".join(packed)
    raise ValueError(f"no bytes for {kind.name}")


class Bits:
    """A double or a float by its bits."""

    def __init__(self, bits, width):
        self.bits, self.width = bits, width


def deserialise(kind, data):
    """Cell bytes to a value; None for a zero-length value of a type that has no empty value."""
    name = kind.name
    if name in TEXTS:
        return data.decode("utf-8")
    if name in ("blob", "custom"):
        return data
    if not data:
        return None
    if name in INTS or name == "varint":
        if name in INTS and len(data) != INTS[name]:
            raise ValueError(f"{len(data)} bytes for {name}")
        return int.from_bytes(data, "big", signed=True)
    if name in ("timestamp", "time"):
        return struct.unpack(">q", data)[0]
    if name == "decimal":
        return int.from_bytes(data[4:], "big", signed=True), struct.unpack(">i", data[:4])[0]
    if name == "duration":
        months, rest = _read_signed_vint(data)
        days, rest = _read_signed_vint(rest)
        nanos, rest = _read_signed_vint(rest)
        return months, days, nanos
    if name == "date":
        return struct.unpack(">I", data)[0] - DATE_ZERO
    if name == "boolean":
        return data != b"\0"
    if name in UUIDS:
        return str(uuid.UUID(bytes=data))
    if name == "inet":
        return inet_text(data)
    if name in ("double", "float"):
        return Bits(int.from_bytes(data, "big"), 8 * len(data))
    return _deserialise_nested(kind, data)


def _take_sized(data):
    size = struct.unpack(">i", data[:4])[0]
    if size < 0:
        return None, data[4:]
    if size > len(data) - 4:
        raise ValueError("an element is longer than its value")
    return data[4:4 + size], data[4 + size:]


def _element(kind, data):
    return None if data is None else deserialise(kind, data)


def _deserialise_nested(kind, data):
    if kind.name in ("list", "set", "map"):
        count, data = struct.unpack(">i", data[:4])[0], data[4:]
        items = []
        for _ in range(count):
            first, data = _take_sized(data)
            item = _element(kind.args[0], first)
            if kind.name == "map":
                second, data = _take_sized(data)
                item = (item, _element(kind.args[1], second))
            items.append(item)
        return items
    if kind.name in ("tuple", "udt"):
        items = []
        for arg in kind.args:
            field, data = _take_sized(data) if data else (None, data)
            items.append(_element(arg, field))
        return items
    if kind.name == "vector":
        items, fixed = [], fixed_length(kind.args[0])
        for _ in range(kind.size):
            size = fixed
            if fixed is None:
                size, data = read_unsigned_vint(data)
            items.append(deserialise(kind.args[0], data[:size]))
            data = data[size:]
        return items
    raise ValueError(f"no value of {kind.name}")


def inet_text(data):
    """Dotted decimal, or RFC 5952 (IPv4-mapped addresses with the dotted tail)."""
    if len(data) == 4:
        return ".".join(str(b) for b in data)
    if len(data) != 16:
        raise ValueError(f"{len(data)} bytes for inet")
    if data[:12] == b"\0" * 10 + b"\xff\xff":
        return "::ffff:" + inet_text(data[12:])
    groups = [int.from_bytes(data[i:i + 2], "big") for i in range(0, 16, 2)]
    best, start = 1, None
    for i in range(8):
        run = next((n for n in range(8 - i) if groups[i + n]), 8 - i)
        if run > best:
            best, start = run, i
    words = [f"{g:x}" for g in groups]
    if start is None:
        return ":".join(words)
    return ":".join(words[:start]) + "::" + ":".join(words[start + best:])
