"""A case of run.py: the topic that a job reads is deleted and made anew, while the job runs."""

import json
import shutil
import subprocess

import business
import services
from waiting import wait_for

ROUNDS = {"fewer": 150, "more": 900}
FIRST = 300
TOPIC = "topic_onprem_sales"


def delete(servers):
    """Deletes the topic, and waits until no broker knows it."""
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": servers})
    if TOPIC in admin.list_topics(timeout=20).topics:
        admin.delete_topics([TOPIC])[TOPIC].result(30)
        wait_for(lambda: TOPIC not in admin.list_topics(timeout=20).topics, "the topic to be gone")


def is_read(out, count):
    """Whether the job has committed that it read so many records."""
    if not (out / "commit.json").exists():
        return False
    jobs = json.loads((out / "commit.json").read_text()).get("jobs", {})
    return any(job["positions"].get(TOPIC, {}).get("0", 0) >= count for job in jobs.values())


def remade(run, stack, compare):
    """A topic with fewer or more records than were read of the old one: the job ends, and reads the new one when it is told to."""
    servers, folder = stack.servers, services.project(run, "remade", stack, lambda text: text.replace("interval: 30s", "interval: 1s"))
    for name, count in ROUNDS.items():
        delete(servers)
        old, new = (business.records(run.seed + number, count, 1) for number, count in ((0, FIRST), (1, count)))
        services.produce(servers, TOPIC, old)
        out, state, log = (run.folder / f"remade-{name}-{part}" for part in ("out", "state", "log"))
        words = ["run", "dq", "--env", "onprem", "--table", "sales.events", "--jobs", folder, "--valid-rows", "none", "--no-counts-table", "--out", out]
        with log.open("w") as said:
            job = subprocess.Popen(run.command(*words, "--state", state), stdout=said, stderr=said)
        try:
            end = old[0][-1]["offset"] + 1
            wait_for(lambda: is_read(out, end), lambda: f"{end} records: {log.read_text()}")
            before = business.read_log(out)
            delete(servers)
            services.produce(servers, TOPIC, new)
            assert job.wait(120) == 4, f"exit code {job.returncode}: {log.read_text()}"
        finally:
            job.kill()
        text = log.read_text()
        assert f"topic {TOPIC}, partition 0 is not the one that this job read" in text and "--begin-anew" in text, text
        assert business.read_log(out) == before, f"something was written: {text}"
        # A state that knows the old topic is not left behind by mistake.
        run.call(*words, "--state", state, "--begin-anew", "--until-end", codes=(4,))
        shutil.rmtree(state)
        run.call(*words, "--state", state, "--until-end", codes=(4,))
        assert business.read_log(out) == before
        run.call(*words, "--state", state, "--begin-anew", "--until-end")
        found = {
            topic: {number: records[len(before.get(topic, {}).get(number, [])) :] for number, records in partitions.items()}
            for topic, partitions in business.read_log(out).items()
        }
        compare(run, found, new, business.expected(new, TOPIC, run.rules, run.version))
    return f"ended with {', '.join(f'{count} records' for count in ROUNDS.values())} in place of {FIRST}"
