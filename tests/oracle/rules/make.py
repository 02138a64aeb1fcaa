#!/usr/bin/env python3
"""Writes ../vectors/rules.jsonl: what Apache Flink answers to conditions, patterns and payloads, for the rules of jobs (docs/rules.md).

Needs Java 17 and Maven; two to four minutes. The seed is fixed.
"""

import json
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIB = HERE.parents[2] / ".cache" / "oracle" / "flink-1.20.3"
VECTORS = HERE.parent / "vectors" / "rules.jsonl"
OPENS = ["java.base/" + package for package in ("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time", "java.util", "java.util.concurrent")]

# The row that conditions see: name, SQL of its value.
COLUMNS = {
    "a": "CAST(1 AS BIGINT)",
    "b": "CAST(2.5E0 AS DOUBLE)",
    "t": "CAST('x' AS STRING)",
    "n": "CAST(NULL AS BIGINT)",
    "f": "FALSE",
    "g": "CAST(NULL AS BOOLEAN)",
    "u": "CAST(NULL AS STRING)",
    "ts": "TIMESTAMP '1970-01-01 00:00:00.000'",
    "d": "CAST(12.30 AS DECIMAL(10, 2))",
    "kafka_ts": "TIMESTAMP '2025-01-01 00:00:00.000'",
}
NUMBERS = ["a", "n", "0", "1", "-1", "2", "7", "9223372036854775807"]
DOUBLES = ["b", "2.5e0", "0e0", "-1e-3", "1e300"]
TEXTS = ["t", "u", "'x'", "''", "'X'", "'it''s'", "'é'", "'😀'", "' x '"]
TIMES = ["ts", "kafka_ts", "TIMESTAMP '2025-01-01 00:00:00'", "TIMESTAMP '1969-12-31 23:59:59.999'"]
OPERATORS = ["=", "<>", "<", "<=", ">", ">="]

PATTERNS = [
    (r"^[a-z]+\z", ["abc", "abc\n", "Abc", ""]),
    (r"b", ["abc", "ac"]),
    ("^a[^\\n\\r\\u0085\\u2028\\u2029]c\\z", ["abc", "a\nc", "a\u2028c", "a😀c", "a\u0085c", "a\u000bc"]),
    (r"^[0-9]+\z", ["12", "١٢"]),
    (r"^[a-zA-Z_0-9.%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+){1,10}\z", ["ada@example.com", "ada@example", "é@example.com", "a@b.c\n"]),
    (r"[ \t\n\x0B\f\r]", ["\u000b", "\u00a0", " "]),
    (r"^(?:ab|c){1,3}\z", ["abcab", "ababababc", "c"]),
    (r"^\x41\u0042\x{43}\z", ["ABC"]),
    (r"é", ["café", "cafe"]),
    (r"^[\[\]\^\&{}-]+\z", ["[]^&{}-", "a"]),
    (r"^.?\z|^a{2,}?b\z", ["aab", "", "x"]),
]
# As people write them, beside what is printed for Java above: the Rust test makes the second of the first.
WRITTEN = {
    r"^[a-z]+\z": r"^[a-z]+$",
    "^a[^\\n\\r\\u0085\\u2028\\u2029]c\\z": r"^a.c$",
    r"^[0-9]+\z": r"^\d+$",
    r"^[a-zA-Z_0-9.%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+){1,10}\z": r"^[\w.%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+){1,10}$",
    r"[ \t\n\x0B\f\r]": r"\s",
    r"^(?:ab|c){1,3}\z": r"^(?:ab|c){1,3}$",
    r"^.?\z|^a{2,}?b\z": None,
}

