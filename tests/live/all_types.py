"""A workload over values of every type, with client timestamps and TTLs: the rows that its records add up to are those that SELECT shows, with
writetime and ttl. Counters, whose increments no client timestamps, are in snapshots.py."""

import random
import struct
import time
import uuid
from decimal import Decimal
from ipaddress import ip_address

import fold
from case import Failed
from events import compact
from registry import scenario
from snapshots import shown

TABLES = """
CREATE TYPE KS.place (street text, zip int);
CREATE TABLE KS.types (p text, c int, st text static, sn set<int> static, a ascii, b bigint, bl blob, bo boolean, da date, de decimal, dou double, du duration,
  f float, i inet, si smallint, t time, ts timestamp, tu timeuuid, ti tinyint, u uuid, vi varint, n int, v text, l list<int>, s set<text>, m map<text, int>,
  mi map<int, text>, fl frozen<list<int>>, fs frozen<set<text>>, fm frozen<map<int, text>>, tup tuple<int, text>, ad place, fad frozen<place>, "Mixed" varchar,
  PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC) AND cdc = true;
"""
WORDS = ("", "a", "Ä \"b\"", "日本", "\u0000\n\\", "x" * 40)
PARTITIONS, ROWS, STATEMENTS = 12, 6, 3000


class Values:
    """Random values as the driver takes them, by column."""

    def __init__(self, seed):
        # The driver is there when the stack has fetched it.
        from cassandra.util import Date, Duration, Time

        self.random = random.Random(f"{seed}/values")
        pick, whole = self.random.choice, self.random.randrange
        text = lambda: pick(WORDS) + str(whole(1000))
        number = lambda bits: pick((0, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), whole(-(2 ** (bits - 1)), 2 ** (bits - 1))))
        numbers = lambda: [number(32) for _ in range(whole(1, 4))]
        words = lambda: {text() for _ in range(whole(1, 4))}
        named = lambda: {whole(-9, 9): text() for _ in range(whole(1, 4))}
        self.makes = {
            "st": text, "sn": lambda: set(numbers()), "a": lambda: pick(("", "ascii", "x" * 200)), "b": lambda: number(64),
            "bl": lambda: self.random.randbytes(whole(40)), "bo": lambda: pick((True, False)), "da": lambda: Date(whole(-800_000, 800_000)),
            "de": lambda: Decimal(number(64)).scaleb(-whole(12)), "dou": lambda: number(64) / 2**20, "du": lambda: Duration(whole(99), whole(99), whole(10**12)),
            "f": lambda: whole(-(2**20), 2**20) / 64, "i": lambda: str(ip_address(self.random.getrandbits(pick((32, 128))))), "si": lambda: number(16),
            "t": lambda: Time(whole(86_400 * 10**9)), "ts": lambda: whole(-(10**13), 4 * 10**12), "tu": lambda: uuid.uuid1(whole(2**48), whole(2**14)),
            "ti": lambda: number(8), "u": lambda: uuid.UUID(int=self.random.getrandbits(128), version=4), "vi": lambda: number(pick((8, 64, 200))),
            "n": lambda: number(32), "v": text, "l": numbers, "s": words, "m": lambda: {word: number(32) for word in words()}, "mi": named, "fl": numbers,
            "fs": words, "fm": named, "tup": lambda: (pick((None, number(32))), pick((None, text()))), "ad": lambda: (text(), pick((None, number(32)))),
            "fad": lambda: pick(((text(), None), (None, number(32)), (text(), number(32)))), "Mixed": text,
        }  # fmt: skip

    def of(self, name):
        return self.makes[name]()


