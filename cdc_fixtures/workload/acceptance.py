"""The cases that the tests of Debezium's Cassandra connector have (A, T), and those that they lack (B): one table or more a case."""

from .cql import Clock, batch, keyspace, table

PI = "3.141592653589793"
# A value and another one for each type that an element of a map can have.
ELEMENTS = {
    "ascii": ("'x'", "'y'"), "bigint": ("1", "2"), "blob": ("0x01", "0x02"), "boolean": ("true", "false"), "date": ("'2019-02-19'", "'2020-02-20'"),
    "decimal": ("1.5", "2.5"), "double": ("1.5", "2.5"), "duration": ("1d", "2d"), "float": ("1.5", "2.5"), "inet": ("'10.0.0.1'", "'10.0.0.2'"),
    "int": ("1", "2"), "smallint": ("1", "2"), "text": ("'x'", "'y'"), "time": ("'01:02:03'", "'02:03:04'"), "timestamp": ("1000", "2000"),
    "timeuuid": ("50554d6e-29bb-11e5-b345-feff819cdc9f", "50554d6f-29bb-11e5-b345-feff819cdc9f"), "tinyint": ("1", "2"),
    "uuid": ("5132b130-ae79-11e4-ab27-0800200c9a66", "5132b131-ae79-11e4-ab27-0800200c9a66"), "varint": ("1", "2"),
    "frozen<list<int>>": ("[1]", "[2]"), "frozen<place>": ("{street: 'x'}", "{street: 'y'}"), "frozen<tuple<int, text>>": ("(1, 'x')", "(2, 'y')"),
}  # fmt: skip
TYPED = """id int PRIMARY KEY, c_ascii ascii, c_boolean boolean, c_blob blob, c_tinyint tinyint, c_smallint smallint, c_int int, c_bigint bigint,
 c_decimal decimal, c_double double, c_float float, c_duration duration, c_inet inet, c_varint varint, l list<int>, fl frozen<list<int>>,
 m map<ascii, double>, fm frozen<map<ascii, double>>, mi map<int, float>, s set<float>, fs frozen<set<float>>, c_date date, c_time time, c_timestamp timestamp,
 c_uuid uuid, c_timeuuid timeuuid, c_tuple frozen<tuple<ascii, smallint>>, c_udt frozen<"FooType">, lu frozen<list<uuid>>, lo list<frozen<holder>>,
 c_text text""".replace("\n", "")
TYPED_ROW = {
    "id": "1", "c_ascii": "'some text'", "c_boolean": "true", "c_blob": "0x736f6d652072616e646f6d2073747566662068657265", "c_tinyint": "9", "c_smallint": "2",
    "c_int": "8", "c_bigint": "8", "c_decimal": PI, "c_double": "100.5", "c_float": "66.6", "c_duration": "1mo3d500ns", "c_inet": "'10.11.12.13'",
    "c_varint": "8", "l": "[1, 3, 5]", "fl": "[1, 3, 5]", "m": "{'foo': 1, 'bar': 50}", "fm": "{'foo': 1, 'bar': 50}", "mi": "{1: 1.5, 2: 3.1414}",
    "s": "{42, 123}", "fs": "{42, 123}", "c_date": "'2019-02-19'", "c_time": "'00:00:00.000000030'", "c_timestamp": "'2026-01-02 03:04:05.678Z'",
    "c_uuid": "5132b130-ae79-11e4-ab27-0800200c9a66", "c_timeuuid": "50554d6e-29bb-11e5-b345-feff819cdc9f", "c_tuple": "('foo', 1)",
    "c_udt": "{\"asciiField\": 'foobar', \"doubleField\": 1.5, \"durationField\": 1mo2d3ns}", "lu": "[5132b130-ae79-11e4-ab27-0800200c9a66]",
    "lo": "[{name: 'a', words: {'p', 'q'}}]", "c_text": "'Fourscore and seven years ago'",
}  # fmt: skip