FIELDS = [
    '"x"', '""', "1", "-0", "0", "12345678901234567890123", "1e3", "1E3", "100.10", "0.1", "1.0", "-0.0", "12345678901234567890.123456789", "1e400", "-1e400", "1e-400", "9007199254740993.0",
    "0.001", "1e7", "12345678.9", "true", "false", "null", "{}", '{"b":[]}', "[]", "[1]", '"a\\u0041\\n"', '"\\ud83d\\ude00"', '"a\\ud800b"', '"\\udc00\\ud800"', '"\\/"', '"😀"',
]
PAYLOADS = [
    "", " ", "null", "[]", "1", '"a"', "{", "{}", " {} ", "{}x", "{} {}", '{"a":1}', "{'a':1}", "{a:1}", '{"a":1,}', '{"a":01}', '{"a":NaN}', '{"a":+1}', '{"a":.5}', '{"a":1.}',
    "\ufeff{}", '{"a":1 /* x */}', '{"a":"\\x"}', '{"a":1,"a":2}', '{"a":1,"a":null}', '{"\\u0061":1}', '{"A":1}', '{"a":"\t"}', "{}\x00", "{},{}", "{}]", "{}}", '{},"b":1', "{},", "{}\n", '{"a":null} null',
    '{"a":' + "[" * 1500 + "]" * 1500 + "}", '{"a":' + "1" * 1500 + "}",
]
# What rules ask of a payload `p`, as docs/rules.md has it. IS JSON OBJECT reads no further than the closing brace, JSON_EXISTS takes null for missing.
ATOMS = {
    "is_object": "(p IS JSON OBJECT AND CONCAT('[', p, ']') IS JSON ARRAY AND CONCAT('{\"\":', p, '}') IS JSON OBJECT)",
    "is_carried": "COALESCE(JSON_QUERY(p, '$[''a'', ''a'']') <> '{}', FALSE)",
    "text": "JSON_VALUE(p, '$.a')",
    "is_nested": "(JSON_QUERY(p, '$.a') IS NOT NULL)",
}
# Every text is tried as every type; types.json is the SQL that the program prints.
TEXTS_OF_VALUES = [
    "", "a", "é", "a~", "\u007f", "0", "1", "-1", "+5", "007", "127", "128", "-128", "-129", "32767", "32768", "2147483647", "2147483648", "-2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "00000000000000000001", "000000000000000000001", "99999999999999999999999999999999999999", "999999999999999999999999999999999999999", " 12 ", "12.7", ".5", "5.", "1e3", "1E-3", "1e400", "-1e400", "1e-400", "1e39", "3.4028235e38",
    "0.005", "-0.005", "0.0049", "1.1", "100.10", "99999999.99", "99999999.995", "100000000", "1.23456789E7", "1e-9", "1e-10", "1e+19", "1e20", "1e09", "1e-09", "1.2345678901234567E-4", "9.99999999999999999999999999e7", "-0", "-0.0", "0.1", "16777217", "1e-45", "1d", "1f", "0x1p3", "NaN", "Infinity", "1_0", "--1", "+", "1\n",
    "true", "false", "TRUE", "t", "yes", "2025-01-01", "2024-02-29", "2025-02-29", "2025-02-30", "2025-1-1", "0001-01-01", "0000-01-01", "9999-12-31", "10000-01-01", "2025-13-01", "2025-00-10", "2025-01-00", "2025-01-01\n",
    "2025-01-01T00:00:00Z", "2025-01-01T23:59:59.999Z", "2025-01-01T00:00:00.1Z", "2025-01-01T00:00:00.123456789Z", "2025-01-01T00:00:00.9999Z", "1969-12-31T23:59:59.9999Z", "2025-02-30T00:00:00Z", "2024-02-29T12:00:00Z", "0001-01-01T00:00:00Z", "0000-12-31T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    "2025-01-01T24:00:00Z", "2025-01-01T23:59:60Z", "2025-01-01T00:00:00", "2025-01-01T00:00:00+01:00", "2025-01-01 00:00:00", "2025-01-01T00:00:00.Z", "2025-01-01T00:00:00.1234567890Z", "2025-01-01T00:00:00z",
    "00:00:00", "23:59:59.999999999", "12:34:56.5", "24:00:00", "12:00", "12:00:00.", "12:00:60", "1735689600000", "-62135596800000", "-62135596800001", "253402300799999", "253402300800000", "2932896", "2932897", "-719162", "-719163", "86399999999999", "86400000000000",
    "00000000-0000-0000-0000-00000000ABcd", "00000000-0000-1000-8000-000000000000", "00000000-0000-4000-8000-000000000000", "00000000000000000000000000000000", "0-0-0-0-0", "00000000-0000-0000-0000-00000000000g", "5132B130-AE79-11E4-AB27-0800200C9A66", "AA==", "AAA=", "AAAA", "AA=A", "====", "A===", "+/+/", "AB==", "AQ==", "//==", "/w==", "AAB=", "AAE=", "AP9=", "//8=",
]


