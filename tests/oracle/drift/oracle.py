#!/usr/bin/env python3
"""What the verdicts of a drift job must be, the slow way: docs/drift.md read literally.

Nothing is kept from one heartbeat to the next but what was said. Each time both sides are merged anew from every
record so far, and a write is lacking on a side exactly when merging it there would change what that side holds.
Ranges are not reasoned about: every row that could be is looked at.
"""
from datetime import datetime, timedelta, timezone
from itertools import product

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LOW, HIGH = -(2**63), 2**63 - 1
SIDES = ("onprem", "cloud")
ROWS = list(range(-2, 12))  # every id that histories use, and some around them


def other(side):
    return SIDES[1 - SIDES.index(side)]


def unsigned(value):
    """The order of two values' bytes in Cassandra."""
    if isinstance(value, bool) or value is None:
        return (0, int(bool(value)))
    if isinstance(value, int):
        return (1, value & (2**64 - 1))
    return (2, str(value).encode())


def in_numbers(columns, table):
    """Columns with timestamps as milliseconds: an agent may write them as ISO-8601 (timestamp_format), and means the same."""
    number = lambda text: (datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z") - EPOCH) // timedelta(milliseconds=1)
    is_text = lambda name, value: name in table.get("timestamps", []) and isinstance(value, str)
    return columns and {name: number(value) if is_text(name, value) else value for name, value in columns.items()}


class Event:
    """A record about rows, as cells: path -> (ts, value or None, expires_at or None)."""

    def __init__(self, record, table, watermark):
        value, self.side = record["value"], record["side"]
        self.op, self.id = value["op"], value["event_id"]
        ts = value["source"]["ts_us"]
        after = in_numbers(value["after"], table)
        columns = after or in_numbers(value["before"], table)
        self.partition = columns[table["key"][0]]
        self.row = columns.get(table["key"][1])
        self.key = {name: columns[name] for name in table["key"] if name in columns}
        self.version, self.host = ts, value["source"]["host_id"]
        self.logged = value["ts_ms"] * 1000 + 999
        self.told = watermark
        self.hash_def = value.get("hash_def")
        self.full = self.op == "d" or value.get("hash_kind") == "full"
        self.deletion = ts if self.op == "d" else None
        bound = lambda side: side and {**side, "values": in_numbers(side["values"], table)}
        self.range = value.get("range") and (bound(value["range"]["start"]), bound(value["range"]["end"]))
        self.cells = {}
        times = value.get("cells", {})
        if self.op == "c":
            live = value.get("liveness", {})
            self.cells[("",)] = (live.get("ts_us", ts), True, live.get("expires_at"))
        for name, written in (after or {}).items():
            if name in table["key"]:
                continue
            own = times.get(name, {})
            if table["columns"][name].startswith("set<"):
                self.cells[(name, "*")] = (own.get("deleted_ts_us", ts), None, None)
                for element in written or []:
                    self.cells[(name, element)] = (own.get("ts_us", ts), True, own.get("expires_at"))
            elif written is None:
                self.cells[(name,)] = (own.get("deleted_ts_us", ts), None, None)
            else:
                self.cells[(name,)] = (own.get("ts_us", ts), written, own.get("expires_at"))
        for name, patch in value.get("patch", {}).items():
            own = times.get(name, {})
            for element in patch["put"]:
                self.cells[(name, element)] = (own.get("ts_us", ts), True, own.get("expires_at"))
            for element in patch["remove"]:
                self.cells[(name, element)] = (own.get("deleted_ts_us", ts), None, None)
        version = table.get("version")
        if after and version and after.get(version["column"]) is not None:
            # All times of a row are moved so that the newest is the version.
            self.version = after[version["column"]] * version["unit_us"]
            moved = self.version - ts
            self.cells = {path: (at + moved, *rest) for path, (at, *rest) in self.cells.items()}

    def ts(self):
        return self.version

    def covers(self, row):
        """Whether its range holds a row; None is the static row."""
        start, end = self.range
        if start is None and end is None:
            return True
        if row is None:
            return False
        if start and start["values"]:
            low = start["values"]["id"]
            if row < low or (row == low and not start["inclusive"]):
                return False
        if end and end["values"]:
            high = end["values"]["id"]
            if row > high or (row == high and not end["inclusive"]):
                return False
        return True


def ranges_at(events, row):
    return max((e.ts() for e in events if e.range and e.covers(row)), default=LOW)


def merged(events, partition, row):
    """What one side holds of a row after these events: deletion and cells.

    Columns that were all written hide what is older of them, and nothing of the row's liveness: that is a cell of its
    own, which an UPDATE does not write.
    """
    events = [e for e in events if e.partition == partition]
    mine = [e for e in events if e.row == row and not e.range]
    full = max((min([c[0] for c in e.cells.values()] + [e.deletion] * (e.deletion is not None))
                for e in mine if e.full), default=LOW)
    deletion = max([e.deletion for e in mine if e.deletion is not None] + [ranges_at(events, row)], default=LOW)
    cells = {}
    for event in mine:
        for path, cell in event.cells.items():
            cells.setdefault(path, []).append(cell)
    strength = lambda c: (c[0], c[1] is None, c[2] is not None, c[2] or 0, unsigned(c[1]))
    cells = {path: max(found, key=strength) for path, found in cells.items()}
    complex_ = {path[0]: cell[0] for path, cell in cells.items() if path[1:] == ("*",)}
    kept = {}
    for path, cell in cells.items():
        above = deletion
        if len(path) == 2 and path[1] != "*":
            above = max(above, complex_.get(path[0], LOW))
        if cell[0] > above and (cell[0] >= full or path == ("",)):
            kept[path] = cell
    is_written_over = deletion < full and ("",) in kept
    return (LOW if is_written_over else deletion), kept


def is_dead(cell, now):
    return cell[1] is None or (cell[2] is not None and cell[2] * 1_000_000 <= now)


def is_expired(cell, now):
    return cell[2] is not None and cell[2] * 1_000_000 <= now


def are_same(one, two, now, tolerance):
    if one == two:
        return True
    if one is None or two is None or one[0] != two[0]:
        return False
    if is_dead(one, now) and is_dead(two, now):
        return True
    if (one[2] is None) != (two[2] is None) or one[1] != two[1]:
        return False
    return one[2] is not None and abs(one[2] - two[2]) * 1_000_000 <= tolerance


def lacking(event, held, now, tolerance):
    """The columns in which a side would differ if it also had this event."""
    found = set()
    if event.range:
        mine = [e for e in held if e.partition == event.partition]
        for row in ROWS + [None]:
            if ranges_at(mine + [event], row) != ranges_at(mine, row):
                found.add("(range)")
        return found
    before = merged(held, event.partition, event.row)
    after = merged(held + [event], event.partition, event.row)
    if event.deletion is not None:
        # A row deletion is itself a whole row: what counts is whether one as new, or a whole row, is there.
        return {"(row)"} if after != before else found
    for path in event.cells:
        old, new = before[1].get(path), after[1].get(path)
        if path not in after[1] or are_same(old, new, now, tolerance):
            continue
        if is_expired(new, now) and (old is None or is_dead(old, now)):
            continue
        found.add(path[0] or "(row)")
    return found


class Oracle:
    def __init__(self, case):
        self.table, self.options = case["table"], case["options"]
        self.delay = self.options["tolerance_us"] + self.options["grace_us"]
        self.events, self.beats, self.marks, self.gaps = [], {}, {}, []
        self.ids, self.began, self.wholes = set(), {}, {}
        self.watermark, self.done, self.open = None, set(), {}
        self.silent, self.first_heard = [], None
        self.verdicts = []

    # Watermarks.
    def hosts(self, side):
        named = self.options["hosts"][side]
        return sorted({h for s, h, _ in self.beats if s == side}) if named == "any" else sorted(named)

    def of_host(self, side, host):
        beats = [self.beats.get((side, host, p)) for p in range(self.options["partitions"][side])]
        return None if None in beats else min(newest for _, newest in beats)

    def of_side(self, side):
        found = [self.of_host(side, host) for host in self.hosts(side)]
        return None if not found or None in found else min(found)

    def take(self, record):
        value, side = record["value"], record["side"]
        if record["topic"] == "control":
            self.control(side, value)
        elif record["topic"] == "dead letters":
            key = record["key"]
            hosts = {h for s, h, _ in self.beats if s == side}
            before = min((self.complete(side, host, value["ts_ms"]) for host in hosts), default=LOW)
            key = in_numbers(key, self.table)
            row = (key["cust"], key["id"]) if "id" in key else (key["cust"],)
            self.gaps.append({"side": side, "from": before, "to": value["ts_ms"] * 1000, "untrue": False, "row": row})
        elif value["op"] == "m" and value["source"].get("file") is not None:
            self.begins(side, (side, value["source"]["host_id"], record["partition"]), value["source"]["ts_us"])
        elif value["op"] == "m":
            self.beat(side, record["partition"], value["source"]["host_id"], value["wm_us"], value["ts_ms"])
        else:
            place = (side, value["source"]["host_id"], record["partition"])
            told = self.beats[place][1] if place in self.beats else self.wholes.get(place)
            event = Event(record, self.table, told)
            if (side, event.partition, event.id) not in self.ids:
                self.ids.add((side, event.partition, event.id))
                self.events.append(event)

    def complete(self, side, host, said):
        """What a node had published when its agent said something."""
        before = [wm for ms, wm in self.marks.get((side, host), []) if ms <= said]
        return before[-1] if before else LOW

    def control(self, side, value):
        host, said, kind = value["host_id"], value["ts_ms"], value["type"]
        gap = {"side": side, "from": self.complete(side, host, said), "to": said * 1000, "untrue": False, "row": ()}
        if kind == "forgotten":
            gap["untrue"] = True
        elif kind == "truncate":
            gap |= {"untrue": True, "from": LOW, "to": value["truncated_at_ms"] * 1000}
        elif kind == "schema_change" and "off" in value["change"]:
            gap |= {"to": HIGH, "host": host}
        elif kind == "schema_change":
            begun = [g for g in self.gaps if g["side"] == side and g.get("host") == host]
            if begun:
                begun[0]["to"] = said * 1000
                del begun[0]["host"]
                return
            gap["from"] = LOW
        self.gaps.append(gap)

    def begins(self, side, place, created):
        """A node has all of the table in a partition, unless it was heard of one of that name before. Nodes that came after the beginning do not count."""
        if place in self.beats and self.beats[place][0] < created - 15_000_000:
            return
        self.wholes.setdefault(place, created)
        if side in self.began:
            self.began[side] = self.began_at(side, self.began[side])

    def is_older(self, side, event):
        """Whether an event was logged before the other side had the table."""
        created = [at for place, at in self.wholes.items() if place[0] == side]
        return bool(created) and event.logged + self.options["tolerance_us"] < max(created)

    def began_at(self, side, limit):
        firsts = [f for place, (f, _) in self.beats.items() if place[0] == side and place not in self.wholes]
        return max((f for f in firsts if f <= limit), default=LOW)

    def beat(self, side, partition, host, wm, said):
        first, newest = self.beats.get((side, host, partition), (wm, wm))
        self.beats[side, host, partition] = (first, max(newest, wm))
        marks = self.marks.setdefault((side, host), [])
        if not marks or said - marks[-1][0] >= 60_000:
            marks.append((said, min(n for (s, h, _), (_, n) in self.beats.items() if (s, h) == (side, host))))
        if side not in self.began and self.of_side(side) is not None:
            self.began[side] = self.began_at(side, HIGH)
        both = [self.of_side(s) for s in SIDES]
        if None not in both and (self.watermark is None or min(both) > self.watermark):
            self.watermark = min(both)
            self.decide()
        self.listen()

    def listen(self):
        newest = max(n for _, n in self.beats.values())
        if self.first_heard is None:
            self.first_heard = newest
        silent = []
        for side in SIDES:
            for host in self.hosts(side) or [""]:
                if self.behind(side, host, newest) > self.options["silence_us"]:
                    silent.append([side, host])
        if silent != self.silent:
            self.silent = silent
            self.say(None, None, "UNKNOWN" if silent else "RESOLVED")

    def behind(self, side, host, newest):
        """How far a node is behind: partitions are read one before the other, so each is compared by itself."""
        own = {p: beats for (s, h, p), beats in self.beats.items() if (s, h) == (side, host)}
        if not own:
            return newest - self.first_heard
        lags = [newest - max(at for _, at in own.values())]
        for s, _, p in self.beats:
            if s == side:
                others = max(at for (t, _, q), (_, at) in self.beats.items() if (t, q) == (s, p))
                lags.append(others - (own[p][1] if p in own else min(first for first, _ in own.values())))
        return max(lags)

    def say(self, key, version, status, columns=()):
        self.verdicts.append({"key": key, "version_us": version, "status": status, "decided_us": self.watermark,
                              "columns": sorted(columns)})

    # Verdicts.
    def decide(self):
        entries = {}
        for event in self.events:
            if event not in self.done:
                entries.setdefault((event.partition, event.row, event.version), []).append(event)
        for (partition, row, version), events in entries.items():
            self.judge((partition, row, version), events)

    def judge(self, entry, events):
        now, found, explained = self.watermark, {side: set() for side in SIDES}, set()
        waits = before_start = False
        done = []
        for event in events:
            if event.logged + self.delay > now:
                waits = True
                continue
            lacks_on = other(event.side)
            held = [e for e in self.events if e.side == lacks_on]
            same = self.options["mode"] == "event_id" and any((e.partition, e.id) == (event.partition, event.id) for e in held)
            lacks = set() if same else lacking(event, held, now, self.options["tolerance_us"])
            window = (min(LOW if event.told is None else event.told, event.version) - self.delay,
                      event.logged + self.delay)
            if not lacks:
                done.append(event)
            elif self.began[lacks_on] != LOW and self.began[lacks_on] >= window[0] or self.is_older(lacks_on, event):
                done.append(event)
                before_start = True
            elif self.is_explained(lacks_on, event, events, window):
                explained |= lacks
            else:
                found[lacks_on] |= lacks
        status = self.status(entry, found, explained)
        before = self.open.get(entry)
        key = events[0].key
        if status is None and not waits:
            if before:
                self.say(key, entry[2], "RESOLVED")
                del self.open[entry]
            elif not before_start:
                self.say(key, entry[2], "MATCH")
        elif status and status != before:
            self.open[entry] = status
            columns = explained if status == "INCOMPARABLE" else found["onprem"] | found["cloud"]
            self.say(key, entry[2], status, columns)
        self.done.update(done)

    def is_explained(self, lacks_on, event, events, window):
        partition, row, version = event.partition, event.row, event.version
        told = {}
        for e in self.events:
            if (e.partition, e.row, e.version) == (partition, row, version) and e in events:
                told[e.side] = e.hash_def
        if len(told) == 2 and None not in told.values() and told["onprem"] != told["cloud"]:
            return True
        touches = lambda gap: gap["from"] <= window[1] and gap["to"] >= window[0]
        is_of = lambda gap: gap["row"] in ((), (partition,), (partition, row))
        return any(touches(g) and is_of(g) and (g["side"] == lacks_on or g["untrue"]) for g in self.gaps)

    def status(self, entry, found, explained):
        lacks = [side for side in SIDES if found[side]]
        if not lacks:
            return "INCOMPARABLE" if explained else None
        if len(lacks) == 2:
            return "DRIFT"
        has = any((e.partition, e.row, e.version) == entry and e.side == lacks[0] for e in self.events)
        return "DRIFT" if has else "MISSING_" + lacks[0].upper()


def verdicts(case):
    """The verdicts of a case, in the order of watermarks."""
    oracle = Oracle(case)
    for record in case["records"]:
        oracle.take(record)
    return oracle.verdicts
