"""Every CQL type: as partition key, clustering (ascending and descending), static, regular, element, key, and nested."""

from .cql import Clock, keyspace, table

# Literals of each scalar type, the extremes among them. `blobAs…(0x)` is a zero-length value; decimals as bytes (scale, then the
# unscaled value) are those that CQL's own literals cannot say: 1E-400 and -9.99E+1002.
SCALARS = {
    "ascii": ["'plain'", "''", "'it''s \"q\" \\ /'", "blobAsAscii(0x0001090a0d1f7f)"],
    "bigint": ["0", "-1", "-9223372036854775808", "9223372036854775807", "9007199254740993", "blobAsBigint(0x)"],
    "blob": ["0xdeadbeef", "0x", "0x00", "0xff80"],
    "boolean": ["true", "false", "blobAsBoolean(0x)"],
    "date": ["'2026-01-02'", "'1970-01-01'", "'1969-12-31'", "'0001-01-01'", "0", "4294967295"],
    "decimal": [
        "12345.6789", "0", "-0.000001", "1.10", "1E+10", "0E+5", "0.00", "blobAsDecimal(0x0000019001)", "blobAsDecimal(0xfffffc18fc19)",
        "123456789012345678901234567890.123456789012345678901234567890", "blobAsDecimal(0x)",
    ],
    "double": [
        "1.1", "0.0", "-0.0", "NaN", "Infinity", "-Infinity", "4.9E-324", "2.2250738585072014E-308", "2.0E-3",
        "1.7976931348623157E308", "1.0E23", "123456789012345680", "-1E7", "blobAsDouble(0x)",
    ],
    "float": [
        "1.1", "0.0", "-0.0", "NaN", "Infinity", "-Infinity", "1.4E-45", "1.17549435E-38", "3.4028235E38", "16777216", "1E10",
        "blobAsFloat(0x)",
    ],
    "inet": ["'10.1.2.3'", "'0.0.0.0'", "'255.255.255.255'", "'::1'", "'2001:db8::ff00:42:8329'", "'::'", "blobAsInet(0x)"],
    "int": ["42", "0", "-1", "-2147483648", "2147483647", "blobAsInt(0x)"],
    "smallint": ["3", "-1", "-32768", "32767"],
    "text": [
        "'plain'", "''", "'naïve 中文 😀'", "'it''s \"quoted\" \\ back / slash'", "blobAsText(0x00)",
        "blobAsText(0x0001020304050607080b0c0e1f7f0a0d09)", "blobAsText(0xe280a8e280a9efbfbdefbfbf)", "'null'",
    ],
    "time": ["'03:04:05.123456789'", "'00:00:00'", "'23:59:59.999999999'"],
    "timestamp": [
        "'2026-01-02 03:04:05.678+0000'", "0", "-1", "-62135596800000", "-9223372036854775808", "9223372036854775807",
        "blobAsTimestamp(0x)",
    ],
    "timeuuid": [
        "50554d6e-29bb-11e5-b345-feff819cdc9f", "00000000-0000-1000-8000-000000000000",
        "ffffffff-ffff-1fff-bfff-ffffffffffff", "13814000-1dd2-11b2-8080-808080808080", "blobAsTimeuuid(0x)",
    ],
    "tinyint": ["3", "-1", "-128", "127"],
    "uuid": [
        "5132b130-ae79-11e4-ab27-0800200c9a66", "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff", "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "blobAsUuid(0x)",
    ],
    "varint": [
        "0", "-1", "127", "128", "-128", "-129", "18446744073709551616", "-170141183460469231731687303715884105728",
        "1234567890123456789012345678901234567890123456789012345678901234567890", "blobAsVarint(0x)",
    ],
}  # fmt: skip
DURATIONS = [
    "1mo2d3h", "-1mo", "1y2mo3w4d5h6m7s8ms9us10ns", "-9223372036854775807ns", "2147483647mo2147483647d", "0d",
]  # fmt: skip

NESTED = """k frozen<tuple<int, text>>, c frozen<addr>, c2 frozen<list<int>>, fl frozen<list<text>>, fs frozen<set<int>>,
 fm frozen<map<text, frozen<list<int>>>>, t tuple<int, text, boolean>, tt tuple<frozen<tuple<int, int>>, frozen<addr>>,
 u frozen<person>, q frozen<"Ty pe">, lu list<frozen<addr>>, mu map<frozen<tuple<int, text>>, frozen<set<text>>>,
 sl set<frozen<list<int>>>, mm map<text, frozen<map<int, text>>>, nu addr, nq "Ty pe", PRIMARY KEY (k, c, c2)"""
VECTORS = """k int, c int, vf vector<float, 3>, vi vector<int, 2>, vt vector<text, 2>, vs vector<smallint, 3>,
 vv vector<vector<float, 2>, 2>, vl vector<frozen<list<int>>, 2>, vu vector<uuid, 1>, vd vector<decimal, 2>,
 lv list<frozen<vector<float, 2>>>, mv map<text, frozen<vector<int, 2>>>, fv frozen<list<vector<text, 1>>>,
 tv tuple<int, vector<bigint, 2>>, PRIMARY KEY (k, c)"""