def number(choose, depth):
    if depth == 0 or choose.random() < 0.5:
        return choose.choice(NUMBERS)
    kind = choose.randrange(4)
    if kind == 0:
        return f"({number(choose, depth - 1)} {choose.choice(['+', '-', '*'])} {number(choose, depth - 1)})"
    if kind == 1:
        return f"CHAR_LENGTH({text(choose, depth - 1)})"
    if kind == 2:
        return f"COALESCE({number(choose, depth - 1)}, {number(choose, 0)})"
    return f"CASE WHEN {condition(choose, depth - 1)} THEN {number(choose, 0)} ELSE {number(choose, 0)} END"


def double(choose, depth):
    if depth == 0 or choose.random() < 0.6:
        return choose.choice(DOUBLES)
    return f"({double(choose, depth - 1)} {choose.choice(['+', '-', '*', '/'])} {double(choose, depth - 1)})"


def text(choose, depth):
    if depth == 0 or choose.random() < 0.7:
        return choose.choice(TEXTS)
    return f"TRIM({text(choose, depth - 1)})" if choose.random() < 0.5 else f"COALESCE({text(choose, depth - 1)}, {choose.choice(TEXTS)})"


def moment(choose, depth):
    if depth == 0 or choose.random() < 0.6:
        return choose.choice(TIMES)
    unit, most = choose.choice([("SECOND", 100_000_000), ("MINUTE", 1_000_000), ("HOUR", 10_000), ("DAY", 700)])
    return f"TIMESTAMPADD({unit}, {choose.randrange(-most, most)}, {moment(choose, depth - 1)})"


def condition(choose, depth):
    compare = lambda one: f"{one(choose, 2)} {choose.choice(OPERATORS)} {one(choose, 1)}"
    if depth == 0 or choose.random() < 0.4:
        kind = choose.randrange(9)
        negation = choose.choice(["", "NOT "])
        if kind == 0:
            return f"{number(choose, 1)} {negation}IN ({', '.join(choose.sample(['0', '1', '2', '-1', '7'], 3))})"
        if kind == 1:
            return f"{text(choose, 1)} {negation}IN ('x', 'é')"
        if kind == 2:
            return f"{number(choose, 1)} {negation}BETWEEN {number(choose, 0)} AND {number(choose, 0)}"
        if kind == 3:
            return f"{choose.choice(['a', 'n', 't', 'u', 'g', 'ts'])} IS {negation}NULL"
        if kind == 4:
            return choose.choice(["f", "g", "TRUE", "FALSE"])
        if kind == 5:
            return f"d {choose.choice(OPERATORS)} {choose.choice(['12.3', '12.30', '12.31', '12', '13', '-0.1', 'a', 'n'])}"
        return compare(choose.choice([number, double, text, moment]))
    kind = choose.randrange(4)
    if kind == 0:
        return f"NOT ({condition(choose, depth - 1)})"
    if kind == 1:
        return f"({condition(choose, depth - 1)}) IS {choose.choice(['', 'NOT '])}{choose.choice(['TRUE', 'FALSE'])}"
    word = choose.choice([" AND ", " OR "])
    return "(" + word.join(condition(choose, depth - 1) for _ in range(choose.randrange(2, 4))) + ")"


