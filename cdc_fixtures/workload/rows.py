"""Rows: liveness, static rows, TTL, composite keys, empty values, extreme timestamps, quoted names, one large value."""

import random

from .cql import Clock, batch, keyspace, table

YEAR = 31_536_000
LARGE_CHARACTERS = 100_000
LONG_KEY = [f"c{i:02}" for i in range(35)]  # clustering values are written in groups of 32


def setup(target):
    return [
        keyspace("rows"),
        table("rows.simple", "k int PRIMARY KEY, a text, b int"),
        table("rows.keys_single", "k text PRIMARY KEY"),
        table("rows.keys_only", "k int, c int, PRIMARY KEY (k, c)"),
        table(
            "rows.composite",
            "p1 text, p2 int, c1 int, c2 text, s1 text static, s2 set<text> static, v1 text, v2 bigint, "
            "PRIMARY KEY ((p1, p2), c1, c2)",
            order="c1 DESC, c2 ASC",
        ),
        table("rows.three", "p1 blob, p2 text, p3 uuid, v int, PRIMARY KEY ((p1, p2, p3))"),
        table("rows.ttl", "k int, c int, s text static, a text, b int, l list<int>, m map<text, int>, PRIMARY KEY (k, c)"),
        table("rows.ttl_default", "k int PRIMARY KEY, a text, l set<int>", options=f"default_time_to_live = {3 * YEAR}"),
        table("rows.large", "k int PRIMARY KEY, v text"),
        table("rows.long_key", f"k int, {', '.join(f'{name} int' for name in LONG_KEY)}, v text, PRIMARY KEY (k, {', '.join(LONG_KEY)})"),
        table("rows.not_cdc", "k int PRIMARY KEY, v text", cdc=False),
        'CREATE KEYSPACE "Quoted" WITH replication = {\'class\': \'SimpleStrategy\', \'replication_factor\': 1}',
        table('"Quoted"."Camel_Case"', '"Key" int, "select" int, "naïve ключ" text, "a""b" text, "x.y" frozen<list<text>>, '
              '"UPPER" map<text, text>, PRIMARY KEY ("Key", "select")'),
    ]  # fmt: skip


def run(target):
    clock = Clock(2)
    statements = simple(clock) + long_keys(clock) + statics(clock) + ttl(target, clock) + timestamps(clock) + quoted(clock)
    return statements + [f"INSERT INTO rows.not_cdc (k, v) VALUES (1, 'not wanted') USING TIMESTAMP {clock()}"]


def large():
    """One row of about 100 KB: letters from a fixed seed, that no compressor makes small."""
    letters = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=LARGE_CHARACTERS))
    return [f"INSERT INTO rows.large (k, v) VALUES (1, '{letters}') USING TIMESTAMP {Clock(3)()}"]


def simple(clock):
    return [
        f"INSERT INTO rows.simple (k, a, b) VALUES (1, 'hello', 42) USING TIMESTAMP {clock()}",
        "INSERT INTO rows.simple (k, a, b) VALUES (2, 'server time', 7)",
        f"INSERT INTO rows.simple (k, a, b) VALUES (3, null, 3) USING TIMESTAMP {clock()}",
        f"INSERT INTO rows.simple (k) VALUES (4) USING TIMESTAMP {clock()}",
        f"INSERT INTO rows.simple (k, a, b) VALUES (5, '', blobAsInt(0x)) USING TIMESTAMP {clock()}",
        f"UPDATE rows.simple USING TIMESTAMP {clock()} SET a = null, b = 7 WHERE k = 1",
        f"UPDATE rows.simple USING TIMESTAMP {clock()} SET b = 8 WHERE k = 6",
        f"DELETE a FROM rows.simple USING TIMESTAMP {clock()} WHERE k = 2",
        f"DELETE FROM rows.simple USING TIMESTAMP {clock()} WHERE k = 3",
        "DELETE FROM rows.simple WHERE k = 3",
        f"DELETE FROM rows.simple USING TIMESTAMP {clock()} WHERE k IN (7, 8)",
        f"INSERT INTO rows.keys_single (k) VALUES ('only a key') USING TIMESTAMP {clock()}",
        f"DELETE FROM rows.keys_single USING TIMESTAMP {clock()} WHERE k = 'only a key'",
        f"INSERT INTO rows.keys_only (k, c) VALUES (1, 1) USING TIMESTAMP {clock()} AND TTL {5 * YEAR}",
        f"INSERT INTO rows.keys_only (k, c) VALUES (1, 2) USING TIMESTAMP {clock()}",
        f"DELETE FROM rows.keys_only USING TIMESTAMP {clock()} WHERE k = 1 AND c = 1",
        f"INSERT INTO rows.three (p1, p2, p3, v) VALUES (0x, '', 5132b130-ae79-11e4-ab27-0800200c9a66, 1) USING TIMESTAMP {clock()}",
        f"DELETE FROM rows.three USING TIMESTAMP {clock()} WHERE p1 = 0x00ff AND p2 = 'é' AND p3 = 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
    ]