MARSHAL = "org.apache.cassandra.db.marshal"
CUSTOM = f"""k int PRIMARY KEY, lexical '{MARSHAL}.LexicalUUIDType', old_date '{MARSHAL}.DateType',
 composite '{MARSHAL}.CompositeType({MARSHAL}.Int32Type, {MARSHAL}.UTF8Type)'"""


def setup(target):
    ddl = [keyspace("types")]
    for name in SCALARS:
        columns = f"k {name}, a {name}, d {name}, s {name} static, v {name}, PRIMARY KEY (k, a, d)"
        ddl.append(table(f"types.k_{name}", columns, order="a ASC, d DESC"))
    ddl.append(table("types.k_duration", "k int, c int, s duration static, v duration, l list<duration>, PRIMARY KEY (k, c)"))
    ddl += scalars_and_collections()
    ddl += [
        "CREATE TYPE types.addr (street text, zip int, tags frozen<set<text>>)",
        "CREATE TYPE types.person (name text, home frozen<addr>, phones frozen<list<frozen<tuple<text, int>>>>)",
        'CREATE TYPE types."Ty pe" ("A b" int, "ж""x" text, v varint)',
        table("types.nested", flat(NESTED), order="c DESC, c2 ASC"),
    ]
    ddl.append(table("types.custom", flat(CUSTOM)))
    if target.vectors:
        masked = "k int PRIMARY KEY, v text MASKED WITH DEFAULT, w text MASKED WITH mask_inner(1, 1, '*')"
        ddl += [table("types.vectors", flat(VECTORS)), table("types.masked", masked)]
    return ddl


def scalars_and_collections():
    scalars = ", ".join(f"c_{name} {name}" for name in SCALARS)
    collections = ", ".join(f"l_{name} list<{name}>, s_{name} set<{name}>, m_{name} map<{name}, {name}>" for name in SCALARS)
    return [
        table("types.scalars", f"id int PRIMARY KEY, {scalars}, c_duration duration"),
        table("types.collections", f"id int PRIMARY KEY, {collections}, m_duration map<text, duration>"),
    ]


def flat(text):
    return " ".join(text.split())


def run(target):
    clock = Clock(1)
    statements = [line for name, values in SCALARS.items() for line in keyed(name, values, clock)]
    statements += durations(clock) + scalars(clock) + collections(clock) + nested(clock) + custom(clock)
    return statements + (vectors(clock) if target.vectors else [])


def brief(target):
    """The part of `run` for the variants that need not show every type as a key."""
    clock = Clock(1)
    return scalars(clock) + collections(clock) + nested(clock) + (vectors(clock) if target.vectors else [])


def is_empty(literal):
    return literal in ("''", "0x") or literal.endswith("(0x)")


def keyed(name, values, clock):
    """Rows whose key parts, static and value go through all literals; then a range, a row and a cell are deleted."""
    full = [value for value in values if not is_empty(value)]
    lines = []
    for i, value in enumerate(values):
        key = full[0] if is_empty(value) else value  # a partition key cannot be empty
        a, d = values[(i + 1) % len(values)], values[(i + 2) % len(values)]
        lines.append(f"INSERT INTO types.k_{name} (k, a, d, s, v) VALUES ({key}, {a}, {d}, {value}, {value}) USING TIMESTAMP {clock()}")
    low, high = full[0], full[-1]
    return lines + [
        f"DELETE FROM types.k_{name} USING TIMESTAMP {clock()} WHERE k = {low} AND a >= {low}",
        f"DELETE FROM types.k_{name} USING TIMESTAMP {clock()} WHERE k = {low} AND a = {low} AND d > {high}",
        f"DELETE FROM types.k_{name} USING TIMESTAMP {clock()} WHERE k = {high} AND a = {low} AND d = {high}",
        f"UPDATE types.k_{name} USING TIMESTAMP {clock()} SET v = null, s = null WHERE k = {high} AND a = {high} AND d = {low}",
    ]


def durations(clock):
    return [
        f"INSERT INTO types.k_duration (k, c, s, v, l) VALUES (1, {i}, {d}, {d}, [{d}, {DURATIONS[0]}]) USING TIMESTAMP {clock()}"
        for i, d in enumerate(DURATIONS)
    ]


def scalars(clock):
    columns = [f"c_{name}" for name in SCALARS] + ["c_duration"]
    lists = [*SCALARS.values(), DURATIONS]
    lines = []
    for i in range(max(len(values) for values in lists)):
        literals = ", ".join(values[i % len(values)] for values in lists)
        lines.append(f"INSERT INTO types.scalars (id, {', '.join(columns)}) VALUES ({i}, {literals}) USING TIMESTAMP {clock()}")
    nulls = ", ".join("null" for _ in columns)
    sets = ", ".join(f"{column} = {values[0]}" for column, values in zip(columns, lists, strict=True))
    return lines + [
        f"INSERT INTO types.scalars (id, {', '.join(columns)}) VALUES (100, {nulls}) USING TIMESTAMP {clock()}",
        f"UPDATE types.scalars USING TIMESTAMP {clock()} AND TTL 157680000 SET {sets} WHERE id = 101",
        f"INSERT INTO types.scalars (id, c_decimal) VALUES (102, blobAsDecimal(0x8000000001)) USING TIMESTAMP {clock()}",
        f"INSERT INTO types.scalars (id, c_decimal) VALUES (103, blobAsDecimal(0x7fffffffff7f)) USING TIMESTAMP {clock()}",
        f"DELETE {', '.join(columns[::2])} FROM types.scalars USING TIMESTAMP {clock()} WHERE id = 101",
    ]


