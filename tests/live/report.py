#!/usr/bin/env python3
"""docs/faults.md: what is promised under each fault, and what the last runs of run.py --json came to.

    tests/live/report.py RESULTS.json [MORE.json …]     writes docs/faults.md from what is committed in verdicts.json and these results
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS, VERDICTS = HERE.parents[1] / "docs" / "faults.md", HERE / "verdicts.json"
LONGEST = 300
# The folder of a run (run.py), which says nothing to a reader.
FOLDER = re.compile(r"/[^\s\"']*?/cdc-agent-live-\w+/")


def load(path):
    """Results by scenario/kind; empty when there is no file."""
    return json.loads(Path(path).read_text()) if Path(path).exists() else {}


def shown(text):
    """What a run said, without the folder in which it ran, cut to what a table can hold."""
    return FOLDER.sub("", text)[:LONGEST]


def add(known, result):
    """Counts one result of run.py."""
    name = f"{result['scenario']}/{result['kind']}"
    entry = known.setdefault(name, {"runs": 0, "passed": 0, "last": None, "last_failure": None, "notes": []})
    if result["verdict"] == "broken":  # the test broke down and says nothing of the agent
        return known
    entry["runs"] += 1
    entry["passed"] += result["verdict"] == "pass"
    entry["last"] = {name: result[name] for name in ("date", "seed", "verdict", "seconds")}
    entry["notes"] = [shown(note) for note in result["notes"]]
    if result["verdict"] != "pass":
        entry["last_failure"] = {"date": result["date"], "seed": result["seed"], "said": shown(result["said"])}
    return known


def merge(known, other):
    """Adds results that were counted elsewhere."""
    for name, entry in other.items():
        before = known.get(name)
        if before is None:
            known[name] = entry
            continue
        for count in ("runs", "passed"):
            before[count] += entry[count]
        before["last"], before["notes"] = entry["last"] or before["last"], entry["notes"] or before["notes"]
        before["last_failure"] = entry["last_failure"] or before["last_failure"]
    return known


HEAD = """# Faults

What the live agent promises when things break, and what came of trying it: real Cassandra, real Kafka, and the agent as its users start it. `make test-live` runs the short scenarios (three
minutes), `make test-faults` all of them (two hours); one alone:

```
make .cache/venv/.done
cargo build
.cache/venv/bin/python tests/live/run.py --only kill-agent/kafka --seed 7 --keep
```

`--list` names them (a `long` one runs only by its name), `--rounds N` runs each N times with the seeds that follow, `--json FILE` counts verdicts, `tests/live/report.py FILE` writes this page. The table has
the number of runs that passed, the last verdict, and the last failure that was found, also when it is repaired since. "Exactly once" means: no acknowledged write is lost, none is published twice, none is invented,
and the rows are right; everything that follows is checked.

## How a run is judged

Writers log each write before they make it and when it is acknowledged: inserts, updates, deletes of rows, columns, ranges and partitions, batches, static columns, collections, TTLs. Every write has a client
timestamp of its own. A write that timed out may be in the output or not. At the end all committed records are read (Kafka: `read_committed`; the file log: up to `commit.json`), and it is checked that

- each acknowledged write is there exactly once for each node, with the values that were written, and nothing is there that nobody wrote;
- no position of the log, and no write, is published twice (with `at-least-once`: that it is there at least once);
- in each partition of Kafka the positions of a key rise;
- no heartbeat's `wm_us` is later than the acknowledgement of a write that comes after it, and none goes back;
- the rows that the records add up to equal `SELECT` with `WRITETIME` and `TTL`;
- in `cdc_raw` nothing is left that is complete and published, nothing that is not Cassandra's, and no record was made from a segment after it was deleted;
- keys and values are as [envelope.schema.json](envelope.schema.json) says;
- `/readyz`, `/livez` and `/metrics` of the agent say what is so: events, pointers, gaps and lost segments are counted as often as they stand in the output, warnings as often as they stand in the log, nothing is parked.

The checker can fail: `tests/live/test_checker.py` gives it histories that lost, doubled, invented, swapped or changed something, `test_shapes.py` records that no schema knows, `test_pages.py` metrics that count something else.

## Where the agent can be made to die

Debug builds die (as by `kill -9`) at a named place when `CDC_AGENT_FAILPOINT=<name>:<count>` says so; `src/failpoint.rs` lists the places. The scenario `failpoints` does so five times for each, and says at which
places it came to that.
"""


def table(known, scenarios):
    lines = ["## Scenarios", "", "| scenario | what happens, and what is promised | Kafka | file log | last failure found |", "|---|---|---|---|---|"]
    for scenario in scenarios.values():
        entries = {kind: known.get(f"{scenario.name}/{kind}") for kind in scenario.kinds}
        cells = [cell(entries.get(kind), kind in scenario.kinds) for kind in ("kafka", "file")]
        failures = [f"{kind}, {entry['last_failure']['date']}, seed {entry['last_failure']['seed']}: {entry['last_failure']['said']}"
                    for kind, entry in entries.items() if entry and entry["last_failure"]]  # fmt: skip
        words = "; ".join(failures).replace("|", "/").replace("\n", " ").strip() or "none"
        lines.append(f"| `{scenario.name}` | {scenario.promise} | {cells[0]} | {cells[1]} | {words} |")
    return "\n".join(lines) + "\n"


def cell(entry, applies):
    """How often it passed, and the date and verdict of the last run."""
    if not applies:
        return ""
    if not entry or not entry["runs"]:
        return "not run yet"
    return f"{entry['passed']} of {entry['runs']}; {entry['last']['date']}: {entry['last']['verdict']}"


def places(known):
    """What the last runs of the failpoints came to."""
    lines = [f"- {kind}: {entry['notes'][0]} ({entry['last']['date']})" for kind in ("kafka", "file") if (entry := known.get(f"failpoints/{kind}")) and entry["notes"]]
    return "\n".join([*lines, "", ""]) if lines else ""


def main():
    import run  # registers the scenarios

    known = load(VERDICTS)
    for path in sys.argv[1:]:
        merge(known, load(path))
    VERDICTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    DOCS.write_text(f"{HEAD}\n{places(known)}{table(known, run.SCENARIOS)}")


if __name__ == "__main__":
    main()
