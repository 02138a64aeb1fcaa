"""Jobs on a real Flink cluster: submitted once, stopped, resumed, replaced; exact when a TaskManager or the JobManager is killed.

The job of sql/ reads `orders`, writes to `valid` and `dead_letters` exactly once, and counts both in `counts`. Every order has a
number of its own: after each step the committed records must hold each number once.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AclBinding, AclOperation, AclPermissionType, AdminClient, NewTopic, ResourcePatternType, ResourceType

from tests.flink.cluster import PROGRAM, ROOT, SECONDS, UP, down, stack
from tests.live.waiting import wait_for

SQL = Path(__file__).resolve().parent / "sql"
JOB = "dq-onprem-orders"
BROKERS = "SUBMIT_TEST_BROKERS"
PARTITIONS = 2
# A listener with passwords, whose users may what ACLs say; whoever comes through the one without is the tests' own.
SECURED = [
    "--option", 'kafka.listeners=["SASL_PLAINTEXT"]',
    "--set", "kafka.authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "--set", "kafka.super.users=User:ANONYMOUS",
]  # fmt: skip


class Submitted(unittest.TestCase):
    """One stack for all tests. Each begins and ends with a job that runs or none: they share nothing but the orders."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cdc-agent-submit-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(cls.end)
        cls.known = json.loads(stack("up", cls.folder, "--owner", str(os.getpid()), *UP, *SECURED))
        cls.servers = cls.known["bootstrap_servers"]
        topics = [NewTopic("orders", PARTITIONS, 1), *(NewTopic(name, 1, 1) for name in ("valid", "dead_letters", "counts"))]
        admin = AdminClient({"bootstrap.servers": cls.servers})
        for made in admin.create_topics(topics).values():
            made.result()
        cls.produced = 0
        cls.files = cls.folder / "jobs"
        shutil.copytree(ROOT / "jobs", cls.files)
        shutil.copytree(SQL / "onprem", cls.files / "sql" / "onprem" / "orders")

    @classmethod
    def end(cls):
        down(cls.folder)

    def tearDown(self):
        if any(job["state"] not in ("FINISHED", "CANCELED", "FAILED") for job in self.jobs()):
            self.jobs_command("flink", "stop", JOB)

    # -- what the tests do ------------------------------------------------------------------------------------------

    def run_program(self, *arguments, code=0, **environment):
        """Runs cdc-jobs against the stack."""
        flink = self.known["flink"]
        places = {
            "CDC_JOBS_SQL_GATEWAY": flink["sql_gateway"],
            "CDC_JOBS_JOBMANAGER": flink["jobmanager"],
            "CDC_JOBS_CHECKPOINTS": f"file://{Path(flink['checkpoints']).parent}",
            BROKERS: self.servers,
        }
        environment = {key: given for key, given in {**os.environ, **places, **environment}.items() if given is not None}
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        self.assertIn(done.returncode, code if isinstance(code, tuple) else (code,), f"{arguments}:\n{done.stdout}\n{done.stderr}")
        self.assertNotIn(self.servers, done.stdout + done.stderr, "what stands for a secret is told")
        return done

    def jobs_command(self, *arguments, **more):
        return self.run_program(*arguments, **more).stdout

    def submit(self, *arguments, **more):
        files = str(more.pop("files", self.files))
        return self.run_program("submit", "onprem", "--job", JOB, "--unchecked", "--jobs", files, *arguments, **more)

    def jobs(self):
        with urllib.request.urlopen(f"{self.known['flink']['jobmanager']}/jobs/overview", timeout=10) as answer:
            return [job for job in json.load(answer)["jobs"] if job["name"] == JOB]

    def running(self):
        return [job["jid"] for job in self.jobs() if job["state"] == "RUNNING"]

    def status(self):
        (job,) = json.loads(self.jobs_command("flink", "status", JOB, "--format", "json"))["jobs"]
        return job

    def produce(self, count):
        """Further orders, every tenth of them broken."""
        producer = Producer({"bootstrap.servers": self.servers})
        first = type(self).produced
        for number in range(first, first + count):
            text = f"order {number}" if number % 10 == 0 else json.dumps({"order": number})
            producer.produce("orders", text, partition=number % PARTITIONS)
        self.assertEqual(producer.flush(60), 0)
        type(self).produced += count

    def committed(self, topic):
        """All values that are committed."""
        settings = {"group.id": "test", "enable.auto.commit": False, "isolation.level": "read_committed"}
        consumer = Consumer({"bootstrap.servers": self.servers, "enable.partition.eof": True, **settings})
        consumer.assign([TopicPartition(topic, 0, 0)])
        values, deadline = [], time.monotonic() + 30
        try:
            while time.monotonic() < deadline:
                message = consumer.poll(1)
                if message is not None and message.error() is not None:
                    return values  # the end
                values += [] if message is None else [json.loads(message.value()) if topic != "valid" else message.value()]
        finally:
            consumer.close()
        raise AssertionError(f"{topic} has no end")

    def numbers(self):
        """The numbers of the orders that came out."""
        valid = [json.loads(value)["order"] for value in self.committed("valid")]
        return valid, [int(value["payload"].split()[1]) for value in self.committed("dead_letters")]

    def assert_exact(self):
        """Every order came out once, on its side, and is counted once."""
        expected = list(range(self.produced))
        wait_for(lambda: sum(map(len, self.numbers())) >= self.produced, f"{self.produced} orders")
        valid, broken = self.numbers()
        self.assertEqual(sorted(valid), [number for number in expected if number % 10 != 0])
        self.assertEqual(sorted(broken), [number for number in expected if number % 10 == 0])

        def counts():
            return {value["is_valid"]: value["count"] for value in self.committed("counts")}

        wait_for(lambda: counts() == {True: len(valid), False: len(broken)}, f"the right counts, not {counts()}")

    # -- the tests, in the order of their names ---------------------------------------------------------------------

    def test_1_a_job_is_submitted_once(self):
        self.produce(2000)
        self.assertIn(f"{JOB}: started without earlier state", self.submit().stdout)
        (job,) = self.running()
        self.assert_exact()
        self.assertIn(f"{JOB}: runs already (job {job})", self.submit().stdout)
        self.assertEqual(self.running(), [job])
        found = wait_for(lambda: (now := self.status())["checkpoint"] and now["records_in"] >= 2000 and now, "a status")
        self.assertEqual((found["state"], found["restarts"], found["records_in"]), ("RUNNING", 0, 2000))
        self.assertIn("nothing has failed", self.jobs_command("flink", "logs", JOB))

    def test_2_a_stopped_job_goes_on_from_its_savepoint(self):
        self.submit()
        (job,) = self.running()
        told = self.jobs_command("flink", "stop", JOB)
        savepoint = told.split("the savepoint is ")[1].strip()
        path = Path(savepoint.removeprefix("file:"))
        self.assertTrue((path / "_metadata").exists(), told)
        self.assertEqual(path.parent.parts[-2:], (JOB, "savepoints"))
        self.assertEqual(self.running(), [])
        self.produce(500)
        self.assertIn(f"started from {savepoint}", self.submit().stdout)
        self.assertNotEqual(self.running(), [job])
        self.assert_exact()

    def test_3_a_taskmanager_is_killed(self):
        self.submit()
        (job,) = self.running()
        jobmanager = self.known["flink"]["jobmanager"]
        with urllib.request.urlopen(f"{jobmanager}/jobs/{job}", timeout=10) as answer:
            vertex = json.load(answer)["vertices"][0]["id"]
        with urllib.request.urlopen(f"{jobmanager}/jobs/{job}/vertices/{vertex}", timeout=10) as answer:
            worker = json.load(answer)["subtasks"][0]["taskmanager-id"]
        self.produce(2000)
        (pid,) = [service["pid"] for service in self.known["services"] if service["name"] == worker]
        os.kill(pid, signal.SIGKILL)
        self.produce(2000)
        wait_for(lambda: (self.status()["restarts"] or 0) > 0 and self.running(), "the restart")
        self.assert_exact()
        self.assertIn(worker, self.jobs_command("flink", "logs", JOB, "--traces"))
        left = self.folder / worker / "tmp" / "left-behind"
        left.touch()
        stack("start", self.folder, worker)
        self.assertFalse(left.exists(), "what a killed TaskManager leaves is removed at its next start")

    def test_4_a_running_job_is_replaced(self):
        self.submit()
        (before,) = self.running()
        other = self.folder / "other"
        shutil.copytree(self.files, other)
        changed = other / "sql" / "onprem" / "orders" / "01_sources.sql"
        changed.write_text(changed.read_text().replace("'1 s'", "'2 s'"))
        self.assertIn("runs already with other SQL", self.submit(files=other).stdout)
        self.produce(500)
        told = self.submit("--replace", files=other).stdout
        self.assertRegex(told, rf"started from \S*savepoint\S* \(job \w+, in place of job {before}\)")
        self.assertNotIn(before, self.running())
        self.assertEqual(len(self.running()), 1)
        self.assert_exact()

    def test_5_a_job_outlives_the_jobmanager(self):
        self.submit()
        self.produce(500)
        self.assert_exact()
        stack("kill", self.folder, "jobmanager")
        self.assertIn("the JobManager at", self.submit(code=6).stderr)
        self.assertIn("does not answer", self.run_program("flink", "status", code=6).stderr)
        self.produce(500)
        stack("start", self.folder, "jobmanager")
        self.assertEqual(self.jobs(), [])
        self.assertRegex(self.submit().stdout, r"started from \S*/chk-\d+")
        self.assert_exact()
        savepoint = self.jobs_command("flink", "stop", JOB).split("the savepoint is file:")[1].strip()
        stack("kill", self.folder, "jobmanager")
        stack("start", self.folder, "jobmanager")
        self.assertIn(f"started from file://{savepoint}", self.submit().stdout)
        self.assert_exact()

    def test_6_what_cannot_run_is_refused(self):
        self.assertIn(f"{BROKERS} is not set", self.submit(code=2, **{BROKERS: None}).stderr)
        wrong = self.folder / "wrong"
        shutil.copytree(self.files, wrong)
        job = wrong / "sql" / "onprem" / "orders" / "02_job.sql"
        job.write_text(job.read_text().replace("`payload` IS JSON OBJECT", "`pay` IS JSON OBJECT"))
        told = self.submit(files=wrong, code=6).stderr
        self.assertRegex(told, r"02_job\.sql:2:11: \w+Exception: Column 'pay' not found in any table")
        job.write_text((SQL / "onprem" / "02_job.sql").read_text().replace("'upsert-kafka'", "'nowhere'"))
        self.assertIn("Could not find any factory for identifier 'nowhere'", self.submit(files=wrong, code=6).stderr)
        self.assertIn("does not answer", self.submit("--gateway", "http://127.0.0.1:9", code=6).stderr)
        self.assertIn("knows no job nobody", self.run_program("flink", "stop", "nobody", code=2).stderr)
        rules = wrong / "rules" / "sales.events.yaml"
        rules.write_text(rules.read_text().replace("max: 64", "max: 65"))
        told = self.submit(files=wrong, code=2)
        self.assertIn("nothing is submitted: the SQL is not what the rules say", told.stderr)
        self.assertIn("onprem/sales.events/02_rules.sql: stale", told.stdout)
        environments = wrong / "environments.yaml"
        environments.write_text(environments.read_text().replace("DC_AZURE", "DC_ONPREM"))
        told = self.submit(files=wrong, code=2)
        self.assertIn("nothing is submitted: the files are wrong", told.stderr)
        self.assertIn("DC_ONPREM belongs to onprem already", told.stdout)
        environments.write_text((self.files / "environments.yaml").read_text())
        for changed, words in (("'{prefix}.cdc.sales.events'", "a feedback loop"), ("['topic_{prefix}_sales', '{prefix}_b']", "expected one text")):
            rules.write_text((self.files / "rules" / "sales.events.yaml").read_text().replace("topic_{prefix}_sales", changed))
            self.assertIn(words, self.submit(files=wrong, code=2).stdout)
        told = self.run_program("submit", "onprem", "--jobs", str(self.files), code=2)
        self.assertIn(f"01_sources.sql:3: job {JOB} is not of the rules", told.stdout)
        self.assertEqual(self.running(), [])

    def test_7_one_side_s_user_on_the_other_side_s_topics(self):
        """The broker lets the user of onprem at the topics of onprem alone: the same job of cloud's topics does not get going."""
        (kafka,) = [service for service in self.known["services"] if service["kind"] == "kafka"]
        user, password = (self.known["access"]["sasl"][key] for key in ("user", "password"))
        jobs, environment = self.folder / "sides", {"TEST_KAFKA_USER": user, "TEST_OTHER_USER": user}
        shutil.copytree(ROOT / "jobs", jobs)
        text = (jobs / "environments.yaml").read_text()
        for variable in environment:
            (self.folder / variable).write_text(password)
            secure = f"""["{kafka["listeners"]["SASL_PLAINTEXT"]}"]
      security_protocol: SASL_PLAINTEXT
      credentials: {{username: {{env: {variable}}}, password: {{file: {self.folder / variable}}}}}"""
            text = text.replace('["127.0.0.1:9092"]', secure, 1)
        (jobs / "environments.yaml").write_text(text.replace("interval: 30s", "interval: 1s"))
        self.run_program("sql", "--jobs", str(jobs))
        admin = AdminClient({"bootstrap.servers": self.servers})
        names = [f"{side}{rest}" for side in ("onprem", "cloud") for rest in (".cdc.sales.events", "_hash_events")]
        for made in admin.create_topics([NewTopic(name, 1, 1) for name in names]).values():
            made.result()
        of_onprem = [
            (ResourceType.TOPIC, "onprem", ResourcePatternType.PREFIXED),
            (ResourceType.TRANSACTIONAL_ID, "hash-onprem", ResourcePatternType.PREFIXED),
            (ResourceType.GROUP, "flink-hash-onprem", ResourcePatternType.LITERAL),
        ]
        acls = [AclBinding(*one, f"User:{user}", "*", AclOperation.ALL, AclPermissionType.ALLOW) for one in of_onprem]
        for made in admin.create_acls(acls).values():
            made.result()
        change = {"op": "c", "after": {"id": "a"}, "event_id": "e", "source": {"ts_us": 1}, "hash_kind": "partial"}
        producer = Producer({"bootstrap.servers": self.servers})
        for side in ("onprem", "cloud"):
            producer.produce(f"{side}.cdc.sales.events", json.dumps(change), '{"id":"a"}')
        self.assertEqual(producer.flush(60), 0)

        def submit(side, *codes):
            job = f"hash-{side}-sales.events"
            self.run_program("submit", side, "--job", job, "--wait", "20", "--jobs", str(jobs), code=codes, **environment)
            self.addCleanup(self.run_program, "flink", "stop", job, "--no-savepoint")

        def failure(side):
            (job,) = json.loads(self.jobs_command("flink", "status", f"hash-{side}-sales.events", "--format", "json"))["jobs"]
            return json.dumps(job["last_failure"])

        submit("onprem", 0)
        wait_for(lambda: len(self.committed("onprem_hash_events")) == 1, "the hash event of onprem")
        self.assertEqual(failure("onprem"), "null")
        # Its tasks may run for a moment before the brokers' answer ends it.
        submit("cloud", 0, 6)
        told = wait_for(lambda: (now := failure("cloud")) != "null" and now, "a failure")
        self.assertRegex(told, "(Topic|Group|TransactionalId)AuthorizationException|Not authorized to access")
        self.assertEqual(self.committed("cloud_hash_events"), [])


if __name__ == "__main__":
    unittest.main()
