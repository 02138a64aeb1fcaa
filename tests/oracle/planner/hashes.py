"""Row hashes of good records, written down from docs/identity.md: the text of each value of records.py."""

import hashlib
import json

REF = "5132b130-ae79-41e4-ab27-0800200c9a66"
MADE = "5132b130-ae79-11e4-ab27-0800200c9a66"

# In hash order: key, then columns by name. Field, text of each good value.
V1 = [
    ("id", {'"a"': "a", '"b"': "b", '"c12"': "c12", '"é"': "é"}),
    ("day", {'"2025-01-01"': "20089", '"2025-01-02"': "20090"}),
    ("value", {"100": "100.0", "12.5": "12.5", "0.1": "0.1", "1e5": "100000.0"}),
    ("at", {'"2025-01-01T00:00:00Z"': "1735689600000", '"2025-01-01T00:00:00.123456Z"': "1735689600123"}),
    ("big", {"7": "7", "4": "4"}),
    ("clock", {'"12:34:56.5"': "45296500000000"}),
    ("the code", {'"A123z"': "A123z", '"B1 "': "B1 "}),
    ("data", {'"AP8="': "00ff", '""': ""}),
    ("days", {"20089": "20089"}),
    ("fine", {'"0.0000000001"': "1E-10", '"12.5"': "12.5000000000", "0": "0E-10"}),
    ("huge", {"12": "12", '"123456789012345678901234567890"': "123456789012345678901234567890"}),
    ("made", {f'"{MADE}"': MADE}),
    ("ms", {"1735689600000": "1735689600000"}),
    ("ns", {"45296500000000": "45296500000000"}),
    ("order", {'"new"': "new", '"it\'s"': "it's", '"é😀"': "é😀", '"a\\nb"': "a\nb"}),
    ("paid", {"true": "TRUE", "false": "FALSE"}),
    ("pieces", {"0": "0", "1": "1", "2147483647": "2147483647"}),
    ("price", {"2.50": "2.50", "1": "1.00"}),
    ("ratio", {"0.1": "0.1", "1e10": "1.0E10"}),
    ("ref", {f'"{REF.upper()}"': REF}),
    ("small", {"7": "7"}),
    ("tiny", {"5": "5"}),
]
# In the order of the rules' columns. None: no exact text, so that the row has no hash.
V0 = [
    ("id", {"1": "1", "2": "2"}),
    ("amount", {"100": "100.0", "1e15": "1.0E15", "0": "0.0", "2e23": None, "1e-7": "1.0E-7"}),
    ("at", {'"2025-01-01T00:00:00.5Z"': "2025-01-01 00:00:00.500", "null": ""}),
    ("ratio", {"0.5": "0.5", "1e10": None}),
    ("price", {'"0.000000001"': "0.000000001", "1.5": "1.500000000"}),
    ("day", {'"2025-01-01"': "2025-01-01", "null": "NULL"}),
    ("clock", {'"23:05:09.5"': "23:05:09"}),
    ("paid", {"true": "TRUE", "false": "FALSE"}),
    ("ref", {f'"{REF.upper()}"': REF}),
    ("huge", {"12": "12"}),
]


class Raw(str):
    """The text of a JSON value."""


def raw_fields(payload):
    """Each field of an object with the text of its value, for objects whose values are written as json.dumps writes them, numbers kept."""
    keep = lambda text: Raw(text)
    parsed = json.loads(payload, parse_int=keep, parse_float=keep)
    if not isinstance(parsed, dict):
        return {}
    return {name: value if isinstance(value, Raw) else json.dumps(value, ensure_ascii=False) for name, value in parsed.items()}


def expected(table, payload):
    """The hash of a good record; "unknown" for one with a value that is not written down here."""
    columns = {"shop.everything": V1, "shop.old": V0}.get(table)
    try:
        found = raw_fields(payload.decode())
    except ValueError:
        return "unknown"
    if columns is None or any(found.get(name) not in texts for name, texts in columns):
        return "unknown"
    texts = [texts[found[name]] for name, texts in columns]
    if columns is V1:
        text = f"v1;{table};" + "".join(f"{len(one)}:{one}" for one in texts)
    elif None in texts:
        return None
    else:
        # A timestamp that is null is left out with its bar.
        text = "|".join(one for one, (name, _) in zip(texts, columns) if (name, one) != ("at", ""))
    return hashlib.sha256(text.encode()).hexdigest()
