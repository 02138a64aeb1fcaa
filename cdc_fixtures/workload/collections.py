"""Non-frozen collections and UDTs, cell by cell, and frozen ones as a whole."""

from .cql import Clock, batch, keyspace, table

YEAR = 31_536_000


def setup(target):
    return [
        keyspace("colls"),
        "CREATE TYPE colls.point (x int, y int, label text, tags frozen<set<text>>)",
        table(
            "colls.all_kinds",
            "k int, c int, l list<int>, s set<text>, m map<text, int>, u point, lf frozen<list<int>>, sf frozen<set<text>>, "
            "mf frozen<map<text, int>>, uf frozen<point>, v text, sl list<text> static, sm map<int, text> static, "
            "su point static, PRIMARY KEY (k, c)",
        ),
        table("colls.two", "k int PRIMARY KEY, l list<int>, st set<text>"),
    ]


def run(target):
    clock = Clock(5)
    return whole(clock) + parts(clock) + emptied(clock) + mixed(clock)


def update(clock, sets, where="k = 1 AND c = 1", ttl=""):
    return f"UPDATE colls.all_kinds USING TIMESTAMP {clock()}{ttl} SET {sets} WHERE {where}"


def whole(clock):
    point = "{x: 1, y: -1, label: 'p', tags: {'t'}}"
    return [
        "INSERT INTO colls.all_kinds (k, c, l, s, m, u, lf, sf, mf, uf, v) VALUES (1, 1, [3, 1, 2], {'b', 'a', ''}, "
        f"{{'z': 1, 'é': 2}}, {point}, [1, 1], {{'x'}}, {{'k': 0}}, {point}, 'v') USING TIMESTAMP {clock()}",
        f"INSERT INTO colls.all_kinds (k, c, l, m) VALUES (1, 2, [], {{}}) USING TIMESTAMP {clock()}",
        f"INSERT INTO colls.all_kinds (k, c, s, u, uf, lf) VALUES (1, 3, null, null, null, null) USING TIMESTAMP {clock()}",
        update(clock, "l = [9], s = {'new'}, m = {'new': 9}, u = {x: 9}, lf = [9], uf = {label: 'l'}"),
        f"INSERT INTO colls.all_kinds (k, sl, sm, su) VALUES (2, ['a'], {{1: 'one'}}, {point}) USING TIMESTAMP {clock()}",
        "UPDATE colls.all_kinds SET l = [5, 6, 7] WHERE k = 3 AND c = 1",
        update(clock, f"l = {list(range(130))}, lf = {list(range(200))}", where="k = 4 AND c = 1"),
    ]


def parts(clock):
    return [
        update(clock, "l = l + [10, 11]"),
        update(clock, "l = [7, 8] + l"),
        update(clock, "l[0] = 70"),
        update(clock, "l = l - [10]"),
        f"DELETE l[1] FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 1 AND c = 1",
        update(clock, "s = s + {'c', 'd'}"),
        update(clock, "s = s - {'c', 'absent'}"),
        f"DELETE s['d'] FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 1 AND c = 1",
        update(clock, "m['put'] = 1"),
        update(clock, "m = m + {'more': 2, '': 3}"),
        update(clock, "m = m - {'more'}"),
        update(clock, "m['put'] = null"),
        f"DELETE m['new'] FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 1 AND c = 1",
        update(clock, "u.y = 5, u.label = null"),
        f"DELETE u.x FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 1 AND c = 1",
        update(clock, "m['ttl'] = 1, l = l + [99], s = s + {'ttl'}, u.y = 6", ttl=f" AND TTL {YEAR}"),
        update(clock, "sl = sl + ['b'], sm[2] = 'two', su.x = 3", where="k = 2"),
        update(clock, "sl = ['z'] + sl, sm = sm - {1}, su.x = null", where="k = 2"),
        "UPDATE colls.all_kinds SET l = [4] + l, s = s + {'now'} WHERE k = 3 AND c = 1",
    ]


def emptied(clock):
    return [
        update(clock, "l = [], s = {}, m = {}, u = null", where="k = 1 AND c = 4"),
        update(clock, "l = null, s = null", where="k = 1 AND c = 4"),
        update(clock, "lf = [], sf = {}, mf = {}", where="k = 1 AND c = 4"),
        f"DELETE l, m, u FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 1 AND c = 1",
        f"DELETE sl, su FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 2",
        f"DELETE lf, v FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 1 AND c = 1",
        f"UPDATE colls.two USING TIMESTAMP {clock()} SET st = st + {{}} WHERE k = 1",
        f"UPDATE colls.two USING TIMESTAMP {clock()} SET st = st - {{}}, l = l + [] WHERE k = 1",
    ]


def mixed(clock):
    """Deletions of some collections of a row beside cells of others: the case of CASSANDRA-20449."""
    return [
        f"UPDATE colls.two USING TIMESTAMP {clock()} SET l = [1], st = st + {{'x'}} WHERE k = 1",
        f"UPDATE colls.two USING TIMESTAMP {clock()} SET l = l + [2], st = {{'y'}} WHERE k = 1",
        "UPDATE colls.two SET l = [3], st = st + {'z'} WHERE k = 2",
        batch(
            update(clock, "l = [1, 2]", where="k = 5 AND c = 1"),
            update(clock, "l = l + [3], m['a'] = 1", where="k = 5 AND c = 1"),
            f"DELETE m FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 5 AND c = 1",
            update(clock, "m['b'] = 2, v = 'v'", where="k = 5 AND c = 1"),
            f"DELETE s['q'], u FROM colls.all_kinds USING TIMESTAMP {clock()} WHERE k = 5 AND c = 2",
            update(clock, "sm = {5: 'five'}", where="k = 5"),
        ),
    ]
