"""What Datadog's own OpenMetrics check makes of the metrics of TaskManagers, with deploy/datadog/openmetrics.d/conf.yaml."""

import sys

from tests.flink.cluster import ROOT

sys.path.insert(0, str(ROOT / "tests" / "jobs"))
import datadog_metrics  # noqa: E402

INSTANCE = datadog_metrics.instances("flink_taskmanager_job_task_operator_dq_valid_count")[0]


def names(prefix):
    """What the file calls the metrics whose names in Datadog begin so."""
    return {name for name in (f"dq.{theirs}" for theirs in datadog_metrics.asked(INSTANCE).values()) if name.startswith(prefix)}


def read(known):
    """Name in Datadog → [(tags, value)], of all TaskManagers of a stack."""
    found = {}
    for service in known["services"]:
        if service["kind"] == "taskmanager":
            for name, values in datadog_metrics.scraped(INSTANCE, f"127.0.0.1:{service['port']}").items():
                found.setdefault(name, []).extend(values)
    return found


def total(known, name, *tags):
    """The sum of a metric's values with these tags."""
    return sum(value for given, value in read(known).get(name, []) if set(tags) <= given)
