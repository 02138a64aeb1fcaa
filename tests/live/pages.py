"""What an agent says of itself over HTTP, and whether that is what a scenario knows."""

import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

import checker

ADDRESS = re.compile(r"status page: (http://[^/\s]+/)")
SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# A line of the log that counts as an error or a warning, in both forms.
WARNED = re.compile(r"^\S+Z (?:warn|error) |\"level\":\"(?:warn|error)\"", re.MULTILINE)


def get(agent, path):
    """(status code, text) of a page of a running agent."""
    base = ADDRESS.search(agent.said())
    assert base, f"the agent names no status page: {agent.said()[-500:]}"
    try:
        with urllib.request.urlopen(base[1] + path.lstrip("/"), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def status(agent):
    """/status, which the page shows."""
    code, text = get(agent, "/status")
    assert code == 200, f"/status answers {code}: {text[:500]}"
    return json.loads(text)


@dataclass(frozen=True)
class Metrics:
    """The samples of /metrics: (name, labels) → value."""

    samples: dict

    @classmethod
    def of(cls, text):
        """The text form of Prometheus."""
        samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                found = SAMPLE.match(line)
                assert found, f"no sample: {line}"
                samples[found["name"], frozenset(LABEL.findall(found["labels"] or ""))] = float(found["value"])
        return cls(samples)

    def all(self, name):
        """The samples of a metric: labels → value."""
        return {labels: value for (found, labels), value in self.samples.items() if found == name}

    def one(self, name, **labels):
        """A sample; None when it is not there."""
        return self.samples.get((name, frozenset(labels.items())))


def metrics(agent):
    """/metrics of a running agent."""
    code, text = get(agent, "/metrics")
    assert code == 200, f"/metrics answers {code}: {text[:500]}"
    return Metrics.of(text)


@dataclass
class Seen:
    """What an agent served when everything was published, and how many warnings its log had just before and after that."""

    metrics: Metrics
    ready: tuple
    live: tuple
    warned: tuple


def look(agent, seconds=10):
    """Asks a running agent. Ready it is when its loop has come round once more."""
    until = time.monotonic() + seconds
    while True:
        before = len(WARNED.findall(agent.said()))
        seen = Seen(metrics(agent), get(agent, "/readyz"), get(agent, "/livez"), (before, len(WARNED.findall(agent.said()))))
        if seen.ready[0] == 200 or time.monotonic() > until:
            return seen
        time.sleep(0.2)


def since(records, started_us):
    """(changes, pointers, gaps): what this start of an agent has published, by the time at which it processed it."""
    changes = [record for _, found in checker.changes(records) for record in found if record.value["op"] != "m" and record.value["ts_ms"] * 1000 >= started_us]
    own = [(topic, record.value) for (topic, _), found in records.items() for record in found if isinstance(record.value, dict)]
    pointers = [value for topic, value in own if topic.endswith(".cdc.__dead_letters") and value["ts_ms"] * 1000 >= started_us]
    control = [value for topic, value in own if topic.endswith(".cdc.__control")]
    return changes, pointers, [value for value in control if value["type"] == "gap" and value["ts_ms"] * 1000 >= started_us]


def compare(seen, records, started_us, verdict, rules, wanted=None, taken_away=0):
    """Whether an agent that has published everything says so. `wanted`: name of a metric → (least, most), as far as the scenario knows more;
    `taken_away`: events that it published and that are not in the output any more."""

    def expect(what, is_so, text):
        if not is_so:
            verdict.fault("metrics", f"{what}: {text}")

    found = seen.metrics
    expect("/readyz", seen.ready[0] == 200, seen.ready)
    expect("/livez", seen.live[0] == 200, seen.live)
    expect("cdc_ready", found.one("cdc_ready") == 1, found.one("cdc_ready"))
    expect("cdc_phase", found.one("cdc_phase", phase="running") == 1, found.all("cdc_phase"))
    expect("cdc_parked_mutations", found.one("cdc_parked_mutations") == 0, found.one("cdc_parked_mutations"))
    low, high = seen.warned
    expect("cdc_errors_total", low <= found.one("cdc_errors_total") <= high, f"{found.one('cdc_errors_total')}, and the log has {low} to {high} warnings")
    changes, pointers, gaps = since(records, started_us)
    there = {record.headers["event_id"] for record in changes}
    events = len(changes) + sum(pointer["event_id"] not in there for pointer in pointers) + taken_away
    counted = sum(found.all("cdc_events_total").values())
    # At least once, a batch that was sent again is counted once.
    expect("cdc_events_total", counted == events or (rules.repeats and counted <= events), f"{counted}, and there are {events}")
    letters = found.one("cdc_dead_letter_total")
    expect("cdc_dead_letter_total", letters == len(pointers) or (rules.repeats and letters >= len(pointers)), f"{letters}, and there are {len(pointers)} pointers")
    kinds = {kind: found.one("cdc_ledger_entries_total", kind=kind) for kind in ("gap", "segment_lost")}
    lost = sum(gap.get("is_loss") is True for gap in gaps)
    expect("gaps", kinds == {"gap": len(gaps) - lost, "segment_lost": lost}, f"{kinds}, and the control topic has {len(gaps)} gaps, {lost} of them losses")
    for name, (least, most) in (wanted or {}).items():
        value = found.one(name)
        expect(name, value is not None and least <= value <= most, f"{value}, and {least} to {most} are true")
    verdict.counted["metrics compared"] += 1
