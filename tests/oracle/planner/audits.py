"""Records of agents for the audit job of shop.changes, and what must come of each: written down from docs/envelope.md and
docs/jobs.md, text by text. Also what no agent writes. The seed is fixed."""

import base64
import random

import records as texts

KEY = ("part", "id")
# The texts of values, as an agent writes them.
COLUMNS = {
    "amount": ["100.0", "1.0E10", "-0.0", '"NaN"', "null"], "at": ["1735689600000", "null"], "attrs": ['{"w":3,"":null}', "null"],
    "big": ["9007199254740993", "-9223372036854775808"], "data": ['"AP8="', '""'], "free": ['"1E-7"', '"1.2E+3"'],
    "host": ['"2001:db8::1"'], "huge": ['"170141183460469231731687303715884105727"'], r'name \"new\"': [r'"é😀\n\u0000\\"', r'"{\"put\":[]}"'],
    "price": ['"12.500"'], "tags": ['["a","b"]', "[]"],
}  # fmt: skip
PATCHES = {"tags": '{"put":["c"],"remove":["a"]}', "attrs": '{"put":[["w",4]],"remove":[]}', "hits": '{"shards":[{"id":"5132b130-ae79-11e4-ab27-0800200c9a66","clock":1,"count":5}]}'}
TIMES = ["1735689600000000", "-62135596800000000", "9223372036854775807", "null"]
HOSTS = ["6ab09bec-e68e-48d9-a5f8-97e6fb4c9b47", "5132b130-ae79-41e4-ab27-0800200c9a66"]


def compact(pairs):
    """An object of texts."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in pairs) + "}"


def write(choose, number, columns_of_key):
    """A write: key, value by host, and the entry of the trail by host."""
    op = choose.choice(["c", "c", "u", "u", "u", "d", "rt"])
    whole = op in "cu" and choose.random() < 0.9
    key = [("part", choose.choice(['"a"', '"b \\"q\\""'])), *([("id", str(choose.randrange(9)))] if whole or op == "d" else [])]
    own, patches, whole_key = [], [], []
    if op in "cu":
        own = [(name, choose.choice(COLUMNS[name])) for name in sorted(choose.sample(list(COLUMNS), choose.randrange(5)))]
        whole_key = [pair for pair in key if pair[0] not in columns_of_key]
        taken = {name for name, _ in own}
        patches = [(name, text) for name, text in PATCHES.items() if name not in taken and choose.random() < 0.2]
    after = compact(key + own) if op in "cu" else "null"
    patch = compact(patches) if patches else "null"
    range_ = choose.choice(['{"start":null,"end":null}', '{"start":{"values":{"id":2},"inclusive":true},"end":null}']) if op == "rt" else "null"
    expires = choose.choice(["1767326645", "null"]) if op == "c" else "null"
    cells = compact([(name, '{"ttl":60,"expires_at":1767326645}') for name, _ in own[:1]]) if own and choose.random() < 0.3 else "null"
    time, event = choose.choice(TIMES), f'"{number:032x}"'
    fields = [("op", f'"{op}"'), ("ts_ms", "1"), ("before", compact(key) if op in ("d", "rt") else "null"), ("after", after)]
    fields += [("patch", patch)] * (patch != "null") + [("range", range_)] * (op == "rt")
    fields += [("liveness", f'{{"ts_us":1,"ttl":60,"expires_at":{expires}}}')] * (expires != "null") + [("cells", cells)] * (cells != "null")

    def of(host):
        source = compact([("version", '"0.1.0"'), ("ts_ms", "1"), ("ts_us", time), ("snapshot", '"false"'), ("dc", '"DC é"'), ("host_id", host), ("keyspace", '"shop"')])
        names = ",".join(f'"{name}"' for name, _ in whole_key + own + patches)
        operation = {"c": "INSERTED", "u": "UPDATED"}.get(op, "DELETED")
        entry = [
            ("operation", f'"{operation}"'), ("stamp_us", time), ("key", compact(key)), ("values", after), ("columns", f"[{names}]"), ("source_dc", '"DC é"'),
            ("host_id", host), ("event_id", event), ("expires_at", expires), ("before", "null"), ("patch", patch), ("range", range_), ("cells", cells),
        ]  # fmt: skip
        return compact(fields + [("event_id", event), ("source", source)]), compact(entry)

    return compact(key), of


def heartbeat():
    return '{"heartbeat":"h"}', '{"op":"m","ts_ms":1,"before":null,"after":null,"source":{"ts_us":null,"dc":"DC"},"wm_us":17}'


def snapshot():
    return '{"part":"a","id":1}', '{"op":"r","ts_ms":1,"before":null,"after":{"part":"a","id":1},"event_id":"77","source":{"ts_us":5,"snapshot":"true"}}'


def broken(choose, key, value):
    """What no agent writes: most of it is a record with a piece of another one in it."""
    kind = choose.randrange(5)
    if kind == 0:
        return key.encode(), choose.choice(texts.PAYLOADS)
    if kind == 1:
        return choose.choice([None, b"", b"{}x", b"[1]", b"\xff", b' {"part" : "a"} ', b"17"]), value.encode()
    if kind == 2:
        piece = choose.choice(['"event_id"', '"after"', '"source"', '"ts_us"', '"dc"', '"op"', '"part"', '"patch"'])
        return key.encode(), value.replace(f"{piece}:", f'{piece}:{choose.choice(texts.EVERYTHING)},{piece}:', 1).encode()
    if kind == 3:
        piece = choose.choice([":", ",", "{", "}", "1", '"'])
        place = choose.choice([place for place, one in enumerate(value) if one == piece])
        return key.encode(), (value[:place] + choose.choice(['\\', " ", "\t", "9", '"', "é", "}", ""]) + value[place:]).encode()
    return key.encode(), value.replace('"ts_us":', f'"ts_us":{choose.choice(texts.EVERYTHING)},"ts_us":', 1).replace('"op":', '"\\u006fp":', 1).encode()


def pairs(choose, count, columns_of_key):
    """Pairs of a record (key and value in bytes) and its entry, None when it has none, "unknown" where that is Flink's to say."""
    published = []
    for number in range(count):
        dice = choose.random()
        host = f'"{choose.choice(HOSTS)}"'
        if dice < 0.15 and published:
            # Another replica, or the same one again.
            key, of = choose.choice(published)
            yield (key.encode(), of(host)[0].encode()), None
        elif dice < 0.2:
            yield tuple(text.encode() for text in choose.choice([heartbeat(), snapshot()])), None
        elif dice < 0.22:
            yield (b'{"part":"a","id":1}', None), None
        elif dice < 0.5:
            key, of = write(choose, 1_000_000 + number, columns_of_key)
            yield broken(choose, key, of(host)[0]), "unknown"
        else:
            key, of = write(choose, number, columns_of_key)
            published.append((key, of))
            value, entry = of(host)
            yield (key.encode(), value.encode()), entry


def base64_text(content):
    return None if content is None else base64.b64encode(content).decode()


def line(number, key, value):
    """A line of the table that stands in Kafka's place."""
    headers = {"n": base64_text(str(number).encode())}
    row = {"record.key": base64_text(key), "record.value": base64_text(value), "record.topic": "t", "record.partition": 0}
    return {**row, "record.offset": number, "record.ms": 1_735_689_600_000 + number, "record.headers": headers}


def records(count, seed=1, key=KEY):
    choose = random.Random(seed)
    for number, ((key, value), entry) in enumerate(pairs(choose, count, key)):
        yield {"flink": line(number, key, value), "expected": entry}