def collections(clock):
    columns, whole, more = [], [], []
    for name, values in SCALARS.items():
        full = [value for value in values if not is_empty(value)]
        pairs = [f"{key}: {full[-1 - i]}" for i, key in enumerate(full)]
        columns += [f"l_{name}", f"s_{name}", f"m_{name}"]
        whole += [f"[{', '.join(full)}]", f"{{{', '.join(full)}}}", f"{{{', '.join(pairs)}}}"]
        more += [f"l_{name} = l_{name} + [{full[0]}]", f"s_{name} = s_{name} - {{{full[0]}}}", f"m_{name}[{full[0]}] = {full[0]}"]
    columns.append("m_duration")
    whole.append(f"{{'d': {DURATIONS[0]}, '': {DURATIONS[1]}}}")
    return [
        f"INSERT INTO types.collections (id, {', '.join(columns)}) VALUES (1, {', '.join(whole)}) USING TIMESTAMP {clock()}",
        f"UPDATE types.collections USING TIMESTAMP {clock()} SET {', '.join(more)} WHERE id = 1",
    ]


def nested(clock):
    addr = "{street: 'Main', zip: 12345, tags: {'p', 'q'}}"
    person = f"{{name: 'Ada', home: {addr}, phones: [('home', 1), ('work', null)]}}"
    return [
        "INSERT INTO types.nested (k, c, c2, fl, fs, fm, t, tt, u, q, lu, mu, sl, mm, nu, nq) VALUES ((1, 'a'), "
        f"{addr}, [1, 2], ['x', ''], {{3, 1}}, {{'k': [1], 'e': []}}, (7, 't', true), ((1, 2), {addr}), {person}, "
        f"{{\"A b\": 1, \"ж\"\"x\": 'ж', v: -129}}, [{addr}, {{zip: 1}}], {{(1, 'x'): {{'a', 'b'}}, (2, null): {{}}}}, "
        f"{{[1], [], [1, 2]}}, {{'m': {{1: 'one'}}}}, {addr}, {{\"A b\": 2}}) USING TIMESTAMP {clock()}",
        "INSERT INTO types.nested (k, c, c2, t, tt, u, q, fl, fs) VALUES ((2, null), {street: null}, [], (7), (null, null), "
        f"{{name: null}}, {{v: 170141183460469231731687303715884105728}}, [], {{}}) USING TIMESTAMP {clock()}",
        f"UPDATE types.nested USING TIMESTAMP {clock()} SET nu.street = 'Side', nu.tags = {{'z'}}, nq.\"ж\"\"x\" = 'y', nq.v = null, "
        f"lu = lu + [{{street: 's'}}], mu[(3, 'y')] = {{'c'}}, sl = sl - {{[]}} WHERE k = (1, 'a') AND c = {addr} AND c2 = [1, 2]",
        f"DELETE FROM types.nested USING TIMESTAMP {clock()} WHERE k = (1, 'a') AND c > {{street: 'A'}} AND c <= {addr}",
        f"DELETE nu.zip, mm['m'] FROM types.nested USING TIMESTAMP {clock()} WHERE k = (1, 'b') AND c = {addr} AND c2 = []",
    ]


def custom(clock):
    return [
        "INSERT INTO types.custom (k, lexical, old_date, composite) VALUES (1, '5132b130-ae79-11e4-ab27-0800200c9a66', "
        f"'2026-01-02', '1:text') USING TIMESTAMP {clock()}"
    ]


def vectors(clock):
    return [
        f"INSERT INTO types.masked (k, v, w) VALUES (1, 'hidden', 'shown in part') USING TIMESTAMP {clock()}",
        "INSERT INTO types.vectors (k, c, vf, vi, vt, vs, vv, vl, vu, vd, lv, mv, fv, tv) VALUES (1, 1, [1.5, -0.0, NaN], "
        "[2147483647, -1], ['a', ''], [1, -32768, 32767], [[1, 2], [3, 4]], [[1, 2], []], [5132b130-ae79-11e4-ab27-0800200c9a66], "
        f"[1.10, -1E+10], [[1, 2], [3, 4]], {{'m': [1, 2]}}, [['x'], ['y']], (1, [2, 3])) USING TIMESTAMP {clock()}",
        f"UPDATE types.vectors USING TIMESTAMP {clock()} SET vf = [0.1, 0.2, 0.3], vt = null, mv['n'] = [3, 4] WHERE k = 1 AND c = 1",
    ]
