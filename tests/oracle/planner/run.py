#!/usr/bin/env python3
"""The generated SQL on the real planners of Flink 1.20.3 and 1.17.2, and what Flink says of records.

  run.py plan        plans every statement of jobs/sql and of the SQL for the rules beside this file, on both
  run.py audits      runs the audit job over records on Flink 1.20.3; compares ../vectors/flink_audit.jsonl, or writes it (--write)
  run.py hashes      the same with the hash job and ../vectors/flink_hash.jsonl
  run.py drifts      runs 05_drift.sql over records of both sides on Flink 1.20.3; compares what drifts.py says
  run.py verdicts    runs the rules over records on Flink 1.20.3; compares ../vectors/flink_sql.jsonl, or writes it (--write)

Needs Java 17, Maven, target/debug/cdc-jobs and the jar of flink/ (make build-jar).
"""

import argparse
import base64
import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import audits as trail
import drifts as sides
import events
import hashes
import records

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
VECTORS = HERE.parent / "vectors" / "flink_sql.jsonl"
# Jobs that write records: the file, the vectors, the module of the records, and how many of them there must be in the output.
WRITING = {
    "audits": ("06_audit.sql", HERE.parent / "vectors" / "flink_audit.jsonl", trail, 150),
    "hashes": ("hash.sql", HERE.parent / "vectors" / "flink_hash.jsonl", events, 250),
}
WRITTEN = ("onprem/shop.changes", 400)
# Folder of the notebook's form of drift, and how many writes it compares.
COMPARED = ("drift/shop.changes", 600)
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
        with concurrent.futures.ThreadPoolExecutor() as both:
            runs = both.map(lambda line: java(line, jar, ["plan", ROOT / "jobs" / "sql", folder]), LINES)
        for line, run in zip(LINES, runs):
            print(f"Flink {line}\n{run.stdout}", end="")
            if run.returncode:
                wrong = True
                print(run.stderr[-3000:], file=sys.stderr)
    return 1 if wrong else 0


def answers(jar, folder):
    """What Flink says of the records of each job: its rules' digest, then a vector a record, None where it says nothing."""
    asked = {job: list(records.records(job.split("/")[1], count)) for job, count in VERDICTS.items()}
    arguments = ["verdicts"]
    for number, (job, of_job) in enumerate(asked.items()):
        file = folder / f"{number}.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in of_job), encoding="utf-8")
        arguments += [folder / "sql" / job, file]
    run = java(LINES[0], jar, arguments)
    blocks = run.stdout.split("end\n")
    if run.returncode or len(blocks) != len(asked) + 1:
        sys.exit(f"{run.stdout[-2000:]}{run.stderr[-3000:]}")
    for (job, of_job), block in zip(asked.items(), blocks):
        yield {"job": job, "rules_sql_sha256": rules_digest(folder, job)}
        found = {int(offset): said for offset, *said in (line.split("\t") for line in block.splitlines())}
        for record in of_job:
            said = found.get(record["record.offset"])
            flink = said and {"failed": said[0], "warned": said[1], "row_hash": None if said[2] == "null" else said[2]}
            yield {"table": job.split("/")[1], "payload": record["record.value"], "kafka_ms": record["record.ms"], "flink": flink}


def check_hashes(vectors):
    """Compares the hashes of good records with those of hashes.py."""
    counts = {}
    for vector in vectors:
        if not vector["flink"] or vector["flink"]["failed"] or vector["payload"] is None:
            continue
        hash_ = hashes.expected(vector["table"], base64.b64decode(vector["payload"]))
        if hash_ == "unknown":
            continue
        if hash_ != vector["flink"]["row_hash"]:
            sys.exit(f"row hash of {vector}: expected {hash_}")
        counts[vector["table"], hash_ is None] = counts.get((vector["table"], hash_ is None), 0) + 1
    if len(counts) < 3:
        sys.exit(f"too few good records: {counts}")
    return counts


def rules_digest(folder, job, file="02_rules.sql"):
    """What the vectors were asked with."""
    text = (folder / "sql" / job / file).read_bytes()
    return hashlib.sha256(text).hexdigest()


