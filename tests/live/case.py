"""One scenario's surroundings: a keyspace and a workload, an agent, its output, and the judgement at the end."""

import random
import re
import time
from pathlib import Path

import checker
import fold
import output
import pages
import shapes
import workload
from agent import Agent, wait_for
from events import identity, of_record
from node import Watch, listing, written_at

# Seconds that a slow machine may take to catch up.
PATIENCE = 120


class Failed(AssertionError):
    """The promise is broken: a verdict, not a breakdown of the test."""


class Case:
    """Given to a scenario. `kind` of output is kafka or file."""

    def __init__(self, stack, folder, name, seed, kind, schema="file"):
        self.stack, self.folder, self.seed, self.kind, self.schema = stack, Path(folder), seed, kind, schema
        self.folder.mkdir(parents=True)
        self.random = random.Random(f"{seed}/{name}")
        # A keyspace and a prefix of its own: nothing that an earlier scenario left is taken for this one's.
        self.ks = f"{re.sub('[^a-z0-9]', '_', name)[:30]}_{seed % 10000}_{kind[0]}"
        self.prefix = f"t-{name}-{seed}-{kind}"
        self.state, self.rules, self.notes, self.agents, self.ends = self.folder / "state", checker.Rules(), [], [], []
        self.journals, self.watch, self.output, self.writers = [], None, None, None
        # More words of the command line; the node's sync period as the settings of scenarios have it.
        self.extra, self.sync_period_ms = [], 1000
        self.host_id = stack.host_id()
        # What the scenario knows of the agent's metrics at the end: name → (least, most).
        self.metrics = {}
        # Published events that the scenario removed from the output.
        self.taken_away = 0

    def note(self, text):
        """What was done and seen: goes into the report."""
        self.notes.append(text)

    def prepare(self, servers=None, rf=1, **options):
        """Keyspace, tables, schema file, output, watch; `options` are Statements' and Writers'."""
        stack = self.stack
        stack.create(workload.TABLES.format(ks=self.ks, dc=stack.service("onprem")["dc"], rf=rf))
        self.writers = workload.Writers(stack.session, self.ks, self.folder / "journal", self.seed, **options)
        stack.write_schema(self.folder / "schema.json")
        self.watch = Watch(stack.cdc_raw)
        self.servers = servers or stack.servers
        self.output = output.FileOutput(self.folder / "log") if self.kind == "file" else output.KafkaOutput(stack.servers, self.prefix)
        return self

    def options(self, *more, cdc_raw=None, state=None, node="onprem"):
        """Command line of `run` beside a node."""
        host_id = self.host_id if node == "onprem" else self.stack.host_id(node)
        node = self.stack.service(node)
        self.state.mkdir(exist_ok=True)
        words = [
            "--cdc-raw", cdc_raw or node["cdc_raw"], "--state-dir", state or self.state, "--prefix", self.prefix, "--keyspace", self.ks,
            "--host-id", host_id, "--cluster", node["cluster"], "--dc", node["dc"], "--http-address", "127.0.0.1:0",
            "--commitlog-sync-period-ms", self.sync_period_ms, *more, *self.extra,
        ]  # fmt: skip
        if self.kind == "file":
            words += ["--out", self.folder / "log"]
        else:
            words += ["--out", "kafka", "--bootstrap-servers", self.servers, "--topic-partitions", 3]
        if self.schema == "file":
            return [*words, "--schema", self.folder / "schema.json"]
        return [*words, "--cassandra-host", node["host"], "--cassandra-port", node["port"]]

    def agent(self, *more, log="agent.log", limits=None, **places):
        """An agent that is not started."""
        agent = Agent(self.options(*more, **places), self.folder / log, limits)
        self.agents.append(agent)
        return agent

    def records(self):
        return self.output.read()

    def seen(self, wanted):
        """Whether the event is in the output."""
        name = identity(wanted)
        table = wanted["table"].split(".", 1)
        for place, found in checker.changes(self.records()):
            if place[0].endswith(f".cdc.{table[0]}.{table[1]}"):
                for record in reversed(found):
                    if record.value["op"] != "m" and record.value["source"]["ts_us"] == wanted["ts"] and identity(of_record(record.key, record.value)) == name:
                        return True
        return False

    def caught_up(self, agent, seconds=PATIENCE):
        """Writes a sentinel and waits until it is published. Returns after how many seconds it was."""
        sentinel, began = self.writers.sentinel(), time.monotonic()
        wait_for(lambda: self.seen(sentinel), "the agent to catch up", seconds, agent)
        return time.monotonic() - began

    def busy(self, low, high):
        """Lets the workload run for a random time between two numbers of seconds."""
        time.sleep(self.random.uniform(low, high))

    def control(self):
        """Values of the control topic so far."""
        found = []
        for (topic, _), records in self.records().items():
            if topic == f"{self.prefix}.cdc.__control":
                found += [record.value for record in records if record.value is not None]
        return found

    def judge(self, agent=None, folder=True, content=True):
        """The end of a scenario: writers stop, the agent catches up, everything is compared."""
        self.writers.stop()
        stands, seen, stopping = [], None, time.time()
        if agent is not None:
            seconds = self.caught_up(agent)
            self.note(f"the last write was published {seconds:.1f} s after it")
            stands = self.standing_watermarks(agent)
            if folder:
                self.wait_for_deletions(agent)
            seen = pages.look(agent)
            began, stopping = time.monotonic(), time.time()
            code = agent.stop()
            if time.monotonic() - began > 5:
                self.note(f"it took {time.monotonic() - began:.0f} s to stop")
            if code != 0:
                raise Failed(f"stopped, the agent ended with {code}: {agent.said()[-1500:]}")
        # TTLs of one and two seconds are over then.
        time.sleep(2.5)
        began = time.monotonic()
        records = self.output.finish()
        # A transaction that is left open keeps readers waiting until it times out.
        self.waited_for_end = time.monotonic() - began
        if self.waited_for_end > 5:
            self.note(f"readers of committed records waited {self.waited_for_end:.0f} s for the end of transactions after the stop")
        verdict = checker.check(workload.read(self.folder / "journal"), records, self.rules)
        if seen is not None:
            pages.compare(seen, records, agent.started_us, verdict, self.rules, self.metrics, self.taken_away)
        for place in stands:
            verdict.fault("watermark stands still", f"{place}: no heartbeat told that everything is published")
        if content:
            self.compare(records, verdict)
        names, indexes = listing(self.stack.cdc_raw)
        # What Cassandra finished while the agent was asked to stop, that one need not have deleted.
        indexes = {name: text for name, text in indexes.items() if written_at(self.stack.cdc_raw / name) < stopping - 5}
        checker.check_folder(names, indexes if folder else {}, None if folder else set(), verdict)
        checker.check_deletions(dict(self.watch.gone), records, verdict)
        shapes.check_shapes(records, verdict)
        return verdict

    def standing_watermarks(self, agent, seconds=PATIENCE):
        """Nothing is written any more: heartbeats in every partition must come to say so. Returns those where none does."""
        asked, began, looks = workload.now_us(), time.monotonic(), 0
        while True:
            agent.check_running()
            stands, looks = [], looks + 1
            for place, found in checker.changes(self.records()):
                marks = [record.value["wm_us"] for record in found if record.value["op"] == "m" and record.value["wm_us"] is not None]
                if not marks or marks[-1] < asked:
                    stands.append(place)
            took = time.monotonic() - began
            if not stands or (took > seconds and looks > 3):
                if took > 5:
                    self.note(f"heartbeats were waited for {took:.0f} s: all partitions but {len(stands)} told that everything is published")
                return stands
            time.sleep(0.2)

    def wait_for_deletions(self, agent, seconds=45):
        """Until no segment is left that Cassandra says is complete; the judgement names those that stay."""
        def waits():
            names, indexes = listing(self.stack.cdc_raw)
            left = sum(name.endswith(".log") for name in names)
            return left > checker.MOST_LEFT or any("COMPLETED" in text for text in indexes.values())

        until = time.monotonic() + seconds
        while time.monotonic() < until and waits():
            agent.check_running()
            time.sleep(0.2)

    def compare(self, records, verdict):
        """The rows that the records add up to are those that SELECT shows."""
        for table in self.stack.tables(self.ks):
            if self.rules.tables is not None and f"{table.keyspace}.{table.name}" not in self.rules.tables:
                continue
            folded = fold.Fold(table)
            for place, found in checker.changes(records):
                if place[0].endswith(f".cdc.{table.keyspace}.{table.name}"):
                    for record in found:
                        if record.value["op"] != "m":
                            folded.add(record.value)
            view, now = self.stack.view(table)
            for words in fold.difference(view, folded.view(now), now):
                verdict.fault("content", f"{table.name} {words}")
            verdict.counted["rows compared"] += len(view)

    def end(self):
        """Whatever happened: no process and no thread is left."""
        if self.writers is not None:
            self.writers.stop()
        for agent in self.agents:
            if agent.running:
                agent.kill()
        for end in reversed(self.ends):
            end()
        if self.watch is not None:
            self.watch.stop()
        if self.output is not None:
            self.output.close()
