"""Ways to write: batches over tables and partitions, lightweight transactions, counters, materialized views."""

from .cql import Clock, batch, keyspace, table, table_id


def setup(target):
    return [
        keyspace("writes"),
        table("writes.orders", "id int, line int, status text, amount decimal, PRIMARY KEY (id, line)"),
        table("writes.audit", "id int PRIMARY KEY, who text, at timestamp", cdc=False),
        table("writes.notes", "id int PRIMARY KEY, note text, tags set<text>"),
        table("writes.locks", "id int, c int, s text static, owner text, n int, l list<int>, PRIMARY KEY (id, c)"),
        table("writes.counts", "k text, c int, hits counter, misses counter, PRIMARY KEY (k, c)"),
        table("writes.static_counts", "k text, c int, total counter static, n counter, PRIMARY KEY (k, c)"),
        "CREATE FUNCTION writes.plus (a int, b int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS "
        "$$ return a == null ? b : a + b; /* '; CREATE TABLE no (k int) */ $$",
        "CREATE AGGREGATE writes.total (int) SFUNC plus STYPE int INITCOND 0",
        "CREATE INDEX notes_by_note ON writes.notes (note)",
        "CREATE KEYSPACE not_durable WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} AND durable_writes = false",
        table("not_durable.t", "k int PRIMARY KEY, v text"),
        table("writes.base", "id int PRIMARY KEY, status text, v int"),
        "CREATE MATERIALIZED VIEW writes.by_status AS SELECT id, status, v FROM writes.base WHERE status IS NOT NULL AND id IS NOT "
        f"NULL PRIMARY KEY (status, id) WITH ID = {table_id('writes.by_status')}",
    ]


def run(target):
    clock = Clock(6)
    return batches(clock) + transactions() + counters() + views(clock)


def batches(clock):
    def order(id, line, status):
        return f"INSERT INTO writes.orders (id, line, status, amount) VALUES ({id}, {line}, '{status}', 1.50) USING TIMESTAMP {clock()}"

    def note(id, text):
        return f"UPDATE writes.notes USING TIMESTAMP {clock()} SET note = '{text}', tags = tags + {{'t'}} WHERE id = {id}"

    def audit(id):
        return f"INSERT INTO writes.audit (id, who) VALUES ({id}, 'batch') USING TIMESTAMP {clock()}"

    return [
        batch(order(1, 1, "a"), order(1, 2, "b"), order(1, 3, "c")),
        batch(order(2, 1, "a"), audit(2), note(2, "three tables")),
        batch(audit(3), order(3, 1, "a"), kind=""),
        batch(order(4, 1, "a"), order(5, 1, "b"), note(6, "three partitions"), kind=""),
        batch(order(7, 1, "a"), f"DELETE FROM writes.orders USING TIMESTAMP {clock()} WHERE id = 7 AND line = 1", kind=""),
        batch("INSERT INTO writes.orders (id, line, status) VALUES (8, 1, 'now')", "DELETE FROM writes.orders WHERE id = 8 AND line = 2"),
        f"BEGIN UNLOGGED BATCH USING TIMESTAMP {clock()} INSERT INTO writes.orders (id, line, status) VALUES (9, 1, 'batch ts'); "
        "UPDATE writes.notes SET note = 'batch ts' WHERE id = 9; APPLY BATCH",
        batch(audit(10), audit(11)),
    ]


def transactions():
    into = "INSERT INTO writes.locks (id, c, owner, n, l)"
    return [
        f"{into} VALUES (1, 1, 'me', 1, [1]) IF NOT EXISTS",
        f"{into} VALUES (1, 1, 'you', 2, [2]) IF NOT EXISTS",
        "UPDATE writes.locks SET owner = 'you', n = null, l = [3] WHERE id = 1 AND c = 1 IF owner = 'me'",
        "UPDATE writes.locks SET owner = 'never' WHERE id = 1 AND c = 1 IF owner = 'nobody'",
        "UPDATE writes.locks SET s = 'static' WHERE id = 1 IF s = null",
        "DELETE n FROM writes.locks WHERE id = 1 AND c = 1 IF EXISTS",
        "DELETE FROM writes.locks WHERE id = 1 AND c = 1 IF EXISTS",
        "DELETE FROM writes.locks WHERE id = 1 AND c = 1 IF EXISTS",
        "INSERT INTO not_durable.t (k, v) VALUES (1, 'not in the commit log')",
        "INSERT INTO not_durable.t (k, v) VALUES (2, 'in it nevertheless') IF NOT EXISTS",
        "BEGIN BATCH INSERT INTO writes.locks (id, c, owner) VALUES (2, 1, 'a') IF NOT EXISTS; "
        "INSERT INTO writes.locks (id, c, owner) VALUES (2, 2, 'b'); DELETE FROM writes.locks WHERE id = 2 AND c = 3; APPLY BATCH",
    ]


def counters():
    return [
        "UPDATE writes.counts SET hits = hits + 5 WHERE k = 'a' AND c = 1",
        "UPDATE writes.counts SET hits = hits - 2, misses = misses + 9223372036854775807 WHERE k = 'a' AND c = 1",
        "UPDATE writes.counts SET misses = misses - 1 WHERE k = 'a' AND c = 2",
        "BEGIN COUNTER BATCH UPDATE writes.counts SET hits = hits + 1 WHERE k = 'b' AND c = 1; "
        "UPDATE writes.counts SET hits = hits + 2 WHERE k = 'b' AND c = 2; APPLY BATCH",
        "UPDATE writes.static_counts SET total = total + 10 WHERE k = 's'",
        "UPDATE writes.static_counts SET n = n + 1, total = total - 1 WHERE k = 's' AND c = 1",
        "DELETE hits FROM writes.counts WHERE k = 'a' AND c = 1",
        "DELETE FROM writes.counts WHERE k = 'b' AND c = 2",
        "DELETE FROM writes.counts WHERE k = 'b'",
    ]


def views(clock):
    return [
        f"INSERT INTO writes.base (id, status, v) VALUES (1, 'new', 1) USING TIMESTAMP {clock()}",
        f"UPDATE writes.base USING TIMESTAMP {clock()} SET status = 'paid' WHERE id = 1",
        f"UPDATE writes.base USING TIMESTAMP {clock()} SET v = 2 WHERE id = 1",
        f"INSERT INTO writes.base (id, status, v) VALUES (2, 'ttl', 1) USING TIMESTAMP {clock()} AND TTL 31536000",
        f"UPDATE writes.base USING TIMESTAMP {clock()} SET status = null WHERE id = 2",
        f"DELETE FROM writes.base USING TIMESTAMP {clock()} WHERE id = 1",
    ]
