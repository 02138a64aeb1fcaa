"""A change as both sides can say it: the workload, which knows what it wrote, and a reader of records.

An event is a dict of `table`, `op`, `key`, `ts` (µs) and `content`. The first four are its identity, the content what was written: `after` without the
key, `patch`, `range`, `ttl`. Paths of list elements are the server's, so only the elements are compared; elements of sets and maps are sorted.
"""

import json

# Columns of tests' tables that are lists: their patches have paths that no client knows.
LISTS = {"steps"}


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def event(table, op, key, ts, *, after=None, patch=None, range_=None, ttl=()):
    """An event as a writer expects it. `patch` is column → (put, remove); remove of a list is the number of elements."""
    content = {"after": after or {}, "patch": {}, "range": range_, "ttl": sorted(set(ttl))}
    for column, (put, remove) in (patch or {}).items():
        content["patch"][column] = _patch(column, put, remove)
    return {"table": table, "op": op, "key": key, "ts": ts, "content": content}


def _patch(column, put, remove):
    if column in LISTS:
        return {"put": list(put), "remove": remove}
    return {"put": sorted(put, key=compact), "remove": sorted(remove, key=compact)}


def identity(found):
    """What tells a written change from all others: the workload never uses a time twice for a key."""
    return compact([found["table"], found["op"], found["key"], found["ts"]])


def of_record(key, value):
    """The event of a record of profile `flat`."""
    source = value["source"]
    content = {"after": {}, "patch": {}, "range": value.get("range"), "ttl": _ttls(value)}
    content["after"] = {name: text for name, text in (value.get("after") or {}).items() if name not in key}
    for name, patch in value.get("patch", {}).items():
        put, remove = patch["put"], patch["remove"]
        if name in LISTS:
            put, remove = [element for _, element in put], len(remove)
        content["patch"][name] = _patch(name, put, remove)
    table = f"{source['keyspace']}.{source['table']}"
    return {"table": table, "op": value["op"], "key": key, "ts": source["ts_us"], "content": content}


def _ttls(value):
    found = set()

    def look(part):
        if isinstance(part, dict):
            if "ttl" in part:
                found.add(part["ttl"])
            for inner in part.values():
                look(inner)
        elif isinstance(part, list):
            for inner in part:
                look(inner)

    look(value.get("liveness"))
    look(value.get("cells"))
    return sorted(found)