def quoted(content):
    """A literal of SQL; what would break the line or the literal goes by its code."""
    if any(ord(character) < 32 or character in "\u0085\u2028\u2029\ufeff" for character in content):
        escaped = "".join(f"\\{ord(c):04X}" if ord(c) < 32 or c in "\u0085\u2028\u2029\ufeff" else "\\\\" if c == "\\" else c for c in content)
        return "U&'" + escaped.replace("'", "''") + "'"
    return "'" + content.replace("'", "''") + "'"


def answers(queries):
    """For each query the values of its row: text, None, or an error's text in a list."""
    if not (LIB / "done").exists():
        subprocess.run(["mvn", "-q", "-f", HERE / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={LIB}", "-DincludeScope=runtime"], check=True)
        (LIB / "done").touch()
    opens = [word for package in OPENS for word in ("--add-opens", f"{package}=ALL-UNNAMED")]
    command = ["java", "-Xmx1g", *opens, "-Dlog4j.rootLogger.level=off", "-cp", f"{LIB}/*", HERE / "FlinkAnswers.java"]
    run = subprocess.run(command, input="".join(query + "\n" for query in queries), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    if run.returncode:
        sys.exit(run.stderr)
    blocks = run.stdout.split("\n\n")
    value = lambda line: None if line == "NULL" else bytes.fromhex(line[1:]).decode() if line.startswith("=") else [line]
    return [[value(line) for line in block.splitlines()] for block in blocks[: len(queries)]]


def main():
    choose = random.Random(1)
    conditions = []
    while len(conditions) < 600:
        one = condition(choose, 3)
        if one not in conditions and len(one) < 400:
            conditions.append(one)
    row = ", ".join(f"{sql} AS `{name}`" for name, sql in COLUMNS.items())
    ask = lambda columns: f"SELECT {', '.join(columns)} FROM (SELECT {row})"
    batches = [conditions[start : start + 30] for start in range(0, len(conditions), 30)]
    queries = [ask([f"({one})" for one in batch]) for batch in batches]
    patterns = [(pattern, content) for pattern, texts in PATTERNS for content in texts]
    queries.append("SELECT " + ", ".join(f"REGEXP({quoted(content)}, {quoted(pattern)})" for pattern, content in patterns))
    payloads = [f'{{"a":{field}}}' for field in FIELDS] + PAYLOADS
    queries += ["SELECT " + ", ".join(sql.replace("p", quoted(payload)) for sql in ATOMS.values()) for payload in payloads]
    types = json.loads((HERE / "types.json").read_text(encoding="utf-8"))
    queries += [f"SELECT {', '.join(f'CAST({sql} AS STRING)' for sql in types.values())} FROM (SELECT CAST({quoted(content)} AS STRING) AS `s`)" for content in TEXTS_OF_VALUES]
    found = answers(queries)

    lines = []
    for batch, values in zip(batches, found):
        if len(values) != len(batch):
            # One that Flink refuses hides the others: one by one.
            values = [answer[0] for answer in answers([ask([f"({one})"]) for one in batch])]
        lines += [{"condition": one, "flink": value} for one, value in zip(batch, values)]
    for (pattern, content), value in zip(patterns, found[len(batches)]):
        lines.append({"pattern": WRITTEN.get(pattern) or pattern, "java": pattern, "text": content, "flink": value})
    for payload, values in zip(payloads, found[len(batches) + 1 :]):
        lines.append({"payload": payload, "flink": dict(zip(ATOMS, values))})
    for content, values in zip(TEXTS_OF_VALUES, found[len(batches) + 1 + len(payloads) :]):
        if len(values) != len(types):
            sys.exit(f"{content!r}: {values}")
        lines += [{"type": name, "text": content, "flink": value} for name, value in zip(types, values)]
    VECTORS.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    print(len(lines), VECTORS)


main()
