"""Generated records of the topic of sales.events, good, bad and hostile, and what the bundled rules (jobs/rules/sales.events.yaml) must
say of them: an implementation of its own in Python, by docs/rules.md and docs/jobs.md."""

import base64
import datetime
import decimal as decimals
import hashlib
import json
import random
import re
import struct
from collections import defaultdict

MINUTE = 60_000
# 2025-01-01T00:00:00Z
BEGIN = 1_735_689_600_000
JOB = "dq-onprem-sales.events"
FAILING = [
    "json", "id.not_null", "id.type", "event_ts.not_null", "event_ts.type", "amount.type",
    "id.length", "amount.not_null", "amount.negative", "event_ts.future",
]


class Random(random.Random):
    def text(self, longest):
        return "".join(self.choice("abcABC019 _-é😀\"\\\n\t\u0000") for _ in range(self.randint(0, longest)))


def stamp(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{ms % 1000:03d}" if ms % 1000 else "") + "Z"


def payload(rng, number, ts):
    """The bytes of a record; None is a tombstone."""
    if number == 11:
        # Its dead letter is twice as long: longer than a topic takes unless it is told to.
        return b'{"id":"' + b'\\"' * 450_000 + b'"}'
    row = {"id": f"{number}-{rng.randint(0, 10**9)}", "event_ts": stamp(ts - rng.randint(0, 10_000)), "value": rng.choice([1, 0, 99.5, 1000001, 1e300])}
    kind = rng.randint(0, 19)
    if kind == 0:
        return rng.choice([None, b"", b"null", b"[]", b"{}x", b"{} {}", b"{", b"\xff\xfe", b'{"id":"\xff"}', b" ", b"\xef\xbb\xbf{}", b"{'a':1}", b'{"a":01}', b"1\n", b'{"a\t":1}'])
    if kind == 1:
        row["value"] = rng.choice([None, -1, -0.5, "x", " 12 ", "1d", "0x1p3", [], {}, True, "NaN", 10**400 if rng.random() < 0.5 else "12.5", "-3"])
    if kind == 2:
        row.pop(rng.choice(list(row)))
    if kind == 3:
        row["event_ts"] = rng.choice([None, 5, "2025-02-30T00:00:00Z", "2025-01-01 00:00:00", "2025-01-01T00:00:00", stamp(ts + rng.choice([299_999, 300_000, 300_001, 10**9])), "0001-01-01T00:00:00Z", []])
    if kind == 4:
        row["id"] = rng.choice([None, "", "x" * 64, "x" * 65, "😀" * 64, "😀" * 65, 12, -0.0, 1e3, True, {"a": 1}, rng.text(70)])
    if kind == 5:
        row["more"] = [rng.text(30)] * rng.randint(0, 5)
    text = json.dumps(row, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": "), (",\n", ": ")]))
    if kind == 6:
        text = text[:-1] + ',"value":-7}'
    return text.encode("utf-8")


def records(seed, count, partitions):
    """Lists of {offset, ts, key, value, headers} for each partition; Kafka time goes on unevenly, and sometimes back."""
    rng = Random(seed)
    found = [[] for _ in range(partitions)]
    for number in range(count):
        partition = rng.choice(found)
        ts = BEGIN + number * 50 - (rng.randint(0, 4 * MINUTE) if rng.random() < 0.05 else 0)
        key = rng.choice([None, b"shop-1", b'{"shop":2}', b"\xfe"]) if rng.random() < 0.2 else f"shop-{rng.randint(0, 9)}".encode()
        headers = [("origin", b"pos")] if rng.random() < 0.3 else []
        partition.append({"offset": len(partition), "ts": ts, "key": key, "value": payload(rng, number, ts), "headers": headers})
    return found


# ---- what the rules say, by their description


def parse(value):
    """Fields of a strict JSON object, with the text of each scalar as written; None when it is none."""
    if value is None:
        return None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None

    class Number(str):
        pass

    def constant(_):
        raise ValueError

    if text[:1] == "\ufeff":
        return None
    try:
        found = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=constant)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None

    def scalar(field):
        if isinstance(field, Number):
            return "number", str(field)
        if isinstance(field, bool):
            return "text", "true" if field else "false"
        if isinstance(field, str):
            return "text", field
        return ("null" if field is None else "nested"), None

    return {name: scalar(field) for name, field in found.items()}


