"""The schema changes while data is written: columns, types, the cdc flag, new and dropped tables."""

from .cql import Clock, batch, keyspace, table, table_id


def setup(target):
    return [
        keyspace("evolve"),
        "CREATE TYPE evolve.place (street text, zip int)",
        table("evolve.t", "k int, c int, a text, b int, gone list<int>, s text static, s_gone int static, PRIMARY KEY (k, c)"),
        table("evolve.typed", "k int PRIMARY KEY, uf frozen<place>, u place, l list<frozen<place>>, t frozen<tuple<int, place>>"),
        table("evolve.toggled", "k int PRIMARY KEY, v text"),
        f"CREATE TABLE evolve.compact (k int, c int, v text, PRIMARY KEY (k, c)) WITH COMPACT STORAGE AND ID = "
        f"{table_id('evolve.compact')} AND cdc = true",
    ]


def run(target):
    clock = Clock(8)
    return columns(clock) + types(clock) + toggles(clock) + tables(clock)


def columns(clock):
    into = "INSERT INTO evolve.t"
    return [
        f"{into} (k, c, a, b, gone, s, s_gone) VALUES (1, 1, 'before', 1, [1, 2], 's', 1) USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.t ADD added bigint",
        f"{into} (k, c, a, added) VALUES (1, 2, 'added', 2) USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.t DROP b",
        "ALTER TABLE evolve.t DROP gone",
        "ALTER TABLE evolve.t DROP s_gone",
        f"{into} (k, c, a) VALUES (1, 3, 'dropped') USING TIMESTAMP {clock()}",
        f"ALTER TABLE evolve.t DROP a USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.t ADD a blob",
        f"{into} (k, c, a, added) VALUES (1, 4, 0x00ff, 4) USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.t ADD b int",
        f"{into} (k, c, b) VALUES (1, 5, 5) USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.t RENAME c TO renamed",
        f"{into} (k, renamed, b) VALUES (1, 6, 6) USING TIMESTAMP {clock()}",
        f"DELETE FROM evolve.t USING TIMESTAMP {clock()} WHERE k = 1 AND renamed > 5",
        "ALTER TABLE evolve.t WITH comment = 'it''s \"changed\"; -- not a comment /* nor this */' AND gc_grace_seconds = 3600",
    ]


def types(clock):
    into = "INSERT INTO evolve.typed"
    old = "{street: 'old', zip: 1}"
    new = "{street: 'new', zip: 2, country: 'de'}"
    return [
        f"{into} (k, uf, u, l, t) VALUES (1, {old}, {old}, [{old}], (1, {old})) USING TIMESTAMP {clock()}",
        "ALTER TYPE evolve.place ADD country text",
        f"{into} (k, uf, u, l, t) VALUES (2, {new}, {new}, [{new}], (1, {new})) USING TIMESTAMP {clock()}",
        f"UPDATE evolve.typed USING TIMESTAMP {clock()} SET u.country = 'fr', l = l + [{{street: 's'}}] WHERE k = 1",
        "ALTER TYPE evolve.place RENAME zip TO code",
        f"UPDATE evolve.typed USING TIMESTAMP {clock()} SET u.code = 3, uf = {{code: 4}} WHERE k = 1",
    ]


def toggles(clock):
    return [
        f"INSERT INTO evolve.toggled (k, v) VALUES (1, 'cdc on') USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.toggled WITH cdc = false",
        f"INSERT INTO evolve.toggled (k, v) VALUES (2, 'cdc off') USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.toggled WITH cdc = true",
        f"INSERT INTO evolve.toggled (k, v) VALUES (3, 'cdc on again') USING TIMESTAMP {clock()}",
    ]


def tables(clock):
    return [
        table("evolve.created", "k int PRIMARY KEY, v frozen<list<text>>"),
        f"INSERT INTO evolve.created (k, v) VALUES (1, ['in the middle']) USING TIMESTAMP {clock()}",
        table("evolve.dropped", "k int PRIMARY KEY, v text"),
        f"INSERT INTO evolve.dropped (k, v) VALUES (1, 'in a table that goes') USING TIMESTAMP {clock()}",
        batch(
            f"INSERT INTO evolve.created (k, v) VALUES (5, ['beside a table that goes']) USING TIMESTAMP {clock()}",
            f"INSERT INTO evolve.dropped (k, v) VALUES (5, 'beside one that stays') USING TIMESTAMP {clock()}",
        ),
        f"INSERT INTO evolve.compact (k, c, v) VALUES (1, 1, 'compact') USING TIMESTAMP {clock()}",
        "ALTER TABLE evolve.compact DROP COMPACT STORAGE",
        f"INSERT INTO evolve.compact (k, c, v) VALUES (1, 2, 'no longer') USING TIMESTAMP {clock()}",
        "TRUNCATE evolve.created",
        f"INSERT INTO evolve.created (k, v) VALUES (2, ['after TRUNCATE']) USING TIMESTAMP {clock()}",
    ]


def drop():
    """DROP TABLE makes Cassandra start a new segment, so it stands at the end; one row follows in the next segment."""
    return ["DROP TABLE evolve.dropped"]
