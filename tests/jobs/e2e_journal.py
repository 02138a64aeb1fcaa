"""The journal of drift_e2e.py: what it wrote, and what must come of it. Nothing here asks a program under test."""

import struct
import threading
import time
from collections import defaultdict, namedtuple

import business
from confluent_kafka import Producer

SIDES = ("onprem", "cloud")
DCS = {"onprem": "DC_ONPREM", "cloud": "DC_AZURE"}
PARTITIONS = 2
PATIENCE_MS = 300_000

# A write to a row of sales.events: kind is put (INSERT), set (UPDATE) or delete; columns are column → value.
Write = namedtuple("Write", "id kind time_us columns")


def topic(side):
    return f"topic_{side}_sales"


def job(side):
    return f"dq-{side}-sales.events"


def put(row, time_us=None):
    """The write of a valid row, as the sink makes it: its version is its write time."""
    columns = {"event_ts": row["event_ts"], "amount": row["amount"], "record_hash": business.row_hash(row)}
    return Write(row["id"], "put", row["event_ts"] * 1000 if time_us is None else time_us, columns)


def cell(value):
    """The bytes by which Cassandra compares two values of one time."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    return struct.pack(">q", value) if isinstance(value, int) else value.encode()


def fold(writes):
    """Row by id: column → (value, write time), as SELECT must show what was written, in whatever order."""
    by_id = defaultdict(list)
    for write in writes:
        by_id[write.id].append(write)
    rows = {}
    for name, own in by_id.items():
        deleted_us = max((write.time_us for write in own if write.kind == "delete"), default=float("-inf"))
        left = [write for write in own if write.time_us > deleted_us and write.kind != "delete"]
        cells = {}
        for write in left:
            for column, value in write.columns.items():
                found = (value, write.time_us)
                if column not in cells or (write.time_us, cell(value)) > (cells[column][1], cell(cells[column][0])):
                    cells[column] = found
        if left:
            rows[name] = cells
    return rows


class Journal:
    """Records of the business topics, by side and partition, and what was written to Cassandra beside the jobs."""

    def __init__(self, servers, rules, version):
        self.rules, self.version, self.direct = rules, version, {side: [] for side in SIDES}
        self._sent = {side: [[] for _ in range(PARTITIONS)] for side in SIDES}
        self._lock, self._errors = threading.Lock(), []
        # One that was sent again is no second record.
        settings = {"enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": PATIENCE_MS, "log_level": 0}
        self._producer = Producer({"bootstrap.servers": servers, **settings})

    def send(self, side, partition, record):
        """Sends a record (ts, key, value, headers) of business.records to a side."""
        record = dict(record)
        with self._lock:
            self._sent[side][partition].append(record)

        def delivered(error, message):
            if error is not None:
                self._errors.append(error)
            else:
                record["offset"] = message.offset()

        self._producer.produce(
            topic(side), record["value"], record["key"], partition=partition, timestamp=record["ts"], headers=record["headers"], on_delivery=delivered
        )
        self._producer.poll(0)

    def flush(self):
        left = self._producer.flush(PATIENCE_MS / 1000)
        assert left == 0 and not self._errors, (left, self._errors[:1])

    def sent(self, side):
        """The records of a side by partition, in the order of the topic."""
        self.flush()
        with self._lock:
            return [sorted(partition, key=lambda record: record["offset"]) for partition in self._sent[side]]

    def expected(self, side):
        """Dead letters by partition, counters by minute, valid rows by id: business.expected of the side."""
        return business.expected(self.sent(side), topic(side), self.rules, self.version, job(side))

    def counters(self, side, minutes):
        return business.counters(minutes, self.version, job(side), DCS[side])

    def written(self, side):
        """All writes to the table of a side: by the jobs, and beside them."""
        rows = self.expected(side)[2]
        with self._lock:
            return [put(row) for versions in rows.values() for row in versions] + list(self.direct[side])

    def write(self, side, session, write):
        """Writes to Cassandra, beside the jobs."""
        assert write.kind in ("put", "set", "delete"), write
        names = list(write.columns)
        values = [write.columns[name] for name in names]
        if write.kind == "put":
            marks = ", ".join("?" for _ in range(len(names) + 1))
            text = f"INSERT INTO sales.events (id, {', '.join(names)}) VALUES ({marks}) USING TIMESTAMP {write.time_us}"
            values = [write.id, *values]
        elif write.kind == "set":
            text = f"UPDATE sales.events USING TIMESTAMP {write.time_us} SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?"
            values = [*values, write.id]
        else:
            text, values = f"DELETE FROM sales.events USING TIMESTAMP {write.time_us} WHERE id = ?", [write.id]
        session.execute(session.prepare(text), values)
        with self._lock:
            self.direct[side].append(write)


class Load(threading.Thread):
    """Sends the same good, bad and hostile records to both sides at a rate; a share of them comes late on one side."""

    def __init__(self, journal, rng, rate, late_s, share=0.05, first=0):
        super().__init__(daemon=True)
        self.journal, self.random, self.rate, self.late_s, self.share = journal, rng, rate, late_s, share
        self.count, self.late, self._first, self._ended, self._error = 0, 0, first, threading.Event(), None

    def run(self):
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 told by `end`
            self._error = error

    def _run(self):
        began, waiting = time.monotonic(), []
        while not self._ended.is_set():
            now = time.monotonic()
            while self.count < (now - began) * self.rate:
                self._one(now, waiting)
            due = [item for item in waiting if item[0] <= now]
            waiting = [item for item in waiting if item[0] > now]
            for _, side, partition, record in due:
                self.journal.send(side, partition, record)
            self._ended.wait(0.05)
        for at, side, partition, record in sorted(waiting, key=lambda item: item[0]):
            time.sleep(max(0, at - time.monotonic()))
            self.journal.send(side, partition, record)

    def _one(self, now, waiting):
        ts = int(time.time() * 1000)
        record = {"ts": ts, "key": f"shop-{self.random.randint(0, 9)}".encode(), "headers": []}
        record["value"] = business.payload(self.random, self._first + self.count, ts)
        self.count += 1
        late_side = self.random.choice(SIDES) if self.random.random() < self.share else None
        for side in SIDES:
            partition = self.random.randrange(PARTITIONS)
            if side == late_side:
                self.late += 1
                waiting.append((now + self.random.uniform(0, self.late_s), side, partition, record))
            else:
                self.journal.send(side, partition, record)

    def end(self):
        """Ends it; what is late is sent when it is due."""
        self._ended.set()
        self.join()
        if self._error is not None:
            raise self._error
        self.journal.flush()
        return self.count