def setup(target):
    pairs = "a int PRIMARY KEY, b int"
    rows = "p int, c int, v int, s text static, PRIMARY KEY (p, c)"
    collections = "id int PRIMARY KEY, l list<int>, s set<text>, m map<text, int>"
    maps = ", ".join(f"m{number} map<text, {name}>" for number, name in enumerate(ELEMENTS))
    found = [
        keyspace("accept"),
        keyspace("accept_two"),
        'CREATE TYPE accept."FooType" ("asciiField" ascii, "doubleField" double, "durationField" duration)',
        "CREATE TYPE accept.holder (name text, words frozen<set<ascii>>)",
        "CREATE TYPE accept.place (street text, zip int)",
        "CREATE TYPE accept.grows (one int)",
        table("accept.a1", pairs),
        table("accept.a2", pairs),
        table("accept.a3", "a int, b int, c int, PRIMARY KEY ((a), b)"),
        table("accept.a4", "a int, b int, c int, d int, e int, PRIMARY KEY (a, b, c, d)"),
        table("accept.a5", "p1 text, p2 text, p3 text, c1 text, col1 text, col2 text, amap map<text, text>, PRIMARY KEY ((p1, p2, p3), c1)"),
        *(table(f"{name}.a6{letter}", pairs) for name in ("accept", "accept_two") for letter in "xy"),
        table("accept.a7", "a int, b int, PRIMARY KEY ((a), b)"),
        table("accept.a8", pairs),
        table("accept.a8_plain", pairs, cdc=False),
        table("accept.a9", "id int PRIMARY KEY, val int"),
        table("accept.t", TYPED),
        table("accept.t_reversed", "id int, at timestamp, v int, PRIMARY KEY (id, at)", order="at DESC"),
        table("accept.counted", "id int PRIMARY KEY, n counter"),
        table("accept.b1", rows),
        table("accept.b3", collections),
        table("accept.b4", f"id int PRIMARY KEY, {maps}"),
        table("accept.b5", collections),
        table("accept.b7", "id int PRIMARY KEY, u place"),
        table("accept.b8", rows),
        table("accept.b9", rows, order="c DESC"),
        table("accept.b10", rows),
        table("accept.b12", rows),
        table("accept.b13", "id int PRIMARY KEY, v text, w text, m map<text, int>"),
        table("accept.b14", "id int PRIMARY KEY, a text, b int"),
        table("accept.b15", "id int PRIMARY KEY, f frozen<grows>, u grows, l list<frozen<grows>>"),
        table("accept.b25", "k blob, n int, i int, t text, ts timestamp, deep frozen<map<text, frozen<list<frozen<set<date>>>>>>, PRIMARY KEY ((k, n))"),
        table("accept.b26", "id int PRIMARY KEY, d decimal, v varint"),
    ]
    if target.vectors:
        found.append(table("accept.b25v", "id int PRIMARY KEY, v vector<float, 3>, w vector<text, 2>"))
    return found


def run(target):
    clock = Clock(9)
    return connector(clock) + typed(clock) + rows(clock) + collections(clock) + ranges(clock) + changes(clock) + values(target, clock)


