"""Records of a CDC topic for engines.py: the generated ones of business.py as agents would write them, repeats, and what no agent writes;
which of them count, and what the rules say of those."""

import json
import random

import business

TABLE = "sales.changes"
TOPIC, DEAD, JOB = f"onprem.cdc.{TABLE}", f"onprem.dlq.{TABLE}", f"dq-onprem-{TABLE}"
# So few that repeats are forgotten before they come.
REMEMBERED = 300
RULES = """
table: sales.changes
source: {kind: cdc}
sink: none
environments: [onprem]
columns:
  id: {type: text}
  event_ts: {type: timestamp, format: iso8601}
  amount: {type: double}
key: [id]
version: write_time
hash: {kind: v1}
max_event_ids: %d
rules:
""" % REMEMBERED


def prepare(jobs):
    """Adds the rules: those of sales.events, over the changes of another table, and the one that its version has by itself."""
    own = (jobs / "rules" / "sales.events.yaml").read_text().split("\nrules:\n")[1].split("\n#")[0]
    (jobs / "rules" / f"{TABLE}.yaml").write_text(f"{RULES}{own}\n  - {{rule: not_null, column: event_ts}}\n")


def change(op, after, event_id):
    event = b"" if event_id is None else b',"event_id":' + json.dumps(event_id).encode()
    # Columns have the names of the table.
    after = after.replace(b'"value"', b'"amount"')
    return b'{"op":"%s","ts_ms":1,"before":null,"after":%s%s,"source":{"ts_us":1,"dc":"DC_ONPREM"}}' % (op.encode(), after, event)


def records(seed, count, partitions):
    """As business.records; `event_id` is that of a record that tells of a row, `after` its fields. `after` is None of one that is broken, and not
    there where a record is not judged."""
    rng, found = random.Random(f"changes {seed}"), []
    for number, origins in enumerate(business.records(seed, count, partitions)):
        of_partition = []
        for origin in origins:
            made = of_change(rng, origin["value"], f"{number:016x}{origin['offset']:016x}")
            if of_partition and rng.random() < 0.1:
                # Another replica tells of the same; often when it is forgotten.
                before = rng.choice(of_partition[-2 * REMEMBERED :])
                made = {name: before[name] for name in ("value", "event_id", "after") if name in before}
            of_partition.append({**origin, "event_id": None, **made})
        found.append(of_partition)
    return found


def of_change(rng, value, event_id):
    """What is made of the bytes of a business record."""
    kind = rng.randint(0, 29)
    if value is None or kind == 0:
        # Business records are no records of an agent; tombstones are not judged.
        return {"value": value, **({} if value is None else {"after": None})}
    if kind <= 2:
        return {"value": change(rng.choice(["d", "rt", "m"]), b"null", event_id)}
    if kind == 3:
        return {"value": change("x", value, event_id), "after": None}
    event_id = None if kind == 4 else event_id
    after = business.parse(value)
    return {"value": change(rng.choice("cur"), value, event_id), "after": after, **({} if after is None else {"event_id": event_id})}


def judged(partitions):
    """Those that count: the first record of an event that is remembered, and what has no event."""
    found = []
    for origins in partitions:
        remembered, kept = {}, []
        for record in origins:
            if "after" not in record or record["event_id"] in remembered:
                continue
            if record["event_id"] is not None:
                remembered[record["event_id"]] = True
                if len(remembered) > REMEMBERED:
                    del remembered[next(iter(remembered))]
            kept.append(record)
        found.append(kept)
    return found


def judge(record):
    """As business.judge."""
    return business.verdict(record["after"], record["ts"], is_change=True)
