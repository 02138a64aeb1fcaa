"""The rows of row_hash.jsonl: cases with the text written by hand, cases of column order, and seeded random rows."""

import re
import struct
import uuid

import cql_types
from cql_types import Raw

UDTS = {
    "addr": [["street", "text"], ["zip", "int"]],
    "Mixed Case": [["Name", "text"], ["é", "frozen<addr>"], ["tags", "frozen<set<text>>"]],
    "all": [["b", "blob"], ["d", "double"], ["t", "timestamp"], ["m", "frozen<map<int, decimal>>"], ["n", "varint"]],
}
U1, U2 = "50554d6e-29bb-11e5-b345-feff819cdc9f", "5132b130-ae79-11e4-ab27-0800200c9a66"
LIST_PATHS = ["3f93898f-066c-11cc-8000-000000000001", "3f93898f-066c-11cc-8000-000000000002"] + [
    f"{0x50554D6E + i:08x}-29bb-11f0-b345-feff819cdc9f" for i in range(40)]
CUSTOM = "'org.example.Point'"
NULL = None  # the expected text of a column that hashes as null

# type, value, the text of its field. Doubles and floats as numbers, or as Raw bits.
SCALARS = [
    ("text", "ab", "ab"), ("text", "", ""), ("text", " a  b ", " a  b "), ("text", ";:~|,!@", ";:~|,!@"),
    ("text", "~", "~"), ("text", "1:a", "1:a"), ("text", "NULL", "NULL"), ("text", "a|b", "a|b"),
    ("text", "é", "é"), ("text", "e\u0301", "e\u0301"), ("text", "日本語", "日本語"), ("text", "😀", "😀"),
    ("text", "👨‍👩‍👧", "👨‍👩‍👧"), ("text", "𝒳\U0010ffff\ue000", "𝒳\U0010ffff\ue000"), ("text", "a\0b", "a\0b"),
    ("text", 'q"\\/\b\t\n\f\r\x01\x1f\x7f\x80', 'q"\\/\b\t\n\f\r\x01\x1f\x7f\x80'), ("text", "\ufeffbom", "\ufeffbom"),
    ("text", "x" * 300, "x" * 300), ("text", "😀" * 99, "😀" * 99), ("text", "\u2028\u2029", "\u2028\u2029"),
    ("text", None, NULL), ("ascii", "plain", "plain"), ("ascii", "", ""), ("ascii", None, NULL),
    ("tinyint", 0, "0"), ("tinyint", -128, "-128"), ("tinyint", 127, "127"), ("tinyint", Raw(b""), NULL),
    ("smallint", -32768, "-32768"), ("smallint", 32767, "32767"), ("smallint", Raw(b""), NULL),
    ("int", 0, "0"), ("int", -1, "-1"), ("int", 2147483647, "2147483647"), ("int", -2147483648, "-2147483648"),
    ("int", None, NULL), ("int", Raw(b""), NULL), ("bigint", 9223372036854775807, "9223372036854775807"),
    ("bigint", -9223372036854775808, "-9223372036854775808"), ("bigint", 9007199254740993, "9007199254740993"),
    ("bigint", Raw(b""), NULL), ("boolean", True, "TRUE"), ("boolean", False, "FALSE"), ("boolean", Raw(b"\x02"), "TRUE"),
    ("boolean", None, NULL), ("boolean", Raw(b""), NULL),
    ("blob", b"", ""), ("blob", b"\0", "00"), ("blob", bytes.fromhex("deadBEEF"), "deadbeef"), ("blob", None, NULL),
    ("blob", bytes(range(256)), bytes(range(256)).hex()),
    ("varint", 0, "0"), ("varint", -1, "-1"), ("varint", 127, "127"), ("varint", 128, "128"), ("varint", -129, "-129"),
    ("varint", 2 ** 127 - 1, "170141183460469231731687303715884105727"), ("varint", -2 ** 64, "-18446744073709551616"),
    ("varint", 10 ** 60, "1" + "0" * 60), ("varint", Raw(b"\0\0\x01"), "1"), ("varint", Raw(b""), NULL),
    ("decimal", (0, 0), "0"), ("decimal", (0, 2), "0.00"), ("decimal", (0, 8), "0E-8"), ("decimal", (0, -3), "0E+3"),
    ("decimal", (150, 2), "1.50"), ("decimal", (-5, 3), "-0.005"), ("decimal", (123456789, 4), "12345.6789"),
    ("decimal", (12, -2), "1.2E+3"), ("decimal", (1, -2147483647), "1E+2147483647"),
    ("decimal", (1, 2147483647), "1E-2147483647"), ("decimal", (-7, -2147483648), "-7E+2147483648"),
    ("decimal", (100, 0), "100"), ("decimal", (1, 6), "0.000001"), ("decimal", (1, 7), "1E-7"),
    ("decimal", (12, 8), "1.2E-7"), ("decimal", (123, 9), "1.23E-7"), ("decimal", (1000, 9), "0.000001000"),
    ("decimal", (5, -1), "5E+1"), ("decimal", (-99, 1), "-9.9"), ("decimal", (1, 1000), "1E-1000"),
    ("decimal", (1, 1001), "1E-1001"), ("decimal", (1, -1000), "1E+1000"), ("decimal", (10 ** 999, 3), "1" + "0" * 996 + ".000"),
    ("decimal", (10 ** 1000, 3), "1" + "0" * 997 + ".000"), ("decimal", (123456789012345678901234567890, 34), "0.0000123456789012345678901234567890"),
    ("decimal", (123456789012345678901234567890, 36), "1.23456789012345678901234567890E-7"),
    ("decimal", (-10 ** 40, 0), "-1" + "0" * 40), ("decimal", Raw(b""), NULL), ("decimal", None, NULL),
    ("date", 0, "0"), ("date", -1, "-1"), ("date", 17946, "17946"), ("date", -2 ** 31, "-2147483648"),
    ("date", 2 ** 31 - 1, "2147483647"), ("date", -719162, "-719162"), ("date", -719163, "-719163"),
    ("date", -719528, "-719528"), ("date", -719529, "-719529"), ("date", 2932896, "2932896"), ("date", 2932897, "2932897"),
    ("date", 11016, "11016"), ("date", Raw(b""), NULL), ("date", None, NULL),
    ("time", 0, "0"), ("time", 1, "1"), ("time", 11045123456789, "11045123456789"), ("time", 86399999999999, "86399999999999"),
    ("time", Raw(b""), NULL), ("timestamp", 0, "0"), ("timestamp", -1, "-1"), ("timestamp", 1767323045678, "1767323045678"),
    ("timestamp", -62135596800000, "-62135596800000"), ("timestamp", -62135596800001, "-62135596800001"),
    ("timestamp", -62167219200000, "-62167219200000"), ("timestamp", -62167219200001, "-62167219200001"),
    ("timestamp", 253402300799999, "253402300799999"), ("timestamp", 253402300800000, "253402300800000"),
    ("timestamp", 951782400000, "951782400000"), ("timestamp", 9223372036854775807, "9223372036854775807"),
    ("timestamp", -9223372036854775808, "-9223372036854775808"), ("timestamp", None, NULL), ("timestamp", Raw(b""), NULL),
    ("uuid", U2, U2), ("uuid", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
    ("uuid", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"), ("uuid", Raw(b""), NULL),
    ("timeuuid", U1, U1), ("timeuuid", None, NULL), ("inet", "10.1.2.3", "10.1.2.3"), ("inet", "0.0.0.0", "0.0.0.0"),
    ("inet", "::1", "::1"), ("inet", "::", "::"), ("inet", "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("inet", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("inet", "::ffff:1.2.3.4", "::ffff:1.2.3.4"),
    ("inet", "::1.2.3.4", "::102:304"), ("inet", "fe80::", "fe80::"), ("inet", "1:0:0:2:0:0:0:3", "1:0:0:2::3"),
    ("inet", "0:0:1::", "0:0:1::"), ("inet", Raw(b""), NULL), ("empty", Raw(b""), NULL),
    (CUSTOM, b"\x00\xff", "00ff"), (CUSTOM, b"", ""), (CUSTOM, None, NULL),
    ("duration", (1, 2, 3), '{"months":1,"days":2,"nanos":3}'), ("duration", (0, 0, 0), '{"months":0,"days":0,"nanos":0}'),
    ("duration", (-2147483648, -2147483648, -9223372036854775808),
     '{"months":-2147483648,"days":-2147483648,"nanos":-9223372036854775808}'),
    ("duration", (2147483647, 2147483647, 9223372036854775807),
     '{"months":2147483647,"days":2147483647,"nanos":9223372036854775807}'), ("duration", Raw(b""), NULL),
]

NUMBERS = [
    ("double", 100.0, "100.0"), ("double", 0.0, "0.0"), ("double", -0.0, "-0.0"), ("double", 0.1, "0.1"),
    ("double", 1e7, "1.0E7"), ("double", 9999999.0, "9999999.0"), ("double", 1e-3, "0.001"),
    ("double", 9.9999e-4, "9.9999E-4"), ("double", 12345678.9, "1.23456789E7"), ("double", 1e10, "1.0E10"),
    ("double", 4.9e-324, "4.9E-324"), ("double", 2e-323, "2.0E-323"), ("double", 1.7976931348623157e308, "1.7976931348623157E308"),
    ("double", 2.2250738585072014e-308, "2.2250738585072014E-308"), ("double", 2.225073858507201e-308, "2.225073858507201E-308"),
    ("double", 1e23, "1.0E23"), ("double", 2e23, "2.0E23"), ("double", 8.41e21, "8.41E21"), ("double", 9.5e-5, "9.5E-5"),
    ("double", float("nan"), "NaN"), ("double", Raw(bytes.fromhex("fff0000000000001")), "NaN"),
    ("double", float("inf"), "Infinity"), ("double", float("-inf"), "-Infinity"), ("double", 6e-8, "6.0E-8"),
    ("double", 5.9999e-8, "5.9999E-8"), ("double", 1.8e16, "1.8E16"), ("double", 1.7999999999999998e16, "1.7999999999999998E16"),
    ("double", -1.8e16, "-1.8E16"), ("double", -2.5, "-2.5"), ("double", 1 / 3, "0.3333333333333333"),
    ("double", None, NULL), ("double", Raw(b""), NULL), ("double", 123456.789, "123456.789"),
    ("float", 1.1, "1.1"), ("float", 1e16, "1.0E16"), ("float", 66.6, "66.6"), ("float", -0.0, "-0.0"), ("float", 1e7, "1.0E7"),
    ("float", 1e-3, "0.001"), ("float", 3.4028234663852886e38, "3.4028235E38"), ("float", 1.401298464324817e-45, "1.4E-45"),
    ("float", 2.802596928649634e-45, "2.8E-45"), ("float", 16777216.0, "1.6777216E7"), ("float", 33554432.0, "3.3554432E7"),
    ("float", 33554430.0, "3.355443E7"), ("float", 9e-45, "8.4E-45"), ("float", 5e-8, "5.0E-8"), ("float", 7e-8, "7.0E-8"),
    ("float", float("nan"), "NaN"), ("float", float("inf"), "Infinity"), ("float", float("-inf"), "-Infinity"),
    ("float", 8589973000.0, "8.589974E9"), ("float", None, NULL), ("float", Raw(b""), NULL),
]

NESTED = [
    ("list<text>", ["b", "a", "b"], '["b","a","b"]'), ("list<text>", [], NULL), ("list<text>", None, NULL),
    ("frozen<list<text>>", [], "[]"), ("frozen<list<text>>", Raw(b""), NULL), ("frozen<list<text>>", None, NULL),
    ("list<int>", [3, Raw(b""), -1], "[3,null,-1]"), ("set<text>", ["", "a;b", "ü😀"], '["","a;b","ü😀"]'),
    ("set<int>", [-5, 0, 7], "[-5,0,7]"), ("frozen<set<int>>", [7, -5], "[7,-5]"), ("set<int>", [], NULL),
    ("set<blob>", [b"", b"\xff\x00"], '["","/wA="]'), ("map<text, bigint>", [("", 1), ('q"\n\x1f', 2)], '{"":1,"q\\"\\n\\u001f":2}'),
    ("map<int, text>", [(-1, "~"), (2, "\x7f/")], '[[-1,"~"],[2,"\x7f/"]]'), ("map<text, text>", [], NULL),
    ("frozen<map<text, text>>", [], "{}"), ("frozen<map<int, text>>", [], "[]"),
    ("map<uuid, inet>", [(U2, "::1")], '{"%s":"::1"}' % U2), ("map<inet, boolean>", [("10.0.0.1", True)], '{"10.0.0.1":true}'),
    ("map<timeuuid, time>", [(U1, 30)], '{"%s":30}' % U1), ("map<ascii, double>", [("foo", 1.0), ("x", 1e10)], '{"foo":1.0,"x":1.0E10}'),
    ("map<int, float>", [(1, 1.5), (2, 3.1414)], "[[1,1.5],[2,3.1414]]"), ("map<date, date>", [(-1, 0)], "[[-1,0]]"),
    ("map<timestamp, decimal>", [(0, (10, 1))], '[[0,"1.0"]]'), ("map<boolean, varint>", [(False, 2 ** 70)], '[[false,"1180591620717411303424"]]'),
    ("map<frozen<tuple<int, text>>, int>", [([1, "a"], 2)], '[[[1,"a"],2]]'),
    ("frozen<map<text, frozen<list<int>>>>", [("a", [1, 2]), ("b", [])], '{"a":[1,2],"b":[]}'),
    ("list<frozen<list<uuid>>>", [[U1, U2], []], f'[["{U1}","{U2}"],[]]'),
    ("frozen<list<double>>", [float("nan"), float("-inf"), -0.0, 1e7], '["NaN","-Infinity",-0.0,1.0E7]'),
    ("frozen<list<float>>", [float("inf"), 1.1], '["Infinity",1.1]'), ("frozen<list<duration>>", [(1, 0, 1)], '[{"months":1,"days":0,"nanos":1}]'),
    ("frozen<list<timestamp>>", [-1], "[-1]"), ("frozen<list<boolean>>", [True, False], "[true,false]"),
    ("frozen<list<decimal>>", [(0, 8), (12, -2)], '["0E-8","1.2E+3"]'), ("frozen<list<varint>>", [-1], '["-1"]'),
    ("frozen<tuple<int, text, boolean>>", [7, "t", True], '[7,"t",true]'), ("frozen<tuple<int, text>>", [None, None], "[null,null]"),
    ("frozen<tuple<int, text, int>>", Raw(bytes.fromhex("0000000400000001")), "[1,null,null]"),
    ("frozen<tuple<int>>", Raw(b""), NULL), ("tuple<blob, ascii>", [b"\x00", ""], '["AA==",""]'),
    ("frozen<addr>", ["Main", 12345], '{"street":"Main","zip":12345}'), ("frozen<addr>", [None, None], '{"street":null,"zip":null}'),
    ("frozen<addr>", Raw(bytes.fromhex("0000000161")), '{"street":"a","zip":null}'), ("addr", ["Main", None], '{"street":"Main","zip":null}'),
    ("addr", [None, 5], '{"street":null,"zip":5}'), ("addr", None, NULL), ("addr", [None, None], NULL),
    ('frozen<"Mixed Case">', ["n", ["s", 1], ["p", "q"]], '{"Name":"n","é":{"street":"s","zip":1},"tags":["p","q"]}'),
    ('"Mixed Case"', [None, ["s", None], None], '{"Name":null,"é":{"street":"s","zip":null},"tags":null}'),
    ("frozen<all>", [b"\x01", 100.0, 5, [(1, (1, 1))], 3], '{"b":"AQ==","d":100.0,"t":5,"m":[[1,"0.1"]],"n":"3"}'),
    ("list<frozen<addr>>", [["a", 1], ["b", None]], '[{"street":"a","zip":1},{"street":"b","zip":null}]'),
    ("map<text, frozen<addr>>", [("home", ["a", 1])], '{"home":{"street":"a","zip":1}}'),
    ("set<frozen<tuple<int, text>>>", [[1, "x"], [2, None]], '[[1,"x"],[2,null]]'),
    ("vector<float, 3>", [1.0, -0.5, 1e10], "[1.0,-0.5,1.0E10]"), ("vector<text, 2>", ["a", "ß" * 100], '["a","%s"]' % ("ß" * 100)),
    ("vector<int, 1>", [-1], "[-1]"), ("vector<vector<double, 2>, 2>", [[1.0, 2.0], [0.001, 1e-4]], "[[1.0,2.0],[0.001,1.0E-4]]"),
    ("vector<frozen<list<int>>, 2>", [[1], []], "[[1],[]]"), ("vector<smallint, 2>", [3, -3], "[3,-3]"), ("vector<float, 2>", Raw(b""), NULL),
    ("frozen<list<vector<float, 2>>>", [[0.5, 1.5]], "[[0.5,1.5]]"),
    ("frozen<list<%s>>" % CUSTOM, [b"\x00\xff"], '["AP8="]'), ("frozen<map<%s, int>>" % CUSTOM, [(b"\x01", 1)], '[["AQ==",1]]'),
]


def column(name, type_text, kind, value, udts=None):
    """A column of a row: cells with paths where Cassandra stores it so, else the bytes of one cell."""
    udts = UDTS if udts is None else udts
    parsed = cql_types.parse_type(type_text, udts)
    out = {"name": name, "type": type_text, "kind": kind}
    if kind in ("regular", "static") and parsed.is_complex() and not isinstance(value, Raw):
        out["cells"] = [] if value is None else _cells(parsed, value)
    else:
        out["value"] = None if value is None else cql_types.serialise(parsed, value).hex()
    return out


def _cells(kind, value):
    data = cql_types.serialise
    if kind.name == "set":
        return [[data(kind.args[0], v).hex(), ""] for v in value]
    if kind.name == "map":
        return [[data(kind.args[0], k).hex(), data(kind.args[1], v).hex()] for k, v in value]
    if kind.name == "list":
        return [[uuid.UUID(p).bytes.hex(), data(kind.args[0], v).hex()] for p, v in zip(LIST_PATHS, value)]
    fields = enumerate(zip(kind.args, value))
    return [[struct.pack(">h", i).hex(), data(t, v).hex()] for i, (t, v) in fields if v is not None]


def row(name, columns, **more):
    """A row before its hashes are added."""
    return {"name": name, "keyspace": "ks", "table": "t", "udts": udts_of(columns), "columns": columns, **more}


def udts_of(columns):
    """The UDTs that the types of the columns name, with those that these name."""
    names = {name for name in UDTS if any(re.search(rf"\b{name}\b", c["type"]) for c in columns)}
    return {name: fields for name, fields in UDTS.items() if name in names or name == "addr" and "Mixed Case" in names}


def typed():
    """One row a value: a text key and the value, with the text that v1 must have."""
    for number, (type_text, value, expected) in enumerate(SCALARS + NUMBERS + NESTED):
        columns = [column("id", "text", "partition_key", "k"), column("v", type_text, "regular", value)]
        field = "~" if expected is NULL else f"{len(expected)}:{expected}"
        yield row(f"type-{number:03d} {type_text}", columns), f"v1;ks.t;1:k{field}"


def ordered():
    """Rows that prove which columns are hashed and in which order, each with its v1 text."""
    key = column("id", "text", "partition_key", "k")
    text = lambda name, value, kind="regular": column(name, "text", kind, value)
    yield row("key only", [key]), "v1;ks.t;1:k"
    yield row("keys in key order, not in name order", [
        text("z", "1", "partition_key"), text("a", "2", "partition_key"), text("y", "3", "clustering"),
        text("b", "4", "clustering"), text("c", "5"), text("A", "6")]), "v1;ks.t;1:11:21:31:41:61:5"
    yield row("regular columns by the bytes of their names", [
        key, text("b", "7"), text("a_b", "4"), text("aB", "3"), text("a", "2"), text("Z", "1"), text("é", "8"), text("ab", "5"),
        text("b a", "b a"), text("\U0001f600", "last"), text("\uffee", "before it")]), (
        "v1;ks.t;1:k1:11:21:31:41:51:73:b a1:89:before it4:last")
    yield row("statics and counters are not hashed", [
        key, text("s", "static", "static"), column("n", "counter", "regular", Raw(bytes.fromhex(COUNTER))), text("v", "x")]), "v1;ks.t;1:k1:x"
    yield row("a counter table hashes its key", [
        key, column("c", "int", "clustering", 7), column("n", "counter", "regular", Raw(bytes.fromhex(COUNTER)))]), "v1;ks.t;1:k1:7"
    yield row("record_hash is left out", [key, text("record_hash", "old"), text("v", "x")]), "v1;ks.t;1:k1:x"
    yield row("other exclusions replace the default", [key, text("record_hash", "old"), text("v", "x")],
              exclude=["v"]), "v1;ks.t;1:k3:old"
    yield row("nothing excluded", [key, text("record_hash", "old"), text("v", "x")], exclude=[]), "v1;ks.t;1:k3:old1:x"
    yield row("simple and complex columns mix by name", [
        key, column("b", "set<int>", "regular", [1]), text("c", "x"), column("a", "addr", "regular", ["s", 1]), text("d", None)]), (
        'v1;ks.t;1:k22:{"street":"s","zip":1}3:[1]1:x~')
    yield row("an empty clustering value of a text type", [key, text("c", "", "clustering"), text("v", "x")]), "v1;ks.t;1:k0:1:x"
    yield row("an empty clustering value of another type", [
        key, column("c", "int", "clustering", Raw(b"")), text("v", "x")]), "v1;ks.t;1:k~1:x"
    yield row("a withheld column", [key, {"name": "pan", "type": "text", "kind": "regular", "withheld_ts_us": 1700000000000000},
                                    text("v", "x")]), "v1;ks.t;1:k!20:pan@17000000000000001:x"
    yield row("withheld, time before the epoch", [key, {"name": "日", "type": "list<int>", "kind": "regular", "withheld_ts_us": -5}]), (
        "v1;ks.t;1:k!4:日@-5")
    named = row("names in upper case", [key, text("v", "x")])
    named.update(keyspace="Ks_1", table="T")
    yield named, "v1;Ks_1.T;1:k1:x"
    v0 = [text("id", "7", "partition_key"), column("event_ts", "timestamp", "regular", 1735689600000),
          column("value", "double", "regular", 12.5), text("other", "z")]
    yield row("v0 with the columns of the design notes", v0, v0_columns=["id", "value", "event_ts"]), (
        "v1;ks.t;1:713:17356896000001:z4:12.5")
    yield row("v0: a null timestamp is left out", [v0[0], column("event_ts", "timestamp", "regular", None), v0[2], v0[3]],
              v0_columns=["id", "value", "event_ts"]), "v1;ks.t;1:7~1:z4:12.5"
    yield row("v0: only a null timestamp", [v0[0], column("event_ts", "timestamp", "regular", None)],
              v0_columns=["event_ts"]), "v1;ks.t;1:7~"
    yield row("v0: null is NULL", [v0[0], v0[1], column("value", "double", "regular", None), text("other", None)]), (
        "v1;ks.t;1:713:1735689600000~~")
    yield row("v0: separators collide, 1", [key, text("a", "x|y"), text("b", "z")]), "v1;ks.t;1:k3:x|y1:z"
    yield row("v0: separators collide, 2", [key, text("a", "x"), text("b", "y|z")]), "v1;ks.t;1:k1:x3:y|z"


COUNTER = "000180005132b130ae7911e4ab270800200c9a66000660db9609a2300000000000000005"