def long_keys(clock):
    values = [str(i) if i % 3 else "blobAsInt(0x)" for i in range(len(LONG_KEY))]
    prefix = " AND ".join(f"{name} = {value}" for name, value in zip(LONG_KEY[:33], values[:33], strict=True))
    return [
        f"INSERT INTO rows.long_key (k, {', '.join(LONG_KEY)}, v) VALUES (1, {', '.join(values)}, 'v') USING TIMESTAMP {clock()}",
        f"DELETE FROM rows.long_key USING TIMESTAMP {clock()} WHERE k = 1 AND {prefix} AND {LONG_KEY[33]} > 5",
        f"DELETE FROM rows.long_key USING TIMESTAMP {clock()} WHERE k = 1 AND {LONG_KEY[0]} = blobAsInt(0x)",
    ]


def statics(clock):
    into = "INSERT INTO rows.composite"
    one = "p1 = 'p' AND p2 = 1"
    return [
        f"{into} (p1, p2, c1, c2, s1, v1, v2) VALUES ('p', 1, 10, 'ten', 'stat', 'v', 5) USING TIMESTAMP {clock()}",
        f"{into} (p1, p2, s1, s2) VALUES ('p', 1, 'static only', {{'a', 'b'}}) USING TIMESTAMP {clock()}",
        f"UPDATE rows.composite USING TIMESTAMP {clock()} SET s1 = 'updated', s2 = s2 - {{'a'}} WHERE {one}",
        f"UPDATE rows.composite USING TIMESTAMP {clock()} SET s1 = 'with row', v1 = 'w' WHERE {one} AND c1 = 11 AND c2 = ''",
        f"{into} (p1, p2, s1, v1, c1, c2) VALUES ('', -1, null, 'n', -5, 'é') USING TIMESTAMP {clock()} AND TTL {2 * YEAR}",
        f"DELETE s1, s2 FROM rows.composite USING TIMESTAMP {clock()} WHERE {one}",
        batch(
            f"UPDATE rows.composite USING TIMESTAMP {clock()} SET s1 = 'kept' WHERE {one}",
            f"DELETE FROM rows.composite USING TIMESTAMP {clock()} WHERE {one} AND c1 = 10 AND c2 = 'ten'",
            f"{into} (p1, p2, c1, c2) VALUES ('p', 1, 12, 'twelve') USING TIMESTAMP {clock()}",
        ),
        f"DELETE FROM rows.composite USING TIMESTAMP {clock()} WHERE p1 = 'gone' AND p2 = 2",
    ]


