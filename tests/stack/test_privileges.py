"""The statements and commands of docs/security.md are enough for the agent, on a node and a broker that check permissions, over TLS; and what is
said when a password, a certificate authority or a permission is wrong."""

import json
import os
import shlex
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).resolve().parent))

import test_stack  # noqa: E402

TEXT = (ROOT / "docs" / "security.md").read_text()
PASSWORD = "of-the-role"
CHECKED = [
    "kafka.authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "kafka.super.users=User:ANONYMOUS",  # clients of the PLAINTEXT listener
    "onprem.authenticator=PasswordAuthenticator",
    "onprem.authorizer=CassandraAuthorizer",
]


class LeastPrivilege(unittest.TestCase):
    def test_what_is_documented_is_enough(self):
        folder = test_stack.private_folder(self.addCleanup)
        sizes = ["--quick", "--free-ports", "--option", "onprem.heap=384m", "--option", "kafka.heap=256m"]
        checked = [word for setting in CHECKED for word in ("--set", setting)]
        parts = ["--only", "kafka,onprem,agent-onprem", "--later", "agent-onprem", "--option", 'kafka.listeners=["SASL_SSL"]', "--option", "onprem.tls=true"]
        known = json.loads(test_stack.stack("up", folder, "--json", *parts, *sizes, *checked).stdout)
        (role,) = [line for line in TEXT.splitlines() if line.startswith("CREATE ROLE")]
        (grant,) = [line for line in TEXT.splitlines() if line.startswith("GRANT SELECT ON system_views")]
        test_stack.stack("cql", folder, "onprem", "-e", f"{role.replace('…', PASSWORD)} {grant}")
        access = known["access"]["sasl"]
        commands = [shlex.split(line)[1:] for line in TEXT.splitlines() if line.startswith("$A ")]
        self.assertGreater(len(commands), 3)
        for command in commands:
            test_stack.stack("kafka", folder, "acls", "--add", "--allow-principal", f"User:{access['user']}", *command)
        secrets = {name: folder / "agent-onprem" / name for name in ("kafka", "cassandra")}
        (folder / "agent-onprem").mkdir()
        secrets["kafka"].write_text(access["password"])
        secrets["cassandra"].write_text(PASSWORD)
        settings = {
            "kafka_bootstrap_servers": known["services"][0]["listeners"]["SASL_SSL"],
            "kafka_security_protocol": "sasl_ssl",
            "kafka_ssl_ca_file": known["access"]["tls"]["ca"],
            "cassandra_ssl_ca_file": known["access"]["tls"]["ca"],
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_sasl_username": access["user"],
            "kafka_sasl_password_file": str(secrets["kafka"]),
            "cassandra_username": "cdc_agent",
            "cassandra_password_file": str(secrets["cassandra"]),
        }
        given = [word for key, text in settings.items() for word in ("--set", f"agent-onprem.{key}={text}")]
        test_stack.stack("start", folder, "agent-onprem", *given)
        test_stack.stack("cql", folder, "onprem", "-e", "INSERT INTO sales.events (id, amount) VALUES ('allowed', 7.5)")
        found = self.read(known["bootstrap_servers"])
        self.assertEqual(found["after"], {"id": "allowed", "amount": 7.5})
        logs = "".join(path.read_text() for path in (folder / "agent-onprem").rglob("*.log"))
        self.assertIn(" into kafka", logs)
        self.assertNotIn("cannot be asked", logs)
        self.wrong(folder, access["user"], [access["password"], PASSWORD])

    def wrong(self, folder, user, passwords):
        """Nothing is wrong; then one thing after the other is, and doctor and the agent name it."""
        config = folder / "agent-onprem" / "conf" / "agent.toml"
        done = self.agent("doctor", config)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("FAIL", done.stdout)
        test_stack.stack("stop", folder, "agent-onprem")
        (folder / "wrong").write_text("not-it")
        other = folder / "other.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-keyout", str(folder / "other.key"), "-out", str(other)]
        subprocess.run(command, check=True, capture_output=True)
        said = done.stdout + (folder / "agent-onprem" / "logs" / "agent.log").read_text() + self.agent("config", "show", config).stdout
        for key, path, words in (
            ("kafka_sasl_password_file", folder / "wrong", "do not let in"), ("kafka_ssl_ca_file", other, "do not let in"),
            ("cassandra_password_file", folder / "wrong", "cql.connection"), ("cassandra_ssl_ca_file", other, "cql.connection"),
        ):  # fmt: skip
            with self.subTest(key):
                said += self.fails(config, words, **{f"CDC_AGENT_{key.upper()}": str(path)})
        command = ["--topic", "onprem.cdc.", "--resource-pattern-type", "prefixed", "--operation", "Write"]
        test_stack.stack("kafka", folder, "acls", "--remove", "--force", "--allow-principal", f"User:{user}", *command)
        with self.subTest("without a permission"):
            done = self.agent("run", config)
            said += done.stdout + done.stderr
            self.assertEqual(done.returncode, 6, done.stderr)
            self.assertIn("onprem.cdc.", done.stderr)
        for secret in [*passwords, "not-it"]:
            self.assertNotIn(secret, said)

    def fails(self, config, words, **variables):
        """What doctor says, which must be that this fails, and how to mend it."""
        done = self.agent("doctor", config, **variables)
        failures = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertTrue(any(words in line.lower() for line in failures), done.stdout)
        self.assertIn("fix:", done.stdout)
        return done.stdout + done.stderr

    def agent(self, *words, **variables):
        """A command of the agent with its configuration file."""
        program = os.environ.get("CDC_AGENT_BIN", str(ROOT / "target" / "debug" / "cdc-agent"))
        command = [program, *words[:-1], "--config", str(words[-1])]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **variables})

    def read(self, servers):
        """The record of the row, as the example of docs/delivery.md prints it."""
        command = [sys.executable, ROOT / "examples" / "first_of_equal.py", "onprem.cdc.sales.events", "--bootstrap-servers", servers]
        with subprocess.Popen(["timeout", "60", *command], stdout=subprocess.PIPE, text=True) as reading:
            try:
                values = map(json.loads, reading.stdout)
                return next(value for value in values if value["after"]["id"] == "allowed")
            finally:
                reading.terminate()


if __name__ == "__main__":
    unittest.main()