def agreed(lines, path, write):
    """Compares answers with those that are known, or writes them down."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if write:
        path.write_text(text, encoding="utf-8")
        print(len(lines), path)
        return 0
    if path.read_text(encoding="utf-8") != text:
        print(f"Flink answers otherwise than ../vectors/{path.name} says: look at the difference, then --write", file=sys.stderr)
        return 1
    print(f"{len(lines)} answers as in {path.name}")
    return 0


def written(what, program, jar, write):
    """What the audit or hash job writes, beside what its module expects of the records that an agent would write."""
    job, count = WRITTEN
    sql, vectors, module, least = WRITING[what]
    asked = list(module.records(count))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        generated(program, folder / "sql")
        digest = rules_digest(folder, job, sql)
        file = folder / "records.jsonl"
        file.write_text("".join(json.dumps(record["flink"]) + "\n" for record in asked), encoding="utf-8")
        run = java(LINES[0], jar, [what, folder / "sql" / job, file])
    if run.returncode or not run.stdout.endswith("end\n"):
        sys.exit(f"{run.stdout[-2000:]}{run.stderr[-3000:]}")
    found = {}
    for line in run.stdout.splitlines()[:-1]:
        number, key, *ms, entry = line.split("\t")
        times = {"ms": int(ms[0])} if ms else {}
        found[int(number)] = {"key": None if key == "null" else key, **times, "entry": base64.b64decode(entry).decode()}
    lines, known = [{"job": job, "sql": sql, "sql_sha256": digest}], 0
    for number, record in enumerate(asked):
        said, source = found.get(number), record["flink"]
        if record["expected"] != "unknown":
            known += 1
            times = {"ms": source["record.ms"]} if what == "audits" else {}
            expected = record["expected"] and {"key": source["record.key"], **times, "entry": record["expected"]}
            if said != expected:
                sys.exit(f"record {number}: {base64.b64decode(source['record.value'] or '')}\nFlink    {said}\nexpected {expected}")
        lines.append({"key": source["record.key"], "payload": source["record.value"], "kafka_ms": source["record.ms"], "flink": said})
    if not least < len(found) < count or known < count // 2:
        sys.exit(f"{len(found)} of {count} records were written, {known} as written down")
    print(f"{known} of {count} records as {module.__name__}.py expects, {len(found)} written")
    return agreed(lines, vectors, write)


def drifts(program, jar):
    """What the notebook's form of drift says of two sides, beside what drifts.py expects."""
    job, count = COMPARED
    found = sides.histories(count)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        generated(program, folder / "sql")
        files = {side: folder / f"{side}.jsonl" for side in sides.SIDES}
        for side, file in files.items():
            file.write_text("".join(json.dumps(sides.line(event)) + "\n" for event in found[side]), encoding="utf-8")
        run = java(LINES[0], jar, ["drifts", folder / "sql" / job, *files.values()])
    blocks = run.stdout.split("end\n")
    if run.returncode or len(blocks) != 3:
        sys.exit(f"{run.stdout[-2000:]}{run.stderr[-3000:]}")
    said = [sorted(block.splitlines()) for block in blocks[:2]]
    expected = list(sides.expected(found))
    for theirs, ours in zip(said, expected):
        if theirs != ours:
            only = lambda some, others: "\n".join(sorted(set(some) - set(others))[:3])
            sys.exit(f"{len(theirs)} rows, expected {len(ours)}\nFlink alone:\n{only(theirs, ours)}\nexpected alone:\n{only(ours, theirs)}")
    print(f"{sum(map(len, found.values()))} records of two sides: {len(said[0])} verdicts and {len(said[1])} matches as drifts.py expects")
    return 0


def verdicts(program, jar, write):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        generated(program, folder / "sql")
        lines = list(answers(jar, folder))
    print("row hashes as written down:", check_hashes([line for line in lines if "table" in line]))
    return agreed(lines, VECTORS, write)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["plan", "verdicts", "drifts", *WRITING])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--program", default=ROOT / "target" / "debug" / "cdc-jobs", type=pathlib.Path)
    parser.add_argument("--jar", default=None, type=pathlib.Path)
    arguments = parser.parse_args()
    jar = arguments.jar or next(iter(sorted((ROOT / "flink" / "target").glob("cdc-agent-flink-*.jar"))), None)
    if jar is None:
        sys.exit("flink/target has no jar: make build-jar")
    if arguments.what in ("plan", "drifts"):
        sys.exit({"plan": plan, "drifts": drifts}[arguments.what](arguments.program, jar))
    if arguments.what in WRITING:
        sys.exit(written(arguments.what, arguments.program, jar, arguments.write))
    sys.exit(verdicts(arguments.program, jar, arguments.write))


main()