def connector(clock):
    tables6 = [f"{name}.a6{letter}" for name in ("accept", "accept_two") for letter in "xy"]
    return [
        *(f"INSERT INTO accept.a1 (a, b) VALUES ({n}, {n}) USING TIMESTAMP {clock()}" for n in range(10)),
        f"INSERT INTO accept.a2 (a, b) VALUES (1, 1) USING TIMESTAMP {clock()}",
        f"DELETE FROM accept.a2 USING TIMESTAMP {clock()} WHERE a = 1",
        f"INSERT INTO accept.a3 (a, b, c) VALUES (1, 1, 1) USING TIMESTAMP {clock()}",
        f"INSERT INTO accept.a3 (a, b, c) VALUES (1, 2, 3) USING TIMESTAMP {clock()}",
        f"DELETE FROM accept.a3 USING TIMESTAMP {clock()} WHERE a = 1",
        f"INSERT INTO accept.a4 (a, b, c, d, e) VALUES (1, 1, 1, 1, 1) USING TIMESTAMP {clock()}",
        f"INSERT INTO accept.a4 (a, b, c, d, e) VALUES (1, 1, 2, 3, 2) USING TIMESTAMP {clock()}",
        f"DELETE FROM accept.a4 USING TIMESTAMP {clock()} WHERE a = 1 AND b = 1 AND c <= 2",
        batch(
            "DELETE FROM accept.a5 USING TIMESTAMP 1683810323861 WHERE p1 = 'a' AND p2 = 'b' AND p3 = 'c'",
            *(
                "INSERT INTO accept.a5 (p1, p2, p3, c1, col1, col2, amap) VALUES ('a', 'b', 'c', "
                f"'{value}', 'one', 'two', {{'k': 'v'}}) USING TIMESTAMP 1683810323862 AND TTL 3600"
                for value in ("", "c1value1", "c1value2")
            ),
            kind="",
        ),
        *(f"INSERT INTO {name} (a, b) VALUES (1, 1) USING TIMESTAMP {clock()}" for name in tables6),
        *(f"DELETE FROM {name} USING TIMESTAMP {clock()} WHERE a = 1" for name in tables6),
        f"INSERT INTO accept.a7 (a, b) VALUES (1, 2) USING TIMESTAMP {clock()}",
        "ALTER TABLE accept.a7 ADD c int",
        f"INSERT INTO accept.a7 (a, b, c) VALUES (3, 4, 5) USING TIMESTAMP {clock()}",
        batch(
            f"INSERT INTO accept.a8 (a, b) VALUES (1, 1) USING TIMESTAMP {clock()}",
            f"INSERT INTO accept.a8_plain (a, b) VALUES (1, 2) USING TIMESTAMP {clock()}",
        ),
        *(f"INSERT INTO accept.a9 (id, val) VALUES ({n}, {n}) USING TIMESTAMP {clock()}" for n in range(5)),
    ]


def typed(clock):
    return [
        f"INSERT INTO accept.t ({', '.join(TYPED_ROW)}) VALUES ({', '.join(TYPED_ROW.values())}) USING TIMESTAMP {clock()}",
        f"INSERT INTO accept.t_reversed (id, at, v) VALUES (1, '2026-01-02 03:04:05.678Z', 1) USING TIMESTAMP {clock()}",
        f"DELETE FROM accept.t_reversed USING TIMESTAMP {clock()} WHERE id = 1 AND at > '2026-01-02 03:04:05.678Z'",
        "UPDATE accept.counted SET n = n + 42 WHERE id = 1",
    ]


def rows(clock):
    late = clock()
    return [
        f"UPDATE accept.b1 USING TIMESTAMP {clock()} SET s = 'alone' WHERE p = 1",
        f"INSERT INTO accept.b1 (p, c, v, s) VALUES (1, 2, 3, 'beside') USING TIMESTAMP {clock()}",
        batch(
            f"DELETE FROM accept.b10 USING TIMESTAMP {late} WHERE p = 1 AND c = 1",
            f"INSERT INTO accept.b10 (p, c, v) VALUES (1, 1, 2) USING TIMESTAMP {late + 1}",
        ),
        batch(*(f"INSERT INTO accept.b12 (p, c, v) VALUES (1, {n}, {n}) USING TIMESTAMP {late + n * 10}" for n in (1, 2, 3))),
        f"INSERT INTO accept.b13 (id, v, w) VALUES (1, 'row', 'too') USING TIMESTAMP {clock()} AND TTL 3600",
        batch(
            f"UPDATE accept.b13 USING TIMESTAMP {clock()} AND TTL 60 SET v = 'cell' WHERE id = 2",
            f"UPDATE accept.b13 USING TIMESTAMP {clock()} SET w = 'stays' WHERE id = 2",
        ),
        batch(
            f"UPDATE accept.b13 USING TIMESTAMP {late + 100} AND TTL 60 SET m['a'] = 1 WHERE id = 3",
            f"UPDATE accept.b13 USING TIMESTAMP {late + 100} SET m['b'] = 2 WHERE id = 3",
        ),
    ]


