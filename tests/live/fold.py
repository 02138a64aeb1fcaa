"""The rows that records add up to, as Cassandra would: of each cell the newest counts, unless something newer deletes it."""

import uuid
from collections import defaultdict

NEVER = -(2**63)


class Table:
    """Names and kinds of columns, from rows of system_schema."""

    def __init__(self, schema, keyspace, table):
        mine = [row for row in schema["columns"] if (row["keyspace_name"], row["table_name"]) == (keyspace, table)]
        mine.sort(key=lambda row: (row["position"], row["column_name"]))
        self.keyspace, self.name = keyspace, table
        self.partition = [row["column_name"] for row in mine if row["kind"] == "partition_key"]
        self.clustering = [row["column_name"] for row in mine if row["kind"] == "clustering"]
        self.descends = [row.get("clustering_order", "asc").lower() == "desc" for row in mine if row["kind"] == "clustering"]
        self.static = {row["column_name"] for row in mine if row["kind"] == "static"}
        self.types = {row["column_name"]: row["type"] for row in mine}
        self.own_types = {row["type_name"]: row["field_names"] for row in schema.get("types", []) if row["keyspace_name"] == keyspace}
        self.values = [name for name in self.types if name not in self.partition + self.clustering]

    def collection(self, column):
        """How a value is made of elements, each with a time of its own; None of one that is written whole."""
        kind = self.types.get(column, "").split("<")[0]
        if kind in self.own_types:
            return "udt"
        return kind if kind in ("set", "map", "list") else None


class Cell:
    """The newest that is known of a value: its time, and None or what it expires at."""

    def __init__(self, ts, value, live, ttl=None, expires_at=None):
        self.ts, self.value, self.live, self.ttl, self.expires_at = ts, value, live, ttl, expires_at

    def newer_than(self, other):
        return other is None or (self.ts, not self.live) > (other.ts, not other.live)

    def alive(self, deleted, now):
        return self.live and self.ts > deleted and (self.expires_at is None or self.expires_at > now)


class Row:
    """What is known of one row, or of the static row of a partition."""

    def __init__(self):
        self.deleted, self.liveness, self.cells, self.whole = NEVER, None, {}, defaultdict(lambda: NEVER)

    def put(self, place, cell):
        if cell.newer_than(self.cells.get(place)):
            self.cells[place] = cell


