"""What Datadog's own OpenMetrics check makes of the metrics of running jobs, with deploy/datadog/openmetrics.d/conf.yaml.

The check is that of the Agent (datadog-checks-base, with its stub in the Agent's place), the other reading is Prometheus' own parser.
"""

import json
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import business
import yaml
from datadog_checks.base import OpenMetricsBaseCheckV2
from datadog_checks.base.stubs import aggregator
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "deploy" / "datadog" / "openmetrics.d" / "conf.yaml"
# Of each kind of job: its table, and the metric by which its instance is known.
KINDS = {"dq": ("sales.events", "dq_valid"), "hash": ("sales.events", "hash_events"), "audit": ("sales.users", "audit_writes"), "drift": ("sales.users", "drift_verdicts")}
UNASKED = {"process_start_time_seconds"}


def change(op, key, number, host="h1", **more):
    """A record of an agent."""
    value = {"op": op, "after": key if op in "cu" else None, "event_id": f"{number:032x}", "hash_kind": "full", "row_hash": "00", "hash_def": "1a2b3c4d"}
    value["source"] = {"ts_us": 1_735_689_600_000_000 + number, "ts_ms": 1_735_689_600_000, "dc": "DC_ONPREM", "host_id": host, "late": False, "snapshot": "false"}
    text = lambda json_: json.dumps(json_).encode()
    return {"ts": 1_735_689_600_000 + number, "key": text(key), "value": text({**value, **more}), "headers": [("event_id", value["event_id"].encode())]}


def changes(table):
    """Changes of a table in one partition: an insert, an update, a repeat by another replica, a deletion, a heartbeat."""
    key = {"id": 7 if table == "sales.users" else "7"}
    beat = change("m", key, 9, wm_us=1_735_689_700_000_000)
    return [change("c", key, 1), change("u", key, 2), change("u", key, 2, "h2"), change("d", key, 3, before=key), beat]


def logs(run):
    """File logs of both sides for every kind of job."""
    for side in ("onprem", "cloud"):
        start = change("m", {}, 0, type="start")
        topics = {f"{side}.cdc.{table}": [changes(table)] for table in ("sales.events", "sales.users")}
        topics |= {f"{side}.cdc.__control": [[start]], f"topic_{side}_sales": business.records(run.seed, 300, 1)}
        for partitions in topics.values():
            for records in partitions:
                for offset, record in enumerate(records):
                    record["offset"] = offset
        business.write_logs(run.folder / f"datadog-{side}", topics)


def instances(name):
    """The instances of the configuration that ask for a metric."""
    return [one for one in yaml.safe_load(CONF.read_text())["instances"] if name in asked(one)]


def instance(name):
    """The one that does."""
    (found,) = instances(name)
    return found


def asked(instance):
    return {name: theirs for pair in instance["metrics"] for name, theirs in pair.items()}


def scraped(instance, address):
    """What the check hands over to the Agent: name → [(tags, value)]."""
    aggregator.reset()
    check = OpenMetricsBaseCheckV2("openmetrics", {}, [{**instance, "openmetrics_endpoint": f"http://{address}/metrics"}])
    failed = check.run()
    assert not failed, failed
    health = f"{instance['namespace']}.openmetrics.health"
    assert [one.status for one in aggregator.service_checks(health)] == [check.OK], aggregator.service_checks(health)
    return {name: [(set(metric.tags), metric.value) for metric in aggregator.metrics(name)] for name in aggregator.metric_names}


def of_kind(run, kind):
    """One job, its metrics by Prometheus' parser and by Datadog's check."""
    table, known_by = KINDS[kind]
    words = ["--env", "onprem", "--table", table, "--jobs", ROOT / "jobs", "--from", run.folder / "datadog-onprem", "--http", "127.0.0.1:0"]
    words += ["--out", run.folder / f"datadog-{kind}"]
    words += {"dq": ["--valid-rows", "none"], "drift": ["--other-from", run.folder / "datadog-cloud"]}.get(kind, [])
    process = subprocess.Popen(run.command("run", kind, *words), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        lines = []
        address = next(line.split("http://")[1].strip() for line in process.stderr if lines.append(line) or "http://" in line)

        def get(path):
            with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
                return answer.read().decode()

        end = time.monotonic() + 60
        while not (json.loads(get("/status"))["counts"] or {}).get("read"):
            assert time.monotonic() < end, lines
            time.sleep(0.05)
        text = get("/metrics")
        theirs = scraped(instance(known_by), address)
        assert text == get("/metrics"), "nothing came in between"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    return list(text_string_to_metric_families(text)), theirs


def compare(kind, families, theirs):
    """Every metric, label by label, in Datadog's form; how many there are."""
    wanted, described = asked(instance(KINDS[kind][1])), (ROOT / "docs" / "metrics.md").read_text()
    names = {family.name for family in families}
    assert names - UNASKED == set(wanted), names ^ set(wanted)
    count = 0
    for family in families:
        counts = family.type == "counter"
        assert f"`{family.name}{'_total' * counts}`" in described and family.documentation, family.name
        if family.name in UNASKED:
            continue
        found = theirs[f"dq.{wanted[family.name]}{'.count' * counts}"]
        for sample in family.samples:
            tags = {f"{label}:{value}" for label, value in sample.labels.items()}
            assert [value for given, value in found if tags <= given] == [sample.value], (sample, found)
            count += 1
        assert len(found) == len(family.samples), (found, family)
    return count


def datadog(run):
    """The metrics of each kind of job under the names of the users' notes."""
    logs(run)
    counts = {}
    for kind in KINDS:
        families, theirs = of_kind(run, kind)
        counts[kind] = compare(kind, families, theirs)
        value = lambda name, *tags: sum(value for given, value in theirs[name] if set(tags) <= given)
        if kind == "dq":
            partitions = business.records(run.seed, 300, 1)
            letters = business.expected(partitions, "topic_onprem_sales", run.rules, run.version)[0]
            broken = sum(map(len, letters.values()))
            tags = ("job_name:dq-onprem-sales.events", "table:sales.events", "dc:DC_ONPREM")
            assert (value("dq.valid.count", *tags), value("dq.invalid.count", *tags)) == (300 - broken, broken), theirs
            assert value("dq.invalid_by_rule.count", "rule:amount.negative") > 0
        if kind == "audit":
            words = {word: value("dq.audit.writes.count", f"operation:{word}") for word in ("INSERTED", "UPDATED", "DELETED")}
            assert words == {"INSERTED": 1, "UPDATED": 1, "DELETED": 1} and value("dq.audit.repeats.count") == 1, words
        if kind == "drift":
            assert {tag for given, _ in theirs["dq.drift.verdicts.count"] for tag in given if tag.startswith("status:")} >= {"status:DRIFT", "status:MATCH"}
    agents()
    return f"samples by kind: {counts}"


def agents():
    """What the configuration asks of an agent is there: docs/metrics.md has all of it."""
    described = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE))
    named = asked(instance("cdc_lag_seconds"))
    assert all(name in described or f"{name}_total" in described for name in named), named