def collections(clock):
    found = [
        f"UPDATE accept.b3 USING TIMESTAMP {clock()} SET s = {{'x', 'y'}} WHERE id = 1",
        f"UPDATE accept.b3 USING TIMESTAMP {clock()} SET s = s - {{'x'}} WHERE id = 1",
    ]
    for number, (one, two) in enumerate(ELEMENTS.values()):
        found.append(f"UPDATE accept.b4 USING TIMESTAMP {clock()} SET m{number} = {{'k': {one}, 'other': {two}}} WHERE id = 1")
        found.append(f"DELETE m{number}['k'] FROM accept.b4 USING TIMESTAMP {clock()} WHERE id = 1")
    return [
        *found,
        f"UPDATE accept.b5 USING TIMESTAMP {clock()} SET l = [1], s = {{'a'}}, m = {{'k': 1}} WHERE id = 1",
        f"UPDATE accept.b5 USING TIMESTAMP {clock()} SET l = l + [2], s = s + {{'b'}}, m = m + {{'j': 2}} WHERE id = 1",
        f"DELETE m FROM accept.b5 USING TIMESTAMP {clock()} WHERE id = 1",
        f"UPDATE accept.b5 USING TIMESTAMP {clock()} SET l = [], s = null WHERE id = 1",
        f"UPDATE accept.b7 USING TIMESTAMP {clock()} SET u = {{street: 'Main', zip: 1}} WHERE id = 1",
        f"UPDATE accept.b7 USING TIMESTAMP {clock()} SET u.zip = 2, u.street = null WHERE id = 1",
    ]


def ranges(clock):
    early, late = clock(), clock()
    return [
        batch(
            f"DELETE FROM accept.b8 USING TIMESTAMP {early} WHERE p = 1 AND c < 5",
            f"DELETE FROM accept.b8 USING TIMESTAMP {late} WHERE p = 1 AND c >= 5",
        ),
        batch(
            f"DELETE FROM accept.b8 USING TIMESTAMP {late} WHERE p = 2 AND c < 5",
            f"DELETE FROM accept.b8 USING TIMESTAMP {late} WHERE p = 2 AND c >= 5",
        ),
        f"DELETE FROM accept.b9 USING TIMESTAMP {clock()} WHERE p = 1 AND c > 3 AND c <= 9",
    ]


def changes(clock):
    return [
        f"INSERT INTO accept.b14 (id, a, b) VALUES (1, 'before', 2) USING TIMESTAMP {clock()}",
        "ALTER TABLE accept.b14 DROP b",
        "ALTER TABLE accept.b14 ADD d int",
        f"INSERT INTO accept.b14 (id, a, d) VALUES (2, 'after', 3) USING TIMESTAMP {clock()}",
        f"INSERT INTO accept.b15 (id, f, u, l) VALUES (1, {{one: 1}}, {{one: 1}}, [{{one: 1}}]) USING TIMESTAMP {clock()}",
        "ALTER TYPE accept.grows ADD two text",
        f"INSERT INTO accept.b15 (id, f, u, l) VALUES (2, {{one: 2, two: 'b'}}, {{one: 2, two: 'b'}}, [{{two: 'b'}}]) USING TIMESTAMP {clock()}",
        "CREATE TYPE accept.later (one int, two text)",
        table("accept.b16", "id int PRIMARY KEY, f frozen<later>, u later"),
        f"INSERT INTO accept.b16 (id, f, u) VALUES (1, {{one: 1, two: 'a'}}, {{one: 1, two: 'a'}}) USING TIMESTAMP {clock()}",
    ]


def values(target, clock):
    empty = "blob_as_{}(0x)" if target.vectors else "blobAs{}(0x)"
    word = (lambda name: empty.format(name)) if target.vectors else (lambda name: empty.format(name.capitalize()))
    found = [
        "INSERT INTO accept.b25 (k, n, i, t, ts, deep) VALUES (0x00ff10, 1, "
        f"{word('int')}, '', {word('timestamp')}, {{'k': [{{'2019-02-19', '1969-12-31'}}, {{}}]}}) USING TIMESTAMP {clock()}",
        f"INSERT INTO accept.b26 (id, d, v) VALUES (1, null, null) USING TIMESTAMP {clock()}",
        f"INSERT INTO accept.b26 (id, d, v) VALUES (2, {PI}, 8) USING TIMESTAMP {clock()}",
    ]
    if target.vectors:
        found.append(f"INSERT INTO accept.b25v (id, v, w) VALUES (1, [1.5, 2.5, -3], ['a', '']) USING TIMESTAMP {clock()}")
    return found
