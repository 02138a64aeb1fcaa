#!/usr/bin/env python3
"""Measures cdc-agent's decoding beside its peers: same files, same minutes, taking turns.

Makes the corpora when they are missing (Cassandra's own writer, tests/oracle), starts the peers (Cassandra's own reader,
the JVM connector's segment reader), warms everything up, then goes through all programs once a round. Prints one table
and writes everything measured to a JSON file. See README.md beside this file.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from memory import Memory

ROOT = Path(__file__).resolve().parents[2]
JAVA_RUN = ROOT / "tests" / "oracle" / "run.sh"
CORPUS_RELEASE = "4.1"
CORPUS_CLASS = "cdc.oracle.bench.CorpusWriter"
PEER_JAVA_OPTS = "-Xmx1g -XX:+UseParallelGC"
# What a segment holds is the same for both readers; mutations a corpus, and the peers' levels that say something about it.
CORPORA = {
    "all-cdc": (850_000, {"reader": ["read"], "connector": ["events", "json"]}),
    "ten-percent": (850_000, {"reader": ["read"], "connector": ["json"]}),
    "lz4": (850_000, {"reader": ["read"], "connector": ["json"]}),
    "small-row": (1_250_000, {"reader": ["read"], "connector": ["json"]}),
    "unwanted": (1_000_000, {"reader": ["read"]}),
}
PEERS = {
    "reader": ("5.0", "cdc.oracle.bench.ReaderBench"),
    "connector": ("connector", "cdc.oracle.connector.ConnectorBench"),
}
# (what, our level, the peer and its level); a ratio is ours over the peer's best round.
RATIOS = [
    ("decode to Cassandra's reader", "decode", "reader", "read"),
    ("records to the connector's json", "records", "connector", "json"),
    ("records+row_hash to the connector's json", "records+row_hash", "connector", "json"),
    ("decode to the limit", "decode", "ours", "limit"),
]
# No table of this corpus is wanted: its level `decode` decodes nothing, it skips mutations from their table id.
SKIPPED_CORPUS = "unwanted"


class Peer:
    """A JVM that runs one pass over its corpus for every level name it is sent."""

    def __init__(self, name, corpus):
        release, java_class = PEERS[name]
        command = [str(JAVA_RUN), release, java_class, "--corpus", str(corpus), "--serve", "true"]
        environment = dict(os.environ, JAVA_OPTS=PEER_JAVA_OPTS)
        # run.sh replaces itself by the JVM, so the process watched is the JVM
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"run.py: the peer {name} did not start; run it by hand: {' '.join(command)}")
        self.memory = Memory(self.process.pid)

    def run(self, level):
        """One pass: seconds, and what was seen in them."""
        self.process.stdin.write(level + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"run.py: a peer ended at level {level} with code {self.process.wait()}")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Ours:
    """The project's own benchmark program: one start a round."""

    def __init__(self, corpus, cargo_arguments):
        build = ["cargo", "bench", "--bench", "decode", "--no-run", "--message-format=json", *cargo_arguments]
        done = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        programs = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "decode"]
        self.command = [programs[-1], "--corpus", str(corpus), "--json"]
        self.peak_kib = 0

    def run(self):
        """What one start measured: for each level its rates, each a list of one number or several."""
        process = subprocess.Popen(self.command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        memory = Memory(process.pid)
        output = process.communicate()[0]
        if process.returncode:
            raise SystemExit(f"run.py: {' '.join(self.command)} failed with code {process.returncode}")
        self.peak_kib = max(self.peak_kib, memory.peak_kib)
        return {one["level"]: one for one in parse_levels(output)}


def parse_levels(output):
    """Objects with a level: one a line, or all in one array."""
    try:
        whole = json.loads(output)
        return whole if isinstance(whole, list) else [whole]
    except json.JSONDecodeError:
        return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def make_corpus(folder, kind, mutations):
    """Writes the corpus unless a finished one of the same size is there."""
    done = folder / "corpus.json"
    wanted = {"kind": kind, "mutations": mutations}
    if done.exists() and json.loads(done.read_text()) == wanted:
        return
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    folder.mkdir(parents=True)
    arguments = ["--kind", kind, "--mutations", str(mutations), "--out", str(folder)]
    subprocess.run([str(JAVA_RUN), CORPUS_RELEASE, CORPUS_CLASS, *arguments], check=True)
    done.write_text(json.dumps(wanted))


def warm_cache(folder):
    """Reads every segment once, so that nobody pays for the disk."""
    for segment in sorted(folder.glob("CommitLog-*.log")):
        with open(segment, "rb") as file:
            while file.read(1 << 22):
                pass


def measure(kind, folder, options):
    """All programs over one corpus, in turns: {(program, level): {rate name: [numbers]}} and each one's peak memory."""
    peers = {name: Peer(name, folder) for name in CORPORA[kind][1]}
    ours = None if options.peers_only else Ours(folder, options.cargo)
    results = {}
    mutations = 0

    def note(program, level, rates):
        entry = results.setdefault((program, level), {})
        for name in ("mb_per_s", "mutations_per_s", "records_per_s"):
            value = rates.get(name, [])
            entry.setdefault(name, []).extend(value if isinstance(value, list) else [value])

    try:
        for number in range(-options.warmup, options.rounds):
            for name, peer in peers.items():
                for level in CORPORA[kind][1][name]:
                    seen = peer.run(level)
                    # the connector does not count the mutations that it passes over; Cassandra's reader comes first
                    mutations = max(mutations, seen["mutations"])
                    if number >= 0:
                        rates = {"mb_per_s": seen["bytes"] / 1e6, "mutations_per_s": mutations, "records_per_s": seen["records"]}
                        note(name, level, {rate: amount / seen["seconds"] for rate, amount in rates.items()})
            if ours and number >= 0:
                for level, rates in ours.run().items():
                    note("ours", level, rates)
            print(f"{kind}: round {number + 1} of {options.rounds}", file=sys.stderr)
    finally:
        for peer in peers.values():
            peer.stop()
    memory = {name: peer.memory.peak_kib for name, peer in peers.items()}
    if ours:
        memory["ours"] = ours.peak_kib
    return results, memory


def summary(kind, results, memory):
    """Best and median of every rate, peak memory, and the ratios."""
    levels = []
    for (program, level), rates in results.items():
        row = {"program": program, "level": level, "peak_rss_anon_mib": round(memory[program] / 1024, 1)}
        for name, values in rates.items():
            if values:
                row[name] = {"best": max(values), "median": statistics.median(values), "all": values}
        levels.append(row)
    ratios = []
    for what, level, peer, peer_level in RATIOS:
        if kind == SKIPPED_CORPUS:
            what = what.replace("decode", "skip of unwanted mutations", 1)
        mine, other = results.get(("ours", level)), results.get((peer, peer_level))
        # records are compared as records: the connector loses some mutations
        rate = "records_per_s" if peer == "connector" else "mutations_per_s"
        if mine and other and mine[rate] and other[rate]:
            best = max(other[rate])
            ratios.append({"what": what, "best": max(mine[rate]) / best, "median": statistics.median(mine[rate]) / best})
    return {"levels": levels, "ratios": ratios}


def print_table(report):
    head = f"{'corpus':<12} {'program':<10} {'level':<18} {'MB/s':>8} {'median':>8} {'mutations/s':>12} {'median':>12}" \
           f" {'records/s':>12} {'median':>12} {'RssAnon MiB':>12}"
    print(head)
    for kind, result in report["corpora"].items():
        for row in result["levels"]:
            cells = []
            for name, width in (("mb_per_s", 8), ("mutations_per_s", 12), ("records_per_s", 12)):
                rate = row.get(name)
                for which in ("best", "median"):
                    cells.append(f"{rate[which]:>{width},.0f}" if rate and rate["best"] else f"{'-':>{width}}")
            print(f"{kind:<12} {row['program']:<10} {row['level']:<18} {' '.join(cells)} {row['peak_rss_anon_mib']:>12,.1f}")
    print("\nratio to the peer's best round           best   median")
    for kind, result in report["corpora"].items():
        for ratio in result["ratios"]:
            print(f"{kind:<12} {ratio['what']:<42} {ratio['best']:>6.2f} {ratio['median']:>8.2f}")
    load = report["load"]
    print(f"\nload average {load[0]:.1f} before, {load[1]:.1f} after, on {report['cpus']} processors")


def main():
    parser = argparse.ArgumentParser(description="Measure decoding beside Cassandra's reader and the JVM connector.")
    parser.add_argument("--corpus", action="append", choices=CORPORA, help="only this corpus; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2, help="rounds of the peers before the first that counts")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the corpora, as a share of the usual size")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "bench")
    parser.add_argument("--out", type=Path, help="the JSON file; default results.json in the folder")
    parser.add_argument("--generate-only", action="store_true", help="make the corpora and stop")
    parser.add_argument("--peers-only", action="store_true", help="leave our own program out")
    parser.add_argument("cargo", nargs="*", help="further arguments of cargo bench, after --")
    options = parser.parse_args()

    kinds = options.corpus or list(CORPORA)
    for kind in kinds:
        make_corpus(options.folder / kind, kind, int(CORPORA[kind][0] * options.scale))
    if options.generate_only:
        return
    report = {"cpus": os.cpu_count(), "load": [os.getloadavg()[0]], "corpora": {}}
    for kind in kinds:
        warm_cache(options.folder / kind)
        report["corpora"][kind] = summary(kind, *measure(kind, options.folder / kind, options))
    report["load"].append(os.getloadavg()[0])
    out = options.out or options.folder / "results.json"
    out.write_text(json.dumps(report, indent=1))
    print_table(report)
    print(f"all numbers: {out}")


if __name__ == "__main__":
    main()
