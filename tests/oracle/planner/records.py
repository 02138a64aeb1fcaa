"""Records for the rules of jobs/: good ones, and what people, programs and accidents make of them. The seed is fixed."""

import base64
import json
import random

TEXTS = ['"a"', '""', '"root"', '"x"', '" x "', '"it\'s"', '"é😀"', '"new"', '"closed"', '"a\\nb"', '"a\\ud800b"', '"\\u0000"', '"123456789012345"', "7", "1.5", "true", "null", "{}", "[1]", '"A123z"', '"A1\\n"', '"AZ"']
NUMBERS = ["0", "-0", "1", "-1", "5", "7", "127", "128", "-129", "32768", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "99999999999999999999999999999999999999", "1e3", "1e-9", "1.0", "0.01", "2.50", "2.5", "9999.99", "100.005", "-0.0", "1e400", "1e39", "3.4028235e38", "2e23", "16777217", "0.1", "1e7", "1.8e16", "6e-8", "5e-8", '"12.5"', '"1d"', '" 1"', '"NaN"', '"1e2"', "null", "true", "[]", '"00000000000000000000012"']
STAMPS = ['"2025-01-01T00:00:00Z"', '"2025-01-01T00:00:00.123456Z"', '"1999-12-31T23:59:59.999Z"', '"2125-01-01T00:00:00Z"', '"2025-02-30T00:00:00Z"', '"2024-02-29T12:00:00Z"', '"1969-12-31T23:59:59.5Z"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59.999Z"', '"2025-01-01 00:00:00"', '"2025-01-01T00:00:00+01:00"', "1735689600000", "-1", "-62135596800001", "253402300799999", "null", '""']
DAYS = ['"2025-01-01"', '"2024-02-29"', '"2025-02-29"', '"0001-01-01"', '"1969-12-31"', '"2025-1-1"', "20089", "-1", "0", "2932897", "null", "{}"]
CLOCKS = ['"00:00:00"', '"23:59:59.999999999"', '"12:34:56.5"', '"24:00:00"', '"12:00"', "0", "45296500000000", "86399999999999", "86400000000000", "null"]
OTHERS = ["true", "false", '"true"', '"TRUE"', "1", "null", '"5132b130-ae79-11e4-ab27-0800200c9a66"', '"5132B130-AE79-41E4-AB27-0800200C9A66"', '"0-0-0-0-0"', '"AP8="', '"AP9="', '"AAA"', '""', '"===="', '"127.0.0.1"', '["a","b"]', '{"w":3}', "[]"]
PAYLOADS = [None, b"", b" ", b"null", b"[]", b"{", b"{}", b" {} ", b"{}x", b"{} {}", b'{"id":"a"', b"{'id':1}", b'{"id":1,}', b"\xef\xbb\xbf{}", b'{"id":"\xff"}', b"\xff\xfe", b'{"id":"\xed\xa0\x80"}', '{"id":"\ufffd","at":"2025-01-01T00:00:00Z"}'.encode(), b'{"id":"a"}\x00', b'{"id":"a","id":"b"}']

