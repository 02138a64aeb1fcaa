#!/usr/bin/env python3
"""The generated SQL on the real planners of Flink 1.20.3 and 1.17.2, and what Flink says of records.

  run.py plan        plans every statement of jobs/sql and of the SQL for the rules beside this file, on both
  run.py verdicts    runs the rules over records on Flink 1.20.3; compares ../vectors/flink_sql.jsonl, or writes it (--write)

Needs Java 17, Maven, target/debug/cdc-jobs and the jar of flink/ (make build-jar).
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import records

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
VECTORS = HERE.parent / "vectors" / "flink_sql.jsonl"
LINES = ("1.20.3", "1.17.2")
OPENS = ["java.base/" + package for package in ("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text", "java.time", "java.util", "java.util.concurrent")]
# Job folder of each table, and how many records it gets.
VERDICTS = {"onprem/shop.everything": 400, "cloud/shop.old": 120, "onprem/shop.changes": 250, "onprem/shop.copies": 60}


def libraries(line):
    """The jars of a Flink, fetched once."""
    folder = ROOT / ".cache" / "oracle" / f"planner-{line}"
    if not (folder / "done").exists():
        pom = HERE / f"pom-{line}.xml"
        subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"], check=True)
        (folder / "done").touch()
    return folder


def java(line, jar, arguments):
    opens = [word for package in OPENS for word in ("--add-opens", f"{package}=ALL-UNNAMED")]
    command = ["java", "-Xmx1g", "-XX:TieredStopAtLevel=1", *opens, "-Dlog4j.rootLogger.level=off", "-cp", f"{libraries(line)}/*:{jar}", HERE / "Jobs.java", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")


def generated(program, folder):
    """The SQL for the rules beside this file."""
    subprocess.run([program, "sql", "--jobs", HERE / "jobs", "--out", folder], check=True, stdout=subprocess.DEVNULL)


def plan(program, jar):
    with tempfile.TemporaryDirectory() as folder:
        generated(program, folder)
        wrong = False
        for line in LINES:
            run = java(line, jar, ["plan", ROOT / "jobs" / "sql", folder])
            print(f"Flink {line}\n{run.stdout}", end="")
            if run.returncode:
                wrong = True
                print(run.stderr[-3000:], file=sys.stderr)
    return 1 if wrong else 0


def answers(jar, folder, job, count):
    """One vector a record: what Flink says of it; None where it says nothing."""
    table = job.split("/")[1]
    asked = list(records.records(table, count))
    file = folder / f"{table}.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in asked), encoding="utf-8")
    run = java(LINES[0], jar, ["verdicts", folder / "sql" / job, file])
    lines = [line.split("\t") for line in run.stdout.splitlines()]
    if run.returncode or lines[-1:] != [["end"]]:
        sys.exit(f"{job}: {run.stdout[-2000:]}{run.stderr[-3000:]}")
    found = {int(offset): (failed, warned, hash_) for offset, failed, warned, hash_, _ in lines[:-1]}
    for record in asked:
        answer = found.get(record["record.offset"])
        flink = answer and {"failed": answer[0], "warned": answer[1], "row_hash": None if answer[2] == "null" else answer[2]}
        yield {"table": table, "payload": record["record.value"], "kafka_ms": record["ms"], "flink": flink}


def rules_digest(folder, job):
    """What the vectors were asked with."""
    text = (folder / "sql" / job / "02_rules.sql").read_bytes()
    return hashlib.sha256(text).hexdigest()


def verdicts(program, jar, write):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        generated(program, folder / "sql")
        lines = []
        for job, count in VERDICTS.items():
            lines.append({"job": job, "rules_sql_sha256": rules_digest(folder, job)})
            lines += answers(jar, folder, job, count)
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if write:
        VECTORS.write_text(text, encoding="utf-8")
        print(len(lines), VECTORS)
        return 0
    known = VECTORS.read_text(encoding="utf-8")
    if known != text:
        print("Flink answers otherwise than ../vectors/flink_sql.jsonl says: look at the difference, then --write", file=sys.stderr)
        return 1
    print(f"{len(lines)} answers as in {VECTORS.name}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["plan", "verdicts"])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--program", default=ROOT / "target" / "debug" / "cdc-jobs", type=pathlib.Path)
    parser.add_argument("--jar", default=None, type=pathlib.Path)
    arguments = parser.parse_args()
    jar = arguments.jar or next(iter(sorted((ROOT / "flink" / "target").glob("cdc-agent-flink-*.jar"))), None)
    if jar is None:
        sys.exit("flink/target has no jar: make build-jar")
    run = plan if arguments.what == "plan" else verdicts
    sys.exit(run(arguments.program, jar) if run is plan else run(arguments.program, jar, arguments.write))


main()
