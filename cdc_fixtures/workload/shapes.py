"""Table shapes: 70 and 130 columns (both forms of the column subset), and COMPACT STORAGE."""

from .cql import Clock, batch, keyspace, table, table_id

# Per table, the sizes of the column lists that are tried: a subset is a bitmap below 64 columns and a list of indexes from there.
SUBSETS = {70: (63, 64, 65), 130: (127, 128)}
KINDS = ("int", "text", "bigint")


def setup(target):
    return [
        keyspace("shapes"),
        *(table(f"shapes.wide_{count}", wide_columns(count)) for count in SUBSETS),
        compact("c_static", "k int PRIMARY KEY, a int, b text"),
        compact("c_dense", "k int, c int, v text, PRIMARY KEY (k, c)"),
        compact("c_empty", "k int, c int, PRIMARY KEY (k, c)"),
        compact("c_composite", "k int, c1 int, c2 text, v int, PRIMARY KEY (k, c1, c2)"),
        compact("c_counter", "k int, c text, n counter, PRIMARY KEY (k, c)"),
    ]


def compact(name, columns):
    return f"CREATE TABLE shapes.{name} ({columns}) WITH COMPACT STORAGE AND ID = {table_id('shapes.' + name)} AND cdc = true"


def wide_columns(count):
    plain = ", ".join(f"v{i:03} {KINDS[i % 3]}" for i in range(count - 2))
    return f"k int, c int, {plain}, zl list<int>, zm map<text, int>, PRIMARY KEY (k, c)"


def run(target):
    clock = Clock(7)
    return [line for count in SUBSETS for line in wide(count, clock)] + compacts(clock)


def wide(count, clock):
    """Batches of rows that set different columns, so that a row has a subset of the update's column list."""
    name, simple = f"shapes.wide_{count}", count - 2

    def insert(c, columns, complex_columns=False):
        names = [f"v{i:03}" for i in columns] + (["zl", "zm"] if complex_columns else [])
        values = [f"'t{i}'" if i % 3 == 1 else str(i) for i in columns]
        values += ["[1]", "{'a': 1}"] if complex_columns else []
        return f"INSERT INTO {name} (k, c, {', '.join(names)}) VALUES (1, {c}, {', '.join(values)}) USING TIMESTAMP {clock()}"

    def update_of(n):
        """One update with a list of n columns, in which each row has another subset."""
        all_of = range(n)
        return batch(
            insert(1, all_of),
            insert(2, [3]),
            insert(3, all_of[1:]),
            insert(4, all_of[: n // 2 - 1]),
            insert(5, all_of[: n // 2]),
            insert(6, all_of[: n // 2 + 1]),
            f"DELETE FROM {name} USING TIMESTAMP {clock()} WHERE k = 1 AND c = 7",
            f"INSERT INTO {name} (k, c) VALUES (1, 8) USING TIMESTAMP {clock()}",
        )

    return [
        insert(1, range(simple), complex_columns=True),
        insert(2, [0, simple - 1]),
        *(update_of(n) for n in SUBSETS[count]),
        batch(
            insert(1, range(simple), complex_columns=True),
            insert(9, [5], complex_columns=True),
            f"UPDATE {name} USING TIMESTAMP {clock()} SET zl = zl + [5] WHERE k = 1 AND c = 10",
            f"UPDATE {name} USING TIMESTAMP {clock()} SET zm['x'] = 1, v{simple - 1:03} = null WHERE k = 1 AND c = 11",
        ),
    ]


def compacts(clock):
    def at():
        return f"USING TIMESTAMP {clock()}"

    return [
        f"INSERT INTO shapes.c_static (k, a, b) VALUES (1, 2, 'b') {at()}",
        f"UPDATE shapes.c_static {at()} SET a = null WHERE k = 1",
        f"DELETE FROM shapes.c_static {at()} WHERE k = 1",
        f"INSERT INTO shapes.c_dense (k, c, v) VALUES (1, 2, 'v') {at()} AND TTL 31536000",
        f"DELETE v FROM shapes.c_dense {at()} WHERE k = 1 AND c = 2",
        f"DELETE FROM shapes.c_dense {at()} WHERE k = 1 AND c = 2",
        f"DELETE FROM shapes.c_dense {at()} WHERE k = 1 AND c > 2 AND c <= 5",
        f"INSERT INTO shapes.c_empty (k, c) VALUES (1, 2) {at()}",
        f"DELETE FROM shapes.c_empty {at()} WHERE k = 1 AND c = 2",
        f"INSERT INTO shapes.c_composite (k, c1, c2, v) VALUES (1, 2, 'x', 3) {at()}",
        f"INSERT INTO shapes.c_composite (k, c1, v) VALUES (1, 2, 4) {at()}",
        f"DELETE FROM shapes.c_composite {at()} WHERE k = 1 AND c1 = 2",
        f"DELETE FROM shapes.c_composite {at()} WHERE k = 1",
        "UPDATE shapes.c_counter SET n = n + 3 WHERE k = 1 AND c = 'x'",
    ]