def double_text(raw):
    """What JSON_VALUE makes of a number that is no whole one; exact for those generated here."""
    number = float(raw)
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = decimals.Decimal(repr(number)).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{first}.{rest}E{len(digits) + exponent - 1}"


def text_of(field):
    kind, text = field
    if kind == "number":
        if text == "-0":
            return "0"
        return double_text(text) if re.search("[.eE]", text) else text
    return text


def iso(text):
    match = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z", text, re.ASCII)
    if not match:
        return None
    try:
        at = datetime.datetime(*(int(part) for part in match.groups()[:6]), tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    millis = int((match[7] or "").ljust(9, "0")[:3])
    return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1) + millis


def decimal(text):
    if not re.fullmatch(r"[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?", text, re.ASCII):
        return None
    number = float(text)
    return None if number in (float("inf"), float("-inf")) else number


def judge(record):
    """The ids of the failed and of the warned rules, in their order, and the row."""
    return verdict(parse(record["value"]), record["ts"])


def verdict(fields, ts, is_change=False):
    """The same of fields that were read, at a Kafka time. Of a change a column that is not carried breaks no rule."""
    if fields is None:
        return ["json"], [], None
    missing = ("null", None)
    typed, untyped = {}, set()
    for column, name, read in (("id", "id", str), ("event_ts", "event_ts", iso), ("amount", "value", decimal)):
        field = fields.get(name, missing)
        if field[0] == "null":
            typed[column] = None
        elif field[0] == "nested":
            typed[column] = None
            untyped.add(column)
        else:
            typed[column] = read(text_of(field))
            if typed[column] is None:
                untyped.add(column)
    failed, warned = [], []
    carried = {"id": "id" in fields, "event_ts": "event_ts" in fields, "amount": "value" in fields}
    null = lambda column: typed[column] is None and column not in untyped and (carried[column] or not is_change)
    if "id" in untyped:
        failed.append("id.type")
    if null("id"):
        failed.append("id.not_null")
    if "event_ts" in untyped:
        failed.append("event_ts.type")
    if null("event_ts"):
        failed.append("event_ts.not_null")
    if "amount" in untyped:
        failed.append("amount.type")
    if typed["id"] is not None and not 1 <= len(typed["id"]) <= 64:
        failed.append("id.length")
    if null("amount"):
        failed.append("amount.not_null")
    if typed["amount"] is not None and typed["amount"] < 0:
        failed.append("amount.negative")
    if typed["amount"] is not None and typed["amount"] > 1_000_000:
        warned.append("amount.large")
    if typed["event_ts"] is not None and typed["event_ts"] > ts + 300_000:
        failed.append("event_ts.future")
    if typed["event_ts"] is not None and typed["event_ts"] < ts - 3650 * 86_400_000:
        warned.append("event_ts.freshness")
    return failed, warned, typed


def expected(partitions, topic, order, version, job=JOB, judge=judge):
    """Dead letters by partition, counters by minute, and rows by id with the newest version: what outputs must be."""
    letters, minutes, rows = defaultdict(list), {}, {}
    rank = {rule: number for number, rule in enumerate(order)}
    for number, partition in enumerate(partitions):
        for record in partition:
            failed, warned, row = judge(record)
            failed.sort(key=rank.__getitem__)
            start = record["ts"] // MINUTE * MINUTE
            counts = minutes.setdefault(start, {"valid": 0, "warned": 0, "invalid": 0, "by_rule": dict.fromkeys((r for r in order if r in FAILING), 0)})
            if not failed:
                counts["valid"] += 1
                counts["warned"] += bool(warned)
                rows.setdefault(row["id"], []).append(row)
                continue
            counts["invalid"] += 1
            for rule in failed:
                counts["by_rule"][rule] += 1
            value = record["value"]
            try:
                text, raw = (None if value is None else value.decode("utf-8")), None
            except UnicodeDecodeError:
                text, raw = None, base64.b64encode(value).decode()
            letters[number].append(
                {
                    "job": job, "topic": topic, "partition": number, "offset": record["offset"], "kafka_ts": record["ts"],
                    "payload": text, "payload_base64": raw, "failed": failed, "warned": warned, "rules_version": version,
                }
            )
    return dict(letters), minutes, rows