class Writes:
    """Statements of every kind, one after the other."""

    def __init__(self, case):
        self.session, self.table, self.clock = case.stack.session(), f"{case.ks}.types", case.writers.clock
        self.values, self.random, self.prepared = Values(case.seed), random.Random(f"{case.seed}/types"), {}
        self.kinds = {self.insert: 8, self.update: 8, self.patch: 10, self.unset: 4, self.static: 2, self.row: 2, self.range: 1, self.partition: 1}

    def any(self):
        self.random.choices(list(self.kinds), list(self.kinds.values()))[0]()

    def run(self, cql, values):
        if cql not in self.prepared:
            self.prepared[cql] = self.session.prepare(cql)
        self.session.execute(self.prepared[cql], values)

    def place(self):
        return f"p{self.random.randrange(PARTITIONS)}", self.random.randrange(ROWS)

    def some(self, most=8):
        names = [name for name in self.values.makes if name not in ("st", "sn")]
        return self.random.sample(names, self.random.randrange(1, most))

    def using(self):
        """The words behind USING, and their values: a TTL that is over before the end, or long after it."""
        ttl = self.random.choice((None, None, None, 1, 90_000))
        return ("TIMESTAMP ?", [self.clock.next()]) if ttl is None else ("TIMESTAMP ? AND TTL ?", [self.clock.next(), ttl])

    def insert(self):
        names, (using, times) = self.some(30), self.using()
        columns = ", ".join(f'"{name}"' for name in ["p", "c", *names])
        marks = ", ".join("?" * (len(names) + 2))
        self.run(f"INSERT INTO {self.table} ({columns}) VALUES ({marks}) USING {using}", [*self.place(), *map(self.values.of, names), *times])

    def update(self):
        names, (using, times) = self.some(), self.using()
        sets = ", ".join(f'"{name}" = ?' for name in names)
        self.run(f"UPDATE {self.table} USING {using} SET {sets} WHERE p = ? AND c = ?", [*times, *map(self.values.of, names), *self.place()])

    def patch(self):
        """A collection or UDT in part."""
        of, (using, times) = self.values.of, self.using()
        change, values = self.random.choice((
            ("s = s + ?", [of("s")]), ("s = s - ?", [of("s")]), ("m = m + ?", [of("m")]), ("m[?] = ?", ["a1", of("n")]), ("m = m - ?", [of("s")]),
            ("mi[?] = ?", [self.random.randrange(-9, 9), of("v")]), ("mi = mi - ?", [{1, 2, -3}]), ("l = l + ?", [of("l")]), ("ad.zip = ?", [of("n")]),
            ("ad.street = ?", [of("v")]), ("ad.street = ?", [None]), ("s = s + ?, m = m + ?, ad.zip = ?", [of("s"), of("m"), of("n")]),
        ))  # fmt: skip
        self.run(f"UPDATE {self.table} USING {using} SET {change} WHERE p = ? AND c = ?", [*times, *values, *self.place()])

    def unset(self):
        names = ", ".join(f'"{name}"' for name in self.some(4))
        self.run(f"DELETE {names} FROM {self.table} USING TIMESTAMP ? WHERE p = ? AND c = ?", [self.clock.next(), *self.place()])

    def static(self):
        (using, times), name = self.using(), self.random.choice(("st", "sn"))
        self.run(f"UPDATE {self.table} USING {using} SET {name} = ? WHERE p = ?", [*times, self.values.of(name), self.place()[0]])

    def row(self):
        self.run(f"DELETE FROM {self.table} USING TIMESTAMP ? WHERE p = ? AND c = ?", [self.clock.next(), *self.place()])

    def range(self):
        (p, low), more = self.place(), self.random.randrange(1, 3)
        self.run(f"DELETE FROM {self.table} USING TIMESTAMP ? WHERE p = ? AND c >= ? AND c < ?", [self.clock.next(), p, low, low + more])

    def partition(self):
        self.run(f"DELETE FROM {self.table} USING TIMESTAMP ? WHERE p = ?", [self.clock.next(), self.place()[0]])


def plain(view):
    """A view whose values can be compared: in one form, a float as its four bytes, nothing where there is no value."""
    form = lambda name, value: struct.pack("f", value).hex() if name == "f" else compact(value)
    return {place: {name: (form(name, cell[0]), *cell[1:]) for name, cell in cells.items() if cell[0] is not None} for place, cells in view.items()}


@scenario("all-types", "writes of values of every type, with TTLs and deletions: the rows that the records add up to are those of SELECT, with writetime and ttl",
          kinds=("kafka", "file"), short=True)  # fmt: skip
def all_types(case):
    case.prepare()
    case.stack.create(TABLES.replace("KS", case.ks))
    case.stack.write_schema(case.folder / "schema.json")
    agent, writes = case.agent().start(), Writes(case)
    for _ in range(STATEMENTS):
        writes.any()
    case.caught_up(agent)
    # TTLs of one second are over then.
    time.sleep(2.5)
    meta, table, now = shown(case, "types")
    table = {place: {name: (value, ts, None if left is None else now + left) for name, (value, ts, left) in cells.items()} for place, cells in table.items()}
    folded = fold.Fold(meta)
    records = [record.value for (topic, _), found in case.records().items() if topic.endswith(f".cdc.{case.ks}.types") for record in found]
    changes = [value for value in records if value["op"] != "m"]
    for value in changes:
        folded.add(value)
    differences = fold.difference(plain(table), plain(folded.view(now)), now)
    if differences:
        raise Failed(f"{len(differences)} differences: {' | '.join(differences[:5])}")
    cells = sum(len(row) for row in plain(table).values())
    case.note(f"{STATEMENTS} statements, {len(changes)} records: {cells} values of {len(table)} rows and static rows as SELECT shows them")
    if cells < 300:
        raise Failed(f"only {cells} values were compared")
    case.rules.tables = {f"{case.ks}.{name}" for name in ("plain", "wide", "coll")}
    return case.judge(agent)