def ttl(target, clock):
    into = "INSERT INTO rows.ttl (k, c, a, b, l, m) VALUES"
    lines = [
        f"{into} (1, 1, 'row', 1, [1, 2], {{'a': 1}}) USING TIMESTAMP {clock()} AND TTL {YEAR}",
        f"UPDATE rows.ttl USING TIMESTAMP {clock()} AND TTL {2 * YEAR} SET a = 'cell' WHERE k = 1 AND c = 2",
        f"UPDATE rows.ttl USING TIMESTAMP {clock()} AND TTL {3 * YEAR} SET m['b'] = 2, l = l + [3] WHERE k = 1 AND c = 1",
        f"UPDATE rows.ttl USING TIMESTAMP {clock()} AND TTL {YEAR} SET s = 'static' WHERE k = 1",
        batch(
            f"INSERT INTO rows.ttl (k, c, a) VALUES (2, 1, 'other ttl') USING TIMESTAMP {clock()} AND TTL {YEAR}",
            f"UPDATE rows.ttl USING TIMESTAMP {clock()} AND TTL {4 * YEAR} SET b = 9 WHERE k = 2 AND c = 1",
            f"UPDATE rows.ttl USING TIMESTAMP {clock()} SET m['for ever'] = 1 WHERE k = 2 AND c = 1",
        ),
        f"INSERT INTO rows.ttl (k, c, a, b) VALUES (3, 1, null, 2) USING TIMESTAMP {clock()} AND TTL {YEAR}",
        f"INSERT INTO rows.ttl_default (k, a, l) VALUES (1, 'table', {{1}}) USING TIMESTAMP {clock()}",
        f"INSERT INTO rows.ttl_default (k, a) VALUES (2, 'never') USING TIMESTAMP {clock()} AND TTL 0",
        f"UPDATE rows.ttl_default USING TIMESTAMP {clock()} AND TTL {YEAR} SET a = 'own' WHERE k = 3",
    ]
    if target.far_ttl:  # expires in 2046: beyond what a signed 32-bit second can hold
        lines.append(f"{into} (4, 1, 'far', 1, [1], {{'x': 1}}) USING TIMESTAMP {clock()} AND TTL {20 * YEAR}")
    return lines


def timestamps(clock):
    extremes = (0, -5, -1_442_880_000_000_000, 9_223_372_036_854_775_806, 9_223_372_036_854_775_807, -9_223_372_036_854_775_807)
    lines = [f"INSERT INTO rows.simple (k, a, b) VALUES ({20 + i}, 'ts', {i}) USING TIMESTAMP {ts}" for i, ts in enumerate(extremes)]
    return lines + [
        f"DELETE FROM rows.simple USING TIMESTAMP {extremes[3]} WHERE k = 30",
        "UPDATE rows.ttl USING TIMESTAMP -7 SET m = {'old': 1} WHERE k = 9 AND c = 9",
        batch(
            f"UPDATE rows.ttl USING TIMESTAMP {extremes[4]} SET a = 'latest' WHERE k = 9 AND c = 1",
            f"UPDATE rows.ttl USING TIMESTAMP {extremes[5]} SET b = 1 WHERE k = 9 AND c = 1",
            "DELETE FROM rows.ttl USING TIMESTAMP 1 WHERE k = 9 AND c = 1",
        ),
        batch(
            f"DELETE FROM rows.simple USING TIMESTAMP {clock()} WHERE k = 40",
            f"INSERT INTO rows.simple (k, a) VALUES (40, 'after its delete') USING TIMESTAMP {clock()}",
        ),
    ]


def quoted(clock):
    one = '"Quoted"."Camel_Case"'
    return [
        f'INSERT INTO {one} ("Key", "select", "naïve ключ", "a""b", "x.y", "UPPER") VALUES (1, 2, \'ю\', \'q\', [\'l\'], '
        f"{{'k': 'v'}}) USING TIMESTAMP {clock()}",
        f'UPDATE {one} USING TIMESTAMP {clock()} SET "UPPER"[\'é\'] = \'ü\', "a""b" = null WHERE "Key" = 1 AND "select" = 2',
        f'DELETE "naïve ключ" FROM {one} USING TIMESTAMP {clock()} WHERE "Key" = 1 AND "select" = 2',
    ]