def counters(minutes, version, job=JOB, dc="DC_ONPREM", table="sales.events"):
    """The last values of the two topics of counters, by key."""
    valid, invalid = {}, {}
    for start, counts in minutes.items():
        key = json.dumps({"job_name": job, "window_start": start}, separators=(",", ":"))
        head = {"job_name": job, "window_start": start, "metric_ts": start + MINUTE, "dc": dc, "table": table}
        total = counts["valid"] + counts["invalid"]
        valid[key] = {**head, "valid_count": counts["valid"], "warned_count": counts["warned"], "total_count": total, "rules_version": version}
        invalid[key] = {**head, "invalid_count": counts["invalid"], "total_count": total, "by_rule": counts["by_rule"], "rules_version": version}
    return valid, invalid


# ---- the file log (docs/file-log.md)


def embedded(value):
    """Whether bytes stand in a line as they are."""
    try:
        text = value.decode("utf-8")
        json.loads(text, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError, RecursionError):
        return False
    return text == text.strip() and "\n" not in text and text != "null" and not text.startswith("\ufeff")


def line(record):
    parts = [f'"offset":{record["offset"]}', f'"ts_ms":{record["ts"]}']
    for name in ("key", "value"):
        value = record[name]
        if value is not None and not embedded(value):
            parts.append(f'"{name}":null,"{name}_base64":"{base64.b64encode(value).decode()}"')
        else:
            parts.append(f'"{name}":{"null" if value is None else value.decode()}')
    headers = {name: value.decode() for name, value in record["headers"]}
    return "{" + ",".join(parts) + f',"headers":{json.dumps(headers)}' + "}\n"


def write_log(folder, topic, partitions):
    """A file log with these records, in one file a partition."""
    write_logs(folder, {topic: partitions})


def write_logs(folder, topics):
    """The same with several topics of as many partitions."""
    written = {}
    for topic, partitions in topics.items():
        files = written.setdefault(topic, {})
        for number, partition in enumerate(partitions):
            place = folder / topic / str(number)
            place.mkdir(parents=True)
            text = "".join(line(record) for record in partition).encode()
            if text:
                (place / f"{0:020d}.jsonl").write_bytes(text)
                files[str(number)] = [{"first_offset": 0, "next_offset": len(partition), "bytes": len(text)}]
    checkpoint = {"version": 4, "generation": 0, "open": {}, "done": {}, "parked": []}
    count = max(map(len, topics.values()))
    (folder / "commit.json").write_text(json.dumps({"version": 1, "partitions": count, "checkpoint": checkpoint, "topics": written}))


def read_log(folder):
    """Topic → partition → records of a file log, as of its last commit."""
    commit = json.loads((folder / "commit.json").read_text())
    found = {}
    for topic, partitions in commit["topics"].items():
        for number, files in partitions.items():
            for file in files:
                text = (folder / topic / number / f"{file['first_offset']:020d}.jsonl").read_bytes()[: file["bytes"]]
                found.setdefault(topic, {}).setdefault(int(number), []).extend(map(json.loads, text.splitlines()))
    return found


def row_hash(row):
    """v1 of docs/identity.md for sales.events: key, then amount and event_ts."""
    def text(value):
        return "~" if value is None else f"{len(value)}:{value}"

    parts = [row["id"], java_double(row["amount"]), str(row["event_ts"])]
    return hashlib.sha256(("v1;sales.events;" + "".join(map(text, parts))).encode()).hexdigest()


def java_double(number):
    return "-0.0" if struct.pack(">d", number) == struct.pack(">d", -0.0) else double_text(repr(number))
