"""partition.jsonl and double_text.jsonl: expected values from Kafka's and the JDK's own classes, checked against ours."""

import json
import os
import pathlib
import struct
import subprocess
import tempfile

import identity
import random_rows
import row_cases
import texts

KAFKA_CLIENTS = "org.apache.kafka:kafka-clients:3.9.1"
COUNTS = (1, 2, 3, 7, 12, 100)
DOUBLE_PROGRAM = """
public class DoubleText {
    public static void main(String[] arguments) {
        System.out.println(System.getProperty("java.version"));
        for (java.util.Scanner in = new java.util.Scanner(System.in); in.hasNext(); ) {
            String kind = in.next(), bits = in.next();
            System.out.println(kind.equals("double") ? Double.toString(Double.longBitsToDouble(Long.parseUnsignedLong(bits, 16)))
                : Float.toString(Float.intBitsToFloat(Integer.parseUnsignedInt(bits, 16))));
        }
    }
}
"""


def patterns(rnd):
    """Bit patterns: limits, layout switches, one-digit cases, powers of two and ten, then random ones."""
    for number in (0.0, -0.0, 100.0, 0.1, 1e-3, 9.99e-4, 9.999999999999999e-4, 1e7, 9999999.0, 9999999.999999998, 1e10, 1e21,
                   1e22, 1e23, 2e23, 8.41e21, 4.9e-324, 1e-323, 2e-323, 3e-323, 2e-3, 5e-5, 2.2250738585072014e-308,
                   2.225073858507201e-308, 1.7976931348623157e308, 9007199254740993.0, 1.8e16, 6e-8, 12.5, 66.6, -2.5, 1 / 3):
        yield "double", struct.pack(">d", number).hex()
    for number in (0.0, -0.0, 1.1, 0.1, 1e-3, 9.99e-4, 1e7, 9999999.0, 1e10, 1e16, 3.4028234663852886e38, 66.6, 3.1414,
                   1.1754943508222875e-38, 1.1754942106924411e-38, 16777216.0, 33554432.0, 8589973000.0):
        yield "float", struct.pack(">f", number).hex()
    for bits in ("7ff0000000000000", "fff0000000000000", "7ff8000000000000", "fff8000000000001", "7ff0000000000001"):
        yield "double", bits
    for bits in ("7f800000", "ff800000", "7fc00000", "ffc00001"):
        yield "float", bits
    yield from (("double", f"{bits:016x}") for bits in range(1, 16))
    yield from (("float", f"{bits:08x}") for bits in range(1, 16))
    yield from (("double", struct.pack(">d", 2.0 ** e).hex()) for e in range(-1070, 1024, 65))
    yield from (("float", struct.pack(">f", 2.0 ** e).hex()) for e in range(-149, 128, 11))
    yield from (("double", struct.pack(">d", float(f"1e{e}")).hex()) for e in range(-300, 309, 29))
    for _ in range(70):
        yield "double", f"{rnd.getrandbits(64):016x}"
        yield "float", f"{rnd.getrandbits(32):08x}"


def double_lines(rnd):
    """The patterns with the text that the JDK of $JAVA19_HOME gives."""
    java = pathlib.Path(os.environ["JAVA19_HOME"]) / "bin" / "java"
    cases = list(dict.fromkeys(patterns(rnd)))
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "DoubleText.java"
        program.write_text(DOUBLE_PROGRAM, encoding="ascii")
        out = subprocess.run([java, "-Xmx128m", program], input="".join(f"{k} {b}\n" for k, b in cases), check=True,
                             capture_output=True, text=True).stdout.split()
    if int(out[0].split(".")[0]) < 19:
        raise SystemExit(f"JAVA19_HOME holds Java {out[0]}: 19 or later is needed")
    lines = [{"type": k, "bits": b, "text": text, "java": out[0]} for (k, b), text in zip(cases, out[1:], strict=True)]
    check_doubles(lines)
    return lines


def key_columns(rnd):
    """Partition keys: written by hand, then random."""
    texts_by_hand = ("A-7", "", "a", "ab", "abc", "abcd", "abcde", "é", "日本語", "😀", 'q"\\\n\x01', "x" * 100, ";:~|")
    for value in texts_by_hand:
        yield [row_cases.column("id", "text", "partition_key", value)]
    for type_text, value in (
            ("int", 0), ("int", -1), ("bigint", 2 ** 63 - 1), ("uuid", row_cases.U2), ("timeuuid", row_cases.U1), ("boolean", True),
            ("double", -0.0), ("double", 1e10), ("double", float("nan")), ("float", 1.1), ("decimal", (12, -2)), ("varint", -2 ** 70),
            ("blob", b"\x00\xff"), ("date", -1), ("time", 1), ("timestamp", 1767323045678), ("inet", "::1"), ("inet", "10.1.2.3"),
            ("frozen<list<int>>", [1, 2]), ("frozen<addr>", ["s", 1]), ("frozen<map<text, int>>", [("k", 1)])):
        yield [row_cases.column("k", type_text, "partition_key", value)]
    yield [row_cases.column("tenant", "text", "partition_key", "W1"), row_cases.column("bucket", "int", "partition_key", 1)]
    yield [row_cases.column("z", "int", "partition_key", 1), row_cases.column("A b\"c", "text", "partition_key", "x")]
    for _ in range(40):
        yield [c for c in random_rows.columns(rnd) if c["kind"] == "partition_key"]


def partition_lines(rnd):
    """The keys with murmur2 and partitions from Kafka's own class."""
    lines = []
    for columns in key_columns(rnd):
        udts = row_cases.udts_of(columns)
        plain = [{"name": c["name"], "type": c["type"], "value": c["value"]} for c in columns]
        lines.append({"udts": udts, "columns": plain, "key": identity.key_json(columns, udts)})
    asked = [(line, count) for line in lines for count in COUNTS]
    run = pathlib.Path(__file__).resolve().parent.parent / "run.sh"
    out = subprocess.run([run, "kafka", "cdc.oracle.partition.KafkaPartition"], check=True, capture_output=True, text=True,
                         input="".join(f"{line['key'].encode('utf-8').hex()} {count}\n" for line, count in asked)).stdout.splitlines()
    for (line, count), answer in zip(asked, out, strict=True):
        _, _, hashed, chosen = answer.split()
        line["murmur2"] = int(hashed)
        line.setdefault("partitions", {})[str(count)] = int(chosen)
        line["library"] = KAFKA_CLIENTS
    check_partitions(lines)
    return lines


def check_doubles(lines):
    """Our rule says the same as the JDK."""
    for line in lines:
        bits = int(line["bits"], 16)
        ours = texts.binary_text(bits, 64 if line["type"] == "double" else 32)
        if ours != line["text"]:
            raise SystemExit(f"double_text {line}: ours is {ours}")


def check_partitions(lines):
    """Our murmur2 says the same as Kafka's class."""
    for line in lines:
        hashed = identity.murmur2(line["key"].encode("utf-8"))
        ours = {count: identity.partition(hashed, int(count)) for count in line["partitions"]}
        if (hashed, ours) != (line["murmur2"], line["partitions"]) or identity.key_json(line["columns"], line["udts"]) != line["key"]:
            raise SystemExit(f"partition {line}: ours is {hashed} {ours}")


def check_committed(folder):
    """Checks the committed files without Java."""
    for name, check in (("double_text.jsonl", check_doubles), ("partition.jsonl", check_partitions)):
        check([json.loads(line) for line in (folder / name).read_text(encoding="ascii").splitlines()])
