"""Range deletions: every kind of bound, prefixes, boundaries inside one mutation, DESC clusterings, and rows between them."""

from .cql import Clock, batch, keyspace, table


def setup(target):
    columns = "p int, a int, b text, c int, s text static, v text, PRIMARY KEY (p, a, b, c)"
    return [
        keyspace("ranges"),
        table("ranges.ascending", columns),
        table("ranges.descending", columns, order="a DESC, b DESC, c DESC"),
        table("ranges.mixed", columns, order="a DESC, b ASC, c DESC"),
    ]


def run(target):
    clock = Clock(4)
    return [line for name in ("ascending", "descending", "mixed") for line in bounds(name, clock) + markers(name, clock)]


def bounds(name, clock):
    """One range per statement."""
    table_name = f"ranges.{name}"
    wheres = [
        "a > 5 AND a <= 20", "a >= 5 AND a < 20", "a > 5", "a >= 5", "a < 20", "a <= 20", "a = 7", "a = 7 AND b = 'x'",
        "a = 7 AND b > 'k'", "a = 7 AND b >= 'k' AND b < 'm'", "a = 7 AND b = 'x' AND c < 0", "a = 7 AND b = '' AND c >= -1",
        "a IN (1, 2, 9)", "a = 3 AND b IN ('é', 'x')", "a = 7 AND b = 'x' AND c = 1", "a = -2147483648",
    ]  # fmt: skip
    if name == "ascending":
        wheres += ["(a, b) > (1, 'x') AND (a, b) <= (2, 'y')", "(a, b, c) >= (1, 'x', 3)"]
    if name == "mixed":  # not in clustering order of one direction: Cassandra splits it into several ranges
        wheres += ["(a, b) > (1, 'x') AND (a, b) <= (4, 'y')", "(a, b, c) >= (1, 'x', 3)"]
    lines = [f"INSERT INTO {table_name} (p, a, b, c, s, v) VALUES (1, 7, 'x', 1, 's', 'v') USING TIMESTAMP {clock()}"]
    lines += [f"DELETE FROM {table_name} USING TIMESTAMP {clock()} WHERE p = 1 AND {where}" for where in wheres]
    return lines + [
        f"DELETE FROM {table_name} WHERE p = 2 AND a > 1 AND a < 3",
        f"DELETE FROM {table_name} USING TIMESTAMP {clock()} WHERE p = 3",
        f"DELETE FROM {table_name} USING TIMESTAMP {clock()} WHERE p IN (4, 5) AND a < 2",
    ]


def markers(name, clock):
    """Several ranges in one mutation: adjacent, overlapping, nested, equal, with rows inside and on the bounds."""
    table_name = f"ranges.{name}"

    def delete(where, timestamp=None):
        return f"DELETE FROM {table_name} USING TIMESTAMP {timestamp or clock()} WHERE p = 10 AND {where}"

    def insert(a, b="x", c=1, p=10):
        return f"INSERT INTO {table_name} (p, a, b, c, v) VALUES ({p}, {a}, '{b}', {c}, 'in') USING TIMESTAMP {clock()}"

    same = clock()
    return [
        batch(delete("a >= 0 AND a < 10"), delete("a >= 10 AND a < 20")),
        batch(delete("a >= 0 AND a <= 10"), delete("a > 10 AND a <= 20")),
        batch(delete("a > 10 AND a <= 20"), delete("a >= 0 AND a <= 10")),
        batch(delete("a >= 0 AND a < 20"), delete("a > 5 AND a < 15")),
        batch(delete("a > 5 AND a < 15"), delete("a >= 0 AND a < 20")),
        batch(delete("a >= 0 AND a <= 12"), delete("a >= 8 AND a <= 20")),
        batch(delete("a >= 0 AND a < 10", same), delete("a >= 10 AND a < 20", same)),
        batch(delete("a > 3"), delete("a < 3"), insert(3)),
        batch(delete("a < 8"), delete("a = 4"), delete("a = 4 AND b = 'x'"), delete("a = 4 AND b > 'x'"), delete("a = 6")),
        batch(insert(1), insert(5, "k", -1), insert(20), delete("a > 4 AND a <= 20"), insert(6), insert(7, "z")),
        batch(delete("a >= 1 AND a <= 3"), delete("a > 5 AND a < 7"), delete("a >= 9"), insert(2), insert(8)),
        batch(f"DELETE FROM {table_name} USING TIMESTAMP {clock()} WHERE p = 10", delete("a > 2"), insert(4),
              f"UPDATE {table_name} USING TIMESTAMP {clock()} SET s = 'after' WHERE p = 10"),
        batch(delete("a = 4 AND b = 'x' AND c = 1"), insert(4)),
        batch(insert(4), delete("a = 4 AND b = 'x' AND c = 1", 5), delete("a = 4 AND b = 'x' AND c = 2")),
        batch(delete("a = 4 AND b = 'x' AND c < 3"), delete("a = 4 AND b = 'x' AND c >= 3 AND c < 9"), delete("a = 4 AND b > 'x'")),
    ]  # fmt: skip
