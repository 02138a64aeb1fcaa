"""One side's user on the other side's topics: what a broker with ACLs makes of it."""

import os
import shutil
import subprocess

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, OffsetSpec, ResourcePatternType, ResourceType
from stack import Broker

# Whoever comes through the listener without passwords is the tests' own administrator.
SETTINGS = ("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer", "super.users=User:ANONYMOUS")
GROUPS = ("flink-dq-onprem", "flink-hash-onprem", "flink-audit-onprem", "flink-drift-onprem", "cdc-jobs")
TOPICS = ("topic_onprem_sales", "dq_metrics_valid", "dq_metrics_invalid", "dq_reconciliation_audit", "dq_reconciliation_current")


def grant(run, user):
    """What docs/security.md and docs/engine.md say that the user of onprem needs: nothing of cloud."""
    literal, prefixed = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
    wanted = [(ResourceType.TOPIC, "onprem", prefixed), (ResourceType.TRANSACTIONAL_ID, "cdc-jobs.", prefixed)]
    wanted += [(ResourceType.TOPIC, topic, literal) for topic in TOPICS] + [(ResourceType.GROUP, group, literal) for group in GROUPS]
    acls = [AclBinding(*one, f"User:{user}", "*", AclOperation.ALL, AclPermissionType.ALLOW) for one in wanted]
    for made in run.admin.create_acls(acls).values():
        made.result(20)


def project(run):
    """Both environments with the user of onprem: cloud's by references of its own, as nothing else would pass `check`."""
    listener, access = run.broker.listeners["SASL_SSL"], run.broker.access
    jobs, password = run.folder / "secured", access["sasl"]["password"]
    shutil.copytree(run.jobs, jobs)
    text = (jobs / "environments.yaml").read_text()
    for side in ("onprem", "cloud"):
        (run.folder / f"password-{side}").write_text(password)
        secure = f"""["{listener}"]
      security_protocol: SASL_SSL
      sasl_mechanism: SCRAM-SHA-512
      ca_file: {access["tls"]["ca"]}
      credentials:
        username: {{env: TEST_{side.upper()}_USER}}
        password: {{file: {run.folder / f"password-{side}"}}}"""
        text = text.replace(f'["{run.broker.servers}"]', secure, 1)
    (jobs / "environments.yaml").write_text(text)
    return jobs


def ends(run):
    """Topic and partition → end, of every topic."""
    topics = run.admin.list_topics(timeout=20).topics
    places = {TopicPartition(name, number): OffsetSpec.latest() for name, topic in topics.items() if not name.startswith("__") for number in topic.partitions}
    return {(place.topic, place.partition): found.result(20).offset for place, found in run.admin.list_offsets(places).items()}


def sides(run):
    """Its own topics are its own; of the other side nothing is read, written, made or deleted. With a broker of its own."""
    folder = run.folder / "sides"
    folder.mkdir()
    broker = Broker(folder / "stack")
    try:
        broker.start(["SASL_SSL"], SETTINGS)
        return refused(type(run)(run.program, broker, folder))
    finally:
        broker.stop()


def refused(run):
    user = run.broker.access["sasl"]["user"]
    grant(run, user)
    jobs, environment = project(run), {"TEST_ONPREM_USER": user, "TEST_CLOUD_USER": user}
    for side in ("onprem", "cloud"):
        run.call("topics", "create", env=side)
        run.call("seed", "--table", "sales.events", "--count", "20", env=side)
    job = lambda kind, table, *words: ["run", kind, "--table", table, "--until-end", "--state", run.folder / f"sides-{kind}", *words]
    alone = ["--valid-rows", "none", "--no-counts-table"]
    told, _ = run.call(*job("dq", "sales.events", *alone), jobs=jobs, environment=environment)
    assert "read" in told, told
    run.call(*job("audit", "sales.users"), jobs=jobs, environment=environment)
    shutil.rmtree(run.folder / "sides-dq")
    shutil.rmtree(run.folder / "sides-audit")
    before, told = ends(run), []
    for words, env in (
        (["seed", "--table", "sales.events", "--count", "5"], "cloud"),
        (["tail", "topic_cloud_sales"], "cloud"),
        (["topics", "delete", "cloud.dlq.sales.events", "--yes"], "cloud"),
        (["topics", "create", "cloud.more"], "cloud"),
        (job("dq", "sales.events", *alone), "cloud"),
        (job("hash", "sales.events"), "cloud"),
        (job("audit", "sales.users"), "cloud"),
        # Its own side is right, the other one is read with a user that may not.
        (job("drift", "sales.users"), "onprem"),
    ):
        command = run.command(*words, env=env, jobs=jobs)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **environment})
        assert done.returncode == 6 and "uthoriz" in done.stderr, f"{words}: exit code {done.returncode}: {done.stdout}{done.stderr}"
        told.append(" ".join(map(str, words[:2])))
    after = ends(run)
    # A job that begins on its own side says so in the log of its own; nothing else is new.
    new = {place: end for place, end in after.items() if before.get(place) != end}
    assert all(topic == "onprem.jobs.__checkpoints" for topic, _ in new) and before.keys() <= after.keys(), new
    return f"{len(told)} commands refused: {', '.join(told)}; not one record more"