class Fold:
    """The state of one table."""

    def __init__(self, table):
        self.table, self.rows, self.ranges = table, defaultdict(lambda: defaultdict(Row)), defaultdict(list)

    def add(self, value):
        """Takes the value of a record; the order does not matter."""
        table, op, ts = self.table, value["op"], value["source"]["ts_us"]
        columns = value["before"] if op in ("d", "rt") else value["after"]
        partition = tuple(columns[name] for name in table.partition)
        if op == "rt" or (op == "d" and not table.clustering):
            bounds = value.get("range") or {"start": None, "end": None}
            self.ranges[partition].append((self._bound(bounds["start"]), self._bound(bounds["end"]), ts))
            return
        static = bool(table.clustering) and table.clustering[0] not in columns
        row = self.rows[partition][None if static else tuple(columns[name] for name in table.clustering)]
        if op == "d":
            row.deleted = max(row.deleted, ts)
            return
        if op == "r":
            self._read(row, value, ts)
            return
        if op == "c":
            own = value.get("liveness", {})
            liveness = Cell(own.get("ts_us", ts), None, True, own.get("ttl"), own.get("expires_at"))
            if liveness.newer_than(row.liveness):
                row.liveness = liveness
        self._columns(row, value, ts)

    def _read(self, row, value, ts):
        """A row that a snapshot read (docs/delivery.md 7). What has no time is older than anything that has one; a null takes nothing away."""
        cells = value.get("cells", {})
        for name, found in value["after"].items():
            if name in self.table.partition or name in self.table.clustering or found is None:
                continue
            own, kind = cells.get(name, {}), self.table.collection(name)
            if own.get("ts_known") is not False:
                row.put((name, None), self._cell(found, own, ts))
            elif kind != "list":
                for path, element in self._elements(kind, found):
                    row.put((name, (path,)), Cell(NEVER + 1, element, True))

    def _bound(self, bound):
        return None if bound is None else (tuple(bound["values"][name] for name in self.table.clustering if name in bound["values"]), bound["inclusive"])

    def _columns(self, row, value, ts):
        cells = value.get("cells", {})
        for name, found in value["after"].items():
            if name in self.table.partition or name in self.table.clustering:
                continue
            own, kind = cells.get(name, {}), self.table.collection(name)
            if kind is not None:
                row.whole[name] = max(row.whole[name], own.get("deleted_ts_us", ts))
                for place, element in self._elements(kind, found):
                    path = (0, own.get("ts_us", ts), place) if kind == "list" else (place,)
                    row.put((name, path), self._cell(element, own, ts))
            elif found is None and not own.get("empty"):
                row.put((name, None), Cell(own.get("deleted_ts_us", ts), None, False))
            else:
                row.put((name, None), self._cell(found, own, ts))
        for name, patch in value.get("patch", {}).items():
            own, kind = cells.get(name, {}), self.table.collection(name)
            times = {str(element["path"]): element for element in own.get("elements", [])}
            for put in patch["put"]:
                path, element = (put, None) if kind == "set" else put
                row.put((name, _path(kind, path)), self._cell(element, {**own, **times.get(str(path), {})}, ts))
            for path in patch["remove"]:
                removed = times.get(str(path), own).get("deleted_ts_us", ts)
                row.put((name, _path(kind, path)), Cell(removed, None, False))

    @staticmethod
    def _cell(value, own, ts):
        return Cell(own.get("ts_us", ts), value, True, own.get("ttl"), own.get("expires_at"))

    @staticmethod
    def _elements(kind, found):
        """(path, value) of a collection that was assigned whole. A list shows no paths: its elements have their places."""
        if kind == "list":
            return list(enumerate(found or []))
        if kind == "set":
            return [(element, None) for element in found or []]
        pairs = found.items() if isinstance(found, dict) else found or []
        # A field that is null is one that is not there.
        return [(path, element) for path, element in pairs if kind == "map" or element is not None]

    def _deleted(self, partition, clustering):
        """The newest deletion over a row; of a static row those of the whole partition count."""
        newest = NEVER
        for start, end, ts in self.ranges.get(partition, ()):
            if clustering is None:
                covers = start is None and end is None
            else:
                covers = self._is_inside(clustering, start, 1) and self._is_inside(clustering, end, -1)
            newest = max(newest, ts) if covers else newest
        return newest

    def _is_inside(self, clustering, bound, side):
        """Whether a row stands on that side of a bound, in clustering order: 1 is behind it."""
        if bound is None:
            return True
        values, inclusive = bound
        for value, cut, descends in zip(clustering, values, self.table.descends, strict=False):
            if value != cut:
                return ((value > cut) != descends) == (side > 0)
        return inclusive

    def view(self, now):
        """(partition, clustering) → column → (value, write time, expires_at) of what is alive at `now` (epoch seconds); of a
        static row the clustering is None. Times of collections are left out: CQL has none."""
        found = {}
        for partition, rows in self.rows.items():
            for clustering, row in rows.items():
                deleted = max(row.deleted, self._deleted(partition, clustering))
                columns = self._live(row, deleted, now)
                if columns or (row.liveness is not None and row.liveness.alive(deleted, now)):
                    found[partition, clustering] = columns
        return found

    def _live(self, row, deleted, now):
        columns, elements = {}, defaultdict(dict)
        for (name, path), cell in row.cells.items():
            if path is None and cell.alive(deleted, now):
                columns[name] = (cell.value, cell.ts, cell.expires_at)
            elif path is not None and cell.alive(max(deleted, row.whole[name]), now):
                elements[name][path] = cell.value
        for name, alive in elements.items():
            columns[name] = (self._collection(name, alive), None, None)
        return columns

    def _collection(self, name, alive):
        """The value of its elements, in the form of docs/envelope.md 3."""
        kind = self.table.collection(name)
        if kind == "udt":
            return {field: alive.get((field,)) for field in self.table.own_types[self.table.types[name]]}
        if kind == "map" and any(not isinstance(path[0], str) for path in alive):
            return [[path[0], alive[path]] for path in sorted(alive)]
        if kind == "map":
            return {path[0]: value for path, value in alive.items()}
        return sorted(path[0] for path in alive) if kind == "set" else [alive[path] for path in sorted(alive)]


def _path(kind, path):
    """The place of an element. Those of an assigned list, which come without paths, stand before those that were added later."""
    return (1, uuid.UUID(path).time, path) if kind == "list" else (path,)


def difference(expected, found, now, slack=3):
    """Rows that differ between two views, in words. A value that expires within `slack` seconds of `now` may be there or not."""
    words = []
    for place in sorted(set(expected) | set(found), key=repr):
        left, right = expected.get(place), found.get(place)
        names = set(left or {}) | set(right or {})
        for name in sorted(names):
            one, other = (left or {}).get(name), (right or {}).get(name)
            soon = [cell[2] for cell in (one, other) if cell is not None and cell[2] is not None and abs(cell[2] - now) <= slack]
            if not soon and not _same(one, other, slack):
                words.append(f"{place} {name}: the table has {one}, the records say {other}")
        if (left is None) != (right is None) and not names:
            words.append(f"{place}: {'not in the records' if right is None else 'not in the table'}")
    return words


def _same(one, other, slack):
    if one is None or other is None:
        return one is other
    expire = (one[2] is None) == (other[2] is None) and (one[2] is None or abs(one[2] - other[2]) <= slack)
    return one[0] == other[0] and one[1] == other[1] and expire
