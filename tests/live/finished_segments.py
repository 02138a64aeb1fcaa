"""Scenarios of what becomes of finished segments: moved to an archive, or left where they are."""

from collections import Counter

import output
from agent import replay, wait_for
from agent_faults import BOTH, FULL
from case import Failed
from checker import MOST_LEFT, changes
from node import SEGMENT, logs
from operator_commands import event_ids
from registry import scenario


@scenario("archive", "finished segments are moved to the archive, none is lost, and `replay` makes the same events of them again", kinds=BOTH)
def archive(case):
    kept = case.folder / "archive"
    kept.mkdir()
    case.extra += ["--finished-segments", "archive", "--archive-dir", kept]
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.busy(4, 5)
    wait_for(lambda: len(logs(kept)) >= 3, "three segments in the archive", agent=agent)
    verdict = case.judge(agent)
    lost = set(case.watch.gone) - logs(kept)
    if lost:
        verdict.fault("archive", f"gone from cdc_raw and not in the archive: {sorted(lost)}")
    # Each event that stands in an archived segment, and no other, comes of the archive.
    wanted = Counter()
    for _, found in changes(case.records()):
        for record in found:
            if record.value["op"] != "m" and int(SEGMENT.match(record.value["source"]["file"])[1]) in logs(kept):
                wanted[record.headers["event_id"]] += 1
    again = case.folder / "again"
    replay([kept], case.folder / "schema.json", again, "--prefix", case.prefix, "--keyspace", case.ks, "--host-id", case.host_id)
    came = Counter(
        record.headers["event_id"] for _, found in changes(output.FileOutput(again).read()) for record in found if record.value["op"] != "m"
    )  # fmt: skip
    case.note(f"{len(logs(kept))} segments in the archive, {sum(came.values())} events of them again")
    if not wanted or came != wanted:
        verdict.fault("archive", f"{sum((wanted - came).values())} events do not come again, {sum((came - wanted).values())} come that were not published")
    return verdict


@scenario("keep", "with finished_segments = keep nothing is removed from cdc_raw, and a restart publishes nothing twice", kinds=BOTH, spoils=True)
def keep(case):
    case.extra += ["--finished-segments", "keep"]
    agent = case.prepare(**FULL).agent().start()
    case.writers.start()
    case.busy(4, 5)
    wait_for(lambda: len(logs(case.stack.cdc_raw)) > MOST_LEFT, "more segments than an agent that deletes would leave", agent=agent)
    case.caught_up(agent)
    if agent.stop() != 0:
        raise Failed(f"stopped, the agent ended with {agent.code}")
    before = event_ids(case)
    verdict = case.judge(agent.start(), folder=False)
    if case.watch.gone:
        verdict.fault("keep", f"gone from cdc_raw: {sorted(case.watch.gone)}")
    if before - event_ids(case):
        verdict.fault("keep", "events are not there any more")
    case.note(f"{len(logs(case.stack.cdc_raw))} segments stay in cdc_raw")
    return verdict
