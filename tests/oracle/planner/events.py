"""Records of agents for the hash job of shop.changes, and the hash event of each: written down from docs/envelope.md and docs/jobs.md, text by
text. Also versions and keys that no agent writes. The seed is fixed."""

import random

import audits

# Jobs.java finds the number of a heartbeat behind it.
BEAT_US = 1_735_689_600_000_000
MOST = 9_223_372_036_854_775
# The text of the version's column, a timestamp, and its microseconds; None where it is no number of 64 bits of them.
VERSIONS = {
    "1735689600000": 1_735_689_600_000_000, "0": 0, "-1": -1000, "-62135596800001": -62_135_596_800_001_000, "253402300800000": 253_402_300_800_000_000,
    '"2025-01-01T00:00:00.000Z"': 1_735_689_600_000_000, '"2025-01-01T00:00:00Z"': 1_735_689_600_000_000, '"1969-12-31T23:59:59.999Z"': -1000,
    '"+10000-01-01T00:00:00.000Z"': 253_402_300_800_000_000, '"-0001-12-31T23:59:59.999Z"': -62_167_219_200_001_000, '"0000-01-01T00:00:00.000Z"': -62_167_219_200_000_000,
    str(MOST): MOST * 1000, str(-MOST): -MOST * 1000, str(MOST + 1): None, "9223372036854775807": None, "-9223372036854775808": None, "99999999999999999999": None,
    '"+292278994-08-17T07:12:55.807Z"': None, "12.7": None, "1e3": None, '" 12 "': None, '"12"': 12_000, '"+12"': 12_000, '"12d"': None, '""': None, "true": None, "null": None,
    "[1]": None, '{"a":1}': None, '"2025-02-30T00:00:00.000Z"': None, '"2025-01-01"': None, '"2025-01-01 00:00:00"': None, '"***"': None,
}  # fmt: skip
# Keys that no agent writes, and what stands in the event.
KEYS = [
    (None, "null"), (b"", "null"), (b"{}", "{}"), (b"{}x", "null"), (b"[1]", "null"), (b"17", "null"), (b'"a"', "null"), (b"\xff", "null"), (b'{"a":"\xff"}', "null"),
    (b' {"part":"a"}', "null"), (b'{"part" : "a" , "id":1.0E10}', '{"part" : "a" , "id":1.0E10}'), ('{"part":"é\\u00e9"}'.encode(), '{"part":"é\\u00e9"}'),
]  # fmt: skip
HASHES = [("full", '"5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"'), ("partial", "null"), ("tombstone", '"TOMBSTONE"')]


def text(known):
    return "null" if known is None else str(known)


def change(choose, number):
    """A change: key in bytes, value and event by host."""
    op = choose.choice(["c", "c", "u", "u", "r", "d", "rt"])
    own = [("part", choose.choice(['"a"', '"b \\"q\\""'])), ("id", str(choose.randrange(9)))][: 1 if op == "rt" else 2]
    key, in_event = audits.compact(own).encode(), audits.compact(own)
    if choose.random() < 0.15:
        key, in_event = choose.choice(KEYS)
    written = choose.choice(["1735689600000000", "-62135596800000000", "9223372036854775807", "null"])
    version = written
    if op in "cur":
        carried = choose.choice([None, *VERSIONS]) if number >= len(VERSIONS) else list(VERSIONS)[number]
        own += [("at", carried)] * (carried is not None) + [("amount", "100.0")]
        version = text(VERSIONS.get(carried))
    kind, hash_ = choose.choice(HASHES)
    event = [("row_hash", hash_), ("hash_kind", f'"{kind}"'), ("hash_def", '"1a2b3c4d"')]
    row = audits.compact(own)
    fields = [("op", f'"{op}"'), ("ts_ms", "1"), ("before", "null" if op in "cur" else row), ("after", row if op in "cur" else "null"), *event]

    def of(host):
        source = audits.compact([("version", '"0.1.0"'), ("ts_us", written), ("dc", '"DC é"'), ("host_id", host)])
        ids = [("source_dc", '"DC é"'), ("host_id", host), ("event_id", f'"{number:032x}"')]
        told = [("table", '"shop.changes"'), ("key", in_event), ("op", f'"{op}"'), *event, ("version_us", version), *ids]
        return audits.compact([*fields, ("event_id", f'"{number:032x}"'), ("source", source)]), audits.compact(told)

    return key, of


def heartbeat(choose, number):
    """A heartbeat, now and then one that points at the creation of the table."""
    wm_us = str(BEAT_US + number)
    host, file = choose.choice(["null", '"h"']), choose.choice(["null", "null", '"CommitLog-7-1795385810000.log"'])
    created = choose.choice(["null", "1735689500000000"])
    source = audits.compact([("ts_us", created), ("dc", '"DC é"'), ("host_id", host), ("file", file), ("pos", "null" if file == "null" else "40")])
    told = [("op", '"m"'), ("host_id", host), ("partition", "0"), ("wm_us", wm_us), ("source_dc", '"DC é"')] + [("created_us", created)] * (file != "null" and created != "null")
    value = audits.compact([("op", '"m"'), ("ts_ms", "1"), ("source", source), ("wm_us", wm_us)])
    return (b'{"heartbeat":"h"}', value.encode()), audits.compact(told)


def pairs(choose, count):
    """Pairs of a record (key and value in bytes) and its hash event, None when it has none, "unknown" where that is Flink's to say."""
    published = []
    for number in range(count):
        dice, host = choose.random(), f'"{choose.choice(audits.HOSTS)}"'
        if dice < 0.06 and published:
            # Another replica, or the same one again.
            key, of = choose.choice(published)
            yield (key, of(host)[0].encode()), None
        elif dice < 0.08:
            yield (b'{"part":"a","id":1}', None), None
        elif dice < 0.12:
            yield heartbeat(choose, number)
        elif dice < 0.22:
            key, of = change(choose, 1_000_000 + number)
            yield audits.broken(choose, audits.compact([("part", '"a"')]), of(host)[0]), "unknown"
        else:
            key, of = change(choose, number)
            published.append((key, of))
            value, event = of(host)
            yield (key, value.encode()), event


def records(count, seed=2):
    choose = random.Random(seed)
    for number, ((key, value), event) in enumerate(pairs(choose, count)):
        yield {"flink": audits.line(number, key, value), "expected": event}