# Field, its good values; any value may come instead.
FIELDS = {
    "shop.everything": {"id": ['"a"', '"b"', '"c12"', '"é"'], "at": STAMPS[:2], "ms": ["1735689600000"], "day": ['"2025-01-01"', '"2025-01-02"'], "days": ["20089"], "clock": ['"12:34:56.5"'], "ns": ["45296500000000"], "the code": ['"A123z"', '"B1 "'], "tiny": ["5"], "small": ["7"], "pieces": ["0", "1", "2147483647"], "big": ["7", "4"], "huge": ["12", '"123456789012345678901234567890"'], "price": ["2.50", "1"], "fine": ['"0.0000000001"', '"12.5"', "0"], "value": ["100", "12.5", "0.1", "1e5"], "ratio": ["0.1", "1e10"], "paid": ["true", "false"], "ref": ['"5132B130-AE79-41E4-AB27-0800200C9A66"', '"5132b130-ae79-41e4-ab27-0800200c9a66"'], "made": ['"5132b130-ae79-11e4-ab27-0800200c9a66"'], "data": ['"AP8="', '""'], "order": ['"new"', '"it\'s"', '"é😀"', '"a\\nb"']},
    "shop.old": {"id": ["1", "2"], "rev": ["1735689600000"], "amount": ["100", "1e15", "0", "2e23", "1e-7"], "ratio": ["0.5", "1e10"], "price": ['"0.000000001"', "1.5"], "at": ['"2025-01-01T00:00:00.5Z"', "null"], "day": ['"2025-01-01"', "null"], "clock": ['"23:05:09.5"'], "paid": ["true", "false"], "ref": ['"5132B130-AE79-41E4-AB27-0800200C9A66"'], "huge": ["12"]},
    "shop.changes": {"part": ['"a"', '"b"'], "id": ["1", "2"], "at": ["1735689600000"], "day": ["20089"], "clock": ["45296500000000"], "big": ["7", "8"], "huge": ['"12"'], "price": ['"12.500"'], "free": ['"1E+3"'], "amount": ["100.0", "1"], "ratio": ["0.5"], "paid": ["true"], "ref": ['"5132b130-ae79-11e4-ab27-0800200c9a66"'], "made": ['"5132b130-ae79-11e4-ab27-0800200c9a66"'], "data": ['"AP8="'], "host": ['"127.0.0.1"'], "tags": ['["a","b"]', "[]"], "attrs": ['{"w":3}']},
    "shop.copies": {"id": ["1", "2"], "name": ['"a"', '"abcdefghijklmnopqrstuvwxyz"'], "amount": ["1.5"], "data": ['"AP8="']},
}
EVERYTHING = TEXTS + NUMBERS + STAMPS + DAYS + CLOCKS + OTHERS
# What stands in the place of an event's id, and of where and when it was written.
EVENTS = ['"event_id":7,', '"event_id":7.0,', '"event_id":"7",', '"event_id":null,', '"event_id":[],', '"event_id":"a","event_id":"7",', '"event_id":"7","event_id":null,', '"op":"x",', '"event_id":"",']
TIMES = ["null", "0", "-1", '"1735689600000000"', '" 1"', '"+5"', "1e15", "1.5", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775807", '"x"', '""', "true", "{}", "[1]"]
SOURCES = ['"source":{"ts_us":1735689600000000,"dc":"DC"}', '"source":{"dc":"DC"}', '"source":{"dc":"DC","file":"CommitLog-7-1.log","pos":40}', '"source":{"host_id":"h","file":7}', '"source":null', '"source":[{"ts_us":1}]', '"source":"a"', '"more":1', '"source":{"ts_us":1},"source":{"ts_us":null}', '"source":{"ts_us":null,"ts_us":2}', *(f'"source":{{"ts_us":{time}}}' for time in TIMES)]
CHANGES = ("shop.changes", "shop.copies")


def fields(choose, good):
    wrong = choose.choice([0, 0, 1, 1, 2, 5])
    changed = set(choose.sample(list(good), min(wrong, len(good))))
    pairs = []
    for name, values in good.items():
        value = choose.choice(EVERYTHING if name in changed else values)
        if name in changed and choose.random() < 0.2:
            continue
        pairs.append(f"{json.dumps(name, ensure_ascii=False)}:{value}")
        if choose.random() < 0.01:
            pairs.append(pairs[-1])
    if choose.random() < 0.2:
        choose.shuffle(pairs)
    return "{" + ",".join(pairs) + "}"


def payload(choose, table, number):
    if choose.random() < 0.07:
        return choose.choice(PAYLOADS)
    row = fields(choose, FIELDS[table])
    if table not in CHANGES:
        return row.encode()
    op = choose.choice(["c", "c", "u", "u", "r", "d", "rt", "m", "x"])
    after = row if op in "curx" else choose.choice(["null", row])
    event = choose.choice([number, number, number, choose.randrange(20), max(0, number - 1)])
    name = f'"event_id":"{event:032x}",' if choose.random() < 0.97 else ""
    if choose.random() < 0.1:
        name = choose.choice(EVENTS)
    source = choose.choice(SOURCES) if choose.random() < 0.2 else SOURCES[0]
    return f'{{"op":"{op}","ts_ms":1,"before":null,"after":{after},{name}{source}}}'.encode()


def records(table, count, seed=1):
    """`count` records as the source of the table's job has them."""
    choose = random.Random(f"{seed} {table}")
    base64_text = lambda content: None if content is None else base64.b64encode(content).decode()
    moment = 1_735_689_600_000
    for number in range(count):
        moment += choose.choice([0, 1, 20_000, 20_000, 600_000, -50_000, 90_000_000 if choose.random() < 0.1 else 1])
        yield {"record.key": base64_text(b'{"id":1}'), "record.value": base64_text(payload(choose, table, number)), "record.topic": "t", "record.partition": 0, "record.offset": number, "record.ms": moment, "record.headers": {}}
